package history

import (
	"hash/maphash"
	"math/bits"
	"slices"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/tally"
)

// Entries are the entries of one listing, kept to be compared with another's: 16 bytes each,
// 8 to 16 to find them by, 4 more once any two share a key, and the groups that they are in. To add
// one or to find it takes a bounded number of steps on average, however many share its key, as all
// connections do of a client whose name ipvsadm cuts in front of the port. It is not safe for
// concurrent use.
type Entries struct {
	records [][]record
	n       int
	slots   []uint32 // open addressing by key, at most half full; 0 is empty, else the number plus one of the key's last entry
	next    rings
	classes
	groups
	named uint64 // entries with a host name
}

// Part is a part of a listing's entries, before it is known which of them are there twice. It is
// not safe for concurrent use.
type Part struct {
	rows    []conn.Entry
	records []record
	classes
	groups
}

// classes are numbered as they come.
type classes struct {
	list    []class
	classOf map[class]uint32
}

// groups are those by which entries are compared beside their classes.
type groups struct{ servers, networks *tally.Groups }

// rings join the entries of each key, in the order in which they were added and from the last to the
// first. As long as all have a ring of their own there is nothing to keep.
type rings []uint32

func (r rings) of(n uint32) uint32 {
	if r == nil {
		return n
	}
	return r[n]
}

// record is one entry: which it is, what it is, and the time it has left.
type record struct {
	key   uint64
	class uint32
	left  conn.Seconds
}

// class is all that matters of an entry but who it is and its time. Entries of one key have
// one protocol and one service.
type class struct {
	protocol conn.Protocol
	virtual  conn.Endpoint
	state    conn.State
	kind     conn.Kind
	origin   conn.Origin
}

const recordChunk = 1 << 14

// clientNetworks are the networks by which clients are compared, serverPlan the servers.
var (
	networkPlan = &tally.Plan{By: []tally.Dimension{{Aspect: tally.Client, Bits4: 24, Bits6: 64}}}
	serverPlan  = &tally.Plan{By: []tally.Dimension{{Aspect: tally.Server}}}
)

// NewEntries makes an empty set, NewPart an empty part of one.
func NewEntries() *Entries { return &Entries{classes: newClasses(), groups: newGroups()} }
func NewPart() *Part       { return &Part{classes: newClasses(), groups: newGroups()} }

func newClasses() classes { return classes{classOf: make(map[class]uint32)} }
func newGroups() groups   { return groups{tally.NewGroups(serverPlan), tally.NewGroups(networkPlan)} }

// Add adds an entry.
func (p *Part) Add(e *conn.Entry) {
	kind := e.Kind()
	c := class{protocol: e.Protocol, virtual: e.Virtual.Identity(), state: e.State, kind: kind, origin: e.Origin}
	p.rows = append(p.rows, *e)
	p.records = append(p.records, record{keyOf(e) ^ uint64(kind)*0x9e3779b97f4a7c15, p.number(&c), e.Expires})
	p.groups.add(e)
}

// Reset empties the part and keeps its memory.
func (p *Part) Reset() {
	p.rows, p.records = p.rows[:0], p.records[:0]
	p.list = p.list[:0]
	clear(p.classOf)
	p.groups.reset()
}

func (g *groups) add(e *conn.Entry) {
	kind := e.Kind()
	g.servers.Add(e, kind)
	g.networks.Add(e, kind)
}

func (g *groups) reset() {
	g.servers.Reset()
	g.networks.Reset()
}

// Merge adds a part, and tells of each entry of it, in turn, whether it is new: kernels before
// 6.14 can show one twice when the table changes during the reading. One with a host name is always
// new, since several addresses can have one name, and so is an invalidated template without its
// service's port.
func (s *Entries) Merge(p *Part, each func(e *conn.Entry, isNew bool)) {
	numbers := make([]uint32, len(p.list))
	for i := range numbers {
		numbers[i] = s.number(&p.list[i])
	}
	again := make(map[int]bool)
	for i, r := range p.records {
		e := &p.rows[i]
		named := e.Client.Host != "" || e.Virtual.Host != "" || e.Server.Host != ""
		if named {
			s.named++
		}
		r.class = numbers[r.class]
		isNew := s.put(r, named || e.Alike())
		if !isNew {
			again[i] = true
		}
		each(e, isNew)
	}
	if len(again) > 0 {
		p.groups.reset()
		for i := range p.rows {
			if !again[i] {
				p.groups.add(&p.rows[i])
			}
		}
	}
	s.servers.Merge(p.servers)
	s.networks.Merge(p.networks)
}

// put adds an entry, unless one with its key is there and it may not be the second.
func (s *Entries) put(r record, second bool) bool {
	if 2*s.n >= len(s.slots) {
		s.grow()
	}
	at := s.slot(r.key)
	before := s.slots[at]
	if before != 0 && !second {
		return false
	}
	last := s.n / recordChunk
	if last == len(s.records) {
		s.records = append(s.records, make([]record, 0, recordChunk))
	}
	s.records[last] = append(s.records[last], r)
	s.link(before)
	s.n++
	s.slots[at] = uint32(s.n)
	return true
}

// slot is where the last entry with a key is, or where it belongs.
func (s *Entries) slot(key uint64) uint64 {
	mask := uint64(len(s.slots) - 1)
	at := key & mask
	for s.slots[at] != 0 && s.at(int(s.slots[at]-1)).key != key {
		at = (at + 1) & mask
	}
	return at
}

// link puts a new entry behind the last one with its key, of which the number plus one is given,
// 0 if there is none.
func (s *Entries) link(before uint32) {
	n := uint32(s.n)
	switch {
	case before == 0 && s.next == nil:
		return
	case s.next == nil:
		s.next = make(rings, n)
		for i := range s.next {
			s.next[i] = uint32(i)
		}
	}
	s.next = append(s.next, n)
	if before != 0 {
		s.next[n], s.next[before-1] = s.next[before-1], n
	}
}

func (s *Entries) at(i int) *record { return &s.records[i/recordChunk][i%recordChunk] }

// number is a class's number, which is a new one for a new class.
func (s *classes) number(c *class) uint32 {
	n, ok := s.classOf[*c]
	if !ok {
		n = uint32(len(s.list))
		s.list = append(s.list, *c)
		s.classOf[*c] = n
	}
	return n
}

func (s *Entries) grow() {
	s.slots = make([]uint32, max(64, 2*len(s.slots)))
	mask := uint64(len(s.slots) - 1)
	for i := range s.n {
		if s.next.of(uint32(i)) > uint32(i) { // not the last with its key
			continue
		}
		at := s.at(i).key & mask
		for s.slots[at] != 0 {
			at = (at + 1) & mask
		}
		s.slots[at] = uint32(i + 1)
	}
}

var seed = maphash.MakeSeed()

// seeds make the keys of one run other ones than those of another, so that nobody can make
// entries that share one.
var seeds = func() (s [4]uint64) {
	for i := range s {
		s[i] = maphash.Comparable(seed, i) | 1
	}
	return s
}()

// keyOf is 64 bits that stand for protocol, client, virtual service and real server, which
// together are unique in the kernel. Of two tables of five million entries two different
// ones share a key once in some 370,000 comparisons.
func keyOf(e *conn.Entry) uint64 {
	a, okA := word(&e.Client)
	b, okB := word(&e.Virtual)
	c, okC := word(&e.Server)
	if p := e.Protocol.Index(); okA && okB && okC && p != 0 {
		h := mix(a^seeds[0], b^seeds[1])
		return mix(h^c, seeds[2]^uint64(p)<<48) ^ mix(h, seeds[3]^c)
	}
	return maphash.Comparable(seed, struct {
		p                       conn.Protocol
		client, virtual, server conn.Endpoint
	}{e.Protocol, e.Client.Identity(), e.Virtual.Identity(), e.Server.Identity()})
}

// word is an IPv4 endpoint in one word; ok is false for any other.
func word(e *conn.Endpoint) (w uint64, ok bool) {
	if !e.PortKnown || !e.Addr.Is4() {
		return 0, false
	}
	a := e.Addr.As4()
	return uint64(a[0])<<40 | uint64(a[1])<<32 | uint64(a[2])<<24 | uint64(a[3])<<16 | uint64(e.Port), true
}

func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// matching finds a listing's entries by the key of another's, each once.
type matching struct {
	of    *Entries
	taken []uint64 // a bit an entry
	next  rings    // those of the entries, without what is taken but a last one
}

func newMatching(of *Entries) *matching {
	return &matching{of: of, taken: make([]uint64, of.n/64+1), next: slices.Clone(of.next)}
}

// take finds the first entry with the key that has not been taken yet, and takes it: entries with
// names can share one.
func (x *matching) take(key uint64) (r *record, ok bool) {
	if x.of.n == 0 {
		return nil, false
	}
	found := x.of.slots[x.of.slot(key)]
	if found == 0 {
		return nil, false
	}
	last := found - 1
	n := x.next.of(last)
	if x.isTaken(int(n)) {
		return nil, false
	}
	if n != last {
		x.next[last] = x.next[n]
	}
	x.taken[n/64] |= 1 << (n % 64)
	return x.of.at(int(n)), true
}

func (x *matching) isTaken(n int) bool { return x.taken[n/64]>>(n%64)&1 != 0 }
