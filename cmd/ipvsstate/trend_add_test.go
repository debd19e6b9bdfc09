package main

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"ipvsstate/internal/history"
	"ipvsstate/internal/render"
)

// TestDirectorsAreBounded: of many directors those are followed that are the first by name, with all their
// snapshots, in whatever order these come.
func TestDirectorsAreBounded(t *testing.T) {
	const directors = 3 * maxHosts
	for seed := range uint64(5) {
		r := &trendReading{options: &trendOptions{}, hosts: make(map[string]*trendHost), names: firstNames{max: maxHosts}}
		for _, i := range rand.New(rand.NewPCG(seed, 2)).Perm(2 * directors) {
			p := &history.Point{Time: time.Unix(int64(i), 0), Entries: history.Sum(1 + i)}
			r.add(&datedPoint{from: render.TimeHeader, host: fmt.Sprintf("lvs%04d", i%directors), point: p}, nil)
			if len(r.hosts) > maxHosts {
				t.Fatalf("%d directors", len(r.hosts))
			}
		}
		if !r.crowded {
			t.Error("nothing says that there are more")
		}
		for i := range maxHosts {
			if h := r.hosts[fmt.Sprintf("lvs%04d", i)]; h == nil || h.Snapshots != 2 {
				t.Fatalf("seed %d: of lvs%04d is followed %+v", seed, i, h)
			}
		}
	}
}

// TestOtherDirectorsAreBounded: of those that --host leaves out no more names are kept than are shown.
func TestOtherDirectorsAreBounded(t *testing.T) {
	f := firstNames{max: 3}
	for _, name := range []string{"d", "b", "", "b", "c", "a", "e"} {
		f.add(name)
	}
	if got := fmt.Sprintf("%q", f.names); got != `["" "a" "b"]` {
		t.Error(got)
	}
}

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
