package main

import (
	"testing"
	"time"
)

func TestParseSpan(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0": 0, "90s": 90 * time.Second, "5m": 5 * time.Minute, "2h30m": 150 * time.Minute, "1.5h": 90 * time.Minute, "-5m": -5 * time.Minute,
		"1d": 24 * time.Hour, "1d12h": 36 * time.Hour, "1w2d": 9 * 24 * time.Hour, "1500ms": 1500 * time.Millisecond,
	} {
		if got, err := parseSpan(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "d", "1", "1x", "1d1", "-1d", "1d-1h", "99999999999999999999d", "999999999d", "106751d24h", "1 d"} {
		if got, err := parseSpan(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestMoment(t *testing.T) {
	now := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	local := func(hour int) time.Time { return time.Date(2026, 3, 1, hour, 0, 0, 0, time.Local) }
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2026-03-01": local(0), "2026-03-01 12:00": local(12), "2026-03-01T12:00": local(12), "2026-03-01 12:00:00": local(12), "2026-03-01T12:00:00": local(12),
		"2026-03-01 12:00:00 UTC": noon, "2026-03-01 12:00 UTC": noon, "2026-03-01T12:00:00Z": noon, "2026-03-01T20:00:00+08:00": noon, "12h": noon,
		"20260301T120000Z": noon, "1d": now.Add(-24 * time.Hour), "1d12h": now.Add(-36 * time.Hour), "2h30m": now.Add(-150 * time.Minute),
	} {
		if got, err := moment("since", text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"never", "0h", "-1h", "12", "2026-13-01", "12:00"} {
		if got, err := moment("since", text, now); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}
