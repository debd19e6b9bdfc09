package tally

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"ipvsstate/internal/conn"
)

func plan(t testing.TB, by ...string) *Plan {
	t.Helper()
	p := &Plan{
		Timing: conn.NewTiming(conn.DefaultTimeouts, nil),
		// What a forwarding method depends on is not this package's business.
		Forwarding: func(e *conn.Entry) conn.Forwarding {
			if e.Server.Addr.Is6() {
				return conn.Tunnel
			}
			return conn.UnknownForwarding
		},
	}
	for _, text := range by {
		d, err := DimensionOf(text)
		if err != nil {
			t.Fatal(err)
		}
		p.By = append(p.By, d)
	}
	return p
}

// describe is an entry's value in a dimension, in words, found another way.
func describe(p *Plan, d string, e *conn.Entry) string {
	endpoint := func(v conn.Endpoint) string {
		port := "?"
		switch {
		case v.PortKnown:
			port = fmt.Sprint(v.Port)
		case v.Service != "":
			port = v.Service
		}
		return fmt.Sprintf("%v|%s|%s", v.Addr, v.Host, port)
	}
	mark, marked := e.Fwmark()
	marked = marked && e.Kind() == conn.FwmarkTemplate
	switch aspect, _, _ := strings.Cut(d, "/"); aspect {
	case "state":
		return e.State.String()
	case "protocol":
		return e.Protocol.String()
	case "service":
		switch {
		case e.Kind() == conn.StaleTemplate:
			return "none"
		case marked:
			return fmt.Sprintf("mark %d %v", mark, e.Virtual.Addr.Is6())
		}
		return e.Protocol.String() + " " + endpoint(e.Virtual)
	case "server":
		return endpoint(e.Server)
	case "port":
		switch {
		case e.Kind() == conn.StaleTemplate, e.Kind() == conn.FwmarkTemplate, !e.Virtual.PortKnown && e.Virtual.Service == "":
			return "none"
		case e.Virtual.PortKnown:
			return fmt.Sprint(e.Virtual.Port)
		}
		return "?" + e.Virtual.Service
	case "forwarding":
		return p.Forwarding(e).String()
	case "origin":
		return fmt.Sprint(e.Origin)
	case "idle":
		from, to := IdleRangeOf(p.Timing.Idle(e)).Bounds()
		return fmt.Sprint(from, to)
	}
	if !e.Client.Addr.IsValid() {
		return e.Client.Host
	}
	bits := map[string][2]int{"client": {32, 128}, "client/24": {24, 64}, "client/120": {24, 120}, "client/0/0": {0, 0}, "client/31/127": {31, 127}, "client/64": {24, 64}}[d]
	n := bits[0]
	if e.Client.Addr.Is6() {
		n = bits[1]
	}
	network, _ := e.Client.Addr.Prefix(n)
	return network.String()
}

// describeValue is the same of a group's value.
func describeValue(d string, v *Value) string {
	var e conn.Entry
	switch aspect, _, _ := strings.Cut(d, "/"); aspect {
	case "client":
		if p, ok := v.Network(); ok {
			return p.String()
		}
		return v.Endpoint.Host
	case "idle":
		from, to := v.Idle.Bounds()
		return fmt.Sprint(from, to)
	case "forwarding":
		return v.Forwarding.String()
	case "service":
		switch {
		case v.Marked:
			return fmt.Sprintf("mark %d %v", v.Fwmark, v.IPv6)
		case *v == Value{}:
			return "none"
		}
	case "port":
		switch {
		case *v == Value{}:
			return "none"
		case !v.Endpoint.PortKnown:
			return "?" + v.Endpoint.Service
		}
		return fmt.Sprint(v.Endpoint.Port)
	}
	e = conn.Entry{Protocol: v.Protocol, State: v.State, Virtual: v.Endpoint, Server: v.Endpoint, Origin: v.Origin, Client: conn.Endpoint{Port: 1, PortKnown: true}}
	return describe(nil, d, &e)
}

type sums struct {
	connections, templates uint64
	longest                conn.Seconds
}

func listed(t *testing.T, g *Groups, by []string, n int, o Order) (got map[string]sums, keys []string) {
	t.Helper()
	got = make(map[string]sums)
	g.Top(n, o, func(group *Group) bool {
		var words []string
		for i := range group.Values {
			words = append(words, describeValue(by[i], &group.Values[i]))
		}
		key := strings.Join(words, "; ")
		if _, twice := got[key]; twice {
			t.Errorf("%v: %q is there twice", by, key)
		}
		got[key] = sums{group.Connections, group.Templates, group.Longest()}
		keys = append(keys, key)
		return true
	})
	return got, keys
}

var groupings = [][]string{
	{"state"}, {"protocol"}, {"service"}, {"server"}, {"client"}, {"client/24"}, {"client/120"}, {"client/0/0"}, {"client/31/127"}, {"client/64"},
	{"port"}, {"forwarding"}, {"origin"}, {"idle"}, {"service", "server"}, {"server", "state"}, {"client/24", "port", "state"},
	{"state", "protocol", "service", "server", "client", "port", "forwarding", "origin", "idle"},
}

// TestGroups holds every grouping, counted at once and in parts that are merged,
// against a count by text.
func TestGroups(t *testing.T) {
	entries := newGenerator(3).entries(20000)
	for _, by := range groupings {
		p := plan(t, by...)
		want := make(map[string]sums)
		for i := range entries {
			e := &entries[i]
			var words []string
			for _, d := range by {
				words = append(words, describe(p, d, e))
			}
			key := strings.Join(words, "; ")
			s, had := want[key]
			if !had {
				s.longest = conn.Unknown
			}
			if e.Kind() == conn.Connection {
				s.connections++
			} else {
				s.templates++
			}
			s.longest = max(s.longest, e.Expires)
			want[key] = s
		}
		whole, part := NewGroups(p), NewGroups(p)
		merged := NewGroups(p)
		for i := range entries {
			kind := entries[i].Kind()
			whole.Add(&entries[i], kind)
			part.Add(&entries[i], kind)
			if i%777 == 0 || i == len(entries)-1 {
				merged.Merge(part)
				part.Reset()
			}
		}
		for name, g := range map[string]*Groups{"whole": whole, "merged": merged} {
			got, keys := listed(t, g, by, 0, ByCount)
			if !maps.Equal(got, want) {
				for key, s := range want {
					if got[key] != s {
						t.Errorf("%v, %s: %q has %v, want %v", by, name, key, got[key], s)
					}
				}
				t.Fatalf("%v, %s: %d groups, want %d", by, name, len(got), len(want))
			}
			if g.Len() != len(want) || g.Undercount() != 0 || g.Rest().Connections != 0 {
				t.Errorf("%v, %s: %d groups, undercount %d, rest %v", by, name, g.Len(), g.Undercount(), g.Rest())
			}
			for _, n := range []int{1, 3, 10, len(want) - 1, len(want), len(want) + 1} {
				if _, top := listed(t, g, by, n, ByCount); n > 0 && !slices.Equal(top, keys[:min(n, len(keys))]) {
					t.Errorf("%v, %s: the first %d are %q, in the whole list they are %q", by, name, n, top, keys[:min(n, len(keys))])
				}
			}
			for i := 1; i < len(keys); i++ {
				if a, b := want[keys[i-1]], want[keys[i]]; a.connections < b.connections || a.connections == b.connections && a.templates < b.templates {
					t.Errorf("%v, %s: %q is before %q", by, name, keys[i-1], keys[i])
				}
			}
		}
	}
}

// TestGroupsOrder orders by value: states as connections live, addresses by number.
func TestGroupsOrder(t *testing.T) {
	g := NewGroups(plan(t, "client"))
	for _, text := range []string{"10.0.0.10:1", "9.0.0.1:1", "10.0.0.9:1", "10.0.0.10:2", "[2001:db8::1]:1"} {
		g.Add(&conn.Entry{Protocol: conn.TCP, Client: numeric(text)}, conn.Connection)
	}
	_, keys := listed(t, g, []string{"client"}, 0, ByValue)
	if want := []string{"9.0.0.1/32", "10.0.0.9/32", "10.0.0.10/32", "2001:db8::1/128"}; !slices.Equal(keys, want) {
		t.Errorf("%q, want %q", keys, want)
	}
}

// TestGroupsPruned counts more clients than are kept apart: whoever has many is
// there, nothing is lost, and no count is off by more than is said.
func TestGroupsPruned(t *testing.T) {
	p := plan(t, "client")
	g, part := NewGroups(p), NewGroups(p)
	g.max = 1000
	truth := make(map[string]uint64)
	r := rand.New(rand.NewPCG(1, 2))
	const n = 200000
	for i := range n {
		a := netip.AddrFrom4([4]byte{10, byte(r.IntN(256)), byte(r.IntN(256)), 1})
		if i%10 == 0 { // ten clients with a hundredth each
			a = netip.AddrFrom4([4]byte{9, 9, 9, byte(r.IntN(10))})
		}
		if i > n/2 && i%20 == 1 { // one that comes late
			a = netip.AddrFrom4([4]byte{8, 8, 8, 8})
		}
		e := conn.Entry{Protocol: conn.TCP, Client: conn.Endpoint{Addr: a, Port: 5, PortKnown: true}}
		truth[a.String()+"/32"]++
		part.Add(&e, e.Kind())
		if part.Len() > 500 {
			g.Merge(part)
			part.Reset()
		}
	}
	g.Merge(part)
	if g.Len() > g.max || g.Undercount() == 0 {
		t.Fatalf("%d groups with room for %d, undercount %d", g.Len(), g.max, g.Undercount())
	}
	got, keys := listed(t, g, []string{"client"}, 0, ByCount)
	sum := g.Rest().Connections
	for key, s := range got {
		sum += s.connections
		if s.connections > truth[key] || s.connections+g.Undercount() < truth[key] {
			t.Errorf("%s has %d, in truth %d, said to be off by %d at most", key, s.connections, truth[key], g.Undercount())
		}
	}
	if sum != n {
		t.Errorf("groups and rest are %d, want %d", sum, n)
	}
	for key, n := range truth {
		if _, there := got[key]; !there && n > g.Undercount() {
			t.Errorf("%s is missing, with %d; %d are said to be enough", key, n, g.Undercount())
		}
	}
	if keys[0] != "8.8.8.8/32" {
		t.Errorf("the first is %s", keys[0])
	}
}

func TestDimensionOf(t *testing.T) {
	for text, want := range map[string]Dimension{
		"state": {State, 32, 128}, "client": {Client, 32, 128}, "client/24": {Client, 24, 64}, "client/64": {Client, 24, 64}, "client/48": {Client, 24, 48},
		"client/16/56": {Client, 16, 56}, "client/0": {Client, 0, 64}, "client/32": {Client, 32, 64}, "client/128": {Client, 24, 128}, "client/32/128": {Client, 32, 128},
	} {
		got, err := DimensionOf(text)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", text, got, err, want)
		}
		if again, err := DimensionOf(got.String()); err != nil || again != got {
			t.Errorf("%s is written %s, which reads as %+v, %v", text, got, again, err)
		}
	}
	for _, text := range []string{"", "State", "clients", "client/", "client/129", "client/x", "client/33/64", "client/24/129", "client/24/", "client/-1", "server/24", "state/24"} {
		if d, err := DimensionOf(text); err == nil {
			t.Errorf("%q is taken for %+v", text, d)
		}
	}
}

func TestIdleRanges(t *testing.T) {
	for s, want := range map[conn.Seconds][2]conn.Seconds{
		conn.Unknown: {conn.Unknown, conn.Unknown}, 0: {0, 10}, 9: {0, 10}, 10: {10, 60}, 59: {10, 60}, 60: {60, 300}, 299: {60, 300}, 300: {300, 600},
		599: {300, 600}, 600: {600, 3600}, 3599: {600, 3600}, 3600: {3600, conn.Unknown}, 1 << 30: {3600, conn.Unknown},
	} {
		from, to := IdleRangeOf(s).Bounds()
		if got := [2]conn.Seconds{from, to}; got != want {
			t.Errorf("%d is in %v, want %v", s, got, want)
		}
	}
}

// TestIdle holds the idle times of states, counted in parts, against one by one.
func TestIdle(t *testing.T) {
	entries := newGenerator(5).entries(30000)
	r := rand.New(rand.NewPCG(3, 4))
	for i := range entries {
		entries[i].Timeout = conn.Unknown
		switch r.IntN(20) {
		case 0:
			entries[i].Expires = conn.Unknown
		case 1:
			entries[i].Expires = conn.Seconds(r.IntN(40 * 24 * 3600)) // some longer than a minute is told apart
		}
		entries[i].Local = conn.Endpoint{}
	}
	timeouts := conn.Timeouts{TCP: 86400, TCPFin: 60, UDP: 300}
	timing := conn.NewTiming(timeouts, nil)
	type key struct {
		p conn.Protocol
		s conn.State
	}
	want := make(map[key]*StateIdle)
	for i := range entries {
		e := &entries[i]
		if e.Kind() != conn.Connection || e.Protocol.Index() == 0 || e.State.Index() == 0 {
			continue
		}
		k := key{e.Protocol, e.State}
		if want[k] == nil {
			want[k] = &StateIdle{Protocol: e.Protocol, State: e.State, Timeout: timeouts.Of(conn.Linux, e.Protocol, e.State)}
		}
		idle := timing.Idle(e)
		want[k].Ranges[IdleRangeOf(idle)]++
		if e.Expires != conn.Unknown && e.Expires <= 60 {
			want[k].Soon++
		}
		if idle == conn.Unknown && e.Expires != conn.Unknown && want[k].Timeout != conn.Unknown {
			want[k].Over++
		}
	}
	tl, part := New(Options{}), New(Options{})
	for i := range entries {
		part.Add(&entries[i])
		if i%999 == 0 || i == len(entries)-1 {
			tl.Merge(part)
			part.Reset()
		}
	}
	got := tl.Idle(func(p conn.Protocol, s conn.State) conn.Seconds { return timeouts.Of(conn.Linux, p, s) })
	if len(got) != len(want) {
		t.Errorf("%d states, want %d", len(got), len(want))
	}
	for i := range got {
		if w := want[key{got[i].Protocol, got[i].State}]; w == nil || !reflect.DeepEqual(got[i], *w) {
			t.Errorf("%+v, want %+v", got[i], w)
		}
		if i > 0 && got[i].Total() > got[i-1].Total() {
			t.Errorf("%s is behind %s", got[i].State, got[i-1].State)
		}
	}
}

func TestGroupsAddDoesNotAllocate(t *testing.T) {
	entries := numericEntries()
	for _, by := range groupings[:len(groupings)-1] {
		g := NewGroups(plan(t, by...))
		for i := range entries {
			g.Add(&entries[i], entries[i].Kind())
		}
		i := 0
		if n := testing.AllocsPerRun(1000, func() { g.Add(&entries[i%len(entries)], conn.Connection); i++ }); n != 0 {
			t.Errorf("%v: %v allocations an entry", by, n)
		}
	}
}

func BenchmarkGroups(b *testing.B) {
	entries := numericEntries()
	for _, by := range [][]string{{"client"}, {"server"}, {"service", "server"}, {"client/24", "state"}} {
		b.Run(strings.Join(by, ","), func(b *testing.B) {
			g := NewGroups(plan(b, by...))
			b.ReportAllocs()
			for b.Loop() {
				for i := range entries {
					g.Add(&entries[i], conn.Connection)
				}
			}
			b.ReportMetric(float64(b.N)*float64(len(entries))/b.Elapsed().Seconds(), "entries/s")
		})
	}
}
