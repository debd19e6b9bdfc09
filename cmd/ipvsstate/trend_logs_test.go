package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ipvsstate/internal/history"
	"ipvsstate/internal/render"
)

// unnamedSnapshot adds one, of so many connections, at a minute.
func unnamedSnapshot(u *unnamedLogs, path string, input, minute int, connections uint64) {
	l := u.log(path)
	u.add(l, &datedPoint{from: render.TimeHeader, point: &history.Point{Time: time.Unix(int64(minute*60), 0), Input: input, Connections: connections}})
}

func settled(u *unnamedLogs) string {
	var all []string
	for _, h := range u.settle() {
		all = append(all, fmt.Sprintf("%s:%d", h.Host, h.Snapshots))
	}
	return strings.Join(all, " ")
}

func TestUnnamedLogs(t *testing.T) {
	type log struct {
		path  string
		times string // minutes, one letter each
	}
	for _, tt := range []struct {
		logs []log
		want string
	}{
		{[]log{{"a.log", "abcd"}}, ":4"},
		{[]log{{"a.log", "ab"}, {"b.log", "cd"}, {"c.log", "ef"}}, ":6"},
		{[]log{{"c.log", "ef"}, {"a.log", "ab"}, {"b.log", "cd"}}, ":6"},
		{[]log{{"a.log", "ac"}, {"b.log", "bd"}}, "a.log:2 b.log:2"},
		{[]log{{"a.log", "ab"}, {"b.log", "ba"}}, "a.log:2 b.log:2"}, // at one second
		{[]log{{"a.log", "ef"}, {"a.log.1", "ab"}, {"b.log", "ef"}, {"b.log.1.gz", "bc"}}, "a.log:4 b.log:4"},
		{[]log{{"x/a.log", "ac"}, {"y/b.log", "bd"}, {"x/c.log", "ef"}}, "x/a.log:4 y/b.log:2"},           // goes on in its folder
		{[]log{{"x/a.log", "ac"}, {"x/b.log", "bd"}, {"x/c.log", "ef"}}, "x/a.log:2 x/b.log:2 x/c.log:2"}, // with which?
		{[]log{{"x/1.txt", "a"}, {"x/one.txt", "b"}, {"x/two.txt", "c"}, {"x/log", "bcd"}}, "x/:3 x/log:3"},
		{[]log{{"x/one.txt", "a"}, {"x/two.txt", "b"}, {"x/three.txt", "c"}}, ":3"},
	} {
		u := newUnnamedLogs(0)
		for i, l := range tt.logs {
			for _, c := range l.times {
				unnamedSnapshot(u, l.path, i, int(c), uint64(i))
			}
		}
		if got := settled(u); got != tt.want {
			t.Errorf("%v: %s, want %s", tt.logs, got, tt.want)
		}
	}
}

// TestUnnamedCopies: logs that share most of their snapshots are one, in whatever order they are read.
func TestUnnamedCopies(t *testing.T) {
	u := newUnnamedLogs(0)
	for i := range 20 { // each meets the half of them first
		first, second := 1+i%2, 2-i%2
		unnamedSnapshot(u, fmt.Sprint(first, ".log"), first, i, uint64(i))
		unnamedSnapshot(u, fmt.Sprint(second, ".log"), second, i, uint64(i))
	}
	if got := settled(u); got != ":20" {
		t.Error(got)
	}
	u = newUnnamedLogs(0)
	for i := range 20 { // one snapshot in twenty has the same counts by chance
		unnamedSnapshot(u, "1.log", 1, i, 100)
		unnamedSnapshot(u, "2.log", 2, i, uint64(81+i))
	}
	if got := settled(u); got != "1.log:20 2.log:19" {
		t.Error(got)
	}
}

// TestUnnamedLogsAreBounded: many files of one snapshot each, of different names, and many logs.
func TestUnnamedLogsAreBounded(t *testing.T) {
	u := newUnnamedLogs(0)
	for i := range 10_000 {
		unnamedSnapshot(u, fmt.Sprintf("d/conn-%cx%d.txt", 'a'+i%26, i), i, i, 1)
		if len(u.live) > maxLogs+1 {
			t.Fatalf("%d logs", len(u.live))
		}
	}
	if got := settled(u); got != ":10000" || len(u.byName) > 2*maxLogs {
		t.Errorf("%s, %d names", got, len(u.byName))
	}
	u = newUnnamedLogs(0)
	for i := range 1000 { // a folder a day
		unnamedSnapshot(u, fmt.Sprintf("2026/%d/conn.log", i), i, 2*i, 1)
		unnamedSnapshot(u, fmt.Sprintf("2026/%d/conn.log", i), i, 2*i+1, 1)
	}
	if got := settled(u); got != ":2000" || u.crowded {
		t.Errorf("%s, %v", got, u.crowded)
	}
	u = newUnnamedLogs(0)
	for i := range 1000 { // all of one time
		unnamedSnapshot(u, fmt.Sprintf("%d/conn.log", i), i, 0, uint64(i))
		unnamedSnapshot(u, fmt.Sprintf("%d/conn.log", i), i, 1, uint64(i))
	}
	if got := u.settle(); len(got) > maxLogs || !u.crowded {
		t.Errorf("%d series, %v", len(got), u.crowded)
	}
}
