package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"html"
	"io"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the golden file")

var start = time.Date(2026, 3, 7, 23, 58, 0, 0, time.UTC)

var english = Words{
	Contents: "contents", Theme: "Dark or light", UTC: "times in UTC", Form: "form", Stacked: "Stacked", Lines: "Lines",
	Zoom: "zoom", ZoomIn: "Zoom in", ZoomOut: "Zoom out", ZoomAll: "Show all", Series: "series", Order: "upwards",
	Mouse: "Drag.", KeysMove: "Arrows.", KeysMore: "Letters.", Total: "total", Gap: "no value", NoData: "nothing to draw",
	Marks: "Marks", Values: "Values", Time: "Time", Critical: "CRITICAL", Warning: "WARNING", Notice: "NOTICE",
}

// small is a page with one of everything.
func small() *Page {
	return &Page{
		Language: "en", Title: "A night", Lead: []string{"Four snapshots."}, Words: english, Foot: "by ipvsstate",
		Sections: []Section{
			{Title: "Over time", Text: []string{"It rose."}, Chart: &TimeChart{
				Label: "Connections by state", Stacked: true,
				Times: []time.Time{start, start.Add(time.Minute), start.Add(2 * time.Minute), start.Add(3 * time.Minute)},
				Series: []Series{
					{"ESTABLISHED", []float64{1000, 1250.5, math.NaN(), 2000}},
					{"SYN_RECV", []float64{5, 7, math.NaN(), math.Inf(1)}},
				},
				Marks: []Mark{{start.Add(time.Minute), "critical", "LVS001", "a flood"}, {Time: start.Add(90 * time.Second), Text: "the peak"}},
			}},
			{Title: "Before and after", Bars: &BarChart{
				Label: "Connections", Category: "Server", Groups: []string{"before", "after"},
				Bars: []Bar{{"192.0.2.1:80", []float64{10, 20}}, {"192.0.2.2:80", []float64{5, math.NaN()}}},
			}},
			{Title: "Servers", Table: &Table{
				Caption: "Real servers", Columns: []Column{{Title: "Server"}, {Title: "Weight", Number: true}},
				Rows: [][]string{{"192.0.2.1:80", "100"}, {"192.0.2.2:80"}, {"192.0.2.3:80", "1", "too much"}},
			}},
		},
	}
}

func written(t testing.TB, p *Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// own is a page without the parts that are the same in all.
func own(page string) string {
	for _, part := range []string{string(common.Style), string(common.Library), string(common.Script), string(common.Licence)} {
		page = strings.Replace(page, part, "", 1)
	}
	return policy.ReplaceAllString(page, "")
}

var policy = regexp.MustCompile(`<meta http-equiv="Content-Security-Policy" content="([^"]*)">\n`)

func TestGolden(t *testing.T) {
	got := own(written(t, small()))
	const name = "testdata/small.html"
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the page is not as in %s; if it is as it should be, run go test ./internal/page -update\n%s", name, got)
	}
}

var tag = regexp.MustCompile(`<(/?)([a-z0-9]+)((?:\s+[a-zA-Z][a-zA-Z0-9-]*(?:="[^"<>]*")?)*)\s*(/?)>`)

// check reads a page as a strict reader would: every tag closes the one it belongs to,
// and no text has a bare "<".
func check(t *testing.T, page string) {
	t.Helper()
	page = own(page)
	page = regexp.MustCompile(`(?s)<script type="application/json"[^>]*>.*?</script>`).ReplaceAllString(page, "")
	body := strings.TrimPrefix(page, "<!DOCTYPE html>\n")
	if i := strings.Index(tag.ReplaceAllString(body, ""), "<"); i >= 0 {
		t.Errorf("there is a stray < in the page: %.200s", tag.ReplaceAllString(body, "")[i:])
	}
	open := []string{}
	optional := map[string]bool{"th": true, "td": true, "tr": true, "tbody": true, "thead": true}
	for _, m := range tag.FindAllStringSubmatch(body, -1) {
		name := m[2]
		switch {
		case m[4] == "/" || name == "meta":
		case m[1] == "":
			open = append(open, name)
		default:
			for len(open) > 0 && open[len(open)-1] != name && optional[open[len(open)-1]] {
				open = open[:len(open)-1]
			}
			if len(open) == 0 || open[len(open)-1] != name {
				t.Errorf("</%s> closes nothing; open are %q", name, open)
				return
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("left open: %q", open)
	}
	ids := map[string]bool{}
	for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(body, -1) {
		if ids[m[1]] {
			t.Errorf("two elements have the id %q", m[1])
		}
		ids[m[1]] = true
	}
	for _, m := range regexp.MustCompile(` (?:aria-labelledby|aria-describedby|href)="#?([^"]*)"`).FindAllStringSubmatch(body, -1) {
		if !ids[m[1]] {
			t.Errorf("there is no element with the id %q", m[1])
		}
	}
}

func TestStructure(t *testing.T) {
	check(t, written(t, small()))
	check(t, written(t, &Page{}))
	check(t, written(t, &Page{Sections: []Section{{Chart: &TimeChart{}, Bars: &BarChart{}, Table: &Table{}}, {}, {}, {}}}))
}

// fill puts a text in every place for one.
func fill(evil string) *Page {
	p := small()
	p.Subject, p.Title, p.Foot, p.Lead, p.Language = evil, evil, evil, []string{evil}, evil
	for i := range p.Sections {
		p.Sections[i].Title, p.Sections[i].Text = evil, []string{evil}
	}
	chart, bars, table := p.Sections[0].Chart, p.Sections[1].Bars, p.Sections[2].Table
	chart.Label, chart.More, chart.Series[0].Name = evil, evil, evil
	chart.Marks[0] = Mark{Time: start, Severity: evil, Code: evil, Text: evil}
	bars.Label, bars.Category, bars.Groups[0], bars.Bars[0].Name = evil, evil, evil, evil
	table.Caption, table.Columns[0].Title, table.Rows[0][0] = evil, evil, evil
	return p
}

func TestHostileNames(t *testing.T) {
	for _, evil := range []string{
		`</script><script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `<!--`, `-->`, `]]>`, `{{.}}`,
		`</title><style>*{display:none}</style>`, `javascript:alert(1)`, "a\u202etxt.exe", "a\u2066b", "\x00\x1b[31m", "\xff\xfe", "\u2028x",
		`<\/script>`, `\u003c/script>`, `&lt;script&gt;`, "`${alert(1)}`",
	} {
		page := written(t, fill(evil))
		check(t, page)
		for _, r := range own(page) {
			if r < ' ' && r != '\n' || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x2028 {
				t.Errorf("%q leaves %U in the page", evil, r)
			}
		}
		if n := strings.Count(page, "<script"); n != strings.Count(written(t, small()), "<script") {
			t.Errorf("%q makes %d scripts", evil, n)
		}
		var d chartData
		if err := json.Unmarshal([]byte(block(t, page)), &d); err != nil {
			t.Fatal(err)
		}
		if d.Series[0].Name != clean(evil) || d.Marks[0].Text != clean(evil)+" "+clean(evil) {
			t.Errorf("%q reaches the script as %q and %q", evil, d.Series[0].Name, d.Marks[0].Text)
		}
	}
}

// block is what the script reads of the first chart.
func block(t *testing.T, page string) string {
	t.Helper()
	m := regexp.MustCompile(`(?s)<script type="application/json" class="data">(.*?)</script>`).FindStringSubmatch(page)
	if m == nil {
		t.Fatal("the page has no data")
	}
	return m[1]
}

func (v *values) UnmarshalJSON(b []byte) error {
	var p []*float64
	if err := json.Unmarshal(b, &p); err != nil {
		return err
	}
	for _, f := range p {
		if f == nil {
			*v = append(*v, math.NaN())
			continue
		}
		*v = append(*v, *f)
	}
	return nil
}

func TestData(t *testing.T) {
	got := strings.Join(strings.Fields(block(t, written(t, small()))), "")
	want := `{"times":[1772927880000,1772927940000,1772928000000,1772928060000],` +
		`"series":[{"name":"ESTABLISHED","color":0,"dash":[],"values":[1000,1250.5,null,2000]},{"name":"SYN_RECV","color":1,"dash":[8,4],"values":[5,7,null,null]}],` +
		`"marks":[{"at":1,"class":"critical","letter":"A","text":"CRITICALLVS001aflood"},` +
		`{"at":1,"class":"","letter":"B","text":"thepeak"}],"stacked":true}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestNothingFromElsewhere: no address to load from, and a policy that allows exactly
// the page's own scripts and style.
func TestNothingFromElsewhere(t *testing.T) {
	page := written(t, small())
	rest := strings.Replace(page, string(common.Library), "", 1)
	if m := regexp.MustCompile(`(?i)(https?:|src=|url\(|@import|<link|<iframe|<base)[^\n]{0,40}`).FindAllString(rest, -1); m != nil {
		t.Errorf("the page mentions %q", m)
	}
	if m := regexp.MustCompile(`https?://[^ "]*`).FindAllString(string(common.Library), -1); len(m) != 1 || m[0] != "https://github.com/leeoniya/uPlot" {
		t.Errorf("the library mentions %q", m)
	}
	if !strings.Contains(page, "Permission is hereby granted") || !strings.Contains(page, "Leon Sorokin") {
		t.Error("the library's licence is not in the page")
	}
	allowed := html.UnescapeString(policy.FindStringSubmatch(page)[1])
	if !strings.HasPrefix(allowed, "default-src 'none'; ") || strings.Contains(allowed, "unsafe") {
		t.Errorf("the policy is %s", allowed)
	}
	parts := regexp.MustCompile(`(?s)<(?:script|style)>(.*?)</(?:script|style)>`).FindAllStringSubmatch(page, -1)
	if len(parts) != 3 {
		t.Fatalf("%d scripts and styles, want 3", len(parts))
	}
	for _, p := range parts {
		sum := sha256.Sum256([]byte(p[1]))
		if h := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(allowed, h) {
			t.Errorf("the policy does not allow %s, which is %.60q", h, p[1])
		}
	}
	if regexp.MustCompile(` (style|on[a-z]+)="`).MatchString(own(page)) {
		t.Error("the page has styles or scripts in attributes, which its policy forbids")
	}
}

// TestLibrary holds the library's files to the sums beside them.
func TestLibrary(t *testing.T) {
	readme := file("uplot/README.md")
	for _, name := range []string{"uPlot.iife.min.js", "uPlot.min.css", "LICENSE"} {
		sum := sha256.Sum256([]byte(file("uplot/" + name)))
		if !strings.Contains(readme, "| `"+name+"` | "+hex.EncodeToString(sum[:])+" |") {
			t.Errorf("uplot/README.md has another sum for %s", name)
		}
	}
	version := regexp.MustCompile(`\(v([0-9.]+)\)`).FindStringSubmatch(file("uplot/uPlot.iife.min.js"))[1]
	for _, text := range []string{readme, string(common.Licence)} {
		if !strings.Contains(text, "uPlot "+version) {
			t.Errorf("it is version %s, which is not what is said: %.80q", version, text)
		}
	}
}

func TestMisfits(t *testing.T) {
	chart := func(change func(*TimeChart)) *Page {
		p := small()
		change(p.Sections[0].Chart)
		return p
	}
	bars := small()
	bars.Sections[1].Bars.Bars[1].Values = []float64{1}
	for _, p := range []*Page{
		chart(func(c *TimeChart) { c.Series[1].Values = c.Series[1].Values[:3] }),
		chart(func(c *TimeChart) { c.Times[2] = c.Times[0] }),
		bars,
	} {
		var b bytes.Buffer
		if err := Write(&b, p); err == nil || b.Len() > 0 {
			t.Errorf("%v, and %d bytes were written", err, b.Len())
		}
	}
	if err := Write(broken{}, small()); err == nil {
		t.Error("a page that cannot be written is no error")
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestTexts(t *testing.T) {
	for v, want := range map[float64]text{
		0: "0", 1: "1", 999: "999", 1000: "1,000", 1234567.5: "1,234,567.5", 0.005: "0.01", 2.0 / 3: "0.67", -1234: "-1,234", -0.001: "0", 100: "100",
		1e15: "1,000,000,000,000,000",
	} {
		if got := number(v); got != want {
			t.Errorf("%v is written %s, want %s", v, got, want)
		}
	}
	for i, want := range map[int]text{0: "A", 25: "Z", 26: "AA", 51: "AZ", 52: "BA", 701: "ZZ", 702: "AAA"} {
		if got := letter(i); got != want {
			t.Errorf("mark %d is %s, want %s", i, got, want)
		}
	}
	for v, want := range map[float64]float64{0: 1, 1: 1, 1.5: 2, 3: 5, 7: 10, 0.03: 0.05, 1234: 2000} {
		if got := nice(v); math.Abs(got-want) > 1e-9 {
			t.Errorf("the step for %v is %v, want %v", v, got, want)
		}
	}
	east := time.FixedZone("", 8*3600)
	if got := clock(time.Date(2026, 3, 8, 1, 2, 3, 0, east)); got != "2026-03-07 17:02:03" {
		t.Errorf("a time is written %s", got)
	}
}

// TestStillPicture: what stands for many times is the greatest among them, and a gap
// among them stays one.
func TestStillPicture(t *testing.T) {
	c := &TimeChart{Series: []Series{{Name: "a"}}}
	for i := range 10 * stillMost {
		c.Times = append(c.Times, start.Add(time.Duration(i)*time.Second))
		c.Series[0].Values = append(c.Series[0].Values, 10)
	}
	c.Series[0].Values[1234], c.Series[0].Values[2345] = 100, math.NaN()
	picks := pick(stack(c), len(c.Times))
	peak, gap := false, false
	for i, k := range picks {
		peak, gap = peak || k == 1234, gap || k == 2345
		if i > 0 && picks[i-1] >= k {
			t.Fatalf("time %d is behind %d", k, picks[i-1])
		}
	}
	if !peak || !gap || len(picks) > stillMost+1 {
		t.Errorf("%d times, peak %v, gap %v", len(picks), peak, gap)
	}
	pic := newStill(c)
	if n := strings.Count(pic.Areas[0].Path, "Z"); n != 2 {
		t.Errorf("the gap makes %d runs, want 2", n)
	}
	one := &TimeChart{Times: []time.Time{start}, Series: []Series{{"a", []float64{0}}}}
	if path := newStill(one).Areas[0].Path; strings.Contains(path, "NaN") || strings.Contains(path, "Inf") || path == "" {
		t.Errorf("one time is drawn as %q", path)
	}
}

// TestLateMark: a chart's times are where intervals begin, so that what happens in the last
// one is behind them all.
func TestLateMark(t *testing.T) {
	c := small().Sections[0].Chart
	last := len(c.Times) - 1
	c.Marks = []Mark{
		{Time: c.Times[last].Add(40 * time.Minute), Text: "late"}, {Time: c.Times[1].Add(59 * time.Second), Text: "within"},
		{Time: c.Times[0].Add(-time.Hour), Text: "early"}, {Time: c.Times[2], Text: "at one"},
	}
	pic, v := newStill(c), c.view(english)
	for i, want := range []int{0, 1, 2, last} {
		if got := v.Data.Marks[i].At; got != want {
			t.Errorf("%s is drawn at time %d, want %d", v.Data.Marks[i].Text, got, want)
		}
		if at := stillLeft + want*(stillWidth-stillLeft-stillRight)/last; len(pic.Marks) != 4 || max(pic.Marks[i].X-at, at-pic.Marks[i].X) > 1 {
			t.Errorf("%s stands at %+v, want %d", v.Data.Marks[i].Text, pic.Marks, at)
		}
	}
	if got := v.Marks[3]; got.Text != "late" || got.Time != clock(c.Marks[0].Time) {
		t.Errorf("the list has %+v last", got)
	}
}

// TestFlags: no flag hides another. Marks that are too close have one together.
func TestFlags(t *testing.T) {
	c := &TimeChart{Series: []Series{{Name: "a"}}}
	for i := range 1000 {
		c.Times = append(c.Times, start.Add(time.Duration(i)*time.Minute))
		c.Series[0].Values = append(c.Series[0].Values, 10)
	}
	mark := func(minute int, severity string) {
		c.Marks = append(c.Marks, Mark{Time: c.Times[minute], Severity: severity})
	}
	for _, minute := range []int{500, 500, 503, 900} {
		mark(minute, "warning")
	}
	mark(500, "critical")
	mark(999, "")
	var got []string
	for _, f := range newStill(c).Flags {
		got = append(got, string(f.Text)+" "+f.Class)
	}
	if want := "A–D critical,E warning,F "; strings.Join(got, ",") != want {
		t.Errorf("the flags are %q, want %q", got, want)
	}
	for i := range 100 {
		mark(300+5*i, []string{"notice", "warning"}[i%2])
	}
	pic := newStill(c)
	for i, f := range pic.Flags {
		if i > 0 && pic.Flags[i-1].X+pic.Flags[i-1].half > f.X-f.half || i > 0 && pic.Flags[i-1].last+1 != f.first || f.X+f.half > stillWidth {
			t.Errorf("flag %+v behind %+v", f, pic.Flags[i-1])
		}
	}
	if n := len(pic.Flags); n < 2 || pic.Flags[n-1].last != len(c.Marks)-1 {
		t.Errorf("flags %+v", pic.Flags)
	}
}

// TestStillAxes: whole numbers at one axis, and times between the ends of the other.
func TestStillAxes(t *testing.T) {
	labels := func(span time.Duration, v float64) (values, times []string) {
		for _, l := range newStill(&TimeChart{Times: []time.Time{start, start.Add(span)}, Series: []Series{{"a", []float64{0, v}}}}).Labels {
			if l.Anchor == "end" && l.X == stillLeft-8 {
				values = append(values, string(l.Text))
				continue
			}
			times = append(times, string(l.Text))
		}
		return values, times
	}
	for _, tt := range []struct {
		span          time.Duration
		v             float64
		values, times string
	}{
		{4 * time.Hour, 1, "0 1", "01:00,01:30,02:00,02:30,03:00"},
		{time.Minute, 0.5, "0 1", "23:58:15,23:58:30,23:58:45"},
		{72 * time.Hour, 3, "0 1 2 3", "03-09 00:00,03-09 12:00,03-10 00:00"},
		{40 * 365 * 24 * time.Hour, 800, "0 200 400 600 800", ""},
		{0, 7, "0 2 4 6 8", ""},
	} {
		values, times := labels(tt.span, tt.v)
		if got := strings.Join(values, " "); got != tt.values {
			t.Errorf("values up to %v: %s, want %s", tt.v, got, tt.values)
		}
		if got := strings.Join(times, ","); !strings.Contains(got, tt.times) || len(times) > 9 || tt.span > 0 && len(times) < 4 {
			t.Errorf("%v: %s, want %s", tt.span, got, tt.times)
		}
	}
}

// TestTimesHoldTogether: a text is taken apart at its times, and nothing is lost.
func TestTimesHoldTogether(t *testing.T) {
	for s, want := range map[text][]piece{
		"":  nil,
		"a": {{"a", false}},
		"from 2026-11-22 05:00:00 UTC to 2026-11-22 06:00": {{"from ", false}, {"2026-11-22 05:00:00 UTC", true}, {" to ", false}, {"2026-11-22 06:00", true}},
		"2026-11-22, 06:00": {{"2026-11-22, 06:00", false}},
	} {
		if got := s.Pieces(); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", s, got, want)
		}
	}
}

// TestNeighbours: series, bars and their legends go by the same colours and patterns.
func TestNeighbours(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range dashes {
		seen[fmt.Sprint(d)] = true
	}
	if len(seen) != len(dashes) || len(seen) < 6 {
		t.Errorf("%d patterns", len(seen))
	}
	c := &TimeChart{Times: []time.Time{start}}
	for range palette + 1 {
		c.Series = append(c.Series, Series{Values: []float64{1}})
	}
	for i, s := range c.view(english).Series {
		if d := c.view(english).Data.Series[i]; d.Color != s.Index || "["+s.Dash+"]" != fmt.Sprint(d.Dash) {
			t.Errorf("series %d: %v and %v", i, s, d)
		}
	}
	css := file("page.css")
	for i := range palette {
		if !strings.Contains(css, fmt.Sprintf(".s%d {", i)) {
			t.Errorf("there is no colour for series %d", i)
		}
	}
	for i := range barColors {
		if !strings.Contains(css, fmt.Sprintf("rect.g%d {", i)) {
			t.Errorf("there is no colour for bars %d", i)
		}
	}
	for i := range mostFolded {
		if i > 0 && !strings.Contains(css, fmt.Sprintf(".fold%d { grid-template-columns: repeat(%d,", i+1, i+1)) {
			t.Errorf("a table of %d columns and a long one is not folded", i+1)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	p := small()
	c := p.Sections[0].Chart
	c.Times, c.Series = nil, make([]Series, 12)
	for i := range 2048 {
		c.Times = append(c.Times, start.Add(time.Duration(i)*time.Minute))
		for k := range c.Series {
			c.Series[k].Values = append(c.Series[k].Values, float64(1000*k+i))
		}
	}
	b.SetBytes(int64(len(written(b, p))))
	for b.Loop() {
		if err := Write(io.Discard, p); err != nil {
			b.Fatal(err)
		}
	}
}
