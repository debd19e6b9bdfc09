// Package browser holds the pages of internal/page to what they promise, in a real
// browser. It is a module of its own, so that the program does not depend on what drives
// the browser.
package browser

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ipvsstate/internal/explain"
	"ipvsstate/internal/page"
	"ipvsstate/internal/render"
)

var start = time.Date(2026, 3, 7, 21, 30, 0, 0, time.UTC)

// write writes a page to a file, and returns its address.
func write(t testing.TB, name string, p *page.Page) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name+".html")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := page.Write(f, p); err != nil {
		t.Fatal(err)
	}
	return "file://" + name
}

func words(t testing.TB, language string) page.Words {
	t.Helper()
	c, err := explain.Load(explain.Language(language))
	if err != nil {
		t.Fatal(err)
	}
	return render.PageWords(c)
}

// wave is a value that looks like one that was counted: it rises and falls, and has
// its peak at some time.
func wave(k, n int, base, swing, peak float64) float64 {
	x := float64(k) / float64(n)
	noise := math.Sin(float64(k)*12.9898+base) * 43758.5453
	noise -= math.Floor(noise)
	return math.Round(base + swing*math.Sin(6*x) + base*0.04*noise + peak*math.Exp(-400*(x-0.62)*(x-0.62)))
}

// incident is a page as it goes with a ticket: a night of snapshots every two minutes,
// with half an hour that was not recorded.
func incident(t testing.TB) *page.Page {
	chart := &page.TimeChart{Label: "Connections by state", Stacked: true}
	states := []struct {
		name              string
		base, swing, peak float64
	}{
		{"ESTABLISHED", 8200, 1700, 900}, {"TIME_WAIT", 3900, 800, 400}, {"FIN_WAIT", 1300, 300, 250},
		{"SYN_RECV", 160, 40, 6400}, {"CLOSE", 340, 60, 100}, {"UDP", 700, 150, 0},
	}
	const n = 300
	for _, s := range states {
		values := make([]float64, n)
		for k := range values {
			values[k] = wave(k, n, s.base, s.swing, s.peak)
			if k >= 90 && k < 106 {
				values[k] = math.NaN()
			}
		}
		chart.Series = append(chart.Series, page.Series{Name: s.name, Values: values})
	}
	for k := range n {
		chart.Times = append(chart.Times, start.Add(time.Duration(k)*2*time.Minute))
	}
	chart.Marks = []page.Mark{
		{Time: chart.Times[60], Severity: "notice", Code: "LVS014", Text: "203.0.113.80:443 has a real server of weight 0 with 112 connections"},
		{Time: chart.Times[178], Severity: "warning", Code: "LVS004", Text: "38 % of the connections to 203.0.113.80:443 are in SYN_RECV"},
		{Time: chart.Times[186], Severity: "critical", Code: "LVS001", Text: "6,563 connections to 203.0.113.80:443 are in SYN_RECV: a SYN flood, or real servers that do not answer"},
		{Time: chart.Times[189], Text: "Most connections: 22,710"},
	}
	return &page.Page{
		Language: "en", Title: "Director lvs-a, the night of 7 March 2026",
		Lead:  []string{"300 snapshots from 2026-03-07 21:30:00 to 2026-03-08 07:28:00 UTC. 16 of them are missing."},
		Words: words(t, "en"),
		Foot:  "Written by ipvsstate 1.0.0 at 2026-03-08 08:00:12 UTC",
		Sections: []page.Section{
			{Title: "Connections over time", Text: []string{"At 03:42 the connections in SYN_RECV rose within eight minutes from 160 to 6,563."}, Chart: chart},
			{Title: "Before and after", Bars: &page.BarChart{
				Label: "Connections by real server", Category: "Real server", Groups: []string{"03:30", "03:44"},
				Bars: []page.Bar{
					{Name: "192.0.2.11:443", Values: []float64{2411, 2502}}, {Name: "192.0.2.12:443", Values: []float64{2380, 6120}},
					{Name: "192.0.2.13:443", Values: []float64{2399, 2433}}, {Name: "192.0.2.14:443", Values: []float64{112, math.NaN()}},
				}}},
			{Title: "Real servers", Table: &page.Table{
				Caption: "Real servers of 203.0.113.80:443 at 03:44",
				Columns: []page.Column{{Title: "Real server"}, {Title: "Forwarding"}, {Title: "Weight", Number: true}, {Title: "Connections", Number: true}, {Title: "SYN_RECV", Number: true}},
				Rows: [][]string{
					{"192.0.2.11:443", "Route", "100", "2,502", "61"}, {"192.0.2.12:443", "Route", "100", "6,120", "4,977"},
					{"192.0.2.13:443", "Route", "100", "2,433", "58"}, {"192.0.2.14:443", "Route", "0", "–", "–"},
				}}},
		},
	}
}

// chinese is the same page for Chinese readers.
func chinese(t testing.TB) *page.Page {
	p := incident(t)
	p.Language, p.Words = "zh-CN", words(t, "zh")
	p.Title = "调度器 lvs-a：2026 年 3 月 7 日夜间"
	p.Lead = []string{"从 2026-03-07 21:30:00 到 2026-03-08 07:28:00（UTC）共 300 个快照，其中缺少 16 个。"}
	p.Foot = "由 ipvsstate 1.0.0 生成于 2026-03-08 08:00:12（UTC）"
	s := p.Sections
	s[0].Title, s[0].Text = "连接随时间的变化", []string{"03:42 起，SYN_RECV 状态的连接在八分钟内从 160 条增加到 6,563 条。"}
	s[0].Chart.Label = "各状态的连接"
	for i, text := range []string{
		"203.0.113.80:443 有一台权重为 0 的真实服务器仍有 112 条连接", "203.0.113.80:443 的连接有 38 % 处于 SYN_RECV",
		"203.0.113.80:443 有 6,563 条连接处于 SYN_RECV：SYN 洪泛攻击，或真实服务器没有应答", "连接最多：22,710",
	} {
		s[0].Chart.Marks[i].Text = text
	}
	s[1].Title, s[1].Bars.Label, s[1].Bars.Category = "前后对比", "各真实服务器的连接", "真实服务器"
	s[2].Title, s[2].Table.Caption = "真实服务器", "03:44 时 203.0.113.80:443 的真实服务器"
	for i, title := range []string{"真实服务器", "转发方式", "权重", "连接", "SYN_RECV"} {
		s[2].Table.Columns[i].Title = title
	}
	return p
}

// large is the most that a page is to show smoothly.
func large(t testing.TB) *page.Page {
	chart := &page.TimeChart{Label: "Connections by virtual service", Stacked: true}
	const n = 2048
	for k := range n {
		chart.Times = append(chart.Times, start.Add(time.Duration(k)*time.Minute))
	}
	for i := range 12 {
		values := make([]float64, n)
		for k := range values {
			values[k] = wave(k, n, float64(300*(i+1)), float64(90*i), float64(200*(i%3)))
		}
		chart.Series = append(chart.Series, page.Series{Name: fmt.Sprintf("203.0.113.%d:443", i+1), Values: values})
	}
	for i := range 30 {
		chart.Marks = append(chart.Marks, page.Mark{Time: chart.Times[60*i+7], Severity: []string{"critical", "warning", "notice", ""}[i%4], Text: fmt.Sprint("mark ", i)})
	}
	table := &page.Table{Caption: "Clients", Columns: []page.Column{{Title: "Client"}, {Title: "Service"}, {Title: "State"}, {Title: "Connections", Number: true}, {Title: "Templates", Number: true}}}
	for i := range 5000 {
		table.Rows = append(table.Rows, []string{fmt.Sprintf("198.51.%d.%d", 100+i/256, i%256), "203.0.113.80:443", "ESTABLISHED", fmt.Sprint(5000 - i), "1"})
	}
	return &page.Page{Language: "en", Title: "Large", Words: words(t, "en"), Sections: []page.Section{{Title: "Chart", Chart: chart}, {Title: "Table", Table: table}}}
}

// hostile has names that would break out of a page that took them as they are.
func hostile(t testing.TB) *page.Page {
	p := incident(t)
	const evil = `</script><script>document.title="broken"</script><img src=x onerror="document.title='broken'">` + "\u202egnp.exe"
	p.Title, p.Foot, p.Lead = evil, evil, []string{evil}
	for i := range p.Sections {
		s := &p.Sections[i]
		s.Title, s.Text = evil, []string{evil}
	}
	chart := p.Sections[0].Chart
	chart.Label, chart.More = evil, evil
	for i := range chart.Series {
		chart.Series[i].Name = evil
	}
	for i := range chart.Marks {
		chart.Marks[i].Text, chart.Marks[i].Code, chart.Marks[i].Severity = evil, evil, evil
	}
	bars, table := p.Sections[1].Bars, p.Sections[2].Table
	bars.Label, bars.Category, bars.Groups[0], bars.Bars[0].Name = evil, evil, evil, evil
	table.Caption, table.Columns[0].Title, table.Rows[0][0] = evil, evil, evil
	return p
}

// odd has charts with next to nothing in them.
func odd(t testing.TB) *page.Page {
	gap := math.NaN()
	at := func(minutes ...int) (all []time.Time) {
		for _, m := range minutes {
			all = append(all, start.Add(time.Duration(m)*time.Minute))
		}
		return all
	}
	charts := []*page.TimeChart{
		{Label: "Nothing"},
		{Label: "Gaps alone", Times: at(0, 1), Series: []page.Series{{Name: "a", Values: []float64{gap, gap}}}},
		{Label: "One time", Times: at(0), Stacked: true, Series: []page.Series{{Name: "a", Values: []float64{7}}}},
		{Label: "Zero", Times: at(0, 1), Series: []page.Series{{Name: "a", Values: []float64{0, 0}}}},
		{Label: "Alone between gaps", Times: at(0, 1, 2, 3, 4), Stacked: true, Series: []page.Series{{Name: "a", Values: []float64{1, gap, 2, gap, 3}}}},
		{Label: "The same time twice", Times: at(0, 1, 1, 2), Series: []page.Series{{Name: "a", Values: []float64{1, 2, 3, 4}}}, Marks: []page.Mark{{Time: start.AddDate(1, 0, 0), Text: "later"}}},
		{Label: "Large and small", Times: at(0, 60*24*400), Stacked: true, Series: []page.Series{{Name: "a", Values: []float64{1e12, 2e12}}, {Name: "b", Values: []float64{0.25, -3}}}},
		{Label: "Milliseconds", Times: []time.Time{start, start.Add(time.Millisecond)}, Series: []page.Series{{Name: "a", Values: []float64{1, 2}}}},
	}
	p := &page.Page{Language: "en", Title: "Odd", Words: words(t, "en")}
	for _, c := range charts {
		p.Sections = append(p.Sections, page.Section{Title: c.Label, Chart: c})
	}
	return p
}
