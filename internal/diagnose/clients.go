package diagnose

import (
	"ipvsstate/internal/conn"
	"ipvsstate/internal/tally"
)

// The rules of clients, and of the templates that bind them to servers.

// oneClient is LVS012: one finding, of the client, or else of the network.
func oneClient(f *Facts) []Finding {
	connections := func(e *conn.Entry) bool { return e.Kind() == conn.Connection }
	clients := f.count([]tally.Dimension{byClient}, connections)
	all := f.Tally.Connections()
	look := func(g *tally.Groups, threshold string) (Finding, bool) {
		var top Finding
		found := false
		g.Top(1, tally.ByCount, func(c *tally.Group) bool {
			n := min(c.Connections, all) // an estimate
			// One of three clients has a third: it must be many times what the others have.
			found = f.enoughSampled(n, "client.min") && f.much(n, all, threshold) && n*uint64(g.Len()) >= 5*all
			client := clientText(&c.Values[0])
			top = f.sampledFinding(n, text("client", client), number("connections", n), part("share", n, all)).
				run("ipvsstate --client %s --by service,server --top 10", client)
			return false
		})
		return top, found
	}
	if g, ok := look(clients, "client.share"); ok {
		return []Finding{g}
	}
	if g, ok := look(f.count([]tally.Dimension{byNetwork}, connections), "network.share"); ok {
		g.Case = "network"
		return []Finding{g}
	}
	return nil
}

// ephemeral is how many ports Linux chooses from for a client's connections
// (net.ipv4.ip_local_port_range, 32768 to 60999).
const ephemeral = 28232

// portReuse is LVS025: one finding, of the client and service with most.
func portReuse(f *Facts) (found []Finding) {
	waiting := uint64(0)
	for _, s := range f.Tally.States(tally.ByCount) {
		if s.Protocol == conn.TCP && s.State == conn.TimeWait {
			waiting += s.Count
		}
	}
	if !f.much(waiting, ephemeral, "port_reuse.share") {
		return nil
	}
	pairs := f.count([]tally.Dimension{byClient, byService}, func(e *conn.Entry) bool { return e.State == conn.TimeWait && e.Protocol == conn.TCP })
	pairs.Top(1, tally.ByCount, func(g *tally.Group) bool {
		if n := g.Connections; f.much(n, ephemeral, "port_reuse.share") {
			client := clientText(&g.Values[0])
			service := conn.Service{Protocol: g.Values[1].Protocol, Virtual: g.Values[1].Endpoint}
			found = append(found, f.sampledFinding(n, text("client", client), text("service", service.Name()), number("time_wait", n), part("share", n, ephemeral)).
				run("ipvsstate list --state TIME_WAIT --client %s --virtual %s --sort client --limit 20", client, serviceFilter(&service)))
		}
		return false
	})
	return found
}

// manyTemplates is LVS016.
func manyTemplates(f *Facts) (found []Finding) {
	for i := range f.Report.Services {
		v := &f.Report.Services[i]
		if !f.Report.Configured && (v.Fwmark != 0 || v.Virtual.Port == 0) {
			continue // the connections of marks and of all ports are not told to be theirs
		}
		if f.enough(v.Templates, "templates.min") && float64(v.Templates) >= f.at("templates.ratio")*float64(max(v.Connections, 1)) {
			found = append(found, f.finding(v.Templates, text("service", v.Name()), number("templates", v.Templates), number("connections", v.Connections)).
				run("ipvsstate --templates only --virtual %s --by server", serviceFilter(&v.Service)))
		}
	}
	return found
}

// rearmed is how long a template is given again and again once its time is over while
// connections hold it (ip_vs_conn_expire).
const rearmed conn.Seconds = 60

// rearmedTemplates is LVS017. Templates whose time runs are spread over the whole of it;
// such a heap in the last minute is only of those that are held.
func rearmedTemplates(f *Facts) (found []Finding) {
	for i := range f.Report.Services {
		v := &f.Report.Services[i]
		if v.Persistent <= 0 || !f.enough(v.Templates, "rearmed.min") {
			continue
		}
		all, held := uint64(0), uint64(0)
		of := target(&v.Service)
		for e := range f.Sample.All {
			if e.Kind() == conn.Connection {
				continue
			}
			t, ok := conn.TargetOf(e)
			if !ok || withoutServer(t) != of {
				continue
			}
			all += f.rate()
			if e.Expires >= 0 && e.Expires <= rearmed && (v.Persistent > rearmed || e.Expires > v.Persistent) {
				held += f.rate()
			}
		}
		// Of templates that nothing holds this part is in its last minute.
		natural := 0.0
		if v.Persistent > rearmed {
			natural = float64(rearmed) / float64(v.Persistent)
		}
		if f.enoughSampled(all, "rearmed.min") && f.much(held, all, "rearmed.share") && float64(held) > 2*natural*float64(all) {
			found = append(found, f.sampledFinding(held, text("service", v.Name()), number("held", held), number("templates", all), span("persistent", v.Persistent)).
				run("ipvsstate list --templates only --virtual %s --expires '<=1m' --limit 20", serviceFilter(&v.Service)))
		}
	}
	return found
}
