package render

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"ipvsstate/internal/explain"
	"ipvsstate/internal/tally"
)

var update = flag.Bool("update", false, "rewrite the golden files")

type writer func(io.Writer, *Summary, Options) error

// page is one way to write a summary.
type page struct {
	title string
	write writer
	o     Options
}

// pages are the outputs a golden holds, one behind the other.
func pages(t testing.TB) []page {
	en, zh := words(t, explain.English), words(t, explain.Language("zh"))
	return []page{
		{"screen, 80 columns", Screen, Options{Words: en, Width: 80, Explain: true}},
		{"screen, 120 columns", Screen, Options{Words: en, Width: 120, Explain: true}},
		{"screen, any width", Screen, Options{Words: en, Explain: true}},
		{"screen, 80 columns, zh", Screen, Options{Words: zh, Width: 80, Explain: true}},
		{"screen, 120 columns, zh", Screen, Options{Words: zh, Width: 120, Explain: true}},
		{"screen, any width, zh", Screen, Options{Words: zh, Explain: true}},
		{"terminal, 120 columns, by life cycle, not explained", Screen, Options{Words: en, Width: 120, Terminal: true, Order: tally.ByLifeCycle}},
		{"terminal, 110 columns, colour", Screen, Options{Words: en, Width: 110, Terminal: true, Color: true, Explain: true}},
		{"wide", Screen, Options{Words: en, Wide: true}},
		{"JSON", JSON, Options{Words: en, Explain: true}},
		{"CSV", CSV, Options{Words: en, Explain: true}},
		{"CSV, zh, by life cycle", CSV, Options{Words: zh, Explain: true, Order: tally.ByLifeCycle}},
		{"Markdown", Markdown, Options{Words: en, Width: 80, Terminal: true, Color: true, Explain: true}},
		{"Markdown, zh", Markdown, Options{Words: zh, Explain: true}},
	}
}

func TestGoldens(t *testing.T) {
	for name, s := range summaries(t) {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			for _, p := range pages(t) {
				fmt.Fprintf(&got, "-- %s --\n", p.title)
				if err := p.write(&got, s, p.o); err != nil {
					t.Errorf("%s: %v", p.title, err)
				}
			}
			golden := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("differs from %s (go test ./internal/render -update rewrites it) at line %s", golden, difference(got.Bytes(), want))
			}
		})
	}
}

// difference is the first line in which two texts differ.
func difference(got, want []byte) string {
	g, w := bytes.SplitAfter(got, []byte("\n")), bytes.SplitAfter(want, []byte("\n"))
	for i := range max(len(g), len(w)) {
		var a, b []byte
		if i < len(g) {
			a = g[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if !bytes.Equal(a, b) {
			return fmt.Sprintf("%d:\n%q\nwant\n%q", i+1, a, b)
		}
	}
	return "none"
}

// TestWritingDoesNotChangeTheSummary writes a summary again behind all other forms.
func TestWritingDoesNotChangeTheSummary(t *testing.T) {
	s := live(t)
	all := func() string {
		var b bytes.Buffer
		for _, p := range pages(t) {
			if err := p.write(&b, s, p.o); err != nil {
				t.Fatal(err)
			}
		}
		return b.String()
	}
	if a, b := all(), all(); a != b {
		t.Errorf("the second time it reads otherwise at line %s", difference([]byte(b), []byte(a)))
	}
}

// full fails behind so many bytes, as a disk does.
type full struct{ left int }

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, os.ErrDeadlineExceeded
	}
	return len(p), nil
}

// TestWriteErrors: an output that cannot be written is never taken for written.
func TestWriteErrors(t *testing.T) {
	for _, p := range pages(t) {
		for _, share := range []int{0, 1, 2, 3} { // of three parts
			if p.title != "Markdown" && p.title != "Markdown, zh" || share < 2 {
				writeToFull(t, p, share)
			}
		}
	}
}

// TestMarkdownWriteErrors fails in the last table.
func TestMarkdownWriteErrors(t *testing.T) {
	for _, p := range pages(t) {
		if p.title == "Markdown" {
			writeToFull(t, p, 3)
		}
	}
}

func writeToFull(t *testing.T, p page, share int) {
	t.Helper()
	s := live(t)
	var b bytes.Buffer
	if err := p.write(&b, s, p.o); err != nil {
		t.Fatal(err)
	}
	if n := max(0, b.Len()*share/3-1); p.write(&full{n}, s, p.o) == nil {
		t.Errorf("%s: no error of %d bytes when %d fit", p.title, b.Len(), n)
	}
}
