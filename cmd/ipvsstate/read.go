package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"ipvsstate/internal/capture"
	"ipvsstate/internal/conn"
	"ipvsstate/internal/explain"
	"ipvsstate/internal/ipvs"
	"ipvsstate/internal/parse"
	"ipvsstate/internal/render"
	"ipvsstate/internal/tally"
)

// hintAfter is how long a silent input may be waited for without a word.
const hintAfter = 2 * time.Second

// errTimedOut is why a reading ended that --timeout stopped.
var errTimedOut = errors.New("the time that --timeout allows is over")

// snapshot is one listing, counted.
type snapshot = capture.Snapshot[*tally.Tally]

// summarize reads what the flags and arguments ask for. Beside a summary the error
// says why it is not all that was asked for.
func (a *app) summarize(ctx context.Context, o *inputOptions, words *explain.Catalogue, args []string) (*render.Summary, error) {
	if err := o.check(args); err != nil {
		return nil, err
	}
	if o.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.timeout, errTimedOut)
		defer cancel()
	}
	if len(args) == 0 && !o.kernel() && stdinIsInput(a.stdin) {
		args = []string{"-"}
	}
	r := &reading{app: a, options: o, words: words}
	if len(args) == 0 {
		return r.kernel(ctx)
	}
	return r.files(ctx, args)
}

// reading is one run's way from sources to a summary.
type reading struct {
	app     *app
	options *inputOptions
	words   *explain.Catalogue

	seen   int             // listings so far, over all files
	chosen *render.Summary // the listing to show
	bad    int64           // rows that could not be read, over all listings
	shown  int             // of them on standard error
	failed []error         // inputs that could not be read
}

// kernel reads the running kernel.
func (r *reading) kernel(ctx context.Context) (*render.Summary, error) {
	where := ipvs.Where{Proc: r.options.proc, Netns: r.options.netns}
	table, err := ipvs.OpenTable(where)
	if err != nil {
		return nil, kernelFailure(where, err)
	}
	defer table.Close()

	netlink, cancel := context.WithTimeout(ctx, 5*time.Second)
	config, configErr := ipvs.ReadConfig(netlink, where)
	cancel()

	src := &capture.Source{Kind: capture.Kernel, Name: table.Path, Reader: r.patient(table, "wait.kernel")}
	seen := &tally.Seen{}
	// One worker, since all count against the same seen entries; the kernel is slower.
	cfg := capture.Config{Workers: 1, ReadSize: ipvs.ReadSize}
	stopped := r.source(ctx, src, cfg, func() *tally.Tally { return tally.New(tally.Options{Seen: seen}) })
	s := r.chosen
	if s == nil {
		return nil, r.verdict(stopped)
	}
	s.Kernel, s.Config = table, config
	if host, err := r.app.hostname(); err == nil && r.options.proc == "" { // another proc root may be another host's
		s.Host = host
	}
	s.Time, s.TimeFrom = r.app.now(), render.TimeClock
	if config != nil && config.Timeouts != nil {
		s.Timeouts, s.TimeoutsKnown = *config.Timeouts, true
	}
	if configErr != nil {
		what := "services"
		if config != nil {
			what = "timeouts"
		}
		s.Missing = append(s.Missing, render.Missing{What: what, Why: whyNoConfig(configErr)})
	}
	return s, r.outcome(stopped)
}

// files reads the listings of files and of standard input.
func (r *reading) files(ctx context.Context, names []string) (*render.Summary, error) {
	cfg := capture.Config{Location: time.Local}
	cfg.Format, _ = parse.FormatOf(r.options.format.value) // the flag takes no other
	var stopped error
	for _, name := range names {
		src, err := r.app.openInput(name)
		if err != nil {
			r.refuse(openFailure(name, err))
			continue
		}
		cfg.ReadSize = 0
		if src.Kind == capture.Stdin {
			src.Reader = r.patient(src.Reader, "wait.stdin")
			cfg.ReadSize = 512 << 10 // half a widened pipe: fewer turns between its two ends
		}
		stopped = r.source(ctx, src, cfg, func() *tally.Tally { return tally.New(tally.Options{}) })
		src.Close()
		if stopped != nil {
			break
		}
	}
	s := r.chosen
	if s == nil {
		if stopped == nil && len(r.failed) == 0 {
			stopped = fail("hint.no-snapshot", fmt.Errorf("there is no listing %d", r.options.snapshot), r.seen)
		}
		return nil, r.verdict(stopped)
	}
	s.Of = r.seen
	return s, r.outcome(stopped)
}

// refuse notes an input that cannot be read. The last is left to be the command's
// error; those before it are printed now.
func (r *reading) refuse(err error) {
	if n := len(r.failed); n > 0 {
		r.print(r.failed[n-1])
	}
	r.failed = append(r.failed, err)
}

func (r *reading) print(err error) {
	var f *failure
	if errors.As(err, &f) {
		r.app.complain(err)
	}
}

// verdict is the error to end with: what stopped the run, else the last input that
// could not be read.
func (r *reading) verdict(stopped error) error {
	n := len(r.failed)
	if n == 0 {
		return stopped
	}
	if stopped != nil {
		r.print(r.failed[n-1])
		return stopped
	}
	return r.failed[n-1]
}

// outcome is the error of a run that has something to show.
func (r *reading) outcome(stopped error) error {
	if more := r.bad - int64(r.shown); more > 0 {
		fmt.Fprintf(r.app.stderr, "ipvsstate: %s\n", r.words.Count("bad.more", uint64(more)))
	}
	if err := r.verdict(stopped); err != nil {
		return err
	}
	if r.options.strict && r.bad > 0 {
		return fail("hint.strict", fmt.Errorf("--strict: %s could not be read", rows(r.bad)))
	}
	return nil
}

func rows(n int64) string {
	if n == 1 {
		return "1 row"
	}
	return fmt.Sprintf("%d rows", n)
}

// source reads all listings of a source. It returns an error only if that ends the
// run; a source that cannot be read does not.
func (r *reading) source(ctx context.Context, src *capture.Source, cfg capture.Config, newTally func() *tally.Tally) error {
	reader := capture.NewReader(ctx, src, cfg, newTally)
	defer reader.Close()
	var last *render.Summary
	for reader.Scan() {
		last = r.take(src, reader.Snapshot())
	}
	err := reader.Err()
	var none *capture.NoListingError
	switch {
	case err == nil:
		if last != nil && last.TimeFrom == render.TimeUnknown && !src.Modified.IsZero() {
			last.Time, last.TimeFrom = src.Modified, render.TimeMtime
		}
	case errors.Is(err, errInterrupted):
		return &failure{err: err, code: exitInterrupted}
	case errors.Is(err, errTimedOut):
		return fail("hint.timed-out", err)
	case errors.As(err, &none):
		r.problems(none.Problems, none.Bad)
		r.refuse(noListing(src, none))
	default:
		r.refuse(readFailure(src, err))
	}
	return nil
}

// take turns a listing into a summary, and chooses between it and those before.
func (r *reading) take(src *capture.Source, s *snapshot) *render.Summary {
	r.seen++
	r.problems(s.Problems, s.Bad)
	m := &render.Summary{
		Kind: src.Kind, Name: src.Name, Format: render.FormatOf(&s.Counts, s.Header),
		Index: r.seen, Of: r.seen, Merged: r.options.merge,
		Time: s.Time, TimeFrom: render.TimeHeader, Complete: s.Complete, CutShort: s.Message == parse.CutShort,
		Input: s.Counts, Tally: s.Result, Timeouts: conn.DefaultTimeouts,
	}
	if s.Time.IsZero() {
		m.TimeFrom = render.TimeUnknown
		if t, ok := capture.NameTime(src.Name, time.Local); ok && src.Kind == capture.File {
			m.Time, m.TimeFrom = t, render.TimeName
		}
	}
	switch had := r.chosen; {
	case r.options.merge && had != nil:
		had.Merge(m)
	case r.options.snapshot == 0 && (had == nil || !older(m, had)), r.options.snapshot == r.seen:
		r.chosen = m
	}
	return m
}

// older reports that a listing is older than another, where both tell their time;
// otherwise the later in the input is the newer.
func older(m, than *render.Summary) bool {
	tells := func(s *render.Summary) bool { return s.TimeFrom == render.TimeHeader || s.TimeFrom == render.TimeName }
	return tells(m) && tells(than) && m.Time.Before(than.Time)
}

// problems prints the first bad rows of a run.
func (r *reading) problems(all []parse.Error, bad int64) {
	r.bad += bad
	for i := range all {
		if r.shown < capture.MaxProblems {
			r.shown++
			r.app.complain(&all[i])
		}
	}
}

// patient says after a while of silence what is being waited for.
func (r *reading) patient(from io.Reader, key string) io.Reader {
	return &patient{from: from, say: func() {
		fmt.Fprintf(r.app.stderr, "ipvsstate: %s\n%s: %s\n", r.words.Word(key), r.words.Word("hint"), r.words.Word(key+".hint"))
	}, until: func(n int, err error) bool { return key == "wait.stdin" && n > 0 || err != nil }}
}

type patient struct {
	from  io.Reader
	say   func()
	until func(n int, err error) bool
	timer *time.Timer
	done  bool
}

func (p *patient) Read(b []byte) (int, error) {
	if p.timer == nil && !p.done {
		p.timer = time.AfterFunc(hintAfter, p.say)
	}
	n, err := p.from.Read(b)
	if !p.done && p.until(n, err) {
		p.done = true
		p.timer.Stop()
	}
	return n, err
}
