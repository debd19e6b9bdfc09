package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"ipvsstate/internal/explain"
	"ipvsstate/internal/render"
)

// progressAfter is how long a reading may last without a word, progressEvery how often one
// is said then.
const (
	progressAfter = time.Second
	progressEvery = 250 * time.Millisecond
)

// progressLine is the last line of a terminal, written over and over. Whatever else is written
// there meanwhile goes through aside.
type progressLine struct {
	mu    sync.Mutex
	w     io.Writer
	width int // columns of the terminal
	shown bool
}

// say replaces the line by a text, cut to the terminal's width: a line that is wrapped cannot be
// written over.
func (p *progressLine) say(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shown = true
	fmt.Fprintf(p.w, "\r%s\x1b[K", render.Fit(text, p.width-1))
}

// aside clears the line, and lets write have the terminal.
func (p *progressLine) aside(write func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		p.shown = false
		fmt.Fprint(p.w, "\r\x1b[K")
	}
	write()
}

// columns is how wide the terminal of standard error is, or is taken to be.
func (a *app) columns() int {
	if f, ok := a.stderr.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			return w
		}
	}
	if a.width > 0 {
		return a.width
	}
	return 80
}

// progress tells on a terminal how far the reading of so many files, of so many bytes, is,
// until the returned function is called.
func (r *trendReading) progress(files int, size int64) (done func()) {
	if !r.app.errTerminal {
		return func() {}
	}
	stop, ended := make(chan struct{}), make(chan struct{})
	began := r.app.now()
	go func() {
		defer close(ended)
		timer := time.NewTimer(progressAfter)
		for {
			select {
			case <-stop:
				r.line.aside(func() {})
				return
			case <-timer.C:
			}
			r.line.say(progressText(r.words, progressCounts{
				files: r.files.Load(), of: int64(files), entries: r.entries.Load(),
				bytes: r.bytesRead(), size: size, elapsed: r.app.now().Sub(began),
			}))
			timer.Reset(progressEvery)
		}
	}()
	return func() { close(stop); <-ended }
}

// progressCounts are how far a reading is.
type progressCounts struct {
	files, of, entries, bytes, size int64
	elapsed                         time.Duration
}

// progressText says it, with how long the rest takes if it is read as fast as what was read;
// that is not known before anything has been read, nor of standard input.
func progressText(words *explain.Catalogue, c progressCounts) string {
	left := "?"
	if share := float64(c.bytes) / float64(max(c.size, 1)); share > 0 && share <= 1 {
		left = time.Duration(float64(c.elapsed) * (1 - share) / share).Truncate(time.Second).String()
	}
	rate := float64(c.entries) / max(c.elapsed.Seconds(), 1e-3)
	return words.Word("trend.progress", explain.Thousands(uint64(c.files)), explain.Thousands(uint64(c.of)), explain.Thousands(uint64(rate)), left)
}
