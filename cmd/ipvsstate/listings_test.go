package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/clipperhouse/displaywidth"
)

// listings are the bundled listings that hold one; the others are error messages and
// services, which testdata/script has.
func listings(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob("../../testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	var with []string
	for _, name := range all {
		switch filepath.Base(name) {
		case "k6.1-ipvsadm-Ln.txt", "k6.1-ipvsadm-Lnc-t.txt":
		default:
			with = append(with, name)
		}
	}
	if len(with) < 30 {
		t.Fatalf("only %d listings in testdata", len(with))
	}
	return with
}

// inProcess runs the program in this process, without an environment, on a terminal
// of that width if it is not 0.
func inProcess(t *testing.T, width int, args ...string) (stdout string) {
	t.Helper()
	var out, errOut bytes.Buffer
	a := testApp(&out, &errOut, width, nil)
	a.terminal = width > 0
	if code := run(t.Context(), a, args); code != exitDone {
		t.Fatalf("ipvsstate %s: exit code %d\n%s", strings.Join(args, " "), code, &errOut)
	}
	return out.String()
}

// document is what the tests want of the JSON output.
type document struct {
	Input struct {
		Lines, Entries, Skipped, Bad, Duplicates int
	}
	Connections, Templates int
	States                 []struct {
		Protocol string
		State    *string
		Count    int
		Share    float64
	}
	TemplateStates []struct {
		Protocol, State, Kind string
		Count                 int
	} `json:"template_states"`
	Services []struct {
		Connections, Templates int
		States                 map[string]int
	}
	Ungrouped struct{ Connections, Templates int }
}

func summaryOf(t *testing.T, args ...string) *document {
	t.Helper()
	d := &document{}
	if err := json.Unmarshal([]byte(inProcess(t, 0, append(args, "-o", "json")...)), d); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestInvariants holds what must add up in every summary, in every output.
func TestInvariants(t *testing.T) {
	for _, name := range listings(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			d := summaryOf(t, "--merge", name)
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			in := d.Input
			equal(t, "lines", in.Lines, strings.Count(strings.TrimSuffix(string(text), "\n"), "\n")+1)
			equal(t, "entries + skipped + bad", in.Entries+in.Skipped+in.Bad, in.Lines)
			equal(t, "connections + templates", d.Connections+d.Templates, in.Entries-in.Duplicates)

			states, templates, share := 0, 0, 0.0
			for _, s := range d.States {
				states += s.Count
				share += s.Share
			}
			for _, s := range d.TemplateStates {
				templates += s.Count
			}
			equal(t, "the states' sum", states, d.Connections)
			equal(t, "the template states' sum", templates, d.Templates)
			if d.Connections > 0 && (share < 0.9999 || share > 1.0001) {
				t.Errorf("the shares' sum is %v, want 1", share)
			}
			connections, templates := d.Ungrouped.Connections, d.Ungrouped.Templates
			for _, s := range d.Services {
				connections += s.Connections
				templates += s.Templates
				states := 0
				for _, n := range s.States {
					states += n
				}
				equal(t, "a service's states' sum", states, s.Connections)
			}
			equal(t, "the services' connections", connections, d.Connections)
			equal(t, "the services' templates", templates, d.Templates)
			sameTotals(t, name, d)
		})
	}
}

// sameTotals compares the other outputs' states and totals with the JSON.
func sameTotals(t *testing.T, name string, d *document) {
	t.Helper()
	want := [][]string{}
	for _, s := range d.States {
		state := ""
		if s.State != nil {
			state = *s.State
		}
		want = append(want, []string{"connection", s.Protocol, state, strconv.Itoa(s.Count)})
	}
	for _, s := range d.TemplateStates {
		kind := map[string]string{"client": "template", "fwmark": "fwmark_template", "invalidated": "invalidated_template"}[s.Kind]
		want = append(want, []string{kind, s.Protocol, s.State, strconv.Itoa(s.Count)})
	}
	want = append(want,
		[]string{"total", "", "connections", strconv.Itoa(d.Connections)},
		[]string{"total", "", "templates", strconv.Itoa(d.Templates)})
	rows, err := csv.NewReader(strings.NewReader(inProcess(t, 0, "--merge", "-o", "csv", name))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		rows[i] = rows[i][:4]
	}
	if got := rows[1:]; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("CSV has\n%v\nwant\n%v", got, want)
	}
	lines := map[string][]string{
		"table":    {fmt.Sprintf(`(?m)^ +total +%d +100\.0%%$`, d.Connections)},
		"markdown": {fmt.Sprintf(`(?m)^\| +\| total +\| +%d \| 100\.0%% \|`, d.Connections)},
	}
	if len(d.Services) > 1 {
		if d.Templates > 0 { // else there is no column of them
			lines["table"] = append(lines["table"], fmt.Sprintf(`(?m)^ +total +%d +%d +\d`, d.Connections, d.Templates))
			lines["markdown"] = append(lines["markdown"], fmt.Sprintf(`(?m)^\| +\| total +\| +%d \| +%d \|`, d.Connections, d.Templates))
		}
	}
	for output, all := range lines {
		got := inProcess(t, 0, "--merge", "--no-explain", "-o", output, name)
		for _, line := range all {
			if !regexp.MustCompile(line).MatchString(got) {
				t.Errorf("%s has no line %s:\n%s", output, line, got)
			}
		}
	}
}

// TestWidths looks for lines that are wider than the terminal.
func TestWidths(t *testing.T) {
	for _, name := range listings(t) {
		for _, lang := range []string{"en", "zh"} {
			for _, width := range []int{60, 80, 100, 120, 200} {
				t.Run(fmt.Sprintf("%s/%s/%d", filepath.Base(name), lang, width), func(t *testing.T) {
					noWider(t, width, inProcess(t, width, "--color", "never", "--lang", lang, name))
					if width == 60 {
						noWider(t, width, inProcess(t, width, "--color", "never", "--lang", lang, "--no-explain", name))
					}
				})
			}
		}
	}
}

func noWider(t *testing.T, width int, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if w := displaywidth.String(line); w > width {
			t.Errorf("a line is %d columns wide: %q", w, line)
		}
		if strings.HasSuffix(line, " ") {
			t.Errorf("a line ends with a blank: %q", line)
		}
	}
}

// TestColorsKeepWidths holds a terminal's output in colours to the one without.
func TestColorsKeepWidths(t *testing.T) {
	escape := regexp.MustCompile("\x1b\\[[0-9;]*m")
	for _, name := range listings(t) {
		plain := inProcess(t, 120, "--color", "never", name)
		painted := inProcess(t, 120, "--color", "auto", name)
		if painted == plain {
			t.Errorf("%s: no colours on a terminal", name)
		}
		if got := escape.ReplaceAllString(painted, ""); got != plain {
			t.Errorf("%s: without its colours it reads\n%s\nwant\n%s", name, got, plain)
		}
	}
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}
