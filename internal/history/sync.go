package history

import (
	"cmp"
	"slices"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/tally"
)

// Sync says how many of a master's entries its backup would know if it took over.
type Sync struct {
	// Established are connections in ESTABLISHED, Datagrams those of UDP, which have one state;
	// Connections are those in any state.
	Established, Datagrams, Connections, Templates Coverage
	// States, Silences and Services divide the coverage up: of all connections by state, of
	// ESTABLISHED by how long no packet has passed, and by service.
	States   []CoverageOf
	Silences []CoverageOf
	Services []CoverageOf
	// Missing says why the backup can lack the master's connections.
	Missing [NumReasons]uint64
	// OnlyBackup are the connections of the backup that the master lacks, by state and
	// origin; OnlyBackupTemplates how many templates.
	OnlyBackup          []OnlyBackup
	OnlyBackupTemplates uint64
	// Unsent are the master's connections in states that are never sent, OnlyBackupUnsent those
	// that only the backup has.
	Unsent, OnlyBackupUnsent uint64
	Named                    [2]uint64
}

// Open are the connections that clients would miss: those in ESTABLISHED, and UDP's.
func (s *Sync) Open() Coverage {
	c := s.Established
	c.join(s.Datagrams)
	return c
}

// Coverage is how many entries the master has, and how many of them the backup has too.
type Coverage struct{ Master, Held uint64 }

func (c *Coverage) add(held bool) {
	c.Master++
	if held {
		c.Held++
	}
}

func (c *Coverage) join(o Coverage) {
	c.Master += o.Master
	c.Held += o.Held
}

// CoverageOf is the coverage of a group: Value has the fields of what it is divided by.
type CoverageOf struct {
	Value tally.Value
	Coverage
}

// Reason is why the backup can lack an entry, the first that applies.
type Reason uint8

// The reasons. BelowThreshold and MayBeNew can hide a fault, Lost is one, the others are none.
const (
	// NeverSent is a state in which nothing is sent.
	NeverSent Reason = iota
	// TemplatesOnly is a connection of a persistent service while sync_persist_mode is on.
	TemplatesOnly
	// RanOut is an entry that can have run out before the backup was read.
	RanOut
	// Closed is one that was refused or reset: that is sent with the client's next packet, and
	// there may be none.
	Closed
	// MayBeNew is one that had a packet when the backup was read, or later.
	MayBeNew
	// BelowThreshold is one in a state that is sent from the packet on that sync_threshold
	// names, and the table does not count packets: so many can be below it at the most.
	BelowThreshold
	// Lost is one that is closing in another way, by a packet of the client's or answered by
	// one: that is sent whatever the threshold is.
	Lost

	// NumReasons is the number of reasons.
	NumReasons = int(Lost) + 1
)

// OnlyBackup is how many connections in a state only the backup has.
type OnlyBackup struct {
	Protocol conn.Protocol
	State    conn.State
	Origin   conn.Origin
	Count    uint64
}

// Directors is what is known of a master and its backup beside their entries.
type Directors struct {
	// Apart is how much later the backup was read, below 0 if it was earlier. Where that is
	// not known it is 0: the two are meant to be of one moment.
	Apart    conn.Seconds
	Timeouts conn.Timeouts
	Dialect  conn.Dialect
	// Services are the master's, as far as they are known; TemplatesOnly says that its
	// sync_persist_mode is on.
	Services      []conn.Service
	TemplatesOnly bool
}

// CompareSync compares a master's entries with its backup's.
func CompareSync(master, backup *Entries, about Directors) *Sync {
	s := &Sync{Named: [2]uint64{master.named, backup.named}}
	ways := about.ways(master.list)
	classes := make([]Coverage, len(master.list))
	var silences [tally.NumIdleRanges]Coverage
	x := newMatching(backup)
	for i := range master.n {
		r := master.at(i)
		c, way := &master.list[r.class], &ways[r.class]
		_, held := x.take(r.key)
		classes[r.class].add(held)
		if c.kind != conn.Connection {
			continue
		}
		silence := conn.Silence(way.timeout, r.left)
		if c.state == conn.Established {
			silences[tally.IdleRangeOf(silence)].add(held)
		}
		if !held {
			s.Missing[way.reason(r.left, silence, about.Apart)]++
		}
	}
	states, services := coverages{}, coverages{}
	for i, n := range classes {
		c := &master.list[i]
		if c.kind != conn.Connection {
			s.Templates.join(n)
			continue
		}
		s.Connections.join(n)
		if ways[i].sending == never {
			s.Unsent += n.Master
		}
		states.add(tally.Value{Protocol: c.protocol, State: c.state}, n)
		if c.protocol == conn.UDP {
			s.Datagrams.join(n)
		}
		if c.state == conn.Established {
			s.Established.join(n)
			services.add(tally.Value{Protocol: c.protocol, Endpoint: c.virtual}, n)
		}
	}
	s.onlyOn(backup, x)
	s.States, s.Services = states.list(byMaster), services.list(byMaster)
	for i := range silences {
		r := (i + 1) % len(silences) // the unknown last
		if n := silences[r]; n.Master > 0 {
			s.Silences = append(s.Silences, CoverageOf{tally.Value{Idle: tally.IdleRange(r)}, n})
		}
	}
	return s
}

// onlyOn counts the backup's entries that the master lacks.
func (s *Sync) onlyOn(backup *Entries, x *matching) {
	counts := make([]uint64, len(backup.list))
	for i := range backup.n {
		if !x.isTaken(i) {
			counts[backup.at(i).class]++
		}
	}
	only := make(map[OnlyBackup]uint64)
	for i, n := range counts {
		c := &backup.list[i]
		switch {
		case n == 0:
			continue
		case c.kind != conn.Connection:
			s.OnlyBackupTemplates += n
			continue
		case whenSent(c.protocol, c.state) == never:
			s.OnlyBackupUnsent += n
		}
		only[OnlyBackup{Protocol: c.protocol, State: c.state, Origin: c.origin}] += n
	}
	for o, n := range only {
		o.Count = n
		s.OnlyBackup = append(s.OnlyBackup, o)
	}
	slices.SortFunc(s.OnlyBackup, func(a, b OnlyBackup) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Origin, b.Origin),
			tally.CompareValues(&tally.Value{Protocol: a.Protocol, State: a.State}, &tally.Value{Protocol: b.Protocol, State: b.State}))
	})
}

// way is how a class of the master's entries gets to the backup.
type way struct {
	sending       sending
	templatesOnly bool
	timeout       conn.Seconds
}

// ways are those of classes.
func (about *Directors) ways(classes []class) []way {
	find := about.services()
	all := make([]way, len(classes))
	for i := range classes {
		c := &classes[i]
		all[i] = way{sending: whenSent(c.protocol, c.state), timeout: about.Timeouts.Of(about.Dialect, c.protocol, c.state)}
		if about.TemplatesOnly {
			v, marked := find(c)
			all[i].templatesOnly = v != nil && v.Persistent > 0 || v == nil && marked
		}
	}
	return all
}

// services finds the service of a class: that of its address and port, or of any port. Nothing ties
// an entry to a firewall mark: marked says that it can be of a persistent one.
func (about *Directors) services() func(*class) (v *conn.Service, marked bool) {
	type key struct {
		protocol conn.Protocol
		virtual  conn.Endpoint
	}
	all, marked := make(map[key]*conn.Service), false
	for i := range about.Services {
		v := &about.Services[i]
		if v.Fwmark != 0 {
			marked = marked || v.Persistent > 0
			continue
		}
		all[key{v.Protocol, v.Virtual.Identity()}] = v
	}
	return func(c *class) (*conn.Service, bool) {
		k := key{c.protocol, c.virtual}
		if v := all[k]; v != nil {
			return v, marked
		}
		k.virtual.Port, k.virtual.PortKnown, k.virtual.Service = 0, true, ""
		return all[k], marked
	}
}

// reason is why the backup can lack a connection that was silent for so long and had so much time left.
func (w *way) reason(left, silence, apart conn.Seconds) Reason {
	switch {
	case w.sending == never:
		return NeverSent
	case w.templatesOnly:
		return TemplatesOnly
	case left != conn.Unknown && left <= slack+apart:
		return RanOut
	case w.sending == withNext:
		return Closed
	case silence != conn.Unknown && silence <= slack-apart:
		return MayBeNew
	case w.sending == atOnce:
		return Lost
	}
	return BelowThreshold
}

// sending is when a master sends an entry in a state.
type sending uint8

const (
	byThreshold sending = iota // with the packets that sync_threshold names
	never
	atOnce   // with the change to it, whatever sync_threshold is
	withNext // so too, but the change is by a server's packet, and goes with the client's next
)

// whenSent says when a master sends entries in a state: ip_vs_in_hook does it, for packets of clients,
// by ip_vs_sync_conn_needed and ip_vs_sync_conn (net/netfilter/ipvs/ip_vs_core.c and ip_vs_sync.c). States
// of other kernels are taken to be sent.
func whenSent(p conn.Protocol, s conn.State) sending {
	if p == conn.SCTP {
		switch name := s.String(); {
		case slices.Contains(sctpSetUp, name):
			return never
		case slices.Contains(sctpClosing, name):
			return atOnce
		case s == conn.Closed:
			return withNext
		}
		return byThreshold
	}
	if p != conn.TCP {
		return byThreshold
	}
	switch s {
	case conn.None, conn.SynSent, conn.SynRecv, conn.SynAck, conn.Listen, conn.LastAck:
		return never
	case conn.FinWait, conn.CloseWait, conn.TimeWait:
		return atOnce
	case conn.Close:
		return withNext
	}
	return byThreshold
}

// sctpClosing are the states of an SCTP association that is shut down.
var sctpClosing = []string{"S-SENT", "S-RECEIVED", "S-ACK-SENT"}

// sctpSetUp are the states of SCTP in which nothing is sent.
var sctpSetUp = []string{"NONE", "INIT1", "INIT", "C-SENT", "C-REPLIED", "C-WAIT", "COOKIE", "C-ECHOED", "REJECTED"}

// coverages are those of groups.
type coverages map[tally.Value]*Coverage

func (c coverages) add(v tally.Value, n Coverage) {
	had := c[v]
	if had == nil {
		had = new(Coverage)
		c[v] = had
	}
	had.join(n)
}

func (c coverages) list(compare func(a, b CoverageOf) int) []CoverageOf {
	all := make([]CoverageOf, 0, len(c))
	for v, n := range c {
		all = append(all, CoverageOf{v, *n})
	}
	slices.SortFunc(all, compare)
	return all
}

// byMaster puts those first of which the master has most.
func byMaster(a, b CoverageOf) int {
	return cmp.Or(cmp.Compare(b.Master, a.Master), tally.CompareValues(&a.Value, &b.Value))
}

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
