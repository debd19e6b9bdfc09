package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ipvsstate/internal/capture"
)

// unreadable is a listing that its user may not read.
func unreadable(t *testing.T) (name string) {
	t.Helper()
	name = filepath.Join(t.TempDir(), "saved.txt")
	if err := os.WriteFile(name, []byte("TCP 14:57  ESTABLISHED 10.0.1.10:1 10.0.1.100:80 10.0.0.12:80\n"), 0); err != nil {
		t.Fatal(err)
	}
	return name
}

// unprivileged does something without root's rights to files: root may read all, so the thread gives
// them up first.
func unprivileged(t *testing.T, do func()) {
	t.Helper()
	const nobody = 65534
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if os.Getuid() == 0 {
			if err := unix.Setfsuid(nobody); err != nil {
				t.Error(err)
			}
		}
		do()
	}()
	<-done
}

func TestUnreadableFile(t *testing.T) {
	name := unreadable(t)
	var out, errOut bytes.Buffer
	code := 0
	unprivileged(t, func() { code = run(t.Context(), testApp(&out, &errOut, 0, nil), []string{name}) })
	equal(t, "exit code", code, exitCouldNot)
	equal(t, "output", out.String(), "")
	got := strings.ReplaceAll(errOut.String(), name, "saved.txt")
	equal(t, "error", got, "ipvsstate: open saved.txt: permission denied\nhint: run it as a user who may read the file\n")
}

// TestTrendUnreadableFile: to trend it is no damaged one.
func TestTrendUnreadableFile(t *testing.T) {
	units, _, err := capture.Find(t.Context(), []string{unreadable(t)}, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	r := &trendReading{reading: make(map[*capture.Source]bool)}
	unprivileged(t, func() { r.unit(t.Context(), &units[0], capture.Config{}) })
	var f *failure
	if !errors.As(r.failed, &f) || f.hint != "hint.unreadable" || r.closed != 1 {
		t.Errorf("%v, %d could not be opened", r.failed, r.closed)
	}
}
