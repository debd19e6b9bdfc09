package main

import (
	"context"
	"errors"
	"io/fs"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"ipvsstate/internal/capture"
	"ipvsstate/internal/conn"
	"ipvsstate/internal/explain"
	"ipvsstate/internal/history"
	"ipvsstate/internal/parse"
	"ipvsstate/internal/render"
	"ipvsstate/internal/tally"
)

// trendReading reads many snapshots on all processors.
type trendReading struct {
	app          *app
	options      *trendOptions
	words        *explain.Catalogue
	by           tally.Dimension
	since, until time.Time

	entries atomic.Int64 // so far
	files   atomic.Int64
	bytes   atomic.Int64 // of files that are done
	line    progressLine

	mu        sync.Mutex
	reading   map[*capture.Source]bool
	hosts     map[string]*trendHost
	names     firstNames // of these
	crowded   bool       // there were more
	failed    error      // the first input that could not be read
	failures  int
	closed    int        // of them could not even be opened
	unlisted  int        // inputs without a listing
	undated   int        // snapshots whose time nothing tells
	backwards int        // times that are older than the one before in their input
	outside   int        // snapshots that --since and --until leave out
	newest    time.Time  // of those
	others    firstNames // directors that --host leaves out
	within    int        // inputs that begin within a listing
	unread    int        // files that were last written before --since
	bad       int64
	unnamed   *unnamedLogs
}

// findings reports that the rules are asked: a page marks what they find.
func (r *trendReading) findings() bool {
	return r.options.findings || r.options.output.value == "html"
}

// shownFailures is how many inputs that cannot be read are named.
const shownFailures = 5

func (r *trendReading) refuse(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failures++; r.failures <= shownFailures {
		if r.failed != nil {
			r.line.aside(func() { r.app.complain(err) })
			return
		}
		r.failed = err
	}
}

// refuseClosed is of an input that could not be opened.
func (r *trendReading) refuseClosed(err error) {
	r.mu.Lock()
	r.closed++
	r.mu.Unlock()
	r.refuse(err)
}

// findFailure is of arguments under which nothing is to be read: the first thing that kept it.
func findFailure(err error) error {
	var none *capture.NothingFoundError
	if !errors.As(err, &none) || len(none.Failures) == 0 {
		return fail("hint.trend", err)
	}
	if err = none.Failures[0]; errors.Is(err, fs.ErrNotExist) {
		return fail("hint.trend", err)
	}
	return openFailure("", err)
}

// trendJob reads an input.
type trendJob func(context.Context, capture.Config)

// read reads all inputs. It returns an error only if that ended the reading.
func (r *trendReading) read(ctx context.Context, args []string) error {
	if len(args) == 0 {
		args = []string{"-"}
	}
	files := slices.DeleteFunc(slices.Clone(args), func(name string) bool { return name == "-" })
	var jobs, old []trendJob
	if len(files) < len(args) {
		jobs = append(jobs, r.stdin)
	}
	var size, oldSize int64
	if len(files) > 0 {
		units, failures, err := capture.Find(ctx, files, time.Local)
		switch {
		case ctx.Err() != nil:
			return &failure{err: context.Cause(ctx), code: exitInterrupted}
		case err != nil && len(jobs) == 0:
			return findFailure(err)
		case err != nil:
			r.refuseClosed(findFailure(err))
			failures = nil
		}
		for _, err := range failures {
			r.refuseClosed(openFailure(".", err))
		}
		for i := range units {
			u := &units[i]
			job := func(ctx context.Context, cfg capture.Config) { r.unit(ctx, u, cfg) }
			switch {
			case r.outOfTime(u):
			case r.old(u):
				oldSize += u.Size
				old = append(old, job)
			default:
				size += u.Size
				jobs = append(jobs, job)
			}
		}
	}
	err := r.run(ctx, jobs, size)
	if err == nil && len(old) > 0 && len(r.hosts)+len(r.unnamed.live) == 0 { // then their times are perhaps not those of the writing
		return r.run(ctx, old, oldSize)
	}
	r.unread = len(old)
	return err
}

// run does all jobs, which have so many bytes to read.
func (r *trendReading) run(ctx context.Context, jobs []trendJob, size int64) error {
	processors := runtime.GOMAXPROCS(0)
	readers := min(processors, max(len(jobs), 1))
	cfg := capture.Config{Location: time.Local, Workers: (processors + readers - 1) / readers}
	cfg.Format, _ = parse.FormatOf(r.options.format.value) // the flag takes no other
	r.files.Store(0)
	r.bytes.Store(0)
	done := r.progress(len(jobs), size)
	defer done()
	next := atomic.Int64{}
	var wait sync.WaitGroup
	for range readers {
		wait.Go(func() {
			for n := int(next.Add(1)) - 1; n < len(jobs) && ctx.Err() == nil; n = int(next.Add(1)) - 1 {
				jobs[n](ctx, cfg)
				r.files.Add(1)
			}
		})
	}
	wait.Wait()
	if ctx.Err() != nil {
		return &failure{err: context.Cause(ctx), code: exitInterrupted}
	}
	return nil
}

// outOfTime reports a recorded snapshot whose name tells a time that is not wanted: it need not be read.
func (r *trendReading) outOfTime(u *capture.Unit) bool {
	at, recorded := history.RecordedAt(u.Path)
	out := recorded && (!r.since.IsZero() && at.Before(r.since) || !r.until.IsZero() && at.After(r.until))
	if out {
		r.leaveOut(at)
	}
	return out
}

// old reports a file that was last written before --since, so that nothing in it is newer, unless its
// name tells a day that is: git, tar and touch give files times that are not those of the writing.
func (r *trendReading) old(u *capture.Unit) bool {
	return !u.Modified.IsZero() && u.Modified.Before(r.since) && u.Time.Add(24*time.Hour).Before(r.since)
}

// stdin reads standard input.
func (r *trendReading) stdin(ctx context.Context, cfg capture.Config) {
	src, err := r.app.openInput(ctx, "-")
	if err == nil {
		err = r.source(ctx, src, cfg)
	}
	if err != nil && ctx.Err() == nil {
		r.refuse(readFailure(&capture.Source{Kind: capture.Stdin, Name: "standard input"}, err, "hint.damaged-listing"))
	}
}

func (r *trendReading) unit(ctx context.Context, u *capture.Unit, cfg capture.Config) {
	err := u.Each(ctx, func(src *capture.Source) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r.setReading(src, true)
		defer r.setReading(src, false)
		if err := r.source(ctx, src, cfg); err != nil && ctx.Err() == nil { // the others of an archive count
			r.refuse(readFailure(src, err, "hint.damaged-listing"))
		}
		return ctx.Err()
	})
	r.bytes.Add(u.Size)
	switch {
	case err == nil || ctx.Err() != nil:
	case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist): // it was there a moment ago
		r.refuseClosed(openFailure(u.Path, err))
	default:
		r.refuse(readFailure(&capture.Source{Name: u.Path}, err, "hint.damaged-listing"))
	}
}

func (r *trendReading) setReading(src *capture.Source, on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if on {
		r.reading[src] = true
	} else {
		delete(r.reading, src)
	}
}

// bytesRead is how much of all files has been read, compressed as they are.
func (r *trendReading) bytesRead() int64 {
	n := r.bytes.Load()
	r.mu.Lock()
	defer r.mu.Unlock()
	for src := range r.reading {
		n += src.Offset()
	}
	return n
}

// source reads the snapshots of one input, and adds them.
func (r *trendReading) source(ctx context.Context, src *capture.Source, cfg capture.Config) error {
	options := tally.Options{}
	if r.by.Aspect == tally.Server {
		options.Plan = &tally.Plan{By: []tally.Dimension{r.by}}
	}
	if r.findings() {
		options.Sample = tally.NewSamplePlan(tally.MaxSample, 0)
	}
	reader := capture.NewReader(ctx, src, cfg, func() *trendTally { return &trendTally{Tally: tally.New(options)} })
	defer reader.Close()
	in := &trendInput{src: src, alike: make(map[alike]int32)}
	defer r.closeLog(in)
	bad := int64(0)
	for reader.Scan() {
		s := reader.Snapshot()
		r.entries.Add(s.Entries)
		bad += s.Bad
		if reader.Err() != nil { // of what could not be read to its end nothing is known
			break
		}
		d := in.date(r.point(src, s), s)
		if in.beginsWithin(s) {
			r.mu.Lock()
			r.within++
			r.mu.Unlock()
		}
		r.add(in.last, in)
		in.last = d
	}
	r.mu.Lock()
	r.bad += bad
	r.mu.Unlock()
	err := reader.Err()
	var none *capture.NoListingError
	switch {
	case errors.As(err, &none):
		r.mu.Lock()
		r.unlisted++
		r.mu.Unlock()
		return nil
	case err == nil:
		in.dateLast()
	}
	r.add(in.last, in)
	return err
}

// trendTally also knows which entries it has counted.
type trendTally struct {
	*tally.Tally
	sum history.Sum
}

func (t *trendTally) Add(e *conn.Entry) {
	t.Tally.Add(e)
	t.sum.Add(e)
}

func (t *trendTally) Merge(o *trendTally) {
	t.Tally.Merge(o.Tally)
	t.sum += o.sum
}

func (t *trendTally) Reset() {
	t.Tally.Reset()
	t.sum = 0
}

// point is what is kept of a snapshot.
func (r *trendReading) point(src *capture.Source, s *capture.Snapshot[*trendTally]) *history.Point {
	t := s.Result
	p := &history.Point{
		Connections: t.Connections(), Templates: t.Templates(), Entries: t.sum,
		Part: !s.Complete || s.Torn || s.Cut || s.Message == parse.CutShort || s.Bad > 0,
	}
	switch r.by.Aspect {
	case tally.State:
		for _, c := range t.States(tally.ByLifeCycle) {
			p.Groups = append(p.Groups, history.GroupCount{Value: tally.Value{Protocol: c.Protocol, State: c.State}, Count: c.Count})
		}
	case tally.OfService:
		for _, v := range t.Services() {
			if v.Connections > 0 {
				p.Groups = append(p.Groups, history.GroupCount{Value: tally.Value{Protocol: v.Protocol, Endpoint: v.Virtual, Marked: v.Marked, Fwmark: v.Fwmark}, Count: v.Connections})
			}
		}
		if rest := t.Ungrouped(); rest.Connections > 0 {
			p.Groups = append(p.Groups, history.GroupCount{Count: rest.Connections})
		}
	default:
		for g := range t.Groups().All {
			if g.Connections > 0 {
				p.Groups = append(p.Groups, history.GroupCount{Value: g.Values[0], Count: g.Connections})
			}
		}
	}
	if r.findings() {
		p.Events = r.events(src, s)
	}
	return p
}

// events are what the rules say of a snapshot's sample.
func (r *trendReading) events(src *capture.Source, s *capture.Snapshot[*trendTally]) (all []history.Event) {
	m := &render.Summary{
		Kind: src.Kind, Name: src.Name, Format: render.FormatOf(&s.Counts, s.Header), Index: 1, Of: 1,
		Complete: s.Complete, CutShort: s.Message == parse.CutShort, Torn: s.Torn,
		Input: s.Counts, Tally: s.Result.Tally, Config: s.Config(), Timeouts: conn.DefaultTimeouts,
	}
	if m.Config != nil && m.Config.Timeouts != nil {
		m.Timeouts = *m.Config.Timeouts
	}
	for _, f := range diagnoseSample(m).Findings {
		all = append(all, render.EventOf(&f, r.words))
	}
	return all
}
