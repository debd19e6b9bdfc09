package render

import (
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
	// Verdict says what came of the threshold that was asked for, empty without one.
	Verdict string
	*history.Sync
	ConfigDiff
}

// SyncScreen writes the coverage for a person.
func SyncScreen(w io.Writer, s *Sync, o Options) error {
	return writeParts(w, s.facts(o), s.parts(o), o)
}

// SyncMarkdown writes the coverage for a ticket.
func SyncMarkdown(w io.Writer, s *Sync, o Options) error {
	o = o.plain()
	return partsMarkdown(w, s.facts(o), s.parts(o))
}

func (s *Sync) facts(o Options) [][2]string {
	word := o.Words
	facts, notes := pairFacts([2]string{word.Word("master"), word.Word("backup")}, [2]*Summary{s.Master, s.Backup}, s.Named, len(s.Silences) > 0, word)
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
	if s.Verdict != "" {
		facts = append(facts, [2]string{word.Word("asked"), s.Verdict})
	}
	if s.Connections.Master == 0 {
		notes = append(notes, [2]string{word.Word("note"), word.Word("sync.empty-master")})
	}
	if open := s.Open(); open.Master > 0 && open.Held == 0 {
		notes = append(notes, [2]string{word.Word("note"), word.Word("sync.none")})
	}
	if key := s.swapped(); key != "" {
		notes = append(notes, [2]string{word.Word("note"), word.Word(key)})
	}
	if s.Master.Host != "" && s.Master.Host == s.Backup.Host {
		notes = append(notes, [2]string{word.Word("note"), word.Word("sync.one-host", Clean(s.Master.Host))})
	}
	if s.Apart > 60 {
		notes = append(notes, [2]string{word.Word("note"), word.Word("sync.far-apart")})
	}
	return append(facts, notes...)
}

// swapped says by what the two look exchanged: the master's entries came from a sync daemon and the
// backup's did not; or, where one does not tell that, only the backup has states that are never sent.
func (s *Sync) swapped() (key string) {
	received := func(m *Summary) bool {
		all := m.Tally.Connections() + m.Tally.Templates()
		return all > 0 && 2*m.Tally.Synced() > all
	}
	switch told := !s.Master.OriginsUntold() && !s.Backup.OriginsUntold(); {
	case received(s.Master) && !received(s.Backup):
		return "sync.swapped"
	case !told && s.Unsent == 0 && s.OnlyBackupUnsent > 0:
		return "sync.swapped-states"
	}
	return ""
}

// SyncHTML writes the coverage as a page.
func SyncHTML(w io.Writer, s *Sync, o Options) error {
	o = o.plain()
	p := newPage(o.Words.Word("page.sync"), s.facts(o), o)
	p.Subject = s.Master.subject(o.Words)
	addParts(p, s.parts(o))
	return html.Write(w, p)
}

var reasonNames = [history.NumReasons]string{"never_sent", "templates_only", "sync_version", "ran_out", "closed", "may_be_new", "below_threshold", "lost"}

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
