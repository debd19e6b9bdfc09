package render

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
	"testing"

	"ipvsstate/internal/explain"
)

// rows is the summary as CSV, read back.
func rows(t *testing.T, s *Summary, o Options) [][]string {
	t.Helper()
	var b bytes.Buffer
	if err := CSV(&b, s, o); err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(&b).ReadAll() // wants as many fields in each row
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestCSV(t *testing.T) {
	for name, s := range summaries(t) {
		sums := make(map[string]uint64)
		totals := make(map[string]uint64)
		for i, row := range rows(t, s, Options{Words: words(t, explain.English), Explain: true}) {
			if i == 0 {
				if got := strings.Join(row, ","); got != "kind,protocol,state,count,share,timeout_seconds,meaning" {
					t.Errorf("%s: titles %s", name, got)
				}
				continue
			}
			var n uint64
			if _, err := fmt.Sscan(row[3], &n); err != nil {
				t.Errorf("%s: %q is no number", name, row[3])
			}
			switch row[0] {
			case "connection":
				sums["connections"] += n
			case "template", "fwmark_template", "invalidated_template":
				sums["templates"] += n
			case "total":
				totals[row[2]] = n
			default:
				t.Errorf("%s: kind %q", name, row[0])
			}
		}
		if sums["connections"] != totals["connections"] || sums["templates"] != totals["templates"] || len(totals) != 2 {
			t.Errorf("%s: sums %v, totals %v", name, sums, totals)
		}
	}
}

// TestCSVIsNoProgram keeps what a spreadsheet would run from being run.
func TestCSVIsNoProgram(t *testing.T) {
	for i, row := range rows(t, hostile(t), Options{Words: words(t, explain.English), Explain: true}) {
		for _, cell := range row {
			if cell != "" && strings.ContainsRune("=+@\t\r", rune(cell[0])) {
				t.Errorf("row %d has the cell %q", i, cell)
			}
			if Clean(cell) != cell {
				t.Errorf("row %d has control characters in %q", i, cell)
			}
		}
	}
	for text, want := range map[string]string{
		"": "", "TCP": "TCP", "=1+2": "'=1+2", "+1": "'+1", "@SUM(1)": "'@SUM(1)", "a=b": "a=b",
		"--": "--", "-12": "-12", "-0.5": "-0.5", "-2+3+cmd|'/C'!A0": "'-2+3+cmd|'/C'!A0", "-A1": "'-A1", "-inf": "'-inf", "\x1b[2J": "\ufffd[2J", "\t=1": "\ufffd=1", "\r=1": "\ufffd=1",
	} {
		if got := plainCell(text); got != want {
			t.Errorf("%q is written %q, want %q", text, got, want)
		}
	}
}

// TestCSVCleansFormulas has both in one text.
func TestCSVCleansFormulas(t *testing.T) {
	if got, want := plainCell("=1\x1b[2J"), "'=1\ufffd[2J"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// cells are the cells of a row of a Markdown table.
func cells(line string) int {
	line = strings.NewReplacer(`\\`, "", `\|`, "").Replace(line)
	return strings.Count(line, "|") - 1
}

// TestMarkdown has tables whose rows have as many cells as their titles.
func TestMarkdown(t *testing.T) {
	all := summaries(t)
	delete(all, "hostile") // see TestMarkdownTitles
	markdownTables(t, all)
}

// TestMarkdownTitles has a state as a title that means something to Markdown.
func TestMarkdownTitles(t *testing.T) {
	markdownTables(t, map[string]*Summary{"hostile": hostile(t)})
}

func markdownTables(t *testing.T, all map[string]*Summary) {
	t.Helper()
	for name, s := range all {
		var b bytes.Buffer
		if err := Markdown(&b, s, Options{Words: words(t, explain.English), Explain: true}); err != nil {
			t.Fatal(err)
		}
		head, tables := 0, 0
		for line := range strings.Lines(b.String()) {
			line = strings.TrimSuffix(line, "\n")
			switch {
			case !strings.HasPrefix(line, "|"):
				head = 0
			case head == 0:
				head = cells(line)
				tables++
			case cells(line) != head:
				t.Errorf("%s: %d cells under %d titles in %q", name, cells(line), head, line)
			}
			if strings.Contains(line, "\x1b") || Clean(line) != line {
				t.Errorf("%s: control characters in %q", name, line)
			}
		}
		if want := len(s.parts(Options{Words: words(t, explain.English)})); tables != want {
			t.Errorf("%s: %d tables, want %d", name, tables, want)
		}
	}
}
