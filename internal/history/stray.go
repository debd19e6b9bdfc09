package history

import "time"

// Stray are snapshots far from all others, as those are that were taken with a wrong clock.
type Stray struct {
	Snapshots int
	First     time.Time // of them
	// Since is the first time of the others, where those lie behind; else it is zero and Until the last.
	Since, Until time.Time
}

// A tenth of the snapshots at most is stray, by a month at least, and by ten times what the others last.
const (
	strayShare = 10
	strayLeast = 30 * 24 * time.Hour
)

// Strays finds those before the others and behind them.
func (t *Trend) Strays() (all []Stray) {
	points := t.points()
	// far reports a gap too long for what is on its other side, of which the length is given.
	far := func(gap, others time.Duration) bool { return gap > strayLeast && gap/strayShare > others }
	before, behind := 0, 0
	for i := 1; i < len(points); i++ {
		a, b := t.cells[points[i-1]], t.cells[points[i]]
		before += a.n
		if before*strayShare > t.Snapshots {
			break
		}
		if end := t.withoutLast(points, i); far(b.first.Sub(a.last), end.Sub(b.first)) {
			all = append(all, Stray{Snapshots: before, First: t.First, Since: b.first})
			break
		}
	}
	for i := len(points) - 1; i > 0; i-- {
		a, b := t.cells[points[i-1]], t.cells[points[i]]
		behind += b.n
		if behind*strayShare > t.Snapshots {
			break
		}
		start := t.First
		if len(all) > 0 && !all[0].Since.IsZero() {
			start = all[0].Since
		}
		if far(b.first.Sub(a.last), a.last.Sub(start)) {
			all = append(all, Stray{Snapshots: behind, First: b.first, Until: a.last})
			break
		}
	}
	return all
}

// withoutLast is the last time of the cells from one on, without a last one that is far off itself.
func (t *Trend) withoutLast(points []int64, from int) time.Time {
	end, behind := t.Last, 0
	for i := len(points) - 1; i > from; i-- {
		if behind += t.cells[points[i]].n; behind*strayShare > t.Snapshots {
			break
		}
		if before := t.cells[points[i-1]].last; t.cells[points[i]].first.Sub(before) > strayLeast {
			end = before
		}
	}
	return end
}
