package render

import (
	"cmp"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"ipvsstate/internal/capture"
	"ipvsstate/internal/conn"
	"ipvsstate/internal/explain"
	"ipvsstate/internal/history"
	html "ipvsstate/internal/page"
)

// PageWords are an HTML page's own labels in the catalogue's language.
func PageWords(words *explain.Catalogue) html.Words {
	return html.Words{
		Contents: words.Word("page.contents"), Theme: words.Word("page.theme"), UTC: words.Word("page.utc"),
		Form: words.Word("page.form"), Stacked: words.Word("page.stacked"), Lines: words.Word("page.lines"),
		Zoom: words.Word("page.zoom"), ZoomIn: words.Word("page.zoom_in"), ZoomOut: words.Word("page.zoom_out"), ZoomAll: words.Word("page.zoom_all"),
		Series: words.Word("page.series"), Order: words.Word("page.order"), Mouse: words.Word("page.mouse"), KeysMove: words.Word("page.keys_move"),
		KeysMore: words.Word("page.keys_more"), Total: words.Word("total"), Gap: words.Word("page.gap"),
		NoData: words.Word("page.no_data"), Marks: words.Word("page.marks"), Values: words.Word("page.values"), Time: words.Word("page.time"),
		Critical: words.Word("severity.critical"), Warning: words.Word("severity.warning"), Notice: words.Word("severity.notice"),
	}
}

// languages are the tags of the catalogue's languages.
var languages = map[explain.Language]string{"en": "en", "zh": "zh-CN"}

// newPage is a page that begins with the facts of a screen.
func newPage(title string, facts [][2]string, o Options) *html.Page {
	p := &html.Page{Language: languages[o.Words.Language], Title: title, Foot: o.Foot, Words: PageWords(o.Words)}
	p.Lead = factLines(facts, o.Words)
	return p
}

// factLines are facts as lines of a page.
func factLines(facts [][2]string, word *explain.Catalogue) (lines []string) {
	for _, f := range facts {
		lines = append(lines, f[0]+word.Word("colon")+f[1])
	}
	return lines
}

// addParts adds the parts of a screen as sections.
func addParts(p *html.Page, parts []part) {
	for _, part := range parts {
		s := html.Section{Title: part.title}
		if len(part.table.columns) > 0 {
			s.Table = pageTable(part.table)
		}
		p.Sections = append(p.Sections, s)
	}
}

func pageTable(t *table) *html.Table {
	h := &html.Table{Rows: t.rows}
	for _, c := range t.columns {
		h.Columns = append(h.Columns, html.Column{Title: c.head, Number: c.right, Long: c.flexible})
	}
	return h
}

// subject is what a page of a listing is about, in a word: the host, or else the file.
func (s *Summary) subject(word *explain.Catalogue) string {
	switch {
	case s.Host != "":
		return Clean(s.Host)
	case s.Kind != capture.File:
		return word.Word("source." + s.Kind.String())
	}
	return Clean(filepath.Base(s.Name))
}

// SummaryHTML writes a summary as a page.
func SummaryHTML(w io.Writer, s *Summary, o Options) error {
	o = o.plain()
	word := o.Words
	title, table := word.Word("page.summary"), word.Word("page.table")
	if len(o.By) > 0 {
		title, table = word.Word("page.connections"), word.Word("page.groups")
	}
	p := newPage(title, s.facts(o), o)
	p.Subject = s.subject(word)
	bars := &html.BarChart{Category: word.Word("head.state"), Groups: []string{word.Word("head.connections")}}
	for _, c := range s.Tally.States(o.Order) {
		bars.Bars = append(bars.Bars, html.Bar{Name: stateName(c.Protocol, c.State, word), Values: []float64{float64(c.Count)}})
	}
	if len(o.By) == 0 && len(bars.Bars) > 0 {
		p.Sections = append(p.Sections, html.Section{Title: word.Word("title.diff-states"), Bars: bars})
	}
	parts := s.parts(o)
	if len(parts) > 0 && parts[0].title == "" {
		parts[0].title = table
	}
	addParts(p, parts)
	return html.Write(w, p)
}

// stateName is a state with its protocol, where it is not TCP's.
func stateName(p conn.Protocol, s conn.State, word *explain.Catalogue) string {
	name := stateWord(s, word)
	if protocol := Clean(p.String()); p != conn.TCP && protocol != name {
		name = protocol + " " + name
	}
	return name
}

// DiffHTML writes a comparison as a page.
func DiffHTML(w io.Writer, d *Diff, o Options) error {
	o = o.plain()
	word := o.Words
	p := newPage(word.Word("page.diff"), d.facts(o), o)
	p.Subject = d.Before.subject(word)
	if after := d.After.subject(word); after != p.Subject {
		p.Subject += word.Word("comma") + after
	}
	bars := &html.BarChart{Category: word.Word("head.state"), Groups: []string{word.Word("before"), word.Word("after")}}
	for i := range d.States.All {
		c := &d.States.All[i]
		bars.Bars = append(bars.Bars, html.Bar{Name: stateName(c.Value.Protocol, c.Value.State, o.Words), Values: []float64{float64(c.Before), float64(c.After)}})
	}
	parts := d.parts(o)
	if len(bars.Bars) > 0 { // then the states are the first part
		p.Sections = append(p.Sections, html.Section{Title: parts[0].title, Bars: bars, Table: pageTable(parts[0].table)})
		parts = parts[1:]
	}
	addParts(p, parts)
	return html.Write(w, p)
}

const (
	// chartPoints is how many times a chart has at most, chartSeries how many lines beside
	// that of the rest, chartMarks how many findings are marked.
	chartPoints = 2048
	chartSeries = 11
	chartMarks  = 100
)

// TrendHTML writes a trend as a page with charts.
func TrendHTML(w io.Writer, t *Trend, o Options) error {
	o = o.plain()
	word := o.Words
	p := newPage(word.Word("page.trend"), nil, o)
	if about := t.directors(word); about != "" {
		p.Title = about + word.Word("colon") + p.Title
	}
	for i := range t.Hosts {
		h := &t.Hosts[i]
		rows := 0
		if t.Interval == 0 && h.Cells() > chartPoints {
			rows = chartPoints
		}
		r := h.Report(t.Interval, rows)
		part := &html.Page{Sections: []html.Section{{Title: t.intervalsTitle(h, r, o), Chart: t.timeChart(h, r, o)}}}
		addParts(part, t.parts(h, r, o)[1:]) // the intervals stand below the chart
		facts := factLines(t.facts(h, r, o), word)
		if len(t.Hosts) == 1 {
			p.Lead = facts
		} else {
			part.Sections[0].Text = facts
			for k := range part.Sections {
				part.Sections[k].Title = t.hostName(i, word) + word.Word("colon") + part.Sections[k].Title
			}
		}
		p.Sections = append(p.Sections, part.Sections...)
	}
	return html.Write(w, p)
}

// directors names those that a trend is of: each, while they are few.
func (t *Trend) directors(word *explain.Catalogue) string {
	const few = 4
	var names []string
	for i := range t.Hosts {
		if t.Hosts[i].Host == "" && len(t.Hosts) == 1 {
			return ""
		}
		names = append(names, t.hostName(i, word))
	}
	if len(names) > few {
		return word.Count("page.directors", uint64(len(names)))
	}
	return strings.Join(names, word.Word("comma"))
}

// hostName is what the i-th director of several is called.
func (t *Trend) hostName(i int, word *explain.Catalogue) string {
	if t.Hosts[i].Host == "" {
		return word.Word("page.unnamed")
	}
	return Clean(t.Hosts[i].Host)
}

// timeChart has the largest groups, the rest together, and what happened as marks.
func (t *Trend) timeChart(h *TrendHost, r *history.Report, o Options) *html.TimeChart {
	word := o.Words
	c := &html.TimeChart{Label: word.Word("page.trend"), Stacked: true}
	shown := min(len(r.Groups), chartSeries)
	for g := range shown {
		c.Series = append(c.Series, html.Series{Name: t.groupName(&r.Groups[g].Value, word)})
	}
	rest := len(r.Groups) > shown || h.Lost > 0
	if rest {
		c.Series = append(c.Series, html.Series{Name: word.Word("head.other")})
	}
	for i := range r.Intervals {
		v := &r.Intervals[i]
		c.Times = append(c.Times, v.Start)
		left := v.Connections
		for s := range c.Series {
			value := math.NaN()
			switch {
			case v.Snapshots == 0:
			case s < shown:
				value = tenth(v.Groups[s])
				left -= v.Groups[s]
			default:
				value = max(0, tenth(left))
			}
			c.Series[s].Values = append(c.Series[s].Values, value)
		}
	}
	c.Marks = append(c.Marks, html.Mark{Time: r.Peak.At, Text: word.Word("trend.peak") + word.Word("colon") + word.Count("connections", r.Peak.Count)})
	if r.Onset != nil {
		c.Marks = append(c.Marks, html.Mark{Time: r.Onset.From, Text: t.onset(r, word)})
	}
	events := gravest(r.Events, chartMarks)
	for i := range events {
		e := &events[i]
		c.Marks = append(c.Marks, html.Mark{Time: e.First, Severity: e.Severity, Code: e.Code, Text: e.Text})
	}
	if n := len(r.Events) - len(events); n > 0 {
		c.More = word.Count("page.more", uint64(n))
	}
	return c
}

// gravest are at most n of what happened: the gravest, of these the latest.
func gravest(all []history.Occurrence, n int) []history.Occurrence {
	rank := func(e history.Occurrence) int {
		return slices.Index([]string{"critical", "warning", "notice"}, e.Severity)
	}
	sorted := slices.SortedStableFunc(slices.Values(all), func(a, b history.Occurrence) int {
		return cmp.Or(rank(a)-rank(b), b.First.Compare(a.First))
	})
	return sorted[:min(len(sorted), n)]
}
