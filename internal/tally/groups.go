package tally

import (
	"math/bits"
	"slices"
	"sort"

	"ipvsstate/internal/conn"
)

// MaxGroups is how many groups are counted exactly. Of more, those with the fewest
// entries are given up, and what is left is approximate: see Groups.Undercount.
const MaxGroups = 1 << 22

// Plan says how entries are grouped. It is shared by the Groups of one reading.
type Plan struct {
	By []Dimension
	// Timing tells idle times; needed for that aspect only.
	Timing *conn.Timing
	// Forwarding tells the forwarding method of an entry; needed for that aspect only.
	Forwarding func(*conn.Entry) conn.Forwarding
}

// Groups counts entries by what they have in common. It is not safe for concurrent
// use.
type Groups struct {
	plan   *Plan
	stride int
	max    int
	n      int
	// records hold the groups, stride words each: a code for each dimension, then the
	// counts. They are kept in chunks, so that growing moves nothing.
	records [][]uint64
	index   []uint64 // open addressing: half a hash, and the group's number plus one

	names  []Value // values that have no code
	nameOf map[Value]int

	undercount uint64
	rest       Group // what was given up

	fetched uint64 // keeps fetch from being optimized away
}

// The words of a record behind its codes.
const (
	wordConnections = iota
	wordTemplates
	wordConnectionLeft // the longest time left plus one
	wordTemplateLeft
	numWords
)

const chunkGroups = 1 << 12

// Group is a set of entries that have their values in common.
type Group struct {
	// Values are in the order of the plan's dimensions. They belong to the Groups and
	// are valid until the next group is looked at.
	Values                 []Value
	Connections, Templates uint64
	// LongestConnection and LongestTemplate are the longest time that one of them has
	// left, Unknown if none tells it.
	LongestConnection, LongestTemplate conn.Seconds
}

// Longest is the longest time that an entry of the group has left.
func (g *Group) Longest() conn.Seconds { return max(g.LongestConnection, g.LongestTemplate) }

// NewGroups makes an empty count.
func NewGroups(p *Plan) *Groups {
	return &Groups{plan: p, stride: 3*len(p.By) + numWords, max: MaxGroups}
}

// Reset empties the count and keeps its memory.
func (g *Groups) Reset() {
	clear(g.index)
	g.n = 0
	g.names = g.names[:0]
	clear(g.nameOf)
	g.undercount, g.rest = 0, Group{}
}

// Add counts an entry. It does not keep it.
func (g *Groups) Add(e *conn.Entry, kind conn.Kind) {
	var buf [3 * int(numAspects)]uint64
	key := buf[:0]
	for i := range g.plan.By {
		c := g.code(&g.plan.By[i], e, kind)
		key = append(key, c[0], c[1], c[2])
	}
	r := g.find(key)
	count, left := len(key)+wordConnections, len(key)+wordConnectionLeft
	if kind != conn.Connection {
		count, left = len(key)+wordTemplates, len(key)+wordTemplateLeft
	}
	r[count]++
	r[left] = max(r[left], uint64(e.Expires+1))
}

// Merge adds all that o has counted.
func (g *Groups) Merge(o *Groups) {
	words := o.stride - numWords
	var buf [3 * int(numAspects)]uint64
	for i := range o.n {
		if i%ahead == 0 {
			g.fetch(o, i, min(i+ahead, o.n))
		}
		from := o.record(i)
		key := from[:words]
		if len(o.names) > 0 {
			key = append(buf[:0], key...)
			for d := 0; d < words; d += 3 {
				if key[d+2]&codeNamed != 0 {
					key[d] = g.name(o.names[key[d]])
				}
			}
		}
		to := g.find(key)
		to[words+wordConnections] += from[words+wordConnections]
		to[words+wordTemplates] += from[words+wordTemplates]
		for _, left := range [...]int{words + wordConnectionLeft, words + wordTemplateLeft} {
			to[left] = max(to[left], from[left])
		}
	}
	g.undercount += o.undercount
	g.rest.Connections += o.rest.Connections
	g.rest.Templates += o.rest.Templates
	if g.n > g.max {
		g.prune()
	}
}

// ahead is how many groups are looked for in memory before they are merged.
const ahead = 64

// fetch brings what the merging of o's groups will look at into the processor's cache:
// with millions of groups each is a wait for memory, and these waits are together.
func (g *Groups) fetch(o *Groups, from, to int) {
	if len(g.index) < 1<<16 {
		return
	}
	var slots [ahead]uint64
	mask := uint64(len(g.index) - 1)
	words := o.stride - numWords
	for i := from; i < to; i++ {
		slots[i-from] = g.index[hashWords(o.record(i)[:words])&mask]
	}
	var sum uint64
	for _, slot := range slots[:to-from] {
		if slot != 0 {
			sum += g.record(int(uint32(slot)) - 1)[0]
		}
	}
	g.fetched = sum
}

// Len is the number of groups.
func (g *Groups) Len() int { return g.n }

// Undercount is by how much a group's count can be too small, because it was given
// up and came back; 0 if all are exact. No group with more entries than that is
// missing.
func (g *Groups) Undercount() uint64 { return g.undercount }

// Rest counts the entries of the groups that were given up.
func (g *Groups) Rest() Group { return g.rest }

// Order of groups.
const (
	// ByValue is the values' own order: protocols and states as connections live,
	// addresses and times by size.
	ByValue = ByLifeCycle
)

// Top lists the groups in an order, at most n of them; n < 1 is all. The yield
// function must not keep the group's values.
func (g *Groups) Top(n int, o Order, yield func(*Group) bool) {
	words := g.stride - numWords
	compare := func(a, b int) int {
		if o == ByCount {
			ra, rb := g.record(a), g.record(b)
			for _, w := range [...]int{wordConnections, wordTemplates} {
				if ra[words+w] != rb[words+w] {
					if ra[words+w] > rb[words+w] {
						return -1
					}
					return 1
				}
			}
		}
		return g.compareValues(a, b)
	}
	var order []int
	if n < 1 || n >= g.n {
		order = make([]int, g.n)
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, compare)
	} else {
		for i := range g.n {
			if len(order) == n && compare(i, order[n-1]) > 0 {
				continue
			}
			at := sort.Search(len(order), func(k int) bool { return compare(i, order[k]) < 0 })
			order = slices.Insert(order, at, i)
			order = order[:min(n, len(order))]
		}
	}
	group := Group{Values: make([]Value, len(g.plan.By))}
	for _, i := range order {
		g.fill(&group, i)
		if !yield(&group) {
			return
		}
	}
}

// All goes through the groups in no order that means anything. The yield function must
// not keep the group's values.
func (g *Groups) All(yield func(*Group) bool) {
	group := Group{Values: make([]Value, len(g.plan.By))}
	for i := range g.n {
		g.fill(&group, i)
		if !yield(&group) {
			return
		}
	}
}

// Pairs goes through the groups of two counts with equal plans, each group of either once
// with its counterpart in the other, which is empty where the other has none. The yield
// function must not keep them.
func Pairs(a, b *Groups, yield func(a, b *Group)) {
	ga, gb := Group{Values: make([]Value, len(a.plan.By))}, Group{Values: make([]Value, len(a.plan.By))}
	for i := range a.n {
		a.fill(&ga, i)
		if k, ok := b.counterpart(a, i); ok {
			b.fill(&gb, k)
		} else {
			gb = Group{Values: gb.Values}
			copy(gb.Values, ga.Values)
		}
		yield(&ga, &gb)
	}
	for k := range b.n {
		if _, ok := a.counterpart(b, k); !ok {
			b.fill(&gb, k)
			ga = Group{Values: ga.Values}
			copy(ga.Values, gb.Values)
			yield(&ga, &gb)
		}
	}
}

// counterpart is the number of the group that has the values of o's group.
func (g *Groups) counterpart(o *Groups, of int) (n int, ok bool) {
	if g.n == 0 {
		return 0, false
	}
	var buf [3 * int(numAspects)]uint64
	words := o.stride - numWords
	key := append(buf[:0], o.record(of)[:words]...)
	for d := 0; d < words; d += 3 {
		if key[d+2]&codeNamed == 0 {
			continue
		}
		name, ok := g.nameOf[o.names[key[d]]]
		if !ok {
			return 0, false
		}
		key[d] = uint64(name)
	}
	slot, ok := g.slot(key)
	return int(uint32(slot)) - 1, ok
}

// fill makes the group of a record.
func (g *Groups) fill(group *Group, i int) {
	r, words := g.record(i), g.stride-numWords
	for d := range group.Values {
		group.Values[d] = g.value(r, d)
	}
	group.Connections, group.Templates = r[words+wordConnections], r[words+wordTemplates]
	group.LongestConnection, group.LongestTemplate = conn.Seconds(r[words+wordConnectionLeft])-1, conn.Seconds(r[words+wordTemplateLeft])-1
}

func (g *Groups) compareValues(a, b int) int {
	ra, rb := g.record(a), g.record(b)
	for d := range g.plan.By {
		va, vb := g.value(ra, d), g.value(rb, d)
		if c := CompareValues(&va, &vb); c != 0 {
			return c
		}
	}
	return 0
}

// value is a record's value in a dimension.
func (g *Groups) value(record []uint64, d int) Value {
	c := code(record[3*d:])
	if c[2]&codeNamed != 0 {
		return g.names[c[0]]
	}
	return c.value()
}

func (g *Groups) record(i int) []uint64 {
	return g.records[i/chunkGroups][i%chunkGroups*g.stride:][:g.stride]
}

// find is the record of a key, which is added if it is new.
func (g *Groups) find(key []uint64) []uint64 {
	if 2*g.n >= len(g.index) {
		g.grow()
	}
	h := hashWords(key)
	mask := uint64(len(g.index) - 1)
	i := h & mask
	tag := h &^ (1<<32 - 1)
	for ; g.index[i] != 0; i = (i + 1) & mask {
		if slot := g.index[i]; slot&^(1<<32-1) == tag {
			if r := g.record(int(uint32(slot)) - 1); slices.Equal(r[:len(key)], key) {
				return r
			}
		}
	}
	if g.n == len(g.records)*chunkGroups {
		g.records = append(g.records, make([]uint64, chunkGroups*g.stride))
	}
	g.n++
	g.index[i] = tag | uint64(g.n)
	r := g.record(g.n - 1)
	copy(r, key)
	clear(r[len(key):])
	return r
}

// slot is the index's entry of a key, ok is false for a key that has none.
func (g *Groups) slot(key []uint64) (slot uint64, ok bool) {
	h := hashWords(key)
	mask := uint64(len(g.index) - 1)
	for i := h & mask; g.index[i] != 0; i = (i + 1) & mask {
		if slot := g.index[i]; slot>>32 == h>>32 && slices.Equal(g.record(int(uint32(slot)) - 1)[:len(key)], key) {
			return slot, true
		}
	}
	return 0, false
}

func (g *Groups) grow() {
	g.index = make([]uint64, max(64, 2*len(g.index)))
	g.fillIndex()
}

func (g *Groups) fillIndex() {
	mask := uint64(len(g.index) - 1)
	for n := range g.n {
		h := hashWords(g.record(n)[:g.stride-numWords])
		i := h & mask
		for g.index[i] != 0 {
			i = (i + 1) & mask
		}
		g.index[i] = h&^(1<<32-1) | uint64(n+1)
	}
}

// hashWords mixes all bits of a key into both halves of the hash.
func hashWords(key []uint64) uint64 {
	h := uint64(0x9e3779b97f4a7c15)
	for _, w := range key {
		hi, lo := bits.Mul64(h^w, 0xd6e8feb86659fd93)
		h = hi ^ lo
	}
	hi, lo := bits.Mul64(h, 0xa0761d6478bd642f)
	return hi ^ lo
}

// prune gives up the smaller half of the groups, as lossy counting does: none of them
// has more entries than is added to the undercount.
func (g *Groups) prune() {
	words := g.stride - numWords
	size := func(r []uint64) uint64 { return r[words+wordConnections] + r[words+wordTemplates] }
	sizes := make([]uint64, g.n)
	for i := range sizes {
		sizes[i] = size(g.record(i))
	}
	slices.Sort(sizes)
	least := sizes[g.n/2]
	kept := NewGroups(g.plan)
	kept.max, kept.undercount, kept.rest = g.max, g.undercount+least, g.rest
	for i := range g.n {
		r := g.record(i)
		if size(r) <= least {
			kept.rest.Connections += r[words+wordConnections]
			kept.rest.Templates += r[words+wordTemplates]
			continue
		}
		key := slices.Clone(r[:words])
		for d := 0; d < words; d += 3 {
			if key[d+2]&codeNamed != 0 {
				key[d] = kept.name(g.names[key[d]])
			}
		}
		copy(kept.find(key)[words:], r[words:])
	}
	*g = *kept
}

// code is an entry's value in a dimension.
func (g *Groups) code(d *Dimension, e *conn.Entry, kind conn.Kind) (c code) {
	switch d.Aspect {
	case State:
		i := e.State.Index()
		if i == 0 && e.State != (conn.State{}) {
			return g.named(Value{State: e.State})
		}
		c[2] = codeSet | uint64(i)<<codeStateAt
	case Protocol:
		i := e.Protocol.Index()
		if i == 0 {
			return g.named(Value{Protocol: e.Protocol})
		}
		c[2] = codeSet | uint64(i)<<codeProto
	case OfService:
		return g.service(e, kind)
	case Server:
		server := e.Server.Identity()
		c, ok := codeEndpoint(&server)
		if !ok {
			return g.named(Value{Endpoint: server})
		}
		return c
	case Client:
		if !e.Client.Addr.IsValid() {
			return g.named(Value{Endpoint: conn.Endpoint{Host: e.Client.Host}})
		}
		c[2] = codeSet
		c.setAddr(e.Client.Addr)
		c.mask(*d)
	case Port:
		port := conn.Endpoint{Service: e.Virtual.Service, Port: e.Virtual.Port, PortKnown: e.Virtual.PortKnown}.Identity()
		if port == (conn.Endpoint{}) || kind == conn.StaleTemplate || kind == conn.FwmarkTemplate { // the one's is overwritten, the other has none
			return c
		}
		c, ok := codeEndpoint(&port)
		if !ok {
			return g.named(Value{Endpoint: port})
		}
		return c
	case Forwarding:
		c[2] = codeSet | uint64(g.plan.Forwarding(e))<<13<<codeStateAt
	case Origin:
		c[2] = codeSet | uint64(e.Origin)<<8<<codeStateAt
	case Idle:
		c[2] = codeSet | uint64(IdleRangeOf(g.plan.Timing.Idle(e)))<<10<<codeStateAt
	}
	return c
}

func (g *Groups) service(e *conn.Entry, kind conn.Kind) (c code) {
	switch kind {
	case conn.StaleTemplate: // its virtual port is overwritten, so its service is not known
		return c
	case conn.FwmarkTemplate:
		if mark, ok := e.Fwmark(); ok {
			c[0] = uint64(mark)
			c[2] = codeSet | codeMarked
			if e.Virtual.Addr.Is6() {
				c[2] |= codeIPv6
			}
			return c
		}
	}
	virtual := e.Virtual.Identity()
	c, ok := codeEndpoint(&virtual)
	if p := e.Protocol.Index(); ok && p != 0 {
		c[2] |= uint64(p) << codeProto
		return c
	}
	return g.named(Value{Protocol: e.Protocol, Endpoint: virtual})
}

// named is the code of a value that has none of its own.
func (g *Groups) named(v Value) code {
	return code{g.name(v), 0, codeSet | codeNamed}
}

func (g *Groups) name(v Value) uint64 {
	n, ok := g.nameOf[v]
	if !ok {
		if g.nameOf == nil {
			g.nameOf = make(map[Value]int)
		}
		n = len(g.names)
		g.names = append(g.names, v)
		g.nameOf[v] = n
	}
	return uint64(n)
}
