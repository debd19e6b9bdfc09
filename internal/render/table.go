package render

import (
	"bytes"
	"io"
	"regexp"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// column is a column of a table for people.
type column struct {
	head  string
	right bool // numbers
	// flexible lets the column be wrapped to the width that is left; at most one.
	flexible bool
	// priority is when a narrow terminal gives the column up: the highest first, 0
	// never.
	priority int
}

const gap = "  "

// leastFlexible is the width below which wrapping helps nobody.
const leastFlexible = 24

// table is rows under columns. It knows widths and leaves the drawing to
// tablewriter.
type table struct {
	columns []column
	rows    [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// write draws the table within a width, 0 for any.
func (t *table) write(w io.Writer, limit int, color bool) error {
	if limit > 0 {
		t.fit(limit)
	}
	var out bytes.Buffer
	if err := t.draw(&out); err != nil {
		return err
	}
	for i, line := range strings.SplitAfter(out.String(), "\n") {
		line = strings.TrimRight(line, " \n")
		if line == "" {
			continue
		}
		if color {
			line = paint(line, i == 0)
		}
		if _, err := io.WriteString(w, line+"\n"); err != nil {
			return err
		}
	}
	return nil
}

var barPattern = regexp.MustCompile(`#+`)

// paint colours a drawn line: titles bold, bars cyan. Doing so last keeps escapes out
// of all reckoning with widths.
func paint(line string, head bool) string {
	if head {
		return "\x1b[1m" + line + "\x1b[0m"
	}
	return barPattern.ReplaceAllString(line, "\x1b[36m$0\x1b[0m")
}

// fit gives columns up and wraps the flexible one until the table fits.
func (t *table) fit(limit int) {
	for {
		fixed, flexible := 0, -1
		for c := range t.columns {
			if t.columns[c].flexible {
				flexible = c
			} else {
				fixed += t.width(c) + len(gap)
			}
		}
		if flexible >= 0 && limit-fixed >= min(leastFlexible, t.width(flexible)) {
			for _, row := range t.rows {
				row[flexible] = strings.Join(wrap(row[flexible], limit-fixed), "\n")
			}
			return
		}
		if flexible < 0 && fixed-len(gap) <= limit {
			return
		}
		if !t.giveUp() {
			return
		}
	}
}

// giveUp removes the column that can best be spared.
func (t *table) giveUp() bool {
	spare := 0
	for c := range t.columns {
		if t.columns[c].priority > t.columns[spare].priority {
			spare = c
		}
	}
	if t.columns[spare].priority == 0 {
		return false
	}
	t.columns = append(t.columns[:spare:spare], t.columns[spare+1:]...)
	for i, row := range t.rows {
		t.rows[i] = append(row[:spare:spare], row[spare+1:]...)
	}
	return true
}

func (t *table) width(c int) int {
	w := width(t.columns[c].head)
	for _, row := range t.rows {
		for line := range strings.SplitSeq(row[c], "\n") {
			w = max(w, width(line))
		}
	}
	return w
}

// draw has tablewriter set the rows: no borders, whose characters are wide in some
// Chinese terminals, no change to the words, numbers to the right.
func (t *table) draw(w io.Writer) error {
	cells := tw.CellConfig{
		Formatting: tw.CellFormatting{AutoFormat: tw.Off, AutoWrap: tw.WrapNone},
		Padding:    tw.CellPadding{Global: tw.Padding{Right: gap, Overwrite: true}},
	}
	head := make([]string, len(t.columns))
	for c, col := range t.columns {
		head[c] = col.head
		align := tw.AlignLeft
		if col.right {
			align = tw.AlignRight
		}
		cells.Alignment.PerColumn = append(cells.Alignment.PerColumn, align)
	}
	drawn := tablewriter.NewTable(w,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders:  tw.BorderNone,
			Settings: tw.Settings{Separators: tw.SeparatorsNone, Lines: tw.LinesNone},
		})),
		tablewriter.WithConfig(tablewriter.Config{
			Behavior: tw.Behavior{TrimSpace: tw.Off, AutoHide: tw.Off},
			Header:   cells, Row: cells,
		}))
	drawn.Header(head)
	for _, row := range t.rows {
		if err := drawn.Append(row); err != nil {
			return err
		}
	}
	return drawn.Render()
}

// markdown writes the table as GitHub reads it.
func (t *table) markdown(w io.Writer) error {
	drawn := tablewriter.NewTable(w,
		tablewriter.WithRenderer(renderer.NewMarkdown()),
		tablewriter.WithConfig(tablewriter.Config{
			Behavior: tw.Behavior{TrimSpace: tw.Off, AutoHide: tw.Off},
			Header:   tw.CellConfig{Formatting: tw.CellFormatting{AutoFormat: tw.Off, AutoWrap: tw.WrapNone}, Alignment: t.alignment()},
			Row:      tw.CellConfig{Formatting: tw.CellFormatting{AutoFormat: tw.Off, AutoWrap: tw.WrapNone}, Alignment: t.alignment()},
		}))
	head := make([]string, len(t.columns))
	for c, col := range t.columns {
		head[c] = col.head
	}
	drawn.Header(head)
	for _, row := range t.rows {
		if err := drawn.Append(row); err != nil {
			return err
		}
	}
	return drawn.Render()
}

func (t *table) alignment() (a tw.CellAlignment) {
	for _, col := range t.columns {
		align := tw.AlignLeft
		if col.right {
			align = tw.AlignRight
		}
		a.PerColumn = append(a.PerColumn, align)
	}
	return a
}
