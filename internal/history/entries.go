package history

import (
	"hash/maphash"
	"math/bits"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/tally"
)

// Entries are the entries of one listing, kept to be compared with another's: 16 bytes each,
// and the groups that they are in. It is not safe for concurrent use.
type Entries struct {
	records  [][]record
	n        int
	classes  []class
	classOf  map[class]uint32
	servers  *tally.Groups
	networks *tally.Groups
	named    uint64 // entries with a host name
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

// NewEntries makes an empty set.
func NewEntries() *Entries {
	return &Entries{classOf: make(map[class]uint32), servers: tally.NewGroups(serverPlan), networks: tally.NewGroups(networkPlan)}
}

// Add keeps what is needed of an entry, not the entry.
func (s *Entries) Add(e *conn.Entry) {
	kind := e.Kind()
	c := class{protocol: e.Protocol, virtual: e.Virtual.Identity(), state: e.State, kind: kind, origin: e.Origin}
	s.put(record{keyOf(e) ^ uint64(kind)*0x9e3779b97f4a7c15, s.number(&c), e.Expires})
	if e.Client.Host != "" || e.Virtual.Host != "" || e.Server.Host != "" {
		s.named++
	}
	s.servers.Add(e, kind)
	s.networks.Add(e, kind)
}

func (s *Entries) put(r record) {
	last := s.n / recordChunk
	if last == len(s.records) {
		s.records = append(s.records, make([]record, 0, recordChunk))
	}
	s.records[last] = append(s.records[last], r)
	s.n++
}

func (s *Entries) at(i int) *record { return &s.records[i/recordChunk][i%recordChunk] }

// number is a class's number, which is a new one for a new class.
func (s *Entries) number(c *class) uint32 {
	n, ok := s.classOf[*c]
	if !ok {
		n = uint32(len(s.classes))
		s.classes = append(s.classes, *c)
		s.classOf[*c] = n
	}
	return n
}

// Merge adds another part of the listing.
func (s *Entries) Merge(o *Entries) {
	numbers := make([]uint32, len(o.classes))
	for i := range o.classes {
		numbers[i] = s.number(&o.classes[i])
	}
	for i := range o.n {
		r := *o.at(i)
		r.class = numbers[r.class]
		s.put(r)
	}
	s.named += o.named
	s.servers.Merge(o.servers)
	s.networks.Merge(o.networks)
}

// Reset empties the set and keeps its memory.
func (s *Entries) Reset() {
	for i := range s.records {
		s.records[i] = s.records[i][:0]
	}
	s.n, s.named = 0, 0
	s.classes = s.classes[:0]
	clear(s.classOf)
	s.servers.Reset()
	s.networks.Reset()
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

// index finds entries by their key: open addressing, at most half full; 0 is empty, else an
// entry's number plus one.
type index struct {
	of    *Entries
	slots []uint32
	taken []uint64 // a bit an entry
}

func newIndex(of *Entries) *index {
	size := 64
	for size < 2*of.n {
		size *= 2
	}
	x := &index{of: of, slots: make([]uint32, size), taken: make([]uint64, of.n/64+1)}
	mask := uint64(size - 1)
	for i := range of.n {
		at := of.at(i).key & mask
		for x.slots[at] != 0 {
			at = (at + 1) & mask
		}
		x.slots[at] = uint32(i + 1)
	}
	return x
}

// take finds an entry with the key that has not been taken yet, and takes it: a listing may
// show an entry twice.
func (x *index) take(key uint64) (r *record, ok bool) {
	mask := uint64(len(x.slots) - 1)
	for at := key & mask; x.slots[at] != 0; at = (at + 1) & mask {
		n := x.slots[at] - 1
		if r := x.of.at(int(n)); r.key == key && !x.isTaken(int(n)) {
			x.taken[n/64] |= 1 << (n % 64)
			return r, true
		}
	}
	return nil, false
}

func (x *index) isTaken(n int) bool { return x.taken[n/64]>>(n%64)&1 != 0 }
