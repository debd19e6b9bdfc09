package main

import (
	"fmt"
	"strings"
	"time"

	"ipvsstate/internal/explain"
)

// progressAfter is how long a reading may last without a word, progressEvery how often one
// is said then.
const (
	progressAfter = time.Second
	progressEvery = 250 * time.Millisecond
)

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
		shown := 0
		for {
			select {
			case <-stop:
				if shown > 0 {
					fmt.Fprintf(r.app.stderr, "\r%s\r", strings.Repeat(" ", shown))
				}
				return
			case <-timer.C:
			}
			elapsed := r.app.now().Sub(began).Seconds()
			entries := r.entries.Load()
			left := "?"
			if share := float64(r.bytesRead()) / float64(max(size, 1)); share > 0 && share <= 1 {
				left = (time.Duration(elapsed*(1-share)/share) * time.Second).String()
			}
			text := r.words.Word("trend.progress", explain.Thousands(uint64(r.files.Load())), explain.Thousands(uint64(files)),
				explain.Thousands(uint64(float64(entries)/max(elapsed, 1e-3))), left)
			fmt.Fprintf(r.app.stderr, "\r%s%s", text, strings.Repeat(" ", max(0, shown-len(text))))
			shown = max(shown, 2*len(text)) // Chinese takes two columns a character
			timer.Reset(progressEvery)
		}
	}()
	return func() { close(stop); <-ended }
}
