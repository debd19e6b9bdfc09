package render

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/explain"
	"ipvsstate/internal/history"
	"ipvsstate/internal/tally"
)

// Diff is what `ipvsstate diff` shows.
type Diff struct {
	Before, After *Summary
	// Seconds is the time between the two, Unknown where it is not known.
	Seconds conn.Seconds
	// Whole says that neither lacks entries.
	Whole bool
	*history.Diff
	ConfigDiff
}

// ConfigDiff is what of the configuration differs.
type ConfigDiff struct {
	Config     []history.ConfigChange
	ConfigTold bool // by both
}

// configParts has a table of what differs, if anything does.
func (c *ConfigDiff) configParts(heads [2]string, o Options) []part {
	if len(c.Config) == 0 {
		return nil
	}
	word := o.Words
	t := &table{columns: []column{{head: word.Word("head.setting"), flexible: true}, {head: word.Word(heads[0])}, {head: word.Word(heads[1])}}}
	value := func(text string) string {
		if text == "" {
			return word.Word("config.none")
		}
		return Clean(text)
	}
	shown := len(c.Config)
	if top := o.top(shownRows); top > 0 {
		shown = min(shown, top)
	}
	for i := range c.Config[:shown] {
		v := &c.Config[i]
		name := Clean(v.Name)
		if v.Server != "" {
			name += " -> " + Clean(v.Server)
		}
		t.add(name, value(v.Before), value(v.After))
	}
	if left := len(c.Config) - shown; left > 0 {
		t.add(word.Count("groups.rest", uint64(left)), "", "")
	}
	return []part{{word.Word("title.config-changes"), t}}
}

type configChangeJSON struct {
	What   history.ConfigPart `json:"what"`
	Name   string             `json:"name"`
	Server *string            `json:"server"`
	Before *string            `json:"before"`
	After  *string            `json:"after"`
}

// document is null where not both tell their configuration.
func (c *ConfigDiff) document() *[]configChangeJSON {
	if !c.ConfigTold {
		return nil
	}
	all := make([]configChangeJSON, 0, len(c.Config))
	for i := range c.Config {
		v := &c.Config[i]
		all = append(all, configChangeJSON{v.What, v.Name, optional(v.Server, v.Server != ""), optional(v.Before, v.Before != ""), optional(v.After, v.After != "")})
	}
	return &all
}

// DiffScreen writes a comparison for a person.
func DiffScreen(w io.Writer, d *Diff, o Options) error {
	return writeParts(w, d.facts(o), d.parts(o), o)
}

// writeParts writes the lines above the tables, and the tables.
func writeParts(w io.Writer, facts [][2]string, parts []part, o Options) error {
	if err := (&Summary{}).writeFacts(w, facts, o); err != nil {
		return err
	}
	for _, part := range parts {
		if err := part.write(w, o); err != nil {
			return err
		}
	}
	return nil
}

// DiffMarkdown writes a comparison for a ticket.
func DiffMarkdown(w io.Writer, d *Diff, o Options) error {
	o.Width, o.Terminal, o.Color = 0, false, false
	return partsMarkdown(w, d.facts(o), d.parts(o))
}

func partsMarkdown(w io.Writer, facts [][2]string, parts []part) error {
	var out bytes.Buffer
	if err := markdown(&out, facts, parts); err != nil {
		return err
	}
	_, err := out.WriteTo(w)
	return err
}

// pairFacts are the lines that name two listings, with their notes.
func pairFacts(labels [2]string, of [2]*Summary, named [2]uint64, word *explain.Catalogue) (facts, notes [][2]string) {
	for i, s := range of {
		text := s.source(word)
		if t := s.when(word); t != "" {
			text += word.Word("comma") + t
		}
		facts = append(facts, [2]string{labels[i], text})
		for _, note := range s.notes(word) {
			notes = append(notes, [2]string{word.Word("note"), labels[i] + word.Word("colon") + note})
		}
	}
	if of[0].Filter != "" {
		facts = append(facts, [2]string{word.Word("filter"), Clean(of[0].Filter)})
	}
	if (named[0] > 0) != (named[1] > 0) {
		notes = append(notes, [2]string{word.Word("note"), word.Word("diff.names")})
	}
	return facts, notes
}

func (d *Diff) facts(o Options) [][2]string {
	word := o.Words
	facts, notes := pairFacts([2]string{word.Word("before"), word.Word("after")}, [2]*Summary{d.Before, d.After}, d.Named, word)
	between := word.Word("between.unknown")
	if d.Seconds != conn.Unknown {
		between = lasting(d.Seconds)
	}
	facts = append(facts, [2]string{word.Word("between"), between})
	for _, t := range []struct {
		label string
		of    history.Turnover
	}{{"diff.connections", d.Connections}, {"diff.templates", d.Templates}} {
		if t.of.Before+t.of.After == 0 {
			continue
		}
		facts = append(facts, [2]string{word.Word(t.label), word.Word("diff.turnover", explain.Thousands(t.of.Before), explain.Thousands(t.of.After),
			signed(t.of.Before, t.of.After), explain.Thousands(t.of.New), explain.Thousands(t.of.Gone), explain.Thousands(t.of.Same))})
	}
	if d.Undercount > 0 {
		notes = append(notes, [2]string{word.Word("note"), word.Word("undercount", explain.Thousands(tally.MaxGroups), explain.Thousands(d.Undercount))})
	}
	if d.Before.Host != "" && d.After.Host != "" && d.Before.Host != d.After.Host {
		notes = append(notes, [2]string{word.Word("note"), word.Word("diff.hosts", Clean(d.Before.Host), Clean(d.After.Host))})
	}
	if d.Before.Tally.Duplicates()+d.After.Tally.Duplicates() > 0 {
		notes = append(notes, [2]string{word.Word("note"), word.Word("diff.missed")})
	}
	if d.Connections.Fates[history.Unjudged]+d.Templates.Fates[history.Unjudged] > 0 {
		why := "diff.untimed"
		switch {
		case d.Seconds == conn.Unknown:
			why = "diff.unjudged"
		case !d.Whole:
			why = "diff.not-whole"
		}
		notes = append(notes, [2]string{word.Word("note"), word.Word(why)})
	}
	return append(facts, notes...)
}

// lasting is a span in the words of a clock, 1h5m0s without what is zero at its end.
func lasting(s conn.Seconds) string { return lastingTime(time.Duration(s) * time.Second) }

// signed is a change with its sign.
func signed(before, after uint64) string {
	switch {
	case after > before:
		return "+" + explain.Thousands(after-before)
	case after < before:
		return "-" + explain.Thousands(before-after)
	}
	return "0"
}

func (d *Diff) parts(o Options) []part {
	word := o.Words
	var all []part
	if len(d.States.All) > 0 {
		all = append(all, part{word.Word("title.diff-states"), d.changesTable(tally.State, d.States, o)})
	}
	if len(d.Moves) > 0 {
		all = append(all, part{word.Word("title.moves"), d.movesTable(o)})
	}
	all = append(all, d.configParts([2]string{"head.before", "head.after"}, o)...)
	for _, by := range []struct {
		aspect tally.Aspect
		of     history.Changes
		title  string
	}{{tally.OfService, d.Services, "title.diff-services"}, {tally.Server, d.Servers, "title.diff-servers"}, {tally.Client, d.Networks, "title.diff-networks"}} {
		if t := d.changesTable(by.aspect, by.of, o); len(t.rows) > 0 {
			all = append(all, part{word.Word(by.title), t})
		}
	}
	return all
}

// changesTable has the groups that changed, and all states.
func (d *Diff) changesTable(a tally.Aspect, c history.Changes, o Options) *table {
	word := o.Words
	t := &table{}
	head := "head." + a.String()
	switch a {
	case tally.State:
		t.columns = []column{{head: word.Word("head.protocol"), priority: 2}}
	case tally.Client:
		head = "head.network"
	}
	t.columns = append(t.columns, column{head: word.Word(head)},
		column{head: word.Word("head.before"), right: true}, column{head: word.Word("head.after"), right: true},
		column{head: word.Word("head.change"), right: true}, column{head: word.Word("head.percent"), right: true, priority: 1})
	row := func(label string, v history.Change) {
		cells := []string{label, explain.Thousands(v.Before), explain.Thousands(v.After), signed(v.Before, v.After), relative(v.Before, v.After)}
		if a == tally.State {
			cells = append([]string{Clean(v.Value.Protocol.String())}, cells...)
		}
		t.add(cells...)
	}
	dimension := tally.Dimension{Aspect: a, Bits4: 24, Bits6: 64}
	left, rest := 0, c.Rest
	for _, v := range c.All {
		switch {
		case a != tally.State && o.top(shownRows) > 0 && len(t.rows) >= o.top(shownRows):
			left++
			rest.Before, rest.After = rest.Before+v.Before, rest.After+v.After
		case a == tally.State:
			row(stateWord(v.Value.State, word), v)
		default:
			row(groupCell(dimension, &v.Value, word), v)
		}
	}
	if left += c.Cut; left > 0 {
		row(word.Count("groups.rest", uint64(left)), rest)
	}
	return t
}

// relative is a change as a share of what there was.
func relative(before, after uint64) string {
	switch {
	case before == after:
		return ""
	case before == 0:
		return "-"
	}
	return fmt.Sprintf("%+.1f%%", 100*(float64(after)/float64(before)-1))
}

// movesTable has the states that changed, and what is new and gone.
func (d *Diff) movesTable(o Options) *table {
	word := o.Words
	t := &table{columns: []column{
		{head: word.Word("head.protocol"), priority: 2},
		{head: word.Word("head.from")}, {head: word.Word("head.to")},
		{head: word.Word("head.count"), right: true}, {head: word.Word("head.how"), flexible: true, priority: 1}}}
	// What did not move comes last.
	still := func(m history.Move) bool { return !m.New && !m.Gone && m.From == m.To }
	moves := slices.Clone(d.Moves)
	slices.SortStableFunc(moves, func(a, b history.Move) int {
		return cmp.Compare(map[bool]int{true: 1}[still(a)], map[bool]int{true: 1}[still(b)])
	})
	for _, m := range moves {
		from, to, how := stateWord(m.From, word), stateWord(m.To, word), ""
		switch {
		case m.New:
			from = word.Word("move.new")
		case m.Gone:
			to, how = word.Word("move.gone"), fatesText(&m, word)
		case still(m):
			how = word.Word("move.still")
		}
		t.add(Clean(m.Protocol.String()), from, to, explain.Thousands(m.Count), how)
	}
	return t
}

var fateNames = [history.NumFates]string{"unjudged", "expired", "ended", "removed"}

func fatesText(m *history.Move, word *explain.Catalogue) string {
	var all []string
	for _, f := range []history.Fate{history.Expired, history.Ended, history.Removed} {
		name := fateNames[f]
		if f == history.Ended && m.Protocol == conn.UDP { // which has no FIN
			name = "lowered"
		}
		if n := m.Fates[f]; n > 0 {
			all = append(all, word.Word("fate."+name, explain.Thousands(n)))
		}
	}
	return strings.Join(all, word.Word("comma"))
}

type diffJSON struct {
	Schema      int          `json:"schema"`
	Before      sideJSON     `json:"before"`
	After       sideJSON     `json:"after"`
	Seconds     *int64       `json:"between_seconds"`
	Filter      string       `json:"filter"`
	Connections turnoverJSON `json:"connections"`
	Templates   turnoverJSON `json:"templates"`
	Moves       []moveJSON   `json:"moves"`
	States      []changeJSON `json:"states"`
	Services    []changeJSON `json:"services"`
	Servers     []changeJSON `json:"servers"`
	Networks    []changeJSON `json:"networks"`
	Left        leftJSON     `json:"left_out"`
	Undercount  uint64       `json:"undercount"`

	Config *[]configChangeJSON `json:"config"`
}

type sideJSON struct {
	Source   sourceJSON   `json:"source"`
	Snapshot snapshotJSON `json:"snapshot"`
	Input    inputJSON    `json:"input"`
}

func (s *Summary) side() sideJSON {
	return sideJSON{s.sourceDocument(), s.snapshotDocument(), s.inputDocument()}
}

type turnoverJSON struct {
	Before uint64    `json:"before"`
	After  uint64    `json:"after"`
	New    uint64    `json:"new"`
	Gone   uint64    `json:"gone"`
	Same   uint64    `json:"same"`
	Fates  fatesJSON `json:"gone_by"`
}

type fatesJSON struct {
	Expired  uint64 `json:"expired"`
	Ended    uint64 `json:"ended"`
	Removed  uint64 `json:"removed"`
	Unjudged uint64 `json:"unknown"`
}

func fatesDocument(f *[history.NumFates]uint64) fatesJSON {
	return fatesJSON{f[history.Expired], f[history.Ended], f[history.Removed], f[history.Unjudged]}
}

type moveJSON struct {
	Protocol string     `json:"protocol"`
	From     *string    `json:"from"`
	To       *string    `json:"to"`
	Count    uint64     `json:"count"`
	Fates    *fatesJSON `json:"gone_by,omitempty"`
}

type changeJSON struct {
	Protocol string  `json:"protocol,omitempty"`
	Name     *string `json:"name"`
	Before   uint64  `json:"before"`
	After    uint64  `json:"after"`
	Change   int64   `json:"change"`
}

type leftJSON struct {
	Services int `json:"services"`
	Servers  int `json:"servers"`
	Networks int `json:"networks"`
}

func turnoverDocument(t *history.Turnover) turnoverJSON {
	return turnoverJSON{t.Before, t.After, t.New, t.Gone, t.Same, fatesDocument(&t.Fates)}
}

// changeName names a group for programs: a state and a service have their protocol apart.
func changeName(a tally.Aspect, v *tally.Value) (protocol string, name *string) {
	switch a {
	case tally.State:
		return v.Protocol.String(), optional(v.State.String(), v.State != conn.State{})
	case tally.OfService:
		return v.Protocol.String(), optional(v.Endpoint.String(), true)
	}
	text, ok := groupValue(tally.Dimension{Aspect: a, Bits4: 24, Bits6: 64}, v)
	return "", optional(text, ok)
}

func changesDocument(a tally.Aspect, c history.Changes) []changeJSON {
	all := make([]changeJSON, 0, len(c.All))
	for i := range c.All {
		v := &c.All[i]
		protocol, name := changeName(a, &v.Value)
		all = append(all, changeJSON{protocol, name, v.Before, v.After, int64(v.After) - int64(v.Before)})
	}
	return all
}

// DiffJSON writes a comparison for programs.
func DiffJSON(w io.Writer, d *Diff, _ Options) error {
	doc := diffJSON{
		Schema: Schema, Before: d.Before.side(), After: d.After.side(), Filter: d.Before.Filter,
		Seconds:     optional(int64(d.Seconds), d.Seconds != conn.Unknown),
		Connections: turnoverDocument(&d.Connections), Templates: turnoverDocument(&d.Templates), Moves: []moveJSON{},
		States: changesDocument(tally.State, d.States), Services: changesDocument(tally.OfService, d.Services),
		Servers: changesDocument(tally.Server, d.Servers), Networks: changesDocument(tally.Client, d.Networks),
		Left: leftJSON{d.Services.Cut, d.Servers.Cut, d.Networks.Cut}, Undercount: d.Undercount, Config: d.ConfigDiff.document(),
	}
	for _, m := range d.Moves {
		j := moveJSON{Protocol: m.Protocol.String(), From: optional(m.From.String(), !m.New), To: optional(m.To.String(), !m.Gone), Count: m.Count}
		if m.Gone {
			fates := fatesDocument(&m.Fates)
			j.Fates = &fates
		}
		doc.Moves = append(doc.Moves, j)
	}
	return writeJSON(w, doc)
}

// DiffCSV writes a comparison for a spreadsheet, a row for each group and each move.
func DiffCSV(w io.Writer, d *Diff, _ Options) error {
	c := csv.NewWriter(w)
	c.Write([]string{"what", "protocol", "name", "to", "before", "after", "change", "expired", "ended", "removed", "unknown"})
	row := func(what, protocol, name, to string, before, after uint64, fates *[history.NumFates]uint64) {
		cells := []string{what, protocol, name, to, number(before), number(after), strconv.FormatInt(int64(after)-int64(before), 10), "", "", "", ""}
		if fates != nil {
			for i, f := range []history.Fate{history.Expired, history.Ended, history.Removed, history.Unjudged} {
				cells[7+i] = number(fates[f])
			}
		}
		c.Write(cells)
	}
	for _, t := range []struct {
		name string
		of   *history.Turnover
	}{{"connections", &d.Connections}, {"templates", &d.Templates}} {
		row(t.name, "", "", "", t.of.Before, t.of.After, &t.of.Fates)
	}
	for _, g := range []struct {
		aspect tally.Aspect
		what   string
		of     history.Changes
	}{{tally.State, "state", d.States}, {tally.OfService, "service", d.Services}, {tally.Server, "server", d.Servers}, {tally.Client, "network", d.Networks}} {
		for i := range g.of.All {
			v := &g.of.All[i]
			protocol, name := changeName(g.aspect, &v.Value)
			text := ""
			if name != nil {
				text = *name
			}
			row(g.what, protocol, text, "", v.Before, v.After, nil)
		}
		if g.of.Cut > 0 {
			row(g.what+"s left out", "", strconv.Itoa(g.of.Cut), "", g.of.Rest.Before, g.of.Rest.After, nil)
		}
	}
	for _, m := range d.Moves {
		switch {
		case m.New:
			row("new", m.Protocol.String(), "", m.To.String(), 0, m.Count, nil)
		case m.Gone:
			row("gone", m.Protocol.String(), m.From.String(), "", m.Count, 0, &m.Fates)
		default:
			row("move", m.Protocol.String(), m.From.String(), m.To.String(), m.Count, m.Count, nil)
		}
	}
	c.Flush()
	return c.Error()
}
