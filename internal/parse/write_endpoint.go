package parse

import (
	"net/netip"
	"strconv"

	"ipvsstate/internal/conn"
)

// appendProcEndpoint writes an address and port as the kernel's proc files have them, and
// a blank: IPv4 as %08X, IPv6 as %pI6, the port as %04X.
func appendProcEndpoint(dst []byte, p *conn.Endpoint) []byte {
	const upper, lower = "0123456789ABCDEF", "0123456789abcdef"
	if p.Addr.Is4() {
		for _, b := range p.Addr.As4() {
			dst = append(dst, upper[b>>4], upper[b&15])
		}
		dst = append(dst, ' ')
	} else {
		a := p.Addr.As16()
		for i := 0; i < len(a); i += 2 {
			dst = append(dst, lower[a[i]>>4], lower[a[i]&15], lower[a[i+1]>>4], lower[a[i+1]&15], ':')
		}
		dst[len(dst)-1] = ' '
	}
	return append(dst, upper[p.Port>>12], upper[p.Port>>8&15], upper[p.Port>>4&15], upper[p.Port&15], ' ')
}

// appendEndpoint writes an endpoint of e as ipvsadm does, unless it would not be read back.
func appendEndpoint(dst []byte, e *conn.Entry, p *conn.Endpoint) (_ []byte, ok bool) {
	if !p.Addr.IsValid() || p.Service != "" || !p.PortKnown || p.Host != "" {
		return appendNamed(dst, e, p)
	}
	return strconv.AppendUint(append(appendAddr(dst, p.Addr), ':'), uint64(p.Port), 10), true
}

// appendAddr writes an address as inet_ntop does, IPv6 in brackets. It differs from netip
// in ::192.0.2.1, which netip writes as ::c000:201.
func appendAddr(dst []byte, a netip.Addr) []byte {
	if a.Is4() {
		return appendQuad(dst, a.As4())
	}
	b := a.As16()
	if [12]byte(b[:12]) == [12]byte{} && b[12]|b[13] != 0 {
		dst = appendQuad(append(dst, "[::"...), [4]byte(b[12:]))
	} else {
		dst = netip.AddrFrom16(b).AppendTo(append(dst, '['))
	}
	return append(dst, ']')
}

// appendQuad writes a dotted quad.
func appendQuad(dst []byte, quad [4]byte) []byte {
	for _, b := range quad {
		o := &octets[b]
		dst = append(dst, o.text[:]...)[:len(dst)+o.length]
	}
	return dst[:len(dst)-1]
}

// octets are the numbers of a dotted quad, each with the dot behind it.
var octets = func() (t [256]struct {
	text   [4]byte
	length int
}) {
	for n := range t {
		t[n].length = copy(t[n].text[:], strconv.Itoa(n)+".")
	}
	return t
}()

// shape is what stands around a host name. The last three are what cutEndpoint leaves of
// one without its port.
type shape struct{ before, behind string }

var (
	shapes4 = [...]shape{{"", ""}, {"[", "]"}, {"", ":"}, {"[", ""}, {"[", "]:"}}
	shapes6 = [...]shape{{"[", "]"}, {"", ""}, {"[", ""}, {"[", "]:"}, {"", ":"}}
)

// appendNamed writes an endpoint with a host name or a service name. Whether ipvsadm had
// the host in brackets, being IPv6, is not kept: it is taken from the row's addresses, or
// from the length that ipvsadm cut it to.
func appendNamed(dst []byte, e *conn.Entry, p *conn.Endpoint) (_ []byte, ok bool) {
	var hostBuf, portBuf [64]byte
	host, port := append(hostBuf[:0], p.Host...), portBuf[:0]
	if p.Service != "" {
		port = append(append(port, ':'), p.Service...)
		if _, number := plainPort(port[1:]); !number && !isServiceName(port[1:]) {
			return dst, false
		}
	} else if p.PortKnown {
		port = strconv.AppendUint(append(port, ':'), uint64(p.Port), 10)
	}
	shapes := shapes4[:]
	switch {
	case p.Addr.IsValid():
		host, shapes = appendAddr(host, p.Addr), shapes[:1]
		if p.Host != "" {
			return dst, false
		}
	case !isHostName(host):
		return dst, false
	case e.Client.Addr.Is6() || e.Virtual.Addr.Is6() || e.Server.Addr.Is6():
		shapes = shapes6[:]
	}
	if len(port) > 0 {
		shapes = shapes[:min(len(shapes), 2)]
	}
	for _, s := range shapes {
		if tellsPort(len(s.before)+len(host)+len(s.behind)+len(port), e.Protocol, p) {
			dst = append(append(dst, s.before...), host...)
			return append(append(dst, s.behind...), port...), true
		}
	}
	return dst, false
}

// tellsPort reports whether the endpoint's port is what is read from a text of that length:
// one as long as cutEndpoint leaves it unknown.
func tellsPort(length int, proto conn.Protocol, p *conn.Endpoint) bool {
	switch {
	case length == cutEndpoint:
		return !p.PortKnown && p.Port == 0
	case p.Service == "":
		return p.PortKnown
	case !isServiceName([]byte(p.Service)):
		return false
	}
	port, known := conn.ServicePort(proto, p.Service)
	return known == p.PortKnown && port == p.Port
}

// isEndpoint reports a text that Scanner.endpoint reads.
func isEndpoint(text []byte) bool {
	host, service, ok := splitEndpoint(text)
	if !ok {
		return false
	}
	address, number := false, false
	if host.bracketed {
		_, address = ipv6(host.text)
	} else {
		_, address = plainIPv4(host.text)
	}
	_, number = plainPort(service)
	return (address || isHostName(host.text)) && (service == nil || number || isServiceName(service))
}
