package render

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/explain"
	"ipvsstate/internal/tally"
)

// groupValue is a group's value as text; ok is false where the source does not tell
// it. It is not safe for a terminal.
func groupValue(d tally.Dimension, v *tally.Value) (text string, ok bool) {
	switch d.Aspect {
	case tally.State:
		return v.State.String(), v.State != conn.State{}
	case tally.Protocol:
		return v.Protocol.String(), v.Protocol != conn.Protocol{}
	case tally.OfService:
		switch {
		case *v == tally.Value{}:
			return "", false
		case v.Marked && v.IPv6:
			return fmt.Sprintf("fwmark %d IPv6", v.Fwmark), true
		case v.Marked:
			return fmt.Sprintf("fwmark %d", v.Fwmark), true
		}
		return v.Protocol.String() + " " + v.Endpoint.String(), true
	case tally.Server:
		return v.Endpoint.String(), *v != tally.Value{}
	case tally.Client:
		p, isNetwork := v.Network()
		switch {
		case isNetwork && p.IsSingleIP() && d.Bits4 == 32 && d.Bits6 == 128:
			return p.Addr().String(), true
		case isNetwork:
			return p.String(), true
		}
		return v.Endpoint.Host, v.Endpoint.Host != ""
	case tally.Port:
		if v.Endpoint.PortKnown {
			return strconv.Itoa(int(v.Endpoint.Port)), true
		}
		return v.Endpoint.Service, v.Endpoint.Service != ""
	case tally.Forwarding:
		return v.Forwarding.String(), v.Forwarding != conn.UnknownForwarding
	case tally.Origin:
		return [...]string{"", "LOCAL", "SYNC"}[v.Origin], v.Origin != conn.UnknownOrigin
	}
	from, to := v.Idle.Bounds()
	switch {
	case from == conn.Unknown:
		return "", false
	case to == conn.Unknown:
		return ">=" + span(from), true
	case from == 0:
		return "<" + span(to), true
	}
	return span(from) + "-" + span(to), true
}

// groupCell is the same for a person.
func groupCell(d tally.Dimension, v *tally.Value, word *explain.Catalogue) string {
	text, ok := groupValue(d, v)
	if !ok {
		return word.Word("untold")
	}
	return Clean(text)
}

// top is how many groups are shown, 0 for all.
func (o Options) top(usual int) int {
	if o.Top < 0 {
		return usual
	}
	return o.Top
}

// groupsTable has the groups as rows, and with Across the values of the last dimension
// as columns. What is not shown is added up, so that the columns add up.
func (s *Summary) groupsTable(o Options) *table {
	word := o.Words
	var heads []column
	by := o.By
	if o.Across {
		by = by[:len(by)-1]
	}
	for _, d := range by {
		head := column{head: word.Word("head." + d.Aspect.String())}
		if d.Aspect == tally.Client && d.String() != "client" {
			head.head = word.Word("head.network")
		}
		heads = append(heads, head)
	}
	usual := shownRows
	if o.Wide {
		usual = 0
	}
	if o.Across {
		rows, columns := s.crossed(by, o.top(usual), o)
		return cross(heads, columns, rows, o)
	}
	t := &table{columns: append(heads,
		column{head: word.Word("head.connections"), right: true},
		column{head: word.Word("head.share"), right: true, priority: 2},
		column{head: word.Word("head.templates"), right: true, priority: 1})}
	all, templates := s.Tally.Connections(), s.Tally.Templates()
	row := func(head []string, connections, templates uint64) {
		t.add(append(head, explain.Thousands(connections), percent(connections, all), explain.Thousands(templates))...)
	}
	sum := s.eachGroup(o, o.top(usual), func(g *tally.Group) {
		var head []string
		for d := range by {
			head = append(head, groupCell(by[d], &g.Values[d], word))
		}
		row(head, g.Connections, g.Templates)
	})
	if sum.cut > 0 {
		row(headOf(word.Count("groups.rest", uint64(sum.cut)), len(by)), all-sum.connections, templates-sum.templates)
	}
	row(headOf(word.Word("total"), len(by)), all, templates)
	return t
}

// headOf labels a row that belongs to no group.
func headOf(label string, n int) []string {
	head := make([]string, n)
	head[0] = label
	return head
}

// groupSum is what was shown of the groups, and how many were not.
type groupSum struct {
	connections, templates uint64
	cut                    int
}

// eachGroup goes through the first groups; with Across through all of the first leads,
// as the table has them.
func (s *Summary) eachGroup(o Options, n int, f func(*tally.Group)) groupSum {
	g := s.Tally.Groups()
	sum := groupSum{cut: g.Len()}
	order := o.Order
	if len(o.By) == 1 && o.By[0].Aspect == tally.Idle {
		order = tally.ByValue // a distribution
	}
	if n == g.Len()-1 { // one more row in place of "1 other"
		n = 0
	}
	var chosen map[string]bool
	if o.Across && n > 0 {
		if leads, _ := s.leads(o); len(leads) > n+1 {
			chosen = make(map[string]bool)
			for _, l := range leads[:n] {
				chosen[l.key] = true
			}
		}
		n = 0
	}
	g.Top(n, order, func(group *tally.Group) bool {
		if chosen != nil && !chosen[leadKey(o.By[:len(o.By)-1], group)] {
			return true
		}
		sum.connections += group.Connections
		sum.templates += group.Templates
		sum.cut--
		f(group)
		return true
	})
	if rest := g.Rest(); rest.Connections+rest.Templates > 0 {
		sum.cut++ // those that were given up, however many
	}
	return sum
}

// lead is what the groups add up to that differ in the last dimension only.
type lead struct {
	key                    string
	head                   []string
	connections, templates uint64
}

// leadKey tells the leads of groups apart.
func leadKey(by []tally.Dimension, g *tally.Group) string {
	var key strings.Builder
	for d := range by {
		text, ok := groupValue(by[d], &g.Values[d])
		fmt.Fprintf(&key, "%t%s\x00", ok, text)
	}
	return key.String()
}

// leads adds the groups up by all dimensions but the last, in the order that is asked
// for, and counts how often each value of the last has been seen.
func (s *Summary) leads(o Options) (all []*lead, last map[tally.Value]uint64) {
	by := o.By[:len(o.By)-1]
	last = make(map[tally.Value]uint64)
	of := map[string]*lead{}
	s.Tally.Groups().Top(0, tally.ByValue, func(g *tally.Group) bool {
		key := leadKey(by, g)
		l := of[key]
		if l == nil {
			l = &lead{key: key}
			for d := range by {
				l.head = append(l.head, groupCell(by[d], &g.Values[d], o.Words))
			}
			of[key] = l
			all = append(all, l)
		}
		l.connections += g.Connections
		l.templates += g.Templates
		if g.Connections > 0 {
			last[g.Values[len(by)]] += g.Connections
		}
		return true
	})
	if o.Order == tally.ByCount {
		slices.SortStableFunc(all, func(a, b *lead) int {
			return cmp.Or(cmp.Compare(b.connections, a.connections), cmp.Compare(b.templates, a.templates))
		})
	}
	return all, last
}

// maxColumns is how many columns a cross table has at most; no screen has room for more.
const maxColumns = 64

// crossed adds the groups up to rows by all dimensions but the last, whose values are
// the columns.
func (s *Summary) crossed(by []tally.Dimension, n int, o Options) (rows []crossRow, columns []string) {
	word := o.Words
	leads, sums := s.leads(o)
	cut := 0
	if n > 0 && len(leads) > n+1 {
		cut = len(leads) - n
		leads = leads[:n]
	}
	// The most frequent columns first, since the last are given up where room is short.
	d := o.By[len(by)]
	type columnOf struct {
		label string
		value tally.Value
	}
	var all []columnOf
	for v := range sums {
		all = append(all, columnOf{groupCell(d, &v, word), v})
	}
	slices.SortFunc(all, func(a, b columnOf) int {
		if d.Aspect == tally.Idle {
			return cmp.Compare(a.value.Idle, b.value.Idle)
		}
		return cmp.Or(cmp.Compare(sums[b.value], sums[a.value]), strings.Compare(a.label, b.label))
	})
	all = all[:min(len(all), maxColumns)]
	columnAt := make(map[tally.Value]int, len(all))
	for i, c := range all {
		columnAt[c.value] = i
		columns = append(columns, c.label)
	}
	row := func(head []string) crossRow {
		return crossRow{head: head, cells: make([]uint64, len(columns))}
	}
	total, rest := row(headOf(word.Word("total"), len(by))), row(headOf(word.Count("groups.rest", uint64(cut)), len(by)))
	rowAt := make(map[string]int, len(leads))
	for i, l := range leads {
		rowAt[l.key] = i
		rows = append(rows, row(l.head))
	}
	s.Tally.Groups().Top(0, tally.ByValue, func(g *tally.Group) bool {
		r := &rest
		if i, ok := rowAt[leadKey(by, g)]; ok {
			r = &rows[i]
		}
		for _, r := range []*crossRow{r, &total} {
			r.connections += g.Connections
			r.templates += g.Templates
			if c, ok := columnAt[g.Values[len(by)]]; ok {
				r.cells[c] += g.Connections
			}
		}
		return true
	})
	if cut > 0 {
		rows = append(rows, rest)
	}
	if given := s.Tally.Groups().Rest(); given.Connections+given.Templates > 0 {
		r := row(headOf(word.Word("groups.given"), len(by)))
		r.connections, r.templates = given.Connections, given.Templates
		rows = append(rows, r)
		total.add(&r)
	}
	return append(rows, total), columns
}

func (r *crossRow) add(o *crossRow) {
	r.connections += o.connections
	r.templates += o.templates
	for c, n := range o.cells {
		r.cells[c] += n
	}
}

type groupsJSON struct {
	By     []string    `json:"by"`
	Groups []groupJSON `json:"groups"`
	Other  struct {
		Groups      int    `json:"groups"`
		Connections uint64 `json:"connections"`
		Templates   uint64 `json:"templates"`
	} `json:"other"`
	Undercount uint64 `json:"undercount"`
}

type groupJSON struct {
	Values      []*string     `json:"values"`
	Connections uint64        `json:"connections"`
	Share       float64       `json:"share"`
	Templates   uint64        `json:"templates"`
	Longest     *conn.Seconds `json:"longest_expires_seconds"`
}

func (s *Summary) groupsDocument(o Options) *groupsJSON {
	d := &groupsJSON{By: make([]string, 0, len(o.By)), Groups: make([]groupJSON, 0)}
	for _, dim := range o.By {
		d.By = append(d.By, dim.String())
	}
	all := s.Tally.Connections()
	sum := s.eachGroup(o, o.top(0), func(g *tally.Group) {
		j := groupJSON{Connections: g.Connections, Share: share(g.Connections, all), Templates: g.Templates, Longest: optional(g.Longest(), g.Longest() != conn.Unknown)}
		for i := range g.Values {
			j.Values = append(j.Values, optional(groupValue(o.By[i], &g.Values[i])))
		}
		d.Groups = append(d.Groups, j)
	})
	d.Other.Groups, d.Other.Connections, d.Other.Templates = sum.cut, all-sum.connections, s.Tally.Templates()-sum.templates
	d.Undercount = s.Tally.Groups().Undercount()
	return d
}

// groupsCSV writes a row for each group, and rows of other kinds for what is not shown
// and for all.
func (s *Summary) groupsCSV(w io.Writer, o Options) error {
	titles := []string{"kind"}
	for _, d := range o.By {
		titles = append(titles, d.String())
	}
	c := newCSV(w, append(titles, "connections", "share", "templates")...)
	all, templates := s.Tally.Connections(), s.Tally.Templates()
	row := func(kind string, values []string, connections, templates uint64) {
		cells := append([]string{kind}, values...)
		c.row(append(cells, number(connections), fraction(connections, all), number(templates))...)
	}
	values := make([]string, len(o.By))
	sum := s.eachGroup(o, o.top(0), func(g *tally.Group) {
		for i := range g.Values {
			values[i], _ = groupValue(o.By[i], &g.Values[i])
		}
		row("group", values, g.Connections, g.Templates)
	})
	clear(values)
	if sum.cut > 0 {
		row("other", values, all-sum.connections, templates-sum.templates)
	}
	row("total", values, all, templates)
	return c.done()
}
