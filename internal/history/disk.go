package history

import (
	"errors"
	"io"
	"os"
)

// disk is all that is asked of the file system to write a snapshot and to remove old ones: each
// method is a point at which it can fail, or the program or the machine can stop. The tests do so at each.
type disk interface {
	open(name string) (io.ReadCloser, error)
	// create makes a file that does not exist, locked against those who remove what
	// stopped programs left.
	create(name string) (file, error)
	// link gives a file another name, unless that exists.
	link(from, to string) error
	remove(name string) error
	// sync makes names last.
	sync() error
}

type file interface {
	io.Writer
	Sync() error
	Close() error
}

// osDisk is a directory.
type osDisk struct{ *os.Root }

func (d osDisk) open(name string) (io.ReadCloser, error) { return d.Open(name) }

func (d osDisk) link(from, to string) error { return d.Link(from, to) }

func (d osDisk) remove(name string) error { return d.Remove(name) }

func (d osDisk) create(name string) (file, error) {
	f, err := d.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o640)
	if err != nil {
		return nil, err
	}
	// Whoever found the file before it was locked has locked it, and removes it.
	if _, held := lock(f); held || !d.is(f, name) {
		f.Close()
		return nil, errTaken
	}
	return f, nil
}

// errTaken means that a new file was taken for an abandoned one.
var errTaken = errors.New("another run has taken the new file for an abandoned one")

// is reports that an open file is still the one of that name.
func (d osDisk) is(f *os.File, name string) bool {
	open, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := d.Lstat(name)
	return err == nil && os.SameFile(open, named)
}

func (d osDisk) sync() error {
	dir, err := d.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
