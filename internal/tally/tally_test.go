package tally

import (
	"cmp"
	"slices"
	"testing"

	"ipvsstate/internal/conn"
)

func addAll(t *Tally, entries []conn.Entry) *Tally {
	for i := range entries {
		t.Add(&entries[i])
	}
	return t
}

// TestAgainstMaps counts random entries, few and many, and compares with plain maps.
func TestAgainstMaps(t *testing.T) {
	for seed := range uint64(30) {
		g := newGenerator(seed)
		entries := g.entries(g.IntN(1 << g.IntN(13)))
		compare(t, "counted", counted(addAll(New(Options{}), entries)), count(entries))
	}
	compare(t, "nothing", counted(New(Options{})), count(nil))
}

// TestMerge splits entries at random, and merges the tallies of the parts in any
// order and in a tree.
func TestMerge(t *testing.T) {
	for seed := range uint64(8) {
		g := newGenerator(100 + seed)
		entries := g.entries(1000)
		want := count(entries)
		parts := make([]*Tally, 1+g.IntN(9))
		for i := range parts {
			parts[i] = New(Options{})
		}
		for i := range entries {
			parts[g.IntN(len(parts))].Add(&entries[i])
		}
		for _, what := range []string{"in order", "in another order"} {
			whole := New(Options{})
			for _, p := range parts {
				whole.Merge(p)
			}
			compare(t, what, counted(whole), want)
			g.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		}
		for len(parts) > 1 {
			parts[0].Merge(parts[len(parts)-1])
			parts = parts[:len(parts)-1]
		}
		compare(t, "into one of them", counted(parts[0]), want)
	}
}

// TestMergeLeavesItsArgument adds one tally to two others.
func TestMergeLeavesItsArgument(t *testing.T) {
	entries := newGenerator(200).entries(500)
	part := addAll(New(Options{}), entries)
	New(Options{}).Merge(part)
	double := addAll(New(Options{}), entries)
	double.Merge(part)
	compare(t, "the part", counted(part), count(entries))
	compare(t, "twice the part", counted(double), count(append(slices.Clone(entries), entries...)))
}

// TestReset uses a tally again and again, as the readers do.
func TestReset(t *testing.T) {
	again, whole := New(Options{}), New(Options{})
	var all []conn.Entry
	g := newGenerator(300)
	for range 10 {
		entries := g.entries(g.IntN(1000))
		all = append(all, entries...)
		compare(t, "reset", counted(addAll(again, entries)), count(entries))
		whole.Merge(again)
		again.Reset()
		compare(t, "empty", counted(again), count(nil))
	}
	compare(t, "merged", counted(whole), count(all))
}

// TestOrder holds the lists to the order they promise.
func TestOrder(t *testing.T) {
	entries := newGenerator(400).entries(5000)
	tl := addAll(New(Options{}), entries)
	byCount := func(a, b StateCount) int { return cmp.Compare(b.Count, a.Count) }
	if s := tl.States(ByCount); !slices.IsSortedFunc(s, byCount) {
		t.Errorf("not most first: %v", s)
	}
	if s := tl.TemplateStates(); !slices.IsSortedFunc(s, byCount) {
		t.Errorf("templates not most first: %v", s)
	}
	states := tl.States(ByLifeCycle)
	last := func(index int) int { // what has no index comes last
		if index == 0 {
			return 1 << 20
		}
		return index
	}
	if !slices.IsSortedFunc(states, func(a, b StateCount) int {
		return cmp.Or(cmp.Compare(last(a.Protocol.Index()), last(b.Protocol.Index())), cmp.Compare(a.Protocol.String(), b.Protocol.String()),
			cmp.Compare(last(a.State.Index()), last(b.State.Index())), cmp.Compare(a.State.String(), b.State.String()))
	}) {
		t.Errorf("not as a connection lives: %v", states)
	}
	services := tl.Services()
	if !slices.IsSortedFunc(services, func(a, b Service) int {
		return cmp.Or(cmp.Compare(b.Connections, a.Connections), cmp.Compare(b.Templates, a.Templates))
	}) {
		t.Errorf("services not most first: %v", services)
	}
	for _, s := range services {
		if !slices.IsSortedFunc(s.States, byCount) {
			t.Errorf("states of %s not most first: %v", s.Virtual, s.States)
		}
	}
}

// TestOrderIsTheSame: the order of services does not depend on that of the entries.
func TestOrderIsTheSame(t *testing.T) {
	var entries []conn.Entry
	for _, e := range newGenerator(401).entries(5000) {
		if e.Virtual.PortKnown || e.Virtual.Service != "" { // see TestOrderWithoutPort
			entries = append(entries, e)
		}
	}
	sameInReverse(t, entries)
}

// TestOrderWithoutPort has a service whose port is not known beside that of port 0.
func TestOrderWithoutPort(t *testing.T) {
	a := conn.Entry{Protocol: conn.TCP, State: conn.Established, Timeout: conn.Unknown, Client: numeric("10.0.1.10:1025"),
		Virtual: conn.Endpoint{Host: "vip"}, Server: numeric("10.0.0.12:80")}
	b := a
	b.Virtual.PortKnown = true
	sameInReverse(t, []conn.Entry{a, b})
}

func sameInReverse(t *testing.T, entries []conn.Entry) {
	t.Helper()
	services := addAll(New(Options{}), entries).Services()
	slices.Reverse(entries)
	again := addAll(New(Options{}), entries).Services()
	if len(again) != len(services) {
		t.Fatalf("%d services, %d in reverse", len(services), len(again))
	}
	for i := range services {
		if a, b := services[i], again[i]; a.Virtual.Identity() != b.Virtual.Identity() || a.Protocol != b.Protocol || a.Connections != b.Connections {
			t.Errorf("service %d is %v, in reverse %v", i, a, b)
		}
	}
}

// TestOneServiceByNameAndNumber has :http, :www and :80 as one service, and what has
// another address, protocol or port as others.
func TestOneServiceByNameAndNumber(t *testing.T) {
	entry := func(p conn.Protocol, virtual conn.Endpoint) conn.Entry {
		return conn.Entry{Protocol: p, State: conn.Established, Timeout: conn.Unknown, Virtual: virtual,
			Client: numeric("10.0.1.10:1025"), Server: numeric("10.0.0.12:80")}
	}
	vip := numeric("192.0.2.1:80")
	http, www, named := vip, vip, conn.Endpoint{Host: "vip", Service: "http", Port: 80, PortKnown: true}
	http.Service, www.Service = "http", "www"
	tl := addAll(New(Options{}), []conn.Entry{
		entry(conn.TCP, http), entry(conn.TCP, vip), entry(conn.TCP, www), entry(conn.TCP, http),
		entry(conn.UDP, vip), entry(conn.TCP, numeric("192.0.2.1:443")), entry(conn.TCP, numeric("[::ffff:192.0.2.1]:80")), entry(conn.TCP, named),
	})
	services := tl.Services()
	if len(services) != 5 || services[0].Connections != 4 || services[0].Virtual.String() != "192.0.2.1:80" {
		t.Errorf("%+v", services)
	}
}

func TestSeen(t *testing.T) {
	g := newGenerator(500)
	// Any two of these differ by their clients.
	var entries []conn.Entry
	for i := range 10000 {
		e := g.entry()
		e.Client = conn.Endpoint{Addr: numeric("10.0.0.0:0").Addr, Port: uint16(1 + i), PortKnown: true}
		entries = append(entries, e)
	}
	seen := &Seen{}
	tl := addAll(New(Options{Seen: seen}), entries)
	compare(t, "each once", counted(tl), count(entries))

	// The same again, later and in other states: it counts as it was first seen.
	again := slices.Clone(entries[:7000])
	for i := range again {
		again[i].Expires--
		again[i].State = pick(g, g.states...)
	}
	g.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
	other := addAll(New(Options{Seen: seen}), again[:3000]) // of another part of the same table
	addAll(tl, again[3000:])
	tl.Merge(other)
	want := count(entries)
	want.Duplicates = 7000
	compare(t, "7000 twice", counted(tl), want)

	other.Reset()
	if other.Duplicates() != 0 {
		t.Errorf("%d duplicates behind Reset", other.Duplicates())
	}
	addAll(other, entries[:10])
	if other.Duplicates() != 10 || other.Connections()+other.Templates() != 0 {
		t.Errorf("Reset forgot what the table had: %d duplicates", other.Duplicates())
	}
}

// TestSeenAlike: two invalidated templates of one client, of services on two ports, look alike up to
// kernel 7.0, and are two; from 7.1 on they tell their services, and an equal one is the same.
func TestSeenAlike(t *testing.T) {
	template := func(port uint16) conn.Entry {
		e := conn.Entry{Protocol: conn.TCP, Client: numeric("192.0.2.1:0"), Virtual: numeric("10.0.1.100:0"), Server: numeric("10.0.0.11:65535")}
		e.Virtual.Port = port
		return e
	}
	for port, want := range map[uint16]uint64{65535: 2, 443: 1} {
		tl := addAll(New(Options{Seen: &Seen{}}), []conn.Entry{template(port), template(port)})
		if got := tl.Templates(); got != want {
			t.Errorf("port %d: %d templates, want %d", port, got, want)
		}
	}
}

// TestSeenTellsApart changes one part of the key at a time.
func TestSeenTellsApart(t *testing.T) {
	base := conn.Entry{Protocol: conn.TCP, Client: numeric("10.0.1.10:1025"), Virtual: numeric("192.0.2.1:80"), Server: numeric("10.0.0.12:80"), Timeout: conn.Unknown}
	entries := []conn.Entry{base}
	for _, change := range []func(*conn.Entry){
		func(e *conn.Entry) { e.Protocol = conn.UDP },
		func(e *conn.Entry) { e.Client.Port++ },
		func(e *conn.Entry) { e.Client = numeric("10.0.1.11:1025") },
		func(e *conn.Entry) { e.Virtual.Port = 443 },
		func(e *conn.Entry) { e.Virtual = numeric("[2001:db8::1]:80") },
		// An invalidated template beside its successor differs by the server alone.
		func(e *conn.Entry) { e.Server = numeric("10.0.0.13:80") },
	} {
		e := base
		change(&e)
		entries = append(entries, e)
	}
	tl := addAll(New(Options{Seen: &Seen{}}), entries)
	if tl.Duplicates() != 0 || tl.Connections() != uint64(len(entries)) {
		t.Errorf("%d connections and %d duplicates of %d different entries", tl.Connections(), tl.Duplicates(), len(entries))
	}
	// Origin, state and time do not make an entry another.
	e := base
	e.State, e.Expires, e.Origin = conn.FinWait, 7, conn.Sync
	if tl.Add(&e); tl.Duplicates() != 1 {
		t.Error("an entry that moved on counts twice")
	}
}
