package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"ipvsstate/internal/history"
	"ipvsstate/internal/render"
)

// unnamedSnapshot adds one, of so many connections, at a minute.
func unnamedSnapshot(u *unnamedLogs, path string, minute int, connections uint64) {
	p := &history.Point{Time: time.Unix(int64(minute*60), 0), Connections: connections, Entries: history.Sum(connections)}
	u.add(u.log(path), &datedPoint{from: render.TimeHeader, point: p})
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
				unnamedSnapshot(u, l.path, int(c), uint64(10+i))
			}
		}
		if got := settled(u); got != tt.want {
			t.Errorf("%v: %s, want %s", tt.logs, got, tt.want)
		}
	}
}

// TestUnnamedFolders: a folder of single snapshots goes on with another's before all of its are read.
func TestUnnamedFolders(t *testing.T) {
	u := newUnnamedLogs(0)
	for i := range 270 {
		path := fmt.Sprintf("1/%c%cx.txt", 'a'+i/26, 'a'+i%26)
		if i >= 70 {
			path = "2" + path[1:]
		}
		l := u.log(path)
		l.open++ // as when it is read
		unnamedSnapshot(u, path, i, uint64(1+i))
		l.whole().open--
	}
	if got := settled(u); got != ":270" {
		t.Error(got)
	}
}

// TestUnnamedCopies: logs that share most of their snapshots are one, others lose none to each other, in whatever
// order they are read.
func TestUnnamedCopies(t *testing.T) {
	type snapshot struct {
		path        string
		minute      int
		connections uint64
	}
	add := func(all []snapshot, path string, of func(minute int) uint64, from, to int) []snapshot {
		for i := from; i < to; i++ {
			all = append(all, snapshot{path, i, of(i)})
		}
		return all
	}
	each := func(minute int) uint64 { return uint64(1 + minute) }
	other := func(minute int) uint64 { return uint64(100 + minute) }
	day := func(level uint64) func(int) uint64 { // which is idle until noon
		return func(minute int) uint64 {
			if minute < 12 {
				return 0
			}
			return level + uint64(minute)
		}
	}
	for name, tt := range map[string]struct {
		all  []snapshot
		want string
	}{
		"a copy":            {add(add(nil, "1.log", each, 0, 20), "2.log", each, 0, 20), ":20"},
		"a half":            {add(add(nil, "1.log", each, 0, 20), "2.log", each, 10, 20), ":20"},
		"ends that overlap": {add(add(nil, "1.log", each, 0, 12), "2.log", each, 8, 30), ":30"},
		"by chance":         {add(add(nil, "1.log", func(int) uint64 { return 100 }, 0, 20), "2.log", func(m int) uint64 { return uint64(90 + m) }, 0, 20), "1.log:20 2.log:20"},
		"idle":              {add(add(nil, "1.log", day(0), 0, 24), "2.log", day(100), 0, 24), "1.log:24 2.log:24"},
		"idle, and copies":  {add(add(add(add(nil, "1.log", day(0), 0, 24), "2.log", day(100), 0, 24), "3.log", day(100), 0, 24), "4.log", day(200), 0, 24), "1.log:24 2.log:24 4.log:24"},
		"always idle":       {add(add(nil, "1.log", func(int) uint64 { return 0 }, 0, 9), "2.log", func(int) uint64 { return 0 }, 0, 9), "1.log:9 2.log:9"},
		// The two copies have the other's quarter as well, once.
		"a quarter":         {add(add(add(add(nil, "1.log", each, 0, 5), "1.log", other, 5, 20), "2.log", each, 0, 20), "3.log", each, 0, 20), "1.log:20 2.log:20"},
		"copies, and more":  {add(add(add(add(nil, "1.log", each, 0, 20), "2.log", each, 0, 20), "3.log", each, 10, 20), "3.log", other, 20, 99), ":99"},
		"rotated, and idle": {add(add(nil, "1.log", day(0), 0, 24), "1.log.1.gz", day(0), 0, 24), ":24"},
	} {
		for seed := range uint64(20) {
			u := newUnnamedLogs(0)
			random := rand.New(rand.NewPCG(seed, 1))
			for _, i := range random.Perm(len(tt.all)) {
				s := tt.all[i]
				unnamedSnapshot(u, s.path, s.minute, s.connections)
			}
			copies := 0
			all := u.settle()
			var got []string
			for _, h := range all {
				got = append(got, fmt.Sprintf("%s:%d", h.Host, h.Snapshots))
				copies += h.Snapshots + h.Copies
			}
			for _, l := range u.live {
				for range l.empty.All {
					u.empty--
				}
			}
			if u.empty != 0 {
				t.Errorf("%s: %d too many are known to wait", name, u.empty)
			}
			if got := strings.Join(got, " "); got != tt.want || copies != len(tt.all) {
				t.Errorf("%s, seed %d: %s, want %s; %d snapshots and copies of %d", name, seed, got, tt.want, copies, len(tt.all))
				break
			}
		}
	}
}

// TestUnnamedLogsAreBounded: many files of one snapshot each, of different names, and many logs.
func TestUnnamedLogsAreBounded(t *testing.T) {
	u := newUnnamedLogs(0)
	for i := range 10_000 {
		unnamedSnapshot(u, fmt.Sprintf("d/conn-%cx%d.txt", 'a'+i%26, i), i, 1)
		if len(u.live) > maxLogs+1 {
			t.Fatalf("%d logs", len(u.live))
		}
	}
	if got := settled(u); got != ":10000" || len(u.byName) > 2*maxLogs {
		t.Errorf("%s, %d names", got, len(u.byName))
	}
	u = newUnnamedLogs(0)
	for i := range 1000 { // a folder a day
		unnamedSnapshot(u, fmt.Sprintf("2026/%d/conn.log", i), 2*i, 1)
		unnamedSnapshot(u, fmt.Sprintf("2026/%d/conn.log", i), 2*i+1, 1)
	}
	if got := settled(u); got != ":2000" || u.crowded {
		t.Errorf("%s, %v", got, u.crowded)
	}
	u = newUnnamedLogs(0)
	for i := range 1000 { // all of one time
		unnamedSnapshot(u, fmt.Sprintf("%d/conn.log", i), 0, uint64(1+i))
		unnamedSnapshot(u, fmt.Sprintf("%d/conn.log", i), 1, uint64(1+i))
	}
	if got := u.settle(); len(got) > maxLogs || !u.crowded {
		t.Errorf("%d series, %v", len(got), u.crowded)
	}
}
