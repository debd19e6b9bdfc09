package capture

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/parse"
)

// Accumulator gathers the entries of a part of a snapshot. Parts are merged in the
// order of the input; an accumulator that was merged is reset and used again.
type Accumulator[A any] interface {
	Add(*conn.Entry)
	Merge(A)
	Reset()
}

// Counts says what became of an input's lines. Lines = Entries + Skipped + Bad.
type Counts struct {
	Lines, Entries, Skipped, Bad int64
	// Garbled is how many of the entries lack state and time, because a stock
	// ipvsadm misprinted a FULLNAT table.
	Garbled int64
	// OtherFormat is how many of the skipped lines are rows of another format than
	// the one that was asked for.
	OtherFormat int64
	// Filtered is how many of the entries were not kept.
	Filtered int64
	// Formats is the number of entries in each format.
	Formats [parse.NumFormats]int64
}

// Add adds the counts of another part or listing.
func (c *Counts) Add(o *Counts) {
	c.Lines += o.Lines
	c.Entries += o.Entries
	c.Skipped += o.Skipped
	c.Bad += o.Bad
	c.Garbled += o.Garbled
	c.OtherFormat += o.OtherFormat
	c.Filtered += o.Filtered
	for f := range c.Formats {
		c.Formats[f] += o.Formats[f]
	}
}

// MaxProblems is how many bad lines of a snapshot are kept to be shown.
const MaxProblems = 5

// Snapshot is one listing with what was gathered from its entries.
type Snapshot[A any] struct {
	// Index counts the snapshots of a source from 1.
	Index int
	// Time is when the listing was taken, as a line before it says, or behind the only one of a
	// source; zero if none does.
	// TimeFrom is what sort of line that was. TimeLocal says that the line told no zone, or
	// letters that several share, and that the time is one of Config.Location.
	Time      time.Time
	TimeFrom  TimeFrom
	TimeLocal bool
	// Host is the director's name as the text tells it: the first line of a recorded
	// snapshot, or else the last prompt of a shell, or head line of watch, in front of the
	// listing, be it in front of others before. Empty if none does.
	Host string
	// Cut says that the listing ends within a row, with the input or where the next line was
	// written behind it and tells a time: what ends there is one that could not be read, or
	// that is shorter than its format's rows are. A cut within the last field of a row of
	// ipvsadm's cannot be told. The rows before it count, and the cut one too if it could be
	// read. So is one that ends within its titles, or with no more than the first of them.
	Cut bool
	// Recorded is set for a snapshot that `ipvsstate record` wrote; Torn says that it was
	// read to its end and lacks rows, or the line that ends it.
	Recorded *Recorded
	Torn     bool
	Counts
	// Header is the format of the column titles, Auto if there were none.
	Header parse.Format
	// Complete is false when the reading was stopped before the end.
	Complete bool
	// Problems are the first bad lines.
	Problems []parse.Error
	// Message is the first error message that was saved with the listing.
	Message parse.Message
	Result  A

	title, columns bool
	configTitle    bool
	timeouts       bool // are told
	whole          bool // the end of a recorded snapshot was met, behind as many rows as it tells of
	config         parse.ConfigReader
}

// Config is what the lines around the listing say of the director's configuration,
// nil if they say nothing.
func (s *Snapshot[A]) Config() *conn.Config { return s.config.Config() }

// Misread is how many lines of a configuration made no sense.
func (s *Snapshot[A]) Misread() int { return s.config.Misread() }

// holds reports that there is something in the snapshot but prose.
func (s *Snapshot[A]) holds() bool { return s.title || s.columns || s.Entries > 0 }

// NoListingError says that an input holds no listing.
type NoListingError struct {
	Counts
	Message  parse.Message
	Problems []parse.Error
	// Config is the configuration it holds instead, nil if it holds none.
	Config *conn.Config
}

func (e *NoListingError) Error() string {
	switch {
	case e.Lines == 0:
		return "it is empty"
	case e.Bad == 1:
		return "its one row could not be read"
	case e.Bad > 0:
		return fmt.Sprintf("none of its %d rows could be read", e.Bad)
	case e.OtherFormat > 0:
		return "its rows are of another format than --format asks for"
	}
	return "no IPVS connection listing in it"
}

// Config says how a source is read.
type Config struct {
	// Format is the only format whose rows are taken, unless Auto.
	Format parse.Format
	// Keep chooses the entries that are gathered; nil is all. Several goroutines ask.
	Keep func(*conn.Entry) bool
	// Workers is how many goroutines parse, 0 for one a processor. Accumulators
	// that share state want one.
	Workers int
	// ReadSize is how much is read at once, 0 for the default.
	ReadSize int
	// Location is the time zone of times without one; nil is UTC.
	Location *time.Location
}

// Reader reads the snapshots of a source, one after the other.
type Reader[A Accumulator[A]] struct {
	ctx     context.Context
	src     *Source
	results chan *part[A]
	free    chan *part[A]
	done    chan struct{}
	newAcc  func() A

	waiting map[int]*part[A] // parsed before the part in front of them
	next    int              // of the next part to be merged
	lines   int64            // in all that was merged
	ready   []*segment[A]    // of the part being merged
	merging *part[A]
	within  bool // a block, of which more is to come

	host   string // of the listings to come
	cur    *Snapshot[A]
	after  *Snapshot[A] // lines behind a time behind cur's entries; the next, if entries or titles follow
	count  int
	out    *Snapshot[A]
	err    error
	ended  bool
	closed bool
}

// NewReader starts to read the source. Its goroutines end with the source, or with
// Close; one that is blocked in a read of the source stays until that returns.
func NewReader[A Accumulator[A]](ctx context.Context, src *Source, cfg Config, newAcc func() A) *Reader[A] {
	workers := cfg.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	size := cfg.ReadSize
	if size == 0 {
		size = blockSize
	}
	parts := 2*workers + 2
	r := &Reader[A]{
		ctx: ctx, src: src, newAcc: newAcc,
		results: make(chan *part[A], parts), free: make(chan *part[A], parts), done: make(chan struct{}),
		waiting: make(map[int]*part[A]),
	}
	for range parts {
		r.free <- &part[A]{back: make(chan struct{}, 1)}
	}
	c := &cutter{r: src.Reader, size: size}
	for range workers {
		w := &worker[A]{cutter: c, newAcc: newAcc, keep: cfg.Keep, clock: clock{cfg.Location, src.Modified}}
		w.scanner.Only = cfg.Format
		if w.clock.loc == nil {
			w.clock.loc = time.UTC
		}
		go w.run(r.free, r.results, r.done)
	}
	return r
}

// Close stops the reading. It does not close the source.
func (r *Reader[A]) Close() {
	if !r.closed {
		r.closed = true
		close(r.done)
	}
	for r.ended { // and nobody looks at a part any more
		select {
		case p := <-r.free:
			if buf := p.buf; buf != nil {
				p.buf = nil
				buffers.Put(&buf)
			}
			continue
		default:
		}
		break
	}
}

// Snapshot is the snapshot that Scan found. It belongs to the caller.
func (r *Reader[A]) Snapshot() *Snapshot[A] { return r.out }

// Err is what ended the reading before the source's end: the source's error, the
// context's, or a *NoListingError.
func (r *Reader[A]) Err() error { return r.err }

// Scan advances to the next snapshot and reports whether there is one. After an
// error what was read until then is a last snapshot, marked as not complete.
func (r *Reader[A]) Scan() bool {
	r.out = nil
	for r.out == nil && !r.ended {
		if len(r.ready) > 0 {
			r.take(r.ready[0])
			r.ready = r.ready[1:]
			continue
		}
		r.release()
		p, err := r.await()
		if err == nil {
			err = p.err
		}
		if err != nil {
			if p != nil {
				r.free <- p
			}
			r.end(err)
			break
		}
		r.merging, r.ready = p, p.segments
		if !r.within {
			p.before = r.lines
		}
		r.lines += p.lines
		r.within = p.more
	}
	return r.out != nil
}

// errClosed is what a closed reader's Scan ends with.
var errClosed = errors.New("the reader is closed")

// await returns the next part in the order of the input. When the reading is stopped
// what has been parsed by then still comes, if nothing is missing before it.
func (r *Reader[A]) await() (*part[A], error) {
	for {
		if r.ctx.Err() != nil {
			r.Close()
		}
		if p := r.waiting[r.next]; p != nil {
			delete(r.waiting, r.next)
			if !p.more {
				r.next++
			}
			return p, nil
		}
		select {
		case p := <-r.results:
			r.waiting[p.seq] = p
			continue
		default:
		}
		if r.closed {
			return nil, cmp.Or(context.Cause(r.ctx), errClosed)
		}
		select {
		case p := <-r.results:
			r.waiting[p.seq] = p
		case <-r.ctx.Done():
		}
	}
}

// release gives the part that was merged back to the workers, to its own if that has more.
func (r *Reader[A]) release() {
	switch p := r.merging; {
	case p == nil:
	case p.more:
		p.back <- struct{}{}
	default:
		r.free <- p
	}
	r.merging = nil
}

// end closes the last snapshot.
func (r *Reader[A]) end(err error) {
	r.ended = true
	r.Close()
	if !errors.Is(err, io.EOF) {
		r.err = err
	}
	c := r.current()
	if r.after != nil {
		c.merge(&r.after.Counts, r.after.Message, r.after.Problems)
		if c.Config() == nil {
			c.config = r.after.config
		}
		if r.count == 0 && c.Time.IsZero() { // what is told behind the one listing can be of no other
			c.tell(r.after.told())
			c.Host = cmp.Or(c.Host, r.after.Host)
		}
	}
	switch {
	case c.holds() || c.Recorded != nil:
		c.Complete = r.err == nil
		r.emit()
	case r.count == 0 && r.err == nil:
		r.err = &NoListingError{Counts: c.Counts, Message: c.Message, Problems: c.Problems, Config: c.Config()}
	}
}

// emit hands the current snapshot over.
func (r *Reader[A]) emit() {
	r.count++
	r.cur.Index = r.count
	r.cur.Complete = r.cur.Complete || !r.ended
	r.cur.Torn = r.cur.Recorded != nil && !r.cur.whole && r.cur.Complete
	r.out, r.cur = r.cur, nil
}

// take merges a segment, and emits the snapshot before it when it begins another: a
// title or column titles do where the snapshot has such a line or entries already,
// entries do behind a time that stands behind others, and a recorded one's first line
// does behind anything but prose.
func (r *Reader[A]) take(s *segment[A]) {
	c := r.current()
	if s.begin == dateLine {
		switch {
		case r.after != nil:
			r.after.tell(s.time)
		case c.columns || c.Entries > 0:
			r.after = r.newSnapshot()
			r.after.tell(s.time)
		default:
			c.tell(s.time)
		}
	}
	// What stands before a listing belongs to it; behind one, unless that has its own.
	has := s.begin == parse.ConfigTitleLine && c.configTitle || s.begin == parse.ConfigLine && c.timeouts
	if has && r.after == nil && (c.columns || c.Entries > 0) {
		r.after = r.newSnapshot()
	}
	begins := false
	switch s.begin {
	case headLine:
		begins = c.holds() || c.Recorded != nil
	case parse.TitleLine:
		begins = c.holds()
	case parse.ColumnsLine:
		begins = c.columns || c.Entries > 0
	default:
		begins = r.after != nil && s.counts.Entries > 0
	}
	if begins {
		r.emit()
		r.cur, r.after = r.after, nil
		c = r.current()
	} else if r.after != nil {
		c = r.after
	}
	switch s.begin {
	case headLine:
		recorded := s.recorded // the segment is used again
		c.Recorded, c.Host = &recorded, recorded.Host
		c.tell(told{time: recorded.Time, from: TimeRecorded})
	case endLine:
		c.whole = s.end == c.Entries+c.Bad+c.OtherFormat
	}
	r.takeHosts(c, s.host)
	if s.counts.Lines > 0 || s.cut { // and not the beginning of a block
		c.Cut = s.cut || s.begin == parse.TitleLine && s.counts.Lines == 1 // unless column titles follow
	}
	c.title = c.title || s.begin == parse.TitleLine
	c.columns = c.columns || s.begin == parse.ColumnsLine
	if s.begin == parse.ColumnsLine {
		c.Header = s.header
	}
	c.configTitle = c.configTitle || s.begin == parse.ConfigTitleLine
	c.timeouts = c.timeouts || s.begin == parse.ConfigLine
	for _, line := range s.config {
		c.config.Line(line)
	}
	for i := range s.problems {
		s.problems[i].Name = r.src.Name
		s.problems[i].Line += int(r.merging.before)
	}
	c.merge(&s.counts, s.message, s.problems)
	c.Result.Merge(s.result)
}

// takeHosts takes the hosts that lines tell: in front of the listing for it and for those to
// come, behind its titles or rows for those to come.
func (r *Reader[A]) takeHosts(c *Snapshot[A], h hosts) {
	if h.toldBefore {
		r.host = h.before
		if c.Recorded == nil && !c.columns && c.Entries == 0 {
			c.Host = r.host
		}
	}
	if h.toldBehind {
		r.host = h.behind
	}
}

func (s *Snapshot[A]) tell(t told) { s.Time, s.TimeFrom, s.TimeLocal = t.time, t.from, t.local }
func (s *Snapshot[A]) told() told  { return told{time: s.Time, from: s.TimeFrom, local: s.TimeLocal} }

// merge adds what became of some lines.
func (s *Snapshot[A]) merge(counts *Counts, message parse.Message, problems []parse.Error) {
	s.Counts.Add(counts)
	if s.Message == parse.NoMessage {
		s.Message = message
	}
	s.Problems = append(s.Problems, problems[:min(len(problems), MaxProblems-len(s.Problems))]...)
}

// current is the snapshot being merged, a new one if there is none.
func (r *Reader[A]) current() *Snapshot[A] {
	if r.cur == nil {
		r.cur = r.newSnapshot()
	}
	return r.cur
}

func (r *Reader[A]) newSnapshot() *Snapshot[A] {
	return &Snapshot[A]{Host: r.host, Result: r.newAcc()}
}
