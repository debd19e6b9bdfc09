package main

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/spf13/cobra"

	"ipvsstate/internal/capture"
	"ipvsstate/internal/explain"
	"ipvsstate/internal/parse"
	"ipvsstate/internal/render"
	"ipvsstate/internal/tally"
)

type trendOptions struct {
	by       choice
	since    string
	until    string
	interval span
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

Memory does not grow with the number of snapshots, but for the names of their files.
Ctrl-C shows what has been read.`,
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
		Annotations: map[string]string{exitStatus: trendExit},
		RunE:        func(c *cobra.Command, args []string) error { return runTrend(c.Context(), a, o, args) },
	}
	c.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveDefault // files
	}
	f := c.Flags()
	f.SortFlags = false
	addChoice(c, &o.output, "output", "o", "format of the output")
	addChoice(c, &o.by, "by", "", "follow the connections by")
	f.StringVar(&o.since, "since", "", "leave out older snapshots: `TIME`, which is local unless it names a zone (2026-11-22, 2026-11-22 05:28 UTC), or an age: 24h, 1d12h")
	f.StringVar(&o.until, "until", "", "leave out newer snapshots: `TIME` or an age")
	f.Var(&o.interval, "interval", "the length of an interval: 5m, 1h, 1d (0: as many as fit a screen; for programs one a snapshot)")
	f.StringVar(&o.host, "host", "", "only this director's snapshots: `NAME`")
	f.BoolVar(&o.findings, "findings", false, "ask the rules of diagnose about each snapshot, and say when each finding was met; -o html does so too")
	addChoice(c, &o.format, "format", "", "take only rows of this format")
	addScreenFlags(c, &o.lang, &o.color)
	return c
}

const trendExit = `  0    done
  2    could not: usage, permission, output; an input that is damaged or cannot be read,
       beside which the others are shown; no snapshot to follow
  130  interrupted; what had been read is shown`

// screenRows is how many intervals a screen has at most.
const screenRows = 31

func runTrend(ctx context.Context, a *app, o *trendOptions, args []string) error {
	words, err := a.words(o.lang.value)
	if err != nil {
		return err
	}
	r := &trendReading{app: a, options: o, words: words, reading: make(map[*capture.Source]bool), unnamed: newUnnamedLogs(o.interval.Duration),
		hosts: make(map[string]*trendHost), names: firstNames{max: maxHosts}, others: firstNames{max: shownHosts + 2}, // "" and one more than are shown
		line: progressLine{w: a.stderr, width: a.columns()}}
	if r.since, r.until, err = o.times(a.now()); err != nil {
		return err
	}
	r.by, _ = tally.DimensionOf(o.by.value) // the flag takes no other
	if r.findings() {
		// Samples are large beside the rest of the heap, and each is soon garbage.
		defer debug.SetGCPercent(debug.SetGCPercent(300))
	}
	stopped := r.read(ctx, args)
	unnamed := r.unnamed.settle()
	if len(r.hosts)+len(unnamed) == 0 {
		return r.nothing(stopped)
	}
	t := &render.Trend{By: r.by.Aspect, Interval: o.interval.Duration, Stopped: stopped != nil, Notes: r.notes(unnamed), Hosts: unnamed}
	if o.interval.Duration == 0 && (o.output.value == "table" || o.output.value == "markdown") {
		t.Rows = screenRows
	}
	for _, host := range r.names.names {
		t.Hosts = append(t.Hosts, r.hosts[host].TrendHost)
	}
	options := a.screen(words, o.color, o.output)
	write := map[string]func(io.Writer, *render.Trend, render.Options) error{
		"table": render.TrendScreen, "wide": render.TrendScreen, "json": render.TrendJSON, "jsonl": render.TrendJSONL,
		"csv": render.TrendCSV, "markdown": render.TrendMarkdown, "html": render.TrendHTML,
	}[o.output.value]
	if err := a.write("trend", func(w io.Writer) error { return write(w, t, options) }); err != nil {
		return err
	}
	if o.output.value == "csv" || o.output.value == "jsonl" { // which have no place for them
		for _, note := range render.TrendNotes(t, options) {
			fmt.Fprintf(a.stderr, "ipvsstate: %s\n", note)
		}
	}
	switch {
	case stopped != nil:
		return stopped
	case r.failed != nil:
		return r.failed
	}
	return nil
}
