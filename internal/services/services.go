// Package services joins what a table holds with how the director is configured: what
// each real server of each virtual service has, and what points at servers and services
// that are there no more. Counts and a configuration come in, a report goes out.
package services

import (
	"cmp"
	"slices"
	"strings"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/tally"
)

// By are the dimensions in which entries must be grouped for a report.
func By() []tally.Dimension {
	var by []tally.Dimension
	for _, name := range []string{"service", "server", "state"} {
		d, err := tally.DimensionOf(name)
		if err != nil {
			panic(err) // tally has lost an aspect
		}
		by = append(by, d)
	}
	return by
}

// Report is a director's services with their entries.
type Report struct {
	// Configured says that the services are those of the configuration; without one
	// they are those that entries tell of.
	Configured bool
	// Services are those with most connections first.
	Services []Service
	// Orphans are the entries whose real server or service is there no more.
	Orphans []Orphan
	// Invalidated are the templates that no longer tell their service; Unassigned what
	// belongs to one of several services of firewall marks, or has names that cannot be
	// found; Lost what was in more groups than are kept.
	Invalidated, Unassigned Group
	Lost                    Count
}

// Group is a number of entries with the states of its connections, most first.
type Group struct {
	Count
	States []State
}

// Add adds entries.
func (g *Group) Add(n Count, states []State) {
	g.Connections += n.Connections
	g.Templates += n.Templates
	for _, s := range states {
		g.add(s)
	}
	g.sort()
}

func (g *Group) addGroup(o *tally.Group) {
	g.Connections += o.Connections
	g.Templates += o.Templates
	g.add(State{o.Values[2].State, o.Connections})
}

// add adds connections in a state.
func (g *Group) add(s State) {
	if s.Count == 0 {
		return
	}
	if i := slices.IndexFunc(g.States, func(had State) bool { return had.State == s.State }); i >= 0 {
		g.States[i].Count += s.Count
		return
	}
	g.States = append(g.States, s)
}

func (g *Group) sort() {
	slices.SortFunc(g.States, func(a, b State) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.State.String(), b.State.String()))
	})
}

// Sum is the entries of several services.
func Sum(all []Service) (g Group) {
	for i := range all {
		g.Add(all[i].Count, all[i].States)
	}
	return g
}

// Count is a number of entries.
type Count struct{ Connections, Templates uint64 }

// Service is a virtual service.
type Service struct {
	conn.Service
	Group
	Servers []Server
}

// Server is a real server of a service.
type Server struct {
	conn.Server
	Group
	// Active is how many of its connections the kernel counts as active, by their
	// states.
	Active uint64
	// Longest is the longest time that an entry has left, Unknown if none tells it.
	Longest conn.Seconds
	// Share is its part of the service's connections, WeightShare that of the weights;
	// -1 where there is nothing to share.
	Share, WeightShare float64
	// Disagrees marks a server of which kernel and table count different numbers,
	// beyond what changes between two readings.
	Disagrees bool
}

// State is a number of connections in a state.
type State struct {
	State conn.State
	Count uint64
}

// Orphan is what points at a real server that its service does not have, or at a
// service that is not there.
type Orphan struct {
	Target  conn.Target
	Whether conn.Whether // ServerGone or ServiceGone
	Group
	Longest conn.Seconds
}

// NewReport joins groups in the dimensions of By with a configuration, whose services
// are nil where they are not known. whole says that the groups have all entries of the
// table, so that they can be held against the kernel's counters.
func NewReport(groups *tally.Groups, services []conn.Service, whole bool) *Report {
	r := &Report{Configured: services != nil}
	if services == nil {
		services = told(groups)
	}
	for i := range services {
		s := Service{Service: services[i]}
		for _, server := range services[i].Servers {
			s.Servers = append(s.Servers, Server{Server: server, Longest: conn.Unknown})
		}
		r.Services = append(r.Services, s)
	}
	directory := conn.NewDirectory(services)
	orphanOf := map[conn.Target]int{}
	place := func(g *tally.Group, template bool) {
		t, ok := target(g)
		if !ok {
			r.Invalidated.addGroup(g)
			return
		}
		t.Template = template
		switch p := directory.Find(&t); {
		case p.Server >= 0:
			s := &r.Services[p.Service]
			s.addGroup(g)
			server := &s.Servers[p.Server]
			server.addGroup(g)
			server.Longest = max(server.Longest, g.Longest())
			if isActive(t.Protocol, g.Values[2].State) {
				server.Active += g.Connections
			}
		case !r.Configured || p.Whether == conn.Present || p.Whether == conn.NotTold:
			r.Unassigned.addGroup(g)
		default:
			if p.Service >= 0 {
				r.Services[p.Service].addGroup(g)
			}
			t.Template = false // one row for both
			i, had := orphanOf[t]
			if !had {
				i = len(r.Orphans)
				orphanOf[t] = i
				r.Orphans = append(r.Orphans, Orphan{Target: t, Whether: p.Whether, Longest: conn.Unknown})
			}
			o := &r.Orphans[i]
			o.addGroup(g)
			o.Longest = max(o.Longest, g.Longest())
		}
	}
	groups.All(func(g *tally.Group) bool {
		connections, templates := *g, *g
		connections.Templates, connections.LongestTemplate = 0, conn.Unknown
		templates.Connections, templates.LongestConnection = 0, conn.Unknown
		if connections.Connections > 0 {
			place(&connections, false)
		}
		if templates.Templates > 0 {
			place(&templates, true)
		}
		return true
	})
	rest := groups.Rest()
	r.Lost = Count{rest.Connections, rest.Templates}
	r.Invalidated.sort()
	r.Unassigned.sort()
	for i := range r.Orphans {
		r.Orphans[i].sort()
	}
	for i := range r.Services {
		r.Services[i].sort()
		for k := range r.Services[i].Servers {
			r.Services[i].Servers[k].sort()
		}
		r.Services[i].judge(whole, r.Unassigned.Connections > 0)
	}
	slices.SortStableFunc(r.Services, func(a, b Service) int {
		return cmp.Or(cmp.Compare(b.Connections, a.Connections), cmp.Compare(b.Templates, a.Templates))
	})
	slices.SortStableFunc(r.Orphans, func(a, b Orphan) int {
		return cmp.Or(cmp.Compare(b.Connections, a.Connections), cmp.Compare(b.Templates, a.Templates),
			strings.Compare(a.Target.Protocol.String(), b.Target.Protocol.String()), cmp.Compare(a.Target.Fwmark, b.Target.Fwmark),
			conn.CompareEndpoints(&a.Target.Virtual, &b.Target.Virtual), conn.CompareEndpoints(&a.Target.Server, &b.Target.Server))
	})
	return r
}

// target is what a group's entries point at.
func target(g *tally.Group) (t conn.Target, ok bool) {
	service, server := &g.Values[0], &g.Values[1]
	t = conn.Target{
		Protocol: service.Protocol, Virtual: service.Endpoint, Server: server.Endpoint,
		Marked: service.Marked, Fwmark: service.Fwmark, IPv6: service.IPv6,
	}
	return t, *service != tally.Value{}
}

// told are the services and servers that entries tell of, of which nothing else is
// known.
func told(groups *tally.Groups) []conn.Service {
	all := []conn.Service{}
	type key struct {
		protocol conn.Protocol
		virtual  conn.Endpoint
		mark     uint32
		ipv6     bool
	}
	indexOf := map[key]int{}
	type serverOf struct {
		service int
		server  conn.Endpoint
	}
	had := map[serverOf]bool{}
	groups.All(func(g *tally.Group) bool {
		t, ok := target(g)
		if !ok {
			return true
		}
		k := key{t.Protocol, t.Virtual, t.Fwmark, t.IPv6}
		i, known := indexOf[k]
		if !known {
			i = len(all)
			indexOf[k] = i
			s := conn.Service{Protocol: t.Protocol, Virtual: t.Virtual, Fwmark: t.Fwmark, IPv6: t.IPv6, Persistent: conn.Unknown}
			if t.Marked {
				s.Protocol, s.Virtual = conn.Protocol{}, conn.Endpoint{}
			}
			all = append(all, s)
		}
		if !had[serverOf{i, t.Server}] {
			had[serverOf{i, t.Server}] = true
			all[i].Servers = append(all[i].Servers, conn.Server{
				Address: t.Server, Forwarding: conn.UnknownForwarding, Weight: conn.UnknownCount,
				Active: conn.UnknownCount, Inactive: conn.UnknownCount, Persistent: conn.UnknownCount,
			})
		}
		return true
	})
	// In an order that does not depend on the entries'.
	for i := range all {
		slices.SortFunc(all[i].Servers, func(a, b conn.Server) int { return conn.CompareEndpoints(&a.Address, &b.Address) })
	}
	slices.SortFunc(all, func(a, b conn.Service) int {
		return cmp.Or(strings.Compare(a.Protocol.String(), b.Protocol.String()), cmp.Compare(a.Fwmark, b.Fwmark), conn.CompareEndpoints(&a.Virtual, &b.Virtual))
	})
	return all
}

// isActive reports the states whose connections the kernel counts as active
// (tcp_state_active_table since 4.9; sctp_state_active_table has ESTABLISHED alone). All
// others are inactive, UDP's among them.
func isActive(p conn.Protocol, s conn.State) bool {
	switch p {
	case conn.TCP:
		return s == conn.Established || s == conn.SynSent || s == conn.SynRecv || s == conn.SynAck
	case conn.SCTP:
		return s == conn.Established
	}
	return false
}

// Between two readings a few connections come and go: kernel and table disagree when
// they differ by more than both.
const (
	churn      = 20
	churnShare = 0.05
)

// judge works out shares, and what disagrees. unassigned says that there are connections
// that may be those of firewall marks.
func (s *Service) judge(whole, unassigned bool) {
	weights := 0
	for i := range s.Servers {
		if w := s.Servers[i].Weight; weights >= 0 && w >= 0 {
			weights += w
		} else {
			weights = -1
		}
	}
	onServers := uint64(0)
	for i := range s.Servers {
		onServers += s.Servers[i].Connections
	}
	for i := range s.Servers {
		v := &s.Servers[i]
		v.Share, v.WeightShare = -1, -1
		if s.Connections > 0 && !(unassigned && s.Fwmark != 0) {
			v.Share = float64(v.Connections) / float64(s.Connections)
		}
		if weights > 0 {
			v.WeightShare = float64(v.Weight) / float64(weights)
		}
		if !whole || s.Fwmark != 0 || v.Server.Active < 0 || v.Inactive < 0 {
			continue // of marks it is not certain which entries are theirs
		}
		kernel, table := float64(v.Server.Active+v.Inactive), float64(v.Connections)
		diff := max(kernel-table, table-kernel)
		v.Disagrees = diff > churn && diff > churnShare*max(kernel, table)
	}
}

// Drained reports a server of weight 0, which the scheduler gives no new connections.
func (s *Server) Drained() bool { return s.Weight == 0 }
