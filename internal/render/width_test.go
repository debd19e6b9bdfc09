package render

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/explain"
	"ipvsstate/internal/tally"
)

// screenLines draws a screen and gives its lines, without colours.
func screenLines(t testing.TB, s *Summary, o Options) []string {
	t.Helper()
	var b bytes.Buffer
	if err := Screen(&b, s, o); err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("\x1b[1m", "", "\x1b[36m", "", "\x1b[0m", "").Replace(b.String())
	if strings.Contains(text, "\x1b") {
		t.Errorf("an escape that is none of the program's own in %q", text)
	}
	if !strings.HasSuffix(text, "\n") {
		t.Errorf("the last line does not end: %q", text)
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

// TestNoLineIsTooWide draws two summaries with everything in them at every third width
// of a terminal, and all others at some.
func TestNoLineIsTooWide(t *testing.T) {
	for _, l := range explain.Languages() {
		w := words(t, explain.Language(l))
		draw := func(name string, s *Summary, limit int, o Options) {
			o.Words, o.Width = w, limit
			for _, line := range screenLines(t, s, o) {
				if n := width(line); n > limit {
					t.Errorf("%s, %s, %d: %d columns in %q", l, name, limit, n, line)
				}
				if strings.TrimRight(line, " ") != line {
					t.Errorf("%s, %s, %d: blanks at the end of %q", l, name, limit, line)
				}
			}
		}
		for name, s := range summaries(t) {
			step := 16
			if name == "live" || name == "hostile" {
				step = 3
			}
			for limit := 50; limit <= 200; limit += step {
				draw(name, s, limit, Options{Explain: true})
				if limit%5 == 0 {
					draw(name, s, limit, Options{Explain: limit%2 == 0, Terminal: true, Color: true, Wide: name != "many"})
				}
			}
		}
		for name, s := range listings(t) {
			for limit := 50; limit <= 200; limit += 75 {
				draw(name, s, limit, Options{Explain: true})
			}
		}
	}
}

// TestWideServices has a service whose name alone is nearly as wide as the screen.
func TestWideServices(t *testing.T) {
	c := tally.New(tally.Options{})
	long := strings.Repeat("abcdefghi.", 5) + "abcd" // ipvsadm cuts name and port at 59 characters
	for i := range 3 {
		add(c, 1000, conn.TCP, "ESTABLISHED", "10.0.1.100:80", "10.0.0.12:80", func(e *conn.Entry) {
			e.Virtual = conn.Endpoint{Host: fmt.Sprint(long, i), Port: 8080, PortKnown: true}
		})
	}
	for range 10 { // to a million and more
		double := tally.New(tally.Options{})
		double.Merge(c)
		c.Merge(double)
	}
	s := many(t)
	s.Tally = c
	for limit := 80; limit <= 120; limit++ {
		for _, line := range screenLines(t, s, Options{Words: words(t, explain.English), Width: limit, Explain: true}) {
			if n := width(line); n > limit {
				t.Errorf("width %d: %d columns in %q", limit, n, line)
			}
		}
	}
}

// TestNarrowServices: a name that is wider than the screen makes its line wider, but
// is never cut: it is what the reader came for.
func TestNarrowServices(t *testing.T) {
	s := listing(t, "k6.1-ipvsadm-Lnc.txt")
	c := tally.New(tally.Options{})
	add(c, 3, conn.TCP, "ESTABLISHED", "[2001:db8:1111:2222:3333:4444:5555:6666]:65535", "10.0.0.12:80")
	add(c, 1, conn.TCP, "ESTABLISHED", "10.0.1.100:80", "10.0.0.12:80")
	s.Tally = c
	text := strings.Join(screenLines(t, s, Options{Words: words(t, explain.English), Width: 50, Explain: true}), "\n")
	if !strings.Contains(text, "[2001:db8:1111:2222:3333:4444:5555:6666]:65535") {
		t.Errorf("the service is cut:\n%s", text)
	}
}

// TestServicesAddUp reads the table of services back: each row's states are its
// connections, and the columns' are the totals, at any width.
func TestServicesAddUp(t *testing.T) {
	o := Options{Words: words(t, explain.English), Explain: true}
	for name, s := range listings(t) {
		services := s.Tally.Services()
		if len(services) < 2 {
			continue
		}
		for limit := 50; limit <= 200; limit += 10 {
			o.Width = limit
			addsUp(t, fmt.Sprintf("%s, width %d", name, limit), s, s.servicesTable(services, o))
		}
	}
	for _, s := range []*Summary{live(t), many(t), merged(t), hostile(t)} {
		for limit := 50; limit <= 200; limit += 5 {
			o.Width = limit
			addsUp(t, fmt.Sprintf("%s, width %d", s.Name, limit), s, s.servicesTable(s.Tally.Services(), o))
		}
	}
}

// TestServicesBeyondTheFirst has more services than are counted one by one.
func TestServicesBeyondTheFirst(t *testing.T) {
	c := tally.New(tally.Options{})
	for i := range tally.MaxServices + 10 {
		add(c, 1, conn.TCP, "ESTABLISHED", fmt.Sprintf("10.%d.%d.%d:%d", i>>16&255, i>>8&255, i&255, 1+i), "10.0.0.12:80")
	}
	s := many(t)
	s.Tally = c
	addsUp(t, "many", s, s.servicesTable(c.Services(), Options{Words: words(t, explain.English)}))
}

// addsUp checks the sums of a table of services.
func addsUp(t *testing.T, what string, s *Summary, table *table) {
	t.Helper()
	number := func(cell string) (n uint64) {
		if cell != "-" {
			if _, err := fmt.Sscan(strings.ReplaceAll(cell, ",", ""), &n); err != nil {
				t.Fatalf("%s: %q is no number", what, cell)
			}
		}
		return n
	}
	const connections = 2
	firstState := connections + 1
	if s.Tally.Templates() > 0 { // else there is no column of them
		firstState++
	}
	sums := make([]uint64, len(table.columns))
	last := len(table.rows) - 1
	for i, row := range table.rows {
		inStates := uint64(0)
		for c := connections; c < len(row); c++ {
			n := number(row[c])
			if c >= firstState {
				inStates += n
			}
			if i < last {
				sums[c] += n
			} else if n != sums[c] {
				t.Errorf("%s: column %q adds up to %d, the total is %d", what, table.columns[c].head, sums[c], n)
			}
		}
		if inStates != number(row[connections]) {
			t.Errorf("%s: row %v has %d connections, %d by state", what, row, number(row[connections]), inStates)
		}
	}
	if got := number(table.rows[last][connections]); got != s.Tally.Connections() {
		t.Errorf("%s: %d connections in all, want %d", what, got, s.Tally.Connections())
	}
	if got := number(table.rows[last][connections+1]); firstState > connections+1 && got != s.Tally.Templates() {
		t.Errorf("%s: %d templates in all, want %d", what, got, s.Tally.Templates())
	}
}

// TestColumnsAreGivenUpInOrder: the state and its count are never given up.
func TestColumnsAreGivenUpInOrder(t *testing.T) {
	s := live(t)
	states := s.Tally.States(tally.ByCount)
	had := 6
	for limit := 200; limit >= 20; limit -= 2 {
		table := s.statesTable(states, Options{Words: words(t, explain.English), Width: limit, Explain: true})
		table.fit(limit)
		heads := make([]string, len(table.columns))
		for i, c := range table.columns {
			heads[i] = c.head
		}
		if len(heads) > had {
			t.Errorf("width %d has more columns than %d: %v", limit, limit+2, heads)
		}
		had = len(heads)
		text := strings.Join(heads, " ")
		if !strings.Contains(text, "STATE COUNT") {
			t.Errorf("width %d: columns %s", limit, text)
		}
		for _, row := range table.rows {
			if len(row) != len(heads) {
				t.Errorf("width %d: row %q under %v", limit, row, heads)
			}
		}
	}
	if had != 2 {
		t.Errorf("20 columns hold %d", had)
	}
}

func TestBars(t *testing.T) {
	for _, tt := range []struct {
		n, most uint64
		want    int
	}{{0, 0, 0}, {0, 10, 0}, {10, 10, barWidth}, {5, 10, barWidth / 2}, {1, 1000000, 1}, {999999, 1000000, barWidth - 1}, {1 << 40, 1 << 40, barWidth}} {
		if got := bar(tt.n, tt.most); len(got) != tt.want || strings.Trim(got, "#") != "" {
			t.Errorf("%d of %d is %q", tt.n, tt.most, got)
		}
	}
}
