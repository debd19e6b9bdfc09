package render

import (
	"slices"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/explain"
	"ipvsstate/internal/tally"
)

// shownRows is how many services or groups a screen shows; -o wide shows all.
const shownRows = 20

// servicesTable has the services as rows and the states as columns, most frequent
// first.
func (s *Summary) servicesTable(services []tally.Service, o Options) *table {
	word := o.Words
	states := s.stateColumns()
	row := func(protocol, label string, services ...tally.Service) crossRow {
		r := crossRow{head: []string{protocol, label}, cells: make([]uint64, len(states))}
		for _, v := range services {
			r.connections += v.Connections
			r.templates += v.Templates
			for _, c := range v.States {
				r.cells[slices.Index(states, c.State)] += c.Count
			}
		}
		return r
	}
	shown := services
	if !o.Wide && len(services) > shownRows+1 {
		shown = services[:shownRows]
	}
	rows := make([]crossRow, 0, len(shown)+3)
	for i := range shown {
		rows = append(rows, row(Clean(shown[i].Protocol.String()), virtual(&shown[i], word), shown[i]))
	}
	if rest := services[len(shown):]; len(rest) > 0 {
		rows = append(rows, row("", word.Count("rest", uint64(len(rest))), rest...))
	}
	all := services
	if rest := s.Tally.Ungrouped(); rest.Connections+rest.Templates > 0 {
		label := word.Word("invalidated")
		if rest.Connections > 0 {
			label = word.Word("ungrouped", explain.Thousands(tally.MaxServices))
		}
		rows = append(rows, row("", label, rest))
		all = append(slices.Clip(services), rest)
	}
	rows = append(rows, row("", word.Word("total"), all...))
	heads := []column{{head: word.Word("head.protocol"), priority: 2}, {head: word.Word("head.service")}}
	columns := make([]string, len(states))
	for i, st := range states {
		columns[i] = stateWord(st, word)
	}
	return cross(heads, columns, rows, o)
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

// crossRow is a row of a cross table before it is known which columns fit.
type crossRow struct {
	head                   []string
	connections, templates uint64
	cells                  []uint64 // connections by column
}

// cross lays out rows of connections with columns that divide them up. Columns that do
// not fit are added up as "other", so that every row adds up.
//
// Leading columns of a priority above leastSpared are given up before the last columns
// of importantColumns are.
func cross(heads []column, columns []string, rows []crossRow, o Options) *table {
	for o.Width > 0 {
		t := layOut(heads, columns[:min(len(columns), importantColumns)], rows, o)
		spare := slices.IndexFunc(heads, func(c column) bool { return c.priority > leastSpared && c.priority == highest(heads) })
		if spare < 0 || t.total() <= o.Width {
			break
		}
		heads = slices.Delete(slices.Clone(heads), spare, spare+1)
		for i := range rows {
			rows[i].head = slices.Delete(slices.Clone(rows[i].head), spare, spare+1)
		}
	}
	for n := len(columns); ; n-- {
		t := layOut(heads, columns[:n], rows, o)
		if n == 0 || o.Width == 0 || t.total() <= o.Width {
			return t
		}
	}
}

const (
	importantColumns = 2
	leastSpared      = 3
)

func highest(heads []column) (priority int) {
	for _, c := range heads {
		priority = max(priority, c.priority)
	}
	return priority
}

func layOut(heads []column, columns []string, rows []crossRow, o Options) *table {
	word := o.Words
	rest := make([]uint64, len(rows)) // in no column
	other := false
	for i, r := range rows {
		rest[i] = r.connections
		for _, n := range r.cells[:len(columns)] {
			rest[i] -= n
		}
		other = other || rest[i] > 0
	}
	t := &table{columns: append(slices.Clip(heads), column{head: word.Word("head.connections"), right: true})}
	templates := slices.ContainsFunc(rows, func(r crossRow) bool { return r.templates > 0 })
	if templates {
		t.columns = append(t.columns, column{head: word.Word("head.templates"), right: true, priority: 3})
	}
	for _, c := range columns {
		t.columns = append(t.columns, column{head: c, right: true})
	}
	if other {
		t.columns = append(t.columns, column{head: word.Word("head.other"), right: true, priority: 1})
	}
	for i, r := range rows {
		cells := append(slices.Clip(r.head), explain.Thousands(r.connections))
		if templates {
			cells = append(cells, explain.Thousands(r.templates))
		}
		for _, n := range r.cells[:len(columns)] {
			cells = append(cells, count(n))
		}
		if other {
			cells = append(cells, count(rest[i]))
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
