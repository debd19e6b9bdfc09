package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestRecordFullDisk: on a full disk what --keep removes makes room for the new snapshot.
func TestRecordFullDisk(t *testing.T) {
	proc, dir := procWith(t), t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("mounting a small file system wants root: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	record := func(more ...string) (code int, out, errOut string) {
		var o, e bytes.Buffer
		code = run(t.Context(), testApp(&o, &e, 0, nil), append([]string{"record", "--proc", proc, "--host", "lvs1", dir}, more...))
		return code, o.String(), e.String()
	}
	if code, _, errOut := record(); code != exitDone {
		t.Fatal(errOut)
	}
	first, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(first) != 1 {
		t.Fatal(first, err)
	}
	packed, err := os.ReadFile(first[0])
	if err != nil {
		t.Fatal(err)
	}
	old := filepath.Join(dir, "lvs1-20200101T000000Z.txt.zst")
	if err := os.WriteFile(old, append(packed, make([]byte, 64<<10)...), 0o600); err != nil {
		t.Fatal(err)
	}
	filler, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = filler.Write(make([]byte, 4096))
	}
	if filler.Close(); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if code, _, errOut := record(); code != exitCouldNot || !strings.Contains(errOut, "no space left on device\nhint: older snapshots are whole") {
		t.Errorf("without --keep: exit %d, %s", code, errOut)
	}
	if code, out, errOut := record("--keep", "30d"); code != exitDone || !strings.Contains(out, ", 1 old snapshot removed") || strings.Count(errOut, "not read") != 1 {
		t.Errorf("with --keep: exit %d, %s%s", code, out, errOut)
	}
	if _, err := os.Stat(old); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the old snapshot: %v", err)
	}
}
