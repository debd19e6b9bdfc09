package history

import (
	"math"
	"slices"
)

// course is a change of a series that takes several snapshots: from the last that has the level before
// it to the first that has the one behind it.
type course struct {
	*series
	earlier     int // where the level before it begins
	first, last int
}

const (
	// A sudden change is on its way in up to onTheWay snapshots to each side of the place found, or a
	// nearSpan; as many tell the levels that it leads from and to. Of twice as many the noise is
	// told: a snapshot that is wayNoise times it off a level, and this share of it, is on the way.
	onTheWay = 8
	wayNoise = 4
	wayShare = 0.1
	// A step of this share of a change is the change.
	jumpShare = 0.75
	// A rise or a fall all along is this many times what comes by chance: few snapshots can be in order by chance.
	wholeNoise = 5
	// What hardly turns in all the time, by this share of what it rose or fell, rose or fell.
	turnShare = 0.15
	// endsShare is the share of that up to which its beginning and its end are flat.
	endsShare = 0.02
)

// usual is the level before the change, level that behind it.
func (c *course) usual() float64 {
	return c.median(max(c.earlier, c.first+1-onTheWay), c.first+1)
}

func (c *course) level() float64 { return c.median(c.last, min(c.last+onTheWay, c.n)) }

// further is how much further the change has come at b than at a.
func (c *course) further(a, b float64) float64 {
	if c.at(c.last) < c.at(c.first) {
		return a - b
	}
	return b - a
}

// left is whether a snapshot is no longer at the level before the change.
func (c *course) left(i int) bool {
	u := c.usual()
	return c.further(u, c.at(i)) > c.tolerance(u, max(c.earlier, c.first+1-2*onTheWay), c.first+1)
}

// coming is whether it is not yet at the level behind.
func (c *course) coming(i int) bool {
	l := c.level()
	return c.further(c.at(i), l) > c.tolerance(l, c.last, min(c.last+2*onTheWay, c.n))
}

// widen moves both ends outwards, by most snapshots each, to where the number is at its levels.
func (c *course) widen(most int) {
	for moved := 0; c.first > c.earlier && moved < most && c.left(c.first); moved++ {
		c.first--
	}
	for moved := 0; c.last < c.n-1 && moved < most && c.coming(c.last); moved++ {
		c.last++
	}
}

// narrow moves both ends inwards as long as the number is at its levels there.
func (c *course) narrow() {
	for c.first+1 < c.last && !c.left(c.first+1) {
		c.first++
	}
	for c.last-1 > c.first && !c.coming(c.last-1) {
		c.last--
	}
}

// courseOfLine is a change along a line, which goes on where it is a curve that the line does not follow.
func (s *series) courseOfLine(line fit) *course {
	c := &course{s, 0, line.from - 1, line.until - 1}
	c.widen(s.n)
	return c
}

// courseOf is the course of a sudden change, nil if that took a step only or went back. The place that
// was found for it can lie in the middle of it.
func (s *series) courseOf(steps fit, earlier, from, until int) *course {
	c := &course{s, earlier, from - 1, from}
	if steps.until < s.n && steps.until-steps.from <= s.beside() && (from == steps.from || from == steps.until) {
		before, within, after := s.mean(0, steps.from), s.mean(steps.from, steps.until), s.mean(steps.until, s.n)
		if (within-before)*(after-within) > 0 {
			c, until = &course{s, 0, steps.from - 1, steps.until}, s.n
		}
	}
	if until < s.n {
		return nil
	}
	c.widen(max(onTheWay, s.near))
	if c.narrow(); c.last-c.first == 1 {
		return nil
	}
	return c
}

// jump is the place of a step that is most of the change: then that was sudden, and what is beside it is noise.
func (c *course) jump() (at int, ok bool) {
	for i := c.first; i < c.last; i++ {
		if c.further(c.at(i), c.at(i+1)) >= jumpShare*c.further(c.usual(), c.level()) {
			return i + 1, true
		}
	}
	return 0, false
}

// oneWay is a rise or a fall that hardly turns in all the time, nil if the series is none.
func (s *series) oneWay() *course {
	all := s.at(s.n-1) - s.at(0)
	if math.Abs(all) < wholeNoise*math.Sqrt(max(s.at(0), s.at(s.n-1))) {
		return nil
	}
	furthest := math.Inf(-1)
	for i := range s.n {
		went := math.Copysign(s.at(i), all) // no number is negative
		if furthest = max(furthest, went); furthest-went > turnShare*math.Abs(all) {
			return nil
		}
	}
	c := &course{s, 0, 0, s.n - 1}
	for c.first < c.last-1 && math.Abs(s.at(c.first+1)-s.at(0)) <= endsShare*math.Abs(all) {
		c.first++
	}
	for c.last > c.first+1 && math.Abs(s.at(c.last-1)-s.at(s.n-1)) <= endsShare*math.Abs(all) {
		c.last--
	}
	return c
}

// tolerance is how far off a level a snapshot is by chance: by what the others are off the middle of their
// neighbours, and as what comes by chance varies.
func (s *series) tolerance(level float64, from, until int) float64 {
	var all []float64
	for i := from + 1; i < until-1; i++ {
		all = append(all, math.Abs(s.at(i-1)-2*s.at(i)+s.at(i+1)))
	}
	deviation := 0.0
	if len(all) > 0 {
		slices.Sort(all)
		deviation = all[len(all)/2] / 1.652 // the median of a normal distribution's, of deviation 1
	}
	return max(wayNoise*deviation, 2*math.Sqrt(level)+1, wayShare*level)
}
