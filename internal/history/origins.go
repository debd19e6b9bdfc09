package history

import (
	"cmp"
	"slices"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/tally"
)

// ByOrigin says what one director got from another's sync daemon and what it made itself.
type ByOrigin struct {
	Value                tally.Value // protocol and state
	Local, Sync, Unknown uint64
}

// Origins counts the connections by state and origin, and the templates by origin.
func (s *Entries) Origins() (states []ByOrigin, templates ByOrigin) {
	of := make(map[tally.Value]*ByOrigin)
	counts := make([]uint64, len(s.list))
	for i := range s.n {
		counts[s.at(i).class]++
	}
	for i, n := range counts {
		c := &s.list[i]
		to := &templates
		if v := (tally.Value{Protocol: c.protocol, State: c.state}); c.kind == conn.Connection {
			if of[v] == nil {
				of[v] = &ByOrigin{Value: v}
			}
			to = of[v]
		}
		switch c.origin {
		case conn.Local:
			to.Local += n
		case conn.Sync:
			to.Sync += n
		default:
			to.Unknown += n
		}
	}
	for _, b := range of {
		states = append(states, *b)
	}
	slices.SortFunc(states, func(a, b ByOrigin) int {
		return cmp.Or(cmp.Compare(b.Local+b.Sync+b.Unknown, a.Local+a.Sync+a.Unknown), tally.CompareValues(&a.Value, &b.Value))
	})
	return states, templates
}
