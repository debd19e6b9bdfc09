package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"ipvsstate/internal/capture"
	"ipvsstate/internal/ipvs"
	"ipvsstate/internal/parse"
)

// What each failure to read means for whoever sees it: the error, and what to do.

func kernelFailure(where ipvs.Where, err error) error {
	switch {
	case errors.Is(err, ipvs.ErrNotLinux):
		return fail("give a saved listing: ipvsstate FILE, or ssh DIRECTOR ipvsadm -Lcn | ipvsstate", err)
	case errors.Is(err, ipvs.ErrNoIPVS):
		return fail("on a director load it with modprobe ip_vs; elsewhere give a saved listing: ipvsstate FILE", err)
	case errors.Is(err, fs.ErrPermission):
		return fail("run it as root, or with CAP_SYS_ADMIN for another network namespace", err)
	case errors.Is(err, fs.ErrNotExist) && where.Netns == "":
		return fail("in the directory that --proc names, net/ip_vs_conn or net/ip_vs_conn_sync must be", err)
	case errors.Is(err, fs.ErrNotExist):
		return fail("ip netns list shows the namespaces; a process's number or a path will do too", err)
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

func openFailure(name string, err error) error {
	switch {
	case errors.Is(err, capture.ErrDirectory):
		return fail(fmt.Sprintf("name the files in it: ipvsstate %s/*", strings.TrimRight(name, "/")), err)
	case errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(name, "./"):
		return fail("FILE is a saved listing; ipvsstate --help shows the commands", err)
	case errors.Is(err, fs.ErrPermission):
		return fail("run it as a user who may read the file", err)
	case errors.Is(err, fs.ErrNotExist):
		return fail("check the name and the directory", err)
	}
	return fail("", err)
}

func readFailure(src *capture.Source, err error) error {
	var path *os.PathError
	if !errors.As(err, &path) {
		err = fmt.Errorf("read %s: %w", src.Name, err)
	}
	switch {
	case errors.Is(err, capture.ErrUTF16) && src.Kind == capture.File:
		return fail(fmt.Sprintf("convert it: iconv -f UTF-16 -t UTF-8 %s | ipvsstate", src.Name), err)
	case errors.Is(err, capture.ErrUTF16):
		return fail("put iconv -f UTF-16 -t UTF-8 into the pipe before ipvsstate", err)
	}
	return fail("the input is damaged or cut short; what came before counts", err)
}

// noListing explains an input without a listing.
func noListing(src *capture.Source, none *capture.NoListingError) error {
	hint := "a listing is what ipvsadm -Lcn prints, or /proc/net/ip_vs_conn holds"
	err := fmt.Errorf("%s: %w", src.Name, none)
	said := func(what string) {
		err = fmt.Errorf("%s: it holds an error message in place of a listing: %s", src.Name, what)
	}
	const noModule = "the ip_vs module was not loaded where this was taken: modprobe ip_vs there, or take it on the director"
	switch none.Message {
	case parse.NoProcFile:
		said("there was no /proc/net/ip_vs_conn, or it could not be read")
		hint = noModule
	case parse.NotRoot:
		said("ipvsadm was not run as root")
		hint = "run ipvsadm as root; /proc/net/ip_vs_conn is readable by any user"
	case parse.NoIPVS:
		said("ipvsadm found no IPVS in the kernel")
		hint = noModule
	case parse.NoDPVS, parse.CutShort:
		said("DPVS's ipvsadm could not fetch the entries from dpvs")
		hint = "check that dpvs is running, then take the listing again"
	case parse.Conflict:
		said("ipvsadm does not take such options together with -c")
		hint = "ipvsadm -Lcn alone lists all connections"
	case parse.NoCommand:
		said("ipvsadm is not installed")
		hint = "cat /proc/net/ip_vs_conn needs no ipvsadm"
	case parse.ServicesOnly:
		err = fmt.Errorf("%s: it lists virtual services, not connections", src.Name)
		hint = "add -c: ipvsadm -Lcn"
	default:
		if none.OtherFormat > 0 {
			hint = "leave --format out to count them"
		}
		if src.Kind == capture.Stdin && none.Lines == 0 {
			hint = "did the command in front of the pipe fail? --live reads this host's kernel"
		}
	}
	return fail(hint, err)
}
