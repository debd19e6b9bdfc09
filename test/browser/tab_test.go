package browser

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

var pictures = flag.String("pictures", "", "a folder for pictures of the pages")

// chromium is the browser all tests share.
var chromium context.Context

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		fmt.Fprintln(os.Stderr, "these tests want chromium: run test/browser.sh")
		return 1
	}
	dir, err := os.MkdirTemp("", "browser")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(dir), chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	defer stop()
	var cancel context.CancelFunc
	chromium, cancel = chromedp.NewContext(allocator)
	defer cancel()
	if err := chromedp.Do(chromium, chromedp.Navigate("about:blank")); err != nil {
		fmt.Fprintln(os.Stderr, "chromium does not start:", err)
		return 1
	}
	return m.Run()
}

// tab is a page in the browser, and what went wrong in it.
type tab struct {
	t    *testing.T
	ctx  context.Context
	mu   sync.Mutex
	wire []string // requests other than for the page itself
	log  []string // errors, and what the policy stopped
}

// look is how a page is looked at.
type look struct {
	width            int64
	dark, scriptless bool
}

// open opens a page. At the test's end it must not have asked for anything else, nor
// have complained.
func open(t *testing.T, address string, l look) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(chromium)
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	b := &tab{t: t, ctx: ctx}
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, s := range b.wire {
			t.Errorf("the page asked for %s", s)
		}
		for _, s := range b.log {
			t.Errorf("the browser says: %s", s)
		}
		stop()
		cancel()
	})
	if err := chromedp.Listen(ctx, func(e any) { b.note(e, address) }); err != nil {
		t.Fatal(err)
	}
	scheme := "light"
	if l.dark {
		scheme = "dark"
	}
	b.do(chromedp.EmulateViewport(l.width, 900), call(network.Enable, network.EnableParams{}),
		call(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: l.scriptless}))
	b.media(emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	b.do(chromedp.Navigate(address))
	if !l.scriptless {
		b.ready()
	}
	return b
}

// ready waits until a page is there, and readies it for canvas.
func (b *tab) ready() {
	b.t.Helper()
	b.settle()
	eval[bool](b, `(globalThis.pixels = canvas => { // of a copy, for the browser complains of a canvas that is read often
		const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", {willReadFrequently: true});
		copy.drawImage(canvas, 0, 0);
		return copy.getImageData(0, 0, canvas.width, canvas.height);
	}) !== null`)
}

// note keeps what a page is not to do.
func (b *tab) note(event any, address string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if asked, _, _ := strings.Cut(e.Request.URL, "#"); asked != address {
			b.wire = append(b.wire, e.Request.URL)
		}
	case *runtime.EventExceptionThrown:
		b.log = append(b.log, fmt.Sprintf("%+v", e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		b.log = append(b.log, fmt.Sprint(e.Type))
	case *log.EventEntryAdded:
		b.log = append(b.log, e.Entry.Text)
	}
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// media makes the browser claim another medium or another scheme of colours.
func (b *tab) media(p emulation.SetEmulatedMediaParams) {
	b.t.Helper()
	b.do(call(emulation.SetEmulatedMedia, p))
}

// call is a command of the browser's protocol.
func call[P, R any](command cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, command, params)
		return err
	})
}

// settle waits until the page has drawn what it is to draw.
func (b *tab) settle() {
	b.t.Helper()
	eval[bool](b, `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
}

// eval is the value of an expression in the page.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// text is what a selector's first element has in it.
func (b *tab) text(selector string) string {
	b.t.Helper()
	return strings.TrimSpace(eval[string](b, fmt.Sprintf("document.querySelector(%q).textContent", selector)))
}

// keys presses keys in the first chart.
func (b *tab) keys(keys ...string) {
	b.t.Helper()
	b.do(chromedp.Focus(chromedp.CSS(".plot")))
	for _, k := range keys {
		b.do(chromedp.KeyEvent(k))
	}
	b.settle()
}

func (b *tab) click(selector string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector)))
	b.settle()
}

// canvas is a number that changes when the first chart's drawing does; ink is how many
// of its pixels have a colour, and hues how many colours it has.
func (b *tab) canvas() (sum, ink, hues float64) {
	b.t.Helper()
	v := eval[[]float64](b, `(() => {
		const data = pixels(document.querySelector(".plot canvas")).data;
		const hues = new Map();
		let sum = 0, ink = 0;
		for (let i = 0; i < data.length; i += 4) {
			if (data[i + 3] > 200) {
				ink++;
				const hue = data[i] << 16 | data[i + 1] << 8 | data[i + 2];
				hues.set(hue, (hues.get(hue) || 0) + 1);
			}
			sum = (sum * 31 + data[i] + 3 * data[i + 1] + 7 * data[i + 2] + data[i + 3]) % 1000000007;
		}
		return [sum, ink / (data.length / 4), [...hues.values()].filter(n => n > 200).length];
	})()`)
	return v[0], v[1], v[2]
}

// picture keeps a picture of the whole page, if asked to.
func (b *tab) picture(name string) {
	b.t.Helper()
	if *pictures == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	b.keep(name+".png", png)
}

// keep keeps a file with the pictures.
func (b *tab) keep(name string, data []byte) {
	b.t.Helper()
	if *pictures == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(*pictures, name), data, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// print is the page as a PDF.
func (b *tab) print() []byte {
	b.t.Helper()
	pdf, err := chromedp.Run(b.ctx, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4), chromedp.PDFPreferCSSPageSize()))
	if err != nil {
		b.t.Fatal(err)
	}
	return pdf
}
