package render

import (
	"io"
	"strconv"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/history"
	"ipvsstate/internal/tally"
)

type diffJSON struct {
	Schema      int          `json:"schema"`
	Before      sideJSON     `json:"before"`
	After       sideJSON     `json:"after"`
	Seconds     *int64       `json:"between_seconds"`
	Backwards   bool         `json:"backwards"`
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
	What     string     `json:"what"`
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
	Services       int    `json:"services"`
	ServicesBefore uint64 `json:"services_before"`
	ServicesAfter  uint64 `json:"services_after"`
	Servers        int    `json:"servers"`
	ServersBefore  uint64 `json:"servers_before"`
	ServersAfter   uint64 `json:"servers_after"`
	Networks       int    `json:"networks"`
	NetworksBefore uint64 `json:"networks_before"`
	NetworksAfter  uint64 `json:"networks_after"`
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
		Schema: Schema, Before: d.Before.side(), After: d.After.side(), Filter: d.Before.Filter, Backwards: d.Backwards,
		Seconds:     optional(int64(d.Seconds), d.Seconds != conn.Unknown),
		Connections: turnoverDocument(&d.Connections), Templates: turnoverDocument(&d.Templates), Moves: []moveJSON{},
		States: changesDocument(tally.State, d.States), Services: changesDocument(tally.OfService, d.Services),
		Servers: changesDocument(tally.Server, d.Servers), Networks: changesDocument(tally.Client, d.Networks),
		Left: leftJSON{
			d.Services.Cut, d.Services.Rest.Before, d.Services.Rest.After,
			d.Servers.Cut, d.Servers.Rest.Before, d.Servers.Rest.After,
			d.Networks.Cut, d.Networks.Rest.Before, d.Networks.Rest.After,
		}, Undercount: d.Undercount, Config: d.ConfigDiff.document(),
	}
	for _, m := range d.Moves {
		j := moveJSON{What: "move", Protocol: m.Protocol.String(), From: optional(m.From.String(), m.From != conn.State{}), To: optional(m.To.String(), m.To != conn.State{}), Count: m.Count}
		switch {
		case m.New:
			j.What = "new"
		case m.Gone:
			j.What = "gone"
			fates := fatesDocument(&m.Fates)
			j.Fates = &fates
		}
		doc.Moves = append(doc.Moves, j)
	}
	return writeJSON(w, doc)
}

// DiffCSV writes a comparison for a spreadsheet, a row for each group and each move.
func DiffCSV(w io.Writer, d *Diff, _ Options) error {
	c := newCSV(w, "what", "protocol", "name", "to", "before", "after", "change", "expired", "ended", "removed", "unknown")
	row := func(what, protocol, name, to string, before, after uint64, fates *[history.NumFates]uint64) {
		cells := []string{what, protocol, name, to, number(before), number(after), strconv.FormatInt(int64(after)-int64(before), 10), "", "", "", ""}
		if fates != nil {
			for i, f := range []history.Fate{history.Expired, history.Ended, history.Removed, history.Unjudged} {
				cells[7+i] = number(fates[f])
			}
		}
		c.row(cells...)
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
	for _, v := range d.csvRows() {
		c.row(v[0], "", v[1], "", v[2], v[3], "", "", "", "", "")
	}
	return c.done()
}
