//go:build unix

package history

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The test binary is also a program to be killed, where these say so.
const (
	writesTo = "HISTORY_TEST_DIR"
	killAt   = "HISTORY_TEST_KILL_AT"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(writesTo); path != "" {
		at, _ := strconv.Atoi(os.Getenv(killAt))
		if err := writeTo(path, at); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// writeTo writes one snapshot, and kills the program in the nth call; or, of 0, writes one
// after the other until it is killed.
func writeTo(path string, n int) error {
	table, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	d, err := OpenDir(path)
	if err != nil {
		return err
	}
	d.disk = &trouble{disk: d.disk, path: path, at: n, kill: func() {
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}}
	fmt.Println("begins")
	for {
		if _, err := d.Write(&Snapshot{Time: at, Host: "lvs1", Table: strings.NewReader(string(table))}); err != nil || n > 0 {
			return err
		}
	}
}

// writer starts the program.
func writer(t *testing.T, path string, n int, table []byte) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), writesTo+"="+path, fmt.Sprintf("%s=%d", killAt, n))
	cmd.Stdin = strings.NewReader(string(table))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 16)); err != nil { // it has begun
		t.Fatal(err)
	}
	return cmd
}

// wasKilled waits for a program and reports how it ended.
func wasKilled(t *testing.T, cmd *exec.Cmd) bool {
	t.Helper()
	err := cmd.Wait()
	if err == nil {
		return false
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatal(err)
	}
	return true
}

// TestKilledAtEveryCall is TestTrouble with a program that is truly killed, in the middle of
// what it writes.
func TestKilledAtEveryCall(t *testing.T) {
	table := large(t)
	killed, named := 0, 0
	for n := 1; ; n++ {
		path, old := withOld(t)
		ended := !wasKilled(t, writer(t, path, n, table))
		finished, _ := inspect(t, path)
		if !slices.Contains(finished, old) {
			t.Fatalf("killed at %d: the old snapshot is gone", n)
		}
		if _, err := openDir(t, path).Write(snapshotOf(t, listing(t))); err != nil {
			t.Fatalf("killed at %d: the next run: %v", n, err)
		}
		if after, unfinished := inspect(t, path); len(after) != len(finished)+1 || unfinished != 0 {
			t.Fatalf("killed at %d: the next run leaves %v and %d unfinished files", n, after, unfinished)
		}
		if ended {
			break
		}
		killed++
		if len(finished) == 2 {
			named++
		}
	}
	if killed < 8 || named != 2 { // with its name, before the last two calls
		t.Errorf("killed at %d calls, at %d of them with a snapshot", killed, named)
	}
	t.Logf("killed at %d calls", killed)
}

// TestKilledAtAnyTime kills two programs at once that write one snapshot after the other,
// random moments, while a third goes on.
func TestKilledAtAnyTime(t *testing.T) {
	path, table := t.TempDir(), large(t)
	var had []string
	within := 30 * time.Millisecond // the more if programs start slowly here
	for round := range 25 {
		one, two := writer(t, path, 0, table), writer(t, path, 0, table)
		time.Sleep(rand.N(within))
		one.Process.Kill()
		two.Process.Kill()
		if !wasKilled(t, one) || !wasKilled(t, two) {
			t.Fatal("a program has ended by itself")
		}
		finished, unfinished := inspect(t, path)
		if len(finished) == 0 {
			within = min(2*within, 4*time.Second)
		}
		if unfinished > 2 {
			t.Errorf("round %d: %d unfinished files of two programs", round, unfinished)
		}
		for _, name := range had {
			if !slices.Contains(finished, name) {
				t.Errorf("round %d: %s is gone", round, name)
			}
		}
		had = nil
		for i, name := range finished { // few enough to be read each time
			if i < 3 {
				had = append(had, name)
			} else if err := os.Remove(filepath.Join(path, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(had) == 0 {
		t.Error("no program came to write a snapshot: they were killed too early to test anything")
	}
	if _, err := openDir(t, path).Write(snapshotOf(t, listing(t))); err != nil {
		t.Fatal(err)
	}
	if _, unfinished := inspect(t, path); unfinished != 0 {
		t.Errorf("%d unfinished files are left", unfinished)
	}
}
