package filter

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"

	"ipvsstate/internal/conn"
)

// endpointValue is what is asked of an endpoint: an address or a host, a port, or both.
type endpointValue struct {
	// prefix is the network, a single address being one too; not valid if none is asked.
	prefix netip.Prefix
	// addr4 and mask4 are the same for IPv4.
	addr4, mask4 uint32
	host         func(string) bool // nil if none is asked
	port         *portValue        // nil if none is asked
}

// endpointMatcher reads ADDR, NETWORK or HOST, with :PORT behind it or :PORT alone.
func endpointMatcher(text string, of func(*conn.Entry) *conn.Endpoint) (matcher, bool) {
	v, ok := readEndpoint(text)
	return func(e *conn.Entry) answer { return v.matches(of(e), e.Protocol) }, ok
}

func readEndpoint(text string) (v endpointValue, ok bool) {
	host, port, hasPort := splitPort(text)
	if hasPort {
		p, ok := readPort(port)
		if !ok {
			return v, false
		}
		v.port = &p
	}
	if host == "" {
		return v, hasPort
	}
	if v.prefix, ok = readPrefix(host); ok {
		if v.prefix.Addr().Is4() {
			a := v.prefix.Addr().As4()
			v.addr4 = binary.BigEndian.Uint32(a[:])
			v.mask4 = uint32(^uint64(0) << (32 - v.prefix.Bits()))
		}
		return v, true
	}
	if strings.Trim(host, "0123456789./:") == "" { // a broken address is no host
		return v, false
	}
	v.host, ok = pattern(host, "-_.")
	return v, ok
}

// splitPort takes the port off an endpoint. An address with more than one colon and no
// brackets is an IPv6 address without a port.
func splitPort(text string) (host, port string, has bool) {
	if rest, bracketed := strings.CutPrefix(text, "["); bracketed {
		host, rest, closed := strings.Cut(rest, "]")
		if !closed {
			return text, "", false
		}
		length, port, has := strings.Cut(rest, ":")
		return host + length, port, has
	}
	if strings.Count(text, ":") > 1 {
		return text, "", false
	}
	return strings.Cut(text, ":")
}

// readPrefix reads an address or a network, whose other bits may be set.
func readPrefix(text string) (netip.Prefix, bool) {
	addr, length, network := strings.Cut(text, "/")
	a, err := netip.ParseAddr(addr)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, false
	}
	bits := a.BitLen()
	if network {
		if bits, err = strconv.Atoi(length); err != nil || bits < 0 || bits > a.BitLen() || strings.Trim(length, "0123456789") != "" {
			return netip.Prefix{}, false
		}
	}
	if a.Is4In6() {
		if a, bits = a.Unmap(), bits-96; bits < 0 {
			return netip.Prefix{}, false
		}
	}
	return netip.PrefixFrom(a, bits).Masked(), true
}

func (v *endpointValue) matches(e *conn.Endpoint, p conn.Protocol) answer {
	a := yes
	switch {
	case v.prefix.IsValid():
		a = v.hasAddr(e.Addr)
	case v.host != nil:
		if e.Host == "" {
			return untold
		}
		a = answerOf(v.host(e.Host))
	}
	if a != yes || v.port == nil {
		return a
	}
	return v.port.matches(e, p)
}

func (v *endpointValue) hasAddr(a netip.Addr) answer {
	if !a.IsValid() {
		return untold
	}
	if v.prefix.Addr().Is4() {
		if !a.Is4() {
			return no
		}
		b := a.As4()
		return answerOf(binary.BigEndian.Uint32(b[:])&v.mask4 == v.addr4)
	}
	return answerOf(v.prefix.Contains(a))
}

// portValue is a port, a range of ports, or a service's name.
type portValue struct {
	first, last uint16
	service     string
	// ports are the service's, by protocol; 0 for none.
	ports [conn.NumProtocols]uint16
}

func portMatcher(text string) (matcher, bool) {
	p, ok := readPort(text)
	return func(e *conn.Entry) answer { return p.matches(&e.Virtual, e.Protocol) }, ok
}

func readPort(text string) (p portValue, ok bool) {
	first, last, isRange := strings.Cut(text, "-")
	if strings.Trim(first, "0123456789") == "" && first != "" {
		a, err := strconv.ParseUint(first, 10, 16)
		b := a
		if err == nil && isRange {
			b, err = strconv.ParseUint(last, 10, 16)
		}
		p.first, p.last = uint16(a), uint16(b)
		return p, err == nil && a <= b
	}
	p.service = text
	for _, proto := range conn.Protocols() {
		p.ports[proto.Index()], _ = conn.ServicePort(proto, text)
	}
	p.ports[0] = p.ports[conn.TCP.Index()]
	for _, c := range text {
		if !isWordRune(c) && !strings.ContainsRune("-_.+/", c) {
			return p, false
		}
	}
	return p, text != ""
}

func (v *portValue) matches(e *conn.Endpoint, p conn.Protocol) answer {
	if v.service != "" {
		switch port := v.ports[p.Index()]; {
		case e.Service == v.service, port != 0 && e.PortKnown && e.Port == port:
			return yes
		case e.PortKnown || e.Service != "":
			return no
		}
		return untold
	}
	if !e.PortKnown {
		return untold
	}
	return answerOf(e.Port >= v.first && e.Port <= v.last)
}
