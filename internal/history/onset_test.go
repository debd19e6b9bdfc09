package history

import (
	"math"
	"math/rand/v2"
	"slices"
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

// shape is a number over time, and what is to be told of it. Places are shares of the whole time, of
// which the last snapshot's is 1.
type shape struct {
	name string
	// level has no noise; i of n.
	level func(i, n int) float64
	// want is nil if nothing is to be told.
	want func(n int) *told
}

// told is a change by the places of its first and its last snapshot.
type told struct {
	gradual             bool
	usual, level, after float64
	from, until         int
}

// share is a place, at least one of its own from both ends.
func share(of float64, n int) int { return min(max(int(math.Round(of*float64(n))), 1), n-1) }

// step has one level up to a place and another from there on.
func step(name string, before, after, place float64) shape {
	return shape{name, func(i, n int) float64 {
		if i < share(place, n) {
			return before
		}
		return after
	}, func(n int) *told { return &told{false, before, after, after, share(place, n), n - 1} }}
}

// bump has another level between two places, of at least one snapshot.
func bump(name string, usual, level, from, until float64) shape {
	ends := func(n int) (int, int) {
		i := min(share(from, n), n-2)
		return i, max(i+1, share(until, n))
	}
	return shape{name, func(i, n int) float64 {
		if from, until := ends(n); i >= from && i < until {
			return level
		}
		return usual
	}, func(n int) *told { i, k := ends(n); return &told{false, usual, level, usual, i, k - 1} }}
}

// ramp goes from one level to another between two places.
func ramp(name string, before, after, from, until float64) shape {
	ends := func(n int) (float64, float64) {
		return math.Round(from * float64(n-1)), math.Round(until * float64(n-1))
	}
	return shape{name, func(i, n int) float64 {
		a, b := ends(n)
		return before + (after-before)*min(max((float64(i)-a)/(b-a), 0), 1)
	}, func(n int) *told { a, b := ends(n); return &told{true, before, after, after, int(a), int(b)} }}
}

// silent is a shape of which nothing is told.
func silent(name string, level func(i, n int) float64) shape {
	return shape{name, level, func(int) *told { return nil }}
}

// wave rises and falls once in the whole time, or more often; it is at its mean and rising at phase 0.
func wave(name string, mean, height, times, phase float64) shape {
	return silent(name, func(i, n int) float64 {
		return mean + height*math.Sin(2*math.Pi*(times*float64(i)/float64(n)+phase))
	})
}

// late are shapes of the last or the first snapshots.
func late(name string, usual, level float64, first, behind int) shape {
	return shape{name, func(i, n int) float64 {
		if i >= n-first && i < n-behind {
			return level
		}
		return usual
	}, func(n int) *told {
		t := &told{false, usual, level, usual, n - first, n - behind - 1}
		if behind == 0 {
			t.after = level
		}
		return t
	}}
}

var shapes = []shape{
	step("a step up", 20, 300, 0.5),
	step("a step up, early", 20, 300, 0.1),
	step("a step up, late", 20, 300, 0.9),
	step("a step down", 1000, 100, 0.6),
	step("a step down to none", 200, 0, 0.3),
	step("a beginning that is otherwise", 300, 20, 0),
	bump("a bump of a tenth", 20, 600, 0.6, 0.7),
	bump("a bump of a third", 20, 600, 0.3, 0.63),
	bump("a bump of half", 20, 300, 0.25, 0.75),
	bump("a bump of six tenths", 20, 300, 0.2, 0.8),
	bump("a bump of more than half that ends late", 20, 300, 0.3, 0.85),
	bump("a bump of nine tenths", 20, 300, 0.05, 0.95),
	bump("a dip of a tenth", 800, 50, 0.4, 0.5),
	bump("a dip of six tenths", 800, 50, 0.2, 0.8),
	bump("a spike", 10, 200, 0.501, 0.501),
	bump("a small spike", 10, 60, 0.7, 0.7),
	bump("one snapshot of none", 300, 0, 0.35, 0.35),
	late("the last snapshot", 20, 500, 1, 0),
	late("the last three snapshots", 10, 200, 3, 0),
	late("two snapshots, and two behind", 10, 200, 4, 2),
	ramp("a rise all along", 100, 576, 0, 1),
	ramp("a fall all along", 900, 100, 0, 1),
	ramp("flat, then a rise", 100, 576, 0.5, 1),
	ramp("flat, a rise, flat", 100, 900, 0.3, 0.7),
	ramp("flat, a fall, flat", 900, 100, 0.2, 0.6),
	{"two steps up", func(i, n int) float64 {
		return []float64{100, 200, 400}[min(3*i/n, 2)]
	}, func(n int) *told { return &told{false, 200, 400, 400, (2*n + 2) / 3, n - 1} }},
	{"two steps down", func(i, n int) float64 {
		return []float64{400, 200, 100}[min(3*i/n, 2)]
	}, func(n int) *told { return &told{false, 400, 200, 100, (n + 2) / 3, (2*n+2)/3 - 1} }},
	{"a flood that half goes", func(i, n int) float64 {
		return []float64{20, 20, 600, 100, 100}[5*i/n]
	}, func(n int) *told { return &told{false, 20, 600, 100, (2*n + 4) / 5, (3*n+4)/5 - 1} }},
	{"a flood that grows a little", func(i, n int) float64 {
		return []float64{10, 10, 10, 600, 726}[5*i/n]
	}, func(n int) *told { return &told{false, 10, 663, 663, (3*n + 4) / 5, n - 1} }},
	{"a rise that falls back at once", func(i, n int) float64 {
		if i >= share(0.8, n) {
			return 100
		}
		return 300 + 300*float64(i)/float64(share(0.8, n))
	}, func(n int) *told {
		place := share(0.8, n)
		middle := float64(place) - float64(max(n/16, leastBeside)+1)/2
		return &told{false, 300 + 300*middle/float64(place), 100, 100, place, n - 1}
	}},
	silent("nothing", func(int, int) float64 { return 500 }),
	silent("none", func(int, int) float64 { return 0 }),
	silent("few more", func(i, n int) float64 { return 2 + 9*float64(2*i/n) }),
	silent("few more for once", func(i, n int) float64 { return 2 + 9*float64(max(0, 1-max(i-n/2, n/2-i))) }),
	silent("a tenth more", func(i, n int) float64 { return 1000 + 100*float64(2*i/n) }),
	silent("a tenth more, gradually", func(i, n int) float64 { return 1000 + 100*float64(i)/float64(n) }),
	silent("spikes again and again", func(i, _ int) float64 { return 10 + 50*float64(max(0, i%6-4)) }),
	silent("steps again and again", func(i, n int) float64 { return 100 + 100*float64(8*i/n%2) }),
	wave("a day, from its mean", 1000, 500, 1, 0),
	wave("a day, from its least", 1000, 900, 1, 0.75),
	wave("a day, from its most", 1000, 900, 1, 0.25),
	wave("a day, falling", 1000, 500, 1, 0.5),
	wave("a day and a quarter", 1000, 500, 1.25, 0.6),
	wave("two days", 1000, 800, 2, 0.1),
	wave("a week", 1000, 800, 7, 0.3),
}

// TestShapes is the specification of what is told: of each shape, over few and many snapshots,
// without noise and with some.
func TestShapes(t *testing.T) {
	for _, n := range []int{20, 100, 384, 385, 1440, 5000} {
		for _, noise := range []float64{0, 0.03} {
			for _, s := range shapes {
				want := s.want(n)
				r := rand.New(rand.NewPCG(uint64(n), 7))
				got := toldOf(n, func(i int) float64 { return s.level(i, n) * (1 + noise*r.NormFloat64()) })
				if !want.like(got, n, noise) {
					t.Errorf("%s, %d snapshots, noise %v: told %+v, want %+v", s.name, n, noise, got, want)
				}
			}
		}
	}
}

// TestCourse: of a change that takes a few snapshots the levels are told that it leads from and to, not
// what is on the way.
func TestCourse(t *testing.T) {
	flat := func(n int, level float64) []float64 { return slices.Repeat([]float64{level}, n) }
	doubling := []float64{20, 40, 80, 160, 320, 640, 1280}
	var uneven []float64
	for i := range 200 {
		uneven = append(uneven, float64(1000+i*37%23))
	}
	var grows, decays []float64
	for i := range 60 {
		grows = append(grows, 10*math.Pow(1.1, float64(i)))
	}
	for i := range 30 {
		decays = append(decays, 1000*math.Pow(0.85, float64(i)))
	}
	for _, tt := range []struct {
		values []float64
		want   *told
	}{
		{slices.Concat(flat(30, 300), []float64{150}, flat(29, 0)), &told{true, 300, 0, 0, 29, 31}},
		{slices.Concat(uneven, []float64{430}, flat(87, 22)), &told{true, 1011, 22, 22, 199, 201}},
		{slices.Concat(flat(30, 300), []float64{200, 100}, flat(28, 0)), &told{true, 300, 0, 0, 29, 32}},
		{slices.Concat(flat(30, 10), []float64{600}, flat(29, 1500)), &told{true, 10, 1500, 1500, 29, 31}},
		{slices.Concat(flat(30, 10), doubling, flat(23, 1500)), &told{true, 10, 1500, 1500, 29, 37}},
		{slices.Concat(flat(50, 10), doubling, []float64{2560, 5120, 9000}), &told{true, 10, 9000, 9000, 49, 59}},
		{slices.Concat([]float64{10}, doubling, flat(2, 2000)), &told{true, 20, 2000, 2000, 2, 8}},
		{slices.Concat([]float64{10}, doubling, flat(12, 2000)), &told{true, 20, 2000, 2000, 2, 8}},
		{[]float64{1353, 1079, 882, 728, 590, 514}, &told{true, 1353, 514, 514, 0, 5}},
		{slices.Concat(flat(10, 10), []float64{300}, flat(8, 800), []float64{400}, flat(10, 10)), &told{false, 10, 800, 10, 11, 18}},
		{slices.Concat(flat(20, 10), []float64{700}, flat(20, 10)), &told{false, 10, 700, 10, 20, 20}},
		// One step is most of it: what is beside it is noise.
		{slices.Concat(flat(11, 5), []float64{20, 18, 22}, flat(6, 500)), &told{false, 20, 500, 500, 14, 19}},
		{slices.Concat(flat(30, 1000), []float64{800}, flat(30, 10)), &told{false, 1000, 10, 10, 31, 60}},
		{slices.Concat(flat(7, 100), []float64{82}, flat(12, 1000)), &told{false, 100, 1000, 1000, 8, 19}},
		{[]float64{34, 41, 44, 47, 51, 53}, nil}, // in order by chance
		{decays, &told{true, 1000, 13, 13, 0, 24}},
		{grows, &told{true, 27.5, 2767, 2767, 14, 59}},
	} {
		n := len(tt.values)
		got := toldOf(n, func(i int) float64 { return tt.values[i] })
		if !tt.want.like(got, 1, 0) {
			t.Errorf("%.0f: told %+v, want %+v", tt.values, got, tt.want)
		}
	}
}

// toldOf is what is told of one group, counted once a minute.
func toldOf(n int, count func(i int) float64) *told {
	points := make([]Interval, n)
	for i := range points {
		at := start.Add(time.Duration(i) * time.Minute)
		points[i] = Interval{First: at, Last: at, Groups: []float64{math.Round(max(count(i), 0))}}
		points[i].Connections = points[i].Groups[0]
	}
	o, _, _ := onset(points, time.Minute)
	if o == nil {
		return nil
	}
	place := func(at time.Time) int { return int(at.Sub(start) / time.Minute) }
	return &told{o.Gradual, o.Usual, o.Level, o.After, place(o.From), place(o.Until)}
}

// like allows the levels a twentieth, and the ends of a line a twentieth of the whole time.
func (want *told) like(got *told, n int, noise float64) bool {
	if want == nil || got == nil {
		return want == got
	}
	level := func(a, b float64) bool { return math.Abs(a-b) <= 2+b/20 }
	places := 0
	if want.gradual {
		places = n / 20
	}
	place := func(a, b int) bool { return max(a-b, b-a) <= places }
	return got.gradual == want.gradual && level(got.usual, want.usual) && level(got.level, want.level) && level(got.after, want.after) &&
		place(got.from, want.from) && place(got.until, want.until)
}

// TestNoise: of noise a change is told in few series of a hundred, of however many snapshots.
func TestNoise(t *testing.T) {
	kinds := map[string]func(x float64, i, n int) float64{
		"even":            func(x float64, _, _ int) float64 { return 1000 + 300*x },
		"with high peaks": func(x float64, _, _ int) float64 { return 100 * math.Exp(x/2) },
		"on a wave":       func(x float64, i, n int) float64 { return 1000 + 80*x + 500*math.Sin(2*math.Pi*float64(i)/float64(n)) },
	}
	for kind, level := range kinds {
		for _, n := range []int{6, 7, 8, 10, 15, 20, 30, 60, 100} {
			const series = 300
			told := 0
			for seed := range uint64(series) {
				r := rand.New(rand.NewPCG(seed, uint64(n)))
				if toldOf(n, func(i int) float64 { return level(r.NormFloat64(), i, n) }) != nil {
					told++
				}
			}
			if told > series*4/100 {
				t.Errorf("noise %s: a change is told in %d of %d series of %d snapshots", kind, told, series, n)
			}
		}
	}
}

// TestChangeOfFewSnapshots: six are enough to see what no noise explains, and fewer are not judged.
func TestChangeOfFewSnapshots(t *testing.T) {
	for n := range 12 {
		trend := NewTrend(0)
		for i := range n {
			count := uint64(20)
			if i == n-1 {
				count = 500
			}
			trend.Add(point(start.Add(time.Duration(i)*5*time.Minute), count, 0))
		}
		r := trend.Report(0, 24)
		if got := r.Onset; r.Judged != (n >= leastPoints) || (got != nil) != r.Judged {
			t.Errorf("%d snapshots: judged %v, %+v", n, r.Judged, got)
		} else if got != nil && (got.Usual != 20 || got.Level != 500 || !got.Lasts || !got.From.Equal(got.Until)) {
			t.Errorf("%d snapshots: %+v", n, got)
		}
	}
}

// TestChangeOfTwoGroups: what is fifty times as much tells more than a greater number that is
// not twice as much.
func TestChangeOfTwoGroups(t *testing.T) {
	trend := NewTrend(0)
	for i := range 100 {
		e, s := uint64(1000), uint64(10)
		if i >= 30 {
			e = 1600
		}
		if i >= 60 {
			s = 500
		}
		trend.Add(point(start.Add(time.Duration(i)*time.Minute), e, s))
	}
	r := trend.Report(0, 24)
	if got := r.Onset; got == nil || r.Groups[0].Value.State != conn.SynRecv || got.Usual != 10 || got.Level != 500 || !got.From.Equal(start.Add(time.Hour)) {
		t.Errorf("%+v of %v", got, r.Groups[0].Value.State)
	}
}

// TestChangeInGap: what began while no snapshot was taken began between two.
func TestChangeInGap(t *testing.T) {
	at := func(i int) time.Time { return start.Add(time.Duration(i) * 5 * time.Minute) }
	for _, missing := range []int{0, 1, 2, 30} { // a gap is of 2.5 steps and more
		trend := NewTrend(0)
		for i := range 40 {
			trend.Add(point(at(i), 100, 10))
		}
		for i := 40 + missing; i < 100; i++ {
			trend.Add(point(at(i), 100, 400))
		}
		got := trend.Report(0, 24).Onset
		if got == nil || !got.From.Equal(at(40+missing)) || got.Before.IsZero() != (missing < 2) || missing >= 2 && !got.Before.Equal(at(39)) {
			t.Errorf("%d snapshots are missing: %+v", missing, got)
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

// TestBumpOnWave: an hour's incident is told though the day rises and falls as much.
func TestBumpOnWave(t *testing.T) {
	for _, n := range []int{100, 288, 1440, 5000} {
		for _, place := range []float64{0.1, 0.3, 0.45, 0.6, 0.75} {
			from := share(place, n)
			until := from + n/24
			r := rand.New(rand.NewPCG(uint64(n), 9))
			got := toldOf(n, func(i int) float64 {
				level := 400 + 250*math.Sin(2*math.Pi*(float64(i)/float64(n)+0.7))
				if i >= from && i < until {
					level *= 2
				}
				return level * (1 + 0.03*r.NormFloat64())
			})
			if got == nil || got.from != from || got.until != until-1 || got.level < 1.6*got.usual {
				t.Errorf("%d snapshots, %v of the day: told %+v, want %d to %d", n, place, got, from, until-1)
			}
		}
	}
}
