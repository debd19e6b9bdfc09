package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/explain"
	"ipvsstate/internal/render"
)

type listOptions struct {
	input   inputOptions
	filter  filterOptions
	output  choice
	columns []string
	sort    choice
	reverse bool
	limit   int
	resolve bool
	within  time.Duration
	lang    choice
	color   choice
}

func newList(a *app) *cobra.Command {
	o := &listOptions{
		output: choice{render.RowsTable, []string{render.RowsTable, render.RowsJSONL, render.RowsCSV, render.RowsIpvsadm, render.RowsProc}},
		sort:   choice{"", render.RowColumns()},
		lang:   choice{"", explain.Languages()},
		color:  choice{"auto", []string{"auto", "always", "never"}},
	}
	c := &cobra.Command{
		Use:   "list [FILE…]",
		Short: "List the entries themselves, chosen and sorted",
		Long: `List the entries of a table: what ipvsadm -L -c prints, with the time each has been
silent, and where it is known the forwarding method and which director an entry comes
from. Idle time is the state's timeout less the time left: since the last packet that
the director has seen.

Entries are written as they are read, whatever the size of the table, unless --sort
keeps them; with --limit as many are kept as are shown. -o ipvsadm and -o proc write
the listing as ipvsadm -Lcn and /proc/net/ip_vs_conn do, for whatever reads those.
Columns of a table that its first thousand rows have nothing in are left out.`,
		Example: `  ipvsstate list --state SYN_RECV --limit 20
  ipvsstate list --sort idle --limit 10 saved.txt      the longest silent
  ipvsstate list --server 10.0.0.12 --state 'EST*'
  ipvsstate list --state FIN_WAIT -o ipvsadm | less
  ipvsstate list -o jsonl --idle '>10m' saved.txt.gz`,
		Args:        cobra.ArbitraryArgs,
		Annotations: map[string]string{exitStatus: readingExit},
		RunE:        func(c *cobra.Command, args []string) error { return runList(c.Context(), a, o, args) },
	}
	f := c.Flags()
	f.SortFlags = false
	addChoice(c, &o.output, "output", "o", "format of the output")
	f.StringSliceVar(&o.columns, "columns", nil, "`COLUMN`,… of a table, JSON or CSV: "+strings.Join(render.RowColumns(), ", "))
	complete(c, "columns", render.RowColumns())
	addChoice(c, &o.sort, "sort", "", "sort by a column, unknown values last, the longest idle first")
	f.BoolVar(&o.reverse, "reverse", false, "sort the other way round")
	f.IntVar(&o.limit, "limit", 0, "list the first `N` entries (0: all)")
	f.BoolVar(&o.resolve, "resolve", false, "show names in place of addresses")
	f.DurationVar(&o.within, "resolve-within", 5*time.Second, "look names up for this long; then addresses are shown")
	o.filter.addFlags(c)
	o.input.addFlags(c)
	addScreenFlags(c, &o.lang, &o.color)
	return c
}

func runList(ctx context.Context, a *app, o *listOptions, args []string) error {
	words, err := a.words(o.lang.value)
	if err != nil {
		return err
	}
	for i, name := range o.columns {
		if slices.Contains(o.columns[:i], name) {
			return fail("hint.columns", fmt.Errorf("column %q is asked for twice", name), strings.Join(render.RowColumns(), ", "))
		}
		if !slices.Contains(render.RowColumns(), name) {
			return fail("hint.columns", fmt.Errorf("there is no column %q", name), strings.Join(render.RowColumns(), ", "))
		}
	}
	if o.columns != nil && len(o.columns) == 0 {
		return fail("hint.columns", errors.New("--columns names no column"), strings.Join(render.RowColumns(), ", "))
	}
	if o.limit < 0 {
		return fail("hint.limit", fmt.Errorf("--limit %d is negative", o.limit))
	}
	if o.columns != nil && (o.output.value == render.RowsIpvsadm || o.output.value == render.RowsProc) {
		return fail("hint.columns-format", fmt.Errorf("-o %s has columns of its own", o.output.value))
	}
	q := &question{input: &o.input}
	if q.filter, err = o.filter.build(); err != nil {
		return err
	}
	rows := &rowOptions{sink: render.NewRowSink(a.stdout, render.RowOptions{
		Format: o.output.value, Columns: o.columns, Sort: o.sort.value, Reverse: o.reverse, Limit: o.limit,
		Words: words, Color: a.color(o.color.value),
	})}
	if o.resolve {
		r := newResolver(o.within)
		rows.sink.Resolve = r.names
		defer func() {
			if r.left > 0 {
				fmt.Fprintf(a.stderr, "ipvsstate: %s\n", words.Count("unresolved", uint64(r.left)))
			}
		}()
	}
	q.rows = rows
	s, stopped := a.read(ctx, q, words, args)
	if s == nil {
		return stopped
	}
	if err := rows.sink.Finish(); err != nil {
		return fmt.Errorf("writing the list: %w", err)
	}
	kept := s.Tally.Connections() + s.Tally.Templates()
	if o.output.value == render.RowsTable && rows.sink.Listed < kept {
		fmt.Fprintf(a.stderr, "ipvsstate: %s\n", words.Word("listed", explain.Thousands(rows.sink.Listed), explain.Thousands(kept)))
	}
	if o.output.value == render.RowsTable {
		for _, note := range s.RowNotes(words) {
			fmt.Fprintf(a.stderr, "ipvsstate: %s\n", note)
		}
	}
	if n := rows.sink.Unwritable; n > 0 && stopped == nil {
		return fail("hint.unwritable", fmt.Errorf("%s left out: %w", rowCount(int64(n)), rows.sink.Why))
	}
	if s.Of > 1 && rows.first && stopped == nil {
		return fail("hint.several-in-pipe", fmt.Errorf("the input holds %d listings, and the first of them was written", s.Of))
	}
	return stopped
}

// rowOptions is how a question wants the entries themselves.
type rowOptions struct {
	sink *render.RowSink
	only int // the listing that is written, 0 for all
	// first says that it is the first for want of a better one: which is the newest of an
	// input that cannot be read twice would be known too late.
	first bool
}

// needsConfig reports that rows show what is told by the configuration.
func (o *rowOptions) needsConfig() bool {
	if o == nil {
		return false
	}
	format := o.sink.Format
	return format != render.RowsIpvsadm && format != render.RowsProc || o.sink.Sort == "idle" || o.sink.Sort == "forwarding"
}

// begin tells the sink of a source that is to be read.
func (o *rowOptions) begin(seen int, timing *conn.Timing, services []conn.Service) *render.RowSink {
	o.sink.Timing, o.sink.Directory = timing, conn.NewDirectory(services)
	o.sink.Begin(seen, o.only)
	return o.sink
}
