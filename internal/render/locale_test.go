package render

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/clipperhouse/displaywidth"
	"github.com/olekukonko/tablewriter/pkg/twwidth"
)

// inLocale tells a child of TestGoldensHoldInEveryLocale what tablewriter must take
// the width of ambiguous characters for.
const inLocale = "IPVSSTATE_TEST_EAST_ASIAN"

// TestGoldensHoldInEveryLocale draws the goldens again in other locales, each in a
// process of its own: tablewriter looks at the locale once, when it is loaded, and
// takes ambiguous characters to be wide in some.
func TestGoldensHoldInEveryLocale(t *testing.T) {
	if *update {
		t.Skip("the goldens are being rewritten")
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name      string
		env       []string
		eastAsian string
	}{
		{"C", []string{"LC_ALL=C", "TERM=linux"}, "false"},
		{"zh_CN", []string{"LC_ALL=zh_CN.UTF-8", "TERM=linux"}, "true"},
		{"ja_JP", []string{"LC_ALL=ja_JP.UTF-8", "TERM=vt100"}, "true"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := exec.Command(program, "-test.run=^(TestGoldens|TestLocaleTakesEffect)$", "-test.count=1", "-test.v")
			// Nothing of our own surroundings but what a program needs to start.
			c.Env = append(tt.env, "PATH="+os.Getenv("PATH"), "HOME="+os.Getenv("HOME"), "TMPDIR="+os.TempDir(), inLocale+"="+tt.eastAsian)
			out, err := c.CombinedOutput()
			if err != nil {
				t.Errorf("%v:\n%.3000s", err, out)
			}
			if !strings.Contains(string(out), "--- PASS: TestGoldens ") || !strings.Contains(string(out), "--- PASS: TestLocaleTakesEffect ") {
				t.Errorf("the goldens were not drawn:\n%.3000s", out)
			}
		})
	}
}

// TestLocaleTakesEffect keeps the test above honest: its children must really have
// been drawn with other widths.
func TestLocaleTakesEffect(t *testing.T) {
	want := os.Getenv(inLocale)
	if want == "" {
		return // not a child
	}
	if got := twwidth.IsEastAsian(); got != (want == "true") {
		t.Errorf("tablewriter takes ambiguous characters to be wide: %v, want %s", got, want)
	}
}

// TestNoAmbiguousCharacters keeps characters out of the tables that are narrow in one
// terminal and wide in another (“”…°—): no table with them is straight in both.
func TestNoAmbiguousCharacters(t *testing.T) {
	wide := displaywidth.Options{EastAsianWidth: true}
	for name, s := range summaries(t) {
		for _, p := range pages(t) {
			for _, part := range s.parts(p.o) {
				var cells []string
				for _, c := range part.table.columns {
					cells = append(cells, c.head)
				}
				for _, row := range part.table.rows {
					cells = append(cells, row...)
				}
				for _, cell := range cells {
					plain := strings.ReplaceAll(cell, "\ufffd", "?") // of hostile's, what Clean put there
					if wide.String(plain) != displaywidth.String(plain) {
						t.Errorf("%s, %s: %q takes %d columns or %d", name, p.title, cell, displaywidth.String(plain), wide.String(plain))
					}
				}
			}
		}
	}
}
