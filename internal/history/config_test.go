package history

import (
	"fmt"
	"strings"
	"testing"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/parse"
)

// toldConfig reads a configuration as listings have it.
func toldConfig(t *testing.T, text string) *conn.Config {
	t.Helper()
	var c parse.ConfigReader
	for line := range strings.Lines(text) {
		c.Line([]byte(strings.TrimSuffix(line, "\n")))
	}
	if c.Misread() > 0 {
		t.Fatalf("%d lines of the configuration make no sense:\n%s", c.Misread(), text)
	}
	return c.Config()
}

const configHead = "Prot LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n"

func TestCompareConfigs(t *testing.T) {
	const web = "TCP  10.0.1.100:443 wlc persistent 300\n" +
		"  -> 10.0.0.11:443                Masq    1      12         345\n" +
		"  -> 10.0.0.12:443                Masq    1      12         345\n"
	const dns = "UDP  10.0.1.100:53 rr ops\n  -> 10.0.0.13:53                 Route   3      0          0\n"
	tests := []struct {
		name, before, after string
		want                string // what|name|server|before|after
		told                bool
	}{
		{"counters only", configHead + web, configHead + strings.ReplaceAll(web, "345", "1"), "", true},
		{"another order", configHead + web + dns, configHead + dns + web, "", true},
		{"a weight", configHead + web, configHead + strings.Replace(web, "Masq    1", "Masq    0", 1),
			"server|TCP 10.0.1.100:443|10.0.0.11:443|Masq 1|Masq 0", true},
		{"a method", configHead + dns, configHead + strings.Replace(dns, "Route ", "Tunnel", 1),
			"server|UDP 10.0.1.100:53|10.0.0.13:53|Route 3|Tunnel 3", true},
		{"one server for another", configHead + web, configHead + strings.Replace(web, "10.0.0.12", "10.0.0.14", 1),
			"server|TCP 10.0.1.100:443|10.0.0.12:443|Masq 1|\nserver|TCP 10.0.1.100:443|10.0.0.14:443||Masq 1", true},
		{"a service gone and one new", configHead + web, configHead + dns,
			"service|TCP 10.0.1.100:443||wlc persistent 300|\nservice|UDP 10.0.1.100:53|||rr ops", true},
		{"the last service gone", configHead + dns, configHead, "service|UDP 10.0.1.100:53||rr ops|", true},
		{"a scheduler", configHead + web, configHead + strings.Replace(web, "wlc", "sh", 1),
			"service|TCP 10.0.1.100:443||wlc persistent 300|sh persistent 300", true},
		{"marks of two families", configHead + "FWM  7 rr\nFWM  7 IPv6 rr\n", configHead + "FWM  7 rr\nFWM  7 IPv6 wrr\n",
			"service|FWM 7 IPv6||rr|wrr", true},
		{"a weight as netlink's reader cuts it", configHead + strings.Replace(web, "Masq    1", "Masq    65537", 1), configHead + web, "", true},
		{"an engine that netlink's reader does not tell", configHead + "UDP  10.0.1.100:5060 rr persistent 60 pe sip\n", configHead + "UDP  10.0.1.100:5060 rr persistent 60\n", "", true},
		{"timeouts", "Timeout (tcp tcpfin udp): 900 120 300\n", "Timeout (tcp tcpfin udp): 60 120 300\n", "timeouts|Timeout (tcp tcpfin udp)||900 120 300|60 120 300", true},
		{"sysctls, one of which is told once", "net.ipv4.vs.expire_nodest_conn = 0\nnet.ipv4.vs.drop_entry = 0\n", "net.ipv4.vs.expire_nodest_conn = 1\n",
			"sysctl|net.ipv4.vs.expire_nodest_conn||0|1", true},
		{"a daemon", "master sync daemon (mcast=eth0, syncid=1)\n", "master sync daemon (mcast=eth1, syncid=1)\n",
			"daemon|master sync daemon||mcast=eth0, syncid=1|mcast=eth1, syncid=1", true},
		{"different things told", configHead + web, "Timeout (tcp tcpfin udp): 60 120 300\n", "", false},
		{"names and numbers", configHead + web, configHead + strings.Replace(web, "10.0.1.100:443", "vip.example:https", 1), "", false},
		{"nothing told", "", "", "", false},
	}
	for _, tt := range tests {
		all, told := CompareConfigs(toldConfig(t, tt.before), toldConfig(t, tt.after))
		var lines []string
		for _, c := range all {
			lines = append(lines, fmt.Sprintf("%s|%s|%s|%s|%s", c.What, c.Name, c.Server, c.Before, c.After))
		}
		if got := strings.Join(lines, "\n"); got != tt.want || told != tt.told {
			t.Errorf("%s: told %v\n%s\nwant %v\n%s", tt.name, told, got, tt.told, tt.want)
		}
	}
}
