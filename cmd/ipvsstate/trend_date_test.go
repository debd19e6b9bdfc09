package main

import (
	"fmt"
	"testing"
	"time"
)

// paced dates listings whose times tell no zone.
func paced(t *testing.T, loc *time.Location, walls []string) (times []string) {
	t.Helper()
	var p pace
	for _, wall := range walls {
		first, err := time.Parse("15:04:05", wall)
		if err != nil {
			t.Fatal(err)
		}
		utc := time.Date(2026, 10, 25, first.Hour(), first.Minute(), first.Second(), 0, time.UTC).Add(-2 * time.Hour)
		if first.Hour() > 2 { // it is winter
			utc = utc.Add(time.Hour)
		}
		at := p.moment(utc.In(loc), loc)
		p.meet(at)
		times = append(times, at.UTC().Format("15:04:05"))
	}
	return times
}

// TestHourThatComesTwice: what listings tell in Berlin when summer ends, and what it is in UTC.
func TestHourThatComesTwice(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ walls, want []string }{
		"each twice in its second": {
			[]string{"01:00:00", "01:00:00", "02:00:00", "02:00:00", "02:00:00", "02:00:00", "03:00:00", "03:00:00"},
			[]string{"23:00:00", "23:00:00", "00:00:00", "00:00:00", "01:00:00", "01:00:00", "02:00:00", "02:00:00"},
		},
		"each twice, half an hour": {
			[]string{"01:30:00", "01:30:00", "02:00:00", "02:00:00", "02:30:00", "02:30:00", "02:00:00", "02:00:00", "02:30:00", "02:30:00", "03:00:00"},
			[]string{"23:30:00", "23:30:00", "00:00:00", "00:00:00", "00:30:00", "00:30:00", "01:00:00", "01:00:00", "01:30:00", "01:30:00", "02:00:00"},
		},
		"hourly":        {[]string{"01:00:00", "02:00:00", "02:00:00", "03:00:00"}, []string{"23:00:00", "00:00:00", "01:00:00", "02:00:00"}},
		"hourly, later": {[]string{"01:00:03", "02:00:02", "02:00:07"}, []string{"23:00:03", "00:00:02", "01:00:07"}},
		"two at first":  {[]string{"02:10:00", "02:10:00"}, []string{"00:10:00", "00:10:00"}},
		"set back in the first hour": {
			[]string{"02:00:00", "02:05:00", "02:10:00", "02:09:58", "02:15:00", "02:55:00", "02:00:00"},
			[]string{"00:00:00", "00:05:00", "00:10:00", "00:09:58", "00:15:00", "00:55:00", "01:00:00"},
		},
		"set back at first": {[]string{"02:10:00", "02:09:58", "02:15:00"}, []string{"00:10:00", "00:09:58", "00:15:00"}},
		"set back in the second hour": {
			[]string{"02:50:00", "02:55:00", "02:00:00", "02:05:00", "02:04:58", "02:10:00"},
			[]string{"00:50:00", "00:55:00", "01:00:00", "01:05:00", "01:04:58", "01:10:00"},
		},
		"behind a gap":      {[]string{"01:00:00", "02:00:00", "02:05:00"}, []string{"23:00:00", "00:00:00", "00:05:00"}},
		"every 90 minutes":  {[]string{"20:45:00", "22:15:00", "23:45:00"}, []string{"19:45:00", "21:15:00", "22:45:00"}},
		"no step is known":  {[]string{"02:40:00", "02:20:00"}, []string{"00:40:00", "01:20:00"}},
		"an hour and a bit": {[]string{"00:20:00", "01:25:00", "02:30:00", "02:35:00"}, []string{"22:20:00", "23:25:00", "00:30:00", "01:35:00"}},
	} {
		if got := paced(t, berlin, tt.walls); fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%s: %v are %v, want %v", name, tt.walls, got, tt.want)
		}
	}
}

// TestPace: times in order are found again whatever the step, in each zone, at both changes.
func TestPace(t *testing.T) {
	for _, zone := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Shanghai", "UTC"} {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		for _, day := range []time.Time{
			time.Date(2026, 10, 24, 20, 0, 0, 0, time.UTC), time.Date(2026, 11, 1, 1, 0, 0, 0, time.UTC), time.Date(2026, 4, 4, 10, 0, 0, 0, time.UTC),
			time.Date(2026, 3, 28, 20, 0, 0, 0, time.UTC), time.Date(2026, 3, 8, 2, 0, 0, 0, time.UTC), time.Date(2026, 10, 3, 10, 0, 0, 0, time.UTC),
		} {
			for _, step := range []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute, 45 * time.Minute, time.Hour, 90 * time.Minute} {
				for _, each := range []int{1, 2, 3} {
					var p pace
					for at := day; at.Before(day.Add(9 * time.Hour)); at = at.Add(step) {
						for range each {
							told := at.In(loc)
							if first := told.Add(-time.Hour); sameClock(first, told) {
								told = first
							} else if first := told.Add(-time.Hour / 2); sameClock(first, told) {
								told = first
							}
							got := p.moment(told, loc)
							p.meet(got)
							if !got.Equal(at) {
								t.Fatalf("%s, every %v, %d each: %v is taken for %v", zone, step, each, at.In(loc), got)
							}
						}
					}
				}
			}
		}
	}
}

func sameClock(a, b time.Time) bool { return a.Format(time.DateTime) == b.Format(time.DateTime) }
