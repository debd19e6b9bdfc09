package main

import (
	"slices"
	"time"

	"ipvsstate/internal/history"
	"ipvsstate/internal/render"
)

// add adds a snapshot to its director's trend, or to its log's if nothing tells the director. Of
// none there is nothing to add.
func (r *trendReading) add(d *datedPoint, in *trendInput) {
	if d == nil {
		return
	}
	at := d.point.Time
	r.mu.Lock()
	defer r.mu.Unlock()
	if d.backwards {
		r.backwards++
	}
	switch {
	case d.from == render.TimeUnknown, at.Year() < firstYear, at.Year() > lastYear:
		r.undated++
		return
	case r.options.host != "" && d.host != r.options.host:
		r.others.add(d.host)
		return
	case !r.since.IsZero() && at.Before(r.since), !r.until.IsZero() && at.After(r.until):
		r.leaveOut(at)
		return
	case d.host == "":
		if in.log == nil {
			in.log = r.unnamed.log(in.src.Name)
			in.log.open++
		}
		r.unnamed.add(in.log.whole(), d)
		return
	}
	if h := r.host(d.host); h != nil && h.Add(d.point) {
		h.note(d)
	}
}

// Years outside of these are told by damaged texts only. Of two times within a Duration holds what is between.
const (
	firstYear = 1970 // on clocks that have lost theirs
	lastYear  = 2199
)

// maxHosts is how many directors are told apart.
const maxHosts = 256

// host is a director's trend, nil if it is none of those that are followed. Of more than can be, these are the
// first by name, whatever is read first.
func (r *trendReading) host(name string) *trendHost {
	if h := r.hosts[name]; h != nil {
		return h
	}
	kept, without := r.names.add(name)
	r.crowded = r.crowded || !kept || without != ""
	delete(r.hosts, without)
	if !kept {
		return nil
	}
	r.hosts[name] = newTrendHost(name, r.options.interval.Duration)
	return r.hosts[name]
}

// firstNames are the first of some names, in their order.
type firstNames struct {
	names []string
	max   int
}

// add reports whether the name is one of them, and what is not any more.
func (f *firstNames) add(name string) (is bool, without string) {
	at, had := slices.BinarySearch(f.names, name)
	switch {
	case had:
		return true, ""
	case at == f.max:
		return false, ""
	case len(f.names) == f.max:
		without = f.names[f.max-1]
		f.names = f.names[:f.max-1]
	}
	f.names = slices.Insert(f.names, at, name)
	return true, without
}

// trendHost is a director's trend while it is read.
type trendHost struct {
	render.TrendHost
	zoned time.Time // the newest that tells no zone
}

func newTrendHost(name string, interval time.Duration) *trendHost {
	return &trendHost{TrendHost: render.TrendHost{Host: name, Trend: history.NewTrend(interval), Times: make(map[render.TimeFrom]int)}}
}

// note counts where the time of a snapshot is from.
func (h *trendHost) note(d *datedPoint) {
	h.Times[d.from]++
	if d.local {
		h.Local++
		h.zone(d.point.Time)
	}
	if d.yearless {
		h.Yearless++
	}
}

// zone has the zone of the newest snapshot, whatever is read first.
func (h *trendHost) zone(at time.Time) {
	if h.Zone == "" || at.After(h.zoned) {
		h.zoned, h.Zone = at, at.In(time.Local).Format("-07:00")
	}
}

// merge adds another trend of the director, which is not used any more.
func (h *trendHost) merge(o *trendHost) {
	h.Merge(o.Trend)
	for from, n := range o.Times {
		h.Times[from] += n
	}
	h.Local += o.Local
	h.Yearless += o.Yearless
	if o.Local > 0 {
		h.zone(o.zoned)
	}
}

// closeLog notes that no more is read of an input.
func (r *trendReading) closeLog(in *trendInput) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if in.log != nil {
		in.log.whole().open--
	}
}

// leaveOut counts what --since and --until leave out.
func (r *trendReading) leaveOut(at time.Time) {
	if r.outside++; at.After(r.newest) {
		r.newest = at
	}
}
