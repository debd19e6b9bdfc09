package main

import (
	"testing"
	"time"

	"ipvsstate/internal/history"
	"ipvsstate/internal/render"
)

// TestZoneOfTheNewest: which offset local times were taken to have does not depend on what is read first.
func TestZoneOfTheNewest(t *testing.T) {
	old := time.Local
	t.Cleanup(func() { time.Local = old })
	var err error
	if time.Local, err = time.LoadLocation("Europe/Berlin"); err != nil {
		t.Fatal(err)
	}
	summer, winter := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	told := &datedPoint{from: render.TimeHeader, point: &history.Point{Time: winter.Add(time.Hour), Entries: 3}}
	for _, all := range [][]time.Time{{summer, winter}, {winter, summer}} {
		one, parts := newTrendHost("", 0), []*trendHost{newTrendHost("", 0), newTrendHost("", 0)}
		one.note(told)
		for i, at := range all {
			d := &datedPoint{local: true, point: &history.Point{Time: at}}
			one.note(d)
			parts[i].note(d)
		}
		parts[0].merge(parts[1])
		if one.Zone != "+01:00" || parts[0].Zone != "+01:00" || parts[0].Local != 2 {
			t.Errorf("%v: %s, %s", all, one.Zone, parts[0].Zone)
		}
	}
}
