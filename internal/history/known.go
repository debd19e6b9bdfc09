package history

import (
	"encoding/binary"
	"hash/maphash"
	"maps"

	"ipvsstate/internal/conn"
)

// Sum stands for a snapshot's entries, in whatever order and format they come, whatever time they have
// left. Sums of parts add up.
type Sum uint64

// Add adds an entry.
func (s *Sum) Add(e *conn.Entry) {
	h := mix(wordOf(&e.Client)^seeds[0], wordOf(&e.Virtual)^seeds[1])
	kind := uint64(e.Protocol.Index())<<56 | uint64(e.State.Index())<<48
	if e.Protocol.Index() == 0 {
		kind ^= maphash.String(seed, e.Protocol.String())
	}
	if e.State.Index() == 0 {
		kind ^= mix(maphash.String(seed, e.State.String()), seeds[2])
	}
	server := wordOf(&e.Server)
	*s += Sum(mix(h^server, seeds[2]^kind) ^ mix(h, seeds[3]^server))
}

// wordOf is an endpoint in one word, which is its own if it is IPv4, as most are.
func wordOf(e *conn.Endpoint) uint64 {
	if e.PortKnown && e.Addr.Is4() {
		a := e.Addr.As4()
		return uint64(binary.BigEndian.Uint32(a[:]))<<16 | uint64(e.Port)
	}
	return longWord(e)
}

func longWord(e *conn.Endpoint) uint64 {
	a := e.Addr.As16()
	high, low := uint64(0), uint64(0)
	for i := range 8 {
		high, low = high<<8|uint64(a[i]), low<<8|uint64(a[8+i])
	}
	h := mix(high^seeds[3], low^seeds[2])
	if e.Host != "" {
		h ^= maphash.String(seed, e.Host)
	}
	if e.PortKnown {
		return mix(h, seeds[1]^uint64(e.Port))
	}
	return mix(h, seeds[0]^maphash.String(seed, e.Service))
}

// maxKnown is how many snapshots are known again: those of two years and a half, one every
// five minutes.
const maxKnown = 1 << 18

// Known knows snapshots again, and what was kept of each.
type Known[T any] struct {
	// Forgotten counts those that were not kept, since there are too many: a copy of such a
	// one counts twice.
	Forgotten int

	kept map[fingerprint]T
}

// NewKnown makes one that knows none.
func NewKnown[T any]() *Known[T] { return &Known[T]{kept: make(map[fingerprint]T)} }

// fingerprint is equal for copies of a snapshot: a file and the same file in an archive.
type fingerprint struct {
	at      int64 // in seconds
	entries Sum
	nth     int32
	coarse  bool
}

// find is the fingerprint by which a snapshot or a copy of it is kept, its own if none is.
func (k *Known[T]) find(p *Point) (of fingerprint, known bool) {
	own := fingerprint{p.Time.Unix(), p.Entries, p.Nth, p.Coarse}
	if _, known = k.kept[own]; known {
		return own, true
	}
	// Of two times of which one is coarse, that is the other's or an even one beside it.
	of = own
	of.coarse = !p.Coarse
	for _, beside := range [...]int64{0, -1, 1} {
		of.at = own.at + beside
		if _, known = k.kept[of]; known {
			return of, true
		}
	}
	return own, false
}

// Find gives what is kept of the snapshot, or of what it is a copy of.
func (k *Known[T]) Find(p *Point) (kept T, known bool) {
	of, known := k.find(p)
	return k.kept[of], known
}

// Keep keeps it, in place of what is.
func (k *Known[T]) Keep(p *Point, what T) {
	of, known := k.find(p)
	if !known && len(k.kept) >= maxKnown {
		k.Forgotten++
		return
	}
	k.kept[of] = what
}

// All goes through what is kept, in no order.
func (k *Known[T]) All(yield func(T) bool) { maps.Values(k.kept)(yield) }
