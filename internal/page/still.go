package page

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// The measures of a still picture, in pixels.
const (
	stillWidth  = 960
	stillHeight = 300
	stillLeft   = 72 // the room for the axis of values
	stillTop    = 20 // for the marks' letters
	stillBottom = 24 // for the axis of times
	stillRight  = 26
	stillMost   = 480 // times that are drawn
)

// still is a chart as it is without the script: a stacked picture, whatever form the
// chart has at first. Of many times it has the greatest total out of each stretch.
type still struct {
	Width, Height int
	Top, Bottom   int         // of what is drawn
	Areas         []stillPath // the topmost first: each covers those below it down to zero
	Lines         []stillLine // of the grid
	Marks         []stillMark
	Flags         []stillFlag
	Labels        []stillLabel
}

type stillPath struct {
	Index int
	Path  string
}

type stillLine struct{ X1, Y1, X2, Y2 int }

type stillMark struct {
	Class string
	X     int
}

// stillFlag names a mark, or several that stand too close for a flag each.
type stillFlag struct {
	Class       string // of the gravest
	X           int
	Text        text
	first, last int // of the marks
	half        int // of the width
}

type stillLabel struct {
	X, Y   int
	Anchor string
	Text   text
}

// stillScale places times and values.
type stillScale struct {
	from, span time.Duration // since the first time
	first      time.Time
	top        float64
}

func (s *stillScale) x(t time.Time) float64 {
	return stillLeft + (stillWidth-stillLeft-stillRight)*float64(t.Sub(s.first)+s.from)/float64(s.span)
}

func (s *stillScale) y(v float64) float64 {
	return stillHeight - stillBottom - (stillHeight-stillTop-stillBottom)*v/s.top
}

func newStill(c *TimeChart) *still {
	heights := stack(c)
	s := &stillScale{first: c.Times[0], span: c.Times[len(c.Times)-1].Sub(c.Times[0])}
	if s.span <= 0 { // a single time stands in the middle
		s.from, s.span = time.Minute, 2*time.Minute
	}
	top := 0.0
	for _, h := range heights {
		for _, v := range h {
			if !missing(v) {
				top = max(top, v)
			}
		}
	}
	step := max(1, nice(top/4)) // the values are counts
	s.top = step * math.Max(1, math.Ceil(top/step))
	pic := &still{Width: stillWidth, Height: stillHeight, Top: stillTop, Bottom: stillHeight - stillBottom}
	pic.axes(c, s, step)
	picks := pick(heights, len(c.Times))
	for i := len(heights) - 1; i >= 0; i-- {
		pic.Areas = append(pic.Areas, stillPath{i % palette, area(c, s, heights[i], picks)})
	}
	pic.marks(c, s)
	return pic
}

// marks draws the marks as lines, and flags above them.
func (pic *still) marks(c *TimeChart, s *stillScale) {
	for i, m := range c.inOrder() {
		v := m.view(i, Words{})
		pic.Marks = append(pic.Marks, stillMark{v.Class, int(math.Round(s.x(c.Times[c.at(m)])))})
		flag := pic.flag(i, i)
		for n := len(pic.Flags) - 1; n >= 0 && pic.Flags[n].X+pic.Flags[n].half >= flag.X-flag.half; n-- {
			flag = pic.flag(pic.Flags[n].first, i)
			pic.Flags = pic.Flags[:n]
		}
		pic.Flags = append(pic.Flags, flag)
	}
	slices.SortStableFunc(pic.Marks, func(a, b stillMark) int { // the gravest is drawn last
		return slices.Index(grave, b.Class) - slices.Index(grave, a.Class)
	})
}

// flag is the flag of the marks from one to another, which stand in order: as wide as its
// text and as what it is of.
func (pic *still) flag(first, last int) stillFlag {
	const character, margin = 8, 4
	from, to := pic.Marks[first], pic.Marks[last]
	f := stillFlag{Class: from.Class, X: (from.X + to.X) / 2, Text: letter(first), first: first, last: last}
	if first < last {
		f.Text += "–" + letter(last)
	}
	f.half = max(utf8.RuneCountInString(string(f.Text))*character, to.X-from.X)/2 + margin
	for _, m := range pic.Marks[first : last+1] {
		if slices.Index(grave, m.Class) < slices.Index(grave, f.Class) {
			f.Class = m.Class
		}
	}
	return f
}

// grave are the marks' classes, the gravest first.
var grave = []string{"critical", "warning", "notice", ""}

// stack adds every series to those before it. A gap stays one, and adds nothing to the
// series after it. What is negative has no height.
func stack(c *TimeChart) [][]float64 {
	sum := make([]float64, len(c.Times))
	heights := make([][]float64, len(c.Series))
	for i, s := range c.Series {
		heights[i] = make([]float64, len(c.Times))
		for k, v := range s.Values {
			if missing(v) {
				heights[i][k] = math.NaN()
				continue
			}
			sum[k] += max(0, v)
			heights[i][k] = sum[k]
		}
	}
	return heights
}

// pick chooses the times that are drawn: out of each stretch that of the greatest total,
// and the first that has none at all, so that no gap is lost.
func pick(heights [][]float64, times int) []int {
	stretch := (times + stillMost - 1) / stillMost
	var picks []int
	for from := 0; from < times; from += stretch {
		best, most, gap := -1, -1.0, -1
		for k := from; k < min(from+stretch, times); k++ {
			total := math.NaN()
			for _, h := range heights {
				if !missing(h[k]) {
					total = h[k] // the sum of all up to here
				}
			}
			switch {
			case math.IsNaN(total):
				if gap < 0 {
					gap = k
				}
			case total > most:
				best, most = k, total
			}
		}
		for _, k := range []int{min(best, gap), max(best, gap)} {
			if k >= 0 {
				picks = append(picks, k)
			}
		}
	}
	return picks
}

// area is the path of a series: a closed shape for each run between gaps. A run of one
// time is given some width.
func area(c *TimeChart, s *stillScale, heights []float64, picks []int) string {
	var b strings.Builder
	var run []int
	flush := func() {
		if len(run) == 0 {
			return
		}
		first, last := s.x(c.Times[run[0]]), s.x(c.Times[run[len(run)-1]])
		if len(run) == 1 {
			first, last = first-1, last+1
		}
		fmt.Fprintf(&b, "M%.1f %.1f", first, s.y(0))
		for _, k := range run {
			x := s.x(c.Times[k])
			if len(run) == 1 {
				fmt.Fprintf(&b, "V%.1fH%.1f", s.y(heights[k]), last)
				continue
			}
			fmt.Fprintf(&b, "L%.1f %.1f", x, s.y(heights[k]))
		}
		fmt.Fprintf(&b, "L%.1f %.1fZ", last, s.y(0))
		run = run[:0]
	}
	for _, k := range picks {
		if missing(heights[k]) {
			flush()
			continue
		}
		run = append(run, k)
	}
	flush()
	return b.String()
}

// axes draws the lines of the grid and what stands beside them.
func (pic *still) axes(c *TimeChart, s *stillScale, step float64) {
	for v := 0.0; v <= s.top+step/2; v += step {
		y := int(math.Round(s.y(v)))
		pic.Lines = append(pic.Lines, stillLine{stillLeft, y, stillWidth - stillRight, y})
		pic.Labels = append(pic.Labels, stillLabel{stillLeft - 8, y + 4, "end", number(v)})
	}
	last := c.Times[len(c.Times)-1]
	label := func(x int, anchor string, at text) {
		pic.Labels = append(pic.Labels, stillLabel{x, stillHeight - 6, anchor, at})
	}
	label(stillLeft, "start", clock(s.first))
	if !last.After(s.first) {
		return
	}
	label(stillWidth-stillRight, "end", clock(last))
	format, at := ticks(s.first, last)
	for _, t := range at {
		x := int(math.Round(s.x(t)))
		pic.Lines = append(pic.Lines, stillLine{x, stillTop, x, stillHeight - stillBottom})
		const room = 170 // for half a label, and the whole one at an end
		if x > stillLeft+room && x < stillWidth-stillRight-room {
			label(x, "middle", text(t.UTC().Format(format)))
		}
	}
}

// ticks are a few round times between two, and how they are written.
func ticks(first, last time.Time) (format string, at []time.Time) {
	const most, day = 8, 24 * time.Hour
	span := last.Sub(first)
	var step time.Duration
	for _, step = range []time.Duration{
		time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour,
		2 * time.Hour, 6 * time.Hour, 12 * time.Hour, day, 2 * day, 5 * day, 10 * day, 30 * day, 90 * day, 365 * day,
	} {
		if span <= most*step {
			break
		}
	}
	for span > most*step {
		step *= 2
	}
	switch {
	case step >= day:
		format = "2006-01-02"
	case span > day:
		format = "01-02 15:04"
	case step >= time.Minute:
		format = "15:04"
	default:
		format = "15:04:05"
	}
	for t := first.Truncate(step); !t.After(last); t = t.Add(step) {
		if t.After(first) {
			at = append(at, t)
		}
	}
	return format, at
}

// nice is the least of 1, 2 and 5 times a power of ten that is no less than v.
func nice(v float64) float64 {
	if v <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, f := range []float64{1, 2, 5} {
		if f*power >= v {
			return f * power
		}
	}
	return 10 * power
}
