// Package parse turns listings of an IPVS connection table into entries: what
// `ipvsadm -L -c` prints, the kernel's /proc/net/ip_vs_conn and ip_vs_conn_sync,
// DPVS and FULLNAT tables, and any of these as people keep them, with prompts,
// prefixes, colours and prose around. Bytes come in, one Line per line of text
// goes out; every line is judged by itself, so that a stream can be cut between
// any two lines and its pieces parsed side by side.
package parse

import (
	"bytes"

	"ipvsstate/internal/conn"
)

// MaxLine is the longest line, in bytes without its newline, that is read as a
// row. The longest a kernel or ipvsadm writes is under 600.
const MaxLine = 64 << 10

// Format is a listing's format.
type Format uint8

const (
	// Auto is no particular format: each line shows its own.
	Auto Format = iota
	// Ipvsadm is the output of `ipvsadm -L -c`, with -n or without.
	Ipvsadm
	// Proc is /proc/net/ip_vs_conn.
	Proc
	// ProcSync is /proc/net/ip_vs_conn_sync, which adds the origin.
	ProcSync
	// DPVS is the output of DPVS's own `ipvsadm -ln -c`.
	DPVS
	// Fullnat is a table of Alibaba's FULLNAT kernel: its /proc file, its own
	// ipvsadm's output, or what a stock ipvsadm makes of it.
	Fullnat

	// NumFormats bounds Format.
	NumFormats = int(Fullnat) + 1
)

var formatNames = [NumFormats]string{"auto", "ipvsadm", "proc", "proc_sync", "dpvs", "fullnat"}

func (f Format) String() string { return formatNames[f] }

// FormatNames lists the formats that can be asked for, "auto" first.
func FormatNames() []string { return formatNames[:] }

// FormatOf is the format of that name.
func FormatOf(name string) (Format, bool) {
	for f, n := range formatNames {
		if n == name {
			return Format(f), true
		}
	}
	return Auto, false
}

// LineKind says what a line is. Every line is exactly one of these.
type LineKind uint8

const (
	// Skipped is a line that is no part of a listing: blank, a prompt, prose,
	// another command's output.
	Skipped LineKind = iota
	// EntryLine is a row of the table.
	EntryLine
	// TitleLine is ipvsadm's first line, `IPVS connection entries`.
	TitleLine
	// ColumnsLine is a line of column titles.
	ColumnsLine
	// MessageLine is an error message that was saved in place of a listing.
	MessageLine
	// BadLine looks like a row but is not a valid one.
	BadLine
	// ConfigTitleLine is the first line of a listing of services, `ipvsadm -L` without
	// -c: `IP Virtual Server version 1.2.1 (size=4096)`.
	ConfigTitleLine
	// ConfigLine is any other line that tells of a configuration, for a ConfigReader.
	ConfigLine
)

// Line is one line of input.
type Line struct {
	Kind LineKind
	// Number counts lines from 1 in what the Scanner was given.
	Number int
	// Text is the line without its newline, as it came: not safe for a terminal.
	// It is the Scanner's memory, valid until the next Scan. A row that was
	// understood at once has none. Of the two config kinds it is the line as tidied,
	// without escapes, odd blanks, a prefix and the blanks around.
	Text []byte
	// Format is set for entries and column titles.
	Format Format
	// OtherFormat marks a skipped line that is a row, of another format than Only.
	OtherFormat bool
	// Garbled marks a FULLNAT row as a stock ipvsadm misprints it: its state and
	// time are not in the listing.
	Garbled bool
	// Entry is the row of an EntryLine. It is a value and may be kept.
	Entry conn.Entry
	// Message is what a MessageLine says.
	Message Message
	// Err describes a BadLine.
	Err Error
}

// pad is how far past the end of a row the field readers may look. It is filled
// with newlines, which end every field.
const pad = 32

// Scanner reads lines from blocks of text. It keeps no state from one line to
// the next. The zero value reads any format.
type Scanner struct {
	// Only restricts rows to one format; Auto takes all.
	Only Format

	data []byte // the block, followed by pad newlines
	end  int    // length of the block
	pos  int
	line Line
	dirt bool // line.Entry holds text that the numeric path must clear

	clean  []byte // the line without escapes and odd blanks
	offset []int  // where each byte of clean was in the line
	names  interner
	memo   memo

	unknownProtocol []byte // a protocol word to keep once the row is complete
}

// Reset gives the scanner a block of whole lines; only the last may lack its
// newline. Line numbers start again at 1. The block belongs to the scanner until
// the next Reset, and so do pad bytes of its capacity beyond its length: without
// that capacity it is copied.
func (s *Scanner) Reset(block []byte) {
	s.end = len(block)
	if cap(block)-len(block) < pad {
		block = append(make([]byte, 0, len(block)+pad), block...)
	}
	s.data = block[:len(block)+pad]
	for i := s.end; i < len(s.data); i++ {
		s.data[i] = '\n'
	}
	s.pos = 0
	s.line.Number = 0
}

// Pad is the spare capacity Reset wants behind a block.
const Pad = pad

// Scan advances to the next line and reports whether there is one.
func (s *Scanner) Scan() bool {
	if s.pos >= s.end {
		return false
	}
	s.line.Number++
	next := s.plainRow(s.data, s.pos)
	if next < 0 {
		next = s.row(s.data, s.pos)
	}
	if next > 0 && next-s.pos <= MaxLine {
		s.line.Text = nil
		s.accept()
		s.pos = next
		return true
	}
	n := bytes.IndexByte(s.data[s.pos:], '\n')
	text := s.data[s.pos : s.pos+n : s.pos+n]
	s.pos += n + 1
	s.judge(text)
	return true
}

// accept makes the current line an entry, if its format is asked for.
func (s *Scanner) accept() {
	s.line.Kind, s.line.OtherFormat = EntryLine, false
	if s.Only != Auto && s.Only != s.line.Format {
		s.line.Kind, s.line.OtherFormat = Skipped, true
	}
}

// Line is the current line, valid until the next Scan.
func (s *Scanner) Line() *Line { return &s.line }
