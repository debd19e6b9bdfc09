// Package page writes one HTML page that needs nothing but itself: tables, bars, and
// charts over time that can be read closely. It knows nothing of what it shows.
package page

import (
	"bufio"
	"fmt"
	"html/template"
	"io"
	"time"
)

// Page is what one HTML page shows, in reading order.
type Page struct {
	Language string   // the html element's lang: "en", "zh-CN"
	Subject  string   // what it is about: stands before the title in the document's, by which a browser lists it
	Title    string   // the heading
	Lead     []string // paragraphs beneath the title
	Sections []Section
	Foot     string // a line that tells which program wrote it, and when
	Words    Words
}

// Section has a title and what follows it, in this order. What is left empty is left out.
type Section struct {
	Title string
	Text  []string // paragraphs
	Chart *TimeChart
	Bars  *BarChart
	Table *Table
}

// TimeChart shows how counts that add up change over time. Its values stand below it as
// a table, and its marks as a list.
type TimeChart struct {
	Label   string      // what it shows, in a few words
	Times   []time.Time // in ascending order, each the beginning of what its values are of; they are shown in UTC
	Series  []Series
	Marks   []Mark
	More    string // what is said below the marks, if anything
	Stacked bool   // the form it has at first; the reader can choose the other
}

// Series has a value for each time of its chart. One that is no number is a gap.
type Series struct {
	Name   string
	Values []float64
}

// Mark is a time that matters. It need not be one of the chart's times: it is drawn at the
// last that is not behind it, where what it falls into begins.
type Mark struct {
	Time     time.Time
	Severity string // "critical", "warning", "notice", or nothing
	Code     string // of the rule that says so, if any
	Text     string
}

// BarChart shows categories with a few values each, such as before and after.
type BarChart struct {
	Label    string   // what it shows; empty where the section's title says so
	Category string   // what the bars are: "State"
	Groups   []string // what their values are, in order
	Bars     []Bar
}

// Bar is a category with a value for each group. One that is no number is left blank.
type Bar struct {
	Name   string
	Values []float64
}

// Table is rows of texts.
type Table struct {
	Caption string
	Columns []Column
	Rows    [][]string
}

// Column is a table's column; numbers stand at its right edge. One that is Long has
// sentences, which stand below the rest of the row where the window is narrow.
type Column struct {
	Title        string
	Number, Long bool
}

// Words are the page's own labels in its language.
type Words struct {
	Contents                  string // of the list of sections
	Theme                     string // the button that makes a dark page light and a light one dark
	UTC                       string // that times are in UTC
	Form, Stacked, Lines      string // the forms of a chart, and what they are called together
	Zoom                      string // what the next three are called together
	ZoomIn, ZoomOut, ZoomAll  string
	Series                    string // the buttons that show and hide series, together
	Order                     string // that stacked series are listed from the bottom up
	Mouse, KeysMove, KeysMore string // how a chart is read: three sentences
	Total                     string // of the series that are shown
	Gap                       string // stands for a value that is not there
	NoData                    string // in place of a chart with nothing to draw
	Marks                     string // of the list of marks
	Values                    string // of a chart's values as a table
	Time                      string // the column of times in it
	Critical, Warning, Notice string // the severities
}

// Write writes a page. It reports a chart or bars whose values do not fit its times or
// groups, before it writes anything.
func Write(w io.Writer, p *Page) error {
	v, err := p.view()
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	if err := document.Execute(out, v); err != nil {
		return err
	}
	return out.Flush()
}

// check tells whether a chart's values fit its times.
func (c *TimeChart) check() error {
	for i := 1; i < len(c.Times); i++ {
		if c.Times[i].Before(c.Times[i-1]) {
			return fmt.Errorf("the chart %q: its times are not in order", c.Label)
		}
	}
	for _, s := range c.Series {
		if len(s.Values) != len(c.Times) {
			return fmt.Errorf("the chart %q: %q has %d values for %d times", c.Label, s.Name, len(s.Values), len(c.Times))
		}
	}
	return nil
}

// check tells whether all bars have a value for each group.
func (c *BarChart) check() error {
	for _, b := range c.Bars {
		if len(b.Values) != len(c.Groups) {
			return fmt.Errorf("the bars %q: %q has %d values for %d groups", c.Label, b.Name, len(b.Values), len(c.Groups))
		}
	}
	return nil
}

// document is the whole page.
var document = template.Must(template.New("page.tmpl").ParseFS(files, "page.tmpl"))
