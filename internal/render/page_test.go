package render

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/explain"
	"ipvsstate/internal/history"
	"ipvsstate/internal/tally"
)

// htmlOf is a page without its style and scripts.
func htmlOf(t *testing.T, write func(*bytes.Buffer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`(?s)<style>.*?</style>|<script>.*?</script>`).ReplaceAllString(b.String(), "")
}

func holds(t *testing.T, page string, all ...string) {
	t.Helper()
	for _, want := range all {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %s:\n%.1500s", want, page[strings.Index(page, "<title>"):])
		}
	}
}

func TestSummaryPage(t *testing.T) {
	s := listing(t, "k6.1-ip-vs-conn-sync.txt")
	summary := func(o Options) string {
		return htmlOf(t, func(b *bytes.Buffer) error { return SummaryHTML(b, s, o) })
	}
	o := Options{Words: words(t, "en")}
	holds(t, summary(o), "<title>k6.1-ip-vs-conn-sync.txt: IPVS connections by state</title>", "<h1>IPVS connections by state</h1>", ">What the states mean</h2>",
		`<th scope="col">STATE</th><td></td><th scope="col" class="n">CONNS</th>`)
	o.By = []tally.Dimension{{Aspect: tally.Server}}
	s.Tally = tally.New(tally.Options{Plan: &tally.Plan{By: o.By}})
	add(s.Tally, 3, conn.TCP, "ESTABLISHED", "192.0.2.1:80", "10.0.0.1:80")
	holds(t, summary(o), "<h1>IPVS connections</h1>", ">Connections in groups</h2>")
	o.Words = words(t, "zh")
	holds(t, summary(o), "<h1>IPVS 连接</h1>", ">连接分组统计</h2>")
	s.Host = "lvs1"
	holds(t, summary(o), "<title>lvs1: IPVS 连接</title>")
}

// trendOf is a trend of one snapshot a minute with so many connections each.
func trendOf(host string, counts ...uint64) TrendHost {
	h := history.NewTrend(time.Minute)
	for i, n := range counts {
		h.Add(&history.Point{Time: dawn.Add(time.Duration(i) * time.Minute), Connections: n,
			Groups: []history.GroupCount{{Value: tally.Value{Protocol: conn.TCP, State: states("ESTABLISHED")[0]}, Count: n}}})
	}
	return TrendHost{Host: host, Trend: h, Times: map[TimeFrom]int{TimeHeader: len(counts)}}
}

var dawn = time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC)

// TestDirectorsOnOnePage: the title names all, and each section whose it is.
func TestDirectorsOnOnePage(t *testing.T) {
	trend := &Trend{By: tally.State, Hosts: []TrendHost{trendOf("lvs1", 1, 2, 3), trendOf("lvs2", 4, 5, 6)}}
	o := Options{Words: words(t, "en")}
	page := htmlOf(t, func(b *bytes.Buffer) error { return TrendHTML(b, trend, o) })
	holds(t, page, "<h1>lvs1, lvs2: IPVS connections over time</h1>", "<title>lvs1, lvs2: ", ">lvs1: Peaks</h2>", ">lvs2: Peaks</h2>")
	links := regexp.MustCompile(`<li><a href="#section\d">(.*?)</a>`).FindAllStringSubmatch(page, -1)
	seen := map[string]bool{}
	for _, l := range links {
		if seen[l[1]] {
			t.Errorf("two links to %s", l[1])
		}
		seen[l[1]] = true
	}
	if len(links) != 4 {
		t.Errorf("links %v", links)
	}
	for i := range 4 {
		trend.Hosts = append(trend.Hosts, trendOf(fmt.Sprint("more", i), 1))
	}
	holds(t, htmlOf(t, func(b *bytes.Buffer) error { return TrendHTML(b, trend, o) }), "<h1>6 directors: ")
	trend.Hosts = trend.Hosts[:1]
	holds(t, htmlOf(t, func(b *bytes.Buffer) error { return TrendHTML(b, trend, o) }), "<h1>lvs1: IPVS", ">Peaks</h2>")
}

func TestEmptyTrendPage(t *testing.T) {
	empty := trendOf("", 0)
	empty.Trend = history.NewTrend(time.Minute)
	empty.Add(&history.Point{Time: dawn})
	for l, want := range map[explain.Language]string{"en": "No connections were listed.", "zh": "列表中没有连接。"} {
		holds(t, htmlOf(t, func(b *bytes.Buffer) error {
			return TrendHTML(b, &Trend{By: tally.State, Hosts: []TrendHost{empty}}, Options{Words: words(t, l)})
		}), want)
	}
}

// TestMoreMarksThanFit: the gravest and latest are marked, and how many are not is said.
func TestMoreMarksThanFit(t *testing.T) {
	trend := &Trend{By: tally.State, Hosts: []TrendHost{trendOf("", 1)}}
	for i := range 3 * chartMarks {
		trend.Hosts[0].Add(&history.Point{Time: dawn.Add(time.Duration(i) * time.Minute), Entries: 1, Connections: 1,
			Events: []history.Event{{Severity: "notice", Code: "LVS014", Text: fmt.Sprintf("notice <%d>", i)}}})
	}
	trend.Hosts[0].Add(&history.Point{Time: dawn.Add(time.Second), Connections: 1, Events: []history.Event{{Severity: "critical", Code: "LVS001", Text: "the flood"}}})
	o := Options{Words: words(t, "en")}
	page := htmlOf(t, func(b *bytes.Buffer) error { return TrendHTML(b, trend, o) })
	_, list, _ := strings.Cut(page, `<ul class="marks"`)
	list, rest, _ := strings.Cut(list, "</ul>")
	holds(t, "<title>"+list, "the flood", "notice &lt;299&gt;", "notice &lt;201&gt;")
	if strings.Contains(list, "notice &lt;200&gt;") {
		t.Error("more are marked than there is room for")
	}
	if !strings.HasPrefix(strings.TrimSpace(rest), `<p class="note">201 more are in the table below.</p>`) || !strings.Contains(rest, "notice &lt;0&gt;") {
		t.Errorf("below the list: %.300s", rest)
	}
}

// TestSpansInSentences: in Chinese with words for the units.
func TestSpansInSentences(t *testing.T) {
	en, zh := words(t, "en"), words(t, "zh")
	for d, want := range map[time.Duration][2]string{
		5 * time.Minute: {"5m", "5 分钟"}, 65 * time.Minute: {"1h5m", "1 小时 5 分钟"}, 51 * time.Hour: {"2d3h", "2 天 3 小时"}, 90 * time.Second: {"1m30s", "1 分钟 30 秒"},
	} {
		if got := [2]string{inWords(d, en), inWords(d, zh)}; got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
	h := trendOf("", 1, 2, 3)
	trend := &Trend{By: tally.State, Interval: time.Hour, Hosts: []TrendHost{h}}
	holds(t, "<title>"+htmlOf(t, func(b *bytes.Buffer) error { return TrendMarkdown(b, trend, Options{Words: zh}) }), "多为每 1 分钟一份", "每段 1 小时")
}

// TestFindingsOfATrendAreNarrow: how grave a finding is stays longer than how often it was met.
func TestFindingsOfATrendAreNarrow(t *testing.T) {
	h := trendOf("", 1, 2, 3)
	h.Add(&history.Point{Time: dawn.Add(time.Hour), Connections: 1, Events: []history.Event{{Severity: "critical", Code: "LVS001",
		Text: "half-open towards one real server: 10.0.0.12:443, TCP 10.0.1.100:443, more of it"}}})
	var b bytes.Buffer
	if err := TrendScreen(&b, &Trend{By: tally.State, Hosts: []TrendHost{h}}, Options{Words: words(t, "en"), Width: 80}); err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(b.String(), "Findings")
	if head := strings.Split(table, "\n")[1]; !strings.Contains(head, "SEVERITY") || strings.Contains(head, "SNAPSHOTS") {
		t.Errorf("the columns are %s\n%s", head, table)
	}
}
