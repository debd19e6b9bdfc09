package history

import (
	"math"
	"slices"
)

// series is a number at each of n snapshots, by sums of it in front of each, and of the products of
// places and what is above the average there.
type series struct {
	n, near       int
	average       float64
	sums, moments []float64
	squares       float64 // of the differences from the average
}

func newSeries(values []float64) *series {
	n := len(values)
	s := &series{n: n, near: max(1, int(nearSpan*float64(n))), sums: make([]float64, n+1), moments: make([]float64, n+1)}
	for i, v := range values {
		s.sums[i+1] = s.sums[i] + v
	}
	s.average = s.sums[n] / float64(n)
	for i, v := range values {
		v -= s.average
		s.moments[i+1] = s.moments[i] + v*float64(i)
		s.squares += v * v
	}
	return s
}

// mean is that of some snapshots, from one and up to in front of another.
func (s *series) mean(from, until int) float64 {
	return (s.sums[until] - s.sums[from]) / float64(until-from)
}

// at is a snapshot's.
func (s *series) at(i int) float64 { return s.mean(i, i+1) }

// median is theirs: of a change that takes a few snapshots it is the level all the same.
func (s *series) median(from, until int) float64 { return s.medianOf(from, until, 1) }

// medianOf is that of every few of them.
func (s *series) medianOf(from, until, every int) float64 {
	all := make([]float64, 0, (until-from)/every+1)
	for i := from; i < until; i += every {
		all = append(all, s.at(i))
	}
	slices.Sort(all)
	return (all[len(all)/2] + all[(len(all)-1)/2]) / 2
}

// above is the sum of what they have above the average.
func (s *series) above(from, until int) float64 {
	return s.sums[until] - s.sums[from] - s.average*float64(until-from)
}

// levels is how much of the squares three levels explain: one up to in front of from, one up to in
// front of until, and if that is not the end, one behind it.
func (s *series) levels(from, until int) float64 {
	part := func(i, k int) float64 {
		if i == k {
			return 0
		}
		sum := s.above(i, k)
		return sum * sum / float64(k-i)
	}
	return part(0, from) + part(from, until) + part(until, s.n)
}

// alongLine is how much of the squares this explains: one level up to from-1, a line to another level
// at until-1, and that level from there on. The rise is how much more the second level is.
func (s *series) alongLine(from, until int) (explained, rise float64) {
	first, last := from-1, until-1
	steps, behind := float64(last-first), float64(s.n-last)
	// The shape is 0 up to first, 1 from last, and grows evenly between: its sum, its sum of
	// squares, and its product with the series.
	sum := (steps-1)/2 + behind
	squares := (steps-1)*(2*steps-1)/(6*steps) + behind
	product := (s.moments[last]-s.moments[first]-float64(first)*s.above(first, last))/steps + s.above(last, s.n)
	variance := squares - sum*sum/float64(s.n)
	return product * product / variance, product / variance
}

// endsOfLine are the two levels of a line.
func (s *series) endsOfLine(f fit) (usual, level float64) {
	_, rise := s.alongLine(f.from, f.until)
	first, last := f.from-1, f.until-1
	usual = s.average - rise*(float64(last-first-1)/2+float64(s.n-last))/float64(s.n)
	return max(usual, 0), max(usual+rise, 0)
}

// fit is two places in a series, and how much of the squares is explained by what changes there.
type fit struct {
	from, until int
	explained   float64
}

// best has the two places for which most is explained. A series of up to maxPlaces is searched
// completely. In a longer one the ends of long spans are found roughly first, and then move to where
// most is explained; short ones, if they are wanted, are tried one by one, since they are lost between
// the places.
func (s *series) best(explained func(from, until int) float64, short bool) (most fit) {
	most.explained = math.Inf(-1)
	try := func(i, k int) {
		if e := explained(i, k); e > most.explained+1e-9*s.squares { // the first of equals: what lasts to the end
			most = fit{i, k, e}
		}
	}
	apart := (s.n + maxPlaces - 1) / maxPlaces
	for i := 1; i < s.n; i++ {
		try(i, s.n)
		for k := i + 1; short && k < min(i+apart, s.n); k++ {
			try(i, k)
		}
	}
	for i := apart; i < s.n; i += apart {
		for k := i + apart; k < s.n; k += apart {
			try(i, k)
		}
	}
	for before := (fit{}); most != before && apart > 1; {
		before = most
		for i := max(1, before.from-apart); i <= min(before.from+apart, before.until-1); i++ {
			try(i, before.until)
		}
		from := most.from
		for k := max(from+1, before.until-apart); k <= min(before.until+apart, s.n); k++ {
			try(from, k)
		}
	}
	return most
}

// noise is what is not explained, of a snapshot on average; of few snapshots it is not well known,
// and taken as more.
func (s *series) noise(explained float64) float64 {
	const fitted = 5 // three levels and two places
	left := float64(max(s.n-fitted, 1))
	return math.Sqrt(max(s.squares-explained, 0)/left) * (1 + 2/left)
}

// sudden is a span at whose beginning the level changes: of the two places of a fit the one that
// tells more, or if they are not both real, the one place that explains most. The level before it
// begins at earlier; from is 0 if nothing stands out.
func (s *series) sudden(steps fit) (earlier, from, until int) {
	from, until, explained := steps.from, steps.until, steps.explained
	if until < s.n {
		noise := s.noise(explained)
		starts := s.differ(0, from, until, noise)
		before, within, after := s.mean(0, from), s.mean(from, until), s.mean(until, s.n)
		ends := s.differ(from, until, s.n, noise) && math.Abs(after-within) >= endShare*math.Abs(within-before)
		begins, turns := starts && s.isSudden(0, from, until), ends && s.isSudden(from, until, s.n)
		first, second := size(before, within), size(within, after)
		if comesBack := (within > before) == (within > after); comesBack {
			second /= 2 // the two are one change, unless it goes much further than it came
		}
		switch {
		case turns && (!begins || second > first):
			return from, until, s.n
		case begins && ends:
			return 0, from, until
		}
	}
	if until < s.n {
		explained = 0
		for i := 1; i < s.n; i++ {
			if e := s.levels(i, s.n); e > explained {
				from, explained = i, e
			}
		}
	}
	if !s.differ(0, from, s.n, s.noise(explained)) || !s.isSudden(0, from, s.n) {
		return 0, 0, 0
	}
	return 0, from, s.n
}

// bump is a short span that stands out from the rise and fall of the day though that is as large, and
// behind which the number is about what it was; from is 0 if none does. What is slow is taken away first:
// the median of a time around each snapshot, to which a span of less than half of that time adds nothing.
func (s *series) bump() (from, until int) {
	if s.near < leastNear {
		return 0, 0
	}
	fast := s.without(s.near)
	if _, from, until = fast.sudden(fast.best(fast.levels, true)); from == 0 || until == s.n || until-from > s.near {
		return 0, 0
	}
	before, within, after := s.median(max(0, from-s.near), from), s.mean(from, until), s.median(until, min(until+s.near, s.n))
	if math.Abs(after-before) >= backShare*math.Abs(within-before) {
		return 0, 0
	}
	return from, until
}

// without is the series without what is slow, at its average: the median of half snapshots to each
// side. Those that have fewer on one side are at the average: there a slope would look like a bump.
func (s *series) without(half int) *series {
	values := make([]float64, s.n)
	apart := (s.n + maxPlaces - 1) / maxPlaces // one median does for so many
	for i := 0; i < s.n; i += apart {
		middle := min(i+apart/2, s.n-1)
		if middle < half || middle+half >= s.n {
			for k := i; k < min(i+apart, s.n); k++ {
				values[k] = s.average
			}
			continue
		}
		slow := s.medianOf(middle-half, middle+half+1, apart)
		for k := i; k < min(i+apart, s.n); k++ {
			values[k] = s.average + s.at(k) - slow
		}
	}
	return newSeries(values)
}

// beside is how many snapshots tell what is just before or behind a change.
func (s *series) beside() int { return max(s.near, leastBeside) }

// differ is whether the means in front of a place and behind it differ by more than noise.
func (s *series) differ(start, place, end int, noise float64) bool {
	a, b := s.mean(start, place), s.mean(place, end)
	fewer := float64(min(place-start, end-place))
	return counts(a, b) && math.Abs(a-b) >= noise*max(onsetNoise, loneNoise/math.Sqrt(fewer))
}

// isSudden is whether much of the difference of two means is there near the place between.
func (s *series) isSudden(start, place, end int) bool {
	all := s.mean(place, end) - s.mean(start, place)
	near := s.mean(place, min(place+s.near, end)) - s.mean(max(place-s.near, start), place)
	return near/all >= suddenShare
}

// line is where a gradual change begins and ends, if one explains the series clearly better than
// sudden changes, which have as many numbers to fit.
func (s *series) line(steps fit) (line fit, ok bool) {
	line = s.best(func(i, k int) float64 { e, _ := s.alongLine(i, k); return e }, false)
	left := s.squares - line.explained
	if line.until-line.from < leastLine || left >= lineLeft*(s.squares-steps.explained) {
		return line, false
	}
	usual, level := s.endsOfLine(line)
	return line, counts(usual, level) && math.Abs(level-usual) >= onsetNoise*s.noise(line.explained)
}
