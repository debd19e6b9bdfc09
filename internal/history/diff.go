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

// Fate is how an entry can have gone, as far as the time between tells.
type Fate uint8

// The fates.
const (
	// Unjudged is where the time between, or the time that was left, is not known, or a
	// listing is not whole.
	Unjudged Fate = iota
	// Expired is an entry that had no more time left than has passed: it needed nothing
	// but silence.
	Expired
	// Ended is one that had more: a packet shortened it (FIN, RST, or any where the timeouts
	// were lowered) or took its port for a new connection, or it was Removed.
	Ended
	// Removed is one that no timeout after a packet can have ended in that time: its service or
	// server was removed, the table flushed, the module loaded anew, or it is a template that was
	// invalidated. A packet can still have: a RST and a SYN from its port end it at once.
	Removed

	// NumFates is the number of fates.
	NumFates = int(Removed) + 1
)

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
	x := newMatching(before)
	type pair struct{ from, to uint32 }
	same := make(map[pair]uint64)
	fresh := make([]uint64, len(after.list))
	for i := range after.n {
		r := after.at(i)
		if had, ok := x.take(r.key); ok {
			same[pair{had.class, r.class}]++
		} else {
			fresh[r.class]++
		}
	}
	gone := make([][NumFates]uint64, len(before.list))
	for i := range before.n {
		if !x.isTaken(i) {
			r := before.at(i)
			gone[r.class][b.fate(&before.list[r.class], r.left)]++
		}
	}

	moves := make(map[Move]*Move)
	states, services := changes{}, changes{}
	count := func(c *class, before, after uint64) {
		if c.kind == conn.Connection {
			states.add(tally.Value{Protocol: c.protocol, State: c.state}, before, after)
			services.add(tally.Value{Protocol: c.protocol, Endpoint: c.virtual}, before, after)
		}
	}
	move := func(m Move, kind conn.Kind, n uint64, fates *[NumFates]uint64) {
		if kind != conn.Connection || n == 0 {
			return
		}
		had := moves[m]
		if had == nil {
			had = &Move{Protocol: m.Protocol, From: m.From, To: m.To, New: m.New, Gone: m.Gone}
			moves[m] = had
		}
		had.Count += n
		addFates(&had.Fates, fates)
	}
	none := new([NumFates]uint64)
	for p, n := range same {
		from, to := &before.list[p.from], &after.list[p.to]
		t := d.turnover(to.kind)
		t.Before, t.After, t.Same = t.Before+n, t.After+n, t.Same+n
		count(from, n, 0)
		count(to, 0, n)
		move(Move{Protocol: to.protocol, From: from.state, To: to.state}, to.kind, n, none)
	}
	for i, n := range fresh {
		c := &after.list[i]
		t := d.turnover(c.kind)
		t.After, t.New = t.After+n, t.New+n
		count(c, 0, n)
		move(Move{Protocol: c.protocol, To: c.state, New: true}, c.kind, n, none)
	}
	for i := range gone {
		c, n := &before.list[i], uint64(0)
		for _, k := range gone[i] {
			n += k
		}
		t := d.turnover(c.kind)
		t.Before, t.Gone = t.Before+n, t.Gone+n
		addFates(&t.Fates, &gone[i])
		count(c, n, 0)
		move(Move{Protocol: c.protocol, From: c.state, Gone: true}, c.kind, n, &gone[i])
	}
	for _, m := range moves {
		d.Moves = append(d.Moves, *m)
	}
	slices.SortFunc(d.Moves, compareMoves)
	d.States, d.Services = states.top(keeper{beyond: b.Beyond}), services.top(keeper{n: b.Top, beyond: b.Beyond, changed: true})
	d.Servers = changesOf(before.servers, after.servers, keeper{n: b.Top, beyond: b.Beyond})
	d.Networks = changesOf(before.networks, after.networks, keeper{n: b.Top})
	for _, g := range []*tally.Groups{before.servers, after.servers, before.networks, after.networks} {
		d.Undercount = max(d.Undercount, g.Undercount())
	}
	return d
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

// fate is how an entry that had some time left can have gone.
func (b *Between) fate(c *class, left conn.Seconds) Fate {
	if b.Seconds == conn.Unknown || left == conn.Unknown || !b.Whole {
		return Unjudged
	}
	closing, known := conn.Unknown, true
	if c.kind == conn.Connection {
		closing, known = b.closing(c.protocol)
	}
	switch {
	case left <= b.Seconds+slack:
		return Expired
	case closing != conn.Unknown && closing <= b.Seconds+slack, c.kind == conn.Connection && reusable(c.state):
		return Ended
	case !known:
		return Unjudged
	}
	return Removed
}

// reusable reports a state in which a new connection from the same port can go to another server, which
// ends the entry at once (is_new_conn_expected, net/netfilter/ipvs/ip_vs_core.c).
func reusable(s conn.State) bool {
	return s == conn.TimeWait || s == conn.Close || s == conn.FinWait || s == conn.Closed
}

// slack is for times in whole seconds, and for a table that is not read in one instant.
const slack conn.Seconds = 2

// closing is the shortest time that a packet leaves a connection, by the timeouts before or
// after; known is false where one of them is not.
func (b *Between) closing(p conn.Protocol) (least conn.Seconds, known bool) {
	least = conn.Unknown
	states := shortStates[p]
	known = len(states) > 0
	for i := range b.Timeouts {
		for _, s := range states {
			t := b.Timeouts[i].Of(b.Dialect, p, s)
			known = known && t != conn.Unknown
			if t != conn.Unknown && (least == conn.Unknown || t < least) {
				least = t
			}
		}
	}
	return least, known
}

// shortStates are, of those that packets lead to, the ones that can have the shortest timeout: what
// ipvsadm --set changes, and what a RST or an ABORT leads to. An association is refused in C-WAIT.
var shortStates = map[conn.Protocol][]conn.State{
	conn.TCP:  {conn.Established, conn.FinWait, conn.Close},
	conn.UDP:  {conn.UDPState},
	conn.SCTP: {stateOf("REJECTED"), conn.Closed},
}

func stateOf(word string) conn.State {
	s, _ := conn.StateOf(word)
	return s
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
