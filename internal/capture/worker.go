package capture

import (
	"bytes"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/parse"
)

// part is a block of the input, parsed, or the first segments of it, where it has many.
type part[A any] struct {
	buf      []byte
	seq      int
	err      error // what ended the input, in place of a block
	lines    int64
	before   int64 // lines in front of the block
	segments []*segment[A]
	spare    []*segment[A]
	more     bool          // of the block is to come
	back     chan struct{} // tells that the segments have been merged, and the part is the worker's again
}

// maxSegments is about how many segments a part has at most: each has an accumulator, which can
// be much larger than the text of a small listing.
const maxSegments = 64

// segment is a run of lines that belong to one listing: it begins at the block's
// start, or with a title, column titles, a configuration's title, a line that tells
// the time, or the first or last line of a recorded snapshot.
type segment[A any] struct {
	begin    parse.LineKind // TitleLine, ColumnsLine, ConfigTitleLine, ConfigLine of timeouts, dateLine, headLine, endLine, or Skipped for none
	header   parse.Format
	time     told
	recorded Recorded
	end      int64 // how many rows an endLine tells of
	host     hosts
	cut      bool // it ends within a row
	counts   Counts
	problems []parse.Error
	message  parse.Message
	config   [][]byte // lines of a configuration
	result   A
}

// hosts are the last hosts that the segment's lines tell: one in front of its rows, for the
// listing that they belong to, and one behind them, for the next.
type hosts struct {
	before, behind         string
	toldBefore, toldBehind bool
}

// Beside the parser's kinds: a line that tells the time, and the first and the last line
// of a recorded snapshot.
const (
	dateLine = parse.LineKind(0xff - iota)
	headLine
	endLine
)

// worker parses blocks, one goroutine each.
type worker[A Accumulator[A]] struct {
	cutter  *cutter
	scanner parse.Scanner
	other   parse.Scanner // of what may be a part of a row
	newAcc  func() A
	keep    func(*conn.Entry) bool
	clock   clock
}

func (w *worker[A]) run(free <-chan *part[A], results chan<- *part[A], done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		default:
		}
		var p *part[A]
		select {
		case p = <-free:
		case <-done:
			return
		}
		if p.buf == nil {
			p.buf = newBuffer(parse.MaxLine + 1 + w.cutter.size + parse.Pad)
		}
		block, seq, err := w.cutter.next(p.buf)
		p.seq, p.err = seq, err
		p.reset()
		if err == nil && !w.parse(p, block, results, done) {
			return
		}
		results <- p // there is room for every part
		if err != nil {
			return
		}
	}
}

func (p *part[A]) reset() {
	p.spare = append(p.spare, p.segments...)
	p.segments = p.segments[:0]
	p.lines = 0
}

// parse parses a block, and reports that it came to its end. It hands over segments before where there
// are many, and waits until they have been merged, so that memory does not grow with the number of
// listings in a block.
func (w *worker[A]) parse(p *part[A], block []byte, results chan<- *part[A], done <-chan struct{}) bool {
	s := w.begin(p, parse.Skipped)
	for w.scanner.Reset(block); w.scanner.Scan(); {
		l := w.scanner.Line()
		if l.Kind == parse.EntryLine {
			s.counts.Entries++
			s.counts.Formats[l.Format]++
			if l.Garbled {
				s.counts.Garbled++
			}
			if w.keep != nil && !w.keep(&l.Entry) {
				s.counts.Filtered++
				continue
			}
			s.result.Add(&l.Entry)
			continue
		}
		switch l.Kind {
		case parse.TitleLine, parse.ColumnsLine:
			w.end(p, s)
			s = w.begin(p, l.Kind)
			s.header = l.Format
		case parse.ConfigTitleLine:
			w.end(p, s)
			s = w.begin(p, l.Kind)
			s.config = append(s.config, bytes.Clone(l.Text))
		case parse.ConfigLine:
			if parse.TellsTimeouts(l.Text) {
				w.end(p, s)
				s = w.begin(p, parse.ConfigLine)
			}
			s.config = append(s.config, bytes.Clone(l.Text))
		case parse.BadLine:
			s.counts.Bad++
			if len(s.problems) < MaxProblems {
				s.problems = append(s.problems, l.Err)
			}
			if _, at, ok := w.clock.tornTime(l.Text); ok {
				s = w.tear(p, s, at)
			}
		case parse.MessageLine:
			if s.message == parse.NoMessage {
				s.message = l.Message
			}
		default:
			if l.OtherFormat {
				s.counts.OtherFormat++
			} else if r, ok := RecordedOf(l.Text); ok {
				w.end(p, s)
				s = w.begin(p, headLine)
				s.recorded = r
			} else if n, ok := endOf(l.Text); ok {
				w.end(p, s)
				s = w.begin(p, endLine)
				s.end = n
			} else if at, ok := w.clock.lineTime(l.Text); ok {
				w.end(p, s)
				s = w.begin(p, dateLine)
				s.time = at
				if at.from == TimeWatch || at.host != "" {
					s.host.tell(at.host, false)
				}
			} else if host, ok := promptHost(l.Text); ok {
				s.host.tell(host, s.begin == parse.ColumnsLine || s.counts.Entries > 0)
			} else if host, ok := headingHost(l.Text); ok {
				s.host.tell(host, s.begin == parse.ColumnsLine || s.counts.Entries > 0)
			} else if row, at, ok := w.clock.tornTime(l.Text); ok && tornRow(row, &w.other) {
				s = w.tear(p, s, at)
			}
		}
		if l.Kind != parse.BadLine {
			s.counts.Skipped++
		}
		if len(p.segments) < maxSegments {
			continue
		}
		w.end(p, s)
		p.more = true
		results <- p
		select {
		case <-p.back:
		case <-done:
			return false
		}
		p.more = false
		p.reset()
		s = w.begin(p, parse.Skipped)
	}
	w.end(p, s)
	if len(block) > 0 && block[len(block)-1] != '\n' { // the input's last line, alone
		s.cut = cutRow(w.scanner.Line(), block, w.cutter.last, &w.other)
	}
	return true
}

func (h *hosts) tell(host string, behind bool) {
	if behind {
		h.behind, h.toldBehind = host, true
	} else {
		h.before, h.toldBefore = host, true
	}
}

// begin starts a segment with an empty accumulator.
func (w *worker[A]) begin(p *part[A], kind parse.LineKind) *segment[A] {
	var s *segment[A]
	if n := len(p.spare); n > 0 {
		s = p.spare[n-1]
		p.spare = p.spare[:n-1]
		s.result.Reset()
		*s = segment[A]{result: s.result, problems: s.problems[:0]}
	} else {
		s = &segment[A]{result: w.newAcc()}
	}
	s.begin = kind
	p.segments = append(p.segments, s)
	return s
}

// tear ends a segment within a row, and begins the next with the time that was written behind it.
func (w *worker[A]) tear(p *part[A], s *segment[A], at told) *segment[A] {
	s.cut = true
	w.end(p, s)
	s = w.begin(p, dateLine)
	s.time = at
	return s
}

func (w *worker[A]) end(p *part[A], s *segment[A]) {
	s.counts.Lines = s.counts.Entries + s.counts.Skipped + s.counts.Bad
	p.lines += s.counts.Lines
}
