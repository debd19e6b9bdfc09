package main

import (
	"testing"
	"time"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/render"
)

func TestBetween(t *testing.T) {
	const year = 365 * 86400
	for _, tt := range []struct {
		name          string
		before, after render.TimeFrom
		later         int64 // seconds
		want          conn.Seconds
		told          bool
	}{
		{"five minutes", render.TimeHeader, render.TimeName, 300, 300, true},
		{"one moment", render.TimeHeader, render.TimeHeader, 0, 0, true},
		{"a second", render.TimeHeader, render.TimeHeader, 1, 1, true},
		{"a second backwards", render.TimeHeader, render.TimeHeader, -1, -1, true},
		{"backwards", render.TimeHeader, render.TimeClock, -300, -300, true},
		{"copied together", render.TimeMtime, render.TimeMtime, 0, 0, false},
		{"copied within a second", render.TimeMtime, render.TimeMtime, 1, 0, false},
		{"copied within a second, the other first", render.TimeMtime, render.TimeMtime, -1, 0, false},
		{"one of them copied", render.TimeHeader, render.TimeMtime, 1, 0, false},
		{"saved one after the other", render.TimeMtime, render.TimeMtime, 2, 2, true},
		{"saved the other first", render.TimeMtime, render.TimeMtime, -2, -2, true},
		{"one is not known", render.TimeUnknown, render.TimeHeader, 300, 0, false},
		{"nor the other", render.TimeHeader, render.TimeUnknown, 300, 0, false},
		{"68 years", render.TimeHeader, render.TimeHeader, 68 * year, 68 * year, true},
		{"more", render.TimeHeader, render.TimeHeader, 68*year + 1, 0, false},
		{"68 years backwards", render.TimeHeader, render.TimeHeader, -68 * year, -68 * year, true},
		{"more backwards", render.TimeHeader, render.TimeHeader, -68*year - 1, 0, false},
	} {
		at := time.Unix(1700000000, 0)
		got, told := between(&render.Summary{Time: at, TimeFrom: tt.before}, &render.Summary{Time: at.Add(time.Duration(tt.later) * time.Second), TimeFrom: tt.after})
		if got != tt.want || told != tt.told {
			t.Errorf("%s: %d %v, want %d %v", tt.name, got, told, tt.want, tt.told)
		}
	}
}
