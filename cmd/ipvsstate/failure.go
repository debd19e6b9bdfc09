package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"ipvsstate/internal/capture"
	"ipvsstate/internal/ipvs"
	"ipvsstate/internal/parse"
)

// What each failure to read means for whoever sees it: the error, and what to do.

func kernelFailure(where ipvs.Where, err error) error {
	switch {
	case errors.Is(err, ipvs.ErrNotLinux):
		return fail("hint.not-linux", err)
	case errors.Is(err, ipvs.ErrNoIPVS):
		return fail("hint.no-ipvs", err)
	case errors.Is(err, fs.ErrPermission):
		return fail("hint.permission", err)
	case errors.Is(err, fs.ErrNotExist) && where.Netns == "":
		return fail("hint.no-proc", err)
	case errors.Is(err, fs.ErrNotExist):
		return fail("hint.no-netns", err)
	}
	return fail("", err)
}

// whyNoConfig says why netlink gave nothing, and what would help.
func whyNoConfig(err error) string {
	if errors.Is(err, fs.ErrPermission) {
		return "netlink: " + err.Error() + " (it wants root or CAP_NET_ADMIN)"
	}
	return err.Error()
}

// stopFailure explains a run that the user or --timeout ended; any other error is nil.
func stopFailure(err error) error {
	switch {
	case errors.Is(err, errInterrupted):
		return &failure{err: err, code: exitInterrupted}
	case errors.Is(err, errTimedOut):
		return fail("hint.timed-out", err)
	}
	return nil
}

// directoryFailure is of a directory that a command takes no files from.
func directoryFailure(command *cobra.Command, name string, err error) error {
	name = strings.TrimRight(name, "/")
	return fail("hint.directory", err, command.CommandPath(), name, name)
}

func openFailure(name string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(name, "./"):
		return fail("hint.no-file-or-command", err)
	case errors.Is(err, fs.ErrPermission):
		return fail("hint.unreadable", err)
	case errors.Is(err, fs.ErrNotExist):
		return fail("hint.no-file", err)
	}
	return fail("", err)
}

// readFailure explains an input that could not be read to its end; damaged is the hint that
// says what of it counts.
func readFailure(src *capture.Source, err error, damaged string) error {
	var path *os.PathError
	if !errors.As(err, &path) {
		err = fmt.Errorf("read %s: %w", src.Name, err)
	}
	switch {
	case errors.Is(err, capture.ErrUTF16) && src.Kind == capture.File:
		return fail("hint.utf16-file", err, src.Name)
	case errors.Is(err, capture.ErrUTF16):
		return fail("hint.utf16-pipe", err)
	case errors.Is(err, capture.ErrArchive):
		return fail("hint.archive", err)
	case errors.Is(err, capture.ErrNoReport):
		return fail("", err)
	case errors.Is(err, capture.ErrWindow):
		return fail("hint.window", err)
	}
	return fail(damaged, err)
}

// noListing explains an input without a listing.
func noListing(src *capture.Source, none *capture.NoListingError) error {
	hint := "hint.listing"
	err := fmt.Errorf("%s: %w", src.Name, none)
	said := func(what string) {
		err = fmt.Errorf("%s: it holds an error message in place of a listing: %s", src.Name, what)
	}
	switch none.Message {
	case parse.NoProcFile:
		said("there was no /proc/net/ip_vs_conn, or it could not be read")
		hint = "hint.no-module"
	case parse.NotRoot:
		said("ipvsadm was not run as root")
		hint = "hint.not-root"
	case parse.NoIPVS:
		said("ipvsadm found no IPVS in the kernel")
		hint = "hint.no-module"
	case parse.NoDPVS, parse.CutShort:
		said("DPVS's ipvsadm could not fetch the entries from dpvs")
		hint = "hint.no-dpvs"
	case parse.Conflict:
		said("ipvsadm does not take such options together with -c")
		hint = "hint.conflict"
	case parse.NoCommand:
		said("ipvsadm is not installed")
		hint = "hint.no-command"
	default:
		if none.OtherFormat > 0 {
			hint = "hint.other-format"
		}
		if src.Kind == capture.Stdin && none.Lines == 0 {
			hint = "hint.empty-pipe"
		}
	}
	return fail(hint, err)
}
