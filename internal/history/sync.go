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
	Named               [2]uint64
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
	templatesOnly := about.templatesOnly()
	classes := make([]Coverage, len(master.list))
	var silences [tally.NumIdleRanges]Coverage
	x := newMatching(backup)
	for i := range master.n {
		r := master.at(i)
		c := &master.list[r.class]
		_, held := x.take(r.key)
		classes[r.class].add(held)
		if c.kind != conn.Connection {
			continue
		}
		silence := conn.Silence(about.Timeouts.Of(about.Dialect, c.protocol, c.state), r.left)
		if c.state == conn.Established {
			silences[tally.IdleRangeOf(silence)].add(held)
		}
		if !held {
			s.Missing[about.reason(c, r.left, silence, templatesOnly(c))]++
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
		states.add(tally.Value{Protocol: c.protocol, State: c.state}, n)
		if c.protocol == conn.UDP {
			s.Datagrams.join(n)
		}
		if c.state == conn.Established {
			s.Established.join(n)
			services.add(tally.Value{Protocol: c.protocol, Endpoint: c.virtual}, n)
		}
	}
	only := make(map[OnlyBackup]uint64)
	for i := range backup.n {
		c := &backup.list[backup.at(i).class]
		switch {
		case x.isTaken(i):
		case c.kind != conn.Connection:
			s.OnlyBackupTemplates++
		default:
			only[OnlyBackup{Protocol: c.protocol, State: c.state, Origin: c.origin}]++
		}
	}
	for o, n := range only {
		o.Count = n
		s.OnlyBackup = append(s.OnlyBackup, o)
	}
	slices.SortFunc(s.OnlyBackup, func(a, b OnlyBackup) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Origin, b.Origin),
			tally.CompareValues(&tally.Value{Protocol: a.Protocol, State: a.State}, &tally.Value{Protocol: b.Protocol, State: b.State}))
	})
	s.States, s.Services = states.list(byMaster), services.list(byMaster)
	for i := range silences {
		r := (i + 1) % len(silences) // the unknown last
		if n := silences[r]; n.Master > 0 {
			s.Silences = append(s.Silences, CoverageOf{tally.Value{Idle: tally.IdleRange(r)}, n})
		}
	}
	return s
}

// templatesOnly says of connections whether only their templates are sent. Those of a service
// of any port have another than it, and nothing ties one to a firewall mark.
func (about *Directors) templatesOnly() func(*class) bool {
	persistent, marked := make(map[[2]any]bool), false
	for i := range about.Services {
		v := &about.Services[i]
		if v.Fwmark != 0 {
			marked = marked || v.Persistent > 0
			continue
		}
		persistent[[2]any{v.Protocol, v.Virtual.Identity()}] = v.Persistent > 0
	}
	return func(c *class) bool {
		if !about.TemplatesOnly {
			return false
		}
		of := c.virtual
		is, known := persistent[[2]any{c.protocol, of}]
		if !known {
			of.Port, of.PortKnown, of.Service = 0, true, ""
			is, known = persistent[[2]any{c.protocol, of}]
		}
		return is || !known && marked
	}
}

// reason is why the backup can lack a connection.
func (about *Directors) reason(c *class, left, silence conn.Seconds, templatesOnly bool) Reason {
	sent := whenSent(c.protocol, c.state)
	switch {
	case sent == never:
		return NeverSent
	case templatesOnly:
		return TemplatesOnly
	case left != conn.Unknown && left <= slack+about.Apart:
		return RanOut
	case sent == withNext:
		return Closed
	case silence != conn.Unknown && silence <= slack-about.Apart:
		return MayBeNew
	case sent == atOnce:
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
		*map[conn.Origin]*uint64{conn.Local: &to.Local, conn.Sync: &to.Sync, conn.UnknownOrigin: &to.Unknown}[c.origin] += n
	}
	for _, b := range of {
		states = append(states, *b)
	}
	slices.SortFunc(states, func(a, b ByOrigin) int {
		return cmp.Or(cmp.Compare(b.Local+b.Sync+b.Unknown, a.Local+a.Sync+a.Unknown), tally.CompareValues(&a.Value, &b.Value))
	})
	return states, templates
}
