package render

import (
	"fmt"
	"io"
	"strings"
	"time"

	"ipvsstate/internal/capture"
	"ipvsstate/internal/conn"
	"ipvsstate/internal/explain"
	"ipvsstate/internal/tally"
)

// Screen writes the summary for a person.
func Screen(w io.Writer, s *Summary, o Options) error {
	if err := writeFacts(w, s.facts(o), o); err != nil {
		return err
	}
	for _, part := range s.parts(o) {
		if err := part.write(w, o); err != nil {
			return err
		}
	}
	return nil
}

// writeFacts writes the lines above the tables.
func writeFacts(w io.Writer, facts [][2]string, o Options) error {
	label := 0
	for _, f := range facts {
		label = max(label, width(f[0]))
	}
	for _, f := range facts {
		indent := strings.Repeat(" ", label+len(gap))
		room := 0
		if o.Width > 0 {
			room = max(o.Width-len(indent), leastFlexible)
		}
		for i, line := range wrap(f[1], room) {
			if i == 0 {
				line = padTo(f[0], label+len(gap)) + line
			} else {
				line = indent + line
			}
			if _, err := fmt.Fprintln(w, line); err != nil {
				return err
			}
		}
	}
	return nil
}

// part is a table with its title.
type part struct {
	title string
	table *table
}

// write writes the table below an empty line, which may have a title alone.
func (p part) write(w io.Writer, o Options) error {
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	if p.title != "" {
		for _, line := range wrap(p.title, o.Width) {
			if _, err := fmt.Fprintln(w, line); err != nil {
				return err
			}
		}
	}
	if len(p.table.columns) == 0 {
		return nil
	}
	return p.table.write(w, o.Width, o.Color)
}

// parts are the summary's tables: those that have rows.
func (s *Summary) parts(o Options) []part {
	var all []part
	if len(o.By) > 0 {
		return []part{{"", s.groupsTable(o)}}
	}
	if states := s.Tally.States(o.Order); len(states) > 0 {
		all = append(all, part{"", s.statesTable(states, o)})
	}
	if templates := s.Tally.TemplateStates(); len(templates) > 0 {
		all = append(all, part{o.Words.Word("title.templates"), s.templatesTable(templates, o)})
	}
	if idle := s.idleTable(o); len(idle.rows) > 0 {
		all = append(all, part{o.Words.Word("title.idle"), idle})
	}
	if services := s.Tally.Services(); len(services) > 1 && s.Tally.Connections() > 0 {
		all = append(all, part{o.Words.Word("title.services"), s.servicesTable(services, o)})
	}
	if s.Diagnosis != nil && len(s.Diagnosis.Findings) > 0 {
		all = append(all, part{o.Words.Word("title.findings"), s.findingsTable(o)})
	}
	return all
}

// facts are the lines above the tables: a label and a text.
func (s *Summary) facts(o Options) [][2]string {
	word := o.Words
	all := [][2]string{{word.Word("source"), s.source(word)}}
	if t := s.taken(word); t != "" {
		all = append(all, [2]string{word.Word("taken"), t})
	}
	counts := []string{word.Count("connections", s.Tally.Connections()), word.Count("templates", s.Tally.Templates())}
	if n := len(s.Tally.Services()); n > 0 {
		counts = append(counts, word.Count("services", uint64(n)))
	}
	all = append(all, [2]string{word.Word("table"), strings.Join(counts, word.Word("comma"))})
	if s.Kernel != nil || s.Config != nil {
		label := "kernel"
		if s.Kernel == nil {
			label = "configured"
		}
		if k := s.kernel(word); k != "" {
			all = append(all, [2]string{word.Word(label), k})
		}
	}
	if t := s.timeouts(word); t != "" {
		all = append(all, [2]string{word.Word("timeouts"), t})
	}
	if s.Filter != "" {
		kept := uint64(s.Input.Entries-s.Input.Filtered) - s.Tally.Duplicates()
		all = append(all, [2]string{word.Word("filter"), word.Word("filter.kept", Clean(s.Filter), explain.Thousands(kept), explain.Thousands(uint64(s.Input.Entries)))})
	}
	for _, note := range append(s.notes(word), s.untold(o)...) {
		all = append(all, [2]string{word.Word("note"), note})
	}
	return all
}

// untold says of a dimension that no entry tells what would.
func (s *Summary) untold(o Options) (notes []string) {
	for i, d := range o.By {
		if d.Aspect != tally.Origin && d.Aspect != tally.Forwarding {
			continue
		}
		told := false
		s.Tally.Groups().Top(0, tally.ByValue, func(g *tally.Group) bool {
			_, told = groupValue(d, &g.Values[i])
			return !told
		})
		if !told && s.Tally.Connections()+s.Tally.Templates() > 0 {
			notes = append(notes, o.Words.Word("untold."+d.Aspect.String()))
		}
	}
	return notes
}

// timeouts tells by which timeouts idle times are told; empty where by the entries' own.
func (s *Summary) timeouts(word *explain.Catalogue) string {
	t, ok := s.Timeouts.For(s.Format.dialect)
	switch {
	case s.Format.mixed:
		return ""
	case ok:
		return word.Word("timeouts."+string(s.TimeoutsFrom), span(t.TCP), span(t.TCPFin), span(t.UDP))
	case s.TimeoutsFrom == TimeoutsDiffer:
		return word.Word("timeouts.differ")
	}
	return ""
}

func (s *Summary) source(word *explain.Catalogue) string {
	name := Clean(s.Name)
	if s.Kind != capture.File {
		name = word.Word("source." + s.Kind.String())
	}
	if s.Host != "" {
		name += " (" + Clean(s.Host) + ")"
	}
	if s.Kernel != nil {
		return name + word.Word("comma") + Clean(s.Name)
	}
	return name + word.Word("comma") + word.Word("format."+s.Format.name)
}

// taken says when the listing was taken, and which of several it is.
func (s *Summary) taken(word *explain.Catalogue) string {
	text := s.when(word)
	if s.Of > 1 && !s.Merged {
		text += word.Word("comma") + word.Word("snapshot.hint")
	}
	return text
}

func (s *Summary) when(word *explain.Catalogue) string {
	var all []string
	if !s.Time.IsZero() {
		all = append(all, word.Word("time."+string(s.TimeFrom), s.Time.UTC().Format("2006-01-02 15:04:05 UTC")))
		if s.TimeLocal {
			all = append(all, word.Word("time.local", s.Time.Format("-07:00")))
		}
		if s.TimeYearless {
			all = append(all, word.Word("time.yearless"))
		}
	}
	switch {
	case s.Merged && s.Of > 1:
		all = append(all, word.Word("snapshot.merged", s.Of))
	case s.Of > 1:
		all = append(all, word.Word("snapshot", s.Index, s.Of))
	}
	return strings.Join(all, word.Word("comma"))
}

// kernel is what the kernel says of itself beside its table.
func (s *Summary) kernel(word *explain.Catalogue) string {
	var all []string
	if s.Kernel != nil && s.Kernel.Version != "" {
		all = append(all, "IPVS "+Clean(s.Kernel.Version))
	}
	if s.Kernel != nil && s.Kernel.Buckets > 0 {
		all = append(all, word.Word("buckets", explain.Thousands(s.Kernel.Buckets)))
	}
	if services := s.Services(); services != nil {
		servers, active, inactive, counted := 0, 0, 0, true
		for _, v := range services {
			servers += len(v.Servers)
			for _, r := range v.Servers {
				active += r.Active
				inactive += r.Inactive
				counted = counted && r.Active >= 0 && r.Inactive >= 0
			}
		}
		all = append(all, word.Count("configured", uint64(len(services))), word.Count("servers", uint64(servers)))
		if counted {
			all = append(all, word.Word("counters", explain.Thousands(uint64(active)), explain.Thousands(uint64(inactive))))
		}
	}
	return strings.Join(all, word.Word("comma"))
}

// RowNotes are what a reader of a list must know of it.
func (s *Summary) RowNotes(word *explain.Catalogue) []string {
	all := s.notes(word)
	if t := s.timeouts(word); t != "" {
		all = append(all, word.Word("idle.by", t))
	}
	return all
}

// notes are what a reader must know to trust the numbers.
func (s *Summary) notes(word *explain.Catalogue) []string { return s.notesOn(word, true) }

// notesOn leaves out what matters to idle times only, where none are shown.
func (s *Summary) notesOn(word *explain.Catalogue, idle bool) []string {
	var all []string
	add := func(key string, n uint64) {
		if n > 0 {
			all = append(all, word.Count(key, n))
		}
	}
	if !s.Complete {
		all = append(all, word.Word("incomplete"))
	}
	if s.CutShort {
		all = append(all, word.Word("cutshort"))
	}
	if s.Cut && !s.Torn {
		all = append(all, word.Word("cut"))
	}
	if s.Torn {
		all = append(all, word.Word("torn"))
	}
	if s.Anonymized {
		all = append(all, word.Word("anonymized"))
	}
	add("bad", uint64(s.Input.Bad))
	add("otherformat", uint64(s.Input.OtherFormat))
	add("garbled", uint64(s.Input.Garbled))
	add("duplicates", s.Tally.Duplicates())
	stale := uint64(0)
	for _, t := range s.Tally.TemplateStates() {
		if t.Kind == conn.StaleTemplate {
			stale += t.Count
		}
	}
	add("stale", stale)
	if s.Misread > 0 {
		all = append(all, word.Count("misread", uint64(s.Misread)))
	}
	over, untold := uint64(0), uint64(0)
	for _, i := range s.idle() {
		over += i.Over
		if i.Timeout >= shownTimeout {
			untold += i.Ranges[0]
		}
	}
	if !idle {
		over, untold = 0, 0
	}
	add("over", over)
	if untold > 0 && s.Format.dialect == conn.DPVS {
		all = append(all, word.Word("idle.dpvs"))
	}
	add("named", s.Named)
	if idle {
		add("synced", s.Tally.Synced())
	}
	if g := s.Tally.Groups(); g != nil && g.Undercount() > 0 {
		all = append(all, word.Word("undercount", explain.Thousands(tally.MaxGroups), explain.Thousands(g.Undercount())))
	}
	for _, m := range s.Missing {
		all = append(all, word.Word("missing", word.Word("missing."+m.What), m.Why))
	}
	return all
}

func (s *Summary) statesTable(states []tally.StateCount, o Options) *table {
	word := o.Words
	t := &table{columns: []column{
		{head: word.Word("head.protocol"), priority: 2},
		{head: word.Word("head.state")},
		{head: word.Word("head.count"), right: true},
		{head: word.Word("head.share"), right: true, priority: 3},
		{head: word.Word("head.timeout"), right: true, priority: 4},
	}}
	bars := o.Terminal && (o.Width == 0 || o.Width >= 100)
	if bars {
		t.columns = append(t.columns, column{head: word.Word("head.bar"), priority: 5})
	}
	if o.Explain {
		t.columns = append(t.columns, column{head: word.Word("head.meaning"), flexible: true, priority: 1})
	}
	all := s.Tally.Connections()
	most := uint64(0)
	for _, c := range states {
		most = max(most, c.Count)
	}
	row := func(c []string, bar, meaning string) {
		if bars {
			c = append(c, bar)
		}
		if o.Explain {
			c = append(c, meaning)
		}
		t.add(c...)
	}
	for _, c := range states {
		row([]string{Clean(c.Protocol.String()), stateWord(c.State, word), explain.Thousands(c.Count), percent(c.Count, all), span(s.timeout(c))},
			bar(c.Count, most), s.meaning(c, o))
	}
	row([]string{"", word.Word("total"), explain.Thousands(all), percent(all, all), ""}, "", "")
	return t
}

// barWidth is the length of the longest bar.
const barWidth = 16

// bar is a line as long as a number is beside the greatest; none but zero is empty.
// It is drawn with a character that is narrow in every locale.
func bar(n, most uint64) string {
	if n == 0 || most == 0 {
		return ""
	}
	return strings.Repeat("#", max(1, int(n*barWidth/most)))
}

func stateWord(s conn.State, word *explain.Catalogue) string {
	if s == (conn.State{}) {
		return word.Word("untold")
	}
	return Clean(s.String())
}

func (s *Summary) templatesTable(templates []tally.StateCount, o Options) *table {
	word := o.Words
	t := &table{columns: []column{
		{head: word.Word("head.protocol"), priority: 2},
		{head: word.Word("head.state")},
		{head: word.Word("head.count"), right: true},
	}}
	if o.Explain {
		t.columns = append(t.columns, column{head: word.Word("head.meaning"), flexible: true, priority: 1})
	}
	for _, c := range templates {
		cells := []string{Clean(c.Protocol.String()), stateWord(c.State, word), explain.Thousands(c.Count)}
		if o.Explain {
			cells = append(cells, s.meaning(c, o))
		}
		t.add(cells...)
	}
	return t
}

func utc(t time.Time) string { return t.UTC().Format(time.RFC3339) }
