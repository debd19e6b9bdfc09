package history

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ipvsstate/internal/capture"
	"ipvsstate/internal/conn"
	"ipvsstate/internal/parse"
)

var at = time.Date(2026, 11, 22, 5, 28, 40, 0, time.UTC)

// listing is a proc file of the repository's, configuration one of its ipvsadm -Ln.
func listing(t testing.TB) []byte       { return testdata(t, "k6.1-ip-vs-conn-sync.txt") }
func configuration(t testing.TB) []byte { return testdata(t, "k6.1-ipvsadm-Ln.txt") }

func testdata(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func configOf(t testing.TB, text []byte) *conn.Config {
	t.Helper()
	var s parse.Scanner
	var r parse.ConfigReader
	for s.Reset(bytes.Clone(text)); s.Scan(); {
		if k := s.Line().Kind; k == parse.ConfigTitleLine || k == parse.ConfigLine {
			r.Line(s.Line().Text)
		}
	}
	return r.Config()
}

// snapshotOf is a snapshot of a table.
func snapshotOf(t testing.TB, table []byte) *Snapshot {
	return &Snapshot{
		Time: at, Host: "lvs1", Facts: [][2]string{{"ipvsstate", "0.1.0"}, {"kernel", "6.1.0-18-amd64"}, {"netns", ""}},
		Version: "1.2.1", Buckets: 4096, Config: configOf(t, configuration(t)), Table: bytes.NewReader(table),
	}
}

func openDir(t testing.TB, path string) *Dir {
	t.Helper()
	d, err := OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// entries gathers all entries of a listing.
type entries struct{ all []conn.Entry }

func (a *entries) Add(e *conn.Entry) { a.all = append(a.all, *e) }
func (a *entries) Merge(o *entries)  { a.all = append(a.all, o.all...) }
func (a *entries) Reset()            { a.all = a.all[:0] }

// read reads a text as every command does.
func read(src *capture.Source) (*capture.Snapshot[*entries], error) {
	reader := capture.NewReader(context.Background(), src, capture.Config{Workers: 1}, func() *entries { return &entries{} })
	defer reader.Close()
	var last *capture.Snapshot[*entries]
	for reader.Scan() {
		last = reader.Snapshot()
	}
	return last, reader.Err()
}

func readText(t testing.TB, text []byte) *capture.Snapshot[*entries] {
	t.Helper()
	s, err := read(&capture.Source{Name: "text", Reader: bytes.NewReader(text)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func readFile(path string) (*capture.Snapshot[*entries], error) {
	src, err := capture.Open(context.Background(), path)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	return read(src)
}

// inspect holds a directory to its promise: each file with a snapshot's name is whole. It
// returns their names and how many unfinished files there are.
func inspect(t testing.TB, path string) (finished []string, unfinished int) {
	t.Helper()
	files, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasPrefix(f.Name(), unfinishedPrefix) {
			unfinished++
			continue
		}
		if _, _, _, ok := parseName(f.Name()); !ok {
			t.Errorf("what is %s?", f.Name())
			continue
		}
		if s, err := readFile(filepath.Join(path, f.Name())); err != nil || s.Recorded == nil || s.Torn || !s.Complete {
			t.Errorf("%s is not whole: %v", f.Name(), err)
		}
		finished = append(finished, f.Name())
	}
	return finished, unfinished
}
