package history

import (
	"cmp"
	"slices"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/tally"
)

// Diff is what changed between two listings of one director.
type Diff struct {
	// Connections and Templates are compared apart.
	Connections, Templates Turnover
	// Moves are the states that connections had and have, most first, with those that are
	// new and gone.
	Moves []Move
	// States, Services, Servers and Networks compare connections by what they are in, the
	// greatest change first. Of the last three those that did not change are left out.
	States, Services, Servers, Networks Changes
	// Undercount is by how much a network's or a server's number can be too small.
	Undercount uint64
	// Named is how many entries of each listing have a host name, which is never that of
	// an address.
	Named [2]uint64
}

// Turnover counts entries of one sort before and after, and whether they were in both:
// Before = Same + Gone, After = Same + New.
type Turnover struct {
	Before, After, Same, New, Gone uint64
	// Fates says how entries can have gone.
	Fates [NumFates]uint64
}

// Move is how many connections were in one state and are in another.
type Move struct {
	Protocol conn.Protocol
	// From and To mean nothing where the entries are New or Gone.
	From, To  conn.State
	New, Gone bool
	Count     uint64
	Fates     [NumFates]uint64 // of the gone
}

// Change is how many connections a group had and has.
type Change struct {
	Value         tally.Value
	Before, After uint64
}

// By is how large the change is, in either direction.
func (c *Change) By() uint64 { return max(c.Before, c.After) - min(c.Before, c.After) }

// Changes are groups by change, and what the others are together.
type Changes struct {
	All  []Change
	Cut  int // groups that are left out
	Rest Change
	// Beyond says that one of all, left out or not, is beyond what was asked for.
	Beyond bool
}

// Between is what is known of two listings beside their entries.
type Between struct {
	// Seconds is the time between them, Unknown where it is not known.
	Seconds conn.Seconds
	// Whole says that neither listing lacks entries.
	Whole   bool
	Dialect conn.Dialect
	// Timeouts are those before and after.
	Timeouts [2]conn.Timeouts
	// Top is how many groups are kept of each sort, 0 for all.
	Top int
	// Beyond says of a change whether it is, nil for never.
	Beyond func(before, after uint64) bool
}

// Compare compares two listings.
func Compare(before, after *Entries, b Between) *Diff {
	d := &Diff{Named: [2]uint64{before.named, after.named}}
	d.sum(match(before, after, &b), &b)
	d.Servers = changesOf(before.servers, after.servers, keeper{n: b.Top, beyond: b.Beyond})
	d.Networks = changesOf(before.networks, after.networks, keeper{n: b.Top})
	for _, g := range []*tally.Groups{before.servers, after.servers, before.networks, after.networks} {
		d.Undercount = max(d.Undercount, g.Undercount())
	}
	return d
}

// matched counts the entries of two listings by their classes: those in both by both, the others by
// their own, and what is gone by how.
type matched struct {
	before, after []class
	same          map[[2]uint32]uint64
	fresh         []uint64
	gone          [][NumFates]uint64
}

func match(before, after *Entries, b *Between) *matched {
	m := &matched{
		before: before.list, after: after.list,
		same: make(map[[2]uint32]uint64), fresh: make([]uint64, len(after.list)), gone: make([][NumFates]uint64, len(before.list)),
	}
	x := newMatching(before)
	for i := range after.n {
		r := after.at(i)
		if had, ok := x.take(r.key); ok {
			m.same[[2]uint32{had.class, r.class}]++
		} else {
			m.fresh[r.class]++
		}
	}
	for i := range before.n {
		if !x.isTaken(i) {
			r := before.at(i)
			m.gone[r.class][b.fate(&before.list[r.class], r.left)]++
		}
	}
	return m
}

// sum makes turnovers, moves, states and services of what was matched.
func (d *Diff) sum(m *matched, b *Between) {
	moves, states, services := moves{}, changes{}, changes{}
	count := func(c *class, before, after uint64) {
		if c.kind == conn.Connection {
			states.add(tally.Value{Protocol: c.protocol, State: c.state}, before, after)
			services.add(tally.Value{Protocol: c.protocol, Endpoint: c.virtual}, before, after)
		}
	}
	none := new([NumFates]uint64)
	for p, n := range m.same {
		from, to := &m.before[p[0]], &m.after[p[1]]
		t := d.turnover(to.kind)
		t.Before, t.After, t.Same = t.Before+n, t.After+n, t.Same+n
		count(from, n, 0)
		count(to, 0, n)
		moves.add(Move{Protocol: to.protocol, From: from.state, To: to.state}, to.kind, n, none)
	}
	for i, n := range m.fresh {
		c := &m.after[i]
		t := d.turnover(c.kind)
		t.After, t.New = t.After+n, t.New+n
		count(c, 0, n)
		moves.add(Move{Protocol: c.protocol, To: c.state, New: true}, c.kind, n, none)
	}
	for i := range m.gone {
		c, n := &m.before[i], uint64(0)
		for _, k := range m.gone[i] {
			n += k
		}
		t := d.turnover(c.kind)
		t.Before, t.Gone = t.Before+n, t.Gone+n
		addFates(&t.Fates, &m.gone[i])
		count(c, n, 0)
		moves.add(Move{Protocol: c.protocol, From: c.state, Gone: true}, c.kind, n, &m.gone[i])
	}
	d.Moves = moves.list()
	d.States, d.Services = states.top(keeper{beyond: b.Beyond}), services.top(keeper{n: b.Top, beyond: b.Beyond, changed: true})
}

// moves are counted by all that tells one from another.
type moves map[Move]*Move

func (all moves) add(m Move, kind conn.Kind, n uint64, fates *[NumFates]uint64) {
	if kind != conn.Connection || n == 0 {
		return
	}
	had := all[m]
	if had == nil {
		had = &Move{Protocol: m.Protocol, From: m.From, To: m.To, New: m.New, Gone: m.Gone}
		all[m] = had
	}
	had.Count += n
	addFates(&had.Fates, fates)
}

func (all moves) list() []Move {
	var list []Move
	for _, m := range all {
		list = append(list, *m)
	}
	slices.SortFunc(list, compareMoves)
	return list
}

func addFates(to, more *[NumFates]uint64) {
	for f, n := range more {
		to[f] += n
	}
}

// turnover is the one of a kind of entry.
func (d *Diff) turnover(k conn.Kind) *Turnover {
	if k == conn.Connection {
		return &d.Connections
	}
	return &d.Templates
}

func compareMoves(a, b Move) int {
	v := func(m *Move, s conn.State) *tally.Value { return &tally.Value{Protocol: m.Protocol, State: s} }
	order := func(m *Move) int {
		switch {
		case m.New:
			return 1
		case m.Gone:
			return 2
		}
		return 0
	}
	return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(order(&a), order(&b)),
		tally.CompareValues(v(&a, a.From), v(&b, b.From)), tally.CompareValues(v(&a, a.To), v(&b, b.To)))
}

// changes are the counts of groups before and after.
type changes map[tally.Value]*Change

func (c changes) add(v tally.Value, before, after uint64) {
	had := c[v]
	if had == nil {
		had = &Change{Value: v}
		c[v] = had
	}
	had.Before += before
	had.After += after
}

// top are those that changed most, as a keeper keeps them.
func (c changes) top(k keeper) Changes {
	for _, v := range c {
		if v.Before+v.After > 0 && (!k.changed || v.Before != v.After) {
			k.add(*v)
		}
	}
	return k.done()
}

// changesOf compares the connections of groups.
func changesOf(a, b *tally.Groups, k keeper) Changes {
	tally.Pairs(a, b, func(a, b *tally.Group) {
		if a.Connections != b.Connections {
			k.add(Change{a.Values[0], a.Connections, b.Connections})
		}
	})
	return k.done()
}

// keeper keeps the n greatest changes, 0 for all, in order.
type keeper struct {
	n       int
	changed bool // leave out what did not
	beyond  func(before, after uint64) bool
	Changes
}

// spare is how many more than twice as many as are kept a keeper gathers before it sorts them.
const spare = 1000

func (k *keeper) add(c Change) {
	k.Beyond = k.Beyond || k.beyond != nil && k.beyond(c.Before, c.After)
	k.All = append(k.All, c)
	if k.n > 0 && len(k.All)-spare > k.n && len(k.All)-spare-k.n >= k.n { // a sum of two n may not fit
		k.cut()
	}
}

// cut sorts the changes, and adds up those beyond the ones that are kept.
func (k *keeper) cut() {
	slices.SortFunc(k.All, compareChanges)
	if k.n == 0 || len(k.All) <= k.n {
		return
	}
	for _, c := range k.All[k.n:] {
		k.Cut++
		k.Rest.Before += c.Before
		k.Rest.After += c.After
	}
	k.All = k.All[:k.n]
}

func (k *keeper) done() Changes {
	k.cut()
	return k.Changes
}

func compareChanges(a, b Change) int {
	return cmp.Or(cmp.Compare(b.By(), a.By()), cmp.Compare(b.Before, a.Before), tally.CompareValues(&a.Value, &b.Value))
}
