package tally

import (
	"hash/maphash"

	"ipvsstate/internal/conn"
)

// Seen remembers the entries of one read of the kernel's table by a 63-bit hash of
// protocol, client, virtual service and real server, the key that is unique in the
// kernel. It takes 16 to 32 bytes an entry. In a table of a million, two different
// entries share a hash once in 18 million reads.
type Seen struct {
	slots []uint64 // open addressing, at most half full; 0 is empty
	n     int
}

// Add remembers the entry, and reports whether it is new. One that others can look like is always new.
func (s *Seen) Add(e *conn.Entry) bool {
	if e.Alike() {
		return true
	}
	if 2*s.n >= len(s.slots) {
		s.grow()
	}
	h := maphash.Comparable(seed, struct {
		p                       conn.Protocol
		client, virtual, server conn.Endpoint
	}{e.Protocol, e.Client, e.Virtual, e.Server}) | 1
	if !s.put(h) {
		return false
	}
	s.n++
	return true
}

func (s *Seen) put(h uint64) bool {
	mask := uint64(len(s.slots) - 1)
	i := h >> 1 & mask
	for ; s.slots[i] != 0; i = (i + 1) & mask {
		if s.slots[i] == h {
			return false
		}
	}
	s.slots[i] = h
	return true
}

func (s *Seen) grow() {
	old := s.slots
	s.slots = make([]uint64, max(1024, 2*len(old)))
	for _, h := range old {
		if h != 0 {
			s.put(h)
		}
	}
}
