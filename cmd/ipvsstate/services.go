package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"ipvsstate/internal/explain"
	"ipvsstate/internal/render"
	"ipvsstate/internal/services"
)

type servicesOptions struct {
	input  inputOptions
	filter filterOptions
	output choice
	lang   choice
	color  choice
	top    int
}

func newServices(a *app) *cobra.Command {
	o := &servicesOptions{
		output: choice{"table", []string{"table", "wide", "json", "csv", "markdown"}},
		lang:   choice{"", explain.Languages()},
		color:  choice{"auto", []string{"auto", "always", "never"}},
	}
	c := &cobra.Command{
		Use:   "services [FILE…]",
		Short: "Show virtual services and real servers with their entries, and what points at servers that are gone",
		Long: `Show the virtual services and real servers as they are configured, with the entries
of each, the kernel's own counters beside them, and the share of connections beside
that of weight. Entries whose real server is in no service any more come last, with
the longest time until they are gone.

The running kernel tells its services over netlink, which wants root or CAP_NET_ADMIN.
Of saved listings they are read from what ipvsadm -Ln prints, in any of its forms
(--stats, --rate, --thresholds, --persistent-conn, --timeout), or ipvsadm -S -n, in
the same file or in another one; or from an sos report, a directory or an archive.
Without any of these the services are those that entries tell of.

Kernel and table are not read in one instant: a few connections more or less are
normal. A ! marks counters that differ by more than 20 and 5 %. Over netlink weights
come cut to 16 bits: of 70000 is left 4464.`,
		Example: `  ipvsstate services                                  the kernel of this director
  ipvsstate services ipvsadm-Ln.txt ipvsadm-Lcn.txt   what was saved of another
  ipvsstate services sosreport-lvs1.tar.xz
  ipvsstate services --server 10.0.0.12 -o json       one real server, is it empty?`,
		Args:        cobra.ArbitraryArgs,
		Annotations: map[string]string{exitStatus: readingExit},
		RunE:        func(c *cobra.Command, args []string) error { return runServices(c.Context(), a, o, args) },
	}
	c.Flags().SortFlags = false
	addChoice(c, &o.output, "output", "o", "format of the output")
	addTop(c, &o.top, "services", "all")
	o.filter.addFlags(c)
	o.input.addFlags(c)
	addScreenFlags(c, &o.lang, &o.color)
	return c
}

func runServices(ctx context.Context, a *app, o *servicesOptions, args []string) error {
	words, err := a.words(o.lang.value)
	if err != nil {
		return err
	}
	q := &question{input: &o.input, by: services.By()}
	if q.filter, err = o.filter.build(); err != nil {
		return err
	}
	s, stopped := a.read(ctx, q, words, args)
	if s == nil {
		return stopped
	}
	r := &render.Services{Summary: s, Report: services.NewReport(s.Tally.Groups(), s.Services(), s.Whole())}
	options := a.screen(words, o.color, o.output)
	options.Top = o.top
	write := map[string]func(io.Writer, *render.Services, render.Options) error{
		"table": render.ServicesScreen, "wide": render.ServicesScreen, "json": render.ServicesJSON, "csv": render.ServicesCSV, "markdown": render.ServicesMarkdown,
	}[o.output.value]
	if err := a.write("services", func(w io.Writer) error { return write(w, r, options) }); err != nil {
		return err
	}
	return stopped
}
