package services

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/tally"
)

// generator makes directors and the entries of their tables.
type generator struct{ *rand.Rand }

func pick[T any](g generator, of ...T) T { return of[g.IntN(len(of))] }

func endpoint(addr string, port int) conn.Endpoint {
	return conn.Endpoint{Addr: netip.MustParseAddr(addr), Port: uint16(port), PortKnown: true}
}

func named(host string, port int) conn.Endpoint {
	return conn.Endpoint{Host: host, Port: uint16(port), PortKnown: true}
}

// director configures services of every sort. Servers of services that look at addresses
// only (all ports, FTP, marks) have one address each.
func (g generator) director() []conn.Service {
	var all []conn.Service
	add := func(s conn.Service, port int, v6 bool) {
		for n := range 4 {
			if g.IntN(4) == 0 {
				continue
			}
			addr := fmt.Sprintf("10.0.0.%d", n+1)
			if v6 != (g.IntN(10) == 0) { // some of the other family
				addr = fmt.Sprintf("fd00::%d", n+1)
			}
			ports := []int{port}
			if port != 0 && port != 21 && g.IntN(3) == 0 {
				ports = append(ports, 8080)
			}
			for _, p := range ports {
				s.Servers = append(s.Servers, conn.Server{
					Address: endpoint(addr, p), Forwarding: pick(g, conn.Masquerade, conn.DirectRoute), Weight: pick(g, 0, 1, 1, 5),
					Active: g.IntN(40), Inactive: g.IntN(40), Persistent: conn.UnknownCount,
				})
			}
		}
		if g.IntN(8) == 0 {
			s.Servers = append(s.Servers, conn.Server{Address: named("real9", port), Weight: 1, Active: conn.UnknownCount, Inactive: 3})
		}
		if g.IntN(6) == 0 {
			for i := range s.Servers {
				s.Servers[i].Weight = pick(g, conn.UnknownCount, 0)
			}
		}
		all = append(all, s)
	}
	for _, vip := range []string{"10.0.1.1", "10.0.1.2", "fd00:1::1", "fd00:1::2"} {
		v6 := vip[0] == 'f'
		for _, v := range []struct {
			p    conn.Protocol
			port int
		}{{conn.TCP, 80}, {conn.TCP, 443}, {conn.TCP, 21}, {conn.TCP, 0}, {conn.UDP, 53}, {conn.UDP, 0}, {conn.SCTP, 3868}} {
			if g.IntN(3) > 0 {
				add(conn.Service{Protocol: v.p, Virtual: endpoint(vip, v.port)}, v.port, v6)
			}
		}
	}
	for mark := range 3 {
		add(conn.Service{Fwmark: uint32(mark + 1)}, 0, false)
		add(conn.Service{Fwmark: uint32(mark + 1), IPv6: true}, 0, true)
	}
	add(conn.Service{Protocol: conn.TCP, Virtual: named("vip", 80)}, 80, false)
	return all
}

var statesOf = map[conn.Protocol][]string{
	conn.TCP:  {"NONE", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "SYNACK", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE", "LISTEN", "NEW"},
	conn.UDP:  {"UDP", "UDP", "NONE"},
	conn.SCTP: {"ESTABLISHED", "INIT", "COOKIE", "CLOSED", "SYN_RECV"},
	conn.IP:   {"NONE", "ASSURED"},
}

// entry makes an entry of one of the services.
func (g generator) entry(of []conn.Service) conn.Entry {
	v := of[g.IntN(len(of))]
	e := conn.Entry{
		Protocol: v.Protocol, Virtual: v.Virtual, Expires: conn.Seconds(g.IntN(900)), Timeout: conn.Unknown,
		Client: endpoint(fmt.Sprintf("192.0.2.%d", g.IntN(50)), 1024+g.IntN(5000)),
	}
	if v.Virtual.Addr.Is6() || v.IPv6 {
		e.Client.Addr = netip.MustParseAddr(fmt.Sprintf("2001:db8::%d", g.IntN(50)))
	}
	template := g.IntN(6) == 0
	switch {
	case v.Fwmark == 0:
	case template:
		e.Protocol = conn.IP
		e.Virtual = endpoint(fmt.Sprintf("0.0.0.%d", v.Fwmark), 0)
		if v.IPv6 {
			e.Virtual = endpoint(fmt.Sprintf("0:%d::", v.Fwmark), 0)
		}
	default:
		e.Protocol = pick(g, conn.TCP, conn.UDP)
		e.Virtual = endpoint(pick(g, "10.0.1.1", "10.0.9.9"), 2000+g.IntN(4))
		if v.IPv6 {
			e.Virtual.Addr = netip.MustParseAddr(pick(g, "fd00:1::1", "fd00:9::9"))
		}
	}
	e.Server = endpoint(pick(g, "10.0.0.1", "10.0.0.8"), 80)
	if n := len(v.Servers); n > 0 && g.IntN(20) > 0 {
		e.Server = v.Servers[g.IntN(n)].Address
	}
	anyPort := v.Fwmark != 0 || v.Virtual.Port == 0
	switch ftp := v.Virtual.Port == 21; {
	case template && (anyPort || ftp):
		e.Server.Port = 0
		e.Virtual.Port = 0
	case anyPort && e.Virtual.Port == 0:
		e.Virtual.Port = uint16(3000 + g.IntN(3))
		e.Server.Port = e.Virtual.Port
	case anyPort && (e.Server.Port == 0 || g.IntN(2) == 0): // as the client chose it
		e.Server.Port = e.Virtual.Port
	case ftp && g.IntN(2) == 0: // what ip_vs_ftp awaits
		e.Virtual.Port, e.Server.Port = 20, uint16(4000+g.IntN(2))
	}
	if template {
		e.Client.Port = 0
		if g.IntN(5) == 0 { // invalidated
			e.Server.Port = 65535
			if e.Protocol != conn.IP {
				e.Virtual.Port = 65535
			}
		}
	}
	word := pick(g, statesOf[e.Protocol]...)
	e.State, _ = conn.StateOf(word)
	if g.IntN(50) == 0 {
		e.State = conn.State{}
	}
	switch g.IntN(40) {
	case 0:
		e.Virtual.Addr, e.Virtual.Host = netip.Addr{}, pick(g, "vip", "vip2")
	case 1:
		e.Server.Addr, e.Server.Host = netip.Addr{}, pick(g, "real1", "real9")
	case 2: // a name for a known port
		e.Virtual.Service = map[uint16]string{80: "http", 443: "https", 53: "domain"}[e.Virtual.Port]
	case 3:
		e.Expires = conn.Unknown
	}
	return e
}

// without takes servers and services away, as an operator does.
func (g generator) without(all []conn.Service) []conn.Service {
	left := []conn.Service{}
	for _, s := range all {
		if g.IntN(6) == 0 {
			continue
		}
		s.Servers = slices.DeleteFunc(slices.Clone(s.Servers), func(conn.Server) bool { return g.IntN(6) == 0 })
		left = append(left, s)
	}
	return left
}

func grouped(entries []conn.Entry) *tally.Groups {
	groups := tally.NewGroups(&tally.Plan{By: By()})
	for i := range entries {
		groups.Add(&entries[i], entries[i].Kind())
	}
	return groups
}

// Texts of what is joined: an address or host, and a port by number.

func host(e conn.Endpoint) string {
	if e.Addr.IsValid() {
		return e.Addr.String()
	}
	return e.Host
}

func text(e conn.Endpoint) string {
	switch {
	case e.PortKnown:
		return fmt.Sprintf("%s %d", host(e), e.Port)
	case e.Service != "":
		return host(e) + " " + e.Service
	}
	return host(e) + " ?"
}

func family(v6 bool) string {
	if v6 {
		return "6"
	}
	return "4"
}

func serviceText(s *conn.Service) string {
	if s.Fwmark != 0 {
		return fmt.Sprintf("mark %d %s", s.Fwmark, family(s.IPv6))
	}
	return s.Protocol.String() + " " + text(s.Virtual)
}

// serviceOf is the service that an entry tells of, without a configuration.
func serviceOf(e *conn.Entry) string {
	if e.Kind() == conn.FwmarkTemplate && e.Virtual.Addr.IsValid() {
		b := e.Virtual.Addr.AsSlice()
		return fmt.Sprintf("mark %d %s", b[3], family(len(b) == 16))
	}
	return e.Protocol.String() + " " + text(e.Virtual)
}

// join is a director's services by their texts.
type join struct {
	servers map[string]map[string]string // of a service: the server, by what it can be found by
	unclear map[string]bool              // services with a server that is a name
	marks   []string
	named   []*conn.Service // whose address or port is a name
}

func newJoin(all []conn.Service) *join {
	j := &join{map[string]map[string]string{}, map[string]bool{}, nil, nil}
	for i := range all {
		name := serviceText(&all[i])
		j.servers[name] = map[string]string{}
		if all[i].Fwmark != 0 {
			j.marks = append(j.marks, name)
		} else if v := all[i].Virtual; v.Host != "" || !v.PortKnown {
			j.named = append(j.named, &all[i])
		}
		for _, s := range all[i].Servers {
			j.servers[name][text(s.Address)] = text(s.Address)
			j.servers[name][host(s.Address)+" *"] = text(s.Address)
			if s.Address.Host != "" {
				j.unclear[name] = true
			}
		}
	}
	return j
}

// mayBeNamed tells whether a service with a name may be the entry's.
func (j *join) mayBeNamed(e *conn.Entry) bool {
	return slices.ContainsFunc(j.named, func(v *conn.Service) bool {
		port := !v.Virtual.PortKnown || !e.Virtual.PortKnown || slices.Contains([]uint16{0, 21, e.Virtual.Port}, v.Virtual.Port)
		return v.Protocol == e.Protocol && port && (v.Virtual.Host != "" || v.Virtual.Addr == e.Virtual.Addr)
	})
}

// place is where an entry belongs: a service with one of its servers or none, or the
// name of what is no service.
func (j *join) place(e *conn.Entry) (service, server string) {
	if e.Kind() == conn.StaleTemplate {
		return "invalidated", ""
	}
	// Of all ports, or of a mark: the server's own port, the client's, or none.
	byAddress := host(e.Server) + " *"
	anyPort := func(servers map[string]string) string {
		if e.Server.Port == 0 || e.Server.Port == e.Virtual.Port {
			return servers[byAddress]
		}
		return servers[text(e.Server)]
	}
	unclear := e.Server.Host != ""
	if name := serviceOf(e); e.Kind() == conn.FwmarkTemplate && e.Virtual.Host == "" {
		servers, there := j.servers[name]
		switch {
		case !there:
			return "gone", ""
		case anyPort(servers) != "":
			return name, anyPort(servers)
		case unclear || j.unclear[name]:
			return "unassigned", ""
		}
		return name, ""
	}
	var of []string // marks that it may be of
	for _, name := range j.marks {
		if e.Kind() == conn.Connection && name[len(name)-1:] == family(e.Virtual.Addr.Is6()) && anyPort(j.servers[name]) != "" {
			of = append(of, name)
		}
	}
	address := e.Protocol.String() + " " + host(e.Virtual)
	orphanOf := "gone"
	for _, c := range []struct{ name, key string }{
		{e.Protocol.String() + " " + text(e.Virtual), text(e.Server)},
		{address + " 0", byAddress},
		{address + " 21", byAddress}, // FTP's data connections have other ports
	} {
		servers, there := j.servers[c.name]
		found := servers[c.key]
		if c.name == address+" 0" {
			c.key = byAddress
			found = anyPort(servers)
		}
		switch {
		case !there:
		case found != "" && c.name == address+" 21" && c.key == byAddress && len(of) > 0:
			return "unassigned", "" // FTP's data, or the mark's
		case found != "":
			return c.name, found
		case unclear || j.unclear[c.name]:
			return "unassigned", ""
		case orphanOf == "gone" && (c.key != byAddress || c.name == address+" 0"):
			orphanOf = c.name
		}
	}
	switch {
	case len(of) > 0 && orphanOf != "gone": // the service's, of a removed server, or the mark's
		return "unassigned", ""
	case len(of) == 1:
		return of[0], anyPort(j.servers[of[0]])
	case len(of) > 1 || unclear || e.Virtual.Host != "":
		return "unassigned", ""
	case orphanOf == "gone" && j.mayBeNamed(e):
		return "unassigned", ""
	}
	return orphanOf, ""
}

// sums are numbers by what is counted; what is not there is 0.
type sums map[string]int64

func (s sums) add(of string, e *conn.Entry) {
	if e.Kind() == conn.Connection {
		s[of+": connections"]++
		s[of+": in "+e.State.String()]++
	} else {
		s[of+": templates"]++
	}
}

// longest keeps a time, plus one so that unknown is 0.
func (s sums) longest(of string, t conn.Seconds) {
	s[of+": longest"] = max(s[of+": longest"], int64(t)+1)
}

var activeStates = map[string]bool{"TCP ESTABLISHED": true, "TCP SYN_SENT": true, "TCP SYN_RECV": true, "TCP SYNACK": true, "SCTP ESTABLISHED": true}

// joined is what a report has to say of entries; place tells where each belongs.
func joined(entries []conn.Entry, place func(*conn.Entry) (string, string)) sums {
	s := sums{}
	for i := range entries {
		e := &entries[i]
		service, server := place(e)
		switch service {
		case "invalidated", "unassigned":
			s.add(service, e)
			continue
		case "gone":
		default:
			s.add(service, e)
		}
		if server == "" {
			whether := "server gone"
			if service == "gone" {
				whether = "service gone"
			}
			of := fmt.Sprintf("orphans of %s > %s, %s", serviceOf(e), text(e.Server), whether)
			s.add(of, e)
			s.longest(of, e.Expires)
			continue
		}
		of := service + " > " + server
		s.add(of, e)
		s.longest(of, e.Expires)
		if e.Kind() == conn.Connection && activeStates[e.Protocol.String()+" "+e.State.String()] {
			s[of+": active"]++
		}
	}
	return s
}

// reported is the same of a report.
func reported(t *testing.T, r *Report) sums {
	s := sums{}
	put := func(key string, n int64) {
		if _, had := s[key]; had {
			t.Errorf("%q is there twice", key)
		}
		if n != 0 {
			s[key] = n
		}
	}
	group := func(of string, g *Group) {
		put(of+": connections", int64(g.Connections))
		put(of+": templates", int64(g.Templates))
		sum, before := uint64(0), ^uint64(0)
		for _, state := range g.States {
			put(of+": in "+state.State.String(), int64(state.Count))
			sum += state.Count
			if state.Count > before || state.Count == 0 {
				t.Errorf("%s: the states are not in order: %v", of, g.States)
			}
			before = state.Count
		}
		if sum != g.Connections {
			t.Errorf("%s: %d connections, whose states are %d", of, g.Connections, sum)
		}
	}
	for i := range r.Services {
		v := &r.Services[i]
		name := serviceText(&v.Service)
		group(name, &v.Group)
		for k := range v.Servers {
			of := name + " > " + text(v.Servers[k].Address)
			group(of, &v.Servers[k].Group)
			put(of+": active", int64(v.Servers[k].Active))
			put(of+": longest", int64(v.Servers[k].Longest)+1)
		}
	}
	for i := range r.Orphans {
		o := &r.Orphans[i]
		whether := map[conn.Whether]string{conn.ServerGone: "server gone", conn.ServiceGone: "service gone"}[o.Whether]
		service := o.Target.Protocol.String() + " " + text(o.Target.Virtual)
		if o.Target.Marked {
			service = fmt.Sprintf("mark %d %s", o.Target.Fwmark, family(o.Target.IPv6))
		}
		of := fmt.Sprintf("orphans of %s > %s, %s", service, text(o.Target.Server), whether)
		group(of, &o.Group)
		put(of+": longest", int64(o.Longest)+1)
	}
	group("unassigned", &r.Unassigned)
	group("invalidated", &r.Invalidated)
	return s
}

func same(t *testing.T, got, want sums) {
	t.Helper()
	all := maps.Clone(got)
	maps.Copy(all, want)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if got[key] != want[key] {
			t.Errorf("%s: %d, want %d", key, got[key], want[key])
		}
	}
}

// adds holds a report to the number of entries: orphans of a service that is there are
// within it.
func adds(t *testing.T, r *Report, entries []conn.Entry) {
	t.Helper()
	sum := Sum(r.Services)
	var list Count
	for _, s := range r.Services {
		list.Connections += s.Connections
		list.Templates += s.Templates
	}
	if sum.Count != list {
		t.Errorf("Sum has %v, the services %v", sum.Count, list)
	}
	for _, o := range r.Orphans {
		if o.Whether == conn.ServiceGone {
			sum.Add(o.Count, o.States)
		}
	}
	sum.Add(r.Unassigned.Count, r.Unassigned.States)
	sum.Add(r.Invalidated.Count, r.Invalidated.States)
	sum.Add(r.Lost, nil)
	var want Count
	for i := range entries {
		if entries[i].Kind() == conn.Connection {
			want.Connections++
		} else {
			want.Templates++
		}
	}
	if sum.Count != want {
		t.Errorf("all parts are %v, want %v", sum.Count, want)
	}
	states := uint64(0)
	for _, s := range sum.States {
		states += s.Count
	}
	if states != want.Connections {
		t.Errorf("the states of all parts are %d, want %d", states, want.Connections)
	}
	if !slices.IsSortedFunc(r.Services, func(a, b Service) int { return mostFirst(a.Count, b.Count) }) {
		t.Error("the services are not in order")
	}
	if !slices.IsSortedFunc(r.Orphans, func(a, b Orphan) int { return mostFirst(a.Count, b.Count) }) {
		t.Error("the orphans are not in order")
	}
}

func mostFirst(a, b Count) int {
	return cmp.Or(cmp.Compare(b.Connections, a.Connections), cmp.Compare(b.Templates, a.Templates))
}

// TestReport holds reports against a join by text.
func TestReport(t *testing.T) {
	kinds := map[string]int{}
	for seed := range uint64(40) {
		g := generator{rand.New(rand.NewPCG(seed, 11))}
		director := g.director()
		entries := make([]conn.Entry, 3000)
		for i := range entries {
			entries[i] = g.entry(director)
		}
		services := g.without(director)
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := NewReport(grouped(entries), services, seed%2 == 0)
			if !r.Configured || r.Lost != (Count{}) || len(r.Services) != len(services) {
				t.Errorf("configured %v, lost %v, %d services of %d", r.Configured, r.Lost, len(r.Services), len(services))
			}
			want := joined(entries, newJoin(services).place)
			same(t, reported(t, r), want)
			adds(t, r, entries)
			judged(t, r, seed%2 == 0)
			kinds["server gone"] += count(r.Orphans, conn.ServerGone)
			kinds["service gone"] += count(r.Orphans, conn.ServiceGone)
			kinds["unassigned"] += int(r.Unassigned.Connections)
			kinds["invalidated"] += int(r.Invalidated.Templates)
			for _, s := range r.Services {
				if s.Fwmark != 0 && s.Templates > 0 {
					kinds["templates of marks"]++
				}
				if s.Fwmark != 0 && s.Connections > 0 {
					kinds["connections of marks"]++
				}
				if s.Virtual.Port == 21 && s.Connections > 0 {
					kinds["ftp"]++
				}
			}
		})
	}
	for _, kind := range []string{"server gone", "service gone", "unassigned", "invalidated", "templates of marks", "connections of marks", "ftp"} {
		if kinds[kind] < 10 {
			t.Errorf("only %d %s: the generator leaves them out", kinds[kind], kind)
		}
	}
}

func count(all []Orphan, w conn.Whether) (n int) {
	for _, o := range all {
		if o.Whether == w {
			n++
		}
	}
	return n
}

// judged works shares and disagreements out again.
func judged(t *testing.T, r *Report, whole bool) {
	t.Helper()
	for i := range r.Services {
		v := &r.Services[i]
		weights, told := 0, true
		for k := range v.Servers {
			weights += v.Servers[k].Weight
			told = told && v.Servers[k].Weight >= 0
		}
		shares, weightShares := 0.0, 0.0
		for k := range v.Servers {
			s := &v.Servers[k]
			name := serviceText(&v.Service) + " > " + text(s.Address)
			share, weightShare := -1.0, -1.0
			if v.Connections > 0 && (v.Fwmark == 0 || r.Unassigned.Connections == 0) { // else some may be the mark's
				share = float64(s.Connections) / float64(v.Connections)
			}
			if told && weights > 0 {
				weightShare = float64(s.Weight) / float64(weights)
			}
			if s.Share != share || s.WeightShare != weightShare {
				t.Errorf("%s: shares %v and %v, want %v and %v", name, s.Share, s.WeightShare, share, weightShare)
			}
			shares += s.Share
			weightShares += s.WeightShare
			kernel, table := s.Server.Active+s.Inactive, int(s.Connections)
			diff := max(kernel-table, table-kernel)
			want := whole && v.Fwmark == 0 && s.Server.Active != conn.UnknownCount && s.Inactive != conn.UnknownCount && diff > 20 && 100*diff > 5*max(kernel, table)
			if s.Disagrees != want {
				t.Errorf("%s: disagrees %v, want %v: kernel %d, table %d", name, s.Disagrees, want, kernel, table)
			}
			if s.Drained() != (s.Weight == 0) {
				t.Errorf("%s: drained %v with weight %d", name, s.Drained(), s.Weight)
			}
		}
		if v.Connections > 0 && shares > 1.0001 {
			t.Errorf("%s: the shares' sum is %v", serviceText(&v.Service), shares)
		}
		if told && weights > 0 && (weightShares < 0.9999 || weightShares > 1.0001) {
			t.Errorf("%s: the sum of the shares of weight is %v", serviceText(&v.Service), weightShares)
		}
	}
}

// TestReportWithoutServices has the services that entries tell of: none is gone, and
// nothing is known of them.
func TestReportWithoutServices(t *testing.T) {
	for seed := range uint64(20) {
		g := generator{rand.New(rand.NewPCG(seed, 12))}
		director := g.director()
		entries := make([]conn.Entry, 2000)
		for i := range entries {
			entries[i] = g.entry(director)
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := NewReport(grouped(entries), nil, true)
			if r.Configured || len(r.Orphans) != 0 || r.Unassigned.Count != (Count{}) {
				t.Errorf("configured %v, orphans %v, unassigned %v", r.Configured, r.Orphans, r.Unassigned)
			}
			same(t, reported(t, r), joined(entries, asTold))
			adds(t, r, entries)
			judged(t, r, true)
			for _, v := range r.Services {
				if v.Persistent != conn.Unknown || v.Scheduler != "" || v.Connections+v.Templates == 0 {
					t.Errorf("%s: %+v", serviceText(&v.Service), v.Service)
				}
				for _, s := range v.Servers {
					if s.Forwarding != conn.UnknownForwarding || s.Weight != conn.UnknownCount || s.Server.Active != conn.UnknownCount || s.Disagrees || s.WeightShare != -1 {
						t.Errorf("%s: %+v", serviceText(&v.Service), s)
					}
				}
			}
		})
	}
}

// asTold places an entry where it says itself.
func asTold(e *conn.Entry) (service, server string) {
	if e.Kind() == conn.StaleTemplate {
		return "invalidated", ""
	}
	return serviceOf(e), text(e.Server)
}

// TestToldServers tells servers of one host apart whose ports are names, or are not told.
func TestToldServers(t *testing.T) {
	entry := func(server conn.Endpoint) conn.Entry {
		return conn.Entry{
			Protocol: conn.TCP, State: conn.Established, Expires: 10, Timeout: conn.Unknown,
			Client: endpoint("192.0.2.1", 4000), Virtual: endpoint("10.0.1.1", 80), Server: server,
		}
	}
	for name, servers := range map[string][2]conn.Endpoint{
		"two names":           {{Host: "real1", Service: "foo"}, {Host: "real1", Service: "bar"}},
		"a name and a number": {{Host: "real1", Service: "foo"}, named("real1", 80)},
		"of a garbled row":    {{Addr: netip.MustParseAddr("10.0.0.1")}, endpoint("10.0.0.1", 80)},
	} {
		t.Run(name, func(t *testing.T) {
			entries := []conn.Entry{entry(servers[0]), entry(servers[1]), entry(servers[1])}
			r := NewReport(grouped(entries), nil, true)
			same(t, reported(t, r), joined(entries, asTold))
			adds(t, r, entries)
		})
	}
}

// TestUnmarkedTemplate has a firewall mark of 0, which no kernel makes, and one that is a
// name.
func TestUnmarkedTemplate(t *testing.T) {
	for name, virtual := range map[string]conn.Endpoint{"0": endpoint("0.0.0.0", 0), "name": named("vip", 0)} {
		t.Run(name, func(t *testing.T) {
			entries := []conn.Entry{{
				Protocol: conn.IP, State: conn.None, Expires: 10, Timeout: conn.Unknown,
				Client: endpoint("192.0.2.1", 0), Virtual: virtual, Server: endpoint("10.0.0.1", 0),
			}}
			r := NewReport(grouped(entries), nil, true)
			adds(t, r, entries)
			if len(r.Orphans) != 0 {
				t.Errorf("without a configuration there is an orphan: %+v", r.Orphans[0])
			}
			adds(t, NewReport(grouped(entries), []conn.Service{}, true), entries)
		})
	}
}

// TestActive has each state of each protocol.
func TestActive(t *testing.T) {
	want := map[string]bool{"TCP ESTABLISHED": true, "TCP SYN_SENT": true, "TCP SYN_RECV": true, "TCP SYNACK": true, "SCTP ESTABLISHED": true}
	other, _ := conn.ProtocolOf("DCCP")
	for _, p := range append(conn.Protocols(), other) {
		if p == conn.IP { // of templates
			continue
		}
		for _, s := range append(conn.States(), conn.State{}) {
			e := conn.Entry{
				Protocol: p, State: s, Expires: 1, Timeout: conn.Unknown,
				Client: endpoint("192.0.2.1", 4000), Virtual: endpoint("10.0.1.1", 80), Server: endpoint("10.0.0.1", 80),
			}
			services := []conn.Service{{Protocol: p, Virtual: e.Virtual, Servers: []conn.Server{{Address: e.Server}}}}
			for _, of := range [][]conn.Service{services, nil} {
				server := NewReport(grouped([]conn.Entry{e}), of, false).Services[0].Servers[0]
				if server.Connections != 1 {
					t.Fatalf("%s %s: %d connections", p, s, server.Connections)
				}
				if is := want[p.String()+" "+s.String()]; is != (server.Active == 1) {
					t.Errorf("%s %s: %d active", p, s, server.Active)
				}
			}
		}
	}
}

// TestActiveIsOfConnections counts no template.
func TestActiveIsOfConnections(t *testing.T) {
	e := conn.Entry{
		Protocol: conn.TCP, State: conn.Established, Expires: 1, Timeout: conn.Unknown,
		Client: endpoint("192.0.2.1", 0), Virtual: endpoint("10.0.1.1", 80), Server: endpoint("10.0.0.1", 80),
	}
	if s := NewReport(grouped([]conn.Entry{e}), nil, false).Services[0].Servers[0]; s.Active != 0 || s.Templates != 1 || s.Connections != 0 {
		t.Errorf("%+v", s)
	}
}

// TestDisagrees has the edges: more than 20 connections, and more than 5 % of the larger
// number.
func TestDisagrees(t *testing.T) {
	for _, c := range []struct {
		active, inactive, table int
		want                    bool
	}{
		{0, 0, 0, false},
		{20, 0, 0, false}, {10, 10, 0, false}, {0, 21, 0, true}, {11, 10, 0, true},
		{0, 0, 20, false}, {0, 0, 21, true},
		{100, 0, 80, false}, {100, 0, 79, true}, {80, 0, 100, false}, {40, 39, 100, true},
		{420, 0, 399, false}, {419, 0, 398, true}, {399, 0, 420, false}, {398, 0, 419, true}, // 5 %, and more
		{2000, 0, 1900, false}, {2000, 0, 1899, true}, {1900, 0, 2000, false}, {1899, 0, 2000, true},
		{conn.UnknownCount, 0, 500, false}, {0, conn.UnknownCount, 500, false}, {conn.UnknownCount, conn.UnknownCount, 500, false},
		{conn.UnknownCount, 500, 0, false}, {500, conn.UnknownCount, 0, false},
	} {
		address := conn.Service{Protocol: conn.TCP, Virtual: endpoint("10.0.1.1", 80)}
		for _, v := range []struct {
			name    string
			service conn.Service
			whole   bool
			want    bool
		}{{"whole", address, true, c.want}, {"not whole", address, false, false}, {"a mark's", conn.Service{Fwmark: 7}, true, false}} {
			v.service.Servers = []conn.Server{
				{Address: endpoint("10.0.0.1", 80), Weight: 1, Active: c.active, Inactive: c.inactive},
				{Address: endpoint("10.0.0.2", 80), Weight: 1},
			}
			entries := make([]conn.Entry, c.table)
			for i := range entries {
				entries[i] = conn.Entry{
					Protocol: conn.TCP, State: conn.FinWait, Expires: 1, Timeout: conn.Unknown,
					Client: endpoint("192.0.2.1", 1024+i), Virtual: endpoint("10.0.1.1", 80), Server: endpoint("10.0.0.1", 80),
				}
			}
			r := NewReport(grouped(entries), []conn.Service{v.service}, v.whole)
			s := r.Services[0].Servers
			if s[0].Connections != uint64(c.table) {
				t.Fatalf("%s: %d connections, want %d", v.name, s[0].Connections, c.table)
			}
			if s[0].Disagrees != v.want || s[1].Disagrees {
				t.Errorf("%s, kernel %d+%d, table %d: disagrees %v and %v, want %v", v.name, c.active, c.inactive, c.table, s[0].Disagrees, s[1].Disagrees, v.want)
			}
		}
	}
}

// TestShares has what there is nothing to share of.
func TestShares(t *testing.T) {
	entries := func(servers ...string) []conn.Entry {
		var all []conn.Entry
		for i, s := range servers {
			all = append(all, conn.Entry{
				Protocol: conn.TCP, State: conn.Established, Expires: 1, Timeout: conn.Unknown,
				Client: endpoint("192.0.2.1", 1024+i), Virtual: endpoint("10.0.1.1", 80), Server: endpoint(s, 80),
			})
		}
		return all
	}
	for name, c := range map[string]struct {
		entries             []conn.Entry
		weights             [2]int
		share, weightShares [2]float64
	}{
		"none":              {nil, [2]int{1, 3}, [2]float64{-1, -1}, [2]float64{0.25, 0.75}},
		"all drained":       {entries("10.0.0.1"), [2]int{0, 0}, [2]float64{1, 0}, [2]float64{-1, -1}},
		"one drained":       {entries("10.0.0.1", "10.0.0.2"), [2]int{0, 5}, [2]float64{0.5, 0.5}, [2]float64{0, 1}},
		"a weight unknown":  {entries("10.0.0.2"), [2]int{conn.UnknownCount, 1}, [2]float64{0, 1}, [2]float64{-1, -1}},
		"unknown behind":    {entries("10.0.0.2"), [2]int{1, conn.UnknownCount}, [2]float64{0, 1}, [2]float64{-1, -1}},
		"a server is gone":  {entries("10.0.0.1", "10.0.0.9", "10.0.0.9", "10.0.0.2"), [2]int{1, 1}, [2]float64{0.25, 0.25}, [2]float64{0.5, 0.5}},
		"all are of orphan": {entries("10.0.0.9"), [2]int{1, 1}, [2]float64{0, 0}, [2]float64{0.5, 0.5}},
	} {
		services := []conn.Service{{Protocol: conn.TCP, Virtual: endpoint("10.0.1.1", 80), Servers: []conn.Server{
			{Address: endpoint("10.0.0.1", 80), Weight: c.weights[0]}, {Address: endpoint("10.0.0.2", 80), Weight: c.weights[1]},
		}}}
		s := NewReport(grouped(c.entries), services, true).Services[0].Servers
		if got := [2]float64{s[0].Share, s[1].Share}; got != c.share {
			t.Errorf("%s: shares %v, want %v", name, got, c.share)
		}
		if got := [2]float64{s[0].WeightShare, s[1].WeightShare}; got != c.weightShares {
			t.Errorf("%s: shares of weight %v, want %v", name, got, c.weightShares)
		}
	}
}

// TestLongest is of connections and templates, unknown where none tells it.
func TestLongest(t *testing.T) {
	entry := func(server string, port int, left conn.Seconds) conn.Entry {
		return conn.Entry{
			Protocol: conn.TCP, State: conn.Established, Expires: left, Timeout: conn.Unknown,
			Client: endpoint("192.0.2.1", port), Virtual: endpoint("10.0.1.1", 80), Server: endpoint(server, 80),
		}
	}
	services := []conn.Service{{Protocol: conn.TCP, Virtual: endpoint("10.0.1.1", 80), Servers: []conn.Server{
		{Address: endpoint("10.0.0.1", 80)}, {Address: endpoint("10.0.0.2", 80)}, {Address: endpoint("10.0.0.3", 80)},
	}}}
	r := NewReport(grouped([]conn.Entry{
		entry("10.0.0.1", 4000, 5), entry("10.0.0.1", 0, 300), entry("10.0.0.1", 4001, conn.Unknown),
		entry("10.0.0.2", 4000, conn.Unknown),
		entry("10.0.0.8", 4000, 0), entry("10.0.0.9", 4000, conn.Unknown), entry("10.0.0.9", 4001, 7), entry("10.0.0.9", 4002, 6),
	}), services, true)
	var got []conn.Seconds
	for _, s := range r.Services[0].Servers {
		got = append(got, s.Longest)
	}
	for _, o := range r.Orphans { // most first
		got = append(got, o.Longest)
	}
	if want := []conn.Seconds{300, conn.Unknown, conn.Unknown, 7, 0}; !slices.Equal(got, want) {
		t.Errorf("longest %v, want %v", got, want)
	}
}

// TestEmptyReport has nothing of nothing.
func TestEmptyReport(t *testing.T) {
	r := NewReport(grouped(nil), nil, true)
	if r.Configured || len(r.Services)+len(r.Orphans) > 0 {
		t.Errorf("%+v", r)
	}
	r = NewReport(grouped(nil), []conn.Service{}, true)
	if !r.Configured || len(r.Services)+len(r.Orphans) > 0 {
		t.Errorf("%+v", r)
	}
}
