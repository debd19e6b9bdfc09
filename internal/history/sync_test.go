package history

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"ipvsstate/internal/conn"
)

// TestSyncReasons: why a backup can lack an entry, the first reason that applies.
func TestSyncReasons(t *testing.T) {
	persistent := conn.Endpoint{Addr: madeEntry(rand.New(rand.NewPCG(1, 1)), 1).Virtual.Addr, Port: 8080, PortKnown: true}
	services := []conn.Service{{Protocol: conn.TCP, Virtual: persistent, Persistent: 300}}
	tests := []struct {
		name          string
		protocol      conn.Protocol
		state         conn.State
		left          conn.Seconds
		persistent    bool
		templatesOnly bool
		apart         conn.Seconds
		want          Reason
	}{
		{"half-open", conn.TCP, conn.SynRecv, 50, false, false, 0, NeverSent},
		{"the last FIN is awaited", conn.TCP, conn.LastAck, 20, false, false, 0, NeverSent},
		{"open for long", conn.TCP, conn.Established, 600, false, false, 0, BelowThreshold},
		{"a packet between the readings", conn.TCP, conn.Established, 895, false, false, -5, MayBeNew},
		{"a packet before the later reading", conn.TCP, conn.Established, 895, false, false, 5, BelowThreshold},
		{"a packet before them", conn.TCP, conn.Established, 880, false, false, -5, BelowThreshold},
		{"ran out between them", conn.TCP, conn.Established, 4, false, false, 5, RanOut},
		{"would run out after them", conn.TCP, conn.Established, 4, false, false, -5, BelowThreshold},
		{"active in both readings", conn.TCP, conn.Established, 900, false, false, 0, MayBeNew},
		{"active before the later reading", conn.TCP, conn.Established, 900, false, false, 3, BelowThreshold},
		{"read a second before", conn.TCP, conn.Established, 897, false, false, -1, MayBeNew},
		{"closing", conn.TCP, conn.FinWait, 60, false, false, 0, Lost},
		{"closing by the client", conn.TCP, conn.CloseWait, 30, false, false, 0, Lost},
		{"closing just now", conn.TCP, conn.FinWait, 120, false, false, 0, MayBeNew},
		{"closing before the backup was read", conn.TCP, conn.TimeWait, 117, false, false, 0, Lost},
		{"an aborted association", conn.SCTP, conn.Closed, 30, false, false, 0, Closed},
		{"refused", conn.TCP, conn.Close, 6, false, false, 0, Closed},
		{"refused just now", conn.TCP, conn.Close, 10, false, false, 0, Closed},
		{"of a persistent service", conn.TCP, conn.Established, 600, true, true, 0, TemplatesOnly},
		{"of another service", conn.TCP, conn.Established, 600, false, true, 0, BelowThreshold},
		{"half-open of a persistent service", conn.TCP, conn.SynRecv, 50, true, true, 0, NeverSent},
		{"all is sent of a persistent service", conn.TCP, conn.Established, 600, true, false, 0, BelowThreshold},
		{"a datagram", conn.UDP, conn.UDPState, 200, false, false, 0, BelowThreshold},
		{"an association", conn.SCTP, conn.Established, 600, false, false, 0, BelowThreshold},
	}
	allPorts := Directors{TemplatesOnly: true, Services: []conn.Service{{Protocol: conn.TCP, Virtual: conn.Endpoint{Addr: persistent.Addr, PortKnown: true}, Persistent: 300}}}
	marked := Directors{TemplatesOnly: true, Services: []conn.Service{{Fwmark: 7, Persistent: 300}}}
	for name, about := range map[string]Directors{"of all ports": allPorts, "of a mark": marked} {
		if !about.ways([]class{{protocol: conn.TCP, virtual: persistent}})[0].templatesOnly {
			t.Errorf("%s: a connection of a persistent service is taken to be sent", name)
		}
	}
	for _, tt := range tests {
		e := madeEntry(rand.New(rand.NewPCG(1, 1)), 1)
		e.Protocol, e.State, e.Expires = tt.protocol, tt.state, tt.left
		e.Client.Port = 1234
		if tt.persistent {
			e.Virtual = persistent
		}
		master := only(&e)
		s := CompareSync(master, NewEntries(), Directors{Apart: tt.apart, Timeouts: conn.DefaultTimeouts, Services: services, TemplatesOnly: tt.templatesOnly})
		want := [NumReasons]uint64{}
		want[tt.want] = 1
		if s.Missing != want || s.Connections != (Coverage{1, 0}) {
			t.Errorf("%s: missing %v, want %v", tt.name, s.Missing, want)
		}
		if s = CompareSync(master, master, Directors{Timeouts: conn.DefaultTimeouts}); s.Connections != (Coverage{1, 1}) || len(s.OnlyBackup) > 0 {
			t.Errorf("%s: of itself %+v", tt.name, s)
		}
	}
}

// TestSyncReasonsOfServices: reasons that the master's services and settings give.
func TestSyncReasonsOfServices(t *testing.T) {
	ipv6 := conn.Endpoint{Addr: netip.MustParseAddr("2001:db8::1"), Port: 443, PortKnown: true}
	ipv4 := conn.Endpoint{Addr: netip.MustParseAddr("192.0.2.1"), Port: 443, PortKnown: true}
	servers := func(all ...conn.Forwarding) []conn.Service {
		v := conn.Service{Protocol: conn.TCP, Virtual: ipv4}
		for _, f := range all {
			v.Servers = append(v.Servers, conn.Server{Forwarding: f})
		}
		return []conn.Service{v}
	}
	for _, tt := range []struct {
		name    string
		virtual conn.Endpoint
		state   conn.State
		about   Directors
		want    Reason
	}{
		{"IPv6 by version 0", ipv6, conn.Established, Directors{OldVersion: true}, OldVersion},
		{"IPv6 that is closing", ipv6, conn.FinWait, Directors{OldVersion: true}, OldVersion},
		{"IPv6 by version 1", ipv6, conn.Established, Directors{}, BelowThreshold},
		{"IPv4 by version 0", ipv4, conn.Established, Directors{OldVersion: true}, BelowThreshold},
		{"reset by any", ipv4, conn.Close, Directors{Services: servers(conn.DirectRoute, conn.Masquerade)}, Closed},
		{"reset by the client", ipv4, conn.Close, Directors{Services: servers(conn.DirectRoute, conn.Tunnel, conn.LocalNode)}, Lost},
		{"of a service without servers", ipv4, conn.Close, Directors{Services: servers()}, Closed},
		{"of a method that is not told", ipv4, conn.Close, Directors{Services: servers(conn.UnknownForwarding)}, Closed},
		{"half-open under direct routing", ipv4, conn.SynRecv, Directors{Services: servers(conn.DirectRoute)}, NeverSent},
	} {
		e := madeEntry(rand.New(rand.NewPCG(1, 1)), 1)
		e.Protocol, e.State, e.Expires, e.Virtual = conn.TCP, tt.state, 5, tt.virtual
		tt.about.Timeouts = conn.DefaultTimeouts
		want := [NumReasons]uint64{}
		want[tt.want] = 1
		if s := CompareSync(only(&e), NewEntries(), tt.about); s.Missing != want {
			t.Errorf("%s: missing %v, want %v", tt.name, s.Missing, want)
		}
	}
}

// TestSyncAddsUp: of any two tables each entry is counted once.
func TestSyncAddsUp(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 9))
		var master, backup []conn.Entry
		want, only := uint64(0), uint64(0)
		for i := range 2000 {
			e := madeEntry(r, i)
			isConnection := e.Kind() == conn.Connection
			switch r.IntN(3) {
			case 0:
				master = append(master, e)
			case 1:
				backup = append(backup, e)
				if isConnection {
					only++
				}
			default:
				master, backup = append(master, e), append(backup, e)
				if isConnection {
					want++
				}
			}
		}
		s := CompareSync(gathered(t, r, master), gathered(t, r, backup), Directors{Apart: 3, Timeouts: conn.DefaultTimeouts})
		sum := func(all []CoverageOf) (c Coverage) {
			for _, v := range all {
				c.join(v.Coverage)
			}
			return c
		}
		missing, onBackup := uint64(0), uint64(0)
		for _, n := range s.Missing {
			missing += n
		}
		for _, b := range s.OnlyBackup {
			onBackup += b.Count
		}
		if s.Connections.Held != want || missing != s.Connections.Master-want || onBackup != only || s.Connections.Master+s.Templates.Master != uint64(len(master)) {
			t.Errorf("seed %d: %+v, %d held, %d only on the backup", seed, s.Connections, want, only)
		}
		if sum(s.States) != s.Connections || sum(s.Silences) != s.Established || sum(s.Services) != s.Established {
			t.Errorf("seed %d: the parts do not add up", seed)
		}
	}
}

// TestSyncOpen: open are the connections in ESTABLISHED and all of UDP, which has no such state.
func TestSyncOpen(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, tt := range []struct {
		protocol conn.Protocol
		state    conn.State
		open     uint64
	}{
		{conn.TCP, conn.Established, 1}, {conn.SCTP, conn.Established, 1}, {conn.UDP, conn.UDPState, 1},
		{conn.TCP, conn.SynRecv, 0}, {conn.TCP, conn.FinWait, 0}, {conn.SCTP, conn.Closed, 0},
	} {
		e := madeEntry(r, 1)
		e.Protocol, e.State, e.Client.Port = tt.protocol, tt.state, 1234
		if s := CompareSync(only(&e), NewEntries(), Directors{}); s.Open() != (Coverage{Master: tt.open}) {
			t.Errorf("%s %s: open %+v", tt.protocol, tt.state, s.Open())
		}
	}
}

// TestOriginsUnlisted: an origin that a newer reader may know is one that is not told, and no panic.
func TestOriginsUnlisted(t *testing.T) {
	e := madeEntry(rand.New(rand.NewPCG(1, 1)), 1)
	e.Client.Port, e.Origin = 1234, conn.Sync+7
	states, _ := only(&e).Origins()
	if len(states) != 1 || states[0].Unknown != 1 {
		t.Errorf("%+v", states)
	}
}
