package tally

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"slices"

	"ipvsstate/internal/conn"
)

// serviceKey is what makes a virtual service one: address and port, however a
// listing names the port, or a firewall mark. The zero key is no service.
type serviceKey struct {
	virtual conn.Endpoint
	mark    uint32
	marked  bool
}

var seed = maphash.MakeSeed()

// groupOf is the number of the group an entry belongs to.
func (t *Tally) groupOf(e *conn.Entry, kind conn.Kind) int {
	key := shortKey(e, kind)
	if key != 0 {
		if n, ok := t.short.get(key); ok {
			return n
		}
	}
	g := group{protocol: e.Protocol}
	switch kind {
	case conn.StaleTemplate: // its virtual port is overwritten, so its service is not known
	case conn.FwmarkTemplate:
		if mark, ok := e.Fwmark(); ok {
			g.service = serviceKey{mark: mark, marked: true}
		}
	default:
		g.service.virtual = e.Virtual.Identity()
	}
	g.hash = g.hashed()
	n := t.find(&g)
	if key != 0 && t.short.n < MaxServices {
		t.short.put(key, n)
	}
	return n
}

// shortKey is the whole key of an IPv4 service in one word, 0 for any other: these
// are nearly all, and found by one comparison.
func shortKey(e *conn.Entry, kind conn.Kind) uint64 {
	v := &e.Virtual
	p := e.Protocol.Index()
	if kind != conn.Connection || !v.PortKnown || p == 0 || !v.Addr.Is4() {
		return 0
	}
	a := v.Addr.As4()
	return uint64(binary.BigEndian.Uint32(a[:]))<<32 | uint64(v.Port)<<16 | uint64(p)
}

// shortTable finds a group by its shortKey: open addressing, at most half full.
type shortTable struct {
	slots []struct {
		key   uint64
		group int
	}
	n int
}

func (s *shortTable) slot(key uint64) int {
	mask := len(s.slots) - 1
	hi, lo := bits.Mul64(key, 0x9e3779b97f4a7c15)
	i := int(hi^lo) & mask
	for s.slots[i].key != key && s.slots[i].key != 0 {
		i = (i + 1) & mask
	}
	return i
}

func (s *shortTable) get(key uint64) (group int, ok bool) {
	if len(s.slots) == 0 {
		return 0, false
	}
	i := s.slot(key)
	return s.slots[i].group, s.slots[i].key == key
}

func (s *shortTable) put(key uint64, group int) {
	if 2*s.n >= len(s.slots) {
		old := s.slots
		s.slots = make([]struct {
			key   uint64
			group int
		}, max(64, 2*len(old)))
		for _, o := range old {
			if o.key != 0 {
				s.slots[s.slot(o.key)] = o
			}
		}
	}
	i := s.slot(key)
	s.slots[i].key, s.slots[i].group = key, group
	s.n++
}

func (s *shortTable) reset() {
	clear(s.slots)
	s.n = 0
}

// hashVirtual mixes all bits of an address and port into all of the hash.
func hashVirtual(p conn.Protocol, v *conn.Endpoint) uint64 {
	a := v.Addr.As16()
	hi, lo := bits.Mul64(
		binary.LittleEndian.Uint64(a[:8])^uint64(v.Port)<<16^uint64(p.Index())^0x9e3779b97f4a7c15,
		binary.LittleEndian.Uint64(a[8:])^0xd6e8feb86659fd93)
	h := hi ^ lo
	if v.Host != "" {
		h ^= maphash.String(seed, v.Host)
	}
	return h
}

func (g *group) hashed() uint64 {
	v := &g.service.virtual
	h := uint64(g.service.mark)*0x9e3779b97f4a7c15 + 1
	if !g.service.marked && *v != (conn.Endpoint{}) {
		h = hashVirtual(g.protocol, v)
	}
	if v.Service != "" {
		h ^= maphash.String(seed, v.Service)
	}
	if g.protocol.Index() == 0 {
		h ^= maphash.String(seed, g.protocol.String())
	}
	return h
}

// find is the number of a group, which is added if it is new. Beyond MaxServices
// the protocol's group with no service stands in, and where even protocols are
// without number, that of no protocol.
func (t *Tally) find(g *group) int {
	if 2*len(t.groups) >= len(t.index) {
		t.grow()
	}
	mask := uint64(len(t.index) - 1)
	i := g.hash & mask
	for ; t.index[i] != 0; i = (i + 1) & mask {
		n := t.index[i] - 1
		if had := &t.groups[n]; had.hash == g.hash && had.protocol == g.protocol && had.service == g.service {
			return int(n)
		}
	}
	if len(t.groups) >= MaxServices {
		switch none := (group{protocol: g.protocol}); {
		case g.service != serviceKey{}:
			none.hash = none.hashed()
			return t.find(&none)
		case g.protocol.Index() == 0 && g.protocol != conn.Protocol{}:
			none.protocol = conn.Protocol{}
			none.hash = none.hashed()
			return t.find(&none)
		}
	}
	t.groups = append(t.groups, *g)
	t.index[i] = uint32(len(t.groups))
	had := len(t.counts)
	t.counts = slices.Grow(t.counts, t.stride)[:had+t.stride]
	clear(t.counts[had:])
	return len(t.groups) - 1
}

func (t *Tally) grow() {
	t.index = make([]uint32, max(64, 2*len(t.index)))
	mask := uint64(len(t.index) - 1)
	for n := range t.groups {
		i := t.groups[n].hash & mask
		for t.index[i] != 0 {
			i = (i + 1) & mask
		}
		t.index[i] = uint32(n + 1)
	}
}
