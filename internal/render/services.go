package render

import (
	"slices"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/explain"
	"ipvsstate/internal/tally"
)

// shownServices is how many services a screen shows; -o wide shows all.
const shownServices = 20

// servicesTable has the services as rows and the states as columns, most frequent
// first. States that do not fit are added up as "other", so that every row adds up.
func (s *Summary) servicesTable(services []tally.Service, o Options) *table {
	word := o.Words
	states := s.stateColumns()
	shown := services
	if !o.Wide && len(services) > shownServices+1 {
		shown = services[:shownServices]
	}
	rows := make([]serviceRow, 0, len(shown)+3)
	for i := range shown {
		v := &shown[i]
		rows = append(rows, serviceRow{Clean(v.Protocol.String()), virtual(v, word), v.Connections, v.Templates, byState(v)})
	}
	if rest := services[len(shown):]; len(rest) > 0 {
		row := serviceRow{virtual: word.Count("rest", uint64(len(rest))), states: map[conn.State]uint64{}}
		for i := range rest {
			row.add(&rest[i])
		}
		rows = append(rows, row)
	}
	total := serviceRow{virtual: word.Word("total"), states: map[conn.State]uint64{}}
	for i := range services {
		total.add(&services[i])
	}
	if rest := s.Tally.Ungrouped(); rest.Connections+rest.Templates > 0 {
		label := word.Word("invalidated")
		if rest.Connections > 0 {
			label = word.Word("ungrouped", explain.Thousands(tally.MaxServices))
		}
		rows = append(rows, serviceRow{"", label, rest.Connections, rest.Templates, byState(&rest)})
		total.add(&rest)
	}
	rows = append(rows, total)

	for n := len(states); ; n-- {
		t := layOut(rows, states[:n], len(states) > n, o)
		if n == 0 || o.Width == 0 || t.total() <= o.Width {
			return t
		}
	}
}

// stateColumns are the states of all services, most frequent first.
func (s *Summary) stateColumns() []conn.State {
	var all []conn.State
	for _, c := range s.Tally.States(tally.ByCount) {
		if !slices.Contains(all, c.State) {
			all = append(all, c.State)
		}
	}
	return all
}

// serviceRow is a row of the table before it is known which states fit.
type serviceRow struct {
	protocol, virtual      string
	connections, templates uint64
	states                 map[conn.State]uint64
}

func (r *serviceRow) add(v *tally.Service) {
	r.connections += v.Connections
	r.templates += v.Templates
	for _, c := range v.States {
		r.states[c.State] += c.Count
	}
}

func byState(v *tally.Service) map[conn.State]uint64 {
	m := make(map[conn.State]uint64, len(v.States))
	for _, c := range v.States {
		m[c.State] += c.Count
	}
	return m
}

func layOut(rows []serviceRow, states []conn.State, other bool, o Options) *table {
	word := o.Words
	t := &table{columns: []column{
		{head: word.Word("head.protocol"), priority: 2},
		{head: word.Word("head.service")},
		{head: word.Word("head.connections"), right: true},
		{head: word.Word("head.templates"), right: true, priority: 3},
	}}
	for _, s := range states {
		t.columns = append(t.columns, column{head: stateWord(s, word), right: true})
	}
	if other {
		t.columns = append(t.columns, column{head: word.Word("head.other"), right: true, priority: 1})
	}
	for _, r := range rows {
		cells := []string{r.protocol, r.virtual, explain.Thousands(r.connections), explain.Thousands(r.templates)}
		rest := r.connections
		for _, s := range states {
			rest -= r.states[s]
			cells = append(cells, count(r.states[s]))
		}
		if other {
			cells = append(cells, count(rest))
		}
		t.add(cells...)
	}
	return t
}

// count leaves a cell of a wide table empty rather than fill it with zeros.
func count(n uint64) string {
	if n == 0 {
		return "-"
	}
	return explain.Thousands(n)
}

// total is the width of the drawn table.
func (t *table) total() int {
	w := -len(gap)
	for c := range t.columns {
		w += t.width(c) + len(gap)
	}
	return w
}
