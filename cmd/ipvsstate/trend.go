package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"ipvsstate/internal/capture"
	"ipvsstate/internal/conn"
	"ipvsstate/internal/explain"
	"ipvsstate/internal/history"
	"ipvsstate/internal/parse"
	"ipvsstate/internal/render"
	"ipvsstate/internal/tally"
)

type trendOptions struct {
	by       choice
	since    string
	until    string
	interval time.Duration
	host     string
	findings bool
	format   choice
	output   choice
	lang     choice
	color    choice
}

func newTrend(a *app) *cobra.Command {
	o := &trendOptions{
		by:     choice{"state", []string{"state", "service", "server"}},
		format: choice{"auto", parse.FormatNames()},
		output: choice{"table", []string{"table", "wide", "json", "jsonl", "csv", "markdown", "html"}},
		lang:   choice{"", explain.Languages()},
		color:  choice{"auto", []string{"auto", "always", "never"}},
	}
	c := &cobra.Command{
		Use:   "trend DIR|FILE…",
		Short: "Follow snapshots over time: what changed most, and when it began",
		Long: `Follow the connections over many snapshots, by state, virtual service or real server:
a chart, a row for each interval with the means of its snapshots, the peaks with their
times, and in one sentence what changed most and when it began. Each director has a
trend of its own.

The snapshots are files of ipvsstate record, saved listings, logs of many listings;
directories and archives of these, compressed or not. A snapshot's time is what stands
in it, else what the file's name tells, else when the file was last written; which is
said. Of the time between two snapshots nothing is known: a gap is shown as a gap.

Memory does not grow with the number of snapshots. Ctrl-C shows what has been read.`,
		Example: `  ipvsstate trend /var/lib/ipvsstate
  ipvsstate trend --since 24h --interval 1h /var/lib/ipvsstate
  ipvsstate trend --by server --since 2026-11-22 lvs1-*.txt.zst
  ipvsstate trend -o csv conn.log.gz >trend.csv`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 && !stdinIsInput(a.stdin) {
				return fail("hint.trend", fmt.Errorf("%s wants snapshots to follow", c.CommandPath()))
			}
			return nil
		},
		Annotations: map[string]string{exitStatus: readingExit},
		RunE:        func(c *cobra.Command, args []string) error { return runTrend(c.Context(), a, o, args) },
	}
	c.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveDefault // files
	}
	f := c.Flags()
	f.SortFlags = false
	addChoice(c, &o.output, "output", "o", "format of the output")
	addChoice(c, &o.by, "by", "", "follow the connections by")
	f.StringVar(&o.since, "since", "", "leave out older snapshots: `TIME`, or an age: 24h, 7d")
	f.StringVar(&o.until, "until", "", "leave out newer snapshots: `TIME` or an age")
	f.DurationVar(&o.interval, "interval", 0, "the length of an interval: 5m, 1h (0: as many as fit a screen; for programs one a snapshot)")
	f.StringVar(&o.host, "host", "", "only this director's snapshots: `NAME`")
	f.BoolVar(&o.findings, "findings", false, "ask the rules of diagnose about each snapshot, and say when each finding was met; -o html does so too")
	addChoice(c, &o.format, "format", "", "take only rows of this format")
	addScreenFlags(c, &o.lang, &o.color)
	return c
}

// screenRows is how many intervals a screen has at most.
const screenRows = 31

func runTrend(ctx context.Context, a *app, o *trendOptions, args []string) error {
	words, err := a.words(o.lang.value)
	if err != nil {
		return err
	}
	r := &trendReading{app: a, options: o, words: words, reading: make(map[*capture.Source]bool), hosts: make(map[string]*render.TrendHost), others: make(map[string]bool), logs: make(map[string]*log)}
	if r.since, err = o.moment("since", o.since, a.now()); err != nil {
		return err
	}
	if r.until, err = o.moment("until", o.until, a.now()); err != nil {
		return err
	}
	if o.interval < 0 || o.interval%time.Second != 0 {
		return fail("hint.interval", fmt.Errorf("--interval %s: it takes whole seconds", o.interval))
	}
	r.by, _ = tally.DimensionOf(o.by.value) // the flag takes no other
	if r.findings() {
		// Samples are large beside the rest of the heap, and each is soon garbage.
		defer debug.SetGCPercent(debug.SetGCPercent(300))
	}
	stopped := r.read(ctx, args)
	if len(r.hosts) == 0 {
		return r.nothing(stopped)
	}
	t := &render.Trend{By: r.by.Aspect, Interval: o.interval, Stopped: stopped != nil, Notes: r.notes()}
	if o.interval == 0 && (o.output.value == "table" || o.output.value == "markdown") {
		t.Rows = screenRows
	}
	for _, host := range slices.Sorted(maps.Keys(r.hosts)) {
		t.Hosts = append(t.Hosts, *r.hosts[host])
	}
	options := render.Options{Words: words, Width: a.width, Terminal: a.terminal, Color: a.color(o.color.value), Wide: o.output.value == "wide", Foot: a.foot(words)}
	if options.Wide {
		options.Width = 0
	}
	write := map[string]func(io.Writer, *render.Trend, render.Options) error{
		"table": render.TrendScreen, "wide": render.TrendScreen, "json": render.TrendJSON, "jsonl": render.TrendJSONL,
		"csv": render.TrendCSV, "markdown": render.TrendMarkdown, "html": render.TrendHTML,
	}[o.output.value]
	out := bufio.NewWriter(a.stdout)
	if err = write(out, t, options); err == nil {
		err = out.Flush()
	}
	if err != nil {
		return fmt.Errorf("writing the trend: %w", err)
	}
	switch {
	case stopped != nil:
		return stopped
	case r.failed != nil:
		return r.failed
	}
	return nil
}

// moment is the time that --since or --until names: a time, or an age.
func (o *trendOptions) moment(flag, text string, now time.Time) (t time.Time, err error) {
	if text == "" {
		return t, nil
	}
	if age, err := history.ParseAge(text); err == nil {
		return now.Add(-age), nil
	}
	for _, form := range []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if t, err = time.ParseInLocation(form, text, time.Local); err == nil {
			return t, nil
		}
	}
	return t, fail("hint.since", fmt.Errorf("--%s: %q is neither a time nor an age", flag, text))
}

// trendReading reads many snapshots on all processors.
type trendReading struct {
	app          *app
	options      *trendOptions
	words        *explain.Catalogue
	by           tally.Dimension
	since, until time.Time

	entries atomic.Int64 // so far
	files   atomic.Int64
	inputs  atomic.Int64
	bytes   atomic.Int64 // of files that are done

	mu        sync.Mutex
	reading   map[*capture.Source]bool
	hosts     map[string]*render.TrendHost
	failed    error // the first input that could not be read
	failures  int
	unlisted  int             // inputs without a listing
	undated   int             // snapshots whose time nothing tells
	backwards int             // times that are older than the one before in their input
	outside   int             // snapshots that --since and --until leave out
	newest    time.Time       // of those
	others    map[string]bool // directors that --host leaves out
	bad       int64
	logs      map[string]*log
}

// log is an input with several snapshots of which nothing tells the director, or a folder of
// inputs with one each.
type log struct {
	name        string
	snapshots   int
	first, last time.Time
	copies      bool // among them
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
			r.app.complain(err)
			return
		}
		r.failed = err
	}
}

// read reads all inputs. It returns an error only if that ended the reading.
func (r *trendReading) read(ctx context.Context, args []string) error {
	if len(args) == 0 {
		args = []string{"-"}
	}
	files := slices.DeleteFunc(slices.Clone(args), func(name string) bool { return name == "-" })
	var jobs []func(context.Context, capture.Config)
	if len(files) < len(args) {
		jobs = append(jobs, r.stdin)
	}
	size := int64(0)
	if len(files) > 0 {
		units, failures, err := capture.Find(files, time.Local)
		switch {
		case err != nil && len(jobs) == 0:
			return findFailure(err)
		case err != nil:
			r.refuse(findFailure(err))
			failures = nil
		}
		for _, err := range failures {
			r.refuse(openFailure("", err))
		}
		for i := range units {
			if u := &units[i]; !r.outOfTime(u) {
				size += u.Size
				jobs = append(jobs, func(ctx context.Context, cfg capture.Config) { r.unit(ctx, u, cfg) })
			}
		}
	}
	processors := runtime.GOMAXPROCS(0)
	readers := min(processors, max(len(jobs), 1))
	cfg := capture.Config{Location: time.Local, Workers: (processors + readers - 1) / readers}
	cfg.Format, _ = parse.FormatOf(r.options.format.value) // the flag takes no other
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

// outOfTime reports a file that need not be read: a recorded snapshot whose name tells a time
// that is not wanted, or what was last written before --since, so that nothing in it is newer.
func (r *trendReading) outOfTime(u *capture.Unit) bool {
	at, recorded := history.RecordedAt(u.Path)
	if !recorded {
		at = u.Modified
	}
	out := !at.IsZero() && (!r.since.IsZero() && at.Before(r.since) || recorded && !r.until.IsZero() && at.After(r.until))
	if out {
		r.leaveOut(at)
	}
	return out
}

// stdin reads standard input.
func (r *trendReading) stdin(ctx context.Context, cfg capture.Config) {
	src, err := r.app.openInput("-")
	if err == nil {
		err = r.source(ctx, src, cfg)
	}
	if err != nil && ctx.Err() == nil {
		r.refuse(readFailure(&capture.Source{Kind: capture.Stdin, Name: "standard input"}, err, "hint.damaged-listing"))
	}
}

func (r *trendReading) unit(ctx context.Context, u *capture.Unit, cfg capture.Config) {
	err := u.Each(func(src *capture.Source) error {
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
	if err != nil && ctx.Err() == nil {
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

// datedPoint is a snapshot with where its time is from.
type datedPoint struct {
	point     *history.Point
	from      render.TimeFrom
	host      string
	backwards bool // older than the one before it
}

// source reads the snapshots of one input, and adds them.
func (r *trendReading) source(ctx context.Context, src *capture.Source, cfg capture.Config) error {
	hostless := &log{name: src.Name}
	defer r.keep(hostless)
	options := tally.Options{}
	if r.by.Aspect == tally.Server {
		options.Plan = &tally.Plan{By: []tally.Dimension{r.by}}
	}
	if r.findings() {
		options.Sample = tally.NewSamplePlan(tally.MaxSample, 0)
	}
	reader := capture.NewReader(ctx, src, cfg, func() *tally.Tally { return tally.New(options) })
	defer reader.Close()
	var last *datedPoint // which may yet get its time from elsewhere
	number := int(r.inputs.Add(1))
	var before time.Time // of the newest snapshot that told its own
	counted := int64(0)
	for reader.Scan() {
		s := reader.Snapshot()
		r.entries.Add(s.Entries)
		counted += s.Bad
		if reader.Err() != nil { // of what could not be read to its end nothing is known
			break
		}
		d := &datedPoint{point: r.point(src, s), from: render.TimeHeader, host: cmp.Or(s.Host, src.Host)}
		d.point.Input = number
		switch {
		case s.Time.IsZero():
			d.from = render.TimeUnknown
		default:
			d.point.Time = s.Time
			if s.TimeLocal && !s.Time.After(before) { // an hour that comes twice
				if later, ok := capture.Twice(s.Time, time.Local); ok && later.After(before) {
					d.point.Time = later
				}
			}
			d.backwards = d.point.Time.Before(before)
			before = d.point.Time
		}
		r.add(last, hostless)
		last = d
	}
	r.mu.Lock()
	r.bad += counted
	r.mu.Unlock()
	err := reader.Err()
	var none *capture.NoListingError
	switch {
	case errors.As(err, &none):
		r.mu.Lock()
		r.unlisted++
		r.mu.Unlock()
		return nil
	case err != nil:
		r.add(last, hostless)
		return err
	}
	// Beside snapshots that tell theirs, the time of one that does not is not the file's.
	if last != nil && before.IsZero() {
		if t, ok := capture.NameTime(src.Name, time.Local); ok && src.Kind == capture.File {
			last.point.Time, last.from = t, render.TimeName
		} else if !src.Modified.IsZero() {
			last.point.Time, last.from = src.Modified, render.TimeMtime
		}
	}
	r.add(last, hostless)
	return nil
}

// point is what is kept of a snapshot.
func (r *trendReading) point(src *capture.Source, s *capture.Snapshot[*tally.Tally]) *history.Point {
	t := s.Result
	p := &history.Point{
		Connections: t.Connections(), Templates: t.Templates(),
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
		t.Groups().All(func(g *tally.Group) bool {
			if g.Connections > 0 {
				p.Groups = append(p.Groups, history.GroupCount{Value: g.Values[0], Count: g.Connections})
			}
			return true
		})
	}
	if r.findings() {
		p.Events = r.events(src, s)
	}
	return p
}

// events are what the rules say of a snapshot's sample.
func (r *trendReading) events(src *capture.Source, s *capture.Snapshot[*tally.Tally]) (all []history.Event) {
	m := &render.Summary{
		Kind: src.Kind, Name: src.Name, Format: render.FormatOf(&s.Counts, s.Header), Index: 1, Of: 1,
		Complete: s.Complete, CutShort: s.Message == parse.CutShort, Torn: s.Torn,
		Input: s.Counts, Tally: s.Result, Config: s.Config(), Timeouts: conn.DefaultTimeouts,
	}
	if m.Config != nil && m.Config.Timeouts != nil {
		m.Timeouts = *m.Config.Timeouts
	}
	for _, f := range diagnoseSample(m).Findings {
		all = append(all, render.EventOf(&f, r.words))
	}
	return all
}

// add adds a snapshot to its director's trend, and to l if nothing tells the director. Of none
// there is nothing to add.
func (r *trendReading) add(d *datedPoint, l *log) {
	if d == nil {
		return
	}
	at := d.point.Time
	r.mu.Lock()
	defer r.mu.Unlock()
	if d.backwards {
		r.backwards++
	}
	switch {
	case d.from == render.TimeUnknown:
		r.undated++
		return
	case r.options.host != "" && d.host != r.options.host:
		r.others[d.host] = true
		return
	case !r.since.IsZero() && at.Before(r.since), !r.until.IsZero() && at.After(r.until):
		r.leaveOut(at)
		return
	}
	h := r.hosts[d.host]
	if h == nil {
		h = &render.TrendHost{Host: d.host, Trend: history.NewTrend(r.options.interval), Times: make(map[render.TimeFrom]int)}
		r.hosts[d.host] = h
	}
	added := h.Add(d.point)
	if added {
		h.Times[d.from]++
	}
	if d.host == "" {
		l.meet(log{snapshots: 1, first: at, last: at, copies: !added})
	}
}

// meet takes snapshots in.
func (l *log) meet(other log) {
	if l.snapshots == 0 || other.first.Before(l.first) {
		l.first = other.first
	}
	if l.snapshots == 0 || other.last.After(l.last) {
		l.last = other.last
	}
	l.snapshots += other.snapshots
	l.copies = l.copies || other.copies
}

// keep keeps a log, of a single snapshot as part of its folder.
func (r *trendReading) keep(l *log) {
	r.mu.Lock()
	defer r.mu.Unlock()
	name := l.name
	switch l.snapshots {
	case 0:
		return
	case 1:
		name = path.Dir(name) + "/"
	}
	if r.logs[name] == nil {
		r.logs[name] = &log{name: name}
	}
	r.logs[name].meet(*l)
}

// overlapping are two logs that tell of one time, and so perhaps of two directors.
func (r *trendReading) overlapping() (a, b *log, ok bool) {
	all := slices.SortedFunc(maps.Values(r.logs), func(a, b *log) int { return cmp.Or(a.first.Compare(b.first), cmp.Compare(a.name, b.name)) })
	for _, l := range all {
		if l.copies {
			continue
		}
		if a != nil && l.first.Before(a.last) {
			return a, l, true
		}
		if a == nil || l.last.After(a.last) {
			a = l
		}
	}
	return nil, nil, false
}

// leaveOut counts what --since and --until leave out.
func (r *trendReading) leaveOut(at time.Time) {
	if r.outside++; at.After(r.newest) {
		r.newest = at
	}
}

// nothing is why there is no trend.
func (r *trendReading) nothing(stopped error) error {
	switch {
	case stopped != nil:
		return stopped
	case r.failed != nil:
		return r.failed
	case len(r.others) > 0:
		return r.nothingOf(r.options.host)
	case r.outside > 0:
		return fail("hint.outside", errors.New("all snapshots are outside of --since and --until"), r.newest.UTC().Format("2006-01-02 15:04:05 UTC"))
	case r.undated > 0:
		return fail("hint.undated", errors.New("no snapshot tells its time"))
	}
	return fail("hint.trend", errors.New("no listing of IPVS connections was found"))
}

// shownHosts is how many directors are named that there are.
const shownHosts = 10

// nothingOf is why there is no trend of a director, where there are others.
func (r *trendReading) nothingOf(host string) error {
	within := ""
	if r.outside > 0 {
		within = " within --since and --until"
	}
	err := fmt.Errorf("no snapshot%s is known to be of %s", within, host)
	delete(r.others, "")
	names := slices.Sorted(maps.Keys(r.others))
	if len(names) == 0 {
		return fail("hint.hostless", err)
	}
	if len(names) > shownHosts {
		names = append(names[:shownHosts], "…")
	}
	return fail("hint.hosts", err, render.Clean(strings.Join(names, ", ")))
}

// notes are what a reader must know of the reading.
func (r *trendReading) notes() (all []string) {
	add := func(key string, n int) {
		if n > 0 {
			all = append(all, r.words.Count(key, uint64(n)))
		}
	}
	if r.failed != nil {
		add("trend.failed", r.failures)
	}
	add("trend.unlisted", r.unlisted)
	add("trend.undated", r.undated)
	add("trend.backwards", r.backwards)
	add("bad", int(r.bad))
	if a, b, ok := r.overlapping(); ok {
		all = append(all, r.words.Word("trend.overlap", render.Clean(a.name), render.Clean(b.name)))
	}
	return all
}

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
