package history

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestWrite(t *testing.T) {
	path := t.TempDir()
	d := openDir(t, path)
	w, err := d.Write(snapshotOf(t, listing(t)))
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(w.Path)
	if err != nil || info.Size() != w.Size || w.Path != filepath.Join(path, "lvs1-20261122T052840Z.txt.zst") {
		t.Errorf("%+v, %v", w, err)
	}
	if mode := info.Mode().Perm() &^ 0o640; mode != 0 {
		t.Errorf("mode %o: clients are nobody else's business", info.Mode().Perm())
	}
	got, err := readFile(w.Path)
	if err != nil || got.Entries != w.Entries || w.Entries != readText(t, listing(t)).Entries {
		t.Errorf("%+v: %v", w, err)
	}
	if finished, unfinished := inspect(t, path); len(finished) != 1 || unfinished != 0 {
		t.Errorf("there are %v and %d unfinished", finished, unfinished)
	}
}

// TestSameSecond: no snapshot takes another's place.
func TestSameSecond(t *testing.T) {
	path := t.TempDir()
	d := openDir(t, path)
	for range 3 {
		if _, err := d.Write(snapshotOf(t, listing(t))); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"lvs1-20261122T052840Z-2.txt.zst", "lvs1-20261122T052840Z-3.txt.zst", "lvs1-20261122T052840Z.txt.zst"}
	if finished, _ := inspect(t, path); !slices.Equal(finished, want) {
		t.Errorf("there are %v, want %v", finished, want)
	}
}

// TestWritersAtOnce: several writers, each of which also looks for abandoned files.
func TestWritersAtOnce(t *testing.T) {
	path, table := t.TempDir(), listing(t)
	const writers, each = 4, 25
	var wait sync.WaitGroup
	for range writers {
		wait.Go(func() {
			d := openDir(t, path)
			for range each {
				if _, err := d.Write(snapshotOf(t, table)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if finished, unfinished := inspect(t, path); len(finished) != writers*each || unfinished != 0 {
		t.Errorf("%d snapshots and %d unfinished files, want %d and none", len(finished), unfinished, writers*each)
	}
}

// TestSweep: what a stopped run left is removed, what a running one writes is not, nor
// anything else.
func TestSweep(t *testing.T) {
	path := t.TempDir()
	d := openDir(t, path)
	name := func(word string) string { return unfinishedPrefix + word + unfinishedSuffix }
	for _, file := range []string{name("dead"), "notes.txt", ".ipvsstate-record-", "lvs1-20261122T052840Z.txt.zst.tmp"} {
		if err := os.WriteFile(filepath.Join(path, file), []byte("text"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(path, name("folder")), 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := d.disk.create(name("alive"))
	if err != nil {
		t.Fatal(err)
	}
	left := func() (all []string) {
		files, err := os.ReadDir(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			all = append(all, f.Name())
		}
		return all
	}
	others := []string{".ipvsstate-record-", name("folder"), "lvs1-20261122T052840Z.txt.zst.tmp", "notes.txt"}
	d.sweep()
	if got, want := left(), append([]string{name("alive")}, others...); !sameNames(got, want) {
		t.Errorf("with one alive there is %q, want %q", got, want)
	}
	f.Close()
	d.sweep()
	if got := left(); !sameNames(got, others) {
		t.Errorf("with none alive there is %q, want %q", got, others)
	}
}

func sameNames(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}

func TestNoDirectory(t *testing.T) {
	if _, err := OpenDir(filepath.Join(t.TempDir(), "none")); !os.IsNotExist(err) {
		t.Errorf("a directory that is missing: %v", err)
	}
}

func TestNames(t *testing.T) {
	for _, tt := range []struct {
		name, host string
		n          int
	}{
		{"lvs1-20261122T052840Z.txt.zst", "lvs1", 1},
		{"lvs1-20261122T052840Z-2.txt.zst", "lvs1", 2},
		{"lvs1-20261122T052840Z-1000.txt.zst", "lvs1", 1000},
		{"lvs-2.example.com-20261122T052840Z.txt.zst", "lvs-2.example.com", 1},
		{"a-20200101T000000Z-20261122T052840Z.txt.zst", "a-20200101T000000Z", 1},
	} {
		host, when, n, ok := parseName(tt.name)
		if !ok || host != tt.host || n != tt.n || !when.Equal(at) {
			t.Errorf("%s: %s, %s, %d, %v", tt.name, host, when, n, ok)
		}
		if got := fileName(tt.host, at, tt.n); got != tt.name {
			t.Errorf("%s, want %s", got, tt.name)
		}
	}
	for _, name := range []string{
		"", "-20261122T052840Z.txt.zst", "lvs1-20261122T052840Z.txt", "lvs1-20261122T052840Z-1.txt.zst", "lvs1-20261122T052840Z-02.txt.zst",
		"lvs1-20261132T052840Z.txt.zst", "lvs1-20261122T052840.txt.zst", "lvs1-20261122T052840Z.txt.zst.bak", "x lvs1-20261122T052840Z.txt.gz",
	} {
		if _, _, _, ok := parseName(name); ok {
			t.Errorf("%q is taken for a snapshot's name", name)
		}
	}
	for name, want := range map[string]string{"lvs1": "lvs1", "lvs1.example.com": "lvs1.example.com", "机房 1": "___1", "a/b": "a_b", "": "", ".hidden": "", "-x": "", "...": "", strings.Repeat("x", 201): ""} {
		if got, err := HostName(name); got != want || (err == nil) != (want != "") {
			t.Errorf("host %q: %q, %v", name, got, err)
		}
	}
}

// TestAllocated holds the memory of a large table down to that of a small one.
func TestAllocated(t *testing.T) {
	row := []byte("TCP 0A00010A AD5C 0A000164 0050 0A00000C 0050 ESTABLISHED LOCAL      897\n")
	written := func(rows int, p *Pseudonyms) float64 {
		table := bytes.Repeat(row, rows)
		s := &Snapshot{Time: time.Now(), Host: "lvs1", Pseudonyms: p}
		return testing.AllocsPerRun(3, func() {
			s.Table = bytes.NewReader(table)
			if _, err := compress(&bytes.Buffer{}, s); err != nil {
				t.Fatal(err)
			}
		})
	}
	for how, p := range map[string]*Pseudonyms{"plain": nil, "anonymized": RandomPseudonyms()} {
		if few, many := written(100, p), written(20000, p); many > few+200 {
			t.Errorf("%s: %.0f allocations for 100 rows, %.0f for 20000", how, few, many)
		}
	}
}
