package main

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ipvsstate/internal/capture"
)

// TestTrendUnreadableFile: a file that its user may not read is not a damaged one.
func TestTrendUnreadableFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "saved.txt")
	if err := os.WriteFile(name, []byte("TCP 14:57  ESTABLISHED 10.0.1.10:1 10.0.1.100:80 10.0.0.12:80\n"), 0); err != nil {
		t.Fatal(err)
	}
	units, _, err := capture.Find([]string{name}, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	r := &trendReading{reading: make(map[*capture.Source]bool)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if os.Getuid() == 0 {
			if err := unix.Setfsuid(65534); err != nil {
				t.Error(err)
			}
		}
		r.unit(t.Context(), &units[0], capture.Config{})
	}()
	<-done
	var f *failure
	if !errors.As(r.failed, &f) || f.hint != "hint.unreadable" || r.closed != 1 {
		t.Errorf("%v, %d could not be opened", r.failed, r.closed)
	}
}
