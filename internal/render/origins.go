package render

import (
	"io"
	"slices"

	"ipvsstate/internal/history"
	html "ipvsstate/internal/page"
	"ipvsstate/internal/parse"
	"ipvsstate/internal/tally"
)

// Origins is what `ipvsstate diff --sync` shows of one director.
type Origins struct {
	*Summary
	States    []history.ByOrigin
	Templates history.ByOrigin
}

// OriginsScreen writes who made the entries for a person.
func OriginsScreen(w io.Writer, s *Origins, o Options) error {
	return writeParts(w, s.facts(o), []part{{o.Words.Word("title.origins"), s.table(o)}}, o)
}

// OriginsMarkdown writes who made the entries for a ticket.
func OriginsMarkdown(w io.Writer, s *Origins, o Options) error {
	o = o.plain()
	return partsMarkdown(w, s.facts(o), []part{{o.Words.Word("title.origins"), s.table(o)}})
}

// facts are the summary's, without the note on idle times, since none are shown.
func (s *Origins) facts(o Options) [][2]string {
	synced := o.Words.Count("synced", s.Tally.Synced())
	return slices.DeleteFunc(s.Summary.facts(o), func(f [2]string) bool { return f[1] == synced })
}

func (s *Origins) table(o Options) *table {
	word := o.Words
	t := &table{columns: []column{{head: word.Word("head.protocol"), priority: 2}, {head: word.Word("head.state")},
		{head: "LOCAL", right: true}, {head: "SYNC", right: true}, {head: word.Word("head.untold"), right: true, priority: 1}}}
	row := func(protocol, name string, b *history.ByOrigin) {
		t.add(protocol, name, count(b.Local), count(b.Sync), count(b.Unknown))
	}
	for i := range s.States {
		b := &s.States[i]
		row(Clean(b.Value.Protocol.String()), stateWord(b.Value.State, word), b)
	}
	if b := &s.Templates; b.Local+b.Sync+b.Unknown > 0 {
		row("", word.Word("sync.templates"), b)
	}
	return t
}

// OriginsHTML writes who made the entries as a page.
func OriginsHTML(w io.Writer, s *Origins, o Options) error {
	o = o.plain()
	p := newPage(o.Words.Word("page.sync"), s.facts(o), o)
	p.Subject = s.Summary.subject(o.Words)
	addParts(p, []part{{o.Words.Word("title.origins"), s.table(o)}})
	return html.Write(w, p)
}

// OriginsUntold reports that there are entries, in a format that does not tell where they are from.
func (s *Summary) OriginsUntold() bool {
	return s.Format.name != parse.ProcSync.String() && s.Tally.Connections()+s.Tally.Templates() > 0
}

type originsJSON struct {
	Schema int `json:"schema"`
	sideJSON
	Filter    string          `json:"filter"`
	States    []stateFromJSON `json:"states"`
	Templates fromJSON        `json:"templates"`
}

type fromJSON struct {
	Local   uint64 `json:"local"`
	Sync    uint64 `json:"sync"`
	Unknown uint64 `json:"unknown"`
}

type stateFromJSON struct {
	Protocol string  `json:"protocol"`
	State    *string `json:"state"`
	fromJSON
}

func fromDocument(b *history.ByOrigin) fromJSON { return fromJSON{b.Local, b.Sync, b.Unknown} }

// OriginsJSON writes who made the entries for programs.
func OriginsJSON(w io.Writer, s *Origins, _ Options) error {
	doc := originsJSON{Schema: Schema, sideJSON: s.side(), Filter: s.Filter, States: []stateFromJSON{}, Templates: fromDocument(&s.Templates)}
	for i := range s.States {
		b := &s.States[i]
		protocol, name := changeName(tally.State, &b.Value)
		doc.States = append(doc.States, stateFromJSON{protocol, name, fromDocument(b)})
	}
	return writeJSON(w, doc)
}

// OriginsCSV writes who made the entries for a spreadsheet.
func OriginsCSV(w io.Writer, s *Origins, _ Options) error {
	c := newCSV(w, "protocol", "state", "local", "sync", "unknown")
	for i := range s.States {
		b := &s.States[i]
		c.row(b.Value.Protocol.String(), b.Value.State.String(), number(b.Local), number(b.Sync), number(b.Unknown))
	}
	c.row("", "templates", number(s.Templates.Local), number(s.Templates.Sync), number(s.Templates.Unknown))
	return c.done()
}
