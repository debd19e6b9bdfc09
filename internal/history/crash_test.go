package history

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
)

var (
	errFull = &os.PathError{Op: "write", Path: "disk", Err: syscall.ENOSPC}
	errDead = errors.New("the program is dead")
)

// trouble is a directory in which the nth call fails. It then goes on, or is dead: no later
// call does anything, as when the program was killed. What the machine would lose with its
// power is noted.
type trouble struct {
	disk
	path  string
	at    int // which call, from 1; 0 for none
	dead  bool
	kill  func() // in place of the error, nil for none
	calls int
	names []string // the calls, to say which it was

	unsynced map[string]int64 // files, with how much of them is sure to last
	unlinked []string         // names that may not last
}

// call counts a call, and reports the error it is to fail with.
func (d *trouble) call(name string) error {
	d.calls++
	d.names = append(d.names, name)
	switch {
	case d.at == 0 || d.calls < d.at || d.calls > d.at && !d.dead:
		return nil
	case d.kill != nil && name != "write":
		d.kill()
	case d.dead:
		return errDead
	}
	return errFull
}

func (d *trouble) create(name string) (file, error) {
	if err := d.call("create"); err != nil {
		return nil, err
	}
	f, err := d.disk.create(name)
	if err != nil {
		return nil, err
	}
	d.unsynced = map[string]int64{name: 0}
	return &troubledFile{f, d, name}, nil
}

func (d *trouble) link(from, to string) error {
	if err := d.call("link"); err != nil {
		return err
	}
	if err := d.disk.link(from, to); err != nil {
		return err
	}
	d.unlinked = append(d.unlinked, to)
	if n, ok := d.unsynced[from]; ok {
		d.unsynced[to] = n
	}
	return nil
}

func (d *trouble) remove(name string) error {
	if err := d.call("remove"); err != nil {
		return err
	}
	delete(d.unsynced, name)
	return d.disk.remove(name)
}

func (d *trouble) sync() error {
	if err := d.call("sync of the directory"); err != nil {
		return err
	}
	d.unlinked = nil
	return d.disk.sync()
}

type troubledFile struct {
	file
	disk *trouble
	name string
}

func (f *troubledFile) Write(p []byte) (int, error) {
	if err := f.disk.call("write"); err != nil {
		if f.disk.calls > f.disk.at {
			return 0, err
		}
		n, _ := f.file.Write(p[:len(p)/2])
		if f.disk.kill != nil {
			f.disk.kill()
		}
		return n, err
	}
	return f.file.Write(p)
}

func (f *troubledFile) Sync() error {
	if err := f.disk.call("sync"); err != nil {
		return err
	}
	clear(f.disk.unsynced)
	return f.file.Sync()
}

// powerCut leaves of the directory what lasts for certain, or with some luck more.
func (d *trouble) powerCut(t *testing.T, keepNames bool, half int64) {
	for name := range d.unsynced {
		path := filepath.Join(d.path, name)
		info, err := os.Stat(path)
		if err != nil {
			continue
		}
		if err := os.Truncate(path, info.Size()*half/2); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, info.Size()); err != nil { // the length is there, the bytes are zeros
			t.Fatal(err)
		}
	}
	if !keepNames {
		for _, name := range d.unlinked {
			if err := os.Remove(filepath.Join(d.path, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// withOld is a directory with an older snapshot and a file that a killed run left.
func withOld(t *testing.T) (path, old string) {
	t.Helper()
	path = t.TempDir()
	s := snapshotOf(t, listing(t))
	s.Time = at.Add(-time.Hour)
	w, err := openDir(t, path).Write(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path, unfinishedPrefix+"0"+unfinishedSuffix), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, filepath.Base(w.Path)
}

// large is a table whose compressed text takes several writes.
func large(t *testing.T) []byte {
	table := listing(t)
	for n := range 20000 {
		table = fmt.Appendf(table, "TCP %08X %04X 0A000164 0050 0A00000C 0050 ESTABLISHED LOCAL  %7d\n", uint32(n)*2654435761, n*40503%65536, n%900)
	}
	return table
}

// TestTrouble lets every call fail, kills the program at every call, and cuts the power at
// every call. The old snapshot is whole at all times, and so is the new one if it has its
// name; the next run gets along, and leaves no unfinished file.
func TestTrouble(t *testing.T) {
	table := large(t)
	count := &trouble{}
	calls := 0
	for at := 0; at <= calls+1; at++ {
		for _, end := range []string{"error", "killed", "power cut, names lost, no bytes", "power cut, names kept, no bytes", "power cut, names lost, half the bytes", "power cut, names kept, half the bytes"} {
			if at == 0 && end != "error" {
				continue
			}
			path, old := withOld(t)
			d := openDir(t, path)
			bad := &trouble{disk: d.disk, path: path, at: at, dead: end != "error"}
			d.disk = bad
			w, err := d.Write(snapshotOf(t, table))
			if at == 0 {
				count, calls = bad, bad.calls
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("calls: %q", bad.names)
				continue
			}
			call := "the end"
			if at <= calls {
				call = count.names[at-1]
			}
			what := fmt.Sprintf("%s at %d, %s", end, at, call)
			switch end {
			case "power cut, names lost, no bytes":
				bad.powerCut(t, false, 0)
			case "power cut, names kept, no bytes":
				bad.powerCut(t, true, 0)
			case "power cut, names lost, half the bytes":
				bad.powerCut(t, false, 1)
			case "power cut, names kept, half the bytes":
				bad.powerCut(t, true, 1)
			}
			finished, unfinished := inspect(t, path)
			if !slices.Contains(finished, old) {
				t.Errorf("%s: the old snapshot is gone", what)
			}
			// A file that cannot be removed is left to a later run.
			harmless := call == "remove" && end == "error" || at > calls
			if (err == nil) != harmless {
				t.Errorf("%s: error %v", what, err)
			}
			if err == nil && !slices.Contains(finished, filepath.Base(w.Path)) {
				t.Errorf("%s: a snapshot that was said to be there is not: %v", what, finished)
			}
			if end == "error" && err != nil && call != "sync of the directory" && (len(finished) != 1 || unfinished > 0) {
				t.Errorf("%s: there are %v, and %d unfinished", what, finished, unfinished)
			}
			if _, err := openDir(t, path).Write(snapshotOf(t, listing(t))); err != nil {
				t.Errorf("%s: the next run: %v", what, err)
			}
			if after, unfinished := inspect(t, path); len(after) != len(finished)+1 || unfinished != 0 {
				t.Errorf("%s: the next run leaves %v and %d unfinished files", what, after, unfinished)
			}
			if t.Failed() {
				return
			}
		}
	}
}
