package main

import (
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
	case d.from == render.TimeUnknown:
		r.undated++
		return
	case r.options.host != "" && d.host != r.options.host:
		r.others[d.host] = true
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
	h := r.hosts[d.host]
	if h == nil {
		h = &render.TrendHost{Host: d.host, Trend: history.NewTrend(r.options.interval.Duration), Times: make(map[render.TimeFrom]int)}
		r.hosts[d.host] = h
	}
	addTo(h, d)
}

// addTo adds a snapshot to a trend, and counts where its time is from.
func addTo(h *render.TrendHost, d *datedPoint) {
	if !h.Add(d.point) {
		return
	}
	h.Times[d.from]++
	if d.local {
		h.Local++
		if h.Zone == "" || d.point.Time.Equal(h.Last) { // the newest, whatever is read first
			h.Zone = d.point.Time.In(time.Local).Format("-07:00")
		}
	}
	if d.yearless {
		h.Yearless++
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
