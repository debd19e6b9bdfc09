package capture

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"ipvsstate/internal/parse"
)

// cutAll cuts a stream into its blocks, which it holds to their form.
func cutAll(t *testing.T, r io.Reader, size int) (blocks [][]byte, err error) {
	t.Helper()
	c := &cutter{r: r, size: size}
	buf := make([]byte, parse.MaxLine+1+size+parse.Pad)
	for {
		block, seq, err := c.next(buf)
		if seq != len(blocks) {
			t.Fatalf("block %d has number %d", len(blocks), seq)
		}
		if err != nil {
			for i, b := range blocks[:max(0, len(blocks)-1)] {
				if b[len(b)-1] != '\n' {
					t.Errorf("block %d of %d ends with %q, not with a newline", i, len(blocks), b[len(b)-1])
				}
			}
			return blocks, err
		}
		if len(block) == 0 || cap(buf)-len(block) < parse.Pad {
			t.Fatalf("block %d has %d bytes, of a buffer of %d", seq, len(block), len(buf))
		}
		blocks = append(blocks, bytes.Clone(block))
	}
}

// shortened is a text with its overlong lines cut as the cutter may cut them: so that
// they are still too long for the parser.
func shortened(lines [][]byte) [][]byte {
	for i, l := range lines {
		if len(bytes.TrimSuffix(l, []byte("\n"))) > parse.MaxLine {
			lines[i] = append(bytes.Clone(l[:parse.MaxLine+1]), l[len(bytes.TrimSuffix(l, []byte("\n"))):]...)
		}
	}
	return lines
}

func splitLines(b []byte) [][]byte {
	var all [][]byte
	for l := range bytes.Lines(b) {
		all = append(all, l)
	}
	return all
}

func TestCutter(t *testing.T) {
	line := func(n int, c string) string { return strings.Repeat(c, n) + "\n" }
	row := "TCP 14:57  ESTABLISHED 10.0.1.10:44380    10.0.1.100:80      10.0.0.12:80\n"
	texts := map[string]string{
		"empty":                           "",
		"one newline":                     "\n",
		"blank lines":                     "\n\n\n",
		"a line without its newline":      "abc",
		"the last line without":           row + row + row[:30],
		"rows":                            strings.Repeat(row, 50),
		"the longest line":                row + line(parse.MaxLine, "x") + row,
		"the longest line at the end":     row + strings.Repeat("x", parse.MaxLine),
		"one byte too long":               row + line(parse.MaxLine+1, "x") + row,
		"one byte too long, at the end":   row + strings.Repeat("x", parse.MaxLine+1),
		"much too long":                   row + line(5*parse.MaxLine+77, "x") + row + row,
		"much too long, at the beginning": line(3*parse.MaxLine, "x") + row,
		"much too long, at the end":       row + strings.Repeat("x", 3*parse.MaxLine+1),
		"much too long, alone":            strings.Repeat("x", 4*parse.MaxLine),
		"two in a row":                    row + line(2*parse.MaxLine, "x") + line(2*parse.MaxLine, "y") + row,
	}
	for name, text := range texts {
		want := shortened(splitLines([]byte(text)))
		for _, chunking := range chunkings {
			for _, size := range []int{1, 7, 4096, blockSize} {
				if len(text) > 10000 && (size < 4096 || chunking.name == "byte by byte") {
					continue // a beginning of 64 KiB is copied at every read
				}
				t.Run(fmt.Sprintf("%s/%s/%d", name, chunking.name, size), func(t *testing.T) {
					blocks, err := cutAll(t, chunking.of([]byte(text)), size)
					if err != io.EOF {
						t.Fatalf("ends with %v", err)
					}
					got := shortened(splitLines(bytes.Join(blocks, nil)))
					if len(got) != len(want) {
						t.Fatalf("%d lines of %d", len(got), len(want))
					}
					for i := range got {
						if !bytes.Equal(got[i], want[i]) {
							t.Fatalf("line %d is %.100q (%d bytes), want %.100q (%d bytes)", i+1, got[i], len(got[i]), want[i], len(want[i]))
						}
					}
				})
			}
		}
	}
}

// TestCutterSmallReads reads an overlong line in small steps, which begin and end
// nowhere in particular.
func TestCutterSmallReads(t *testing.T) {
	text := []byte("one\n" + strings.Repeat("x", parse.MaxLine+500) + "\ntwo\n")
	blocks, err := cutAll(t, pieces(slices.Collect(slices.Chunk(text, 499))...), blockSize)
	got := splitLines(bytes.Join(blocks, nil))
	if err != io.EOF || len(got) != 3 || string(got[0]) != "one\n" || len(got[1]) != parse.MaxLine+2 || string(got[2]) != "two\n" {
		t.Errorf("%d lines, then %v", len(got), err)
	}
}

// TestCutterHoldsNothingBack has a line as soon as its newline is read.
func TestCutterHoldsNothingBack(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	c := &cutter{r: r, size: blockSize}
	buf := make([]byte, parse.MaxLine+1+blockSize+parse.Pad)
	for _, text := range []string{"one\ntw", "o\n", "three\nfour\n"} {
		go w.Write([]byte(text)) // the test ends with the pipe, whatever becomes of it
		block, _, err := c.next(buf)
		if err != nil || block[len(block)-1] != '\n' {
			t.Fatalf("%q, %v", block, err)
		}
	}
}

// TestCutterError gives what was read before an error, and then the error, again
// and again: every worker asks.
func TestCutterError(t *testing.T) {
	broken := errors.New("broken")
	blocks, err := cutAll(t, io.MultiReader(strings.NewReader("one\ntwo\nthr"), iotest.ErrReader(broken)), 4)
	if got := string(bytes.Join(blocks, nil)); got != "one\ntwo\nthr" || !errors.Is(err, broken) {
		t.Errorf("%q, then %v", got, err)
	}
	c := &cutter{r: iotest.ErrReader(broken), size: 4}
	for range 3 {
		if block, _, err := c.next(make([]byte, parse.MaxLine+100)); block != nil || !errors.Is(err, broken) {
			t.Errorf("%q, %v", block, err)
		}
	}
}
