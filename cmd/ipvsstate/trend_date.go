package main

import (
	"cmp"
	"slices"
	"time"

	"ipvsstate/internal/capture"
	"ipvsstate/internal/history"
	"ipvsstate/internal/parse"
	"ipvsstate/internal/render"
)

// trendInput is an input whose snapshots are being read.
type trendInput struct {
	src   *capture.Source
	pace  pace            // of the snapshots that told their times
	last  *datedPoint     // which may yet get its time from elsewhere
	count int             // snapshots
	log   *unnamedLog     // nil as long as its snapshots tell their director
	alike map[alike]int32 // how many there were of each
	older map[alike]int32 // and before that
	rows  bool            // it begins with rows, behind no titles and no time
}

// datedPoint is a snapshot with where its time is from.
type datedPoint struct {
	point     *history.Point
	from      render.TimeFrom
	local     bool // its zone is not told
	yearless  bool
	host      string
	backwards bool // older than the one before it
}

// date gives a snapshot the time that stands in it.
func (in *trendInput) date(p *history.Point, s *capture.Snapshot[*trendTally]) *datedPoint {
	in.count++
	d := &datedPoint{point: p, from: render.TimeUnknown, host: cmp.Or(s.Host, in.src.Host)}
	if s.Time.IsZero() {
		return d
	}
	d.from, d.local, d.yearless = render.TimeHeader, s.TimeLocal, s.TimeFrom == capture.TimeYearless
	p.Time = s.Time
	if s.TimeLocal {
		p.Time = in.pace.moment(s.Time, time.Local)
	}
	d.backwards = p.Time.Before(in.pace.at)
	in.pace.meet(p.Time)
	p.Nth = in.nth(d)
	return d
}

// beginsWithin reports at the second of the input's snapshots that the first is what was cut off a listing: it has
// no titles, which the second has, and no time. Programs that put logs aside cut them in front of any row.
func (in *trendInput) beginsWithin(s *capture.Snapshot[*trendTally]) bool {
	titles := s.Header != parse.Auto
	if in.count == 1 {
		in.rows = !titles && s.Time.IsZero()
	}
	return in.count == 2 && in.rows && titles
}

// alike is what snapshots of an input have in common that look the same.
type alike struct {
	host    string
	second  int64
	entries history.Sum
}

// maxAlike bounds those that are known: what a clock tells again that was set back is near.
const maxAlike = 1 << 15

// nth counts the snapshots of the input that look the same.
func (in *trendInput) nth(d *datedPoint) int32 {
	if len(in.alike) >= maxAlike {
		in.alike, in.older = make(map[alike]int32), in.alike
	}
	key := alike{d.host, d.point.Time.Unix(), d.point.Entries}
	n := max(in.alike[key], in.older[key])
	in.alike[key] = n + 1
	return n
}

// pace is how an input's snapshots follow each other.
type pace struct {
	at        time.Time        // of the newest
	n, before int              // snapshots of that moment, and of the one before
	steps     [9]time.Duration // the last ones between two moments
	forward   int              // steps so far
}

// surePace is how many steps make one usual, be one of them a gap; fewer must lead there exactly.
const surePace = 3

// littleBack is how far clocks are set back that had gone wrong a little.
const littleBack = 5 * time.Minute

func (p *pace) meet(at time.Time) {
	if at.Equal(p.at) {
		p.n++
		return
	}
	if !p.at.IsZero() && at.After(p.at) {
		p.steps[p.forward%len(p.steps)] = at.Sub(p.at)
		p.forward++
	}
	p.at, p.before, p.n = at, p.n, 1
}

// moment is that of the next snapshot: of two at which clocks in loc show the same, of which t is the first, the one to which a
// usual step leads. Several snapshots of one moment are as many as those of the one before.
func (p *pace) moment(t time.Time, loc *time.Location) time.Time {
	later, ok := capture.Twice(t, loc)
	back := p.at.Sub(t)
	switch {
	case !ok, p.at.IsZero(), back == 0 && (p.forward == 0 || p.n < p.before), p.forward == 0 && back < littleBack:
		return t
	case p.forward == 0:
		return later
	}
	steps := slices.Sorted(slices.Values(p.steps[:min(p.forward, len(p.steps))]))
	step := steps[len(steps)/2]
	off := later.Sub(p.at.Add(step)).Abs()
	if off > t.Sub(p.at.Add(step)).Abs() || back < 0 && p.forward < surePace && off > step/100 {
		return t
	}
	return later
}

// dateLast gives the input's last snapshot its time if none stands in it: what the file's name
// tells, or when it was last written. Beside snapshots that tell theirs it is not that.
func (in *trendInput) dateLast() {
	if in.last == nil || !in.pace.at.IsZero() {
		in.settleHour()
		return
	}
	if t, local, ok := capture.LocalNameTime(in.src.Name, time.Local); ok && in.src.Kind == capture.File {
		in.last.point.Time, in.last.from, in.last.local = t, render.TimeName, local
		in.settleHour()
	} else if !in.src.Modified.IsZero() {
		in.last.point.Time, in.last.from = in.src.Modified, render.TimeMtime
		in.last.point.Coarse = in.src.Coarse
	}
}

// written is how near to a snapshot's time its file is written.
const written = 30 * time.Minute

// settleHour takes the input's only snapshot to be of the second of two hours in which clocks show the
// same, if the file was written then.
func (in *trendInput) settleHour() {
	if in.count != 1 || !in.last.local {
		return
	}
	later, ok := capture.Twice(in.last.point.Time, time.Local)
	if ok && in.src.Modified.Sub(later).Abs() < written {
		in.last.point.Time = later
	}
}
