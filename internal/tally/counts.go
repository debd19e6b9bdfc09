package tally

import (
	"cmp"
	"slices"
	"strings"

	"ipvsstate/internal/conn"
)

// StateCount is how many entries of a protocol are in a state.
type StateCount struct {
	Protocol conn.Protocol
	State    conn.State
	Kind     conn.Kind
	Count    uint64
	// Timeout is the timeout the entries themselves show, where all show one (DPVS
	// adds up to a second, so two next to each other are one); else Unknown.
	Timeout conn.Seconds
}

// Service is a virtual service with its entries.
type Service struct {
	Protocol conn.Protocol
	// Virtual is the service's endpoint; Fwmark its mark, when Marked.
	Virtual conn.Endpoint
	Fwmark  uint32
	Marked  bool

	Connections uint64
	Templates   uint64
	// States are the connections by state, most first.
	States []StateCount
}

// Order is the order of states.
type Order uint8

const (
	// ByCount is most first.
	ByCount Order = iota
	// ByLifeCycle is protocol by protocol, each in the order of a connection's life.
	ByLifeCycle
)

// Duplicates is how many entries were not counted because they had been.
func (t *Tally) Duplicates() uint64 { return t.duplicates }

// Connections is the number of entries that are connections.
func (t *Tally) Connections() uint64 {
	return t.sum(func(c cell) bool { return c.kind == conn.Connection })
}

// Templates is the number of entries that are templates of any kind.
func (t *Tally) Templates() uint64 {
	return t.sum(func(c cell) bool { return c.kind != conn.Connection })
}

func (t *Tally) sum(of func(cell) bool) (n uint64) {
	for i, c := range t.cells {
		if of(c) {
			for g := range t.groups {
				n += t.counts[g*t.stride+i]
			}
		}
	}
	return n
}

// States counts the connections by protocol and state.
func (t *Tally) States(o Order) []StateCount {
	return t.states(o, func(k conn.Kind) bool { return k == conn.Connection })
}

// TemplateStates counts the templates by protocol, state and kind.
func (t *Tally) TemplateStates() []StateCount {
	return t.states(ByCount, func(k conn.Kind) bool { return k != conn.Connection })
}

func (t *Tally) states(o Order, of func(conn.Kind) bool) []StateCount {
	sums := make(map[StateCount]uint64)
	for g := range t.groups {
		for i, c := range t.cells {
			if n := t.counts[g*t.stride+i]; n > 0 && of(c.kind) {
				sums[StateCount{Protocol: t.groups[g].protocol, State: c.state, Kind: c.kind}] += n
			}
		}
	}
	all := make([]StateCount, 0, len(sums))
	for s, n := range sums {
		s.Count = n
		s.Timeout = conn.Unknown
		if v, ok := t.configured[stateOf{s.Protocol, s.State}]; ok && v.most-v.least <= 1 {
			s.Timeout = v.least
		}
		all = append(all, s)
	}
	sortStates(all, o)
	return all
}

func sortStates(all []StateCount, o Order) {
	slices.SortFunc(all, func(a, b StateCount) int {
		byCount := 0
		if o == ByCount {
			byCount = cmp.Compare(b.Count, a.Count)
		}
		return cmp.Or(byCount,
			compareProtocols(a.Protocol, b.Protocol),
			cmp.Compare(known(a.State.Index()), known(b.State.Index())),
			strings.Compare(a.State.String(), b.State.String()),
			cmp.Compare(a.Kind, b.Kind))
	})
}

func compareProtocols(a, b conn.Protocol) int {
	return cmp.Or(cmp.Compare(known(a.Index()), known(b.Index())), strings.Compare(a.String(), b.String()))
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// known puts what has no index behind what has.
func known(index int) uint { return uint(index - 1) }

// Services lists the virtual services, those with most connections first. What
// belongs to none is not in the list: see Ungrouped.
func (t *Tally) Services() []Service {
	all := make([]Service, 0, len(t.groups))
	for g := range t.groups {
		k := &t.groups[g]
		if k.service == (serviceKey{}) {
			continue
		}
		s := Service{Protocol: k.protocol, Virtual: k.service.virtual, Fwmark: k.service.mark, Marked: k.service.marked}
		t.fill(&s, g)
		if s.Connections+s.Templates > 0 {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b Service) int {
		return cmp.Or(cmp.Compare(b.Connections, a.Connections), cmp.Compare(b.Templates, a.Templates),
			compareProtocols(a.Protocol, b.Protocol), a.Virtual.Addr.Compare(b.Virtual.Addr),
			strings.Compare(a.Virtual.Host, b.Virtual.Host), cmp.Compare(a.Virtual.Port, b.Virtual.Port),
			compareBools(b.Virtual.PortKnown, a.Virtual.PortKnown), compareBools(a.Marked, b.Marked),
			strings.Compare(a.Virtual.Service, b.Virtual.Service), cmp.Compare(a.Fwmark, b.Fwmark))
	})
	return all
}

// Ungrouped is what Services leaves out, as if it were one service: invalidated
// templates, whose service is not told, and the entries of services beyond
// MaxServices.
func (t *Tally) Ungrouped() Service {
	var s Service
	for g := range t.groups {
		if t.groups[g].service == (serviceKey{}) {
			t.fill(&s, g)
		}
	}
	return s
}

// fill counts a group into a service.
func (t *Tally) fill(s *Service, g int) {
	for i, c := range t.cells {
		n := t.counts[g*t.stride+i]
		switch {
		case n == 0:
		case c.kind == conn.Connection:
			s.Connections += n
			s.States = append(s.States, StateCount{Protocol: s.Protocol, State: c.state, Count: n, Timeout: conn.Unknown})
		default:
			s.Templates += n
		}
	}
	sortStates(s.States, ByCount)
}
