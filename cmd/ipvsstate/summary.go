package main

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"ipvsstate/internal/explain"
	"ipvsstate/internal/render"
	"ipvsstate/internal/tally"
)

type summaryOptions struct {
	input     inputOptions
	output    choice
	sort      choice
	lang      choice
	color     choice
	noExplain bool
}

func newSummary(a *app) *cobra.Command {
	o := &summaryOptions{
		output: choice{"table", []string{"table", "wide", "json", "csv", "markdown"}},
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
		Args: cobra.ArbitraryArgs,
		Annotations: map[string]string{exitStatus: `  0    done
  2    could not: usage, permission, input or output; a reading cut short by --timeout;
       with --strict, a row that could not be read
  130  interrupted; what had been read is shown`},
		RunE: func(c *cobra.Command, args []string) error { return runSummary(c.Context(), a, o, args) },
	}
	o.input.addFlags(c)
	c.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveDefault // files
	}
	addChoice(c, &o.output, "output", "o", "format of the output")
	addChoice(c, &o.sort, "sort", "", "order of the states: most first, or as a connection lives")
	addChoice(c, &o.lang, "lang", "", "language, from LC_ALL, LC_MESSAGES or LANG if not given")
	addChoice(c, &o.color, "color", "", "colours; auto is on a terminal without NO_COLOR")
	c.Flags().BoolVar(&o.noExplain, "no-explain", false, "leave out what the states mean")
	return c
}

func runSummary(ctx context.Context, a *app, o *summaryOptions, args []string) error {
	words, err := a.words(o.lang.value)
	if err != nil {
		return err
	}
	s, stopped := a.summarize(ctx, &o.input, words, args)
	if s == nil {
		return stopped
	}
	options := render.Options{
		Words: words, Width: a.width, Terminal: a.terminal, Color: a.color(o.color.value),
		Explain: !o.noExplain, Order: tally.ByCount, Wide: o.output.value == "wide",
	}
	if o.sort.value == "lifecycle" {
		options.Order = tally.ByLifeCycle
	}
	write := map[string]func(io.Writer, *render.Summary, render.Options) error{
		"table": render.Screen, "wide": render.Screen, "json": render.JSON, "csv": render.CSV, "markdown": render.Markdown,
	}[o.output.value]
	if options.Wide {
		options.Width = 0
	}
	out := bufio.NewWriter(a.stdout)
	if err = write(out, s, options); err == nil {
		err = out.Flush()
	}
	if err != nil {
		return fmt.Errorf("writing the summary: %w", err)
	}
	return stopped
}
