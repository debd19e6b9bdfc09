package render

import (
	"io"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/history"
	"ipvsstate/internal/tally"
)

type syncJSON struct {
	Schema int                 `json:"schema"`
	Master sideJSON            `json:"master"`
	Backup sideJSON            `json:"backup"`
	Apart  *int64              `json:"apart_seconds"`
	Filter string              `json:"filter"`
	Config *[]configChangeJSON `json:"config"`
	Sync   struct {
		Open        coverageJSON     `json:"open"`
		Established coverageJSON     `json:"established"`
		Datagrams   coverageJSON     `json:"udp"`
		Connections coverageJSON     `json:"connections"`
		Templates   coverageJSON     `json:"templates"`
		States      []coverageOfJSON `json:"states"`
		Idle        []coverageOfJSON `json:"established_by_idle"`
		Services    []coverageOfJSON `json:"established_by_service"`
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
	Master  uint64 `json:"master"`
	Held    uint64 `json:"held"`
	Missing uint64 `json:"missing"`
}

type coverageOfJSON struct {
	Protocol string  `json:"protocol,omitempty"`
	Name     *string `json:"name"`
	coverageJSON
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

func coveragesDocument(a tally.Aspect, all []history.CoverageOf) []coverageOfJSON {
	rows := make([]coverageOfJSON, 0, len(all))
	for i := range all {
		protocol, name := changeName(a, &all[i].Value)
		rows = append(rows, coverageOfJSON{protocol, name, coverageDocument(all[i].Coverage)})
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
	c := newCSV(w, "what", "protocol", "name", "master", "held", "missing", "backup", "origin")
	row := func(what, protocol, name string, v history.Coverage) {
		c.row(what, protocol, name, number(v.Master), number(v.Held), number(v.Master-v.Held), "", "")
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
		c.row("missing by", "", reasonNames[i], "", "", number(n), "", "")
	}
	for i := range s.OnlyBackup {
		b := &s.OnlyBackup[i]
		origin, _ := groupValue(tally.Dimension{Aspect: tally.Origin}, &tally.Value{Origin: b.Origin})
		c.row("only on the backup", b.Protocol.String(), b.State.String(), "", "", "", number(b.Count), origin)
	}
	c.row("templates only on the backup", "", "", "", "", "", number(s.OnlyBackupTemplates), "")
	for _, v := range s.csvRows() {
		c.row(v[0], "", v[1], v[2], "", "", v[3], "")
	}
	return c.done()
}
