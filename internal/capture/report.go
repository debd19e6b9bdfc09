package capture

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// An sos report is a director's whole state in a directory or an archive of it. Of
// its files those that the plug-in ipvs saved are read, with the sysctls and the date
// (sos/report/plugins/ipvs.py, kernel.py, date.py), as if they stood in one text.

// ErrNoReport means that an sos report is of no director.
var ErrNoReport = errors.New("it holds no sos report of a director (sos_commands/ipvs)")

// ErrArchive means that an archive is read as one listing, and is no sos report: Unit.Each gives
// the listings in it.
var ErrArchive = errors.New("it is an archive, and no tar of an sos report")

// reportRank orders a report's files: time and configuration before the connections,
// so that they are known when rows are read. What is not wanted has no rank.
func reportRank(name string) (rank int, ok bool) {
	dir, file := path.Split(name)
	dir = strings.TrimSuffix(dir, "/")
	switch {
	case strings.HasSuffix(dir, "sos_commands/date") && file == "date":
		return 0, true
	case strings.HasSuffix(dir, "sos_commands/kernel") && file == "sysctl_-a":
		return 1, true
	case !strings.HasSuffix(dir, "sos_commands/ipvs"):
		return 0, false
	case strings.Contains(file, "connection") || strings.Contains(file, "-Lc") || strings.Contains(file, "-Lnc"):
		return 3, true
	}
	return 2, true
}

// openReport opens the files of a report that lie under a directory. Links to others of its files
// are followed; folders, pipes, and links that lead out of it or nowhere are passed over.
func openReport(root string) (*Source, error) {
	dir, err := os.OpenRoot(root)
	if err != nil {
		return nil, err
	}
	type found struct {
		name string
		rank int
	}
	var names []found
	for _, base := range []string{".", "*"} {
		for _, sub := range []string{"date", "kernel", "ipvs"} {
			matches, err := fs.Glob(dir.FS(), path.Join(base, "sos_commands", sub, "*"))
			if err != nil {
				return nil, err
			}
			for _, name := range matches {
				rank, ok := reportRank(name)
				if info, err := dir.Stat(name); ok && err == nil && info.Mode().IsRegular() {
					names = append(names, found{name, rank})
				}
			}
		}
		if slices.ContainsFunc(names, func(f found) bool { return f.rank >= 2 }) {
			break
		}
		names = nil
	}
	if len(names) == 0 {
		dir.Close()
		return nil, &os.PathError{Op: "read", Path: root, Err: ErrDirectory}
	}
	slices.SortStableFunc(names, func(a, b found) int { return a.rank - b.rank })
	r := &reportFiles{dir: dir}
	for _, f := range names {
		r.names = append(r.names, f.name)
	}
	g := &gate{r: r} // a reading that was cancelled leaves a worker behind
	closing := func() error {
		g.shut()
		return r.close()
	}
	return &Source{Kind: File, Name: filepath.Clean(root), Host: NameHost(root), Reader: g, close: closing}, nil
}

// reportFiles reads files of a directory one after the other.
type reportFiles struct {
	dir   *os.Root
	names []string
	file  *os.File
	last  byte
}

func (r *reportFiles) Read(p []byte) (int, error) {
	for {
		if r.file == nil {
			if len(r.names) == 0 {
				return 0, io.EOF
			}
			f, err := r.dir.Open(r.names[0])
			if err != nil {
				return 0, err
			}
			r.file, r.names = f, r.names[1:]
		}
		n, err := r.file.Read(p)
		if n > 0 {
			r.last = p[n-1]
			return n, nil
		}
		if err != io.EOF {
			return 0, err
		}
		r.file.Close()
		r.file = nil
		if r.last != '\n' && len(p) > 0 { // a file without a last newline
			r.last, p[0] = '\n', '\n'
			return 1, nil
		}
	}
}

func (r *reportFiles) close() error {
	if r.file != nil {
		r.file.Close()
	}
	return r.dir.Close()
}

// isTar reports the first block of a tar archive.
func isTar(head []byte) bool {
	return len(head) >= 262 && bytes.Equal(head[257:262], []byte("ustar"))
}

// reportArchive reads the wanted files of a tar archive in its order.
type reportArchive struct {
	tar   *tar.Reader
	open  bool
	sos   bool // it is a report
	found bool // with IPVS in it
	rows  bool // the connections have begun
	last  byte
}

func (r *reportArchive) Read(p []byte) (int, error) {
	for {
		if !r.open {
			h, err := r.tar.Next()
			switch {
			case err == io.EOF && !r.sos:
				return 0, ErrArchive
			case err == io.EOF && !r.found:
				return 0, ErrNoReport
			case err != nil:
				return 0, err
			}
			r.sos = r.sos || isReport(h.Name)
			rank, ok := reportRank(path.Clean("/" + h.Name))
			if !ok || h.Typeflag != tar.TypeReg || rank == 0 && r.rows { // a date behind the rows would begin others
				continue
			}
			r.open, r.found = true, r.found || rank >= 2
			r.rows = r.rows || rank == 3
			r.last = '\n'
		}
		n, err := r.tar.Read(p)
		if n > 0 {
			r.last = p[n-1]
			return n, nil
		}
		if err != io.EOF {
			return 0, err
		}
		r.open = false
		if r.last != '\n' && len(p) > 0 {
			r.last, p[0] = '\n', '\n'
			return 1, nil
		}
	}
}
