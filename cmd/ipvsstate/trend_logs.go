package main

import (
	"cmp"
	"path"
	"slices"
	"time"

	"ipvsstate/internal/capture"
	"ipvsstate/internal/history"
	"ipvsstate/internal/render"
)

// unnamedLogs are the snapshots of which nothing tells the director, by the log that they are from. In
// the end logs of which no two tell of one time are one series, as those are that were put aside
// day by day; others are perhaps of several directors, and stay series of their own.
type unnamedLogs struct {
	interval time.Duration
	known    *history.Known
	live     []*unnamedLog
	byName   map[string]*unnamedLog
	byInput  map[int]*unnamedLog // of snapshots that may be met again
	crowded  bool                // there were more than are told apart
}

// unnamedLog is a series of them.
type unnamedLog struct {
	render.TrendHost
	name, folder string
	open         int                 // inputs that are being read
	copies       map[*unnamedLog]int // snapshots that are not added since another log has them
	into         *unnamedLog         // that it has become a part of
}

// maxLogs is how many logs are told apart at a time.
const maxLogs = 64

func newUnnamedLogs(interval time.Duration) *unnamedLogs {
	return &unnamedLogs{interval: interval, known: history.NewKnown(), byName: make(map[string]*unnamedLog), byInput: make(map[int]*unnamedLog)}
}

// log is that of a path: files of one folder are of one log if their names differ in times and the like.
func (u *unnamedLogs) log(name string) *unnamedLog {
	folder := path.Dir(name) + "/"
	stem := path.Join(folder, capture.Stem(path.Base(name)))
	if l := u.byName[stem]; l != nil {
		return l.whole()
	}
	if len(u.live) >= maxLogs {
		u.fold()
		u.chain()
	}
	if len(u.live) >= maxLogs {
		u.crowded = true
		return u.live[len(u.live)-1]
	}
	return u.newLog(stem, folder)
}

func (u *unnamedLogs) newLog(name, folder string) *unnamedLog {
	l := &unnamedLog{name: name, folder: folder, copies: make(map[*unnamedLog]int)}
	l.Trend, l.Times = history.NewTrend(u.interval), make(map[render.TimeFrom]int)
	l.Known = u.known
	u.live = append(u.live, l)
	u.byName[name] = l
	return l
}

// whole is the log that l is a part of, itself if of none.
func (l *unnamedLog) whole() *unnamedLog {
	for l.into != nil {
		l = l.into
	}
	return l
}

// add adds a snapshot, unless it is a copy.
func (u *unnamedLogs) add(l *unnamedLog, d *datedPoint) {
	if input, copied := u.known.CopyOf(d.point); copied {
		l.Copies++
		if of := u.byInput[input]; of != nil {
			l.copies[of.whole()]++
		}
		return
	}
	u.byInput[d.point.Input] = l
	addTo(&l.TrendHost, d)
}

// merge makes a log a part of another.
func (u *unnamedLogs) merge(l, part *unnamedLog) {
	l.Merge(part.Trend)
	for from, n := range part.Times {
		l.Times[from] += n
	}
	l.Local, l.Yearless, l.Zone = l.Local+part.Local, l.Yearless+part.Yearless, cmp.Or(l.Zone, part.Zone)
	l.open += part.open
	for of, n := range part.copies {
		l.copies[of] += n
	}
	part.TrendHost, part.copies, part.into = render.TrendHost{}, nil, l
	u.live = slices.DeleteFunc(u.live, func(one *unnamedLog) bool { return one == part })
}

// fold makes one log of the single snapshots of a folder.
func (u *unnamedLogs) fold() {
	single := make(map[string][]*unnamedLog)
	for _, l := range u.live {
		if l.open == 0 && (l.Snapshots == 1 || l.name == l.folder) {
			single[l.folder] = append(single[l.folder], l)
		}
	}
	for folder, all := range single {
		if len(all) < 2 {
			continue
		}
		of := u.byName[folder]
		if of == nil {
			of = u.newLog(folder, folder)
		}
		for _, l := range all {
			if l != of {
				u.merge(of, l)
				delete(u.byName, l.name)
			}
		}
	}
}

// unite makes one log of those of which one has most of the other's snapshots.
func (u *unnamedLogs) unite() {
	for _, l := range slices.Clone(u.live) {
		for of, n := range l.copies {
			if of = of.whole(); of != l && l.into == nil && (l.Snapshots == 0 || 2*n >= min(l.Snapshots+l.Copies, of.Snapshots+of.Copies)) {
				u.merge(of, l)
			}
		}
	}
}

// chain makes one log of those that follow each other: where a log begins when one other has
// ended, or one other of its folder, it goes on with that.
func (u *unnamedLogs) chain() {
	all := slices.SortedFunc(slices.Values(u.live), func(a, b *unnamedLog) int {
		return cmp.Or(a.First.Compare(b.First), cmp.Compare(a.name, b.name))
	})
	var heads []*unnamedLog
	for _, l := range all {
		if l.open > 0 || l.Snapshots == 0 {
			continue
		}
		ended := slices.Clone(heads)
		ended = slices.DeleteFunc(ended, func(h *unnamedLog) bool { return !h.Last.Before(l.First) })
		if len(ended) > 1 {
			ended = slices.DeleteFunc(ended, func(h *unnamedLog) bool { return h.folder != l.folder })
		}
		if len(ended) == 1 {
			u.merge(ended[0], l)
		} else {
			heads = append(heads, l)
		}
	}
}

// settle gives the series that there are: one without a name, or several that are named by their logs.
func (u *unnamedLogs) settle() (all []render.TrendHost) {
	u.unite()
	u.fold()
	u.chain()
	slices.SortFunc(u.live, func(a, b *unnamedLog) int { return cmp.Compare(a.name, b.name) })
	for _, l := range u.live {
		if len(u.live) > 1 {
			l.Host = l.name
		}
		all = append(all, l.TrendHost)
	}
	return all
}
