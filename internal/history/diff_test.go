package history

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/tally"
)

func madeEntry(r *rand.Rand, n int) conn.Entry {
	address := func(of int) netip.Addr {
		if r.IntN(5) == 0 {
			return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 14: byte(of >> 8), 15: byte(of)})
		}
		return netip.AddrFrom4([4]byte{10, byte(of >> 16), byte(of >> 8), byte(of)})
	}
	e := conn.Entry{
		Protocol: []conn.Protocol{conn.TCP, conn.TCP, conn.UDP, conn.SCTP}[r.IntN(4)],
		Client:   conn.Endpoint{Addr: address(n), Port: uint16(1024 + n%60000), PortKnown: true},
		Virtual:  conn.Endpoint{Addr: address(1 + n%3), Port: 443, PortKnown: true},
		Server:   conn.Endpoint{Addr: address(100 + n%7), Port: 8443, PortKnown: true},
		Timeout:  conn.Unknown, Expires: conn.Seconds(r.IntN(900)),
	}
	e.State = stateFor(r, e.Protocol)
	switch r.IntN(20) {
	case 0: // a template
		e.Client.Port, e.State, e.Protocol = 0, conn.None, conn.TCP
	case 1: // a name
		e.Client.Addr, e.Client.Host = netip.Addr{}, fmt.Sprintf("host%d.example", n)
	case 2:
		e.Client.Service = "a-name-of-the-port"
	}
	return e
}

func stateFor(r *rand.Rand, p conn.Protocol) conn.State {
	switch p {
	case conn.UDP:
		return conn.UDPState
	case conn.SCTP:
		return []conn.State{conn.Established, conn.Closed}[r.IntN(2)]
	}
	return []conn.State{conn.SynRecv, conn.Established, conn.FinWait, conn.Close}[r.IntN(4)]
}

// gathered are entries in several parts, as the workers of a reader make them, some of which are
// read twice.
func gathered(t *testing.T, r *rand.Rand, all []conn.Entry) *Entries {
	t.Helper()
	whole, part := NewEntries(), NewPart()
	var twice []bool
	merge := func() {
		whole.Merge(part, func(e *conn.Entry, isNew bool) {
			if isNew == twice[0] {
				t.Errorf("%+v is new: %v", e, isNew)
			}
			twice = twice[1:]
		})
		part.Reset()
	}
	for i := range all {
		part.Add(&all[i])
		twice = append(twice, false)
		again := all[r.IntN(i+1)]
		again.State, again.Expires = conn.FinWait, 1 // it has moved on
		if again.Client.Host == "" && again.Kind() == conn.Connection && r.IntN(10) == 0 {
			part.Add(&again)
			twice = append(twice, true)
		}
		if r.IntN(50) == 0 {
			merge()
		}
	}
	merge()
	return whole
}

// only has one entry.
func only(e *conn.Entry) *Entries {
	whole, part := NewEntries(), NewPart()
	part.Add(e)
	whole.Merge(part, func(*conn.Entry, bool) {})
	return whole
}

// TestDiffAgainstOracle makes pairs of listings by known moves, and counts them otherwise.
func TestDiffAgainstOracle(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 7))
		var before, after []conn.Entry
		moves := make(map[string]uint64)
		turnover := make(map[string]uint64)
		seconds := conn.Seconds(r.IntN(400))
		if seed%4 == 0 {
			seconds = conn.Unknown
		}
		kindOf := func(e *conn.Entry) string {
			if e.Kind() == conn.Connection {
				return "c "
			}
			return "t "
		}
		note := func(e *conn.Entry, text string) {
			if e.Kind() == conn.Connection {
				moves[text]++
			}
		}
		fresh := func(e conn.Entry) {
			after = append(after, e)
			turnover[kindOf(&e)+"new"]++
			note(&e, fmt.Sprintf("%s new %s", e.Protocol, e.State))
		}
		n := r.IntN(3000)
		for i := range n {
			e := madeEntry(r, i)
			switch r.IntN(4) {
			case 0: // gone
				before = append(before, e)
				fate := Removed
				closing := map[conn.Protocol]conn.Seconds{conn.TCP: 10, conn.SCTP: 4, conn.UDP: 300}[e.Protocol]
				switch {
				case seconds == conn.Unknown:
					fate = Unjudged
				case e.Expires <= seconds+2:
					fate = Expired
				case e.Kind() == conn.Connection && (closing > 0 && closing <= seconds+2 || e.State == conn.FinWait || e.State == conn.Close || e.State == conn.Closed):
					fate = Ended
				}
				turnover[kindOf(&e)+"gone"]++
				turnover[fmt.Sprint(kindOf(&e), "fate ", fate)]++
				note(&e, fmt.Sprintf("%s %s gone", e.Protocol, e.State))
			case 1:
				fresh(e)
			default:
				before = append(before, e)
				from := e.State
				if e.Kind() == conn.Connection && e.Protocol == conn.TCP {
					e.State = stateFor(r, e.Protocol)
				}
				e.Expires = conn.Seconds(r.IntN(900))
				e.Client.Service = "" // the same port, listed with -n
				after = append(after, e)
				turnover[kindOf(&e)+"same"]++
				note(&e, fmt.Sprintf("%s %s %s", e.Protocol, from, e.State))
			}
		}
		r.Shuffle(len(after), func(i, j int) { after[i], after[j] = after[j], after[i] })
		d := Compare(gathered(t, r, before), gathered(t, r, after), Between{Seconds: seconds, Whole: true, Timeouts: [2]conn.Timeouts{conn.DefaultTimeouts, conn.DefaultTimeouts}})

		got := make(map[string]uint64)
		for _, m := range d.Moves {
			from, to := m.From.String(), m.To.String()
			if m.New {
				from = "new"
			}
			if m.Gone {
				to = "gone"
			}
			got[fmt.Sprintf("%s %s %s", m.Protocol, from, to)] += m.Count
		}
		if !maps.Equal(got, moves) {
			t.Fatalf("seed %d: moves\n%v\nwant\n%v", seed, got, moves)
		}
		got = make(map[string]uint64)
		for kind, o := range map[string]Turnover{"c ": d.Connections, "t ": d.Templates} {
			if o.Before != o.Same+o.Gone || o.After != o.Same+o.New {
				t.Errorf("seed %d: %s%+v does not add up", seed, kind, o)
			}
			got[kind+"new"], got[kind+"gone"], got[kind+"same"] = o.New, o.Gone, o.Same
			for f, n := range o.Fates {
				got[fmt.Sprint(kind, "fate ", f)] = n
			}
		}
		maps.DeleteFunc(got, func(_ string, n uint64) bool { return n == 0 })
		if !maps.Equal(got, turnover) {
			t.Errorf("seed %d, %d s: turnover %v, want %v", seed, seconds, got, turnover)
		}
		checkChanges(t, d, before, after)
	}
}

// checkChanges counts groups with maps.
func checkChanges(t *testing.T, d *Diff, before, after []conn.Entry) {
	t.Helper()
	counts := map[string]map[string][2]uint64{"state": {}, "service": {}, "server": {}, "network": {}}
	for side, all := range [][]conn.Entry{before, after} {
		for i := range all {
			e := &all[i]
			if e.Kind() != conn.Connection {
				continue
			}
			network := e.Client.Host
			if e.Client.Addr.IsValid() {
				bits := 24
				if e.Client.Addr.Is6() {
					bits = 64
				}
				p, _ := e.Client.Addr.Prefix(bits)
				network = p.String()
			}
			for name, v := range map[string]string{"state": fmt.Sprint(e.Protocol, e.State), "service": fmt.Sprint(e.Protocol, e.Virtual), "server": fmt.Sprint(e.Server), "network": network} {
				c := counts[name][v]
				c[side]++
				counts[name][v] = c
			}
		}
	}
	text := map[string]func(v *tally.Value) string{
		"state": func(v *tally.Value) string { return fmt.Sprint(v.Protocol, v.State) }, "service": func(v *tally.Value) string { return fmt.Sprint(v.Protocol, v.Endpoint) },
		"server": func(v *tally.Value) string { return fmt.Sprint(v.Endpoint) },
		"network": func(v *tally.Value) string {
			if p, ok := v.Network(); ok {
				return p.String()
			}
			return v.Endpoint.Host
		},
	}
	for name, c := range map[string]Changes{"state": d.States, "service": d.Services, "server": d.Servers, "network": d.Networks} {
		got := make(map[string][2]uint64)
		for _, v := range c.All {
			got[text[name](&v.Value)] = [2]uint64{v.Before, v.After}
		}
		want := maps.Clone(counts[name])
		if name != "state" {
			maps.DeleteFunc(want, func(_ string, n [2]uint64) bool { return n[0] == n[1] })
		}
		if !maps.Equal(got, want) {
			t.Errorf("by %s: %v, want %v", name, got, want)
		}
		if !slices.IsSortedFunc(c.All, compareChanges) {
			t.Errorf("by %s: not in order", name)
		}
	}
}

// TestInvalidatedTemplates: kernels up to 7.0 show those of two services of one address as two equal
// rows, which are two entries; with its port kept one that is listed twice is one.
func TestInvalidatedTemplates(t *testing.T) {
	for port, want := range map[uint16]uint64{65535: 2, 443: 1} {
		all := NewEntries()
		part := NewPart()
		e := conn.Entry{Protocol: conn.TCP, State: conn.None, Expires: 50}
		address := netip.MustParseAddr("192.0.2.1")
		e.Client = conn.Endpoint{Addr: address, PortKnown: true}
		e.Virtual = conn.Endpoint{Addr: address, Port: port, PortKnown: true}
		e.Server = conn.Endpoint{Addr: address, Port: 65535, PortKnown: true}
		part.Add(&e)
		part.Add(&e)
		fresh := uint64(0)
		all.Merge(part, func(_ *conn.Entry, isNew bool) {
			if isNew {
				fresh++
			}
		})
		d := Compare(all, all, Between{Seconds: conn.Unknown})
		if fresh != want || d.Templates != (Turnover{Before: want, After: want, Same: want}) {
			t.Errorf("port %d: %d are new, %+v", port, fresh, d.Templates)
		}
	}
}

// TestTopChanges: what is cut off is added up.
func TestTopChanges(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 200 {
		all, kept, changes := keeper{}, keeper{n: 1 + r.IntN(6)}, r.IntN(30)
		switch round {
		case 0, 1, 2: // sorted meanwhile
			changes = 5 * spare
		case 3:
			kept.n = math.MaxInt
		}
		for i := range changes {
			c := Change{tally.Value{Fwmark: uint32(i), Marked: true}, r.Uint64N(20), r.Uint64N(20)}
			all.add(c)
			kept.add(c)
			if kept.n < 10 && len(kept.All) > 2*kept.n+spare {
				t.Fatalf("%d are kept to find %d", len(kept.All), kept.n)
			}
		}
		a, k := all.done(), kept.done()
		n := min(len(a.All), kept.n)
		if !slices.Equal(k.All, a.All[:n]) || k.Cut != len(a.All)-n {
			t.Fatalf("kept %v of %v", k, a)
		}
		var rest Change
		for _, c := range a.All[n:] {
			rest.Before += c.Before
			rest.After += c.After
		}
		if rest.Before != k.Rest.Before || rest.After != k.Rest.After {
			t.Errorf("the rest is %v, want %v", k.Rest, rest)
		}
	}
}

// TestManyChangesKept: keeping half of very many takes no time to speak of.
func TestManyChangesKept(t *testing.T) {
	begin := time.Now()
	k := keeper{n: 100_000}
	for i := range 200_000 {
		k.add(Change{tally.Value{Fwmark: uint32(i), Marked: true}, uint64(i), 0})
	}
	if c := k.done(); len(c.All) != k.n || c.Cut != k.n || c.All[0].Before != 199_999 {
		t.Errorf("%d kept, %d left out", len(c.All), c.Cut)
	}
	if d := time.Since(begin); d > 5*time.Second { // 0.2 s; with each put into its place minutes
		t.Errorf("it took %s", d)
	}
}

// TestFates: what can have ended an entry with more time left than has passed, by the timeouts before
// and after.
func TestFates(t *testing.T) {
	usual := conn.DefaultTimeouts
	with := func(set func(*conn.Timeouts)) conn.Timeouts {
		of := usual
		set(&of)
		return of
	}
	udp := with(func(t *conn.Timeouts) { t.UDP = 30 })
	fin := with(func(t *conn.Timeouts) { t.TCPFin = 3 })
	tcp := with(func(t *conn.Timeouts) { t.TCP = 5 })
	esp, _ := conn.ProtocolOf("IP_50")
	for _, tt := range []struct {
		name          string
		protocol      conn.Protocol
		state         conn.State
		left, seconds conn.Seconds
		before, after conn.Timeouts
		want          Fate
	}{
		{"a datagram", conn.UDP, conn.UDPState, 250, 60, usual, usual, Removed},
		{"UDP's timeout was lowered", conn.UDP, conn.UDPState, 250, 60, usual, udp, Ended},
		{"UDP's timeout was low", conn.UDP, conn.UDPState, 250, 60, udp, usual, Ended},
		{"UDP's timeout is not known", conn.UDP, conn.UDPState, 250, 60, conn.UnknownTimeouts, conn.UnknownTimeouts, Unjudged},
		{"a RST", conn.TCP, conn.Established, 890, 8, usual, usual, Ended},
		{"too short for a RST", conn.TCP, conn.Established, 890, 7, usual, usual, Removed},
		{"a FIN after which it has 3 s", conn.TCP, conn.Established, 890, 5, fin, fin, Ended},
		{"a FIN, by the timeouts after", conn.TCP, conn.Established, 890, 1, usual, fin, Ended},
		{"the timeout was lowered", conn.TCP, conn.Established, 890, 5, usual, tcp, Ended},
		{"a RST, the timeouts not known", conn.TCP, conn.Established, 890, 10, conn.UnknownTimeouts, conn.UnknownTimeouts, Ended},
		{"a FIN perhaps, the timeouts not known", conn.TCP, conn.Established, 890, 5, conn.UnknownTimeouts, usual, Unjudged},
		{"an association that is refused", conn.SCTP, stateOf("C-WAIT"), 50, 10, usual, usual, Ended},
		{"an association", conn.SCTP, conn.Established, 800, 1, usual, usual, Removed},
		{"reuse of a port", conn.TCP, conn.TimeWait, 100, 1, usual, usual, Ended},
		{"a protocol without known timeouts", esp, conn.None, 100, 10, usual, usual, Unjudged},
	} {
		b := Between{Seconds: tt.seconds, Whole: true, Timeouts: [2]conn.Timeouts{tt.before, tt.after}}
		if got := b.fate(&class{protocol: tt.protocol, state: tt.state, kind: conn.Connection}, tt.left); got != tt.want {
			t.Errorf("%s: fate %d, want %d", tt.name, got, tt.want)
		}
	}
}
