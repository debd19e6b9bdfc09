package diagnose

import (
	"ipvsstate/internal/conn"
	"ipvsstate/internal/services"
	"ipvsstate/internal/tally"
)

// The rules of half-open connections. They share one question, asked service by service:
// who does not answer, one server, all of them, or the clients?

// halfOpen is how many connections of a server wait for the handshake. With secure_tcp a
// SYN alone is SYNACK where the client's packets are all that is seen (tcp_states_dos);
// under NAT it means that the server has answered.
func halfOpen(g *services.Group, method conn.Forwarding) uint64 {
	if oneWay(method) {
		return in(g, conn.SynRecv, conn.SynAck)
	}
	return in(g, conn.SynRecv)
}

// silent reports a server whose connections stay half-open.
func (f *Facts) silent(s *services.Server) bool {
	n := halfOpen(&s.Group, s.Forwarding)
	return f.enough(n, "syn_recv.min") && f.much(n, s.Connections, "syn_recv.server_share")
}

// answers reports a server that completes handshakes.
func (f *Facts) answers(s *services.Server) bool {
	n := halfOpen(&s.Group, s.Forwarding)
	return s.Connections > n && !f.much(n, s.Connections, "syn_recv.healthy_share")
}

// scanned reports a server that completes the handshakes of others, while one network's
// stay half-open.
func (f *Facts) scanned(v *services.Service, s *services.Server) (*sources, bool) {
	if s.Connections == halfOpen(&s.Group, s.Forwarding) {
		return nil, false
	}
	from := f.sources(v, &s.Address)
	return from, f.isScan(from)
}

// synServer is LVS001.
func synServer(f *Facts) (found []Finding) {
	f.silentAmongOthers(func(v *services.Service, s *services.Server, others uint64) {
		if _, scan := f.scanned(v, s); scan {
			return // LVS004
		}
		n := halfOpen(&s.Group, s.Forwarding)
		found = append(found, f.finding(n,
			text("server", s.Address.String()), number("syn_recv", n), number("connections", s.Connections),
			text("service", v.Name()), number("answering_servers", others),
		).run("ipvsstate list --state SYN_RECV,SYNACK --server %s", endpoint(s.Address)))
	})
	return found
}

// silentAmongOthers goes through the silent servers of services that have others which
// answer, twice as many at least as these do.
func (f *Facts) silentAmongOthers(do func(v *services.Service, s *services.Server, others uint64)) {
	for i := range f.Report.Services {
		v := &f.Report.Services[i]
		others, best := f.answering(v)
		for k := range v.Servers {
			if s := &v.Servers[k]; others > 0 && f.stands(s, best) {
				do(v, s, others)
			}
		}
	}
}

// answering is how many servers of a service answer, and the least part of half-open
// connections that one of them has.
func (f *Facts) answering(v *services.Service) (n uint64, best float64) {
	best = 1
	for k := range v.Servers {
		if s := &v.Servers[k]; f.answers(s) {
			n++
			best = min(best, float64(halfOpen(&s.Group, s.Forwarding))/float64(s.Connections))
		}
	}
	return n, best
}

// stands reports a silent server that stands out from those that answer.
func (f *Facts) stands(s *services.Server, best float64) bool {
	return f.silent(s) && float64(halfOpen(&s.Group, s.Forwarding)) >= 2*best*float64(s.Connections)
}

// unanswered are the services none of whose servers answers, or of which so many
// connections are half-open that it is no matter of one server.
func (f *Facts) unanswered(each func(v *services.Service, n uint64, sources *sources)) {
	for i := range f.Report.Services {
		v := &f.Report.Services[i]
		n := halfOpen(&v.Group, method(v))
		silent, alone := 0, 0
		answering, best := f.answering(v)
		for k := range v.Servers {
			if f.silent(&v.Servers[k]) {
				silent++
			}
			if answering > 0 && f.stands(&v.Servers[k], best) {
				alone++
			}
		}
		if alone > 0 {
			continue // LVS001
		}
		flooded := f.enough(n, "flood.min") && f.much(n, v.Connections, "flood.share")
		if silent == 0 && !flooded {
			continue
		}
		each(v, n, f.sources(v, nil))
	}
}

// verdict is what half-open connections of a whole service are.
type verdict uint8

const (
	pathBroken verdict = iota
	flood
	fewClients
	scan
)

// judge tells a broken path from a flood and a scan: in a flood true clients still get
// through, and sources are many; in a scan one network has nearly all.
func (f *Facts) judge(v *services.Service, n uint64, s *sources) verdict {
	through := v.Connections - n
	switch {
	case f.isScan(s):
		return scan
	case !f.much(through, v.Connections, "flood.established"):
		return pathBroken
	case f.enough(n, "flood.min") && f.much(s.clients, s.all, "flood.clients") && (f.rate() == 1 || s.all >= fewest*f.rate()):
		return flood
	}
	return fewClients
}

// isScan reports that one network has nearly all half-open entries, while others get
// through.
func (f *Facts) isScan(s *sources) bool {
	return f.much(s.largest, s.all, "scan.share") && f.enoughSampled(s.others, "syn_recv.min") && (f.rate() == 1 || s.all >= fewest*f.rate())
}

// fewest is how many half-open entries the sample must have to tell many clients from a
// few that each have many.
const fewest = 50

// synService is LVS002.
func synService(f *Facts) (found []Finding) {
	f.unanswered(func(v *services.Service, n uint64, s *sources) {
		if f.judge(v, n, s) != pathBroken {
			return
		}
		g := f.finding(n, text("service", v.Name()), number("syn_recv", n), number("connections", v.Connections), number("servers", uint64(len(v.Servers)))).
			run("ipvsstate list --state SYN_RECV,SYNACK --virtual %s", serviceFilter(&v.Service))
		switch method(v) {
		case conn.Masquerade:
			g.Case = "nat"
		case conn.DirectRoute, conn.Tunnel:
			g.Case = "dr"
		}
		found = append(found, g)
	})
	return found
}

// synFlood is LVS003.
func synFlood(f *Facts) (found []Finding) {
	f.unanswered(func(v *services.Service, n uint64, s *sources) {
		if what := f.judge(v, n, s); what == flood || what == fewClients {
			g := f.sampledFinding(n, text("service", v.Name()), number("syn_recv", n), number("connections", v.Connections), number("clients", s.clients)).
				run("ipvsstate --state SYN_RECV,SYNACK --virtual %s --by client/24 --top 20", serviceFilter(&v.Service))
			if what == fewClients {
				g.Case = "few"
			}
			found = append(found, g)
		}
	})
	return found
}

// synScan is LVS004.
func synScan(f *Facts) (found []Finding) {
	say := func(v *services.Service, n uint64, s *sources) {
		found = append(found, f.sampledFinding(s.largest, text("network", s.network), number("syn_recv", s.largest), number("all_syn_recv", n), text("service", v.Name())).
			run("ipvsstate list --state SYN_RECV,SYNACK --client %s", s.network))
	}
	f.unanswered(func(v *services.Service, n uint64, s *sources) {
		if f.judge(v, n, s) == scan {
			say(v, n, s)
		}
	})
	f.silentAmongOthers(func(v *services.Service, s *services.Server, _ uint64) {
		if from, scan := f.scanned(v, s); scan {
			say(v, halfOpen(&v.Group, method(v)), from)
		}
	})
	return found
}

// sources are where a service's half-open connections come from, as far as the sample
// tells.
type sources struct {
	all, clients uint64
	network      string // with most of them
	largest      uint64
	others       uint64 // completed connections of other networks
}

// sources are those of a service, or of one of its servers.
func (f *Facts) sources(v *services.Service, server *conn.Endpoint) *sources {
	of := target(&v.Service)
	mine := func(e *conn.Entry) bool {
		t, ok := conn.TargetOf(e)
		t.Virtual = t.Virtual.Identity()
		if server != nil && t.Server.Identity() != server.Identity() {
			return false
		}
		return ok && e.Kind() == conn.Connection && (v.Fwmark != 0 || t.Protocol == of.Protocol && (t.Virtual == of.Virtual || of.Virtual.Port == 0 && t.Virtual.Addr == of.Virtual.Addr))
	}
	waiting := func(e *conn.Entry) bool {
		return e.State == conn.SynRecv || e.State == conn.SynAck && oneWay(method(v))
	}
	s := &sources{}
	// Of clients there are at most as many as the sample has: estimates of how many there
	// are in all scale with the half-open entries.
	clients := f.count([]tally.Dimension{byClient}, func(e *conn.Entry) bool { return mine(e) && waiting(e) })
	s.clients = uint64(clients.Len()) * f.rate()
	var top tally.Value
	f.count([]tally.Dimension{byNetwork}, func(e *conn.Entry) bool { return mine(e) && waiting(e) }).Top(0, tally.ByCount, func(g *tally.Group) bool {
		if s.all == 0 {
			top, s.largest, s.network = g.Values[0], g.Connections, clientText(&g.Values[0])
		}
		s.all += g.Connections
		return true
	})
	f.count([]tally.Dimension{byNetwork}, func(e *conn.Entry) bool { return mine(e) && !waiting(e) && e.State != conn.Close }).Top(0, tally.ByCount, func(g *tally.Group) bool {
		if g.Values[0] != top {
			s.others += g.Connections
		}
		return true
	})
	return s
}
