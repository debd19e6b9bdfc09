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
// the end logs are one that have most of their snapshots in common, and those of which no two tell of one
// time, as those are that were put aside day by day; others are perhaps of several directors, and stay
// series of their own. It does not matter which of them is read first.
type unnamedLogs struct {
	interval time.Duration
	known    *history.Known[*held]
	live     []*unnamedLog
	byName   map[string]*unnamedLog
	empty    int  // snapshots without entries that wait
	shared   int  // of helds that are not a log's own
	crowded  bool // there were more than are told apart
}

// unnamedLog is a series of them.
type unnamedLog struct {
	name, folder string
	open         int // inputs that are being read
	first, last  time.Time
	snapshots    int // copies of other logs' too
	copies       int // of its own
	// held are the snapshots with entries, first those that no other log had before.
	held []*held
	full int // how many
	// empty are those without entries, which wait until it is known which logs are one: idle directors have
	// them at the same times, and so have copies.
	empty *history.Known[*datedPoint]
	// common counts snapshots with entries that another log has too.
	common map[*unnamedLog]int
	into   *unnamedLog // that it has become a part of
}

// held are snapshots of a log that the same other logs had before it. They count if it turns out that
// the log is none of those.
type held struct {
	trendHost
	log    *unnamedLog
	before *held   // what they were held as when the log met them, nil if no other had them
	then   []*held // by those that had them next
}

const (
	// maxLogs is how many logs are told apart at a time.
	maxLogs = 64
	// maxShared bounds what is held apart since several logs have it: of more, what has been met is a copy.
	maxShared = 64
	// maxEmpty bounds the snapshots without entries that wait.
	maxEmpty = 1 << 16
)

func newUnnamedLogs(interval time.Duration) *unnamedLogs {
	return &unnamedLogs{interval: interval, known: history.NewKnown[*held](), byName: make(map[string]*unnamedLog)}
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
	l := &unnamedLog{name: name, folder: folder, empty: history.NewKnown[*datedPoint](), common: make(map[*unnamedLog]int)}
	l.held = []*held{u.newHeld(l, nil)}
	u.live = append(u.live, l)
	u.byName[name] = l
	return l
}

func (u *unnamedLogs) newHeld(l *unnamedLog, before *held) *held {
	return &held{trendHost: *newTrendHost("", u.interval), log: l, before: before}
}

// whole is the log that l is a part of, itself if of none.
func (l *unnamedLog) whole() *unnamedLog {
	for l.into != nil {
		l = l.into
	}
	return l
}

// has reports that a log is among those that had the snapshots.
func (h *held) has(l *unnamedLog) bool {
	for ; h != nil; h = h.before {
		if h.log.whole() == l {
			return true
		}
	}
	return false
}

// add adds a snapshot, unless it is a copy.
func (u *unnamedLogs) add(l *unnamedLog, d *datedPoint) {
	if d.point.Entries == 0 {
		u.addEmpty(l, d)
		return
	}
	had, _ := u.known.Find(d.point)
	if had.has(l) {
		l.copies++
		return
	}
	for h := had; h != nil; h = h.before {
		of := h.log.whole()
		l.common[of]++
		of.common[l]++
	}
	l.full++
	l.meet(d.point.Time, d.point.Time, 1)
	next := l.held[0]
	if had != nil {
		if next = u.next(had, l); next == nil {
			l.copies++
			return
		}
	}
	u.known.Keep(d.point, next)
	next.Count(d.point)
	next.note(d)
}

// next are the snapshots that a log had next after others, nil if they are too many.
func (u *unnamedLogs) next(had *held, l *unnamedLog) *held {
	for _, h := range had.then {
		if h.log.whole() == l {
			return h
		}
	}
	if u.shared >= maxShared {
		return nil
	}
	u.shared++
	h := u.newHeld(l, had)
	had.then = append(had.then, h)
	l.held = append(l.held, h)
	return h
}

// addEmpty adds a snapshot without entries.
func (u *unnamedLogs) addEmpty(l *unnamedLog, d *datedPoint) {
	if _, copied := l.empty.Find(d.point); copied {
		l.copies++
		return
	}
	l.meet(d.point.Time, d.point.Time, 1)
	if u.empty >= maxEmpty {
		u.known.Forgotten++
		l.held[0].Count(d.point)
		l.held[0].note(d)
		return
	}
	u.empty++
	l.empty.Keep(d.point, d)
}

// meet makes a log reach to a first and a last of some snapshots.
func (l *unnamedLog) meet(first, last time.Time, snapshots int) {
	if l.snapshots == 0 || first.Before(l.first) {
		l.first = first
	}
	if l.snapshots == 0 || last.After(l.last) {
		l.last = last
	}
	l.snapshots += snapshots
}

// merge makes a log a part of another.
func (u *unnamedLogs) merge(l, part *unnamedLog) {
	if part.snapshots > 0 {
		l.meet(part.first, part.last, part.snapshots)
	}
	l.open += part.open
	l.copies += part.copies
	l.full += part.full - l.common[part]
	for of, n := range part.common {
		delete(of.common, part)
		if of != l {
			l.common[of] = max(l.common[of], n)
			of.common[l] = l.common[of]
		}
	}
	for d := range part.empty.All {
		if _, copied := l.empty.Find(d.point); copied {
			l.copies++
			u.empty--
		} else {
			l.empty.Keep(d.point, d)
		}
	}
	own := part.held[0]
	l.held[0].merge(&own.trendHost)
	own.trendHost = trendHost{}
	l.held = append(l.held, part.held[1:]...)
	part.into, part.held, part.common, part.empty = l, nil, nil, nil
	u.live = slices.DeleteFunc(u.live, func(one *unnamedLog) bool { return one == part })
}

// fold makes one log of the single snapshots of a folder.
func (u *unnamedLogs) fold() {
	single := make(map[string][]*unnamedLog)
	for _, l := range u.live {
		if l.open == 0 && (l.snapshots == 1 || l.name == l.folder) {
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
		of = of.whole() // which can have gone on with another
		for _, l := range all {
			if l != of {
				u.merge(of, l)
				delete(u.byName, l.name)
			}
		}
	}
}

// unite makes one log of those of which one has most of the other's snapshots, of the time that both tell of.
func (u *unnamedLogs) unite() {
	u.sort()
	for i := 0; i < len(u.live); i++ {
		l := u.live[i]
		for k := i + 1; k < len(u.live); k++ {
			of := u.live[k]
			if n := l.common[of]; n > 0 && 2*float64(n) >= min(l.beside(of), of.beside(l)) {
				u.merge(l, of)
				i, k = -1, len(u.live) // it may now have most of one that was looked at
			}
		}
	}
}

// beside is about how many of the snapshots with entries are of the time that another log tells of, too.
func (l *unnamedLog) beside(of *unnamedLog) float64 {
	first, last := l.first, l.last
	if first.Before(of.first) {
		first = of.first
	}
	if last.After(of.last) {
		last = of.last
	}
	if l.first.Equal(l.last) {
		return float64(l.full)
	}
	return float64(l.full) * float64(last.Sub(first)) / float64(l.last.Sub(l.first))
}

func (u *unnamedLogs) sort() {
	slices.SortFunc(u.live, func(a, b *unnamedLog) int { return cmp.Compare(a.name, b.name) })
}

// chain makes one log of those that follow each other: where a log begins when one other has
// ended, or one other of its folder, it goes on with that.
func (u *unnamedLogs) chain() {
	all := slices.SortedFunc(slices.Values(u.live), func(a, b *unnamedLog) int {
		return cmp.Or(a.first.Compare(b.first), cmp.Compare(a.name, b.name))
	})
	var heads []*unnamedLog
	for _, l := range all {
		if l.open > 0 || l.snapshots == 0 {
			continue
		}
		ended := slices.Clone(heads)
		ended = slices.DeleteFunc(ended, func(h *unnamedLog) bool { return !h.last.Before(l.first) })
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
	u.sort()
	for _, l := range u.live {
		h := l.sum()
		h.Known.Forgotten = u.known.Forgotten
		if len(u.live) > 1 {
			h.Host = l.name
		}
		all = append(all, h.TrendHost)
	}
	return all
}

// sum adds up what a log has, each snapshot once.
func (l *unnamedLog) sum() *trendHost {
	sum := &l.held[0].trendHost
	for _, h := range l.held[1:] {
		if h.before.has(l) {
			l.copies += h.Snapshots
		} else {
			sum.merge(&h.trendHost)
		}
	}
	for d := range l.empty.All {
		sum.Count(d.point)
		sum.note(d)
	}
	sum.Copies = l.copies
	return sum
}
