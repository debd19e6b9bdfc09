package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ipvsstate/internal/explain"
	"ipvsstate/internal/render"
	"ipvsstate/internal/tally"
)

type summaryOptions struct {
	input     inputOptions
	filter    filterOptions
	by        []string
	across    string
	top       int
	output    choice
	sort      choice
	lang      choice
	color     choice
	noExplain bool
}

func newSummary(a *app) *cobra.Command {
	o := &summaryOptions{
		output: choice{"table", []string{"table", "wide", "json", "csv", "markdown", "html"}},
		sort:   choice{"count", []string{"count", "lifecycle"}},
		lang:   choice{"", explain.Languages()},
		color:  choice{"auto", []string{"auto", "always", "never"}},
	}
	c := &cobra.Command{
		Use:   "summary [FILE…]",
		Short: "Count the connections by state, and say what each state means",
		Long: `Count the entries of an IPVS connection table by state, and say what each state means.

Input is FILE, a listing on standard input, or the running kernel: FILE goes before
standard input, and a terminal, /dev/null or a closed standard input mean the kernel.
A listing is the output of ipvsadm -L -c, with -n or without, /proc/net/ip_vs_conn or
ip_vs_conn_sync, DPVS's or FULLNAT's, as it was saved or pasted, compressed or not.

No kernel offers the connection table over netlink: the entries are read from /proc,
which any user may, and services, counters and timeouts over netlink, which wants root
or CAP_NET_ADMIN. Nothing is changed and no module is loaded.

Where the input holds several listings the newest is shown.`,
		Example: `  ipvsstate                                    the kernel of this director
  ipvsadm -Lcn | ipvsstate                     a listing from a pipe
  ipvsstate saved.txt.gz                       a saved listing
  ssh lvs1 cat /proc/net/ip_vs_conn | ipvsstate -o json
  ipvsstate --merge lvs1.txt lvs2.txt          two directors at one moment
  ipvsstate --netns ingress_sbox               Docker's ingress director`,
		Args:        cobra.ArbitraryArgs,
		Annotations: map[string]string{exitStatus: readingExit},
		RunE:        func(c *cobra.Command, args []string) error { return runSummary(c.Context(), a, o, args) },
	}
	c.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveDefault // files
	}
	f := c.Flags()
	f.SortFlags = false
	addChoice(c, &o.output, "output", "o", "format of the output")
	f.StringSliceVar(&o.by, "by", nil, "count by `WHAT`,… in place of the state: "+strings.Join(tally.AspectNames(), ", ")+"; client/24 by the client's network")
	f.StringVar(&o.across, "across", "", "divide the groups up into columns by `WHAT`")
	addTop(c, &o.top, "groups", "all")
	for _, name := range []string{"by", "across"} {
		complete(c, name, append(slices.Clone(tally.AspectNames()), "client/24", "client/64"))
	}
	addChoice(c, &o.sort, "sort", "", "order of states and groups: most first, or as a connection lives, by address, by time")
	f.BoolVar(&o.noExplain, "no-explain", false, "leave out what the states mean")
	o.filter.addFlags(c)
	o.input.addFlags(c)
	addScreenFlags(c, &o.lang, &o.color)
	return c
}

// addScreenFlags adds the flags that all screens have.
func addScreenFlags(c *cobra.Command, lang, color *choice) {
	addChoice(c, lang, "lang", "", "language, from LC_ALL, LC_MESSAGES or LANG if not given")
	addChoice(c, color, "color", "", "colours; auto is on a terminal without NO_COLOR")
}

// dimensions are what --by and --across name, that of --across last.
func (o *summaryOptions) dimensions() ([]tally.Dimension, error) {
	names := o.by
	if o.across != "" {
		if len(names) == 0 {
			return nil, fail("hint.across", errors.New("--across divides up what --by counts, and there is no --by"))
		}
		names = append(slices.Clip(names), o.across)
	}
	var all []tally.Dimension
	for _, name := range names {
		d, err := tally.DimensionOf(name)
		if err != nil {
			return nil, fail("hint.by", err)
		}
		if slices.ContainsFunc(all, func(had tally.Dimension) bool { return had.Aspect == d.Aspect }) {
			return nil, fail("hint.by", fmt.Errorf("%s is asked for twice", d.Aspect))
		}
		all = append(all, d)
	}
	if o.top >= 0 && len(all) == 0 {
		return nil, fail("hint.top-by", errors.New("--top shows the largest groups, and there is no --by"))
	}
	if o.top < -1 {
		return nil, fail("hint.top", fmt.Errorf("--top %d is negative", o.top))
	}
	return all, nil
}

func runSummary(ctx context.Context, a *app, o *summaryOptions, args []string) error {
	words, err := a.words(o.lang.value)
	if err != nil {
		return err
	}
	q := &question{input: &o.input}
	if q.filter, err = o.filter.build(); err != nil {
		return err
	}
	if q.by, err = o.dimensions(); err != nil {
		return err
	}
	// Of a part of the table, or of one format of it, the rules would say what is not so.
	judged := q.filter.Empty() && len(q.by) == 0 && o.output.value != "csv"
	if judged {
		q.sample = tally.MaxSample
	}
	s, stopped := a.read(ctx, q, words, args)
	if s == nil {
		return stopped
	}
	if judged {
		// The heap is so small that the little garbage of the rules would be collected a
		// dozen times over, which costs more than they do.
		percent := debug.SetGCPercent(1000)
		s.Diagnosis = diagnoseSample(s)
		debug.SetGCPercent(percent)
	}
	options := a.screen(words, o.color, o.output)
	options.Explain, options.Order = !o.noExplain, tally.ByCount
	options.By, options.Across, options.Top = q.by, o.across != "", o.top
	if o.sort.value == "lifecycle" {
		options.Order = tally.ByLifeCycle
	}
	write := map[string]func(io.Writer, *render.Summary, render.Options) error{
		"table": render.Screen, "wide": render.Screen, "json": render.JSON, "csv": render.CSV, "markdown": render.Markdown, "html": render.SummaryHTML,
	}[o.output.value]
	if err := a.write("summary", func(w io.Writer) error { return write(w, s, options) }); err != nil {
		return err
	}
	return stopped
}
