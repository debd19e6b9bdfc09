//go:build unix

package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

var update = flag.Bool("update", false, "write what the program prints into the scripts")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"ipvsstate": main, "interrupt": interrupt})
}

// TestScripts runs testdata/script. Beside testscript's own commands a script has
// `exits`, `jsonfield`, and in its shell `ipvsstate` and `interrupt`; in its folder
// are listings/, the listings of the repository, and compressed/.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("TZ", "UTC")
			if os.Getenv("GORACE") == "" { // else each process of a -race run waits a second at its end
				env.Setenv("GORACE", "atexit_sleep_ms=0")
			}
			return errors.Join(link(env, "listings", "../../testdata"), link(env, "compressed", "testdata/compressed"))
		},
		Condition: func(cond string) (bool, error) {
			if cond != "ipvs" {
				return false, fmt.Errorf("unknown condition %q", cond)
			}
			_, err := os.Stat("/proc/net/ip_vs_conn")
			return err == nil, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "jsonfield": jsonField},
	})
}

func link(env *testscript.Env, name, to string) error {
	to, err := filepath.Abs(to)
	if err != nil {
		return err
	}
	return os.Symlink(to, filepath.Join(env.WorkDir, name))
}

// exits CODE 'COMMAND LINE' runs a line as a shell does, and wants that exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: exits CODE 'COMMAND LINE'")
	}
	err := ts.Exec("sh", "-c", args[1])
	code, err := exitCode(err)
	ts.Check(err)
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// exitCode is the exit code as a shell counts it: a signal is 128 and its number.
func exitCode(err error) (int, error) {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return 0, err
	}
	if s, ok := exit.Sys().(syscall.WaitStatus); ok && s.Signaled() {
		return 128 + int(s.Signal()), nil
	}
	return exit.ExitCode(), nil
}

// jsonfield FILE PATH VALUE [PATH VALUE…] compares fields of a JSON document. A path
// is `input.lines`, `states.0.count`, or `states.length`.
func jsonField(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 || len(args)%2 == 0 {
		ts.Fatalf("usage: jsonfield FILE PATH VALUE [PATH VALUE…]")
	}
	d := json.NewDecoder(strings.NewReader(ts.ReadFile(args[0])))
	d.UseNumber()
	var document any
	ts.Check(d.Decode(&document))
	if _, err := d.Token(); err != io.EOF {
		ts.Fatalf("there is more than one JSON document in %s", args[0])
	}
	for i := 1; i < len(args); i += 2 {
		value, err := field(document, args[i])
		ts.Check(err)
		if got := text(value); got != args[i+1] {
			ts.Fatalf("%s is %s, want %s", args[i], got, args[i+1])
		}
	}
}

// field finds a value in a decoded JSON document.
func field(in any, path string) (any, error) {
	at := ""
	for name := range strings.SplitSeq(path, ".") {
		switch v := in.(type) {
		case map[string]any:
			value, ok := v[name]
			if !ok {
				return nil, fmt.Errorf("there is no %q in %q", name, at)
			}
			in = value
		case []any:
			if name == "length" {
				return json.Number(strconv.Itoa(len(v))), nil
			}
			n, err := strconv.Atoi(name)
			if err != nil || n < 0 || n >= len(v) {
				return nil, fmt.Errorf("there is no element %q in %q, which has %d", name, at, len(v))
			}
			in = v[n]
		default:
			return nil, fmt.Errorf("%q holds no fields: no %q", at, name)
		}
		at = path[:min(len(path), len(at)+len(name)+1)]
	}
	return in, nil
}

// text is a JSON value as a script writes it: a string without quotes.
func text(value any) string {
	if s, ok := value.(string); ok {
		return s
	}
	b, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// interrupt is the program `interrupt COMMAND ARGS… <FILE`: it starts the command,
// hands it FILE through a pipe that stays open, waits until that is read, and
// interrupts it as Ctrl-C does. Its exit code is the command's.
func interrupt() {
	code, err := interrupted(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "interrupt:", err)
		code = 99
	}
	os.Exit(code)
}

func interrupted(args []string) (int, error) {
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		return 0, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = r, os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	if _, err := w.Write(input); err != nil { // few enough to fit the pipe
		return 0, err
	}
	pipe := []unix.PollFd{{Fd: int32(r.Fd()), Events: unix.POLLIN}}
	for unread := 1; unread > 0; time.Sleep(5 * time.Millisecond) {
		if unread, err = unix.Poll(pipe, 0); err != nil {
			return 0, err
		}
	}
	time.Sleep(200 * time.Millisecond) // it has read all, now let it count
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		return 0, err
	}
	return exitCode(cmd.Wait())
}
