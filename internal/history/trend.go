package history

import (
	"cmp"
	"hash/maphash"
	"math"
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
	// Input numbers what the snapshot was read from.
	Input int
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
	// Copies those that were not added since another input had them.
	Snapshots, Parts, Copies int
	First, Last              time.Time
	// Lost is how many connections, over all snapshots, are of groups beyond those that are
	// told apart.
	Lost uint64

	width   time.Duration // of a cell
	asked   time.Duration // of an interval, 0 for any
	cells   map[int64]*cell
	groups  []tally.Value
	groupOf map[tally.Value]int
	peaks   []Peak // of groups
	total   Peak
	events  map[Event]*Occurrence
	inputs  map[fingerprint]int // that snapshots were first met in
}

// fingerprint is equal for copies of a snapshot: a file and the same file in an archive. The time is
// in steps of two seconds, since zip archives keep no more; sum is the same in whatever order groups come.
type fingerprint struct {
	at                          int64
	connections, templates, sum uint64
}

func (p *Point) fingerprint() fingerprint {
	of := fingerprint{p.Time.Unix() >> 1, p.Connections, p.Templates, 0}
	for _, g := range p.Groups {
		of.sum += maphash.Comparable(seed, g)
	}
	return of
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
	// maxKnown is how many snapshots are known again: those of two years and a half, one every
	// five minutes.
	maxKnown = 1 << 18
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
		inputs: make(map[fingerprint]int),
	}
}

// Add adds a snapshot, unless it is a copy of one that came from another input.
func (t *Trend) Add(p *Point) (added bool) {
	if of := p.fingerprint(); len(t.inputs) < maxKnown {
		if input, ok := t.inputs[of]; ok && input != p.Input {
			t.Copies++
			return false
		}
		t.inputs[of] = p.Input
	}
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
	for len(t.cells) > maxCells || len(t.cells)*len(t.groups) > maxNumbers {
		if !t.widen() {
			break
		}
	}
	return true
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

// Interval is what the snapshots of a span of time have on average. One without snapshots
// is a gap.
type Interval struct {
	Start            time.Time
	Width            time.Duration
	Snapshots, Parts int
	// First and Last are the times of its first and its last snapshot.
	First, Last time.Time
	// Connections, Templates and Groups are means, of Groups in the order of Report.Groups;
	// what no group has is in none of them.
	Connections, Templates float64
	Groups                 []float64
}

// Group is one line of a trend.
type Group struct {
	Value tally.Value
	Mean  float64
	Peak  Peak
}

// Report is a trend as it is shown.
type Report struct {
	// Width is that of the intervals; Step the usual time between two snapshots, 0 for one
	// snapshot.
	Width, Step time.Duration
	Groups      []Group // the one that changed most, then those with most first
	Intervals   []Interval
	Peak        Peak
	// Onset is what changed most, nil if nothing did.
	Onset  *Onset
	Events []Occurrence
	// Gaps is how often no snapshot was taken for long. The longest such time, between two
	// snapshots, begins at GapStart and lasts for Gap.
	Gaps     int
	GapStart time.Time
	Gap      time.Duration

	order []int
}

// Cells is how many intervals there are at the finest.
func (t *Trend) Cells() int { return len(t.cells) }

// Report makes intervals of at least a width, at most n of them, or if n is 0 the finest
// there are; a gap of any length is one interval.
func (t *Trend) Report(width time.Duration, n int) *Report {
	r := &Report{Peak: t.total, Step: t.step()}
	order := make([]int, len(t.groups))
	sums, snapshots := make([]uint64, len(t.groups)), 0
	for _, c := range t.cells {
		snapshots += c.n
		for i, v := range c.groups {
			sums[i] += v
		}
	}
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(sums[b], sums[a]), tally.CompareValues(&t.groups[a], &t.groups[b]))
	})
	points := t.intervals(t.width, order[:min(len(order), onsetGroups)])
	changed := 0
	r.Onset, changed = onset(points)
	if changed > 0 { // what is told of it is to be seen too, in charts and tables of the first few
		first := order[changed]
		order = slices.Insert(slices.Delete(order, changed, changed+1), 0, first)
	}
	for _, i := range order {
		r.Groups = append(r.Groups, Group{t.groups[i], float64(sums[i]) / float64(max(snapshots, 1)), t.peaks[i]})
	}
	r.order = order
	for i := 1; i < len(points); i++ {
		start := points[i-1].Last
		if width := points[i].First.Sub(start); isGap(width, r.Step) {
			if r.Gaps++; width > r.Gap {
				r.GapStart, r.Gap = start, width
			}
		}
	}
	if r.Width = max(t.width, t.asked); n > 0 && t.asked == 0 {
		r.Width = t.reportWidth(max(width, r.Step), n)
	}
	r.Intervals = withGaps(t.intervals(r.Width, order), r.Step)
	for _, o := range t.events {
		r.Events = append(r.Events, *o)
	}
	slices.SortFunc(r.Events, func(a, b Occurrence) int {
		return cmp.Or(a.First.Compare(b.First), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Text, b.Text))
	})
	return r
}

// points are the numbers of the cells, in order.
func (t *Trend) points() []int64 {
	all := make([]int64, 0, len(t.cells))
	for n := range t.cells {
		all = append(all, n)
	}
	slices.Sort(all)
	return all
}

// step is the usual time between two snapshots, their median. Of those within a cell it is
// not known but on average; two in one second tell none.
func (t *Trend) step() time.Duration {
	type span struct {
		each  time.Duration
		times int
	}
	var all []span
	total := 0
	add := func(each time.Duration, times int) {
		if each > 0 && times > 0 {
			all = append(all, span{each, times})
			total += times
		}
	}
	var before *cell
	for _, n := range t.points() {
		c := t.cells[n]
		if before != nil {
			add(c.first.Sub(before.last), 1)
		}
		if c.n > 1 {
			add(c.last.Sub(c.first)/time.Duration(c.n-1), c.n-1)
		}
		before = c
	}
	slices.SortFunc(all, func(a, b span) int { return cmp.Compare(a.each, b.each) })
	for _, s := range all {
		if total -= 2 * s.times; total <= 0 {
			return s.each
		}
	}
	return 0
}

// niceWidths are those that a person reads easily.
var niceWidths = append(slices.Clone(widths), 30*time.Second, 2*time.Minute, 10*time.Minute, 30*time.Minute,
	2*time.Hour, 3*time.Hour, 12*time.Hour)

// reportWidth is the smallest nice width that is wide enough, and a multiple of the cells'.
func (t *Trend) reportWidth(least time.Duration, n int) time.Duration {
	all := slices.Sorted(slices.Values(niceWidths))
	for _, w := range all {
		if w < least || w%t.width != 0 {
			continue
		}
		if span := t.Last.Sub(t.First); span/w+1 <= time.Duration(n) {
			return w
		}
	}
	return all[len(all)-1]
}

// intervals makes intervals of cells, in order and without those that have no snapshot.
func (t *Trend) intervals(width time.Duration, order []int) []Interval {
	factor := int64(width / t.width)
	var all []Interval
	var sum *cell
	last := int64(0)
	flush := func() {
		if sum == nil {
			return
		}
		n := float64(sum.n)
		v := Interval{
			Start: time.Unix(last*int64(width/time.Second), 0).UTC(), Width: width, Snapshots: sum.n, Parts: sum.parts, First: sum.first, Last: sum.last,
			Connections: float64(sum.connections) / n, Templates: float64(sum.templates) / n, Groups: make([]float64, len(order)),
		}
		for i, g := range order {
			if g < len(sum.groups) {
				v.Groups[i] = float64(sum.groups[g]) / n
			}
		}
		all = append(all, v)
	}
	for _, n := range t.points() {
		at := n / factor
		if n < 0 && n%factor != 0 {
			at--
		}
		if sum == nil || at != last {
			flush()
			sum, last = &cell{}, at
		}
		sum.join(t.cells[n])
	}
	flush()
	return all
}

// Columns has n values of each of the first groups of a report, from the first snapshot to
// the last, for a chart: means, and NaN where there was no snapshot for long.
func (t *Trend) Columns(r *Report, groups, n int) [][]float64 {
	all := make([][]float64, min(groups, len(r.order)))
	for g := range all {
		all[g] = make([]float64, n)
		for i := range all[g] {
			all[g][i] = math.NaN()
		}
	}
	points := t.intervals(t.width, r.order[:len(all)])
	span := t.Last.Sub(t.First) + t.width
	column := func(at time.Time) int {
		return min(max(int(float64(at.Sub(t.First))/float64(span)*float64(n)), 0), n-1)
	}
	counts := make([]float64, n)
	for i := range points {
		from, to := column(points[i].Start), column(points[i].Start)
		// What a snapshot shows lasts until the next, unless that is far off.
		if i+1 < len(points) && float64(points[i+1].Start.Sub(points[i].Start)) < gapSteps*float64(max(r.Step, t.width)) {
			to = max(column(points[i+1].Start)-1, from)
		}
		for c := from; c <= to; c++ {
			counts[c]++
			for g := range all {
				if counts[c] == 1 {
					all[g][c] = 0
				}
				all[g][c] += (points[i].Groups[g] - all[g][c]) / counts[c]
			}
		}
	}
	return all
}

// gapSteps is how many times the usual time between snapshots makes a gap.
const gapSteps = 2.5

func isGap(between, step time.Duration) bool {
	return float64(between) >= gapSteps*float64(step) && between > 0
}

// withGaps puts an interval without snapshots where none were taken for long.
func withGaps(all []Interval, step time.Duration) []Interval {
	var out []Interval
	for i := range all {
		if i > 0 {
			end := all[i-1].Start.Add(all[i-1].Width)
			if missing := all[i].Start.Sub(end); missing > 0 && isGap(missing+all[i].Width, step) {
				out = append(out, Interval{Start: end, Width: missing})
			}
		}
		out = append(out, all[i])
	}
	return out
}

// Onset is the greatest change of a trend: what a group, or all connections, had on average
// outside of a span of time, and within it.
type Onset struct {
	All          bool // connections of any group, not of the first of Report.Groups
	Usual, Level float64
	From, Until  time.Time // the first and the last snapshot of the span
	// Lasts says that the span reaches to the last snapshot.
	Lasts bool
}

const (
	// leastPoints is how many snapshots it takes to tell a change from noise, and maxPoints
	// how many spans are looked at.
	leastPoints = 6
	maxPoints   = 384
	// A change counts if it is this many times the noise, and this share of the usual.
	onsetNoise = 3
	onsetShare = 0.2
	// leastChange is how many connections it has at least.
	leastChange = 10
	// onsetGroups is how many groups are looked at, those with most.
	onsetGroups = 64
)

// onset looks for the span of time in which a group differs most from the rest, and says which.
func onset(points []Interval) (best *Onset, group int) {
	// A torn listing looks like a fall.
	whole := slices.DeleteFunc(slices.Clone(points), func(p Interval) bool { return p.Parts > 0 })
	if 2*len(whole) > len(points) {
		points = whole
	}
	if len(points) < leastPoints {
		return nil, 0
	}
	per := (len(points) + maxPoints - 1) / maxPoints
	for g := range points[0].Groups {
		o := span(points, per, func(p *Interval) float64 { return p.Groups[g] })
		if o != nil && (best == nil || o.size() > best.size()) {
			best, group = o, g
		}
	}
	if best == nil { // of no group, but of all together
		if best = span(points, per, func(p *Interval) float64 { return p.Connections }); best != nil {
			best.All = true
		}
	}
	return best, group
}

// size orders changes: what has trebled tells more than what is a third less.
func (o *Onset) size() float64 {
	return math.Abs(o.Level-o.Usual) * math.Abs(math.Log((o.Level+1)/(o.Usual+1)))
}

// span is the span whose mean differs most from the rest's, by the sum of squares that it
// explains; nil if that is no more than noise.
func span(points []Interval, per int, value func(*Interval) float64) *Onset {
	n := (len(points) + per - 1) / per
	sums := make([]float64, n+1)
	y := make([]float64, n)
	for i := range n {
		part := points[i*per : min((i+1)*per, len(points))]
		for k := range part {
			y[i] += value(&part[k])
		}
		y[i] /= float64(len(part))
		sums[i+1] = sums[i] + y[i]
	}
	all, best, from, until := sums[n], 0.0, 0, 0
	for i := 1; i < n; i++ { // what is otherwise at the beginning changes at its end
		for k := i + 1; k <= n; k++ {
			in, out := float64(k-i), float64(n-(k-i))
			if k-i < 2 || 2*(k-i) > n && k < n || out < 2 { // most is what is usual; the end may go on
				continue
			}
			inside := (sums[k] - sums[i]) / in
			outside := (all - (sums[k] - sums[i])) / out
			if gain := (inside - outside) * (inside - outside) * in * out; gain > best {
				best, from, until = gain, i, k
			}
		}
	}
	if until == 0 {
		return nil
	}
	in, out := float64(until-from), float64(n-(until-from))
	o := &Onset{Level: (sums[until] - sums[from]) / in, Usual: (all - (sums[until] - sums[from])) / out}
	noise := 0.0
	for i, v := range y {
		mean := o.Usual
		if i >= from && i < until {
			mean = o.Level
		}
		noise += (v - mean) * (v - mean)
	}
	noise = math.Sqrt(noise / float64(n))
	by := math.Abs(o.Level - o.Usual)
	if by < leastChange || by < onsetNoise*noise || by < onsetShare*max(o.Usual, 1) {
		return nil
	}
	begin := turn(points, from*per, per, o.Usual, o.Level, value)
	o.From = points[begin].First
	end := len(points)
	if until < n {
		end = turn(points, until*per, per, o.Level, o.Usual, value)
	}
	o.Until = points[end-1].Last
	o.Lasts = until == n
	o.Level, o.Usual = levels(points, begin, end, value)
	return o
}

// levels are the means within some points and of the others.
func levels(points []Interval, begin, end int, value func(*Interval) float64) (within, outside float64) {
	for i := range points {
		if i >= begin && i < end {
			within += value(&points[i])
		} else {
			outside += value(&points[i])
		}
	}
	return within / float64(end-begin), outside / float64(len(points)-(end-begin))
}

// turn is the point near one at which the values turn from about a to about b.
func turn(points []Interval, near, within int, a, b float64, value func(*Interval) float64) int {
	from, to := max(0, near-within), min(len(points)-1, near+within)
	distance := func(i int, to float64) float64 { d := value(&points[i]) - to; return d * d }
	sum := 0.0
	for i := from; i <= to; i++ {
		sum += distance(i, b)
	}
	best, least := near, math.Inf(1)
	for i := from; i <= to; i++ { // the turn is in front of i
		if sum < least && i > 0 {
			best, least = i, sum
		}
		sum += distance(i, a) - distance(i, b)
	}
	return best
}
