package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"time"

	"ipvsstate/internal/capture"
	"ipvsstate/internal/conn"
	"ipvsstate/internal/explain"
	"ipvsstate/internal/history"
	"ipvsstate/internal/ipvs"
	"ipvsstate/internal/parse"
	"ipvsstate/internal/render"
	"ipvsstate/internal/tally"
)

// hintAfter is how long a silent input may be waited for without a word.
const hintAfter = 2 * time.Second

// errTimedOut is why a reading ended that --timeout stopped.
var errTimedOut = errors.New("the time that --timeout allows is over")

// read answers a question about the input that the flags and arguments name. Beside a
// summary the error says why it is not all that was asked for.
func (a *app) read(ctx context.Context, q *question, words *explain.Catalogue, args []string) (*render.Summary, error) {
	o := q.input
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
	r := &reading{app: a, question: q, words: words}
	if len(args) == 0 {
		return r.kernel(ctx)
	}
	// Of several listings the newest is shown: which that is, and what is said behind the
	// rows of the director's configuration, is known when all has been read.
	twice := rereadable(args)
	counted := false // only, and the rows are still to come
	if q.rows != nil {
		newest := !o.merge && o.snapshot == 0
		q.rows.only = o.snapshot
		switch {
		case twice && (newest || q.needsConfig()):
			counted = true
			r.question = &question{input: q.input, filter: q.filter}
		case newest:
			q.rows.only, q.rows.first = 1, true
		}
	}
	s, err := r.files(ctx, args)
	if s == nil || ctx.Err() != nil || !counted && (!q.needsConfig() || sameDirector(r.used, s.Config)) {
		return s, err
	}
	if !twice {
		return nil, fail("hint.config-behind", errors.New("the configuration of the director stands behind its connections"))
	}
	if counted && !o.merge {
		q.rows.only = s.Index
	}
	q.filter.Forget()
	again := &reading{app: a, question: q, words: words, config: s.Config, again: true}
	return again.files(ctx, args)
}

// sameDirector reports that two configurations mean the same for an entry.
func sameDirector(a, b *conn.Config) bool {
	a, b = a.WithoutCounters(), b.WithoutCounters()
	return reflect.DeepEqual(a.Timeouts, b.Timeouts) && reflect.DeepEqual(a.Services, b.Services)
}

// rereadable reports that all inputs are files that can be read twice.
func rereadable(names []string) bool {
	for _, name := range names {
		if info, err := os.Stat(name); name == "-" || err == nil && !info.Mode().IsRegular() && !info.IsDir() {
			return false
		}
	}
	return true
}

// reading is one run's way from sources to a summary.
type reading struct {
	app      *app
	question *question
	words    *explain.Catalogue

	// config is what the director's configuration is taken for while rows are read, nil
	// for the defaults; beside is what inputs without a listing say of it.
	config     *conn.Config
	used       *conn.Config // for the chosen listing
	beside     *conn.Config
	configured string // the last of these inputs
	again      bool   // all has been read before, and what is wrong with it been said

	seen   int             // listings so far, over all files
	chosen *render.Summary // the listing to show
	bad    int64           // rows that could not be read, over all listings
	shown  int             // of them on standard error
	failed []error         // inputs that could not be read
}

// plan is how entries are judged and grouped, by the configuration as it is known now.
func (r *reading) plan() (*tally.Plan, *conn.Timing) {
	timeouts := conn.DefaultTimeouts
	if r.config != nil && r.config.Timeouts != nil {
		timeouts = *r.config.Timeouts
	}
	if r.question.input.timeouts.given {
		timeouts = r.question.input.timeouts.Timeouts
	}
	timing := conn.NewTiming(timeouts, configured(r.config))
	r.question.filter.SetTiming(timing)
	p := &tally.Plan{By: r.question.by, Timing: timing, Forwarding: conn.NewDirectory(configured(r.config)).Forwarding}
	return p, timing
}

// configured are the services of a configuration, nil where they are not known.
func configured(c *conn.Config) []conn.Service {
	if c == nil {
		return nil
	}
	return c.Services
}

// gather makes accumulators for a source of so many bytes, 0 where that is not known.
func (r *reading) gather(seen *tally.Seen, size int64) func() *gathered {
	plan, timing := r.plan()
	if len(plan.By) == 0 {
		plan = nil
	}
	var sample *tally.SamplePlan
	if n := r.question.sample; n > 0 {
		sample = tally.NewSamplePlan(n, size)
	}
	var sink *render.RowSink
	if r.question.rows != nil {
		sink = r.question.rows.begin(r.seen, timing, configured(r.config))
	}
	return func() *gathered {
		g := &gathered{Tally: tally.New(tally.Options{Seen: seen, Plan: plan, Sample: sample})}
		if r.question.keepEntries {
			g.part = history.NewPart()
		}
		if sink != nil {
			g.rows = sink.NewRows()
		}
		return g
	}
}

// keep is the filter as the reader wants it.
func (r *reading) keep() func(*conn.Entry) bool {
	if r.question.filter.Empty() {
		return nil
	}
	return r.question.filter.Match
}

// kernel reads the running kernel.
func (r *reading) kernel(ctx context.Context) (*render.Summary, error) {
	o := r.question.input
	where := ipvs.Where{Proc: o.proc, Netns: o.netns}
	table, err := ipvs.OpenTable(where)
	if err != nil {
		return nil, kernelFailure(where, err)
	}
	defer table.Close()

	config, missing := readDirector(ctx, where)
	r.config = config

	src := &capture.Source{Kind: capture.Kernel, Name: table.Path, Reader: r.patient(table, "wait.kernel")}
	// One worker, since all count against the same seen entries; the kernel is slower.
	cfg := capture.Config{Workers: 1, ReadSize: ipvs.ReadSize, Keep: r.keep()}
	var seen *tally.Seen
	if !r.question.keepEntries { // which tell a second one themselves
		seen = new(tally.Seen)
	}
	stopped := r.source(ctx, src, cfg, r.gather(seen, 0))
	s := r.chosen
	if s == nil {
		return nil, r.verdict(stopped)
	}
	s.Kernel, s.Config, s.ConfigFrom = table, config, render.ConfigKernel
	if host, err := r.app.hostname(); err == nil && o.proc == "" { // another proc root may be another host's
		s.Host = host
	}
	s.Time, s.TimeFrom = r.app.now(), render.TimeClock
	s.Missing = missing
	r.complete(s)
	return r.answer(s, stopped)
}

// readDirector reads how the running kernel is configured, and says what could not be read.
func readDirector(ctx context.Context, where ipvs.Where) (*conn.Config, []render.Missing) {
	netlink, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	config, err := ipvs.ReadConfig(netlink, where)
	if config == nil {
		config = &conn.Config{}
	}
	config.Sysctls = ipvs.ReadSysctls(where)
	if err == nil {
		return config, nil
	}
	what := "services"
	if config.Services != nil {
		what = "timeouts"
	}
	return config, []render.Missing{{What: what, Why: whyNoConfig(err)}}
}

// complete puts into a summary what is known of the whole reading.
func (r *reading) complete(s *render.Summary) {
	s.Filter, s.Named = r.question.filter.String(), r.question.filter.Named()
	s.Timeouts, s.TimeoutsFrom = conn.DefaultTimeouts, render.TimeoutsDefault
	switch o := r.question.input; {
	case o.timeouts.given:
		s.Timeouts, s.TimeoutsFrom = o.timeouts.Timeouts, render.TimeoutsFlag
	case s.Config != nil && s.Config.Timeouts != nil && *s.Config.Timeouts == conn.UnknownTimeouts:
		s.Timeouts, s.TimeoutsFrom = conn.UnknownTimeouts, render.TimeoutsDiffer
	case s.Config != nil && s.Config.Timeouts != nil:
		s.Timeouts, s.TimeoutsFrom = *s.Config.Timeouts, render.TimeoutsFrom(s.ConfigFrom)
	}
}

// files reads the listings of files and of standard input.
func (r *reading) files(ctx context.Context, names []string) (*render.Summary, error) {
	o := r.question.input
	cfg := capture.Config{Location: time.Local, Keep: r.keep()}
	cfg.Format, _ = parse.FormatOf(o.format.value) // the flag takes no other
	var stopped error
	for _, name := range names {
		src, err := r.app.openInput(ctx, name)
		if stopped = stopFailure(err); stopped != nil {
			break
		}
		if errors.Is(err, capture.ErrDirectory) {
			r.refuse(directoryFailure(o.command, name, err))
			continue
		}
		if err != nil {
			r.refuse(openFailure(name, err))
			continue
		}
		cfg.ReadSize = 0
		if src.Kind == capture.Stdin {
			src.Reader = r.patient(src.Reader, "wait.stdin")
			cfg.ReadSize = 512 << 10 // half a widened pipe: fewer turns between its two ends
		}
		if r.question.needsConfig() && !r.again {
			r.config = src.Front()
		}
		stopped = r.source(ctx, src, cfg, r.gather(nil, src.Size))
		src.Close()
		if stopped != nil {
			break
		}
	}
	s := r.chosen
	if s == nil {
		if stopped == nil && len(r.failed) == 0 {
			stopped = r.nothingChosen()
		}
		return nil, r.verdict(stopped)
	}
	s.Of = r.seen
	s.Config = addConfig(s.Config, r.beside)
	r.complete(s)
	return r.answer(s, stopped)
}

// answer is the summary with the error of a run that has something to show, or the
// error alone where the filter asked what the input does not tell.
func (r *reading) answer(s *render.Summary, stopped error) (*render.Summary, error) {
	err := untold(r.question.filter)
	if unknown := r.question.filter.UnknownStates(); err == nil && len(unknown) > 0 && s.Tally.Connections()+s.Tally.Templates() == 0 {
		err = fail("hint.filter-state", fmt.Errorf("no entry is in state %q, and no known kernel has one of that name", unknown[0]))
	}
	if err != nil && r.verdict(stopped) == nil {
		return nil, err
	}
	return s, r.outcome(stopped)
}

// nothingChosen is why the inputs have no listing to show, though they could be read.
func (r *reading) nothingChosen() error {
	if r.seen == 0 {
		return fail("hint.services-only", fmt.Errorf("%s: it tells how a director is configured, but lists no connections", r.configured))
	}
	o := r.question.input
	return fail("hint.no-snapshot", fmt.Errorf("--%s %d: there is no such listing", o.numberFlag, o.snapshot), r.seen, o.numberFlag)
}

// addConfig completes a configuration with what another source says of it.
func addConfig(c, more *conn.Config) *conn.Config {
	if c == nil || more == nil {
		return cmp.Or(c, more)
	}
	sum := *c
	if sum.Services == nil {
		sum.Services = more.Services
	}
	if sum.Timeouts == nil {
		sum.Timeouts = more.Timeouts
	}
	if sum.Sysctls == nil {
		sum.Sysctls = more.Sysctls
	}
	if sum.Daemons == nil {
		sum.Daemons = more.Daemons
	}
	sum.Buckets = cmp.Or(sum.Buckets, more.Buckets)
	return &sum
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
	if errors.As(err, &f) && !r.again {
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
	if more := r.bad - int64(r.shown); more > 0 && !r.again {
		fmt.Fprintf(r.app.stderr, "ipvsstate: %s\n", r.words.Count("bad.more", uint64(more)))
	}
	if err := r.verdict(stopped); err != nil {
		return err
	}
	if r.question.input.strict && r.bad > 0 {
		return fail("hint.strict", fmt.Errorf("--strict: %s could not be read", rowCount(r.bad)))
	}
	return nil
}

func rowCount(n int64) string {
	if n == 1 {
		return "1 row"
	}
	return fmt.Sprintf("%d rows", n)
}

// source reads all listings of a source. It returns an error only if that ends the
// run; a source that cannot be read does not.
func (r *reading) source(ctx context.Context, src *capture.Source, cfg capture.Config, newGathered func() *gathered) error {
	reader := capture.NewReader(ctx, src, cfg, newGathered)
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
	case stopFailure(err) != nil:
		return stopFailure(err)
	case errors.As(err, &none) && none.Config != nil && none.Bad == 0:
		if r.beside.Contradicts(none.Config) {
			r.refuse(fail("hint.two-directors", fmt.Errorf("%s: its services are other ones than those of %s", src.Name, r.configured)))
			return nil
		}
		r.beside, r.configured = addConfig(r.beside, none.Config), src.Name
	case errors.As(err, &none):
		r.problems(none.Problems, none.Bad)
		r.refuse(noListing(src, none))
	default:
		r.refuse(readFailure(src, err, "hint.damaged"))
	}
	return nil
}

// take turns a listing into a summary, and chooses between it and those before.
func (r *reading) take(src *capture.Source, s *snapshot) *render.Summary {
	o := r.question.input
	r.seen++
	r.problems(s.Problems, s.Bad)
	m := &render.Summary{
		Kind: src.Kind, Name: src.Name, Format: render.FormatOf(&s.Counts, s.Header),
		Index: r.seen, Of: r.seen, Merged: o.merge,
		Time: s.Time, TimeFrom: render.TimeHeader, TimeLocal: s.TimeLocal, TimeYearless: s.TimeFrom == capture.TimeYearless, Complete: s.Complete, CutShort: s.Message == parse.CutShort, Cut: s.Cut,
		Input: s.Counts, Tally: s.Result.Tally,
		Config: s.Config(), ConfigFrom: render.ConfigListing, Misread: s.Misread(),
	}
	if s.Recorded != nil {
		m.Host, m.Torn, m.Anonymized, m.PseudonymKey = s.Recorded.Host, s.Torn, s.Recorded.Anonymized, s.Recorded.Key
	}
	if s.Time.IsZero() {
		m.TimeFrom = render.TimeUnknown
		if t, local, ok := capture.LocalNameTime(src.Name, time.Local); ok && src.Kind == capture.File {
			m.Time, m.TimeFrom, m.TimeLocal = t, render.TimeName, local
		}
	}
	switch had := r.chosen; {
	case o.merge && had != nil:
		had.Merge(m)
		if !sameDirector(r.used, r.config) {
			r.used = &conn.Config{}
		}
	case o.snapshot == 0 && (had == nil || !older(m, had)), o.snapshot == r.seen:
		r.chosen, r.used = m, r.config
		r.question.entries = s.Result.entries
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
	if r.again {
		return
	}
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
