package browser

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"ipvsstate/internal/page"
)

var samples = []struct {
	name   string
	page   func(testing.TB) *page.Page
	charts int
}{
	{"incident", incident, 1}, {"chinese", chinese, 1}, {"large", large, 1}, {"hostile", hostile, 1}, {"odd", odd, 6},
}

// TestOpen opens each page wide and narrow, light and dark. It must draw its charts, fit
// the window, and be legible.
func TestOpen(t *testing.T) {
	for _, s := range samples {
		address := write(t, s.name, s.page(t))
		for _, l := range []look{{width: 1280}, {width: 1280, dark: true}, {width: 400}, {width: 400, dark: true}} {
			name := fmt.Sprintf("%s-%d", s.name, l.width)
			if l.dark {
				name += "-dark"
			}
			t.Run(name, func(t *testing.T) {
				b := open(t, address, l)
				if n := eval[int](b, `document.querySelectorAll(".plot canvas").length`); n != s.charts {
					t.Errorf("%d charts are drawn, want %d", n, s.charts)
				}
				if _, ink, _ := b.canvas(); ink == 0 {
					t.Error("the chart is blank")
				}
				b.fits(l.width)
				b.legible()
				b.picture(name)
			})
		}
	}
}

// fits checks that the page itself does not scroll sideways.
func (b *tab) fits(width int64) {
	b.t.Helper()
	if w := eval[int64](b, `document.documentElement.scrollWidth`); w > width {
		b.t.Errorf("the page is %d pixels wide in a window of %d: %s", w, width, eval[string](b, `[...document.querySelectorAll("body *")]
			.filter(e => e.getBoundingClientRect().right > innerWidth && !e.closest(".scroll")).map(e => e.tagName + "." + e.className).join(" ")`))
	}
}

// legible checks the contrast of every text with what is behind it.
func (b *tab) legible() {
	b.t.Helper()
	for _, s := range eval[[]string](b, `(() => {
		const parse = c => c.match(/[\d.]+/g).map(Number);
		const light = ([r, g, b]) => [r, g, b].map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
			.reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
		const behind = e => {
			for (; e; e = e.parentElement) {
				const c = parse(getComputedStyle(e).backgroundColor);
				if (c.length === 3 || c[3] === 1)
					return c;
			}
			return [255, 255, 255];
		};
		const bad = [];
		for (const e of document.querySelectorAll("body, body *")) {
			const style = getComputedStyle(e);
			if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !e.checkVisibility({visibilityProperty: true}) || e.closest("script"))
				continue;
			const a = light(parse(e instanceof SVGElement ? style.fill : style.color)), b = light(behind(e));
			const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
			if (contrast < 4.5)
				bad.push(e.tagName + "." + e.className + " " + contrast.toFixed(2) + " " + e.textContent.slice(0, 30));
		}
		return bad.slice(0, 10);
	})()`) {
		b.t.Errorf("too little contrast: %s", s)
	}
}

func (b *tab) live() string { b.t.Helper(); return b.text(".live") }

// said checks what a screen reader was told last.
func (b *tab) said(want ...string) {
	b.t.Helper()
	got := b.live()
	for _, w := range want {
		if !strings.Contains(got, w) {
			b.t.Errorf("%q was said, without %q", got, w)
		}
	}
}

func TestKeys(t *testing.T) {
	b := open(t, write(t, "incident", incident(t)), look{width: 1280})
	if s := b.live(); s != "" {
		t.Errorf("%q was said unasked", s)
	}
	for _, step := range []struct {
		key, time string
	}{
		{kb.ArrowLeft, "2026-03-08 07:26:00"}, {kb.ArrowRight, "2026-03-08 07:28:00"}, {kb.ArrowRight, "2026-03-08 07:28:00"},
		{kb.Home, "2026-03-07 21:30:00"}, {kb.ArrowRight, "2026-03-07 21:32:00"}, {kb.PageDown, "2026-03-07 22:32:00"},
		{kb.PageUp, "2026-03-07 21:32:00"}, {kb.End, "2026-03-08 07:28:00"},
	} {
		before, _, _ := b.canvas()
		b.keys(step.key)
		b.said(step.time+" UTC; ", "total ", "ESTABLISHED ", "UDP ")
		if at := b.text(".at time"); at != step.time+" UTC" {
			t.Errorf("the time shown is %s, want %s", at, step.time)
		}
		if after, _, _ := b.canvas(); after != before {
			t.Error("moving the cursor has changed the drawing")
		}
	}
	if c := eval[float64](b, `document.querySelector(".u-cursor-x").getBoundingClientRect().right - document.querySelector(".u-over").getBoundingClientRect().right`); c < -3 || c > 3 {
		t.Errorf("the cursor stands %v pixels from the last time", c)
	}
	values := incident(t).Sections[0].Chart.Series
	b.keys(kb.Home)
	b.said(fmt.Sprintf("TIME_WAIT %d,%03d", int(values[1].Values[0])/1000, int(values[1].Values[0])%1000), fmt.Sprintf("SYN_RECV %.0f", values[3].Values[0]))
	if v := b.text(".legend li:nth-child(4) .value"); v != fmt.Sprintf("%.0f", values[3].Values[0]) {
		t.Errorf("the legend shows %s", v)
	}
	// With Control it is the browser's key, not the chart's.
	said := b.live()
	b.do(chromedp.KeyEvent("n", chromedp.KeyModifiers(chromedp.ModifierAlt)))
	if b.live() != said {
		t.Error("Alt and n have moved the cursor")
	}
}

func TestMarks(t *testing.T) {
	b := open(t, write(t, "incident", incident(t)), look{width: 1280})
	for _, step := range []struct{ key, letter, text string }{
		{"n", "A; NOTICE LVS014 ", "2026-03-07 23:30:00 UTC"}, {"n", "B; WARNING LVS004 ", "2026-03-08 03:26:00"},
		{"n", "C; CRITICAL LVS001 ", "6,563 connections"}, {"p", "B; WARNING", "03:26:00"}, {"n", "C; ", ""}, {"n", "D; Most", ""},
		{"n", "A; ", ""}, {"p", "D; ", ""},
	} {
		b.keys(step.key)
		if s := b.live(); !strings.HasPrefix(s, step.letter) {
			t.Errorf("after %s: %q, want %q", step.key, s, step.letter)
		}
		b.said(step.text)
		if shown := b.text(".at .mark"); !strings.HasPrefix(strings.Replace(b.live(), ";", "", 1), shown) || shown == "" {
			t.Errorf("the mark shown is %q", shown)
		}
	}
	b.keys(kb.ArrowRight)
	if s := b.text(".at .mark"); s != "" {
		t.Errorf("beside the mark there is still %q", s)
	}
	b.keys("p")
	b.said("D; ")
	b.click(".marks li:nth-child(2) a")
	b.said("B; WARNING")
	if on := eval[string](b, `document.activeElement.className`); on != "plot" {
		t.Errorf("behind a mark's link the focus is on %q", on)
	}
}

// TestMarksAtOnce: at an incident marks come together. None hides another, and those of one
// time are told together.
func TestMarksAtOnce(t *testing.T) {
	p := incident(t)
	c := p.Sections[0].Chart
	c.Marks = nil
	for i, severity := range []string{"", "critical", "warning", "notice", ""} {
		at := c.Times[186]
		if i == 4 {
			at = c.Times[len(c.Times)-1].Add(90 * time.Second) // within the last interval
		}
		c.Marks = append(c.Marks, page.Mark{Time: at, Severity: severity, Text: fmt.Sprint("mark ", i)})
	}
	for _, l := range []look{{width: 1280}, {width: 360, dark: true}} {
		b := open(t, write(t, "together", p), l)
		if flags := eval[string](b, `document.querySelector("figure").dataset.flags`); flags != "A–D E" {
			t.Errorf("the flags are %q", flags)
		}
		b.picture(fmt.Sprintf("together-%d", l.width))
		b.keys("n", "n")
		b.said("B; CRITICAL mark 1", "2026-03-08 03:42:00 UTC")
		if shown := b.text(".at .mark"); shown != "B CRITICAL mark 1; A mark 0; C WARNING mark 2; D NOTICE mark 3" {
			t.Errorf("the marks shown are %q", shown)
		}
		b.keys("p", "p")
		b.said("E; mark 4", "07:28:00 UTC")
	}
	b := open(t, write(t, "together", p), look{width: 1280, scriptless: true})
	if flags := eval[string](b, `[...document.querySelectorAll(".still text.m")].map(e => e.textContent).join(" ")`); flags != "A–D E" {
		t.Errorf("without scripts the flags are %q", flags)
	}
	b.picture("together-still")
}

func TestGap(t *testing.T) {
	b := open(t, write(t, "incident", incident(t)), look{width: 1280})
	b.keys(kb.Home)
	for range 98 {
		b.do(chromedp.KeyEvent(kb.ArrowRight))
	}
	b.said("2026-03-08 00:46:00", "total no value", "ESTABLISHED no value", "UDP no value")
	// A pixel in the gap's middle has nothing on it, others at its height have.
	blank := func(key string) bool {
		b.keys(key)
		return eval[float64](b, `(() => {
			const over = document.querySelector(".u-over").getBoundingClientRect(), canvas = document.querySelector(".plot canvas");
			const x = document.querySelector(".u-cursor-x").getBoundingClientRect().right - canvas.getBoundingClientRect().left;
			const y = over.top - canvas.getBoundingClientRect().top + over.height * 0.87;
			return pixels(canvas).data[4 * (Math.round(y * devicePixelRatio) * canvas.width + Math.round(x * devicePixelRatio) + 3) + 3];
		})()`) < 100
	}
	if !blank(kb.ArrowLeft) {
		t.Error("the gap is drawn over")
	}
	if blank(kb.PageDown) {
		t.Error("beside the gap there is nothing")
	}
}

func TestLegend(t *testing.T) {
	b := open(t, write(t, "incident", incident(t)), look{width: 1280})
	for _, form := range []string{"stacked", "lines"} {
		b.click(`[data-form=` + form + `]`)
		whole, _, hues := b.canvas()
		if hues < 6 {
			t.Errorf("%s: six series have %v colours", form, hues)
		}
		total := b.text(".at .total")
		b.click(".legend li:nth-child(2) button")
		if p := eval[string](b, `document.querySelector(".legend li:nth-child(2) button").getAttribute("aria-pressed")`); p != "false" {
			t.Errorf("%s: a hidden series' button has aria-pressed=%q", form, p)
		}
		if less, _, _ := b.canvas(); less == whole {
			t.Errorf("%s: a hidden series is still drawn", form)
		}
		b.keys(kb.End)
		if strings.Contains(b.live(), "TIME_WAIT") || form == "stacked" && b.text(".at .total") == total {
			t.Errorf("%s: a hidden series is still counted: %s", form, b.live())
		}
		b.click(".legend li:nth-child(2) button")
		if again, _, _ := b.canvas(); again != whole {
			t.Errorf("%s: shown again, the series is not drawn as before", form)
		}
	}
	b.do(chromedp.Focus(chromedp.CSS(".legend li:nth-child(1) button")), chromedp.KeyEvent(" "))
	if p := eval[string](b, `document.querySelector(".legend button").getAttribute("aria-pressed")`); p != "false" {
		t.Error("the space key does not press a series' button")
	}
	for i := 2; i <= 6; i++ {
		b.click(fmt.Sprintf(".legend li:nth-child(%d) button", i))
	}
	b.picture("none-shown")
}

func TestForms(t *testing.T) {
	b := open(t, write(t, "incident", incident(t)), look{width: 1280})
	stacked, _, _ := b.canvas()
	b.click(`[data-form=lines]`)
	lines, _, _ := b.canvas()
	if lines == stacked {
		t.Error("lines are drawn as areas")
	}
	if p := eval[[]string](b, `[...document.querySelectorAll("[data-form]")].map(b => b.getAttribute("aria-pressed"))`); !slices.Equal(p, []string{"false", "true"}) {
		t.Errorf("the buttons have aria-pressed=%q", p)
	}
	b.picture("lines")
	b.click(`[data-form=stacked]`)
	if again, _, _ := b.canvas(); again != stacked {
		t.Error("stacked again, the chart is another")
	}
}

func TestZoom(t *testing.T) {
	b := open(t, write(t, "incident", incident(t)), look{width: 1280})
	whole, _, _ := b.canvas()
	changed := func(what string, want bool) {
		t.Helper()
		if now, _, _ := b.canvas(); (now != whole) != want {
			t.Errorf("after %s: changed is %v", what, !want)
		}
	}
	b.keys("n", "n", "+", "+")
	b.said("UTC", " – ")
	changed("+", true)
	b.picture("zoomed")
	b.keys("n", "p", "p") // the mark is outside of the window, which moves there
	b.said("A; ")
	if x := eval[float64](b, `document.querySelector(".u-cursor-x").getBoundingClientRect().right - document.querySelector(".u-over").getBoundingClientRect().left`); x < 0 {
		t.Errorf("the window has not moved to the mark: the cursor is at %v", x)
	}
	b.keys("0")
	b.said("2026-03-07 21:30:00 – 2026-03-08 07:28:00 UTC")
	changed("0", false)
	b.keys("=")
	changed("=", true)
	b.keys("-")
	changed("-", false)
	for range 20 {
		b.keys("+")
	}
	b.keys(kb.Home, kb.End)
	for range 20 {
		b.keys("-")
	}
	changed("as far as it goes, and back", false)
	b.click(`[data-zoom=in]`)
	changed("the button +", true)
	b.click(`[data-zoom=out]`)
	changed("the button -", false)
	b.click(`[data-zoom=in]`)
	b.click(`[data-zoom=all]`)
	b.said("2026-03-07 21:30:00 – 2026-03-08 07:28:00 UTC")
	changed("Show all", false)

	place := eval[[]float64](b, `(r => [r.left, r.top, r.width, r.height])(document.querySelector(".u-over").getBoundingClientRect())`)
	y := place[1] + place[3]/2
	b.do(chromedp.DragAndDropXY(place[0]+place[2]*0.5, y, place[0]+place[2]*0.7, y, 10))
	b.settle()
	changed("dragging", true)
	b.do(chromedp.MouseClickXY(place[0]+place[2]/2, y, chromedp.ClickCount(2)))
	b.settle()
	changed("a double click", false)
}

func TestMouse(t *testing.T) {
	b := open(t, write(t, "incident", incident(t)), look{width: 1280})
	rest := b.text(".at time")
	place := eval[[]float64](b, `(r => [r.left, r.top, r.width, r.height])(document.querySelector(".u-over").getBoundingClientRect())`)
	b.do(chromedp.MouseEvent("mouseMoved", place[0]+place[2]*0.25, place[1]+50))
	b.settle()
	if at := b.text(".at time"); !strings.HasPrefix(at, "2026-03-07 23:5") && !strings.HasPrefix(at, "2026-03-08 00:0") {
		t.Errorf("a quarter into the chart the time is %s", at)
	}
	if s := b.live(); s != "" {
		t.Errorf("the mouse makes a screen reader say %q", s)
	}
	b.do(chromedp.MouseEvent("mouseMoved", 5, 5))
	b.settle()
	if at := b.text(".at time"); at != rest {
		t.Errorf("the mouse is gone and the time is %s, want %s", at, rest)
	}
}

func TestColours(t *testing.T) {
	b := open(t, write(t, "incident", incident(t)), look{width: 1280})
	ground := func() string { return eval[string](b, `getComputedStyle(document.body).backgroundColor`) }
	light := ground()
	drawnLight, _, _ := b.canvas()
	b.click("#theme")
	dark := ground()
	drawnDark, _, _ := b.canvas()
	if dark == light || drawnDark == drawnLight {
		t.Error("the button changes nothing")
	}
	b.legible()
	b.click("#theme")
	if drawn, _, _ := b.canvas(); ground() != light || drawn != drawnLight {
		t.Error("pressed twice, the button leaves the page as it is not to be")
	}
	b.do(chromedp.Reload())
	b.ready()
	b.media(emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}})
	b.settle()
	if drawn, _, _ := b.canvas(); drawn != drawnDark {
		t.Error("an open page does not follow the system")
	}
}

func TestChinese(t *testing.T) {
	b := open(t, write(t, "chinese", chinese(t)), look{width: 1280})
	if l := eval[string](b, `document.documentElement.lang`); l != "zh-CN" {
		t.Errorf("the language is %q", l)
	}
	if s := b.text(".tools"); !strings.Contains(s, "堆叠") || !strings.Contains(s, "折线") {
		t.Errorf("the buttons are %q", s)
	}
	b.keys("n")
	b.said("A; 提示 LVS014", "合计 ")
	b.picture("chinese-mark")
}

// TestTimeZone: a page shows the same wherever it is read.
func TestTimeZone(t *testing.T) {
	address := write(t, "incident", incident(t))
	b := open(t, address, look{width: 1280})
	here, _, _ := b.canvas()
	for _, zone := range []string{"Asia/Shanghai", "America/St_Johns", "Pacific/Apia"} {
		b.do(call(emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: zone}), chromedp.Navigate(address))
		b.ready()
		b.keys(kb.Home)
		b.said("2026-03-07 21:30:00 UTC")
		if there, _, _ := b.canvas(); there != here {
			t.Errorf("in %s the chart is another", zone)
		}
	}
}

// TestPaper: a page is printed light, without what only a screen has use for, and with
// all that is in its tables.
func TestPaper(t *testing.T) {
	address := write(t, "incident", incident(t))
	light := open(t, address, look{width: 1280})
	light.media(emulation.SetEmulatedMediaParams{Media: "print"})
	light.settle()
	want, ink, _ := light.canvas()
	if ink == 0 {
		t.Error("the chart is blank")
	}
	light.picture("paper")
	b := open(t, address, look{width: 1280, dark: true})
	pdf := b.print()
	if !bytes.HasPrefix(pdf, []byte("%PDF")) || len(pdf) < 20_000 {
		t.Errorf("%d bytes of PDF: %.10q", len(pdf), pdf)
	}
	b.keep("paper.pdf", pdf)
	b.media(emulation.SetEmulatedMediaParams{Media: "print", Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}})
	b.settle()
	if ground := eval[string](b, `getComputedStyle(document.body).backgroundColor`); ground != "rgb(255, 255, 255)" {
		t.Errorf("the paper is %s", ground)
	}
	if got, _, _ := b.canvas(); got != want {
		t.Error("a chart is printed dark")
	}
	if n := eval[int](b, `[...document.querySelectorAll(".tools, #theme, .keys, nav")].filter(e => e.checkVisibility()).length`); n > 0 {
		t.Errorf("%d things for the screen are printed", n)
	}
	if n := eval[int](b, `[...document.querySelectorAll(".scroll")].filter(e => e.scrollHeight > e.clientHeight + 1).length`); n > 0 {
		t.Errorf("%d tables are cut on paper", n)
	}
	b.media(emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}})
	b.settle()
	if ground := eval[string](b, `getComputedStyle(document.body).backgroundColor`); ground == "rgb(255, 255, 255)" {
		t.Error("after printing the page is not as it was")
	}
}

func TestWithoutScripts(t *testing.T) {
	for _, l := range []look{{width: 1280, scriptless: true}, {width: 400, dark: true, scriptless: true}} {
		b := open(t, write(t, "incident", incident(t)), l)
		for selector, want := range map[string]int{
			"svg.still": 1, "svg.still path": 6, ".legend li": 6, ".marks li": 4, "table.values tbody tr": 300, "table.bars tbody tr": 4, "table": 3,
			"button": 0, ".at, .keys, canvas": 0, "details": 1,
		} {
			count := fmt.Sprintf(`[...document.querySelectorAll(%q)].filter(e => e.checkVisibility() || e.closest("details:not([open])")).length`, selector)
			if got := eval[int](b, count); got != want {
				t.Errorf("%d of %s, want %d", got, selector, want)
			}
		}
		b.fits(l.width)
		b.legible()
		b.picture(fmt.Sprintf("still-%d", l.width))
	}
}

func TestHostileNames(t *testing.T) {
	b := open(t, write(t, "hostile", hostile(t)), look{width: 1280})
	b.keys("n", kb.ArrowLeft, kb.End)
	if title := eval[string](b, `document.title`); title == "broken" || !strings.HasPrefix(title, "</script>") {
		t.Errorf("the title is %q", title)
	}
	if n := eval[int](b, `document.querySelectorAll("img, script:not([type]):not(:last-of-type)").length`); n > 1 {
		t.Errorf("%d elements that are not the page's own", n)
	}
	if strings.ContainsRune(eval[string](b, `document.documentElement.outerHTML`), '\u202e') {
		t.Error("a mark that turns the text around has come through")
	}
}

// tree is what a screen reader has of the page.
func (b *tab) tree() (nodes []*accessibility.Node) {
	b.t.Helper()
	tree, err := chromedp.Run(b.ctx, func(ctx context.Context, t *chromedp.Target) (accessibility.GetFullAXTreeResult, error) {
		return cdp.Call(ctx, t, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	})
	if err != nil {
		b.t.Fatal(err)
	}
	for _, n := range tree.Nodes {
		if !n.Ignored && n.Role != nil {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// TestNames: whatever can be used, and every picture and table, has a name, and no two
// landmarks have the same.
func TestNames(t *testing.T) {
	p := incident(t)
	table := p.Sections[2].Table
	table.Caption = "" // then it goes by its section's title
	table.Rows = append(table.Rows, []string{"", "total", "", "11,055", "5,096"})
	b := open(t, write(t, "incident", p), look{width: 1280})
	eval[bool](b, `document.querySelector("details").open = true`)
	seen := map[string]int{}
	regions := map[string]bool{}
	for _, n := range b.tree() {
		role := strings.Trim(string(n.Role.Value), `"`)
		seen[role]++
		if name := ""; slices.Contains([]string{"application", "button", "figure", "heading", "image", "link", "navigation", "region", "table", "columnheader", "rowheader"}, role) {
			if n.Name != nil {
				name = strings.Trim(string(n.Name.Value), `"`)
			}
			if name == "" {
				t.Errorf("a %s has no name", role)
			}
			if role == "region" && regions[name] {
				t.Errorf("two regions are called %s", name)
			}
			regions[name] = role == "region" || regions[name]
		}
	}
	for role, least := range map[string]int{"application": 1, "button": 11, "figure": 1, "heading": 5, "table": 3, "columnheader": 15, "rowheader": 300, "region": 3} {
		if seen[role] < least {
			t.Errorf("%d with the role %s, want %d", seen[role], role, least)
		}
	}
	if name := eval[string](b, `document.querySelector(".marks li:nth-child(3) a").getAttribute("aria-label")`); !strings.HasPrefix(name, "C: CRITICAL LVS001 6,563 connections to ") {
		t.Errorf("a mark's link is called %q", name)
	}
	for _, scrolls := range eval[[]string](b, `[...document.querySelectorAll("[tabindex]:not(.plot)")].map(e => document.getElementById(e.getAttribute("aria-labelledby")).textContent)`) {
		if scrolls == "" {
			t.Error("what can be scrolled has no name")
		}
	}
}

// TestLargePage: twelve series of 2,048 times and a table of 5,000 rows open in a moment,
// and answer at once.
func TestLargePage(t *testing.T) {
	b := open(t, write(t, "large", large(t)), look{width: 1280})
	opened := eval[float64](b, `performance.getEntriesByType("navigation")[0].loadEventEnd`)
	press := func(key string) float64 {
		return eval[float64](b, fmt.Sprintf(`(async () => {
			const from = performance.now();
			for (let i = 0; i < 20; i++) {
				document.querySelector(".plot").dispatchEvent(new KeyboardEvent("keydown", {key: %q}));
				await null;
			}
			return (performance.now() - from) / 20;
		})()`, key))
	}
	if flags := strings.Fields(eval[string](b, `document.querySelector("figure").dataset.flags`)); len(flags) < 15 || flags[0] != "A" || !strings.HasSuffix(flags[len(flags)-1], "AD") {
		t.Errorf("30 marks have the flags %q", flags)
	}
	move, zoom := press("ArrowLeft"), press("+")
	b.keys("0")
	toggle := eval[float64](b, `(async () => {
		const from = performance.now();
		for (let i = 0; i < 20; i++) {
			document.querySelector(".legend button").click();
			await null;
		}
		return (performance.now() - from) / 20;
	})()`)
	t.Logf("opened in %.0f ms; a step takes %.1f ms, zooming %.1f ms, hiding a series %.1f ms", opened, move, zoom, toggle)
	if opened > 5000 || move > 50 || zoom > 200 || toggle > 400 {
		t.Error("that is too slow")
	}
}

// TestOddCharts presses every key in charts with next to nothing in them.
func TestOddCharts(t *testing.T) {
	b := open(t, write(t, "odd", odd(t)), look{width: 1280})
	keys := `["ArrowRight", "n", "p", "+", "+", "Home", "ArrowRight", "PageDown", "+", "End", "PageUp", "-", "0", "-"]`
	for _, form := range []string{"stacked", "lines"} {
		eval[bool](b, fmt.Sprintf(`(async () => {
			for (const button of document.querySelectorAll("[data-form=%s]"))
				button.click();
			for (const plot of document.querySelectorAll(".plot"))
				for (const key of %s) {
					plot.dispatchEvent(new KeyboardEvent("keydown", {key}));
					await new Promise(requestAnimationFrame);
				}
			return true;
		})()`, form, keys))
	}
	got := eval[[]string](b, `[...document.querySelectorAll(".at time")].map(e => e.textContent)`)
	want := []string{"2026-03-07 21:30:00 UTC", "2026-03-07 21:30:00 UTC", "2026-03-07 21:33:00 UTC", "2026-03-07 21:31:00 UTC", "2026-03-07 21:30:00 UTC", "2026-03-07 21:30:00 UTC"}
	if !slices.Equal(got, want) {
		t.Errorf("the cursors are at %q, want %q", got, want)
	}
}

// TestWindow: a chart follows the window's width.
func TestWindow(t *testing.T) {
	b := open(t, write(t, "incident", incident(t)), look{width: 1280})
	b.do(chromedp.EmulateViewport(500, 900))
	time.Sleep(100 * time.Millisecond)
	b.settle()
	if w := eval[float64](b, `document.querySelector(".plot canvas").getBoundingClientRect().width`); w > 500 || w < 400 {
		t.Errorf("in a window of 500 pixels the chart has %v", w)
	}
	b.fits(500)
}

// TestNarrow: where the window is narrow, sentences in a table stand below the rest of their
// row and within the window, and no line breaks a time.
func TestNarrow(t *testing.T) {
	const at = "2026-03-08 03:42:00 UTC"
	p := incident(t)
	p.Lead = []string{"from " + at + " to " + at + ", and from " + at + " to " + at}
	p.Sections = append(p.Sections, page.Section{Title: "What the states mean", Table: &page.Table{
		Columns: []page.Column{{Title: "PROTO"}, {Title: "STATE"}, {Title: "COUNT", Number: true}, {Title: "SHARE", Number: true}, {Title: "TIMEOUT", Number: true}, {Title: "MEANING", Long: true}},
		Rows: [][]string{{"TCP", "ESTABLISHED", "3", "33.3%", "15m", "Open. Every packet starts the timeout anew; after so long a silence the entry is dropped."},
			{"", "total", "3", "100.0%", "", ""}}}})
	p.Sections = append(p.Sections, page.Section{Title: "Findings", Table: &page.Table{
		Columns: []page.Column{{Title: "FIRST"}, {Title: "LAST"}, {Title: "SNAPSHOTS", Number: true}, {Title: "SEVERITY"}, {Title: "RULE"}, {Title: "FINDING", Long: true}},
		Rows:    [][]string{{at[:16], at[:16], "3", "CRITICAL", "LVS001", "half-open towards one real server, as in a flood, since " + at}}}})
	for _, l := range []look{{width: 360}, {width: 360, dark: true, scriptless: true}, {width: 1280}, {width: 1600}} {
		b := open(t, write(t, "narrow", p), l)
		if broken := eval[[]string](b, `[...document.querySelectorAll(".moment, td, th")].filter(e => e.matches(".moment") || /^\d{4}-/.test(e.textContent))
			.filter(e => e.checkVisibility() && (r => new Set([...r.getClientRects()].map(r => r.top)).size > 1)((() => {
				const r = document.createRange();
				r.selectNodeContents(e);
				return r;
			})())).map(e => e.textContent)`); len(broken) > 0 {
			t.Errorf("at %d broken times: %q", l.width, broken)
		}
		if n := eval[int](b, `document.querySelectorAll("header .moment").length`); n != 4 {
			t.Errorf("%d times at the top, want 4", n)
		}
		if out := eval[[]string](b, `[...document.querySelectorAll("td.long, .fold5 tr:first-child > *")].filter(e => e.getBoundingClientRect().right > innerWidth)
			.filter(e => e.matches(".long") || e.closest("section").querySelector("h2").textContent.startsWith("What")).map(e => e.textContent)`); len(out) > 0 {
			t.Errorf("at %d beyond the window: %q", l.width, out)
		}
		if high := eval[float64](b, `Math.max(...[...document.querySelectorAll(".fold tbody tr")].map(e => e.getBoundingClientRect().height))`); high > 100 {
			t.Errorf("at %d a row is %v pixels high", l.width, high)
		}
		heads := 0
		for _, n := range b.tree() {
			if strings.Trim(string(n.Role.Value), `"`) == "columnheader" {
				heads++
			}
		}
		if heads != 20 { // of 3, 5, 6 and 6 columns, whatever the layout
			t.Errorf("at %d a screen reader has %d heads of columns, want 20", l.width, heads)
		}
		b.fits(l.width)
		b.legible()
		b.picture(fmt.Sprintf("narrow-%d", l.width))
	}
}

// TestWholeNumbers: connections are counted, so that there are none of 0.2.
func TestWholeNumbers(t *testing.T) {
	p := incident(t)
	c := p.Sections[0].Chart
	c.Series, c.Marks = c.Series[:1], nil
	for k := range c.Series[0].Values {
		c.Series[0].Values[k] = float64(k % 2)
	}
	b := open(t, write(t, "whole", p), look{width: 1280})
	eval[bool](b, `(() => {
		globalThis.written = [];
		const fill = CanvasRenderingContext2D.prototype.fillText;
		CanvasRenderingContext2D.prototype.fillText = function(text, ...rest) {
			written.push(String(text));
			return fill.call(this, text, ...rest);
		};
		return true;
	})()`)
	b.click("#theme")
	written := eval[[]string](b, "written")
	for _, s := range written {
		if strings.Contains(s, ".") {
			t.Errorf("an axis has %s", s)
		}
	}
	if !slices.Contains(written, "1") || !slices.Contains(written, "0") {
		t.Errorf("the axes have %q", written)
	}
}

// TestWithoutColours: what is stacked is told apart by order too, lines by their patterns, and
// a button that is pressed where the reader's colours take the place of the page's.
func TestWithoutColours(t *testing.T) {
	b := open(t, write(t, "incident", incident(t)), look{width: 1280})
	shown := func() bool { return eval[bool](b, `document.querySelector(".order").checkVisibility()`) }
	if !shown() || b.text(".order") != "From the bottom up:" {
		t.Error("the order of what is stacked is not said")
	}
	b.click(`[data-form=lines]`)
	if shown() {
		t.Error("lines are said to be from the bottom up")
	}
	if n := eval[int](b, `new Set([...document.querySelectorAll(".legend line")].map(e => e.getAttribute("stroke-dasharray"))).size`); n != 6 {
		t.Errorf("six lines have %d patterns", n)
	}
	b.picture("patterns")
	outline := func(pressed bool) string {
		return eval[string](b, fmt.Sprintf(`getComputedStyle(document.querySelector(".tools [aria-pressed=%v]")).outlineStyle`, pressed))
	}
	b.media(emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "forced-colors", Value: "active"}}})
	b.settle()
	b.do(chromedp.Focus(chromedp.CSS(".plot")))
	if on, off := outline(true), outline(false); on != "solid" || off == "solid" {
		t.Errorf("the button that is pressed has the outline %s, the other %s", on, off)
	}
	b.picture("forced")
}
