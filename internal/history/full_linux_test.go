package history

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
)

// TestFullDisk fills a small file system until a snapshot does not fit any more.
func TestFullDisk(t *testing.T) {
	path := t.TempDir()
	if err := syscall.Mount("tmpfs", path, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("mounting a small file system wants root: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(path, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	d := openDir(t, path)
	table := large(t)
	var had []string
	var err error
	for n := 0; n < 1000 && err == nil; n++ {
		s := snapshotOf(t, table)
		s.Time = at.Add(time.Duration(n) * time.Minute)
		var w Written
		if w, err = d.Write(s); err == nil {
			had = append(had, filepath.Base(w.Path))
		}
	}
	if !errors.Is(err, syscall.ENOSPC) || len(had) < 2 {
		t.Fatalf("after %d snapshots: %v", len(had), err)
	}
	finished, unfinished := inspect(t, path)
	if !slices.Equal(finished, had) || unfinished != 0 {
		t.Errorf("there are %v and %d unfinished files, want %v", finished, unfinished, had)
	}
	// With room there is no trace of it.
	if err := os.Remove(filepath.Join(path, had[0])); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Write(snapshotOf(t, table)); err != nil {
		t.Error(err)
	}
	inspect(t, path)
}
