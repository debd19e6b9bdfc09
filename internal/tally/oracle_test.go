package tally

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"ipvsstate/internal/conn"
)

// generator makes entries of every sort: both address families, names, firewall
// marks, invalidated templates, and states and protocols that nobody has heard of.
type generator struct {
	*rand.Rand
	states []conn.State
}

func newGenerator(seed uint64) generator {
	g := generator{Rand: rand.New(rand.NewPCG(seed, 7))}
	for range len(conn.States()) { // so that half of all are these
		g.states = append(g.states, pick(g, conn.Established, conn.SynRecv, conn.FinWait, conn.None, conn.Assured))
	}
	g.states = append(g.states, conn.States()...)
	for _, word := range []string{"", "", "NEW", "NEWER", "established"} {
		s, _ := conn.StateOf(word)
		g.states = append(g.states, s)
	}
	return g
}

func pick[T any](g generator, of ...T) T { return of[g.IntN(len(of))] }

func (g generator) addr() netip.Addr {
	if g.IntN(3) == 0 {
		return netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", g.IntN(20)))
	}
	return netip.MustParseAddr(fmt.Sprintf("192.0.2.%d", g.IntN(20)))
}

func (g generator) endpoint() conn.Endpoint {
	e := conn.Endpoint{Addr: g.addr(), Port: pick[uint16](g, 80, 443, 0, 53), PortKnown: true}
	if g.IntN(4) == 0 {
		e.Addr, e.Host = netip.Addr{}, pick(g, "vip", "vip2", "a.very.long.name")
	}
	switch g.IntN(8) {
	case 0: // a listing with names tells the port's
		e.Service = map[uint16]string{80: pick(g, "http", "www"), 443: "https", 53: "domain"}[e.Port]
	case 1: // a name that no table has
		e.Service, e.Port, e.PortKnown = pick(g, "foo", "bar"), 0, false
	case 2: // cut off
		e.Port, e.PortKnown = 0, false
	}
	return e
}

func (g generator) protocol() conn.Protocol {
	if g.IntN(6) > 0 {
		return pick(g, conn.TCP, conn.TCP, conn.UDP, conn.SCTP, conn.IP, conn.ICMP)
	}
	p, _ := conn.ProtocolOf(pick(g, "DCCP", "IP_50", "--"))
	return p
}

func (g generator) entry() conn.Entry {
	e := conn.Entry{
		Protocol: g.protocol(), State: pick(g, g.states...), Client: g.endpoint(), Virtual: g.endpoint(), Server: g.endpoint(),
		Expires: conn.Seconds(g.IntN(900)), Timeout: conn.Unknown,
	}
	e.Client.Port += uint16(g.IntN(3) * 1000)
	if g.IntN(10) == 0 {
		e.Server.Port, e.Server.PortKnown = 65535, true
	}
	if e.Protocol == conn.IP && g.IntN(3) > 0 {
		e.Virtual = conn.Endpoint{Addr: netip.AddrFrom4([4]byte{0, 0, 0, byte(g.IntN(5))}), PortKnown: true}
	}
	if g.IntN(5) == 0 {
		e.Timeout = pick[conn.Seconds](g, 90, 91, 30, 0)
	}
	return e
}

func (g generator) entries(n int) []conn.Entry {
	all := make([]conn.Entry, n)
	for i := range all {
		all[i] = g.entry()
	}
	return all
}

// oracle counts the same with plain maps and texts, and knows nothing of cells and
// groups.
type oracle struct {
	Connections, Templates                   uint64
	States, Templated                        map[string]uint64 // by protocol, state and kind
	Timeouts                                 map[string]conn.Seconds
	Services                                 map[string]string
	UngroupedConnections, UngroupedTemplates uint64
	Duplicates                               uint64
}

func stateKey(p conn.Protocol, s conn.State, k conn.Kind) string {
	return fmt.Sprintf("%s/%s/%d", p, s, k)
}

func virtualKey(p conn.Protocol, v conn.Endpoint) string {
	port := "-"
	if v.PortKnown {
		port = fmt.Sprint(v.Port)
	} else if v.Service != "" {
		port = v.Service
	}
	return fmt.Sprintf("%s %s%s %s", p, v.Host, v.Addr, port)
}

func count(entries []conn.Entry) oracle {
	o := oracle{States: map[string]uint64{}, Templated: map[string]uint64{}, Timeouts: map[string]conn.Seconds{}, Services: map[string]string{}}
	least, most := map[string]conn.Seconds{}, map[string]conn.Seconds{}
	services := map[string]map[string]uint64{}
	for i := range entries {
		e := &entries[i]
		kind := e.Kind()
		service := virtualKey(e.Protocol, e.Virtual)
		switch mark, ok := e.Fwmark(); {
		case kind == conn.StaleTemplate, kind == conn.FwmarkTemplate && !ok:
			service = ""
		case kind == conn.FwmarkTemplate:
			service = fmt.Sprintf("%s mark %d", e.Protocol, mark)
		}
		if service != "" && services[service] == nil {
			services[service] = map[string]uint64{}
		}
		key := stateKey(e.Protocol, e.State, kind)
		if kind != conn.Connection {
			o.Templates++
			o.Templated[key]++
			if service == "" {
				o.UngroupedTemplates++
			} else {
				services[service]["template"]++
			}
			continue
		}
		o.Connections++
		o.States[key]++
		if service == "" {
			o.UngroupedConnections++
		} else {
			services[service]["in "+e.State.String()]++
		}
		if v := e.Timeout; v != conn.Unknown {
			if had, ok := least[key]; !ok || v < had {
				least[key] = v
			}
			if had, ok := most[key]; !ok || v > had {
				most[key] = v
			}
		}
	}
	for key := range o.States {
		o.Timeouts[key] = conn.Unknown
		if v, ok := least[key]; ok && most[key]-v <= 1 {
			o.Timeouts[key] = v
		}
	}
	for key, states := range services {
		o.Services[key] = fmt.Sprint(states) // in the order of its keys
	}
	return o
}

// counted is the tally's answers in the oracle's form.
func counted(t *Tally) oracle {
	o := oracle{
		Connections: t.Connections(), Templates: t.Templates(), Duplicates: t.Duplicates(),
		States: map[string]uint64{}, Templated: map[string]uint64{}, Timeouts: map[string]conn.Seconds{}, Services: map[string]string{},
	}
	for _, s := range t.States(ByCount) {
		key := stateKey(s.Protocol, s.State, s.Kind)
		o.States[key] += s.Count
		o.Timeouts[key] = s.Timeout
	}
	for _, s := range t.TemplateStates() {
		o.Templated[stateKey(s.Protocol, s.State, s.Kind)] += s.Count
	}
	for _, s := range t.Services() {
		key := virtualKey(s.Protocol, s.Virtual)
		if s.Marked {
			key = fmt.Sprintf("%s mark %d", s.Protocol, s.Fwmark)
		}
		states := map[string]uint64{}
		sum := uint64(0)
		for _, c := range s.States {
			states["in "+c.State.String()] += c.Count
			sum += c.Count
		}
		if s.Templates > 0 {
			states["template"] = s.Templates
		}
		if _, ok := o.Services[key]; ok || sum != s.Connections {
			o.Services[key] = fmt.Sprintf("listed twice, or %d connections whose states are %d", s.Connections, sum)
			continue
		}
		o.Services[key] = fmt.Sprint(states)
	}
	rest := t.Ungrouped()
	o.UngroupedConnections, o.UngroupedTemplates = rest.Connections, rest.Templates
	return o
}

func compare(t *testing.T, what string, got, want oracle) {
	t.Helper()
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	for i := range g.NumField() {
		name := g.Type().Field(i).Name
		if m, ok := g.Field(i).Interface().(map[string]string); ok {
			wm := w.Field(i).Interface().(map[string]string)
			for _, k := range slices.Sorted(maps.Keys(union(m, wm))) {
				if m[k] != wm[k] {
					t.Errorf("%s: %s of %q: %s, want %s", what, name, k, m[k], wm[k])
				}
			}
		} else if !reflect.DeepEqual(g.Field(i).Interface(), w.Field(i).Interface()) {
			t.Errorf("%s: %s: %v, want %v", what, name, g.Field(i), w.Field(i))
		}
	}
}

func union(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}
