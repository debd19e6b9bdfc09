package history

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Onset is the greatest change of a trend, of a group or of all connections. Either there was
// one number before it and suddenly another from then on, or it is gradual: the number rose or
// fell over several snapshots.
type Onset struct {
	All     bool // connections of any group, not of the first of Report.Groups
	Gradual bool
	// Usual is the median of the snapshots just before the change, at most a sixteenth of all or
	// three; Level is the mean from From until Until; After is the median just after it, or Level
	// if it lasts. Of a gradual change Usual and Level are the medians of a few snapshots where
	// it begins and where it ends, and After is Level.
	Usual, Level, After float64
	// From and Until are the first and the last snapshot that have Level; of a gradual change
	// the last that has Usual and the first that has Level.
	From, Until time.Time
	// Lasts says that Until is the last snapshot of all.
	Lasts bool
	// Before is the last snapshot before From if no snapshot was taken for long between the
	// two: the change began in that gap. Otherwise it is zero.
	Before time.Time
}

const (
	// leastPoints is how many snapshots it takes to tell a change from noise.
	leastPoints = 6
	// maxPlaces is how many places of a long series are tried as the beginning and the end of
	// a long span; short spans, and then the places around the best, are tried one by one.
	maxPlaces = 384
	// A change counts if it is this many times the noise, more if few snapshots have it (one
	// has to be loneNoise times the noise, four half of that), and this share of what was.
	onsetNoise = 3
	loneNoise  = 10
	onsetShare = 0.2
	// leastChange is how many connections it has at least.
	leastChange = 10
	// A change is sudden if this share of it is seen within two nearSpans of all snapshots: the
	// rise and fall of each day takes longer.
	suddenShare = 0.6
	nearSpan    = 1.0 / 16
	// A short span is a bump if the number is back behind it but for this share of it.
	backShare = 0.5
	// leastNear is the fewest snapshots to each side of one of which the median is what is slow.
	leastNear = 4
	// What is just before or behind a change is told by leastBeside snapshots, if there are so many
	// and a nearSpan is not more: one alone can be on the way.
	leastBeside = 3
	// A change lasts until the number goes this share of it on or back: a high number varies more
	// than the low one before it.
	endShare = 0.25
	// A line is told if it takes leastLine steps from one snapshot to the next, and leaves this share
	// of the variance that sudden changes leave unexplained. Of a straight line these leave a ninth,
	// so that it explains nine tenths.
	leastLine = 4
	lineLeft  = 0.5
	// onsetGroups is how many groups are looked at, those with most.
	onsetGroups = 64
)

// onset looks for the greatest change of any group, or if there is none, of all connections, and
// says of which group it is. step is the usual time between two snapshots. Judged is false if
// there are too few snapshots to tell a change.
func onset(points []Interval, step time.Duration) (best *Onset, group int, judged bool) {
	// A torn listing looks like a fall.
	whole := slices.DeleteFunc(slices.Clone(points), func(p Interval) bool { return p.Parts > 0 })
	if 2*len(whole) > len(points) {
		points = whole
	}
	if len(points) < leastPoints {
		return nil, 0, false
	}
	for g := range points[0].Groups {
		o := change(points, step, func(p *Interval) float64 { return p.Groups[g] })
		if o != nil && (best == nil || size(o.Usual, o.Level) > size(best.Usual, best.Level)) {
			best, group = o, g
		}
	}
	if best == nil {
		if best = change(points, step, func(p *Interval) float64 { return p.Connections }); best != nil {
			best.All = true
		}
	}
	return best, group, true
}

// size orders changes: what has trebled tells more than what is a third less.
func size(from, to float64) float64 {
	return math.Abs(to-from) * math.Abs(math.Log((to+1)/(from+1)))
}

// change is the greatest change of one number, nil if nothing stands out.
func change(points []Interval, step time.Duration, value func(*Interval) float64) *Onset {
	values := make([]float64, len(points))
	for i := range points {
		values[i] = value(&points[i])
	}
	s := newSeries(values)
	steps := s.best(s.levels, true)
	if line, ok := s.line(steps); ok {
		return s.courseOfLine(line).onset(points)
	}
	earlier, from, until := s.sudden(steps)
	o := s.onset(points, step, from, until)
	first, behind := s.bump()
	short := s.onset(points, step, first, behind)
	// A change that begins with a bump or behind it is that bump, and the day.
	if short != nil && (o == nil || first <= from && from <= behind || size(short.Usual, short.Level) > size(o.Usual, o.Level)) {
		return short
	}
	var c *course
	if o == nil {
		c = s.oneWay()
	} else {
		c = s.courseOf(steps, earlier, from, until)
	}
	if c == nil {
		return o
	}
	if at, ok := c.jump(); ok {
		return cmp.Or(s.onset(points, step, at, s.n), o)
	}
	return c.onset(points)
}

// onset is the change, nil if it is too small.
func (c *course) onset(points []Interval) *Onset {
	usual, level := c.usual(), c.level()
	if !counts(usual, level) {
		return nil
	}
	return &Onset{
		Gradual: true, Usual: usual, Level: level, After: level,
		From: points[c.first].Last, Until: points[c.last].Last, Lasts: c.last == c.n-1,
	}
}

// onset is the change from one place up to in front of another, nil if it is too small or from is 0.
func (s *series) onset(points []Interval, step time.Duration, from, until int) *Onset {
	if from == 0 {
		return nil
	}
	o := &Onset{
		Usual: s.median(max(0, from-s.beside()), from), Level: s.mean(from, until),
		From: points[from].First, Until: points[until-1].Last, Lasts: until == s.n,
	}
	if !counts(o.Usual, o.Level) {
		return nil
	}
	if o.After = o.Level; !o.Lasts {
		o.After = s.median(until, min(until+s.beside(), s.n))
	}
	if before := points[from-1].Last; isGap(o.From.Sub(before), step) {
		o.Before = before
	}
	return o
}

// counts is whether the change from one number to another is large enough to be told.
func counts(from, to float64) bool {
	by := math.Abs(to - from)
	return by >= leastChange && by >= onsetShare*max(from, 1)
}
