package ipvs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/vishvananda/netns"
)

// OpenTable opens the connection table. The error is ErrNoIPVS where the module is
// not loaded, or wraps what the operating system said.
func OpenTable(w Where) (*Table, error) {
	if w.Netns == "" {
		return openTable(filepath.Join(w.proc(), "net"))
	}
	if isPID(w.Netns) {
		return openTable(filepath.Join(w.proc(), w.Netns, "net"))
	}
	path, err := w.netnsPath()
	if err != nil {
		return nil, err
	}
	var table *Table
	err = inNamespace(path, func() (err error) {
		table, err = openTable(filepath.Join(w.proc(), "thread-self", "net"))
		return err
	})
	return table, err
}

func isPID(s string) bool {
	_, err := strconv.ParseUint(s, 10, 32)
	return err == nil
}

// netnsPath is the file that stands for the namespace, empty for the program's own.
func (w Where) netnsPath() (string, error) {
	switch {
	case w.Netns == "":
		return "", nil
	case isPID(w.Netns):
		return filepath.Join(w.proc(), w.Netns, "ns", "net"), nil
	case strings.Contains(w.Netns, "/"):
		return w.Netns, nil
	}
	for _, dir := range []string{"/run/netns", "/var/run/netns", "/run/docker/netns", "/var/run/docker/netns"} {
		path := filepath.Join(dir, w.Netns)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("network namespace %q: %w", w.Netns, fs.ErrNotExist)
}

// inNamespace runs f on a thread that has entered the namespace. What f opens stays
// in that namespace.
func inNamespace(path string, f func() error) error {
	done := make(chan error)
	go func() {
		// The thread is not unlocked, so that it ends with the goroutine: no other
		// goroutine ever runs in the namespace.
		runtime.LockOSThread()
		ns, err := netns.GetFromPath(path)
		if err != nil {
			done <- fmt.Errorf("network namespace %s: %w", path, err)
			return
		}
		defer ns.Close()
		if err := netns.Set(ns); err != nil {
			done <- fmt.Errorf("network namespace %s: %w", path, err)
			return
		}
		done <- f()
	}()
	return <-done
}
