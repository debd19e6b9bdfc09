package conn

import (
	"net/netip"
	"testing"
)

// at is a numeric endpoint.
func at(text string) Endpoint {
	a := netip.MustParseAddrPort(text)
	return Endpoint{Addr: a.Addr(), Port: a.Port(), PortKnown: true}
}

// named is an endpoint of a listing with names; cut is one that lost its port.
func named(host, service string, port uint16) Endpoint {
	return Endpoint{Host: host, Service: service, Port: port, PortKnown: true}
}

func cut(host string) Endpoint { return Endpoint{Host: host} }

func TestKind(t *testing.T) {
	dccp, _ := ProtocolOf("DCCP")
	synRecv, established := SynRecv, Established
	const v4, v6 = "10.0.1.100:80", "[fd00:1::100]:443"
	tests := []struct {
		name  string
		entry Entry
		want  Kind
	}{
		{"TCP", Entry{Protocol: TCP, State: established, Client: at("10.0.1.10:44380"), Virtual: at(v4), Server: at("10.0.0.12:80"), Expires: 897}, Connection},
		{"UDP", Entry{Protocol: UDP, State: UDPState, Client: at("10.0.1.10:53000"), Virtual: at("10.0.1.100:53"), Server: at("10.0.0.12:53"), Expires: 288}, Connection},
		{"IPv6", Entry{Protocol: TCP, State: synRecv, Client: at("[fd00:1::10]:48380"), Virtual: at(v6), Server: at("[fd00::11]:443"), Expires: 59}, Connection},
		{"a connection in NONE", Entry{Protocol: TCP, State: None, Client: at("10.0.1.10:44380"), Virtual: at(v4), Server: at("10.0.0.12:80"), Expires: 2}, Connection},
		{"NONE for ever, with a client port", Entry{Protocol: TCP, State: None, Client: at("10.0.1.10:44380"), Virtual: at(v4), Server: at("10.0.0.12:80"), Expires: 300}, Connection},
		{"server port 65535, with a client port", Entry{Protocol: TCP, State: established, Client: at("10.0.1.10:44380"), Virtual: at(v4), Server: at("10.0.0.12:65535"), Expires: 800}, Connection},
		{"unlisted protocol", Entry{Protocol: dccp, State: established, Client: at("10.0.1.10:1"), Virtual: at(v4), Server: at("10.0.0.12:80"), Expires: 59}, Connection},
		{"passive FTP, before the client's SYN", Entry{Protocol: TCP, State: Listen, Client: at("10.0.1.10:0"), Virtual: at("10.0.1.100:40001"), Server: at("10.0.0.12:40001"), Expires: 118}, Connection},

		{"template", Entry{Protocol: TCP, State: None, Client: at("10.0.1.10:0"), Virtual: at(v4), Server: at("10.0.0.12:80"), Expires: 300}, Template},
		{"assured template", Entry{Protocol: TCP, State: Assured, Client: at("10.0.1.10:0"), Virtual: at(v4), Server: at("10.0.0.12:80"), Expires: 300}, Template},
		{"UDP's template of kernels up to 4.15", Entry{Protocol: UDP, State: UDPState, Client: at("10.0.1.10:0"), Virtual: at("10.0.1.100:53"), Server: at("10.0.0.12:53"), Expires: 300}, Template},
		{"template about to expire", Entry{Protocol: TCP, State: None, Client: at("10.0.1.10:0"), Virtual: at(v4), Server: at("10.0.0.12:80"), Expires: 0}, Template},
		{"FTP's template, all ports 0", Entry{Protocol: TCP, State: None, Client: at("10.0.1.0:0"), Virtual: at("10.0.1.100:0"), Server: at("10.0.0.12:0"), Expires: 300}, Template},
		{"IPv6 template", Entry{Protocol: TCP, State: Assured, Client: at("[fd00:1::]:0"), Virtual: at(v6), Server: at("[fd00::11]:443"), Expires: 60}, Template},
		{"a name for the client, port 0", Entry{Protocol: TCP, State: None, Client: named("client1", "", 0), Virtual: named("vip", "http", 80), Server: named("web1", "http", 80), Expires: 200}, Template},

		{"template invalidated, up to 7.0", Entry{Protocol: TCP, State: None, Client: at("10.0.1.10:0"), Virtual: at("10.0.1.100:65535"), Server: at("10.0.0.12:65535"), Expires: 48}, StaleTemplate},
		{"template invalidated, since 7.1", Entry{Protocol: TCP, State: None, Client: at("10.0.1.10:0"), Virtual: at(v4), Server: at("10.0.0.12:65535"), Expires: 48}, StaleTemplate},
		{"virtual port 65535 alone", Entry{Protocol: TCP, State: None, Client: at("10.0.1.10:0"), Virtual: at("10.0.1.100:65535"), Server: at("10.0.0.12:80"), Expires: 48}, Template},
		{"invalidated, its client's port cut off", Entry{Protocol: TCP, State: Assured, Client: cut("a-long-name"), Virtual: named("vip", "http", 80), Server: at("10.0.0.12:65535"), Expires: 48}, StaleTemplate},

		{"fwmark template", Entry{Protocol: IP, State: None, Client: at("10.0.1.10:0"), Virtual: at("0.0.0.10:0"), Server: at("10.0.0.11:0"), Expires: 300}, FwmarkTemplate},
		{"fwmark template, IPv6", Entry{Protocol: IP, State: Assured, Client: at("[fd00:1::10]:0"), Virtual: at("[0:14::]:0"), Server: at("[fd00::11]:0"), Expires: 300}, FwmarkTemplate},
		{"fwmark template, invalidated", Entry{Protocol: IP, State: None, Client: at("10.0.1.10:0"), Virtual: at("0.0.0.10:65535"), Server: at("10.0.0.11:65535"), Expires: 30}, StaleTemplate},

		// The client's port is not in the listing: the state decides.
		{"cut, ESTABLISHED", Entry{Protocol: TCP, State: established, Client: cut("a-long-name"), Virtual: named("vip", "http", 80), Server: named("web1", "http", 80), Expires: 800}, Connection},
		{"cut, ASSURED", Entry{Protocol: TCP, State: Assured, Client: cut("a-long-name"), Virtual: named("vip", "http", 80), Server: named("web1", "http", 80), Expires: 3}, Template},
		{"cut, NONE of a new connection", Entry{Protocol: TCP, State: None, Client: cut("a-long-name"), Virtual: named("vip", "http", 80), Server: named("web1", "http", 80), Expires: 3}, Connection},
		{"cut, NONE longer than any connection", Entry{Protocol: TCP, State: None, Client: cut("a-long-name"), Virtual: named("vip", "http", 80), Server: named("web1", "http", 80), Expires: 4}, Template},
		{"cut, NONE of unknown age", Entry{Protocol: TCP, State: None, Client: cut("a-long-name"), Virtual: named("vip", "http", 80), Server: named("web1", "http", 80), Expires: Unknown}, Connection},
		{"a service name without a port of its own", Entry{Protocol: TCP, State: established, Client: Endpoint{Host: "c", Service: "no-such"}, Virtual: named("vip", "http", 80), Server: named("web1", "http", 80), Expires: 4}, Connection},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.entry.Kind(); got != tt.want {
				t.Errorf("%+v is of kind %d, want %d", tt.entry, got, tt.want)
			}
		})
	}
}

func TestFwmark(t *testing.T) {
	tests := []struct {
		entry Entry
		want  uint32
		ok    bool
	}{
		{Entry{Protocol: IP, Virtual: at("0.0.0.10:0")}, 10, true},
		{Entry{Protocol: IP, Virtual: at("1.2.3.4:0")}, 0x01020304, true},
		{Entry{Protocol: IP, Virtual: at("255.255.255.255:0")}, 0xffffffff, true},
		{Entry{Protocol: IP, Virtual: at("[0:14::]:0")}, 20, true},
		{Entry{Protocol: IP, Virtual: at("[8000:1::]:0")}, 0x80000001, true},
		{Entry{Protocol: IP, Virtual: at("[::1]:0")}, 0, true}, // only the first 32 bits are the mark
		{Entry{Protocol: IP, Virtual: Endpoint{Host: "vip", PortKnown: true}}, 0, false},
		{Entry{Protocol: TCP, Virtual: at("0.0.0.10:0")}, 0, false},
	}
	for _, tt := range tests {
		if got, ok := tt.entry.Fwmark(); got != tt.want || ok != tt.ok {
			t.Errorf("the mark of %s %s is %d, %v; want %d, %v", tt.entry.Protocol, tt.entry.Virtual, got, ok, tt.want, tt.ok)
		}
	}
}
