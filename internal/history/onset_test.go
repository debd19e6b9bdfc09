package history

import (
	"math/rand/v2"
	"testing"
	"time"

	"ipvsstate/internal/conn"
)

// TestTornListingsAreNoChange: where few snapshots lack entries they tell no fall.
func TestTornListingsAreNoChange(t *testing.T) {
	for _, part := range []bool{false, true} {
		trend := NewTrend(0)
		for i := range 100 {
			p := point(start.Add(time.Duration(i)*time.Minute), 1000, 0)
			if i >= 97 {
				p = point(p.Time, 30, 0)
				p.Part = part
			}
			trend.Add(p)
		}
		if got := trend.Report(0, 24).Onset; (got == nil) != part {
			t.Errorf("torn %v: %+v", part, got)
		}
	}
}

// TestOnsetLevel: the level of a change is that of its snapshots, be it one, and the usual one
// that of the others.
func TestOnsetLevel(t *testing.T) {
	for _, length := range []int{1, 2, 7} {
		for _, begin := range []int{1, 8, 12} {
			trend := NewTrend(0)
			for i := range 21 {
				n := uint64(10)
				if i >= begin && i < begin+length {
					n = 1000
				}
				trend.Add(point(start.Add(time.Duration(i)*5*time.Minute), 100, n))
			}
			got := trend.Report(0, 24).Onset
			if got == nil {
				t.Errorf("%d snapshots from %d: none is found", length, begin)
			} else if got.Level != 1000 || got.Usual != 10 || !got.From.Equal(start.Add(time.Duration(begin)*5*time.Minute)) {
				t.Errorf("%d snapshots from %d: %+v", length, begin, got)
			}
		}
	}
}

// TestOnset: a step, a bump and a fall are found with their times, noise is not.
func TestOnset(t *testing.T) {
	minute := func(i int) time.Time { return start.Add(time.Duration(i) * 5 * time.Minute) }
	flood := func(from, until int) func(i int, noise float64) (established, synRecv float64) {
		return func(i int, x float64) (float64, float64) {
			if i >= from && i < until {
				return 1000 + 50*x, 900 + 30*x
			}
			return 1000 + 50*x, 20 + 5*x
		}
	}
	tests := []struct {
		name  string
		n     int
		level func(i int, noise float64) (established, synRecv float64)
		want  *Onset // without levels
		of    conn.State
	}{
		{"noise", 300, func(_ int, x float64) (float64, float64) { return 1000 + 80*x, 30 + 5*x }, nil, conn.State{}},
		{"a step that lasts", 300, flood(220, 300), &Onset{From: minute(220), Until: minute(299), Lasts: true}, conn.SynRecv},
		{"a bump of a long series", 5000, flood(1111, 1234), &Onset{From: minute(1111), Until: minute(1233)}, conn.SynRecv},
		{"a fall", 100, func(i int, x float64) (float64, float64) {
			if i >= 60 {
				return 100 + 10*x, 20
			}
			return 1000 + 50*x, 20
		}, &Onset{From: minute(60), Until: minute(99), Lasts: true}, conn.Established},
		{"a step in the middle", 100, flood(50, 100), &Onset{From: minute(50), Until: minute(99), Lasts: true}, conn.SynRecv},
		{"a beginning that is otherwise", 100, flood(0, 10), &Onset{From: minute(10), Until: minute(99), Lasts: true}, conn.SynRecv},
		{"few snapshots", 5, func(i int, _ float64) (float64, float64) { return float64(1000 * i), 0 }, nil, conn.State{}},
		{"few connections", 100, func(i int, _ float64) (float64, float64) { return float64(1 + i/50), 0 }, nil, conn.State{}},
	}
	for _, tt := range tests {
		r := rand.New(rand.NewPCG(5, 5))
		trend := NewTrend(0)
		for i := range tt.n {
			e, s := tt.level(i, r.NormFloat64())
			trend.Add(point(minute(i), uint64(max(0, e)), uint64(max(0, s))))
		}
		report := trend.Report(0, 24)
		got := report.Onset
		if (got == nil) != (tt.want == nil) {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
			continue
		}
		if got == nil {
			continue
		}
		if report.Groups[0].Value.State != tt.of || !got.From.Equal(tt.want.From) || !got.Until.Equal(tt.want.Until) || got.Lasts != tt.want.Lasts {
			t.Errorf("%s: %+v of %v, want %+v", tt.name, got, report.Groups[0].Value.State, tt.want)
		}
	}
}

// TestGroupsOrder has a small group first because it changed most, and the others by size.
func TestGroupsOrder(t *testing.T) {
	trend := NewTrend(0)
	for i := range 20 {
		trend.Add(&Point{Time: start.Add(time.Duration(i) * time.Minute), Connections: 1000, Groups: []GroupCount{
			{stateValue(conn.Established), 700}, {stateValue(conn.FinWait), 200}, {stateValue(conn.SynRecv), uint64(1 + i/10*40)}, {stateValue(conn.Close), 60},
		}})
	}
	r := trend.Report(0, 0)
	want := []conn.State{conn.SynRecv, conn.Established, conn.FinWait, conn.Close}
	for i, g := range r.Groups {
		if g.Value.State != want[i] {
			t.Fatalf("group %d is %v, want %v", i, g.Value.State, want[i])
		}
		if v := r.Intervals[0].Groups[i]; v != []float64{1, 700, 200, 60}[i] {
			t.Errorf("%v has %v in the first interval", want[i], v)
		}
	}
	if columns := trend.Columns(r, 1, 10); columns[0][0] != 1 || columns[0][9] != 41 {
		t.Errorf("columns of the first group: %v", columns[0])
	}
}
