package main

import (
	"slices"

	"ipvsstate/internal/capture"
	"ipvsstate/internal/conn"
	"ipvsstate/internal/filter"
	"ipvsstate/internal/history"
	"ipvsstate/internal/render"
	"ipvsstate/internal/tally"
)

// question is what is asked of an input: which entries count, and what is gathered.
type question struct {
	input  *inputOptions
	filter *filter.Filter
	by     []tally.Dimension
	// sample is how many entries are kept at most as a sample, 0 for none.
	sample int
	// rows are gathered beside the counts; nil for none.
	rows *rowOptions
	// keepEntries asks for the chosen listing's entries, which entries then are.
	keepEntries bool
	entries     *history.Entries
}

// needsConfig reports that the director's configuration must be known while rows are
// read, not only afterwards.
func (q *question) needsConfig() bool {
	of := func(d tally.Dimension) bool { return d.Aspect == tally.Idle || d.Aspect == tally.Forwarding }
	return q.filter.NeedsTiming() || slices.ContainsFunc(q.by, of) || q.rows.needsConfig()
}

// gathered is what is made of a listing's entries.
type gathered struct {
	*tally.Tally
	rows *render.Rows // nil unless they are asked for
	// Where entries are kept, they are counted where parts are merged: only there it is known that
	// one is listed twice. part is nil where they are not, entries until something is merged.
	part    *history.Part
	entries *history.Entries
}

func (g *gathered) Add(e *conn.Entry) {
	if g.part != nil {
		g.part.Add(e)
		return
	}
	if g.Tally.Count(e) && g.rows != nil {
		g.rows.Add(e)
	}
}

func (g *gathered) Merge(o *gathered) {
	g.Tally.Merge(o.Tally)
	if g.rows != nil {
		g.rows.Merge(o.rows)
	}
	if g.part == nil {
		return
	}
	if g.entries == nil {
		g.entries = history.NewEntries()
	}
	g.entries.Merge(o.part, func(e *conn.Entry, isNew bool) {
		if isNew {
			g.Tally.Count(e)
		} else {
			g.Tally.CountDuplicate()
		}
	})
}

func (g *gathered) Reset() {
	g.Tally.Reset()
	if g.rows != nil {
		g.rows.Reset()
	}
	if g.part != nil {
		g.part.Reset()
	}
}

// snapshot is one listing, with what was gathered of it.
type snapshot = capture.Snapshot[*gathered]
