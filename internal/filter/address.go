package filter

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"

	"ipvsstate/internal/conn"
)

// endpoint is a value of an endpoint: 10.0.0.0/8, [2001:db8::1]:443, web1:http, :80.
type endpoint struct {
	network network
	alone   bool    // nothing but the network is asked for
	host    pattern // empty if none is asked for
	port    bool    // one is asked for
	ports   ports
	isMark  bool // of a virtual service
	mark    uint32
}

// endpointOf reads a value; marks says that it may be a firewall mark.
func endpointOf(text string, marks bool) (v endpoint, ok bool) {
	if mark, is := strings.CutPrefix(text, "fwmark:"); is && marks {
		n, err := strconv.ParseUint(mark, 10, 32)
		return endpoint{network: anywhere, isMark: true, mark: uint32(n)}, err == nil
	}
	v.network = anywhere
	host, port, hasPort := cutPort(text)
	if hasPort {
		if v.ports, ok = portsOf(port); !ok {
			return v, false
		}
		v.port = true
	}
	if host == "" {
		return v, hasPort
	}
	if head, isBracketed := strings.CutPrefix(host, "["); isBracketed {
		inside, length, closed := strings.Cut(head, "]")
		if !closed || length != "" && length[0] != '/' {
			return v, false
		}
		host = inside + length
	}
	return v, v.setHost(host)
}

// cutPort takes the port off: what stands behind a colon, which an address without
// brackets has more than one of.
func cutPort(text string) (host, port string, found bool) {
	ahead := strings.LastIndexAny(text, "]/") + 1
	if ahead == 0 && strings.Count(text, ":") > 1 {
		return text, "", false
	}
	rest, port, found := strings.Cut(text[ahead:], ":")
	return text[:ahead] + rest, port, found
}

// setHost reads an address, a network or a host.
func (v *endpoint) setHost(text string) (ok bool) {
	if p, ok := prefixOf(text); ok {
		v.network, v.alone = networkOf(p), !v.port
		return true
	}
	if strings.Trim(text, digits+".*?") == "" && strings.ContainsAny(text, digits) {
		return false // a broken address; networks are not asked for by 10.*
	}
	v.host, ok = patternOf(text, "-_.")
	return ok
}

// prefixOf reads an address or a network.
func prefixOf(text string) (p netip.Prefix, ok bool) {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		a, err := netip.ParseAddr(text)
		if err != nil || a.Zone() != "" {
			return p, false
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), true
}

// address is an address as numbers, an IPv4 one in IPv6's form.
type address struct {
	high, low uint64
	family    family
}

// family is an address's, or of a network those that it is asked of.
type family uint8

const (
	noAddress family = 1 << iota
	isIPv4
	isIPv6
)

func addressOf(a netip.Addr) address {
	if a.Is4() {
		return address4(a)
	}
	if !a.IsValid() {
		return address{family: noAddress}
	}
	b := a.As16()
	return address{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:]), isIPv6}
}

func address4(a netip.Addr) address {
	b := a.As4()
	return address{0, 0xffff<<32 | uint64(binary.BigEndian.Uint32(b[:])), isIPv4}
}

// network is a network that an address may be in; an address alone is one too.
type network struct{ base, mask address }

// anywhere is where every address is, and an endpoint without one.
var anywhere = network{mask: address{family: noAddress | isIPv4 | isIPv6}}

// networkOf is the network of a prefix. IPv4's has IPv6 addresses that stand for IPv4
// ones, IPv6's has no IPv4 ones.
func networkOf(p netip.Prefix) network {
	n, bits := network{base: addressOf(p.Addr())}, p.Bits()
	n.mask.family = isIPv6
	if p.Addr().Is4() {
		n.mask.family = isIPv4 | isIPv6
		bits += 96
	}
	n.mask.high = ^uint64(0) << (64 - min(bits, 64))
	n.mask.low = ^uint64(0) << (128 - max(bits, 64))
	return n
}

func (n *network) has(a *address) bool {
	return a.high&n.mask.high == n.base.high && a.low&n.mask.low == n.base.low && a.family&n.mask.family != 0
}

// rest reports whether an endpoint has what is asked for beside the network.
func (v *endpoint) rest(e *conn.Entry, p *conn.Endpoint) bool {
	switch {
	case v.isMark:
		mark, ok := e.Fwmark()
		return ok && mark == v.mark && e.Kind() == conn.FwmarkTemplate
	case v.host != "" && !v.host.matches(p.Host):
		return false
	}
	return !v.port || v.ports.match(e.Protocol, p)
}

func (v *endpoint) told(e *conn.Entry, p *conn.Endpoint) bool {
	switch {
	case v.isMark: // a listing with names may have one for a mark
		return e.Protocol != conn.IP || p.Addr.IsValid()
	case v.network != anywhere && !p.Addr.IsValid(), v.host != "" && p.Host == "":
		return false
	}
	return !v.port || p.PortKnown
}

// ports are the first and the last port of a value by protocol, which a service's name
// depends on.
type ports [conn.NumProtocols]struct{ first, last uint16 }

// portsOf reads 80, 8000-8100 or http.
func portsOf(text string) (v ports, ok bool) {
	if text != "" && strings.Trim(text, digits+"-") == "" {
		first, last, isRange := strings.Cut(text, "-")
		if !isRange {
			last = first
		}
		a, err := strconv.ParseUint(first, 10, 16)
		b, err2 := strconv.ParseUint(last, 10, 16)
		for i := range v {
			v[i].first, v[i].last = uint16(a), uint16(b)
		}
		return v, err == nil && err2 == nil && a <= b
	}
	for _, p := range append(conn.Protocols(), conn.Protocol{}) {
		port, known := conn.ServicePort(p, text)
		v[p.Index()].first, v[p.Index()].last = port, port
		if !known {
			v[p.Index()].first = 1 // to 0: none
		}
		ok = ok || known
	}
	return v, ok
}

func (v *ports) match(p conn.Protocol, e *conn.Endpoint) bool {
	r := &v[p.Index()]
	return e.PortKnown && e.Port >= r.first && e.Port <= r.last
}

// endpoints is the condition on one of an entry's endpoints.
type endpoints struct {
	list[endpoint]
	side   side
	filter *Filter // counts the names
}

type side uint8

const (
	client side = iota
	virtual
	server
)

func newEndpoints(field Field, terms []Term, f *Filter) (condition, error) {
	c := &endpoints{filter: f}
	want := "an address, a network, ADDR:PORT, :PORT or a host, such as 10.0.0.0/8, [2001:db8::1]:443 or web1:http"
	switch field {
	case Virtual:
		c.side = virtual
		want += ", or a mark such as fwmark:10"
	case Server:
		c.side = server
	}
	var err error
	c.list, err = listOf(terms, want, func(text string) (endpoint, bool) { return endpointOf(text, field == Virtual) })
	return c, err
}

func (c *endpoints) of(e *conn.Entry) *conn.Endpoint {
	switch c.side {
	case virtual:
		return &e.Virtual
	case server:
		return &e.Server
	}
	return &e.Client
}

func (c *endpoints) holds(e *conn.Entry) bool {
	p := c.of(e)
	var a address
	if p.Addr.Is4() { // without a call, since nearly all are
		a = address4(p.Addr)
	} else {
		a = addressOf(p.Addr)
		if a.family == noAddress && !c.tells(e) {
			c.filter.named.Add(1)
		}
	}
	return c.list.holds(func(v *endpoint) bool { return v.network.has(&a) && (v.alone || v.rest(e, p)) })
}

func (c *endpoints) tells(e *conn.Entry) bool {
	p := c.of(e)
	return c.any(func(v *endpoint) bool { return v.told(e, p) })
}

// virtualPorts is the condition on the port of the virtual service.
type virtualPorts struct{ list[ports] }

func newVirtualPorts(terms []Term) (condition, error) {
	l, err := listOf(terms, "a port, a range such as 8000-8100, or a service's name such as http", portsOf)
	return &virtualPorts{l}, err
}

func (c *virtualPorts) holds(e *conn.Entry) bool {
	told := c.tells(e)
	return c.list.holds(func(v *ports) bool { return told && v.match(e.Protocol, &e.Virtual) })
}

// tells leaves out templates whose port is overwritten, and those of marks, which have
// none.
func (c *virtualPorts) tells(e *conn.Entry) bool {
	k := e.Kind()
	return e.Virtual.PortKnown && k != conn.StaleTemplate && k != conn.FwmarkTemplate
}
