package render

import (
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/guptarohit/asciigraph"

	"ipvsstate/internal/explain"
	"ipvsstate/internal/history"
	"ipvsstate/internal/tally"
)

// Trend is what `ipvsstate trend` shows.
type Trend struct {
	By tally.Aspect
	// Rows is how many intervals there are at most, 0 for as many as snapshots; Interval
	// is how long one is at least.
	Rows     int
	Interval time.Duration
	Hosts    []TrendHost
	// Stopped says that not all was read.
	Stopped bool
	Notes   []string
}

// TrendHost is the trend of one director.
type TrendHost struct {
	Host string // empty where it is not told
	*history.Trend
	// Times counts where the snapshots' times are from.
	Times map[TimeFrom]int
	// Local counts times that told no zone, or one that several share, and Zone is the last one's
	// offset from UTC (+08:00) that they were taken to have; Yearless counts those without a year.
	Local, Yearless int
	Zone            string
}

// shownGroups is how many groups a table has; the rest is added up. More lines than
// shownLines are no longer told apart in a chart of characters.
const (
	shownGroups = 8
	shownLines  = 6
)

// lineMarks tell the lines of a chart apart without colours.
const lineMarks = "*o+x#@"

// lineColors do so with them.
var lineColors = []asciigraph.AnsiColor{asciigraph.Blue, asciigraph.Red, asciigraph.Green, asciigraph.Purple, asciigraph.Olive, asciigraph.Teal}

// TrendScreen writes a trend for a person.
func TrendScreen(w io.Writer, t *Trend, o Options) error {
	for i := range t.Hosts {
		if i > 0 {
			if _, err := fmt.Fprintln(w); err != nil {
				return err
			}
		}
		h := &t.Hosts[i]
		r := h.Report(t.Interval, t.Rows)
		if err := writeFacts(w, t.facts(h, r, o), o); err != nil {
			return err
		}
		if chart := t.chart(h, r, o); chart != "" {
			if _, err := fmt.Fprintf(w, "\n%s\n", chart); err != nil {
				return err
			}
		}
		for _, part := range t.parts(h, r, o) {
			if err := part.write(w, o); err != nil {
				return err
			}
		}
	}
	return nil
}

// TrendMarkdown writes a trend for a ticket.
func TrendMarkdown(w io.Writer, t *Trend, o Options) error {
	o = o.plain()
	for i := range t.Hosts {
		r := t.Hosts[i].Report(t.Interval, t.Rows)
		if err := partsMarkdown(w, t.facts(&t.Hosts[i], r, o), t.parts(&t.Hosts[i], r, o)); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(w); err != nil {
			return err
		}
	}
	return nil
}

// groupName names a line of a trend.
func (t *Trend) groupName(v *tally.Value, word *explain.Catalogue) string {
	if t.By != tally.State {
		return groupCell(tally.Dimension{Aspect: t.By}, v, word)
	}
	return stateName(v.Protocol, v.State, word)
}

// plainName is the same for programs.
func (t *Trend) plainName(v *tally.Value) string {
	protocol, name := changeName(t.By, v)
	switch {
	case name == nil:
		return ""
	case t.By == tally.State && (protocol == "TCP" || protocol == *name):
		return *name
	}
	return strings.TrimLeft(protocol+" "+*name, " ")
}

const minuteFormat = "2006-01-02 15:04"

// moment is a time as the intervals of a width need it.
func moment(at time.Time, width time.Duration) string {
	if width%time.Minute != 0 {
		return at.UTC().Format("2006-01-02 15:04:05")
	}
	return at.UTC().Format(minuteFormat)
}

func (t *Trend) facts(h *TrendHost, r *history.Report, o Options) [][2]string {
	word := o.Words
	var all [][2]string
	fact := func(label, text string) { all = append(all, [2]string{word.Word(label), text}) }
	if h.Host != "" {
		fact("director", Clean(h.Host))
	}
	zone := func(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05 UTC") }
	text := word.Count("snapshots", uint64(h.Snapshots)) + word.Word("comma")
	if h.Cells() == 1 {
		text += zone(h.First)
	} else {
		text += word.Word("trend.span", zone(h.First), zone(h.Last), inWords(r.Step, word))
	}
	fact("snapshots", text)
	var from []string
	for _, k := range []TimeFrom{TimeHeader, TimeName, TimeMtime} {
		if n := h.Times[k]; n > 0 {
			from = append(from, word.Word("trend.time."+string(k), explain.Thousands(uint64(n))))
		}
	}
	if h.Local > 0 {
		from = append(from, word.Word("trend.local", explain.Thousands(uint64(h.Local)), h.Zone))
	}
	if h.Yearless > 0 {
		from = append(from, word.Word("trend.yearless", explain.Thousands(uint64(h.Yearless))))
	}
	fact("trend.times", strings.Join(from, word.Word("comma")))
	fact("trend.peak", word.Count("connections", r.Peak.Count)+word.Word("comma")+zone(r.Peak.At))
	if r.Gaps > 0 {
		fact("trend.gaps", word.Word("trend.gaps-of", explain.Thousands(uint64(r.Gaps)), inWords(r.Gap, word), zone(r.GapStart)))
	}
	switch {
	case r.Onset != nil:
		fact("trend.change", t.onset(r, word))
	case r.Judged:
		fact("trend.change", word.Word("trend.steady"))
	}
	if h == &t.Hosts[0] {
		for _, n := range t.Notes {
			fact("note", n)
		}
	}
	if t.Stopped {
		fact("note", word.Word("trend.stopped"))
	}
	for _, n := range t.hostNotes(h, r, word) {
		fact("note", n)
	}
	return all
}

// hostNotes are what a reader must know of one director's trend.
func (t *Trend) hostNotes(h *TrendHost, r *history.Report, word *explain.Catalogue) (all []string) {
	count := func(key string, n int) {
		if n > 0 {
			all = append(all, word.Count(key, uint64(n)))
		}
	}
	for _, s := range h.Strays() {
		// A day off, whatever the zone in which the flag is read.
		flag := "--since " + s.Since.Add(-24*time.Hour).UTC().Format(time.DateOnly)
		if s.Since.IsZero() {
			flag = "--until " + s.Until.Add(48*time.Hour).UTC().Format(time.DateOnly)
		}
		all = append(all, word.Word("trend.stray", explain.Thousands(uint64(s.Snapshots)), s.First.UTC().Format(time.DateOnly), flag))
	}
	count("trend.parts", h.Parts)
	count("trend.copies", h.Copies)
	count("trend.forgotten", h.Known.Forgotten)
	if h.Lost > 0 {
		all = append(all, word.Word("trend.lost"))
	}
	count("trend.events-lost", h.LostEvents)
	if t.Interval > 0 && r.Width != t.Interval {
		all = append(all, word.Word("trend.wider", inWords(t.Interval, word), inWords(r.Width, word)))
	}
	return all
}

// TrendNotes are all notes, for forms that have no place for them.
func TrendNotes(t *Trend, o Options) []string {
	all := slices.Clone(t.Notes)
	if t.Stopped {
		all = append(all, o.Words.Word("trend.stopped"))
	}
	for i := range t.Hosts {
		h := &t.Hosts[i]
		front := ""
		if len(t.Hosts) > 1 && h.Host != "" {
			front = Clean(h.Host) + ": "
		}
		for _, n := range t.hostNotes(h, h.Report(t.Interval, t.Rows), o.Words) {
			all = append(all, front+n)
		}
	}
	return all
}

// lastingTime is a span in whole seconds, 1h5m0s without what is zero at its end, and days
// where it is whole ones, or two and more.
func lastingTime(d time.Duration) string {
	const day = 24 * time.Hour
	if d%day == 0 && d > 0 || d >= 2*day {
		text := fmt.Sprintf("%dd", d/day)
		if d%day > 0 {
			text += lastingTime(d % day)
		}
		return text
	}
	text := d.Round(time.Second).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

var spanParts = regexp.MustCompile(`\d+[dhms]`)

// inWords is a span as a sentence has it: in Chinese with words for its units.
func inWords(d time.Duration, word *explain.Catalogue) string {
	parts, between := spanParts.FindAllString(lastingTime(d), -1), ""
	for i, part := range parts {
		n := len(part) - 1
		parts[i] = word.Word("span."+part[n:], part[:n])
		if strings.Contains(parts[i], " ") {
			between = " "
		}
	}
	return strings.Join(parts, between)
}

// onset says what changed most, and when.
func (t *Trend) onset(r *history.Report, word *explain.Catalogue) string {
	c := r.Onset
	name := word.Word("trend.all")
	if !c.All {
		name = t.groupName(&r.Groups[0].Value, word)
	}
	key, times := "since", []time.Time{c.From}
	if !c.Lasts {
		key, times = "until", append(times, c.Until)
	}
	usual, level, after := rounded(c.Usual), rounded(c.Level), rounded(c.After)
	switch {
	case c.Gradual:
		if key = "rose." + key; c.Level < c.Usual {
			key = "fell" + strings.TrimPrefix(key, "rose")
		}
		args := append([]any{name}, changeTimes(times, r.Step)...)
		return word.Word("trend."+(key), append(args, usual, level)...)
	case !c.Before.IsZero():
		key, times = key+".gap", slices.Insert(times, 0, c.Before)
	case !c.Lasts && c.From.Equal(c.Until):
		key, times = "once", times[:1]
	}
	args := append([]any{name, usual}, changeTimes(times, r.Step)...)
	if args = append(args, level); !c.Lasts {
		args = append(args, after)
	}
	return word.Word("trend."+(key), args...)
}

// changeTimes are times to the minute, or the second if there are several snapshots a minute. Of one
// on the same day as that in front of it the day is left out.
func changeTimes(times []time.Time, step time.Duration) (all []any) {
	for i, at := range times {
		text := moment(at, min(step, time.Minute))
		if day := at.UTC().Format(time.DateOnly); i > 0 && times[i-1].UTC().Format(time.DateOnly) == day {
			text = strings.TrimPrefix(text, day+" ")
		}
		all = append(all, text)
	}
	return all
}

func rounded(v float64) string { return explain.Thousands(uint64(math.Round(v))) }

// chart draws the first groups over time.
func (t *Trend) chart(h *TrendHost, r *history.Report, o Options) string {
	const lowest, highest, least, usual = 3, 12, 40, 80
	limit := o.Width
	if limit == 0 {
		limit = usual
	}
	top := 0.0
	for g := range min(len(r.Groups), shownLines) {
		top = max(top, float64(r.Groups[g].Peak.Count))
	}
	label := len(explain.Thousands(uint64(top))) + 1
	columns := limit - label - 3
	if columns < least || h.Cells() < 2 || len(r.Groups) == 0 {
		return ""
	}
	lines := h.Columns(r, shownLines, columns)
	options := []asciigraph.Option{
		asciigraph.Height(int(min(max(top, lowest), highest))), asciigraph.LowerBound(0), asciigraph.Precision(0),
		asciigraph.YAxisValueFormatter(func(v float64) string { return rounded(max(v, 0)) }),
	}
	// Of two lines at one place the one that is drawn last is seen: the first group's.
	var series [][]float64
	var marks []asciigraph.CharSet
	var colors []asciigraph.AnsiColor
	for g, line := range slices.Backward(lines) {
		series = append(series, line)
		marks = append(marks, asciigraph.CreateCharSet(string(lineMarks[g])))
		colors = append(colors, lineColors[g])
	}
	options = append(options, asciigraph.SeriesChars(marks...))
	if o.Color {
		options = append(options, asciigraph.SeriesColors(colors...))
	}
	text := axis.Replace(asciigraph.PlotMany(series, options...))
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		out = append(out, strings.TrimRight(line, " "))
	}
	indent := 0
	if at := strings.IndexAny(out[0], "|"); at >= 0 {
		indent = at + 1
	}
	first, last := moment(h.First, time.Minute), moment(h.Last, time.Minute)+" UTC"
	out = append(out, strings.Repeat(" ", indent)+first+strings.Repeat(" ", max(1, columns-len(first)-len(last)))+last)
	line := ""
	for g := range lines {
		name := string(lineMarks[g]) + " " + t.groupName(&r.Groups[g].Value, o.Words)
		if line != "" && indent+width(line)+width(name) > limit {
			out = append(out, strings.Repeat(" ", indent)+strings.TrimRight(line, " "))
			line = ""
		}
		line += name + "   "
	}
	out = append(out, strings.Repeat(" ", indent)+strings.TrimRight(line, " "))
	if n := len(r.Groups) - len(lines); n > 0 {
		out = append(out, strings.Repeat(" ", indent)+o.Words.Count("trend.undrawn", uint64(n)))
	}
	return strings.Join(out, "\n")
}

// axis replaces the characters that are wide in some Chinese terminals.
var axis = strings.NewReplacer("┤", "|", "┼", "|", "╶", " ", "╴", " ")

func (t *Trend) parts(h *TrendHost, r *history.Report, o Options) []part {
	word := o.Words
	all := []part{{t.intervalsTitle(h, r, o), t.intervalsTable(r, o)}}
	peaks := &table{columns: []column{{head: word.Word("head." + t.By.String())},
		{head: word.Word("head.mean"), right: true}, {head: word.Word("head.peak"), right: true}, {head: word.Word("head.at")}}}
	shown := shownRows
	if o.Wide {
		shown = len(r.Groups)
	}
	for i := range min(len(r.Groups), shown) {
		g := &r.Groups[i]
		peaks.add(t.groupName(&g.Value, word), rounded(g.Mean), explain.Thousands(g.Peak.Count), moment(g.Peak.At, time.Second))
	}
	if n := len(r.Groups) - shown; n > 0 { // when most were in these together is not known
		mean := 0.0
		for i := range r.Groups[shown:] {
			mean += r.Groups[shown+i].Mean
		}
		peaks.add(word.Count("groups.rest", uint64(n)), rounded(mean), "", "")
	}
	if len(peaks.rows) > 0 {
		all = append(all, part{word.Word("title.peaks"), peaks})
	}
	if len(r.Events) > 0 {
		events := &table{columns: []column{{head: word.Word("head.first")}, {head: word.Word("head.last"), priority: 2},
			{head: word.Word("head.snapshots"), right: true, priority: 3}, {head: word.Word("head.severity"), priority: 1},
			{head: word.Word("head.rule")}, {head: word.Word("head.finding"), flexible: true}}}
		for i := range r.Events {
			e := &r.Events[i]
			events.add(moment(e.First, time.Minute), moment(e.Last, time.Minute), explain.Thousands(uint64(e.Snapshots)), word.Word("severity."+e.Severity), e.Code, e.Text)
		}
		all = append(all, part{word.Word("title.events"), events})
	}
	return all
}

// intervalsTitle says what an interval is.
func (t *Trend) intervalsTitle(h *TrendHost, r *history.Report, o Options) string {
	if r.Width < r.Step || h.Cells() == 1 {
		return o.Words.Word("title.trend-each")
	}
	return o.Words.Word("title.trend", inWords(r.Width, o.Words))
}

// intervalsTable has a row for each interval and a column for each of the first groups.
func (t *Trend) intervalsTable(r *history.Report, o Options) *table {
	word := o.Words
	var columns []string
	for i := range min(len(r.Groups), shownGroups) {
		columns = append(columns, t.groupName(&r.Groups[i].Value, word))
	}
	rows := make([]crossRow, 0, len(r.Intervals))
	for i := range r.Intervals {
		v := &r.Intervals[i]
		begin := moment(v.Start, r.Width)
		if v.Parts > 0 {
			begin += "*"
		}
		row := crossRow{head: []string{begin, explain.Thousands(uint64(v.Snapshots))}, cells: make([]uint64, len(columns)), templates: uint64(math.Round(v.Templates))}
		if v.Snapshots > 0 {
			row.connections, row.cells = apportion(v.Connections, v.Groups[:len(columns)])
		}
		rows = append(rows, row)
	}
	heads := []column{{head: word.Word("head.from-utc")}, {head: word.Word("head.snapshots"), right: true, priority: leastSpared + 1}}
	drawn := cross(heads, columns, rows, o)
	for i := range r.Intervals {
		if v := &r.Intervals[i]; v.Snapshots == 0 {
			for c := 1; c < len(drawn.rows[i]); c++ {
				drawn.rows[i][c] = ""
			}
			at := slices.IndexFunc(drawn.columns, func(c column) bool { return c.head == word.Word("head.connections") })
			drawn.rows[i][at] = word.Word("trend.gap")
		}
	}
	return drawn
}
