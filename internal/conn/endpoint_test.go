package conn

import (
	"net/netip"
	"strings"
	"testing"
)

func TestEndpointString(t *testing.T) {
	v6 := netip.MustParseAddr("2001:db8::1")
	tests := []struct {
		e    Endpoint
		want string
	}{
		{at("192.0.2.1:80"), "192.0.2.1:80"},
		{at("192.0.2.1:0"), "192.0.2.1:0"},
		{at("192.0.2.1:65535"), "192.0.2.1:65535"},
		{at("[2001:db8::1]:443"), "[2001:db8::1]:443"},
		{at("[0:14::]:0"), "[0:14::]:0"},
		{Endpoint{Addr: netip.MustParseAddr("::ffff:192.0.2.1"), Port: 80, PortKnown: true}, "[::ffff:192.0.2.1]:80"},
		{named("web1.example", "http", 80), "web1.example:http"},
		{Endpoint{Host: "web1", Service: "no-such-service"}, "web1:no-such-service"},
		{Endpoint{Host: "web1", Port: 8080, PortKnown: true}, "web1:8080"},
		{Endpoint{Addr: v6, Service: "https", Port: 443, PortKnown: true}, "[2001:db8::1]:https"},
		{cut("a-name-that-was-cut"), "a-name-that-was-cut"},
		{Endpoint{Addr: v6}, "[2001:db8::1]"},
		{Endpoint{Addr: v6, Port: 80}, "[2001:db8::1]"}, // a port that is not known means nothing
		{Endpoint{}, ""},
	}
	for _, tt := range tests {
		if got := tt.e.String(); got != tt.want {
			t.Errorf("%#v is written %q, want %q", tt.e, got, tt.want)
		}
	}
}

func TestEndpointIsZero(t *testing.T) {
	if !(Endpoint{}).IsZero() {
		t.Error("the zero Endpoint is not zero")
	}
	for _, e := range []Endpoint{at("0.0.0.0:0"), cut("h"), {PortKnown: true}, {Service: "http"}} {
		if e.IsZero() {
			t.Errorf("%#v is zero", e)
		}
	}
}

func TestIdentity(t *testing.T) {
	addr := netip.MustParseAddr("192.0.2.1")
	tests := []struct {
		name string
		a, b Endpoint
		same bool
	}{
		{":http and :80", Endpoint{Addr: addr, Service: "http", Port: 80, PortKnown: true}, at("192.0.2.1:80"), true},
		{":http and :www, one port", named("vip", "http", 80), named("vip", "www", 80), true},
		{"other ports", named("vip", "http", 80), named("vip", "https", 443), false},
		{"other hosts", named("vip", "http", 80), named("vip2", "http", 80), false},
		{"a name and its address", named("vip", "http", 80), at("192.0.2.1:80"), false},
		{"names without a port", Endpoint{Host: "vip", Service: "foo"}, Endpoint{Host: "vip", Service: "bar"}, false},
		{"no port and port 0", Endpoint{Host: "vip"}, Endpoint{Host: "vip", PortKnown: true}, false},
	}
	for _, tt := range tests {
		if same := tt.a.Identity() == tt.b.Identity(); same != tt.same {
			t.Errorf("%s: %v and %v have one identity: %v", tt.name, tt.a, tt.b, same)
		}
	}
	if e := (Endpoint{Host: "vip", Service: "foo"}); e.Identity() != e {
		t.Errorf("the identity of %v loses the only thing told of its port: %v", e, e.Identity())
	}
}

func TestServicePort(t *testing.T) {
	tests := []struct {
		p    Protocol
		name string
		want uint16
		ok   bool
	}{
		{TCP, "http", 80, true},
		{TCP, "https", 443, true},
		{TCP, "foliocorp", 2242, true},
		{TCP, "kazaa", 1214, true},
		{TCP, "eli", 2087, true},
		{UDP, "domain", 53, true},
		{UDP, "2ping", 15998, true},
		{TCP, "2ping", 0, false}, // UDP alone has it
		{SCTP, "sip", 5060, true},
		{SCTP, "foliocorp", 2242, true}, // SCTP has none of that name: TCP's
		{IP, "http", 80, true},
		{TCP, "HTTP", 0, false},
		{TCP, "no-such-service", 0, false},
		{TCP, "", 0, false},
		{TCP, "#", 0, false},
	}
	for _, tt := range tests {
		if got, ok := ServicePort(tt.p, tt.name); got != tt.want || ok != tt.ok {
			t.Errorf("ServicePort(%s, %q) = %d, %v; want %d, %v", tt.p, tt.name, got, ok, tt.want, tt.ok)
		}
	}
}

// TestServicesText reads the embedded table independently: a line that its reader
// passes over in silence would be a name without a port. Only names with blanks may
// be: none of those can stand in a listing.
func TestServicesText(t *testing.T) {
	lines, blank := 0, 0
	for line := range strings.Lines(servicesText) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "#") {
			continue
		}
		lines++
		word := strings.Split(line, " ")
		if len(word) > 3 {
			blank++
			continue
		}
		if len(word) != 3 || word[1] == "0" {
			t.Fatalf("line %q is not name, port, protocols", line)
		}
		for proto := range strings.SplitSeq(word[2], "+") {
			if p, known := ProtocolOf(proto); !known {
				t.Errorf("line %q: no protocol %q", line, proto)
			} else if _, ok := ServicePort(p, word[0]); !ok {
				t.Errorf("line %q: %s has no port for it", line, p)
			}
		}
	}
	if lines < 1000 || blank > 2 {
		t.Errorf("%d names, %d of them with blanks", lines, blank)
	}
}
