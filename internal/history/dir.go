package history

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"

	"ipvsstate/internal/capture"
)

// Dir is a directory of snapshots. Several programs may use one at once.
type Dir struct {
	path string
	root *os.Root
	disk disk
}

// OpenDir opens a directory, which must exist: one that is missing may be a file system
// that is not mounted.
func OpenDir(path string) (*Dir, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	return &Dir{path: path, root: root, disk: osDisk{root}}, nil
}

// Close releases the directory.
func (d *Dir) Close() error { return d.root.Close() }

// Written is a snapshot that has been written.
type Written struct {
	Path    string
	Entries int64
	Size    int64 // of the file, in bytes
}

// A file that is being written has a name of its own, which is none of a snapshot's.
const (
	unfinishedPrefix = capture.UnfinishedPrefix
	unfinishedSuffix = ".tmp"
)

// maxTries is how often a new file may be taken for an abandoned one: by another run that
// looks for such just between its making and its locking.
const maxTries = 100

// maxSameSecond is how many snapshots of one second a host may have.
const maxSameSecond = 1000

// Write writes a snapshot. It is compressed into a file beside the others, made to last,
// and only then given its name, which no other has; so that a file of such a name is whole,
// whenever the program, the disk or the machine stops. What stopped runs left behind is
// removed. If the error comes from the last step, which makes the name last, the snapshot
// is there all the same.
func (d *Dir) Write(s *Snapshot) (w Written, err error) {
	d.sweep()
	var f file
	var name string
	for range maxTries {
		name = unfinishedPrefix + randomName() + unfinishedSuffix
		if f, err = d.disk.create(name); !errors.Is(err, errTaken) {
			break
		}
	}
	if err != nil {
		return w, fmt.Errorf("make a file in %s: %w", d.path, err)
	}
	named := false
	defer func() {
		if !named {
			d.disk.remove(name)
		}
		f.Close() // and with it goes the lock
	}()
	size := &counter{to: f}
	if w.Entries, err = compress(size, s); err != nil {
		return w, fmt.Errorf("write a snapshot to %s: %w", d.path, err)
	}
	w.Size = size.n
	if err = f.Sync(); err != nil {
		return w, fmt.Errorf("write a snapshot to %s: %w", d.path, err)
	}
	final := ""
	for n := 1; n <= maxSameSecond; n++ {
		final = fileName(s.Host, s.Time, n)
		if err = d.disk.link(name, final); !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	if err != nil {
		return w, fmt.Errorf("name a snapshot in %s: %w", d.path, err)
	}
	named = true
	w.Path = filepath.Join(d.path, final)
	d.disk.remove(name) // if it cannot be, a later run does so
	if err = d.disk.sync(); err != nil {
		return w, fmt.Errorf("make the name of %s last: %w", w.Path, err)
	}
	return w, nil
}

// compress writes a snapshot's text with zstd. A small window keeps the memory small.
func compress(to io.Writer, s *Snapshot) (entries int64, err error) {
	z, err := zstd.NewWriter(to, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return 0, err
	}
	if entries, err = s.Write(z); err != nil {
		return entries, err
	}
	return entries, z.Close()
}

// counter counts what is written.
type counter struct {
	to io.Writer
	n  int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.n += int64(n)
	return n, err
}

func randomName() string {
	var b [8]byte
	rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}

// sweep removes the files of runs that stopped before they were done: those that nobody
// holds locked. What cannot be removed, or told to be such a file, is left.
func (d *Dir) sweep() {
	names, err := fs.Glob(d.root.FS(), unfinishedPrefix+"*"+unfinishedSuffix)
	if err != nil {
		return
	}
	for _, name := range names {
		if info, err := d.root.Lstat(name); err != nil || !info.Mode().IsRegular() {
			continue
		}
		f, err := d.root.OpenFile(name, os.O_RDWR, 0) // NFS gives no lock to who may only read
		if err != nil {
			continue
		}
		if got, _ := lock(f); got {
			d.disk.remove(name)
		}
		f.Close()
	}
}
