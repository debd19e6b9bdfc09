package capture

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Unit is what is read in one go, from its beginning to its end: a file, an archive with
// several in it, or the directory of an sos report.
type Unit struct {
	// Path is the file's or the directory's. It is not safe for a terminal.
	Path string
	// Host is what the path tells, empty if it tells none: NameHost, or the folder in which
	// the file lies where several folders have files of the same name, but for the time in it
	// (lvs1/conn.txt and lvs2/conn.txt). What the text tells, Snapshot.Host, is more certain.
	Host string
	// Time is what the name tells, by NameTime; zero if it tells none.
	Time time.Time
	// Modified and Size are the file's, of an archive as of any other; zero of a report's
	// directory.
	Modified time.Time
	Size     int64

	report bool // a directory
	loc    *time.Location
}

// NothingFoundError says that there is nothing to read.
type NothingFoundError struct {
	Args     []string
	Failures []error // what could not be looked at
}

func (e *NothingFoundError) Error() string {
	if len(e.Failures) > 0 {
		return fmt.Sprintf("nothing to read: %v", e.Failures[0])
	}
	return fmt.Sprintf("nothing to read in %s: no files there, nor in the folders below, but for hidden ones", strings.Join(e.Args, ", "))
}

func (e *NothingFoundError) Unwrap() []error { return e.Failures }

// UnfinishedPrefix is how the names of snapshots begin that are being written.
const UnfinishedPrefix = ".ipvsstate-record-"

// Find looks for what there is to read under command-line arguments: files, directories, and
// patterns (filepath.Match: * ? [a-z], none that crosses folders) that the shell has left as
// they are, which an argument is that names no file.
//
// Directories are searched with all that are below. Hidden files and folders are passed over
// there, and with them the snapshots that are being written (.ipvsstate-record-…); so are
// devices and pipes. Symbolic links to files are followed, those to folders only where an
// argument is one, so that there are no loops. A directory in which sos_commands lies is an sos
// report and one unit: other files in it are not looked at.
//
// A file that is met twice is taken once, by the name that is not a link. Units come in the order of
// their hosts, then of the times that their names tell, then of their paths. Names without a zone
// are taken to be in loc, and so are times in zip archives that tell none.
//
// Files are not opened, so whether they are listings is not known yet. failures are what could
// not be looked at beside; err is a *NothingFoundError if no unit is left, or why ctx ended.
func Find(ctx context.Context, args []string, loc *time.Location) (units []Unit, failures []error, err error) {
	f := &finder{ctx: ctx, loc: loc, seen: make(map[fileKey][]seenFile)}
	for _, arg := range args {
		f.argument(arg)
	}
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	if len(f.units) == 0 {
		return nil, nil, &NothingFoundError{args, f.failures}
	}
	tellSiblings(f.units)
	tellFolders(f.units, loc)
	slices.SortStableFunc(f.units, func(a, b Unit) int {
		return cmp.Or(cmp.Compare(a.Host, b.Host), a.Time.Compare(b.Time), cmp.Compare(a.Path, b.Path))
	})
	return f.units, f.failures, nil
}

type finder struct {
	ctx      context.Context
	loc      *time.Location
	units    []Unit
	failures []error
	seen     map[fileKey][]seenFile
}

// fileKey is equal for one file under two names, and as a rule for no others: of files that were
// copied together all can have one size and one time.
type fileKey struct{ high, low uint64 }

type seenFile struct {
	info fs.FileInfo
	unit int
	link bool
}

func (f *finder) argument(arg string) {
	if f.ctx.Err() != nil {
		return
	}
	info, err := os.Stat(arg)
	switch {
	case err == nil && info.IsDir():
		f.directory(arg)
	case err == nil:
		f.add(Unit{Path: arg, Host: NameHost(arg)}, info, isLink(arg))
	case errors.Is(err, fs.ErrNotExist) && strings.ContainsAny(arg, "*?["):
		f.pattern(arg)
	default:
		f.failures = append(f.failures, err)
	}
}

func isLink(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().Type() == fs.ModeSymlink
}

// pattern takes the names that match as arguments.
func (f *finder) pattern(pattern string) {
	names, err := filepath.Glob(pattern)
	found := false
	for _, name := range names {
		if base := filepath.Base(name); isHidden(base) && !isHidden(filepath.Base(pattern)) || strings.HasPrefix(base, UnfinishedPrefix) {
			continue
		}
		found = true
		f.argument(name)
	}
	if err == nil && !found {
		err = errors.New("no file has such a name")
	}
	if err != nil {
		f.failures = append(f.failures, &fs.PathError{Op: "match", Path: pattern, Err: err})
	}
}

func isHidden(base string) bool { return strings.HasPrefix(base, ".") && base != "." && base != ".." }

func (f *finder) directory(path string) {
	all, err := os.ReadDir(path)
	if err != nil {
		f.failures = append(f.failures, err)
	}
	if slices.ContainsFunc(all, func(e fs.DirEntry) bool { return e.Name() == "sos_commands" && e.IsDir() }) {
		f.report(path)
		return
	}
	for _, e := range all {
		if f.ctx.Err() != nil {
			return
		}
		name := filepath.Join(path, e.Name())
		link := e.Type() == fs.ModeSymlink
		switch {
		case isHidden(e.Name()):
		case e.IsDir():
			f.directory(name)
		case link || e.Type().IsRegular():
			info, err := os.Stat(name)
			if err != nil {
				f.failures = append(f.failures, err)
			} else if info.Mode().IsRegular() {
				f.add(Unit{Path: name, Host: NameHost(name)}, info, link)
			}
		}
	}
}

// report takes a directory as an sos report, if there is something in it for us.
func (f *finder) report(path string) {
	src, err := openReport(path)
	if errors.Is(err, ErrDirectory) {
		err = &fs.PathError{Op: "read", Path: path, Err: ErrNoReport}
	}
	if err == nil {
		src.Close()
		var info fs.FileInfo
		if info, err = os.Stat(path); err == nil {
			f.add(Unit{Path: path, Host: src.Host, report: true}, info, false)
			return
		}
	}
	f.failures = append(f.failures, err)
}

// add takes a file, unless it is there already.
func (f *finder) add(u Unit, info fs.FileInfo, link bool) {
	key := keyOf(info)
	if !u.report {
		u.Modified, u.Size = info.ModTime(), info.Size()
	}
	u.loc = f.loc
	u.Time, _ = NameTime(filepath.Clean(u.Path), f.loc)
	for i, had := range f.seen[key] {
		if os.SameFile(had.info, info) {
			if had.link && !link {
				f.units[had.unit], f.seen[key][i].link = u, false
			}
			return
		}
	}
	f.seen[key] = append(f.seen[key], seenFile{info, len(f.units), link})
	f.units = append(f.units, u)
}

// tellSiblings gives a unit whose name tells no host that of others of its series: of lvs1.log
// that which lvs1.log-20261122 tells.
func tellSiblings(units []Unit) {
	series := func(u *Unit) string {
		dir, base := filepath.Split(filepath.Clean(u.Path))
		return dir + Stem(base)
	}
	hosts := make(map[string]string)
	for i := range units {
		if u := &units[i]; u.Host != "" && !u.report {
			hosts[series(u)] = u.Host
		}
	}
	for i := range units {
		if u := &units[i]; u.Host == "" {
			u.Host = hosts[series(u)]
		}
	}
}

// tellFolders gives the units whose names tell no host what folderHosts says.
func tellFolders(units []Unit, loc *time.Location) {
	var hostless []string
	for _, u := range units {
		if u.Host == "" {
			hostless = append(hostless, filepath.ToSlash(filepath.Clean(u.Path)))
		}
	}
	hosts := folderHosts(hostless, loc)
	for i := range units {
		if u := &units[i]; u.Host == "" {
			u.Host = hosts[path.Dir(filepath.ToSlash(filepath.Clean(u.Path)))]
		}
	}
}

// folderHosts are the hosts that folders tell, with slashes as in paths, where they have files of the same
// names as others, but for the times in them (Stem): of the folders in which their paths differ
// the one nearest to the file that can be a host's name, and is no time nor a span of time. A
// folder with others below it has what belongs to no folder.
func folderHosts(paths []string, loc *time.Location) map[string]string {
	folders := make(map[string]map[string][]string) // by the stem of a file in them; their paths in parts
	for _, name := range paths {
		dir, stem := path.Dir(name), Stem(path.Base(name))
		if folders[stem] == nil {
			folders[stem] = make(map[string][]string)
		}
		if _, ok := folders[stem][dir]; !ok && dir != "." {
			folders[stem][dir] = strings.FieldsFunc(dir, func(r rune) bool { return r == '/' })
		} else if !ok {
			folders[stem][dir] = nil
		}
	}
	hosts := make(map[string]string)
	for _, stem := range slices.Sorted(maps.Keys(folders)) {
		all := slices.Collect(maps.Values(folders[stem]))
		common := commonLength(all)
		all = slices.DeleteFunc(all, func(parts []string) bool { return len(parts) == common })
		if len(all) < 2 {
			continue
		}
		common = commonLength(all)
		for dir, parts := range folders[stem] {
			for _, name := range slices.Backward(parts[min(common, len(parts)):]) {
				if _, isTime := NameTime(name, loc); !isTime && hosts[dir] == "" && couldBeHost(name) && !isPeriod(name) {
					hosts[dir] = name
				}
			}
		}
	}
	return hosts
}

// commonLength is how many folders all paths begin with; of a single path all are.
func commonLength(paths [][]string) int {
	n := len(paths[0])
	for _, path := range paths[1:] {
		n = min(n, len(path))
		for n > 0 && !slices.Equal(path[:n], paths[0][:n]) {
			n--
		}
	}
	return n
}
