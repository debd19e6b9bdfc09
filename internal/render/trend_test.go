package render

import (
	"testing"
	"time"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/explain"
	"ipvsstate/internal/history"
	"ipvsstate/internal/tally"
)

// TestChangeInWords has each form of the sentence that says what changed most.
func TestChangeInWords(t *testing.T) {
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	at := func(from, until int) func(i int) uint64 {
		return func(i int) uint64 {
			if i >= from && i < until {
				return 1000
			}
			return 10
		}
	}
	tests := []struct {
		name    string
		step    time.Duration
		missing int // snapshots, from the twentieth on
		count   func(i int) uint64
		en, zh  string
	}{
		{"lasts", 5 * time.Minute, 0, at(70, 100),
			"SYN_RECV: about 10 before, since 2026-03-01 05:50 UTC about 1,000",
			"SYN_RECV：此前约 10，2026-03-01 05:50 UTC 起约 1,000"},
		{"ends", 5 * time.Minute, 0, at(70, 80),
			"SYN_RECV: about 10 before, from 2026-03-01 05:50 until 06:35 UTC about 1,000, then about 10",
			"SYN_RECV：此前约 10，2026-03-01 05:50 至 06:35 UTC 约 1,000，此后约 10"},
		{"ends on another day", time.Hour, 0, at(70, 80),
			"SYN_RECV: about 10 before, from 2026-03-03 22:00 until 2026-03-04 07:00 UTC about 1,000, then about 10",
			"SYN_RECV：此前约 10，2026-03-03 22:00 至 2026-03-04 07:00 UTC 约 1,000，此后约 10"},
		{"within a minute", 5 * time.Second, 0, at(37, 40),
			"SYN_RECV: about 10 before, from 2026-03-01 00:03:05 until 00:03:15 UTC about 1,000, then about 10",
			"SYN_RECV：此前约 10，2026-03-01 00:03:05 至 00:03:15 UTC 约 1,000，此后约 10"},
		{"once", 5 * time.Minute, 0, at(70, 71),
			"SYN_RECV: about 10 before, in one snapshot (2026-03-01 05:50 UTC) 1,000, then about 10",
			"SYN_RECV：此前约 10，仅一份快照（2026-03-01 05:50 UTC）为 1,000，此后约 10"},
		{"begins in a gap", 5 * time.Minute, 30, at(30, 100),
			"SYN_RECV: about 10 before, since some time between 2026-03-01 01:35 and 04:10 UTC about 1,000",
			"SYN_RECV：此前约 10，自 2026-03-01 01:35 与 04:10 UTC 之间某时起约 1,000"},
		{"begins in a gap and ends", 5 * time.Minute, 30, at(30, 60),
			"SYN_RECV: about 10 before, from some time between 2026-03-01 01:35 and 04:10 until 04:55 UTC about 1,000, then about 10",
			"SYN_RECV：此前约 10，自 2026-03-01 01:35 与 04:10 之间某时至 04:55 UTC 约 1,000，此后约 10"},
		{"rises", 5 * time.Minute, 0, func(i int) uint64 { return uint64(10 + 10*max(i-50, 0)) },
			"SYN_RECV rose since 2026-03-01 04:10 UTC, from about 10 to about 500",
			"SYN_RECV 自 2026-03-01 04:10 UTC 起上升，从约 10 升至约 500"},
		{"falls and stays", 5 * time.Minute, 0, func(i int) uint64 { return uint64(1000 - 10*min(max(i-20, 0), 60)) },
			"SYN_RECV fell between 2026-03-01 01:40 and 06:40 UTC, from about 1,000 to about 400",
			"SYN_RECV 在 2026-03-01 01:40 至 06:40 UTC 间下降，从约 1,000 降至约 400"},
	}
	group := tally.Value{Protocol: conn.TCP, State: conn.SynRecv}
	for _, tt := range tests {
		trend := history.NewTrend(0)
		for i := range 100 {
			if i >= 20 && i < 20+tt.missing {
				continue
			}
			n := tt.count(i)
			trend.Add(&history.Point{Time: start.Add(time.Duration(i) * tt.step), Connections: n, Groups: []history.GroupCount{{Value: group, Count: n}}})
		}
		r := trend.Report(0, 24)
		if r.Onset == nil {
			t.Errorf("%s: nothing is told", tt.name)
			continue
		}
		for language, want := range map[explain.Language]string{explain.English: tt.en, "zh": tt.zh} {
			if got := (&Trend{By: tally.State}).onset(r, words(t, language)); got != want {
				t.Errorf("%s:\n%s, want\n%s", tt.name, got, want)
			}
		}
	}
}
