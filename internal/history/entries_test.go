package history

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"ipvsstate/internal/conn"
)

// TestEqualKeys: of entries that share a key each is found once, in the order in which they came, and
// neither to add nor to find one takes more steps the more there are.
func TestEqualKeys(t *testing.T) {
	const n, clients, longestRun = 20_000, 500, 100
	for _, named := range []int{0, 1, 7, n / 3} { // names that the others share
		r := rand.New(rand.NewPCG(uint64(named), 11))
		all, part := NewEntries(), NewPart()
		order := make(map[uint64][]conn.Seconds)
		for i := range n {
			e := madeEntry(r, i)
			e.Client = conn.Endpoint{Host: fmt.Sprintf("host%d.example", i)}
			if i >= clients && named > 0 {
				e = conn.Entry{Protocol: conn.TCP, State: conn.Established, Client: conn.Endpoint{Host: fmt.Sprintf("a-name-that-is-cut-%d", r.IntN(named))}}
			}
			e.Expires = conn.Seconds(i)
			part.Add(&e)
			key := part.records[len(part.records)-1].key
			order[key] = append(order[key], e.Expires)
			if r.IntN(1000) == 0 {
				all.Merge(part, func(*conn.Entry, bool) {})
				part.Reset()
			}
		}
		all.Merge(part, func(*conn.Entry, bool) {})
		full, run := 0, 0
		for _, s := range all.slots {
			if run++; s == 0 {
				run = 0
				continue
			}
			if full++; run > longestRun {
				t.Fatalf("%d names: more than %d slots in a row", named, longestRun)
			}
		}
		if full != len(order) || (all.next == nil) != (len(order) == n) {
			t.Errorf("%d names: %d slots for %d keys, %d entries in rings", named, full, len(order), len(all.next))
		}
		x := newMatching(all)
		for _, i := range r.Perm(n) {
			key := all.at(i).key
			got, ok := x.take(key)
			if !ok || got.left != order[key][0] {
				t.Fatalf("%d names: %v, %v, want %v", named, got, ok, order[key][0])
			}
			order[key] = order[key][1:]
			// The next one is where it is looked for, with nothing to pass over.
			last := all.slots[all.slot(key)] - 1
			if left := len(order[key]) > 0; left == x.isTaken(int(x.next.of(last))) {
				t.Fatalf("%d names: with %d to be found yet, %d was looked at", named, len(order[key]), x.next.of(last))
			}
		}
		for key := range order {
			if _, ok := x.take(key); ok {
				t.Fatalf("%d names: one more than there are", named)
			}
		}
		again := newMatching(all) // what was taken is there for another
		for i := range n {
			if _, ok := again.take(all.at(i).key); !ok {
				t.Fatalf("%d names: %d entries are found another time", named, i)
			}
		}
	}
}
