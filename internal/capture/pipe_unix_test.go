//go:build unix

package capture

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// namedPipe makes one, whose name tells a host.
func namedPipe(t *testing.T) (name string) {
	t.Helper()
	name = filepath.Join(t.TempDir(), "lvs1-20261122.txt")
	if err := unix.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestPipeWriterGone: who writes to a named pipe has closed it as soon as it was opened, often
// before anything else can be done with it. It is tried often.
func TestPipeWriterGone(t *testing.T) {
	u := &Unit{Path: namedPipe(t), Host: "unused"}
	done := make(chan bool, 1)
	for range 200 {
		go func() {
			defer func() { done <- true }()
			if got, err := readEach(u); got != "lvs1:=1" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
		}()
		if err := os.WriteFile(u.Path, []byte(entry(1)), 0); err != nil {
			t.Fatal(err)
		}
		wait(t, "Each", done)
	}
}

// TestPipeReport reads an sos report's archive from a named pipe.
func TestPipeReport(t *testing.T) {
	u := &Unit{Path: namedPipe(t)}
	archive := gzipped(tarred(t, member{"sosreport-lvs1-2026-11-22-abc/sos_commands/ipvs/ipvsadm_-Ln_--connection", entry(1)}))
	go os.WriteFile(u.Path, archive, 0)
	if got, err := readEach(u); got != "lvs1:=1" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// TestReportOddFiles: what is no file in the folders of an sos report leaves the rest as it is.
func TestReportOddFiles(t *testing.T) {
	tree(t, map[string]string{
		"sos_commands/ipvs/ipvsadm_-Ln_--connection":        columns + entry(1),
		"sos_commands/ipvs/ipvsadm_-Ln_--connection.d/more": columns + entry(2),
		"proc/net/ip_vs_conn":                               columns + entry(3),
	})
	if err := unix.Mkfifo("sos_commands/ipvs/connection_pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"connection_link": "../../proc/net/ip_vs_conn", "connection_gone": "nowhere", "connection_out": "../../../elsewhere"} {
		if err := os.Symlink(to, "sos_commands/ipvs/"+link); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan bool, 1)
	go func() {
		defer func() { done <- true }()
		if got, err := readEach(&Unit{Path: ".", report: true}); got != ":=1 :=1" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}()
	wait(t, "Each", done)
}

// TestPipeWithoutWriter: a context ends the wait for one.
func TestPipeWithoutWriter(t *testing.T) {
	name := namedPipe(t)
	cause := errors.New("the operator has seen enough")
	for what, open := range map[string]func(context.Context) error{
		"Open": func(ctx context.Context) error {
			_, err := Open(ctx, name)
			return err
		},
		"Each": func(ctx context.Context) error {
			return (&Unit{Path: name}).Each(ctx, func(*Source) error { return nil })
		},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		done := make(chan bool, 1)
		go func() { done <- errors.Is(open(ctx), cause) }()
		cancel(cause)
		if !wait(t, what, done) {
			t.Errorf("%s does not tell why it ended", what)
		}
	}
	// What still waits for a writer has one, and ends.
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
}
