package history

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ipvsstate/internal/capture"
)

// Keep says which snapshots are kept. Zero values ask for nothing to be removed.
type Keep struct {
	// Age is how old a snapshot may become, by the time in its name.
	Age time.Duration
	// Size is how many bytes a host's snapshots may have together.
	Size int64
}

// stored is a file with a snapshot's name.
type stored struct {
	name string
	at   time.Time
	n    int
	size int64
}

// toCome is how much later than now a snapshot may be: more is a clock that was wrong.
const toCome = 24 * time.Hour

// Prune removes a host's snapshots, the oldest first, until all are kept that are to be,
// and returns how many it removed. Only files are removed that bear the name of a snapshot
// of this host and begin as one; never the newest, and never the one at the path just. Those of
// a time to come are left alone, and are an error: they would be the newest for long. Those
// of which stranded tells are not removed for their age. Once a file could not be removed, no newer
// one is removed to reach Size.
func (d *Dir) Prune(host string, keep Keep, now time.Time, just string) (removed int, err error) {
	if keep == (Keep{}) {
		return 0, nil
	}
	all, err := d.stored(host)
	if err != nil {
		return 0, err
	}
	var failed error
	for i, s := range all {
		if s.at.After(now.Add(toCome)) && s.name != filepath.Base(just) {
			failed = fmt.Errorf("%s and perhaps later ones in %s are of a time to come, and are left alone: was a clock wrong?", s.name, d.path)
			all = all[:i]
			break
		}
	}
	total := int64(0)
	for _, s := range all {
		total += s.size
	}
	stuck, spared := false, stranded(all, keep.Age, now)
	for i, s := range all {
		old := keep.Age > 0 && i >= spared && s.at.Before(now.Add(-keep.Age))
		tooMuch := keep.Size > 0 && total > keep.Size && !stuck
		if !old && !tooMuch && i >= spared {
			break
		}
		if !old && !tooMuch || i == len(all)-1 || s.name == filepath.Base(just) {
			continue
		}
		ours, err := d.isSnapshot(s.name, host)
		if ours && err == nil {
			err = d.disk.remove(s.name)
		}
		switch {
		case err == nil && ours:
			removed++
			total -= s.size
		case err == nil, errors.Is(err, fs.ErrNotExist): // another's, or another run was faster
			total -= s.size
		default:
			if ours {
				stuck = true
			} else { // it could not be read: nobody knows whose it is
				total -= s.size
			}
			failed = cmp.Or(failed, fmt.Errorf("remove old snapshots from %s: %w", d.path, err))
		}
	}
	return removed, failed
}

// stranded is how many of all, the oldest first, lie behind a gap that a clock set far ahead would leave
// as well as a long pause: one of at least the age that is kept, and many times the time between the
// snapshots before it. They stay until what came behind it covers half of that age.
func stranded(all []stored, age time.Duration, now time.Time) int {
	const many = 10
	for i := len(all) - 1; i >= 2 && age > 0 && now.Sub(all[i].at) < age/2; i-- {
		gap, before := all[i].at.Sub(all[i-1].at), all[i-1].at.Sub(all[i-2].at)
		if gap >= age && gap >= many*before && !all[i].at.After(now) {
			return i
		}
	}
	return 0
}

// stored are the files with names of a host's snapshots, the oldest first.
func (d *Dir) stored(host string) ([]stored, error) {
	entries, err := fs.ReadDir(d.root.FS(), ".")
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", d.path, err)
	}
	var all []stored
	for _, e := range entries {
		of, at, n, ok := parseName(e.Name())
		if !ok || of != host || !e.Type().IsRegular() {
			continue
		}
		info, err := e.Info()
		if err != nil { // it is gone
			continue
		}
		all = append(all, stored{e.Name(), at, n, info.Size()})
	}
	slices.SortFunc(all, func(a, b stored) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return a.n - b.n
	})
	return all, nil
}

// isSnapshot reports a file that begins as a snapshot of the host.
func (d *Dir) isSnapshot(name, host string) (bool, error) {
	f, err := d.disk.open(name)
	if err != nil {
		return false, err
	}
	defer f.Close()
	// Whatever the file holds, no more of it is unpacked than the first line of a snapshot can take.
	line, err := bufio.NewReader(io.LimitReader(capture.Text(f), 4096)).ReadString('\n')
	if err != nil { // it holds no such line
		return false, nil
	}
	r, ok := capture.RecordedOf([]byte(strings.TrimSuffix(line, "\n")))
	return ok && r.Host == host, nil
}
