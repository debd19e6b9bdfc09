package capture

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"ipvsstate/internal/conn"
)

// recorder is an accumulator that keeps every entry in order, so that one that is
// lost, doubled or out of place shows.
type recorder struct{ entries []conn.Entry }

func newRecorder() *recorder          { return &recorder{} }
func (r *recorder) Add(e *conn.Entry) { r.entries = append(r.entries, *e) }
func (r *recorder) Merge(o *recorder) { r.entries = append(r.entries, o.entries...) }
func (r *recorder) Reset()            { r.entries = r.entries[:0] }
func (r *recorder) clients() string {
	return r.list(func(e *conn.Entry) string { return e.Client.String() })
}
func (r *recorder) everything() string {
	return r.list(func(e *conn.Entry) string { return fmt.Sprintf("%+v", *e) })
}

func (r *recorder) list(of func(*conn.Entry) string) string {
	all := make([]string, len(r.entries))
	for i := range r.entries {
		all[i] = of(&r.entries[i])
	}
	return strings.Join(all, " ")
}

type recorded = Snapshot[*recorder]

// readAll reads all snapshots of a text.
func readAll(r io.Reader, cfg Config) ([]*recorded, error) {
	reader := NewReader(context.Background(), &Source{Name: "input", Reader: r}, cfg, newRecorder)
	defer reader.Close()
	var all []*recorded
	for reader.Scan() {
		all = append(all, reader.Snapshot())
	}
	return all, reader.Err()
}

// describe writes all that a reading gave, in a form that can be compared.
func describe(all []*recorded, err error) string {
	var b strings.Builder
	for _, s := range all {
		fmt.Fprintf(&b, "%d: time=%s from=%d local=%v host=%q cut=%v config=%s counts=%+v header=%s complete=%v torn=%v recorded=%+v message=%d problems=%+v entries=%s\n",
			s.Index, s.Time.UTC().Format("2006-01-02T15:04:05Z"), s.TimeFrom, s.TimeLocal, s.Host, s.Cut, describeConfig(s.Config()), s.Counts, s.Header, s.Complete, s.Torn, s.Recorded, s.Message, s.Problems, s.Result.everything())
	}
	if err != nil {
		none, ok := err.(*NoListingError)
		if !ok {
			fmt.Fprintf(&b, "error: %#v\n", err)
		} else {
			fmt.Fprintf(&b, "none: %+v %d %+v %s\n", none.Counts, none.Message, none.Problems, describeConfig(none.Config))
		}
	}
	return b.String()
}

// describeConfig writes the services and their servers.
func describeConfig(c *conn.Config) string {
	if c == nil {
		return "-"
	}
	var words []string
	for _, v := range c.Services {
		word := fmt.Sprintf("%s%d", v.Virtual, v.Fwmark)
		for _, s := range v.Servers {
			word += ">" + s.Address.String()
		}
		words = append(words, word)
	}
	if c.Services != nil {
		words = append(words, "all")
	}
	if c.Timeouts != nil {
		words = append(words, fmt.Sprint(*c.Timeouts))
	}
	for name, value := range c.Sysctls {
		words = append(words, name+"="+value)
	}
	return strings.Join(words, " ")
}

// check holds a reading to what is promised of any: lines = entries + skipped + bad,
// in each snapshot and over all of a text that has so many lines.
func check(t testing.TB, text []byte, all []*recorded, err error) {
	t.Helper()
	lines := bytes.Count(text, []byte("\n"))
	if len(text) > 0 && text[len(text)-1] != '\n' {
		lines++
	}
	var sum Counts
	last := 0
	for i, s := range all {
		sum.Add(&s.Counts)
		c := s.Counts
		if c.Lines != c.Entries+c.Skipped+c.Bad {
			t.Errorf("snapshot %d: %d lines, but %d entries + %d skipped + %d bad", i+1, c.Lines, c.Entries, c.Skipped, c.Bad)
		}
		if c.OtherFormat > c.Skipped || c.Garbled > c.Entries {
			t.Errorf("snapshot %d: %+v", i+1, c)
		}
		formats := int64(0)
		for _, n := range c.Formats {
			formats += n
		}
		if formats != c.Entries || int64(len(s.Result.entries)) != c.Entries {
			t.Errorf("snapshot %d: %d entries, %d by format, %d gathered", i+1, c.Entries, formats, len(s.Result.entries))
		}
		if s.Index != i+1 {
			t.Errorf("snapshot %d has index %d", i+1, s.Index)
		}
		if len(s.Problems) != int(min(c.Bad, MaxProblems)) {
			t.Errorf("snapshot %d: %d problems of %d bad lines", i+1, len(s.Problems), c.Bad)
		}
		for _, p := range s.Problems {
			if p.Line <= last || p.Line > lines || p.Name != "input" {
				t.Errorf("snapshot %d: a problem in %s:%d, of %d lines, behind line %d", i+1, p.Name, p.Line, lines, last)
			}
			last = p.Line
		}
	}
	if none, ok := err.(*NoListingError); ok {
		if len(all) > 0 || none.Entries > 0 {
			t.Errorf("no listing, but %d snapshots and %d entries", len(all), none.Entries)
		}
		sum = none.Counts
	} else if err != nil {
		t.Errorf("unexpected error %v", err)
	}
	if sum.Lines != int64(lines) || sum.Lines != sum.Entries+sum.Skipped+sum.Bad {
		t.Errorf("%d lines are there; counted are %d: %d entries + %d skipped + %d bad", lines, sum.Lines, sum.Entries, sum.Skipped, sum.Bad)
	}
}

// chunkings are ways in which one text can arrive.
var chunkings = []struct {
	name string
	of   func([]byte) io.Reader
}{
	{"whole", func(b []byte) io.Reader { return bytes.NewReader(b) }},
	{"byte by byte", func(b []byte) io.Reader { return iotest.OneByteReader(bytes.NewReader(b)) }},
	{"half of each read", func(b []byte) io.Reader { return iotest.HalfReader(bytes.NewReader(b)) }},
	{"data together with EOF", func(b []byte) io.Reader { return iotest.DataErrReader(bytes.NewReader(b)) }},
	{"line by line", func(b []byte) io.Reader { return pieces(bytes.SplitAfter(b, []byte("\n"))...) }},
	{"random sizes", func(b []byte) io.Reader { return &randomReader{bytes.NewReader(b), rand.New(rand.NewPCG(1, 2))} }},
}

// pieces gives each piece in a read of its own.
func pieces(all ...[]byte) io.Reader {
	readers := make([]io.Reader, len(all))
	for i, b := range all {
		readers[i] = bytes.NewReader(b)
	}
	return io.MultiReader(readers...)
}

// randomReader reads a random number of bytes at once, and now and then none.
type randomReader struct {
	r   io.Reader
	rnd *rand.Rand
}

func (r *randomReader) Read(p []byte) (int, error) {
	n := r.rnd.IntN(1 << r.rnd.IntN(16))
	return r.r.Read(p[:min(n, len(p))])
}

// listings are the files of testdata/ at the top of the repository.
func listings(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("../../testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no listings: %v", err)
	}
	all := make(map[string][]byte)
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(name)] = data
	}
	return all
}
