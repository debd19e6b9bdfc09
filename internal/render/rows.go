package render

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/explain"
	"ipvsstate/internal/parse"
)

// The formats of rows.
const (
	RowsTable   = "table"
	RowsJSONL   = "jsonl"
	RowsCSV     = "csv"
	RowsIpvsadm = "ipvsadm"
	RowsProc    = "proc"
)

// RowOptions say how entries are listed.
type RowOptions struct {
	Format string
	// Columns are chosen by name; nil is all, but for a table those that have
	// something in them.
	Columns []string
	// Sort is a column to sort by, empty for the order of the input. Sorting keeps all
	// entries, or Limit of them.
	Sort    string
	Reverse bool
	// Limit is how many entries are listed at most, 0 for all.
	Limit int
	// Resolve puts names in place of addresses; nil leaves them.
	Resolve func([]conn.Entry)

	Timing    *conn.Timing
	Directory *conn.Directory
	Words     *explain.Catalogue
	Color     bool
}

func (o *RowOptions) columns() []*rowColumn {
	var all []*rowColumn
	if o.Columns == nil {
		for i := range rowColumns {
			all = append(all, &rowColumns[i])
		}
	}
	for _, name := range o.Columns {
		all = append(all, columnNamed(name))
	}
	return all
}

func columnNamed(name string) *rowColumn {
	i := slices.IndexFunc(rowColumns, func(c rowColumn) bool { return c.name == name })
	return &rowColumns[i]
}

// keeps reports that rows are kept as entries, to be sorted or resolved.
func (o *RowOptions) keeps() bool { return o.Sort != "" || o.Resolve != nil }

// RowSink writes entries as they come, or when all have come. One serves all the rows
// of a reading.
type RowSink struct {
	RowOptions
	out     *bufio.Writer
	fields  []*rowColumn
	by      *rowColumn // Sort
	only    int        // the listing that is written, 0 for all
	listing int        // that is being read
	current *Rows

	held    []conn.Entry // to be sorted
	last    atomic.Pointer[conn.Entry]
	waiting [][]string // the table's first rows, whose widths are not known yet
	widths  []int
	begun   bool

	// Listed is how many entries were written, Unwritable how many the format has no
	// place for, Why the first reason.
	Listed, Unwritable uint64
	Why                error
	err                error
}

// NewRowSink makes a sink that writes to w.
func NewRowSink(w io.Writer, o RowOptions) *RowSink {
	k := &RowSink{RowOptions: o, out: bufio.NewWriterSize(w, 64<<10), fields: o.columns()}
	if o.Sort != "" {
		k.by = columnNamed(o.Sort)
	}
	return k
}

// Begin starts a source of which the listings come behind so many others; only one of
// all is written, or all if it is 0.
func (k *RowSink) Begin(seen, only int) { k.listing, k.only, k.current = seen, only, nil }

// NewRows makes an accumulator for a part of a listing.
func (k *RowSink) NewRows() *Rows { return &Rows{sink: k} }

// Rows gathers the entries of a part of a listing. Parts are merged in the order of the
// input, into the first of their listing, and then go to the sink.
type Rows struct {
	sink       *RowSink
	text       []byte // rows, where they are written as they come
	n          uint64
	entries    []conn.Entry // rows, where they are kept
	origin     bool         // the first row tells its origin
	unwritable uint64
	why        error
}

// Add takes an entry.
func (r *Rows) Add(e *conn.Entry) {
	k := r.sink
	if k.keeps() {
		// What is no better than the last of enough entries, all of them in front of this
		// one, need not be kept.
		if last := k.last.Load(); last != nil && k.compare(e, last) >= 0 {
			return
		}
		r.entries = append(r.entries, *e)
		if k.Sort != "" && k.many(len(r.entries)) {
			r.entries = k.first(r.entries)
		}
		return
	}
	if r.n == 0 {
		r.origin = e.Origin != conn.UnknownOrigin
	}
	text, err := k.appendRow(r.text, e)
	if err != nil {
		r.unwritable++
		r.why = cmp.Or(r.why, err)
		return
	}
	r.text = text
	r.n++
}

// Reset empties the rows.
func (r *Rows) Reset() { *r = Rows{sink: r.sink, text: r.text[:0], entries: r.entries[:0]} }

// Merge hands the rows of a later part on.
func (r *Rows) Merge(o *Rows) {
	k := r.sink
	if r != k.current {
		k.current = r
		k.listing++
	}
	if k.only != 0 && k.only != k.listing {
		return
	}
	switch {
	case k.Sort != "":
		k.held = append(k.held, o.entries...)
		if k.many(len(k.held)) {
			k.held = k.first(k.held)
			last := k.held[k.Limit-1]
			k.last.Store(&last)
		}
	case k.Resolve != nil:
		k.resolved(o.entries)
	default:
		if k.Limit == 0 || o.n < k.left() { // else it may be behind the last that is wanted
			k.Unwritable += o.unwritable
			k.Why = cmp.Or(k.Why, o.why)
		}
		k.write(o.text, o.n, o.origin)
	}
}

// many reports that enough entries are held to sort them and let most go.
func (k *RowSink) many(n int) bool {
	return k.Limit > 0 && n-1000 >= k.Limit && n-1000-k.Limit >= k.Limit
}

// first sorts entries and keeps as many as are wanted.
func (k *RowSink) first(entries []conn.Entry) []conn.Entry {
	slices.SortStableFunc(entries, func(a, b conn.Entry) int { return k.compare(&a, &b) })
	if k.Limit > 0 && len(entries) > k.Limit {
		entries = entries[:k.Limit]
	}
	return entries
}

func (k *RowSink) compare(a, b *conn.Entry) int {
	if !k.Reverse {
		return k.by.compare(&k.RowOptions, a, b)
	}
	var text [64]byte // unknown values stay the last
	x, y := len(k.by.append(&k.RowOptions, text[:0], a)) == 0, len(k.by.append(&k.RowOptions, text[:0], b)) == 0
	if x != y {
		if x {
			return 1
		}
		return -1
	}
	return k.by.compare(&k.RowOptions, b, a)
}

// resolved writes entries with names.
func (k *RowSink) resolved(entries []conn.Entry) {
	if left := k.left(); k.Limit > 0 && uint64(len(entries)) > left {
		entries = entries[:left]
	}
	if len(entries) == 0 {
		return
	}
	origin := entries[0].Origin != conn.UnknownOrigin
	if k.Resolve != nil {
		entries = slices.Clone(entries)
		k.Resolve(entries)
	}
	var text []byte
	n := uint64(0)
	for i := range entries {
		row, err := k.appendRow(text, &entries[i])
		if err != nil {
			k.Unwritable++
			k.Why = cmp.Or(k.Why, err)
			continue
		}
		text = row
		n++
	}
	k.write(text, n, origin)
}

func (k *RowSink) left() uint64 { return uint64(max(0, k.Limit-int(min(k.Listed, 1<<40)))) }

// appendRow writes an entry as a line. A table's has tabs between its cells, which are
// laid out when widths are known.
func (k *RowSink) appendRow(b []byte, e *conn.Entry) ([]byte, error) {
	switch k.Format {
	case RowsIpvsadm:
		return parse.AppendIpvsadm(b, e)
	case RowsProc:
		return parse.AppendProc(b, e)
	case RowsJSONL:
		b = append(b, '{')
		for i, c := range k.fields {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, '"')
			b = append(b, c.key...)
			b = append(b, `":`...)
			start := len(b)
			b = c.append(&k.RowOptions, b, e)
			switch {
			case len(b) == start:
				b = append(b, "null"...)
			case !c.number:
				b = quoteJSON(b, start)
			}
		}
		return append(b, "}\n"...), nil
	}
	separator, row := byte(','), len(b)
	if k.Format == RowsTable {
		separator = '\t'
	}
	for i, c := range k.fields {
		if i > 0 {
			b = append(b, separator)
		}
		start := len(b)
		b = c.append(&k.RowOptions, b, e)
		if c.number {
			continue
		}
		if k.Format == RowsTable {
			b = cleanCell(b, start)
		} else {
			b = quoteCSV(b, start)
		}
	}
	if len(k.fields) == 1 && k.Format == RowsCSV && (len(b) == row) { // an empty line is no record
		b = append(b, `""`...)
	}
	return append(b, '\n'), nil
}

// plainASCII reports a text that every format takes as it is.
func plainASCII(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c >= 0x7f || c == '"' || c == ',' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return false
		}
	}
	return true
}

func quoteJSON(b []byte, start int) []byte {
	if plainASCII(b[start:]) {
		b = append(b, 0, '"')
		copy(b[start+1:], b[start:len(b)-2])
		b[start] = '"'
		return b
	}
	quoted, _ := json.Marshal(string(b[start:])) // a string always has JSON
	return append(b[:start], quoted...)
}

func quoteCSV(b []byte, start int) []byte {
	if text := b[start:]; plainASCII(text) && (len(text) == 0 || !strings.ContainsRune("=+@-", rune(text[0]))) {
		return b
	}
	text := plainCell(string(b[start:]))
	if strings.ContainsAny(text, ",\"\r\n") {
		text = `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
	}
	return append(b[:start], text...)
}

func cleanCell(b []byte, start int) []byte {
	if plainASCII(b[start:]) {
		return b
	}
	return append(b[:start], Clean(string(b[start:]))...)
}

// write passes lines on.
func (k *RowSink) write(text []byte, n uint64, origin bool) {
	if k.err != nil || n == 0 {
		return
	}
	if k.Limit > 0 && n > k.left() {
		n = k.left()
		end := 0
		for range n {
			end += bytes.IndexByte(text[end:], '\n') + 1
		}
		text = text[:end]
	}
	k.Listed += n
	if k.Format == RowsTable {
		k.writeTable(text)
		return
	}
	if n > 0 {
		k.title(origin)
		_, err := k.out.Write(text)
		k.err = cmp.Or(k.err, err)
	}
}

// title writes what stands above the rows, once.
func (k *RowSink) title(origin bool) {
	if k.begun {
		return
	}
	k.begun = true
	var b []byte
	switch k.Format {
	case RowsIpvsadm:
		b = parse.AppendIpvsadmTitle(b, false)
	case RowsProc:
		b = parse.AppendProcTitle(b, origin)
	case RowsCSV:
		for i, c := range k.fields {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, c.key...)
		}
		b = append(b, '\n')
	}
	_, err := k.out.Write(b)
	k.err = cmp.Or(k.err, err)
}

// firstRows is how many of a table's rows its widths and columns are made by. Wider
// cells behind them stand out.
const firstRows = 1000

func (k *RowSink) writeTable(text []byte) {
	for line := range bytes.Lines(text) {
		cells := strings.Split(string(line[:len(line)-1]), "\t")
		if k.widths != nil {
			k.writeCells(cells)
			continue
		}
		k.waiting = append(k.waiting, cells)
		if len(k.waiting) == firstRows {
			k.layOut()
		}
	}
}

// layOut decides on columns and widths, and writes the titles and the first rows.
func (k *RowSink) layOut() {
	k.widths = make([]int, len(k.fields))
	heads := make([]string, len(k.fields))
	for c, f := range k.fields {
		for _, row := range k.waiting {
			k.widths[c] = max(k.widths[c], width(row[c]))
		}
		if k.widths[c] == 0 && f.optional && k.Columns == nil {
			k.widths[c] = -1
			continue
		}
		heads[c] = k.Words.Word("column." + f.name)
		k.widths[c] = max(k.widths[c], width(heads[c]))
	}
	k.writeCells(heads)
	for _, row := range k.waiting {
		k.writeCells(row)
	}
	k.waiting = nil
}

func (k *RowSink) writeCells(cells []string) {
	head := !k.begun
	k.begun = true
	var b strings.Builder
	for c, text := range cells {
		switch w := k.widths[c]; {
		case w < 0:
			continue
		case k.fields[c].right:
			b.WriteString(strings.Repeat(" ", max(0, w-width(text))) + text)
		default:
			b.WriteString(padTo(text, w))
		}
		b.WriteString(gap)
	}
	line := strings.TrimRight(b.String(), " ")
	if head && k.Color {
		line = paint(line, true)
	}
	_, err := fmt.Fprintln(k.out, line)
	k.err = cmp.Or(k.err, err)
}

// Finish writes what was held back, and returns the first error of writing.
func (k *RowSink) Finish() error {
	if k.Sort != "" {
		k.resolved(k.first(k.held))
	}
	if k.Format == RowsTable {
		if k.widths == nil {
			k.layOut()
		}
	} else {
		k.title(false)
	}
	return cmp.Or(k.err, k.out.Flush())
}
