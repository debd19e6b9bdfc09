package page

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
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
	Dash  string // as SVG has it
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
	Groups   []groupView
	Bars     []barView
}

type groupView struct {
	Index int // of the colour
	Name  text
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
	Fold    string // the class of one with a long column, by how many it has; empty: it stays as it is
	Caption text
	Columns []columnView
	Rows    [][]cellView
}

type columnView struct {
	Title        text
	Number, Long bool
}

type cellView struct {
	Text               text
	Number, Long, Head bool
}

// palette is how many colours there are; dashes are the lines' patterns, so that two
// neighbours differ in more than their colours.
const palette = 12

var dashes = [][]float64{{}, {8, 4}, {2, 3}, {11, 3, 2, 3}, {16, 5}, {5, 2, 1.5, 2, 1.5, 2}}

// barColors is how many colours bars have.
const barColors = 2

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
		dash := strings.Trim(fmt.Sprint(dashes[i%len(dashes)]), "[]")
		v.Series = append(v.Series, seriesView{i % palette, clean(s.Name), dash})
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
	Name   text      `json:"name"`
	Color  int       `json:"color"`
	Dash   []float64 `json:"dash"`
	Values values    `json:"values"`
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
	for i, s := range c.Series {
		d.Series = append(d.Series, seriesData{clean(s.Name), v.Series[i].Index, dashes[i%len(dashes)], s.Values})
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
	v := &barsView{Label: clean(c.Label), Category: clean(c.Category)}
	for i, g := range c.Groups {
		v.Groups = append(v.Groups, groupView{i % barColors, clean(g)})
	}
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
			value := barValue{Group: i % barColors, Y: i * barStep, Number: clean(w.Gap)}
			if !missing(n) {
				value.Number, value.Width = number(n), percent(n, longest)
			}
			bv.Values = append(bv.Values, value)
		}
		v.Bars = append(v.Bars, bv)
	}
	return v
}

// Thick is how high a bar is.
func (barsView) Thick() int { return barHeight }

// Height is that of a category's bars together.
func (b barView) Height() int { return (len(b.Values)-1)*barStep + barHeight }

func percent(n, of float64) string {
	if n <= 0 || of <= 0 {
		return "0"
	}
	return strconv.FormatFloat(math.Min(100*n/of, 100), 'f', 2, 64) + "%"
}

// mostFolded is how many columns page.css knows beside a long one.
const mostFolded = 9

// view gives each row as many cells as there are columns. The first column heads its
// row, unless it has numbers or nothing.
func (t *Table) view() *tableView {
	v := &tableView{Caption: clean(t.Caption)}
	for _, c := range t.Columns {
		v.Columns = append(v.Columns, columnView{clean(c.Title), c.Number, c.Long})
	}
	if n := len(t.Columns) - 1; n > 0 && n <= mostFolded && t.Columns[n].Long {
		v.Fold = "fold" + strconv.Itoa(n)
	}
	for _, row := range t.Rows {
		cells := make([]cellView, len(t.Columns))
		for i, c := range t.Columns {
			cells[i] = cellView{Number: c.Number, Long: c.Long, Head: i == 0 && !c.Number}
			if i < len(row) {
				cells[i].Text = clean(row[i])
			}
			cells[i].Head = cells[i].Head && cells[i].Text != ""
		}
		v.Rows = append(v.Rows, cells)
	}
	return v
}
