package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"ipvsstate/internal/capture"
	"ipvsstate/internal/conn"
	"ipvsstate/internal/parse"
)

// inputOptions are the flags that say what is read; every command that reads has
// them.
type inputOptions struct {
	command  *cobra.Command // that has them
	format   choice
	live     bool
	netns    string
	proc     string
	timeout  time.Duration
	snapshot int
	// numberFlag is the flag that gave snapshot.
	numberFlag string
	merge      bool
	strict     bool
	timeouts   timeoutsFlag
}

func (o *inputOptions) addFlags(c *cobra.Command) {
	o.addReadingFlags(c)
	f := c.Flags()
	o.numberFlag = "snapshot"
	f.IntVar(&o.snapshot, "snapshot", 0, "show the `N`th of several listings (0: the newest)")
	f.BoolVar(&o.merge, "merge", false, "add up all listings")
}

// addReadingFlags adds those that do not choose between several listings.
func (o *inputOptions) addReadingFlags(c *cobra.Command) {
	o.command = c
	o.format = choice{"auto", parse.FormatNames()}
	addChoice(c, &o.format, "format", "", "take only rows of this format")
	f := c.Flags()
	f.BoolVar(&o.live, "live", false, "read the running kernel, whatever standard input is")
	f.StringVar(&o.netns, "netns", "", "read the kernel's table of another network namespace: `NAME`, path or process number")
	f.StringVar(&o.proc, "proc", "", "root of another proc file system, `DIR`/net is read")
	f.DurationVar(&o.timeout, "timeout", 0, "stop reading after this time and show what was read (0: never)")
	f.BoolVar(&o.strict, "strict", false, "fail if a row cannot be read")
	o.timeouts.Timeouts = conn.DefaultTimeouts
	f.Var(&o.timeouts, "timeouts", "the timeouts of ipvsadm --set, in seconds, that idle times are told by; the kernel's or the listing's own if not given")
}

// kernel reports that the running kernel is asked for.
func (o *inputOptions) kernel() bool { return o.live || o.netns != "" || o.proc != "" }

// check refuses flags that contradict each other or the arguments.
func (o *inputOptions) check(args []string) error {
	switch {
	case o.kernel() && len(args) > 0:
		return fail("hint.file-or-kernel", fmt.Errorf("a file and the running kernel cannot both be read: %q", args[0]))
	case o.kernel() && (o.snapshot != 0 || o.merge):
		return fail("hint.one-table", errors.New("the running kernel has one table, not several"))
	case o.kernel() && o.format.value != "auto":
		return fail("hint.known-format", errors.New("the running kernel's format is known"))
	case o.snapshot != 0 && o.merge:
		return fail("hint.snapshot-or-merge", errors.New("--snapshot shows one listing, --merge adds up all"))
	case o.snapshot < 0:
		return fail("hint.snapshot-number", fmt.Errorf("--snapshot %d: there is no such listing", o.snapshot))
	case o.timeout < 0:
		return fail("hint.timeout-value", fmt.Errorf("--timeout %s is negative", o.timeout))
	}
	return nil
}

// stdinIsInput reports that standard input is to be read: a pipe, a file or a socket,
// but not a terminal, /dev/null or another device.
func stdinIsInput(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || term.IsTerminal(int(f.Fd())) {
		return false
	}
	return info.Mode()&os.ModeCharDevice == 0
}

// openInput opens an argument; "-" is standard input.
func (a *app) openInput(ctx context.Context, name string) (*capture.Source, error) {
	if name == "-" {
		capture.WidenPipe(a.stdin)
		return &capture.Source{Kind: capture.Stdin, Name: "standard input", Reader: capture.Text(a.stdin)}, nil
	}
	return capture.Open(ctx, name)
}
