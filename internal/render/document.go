package render

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/tally"
)

// Schema is the version of the JSON documents; docs/json.md describes them.
const Schema = 1

type summaryJSON struct {
	Schema         int            `json:"schema"`
	Lang           string         `json:"lang"`
	Source         sourceJSON     `json:"source"`
	Snapshot       snapshotJSON   `json:"snapshot"`
	Input          inputJSON      `json:"input"`
	Filter         string         `json:"filter"`
	Connections    uint64         `json:"connections"`
	Templates      uint64         `json:"templates"`
	States         []stateJSON    `json:"states"`
	TemplateStates []templateJSON `json:"template_states"`
	Services       []serviceJSON  `json:"services"`
	Ungrouped      struct {
		Connections uint64 `json:"connections"`
		Templates   uint64 `json:"templates"`
	} `json:"ungrouped"`
	Idle     []idleJSON    `json:"idle"`
	Timeouts *timeoutsJSON `json:"timeouts"`
	Groups   *groupsJSON   `json:"groups,omitempty"`
	Findings []findingJSON `json:"findings"`
	Kernel   *kernelJSON   `json:"kernel"`
}

type sourceJSON struct {
	Kind   string  `json:"kind"`
	Name   string  `json:"name"`
	Host   *string `json:"host"`
	Format string  `json:"format"`
}

type snapshotJSON struct {
	Index    int     `json:"index"`
	Of       int     `json:"of"`
	Merged   bool    `json:"merged"`
	Time     *string `json:"time"`
	TimeFrom string  `json:"time_from"`
	Complete bool    `json:"complete"`
}

type inputJSON struct {
	Lines      int64  `json:"lines"`
	Entries    int64  `json:"entries"`
	Skipped    int64  `json:"skipped"`
	Bad        int64  `json:"bad"`
	Duplicates uint64 `json:"duplicates"`
	Garbled    int64  `json:"garbled"`
	Other      int64  `json:"other_format"`
	Filtered   int64  `json:"filtered"`
	Named      uint64 `json:"named"`
}

func (s *Summary) sourceDocument() sourceJSON {
	return sourceJSON{s.Kind.String(), s.Name, optional(s.Host, s.Host != ""), s.Format.name}
}

func (s *Summary) snapshotDocument() snapshotJSON {
	return snapshotJSON{s.Index, s.Of, s.Merged, optional(utc(s.Time), !s.Time.IsZero()), string(s.TimeFrom), s.Complete && !s.CutShort && !s.Torn && !s.Cut}
}

func (s *Summary) inputDocument() inputJSON {
	in := s.Input
	return inputJSON{in.Lines, in.Entries, in.Skipped, in.Bad, s.Tally.Duplicates(), in.Garbled, in.OtherFormat, in.Filtered, s.Named}
}

type timeoutsJSON struct {
	kernelTimeoutsJSON
	From TimeoutsFrom `json:"from"`
}

type stateJSON struct {
	Protocol string        `json:"protocol"`
	State    *string       `json:"state"`
	Count    uint64        `json:"count"`
	Share    float64       `json:"share"`
	Timeout  *conn.Seconds `json:"timeout_seconds"`
	Meaning  string        `json:"meaning,omitempty"`
}

type templateJSON struct {
	Protocol string `json:"protocol"`
	State    string `json:"state"`
	Kind     string `json:"kind"`
	Count    uint64 `json:"count"`
	Meaning  string `json:"meaning,omitempty"`
}

type serviceJSON struct {
	Protocol    string            `json:"protocol"`
	Virtual     string            `json:"virtual"`
	Fwmark      *uint32           `json:"fwmark,omitempty"`
	Connections uint64            `json:"connections"`
	Templates   uint64            `json:"templates"`
	States      map[string]uint64 `json:"states"`
}

type kernelJSON struct {
	Version  *string             `json:"version"`
	Buckets  *uint64             `json:"hash_buckets"`
	Entries  *uint64             `json:"entries"`
	Services []kernelServiceJSON `json:"services"`
	Timeouts *kernelTimeoutsJSON `json:"timeouts"`
	Missing  []missingJSON       `json:"missing"`
}

type kernelTimeoutsJSON struct {
	TCP    conn.Seconds `json:"tcp_seconds"`
	TCPFin conn.Seconds `json:"tcp_fin_seconds"`
	UDP    conn.Seconds `json:"udp_seconds"`
}

type kernelServiceJSON struct {
	Protocol   string       `json:"protocol"`
	Virtual    string       `json:"virtual"`
	Fwmark     uint32       `json:"fwmark"`
	Scheduler  string       `json:"scheduler"`
	Persistent conn.Seconds `json:"persistent_seconds"`
	OnePacket  bool         `json:"one_packet"`
	Servers    []serverJSON `json:"servers"`
}

type serverJSON struct {
	Server     string `json:"server"`
	Forwarding string `json:"forwarding"`
	Weight     int    `json:"weight"`
	Active     int    `json:"active"`
	Inactive   int    `json:"inactive"`
}

type missingJSON struct {
	What string `json:"what"`
	Why  string `json:"why"`
}

var templateKinds = [conn.NumKinds]string{conn.Template: "client", conn.FwmarkTemplate: "fwmark", conn.StaleTemplate: "invalidated"}

// JSON writes the summary as one JSON document.
func JSON(w io.Writer, s *Summary, o Options) error {
	var d summaryJSON
	d.Schema, d.Lang = Schema, string(o.Words.Language)
	d.Source, d.Snapshot, d.Input = s.sourceDocument(), s.snapshotDocument(), s.inputDocument()
	d.Filter = s.Filter
	d.Input.Duplicates = s.Tally.Duplicates()
	d.Connections, d.Templates = s.Tally.Connections(), s.Tally.Templates()
	d.States = make([]stateJSON, 0)
	for _, c := range s.Tally.States(o.Order) {
		t := s.timeout(c)
		d.States = append(d.States, stateJSON{
			Protocol: c.Protocol.String(), State: optional(c.State.String(), c.State != conn.State{}), Count: c.Count,
			Share: share(c.Count, d.Connections), Timeout: optional(t, t != conn.Unknown), Meaning: s.meaning(c, o),
		})
	}
	d.TemplateStates = make([]templateJSON, 0)
	for _, c := range s.Tally.TemplateStates() {
		d.TemplateStates = append(d.TemplateStates, templateJSON{c.Protocol.String(), c.State.String(), templateKinds[c.Kind], c.Count, s.meaning(c, o)})
	}
	d.Services = make([]serviceJSON, 0)
	for _, v := range s.Tally.Services() {
		d.Services = append(d.Services, serviceDocument(&v))
	}
	rest := s.Tally.Ungrouped()
	d.Ungrouped.Connections, d.Ungrouped.Templates = rest.Connections, rest.Templates
	d.Idle = s.idleDocument()
	if t, ok := s.Timeouts.For(s.Format.dialect); ok && !s.Format.mixed {
		d.Timeouts = &timeoutsJSON{kernelTimeoutsJSON{t.TCP, t.TCPFin, t.UDP}, s.TimeoutsFrom}
	}
	if len(o.By) > 0 {
		d.Groups = s.groupsDocument(o)
	}
	if s.Diagnosis != nil {
		d.Findings = s.findingsDocument(o.Words)
	}
	if s.Kernel != nil {
		d.Kernel = s.kernelDocument()
	}
	return writeJSON(w, &d)
}

func optional[T any](v T, known bool) *T {
	if !known {
		return nil
	}
	return &v
}

func serviceDocument(v *tally.Service) serviceJSON {
	d := serviceJSON{
		Protocol: v.Protocol.String(), Virtual: v.Virtual.String(), Connections: v.Connections, Templates: v.Templates,
		States: make(map[string]uint64, len(v.States)),
	}
	if v.Marked {
		d.Virtual, d.Fwmark = fmt.Sprintf("fwmark %d", v.Fwmark), &v.Fwmark
	}
	for _, c := range v.States {
		word := c.State.String()
		if word == "" {
			word = "unknown"
		}
		d.States[word] += c.Count
	}
	return d
}

func (s *Summary) kernelDocument() *kernelJSON {
	k := s.Kernel
	d := &kernelJSON{
		Version: optional(k.Version, k.Version != ""), Buckets: optional(k.Buckets, k.Buckets != 0),
		Missing: make([]missingJSON, 0),
	}
	if k.Status != nil {
		d.Buckets, d.Entries = &k.Status.Buckets, &k.Status.Connections
	}
	for _, m := range s.Missing {
		d.Missing = append(d.Missing, missingJSON(m))
	}
	if s.Config == nil {
		return d
	}
	if t := s.Config.Timeouts; t != nil {
		d.Timeouts = &kernelTimeoutsJSON{t.TCP, t.TCPFin, t.UDP}
	}
	if s.Config.Services == nil {
		return d
	}
	d.Services = make([]kernelServiceJSON, 0, len(s.Config.Services))
	for _, v := range s.Config.Services {
		j := kernelServiceJSON{
			Protocol: v.Protocol.String(), Virtual: v.Virtual.String(), Fwmark: v.Fwmark, Scheduler: v.Scheduler,
			Persistent: v.Persistent, OnePacket: v.OnePacket, Servers: make([]serverJSON, 0, len(v.Servers)),
		}
		if v.Fwmark != 0 {
			j.Protocol, j.Virtual = "FWM", fmt.Sprintf("fwmark %d", v.Fwmark)
		}
		for _, r := range v.Servers {
			j.Servers = append(j.Servers, serverJSON{r.Address.String(), r.Forwarding.String(), r.Weight, r.Active, r.Inactive})
		}
		d.Services = append(d.Services, j)
	}
	return d
}

var csvKinds = [conn.NumKinds]string{"connection", "template", "fwmark_template", "invalidated_template"}

// CSV writes the states, and the totals as rows of their own kind.
func CSV(w io.Writer, s *Summary, o Options) error {
	if len(o.By) > 0 {
		return s.groupsCSV(w, o)
	}
	c := newCSV(w, "kind", "protocol", "state", "count", "share", "timeout_seconds", "meaning")
	all := s.Tally.Connections()
	for _, n := range s.Tally.States(o.Order) {
		timeout := ""
		if t := s.timeout(n); t != conn.Unknown {
			timeout = strconv.Itoa(int(t))
		}
		c.row(csvKinds[n.Kind], n.Protocol.String(), n.State.String(), number(n.Count), fraction(n.Count, all), timeout, s.meaning(n, o))
	}
	for _, n := range s.Tally.TemplateStates() {
		c.row(csvKinds[n.Kind], n.Protocol.String(), n.State.String(), number(n.Count), "", "", s.meaning(n, o))
	}
	c.row("total", "", "connections", number(all), "", "", "")
	c.row("total", "", "templates", number(s.Tally.Templates()), "", "", "")
	return c.done()
}

// plainCell keeps a spreadsheet from taking a text of the input for a formula. What is less is a number, and
// dashes alone are none.
func plainCell(s string) string {
	s = Clean(s)
	switch {
	case s == "" || !strings.ContainsRune("=+-@", rune(s[0])):
		return s
	case s[0] == '-':
		if strings.Trim(s[1:], "0123456789.") == "" || strings.Trim(s, "-") == "" {
			return s
		}
	}
	return "'" + s
}

func number(n uint64) string { return strconv.FormatUint(n, 10) }

func fraction(n, of uint64) string { return strconv.FormatFloat(share(n, of), 'f', 4, 64) }

// Markdown writes the summary for a ticket.
func Markdown(w io.Writer, s *Summary, o Options) error {
	o = o.plain()
	var out bytes.Buffer // tablewriter does not report what becomes of its last write
	if err := markdown(&out, s.facts(o), s.parts(o)); err != nil {
		return err
	}
	_, err := out.WriteTo(w)
	return err
}

func markdown(out *bytes.Buffer, facts [][2]string, parts []part) error {
	for _, f := range facts {
		fmt.Fprintf(out, "- **%s**: %s\n", f[0], escapeMarkdown(f[1]))
	}
	for _, part := range parts {
		out.WriteString("\n")
		if part.title != "" {
			out.WriteString(escapeMarkdown(part.title) + "\n")
		}
		if len(part.table.columns) == 0 {
			continue
		}
		if part.title != "" {
			out.WriteString("\n")
		}
		for i := range part.table.columns {
			part.table.columns[i].head = escapeMarkdown(part.table.columns[i].head)
		}
		for _, row := range part.table.rows {
			for i := range row {
				row[i] = escapeMarkdown(row[i])
			}
		}
		if err := part.table.markdown(out); err != nil {
			return err
		}
	}
	return nil
}

var markdownEscapes = strings.NewReplacer("\\", "\\\\", "|", "\\|", "*", "\\*", "_", "\\_", "`", "\\`", "<", "&lt;", "[", "\\[")

func escapeMarkdown(s string) string { return markdownEscapes.Replace(s) }
