package capture

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Unit is what is opened at once: a file, an sos report, or an archive with the files in it.
type Unit struct {
	Path string
	// Host is the director that the path tells of, empty if it tells of none.
	Host     string
	Modified time.Time
	Size     int64

	source *Source // of one that is open already
}

// UnitOf is a unit of a source that is open.
func UnitOf(s *Source) *Unit { return &Unit{Path: s.Name, source: s} }

// Find lists what there is to read under names: files; directories with all below them but
// what is hidden; and patterns that no shell has expanded. A file that is named twice is
// there once. They are in the order of their hosts, of the times their names tell, and of
// their names. Directories that cannot be read are told beside; the error is of a name that
// leads to nothing.
func Find(names []string) (units []*Unit, skipped []error, err error) {
	f := &finder{seen: make(map[string]bool)}
	for _, name := range names {
		if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) && strings.ContainsAny(name, "*?[") {
			matches, badPattern := filepath.Glob(name)
			if badPattern == nil && len(matches) > 0 {
				for _, m := range matches {
					f.name(m)
				}
				continue
			}
		}
		if err := f.name(name); err != nil {
			return nil, f.skipped, err
		}
	}
	f.hostsOfDirectories()
	slices.SortStableFunc(f.units, func(a, b *Unit) int {
		ta, _ := NameTime(a.Path, time.UTC)
		tb, _ := NameTime(b.Path, time.UTC)
		return cmp.Or(strings.Compare(a.Host, b.Host), ta.Compare(tb), strings.Compare(a.Path, b.Path))
	})
	return f.units, f.skipped, nil
}

type finder struct {
	units   []*Unit
	skipped []error
	seen    map[string]bool
}

// name takes a file or a directory that was named.
func (f *finder) name(name string) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		f.file(name, info)
		return nil
	}
	return filepath.WalkDir(name, func(at string, d fs.DirEntry, err error) error {
		hidden := at != name && strings.HasPrefix(filepath.Base(at), ".")
		switch {
		case err != nil && at == name:
			return err
		case err != nil:
			f.skipped = append(f.skipped, err)
			return nil
		case d.IsDir() && (hidden || isReport(at)):
			if !hidden {
				f.file(at, nil)
			}
			return fs.SkipDir
		case d.IsDir() || hidden:
			return nil
		}
		info, err := os.Stat(at) // of what a link leads to
		switch {
		case err != nil:
			f.skipped = append(f.skipped, err)
		case info.Mode().IsRegular():
			f.file(at, info)
		}
		return nil
	})
}

// isReport reports a directory that is an sos report.
func isReport(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, "sos_commands", "ipvs"))
	return err == nil && info.IsDir()
}

func (f *finder) file(name string, info fs.FileInfo) {
	whole, err := filepath.Abs(name)
	if err != nil {
		whole = name
	}
	if f.seen[whole] {
		return
	}
	f.seen[whole] = true
	u := &Unit{Path: name, Host: NameHost(name)}
	if info != nil && info.Mode().IsRegular() {
		u.Modified, u.Size = info.ModTime(), info.Size()
	}
	f.units = append(f.units, u)
}

// hostsOfDirectories takes directories for hosts where several hold files of one name, and
// these tell no host: lvs1/20261122.txt and lvs2/20261122.txt.
func (f *finder) hostsOfDirectories() {
	in := make(map[string]map[string]bool) // directories by file name
	for _, u := range f.units {
		dir, base := filepath.Split(u.Path)
		if u.Host != "" {
			return
		}
		if in[base] == nil {
			in[base] = make(map[string]bool)
		}
		in[base][dir] = true
	}
	several := false
	for _, dirs := range in {
		several = several || len(dirs) > 1
	}
	for _, u := range f.units {
		dir := filepath.Base(filepath.Dir(u.Path))
		if _, dated := NameTime(dir, time.UTC); several && !dated && dir != "." {
			u.Host = dir
		}
	}
}

// Each opens the unit's sources one after the other and closes them. An error of the
// function's ends it.
func (u *Unit) Each(read func(*Source) error) error {
	if u.source != nil {
		return read(u.source)
	}
	f, err := os.Open(u.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.IsDir() {
		if err != nil {
			return err
		}
		return u.one(read)
	}
	head := make([]byte, 4)
	if n, _ := f.ReadAt(head, 0); bytes.Equal(head[:n], []byte("PK\x03\x04")) {
		return u.zipped(f, read)
	}
	plain, err := decompress(f)
	if err != nil {
		return err
	}
	block := make([]byte, 512)
	n, err := io.ReadFull(plain, block)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return err
	}
	whole := &headed{head: block[:n], rest: plain}
	if !isTar(block[:n]) {
		return read(&Source{Kind: File, Name: u.Path, Host: u.Host, Modified: u.Modified, Size: u.Size, Reader: whole})
	}
	err = u.archived(tar.NewReader(whole), read)
	if errors.Is(err, errReport) {
		return u.one(read)
	}
	return err
}

// one reads what Open knows: a report.
func (u *Unit) one(read func(*Source) error) error {
	src, err := Open(u.Path)
	if err != nil {
		return err
	}
	defer src.Close()
	src.Host = u.Host
	return read(src)
}

// errReport means that an archive is an sos report.
var errReport = errors.New("it is an sos report")

func (u *Unit) archived(archive *tar.Reader, read func(*Source) error) error {
	for {
		h, err := archive.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		name := path.Clean("/" + h.Name)
		if strings.Contains(name, "/sos_commands/") || strings.HasPrefix(name, "/sosreport-") {
			return errReport
		}
		if h.Typeflag != tar.TypeReg || strings.HasPrefix(path.Base(name), ".") {
			continue
		}
		if err := read(u.member(name, h.ModTime, h.Size, archive)); err != nil {
			return err
		}
	}
}

func (u *Unit) zipped(f *os.File, read func(*Source) error) error {
	archive, err := zip.NewReader(f, u.Size)
	if err != nil {
		return err
	}
	for _, m := range archive.File {
		name := path.Clean("/" + m.Name)
		if m.FileInfo().IsDir() || strings.HasPrefix(path.Base(name), ".") {
			continue
		}
		r, err := m.Open()
		if err == nil {
			err = read(u.member(name, m.Modified, int64(m.UncompressedSize64), r))
			r.Close()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (u *Unit) member(name string, modified time.Time, size int64, r io.Reader) *Source {
	return &Source{Kind: File, Name: u.Path + name, Host: NameHost(name), Modified: modified, Size: size, Reader: Text(r)}
}

// generic are words in the names of files that are no host's.
var generic = []string{
	"conn", "conns", "connection", "connections", "ipvs", "ipvsadm", "ip_vs", "ip_vs_conn", "lvs", "snapshot", "snapshots",
	"dump", "table", "stats", "log", "txt", "lcn", "lnc", "save", "saved", "list", "listing", "director", "backup", "messages",
}

// NameHost is the host that a file's name tells: what stands before the time in it, but for
// general words. Without a time a name tells none.
func NameHost(name string) string {
	base := filepath.Base(name)
	at := -1
	for _, form := range timeForms {
		if m := form.FindStringSubmatchIndex(base); m != nil {
			at = m[2] // where the year begins
			break
		}
	}
	if at < 0 {
		return ""
	}
	host := strings.Trim(base[:at], "-_.@+ ")
	for {
		cut := strings.LastIndexAny(host, "-_.@+ ")
		if slices.Contains(generic, strings.ToLower(host)) {
			return ""
		}
		if cut < 0 || !slices.Contains(generic, strings.ToLower(host[cut+1:])) {
			break
		}
		host = host[:cut]
	}
	for {
		cut := strings.IndexAny(host, "-_.@+ ")
		if cut < 0 || !slices.Contains(generic, strings.ToLower(host[:cut])) {
			return host
		}
		host = host[cut+1:]
	}
}
