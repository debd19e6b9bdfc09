package tally

import (
	"fmt"
	"net/netip"
	"testing"

	"ipvsstate/internal/conn"
)

func numeric(text string) conn.Endpoint {
	a := netip.MustParseAddrPort(text)
	return conn.Endpoint{Addr: a.Addr(), Port: a.Port(), PortKnown: true}
}

// manyServices makes entries of n services, of both families and with names.
func manyServices(n int) []conn.Entry {
	all := make([]conn.Entry, 0, n)
	for i := range n {
		e := conn.Entry{
			Protocol: conn.TCP, State: conn.Established, Timeout: conn.Unknown,
			Client: numeric("10.0.1.10:1025"), Server: numeric("10.0.0.12:80"),
		}
		switch port := uint16(i); i % 3 {
		case 0:
			e.Virtual = conn.Endpoint{Addr: netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), Port: port, PortKnown: true}
		case 1:
			e.Virtual = conn.Endpoint{Addr: netip.AddrFrom16([16]byte{0x20, 1, 14: byte(i >> 8), 15: byte(i)}), Port: port, PortKnown: true}
		case 2:
			e.Virtual, e.Protocol = conn.Endpoint{Host: fmt.Sprintf("vip%d", i), Port: port, PortKnown: true}, conn.UDP
		}
		if i%5 == 0 {
			e.Client.Port = 0 // a template
		}
		all = append(all, e)
	}
	return all
}

// TestMaxServices counts more services than are counted one by one: what is beyond
// is not lost, and not put on another service's account.
func TestMaxServices(t *testing.T) {
	const n = MaxServices + 5000
	entries := append(manyServices(n), manyServices(n)...)
	var all, pinned uint64
	for i := range entries {
		if entries[i].Kind() == conn.Connection {
			all++
		} else {
			pinned++
		}
	}
	halves := addAll(New(Options{}), entries[:n+n/2])
	halves.Merge(addAll(New(Options{}), entries[n+n/2:]))
	reused := addAll(New(Options{}), manyServices(100))
	reused.Reset()
	for name, tl := range map[string]*Tally{"one": addAll(New(Options{}), entries), "of two parts": halves, "reused": addAll(reused, entries)} {
		services := tl.Services()
		if len(services) != MaxServices {
			t.Errorf("%s: %d services, want the %d that are counted", name, len(services), MaxServices)
		}
		var connections, templates uint64
		for _, s := range services {
			connections += s.Connections
			templates += s.Templates
			if s.Connections+s.Templates != 2 {
				t.Errorf("%s: %s has %d connections and %d templates, want 2 of them", name, s.Virtual, s.Connections, s.Templates)
			}
		}
		rest := tl.Ungrouped()
		if c, p := rest.Connections, rest.Templates; connections+c != all || templates+p != pinned || c+p != 2*5000 {
			t.Errorf("%s: %d + %d connections, %d + %d templates, want %d and %d", name, connections, c, templates, p, all, pinned)
		}
		var inStates, ofRest uint64
		for _, s := range tl.States(ByCount) {
			inStates += s.Count
		}
		for _, s := range rest.States {
			ofRest += s.Count
		}
		if ofRest != rest.Connections {
			t.Errorf("%s: the rest has %d connections, %d by state", name, rest.Connections, ofRest)
		}
		if tl.Connections() != all || inStates != all || tl.Templates() != pinned {
			t.Errorf("%s: %d connections, %d by state, %d templates, want %d and %d", name, tl.Connections(), inStates, tl.Templates(), all, pinned)
		}
	}
}

// TestManyProtocols has more protocols without number than services are counted.
func TestManyProtocols(t *testing.T) {
	tl := New(Options{})
	const n = MaxServices + 1000
	for i := range n {
		e := conn.Entry{State: conn.Established, Timeout: conn.Unknown, Client: numeric("10.0.1.10:1025"), Virtual: numeric("192.0.2.1:80"), Server: numeric("10.0.0.12:80")}
		e.Protocol, _ = conn.ProtocolOf(fmt.Sprintf("P%d", i))
		e.Virtual.Port = uint16(i)
		tl.Add(&e)
	}
	sum := uint64(0)
	for _, s := range tl.States(ByCount) {
		sum += s.Count
	}
	if sum != n || tl.Connections() != n || len(tl.groups) > MaxServices+conn.NumProtocols {
		t.Errorf("%d connections, %d by state, of %d; %d groups", tl.Connections(), sum, n, len(tl.groups))
	}
}

// TestServicesHash: services that differ in the last bytes of their addresses, as a
// Kubernetes cluster has thousands, must not all stand in one chain of the index.
func TestServicesHash(t *testing.T) {
	for _, base := range []string{"10.96.0.0", "2001:db8::"} {
		const n, slots = 10000, 1 << 16
		first := make(map[uint64]bool)
		for i := range n {
			a := netip.MustParseAddr(base).AsSlice()
			a[len(a)-2], a[len(a)-1] = byte(i>>8), byte(i)
			addr, _ := netip.AddrFromSlice(a)
			g := group{protocol: conn.TCP, service: serviceKey{virtual: conn.Endpoint{Addr: addr, Port: 80, PortKnown: true}}}
			first[g.hashed()%slots] = true
		}
		if len(first) < n/2 {
			t.Errorf("%d services from %s on begin their search at %d places of %d", n, base, len(first), slots)
		}
	}
}

// TestUnlistedProtocolsHash: groups that differ in an unlisted protocol alone must not
// all stand in one chain, along which each is looked for.
func TestUnlistedProtocolsHash(t *testing.T) {
	hashes := make(map[uint64]bool)
	for i := range 100 {
		g := group{service: serviceKey{virtual: numeric("192.0.2.1:80")}}
		g.protocol, _ = conn.ProtocolOf(fmt.Sprintf("P%d", i))
		hashes[g.hashed()] = true
	}
	if len(hashes) < 90 {
		t.Errorf("%d different hashes of 100 groups", len(hashes))
	}
}

// withState is an entry in a state of that word.
func withState(word string) conn.Entry {
	e := conn.Entry{Protocol: conn.TCP, Timeout: conn.Unknown, Client: numeric("10.0.1.10:1025"), Virtual: numeric("192.0.2.1:80"), Server: numeric("10.0.0.12:80")}
	e.State, _ = conn.StateOf(word)
	return e
}

// TestManyStates counts more states than there are cells.
func TestManyStates(t *testing.T) {
	const n = 500
	var entries []conn.Entry
	for i := range n {
		e := withState(fmt.Sprintf("STATE_%d", i))
		entries = append(entries, e, e)
		e.Client.Port = 0
		entries = append(entries, e)
		e.Server.Port = 65535
		entries = append(entries, e)
	}
	parts := New(Options{})
	for i := 0; i < len(entries); i += 100 {
		parts.Merge(addAll(New(Options{}), entries[i:min(i+100, len(entries))]))
	}
	for name, tl := range map[string]*Tally{"whole": addAll(New(Options{}), entries), "parts": parts} {
		if len(tl.cells) > maxUnlisted {
			t.Errorf("%s: %d cells for states without a name, at most %d are allowed", name, len(tl.cells), maxUnlisted)
		}
		var connections, templates, untold, stale uint64
		for _, s := range tl.States(ByCount) {
			connections += s.Count
			if s.State == (conn.State{}) {
				untold += s.Count
			} else if s.Count != 2 {
				t.Errorf("%s: %d in %s, want 2 or none", name, s.Count, s.State)
			}
		}
		for _, s := range tl.TemplateStates() {
			templates += s.Count
			if s.Kind == conn.StaleTemplate {
				stale += s.Count
			}
		}
		if connections != 2*n || tl.Connections() != 2*n || templates != 2*n || tl.Templates() != 2*n || stale != n || untold == 0 {
			t.Errorf("%s: %d connections (%d untold), %d templates (%d invalidated)", name, connections, untold, templates, stale)
		}
	}
}

// TestResetForgetsStates uses a tally again whose first table had more states than
// there are cells: the second has but one, and it is known.
func TestResetForgetsStates(t *testing.T) {
	tl := New(Options{})
	for i := range 2 * maxCells {
		e := withState(fmt.Sprintf("STATE_%d", i))
		tl.Add(&e)
	}
	tl.Reset()
	e := withState("ESTABLISHED")
	tl.Add(&e)
	compare(t, "behind Reset", counted(tl), count([]conn.Entry{e}))
}

// TestKnownStatesAmongMany has a known state behind many that are not.
func TestKnownStatesAmongMany(t *testing.T) {
	tl := New(Options{})
	for i := range 2 * maxCells {
		e := withState(fmt.Sprintf("STATE_%d", i))
		tl.Add(&e)
	}
	e := withState("ESTABLISHED")
	tl.Add(&e)
	for _, s := range tl.States(ByCount) {
		if s.State == conn.Established && s.Count == 1 {
			return
		}
	}
	t.Error("ESTABLISHED is not among the states")
}

// numericEntries are entries as ipvsadm -Lcn and /proc have them, of both families,
// templates included.
func numericEntries() []conn.Entry {
	var all []conn.Entry
	for i := range 1000 {
		e := conn.Entry{Protocol: conn.TCP, State: conn.Established, Expires: 897, Timeout: conn.Unknown, Server: numeric("10.0.0.12:80")}
		e.Client = conn.Endpoint{Addr: netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), Port: uint16(1025 + i), PortKnown: true}
		e.Virtual = conn.Endpoint{Addr: netip.AddrFrom4([4]byte{192, 0, 2, byte(i % 50)}), Port: 80, PortKnown: true}
		switch i % 10 {
		case 0:
			e.State = conn.FinWait
		case 1:
			e.Protocol, e.State = conn.UDP, conn.UDPState
		case 2:
			e.Virtual = conn.Endpoint{Addr: netip.AddrFrom16([16]byte{0x20, 1, 15: byte(i % 50)}), Port: 443, PortKnown: true}
		case 3:
			e.State, e.Client.Port = conn.None, 0
		}
		all = append(all, e)
	}
	return all
}

// TestAddDoesNotAllocate pins the numeric path of a tally that has seen the services.
func TestAddDoesNotAllocate(t *testing.T) {
	entries := numericEntries()
	tl := addAll(New(Options{}), entries)
	if n := testing.AllocsPerRun(20, func() { addAll(tl, entries) }); n != 0 {
		t.Errorf("%v allocations in %d entries", n, len(entries))
	}
	part := addAll(New(Options{}), entries)
	if n := testing.AllocsPerRun(20, func() { tl.Merge(part) }); n != 0 {
		t.Errorf("%v allocations in a merge", n)
	}
	if n := testing.AllocsPerRun(20, func() { part.Reset(); addAll(part, entries) }); n != 0 {
		t.Errorf("%v allocations behind a reset", n)
	}
}

func BenchmarkAdd(b *testing.B) {
	entries := numericEntries()
	for name, seen := range map[string]*Seen{"plain": nil, "seen": {}} {
		b.Run(name, func(b *testing.B) {
			tl := addAll(New(Options{Seen: seen}), entries)
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				addAll(tl, entries)
				n += len(entries)
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}

// BenchmarkMerge merges tallies of as many services as a cluster has, all on one port.
func BenchmarkMerge(b *testing.B) {
	for _, services := range []int{10, 1000, 10000} {
		b.Run(fmt.Sprint(services), func(b *testing.B) {
			part := New(Options{})
			e := withState("ESTABLISHED")
			for i := range services {
				e.Virtual.Addr = netip.AddrFrom4([4]byte{10, 96, byte(i >> 8), byte(i)})
				part.Add(&e)
			}
			whole := New(Options{})
			whole.Merge(part)
			for b.Loop() {
				whole.Merge(part)
			}
			b.ReportMetric(float64(services)*float64(b.N)/b.Elapsed().Seconds(), "services/s")
		})
	}
}
