// Package ipvs reads the running kernel's IPVS: the connection table from its proc
// files, the only place where any kernel has it, and services, real servers and
// timeouts over netlink. It reads and nothing else: it loads no module and
// changes nothing.
package ipvs

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Errors that a caller can answer with advice.
var (
	// ErrNoIPVS means that the kernel has no IPVS table: the ip_vs module is not
	// loaded, or not visible from here.
	ErrNoIPVS = errors.New("the kernel has no IPVS connection table: the ip_vs module is not loaded")
	// ErrNotLinux means that there is no such kernel here.
	ErrNotLinux = errors.New("only Linux has an IPVS kernel to read")
	// ErrOtherProc means that netlink cannot answer for another proc root.
	ErrOtherProc = errors.New("netlink answers for this host only, not for another proc root")
)

// Where says which kernel view is read.
type Where struct {
	// Proc is the root of the proc file system, "/proc" if empty.
	Proc string
	// Netns is a network namespace: a name (ip netns, Docker), a path or a
	// process's number; the program's own if empty.
	Netns string
}

const defaultProc = "/proc"

func (w Where) proc() string {
	if w.Proc == "" {
		return defaultProc
	}
	return w.Proc
}

// Release is the kernel's, such as 6.1.0-18-amd64; empty if it is not known.
func Release(w Where) string {
	text, err := os.ReadFile(filepath.Join(w.proc(), "sys/kernel/osrelease"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// Table is the connection table, open for one reading. Reader gives what the kernel
// writes, at most a page at a time; rows can be missing, and before Linux 6.14
// come twice, when the table changes meanwhile.
type Table struct {
	file *os.File
	// Path is the proc file that is read.
	Path string
	// Buckets is the size of the kernel's hash table, 0 if not known, and Version
	// the version of IPVS, empty if not known.
	Buckets uint64
	Version string
	// Status is what /proc/net/ip_vs_status says (Linux 7.1 and later), nil where
	// there is none or root alone may read it.
	Status *Status
}

// pages is how many pages Read asks the kernel for at most: few, since nothing can
// stop it meanwhile. Of 100,000 entries on Linux 6.1 they take a fifth of a second.
const pages = 32

// ReadSize is the size of a buffer that Read can fill.
const ReadSize = pages * 4096

// Read reads the rows. Before Linux 6.14 the kernel walks the table anew for each
// page, so that less than a page is never asked for.
func (t *Table) Read(p []byte) (int, error) {
	n, err := readPages(t.file, p)
	if n == 0 && err == nil && len(p) > 0 {
		err = io.EOF
	}
	return n, err
}

// Close ends the reading.
func (t *Table) Close() error { return t.file.Close() }

// Status is the head of /proc/net/ip_vs_status.
type Status struct {
	Connections uint64 // entries in the table, templates included
	Buckets     uint64
}

// openTable opens the table under a net directory of a proc file system.
func openTable(dir string) (*Table, error) {
	for _, name := range []string{"ip_vs_conn_sync", "ip_vs_conn"} {
		path := filepath.Join(dir, name)
		f, err := os.Open(path)
		switch {
		case err == nil:
			t := &Table{file: f, Path: path}
			t.Version, t.Buckets = readVersion(filepath.Join(dir, "ip_vs"))
			t.Status = readStatus(filepath.Join(dir, "ip_vs_status"))
			return t, nil
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
	}
	if _, err := os.Stat(dir); err != nil {
		return nil, err
	}
	return nil, ErrNoIPVS
}

// readVersion reads `IP Virtual Server version 1.2.1 (size=4096)`, the first line of
// /proc/net/ip_vs. It is there for information: what it lacks is left empty.
func readVersion(path string) (version string, buckets uint64) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0
	}
	defer f.Close()
	line, _ := bufio.NewReader(f).ReadString('\n') // a line cut short does not match
	if _, err := fmt.Sscanf(line, "IP Virtual Server version %s (size=%d)", &version, &buckets); err != nil {
		return "", 0
	}
	return version, buckets
}

func readStatus(path string) *Status {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	s := &Status{}
	found := 0
	for line := range bytes.Lines(data) {
		key, value, ok := strings.Cut(string(line), ":")
		word := strings.Fields(value)
		if !ok || len(word) == 0 {
			continue
		}
		n, err := strconv.ParseUint(word[0], 10, 64)
		if err != nil {
			continue
		}
		switch key {
		case "Conns":
			s.Connections = n
			found++
		case "Conn buckets":
			s.Buckets = n
			found++
		}
	}
	if found != 2 {
		return nil
	}
	return s
}
