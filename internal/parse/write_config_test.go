package parse

import (
	"reflect"
	"strings"
	"testing"

	"ipvsstate/internal/conn"
)

// readConfig reads a text's configuration as every reader does, by way of the scanner.
func readConfig(t *testing.T, text []byte) *conn.Config {
	t.Helper()
	var s Scanner
	var r ConfigReader
	for s.Reset(text); s.Scan(); {
		switch l := s.Line(); l.Kind {
		case ConfigTitleLine, ConfigLine:
			r.Line(l.Text)
		default:
			t.Errorf("line %d is no line of a configuration: %q", l.Number, l.Text)
		}
	}
	if r.Misread() > 0 {
		t.Errorf("%d lines made no sense", r.Misread())
	}
	return r.Config()
}

// TestConfigWrittenReadsBack: what is written of a configuration is the configuration.
func TestConfigWrittenReadsBack(t *testing.T) {
	server := func(address string, f conn.Forwarding, weight, active, inactive int) conn.Server {
		return conn.Server{Address: endpointOf(t, address), Forwarding: f, Weight: weight, Active: active, Inactive: inactive, Persistent: conn.UnknownCount}
	}
	service := func(p conn.Protocol, virtual string, of conn.Service) conn.Service {
		of.Protocol, of.Virtual = p, endpointOf(t, virtual)
		of.IPv6 = of.Virtual.Addr.Is6()
		return of
	}
	v6, full6 := "[2001:db8:1234:5678:9abc:def1:1234:5678]:8080", "[fd00::1]:80"
	tests := map[string]*conn.Config{
		"timeouts":     {Timeouts: &conn.Timeouts{TCP: 900, TCPFin: 120, UDP: 300}},
		"sysctls":      {Sysctls: map[string]string{"conn_reuse_mode": "1", "sync_threshold": "3 50", "debug_level": "-1"}},
		"sync daemons": {Daemons: []conn.Daemon{{Interface: "eth0", SyncID: 7}, {Backup: true, Interface: "bond0.12", SyncID: 0}}},
		"no services":  {Services: []conn.Service{}},
		"a service without servers": {Services: []conn.Service{
			service(conn.TCP, "10.0.1.100:80", conn.Service{Scheduler: "rr"})}},
		"every flag": {Services: []conn.Service{
			service(conn.UDP, "10.0.1.100:5060", conn.Service{Scheduler: "mh", SchedulerFlags: "mh-fallback,mh-port", OnePacket: true, Persistent: 300, Mask: 24, PEName: "sip"})}},
		"protocols and methods": {Services: []conn.Service{
			service(conn.TCP, "10.0.1.100:80", conn.Service{Scheduler: "wlc", Servers: []conn.Server{
				server("10.0.0.11:80", conn.Masquerade, 1, 12, 345), server("10.0.0.12:80", conn.DirectRoute, 0, 0, 0),
				server("10.0.0.13:80", conn.Tunnel, 65535, 2147483647, 1), server("10.0.0.14:80", conn.LocalNode, 100, 1, 2),
				server("255.255.255.255:65535", conn.Masquerade, 1, 1, 1)}}),
			service(conn.SCTP, "10.0.1.100:36412", conn.Service{Scheduler: "none", Servers: []conn.Server{server("10.0.0.11:36412", conn.Masquerade, 1, 0, 0)}})}},
		"IPv6": {Services: []conn.Service{
			service(conn.TCP, v6, conn.Service{Scheduler: "sh", SchedulerFlags: "sh-port", Persistent: 10800, Mask: 64, Servers: []conn.Server{server(v6, conn.Masquerade, 1, 2, 3), server("10.0.0.1:80", conn.Tunnel, 1, 2, 3)}}),
			service(conn.TCP, full6, conn.Service{Scheduler: "rr", Servers: []conn.Server{server(full6, conn.Masquerade, 1, 2, 3)}})}},
		"firewall marks": {Services: []conn.Service{
			{Fwmark: 10, Scheduler: "rr", Servers: []conn.Server{server("10.0.0.11:0", conn.DirectRoute, 1, 2, 3)}},
			{Fwmark: 10, IPv6: true, Scheduler: "rr", Persistent: 60, Servers: []conn.Server{server("[fd00::1]:0", conn.DirectRoute, 1, 2, 3)}},
			{Fwmark: 4294967295, Scheduler: "lc"}, {Fwmark: 10000000, Scheduler: "lc"}}},
		"counts that are not known": {Services: []conn.Service{
			service(conn.TCP, "10.0.1.100:80", conn.Service{Scheduler: "rr", Servers: []conn.Server{
				server("10.0.0.11:80", conn.Masquerade, conn.UnknownCount, conn.UnknownCount, conn.UnknownCount)}})}},
	}
	all := &conn.Config{Timeouts: tests["timeouts"].Timeouts, Sysctls: tests["sysctls"].Sysctls}
	for _, name := range []string{"every flag", "protocols and methods", "IPv6", "firewall marks"} {
		all.Services = append(all.Services, tests[name].Services...)
	}
	all.Services = all.Services[:len(all.Services):len(all.Services)]
	tests["all together"] = all
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			text := AppendConfig(nil, want)
			if got := readConfig(t, text); !reflect.DeepEqual(got, want) {
				t.Errorf("reads back as\n%+v, want\n%+v\n%s", got, want, text)
			}
		})
	}
	if text := AppendConfig(nil, &conn.Config{}); len(text) > 0 {
		t.Errorf("of nothing is told %q", text)
	}
}

func endpointOf(t *testing.T, text string) conn.Endpoint {
	t.Helper()
	e, ok := readEndpoint([]byte(text), conn.TCP, 0, new(bool))
	if !ok || strings.Contains(text, ":") && e.String() != text {
		t.Fatalf("%q is no endpoint: %+v", text, e)
	}
	return e
}
