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
	// sync_persist_mode is on, OldVersion that its sync_version is 0.
	Services      []conn.Service
	TemplatesOnly bool
	OldVersion    bool
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
