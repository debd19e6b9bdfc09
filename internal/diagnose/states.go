package diagnose

import (
	"slices"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/machine"
	"ipvsstate/internal/services"
	"ipvsstate/internal/tally"
)

// The rules of states after the handshake.

// eachServer goes through the servers that are configured, or that entries tell of.
func (f *Facts) eachServer(do func(*services.Service, *services.Server)) {
	for i := range f.Report.Services {
		v := &f.Report.Services[i]
		for k := range v.Servers {
			do(v, &v.Servers[k])
		}
	}
}

// refused is LVS005. A client's reset closes an entry too, on all servers alike: one
// that stands out among several refuses.
func refused(f *Facts) (found []Finding) {
	f.eachServer(func(v *services.Service, s *services.Server) {
		n := in(&s.Group, conn.Close)
		if s.Forwarding != conn.Masquerade || !f.enough(n, "close.min") || !f.much(n, s.Connections, "close.share") {
			return
		}
		rest, restClosed := v.Connections-s.Connections, in(&v.Group, conn.Close)-n
		if rest == 0 && 10*n < 9*s.Connections { // nothing to compare with
			return
		}
		if rest > 0 && 2*float64(restClosed)/float64(rest) > float64(n)/float64(s.Connections) {
			return
		}
		found = append(found, f.finding(n, text("server", s.Address.String()), text("service", v.Name()), number("close", n), number("connections", s.Connections)).
			run("ipvsstate list --state CLOSE --server %s", endpoint(s.Address)))
	})
	for i := range f.Report.Services {
		v := &f.Report.Services[i]
		if n := in(&v.Group, conn.Close); len(v.Servers) > 1 && method(v) == conn.Masquerade && f.enough(n, "close.min") && 10*n >= 9*v.Connections && !about(found, v.Name()) {
			g := f.finding(n, text("service", v.Name()), number("close", n), number("connections", v.Connections)).
				run("ipvsstate list --state CLOSE --virtual %s", serviceFilter(&v.Service))
			g.Case = "service"
			found = append(found, g)
		}
	}
	return found
}

// closeWait is LVS006.
func closeWait(f *Facts) (found []Finding) {
	f.eachServer(func(v *services.Service, s *services.Server) {
		n := in(&s.Group, conn.CloseWait)
		if f.enough(n, "close_wait.min") && f.much(n, s.Connections, "close_wait.share") && !oneWay(s.Forwarding) {
			found = append(found, f.finding(n, text("server", s.Address.String()), text("service", v.Name()), number("close_wait", n), number("connections", s.Connections)).
				run("ipvsstate list --state CLOSE_WAIT --server %s", endpoint(s.Address)))
		}
	})
	return found
}

// finWait is LVS007. Under direct routing it is the last state there is.
func finWait(f *Facts) (found []Finding) {
	for i := range f.Report.Services {
		v := &f.Report.Services[i]
		n := in(&v.Group, conn.FinWait)
		if method(v) == conn.Masquerade && f.enough(n, "fin_wait.min") && f.much(n, v.Connections, "fin_wait.share") {
			found = append(found, f.finding(n, text("service", v.Name()), number("fin_wait", n), number("connections", v.Connections)).
				run("ipvsstate --state FIN_WAIT --virtual %s --by client/24 --top 10", serviceFilter(&v.Service)))
		}
	}
	return found
}

// longIdle is where the range of ten minutes and more begins (tally.IdleRangeOf).
const longIdle conn.Seconds = 600

// mostlySynced reports a table most of which another director has sent.
func (f *Facts) mostlySynced() bool { return 2*f.Tally.Synced() > f.entries() }

// idleEstablished is LVS008.
func idleEstablished(f *Facts) (found []Finding) {
	if f.mostlySynced() { // they run down here though packets pass the other director
		return nil
	}
	for _, i := range f.Idle {
		known := i.Total() - i.Ranges[0]
		if i.Protocol != conn.TCP || i.State != conn.Established || !f.volume(known, "idle.min") {
			continue
		}
		silent := uint64(0)
		for r := tally.IdleRangeOf(longIdle); int(r) < tally.NumIdleRanges; r++ {
			silent += i.Ranges[r]
		}
		// Of connections whose end was not seen this part is in these ranges; a third of
		// 15 minutes.
		natural, last := 1-float64(longIdle)/float64(i.Timeout), 60/float64(i.Timeout)
		least := natural + (1-natural)*(f.at("idle.share")-1.0/3)*3/2
		switch {
		case i.Timeout > longIdle && silent > 0 && float64(silent) >= least*float64(known):
			g := f.finding(silent, number("idle", silent), number("established", known), span("timeout", i.Timeout), number("soon", i.Soon)).
				run("ipvsstate --state ESTABLISHED --idle '>10m' --by service,server --top 10")
			found = append(found, exact(g))
		case i.Timeout >= longIdle/2 && f.much(i.Soon, known, "idle.soon_share") && float64(i.Soon) >= 3*last*float64(known):
			g := f.finding(i.Soon, number("soon", i.Soon), number("established", known), span("timeout", i.Timeout)).
				run("ipvsstate --state ESTABLISHED --expires '<1m' --by service,server --top 10")
			g.Case = "soon"
			found = append(found, exact(g))
		}
	}
	return found
}

// exact is a finding by numbers of the tally itself.
func exact(g Finding) Finding {
	g.Sampled = 1
	return g
}

// oneWay reports the methods under which only the client's packets pass the director.
func oneWay(m conn.Forwarding) bool { return m == conn.DirectRoute || m == conn.Tunnel }

// possible are the states that the client's packets alone lead to. TIME_WAIT is among
// them, though rarely.
func possible(p conn.Protocol) []conn.State {
	m := machine.Of(p)
	if m == nil {
		return nil
	}
	return m.States(machine.ClientOnly)
}

// impossible is LVS023.
func impossible(f *Facts) (found []Finding) {
	f.eachServer(func(v *services.Service, s *services.Server) {
		can := possible(v.Protocol)
		if can == nil || !oneWay(s.Forwarding) || f.Dialect != conn.Linux {
			return
		}
		n := uint64(0)
		var most services.State
		for _, st := range s.States {
			if slices.Contains(can, st.State) && !(st.State == conn.TimeWait && f.much(st.Count, s.Connections, "fin_wait.share")) || st.State == conn.None || st.State == conn.SynAck || st.State.Index() == 0 {
				continue
			}
			n += st.Count
			if st.Count > most.Count {
				most = st
			}
		}
		if f.enough(n, "impossible.min") && f.much(n, s.Connections, "impossible.share") {
			found = append(found, f.finding(n, text("server", s.Address.String()), text("service", v.Name()), text("method", s.Forwarding.String()),
				number("impossible", n), number("connections", s.Connections), text("state", most.State.String())).
				run("ipvsstate list --state %s --server %s", most.State.String(), endpoint(s.Address)))
		}
	})
	return found
}

// secureTCP is LVS024: no other setting leads to SYNACK (tcp_states_dos).
func secureTCP(f *Facts) (found []Finding) {
	if f.Dialect != conn.Linux {
		return nil
	}
	for _, s := range f.Tally.States(tally.ByCount) {
		if s.Protocol == conn.TCP && s.State == conn.SynAck && s.Count > 0 {
			g := f.finding(s.Count, number("synack", s.Count), number("connections", f.Tally.Connections())).run("sysctl net.ipv4.vs.secure_tcp")
			return []Finding{exact(g)}
		}
	}
	return nil
}
