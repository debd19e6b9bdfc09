package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestUnreadableFile reads a file its user may not read. Root may read all, so the
// thread gives up root's rights to files first.
func TestUnreadableFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "saved.txt")
	if err := os.WriteFile(name, []byte("TCP 14:57  ESTABLISHED 10.0.1.10:1 10.0.1.100:80 10.0.0.12:80\n"), 0); err != nil {
		t.Fatal(err)
	}
	const nobody = 65534
	var out, errOut bytes.Buffer
	code := make(chan int)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if os.Getuid() == 0 {
			if err := unix.Setfsuid(nobody); err != nil {
				t.Error(err)
			}
		}
		code <- run(t.Context(), testApp(&out, &errOut, 0, nil), []string{name})
	}()
	equal(t, "exit code", <-code, exitCouldNot)
	equal(t, "output", out.String(), "")
	got := strings.ReplaceAll(errOut.String(), name, "saved.txt")
	equal(t, "error", got, "ipvsstate: open saved.txt: permission denied\nhint: run it as a user who may read the file\n")
}
