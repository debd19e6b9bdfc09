package history

import (
	"cmp"
	"math"
	"slices"
	"time"

	"ipvsstate/internal/tally"
)

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
	// Onset is what changed most, nil if nothing stands out. Judged is false if there are too few
	// snapshots to say so.
	Onset  *Onset
	Judged bool
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
	greatest, changed, judged := onset(points, r.Step)
	r.Onset, r.Judged = greatest, judged
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
	2*time.Hour, 3*time.Hour, 12*time.Hour, 48*time.Hour, 72*time.Hour)

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
