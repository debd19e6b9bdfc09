package capture

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"cmp"
	"context"
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
// ctx ends the wait for whoever writes to a named pipe, and the search of an archive for its names;
// do itself is to look at it.
func (u *Unit) Each(ctx context.Context, do func(*Source) error) error {
	if u.report {
		src, err := openReport(u.Path)
		return with(src, err, do)
	}
	f, err := openFile(ctx, u.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() { // a pipe cannot be opened again, nor read at random
		src := fileSource(f, info)
		src.Host = cmp.Or(src.Host, u.Host)
		return do(src)
	}
	magic := make([]byte, 4)
	if _, err := f.ReadAt(magic, 0); err == nil && isZip(magic) {
		return u.eachZipped(f, info.Size(), do)
	}
	whole, err := decompress(f)
	if err != nil {
		whole = ended{err}
	}
	head, whole := firstBlock(whole)
	if isTar(head) {
		hosts, err := u.tarHosts(ctx)
		if err != nil {
			return err
		}
		return u.eachTarred(ctx, f, tar.NewReader(whole), hosts, do)
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

// tarHosts are the hosts that the folders of a tar archive tell. Its names are read to their end
// for that, unless they tell hosts themselves, or all files lie in one folder.
func (u *Unit) tarHosts(ctx context.Context) (map[string]string, error) {
	f, err := os.Open(u.Path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	whole, err := decompress(interruptible{ctx, f})
	if err != nil {
		return nil, nil // who reads it meets that again
	}
	var names []string
	for t := tar.NewReader(whole); ; {
		h, err := t.Next()
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err != nil:
			return folderHosts(names, u.loc), nil
		case isReport(h.Name):
			return nil, nil
		case h.Typeflag != tar.TypeReg || isHiddenMember(h.Name):
		case NameHost(h.Name) != "" && len(names) == 0: // so do the others, usually
			return nil, nil
		case NameHost(h.Name) == "":
			names = append(names, memberName(h.Name))
		}
	}
}

// interruptible is a reader that ends with a context.
type interruptible struct {
	ctx context.Context
	r   io.Reader
}

func (i interruptible) Read(p []byte) (int, error) {
	if i.ctx.Err() != nil {
		return 0, context.Cause(i.ctx)
	}
	return i.r.Read(p)
}

func (u *Unit) eachTarred(ctx context.Context, f *os.File, t *tar.Reader, hosts map[string]string, do func(*Source) error) error {
	var met error // by whoever read the file before
	for {
		h, err := t.Next()
		switch {
		case err == io.EOF, err != nil && err == met:
			return nil
		case err != nil:
			return fmt.Errorf("%s: %w", u.Path, err)
		case isReport(h.Name):
			src, err := Open(ctx, u.Path)
			if err == nil {
				src.Host = cmp.Or(src.Host, u.Host)
			}
			return with(src, err, do)
		case h.Typeflag != tar.TypeReg || isHiddenMember(h.Name):
			continue
		}
		if met, err = u.member(&Source{Name: h.Name, Modified: h.ModTime, Size: h.Size, Reader: t, file: f}, hosts, do); err != nil {
			return err
		}
	}
}

func (u *Unit) eachZipped(f *os.File, size int64, do func(*Source) error) error {
	z, err := zip.NewReader(f, size)
	if err != nil {
		return fmt.Errorf("%s: %w", u.Path, err)
	}
	var names []string
	for _, file := range z.File {
		if file.Mode().IsRegular() && !isHiddenMember(file.Name) && NameHost(file.Name) == "" {
			names = append(names, memberName(file.Name))
		}
	}
	hosts := folderHosts(names, u.loc)
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
		src := &Source{Name: file.Name, Modified: file.Modified, Size: int64(file.UncompressedSize64), Reader: r, file: f}
		if src.Modified.Location() == time.UTC { // without an offset: what the clocks showed, to two seconds
			src.Coarse = true
			if u.loc != nil {
				src.Modified, _ = instants(src.Modified, u.loc)
			}
		}
		_, err := u.member(src, hosts, do)
		if c, ok := r.(io.Closer); ok { // which nobody reads from any more
			c.Close()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// isZip reports the beginning of a zip archive.
func isZip(head []byte) bool {
	return bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte("PK\x05\x06"))
}

var errEncrypted = errors.New("zip: it is encrypted")

// member calls do with a file of an archive, whose name and text are as the archive has them, and
// which is of the host that its folder tells if its name tells none. When that is done nobody reads
// on in it: a reader that was closed before its end may have a read under way, which ends when
// the archive is closed. met is the archive's own error that do met, err what do returned.
func (u *Unit) member(src *Source, hosts map[string]string, do func(*Source) error) (met, err error) {
	name := memberName(src.Name)
	g := &gate{r: src.Reader}
	src.Name, src.Member, src.Reader = u.Path+"/"+name, name, Text(g)
	src.Host = cmp.Or(NameHost(name), hosts[path.Dir(name)], u.Host)
	if err = do(src); err != nil {
		src.file.Close()
	}
	return g.shut(), err
}

// memberName is a name in an archive, cleaned.
func memberName(name string) string {
	return strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(name, `\`, "/")), "/")
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
