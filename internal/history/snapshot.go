// Package history deals with snapshots over time. It writes recorded ones to a directory, each whole
// or not at all, and removes old ones; it compares two listings, and follows many.
// docs/snapshots.md describes the files.
package history

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"ipvsstate/internal/capture"
	"ipvsstate/internal/conn"
	"ipvsstate/internal/parse"
	"ipvsstate/internal/tally"
)

// Snapshot is what is written of a director.
type Snapshot struct {
	// Time is when its reading began.
	Time time.Time
	// Host is the director's name, as HostName makes it.
	Host string
	// Facts are what else the header tells, names and values in their order. Those
	// without a value are left out.
	Facts [][2]string
	// Version of IPVS and Buckets of its hash table are as the kernel tells them; empty
	// and 0 where it does not.
	Version string
	Buckets uint64
	// Config is how the director is configured, as far as it could be read.
	Config *conn.Config
	// Table is the kernel's proc file, which is read once.
	Table io.Reader
	// Pseudonyms replace the clients' addresses, nil for none.
	Pseudonyms *Pseudonyms
}

// Write writes the snapshot's text, and returns how many entries it has.
func (s *Snapshot) Write(w io.Writer) (entries int64, err error) {
	first := capture.Recorded{Time: s.Time, Host: s.Host}
	if s.Pseudonyms != nil {
		first.Anonymized, first.Key = true, s.Pseudonyms.ID()
	}
	text := first.Append(nil)
	for _, f := range s.Facts {
		if f[1] != "" {
			text = fmt.Appendf(text, "# %s: %s\n", f[0], oneLine(f[1]))
		}
	}
	if s.Pseudonyms != nil {
		text = append(text, "# anonymized: the clients' addresses are pseudonyms, those of one network of one network\n"...)
	}
	if s.Config != nil {
		if s.Config.Services != nil && s.Version != "" {
			text = fmt.Appendf(text, "IP Virtual Server version %s (size=%d)\n", s.Version, s.Buckets)
		}
		text = parse.AppendConfig(text, s.Config)
	}
	if _, err := w.Write(text); err != nil {
		return 0, err
	}
	t := tableWriter{to: w, pseudonyms: s.Pseudonyms}
	if err := t.copy(s.Table); err != nil {
		return t.entries, err
	}
	text = text[:0]
	if t.twice > 0 {
		text = fmt.Appendf(text, "# twice: %d rows that the kernel showed a second time are left out\n", t.twice)
	}
	if t.unread > 0 {
		text = fmt.Appendf(text, "# left out: %d lines that could not be read, and may hold addresses\n", t.unread)
	}
	_, err = w.Write(capture.AppendEnd(text, t.entries))
	return t.entries, err
}

// oneLine keeps a text from reaching over its line.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
}

// tableSize is how much of the table is read at once, as much as one reading of the kernel
// gives (ipvs.ReadSize): asking for less makes it walk its table more often.
const tableSize = 32 * 4096

// tableWriter copies a proc file: as it is, or with pseudonyms. A row that the kernel shows twice,
// as it can before Linux 6.14, is written once.
type tableWriter struct {
	to         io.Writer
	pseudonyms *Pseudonyms
	seen       tally.Seen
	entries    int64 // rows that were written
	twice      int64 // rows that were not, since they had been
	unread     int64 // lines that were not, since nobody knows what is in them
	scanner    parse.Scanner
	out        []byte
}

// copy reads the table to its end, in whole lines.
func (t *tableWriter) copy(table io.Reader) error {
	buf := make([]byte, tableSize+parse.MaxLine+1+parse.Pad)
	var rest []byte // the beginning of a line that is not read to its end yet
	for {
		n := copy(buf, rest)
		m, err := table.Read(buf[n : n+tableSize])
		text := buf[:n+m]
		if err == io.EOF && len(text) > 0 && text[len(text)-1] != '\n' {
			text = append(text, '\n')
		}
		end := bytes.LastIndexByte(text, '\n') + 1
		rest = append(rest[:0], text[end:]...) // the scanner writes behind its block
		if len(rest) > parse.MaxLine {
			return fmt.Errorf("the kernel's table has a line of more than %d bytes", parse.MaxLine)
		}
		if werr := t.lines(text[:end]); werr != nil {
			return werr
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

func (t *tableWriter) lines(block []byte) error {
	if t.pseudonyms != nil {
		return t.anonymized(block)
	}
	kept, line := 0, 0 // where what is to be written begins, and the line
	for t.scanner.Reset(block); t.scanner.Scan(); {
		next := line + bytes.IndexByte(block[line:], '\n') + 1
		switch l := t.scanner.Line(); {
		case l.Kind == parse.EntryLine && !t.seen.Add(&l.Entry):
			t.twice++
			if _, err := t.to.Write(block[kept:line]); err != nil {
				return err
			}
			kept = next
		case l.Kind == parse.EntryLine, l.Kind == parse.BadLine:
			t.entries++
		}
		line = next
	}
	if kept == len(block) {
		return nil
	}
	_, err := t.to.Write(block[kept:])
	return err
}

func (t *tableWriter) anonymized(block []byte) error {
	t.out = t.out[:0]
	for t.scanner.Reset(block); t.scanner.Scan(); {
		switch l := t.scanner.Line(); l.Kind {
		case parse.ColumnsLine:
			t.out = append(append(t.out, l.Text...), '\n')
			continue
		case parse.EntryLine:
			if !t.seen.Add(&l.Entry) {
				t.twice++
				continue
			}
			var err error
			if t.out, err = parse.AppendProc(t.out, t.pseudonyms.entry(&l.Entry)); err == nil {
				t.entries++
				continue
			}
		}
		t.unread++
	}
	if len(t.out) == 0 {
		return nil
	}
	_, err := t.to.Write(t.out)
	return err
}
