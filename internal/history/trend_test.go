package history

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/tally"
)

var start = time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)

func stateValue(s conn.State) tally.Value { return tally.Value{Protocol: conn.TCP, State: s} }

func point(at time.Time, established, synRecv uint64) *Point {
	return &Point{Time: at, Entries: Sum(established<<32 + synRecv), Connections: established + synRecv, Groups: []GroupCount{{stateValue(conn.Established), established}, {stateValue(conn.SynRecv), synRecv}}}
}

// TestTrendMeans adds snapshots in any order and counts intervals otherwise.
func TestTrendMeans(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 3))
		trend := NewTrend(0)
		n := 2 + r.IntN(3000)
		step := time.Duration(1+r.IntN(600)) * time.Second
		type snapshot struct {
			at   time.Time
			e, s uint64
		}
		var all []snapshot
		for i := range n {
			all = append(all, snapshot{start.Add(time.Duration(i) * step), r.Uint64N(1000), r.Uint64N(50)})
		}
		r.Shuffle(n, func(i, j int) { all[i], all[j] = all[j], all[i] })
		for _, s := range all {
			trend.Add(point(s.at, s.e, s.s))
		}
		report := trend.Report(0, 20)
		if len(report.Intervals) > 20 {
			t.Errorf("seed %d: %d intervals", seed, len(report.Intervals))
		}
		seen, peak := 0, Peak{}
		for _, s := range all {
			peak.meet(s.e, s.at)
		}
		for _, v := range report.Intervals {
			var e, c, k float64
			for _, s := range all {
				if !s.at.Before(v.Start) && s.at.Before(v.Start.Add(v.Width)) {
					e, c, k = e+float64(s.e), c+float64(s.e+s.s), k+1
				}
			}
			seen += v.Snapshots
			if int(k) != v.Snapshots || k > 0 && (math.Abs(v.Groups[0]-e/k) > 1e-6 || math.Abs(v.Connections-c/k) > 1e-6) {
				t.Fatalf("seed %d: interval %+v has %v snapshots, mean %v of %v", seed, v, k, e/k, c/k)
			}
		}
		if seen != n || trend.Snapshots != n {
			t.Errorf("seed %d: %d of %d snapshots are in intervals", seed, seen, n)
		}
		if report.Groups[0].Peak != peak {
			t.Errorf("seed %d: peak %v, want %v", seed, report.Groups[0].Peak, peak)
		}
		if n > 10 && report.Step != step {
			t.Errorf("seed %d: step %v, want %v", seed, report.Step, step)
		}
	}
}

// TestTrendIsBounded: neither snapshots nor groups make it grow without end, and nothing is
// lost without being said.
func TestTrendIsBounded(t *testing.T) {
	trend := NewTrend(0)
	const n, groups = 40000, 3000
	sum := uint64(0)
	for i := range n {
		p := &Point{Time: start.Add(time.Duration(i) * time.Minute)}
		for k := range 3 {
			g := (i*3 + k) % groups
			p.Groups = append(p.Groups, GroupCount{tally.Value{Endpoint: conn.Endpoint{Port: uint16(g), PortKnown: true}}, 5})
			p.Connections += 5
		}
		sum += p.Connections
		trend.Add(p)
	}
	if len(trend.cells)*len(trend.groups) > maxNumbers || len(trend.groups) > maxGroups {
		t.Errorf("%d cells of %d groups", len(trend.cells), len(trend.groups))
	}
	got := trend.Lost
	for _, c := range trend.cells {
		for _, v := range c.groups {
			got += v
		}
	}
	if got != sum {
		t.Errorf("%d connections, %d were added", got, sum)
	}
}

// TestGaps: where no snapshot was taken for long there is one interval that says so.
func TestGaps(t *testing.T) {
	trend := NewTrend(0)
	for i := range 100 {
		if i < 40 || i >= 64 {
			trend.Add(point(start.Add(time.Duration(i)*5*time.Minute), 100, 1))
		}
	}
	gaps := 0
	report := trend.Report(0, 100)
	for i, v := range report.Intervals {
		if v.Snapshots == 0 {
			gaps++
			if v.Width != 24*5*time.Minute || !v.Start.Equal(start.Add(200*time.Minute)) {
				t.Errorf("the gap is %+v", v)
			}
		}
		if i > 0 && !report.Intervals[i-1].Start.Add(report.Intervals[i-1].Width).Equal(v.Start) {
			t.Errorf("interval %d does not follow that before it", i)
		}
	}
	if gaps != 1 || report.Width != 5*time.Minute {
		t.Errorf("%d gaps, intervals of %v", gaps, report.Width)
	}
}

// TestJoinedSnapshotsKeepTheirTimes: where a long series is kept in wider cells, a gap and a
// change are still told by the times of snapshots.
func TestJoinedSnapshotsKeepTheirTimes(t *testing.T) {
	trend := NewTrend(0)
	at := func(i int) time.Time { return start.Add(time.Duration(i)*5*time.Minute + 7*time.Second) }
	const n, gap, step = 40000, 20000, 30000
	for i := range n {
		if i > gap && i < gap+1000 {
			continue
		}
		trend.Add(point(at(i), 100, uint64(10+i/step*900)))
	}
	r := trend.Report(0, 24)
	if trend.width < 10*time.Minute {
		t.Fatalf("nothing was joined: %v", trend.width)
	}
	if r.Gaps != 1 || !r.GapStart.Equal(at(gap)) || r.Gap != at(gap+1000).Sub(at(gap)) {
		t.Errorf("%d gaps, the longest %v from %v", r.Gaps, r.Gap, r.GapStart)
	}
	if o := r.Onset; o == nil || !o.From.Equal(at(step)) || !o.Until.Equal(at(n-1)) {
		t.Errorf("the change is %+v, it began %v", r.Onset, at(step))
	}
}

// TestCopies: a snapshot that another input has too counts once; two of one input are two.
func TestCopies(t *testing.T) {
	trend := NewTrend(0)
	add := func(minute int, synRecv uint64, nth int32, want bool) {
		t.Helper()
		p := point(start.Add(time.Duration(minute)*time.Minute), 100, synRecv)
		p.Nth = nth
		if got := trend.Add(p); got != want {
			t.Errorf("minute %d: added %v", minute, got)
		}
	}
	add(0, 5, 0, true)
	add(0, 5, 1, true)
	add(1, 5, 0, true)
	add(0, 5, 0, false)
	add(0, 6, 0, true)
	add(0, 5, 1, false)
	if trend.Snapshots != 4 || trend.Copies != 2 {
		t.Errorf("%d snapshots, %d copies", trend.Snapshots, trend.Copies)
	}
}

// TestSum: a snapshot's entries make the same in any order and with any time left, others do not, be it in one field.
func TestSum(t *testing.T) {
	base := conn.Entry{Protocol: conn.TCP, State: conn.Established, Client: endpoint(1, 40001), Virtual: endpoint(2, 443), Server: endpoint(3, 443)}
	entries := []conn.Entry{base}
	with := func(change func(*conn.Entry)) {
		e := base
		change(&e)
		entries = append(entries, e)
	}
	unlisted, _ := conn.StateOf("LIMBO")
	other, _ := conn.ProtocolOf("L2TP")
	six := conn.Endpoint{Addr: netip.MustParseAddr("2001:db8::1"), Port: 40001, PortKnown: true}
	with(func(e *conn.Entry) { e.Protocol = conn.UDP })
	with(func(e *conn.Entry) { e.Protocol = other })
	with(func(e *conn.Entry) { e.State = conn.SynRecv })
	with(func(e *conn.Entry) { e.State = unlisted })
	with(func(e *conn.Entry) { e.State = conn.State{} })
	with(func(e *conn.Entry) { e.Client.Port++ })
	with(func(e *conn.Entry) { e.Virtual.Port++ })
	with(func(e *conn.Entry) { e.Server.Port++ })
	with(func(e *conn.Entry) { e.Client, e.Server = e.Server, e.Client })
	with(func(e *conn.Entry) { e.Virtual, e.Server = e.Server, e.Virtual })
	with(func(e *conn.Entry) { e.Client = six })
	with(func(e *conn.Entry) { e.Client = six; e.Client.Port++ })
	with(func(e *conn.Entry) { e.Client = six; e.Client.PortKnown, e.Client.Port = false, 0 })
	with(func(e *conn.Entry) { e.Client = conn.Endpoint{Host: "web1", Port: 40001, PortKnown: true} })
	with(func(e *conn.Entry) { e.Client = conn.Endpoint{Host: "web1", Service: "odd"} })
	with(func(e *conn.Entry) { e.Client = conn.Endpoint{Host: "web2", Service: "odd"} })
	of := map[Sum]int{}
	var forth, back Sum
	for i := range entries {
		var one Sum
		one.Add(&entries[i])
		if k, had := of[one]; had || one == 0 {
			t.Errorf("%+v and %+v: %x", entries[i], entries[k], one)
		}
		of[one] = i
		forth.Add(&entries[i])
	}
	for i, e := range slices.Backward(entries) {
		e.Expires, e.Virtual.Service = conn.Seconds(i), "https"
		back.Add(&e)
	}
	if forth != back {
		t.Error("the order, the time left or a port's name makes another snapshot")
	}
	if n := testing.AllocsPerRun(100, func() {
		for i := range entries {
			back.Add(&entries[i])
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func endpoint(last byte, port uint16) conn.Endpoint {
	return conn.Endpoint{Addr: netip.AddrFrom4([4]byte{10, 0, 0, last}), Port: port, PortKnown: true}
}

// TestCoarseCopies: a file in a zip archive has an even time that may be a second off; of exact times
// each is its own.
func TestCoarseCopies(t *testing.T) {
	even := time.Date(2026, 11, 22, 5, 0, 2, 0, time.UTC)
	for _, off := range []time.Duration{-time.Second, 0, time.Second} {
		for _, coarseFirst := range []bool{false, true} {
			trend := NewTrend(0)
			coarse, exact := point(even, 1, 1), point(even.Add(off), 1, 1)
			coarse.Coarse = true
			if coarseFirst {
				coarse, exact = exact, coarse
			}
			if !trend.Add(coarse) || trend.Add(exact) {
				t.Errorf("%v off, %v: no copy", off, coarseFirst)
			}
		}
	}
	trend := NewTrend(0)
	for i := range 60 { // files of one second each, in which nothing changes
		p := point(even.Add(time.Duration(i)*time.Second), 1, 1)
		if !trend.Add(p) {
			t.Errorf("second %d is taken for a copy", i)
		}
	}
}

// TestForgotten: what is not kept to be known again is counted.
func TestForgotten(t *testing.T) {
	k := NewKnown[int]()
	for i := range maxKnown + 10 {
		k.Keep(&Point{Time: start.Add(time.Duration(i) * time.Second)}, i)
	}
	k.Keep(&Point{Time: start}, 7)
	if kept, ok := k.Find(&Point{Time: start}); k.Forgotten != 10 || !ok || kept != 7 {
		t.Errorf("%d forgotten; %d, %v", k.Forgotten, kept, ok)
	}
}

// TestMerge: two trends make what one of all their snapshots is.
func TestMerge(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 3))
		width := []time.Duration{0, 0, time.Hour, 90 * time.Second}[random.IntN(4)]
		whole, parts := NewTrend(width), []*Trend{NewTrend(width), NewTrend(width)}
		for range random.IntN(200) {
			p := point(start.Add(time.Duration(random.IntN(1e6))*time.Second), random.Uint64N(9), random.Uint64N(9))
			p.Part = random.IntN(5) == 0
			p.Events = []Event{{Code: string(rune('a' + random.IntN(4)))}}
			p.Groups = p.Groups[random.IntN(len(p.Groups)):]
			part := parts[random.IntN(2)]
			whole.Count(p)
			part.Count(p)
		}
		if len(parts[0].cells) > 10 {
			parts[0].widen()
			whole.widen()
		}
		parts[0].Merge(parts[1])
		if got, want := parts[0].Report(0, 0), whole.Report(0, 0); !reflect.DeepEqual(got.Intervals, want.Intervals) ||
			!reflect.DeepEqual(got.Groups, want.Groups) || !reflect.DeepEqual(got.Events, want.Events) || got.Peak != want.Peak {
			t.Fatalf("seed %d: %+v, want %+v", seed, got, want)
		}
		if got, want := parts[0], whole; got.Snapshots != want.Snapshots || got.Parts != want.Parts || !got.First.Equal(want.First) || !got.Last.Equal(want.Last) {
			t.Errorf("seed %d: %+v, want %+v", seed, got, want)
		}
	}
}

// TestLostIsCounted: what is beyond the groups and events that are told apart is counted, when trends are merged too.
func TestLostIsCounted(t *testing.T) {
	trends := []*Trend{NewTrend(0), NewTrend(0)}
	n := 0
	for _, trend := range trends {
		for range maxEvents {
			trend.Add(&Point{Time: start.Add(time.Duration(n) * time.Second), Entries: Sum(n), Events: []Event{{Text: fmt.Sprint(n)}, {Text: fmt.Sprint(-n)}}})
			n++
		}
	}
	lost := trends[0].LostEvents + trends[1].LostEvents
	trends[0].Merge(trends[1])
	met := 0
	for _, e := range trends[0].events {
		met += e.Snapshots
	}
	if lost == 0 || len(trends[0].events) != maxEvents || met+trends[0].LostEvents != 2*n {
		t.Errorf("%d met, %d of %d lost", met, trends[0].LostEvents, 2*n)
	}
}

// TestStrays: of 40 snapshots those of another age are told, at either end.
func TestStrays(t *testing.T) {
	epoch, future := time.Unix(17, 0), time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		strays []time.Time
		want   int
	}{
		{nil, 0},
		{[]time.Time{epoch}, 1},
		{[]time.Time{future}, 1},
		{[]time.Time{epoch, epoch.Add(time.Minute), future}, 2},
		{[]time.Time{start.Add(-24 * time.Hour)}, 0},
		{[]time.Time{epoch, epoch, epoch, epoch, epoch, epoch}, 0}, // too many
	} {
		trend := NewTrend(0)
		for i := range 40 {
			trend.Add(point(start.Add(time.Duration(i)*5*time.Minute), 1, 1))
		}
		for _, at := range tt.strays {
			trend.Count(point(at, 1, 1))
		}
		got, n := trend.Strays(), 0
		for _, s := range got {
			n += s.Snapshots
			if s.Since.IsZero() == s.Until.IsZero() || !s.Since.IsZero() && !s.Since.Equal(start) || !s.Until.IsZero() && !s.Until.Equal(start.Add(39*5*time.Minute)) {
				t.Errorf("%v: %+v", tt.strays, s)
			}
		}
		if len(got) != tt.want || tt.want > 0 && n != len(tt.strays) {
			t.Errorf("%v: %+v", tt.strays, got)
		}
	}
}

// TestNiceWidths: 40 days on a screen of 31 rows are in steps of two days, 90 of three.
func TestNiceWidths(t *testing.T) {
	for days, want := range map[int]int{29: 1, 40: 2, 90: 3, 200: 7} {
		trend := NewTrend(0)
		for i := range days {
			trend.Add(point(start.Add(time.Duration(i)*24*time.Hour), 1, 1))
		}
		if got := trend.Report(0, 31).Width; got != time.Duration(want)*24*time.Hour {
			t.Errorf("%d days: %v", days, got)
		}
	}
}

// TestStep: the usual time between snapshots, in a series that is kept in wider cells too.
func TestStep(t *testing.T) {
	for _, n := range []int{2, 10, 17000, 40000} {
		trend := NewTrend(0)
		for i := range n {
			trend.Add(point(start.Add(time.Duration(i)*180*time.Second), 100, 1))
		}
		if got := trend.Report(0, 24).Step; got != 180*time.Second {
			t.Errorf("%d snapshots: a step of %v", n, got)
		}
	}
}

// TestYearEndAndClockSteps: intervals go over a year's end and below 1970, and a clock that
// was set back puts snapshots where their times say.
func TestYearEndAndClockSteps(t *testing.T) {
	trend := NewTrend(time.Hour)
	begin := time.Date(2026, 12, 31, 22, 30, 0, 0, time.UTC)
	for i := range 20 {
		trend.Add(point(begin.Add(time.Duration(i)*10*time.Minute), 10, 0))
	}
	trend.Add(point(begin, 70, 0))
	report := trend.Report(0, 0)
	if first := report.Intervals[0]; !first.Start.Equal(begin.Truncate(time.Hour)) || first.Snapshots != 4 || first.Connections != 25 {
		t.Errorf("the first interval is %+v", first)
	}
	if last := report.Intervals[len(report.Intervals)-1]; last.Start.Year() != 2027 {
		t.Errorf("the last interval begins %v", last.Start)
	}
	early := NewTrend(time.Hour)
	early.Add(point(time.Unix(-1, 0), 1, 0))
	early.Add(point(time.Unix(-3600, 0), 1, 0))
	early.Add(point(time.Unix(-3601, 0), 1, 0))
	if got := early.Report(0, 0).Intervals; len(got) != 2 || got[1].Snapshots != 2 {
		t.Errorf("below 1970: %+v", got)
	}
}
