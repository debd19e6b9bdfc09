//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"
)

// TestContrib: the commands in contrib/ are ones that the program takes.
func TestContrib(t *testing.T) {
	command := regexp.MustCompile(`(?m)^[^#\n]*/usr/local/bin/ipvsstate (.*)$`)
	files, err := filepath.Glob("../../contrib/*")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range command.FindAllSubmatch(text, -1) {
			found++
			args := strings.Fields(string(m[1]))
			c, rest, err := newRoot(testApp(&bytes.Buffer{}, &bytes.Buffer{}, 80, nil)).Find(args)
			if err != nil || c.Name() != "record" {
				t.Fatalf("%s: %s: %v", name, args, err)
			}
			if err := c.ParseFlags(rest); err != nil {
				t.Errorf("%s: %s: %v", name, args, err)
			} else if err := c.ValidateArgs(c.Flags().Args()); err != nil {
				t.Errorf("%s: %s: %v", name, args, err)
			}
		}
	}
	if found != 2 {
		t.Errorf("%d commands, want those of the service and of cron", found)
	}
}

// procWith is a proc root with a table.
func procWith(t *testing.T) string {
	t.Helper()
	proc := t.TempDir()
	table, err := os.ReadFile("../../testdata/k6.1-ip-vs-conn-sync.txt")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(proc, "net"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(proc, "net", "ip_vs_conn_sync"), table, 0o600); err != nil {
		t.Fatal(err)
	}
	return proc
}

// TestRecordNamesByItsClock: the time is the clock's, in UTC, and the host this one.
func TestRecordNamesByItsClock(t *testing.T) {
	dir, proc := t.TempDir(), procWith(t)
	var out, errors bytes.Buffer
	a := testApp(&out, &errors, 80, map[string]string{"LC_ALL": "C"})
	a.now = func() time.Time { return time.Date(2026, 11, 22, 13, 28, 40, 5, time.FixedZone("CST", 8*3600)) }
	if code := run(t.Context(), a, []string{"record", "--proc", proc, "--host", "lvs 1", dir}); code != 0 {
		t.Fatalf("exit code %d: %s", code, &errors)
	}
	if path := filepath.Join(dir, "lvs_1-20261122T052840Z.txt.zst"); !strings.HasPrefix(out.String(), path+" (43 entries, ") {
		t.Errorf("it says %q, want %s", out.String(), path)
	}
}

// TestRecordInterrupted: no file is left, neither a snapshot nor a half one.
func TestRecordInterrupted(t *testing.T) {
	dir, proc := t.TempDir(), procWith(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errInterrupted)
	var out, errors bytes.Buffer
	if code := run(ctx, testApp(&out, &errors, 80, nil), []string{"record", "-q", "--proc", proc, "--host", "lvs1", dir}); code != exitInterrupted {
		t.Errorf("exit code %d: %s", code, &errors)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("left are %v, %v", files, err)
	}
	if _, err := (interruptible{ctx, iotest.ErrReader(nil)}).Read(nil); err != errInterrupted {
		t.Error(err)
	}
}

// TestRecordFailures: each failure has the advice that helps.
func TestRecordFailures(t *testing.T) {
	for hint, err := range map[string]error{
		"hint.full":             &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC},
		"hint.no-directory":     &os.PathError{Op: "open", Path: "x", Err: syscall.ENOENT},
		"hint.directory-rights": &os.PathError{Op: "open", Path: "x", Err: syscall.EACCES},
		"":                      errors.New("another"),
	} {
		var f *failure
		if !errors.As(dirFailure("x", err), &f) || f.hint != hint || f.code != exitCouldNot {
			t.Errorf("%v: %+v", err, f)
		}
	}
}

func TestFileSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 5 << 20: "5.0 MiB", 3 << 30: "3.0 GiB", 5 << 40: "5120.0 GiB"} {
		if got := fileSize(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
}
