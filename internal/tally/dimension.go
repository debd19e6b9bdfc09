package tally

import (
	"cmp"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"ipvsstate/internal/conn"
)

// Aspect is what of an entry a dimension looks at.
type Aspect uint8

// The aspects.
const (
	State Aspect = iota
	Protocol
	// OfService is the virtual service: protocol, address and port, or firewall mark.
	OfService
	Server
	// Client is the client's address, or the network it is in.
	Client
	// Port is the virtual service's port.
	Port
	Forwarding
	Origin
	// Idle is the range that the time without a packet is in.
	Idle

	numAspects
)

var aspectNames = [numAspects]string{"state", "protocol", "service", "server", "client", "port", "forwarding", "origin", "idle"}

// AspectNames are the aspects as they are asked for.
func AspectNames() []string { return aspectNames[:] }

func (a Aspect) String() string { return aspectNames[a] }

// Dimension is an aspect by which entries are grouped.
type Dimension struct {
	Aspect Aspect
	// Bits4 and Bits6 are the length of the networks that clients are put in.
	Bits4, Bits6 uint8
}

// The networks of the other family, where one is given.
const (
	usualBits4 = 24
	usualBits6 = 64
)

// DimensionOf reads a dimension: an aspect's name, and of clients the length of their
// network, client/24, client/64, or of both families, client/24/56. A length over 32
// is of IPv6; the other family's is 24 or 64 then.
func DimensionOf(text string) (Dimension, error) {
	name, length, network := strings.Cut(text, "/")
	d := Dimension{Bits4: 32, Bits6: 128}
	for a, n := range aspectNames {
		if n == name {
			d.Aspect = Aspect(a)
			if !network {
				return d, nil
			}
			if d.Aspect == Client {
				return d, d.setNetwork(length)
			}
		}
	}
	return d, fmt.Errorf("%q is not one of %s, client/24", text, strings.Join(aspectNames[:], ", "))
}

func (d *Dimension) setNetwork(text string) error {
	first, second, both := strings.Cut(text, "/")
	n, err := strconv.ParseUint(first, 10, 8)
	if err != nil || n > 128 {
		return fmt.Errorf("client/%s: a network's length is 0 to 32, or to 128 for IPv6", text)
	}
	d.Bits4, d.Bits6 = uint8(n), usualBits6
	if n > 32 {
		d.Bits4, d.Bits6 = usualBits4, uint8(n)
	}
	if !both {
		return nil
	}
	m, err := strconv.ParseUint(second, 10, 8)
	if err != nil || n > 32 || m > 128 {
		return fmt.Errorf("client/%s: both lengths are IPv4's, 0 to 32, and IPv6's, 0 to 128", text)
	}
	d.Bits6 = uint8(m)
	return nil
}

// String is the dimension as it is asked for, a client's network with the lengths of
// both families.
func (d Dimension) String() string {
	switch {
	case d.Aspect != Client || d.Bits4 == 32 && d.Bits6 == 128:
		return d.Aspect.String()
	}
	return fmt.Sprintf("client/%d/%d", d.Bits4, d.Bits6)
}

// IdleRange is a range of idle times.
type IdleRange uint8

// idleFrom is where the ranges begin; the first is of unknown times.
var idleFrom = [...]conn.Seconds{0: conn.Unknown, 1: 0, 2: 10, 3: 60, 4: 300, 5: 600, 6: 3600}

// IdleRangeOf is the range of an idle time.
func IdleRangeOf(s conn.Seconds) IdleRange {
	r := len(idleFrom) - 1
	for s < idleFrom[r] {
		r--
	}
	return IdleRange(r)
}

// Bounds are the first time of the range and the first behind it, Unknown where there
// is none; both are Unknown for unknown times.
func (r IdleRange) Bounds() (from, to conn.Seconds) {
	if r == 0 || int(r) == len(idleFrom)-1 {
		return idleFrom[r], conn.Unknown
	}
	return idleFrom[r], idleFrom[r+1]
}

// Value is what the entries of a group have in common in a dimension. Only the fields
// of the dimension's aspect are set; all zero is what the source does not tell.
type Value struct {
	State      conn.State
	Protocol   conn.Protocol // also of a service
	Endpoint   conn.Endpoint // a service's, a server's; of a client the address or host, of a port the port
	Bits       uint8         // of a client's network
	Fwmark     uint32        // of a service, when Marked
	Marked     bool
	IPv6       bool // of a marked service
	Forwarding conn.Forwarding
	Origin     conn.Origin
	Idle       IdleRange
}

// Network is a client's network; ok is false for a host name.
func (v *Value) Network() (p netip.Prefix, ok bool) {
	if !v.Endpoint.Addr.IsValid() {
		return p, false
	}
	return netip.PrefixFrom(v.Endpoint.Addr, int(v.Bits)), true
}

// CompareValues orders the values of a dimension: as a connection lives, by address,
// by length of time.
func CompareValues(a, b *Value) int {
	return cmp.Or(
		compareProtocols(a.Protocol, b.Protocol),
		cmp.Compare(known(a.State.Index()), known(b.State.Index())), strings.Compare(a.State.String(), b.State.String()),
		compareBools(a.Marked, b.Marked), cmp.Compare(a.Fwmark, b.Fwmark), compareBools(a.IPv6, b.IPv6),
		conn.CompareEndpoints(&a.Endpoint, &b.Endpoint), cmp.Compare(a.Bits, b.Bits),
		cmp.Compare(a.Forwarding, b.Forwarding), cmp.Compare(a.Origin, b.Origin), cmp.Compare(a.Idle, b.Idle))
}

// code is a value in three words, so that groups are found without a map: all
// values but names have one.
type code [3]uint64

// Marks in a code's last word, above an endpoint's port, family and protocol.
const (
	codeKnown   = 1 << 16 // the port is known
	codeIPv4    = 1 << 17
	codeValid   = 1 << 18 // there is an address
	codeMarked  = 1 << 19
	codeIPv6    = 1 << 20 // of a mark
	codeNamed   = 1 << 21 // the first word is an index of names
	codeSet     = 1 << 22 // so that no value but the untold one is all zero
	codeProto   = 24      // eight bits
	codeBits    = 32
	codeStateAt = 40
)

// codeEndpoint packs an endpoint without names.
func codeEndpoint(e *conn.Endpoint) (c code, ok bool) {
	if e.Host != "" || e.Service != "" && !e.PortKnown {
		return c, false
	}
	c[2] = codeSet | uint64(e.Port)
	if e.PortKnown {
		c[2] |= codeKnown
	}
	if e.Addr.IsValid() {
		c.setAddr(e.Addr)
	}
	return c, true
}

func (c *code) setAddr(a netip.Addr) {
	c[2] |= codeValid
	if a.Is4() {
		q := a.As4()
		c[0] = uint64(q[0])<<24 | uint64(q[1])<<16 | uint64(q[2])<<8 | uint64(q[3])
		c[2] |= codeIPv4
		return
	}
	b := a.As16()
	for i := range 8 {
		c[0] = c[0]<<8 | uint64(b[i])
		c[1] = c[1]<<8 | uint64(b[8+i])
	}
}

// mask keeps the bits of a network.
func (c *code) mask(d Dimension) {
	if c[2]&codeIPv4 != 0 {
		c[0] &= ^uint64(0) << (32 - d.Bits4)
		c[2] |= uint64(d.Bits4) << codeBits
		return
	}
	if d.Bits6 <= 64 {
		c[0] &= ^uint64(0) << (64 - d.Bits6)
		c[1] = 0
	} else {
		c[1] &= ^uint64(0) << (128 - d.Bits6)
	}
	c[2] |= uint64(d.Bits6) << codeBits
}

// addr is the address in a code.
func (c *code) addr() netip.Addr {
	if c[2]&codeValid == 0 {
		return netip.Addr{}
	}
	if a := c[0]; c[2]&codeIPv4 != 0 {
		return netip.AddrFrom4([4]byte{byte(a >> 24), byte(a >> 16), byte(a >> 8), byte(a)})
	}
	var b [16]byte
	for i := range 8 {
		b[i], b[8+i] = byte(c[0]>>(56-8*i)), byte(c[1]>>(56-8*i))
	}
	return netip.AddrFrom16(b)
}

// protocols and states by index.
var (
	protocolAt = func() (t [conn.NumProtocols]conn.Protocol) {
		for _, p := range conn.Protocols() {
			t[p.Index()] = p
		}
		return t
	}()
	stateAt = func() (t [conn.NumStates]conn.State) {
		for _, s := range conn.States() {
			t[s.Index()] = s
		}
		return t
	}()
)

// value unpacks a code, if it holds no name.
func (c *code) value() Value {
	if *c == (code{}) {
		return Value{}
	}
	meta := c[2]
	v := Value{
		Protocol: protocolAt[meta>>codeProto&0xff], State: stateAt[meta>>codeStateAt&0xff], Bits: uint8(meta >> codeBits),
		Origin: conn.Origin(meta >> codeStateAt >> 8 & 3), Idle: IdleRange(meta >> codeStateAt >> 10 & 7), Forwarding: conn.Forwarding(meta >> codeStateAt >> 13 & 0xff),
	}
	if meta&codeMarked != 0 {
		v.Marked, v.Fwmark, v.IPv6 = true, uint32(c[0]), meta&codeIPv6 != 0
		return v
	}
	v.Endpoint.Addr = c.addr()
	v.Endpoint.Port, v.Endpoint.PortKnown = uint16(meta), meta&codeKnown != 0
	return v
}
