package page

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"
)

// view is a page as its template wants it: cleaned, numbered, and counted out.
type view struct {
	static
	Language       text
	Subject, Title text
	Lead           []text
	Sections       []sectionView
	Foot           text
	Words          Words
	Charts         bool // whether there is need of the script's words and keys
}

type sectionView struct {
	ID    string
	Title text
	Text  []text
	Chart *chartView
	Bars  *barsView
	Table *tableView
}

type chartView struct {
	ID     string
	Label  text
	First  bool // of the page's charts: it has the keys beneath it
	Series []seriesView
	Marks  []markView
	More   text
	Data   *chartData // nil: there is nothing to draw
	Still  *still
	Words  Words
}

type seriesView struct {
	Index int
	Name  text
	Dash  string
}

type markView struct {
	Letter         text
	Class          string
	Severity       text // in the page's language
	Code, Text     text
	Said           text // all three
	Time, Datetime text
}

type barsView struct {
	Named    string // the id of what names it
	Label    text
	Category text
	Groups   []text
	Bars     []barView
}

type barView struct {
	Name   text
	Values []barValue
}

type barValue struct {
	Group  int
	Y      int // of the bar, among its neighbours
	Number text
	Width  string // in percent of the longest; empty: there is no bar
}

type tableView struct {
	Named   string // the id of what names it
	Caption text
	Columns []columnView
	Rows    [][]cellView
}

type columnView struct {
	Title  text
	Number bool
}

type cellView struct {
	Text         text
	Number, Head bool
}

// palette is how many colours there are; dashes are the lines' patterns, so that two
// neighbours differ in more than their colours.
const palette = 12

var dashes = []string{"", "7 3", "2 2.5"}

func (p *Page) view() (*view, error) {
	v := &view{
		static: common, Language: clean(p.Language), Subject: clean(p.Subject), Title: clean(p.Title), Lead: cleanAll(p.Lead), Foot: clean(p.Foot), Words: p.Words,
	}
	for i := range p.Sections {
		s := &p.Sections[i]
		sv := sectionView{ID: "section" + strconv.Itoa(i+1), Title: clean(s.Title), Text: cleanAll(s.Text)}
		if s.Chart != nil {
			if err := s.Chart.check(); err != nil {
				return nil, err
			}
			sv.Chart = s.Chart.view(p.Words)
			sv.Chart.ID = "chart" + strconv.Itoa(i+1)
			sv.Chart.First = !v.Charts && sv.Chart.Data != nil
			v.Charts = v.Charts || sv.Chart.First
		}
		if s.Bars != nil {
			if err := s.Bars.check(); err != nil {
				return nil, err
			}
			sv.Bars = s.Bars.view(p.Words)
			sv.Bars.Named = named(sv.ID, "bars", s.Bars.Label)
		}
		if s.Table != nil {
			sv.Table = s.Table.view()
			sv.Table.Named = named(sv.ID, "table", s.Table.Caption)
		}
		v.Sections = append(v.Sections, sv)
	}
	return v, nil
}

// named is the id of what names a part of a section: its own caption, or the section's title.
func named(section, part, caption string) string {
	if caption == "" {
		return section + "-title"
	}
	return section + "-" + part
}

func (c *TimeChart) view(w Words) *chartView {
	v := &chartView{Label: clean(c.Label), More: clean(c.More), Words: w}
	for i, s := range c.Series {
		v.Series = append(v.Series, seriesView{i % palette, clean(s.Name), dashes[i%len(dashes)]})
	}
	for i, m := range c.inOrder() {
		v.Marks = append(v.Marks, m.view(i, w))
	}
	if !c.empty() {
		v.Data, v.Still = c.data(v), newStill(c)
	}
	return v
}

// inOrder are the marks as they are listed and lettered: the first in time first.
func (c *TimeChart) inOrder() []Mark {
	return slices.SortedStableFunc(slices.Values(c.Marks), func(a, b Mark) int { return a.Time.Compare(b.Time) })
}

// at is the index of the time that a mark is drawn at.
func (c *TimeChart) at(m Mark) int {
	behind, _ := slices.BinarySearchFunc(c.Times, m.Time, func(a, b time.Time) int { return cmp.Or(a.Compare(b), -1) })
	return max(0, behind-1)
}

func (c *TimeChart) empty() bool {
	for _, s := range c.Series {
		for _, v := range s.Values {
			if !missing(v) {
				return false
			}
		}
	}
	return true
}

func (m *Mark) view(i int, w Words) markView {
	v := markView{Letter: letter(i), Code: clean(m.Code), Text: clean(m.Text), Time: clock(m.Time), Datetime: text(m.Time.UTC().Format(time.RFC3339))}
	switch m.Severity {
	case "critical":
		v.Class, v.Severity = m.Severity, clean(w.Critical)
	case "warning":
		v.Class, v.Severity = m.Severity, clean(w.Warning)
	case "notice":
		v.Class, v.Severity = m.Severity, clean(w.Notice)
	}
	v.Said = v.Text
	for _, before := range []text{v.Code, v.Severity} {
		if before != "" {
			v.Said = before + " " + v.Said
		}
	}
	return v
}

// Rows are the chart's values as a table, a row for each time.
func (v *chartView) Rows() [][]text {
	rows := make([][]text, len(v.Data.Times))
	for i, ms := range v.Data.Times {
		row := make([]text, 1, len(v.Data.Series)+1)
		row[0] = clock(time.UnixMilli(ms))
		for _, s := range v.Data.Series {
			if missing(s.Values[i]) {
				row = append(row, clean(v.Words.Gap))
				continue
			}
			row = append(row, number(s.Values[i]))
		}
		rows[i] = row
	}
	return rows
}

// chartData is what the script reads.
type chartData struct {
	Times   []int64      `json:"times"` // in milliseconds
	Series  []seriesData `json:"series"`
	Marks   []markData   `json:"marks"`
	Stacked bool         `json:"stacked"`
}

type seriesData struct {
	Name   text   `json:"name"`
	Values values `json:"values"`
}

type markData struct {
	At     int    `json:"at"` // the index of a time
	Class  string `json:"class"`
	Letter text   `json:"letter"`
	Text   text   `json:"text"` // with severity and code
}

func (c *TimeChart) data(v *chartView) *chartData {
	d := &chartData{Stacked: c.Stacked, Marks: []markData{}}
	for _, t := range c.Times {
		d.Times = append(d.Times, t.UnixMilli())
	}
	for _, s := range c.Series {
		d.Series = append(d.Series, seriesData{clean(s.Name), s.Values})
	}
	for i, m := range c.inOrder() {
		d.Marks = append(d.Marks, markData{c.at(m), v.Marks[i].Class, v.Marks[i].Letter, v.Marks[i].Said})
	}
	return d
}

// values are written as JSON has numbers; a gap is null.
type values []float64

func (v values) MarshalJSON() ([]byte, error) {
	b := []byte{'['}
	for i, f := range v {
		if i > 0 {
			b = append(b, ',')
		}
		if missing(f) {
			b = append(b, "null"...)
			continue
		}
		b = strconv.AppendFloat(b, f, 'g', -1, 64)
	}
	return append(b, ']'), nil
}

// The measures of bars, in pixels.
const (
	barHeight = 9
	barStep   = 11
)

func (c *BarChart) view(w Words) *barsView {
	v := &barsView{Label: clean(c.Label), Category: clean(c.Category), Groups: cleanAll(c.Groups)}
	longest := 0.0
	for _, b := range c.Bars {
		for _, n := range b.Values {
			if !missing(n) {
				longest = max(longest, n)
			}
		}
	}
	for _, b := range c.Bars {
		bv := barView{Name: clean(b.Name)}
		for i, n := range b.Values {
			value := barValue{Group: i % 2, Y: i * barStep, Number: clean(w.Gap)}
			if !missing(n) {
				value.Number, value.Width = number(n), percent(n, longest)
			}
			bv.Values = append(bv.Values, value)
		}
		v.Bars = append(v.Bars, bv)
	}
	return v
}

// Height is that of a category's bars together.
func (b barView) Height() int { return (len(b.Values)-1)*barStep + barHeight }

func percent(n, of float64) string {
	if n <= 0 || of <= 0 {
		return "0"
	}
	return strconv.FormatFloat(math.Min(100*n/of, 100), 'f', 2, 64) + "%"
}

// view gives each row as many cells as there are columns. The first column heads its
// row, unless it has numbers or nothing.
func (t *Table) view() *tableView {
	v := &tableView{Caption: clean(t.Caption)}
	for _, c := range t.Columns {
		v.Columns = append(v.Columns, columnView{clean(c.Title), c.Number})
	}
	for _, row := range t.Rows {
		cells := make([]cellView, len(t.Columns))
		for i, c := range t.Columns {
			cells[i] = cellView{Number: c.Number, Head: i == 0 && !c.Number}
			if i < len(row) {
				cells[i].Text = clean(row[i])
			}
			cells[i].Head = cells[i].Head && cells[i].Text != ""
		}
		v.Rows = append(v.Rows, cells)
	}
	return v
}
