package parse

import (
	"bytes"
	"net/netip"

	"ipvsstate/internal/conn"
)

// cutEndpoint is the length at which ipvsadm cuts an address and port: it prints
// them into a buffer of 60 bytes (print_conn, 1.24 to 1.31). A field that long may
// have lost its port or a piece of it.
const cutEndpoint = 59

// endpoint reads address:port, and in a listing without -n host:service.
func (s *Scanner) endpoint(b []byte, i int, e *conn.Endpoint, f Field) int {
	if a, next := ipv4(b, i); next > 0 {
		if p, end := port(b, next); end > 0 {
			e.Addr, e.Port, e.PortKnown = addr4(a), p, true
			return end
		}
	}
	end := fieldEnd(b, i)
	host, service, ok := splitEndpoint(b[i:end])
	if ok {
		ok = s.host(host, e) && s.service(service, end-i == cutEndpoint, e)
	}
	if !ok {
		s.fail(b, i, f)
		return -1
	}
	return end
}

// hostText is the address part of an endpoint.
type hostText struct {
	text      []byte
	bracketed bool
}

// splitEndpoint takes an endpoint's text apart. Only a text of cutEndpoint bytes
// may lack its port; service is then nil.
func splitEndpoint(text []byte) (host hostText, service []byte, ok bool) {
	if len(text) == 0 {
		return host, nil, false
	}
	if text[0] == '[' {
		host.bracketed = true
		text = text[1:]
		if end := bytes.IndexByte(text, ']'); end >= 0 {
			rest := text[end+1:]
			host.text = text[:end]
			if len(rest) > 1 && rest[0] == ':' {
				return host, rest[1:], true
			}
			return host, nil, len(text)+1 == cutEndpoint && len(rest) <= 1
		}
		host.text = text
		return host, nil, len(text)+1 == cutEndpoint
	}
	if colon := bytes.LastIndexByte(text, ':'); colon >= 0 {
		host.text = text[:colon]
		if colon+1 < len(text) {
			return host, text[colon+1:], true
		}
		return host, nil, len(text) == cutEndpoint
	}
	host.text = text
	return host, nil, len(text) == cutEndpoint
}

// host reads the address part: an address, or a name.
func (s *Scanner) host(h hostText, e *conn.Endpoint) bool {
	if h.bracketed {
		if a, ok := ipv6(h.text); ok {
			e.Addr = a
			return true
		}
	} else if a, ok := plainIPv4(h.text); ok {
		e.Addr = a
		return true
	}
	if !isHostName(h.text) {
		return false
	}
	e.Host = s.names.keep(h.text)
	e.Addr = netip.Addr{}
	s.dirt = true
	return true
}

// service reads the port part. In a text that was cut even a number may have lost
// digits, so its port stays unknown.
func (s *Scanner) service(text []byte, cut bool, e *conn.Endpoint) bool {
	s.dirt = true
	e.Port, e.PortKnown = 0, false
	if text == nil {
		return true
	}
	if n, ok := plainPort(text); ok {
		if cut {
			e.Service = s.names.keep(text)
		} else {
			e.Port, e.PortKnown = n, true
		}
		return true
	}
	if !isServiceName(text) {
		return false
	}
	e.Service = s.names.keep(text)
	if !cut {
		e.Port, e.PortKnown = conn.ServicePort(s.line.Entry.Protocol, e.Service)
	}
	return true
}

// plainIPv4 is an IPv4 address that fills the text.
func plainIPv4(text []byte) (a netip.Addr, ok bool) {
	if len(text) < 7 || len(text) > 15 {
		return a, false
	}
	var buf [4 + 16 + 16]byte
	buf[4+copy(buf[4:], text)] = ':'
	v, next := ipv4(buf[:], 4)
	if next != 4+len(text)+1 {
		return a, false
	}
	return addr4(v), true
}

// plainPort is a port number that fills the text.
func plainPort(text []byte) (uint16, bool) {
	if len(text) > 5 {
		return 0, false
	}
	var buf [16]byte
	copy(buf[:], text)
	v, next := decimal(buf[:], 0)
	return uint16(v), next == len(text) && v <= 65535
}

// isHostName accepts what a resolver may have printed. A text of digits and dots
// alone is a broken address, not a name.
func isHostName(text []byte) bool {
	numeric := true
	for _, c := range text {
		switch {
		case c-'0' < 10 || c == '.':
		case c-'a' < 26 || c-'A' < 26 || c == '-' || c == '_':
			numeric = false
		default:
			return false
		}
	}
	return len(text) > 0 && !numeric
}

// isServiceName accepts the names of /etc/services: at least one letter.
func isServiceName(text []byte) bool {
	letter := false
	for _, c := range text {
		switch {
		case c-'a' < 26 || c-'A' < 26:
			letter = true
		case c-'0' < 10 || c == '-' || c == '_' || c == '.' || c == '+' || c == '/':
		default:
			return false
		}
	}
	return letter
}

// ipv6 is an IPv6 address that fills the text, as inet_ntop writes it: groups
// without leading zeros, one run of zeros as "::", the last 32 bits perhaps as a
// dotted quad. A zone is no part of a connection.
func ipv6(text []byte) (a netip.Addr, ok bool) {
	var v [16]byte
	n, gap := 0, -1 // bytes filled; where "::" stood
	i := 0
	if bytes.HasPrefix(text, []byte("::")) {
		gap, i = 0, 2
	}
	for i < len(text) {
		if n >= 16 {
			return a, false
		}
		start, group := i, uint32(0)
		for i < len(text) && hexValue[text[i]] < 16 && i-start < 5 {
			group = group<<4 | uint32(hexValue[text[i]])
			i++
		}
		if i == start || group > 0xffff || i-start > 4 {
			return a, false
		}
		if i < len(text) && text[i] == '.' {
			quad, ok := plainIPv4(text[start:])
			if !ok || n > 12 {
				return a, false
			}
			q := quad.As4()
			n += copy(v[n:], q[:])
			break
		}
		v[n], v[n+1] = byte(group>>8), byte(group)
		n += 2
		if i == len(text) {
			break
		}
		if text[i] != ':' {
			return a, false
		}
		i++
		if i == len(text) {
			return a, false
		}
		if text[i] == ':' {
			if gap >= 0 {
				return a, false
			}
			gap = n
			i++
		}
	}
	switch {
	case gap < 0 && n != 16, gap >= 0 && n > 14:
		return a, false
	case gap >= 0:
		tail := v[gap:n]
		copy(v[16-len(tail):], tail)
		clear(v[gap : 16-len(tail)])
	}
	return netip.AddrFrom16(v), true
}

// interner keeps the texts of names, so that a listing with a few hosts in
// millions of rows allocates each once. It forgets all when it is full.
type interner map[string]string

const maxInterned = 1 << 14

func (n *interner) keep(text []byte) string {
	if s, ok := (*n)[string(text)]; ok {
		return s
	}
	if *n == nil || len(*n) >= maxInterned {
		*n = make(interner)
	}
	s := string(text)
	(*n)[s] = s
	return s
}
