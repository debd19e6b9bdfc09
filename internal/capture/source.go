// Package capture is where snapshots come from: files, directories, archives, sos reports,
// standard input, compressed or not, and streams that hold several listings. Bytes come in, are cut into
// blocks, parsed and counted side by side on several goroutines, and leave as one
// counted Snapshot after the other, in the order of the input.
package capture

import (
	"archive/tar"
	"bytes"
	"compress/bzip2"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/therootcompany/xz"
)

// Kind is what sort of source an input is.
type Kind uint8

// The kinds of source.
const (
	File Kind = iota
	Stdin
	Kernel
)

func (k Kind) String() string { return [...]string{"file", "stdin", "kernel"}[k] }

// Source is an open input.
type Source struct {
	Kind Kind
	// Name is the file's path, or what the user calls the input. It is not safe
	// for a terminal.
	Name string
	// Member is the name within an archive, empty of a file of its own.
	Member string
	// Host is what the path tells, by NameHost; empty if it tells none.
	Host string
	// Modified is the file's modification time, zero where there is none. Coarse says that it is
	// known to two seconds only, as in zip archives.
	Modified time.Time
	Coarse   bool
	// Size is a file's size in bytes, compressed as it is; 0 where it is not known.
	Size int64
	// Reader gives the bytes, decompressed.
	Reader io.Reader

	file  *os.File // that the bytes come from, nil where it is not known
	close func() error
}

// Offset is how many bytes of its file have been read, compressed as they are, of an archive's
// file from the archive's beginning; 0 where that is not known, as in a zip archive. Any
// goroutine may ask while another reads.
func (s *Source) Offset() int64 {
	if s.file == nil {
		return 0
	}
	at, err := s.file.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0
	}
	return at
}

// Close releases the source.
func (s *Source) Close() error {
	if s.close == nil {
		return nil
	}
	return s.close()
}

// Errors that a caller may want to answer with advice.
var (
	ErrDirectory = errors.New("it is a directory")
	ErrUTF16     = errors.New("it is UTF-16 text")
	ErrWindow    = errors.New("it was compressed with a window of more than 128 MiB")
)

// Open opens a file, which may be compressed, or an sos report, a directory or an
// archive. The error wraps what the operating system said, ErrDirectory, or why ctx ended.
func Open(ctx context.Context, name string) (*Source, error) {
	f, err := openFile(ctx, name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil || info.IsDir() {
		f.Close()
		if err != nil {
			return nil, err
		}
		return openReport(name)
	}
	return fileSource(f, info), nil
}

// fileSource is a file or a pipe that is open, and that its Close closes.
func fileSource(f *os.File, info fs.FileInfo) *Source {
	return &Source{Kind: File, Name: f.Name(), Host: NameHost(f.Name()), Modified: info.ModTime(), Size: info.Size(), Reader: Text(f), close: f.Close}
}

// openFile opens a file. A named pipe opens when somebody writes to it: ctx ends the wait, and
// leaves it to a goroutine.
func openFile(ctx context.Context, name string) (*os.File, error) {
	if info, err := os.Stat(name); err != nil || info.Mode().Type() != fs.ModeNamedPipe {
		return os.Open(name)
	}
	type opened struct {
		f   *os.File
		err error
	}
	done := make(chan opened)
	go func() {
		f, err := os.Open(name)
		select {
		case done <- opened{f, err}:
		case <-ctx.Done():
			f.Close()
		}
	}()
	select {
	case o := <-done:
		return o.f, o.err
	case <-ctx.Done():
		return nil, &fs.PathError{Op: "open", Path: name, Err: context.Cause(ctx)}
	}
}

// Text reads what is compressed with gzip, zstd, bzip2 or xz, told by its first
// bytes, as the text it is, and any other text as it comes. Nothing is read before
// the first Read, since a pipe may keep it waiting.
func Text(r io.Reader) io.Reader { return &text{raw: r} }

type text struct {
	raw io.Reader
	r   io.Reader
}

func (t *text) Read(p []byte) (int, error) {
	if t.r == nil {
		r, err := decompress(t.raw)
		if err != nil {
			return 0, err
		}
		if t.r, err = unpack(r); err != nil {
			return 0, err
		}
	}
	return t.r.Read(p)
}

func decompress(r io.Reader) (io.Reader, error) {
	head := make([]byte, 6)
	n, err := io.ReadFull(r, head)
	head = head[:n]
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	whole := &headed{head: head, rest: r}
	begins := func(magic string) bool { return bytes.HasPrefix(head, []byte(magic)) }
	switch {
	case begins("\x1f\x8b"):
		return named(gzip.NewReader(whole))("gzip")
	case begins("\x28\xb5\x2f\xfd"):
		if len(head) == 6 && head[4]&singleSegment == 0 && head[5] > maxWindowByte {
			return nil, fmt.Errorf("zstd: %w", ErrWindow)
		}
		return named(newZstd(whole))("zstd")
	case begins("BZh"):
		return labelled{bzip2.NewReader(whole), "bzip2"}, nil
	case begins("\xfd7zXZ\x00"):
		return named(xz.NewReader(whole, xz.DefaultDictMax))("xz")
	case begins("\xff\xfe"), begins("\xfe\xff"):
		return nil, ErrUTF16
	}
	return whole, nil
}

// zstdReader is a decoder that others use again once it has come to the end: with its
// window it takes more memory than a small file.
type zstdReader struct{ decoder *zstd.Decoder }

var zstdDecoders sync.Pool

// maxWindow is what zstd itself unpacks without being told to: a decoder takes as much memory,
// however small the file. The byte of a frame that tells the window, which one of a single segment
// does not have, has the power of two in its upper five bits, and 1024 as 0.
const (
	maxWindow     = 1 << 27
	maxWindowByte = (27 - 10) << 3
	singleSegment = 1 << 5
)

func newZstd(r io.Reader) (*zstdReader, error) {
	if d, ok := zstdDecoders.Get().(*zstd.Decoder); ok {
		return &zstdReader{d}, d.Reset(r)
	}
	// One goroutine: the parsers take the other processor.
	d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
	return &zstdReader{d}, err
}

func (z *zstdReader) Read(p []byte) (int, error) {
	if z.decoder == nil {
		return 0, io.EOF
	}
	n, err := z.decoder.Read(p)
	if err == io.EOF && z.decoder.Reset(nil) == nil {
		zstdDecoders.Put(z.decoder)
		z.decoder = nil
	}
	if errors.Is(err, zstd.ErrDecoderSizeExceeded) { // a single segment, which is its own window
		err = ErrWindow
	}
	return n, err
}

// unpack reads the text of a report's files if r is an archive.
func unpack(r io.Reader) (io.Reader, error) {
	head, whole := firstBlock(r)
	if isZip(head) {
		return nil, ErrArchive
	}
	if isTar(head) {
		return &reportArchive{tar: tar.NewReader(whole)}, nil
	}
	return whole, nil
}

// firstBlock reads as much as shows an archive, and gives a reader of the whole. A block
// that does not come at once is none of an archive.
func firstBlock(r io.Reader) (block []byte, whole io.Reader) {
	head := make([]byte, 512)
	n := 0
	for n < len(head) {
		m, err := r.Read(head[n:])
		n += m
		if err != nil {
			r = ended{err}
			break
		}
		if _, compressed := r.(labelled); !compressed && n > len("\xfd7zXZ\x00") {
			break
		}
	}
	return head[:n], &headed{head: head[:n], rest: r}
}

// headed is a reader whose first bytes have been read already.
type headed struct {
	head []byte
	rest io.Reader
}

func (h *headed) Read(p []byte) (int, error) {
	if len(h.head) > 0 {
		n := copy(p, h.head)
		h.head = h.head[n:]
		return n, nil
	}
	return h.rest.Read(p)
}

// named gives a decompressor's errors its name.
func named[R io.Reader](r R, err error) func(string) (io.Reader, error) {
	return func(format string) (io.Reader, error) {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", format, err)
		}
		return labelled{r, format}, nil
	}
}

type labelled struct {
	io.Reader
	format string
}

func (l labelled) Read(p []byte) (int, error) {
	n, err := l.Reader.Read(p)
	if err != nil && err != io.EOF && !strings.HasPrefix(err.Error(), l.format) {
		err = fmt.Errorf("%s: %w", l.format, err)
	}
	return n, err
}
