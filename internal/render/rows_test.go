package render

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/explain"
	"ipvsstate/internal/parse"
)

var rowFormats = []string{RowsTable, RowsJSONL, RowsCSV, RowsIpvsadm, RowsProc}

// rowServices are a director's, of which forwarding methods and times of templates are told.
func rowServices() []conn.Service {
	return []conn.Service{
		{Protocol: conn.TCP, Virtual: numeric("10.0.1.1:80"), Persistent: 300, Servers: []conn.Server{
			{Address: numeric("10.0.0.1:80"), Forwarding: conn.Masquerade}, {Address: numeric("10.0.0.2:80"), Forwarding: conn.Tunnel},
		}},
		{Protocol: conn.UDP, Virtual: numeric("[fd00:1::1]:53"), Servers: []conn.Server{{Address: numeric("[fd00::1]:53"), Forwarding: conn.DirectRoute}}},
	}
}

func rowOptions(t testing.TB, format string, change ...func(*RowOptions)) RowOptions {
	o := RowOptions{
		Format: format, Words: words(t, explain.English),
		Timing: conn.NewTiming(conn.DefaultTimeouts, rowServices()), Directory: conn.NewDirectory(rowServices()),
	}
	for _, c := range change {
		c(&o)
	}
	return o
}

// listRows writes listings, each in parts, of which all are written or only one.
func listRows(t testing.TB, o RowOptions, only int, listings ...[][]conn.Entry) (string, *RowSink) {
	t.Helper()
	var b bytes.Buffer
	k := NewRowSink(&b, o)
	k.Begin(0, only)
	for _, parts := range listings {
		whole := k.NewRows()
		p := k.NewRows() // which is used again, as those of a reading are
		for _, part := range parts {
			p.Reset()
			for i := range part {
				p.Add(&part[i])
			}
			whole.Merge(p)
		}
	}
	if err := k.Finish(); err != nil {
		t.Fatal(err)
	}
	return b.String(), k
}

// listed is one listing in one part.
func listed(t testing.TB, o RowOptions, entries []conn.Entry) string {
	t.Helper()
	text, _ := listRows(t, o, 0, [][]conn.Entry{entries})
	return text
}

type rowGenerator struct{ *rand.Rand }

func pickRow[T any](g rowGenerator, of ...T) T { return of[g.IntN(len(of))] }

// entry is an entry of any dialect, now and then with names and what is not told.
func (g rowGenerator) entry() conn.Entry {
	e := conn.Entry{
		Protocol: pickRow(g, conn.TCP, conn.TCP, conn.UDP, conn.SCTP), Expires: conn.Seconds(g.IntN(900)), Timeout: conn.Unknown,
		Client:  numeric(fmt.Sprintf("192.0.2.%d:%d", g.IntN(256), 1024+g.IntN(60000))),
		Virtual: numeric(pickRow(g, "10.0.1.1:80", "10.0.1.1:443", "10.0.1.2:80")),
		Server:  numeric(pickRow(g, "10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:8080")),
		State:   pickRow(g, conn.Established, conn.FinWait, conn.SynRecv, conn.None, conn.Assured),
	}
	switch g.IntN(12) {
	case 0: // a template
		e.Client.Port, e.State = 0, conn.Assured
		if g.IntN(3) == 0 {
			e.Virtual.Port, e.Server.Port = 65535, 65535
		}
	case 1: // of a mark
		e.Protocol, e.Client.Port, e.Virtual = conn.IP, 0, numeric("0.0.0.7:0")
	case 2, 3:
		e.Client.Addr = netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", g.IntN(4096)))
		e.Protocol, e.Virtual, e.Server, e.State = conn.UDP, numeric("[fd00:1::1]:53"), numeric("[fd00::1]:53"), conn.UDPState
	case 4: // DPVS
		e.Local, e.Expires, e.Timeout = numeric(fmt.Sprintf("10.0.2.1:%d", 1024+g.IntN(5000))), conn.Unknown, conn.Seconds(g.IntN(200))
		e.State = pickRow(g, states("TCP_EST", "TCP_CLOSE")...)
	case 5: // FULLNAT
		e.Local = numeric(fmt.Sprintf("10.0.2.2:%d", 1024+g.IntN(5000)))
	case 6:
		e.Client = conn.Endpoint{Host: pickRow(g, "client-a", "client-b.example"), Port: e.Client.Port, PortKnown: true}
	case 7:
		e.Virtual = conn.Endpoint{Host: "vip", Service: "http", Port: 80, PortKnown: true}
	case 8:
		e.Client.Port, e.State, e.PEName, e.PEData = 0, conn.None, "sip", fmt.Sprintf("call-%d", g.IntN(1000))
	case 9:
		e.State = pickRow(g, states("", "NEW", "NEWER")...)
	case 10:
		e.Protocol, _ = conn.ProtocolOf(pickRow(g, "DCCP", "IP_50"))
	}
	if g.IntN(3) == 0 {
		e.Origin = pickRow(g, conn.Local, conn.Sync)
	}
	return e
}

func states(all ...string) []conn.State {
	var s []conn.State
	for _, word := range all {
		state, _ := conn.StateOf(word)
		s = append(s, state)
	}
	return s
}

func rowEntries(seed uint64, n int) []conn.Entry {
	g := rowGenerator{rand.New(rand.NewPCG(seed, 5))}
	all := make([]conn.Entry, n)
	for i := range all {
		all[i] = g.entry()
	}
	return all
}

// plainEntry is a connection of which nothing is out of the way.
func plainEntry() conn.Entry {
	return conn.Entry{
		Protocol: conn.TCP, State: conn.Established, Expires: 897, Timeout: conn.Unknown,
		Client: numeric("192.0.2.1:4000"), Virtual: numeric("10.0.1.1:80"), Server: numeric("10.0.0.1:80"),
	}
}

func TestRowsTable(t *testing.T) {
	second := plainEntry()
	second.Client, second.State, second.Expires = numeric("[2001:db8::1]:65000"), conn.FinWait, 6
	template := plainEntry()
	template.Client.Port, template.State, template.Expires = 0, conn.Assured, 6000
	got := listed(t, rowOptions(t, RowsTable, func(o *RowOptions) { o.Directory = conn.NewDirectory(nil) }), []conn.Entry{plainEntry(), second, template})
	want := `PROTO  KIND      STATE        EXPIRES   IDLE  CLIENT               VIRTUAL      REAL SERVER
TCP              ESTABLISHED    14:57  00:03  192.0.2.1:4000       10.0.1.1:80  10.0.0.1:80
TCP              FIN_WAIT       00:06  01:54  [2001:db8::1]:65000  10.0.1.1:80  10.0.0.1:80
TCP    template  ASSURED       100:00         192.0.2.1:0          10.0.1.1:80  10.0.0.1:80
`
	if got != want {
		t.Errorf("a table is\n%s\nwant\n%s", got, want)
	}
	chosen := listed(t, rowOptions(t, RowsTable, func(o *RowOptions) { o.Columns = []string{"origin", "client", "local", "expires"} }), []conn.Entry{plainEntry()})
	want = "ORIGIN  CLIENT          LOCAL  EXPIRES\n        192.0.2.1:4000           14:57\n"
	if chosen != want {
		t.Errorf("with columns that were chosen it is\n%s\nwant\n%s", chosen, want)
	}
	painted := listed(t, rowOptions(t, RowsTable, func(o *RowOptions) { o.Columns, o.Color = []string{"proto"}, true }), []conn.Entry{plainEntry()})
	if want := "\x1b[1mPROTO\x1b[0m\nTCP\n"; painted != want {
		t.Errorf("in colours it is %q, want %q", painted, want)
	}
}

// TestRowsTableColumns has each optional column where one of the rows tells it, and no
// other.
func TestRowsTableColumns(t *testing.T) {
	usual := []string{"PROTO", "STATE", "EXPIRES", "IDLE", "CLIENT", "VIRTUAL", "REAL SERVER"}
	for head, change := range map[string]func(*conn.Entry){
		"":         func(*conn.Entry) {},
		"KIND":     func(e *conn.Entry) { e.Client.Port = 0 },
		"LOCAL":    func(e *conn.Entry) { e.Local = numeric("10.0.2.1:1024") },
		"ORIGIN":   func(e *conn.Entry) { e.Origin = conn.Sync },
		"TIMEOUT":  func(e *conn.Entry) { e.Timeout = 90 },
		"PE":       func(e *conn.Entry) { e.PEName = "sip" },
		"PE DATA":  func(e *conn.Entry) { e.PEData = "call" },
		"FORWARD":  nil,
		"(unheld)": func(e *conn.Entry) { e.Expires = conn.Unknown },
	} {
		o := rowOptions(t, RowsTable, func(o *RowOptions) { o.Directory = conn.NewDirectory(nil) })
		e := plainEntry()
		if change == nil {
			o.Directory = conn.NewDirectory(rowServices())
		} else {
			change(&e)
		}
		text := listed(t, o, []conn.Entry{plainEntry(), e, plainEntry()})
		first, _, _ := strings.Cut(text, "\n")
		want := usual
		if strings.ToUpper(head) == head && head != "" {
			want = append(slices.Clone(usual), head)
		}
		got := strings.FieldsFunc(strings.ReplaceAll(first, "  ", "\n"), func(r rune) bool { return r == '\n' })
		for i := range got {
			got[i] = strings.TrimSpace(got[i])
		}
		if !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
			t.Errorf("%q: the titles are %q, want %q", head, got, want)
		}
	}
}

// TestRowsTableWidths has wide titles and hosts: every column begins where its title does.
func TestRowsTableWidths(t *testing.T) {
	entries := rowEntries(1, 900)
	entries[5].Client = conn.Endpoint{Host: "主机.example", Port: 5, PortKnown: true}
	for _, lang := range explain.Languages() {
		o := rowOptions(t, RowsTable, func(o *RowOptions) { o.Words = words(t, explain.Language(lang)) })
		lines := strings.Split(strings.TrimSuffix(listed(t, o, entries), "\n"), "\n")
		if len(lines) != len(entries)+1 {
			t.Fatalf("%s: %d lines for %d entries", lang, len(lines), len(entries))
		}
		// A column is as wide as its widest cell: its last blank is blank in every line.
		at := 0
		for _, c := range rowColumns {
			head := o.Words.Word("column." + c.name)
			w := width(head)
			for k := range entries {
				w = max(w, width(string(c.append(&o, nil, &entries[k]))))
			}
			for k := range entries {
				cell := string(c.append(&o, nil, &entries[k]))
				if got, want := strings.TrimRight(upTo(behind(lines[k+1], at), w+len(gap)), " "), strings.TrimRight(padded(c.right, cell, w), " "); got != want {
					t.Fatalf("%s: %s of row %d is %q, want %q", lang, c.name, k, got, want)
				}
			}
			if got, want := strings.TrimRight(upTo(behind(lines[0], at), w+len(gap)), " "), strings.TrimRight(padded(c.right, head, w), " "); got != want {
				t.Fatalf("%s: the title of %s is %q, want %q", lang, c.name, got, want)
			}
			at += w + len(gap)
		}
		for k, line := range lines {
			if strings.TrimRight(line, " ") != line || width(line) > at {
				t.Errorf("%s: line %d ends with blanks, or is too wide: %q", lang, k, line)
			}
		}
	}
}

// behind is what is left of a line behind so many columns of a terminal, and upTo what is
// in front.
func behind(line string, columns int) string { return line[len(upTo(line, columns)):] }

func upTo(line string, columns int) string {
	at := 0
	for i, r := range line {
		if at >= columns {
			return line[:i]
		}
		at += width(string(r))
	}
	return line
}

func padded(right bool, text string, w int) string {
	blanks := strings.Repeat(" ", max(0, w-width(text)))
	if right {
		return blanks + text
	}
	return text + blanks
}

// TestRowsTableFirstRows has a table whose first thousand rows decide.
func TestRowsTableFirstRows(t *testing.T) {
	for _, cut := range []int{1, 999, 1000, 1001} {
		entries := make([]conn.Entry, 1001)
		for i := range entries {
			entries[i] = plainEntry()
		}
		last := &entries[1000]
		last.Client, last.Origin = numeric("[2001:db8:1:2:3:4:5:6]:65000"), conn.Sync
		o := rowOptions(t, RowsTable, func(o *RowOptions) { o.Directory = conn.NewDirectory(nil) })
		text, k := listRows(t, o, 0, [][]conn.Entry{entries[:cut], entries[cut:]})
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		if len(lines) != 1002 || k.Listed != 1001 {
			t.Fatalf("%d lines, %d listed", len(lines), k.Listed)
		}
		for i, want := range map[int]string{
			0:    "PROTO  STATE        EXPIRES   IDLE  CLIENT          VIRTUAL      REAL SERVER",
			1:    "TCP    ESTABLISHED    14:57  00:03  192.0.2.1:4000  10.0.1.1:80  10.0.0.1:80",
			1000: "TCP    ESTABLISHED    14:57  00:03  192.0.2.1:4000  10.0.1.1:80  10.0.0.1:80",
			1001: "TCP    ESTABLISHED    14:57  00:03  [2001:db8:1:2:3:4:5:6]:65000  10.0.1.1:80  10.0.0.1:80",
		} {
			if lines[i] != want {
				t.Errorf("cut at %d, line %d is\n%s\nwant\n%s", cut, i, lines[i], want)
			}
		}
		// One row earlier it has its column, and its width.
		text, _ = listRows(t, o, 0, [][]conn.Entry{entries[1:]})
		if first, _, _ := strings.Cut(text, "\n"); !strings.HasSuffix(first, "  ORIGIN") || strings.Index(first, "VIRTUAL")-strings.Index(first, "CLIENT") != len("[2001:db8:1:2:3:4:5:6]:65000  ") {
			t.Errorf("the titles are %q", first)
		}
	}
}

// hostileTexts are what nobody should name a host or a call, and some do.
var hostileTexts = []string{
	`a"b`, `"`, `\`, `a\`, `\n`, `\u0041`, "a\nb", "a\r\nb", "\r", "a\tb", "\t", "\x00", "\x01\x1f", "\x7f", "\x1b[2J", "\x1b]0;owned\a",
	"\xff", "a\xff\xfeb", "\xc3", "\xed\xa0\x80", "<script>&amp;", "<>&", "a,b", ",", "a, \"b\"", "'", "=1+2", "+1", "-1", "@SUM(1)", "=\"x\"", "'=1",
	" a", "a ", " ", "主机", "é", "\u2028", "\u202e", "\ufffd", "\u0085", "#", "\ufeff", "null", "{}", "=", "+\n", "=,\"",
}

// hostileEntries have such texts in every place that takes one.
func hostileEntries() []conn.Entry {
	var all []conn.Entry
	for _, text := range hostileTexts {
		for place := range 8 {
			e := plainEntry()
			switch place {
			case 0:
				e.Client = conn.Endpoint{Host: text, Port: 1, PortKnown: true}
			case 1:
				e.Virtual = conn.Endpoint{Host: text}
			case 2:
				e.Local = conn.Endpoint{Host: text, Service: "http"}
			case 3:
				e.Server = conn.Endpoint{Addr: netip.MustParseAddr("10.0.0.1"), Service: text}
			case 4:
				e.PEName = text
			case 5:
				e.PEData = text
			case 6:
				e.State = states(text)[0]
			case 7:
				e.Protocol, _ = conn.ProtocolOf(text)
			}
			all = append(all, e)
		}
	}
	return all
}

// rowTexts are an entry's texts by their keys, written another way.
func rowTexts(o *RowOptions, e *conn.Entry) map[string]string {
	endpoint := func(p conn.Endpoint) string {
		s := p.Host
		if p.Addr.IsValid() {
			if s = p.Addr.String(); p.Addr.Is6() {
				s = "[" + s + "]"
			}
		}
		switch {
		case p.Service != "":
			s += ":" + p.Service
		case p.PortKnown:
			s += fmt.Sprintf(":%d", p.Port)
		}
		return s
	}
	number := func(n conn.Seconds) string {
		if n == conn.Unknown {
			return ""
		}
		return fmt.Sprint(n)
	}
	return map[string]string{
		"protocol":        e.Protocol.String(),
		"kind":            [...]string{"connection", "template", "fwmark_template", "invalidated_template"}[e.Kind()],
		"state":           e.State.String(),
		"expires_seconds": number(e.Expires),
		"idle_seconds":    number(o.Timing.Idle(e)),
		"client":          endpoint(e.Client),
		"virtual":         endpoint(e.Virtual),
		"local":           endpoint(e.Local),
		"server":          endpoint(e.Server),
		"forwarding":      o.Directory.Forwarding(e).String(),
		"origin":          map[conn.Origin]string{conn.Local: "LOCAL", conn.Sync: "SYNC"}[e.Origin],
		"timeout_seconds": number(e.Timeout),
		"pe_name":         e.PEName,
		"pe_data":         e.PEData,
	}
}

// eachByte replaces each byte that is no UTF-8, as encoding/json does.
func eachByte(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteRune(r)
	}
	return b.String()
}

func TestRowsJSONL(t *testing.T) {
	o := rowOptions(t, RowsJSONL)
	entries := append(hostileEntries(), rowEntries(2, 3000)...)
	text := listed(t, o, entries)
	lines := strings.SplitAfter(text, "\n")
	if lines = lines[:len(lines)-1]; len(lines) != len(entries) {
		t.Fatalf("%d lines of %d entries", len(lines), len(entries))
	}
	for i, line := range lines {
		if !json.Valid([]byte(line)) || !utf8.ValidString(line) || strings.ContainsAny(line[:len(line)-1], "\n\r\x00\x1b") {
			t.Errorf("line %d is no JSON: %q", i, line)
			continue
		}
		d := json.NewDecoder(strings.NewReader(line))
		d.UseNumber()
		var got map[string]any
		if err := d.Decode(&got); err != nil {
			t.Fatal(err)
		}
		want := rowTexts(&o, &entries[i])
		if !slices.Equal(slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want))) {
			t.Fatalf("line %d has the keys %q", i, slices.Sorted(maps.Keys(got)))
		}
		for key, v := range want {
			var value any = eachByte(v)
			switch {
			case v == "":
				value = nil
			case strings.HasSuffix(key, "_seconds"):
				value = json.Number(v)
			}
			if got[key] != value {
				t.Errorf("line %d: %s is %#v, want %#v", i, key, got[key], value)
			}
		}
	}
	chosen := listed(t, rowOptions(t, RowsJSONL, func(o *RowOptions) { o.Columns = []string{"origin", "expires", "client"} }), []conn.Entry{plainEntry()})
	if want := `{"origin":null,"expires_seconds":897,"client":"192.0.2.1:4000"}` + "\n"; chosen != want {
		t.Errorf("with columns that were chosen it is %s, want %s", chosen, want)
	}
}

// formula neutralizes a cell as the other CSVs do, but for numbers and DPVS's protocol --.
func formula(s string) string {
	s = Clean(s)
	if s != "" && strings.IndexByte("=+-@", s[0]) >= 0 && s != "--" && !negative.MatchString(s) {
		return "'" + s
	}
	return s
}

var negative = regexp.MustCompile(`^-[0-9.]+$`)

func TestRowsCSV(t *testing.T) {
	o := rowOptions(t, RowsCSV)
	entries := append(hostileEntries(), rowEntries(3, 3000)...)
	got, err := csv.NewReader(strings.NewReader(listed(t, o, entries))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(entries)+1 {
		t.Fatalf("%d rows of %d entries", len(got), len(entries))
	}
	head := got[0]
	if want := slices.Sorted(maps.Keys(rowTexts(&o, &entries[0]))); !slices.Equal(slices.Sorted(slices.Values(head)), want) {
		t.Fatalf("the titles are %q", head)
	}
	for i := range entries {
		want := rowTexts(&o, &entries[i])
		for c, cell := range got[i+1] {
			if cell != formula(want[head[c]]) {
				t.Errorf("row %d: %s is %q, want %q", i, head[c], cell, formula(want[head[c]]))
			}
			if cell != "" && strings.IndexByte("=+@\t\r", cell[0]) >= 0 || Clean(cell) != cell {
				t.Errorf("row %d: %s is %q", i, head[c], cell)
			}
		}
	}
}

// TestRowsCSVOneColumn has one column that is mostly empty: each entry is still a row.
func TestRowsCSVOneColumn(t *testing.T) {
	last := plainEntry()
	last.Origin = conn.Sync
	text := listed(t, rowOptions(t, RowsCSV, func(o *RowOptions) { o.Columns = []string{"origin"} }), []conn.Entry{plainEntry(), plainEntry(), last})
	got, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if want := [][]string{{"origin"}, {""}, {""}, {"SYNC"}}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%q reads %q, want %q", text, got, want)
	}
}

// TestRowsListings has the formats that are listings again, and counts what they cannot
// hold.
func TestRowsListings(t *testing.T) {
	entries := append(rowEntries(4, 3000), hostileEntries()...)
	for format, write := range map[string]func([]byte, *conn.Entry) ([]byte, error){RowsIpvsadm: parse.AppendIpvsadm, RowsProc: parse.AppendProc} {
		for _, origin := range []conn.Origin{conn.UnknownOrigin, conn.Local} {
			entries[0] = plainEntry()
			entries[0].Origin = origin
			want := parse.AppendIpvsadmTitle(nil, false)
			if format == RowsProc {
				want = parse.AppendProcTitle(nil, origin != conn.UnknownOrigin)
			}
			var why error
			unwritable := uint64(0)
			for i := range entries {
				var err error
				if want, err = write(want, &entries[i]); err != nil {
					unwritable++
					why = cmp.Or(why, err)
				}
			}
			for _, change := range []func(*RowOptions){func(*RowOptions) {}, func(o *RowOptions) { o.Resolve = func([]conn.Entry) {} }} {
				got, k := listRows(t, rowOptions(t, format, change), 0, [][]conn.Entry{entries[:10], entries[10:]})
				if got != string(want) {
					t.Errorf("%s differs", format)
				}
				if k.Unwritable != unwritable || unwritable == 0 || k.Listed != uint64(len(entries))-unwritable {
					t.Errorf("%s: %d left out, %d listed; want %d and %d", format, k.Unwritable, k.Listed, unwritable, uint64(len(entries))-unwritable)
				}
				if k.Why == nil || k.Why.Error() != why.Error() {
					t.Errorf("%s: left out because %v, want %v", format, k.Why, why)
				}
			}
		}
	}
}

// cutUp cuts entries into parts, some of them empty.
func cutUp(g rowGenerator, entries []conn.Entry) (parts [][]conn.Entry) {
	for len(entries) > 0 {
		n := min(len(entries), g.IntN(700)*g.IntN(2))
		parts = append(parts, entries[:n])
		entries = entries[n:]
	}
	return append(parts, nil)
}

// TestRowsParts has parts that come to the same as the whole, in every format and order.
func TestRowsParts(t *testing.T) {
	g := rowGenerator{rand.New(rand.NewPCG(9, 9))}
	entries := rowEntries(5, 2200)
	for _, format := range rowFormats {
		for _, sort := range []string{"", "client", "state"} {
			for _, limit := range []int{0, 1, 1050, math.MaxInt} {
				o := rowOptions(t, format, func(o *RowOptions) { o.Sort, o.Reverse, o.Limit = sort, sort == "state", limit })
				want, whole := listRows(t, o, 0, [][]conn.Entry{entries})
				for range 2 {
					got, k := listRows(t, o, 0, cutUp(g, entries))
					if got != want || k.Listed != whole.Listed {
						t.Errorf("%s, sorted by %q, limit %d: the parts differ from the whole: %d and %d entries", format, sort, limit, k.Listed, whole.Listed)
					}
				}
			}
		}
	}
}

// TestRowsLimit holds a limit against the first of all rows.
func TestRowsLimit(t *testing.T) {
	entries := rowEntries(6, 2000)
	for _, format := range rowFormats {
		titles := strings.Count(listed(t, rowOptions(t, format), nil), "\n")
		sorts := []string{"", "client"}
		if format == RowsJSONL {
			sorts = append(RowColumns(), "")
		}
		for _, sort := range sorts {
			o := rowOptions(t, format, func(o *RowOptions) { o.Sort = sort })
			all, whole := listRows(t, o, 0, [][]conn.Entry{entries[:900], entries[900:]})
			lines := strings.SplitAfter(all, "\n")
			for _, limit := range []int{1, 1000, 1500} {
				o.Limit = limit
				got, k := listRows(t, o, 0, [][]conn.Entry{entries[:900], entries[900:]})
				if format == RowsIpvsadm || format == RowsProc {
					if sort != "" {
						continue // see TestRowsLimitOfWritable
					}
					limit = min(limit, int(whole.Listed))
				} else if whole.Listed != uint64(len(entries)) {
					t.Errorf("%s, sorted by %q: %d listed", format, sort, whole.Listed)
				}
				want := strings.Join(lines[:titles+limit], "")
				if format == RowsTable { // whose widths are of what it shows
					_, got, _ = strings.Cut(squeeze(got), "\n")
					want = squeeze(strings.Join(lines[titles:titles+limit], ""))
				}
				if got != want || k.Listed != uint64(limit) {
					t.Errorf("%s, sorted by %q, limit %d: %d entries, not the first of all", format, sort, limit, k.Listed)
				}
			}
		}
	}
}

// squeeze leaves one blank between the words of each line.
func squeeze(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.Join(strings.Fields(line), " ") + "\n")
	}
	return b.String()
}

// TestRowsLimitOfWritable has the same rows, and the same entries left out, whether they
// are sorted, resolved or written as they come: what is behind the limit was not asked for.
func TestRowsLimitOfWritable(t *testing.T) {
	good, bad := plainEntry(), plainEntry()
	bad.Client = conn.Endpoint{Host: "client", Port: 4000, PortKnown: true}
	for name, c := range map[string]struct {
		entries            []conn.Entry
		limit              int
		listed, unwritable uint64
	}{
		"bad behind the limit": {[]conn.Entry{good, good, bad}, 2, 2, 0},
		"all good":             {[]conn.Entry{good, good, good}, 2, 2, 0},
		"no limit":             {[]conn.Entry{good, bad, good}, 0, 2, 1},
	} {
		for how, change := range map[string]func(*RowOptions){
			"as they come": func(*RowOptions) {},
			"sorted":       func(o *RowOptions) { o.Sort = "proto" },
			"resolved":     func(o *RowOptions) { o.Resolve = func([]conn.Entry) {} },
		} {
			text, k := listRows(t, rowOptions(t, RowsProc, func(o *RowOptions) { o.Limit = c.limit; change(o) }), 0, [][]conn.Entry{c.entries})
			if k.Listed != c.listed || k.Unwritable != c.unwritable || strings.Count(text, "\n") != int(c.listed)+1 {
				t.Errorf("%s, %s: %d listed, %d left out, want %d and %d", name, how, k.Listed, k.Unwritable, c.listed, c.unwritable)
			}
		}
	}
}

// rowOrder is an order of entries found another way: what is not told is nil.
func rowOrder(o *RowOptions, column string, e *conn.Entry) []any {
	endpoint := func(p conn.Endpoint) []any {
		if p.IsZero() {
			return nil
		}
		addr := "" // hosts come first
		if p.Addr.IsValid() {
			addr = fmt.Sprintf("%03d %x", p.Addr.BitLen(), p.Addr.AsSlice())
		}
		return []any{addr, p.Host, fmt.Sprintf("%05d", p.Port), p.Service}
	}
	seconds := func(s conn.Seconds) []any {
		if s == conn.Unknown {
			return nil
		}
		return []any{fmt.Sprintf("%010d", s)}
	}
	word := func(s string) []any {
		if s == "" {
			return nil
		}
		return []any{s}
	}
	index := func(i int, s string) []any {
		if i == 0 {
			i = 999
		}
		return []any{fmt.Sprintf("%03d", i), s}
	}
	switch column {
	case "proto":
		return index(e.Protocol.Index(), e.Protocol.String())
	case "kind":
		return []any{fmt.Sprint(e.Kind())}
	case "state":
		if e.State == (conn.State{}) {
			return nil
		}
		return index(e.State.Index(), e.State.String())
	case "expires":
		return seconds(e.Expires)
	case "idle":
		if s := o.Timing.Idle(e); s != conn.Unknown {
			return seconds(1e6 - s) // the longest first
		}
		return nil
	case "client":
		return endpoint(e.Client)
	case "virtual":
		return endpoint(e.Virtual)
	case "local":
		return endpoint(e.Local)
	case "server":
		return endpoint(e.Server)
	case "forwarding":
		if f := o.Directory.Forwarding(e); f != conn.UnknownForwarding {
			return []any{fmt.Sprint(uint8(f))}
		}
		return nil
	case "origin":
		if e.Origin == conn.UnknownOrigin {
			return nil
		}
		return []any{fmt.Sprint(uint8(e.Origin))}
	case "timeout":
		return seconds(e.Timeout)
	case "engine":
		return word(e.PEName)
	}
	return word(e.PEData)
}

func compareRows(a, b []any) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return slices.CompareFunc(a, b, func(x, y any) int { return strings.Compare(x.(string), y.(string)) })
}

// TestRowsSort sorts by every column: what is not told comes last, and what is equal stays
// in the order of the input.
func TestRowsSort(t *testing.T) {
	entries := rowEntries(7, 1500)
	for _, column := range RowColumns() {
		t.Run(column, func(t *testing.T) {
			for _, reverse := range []bool{false, true} {
				o := rowOptions(t, RowsJSONL, func(o *RowOptions) { o.Sort, o.Reverse = column, reverse })
				sorted := slices.Clone(entries)
				unknown := 0
				slices.SortStableFunc(sorted, func(a, b conn.Entry) int {
					x, y := rowOrder(&o, column, &a), rowOrder(&o, column, &b)
					c := compareRows(x, y)
					if reverse && x != nil && y != nil { // what is not told is last either way
						return -c
					}
					return c
				})
				for i := range sorted {
					if rowOrder(&o, column, &sorted[i]) == nil {
						unknown++
					}
				}
				want := listed(t, rowOptions(t, RowsJSONL), sorted)
				before := slices.Clone(entries)
				if got := listed(t, o, entries); got != want {
					g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
					for i := range g {
						if g[i] != w[i] {
							t.Errorf("reverse %v, row %d is %s\nwant %s", reverse, i, g[i], w[i])
							break
						}
					}
				}
				if !slices.Equal(entries, before) {
					t.Error("the caller's entries were sorted too")
				}
				switch column {
				case "state", "expires", "idle", "local", "forwarding", "origin", "timeout", "engine", "data":
					if unknown == 0 || unknown == len(entries) {
						t.Errorf("%d of %d are not told", unknown, len(entries))
					}
				}
			}
		})
	}
}

// TestRowsOnly writes one listing of several, or all.
func TestRowsOnly(t *testing.T) {
	var listings [][][]conn.Entry
	for i := range 4 {
		entries := rowEntries(uint64(20+i), 50)
		listings = append(listings, [][]conn.Entry{entries[:20], entries[20:20], entries[20:]})
	}
	listings[2] = [][]conn.Entry{nil, nil} // an empty one
	for _, format := range rowFormats {
		for _, sort := range []string{"", "client"} {
			for _, resolve := range []func([]conn.Entry){nil, func([]conn.Entry) {}} {
				o := rowOptions(t, format, func(o *RowOptions) { o.Sort, o.Resolve = sort, resolve })
				for only := range 6 {
					var want []conn.Entry
					for i, parts := range listings {
						if only == 0 || only == i+1 {
							want = append(want, slices.Concat(parts...)...)
						}
					}
					got, k := listRows(t, o, only, listings...)
					if alone, whole := listRows(t, o, 0, [][]conn.Entry{want}); got != alone || k.Listed != whole.Listed || k.Unwritable != whole.Unwritable {
						t.Errorf("%s, sorted by %q, listing %d: %d listed and %d left out, want %d and %d", format, sort, only, k.Listed, k.Unwritable, whole.Listed, whole.Unwritable)
					}
				}
			}
		}
	}
}

// TestRowsOnlyOfSources counts listings over several sources.
func TestRowsOnlyOfSources(t *testing.T) {
	for only := range 5 {
		var b bytes.Buffer
		k := NewRowSink(&b, rowOptions(t, RowsCSV, func(o *RowOptions) { o.Columns = []string{"expires"} }))
		n := conn.Seconds(0)
		for source := range 2 {
			k.Begin(2*source, only)
			for range 2 {
				n++
				whole := k.NewRows()
				for range 2 {
					part := k.NewRows()
					e := plainEntry()
					e.Expires = n
					part.Add(&e)
					whole.Merge(part)
				}
			}
		}
		if err := k.Finish(); err != nil {
			t.Fatal(err)
		}
		want := "expires_seconds\n1\n1\n2\n2\n3\n3\n4\n4\n"
		if only > 0 {
			want = fmt.Sprintf("expires_seconds\n%d\n%[1]d\n", only)
		}
		if b.String() != want {
			t.Errorf("listing %d: %q, want %q", only, &b, want)
		}
	}
}

// TestRowsEmpty has titles and nothing else.
func TestRowsEmpty(t *testing.T) {
	for format, want := range map[string]string{
		RowsTable:   "PROTO  STATE  EXPIRES  IDLE  CLIENT  VIRTUAL  REAL SERVER\n",
		RowsJSONL:   "",
		RowsCSV:     "protocol,kind,state,expires_seconds,idle_seconds,client,virtual,local,server,forwarding,origin,timeout_seconds,pe_name,pe_data\n",
		RowsIpvsadm: string(parse.AppendIpvsadmTitle(nil, false)),
		RowsProc:    string(parse.AppendProcTitle(nil, false)),
	} {
		for name, change := range map[string]func(*RowOptions){
			"":         func(*RowOptions) {},
			"sorted":   func(o *RowOptions) { o.Sort = "client" },
			"limited":  func(o *RowOptions) { o.Limit = 5 },
			"resolved": func(o *RowOptions) { o.Resolve = func([]conn.Entry) { t.Error("there is nothing to look up") } },
		} {
			for _, listings := range [][][][]conn.Entry{nil, {nil}, {{nil}}, {{nil, nil}, {nil}}} {
				got, k := listRows(t, rowOptions(t, format, change), 0, listings...)
				if got != want || k.Listed+k.Unwritable != 0 {
					t.Errorf("%s %s: %q, want %q; %d listed", format, name, got, want, k.Listed)
				}
			}
		}
	}
}

// TestRowsResolve puts names into what is written, not into the caller's entries, and asks
// for no more than are written.
func TestRowsResolve(t *testing.T) {
	asked := 0
	resolve := func(entries []conn.Entry) {
		asked += len(entries)
		for i := range entries {
			entries[i].Client.Addr, entries[i].Client.Host = netip.Addr{}, "host"
		}
	}
	for _, sort := range []string{"", "client"} {
		for _, limit := range []int{0, 1, 3, 4, 9} {
			entries := make([]conn.Entry, 6)
			for i := range entries {
				entries[i] = plainEntry()
				entries[i].Client.Port = uint16(6 - i)
			}
			before := slices.Clone(entries)
			asked = 0
			text, _ := listRows(t, rowOptions(t, RowsCSV, func(o *RowOptions) {
				o.Columns, o.Sort, o.Limit, o.Resolve = []string{"client"}, sort, limit, resolve
			}), 0, [][]conn.Entry{entries[:2], entries[2:]})
			want := []string{"client"}
			for i := range entries {
				n := 6 - i
				if sort != "" {
					n = i + 1
				}
				if limit == 0 || i < limit {
					want = append(want, "host:"+strconv.Itoa(n))
				}
			}
			if got := strings.Split(strings.TrimSuffix(text, "\n"), "\n"); !slices.Equal(got, want) || asked != len(want)-1 {
				t.Errorf("sorted by %q, limit %d: %q with %d asked for, want %q", sort, limit, got, asked, want)
			}
			if !slices.Equal(entries, before) {
				t.Errorf("sorted by %q, limit %d: the caller's entries have names", sort, limit)
			}
		}
	}
}

func TestRowsWriteError(t *testing.T) {
	entries := rowEntries(8, 1500)
	for _, format := range rowFormats {
		for _, sort := range []string{"", "state"} {
			o := rowOptions(t, format, func(o *RowOptions) { o.Sort = sort })
			size := len(listed(t, o, entries))
			for _, room := range []int{0, 1, 64 << 10, size - 1, size} {
				k := NewRowSink(&full{room}, o)
				k.Begin(0, 0)
				whole := k.NewRows()
				for part := range slices.Chunk(entries, 500) {
					p := k.NewRows()
					for i := range part {
						p.Add(&part[i])
					}
					whole.Merge(p)
				}
				if err := k.Finish(); (err != nil) != (room < size) {
					t.Errorf("%s, sorted by %q, room for %d bytes of %d: %v", format, sort, room, size, err)
				}
			}
			if format == RowsJSONL {
				continue // which has no titles
			}
			k := NewRowSink(&full{}, o)
			if err := k.Finish(); err == nil {
				t.Errorf("%s: titles alone fit a full device", format)
			}
		}
	}
}
