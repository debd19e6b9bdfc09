package history

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

func TestKeepValues(t *testing.T) {
	for text, want := range map[string]time.Duration{"90m": 90 * time.Minute, "12h": 12 * time.Hour, "30d": 720 * time.Hour, "2w": 336 * time.Hour,
		"": 0, "30": 0, "d": 0, "0d": 0, "-1d": 0, "1.5d": 0, "30 d": 0, "30D": 0, "1y": 0, "99999999999d": 0, "99999999999999999999d": 0} {
		if got, err := ParseAge(text); got != want || (err == nil) != (want != 0) {
			t.Errorf("age %q: %v, %v", text, got, err)
		}
	}
	for text, want := range map[string]int64{"1K": 1024, "500M": 500 << 20, "2G": 2 << 30, "1T": 1 << 40,
		"": 0, "2": 0, "G": 0, "0G": 0, "-2G": 0, "2g": 0, "2GB": 0, "9999999999T": 0} {
		if got, err := ParseSize(text); got != want || (err == nil) != (want != 0) {
			t.Errorf("size %q: %v, %v", text, got, err)
		}
	}
}

// TestPrune has a snapshot an hour, named by their hours below.
func TestPrune(t *testing.T) {
	now := at.Add(30 * time.Minute)
	hours := func(n int) time.Time { return at.Add(-time.Duration(n) * time.Hour) }
	size := int64(0)
	tests := []struct {
		name    string
		keep    func() Keep
		just    string
		others  map[string]string // file to content
		removed int
		left    []int // hours
	}{
		{name: "nothing asked", keep: func() Keep { return Keep{} }, left: []int{0, 1, 2, 3, 4}},
		{name: "by age", keep: func() Keep { return Keep{Age: 3 * time.Hour} }, removed: 2, left: []int{0, 1, 2}},
		{name: "all are young", keep: func() Keep { return Keep{Age: 24 * time.Hour} }, left: []int{0, 1, 2, 3, 4}},
		{name: "all are old", keep: func() Keep { return Keep{Age: time.Minute} }, removed: 4, left: []int{0}},
		{name: "by size", keep: func() Keep { return Keep{Size: 3*size + 1} }, removed: 2, left: []int{0, 1, 2}},
		{name: "all fit", keep: func() Keep { return Keep{Size: 5 * size} }, left: []int{0, 1, 2, 3, 4}},
		{name: "none fits", keep: func() Keep { return Keep{Size: 1} }, removed: 4, left: []int{0}},
		{name: "by both", keep: func() Keep { return Keep{Age: 4 * time.Hour, Size: 2 * size} }, removed: 3, left: []int{0, 1}},
		{name: "the one just written is old", keep: func() Keep { return Keep{Size: 1} }, just: fileName("lvs1", hours(3), 1), removed: 3, left: []int{0, 3}},
		{name: "another host's and other files", keep: func() Keep { return Keep{Age: 3 * time.Hour} }, removed: 2, left: []int{0, 1, 2},
			others: map[string]string{
				"lvs2-20200101T000000Z.txt.zst": "another host's", "lvs1-20200101T000000Z.txt": "another format's",
				"lvs1-20200101T000000Z.txt.zst":   "the name of a snapshot, but none\n",
				"lvs1-20200101T000001Z.txt.zst":   "",
				"lvs1-20200101T000002Z.txt.zst":   "# ipvsstate snapshot 1 2020-01-01T00:00:02Z lvs2\n",
				"x-lvs1-20200101T000000Z.txt.zst": "# ipvsstate snapshot 1 2020-01-01T00:00:00Z lvs1\n",
			}},
		{name: "a foreign file is large", keep: func() Keep { return Keep{Size: 5 * size} }, left: []int{0, 1, 2, 3, 4},
			others: map[string]string{"lvs1-20200101T000000Z.txt.zst": strings.Repeat("not ours\n", 10000)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := t.TempDir()
			d := openDir(t, path)
			for n := range 5 {
				s := snapshotOf(t, listing(t))
				s.Time = hours(n)
				w, err := d.Write(s)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.Truncate(w.Path, 4096); err != nil { // the same size for all
					t.Fatal(err)
				}
				size = 4096
			}
			want := []string{}
			for name, content := range tt.others {
				if err := os.WriteFile(filepath.Join(path, name), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
				want = append(want, name)
			}
			removed, err := d.Prune("lvs1", tt.keep(), now, filepath.Join(path, tt.just))
			if err != nil || removed != tt.removed {
				t.Errorf("%d removed, %v; want %d", removed, err, tt.removed)
			}
			for _, n := range tt.left {
				want = append(want, fileName("lvs1", hours(n), 1))
			}
			var got []string
			files, err := os.ReadDir(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				got = append(got, f.Name())
			}
			if !sameNames(got, want) {
				t.Errorf("left are %v, want %v", got, want)
			}
		})
	}
}

// TestPruneSameSecond removes the first of a second before the second and the tenth.
func TestPruneSameSecond(t *testing.T) {
	path := t.TempDir()
	d := openDir(t, path)
	for range 11 {
		if _, err := d.Write(snapshotOf(t, listing(t))); err != nil {
			t.Fatal(err)
		}
	}
	all, err := d.stored("lvs1")
	if err != nil {
		t.Fatal(err)
	}
	if removed, err := d.Prune("lvs1", Keep{Size: 3 * all[0].size}, at, ""); removed != 8 || err != nil {
		t.Fatalf("%d removed, %v", removed, err)
	}
	want := []string{fileName("lvs1", at, 10), fileName("lvs1", at, 11), fileName("lvs1", at, 9)}
	if finished, _ := inspect(t, path); !slices.Equal(finished, want) {
		t.Errorf("left are %v, want %v", finished, want)
	}
}

// TestPruneLink: a link is no file that was written here.
func TestPruneLink(t *testing.T) {
	path, elsewhere := t.TempDir(), t.TempDir()
	d := openDir(t, path)
	old := snapshotOf(t, listing(t))
	old.Time = at.Add(-time.Hour)
	w, err := openDir(t, elsewhere).Write(old)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(w.Path, filepath.Join(path, filepath.Base(w.Path))); err != nil {
		t.Skip(err)
	}
	if _, err := d.Write(snapshotOf(t, listing(t))); err != nil {
		t.Fatal(err)
	}
	if removed, err := d.Prune("lvs1", Keep{Size: 1}, at, ""); removed != 0 || err != nil {
		t.Errorf("%d removed, %v", removed, err)
	}
}

// TestPruneWrongClock: what a wrong clock named is told, and costs no other snapshot its place.
func TestPruneWrongClock(t *testing.T) {
	path := t.TempDir()
	d := openDir(t, path)
	for _, by := range []time.Duration{-2 * time.Hour, -time.Hour, 0, 23 * time.Hour, 1000 * time.Hour, 2000 * time.Hour} {
		s := snapshotOf(t, listing(t))
		s.Time = at.Add(by)
		if _, err := d.Write(s); err != nil {
			t.Fatal(err)
		}
	}
	all, err := d.stored("lvs1")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		keep Keep
		want int
	}{{Keep{Size: 4 * all[0].size}, 0}, {Keep{Age: 90 * time.Minute}, 1}, {Keep{Size: 2 * all[0].size}, 1}, {Keep{Size: 1}, 1}} {
		if removed, err := d.Prune("lvs1", tt.keep, at, ""); removed != tt.want || err == nil || !strings.Contains(err.Error(), "of a time to come") {
			t.Errorf("%+v: %d removed, %v", tt.keep, removed, err)
		}
	}
}

// TestPruneClockAhead: one run, or a few, under a clock that is set ahead cost no history; a
// pause that was as long is over when there is new history.
func TestPruneClockAhead(t *testing.T) {
	day := 24 * time.Hour
	write := func(d *Dir, times ...time.Duration) {
		for _, by := range times {
			s := snapshotOf(t, listing(t))
			s.Time = at.Add(by)
			if _, err := d.Write(s); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, tt := range []struct {
		name  string
		times []time.Duration
		keep  Keep
		want  int
	}{
		{"one run", []time.Duration{0, time.Hour, 2 * time.Hour, 1000 * day}, Keep{Age: 30 * day}, 0},
		{"some runs", []time.Duration{0, time.Hour, 2 * time.Hour, 1000 * day, 1000*day + time.Hour}, Keep{Age: 30 * day}, 0},
		{"new history", []time.Duration{0, time.Hour, 2 * time.Hour, 1000 * day, 1016 * day}, Keep{Age: 30 * day}, 3},
		{"for their size they go", []time.Duration{0, time.Hour, 2 * time.Hour, 1000 * day}, Keep{Age: 30 * day, Size: 1}, 3},
		{"always as far apart", []time.Duration{0, day, 2 * day, 3 * day}, Keep{Age: time.Hour}, 3},
		{"a short pause", []time.Duration{0, time.Hour, 2 * time.Hour, 31 * day}, Keep{Age: 31 * day}, 1},
	} {
		d := openDir(t, t.TempDir())
		write(d, tt.times...)
		now := at.Add(tt.times[len(tt.times)-1] + time.Minute)
		if removed, err := d.Prune("lvs1", tt.keep, now, ""); removed != tt.want || err != nil {
			t.Errorf("%s: %d removed, %v; want %d", tt.name, removed, err, tt.want)
		}
	}
}

// stubborn is a directory with a file that cannot be removed, or not even be read.
type stubborn struct {
	disk
	kept, unread string
}

func (d stubborn) remove(name string) error {
	if name == d.kept {
		return fs.ErrPermission
	}
	return d.disk.remove(name)
}

func (d stubborn) open(name string) (io.ReadCloser, error) {
	if name == d.unread {
		return nil, fs.ErrPermission
	}
	return d.disk.open(name)
}

// TestPruneFails: what cannot be removed is told. By age the others are removed all the same; for the
// size of what cannot be removed nothing newer goes, but all that is too much beside what is unread does.
func TestPruneFails(t *testing.T) {
	name := func(hours int) string { return fileName("lvs1", at.Add(-time.Duration(hours)*time.Hour), 1) }
	for _, tt := range []struct {
		what string
		bad  stubborn
		keep Keep
		left []string
	}{
		{"by age", stubborn{kept: name(3)}, Keep{Age: time.Minute}, []string{name(3), name(0)}},
		{"by size", stubborn{kept: name(3)}, Keep{Size: 1}, []string{name(3), name(2), name(1), name(0)}},
		{"unread, by size", stubborn{unread: name(3)}, Keep{Size: 1}, []string{name(3), name(0)}},
	} {
		path := t.TempDir()
		d := openDir(t, path)
		for n := range 4 {
			s := snapshotOf(t, listing(t))
			s.Time = at.Add(-time.Duration(n) * time.Hour)
			if _, err := d.Write(s); err != nil {
				t.Fatal(err)
			}
		}
		tt.bad.disk = d.disk
		d.disk = tt.bad
		removed, err := d.Prune("lvs1", tt.keep, at, "")
		if removed != 4-len(tt.left) || !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: %d removed, %v", tt.what, removed, err)
		}
		if finished, _ := inspect(t, path); !slices.Equal(finished, tt.left) {
			t.Errorf("%s: left are %v", tt.what, finished)
		}
	}
}

// TestPruneBomb: of a file that unpacks to much more than a snapshot's first line, no more is unpacked.
func TestPruneBomb(t *testing.T) {
	path := t.TempDir()
	d := openDir(t, path)
	if _, err := d.Write(snapshotOf(t, listing(t))); err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	z, err := zstd.NewWriter(&packed)
	if err != nil {
		t.Fatal(err)
	}
	for range 64 {
		if _, err := z.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path, fileName("lvs1", at.Add(-time.Hour), 1)), packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	removed, err := d.Prune("lvs1", Keep{Age: time.Minute}, at, "")
	runtime.ReadMemStats(&after)
	if removed != 0 || err != nil {
		t.Errorf("%d removed, %v", removed, err)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 32<<20 {
		t.Errorf("%d MiB were taken for a file that is not ours", n>>20)
	}
}
