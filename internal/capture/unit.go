package capture

import (
	"archive/tar"
	"archive/zip"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"time"
)

// Each opens the unit and calls do with each source in it, one after the other: once for a file
// or an sos report, in a directory or an archive, and for an archive once for each of its files, in
// its order. An archive is tar (POSIX or GNU), compressed or not, or zip, told by its content.
// Its files may be compressed themselves. What is hidden in it is passed over.
//
// A tar archive is a report if it begins with a folder whose name begins with sosreport-, or holds
// a folder sos_commands: what stood before that was given already, and what is beside is not read.
// From a pipe no archives are read but tar archives that are reports.
//
// A source is closed when do returns, which must not keep it. Each ends with the first error that
// do returns, or with what kept the unit from being opened or the archive from being read on. An error
// within a source is met by whoever reads it, and Each goes on to the next if do returns none.
func (u *Unit) Each(do func(*Source) error) error {
	if u.report {
		src, err := openReport(u.Path)
		return with(src, err, do)
	}
	f, err := os.Open(u.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() { // a pipe cannot be opened again, nor read at random
		src, err := Open(u.Path)
		return with(src, err, do)
	}
	magic := make([]byte, 4)
	if _, err := f.ReadAt(magic, 0); err == nil && (string(magic) == "PK\x03\x04" || string(magic) == "PK\x05\x06") {
		return u.eachZipped(f, info.Size(), do)
	}
	whole, err := decompress(f)
	if err != nil {
		whole = ended{err}
	}
	head, whole := firstBlock(whole)
	if isTar(head) {
		return u.eachTarred(f, tar.NewReader(whole), do)
	}
	return do(&Source{Kind: File, Name: u.Path, Host: u.Host, Modified: info.ModTime(), Size: info.Size(), Reader: whole, file: f})
}

// with calls do with a source, and closes it.
func with(src *Source, err error, do func(*Source) error) error {
	if err != nil {
		return err
	}
	defer src.Close()
	return do(src)
}

func (u *Unit) eachTarred(f *os.File, t *tar.Reader, do func(*Source) error) error {
	var met error // by whoever read the file before
	for {
		h, err := t.Next()
		switch {
		case err == io.EOF, err != nil && err == met:
			return nil
		case err != nil:
			return fmt.Errorf("%s: %w", u.Path, err)
		case isReport(h.Name):
			src, err := Open(u.Path)
			if err == nil {
				src.Host = cmp.Or(src.Host, u.Host)
			}
			return with(src, err, do)
		case h.Typeflag != tar.TypeReg || isHiddenMember(h.Name):
			continue
		}
		if met, err = u.member(h.Name, h.ModTime, h.Size, t, f, do); err != nil {
			return err
		}
	}
}

func (u *Unit) eachZipped(f *os.File, size int64, do func(*Source) error) error {
	z, err := zip.NewReader(f, size)
	if err != nil {
		return fmt.Errorf("%s: %w", u.Path, err)
	}
	for _, file := range z.File {
		if !file.Mode().IsRegular() || isHiddenMember(file.Name) {
			continue
		}
		var r io.Reader = ended{errEncrypted}
		if file.Flags&1 == 0 {
			c, err := file.Open()
			if r = c; err != nil {
				r = ended{fmt.Errorf("zip: %w", err)}
			}
		}
		modified := file.Modified
		if modified.Location() == time.UTC && u.loc != nil { // without an offset: what the clocks showed
			modified, _ = instants(modified, u.loc)
		}
		if _, err := u.member(file.Name, modified, int64(file.UncompressedSize64), r, f, do); err != nil {
			return err
		}
	}
	return nil
}

var errEncrypted = errors.New("zip: it is encrypted")

// member calls do with a file of an archive. When that is done nobody reads on in it: a
// reader that was closed before its end may have a read under way, which ends when the
// archive is closed. met is the archive's own error that do met, err what do returned.
func (u *Unit) member(name string, modified time.Time, size int64, r io.Reader, archive *os.File, do func(*Source) error) (met, err error) {
	name = strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(name, `\`, "/")), "/")
	g := &gate{r: r}
	err = do(&Source{
		Kind: File, Name: u.Path + "/" + name, Member: name, Host: cmp.Or(NameHost(name), u.Host), Modified: modified, Size: size, Reader: Text(g), file: archive,
	})
	if err != nil {
		archive.Close()
	}
	return g.shut(), err
}

// gate is a reader that is read from until it is shut.
type gate struct {
	mu   sync.Mutex
	r    io.Reader
	err  error // that reading ended with
	done bool
}

func (g *gate) Read(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.done {
		return 0, fs.ErrClosed
	}
	n, err := g.r.Read(p)
	if err != nil {
		g.err = err
	}
	return n, err
}

// shut also gives the error that reading ended with.
func (g *gate) shut() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.done = true
	return g.err
}

// isReport reports a name in an archive that only sos reports have.
func isReport(name string) bool {
	name = path.Clean("/" + name)
	return strings.HasPrefix(name, "/sosreport-") || strings.Contains(name+"/", "/sos_commands/")
}

// isHiddenMember reports a name in an archive of which a part is hidden, or that macOS adds.
func isHiddenMember(name string) bool {
	for part := range strings.SplitSeq(path.Clean("/"+name), "/") {
		if isHidden(part) || part == "__MACOSX" {
			return true
		}
	}
	return false
}
