package render

import (
	"encoding/csv"
	"io"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/explain"
	"ipvsstate/internal/history"
	html "ipvsstate/internal/page"
	"ipvsstate/internal/tally"
)

// Sync is what `ipvsstate diff --sync` shows of two directors.
type Sync struct {
	Master, Backup *Summary
	// Apart is the time between the two readings, Unknown where it is not known.
	Apart conn.Seconds
	// Threshold is the master's sync_threshold, empty where it is not told.
	Threshold string
	*history.Sync
	ConfigDiff
}

// SyncScreen writes the coverage for a person.
func SyncScreen(w io.Writer, s *Sync, o Options) error {
	return writeParts(w, s.facts(o), s.parts(o), o)
}

// SyncMarkdown writes the coverage for a ticket.
func SyncMarkdown(w io.Writer, s *Sync, o Options) error {
	o.Width, o.Terminal, o.Color = 0, false, false
	return partsMarkdown(w, s.facts(o), s.parts(o))
}

func (s *Sync) facts(o Options) [][2]string {
	word := o.Words
	facts, notes := pairFacts([2]string{word.Word("master"), word.Word("backup")}, [2]*Summary{s.Master, s.Backup}, s.Named, word)
	apart := word.Word("between.unknown")
	if s.Apart != conn.Unknown {
		apart = lasting(s.Apart)
	}
	facts = append(facts, [2]string{word.Word("apart"), apart})
	for _, c := range []struct {
		label string
		of    history.Coverage
	}{{"sync.established", s.Established}, {"sync.datagrams", s.Datagrams}, {"sync.connections", s.Connections}, {"sync.templates", s.Templates}} {
		if c.of.Master > 0 {
			facts = append(facts, [2]string{word.Word(c.label), word.Word("sync.held", explain.Thousands(c.of.Held), explain.Thousands(c.of.Master), percent(c.of.Held, c.of.Master))})
		}
	}
	if s.Connections.Master == 0 {
		notes = append(notes, [2]string{word.Word("note"), word.Word("sync.empty-master")})
	}
	if open := s.Open(); open.Master > 0 && open.Held == 0 {
		notes = append(notes, [2]string{word.Word("note"), word.Word("sync.none")})
	}
	if s.swapped() {
		notes = append(notes, [2]string{word.Word("note"), word.Word("sync.swapped")})
	}
	return append(facts, notes...)
}

// swapped reports that the master's entries came from a sync daemon, and the backup's did not.
func (s *Sync) swapped() bool {
	received := func(m *Summary) bool {
		all := m.Tally.Connections() + m.Tally.Templates()
		return all > 0 && 2*m.Tally.Synced() > all
	}
	return received(s.Master) && !received(s.Backup)
}

// SyncHTML writes the coverage as a page.
func SyncHTML(w io.Writer, s *Sync, o Options) error {
	o.Width, o.Terminal, o.Color = 0, false, false
	p := newPage(o.Words.Word("page.sync"), s.facts(o), o)
	addParts(p, s.parts(o))
	return html.Write(w, p)
}

var reasonNames = [history.NumReasons]string{"never_sent", "templates_only", "ran_out", "closed", "may_be_new", "below_threshold", "lost"}

func (s *Sync) parts(o Options) []part {
	word := o.Words
	table := func(name func(*tally.Value) string, head string, protocol bool, rows []history.CoverageOf) *table {
		t := &table{columns: []column{{head: word.Word(head)},
			{head: word.Word("head.master"), right: true}, {head: word.Word("head.held"), right: true},
			{head: word.Word("head.missing"), right: true}, {head: word.Word("head.coverage"), right: true}}}
		if protocol {
			t.columns = append([]column{{head: word.Word("head.protocol"), priority: 2}}, t.columns...)
		}
		row := func(protocols, label string, c history.Coverage) {
			cells := []string{label, explain.Thousands(c.Master), explain.Thousands(c.Held), explain.Thousands(c.Master - c.Held), percent(c.Held, c.Master)}
			if protocol {
				cells = append([]string{protocols}, cells...)
			}
			t.add(cells...)
		}
		var rest history.Coverage
		left := uint64(0)
		for i := range rows {
			if top := o.top(shownRows); top > 0 && i >= top {
				left++
				rest.Master, rest.Held = rest.Master+rows[i].Master, rest.Held+rows[i].Held
				continue
			}
			row(Clean(rows[i].Value.Protocol.String()), name(&rows[i].Value), rows[i].Coverage)
		}
		if left > 0 {
			row("", word.Count("groups.rest", left), rest)
		}
		return t
	}
	state := func(v *tally.Value) string { return stateWord(v.State, word) }
	idle := func(v *tally.Value) string { return groupCell(tally.Dimension{Aspect: tally.Idle}, v, word) }
	service := func(v *tally.Value) string {
		return groupCell(tally.Dimension{Aspect: tally.OfService}, v, word)
	}
	var all []part
	if len(s.States) > 0 {
		all = append(all, part{word.Word("title.sync-states"), table(state, "head.state", true, s.States)})
	}
	if len(s.Silences) > 0 {
		all = append(all, part{word.Word("title.sync-idle"), table(idle, "head.idle", false, s.Silences)},
			part{word.Word("title.sync-services"), table(service, "head.service", false, s.Services)})
	}
	if s.Connections.Held < s.Connections.Master {
		all = append(all, part{word.Word("title.sync-missing"), s.missingTable(o)})
	}
	if len(s.OnlyBackup) > 0 || s.OnlyBackupTemplates > 0 {
		all = append(all, part{word.Word("title.only-backup"), s.onlyTable(o)})
	}
	return append(all, s.configParts([2]string{"head.master", "head.backup"}, o)...)
}

// missingTable says why the backup lacks what it lacks.
func (s *Sync) missingTable(o Options) *table {
	word := o.Words
	t := &table{columns: []column{{head: word.Word("head.count"), right: true}, {head: word.Word("head.reason"), flexible: true}}}
	for i, n := range s.Missing {
		text := word.Word("reason." + reasonNames[i])
		if history.Reason(i) == history.BelowThreshold && s.Threshold != "" {
			text += word.Word("of.kind", "sync_threshold = "+Clean(s.Threshold))
		}
		if n > 0 {
			t.add(explain.Thousands(n), text)
		}
	}
	return t
}

func (s *Sync) onlyTable(o Options) *table {
	word := o.Words
	t := &table{columns: []column{{head: word.Word("head.protocol"), priority: 2}, {head: word.Word("head.state")}, {head: word.Word("head.origin"), priority: 1}, {head: word.Word("head.count"), right: true}}}
	for i := range s.OnlyBackup {
		b := &s.OnlyBackup[i]
		t.add(Clean(b.Protocol.String()), stateWord(b.State, word), originWord(b.Origin, word), explain.Thousands(b.Count))
	}
	if n := s.OnlyBackupTemplates; n > 0 {
		t.add("", word.Word("sync.templates"), "", explain.Thousands(n))
	}
	return t
}

func originWord(origin conn.Origin, word *explain.Catalogue) string {
	return groupCell(tally.Dimension{Aspect: tally.Origin}, &tally.Value{Origin: origin}, word)
}

type syncJSON struct {
	Schema int                 `json:"schema"`
	Master sideJSON            `json:"master"`
	Backup sideJSON            `json:"backup"`
	Apart  *int64              `json:"apart_seconds"`
	Filter string              `json:"filter"`
	Config *[]configChangeJSON `json:"config"`
	Sync   struct {
		Open        coverageJSON   `json:"open"`
		Established coverageJSON   `json:"established"`
		Datagrams   coverageJSON   `json:"udp"`
		Connections coverageJSON   `json:"connections"`
		Templates   coverageJSON   `json:"templates"`
		States      []coverageJSON `json:"states"`
		Idle        []coverageJSON `json:"established_by_idle"`
		Services    []coverageJSON `json:"established_by_service"`
		NotSent     struct {
			SynRecv uint64 `json:"syn_recv"`
		} `json:"not_sent"`
		Missing    map[string]uint64 `json:"missing_by"`
		OnlyBackup struct {
			Connections uint64     `json:"connections"`
			Templates   uint64     `json:"templates"`
			States      []onlyJSON `json:"states"`
		} `json:"only_backup"`
	} `json:"sync"`
}

type coverageJSON struct {
	Protocol string  `json:"protocol,omitempty"`
	Name     *string `json:"name,omitempty"`
	Master   uint64  `json:"master"`
	Held     uint64  `json:"held"`
	Missing  uint64  `json:"missing"`
}

type onlyJSON struct {
	Protocol string  `json:"protocol"`
	State    *string `json:"state"`
	Origin   *string `json:"origin"`
	Count    uint64  `json:"count"`
}

func coverageDocument(c history.Coverage) coverageJSON {
	return coverageJSON{Master: c.Master, Held: c.Held, Missing: c.Master - c.Held}
}

func coveragesDocument(a tally.Aspect, all []history.CoverageOf) []coverageJSON {
	rows := make([]coverageJSON, 0, len(all))
	for i := range all {
		c := coverageDocument(all[i].Coverage)
		c.Protocol, c.Name = changeName(a, &all[i].Value)
		rows = append(rows, c)
	}
	return rows
}

// SyncJSON writes the coverage for programs.
func SyncJSON(w io.Writer, s *Sync, _ Options) error {
	doc := syncJSON{Schema: Schema, Master: s.Master.side(), Backup: s.Backup.side(), Filter: s.Master.Filter, Config: s.ConfigDiff.document(),
		Apart: optional(int64(s.Apart), s.Apart != conn.Unknown)}
	d := &doc.Sync
	d.Open, d.Datagrams = coverageDocument(s.Open()), coverageDocument(s.Datagrams)
	d.Established, d.Connections, d.Templates = coverageDocument(s.Established), coverageDocument(s.Connections), coverageDocument(s.Templates)
	d.States, d.Idle, d.Services = coveragesDocument(tally.State, s.States), coveragesDocument(tally.Idle, s.Silences), coveragesDocument(tally.OfService, s.Services)
	for i := range s.States {
		if v := &s.States[i]; v.Value.State == conn.SynRecv {
			d.NotSent.SynRecv += v.Master - v.Held
		}
	}
	d.Missing = make(map[string]uint64)
	for i, n := range s.Missing {
		d.Missing[reasonNames[i]] = n
	}
	d.OnlyBackup.States = []onlyJSON{}
	for i := range s.OnlyBackup {
		b := &s.OnlyBackup[i]
		d.OnlyBackup.Connections += b.Count
		origin, told := groupValue(tally.Dimension{Aspect: tally.Origin}, &tally.Value{Origin: b.Origin})
		d.OnlyBackup.States = append(d.OnlyBackup.States, onlyJSON{b.Protocol.String(), optional(b.State.String(), b.State != conn.State{}), optional(origin, told), b.Count})
	}
	d.OnlyBackup.Templates = s.OnlyBackupTemplates
	return writeJSON(w, doc)
}

// SyncCSV writes the coverage for a spreadsheet.
func SyncCSV(w io.Writer, s *Sync, _ Options) error {
	c := csv.NewWriter(w)
	c.Write([]string{"what", "protocol", "name", "master", "held", "missing"}) // what fails is told by Error below
	row := func(what, protocol, name string, v history.Coverage) {
		c.Write([]string{what, protocol, name, number(v.Master), number(v.Held), number(v.Master - v.Held)})
	}
	row("open", "", "", s.Open())
	row("established", "", "", s.Established)
	row("udp", "", "", s.Datagrams)
	row("connections", "", "", s.Connections)
	row("templates", "", "", s.Templates)
	for _, g := range []struct {
		aspect tally.Aspect
		what   string
		of     []history.CoverageOf
	}{{tally.State, "state", s.States}, {tally.Idle, "established idle", s.Silences}, {tally.OfService, "established of service", s.Services}} {
		for i := range g.of {
			protocol, name := changeName(g.aspect, &g.of[i].Value)
			text := ""
			if name != nil {
				text = *name
			}
			row(g.what, protocol, text, g.of[i].Coverage)
		}
	}
	for i, n := range s.Missing {
		c.Write([]string{"missing by", "", reasonNames[i], "", "", number(n)})
	}
	for i := range s.OnlyBackup {
		b := &s.OnlyBackup[i]
		c.Write([]string{"only on the backup", b.Protocol.String(), b.State.String(), "", number(b.Count), ""})
	}
	c.Flush()
	return c.Error()
}
