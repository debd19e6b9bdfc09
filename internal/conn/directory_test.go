package conn

import "testing"

func TestDirectory(t *testing.T) {
	server := func(text string, f Forwarding) Server { return Server{Address: at(text), Forwarding: f} }
	services := []Service{
		0: {Protocol: TCP, Virtual: at("10.0.1.100:80"), Servers: []Server{server("10.0.0.11:80", Masquerade), server("10.0.0.12:8080", Tunnel)}},
		1: {Protocol: UDP, Virtual: at("10.0.1.100:80"), Servers: []Server{server("10.0.0.13:80", DirectRoute)}},
		2: {Protocol: TCP, Virtual: at("10.0.1.101:0"), Servers: []Server{server("10.0.0.11:0", DirectRoute)}},
		3: {Protocol: TCP, Virtual: at("10.0.1.102:21"), Servers: []Server{server("10.0.0.14:21", Masquerade)}},
		4: {Fwmark: 10, Servers: []Server{server("10.0.0.21:80", DirectRoute), server("10.0.0.22:0", DirectRoute)}},
		5: {Fwmark: 11, Servers: []Server{server("10.0.0.22:0", DirectRoute)}},
		6: {Fwmark: 10, IPv6: true, Servers: []Server{server("[fd00::21]:0", Tunnel)}},
		7: {Protocol: TCP, Virtual: named("vip", "http", 80), Servers: []Server{{Address: named("web1", "http", 80)}}},
		9: {Protocol: TCP, Virtual: at("10.0.1.104:21"), Servers: []Server{server("10.0.0.22:21", Masquerade)}},
		8: {Protocol: TCP, Virtual: at("10.0.1.103:0"), Servers: []Server{server("10.0.0.22:0", DirectRoute)}},
	}
	d := NewDirectory(services)
	connection := func(p Protocol, virtual, server Endpoint) Entry {
		return Entry{Protocol: p, State: Established, Client: at("192.0.2.1:5000"), Virtual: virtual, Server: server}
	}
	template := func(p Protocol, virtual, server Endpoint) Entry {
		return Entry{Protocol: p, State: Assured, Client: at("192.0.2.1:0"), Virtual: virtual, Server: server}
	}
	http := at("10.0.1.100:80")
	byName := http
	byName.Service = "http"
	tests := []struct {
		name string
		e    Entry
		want Place
	}{
		{"present", connection(TCP, http, at("10.0.0.11:80")), Place{Present, 0, 0}},
		{"by the port's name", connection(TCP, byName, at("10.0.0.12:8080")), Place{Present, 0, 1}},
		{"another protocol's service", connection(UDP, http, at("10.0.0.11:80")), Place{ServerGone, 1, -1}},
		{"removed server", connection(TCP, http, at("10.0.0.99:80")), Place{ServerGone, 0, -1}},
		{"another port of the server", connection(TCP, http, at("10.0.0.11:81")), Place{ServerGone, 0, -1}},
		{"service of all ports", connection(TCP, at("10.0.1.101:8443"), at("10.0.0.11:8443")), Place{Present, 2, 0}},
		{"template of all ports", template(TCP, at("10.0.1.101:0"), at("10.0.0.11:0")), Place{Present, 2, 0}},
		{"removed from all ports", connection(TCP, at("10.0.1.101:8443"), at("10.0.0.12:8443")), Place{ServerGone, 2, -1}},
		{"FTP data", connection(TCP, at("10.0.1.102:41000"), at("10.0.0.14:41000")), Place{Present, 3, 0}},
		{"FTP of a removed server", connection(TCP, at("10.0.1.102:41000"), at("10.0.0.15:41000")), Place{ServiceGone, -1, -1}},
		{"of one mark", connection(TCP, at("10.0.1.200:80"), at("10.0.0.21:80")), Place{Present, 4, 0}},
		{"of a mark, the port as the client chose it", connection(TCP, at("10.0.1.200:88"), at("10.0.0.21:88")), Place{Present, 4, 0}},
		{"of one of two marks", connection(TCP, at("10.0.1.200:80"), at("10.0.0.22:80")), Place{Present, -1, -1}},
		{"of a mark, though the address has a service", connection(TCP, http, at("10.0.0.21:80")), Place{NotTold, -1, -1}},
		{"of no mark, which keeps the client's port", connection(TCP, http, at("10.0.0.22:8001")), Place{ServerGone, 0, -1}},
		{"of all ports, which keep the client's", connection(TCP, at("10.0.1.101:8443"), at("10.0.0.11:443")), Place{ServerGone, 2, -1}},
		{"of an IPv6 mark", connection(TCP, at("[fd00:1::1]:80"), at("[fd00::21]:80")), Place{Present, 6, 0}},
		{"deleted service", connection(TCP, at("10.0.1.200:81"), at("10.0.0.99:81")), Place{ServiceGone, -1, -1}},
		{"a service that may be deleted or have a name", connection(TCP, at("10.0.1.200:80"), at("10.0.0.99:80")), Place{NotTold, -1, -1}},
		{"of all ports, whose server a mark has", connection(TCP, at("10.0.1.103:8443"), at("10.0.0.22:8443")), Place{Present, 8, 0}},
		{"FTP data or a mark's", connection(TCP, at("10.0.1.104:8443"), at("10.0.0.22:8443")), Place{NotTold, -1, -1}},
		{"template of all ports, whose server a mark has", template(TCP, at("10.0.1.103:0"), at("10.0.0.22:0")), Place{Present, 8, 0}},
		{"template of a mark", template(IP, at("0.0.0.10:0"), at("10.0.0.22:0")), Place{Present, 4, 1}},
		{"template of a mark, without the server's port", template(IP, at("0.0.0.10:0"), at("10.0.0.21:0")), Place{Present, 4, 0}},
		{"template of a deleted service whose server a mark has", template(TCP, at("10.0.1.200:81"), at("10.0.0.21:80")), Place{ServiceGone, -1, -1}},
		{"template of a removed server that a mark has", template(TCP, http, at("10.0.0.21:80")), Place{ServerGone, 0, -1}},
		{"template of an IPv6 mark", template(IP, at("[0:a::]:0"), at("[fd00::21]:0")), Place{Present, 6, 0}},
		{"template of a mark, its server removed", template(IP, at("0.0.0.11:0"), at("10.0.0.21:0")), Place{ServerGone, 5, -1}},
		{"template of a deleted mark", template(IP, at("0.0.0.12:0"), at("10.0.0.21:0")), Place{ServiceGone, -1, -1}},
		{"names", connection(TCP, named("vip", "http", 80), named("web1", "http", 80)), Place{Present, 7, 0}},
		{"a name that may be cut", connection(TCP, named("vip", "http", 80), named("web1.example.com", "http", 80)), Place{NotTold, 7, -1}},
		{"a name for an address", connection(TCP, named("vip2", "http", 80), at("10.0.0.11:80")), Place{NotTold, -1, -1}},
	}
	for _, tt := range tests {
		target, ok := TargetOf(&tt.e)
		if got := d.Find(&target); !ok || got != tt.want {
			t.Errorf("%s: %+v, %v; want %+v", tt.name, got, ok, tt.want)
		}
		want := UnknownForwarding
		if tt.want.Server >= 0 {
			want = services[tt.want.Service].Servers[tt.want.Server].Forwarding
		}
		if got := d.Forwarding(&tt.e); got != want {
			t.Errorf("%s: forwarding %s, want %s", tt.name, got, want)
		}
		if got := NewDirectory(nil).Find(&target); got != (Place{NotTold, -1, -1}) {
			t.Errorf("%s: without services %+v", tt.name, got)
		}
		if got := NewDirectory([]Service{}).Find(&target); got.Whether == Present || got.Whether == ServerGone {
			t.Errorf("%s: with no service %+v", tt.name, got)
		}
	}
	stale := template(TCP, at("10.0.1.100:65535"), at("10.0.0.11:65535"))
	if _, ok := TargetOf(&stale); ok || d.Forwarding(&stale) != UnknownForwarding {
		t.Error("an invalidated template is said to belong to a service")
	}
}
