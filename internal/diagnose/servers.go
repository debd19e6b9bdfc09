package diagnose

import (
	"math"
	"strconv"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/services"
)

// The rules of real servers: gone, drained, unevenly used, missing.

// orphans goes through what points at servers and services that are there no more.
func (f *Facts) orphans(udp bool, find func(o *services.Orphan, n, of uint64)) {
	for i := range f.Report.Orphans {
		o := &f.Report.Orphans[i]
		n := o.Connections + o.Templates
		of := f.Tally.Connections() + f.Tally.Templates()
		for k := range f.Report.Services {
			if v := &f.Report.Services[k]; o.Whether == conn.ServerGone && target(&v.Service) == withoutServer(o.Target) {
				of = v.Connections + v.Templates
			}
		}
		if f.keptAlive(o.Target.Protocol, o.Count, o.Longest) == udp && f.enough(live(&o.Group), "gone.min") && f.much(n, of, "gone.share") {
			find(o, n, of)
		}
	}
}

// live is how many entries of a group still matter to their clients: not those of closed
// connections.
func live(g *services.Group) uint64 {
	return g.Connections + g.Templates - in(g, conn.FinWait, conn.TimeWait, conn.Close)
}

func withoutServer(t conn.Target) conn.Target {
	t.Server, t.Template = conn.Endpoint{}, false
	t.Virtual = t.Virtual.Identity()
	if t.Marked {
		t.Virtual, t.Protocol = conn.Endpoint{}, conn.Protocol{}
	}
	return t
}

// keptAlive reports datagrams that come: an entry of UDP has nearly all of its time left.
func (f *Facts) keptAlive(p conn.Protocol, n services.Count, longest conn.Seconds) bool {
	timeout := conn.DefaultTimeouts.UDP
	if f.Config != nil && f.Config.Timeouts != nil {
		timeout = f.Config.Timeouts.UDP
	}
	return p == conn.UDP && n.Connections > 0 && longest > timeout-15
}

// nodest is which of three texts holds by expire_nodest_conn.
func (f *Facts) nodest() string {
	if f.Config == nil || f.Config.Sysctls == nil {
		return ""
	}
	switch f.Config.Sysctls["expire_nodest_conn"] {
	case "":
		return ""
	case "0":
		return "kept"
	}
	return "expired"
}

// serverGone is LVS009.
func serverGone(f *Facts) (found []Finding) {
	f.orphans(false, func(o *services.Orphan, n, of uint64) {
		s := conn.Service{Protocol: o.Target.Protocol, Virtual: o.Target.Virtual, Fwmark: o.Target.Fwmark, IPv6: o.Target.IPv6}
		g := f.finding(n, text("server", o.Target.Server.String()), text("service", s.Name()), number("connections", o.Connections), number("templates", o.Templates), span("longest", o.Longest)).
			run("ipvsstate list --virtual %s --server %s --sort expires --reverse --limit 20", serviceFilter(&s), endpoint(o.Target.Server))
		if g.Case = f.nodest(); o.Whether == conn.ServiceGone {
			g.Case = "service"
		}
		found = append(found, g)
	})
	return append(found, manyGone(f)...)
}

// manyGone is LVS009 of servers that have too few entries for a finding of their own, and
// enough together: the pods of many deployments, for one.
func manyGone(f *Facts) (found []Finding) {
	type sum struct {
		services.Group
		servers uint64
		longest conn.Seconds
	}
	sums := map[string]*sum{}
	for i := range f.Report.Orphans {
		o := &f.Report.Orphans[i]
		v := conn.Service{Protocol: o.Target.Protocol, Virtual: o.Target.Virtual, Fwmark: o.Target.Fwmark, IPv6: o.Target.IPv6}
		if o.Whether != conn.ServerGone || f.enough(live(&o.Group), "gone.min") {
			continue
		}
		s := sums[v.Name()]
		if s == nil {
			s = &sum{longest: conn.Unknown}
			sums[v.Name()] = s
		}
		s.servers++
		s.Add(o.Count, o.States)
		s.longest = max(s.longest, o.Longest)
	}
	for i := range f.Report.Services {
		v := &f.Report.Services[i]
		s := sums[v.Name()]
		if s == nil || s.servers < 2 || !f.enough(live(&s.Group), "gone.min") || !f.much(s.Connections+s.Templates, v.Connections+v.Templates, "gone.share") {
			continue
		}
		g := f.finding(s.Connections+s.Templates, number("servers", s.servers), text("service", v.Name()), number("connections", s.Connections), number("templates", s.Templates), span("longest", s.longest)).
			run("ipvsstate services --virtual %s", serviceFilter(&v.Service))
		g.Case = "several"
		found = append(found, g)
	}
	return found
}

// udpGone is LVS013.
func udpGone(f *Facts) (found []Finding) {
	f.orphans(true, func(o *services.Orphan, n, of uint64) {
		s := conn.Service{Protocol: o.Target.Protocol, Virtual: o.Target.Virtual}
		found = append(found, f.finding(n, text("server", o.Target.Server.String()), text("service", s.Name()), number("connections", o.Connections), span("longest", o.Longest)).
			run("ipvsstate list --proto UDP --server %s --sort expires --reverse --limit 20", endpoint(o.Target.Server)))
	})
	f.eachServer(func(v *services.Service, s *services.Server) {
		if n := s.Connections; s.Drained() && f.keptAlive(v.Protocol, s.Count, s.Longest) && f.enough(n, "gone.min") && f.much(n, v.Connections, "gone.share") {
			g := f.finding(n, text("server", s.Address.String()), text("service", v.Name()), number("connections", n), span("longest", s.Longest)).
				run("ipvsstate list --proto UDP --server %s --sort expires --reverse --limit 20", endpoint(s.Address))
			g.Case = "drained"
			found = append(found, g)
		}
	})
	return found
}

// drained is LVS010.
func drained(f *Facts) (found []Finding) {
	f.eachServer(func(v *services.Service, s *services.Server) {
		n := s.Connections + s.Templates
		if !s.Drained() || n == 0 || f.keptAlive(v.Protocol, s.Count, s.Longest) || !f.much(n, v.Connections+v.Templates, "drained.share") {
			return
		}
		g := f.finding(n, text("server", s.Address.String()), text("service", v.Name()),
			number("connections", s.Connections), number("established", in(&s.Group, conn.Established, conn.UDPState)), number("templates", s.Templates), span("longest", s.Longest)).
			run("ipvsstate list --server %s --sort expires --reverse --limit 20", endpoint(s.Address))
		if quiescent := f.sysctl("expire_quiescent_template"); s.Templates > 0 && quiescent == 0 {
			g.Case = "templates"
		}
		found = append(found, g)
	})
	return found
}

// bySize are the schedulers whose spread is not meant to follow weights: those that fill
// one server first, or always send a client to the same one.
var bySize = map[string]bool{"fo": true, "ovf": true, "nq": true, "sh": true, "dh": true, "mh": true, "lblc": true, "lblcr": true, "conhash": true}

// uneven is LVS011.
func uneven(f *Facts) (found []Finding) {
	for i := range f.Report.Services {
		v := &f.Report.Services[i]
		if len(v.Servers) < 2 || !f.enough(v.Connections, "uneven.min") || bySize[v.Scheduler] || f.isFound("LVS001", v.Name()) {
			continue
		}
		var worst *services.Server
		worstBy := 0.0
		all, taking := uint64(0), 0 // on servers that take part: what a drained one still has is no share
		for k := range v.Servers {
			if v.Servers[k].Weight > 0 {
				all += v.Servers[k].Connections
				taking++
			}
		}
		fairShare := func(s *services.Server) float64 {
			if v.Scheduler == "rr" || v.Scheduler == "lc" { // heed no weights but 0
				return 1 / float64(taking)
			}
			return s.WeightShare
		}
		for k := range v.Servers {
			s := &v.Servers[k]
			if s.WeightShare < 0 || s.Share < 0 {
				worst = nil
				break
			}
			// More than chance would do: four standard deviations off.
			fair := fairShare(s) * float64(all)
			off := math.Abs(float64(s.Connections) - fair)
			ratio := max(float64(s.Connections)/max(fair, 1), fair/max(float64(s.Connections), 1))
			if s.Weight > 0 && ratio >= f.at("uneven.ratio") && off > 4*math.Sqrt(fair*float64(f.Sampled))+1 && off > worstBy {
				worst, worstBy = s, off
			}
		}
		if worst == nil {
			continue
		}
		g := f.finding(worst.Connections, text("service", v.Name()), text("server", worst.Address.String()), part("share", worst.Connections, all), shareOf("weight_share", fairShare(worst)), number("connections", all)).
			run("ipvsstate --virtual %s --by server --across state", serviceFilter(&v.Service))
		established := in(&v.Group, conn.Established)
		switch {
		case v.Persistent > 0:
			g.Case = "persistence"
		case 2*established > v.Connections:
			g.Case = "long"
		}
		found = append(found, g)
	}
	return found
}

// isFound reports that another rule has found something about a service.
func (f *Facts) isFound(code, service string) bool { return about(f.found[code], service) }

// about reports that one of the findings is about a service.
func about(found []Finding, service string) bool {
	for _, g := range found {
		for _, fact := range g.Facts {
			if fact.Name == "service" && fact.Value == service {
				return true
			}
		}
	}
	return false
}

// noServers is LVS014: one finding for all services without a server.
func noServers(f *Facts) (found []Finding) {
	var empty []string
	for i := range f.Report.Services {
		v := &f.Report.Services[i]
		available, told := 0, true
		for k := range v.Servers {
			told = told && v.Servers[k].Weight >= 0
			if v.Servers[k].Weight > 0 {
				available++
			}
		}
		switch {
		case len(v.Servers) == 0:
			empty = append(empty, v.Name())
		case told && available == 0:
			g := f.finding(v.Connections, text("service", v.Name()), number("servers", uint64(len(v.Servers))))
			g.Case = "weights"
			found = append(found, g.run("ipvsstate services --virtual %s", serviceFilter(&v.Service)))
		}
	}
	switch n := uint64(len(empty)); {
	case n == 1:
		found = append(found, f.finding(0, text("service", empty[0])).run("ipvsadm -Ln"))
	case n > 1:
		g := f.finding(0, number("services", n), text("service", empty[0])).run("ipvsadm -Ln")
		g.Case = "several"
		found = append(found, g)
	}
	return found
}

// silentService is LVS015: one finding for all of them.
func silentService(f *Facts) []Finding {
	if !f.enough(f.Tally.Connections(), "silent.siblings") || f.Report.Unassigned.Connections > 0 {
		return nil
	}
	if f.Sampled > 1 { // of small services the sample may have nothing
		return nil
	}
	silent, busy, first := uint64(0), uint64(0), ""
	for i := range f.Report.Services {
		v := &f.Report.Services[i]
		switch {
		case v.Connections > 0:
			busy++
		case v.OnePacket || v.Templates > 0 || len(v.Servers) == 0: // keeps no entries; not silent; LVS014
		default:
			if silent++; first == "" {
				first = v.Name()
			}
		}
	}
	if silent == 0 || busy < 2 || silent > busy {
		return nil
	}
	g := f.finding(silent, text("service", first), number("busy", busy)).run("ipvsadm -Ln --stats")
	if silent > 1 {
		g.Case = "several"
		g.Facts = []Fact{number("silent", silent), text("service", first), number("busy", busy)}
	}
	return []Finding{g}
}

// counters is LVS020.
func counters(f *Facts) []Finding {
	if f.mostlySynced() { // a backup's kernel does not always count them
		return nil
	}
	differ := uint64(0)
	var worst *services.Server
	var of *services.Service
	most := 0.0
	f.eachServer(func(v *services.Service, s *services.Server) {
		if !s.Disagrees {
			return
		}
		differ++
		if off := math.Abs(float64(s.Server.Active+s.Inactive) - float64(s.Connections)); off > most {
			most, worst, of = off, s, v
		}
	})
	if worst == nil {
		return nil
	}
	return []Finding{f.finding(uint64(most), number("servers", differ), text("server", worst.Address.String()), text("service", of.Name()),
		text("counters", strconv.Itoa(worst.Server.Active)+"+"+strconv.Itoa(worst.Inactive)), number("connections", worst.Connections)).
		run("ipvsstate services --server %s", endpoint(worst.Address))}
}
