package render

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/explain"
	"ipvsstate/internal/services"
	"ipvsstate/internal/tally"
)

// Services is what `ipvsstate services` shows.
type Services struct {
	*Summary
	Report *services.Report
}

// ServicesScreen writes the services for a person.
func ServicesScreen(w io.Writer, s *Services, o Options) error {
	if err := writeFacts(w, s.allFacts(o), o); err != nil {
		return err
	}
	for _, part := range s.parts(o) {
		if err := part.write(w, o); err != nil {
			return err
		}
	}
	return nil
}

// ServicesMarkdown writes the services for a ticket.
func ServicesMarkdown(w io.Writer, s *Services, o Options) error {
	o = o.plain()
	var out bytes.Buffer
	if err := markdown(&out, s.allFacts(o), s.parts(o)); err != nil {
		return err
	}
	_, err := out.WriteTo(w)
	return err
}

// allFacts are the summary's, and what is to be known of the services.
func (s *Services) allFacts(o Options) [][2]string {
	word := o.Words
	facts := s.facts(o)
	note := func(text string) { facts = append(facts, [2]string{word.Word("note"), text}) }
	r := s.Report
	if !r.Configured && s.Kernel == nil { // of the kernel it is said why
		note(word.Word("services.untold"))
	}
	disagree := 0
	for i := range r.Services {
		for k := range r.Services[i].Servers {
			if r.Services[i].Servers[k].Disagrees {
				disagree++
			}
		}
	}
	if disagree > 0 {
		note(word.Count("disagree", uint64(disagree)))
	}
	return facts
}

func (s *Services) parts(o Options) []part {
	word := o.Words
	all := []part{{"", s.serversTable(o)}}
	if leaving := s.leavingTable(o); len(leaving.rows) > 0 {
		all = append(all, part{word.Word("title.leaving"), leaving})
	}
	advice := func(text string) { all = append(all, part{text, &table{}}) }
	if len(s.Report.Orphans) > 0 {
		advice(s.advice("expire_nodest_conn", word.Word("advice.nodest.off"), word.Word("advice.nodest.on"), word.Word("advice.nodest.unknown")))
	}
	if len(s.drained()) > 0 {
		advice(s.advice("expire_quiescent_template", word.Word("advice.drained.off"), word.Word("advice.drained.on"), word.Word("advice.drained.unknown")))
	}
	return all
}

// drainedServer is a server of weight 0 that still has entries.
type drainedServer struct {
	service *services.Service
	server  *services.Server
}

func (s *Services) drained() (all []drainedServer) {
	for i := range s.Report.Services {
		v := &s.Report.Services[i]
		for k := range v.Servers {
			if r := &v.Servers[k]; r.Drained() && r.Connections+r.Templates > 0 {
				all = append(all, drainedServer{v, r})
			}
		}
	}
	return all
}

// advice is one of three texts by what a sysctl says.
func (s *Services) advice(sysctl, off, on, unknown string) string {
	if s.Config == nil {
		return unknown
	}
	switch value, ok := s.Config.Sysctls[sysctl]; {
	case !ok:
		return unknown
	case value == "0":
		return off
	}
	return on
}

// family is 4 or 6, nil for a service whose address is a name.
func family(v *conn.Service) *int {
	six := v.IPv6
	if v.Fwmark == 0 {
		six = v.Virtual.Addr.Is6()
	}
	return optional(map[bool]int{false: 4, true: 6}[six], v.Fwmark != 0 || v.Virtual.Addr.IsValid())
}

// flags are a service's flags as ipvsadm prints them.
func flags(v *services.Service) string {
	var words []string
	if v.SchedulerFlags != "" {
		words = append(words, "("+v.SchedulerFlags+")")
	}
	if v.Persistent > 0 {
		words = append(words, fmt.Sprintf("persistent %d", v.Persistent))
	}
	if v.Mask != 0 {
		words = append(words, fmt.Sprintf("mask /%d", v.Mask))
	}
	if v.PEName != "" {
		words = append(words, "pe "+v.PEName)
	}
	if v.OnePacket {
		words = append(words, "ops")
	}
	return strings.Join(words, " ")
}

// serversTable has a row for each service, and below it one for each of its servers, as
// ipvsadm -Ln does, with the states as columns. What belongs to no server comes last, so
// that the services and these add up to all.
func (s *Services) serversTable(o Options) *table {
	word, r := o.Words, s.Report
	states := s.stateColumns()
	heads := []column{{head: word.Word("head.services")}}
	if r.Configured {
		heads = append(heads, column{head: word.Word("head.method"), priority: 2}, column{head: word.Word("head.flags"), priority: 6}, column{head: word.Word("head.weight"), right: true},
			column{head: word.Word("head.ofweight"), right: true, priority: 7})
	}
	heads = append(heads, column{head: word.Word("head.share"), right: true, priority: 5})
	if r.Configured {
		heads = append(heads, column{head: word.Word("head.counters"), right: true, priority: 4})
	}
	// head is the cells in front of the counts.
	head := func(name, method, flags, weight, ofWeight, share, counters string) []string {
		if !r.Configured {
			return []string{name, share}
		}
		return []string{name, method, flags, weight, ofWeight, share, counters}
	}
	var rows []crossRow
	row := func(head []string, n services.Count, by []services.State) {
		c := crossRow{head: head, connections: n.Connections, templates: n.Templates, cells: make([]uint64, len(states))}
		for _, st := range by {
			c.cells[slices.Index(states, st.State)] += st.Count
		}
		rows = append(rows, c)
	}
	last := func(label string, n services.Count, by []services.State) {
		if n.Connections+n.Templates > 0 {
			row(head(label, "", "", "", "", "", ""), n, by)
		}
	}
	shown := r.Services
	if n := o.top(shownRows); !o.Wide && n > 0 && len(shown) > n+1 {
		shown = shown[:n]
	}
	var total services.Count
	all := func(n services.Count) { total.Connections += n.Connections; total.Templates += n.Templates }
	for i := range shown {
		v := &shown[i]
		row(head(Clean(v.Service.Name()), Clean(v.Scheduler), Clean(flags(v)), "", "", "", ""), v.Count, v.States)
		all(v.Count)
		for k := range v.Servers {
			n := &v.Servers[k]
			counters := ""
			if n.Server.Active >= 0 {
				counters = whole(n.Server.Active) + "+" + whole(n.Inactive)
			}
			if n.Disagrees {
				counters = "!" + counters
			}
			row(head("  -> "+Clean(n.Address.String()), n.Forwarding.String(), "", whole(n.Weight), portion(n.WeightShare), portion(n.Share), counters), n.Count, n.States)
		}
		if len(v.Servers) == 0 && r.Configured {
			row(head("  "+word.Word("no.servers"), "", "", "", "", "", ""), services.Count{}, nil)
		}
	}
	if rest := r.Services[len(shown):]; len(rest) > 0 {
		sum := services.Sum(rest)
		row(head(word.Count("rest", uint64(len(rest))), "", "", "", "", "", ""), sum.Count, sum.States)
		all(sum.Count)
	}
	gone := services.Service{}
	for i := range r.Orphans {
		if r.Orphans[i].Whether == conn.ServiceGone {
			gone.Add(r.Orphans[i].Count, r.Orphans[i].States)
		}
	}
	last(word.Word("orphan.service_gone"), gone.Count, gone.States)
	last(word.Word("unassigned"), r.Unassigned.Count, r.Unassigned.States)
	last(word.Word("invalidated"), r.Invalidated.Count, r.Invalidated.States)
	last(word.Word("lost"), r.Lost, nil)
	for _, n := range []services.Count{gone.Count, r.Unassigned.Count, r.Invalidated.Count, r.Lost} {
		all(n)
	}
	by := make([]services.State, 0)
	for _, c := range s.Tally.States(tally.ByCount) {
		by = append(by, services.State{State: c.State, Count: c.Count})
	}
	row(head(word.Word("total"), "", "", "", "", "", ""), total, by)
	columns := make([]string, len(states))
	for i, st := range states {
		columns[i] = stateWord(st, word)
	}
	return cross(heads, columns, rows, o)
}

// whole writes a number that may not be told.
func whole(n int) string {
	if n < 0 {
		return "-"
	}
	return explain.Thousands(uint64(n))
}

func portion(f float64) string {
	if f < 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f%%", 100*f)
}

var whethers = map[conn.Whether]string{conn.ServerGone: "server_gone", conn.ServiceGone: "service_gone"}

func targetName(t *conn.Target) string {
	v := conn.Service{Protocol: t.Protocol, Virtual: t.Virtual, Fwmark: t.Fwmark, IPv6: t.IPv6}
	return v.Name()
}

// leavingTable has the entries that no scheduler would make any more: those of servers
// that are gone, and of servers of weight 0.
func (s *Services) leavingTable(o Options) *table {
	word := o.Words
	t := &table{columns: []column{
		{head: word.Word("head.service")},
		{head: word.Word("head.server")},
		{head: word.Word("head.why"), priority: 3},
		{head: word.Word("head.connections"), right: true},
		{head: word.Word("head.templates"), right: true, priority: 2},
		{head: word.Word("head.gone"), right: true, priority: 1},
	}}
	add := func(service string, server *conn.Endpoint, why string, n services.Count, longest conn.Seconds) {
		t.add(Clean(service), Clean(server.String()), why, explain.Thousands(n.Connections), explain.Thousands(n.Templates), clock(longest))
	}
	for i := range s.Report.Orphans {
		r := &s.Report.Orphans[i]
		add(targetName(&r.Target), &r.Target.Server, word.Word("orphan."+whethers[r.Whether]), r.Count, r.Longest)
	}
	for _, d := range s.drained() {
		add(d.service.Service.Name(), &d.server.Address, word.Word("drained"), d.server.Count, d.server.Longest)
	}
	if n := o.top(shownRows); !o.Wide && n > 0 && len(t.rows) > n+1 {
		cut := len(t.rows) - n
		t.rows = append(t.rows[:n], []string{word.Count("groups.rest", uint64(cut)), "", "", "", "", ""})
	}
	return t
}

// clock writes a time as ipvsadm does.
func clock(s conn.Seconds) string {
	if s < 0 {
		return "-"
	}
	return fmt.Sprintf("%02d:%02d", s/60, s%60)
}

type servicesJSON struct {
	Schema      int               `json:"schema"`
	Lang        string            `json:"lang"`
	Source      sourceJSON        `json:"source"`
	Snapshot    snapshotJSON      `json:"snapshot"`
	Input       inputJSON         `json:"input"`
	Filter      string            `json:"filter"`
	ConfigFrom  *ConfigFrom       `json:"config_from"`
	Misread     int               `json:"config_misread"`
	Connections uint64            `json:"connections"`
	Templates   uint64            `json:"templates"`
	Services    []fullServiceJSON `json:"services"`
	Orphans     []orphanJSON      `json:"orphans"`
	Invalidated countJSON         `json:"invalidated"`
	Unassigned  countJSON         `json:"unassigned"`
	Lost        countJSON         `json:"lost"`
	Sysctls     map[string]string `json:"sysctls"`
	Missing     []missingJSON     `json:"missing"`
}

type countJSON struct {
	Connections uint64 `json:"connections"`
	Templates   uint64 `json:"templates"`
}

type fullServiceJSON struct {
	Protocol       *string          `json:"protocol"`
	Virtual        *string          `json:"virtual"`
	Fwmark         *uint32          `json:"fwmark"`
	Family         *int             `json:"family"`
	Scheduler      *string          `json:"scheduler"`
	SchedulerFlags string           `json:"scheduler_flags"`
	Persistent     *conn.Seconds    `json:"persistent_seconds"`
	Mask           *int             `json:"mask_bits"`
	OnePacket      bool             `json:"one_packet"`
	Engine         *string          `json:"pe_name"`
	Connections    uint64           `json:"connections"`
	Templates      uint64           `json:"templates"`
	Servers        []fullServerJSON `json:"servers"`
}

type fullServerJSON struct {
	Server      string            `json:"server"`
	Forwarding  *string           `json:"forwarding"`
	Weight      *int              `json:"weight"`
	WeightShare *float64          `json:"weight_share"`
	Active      *int              `json:"kernel_active"`
	Inactive    *int              `json:"kernel_inactive"`
	Persistent  *int              `json:"kernel_persistent"`
	Connections uint64            `json:"connections"`
	TableActive uint64            `json:"active"`
	Share       *float64          `json:"share"`
	Templates   uint64            `json:"templates"`
	States      map[string]uint64 `json:"states"`
	Longest     *conn.Seconds     `json:"longest_expires_seconds"`
	Disagrees   bool              `json:"disagrees"`
}

type orphanJSON struct {
	Service     string            `json:"service"`
	Server      string            `json:"server"`
	Why         string            `json:"why"`
	Connections uint64            `json:"connections"`
	Templates   uint64            `json:"templates"`
	States      map[string]uint64 `json:"states"`
	Longest     *conn.Seconds     `json:"longest_expires_seconds"`
}

func statesDocument(states []services.State) map[string]uint64 {
	m := make(map[string]uint64, len(states))
	for _, st := range states {
		word := st.State.String()
		if word == "" {
			word = "unknown"
		}
		m[word] += st.Count
	}
	return m
}

// ServicesJSON writes the services as one JSON document.
func ServicesJSON(w io.Writer, s *Services, o Options) error {
	r := s.Report
	d := servicesJSON{
		Schema: Schema, Lang: string(o.Words.Language), Source: s.sourceDocument(), Snapshot: s.snapshotDocument(), Input: s.inputDocument(),
		Filter: s.Filter, ConfigFrom: optional(s.ConfigFrom, r.Configured), Misread: s.Misread,
		Connections: s.Tally.Connections(), Templates: s.Tally.Templates(),
		Services: make([]fullServiceJSON, 0), Orphans: make([]orphanJSON, 0), Missing: make([]missingJSON, 0),
		Invalidated: countJSON(r.Invalidated.Count), Unassigned: countJSON(r.Unassigned.Count), Lost: countJSON(r.Lost),
	}
	for _, m := range s.Missing {
		d.Missing = append(d.Missing, missingJSON(m))
	}
	if s.Config != nil {
		d.Sysctls = s.Config.Sysctls
	}
	for i := range r.Services {
		v := &r.Services[i]
		marked := v.Fwmark != 0
		j := fullServiceJSON{
			Protocol: optional(v.Protocol.String(), !marked), Virtual: optional(v.Virtual.String(), !marked), Fwmark: optional(v.Fwmark, marked),
			Family:    family(&v.Service),
			Scheduler: optional(v.Scheduler, v.Scheduler != ""), SchedulerFlags: v.SchedulerFlags,
			Persistent: optional(v.Persistent, v.Persistent != conn.Unknown), Mask: optional(v.Mask, v.Mask != 0), OnePacket: v.OnePacket,
			Engine: optional(v.PEName, v.PEName != ""), Connections: v.Connections, Templates: v.Templates, Servers: make([]fullServerJSON, 0),
		}
		for k := range v.Servers {
			n := &v.Servers[k]
			j.Servers = append(j.Servers, fullServerJSON{
				Server: n.Address.String(), Forwarding: optional(n.Forwarding.String(), n.Forwarding != conn.UnknownForwarding),
				Weight: optional(n.Weight, n.Weight >= 0), WeightShare: optional(n.WeightShare, n.WeightShare >= 0),
				Active: optional(n.Server.Active, n.Server.Active >= 0), Inactive: optional(n.Inactive, n.Inactive >= 0), Persistent: optional(n.Persistent, n.Persistent >= 0),
				Connections: n.Connections, TableActive: n.Active, Share: optional(n.Share, n.Share >= 0), Templates: n.Templates,
				States: statesDocument(n.States), Longest: optional(n.Longest, n.Longest != conn.Unknown), Disagrees: n.Disagrees,
			})
		}
		d.Services = append(d.Services, j)
	}
	for i := range r.Orphans {
		n := &r.Orphans[i]
		d.Orphans = append(d.Orphans, orphanJSON{
			targetName(&n.Target), n.Target.Server.String(), whethers[n.Whether], n.Connections, n.Templates,
			statesDocument(n.States), optional(n.Longest, n.Longest != conn.Unknown),
		})
	}
	return writeJSON(w, &d)
}

// ServicesCSV writes a row for each service and real server, then the orphans and what
// belongs to no service. The rows of services, of entries whose service is gone, and of
// unassigned, invalidated and lost ones add up to the total; server_gone is within its
// service.
func ServicesCSV(w io.Writer, s *Services, _ Options) error {
	c := newCSV(w, "kind", "service", "server", "forwarding", "weight", "kernel_active", "kernel_inactive", "connections", "active", "share", "templates", "longest_expires_seconds")
	told := func(n int) string {
		if n < 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	for i := range s.Report.Services {
		v := &s.Report.Services[i]
		c.row("service", v.Service.Name(), "", "", "", "", "", number(v.Connections), "", "", number(v.Templates), "")
		for k := range v.Servers {
			n := &v.Servers[k]
			share := ""
			if n.Share >= 0 {
				share = strconv.FormatFloat(n.Share, 'f', 4, 64)
			}
			c.row("server", v.Service.Name(), n.Address.String(), n.Forwarding.String(), told(n.Weight), told(n.Server.Active), told(n.Inactive),
				number(n.Connections), number(n.Active), share, number(n.Templates), told(int(n.Longest)))
		}
	}
	for i := range s.Report.Orphans {
		n := &s.Report.Orphans[i]
		c.row(whethers[n.Whether], targetName(&n.Target), n.Target.Server.String(), "", "", "", "", number(n.Connections), "", "", number(n.Templates), told(int(n.Longest)))
	}
	last := func(kind string, n services.Count) {
		c.row(kind, "", "", "", "", "", "", number(n.Connections), "", "", number(n.Templates), "")
	}
	last("unassigned", s.Report.Unassigned.Count)
	last("invalidated", s.Report.Invalidated.Count)
	last("lost", s.Report.Lost)
	last("total", services.Count{Connections: s.Tally.Connections(), Templates: s.Tally.Templates()})
	return c.done()
}
