package render

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
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
	// Backwards says that the second is older than the first.
	Backwards bool
	// Threshold says what came of the threshold that was asked for, empty without one.
	Threshold string
	// Whole says that neither lacks entries.
	Whole bool
	*history.Diff
	ConfigDiff
}

// DiffScreen writes a comparison for a person.
func DiffScreen(w io.Writer, d *Diff, o Options) error {
	return writeParts(w, d.facts(o), d.parts(o), o)
}

// writeParts writes the lines above the tables, and the tables.
func writeParts(w io.Writer, facts [][2]string, parts []part, o Options) error {
	if err := writeFacts(w, facts, o); err != nil {
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
	o = o.plain()
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

// pairFacts are the lines that name two listings, with their notes; idle says that idle times of the
// first are shown.
func pairFacts(labels [2]string, of [2]*Summary, named [2]uint64, idle bool, word *explain.Catalogue) (facts, notes [][2]string) {
	for i, s := range of {
		text := s.source(word)
		if t := s.when(word); t != "" {
			text += word.Word("comma") + t
		}
		facts = append(facts, [2]string{labels[i], text})
		for _, note := range s.notesOn(word, idle && i == 0) {
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
	facts, notes := pairFacts([2]string{word.Word("before"), word.Word("after")}, [2]*Summary{d.Before, d.After}, d.Named, false, word)
	between := word.Word("between.unknown")
	switch {
	case d.Backwards:
		between = word.Word("between.backwards")
	case d.Seconds != conn.Unknown:
		between = lasting(d.Seconds)
	}
	facts = append(facts, [2]string{word.Word("between"), between})
	for _, t := range []struct {
		label string
		of    history.Turnover
	}{{"diff.connections", d.Connections}, {"diff.templates", d.Templates}} {
		if t.label == "diff.templates" && t.of.Before+t.of.After == 0 {
			continue
		}
		facts = append(facts, [2]string{word.Word(t.label), word.Word("diff.turnover", explain.Thousands(t.of.Before), explain.Thousands(t.of.After),
			signed(t.of.Before, t.of.After), explain.Thousands(t.of.New), explain.Thousands(t.of.Gone), explain.Thousands(t.of.Same))})
	}
	if d.Threshold != "" {
		facts = append(facts, [2]string{word.Word("asked"), d.Threshold})
	}
	if d.Backwards {
		notes = append([][2]string{{word.Word("note"), word.Word("diff.backwards")}}, notes...)
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
		case d.Backwards:
			why = "" // said already
		case d.Seconds == conn.Unknown:
			why = "diff.unjudged"
		case !d.Whole:
			why = "diff.not-whole"
		}
		if why != "" {
			notes = append(notes, [2]string{word.Word("note"), word.Word(why)})
		}
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
