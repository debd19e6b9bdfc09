package capture

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/klauspost/compress/zstd"
)

// compressed are testdata/listing.txt as gzip -9, zstd, bzip2 -9 and xz wrote it.
var compressed = []string{"listing.txt.gz", "listing.txt.zst", "listing.txt.bz2", "listing.txt.xz"}

func fixture(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestCompressed(t *testing.T) {
	want := fixture(t, "listing.txt")
	for _, name := range append(compressed, "listing.txt") {
		t.Run(name, func(t *testing.T) {
			data := fixture(t, name)
			if name != "listing.txt" && bytes.Contains(data, []byte("10.0.1.100")) {
				t.Fatal("the fixture is not compressed")
			}
			for _, chunking := range chunkings {
				if got, err := io.ReadAll(Text(chunking.of(data))); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s: %q, %v", chunking.name, got, err)
				}
			}
			// What is compressed shows by its first bytes, not by its name.
			unnamed := filepath.Join(t.TempDir(), "saved")
			if err := os.WriteFile(unnamed, data, 0o600); err != nil {
				t.Fatal(err)
			}
			src, err := Open(t.Context(), unnamed)
			if err != nil {
				t.Fatal(err)
			}
			defer src.Close()
			all, err := readAll(src.Reader, Config{})
			check(t, want, all, err)
			if len(all) != 1 || all[0].Entries != 3 || all[0].Time.IsZero() {
				t.Error(describe(all, err))
			}
		})
	}
}

// zstdFrame is a frame of one block as it is, whose byte tells its window; 0 is one of a single segment.
func zstdFrame(window byte, text string) string {
	head := "\x28\xb5\x2f\xfd\x00" + string([]byte{window})
	if window == 0 {
		head = "\x28\xb5\x2f\xfd\x20" + string([]byte{byte(len(text))})
	}
	n := len(text)<<3 | 1
	return head + string([]byte{byte(n), byte(n >> 8), byte(n >> 16)}) + text
}

// TestZstdWindow: a small file with a large window is not given the memory that it asks for.
func TestZstdWindow(t *testing.T) {
	text := entry(1)
	for _, tt := range []struct {
		name, data string
		want       error
	}{
		{"128 MiB, as zstd --long", zstdFrame(0x88, text), nil},
		{"144 MiB", zstdFrame(0x89, text), ErrWindow},
		{"256 MiB, as zstd --long=28", zstdFrame(0x90, text), ErrWindow},
		{"2 GiB", zstdFrame(0xa8, text), ErrWindow},
		{"a single segment", zstdFrame(0, strings.Repeat("x", 0xff)), nil},
		{"a single segment of 200 MiB", "\x28\xb5\x2f\xfd\xe0\x00\x00\x80\x0c\x00\x00\x00\x00\x09\x00\x00x", ErrWindow},
		{"in a second frame", zstdFrame(0x88, text) + zstdFrame(0x89, text), zstd.ErrWindowSizeExceeded},
	} {
		for _, chunking := range chunkings {
			if _, err := io.ReadAll(Text(chunking.of([]byte(tt.data)))); !errors.Is(err, tt.want) || tt.want == nil && err != nil {
				t.Errorf("%s, %s: error %v, want %v", tt.name, chunking.name, err, tt.want)
			}
		}
	}
}

// TestTruncated cuts compressed listings short: what is in front of the cut is
// shown, and the error says what was wrong with which compression.
func TestTruncated(t *testing.T) {
	for _, name := range compressed {
		t.Run(name, func(t *testing.T) {
			data := fixture(t, name)
			format := map[string]string{".gz": "gzip", ".zst": "zstd", ".bz2": "bzip2", ".xz": "xz"}[filepath.Ext(name)]
			for _, n := range []int{7, len(data) / 2, len(data) - 1} {
				_, err := io.ReadAll(Text(bytes.NewReader(data[:n])))
				if err == nil || !strings.HasPrefix(err.Error(), format+": ") {
					t.Errorf("%d bytes of %d: error %v, want one of %s", n, len(data), err, format)
				}
			}
		})
	}
}

func TestTruncatedGzipListing(t *testing.T) {
	var text []byte
	for n := range 5000 {
		text = append(text, entry(n)...)
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(append([]byte(title+columns), text...))
	w.Close()
	all, err := readAll(Text(bytes.NewReader(b.Bytes()[:b.Len()/2])), Config{})
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v, want %v", err, io.ErrUnexpectedEOF)
	}
	if len(all) != 1 || all[0].Complete || all[0].Entries < 1000 || all[0].Entries >= 5000 {
		t.Fatalf("%d snapshots", len(all))
	}
	for n := range all[0].Result.entries {
		if got := all[0].Result.entries[n].Client.String(); got != client(n) {
			t.Fatalf("entry %d is of %s", n, got)
		}
	}
}

// TestGzipMembers reads what `cat a.gz b.gz` and log rotation make.
func TestGzipMembers(t *testing.T) {
	var b bytes.Buffer
	for n := range 3 {
		w := gzip.NewWriter(&b)
		w.Write([]byte(title + columns + entry(n)))
		w.Close()
	}
	for _, chunking := range chunkings {
		all, err := readAll(Text(chunking.of(b.Bytes())), Config{})
		if err != nil || len(all) != 3 || outline(all[2]) != "- ipvsadm 2" {
			t.Errorf("%s: %s", chunking.name, describe(all, err))
		}
	}
}

// TestShortInputs are texts shorter than the bytes that tell a compression.
func TestShortInputs(t *testing.T) {
	for _, text := range []string{"", "\n", "BZ", "\x1f", "\xfd7zX", "(\xb5/", "abcdef", "abcde"} {
		if got, err := io.ReadAll(Text(strings.NewReader(text))); err != nil || string(got) != text {
			t.Errorf("%q reads as %q, %v", text, got, err)
		}
	}
	var b bytes.Buffer
	gzip.NewWriter(&b).Close()
	_, err := readAll(Text(&b), Config{})
	if none, ok := err.(*NoListingError); !ok || none.Lines != 0 {
		t.Errorf("nothing, compressed: %v", err)
	}
}

func TestUTF16(t *testing.T) {
	for _, mark := range []string{"\xff\xfe", "\xfe\xff"} {
		for _, chunking := range chunkings {
			all, err := readAll(Text(chunking.of([]byte(mark+"T\x00C\x00P\x00\n\x00"))), Config{Workers: 4})
			if len(all) > 0 || !errors.Is(err, ErrUTF16) {
				t.Errorf("%q: %s", mark, describe(all, err))
			}
		}
	}
}

func TestUTF8Mark(t *testing.T) {
	all, err := readAll(Text(strings.NewReader("\xef\xbb\xbf"+entry(1))), Config{})
	if err != nil || len(all) != 1 || all[0].Entries != 1 {
		t.Error(describe(all, err))
	}
}

// TestTextIsLazy reads nothing before it is asked to: a pipe may keep it waiting.
func TestTextIsLazy(t *testing.T) {
	if got, err := io.ReadAll(Text(iotest.ErrReader(errBroken))); len(got) > 0 || !errors.Is(err, errBroken) {
		t.Errorf("%q, %v", got, err)
	}
	r, w := io.Pipe() // a Read of it would block
	defer w.Close()
	Text(r)
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "saved.txt")
	if err := os.WriteFile(name, []byte(entry(1)), 0o600); err != nil {
		t.Fatal(err)
	}
	modified := time.Date(2026, 11, 22, 5, 28, 40, 0, time.UTC)
	if err := os.Chtimes(name, modified, modified); err != nil {
		t.Fatal(err)
	}
	src, err := Open(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if src.Kind != File || src.Name != name || !src.Modified.Equal(modified) {
		t.Errorf("%+v", src)
	}
	if err := src.Close(); err != nil {
		t.Error(err)
	}
	if _, err := src.Reader.Read(make([]byte, 10)); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("reading a closed source: %v", err)
	}
	if err := (&Source{}).Close(); err != nil {
		t.Errorf("closing what was not opened: %v", err)
	}

	if _, err := Open(t.Context(), filepath.Join(dir, "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	_, err = Open(t.Context(), dir)
	var path *fs.PathError
	if !errors.Is(err, ErrDirectory) || !errors.As(err, &path) || path.Path != dir {
		t.Errorf("a directory: %v", err)
	}
}

func TestKind(t *testing.T) {
	for k, want := range map[Kind]string{File: "file", Stdin: "stdin", Kernel: "kernel"} {
		if k.String() != want {
			t.Errorf("kind %d is %q, want %q", k, k, want)
		}
	}
}
