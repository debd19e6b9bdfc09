package history

import (
	"slices"
	"time"

	"ipvsstate/internal/tally"
)

// Point is what is kept of one snapshot to follow it over time.
type Point struct {
	Time time.Time
	// Connections and Templates are all there are, and Groups the connections by what they
	// are followed by.
	Connections, Templates uint64
	Groups                 []GroupCount
	// Part says that the snapshot lacks entries.
	Part bool
	// Entries stands for the entries, 0 for none; Nth counts those before it in its input that
	// have the same time and entries: each of these is one, and of another input's a copy. Coarse
	// says that the time is known to two seconds only, as of a file in a zip archive.
	Entries Sum
	Nth     int32
	Coarse  bool
	// Events are what the rules found in the snapshot.
	Events []Event
}

// GroupCount is how many connections a group has.
type GroupCount struct {
	Value tally.Value
	Count uint64
}

// Event is a finding, which is the same as long as its text is.
type Event struct{ Severity, Code, Text string }

// Trend follows a director's snapshots, in memory that depends neither on how many they are
// nor on how many groups they have. Snapshots come in any order. It is not safe for
// concurrent use.
type Trend struct {
	// Snapshots counts those that were added, Parts those of them that lack entries, and
	// Copies those that were not added, since they had been.
	Snapshots, Parts, Copies int
	First, Last              time.Time
	// Lost is how many connections, over all snapshots, are of groups beyond those that are
	// told apart, LostEvents how many events are beyond them.
	Lost       uint64
	LostEvents int
	// Known knows those again that Add met.
	Known *Known[struct{}]

	width   time.Duration // of a cell
	asked   time.Duration // of an interval, 0 for any
	cells   map[int64]*cell
	groups  []tally.Value
	groupOf map[tally.Value]int
	peaks   []Peak // of groups
	total   Peak
	events  map[Event]*Occurrence
}

// cell adds up the snapshots of a span of time.
type cell struct {
	n                      int
	parts                  int
	first, last            time.Time
	connections, templates uint64
	groups                 []uint64
}

// Peak is the greatest number that was met, and when first.
type Peak struct {
	Count uint64
	At    time.Time
}

// Occurrence is an event that was met in some snapshots.
type Occurrence struct {
	Event
	Snapshots   int
	First, Last time.Time
}

const (
	// maxGroups is how many groups are told apart, and maxCells how many spans of time.
	maxGroups = 2048
	maxCells  = 1 << 14
	// maxNumbers bounds the two together.
	maxNumbers = 1 << 23
	// maxEvents is how many events are told apart.
	maxEvents = 1000
)

// widths are those of cells, each a multiple of the one before.
var widths = []time.Duration{
	time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute,
	time.Hour, 6 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 28 * 24 * time.Hour, 364 * 24 * time.Hour,
}

// NewTrend makes an empty trend, of intervals of a width, or of such as it takes if 0.
func NewTrend(width time.Duration) *Trend {
	return &Trend{
		width: widths[0], asked: width,
		cells: make(map[int64]*cell), groupOf: make(map[tally.Value]int), events: make(map[Event]*Occurrence),
		Known: NewKnown[struct{}](),
	}
}

// Add adds a snapshot, unless it is a copy of one that was added.
func (t *Trend) Add(p *Point) (added bool) {
	if _, copied := t.Known.Find(p); copied {
		t.Copies++
		return false
	}
	t.Known.Keep(p, struct{}{})
	t.Count(p)
	return true
}

// Count adds a snapshot of which is known that it is no copy.
func (t *Trend) Count(p *Point) {
	t.Snapshots++
	if p.Part {
		t.Parts++
	}
	if t.First.IsZero() || p.Time.Before(t.First) {
		t.First = p.Time
	}
	if p.Time.After(t.Last) {
		t.Last = p.Time
	}
	c := t.cellAt(t.number(p.Time))
	c.n++
	if p.Part {
		c.parts++
	}
	c.meet(p.Time, p.Time)
	c.connections += p.Connections
	c.templates += p.Templates
	t.total.meet(p.Connections, p.Time)
	for _, g := range p.Groups {
		n, ok := t.group(g.Value)
		if !ok {
			t.Lost += g.Count
			continue
		}
		for len(c.groups) <= n {
			c.groups = append(c.groups, 0)
		}
		c.groups[n] += g.Count
		t.peaks[n].meet(g.Count, p.Time)
	}
	for _, e := range p.Events {
		t.occur(e, p.Time)
	}
	t.bound()
}

// bound widens the cells before there are too many.
func (t *Trend) bound() {
	for len(t.cells) > maxCells || len(t.cells)*len(t.groups) > maxNumbers {
		if !t.widen() {
			break
		}
	}
}

func (p *Peak) meet(n uint64, at time.Time) {
	if n > p.Count || n == p.Count && (p.At.IsZero() || at.Before(p.At)) {
		*p = Peak{n, at}
	}
}

func (t *Trend) group(v tally.Value) (n int, ok bool) {
	n, ok = t.groupOf[v]
	if !ok && len(t.groups) < maxGroups {
		n, ok = len(t.groups), true
		t.groups = append(t.groups, v)
		t.groupOf[v] = n
		t.peaks = append(t.peaks, Peak{})
	}
	return n, ok
}

func (t *Trend) occur(e Event, at time.Time) {
	o := t.events[e]
	if o == nil {
		if len(t.events) >= maxEvents {
			t.LostEvents++
			return
		}
		o = &Occurrence{Event: e, First: at, Last: at}
		t.events[e] = o
	}
	o.Snapshots++
	if at.Before(o.First) {
		o.First = at
	}
	if at.After(o.Last) {
		o.Last = at
	}
}

// number is that of the cell that a time is in.
func (t *Trend) number(at time.Time) int64 {
	w := int64(t.width / time.Second)
	n := at.Unix() / w
	if at.Unix()%w < 0 {
		n--
	}
	return n
}

func (t *Trend) cellAt(n int64) *cell {
	c := t.cells[n]
	if c == nil {
		c = &cell{}
		t.cells[n] = c
	}
	return c
}

// widen makes cells of several. Those of intervals that were asked for are parts of them, or
// if that is too many, several.
func (t *Trend) widen() bool {
	next := 2 * t.width
	if t.asked == 0 || t.width < t.asked {
		i := slices.IndexFunc(widths, func(w time.Duration) bool { return w > t.width && (t.asked == 0 || t.asked%w == 0) })
		switch {
		case i >= 0:
			next = widths[i]
		case t.asked == 0:
			return false
		default:
			next = t.asked
		}
	}
	old, factor := t.cells, int64(next/t.width)
	t.width = next
	t.cells = make(map[int64]*cell)
	for n, c := range old {
		if n < 0 {
			n -= factor - 1
		}
		t.cellAt(n / factor).join(c)
	}
	return true
}

// meet makes a cell reach to a first and a last snapshot.
func (c *cell) meet(first, last time.Time) {
	if c.first.IsZero() || first.Before(c.first) {
		c.first = first
	}
	if last.After(c.last) || c.last.IsZero() {
		c.last = last
	}
}

func (c *cell) join(o *cell) {
	c.n += o.n
	c.parts += o.parts
	c.meet(o.first, o.last)
	c.connections += o.connections
	c.templates += o.templates
	for len(c.groups) < len(o.groups) {
		c.groups = append(c.groups, 0)
	}
	for i, n := range o.groups {
		c.groups[i] += n
	}
}
