package history

import (
	"math"
	"slices"
	"time"
)

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
