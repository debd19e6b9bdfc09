package main

import (
	"cmp"
	"time"

	"ipvsstate/internal/capture"
	"ipvsstate/internal/history"
	"ipvsstate/internal/render"
	"ipvsstate/internal/tally"
)

// trendInput is an input whose snapshots are being read.
type trendInput struct {
	src    *capture.Source
	number int
	before time.Time   // of the newest snapshot that told its own
	last   *datedPoint // which may yet get its time from elsewhere
	count  int         // snapshots
	log    *unnamedLog // nil as long as its snapshots tell their director
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
func (in *trendInput) date(p *history.Point, s *capture.Snapshot[*tally.Tally]) *datedPoint {
	in.count++
	p.Input = in.number
	d := &datedPoint{point: p, from: render.TimeUnknown, host: cmp.Or(s.Host, in.src.Host)}
	if s.Time.IsZero() {
		return d
	}
	d.from, d.local, d.yearless = render.TimeHeader, s.TimeLocal, s.TimeFrom == capture.TimeYearless
	p.Time = s.Time
	if s.TimeLocal && !s.Time.After(in.before) { // an hour that comes twice
		if later, ok := capture.Twice(s.Time, time.Local); ok && later.After(in.before) {
			p.Time = later
		}
	}
	d.backwards = p.Time.Before(in.before)
	in.before = p.Time
	return d
}

// dateLast gives the input's last snapshot its time if none stands in it: what the file's name
// tells, or when it was last written. Beside snapshots that tell theirs it is not that.
func (in *trendInput) dateLast() {
	if in.last == nil || !in.before.IsZero() {
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
