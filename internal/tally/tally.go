// Package tally counts entries: one pass, memory bounded by how many groups there
// are and never by how many entries. Entries come in, counts by state and by
// virtual service go out; tallies of parts of a table add up to the whole.
package tally

import (
	"ipvsstate/internal/conn"
)

const (
	// MaxServices is how many virtual services are counted one by one. The
	// largest directors known have a few thousand; a listing with more is counted
	// in full, the rest of its services together.
	MaxServices = 1 << 15

	// maxUnlisted bounds the states without a name here that are counted one by
	// one. What goes beyond is counted as a state that is not told.
	maxUnlisted = 64
	maxCells    = conn.NumKinds*conn.NumStates + maxUnlisted
)

// Tally is the count of a set of entries. It is not safe for concurrent use.
type Tally struct {
	groups []group
	short  shortTable
	index  []uint32 // open addressing over groups by hash; 0 is empty, else group+1
	// counts has a row of stride numbers for each group, one for each cell.
	counts []uint64
	stride int
	cells  []cell
	// cellOf finds a known state's cell, plus one.
	cellOf [conn.NumKinds][conn.NumStates]uint16
	others map[cell]uint16 // the cells of states without an index, plus one

	configured map[stateOf]timeouts
	left       [conn.NumProtocols][conn.NumStates]left
	origins    [conn.Sync + 1]uint64
	by         *Groups
	sample     *Sample
	skip       uint32 // entries until the sample looks at one

	seen       *Seen
	duplicates uint64
}

// Options say what is counted beside states and services.
type Options struct {
	// Seen makes an entry that it holds already a duplicate, counted as such only;
	// tallies of the same table share one.
	Seen *Seen
	// Plan says by what else entries are grouped.
	Plan *Plan
	// Sample asks for a sample of the entries.
	Sample *SamplePlan
}

// cell is what is counted within a group.
type cell struct {
	kind  conn.Kind
	state conn.State
}

// group is a virtual service. The group with no service holds what belongs to none:
// invalidated templates, and all beyond MaxServices.
type group struct {
	protocol conn.Protocol
	service  serviceKey
	hash     uint64
}

// stateOf is a state of a protocol.
type stateOf struct {
	protocol conn.Protocol
	state    conn.State
}

// timeouts is the range of the timeouts that the entries of a state show.
type timeouts struct{ least, most conn.Seconds }

// New makes an empty tally.
func New(o Options) *Tally {
	t := &Tally{seen: o.Seen}
	if o.Plan != nil {
		t.by = NewGroups(o.Plan)
	}
	if o.Sample != nil {
		t.sample, t.skip = NewSample(o.Sample), 1
	}
	return t
}

// Groups are the groups that were asked for, nil if none were.
func (t *Tally) Groups() *Groups { return t.by }

// Sample is the sample of the entries, nil if none was asked for.
func (t *Tally) Sample() *Sample { return t.sample }

// Synced is how many entries were received from another director's sync daemon.
func (t *Tally) Synced() uint64 { return t.origins[conn.Sync] }

// Reset empties the tally and keeps its memory.
func (t *Tally) Reset() {
	clear(t.index)
	t.short.reset()
	t.groups = t.groups[:0]
	t.counts = t.counts[:0]
	t.cells = t.cells[:0]
	clear(t.cellOf[:])
	clear(t.others)
	t.duplicates = 0
	clear(t.configured)
	t.resetLeft()
	clear(t.origins[:])
	if t.by != nil {
		t.by.Reset()
	}
	if t.sample != nil {
		t.sample.Reset()
		t.skip = 1
	}
}

// Add counts an entry. It does not keep it.
func (t *Tally) Add(e *conn.Entry) { t.Count(e) }

// Count counts an entry, and reports whether it did: a duplicate is counted as such
// only.
func (t *Tally) Count(e *conn.Entry) bool {
	if t.seen != nil && !t.seen.Add(e) {
		t.duplicates++
		return false
	}
	kind := e.Kind()
	c := t.cellOf[kind][e.State.Index()]
	if c == 0 || e.State.Index() == 0 {
		c = t.newCell(cell{kind, e.State})
	}
	g := t.groupOf(e, kind)
	t.counts[g*t.stride+int(c)-1]++
	t.origins[e.Origin]++
	if kind == conn.Connection {
		t.addLeft(e)
		if e.Timeout != conn.Unknown {
			t.addTimeout(stateOf{e.Protocol, e.State}, timeouts{e.Timeout, e.Timeout})
		}
	}
	if t.by != nil {
		t.by.Add(e, kind)
	}
	if t.skip--; t.skip == 0 && t.sample != nil {
		t.skip = t.sample.turn(e)
	}
	return true
}

// CountDuplicate notes an entry that is not to be counted, since it has been.
func (t *Tally) CountDuplicate() { t.duplicates++ }

// Merge adds all that o has counted.
func (t *Tally) Merge(o *Tally) {
	var cells [maxCells]int
	for i, c := range o.cells {
		cells[i] = int(t.newCell(c)) - 1
	}
	for i := range o.groups {
		g := t.find(&o.groups[i])
		from := o.counts[i*o.stride:][:len(o.cells)]
		to := t.counts[g*t.stride:][:t.stride]
		for k, n := range from {
			to[cells[k]] += n
		}
	}
	for k, v := range o.configured {
		t.addTimeout(k, v)
	}
	t.duplicates += o.duplicates
	t.mergeLeft(o)
	for i, n := range o.origins {
		t.origins[i] += n
	}
	if t.by != nil {
		t.by.Merge(o.by)
	}
	if t.sample != nil {
		t.sample.Merge(o.sample)
	}
}

func (t *Tally) addTimeout(k stateOf, v timeouts) {
	if t.configured == nil {
		t.configured = make(map[stateOf]timeouts)
	}
	if had, ok := t.configured[k]; ok {
		v = timeouts{min(v.least, had.least), max(v.most, had.most)}
	}
	t.configured[k] = v
}

// newCell finds or makes a cell and returns its number plus one.
func (t *Tally) newCell(c cell) uint16 {
	if i := c.state.Index(); i != 0 {
		if n := t.cellOf[c.kind][i]; n != 0 {
			return n
		}
	} else if n := t.others[c]; n != 0 {
		return n
	}
	unlisted := c.state.Index() == 0
	if untold := (cell{kind: c.kind}); unlisted && c != untold && len(t.others) >= maxUnlisted-conn.NumKinds {
		return t.newCell(untold)
	}
	t.cells = append(t.cells, c)
	n := uint16(len(t.cells))
	if !unlisted {
		t.cellOf[c.kind][c.state.Index()] = n
	} else {
		if t.others == nil {
			t.others = make(map[cell]uint16)
		}
		t.others[c] = n
	}
	if len(t.cells) > t.stride {
		t.widen()
	}
	return n
}

// widen makes room for more cells in every group's row.
func (t *Tally) widen() {
	wider := max(16, 2*t.stride)
	counts := make([]uint64, len(t.groups)*wider, max(len(t.groups), 16)*wider)
	for g := range t.groups {
		copy(counts[g*wider:], t.counts[g*t.stride:][:t.stride])
	}
	t.counts, t.stride = counts, wider
}
