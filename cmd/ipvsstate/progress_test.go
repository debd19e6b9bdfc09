package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ipvsstate/internal/capture"
	"ipvsstate/internal/explain"
)

func TestProgressText(t *testing.T) {
	words, err := explain.Load("en")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		counts progressCounts
		want   string
	}{
		{progressCounts{files: 1, of: 4, entries: 50_000, bytes: 250, size: 1000, elapsed: 10 * time.Second}, "1 of 4 files, 5,000 entries/s, 30s left"},
		{progressCounts{files: 3, of: 4, entries: 9, bytes: 1000, size: 1000, elapsed: 90 * time.Second}, "3 of 4 files, 0 entries/s, 0s left"},
		{progressCounts{of: 1, elapsed: time.Second}, "0 of 1 files, 0 entries/s, ? left"},
		{progressCounts{of: 1, bytes: 3000, size: 1000}, "0 of 1 files, 0 entries/s, ? left"}, // it grew
	} {
		if got := progressText(words, tt.counts); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.counts, got, tt.want)
		}
	}
}

// screenOf is what a terminal shows of a text: lines that are cut to nothing behind the cursor.
func screenOf(text string) (lines []string) {
	line := []rune{}
	at := 0
	for _, r := range strings.ReplaceAll(text, "\x1b[K", "\x00") {
		switch {
		case r == '\r':
			at = 0
		case r == '\n':
			lines, line, at = append(lines, string(line)), nil, 0
		case r == 0:
			line = line[:at]
		case at < len(line):
			line[at] = r
			at++
		default:
			line = append(line, r)
			at++
		}
	}
	return append(lines, string(line))
}

// TestProgressLine: the line keeps within the terminal, a shorter one leaves nothing of the one before,
// an error has a line of its own, and the end leaves nothing.
func TestProgressLine(t *testing.T) {
	var out bytes.Buffer
	p := progressLine{w: &out, width: 20}
	p.say(strings.Repeat("x", 100))
	p.say("short")
	if got := screenOf(out.String()); len(got) != 1 || got[0] != "short" {
		t.Errorf("%q", got)
	}
	p.say("已读 1/4 个文件，每秒 5,000 条")
	if got := screenOf(out.String()); len(got) != 1 || got[0] != "已读 1/4 个文件，每" { // 19 columns
		t.Errorf("%q", got)
	}
	p.aside(func() { fmt.Fprintln(&out, "ipvsstate: an error") })
	p.say("on")
	if got := screenOf(out.String()); len(got) != 2 || got[0] != "ipvsstate: an error" || got[1] != "on" {
		t.Errorf("%q", got)
	}
	p.aside(func() {})
	if got := screenOf(out.String()); len(got) != 2 || got[1] != "" {
		t.Errorf("%q", got)
	}
}

// TestRefuseClearsProgress: what refuse prints is not glued to the progress line.
func TestRefuseClearsProgress(t *testing.T) {
	var out bytes.Buffer
	a := &app{stderr: &out, env: func(string) string { return "" }}
	r := &trendReading{app: a, line: progressLine{w: &out, width: 80}}
	r.refuse(errors.New("first")) // which the command ends with
	r.line.say("1 of 4 files")
	r.refuse(errors.New("second"))
	if got := screenOf(out.String()); got[0] != "ipvsstate: second" {
		t.Errorf("%q", got)
	}
}

// TestBytesRead: files that are done count, and of those that are being read what has been.
func TestBytesRead(t *testing.T) {
	name := filepath.Join(t.TempDir(), "listing.txt")
	if err := os.WriteFile(name, make([]byte, 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	units, _, err := capture.Find(t.Context(), []string{name}, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	r := &trendReading{reading: make(map[*capture.Source]bool)}
	r.bytes.Add(500)
	err = units[0].Each(context.Background(), func(src *capture.Source) error {
		r.setReading(src, true)
		defer r.bytes.Add(1000)
		defer r.setReading(src, false)
		last := int64(500)
		for {
			if _, err := src.Reader.Read(make([]byte, 100)); err != nil {
				break
			}
			if got := r.bytesRead(); got < last || got <= 500 {
				t.Errorf("%d bytes behind %d", got, last)
			} else {
				last = got
			}
		}
		if last != 1500 {
			t.Errorf("%d bytes at the end, want 1500", last)
		}
		return nil
	})
	if got := r.bytesRead(); err != nil || got != 1500 {
		t.Errorf("%d bytes when it is closed, %v", got, err)
	}
}

// TestTrendInterruptedSearch: Ctrl-C while files are looked for is no failure to find them.
func TestTrendInterruptedSearch(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errInterrupted)
	var f *failure
	if err := new(trendReading).read(ctx, []string{t.TempDir()}); !errors.As(err, &f) || f.code != exitInterrupted {
		t.Errorf("%v", err)
	}
}
