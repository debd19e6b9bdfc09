package filter

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"ipvsstate/internal/conn"
)

// BenchmarkMatch asks the entries of a busy director, of which about a half are chosen
// unless the name says otherwise.
func BenchmarkMatch(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	entries := make([]conn.Entry, 256)
	states := []conn.State{conn.Established, conn.FinWait, conn.SynRecv, conn.None}
	for i := range entries {
		entries[i] = conn.Entry{
			Protocol: conn.TCP, State: states[r.IntN(len(states))], Expires: conn.Seconds(r.IntN(110)), Timeout: conn.Unknown,
			Client:  conn.Endpoint{Addr: netip.AddrFrom4([4]byte{byte(10 + r.IntN(2)), byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())}), Port: uint16(1024 + r.IntN(60000)), PortKnown: true},
			Virtual: conn.Endpoint{Addr: netip.AddrFrom4([4]byte{203, 0, 113, byte(r.IntN(2))}), Port: 443, PortKnown: true},
			Server:  conn.Endpoint{Addr: netip.AddrFrom4([4]byte{172, 16, 62, byte(r.IntN(2))}), Port: 8080, PortKnown: true},
		}
	}
	for _, bench := range []struct {
		name  string
		terms []Term
	}{
		{"nothing", nil},
		{"state", []Term{{State, "FIN*,SYN_*", false}}},
		{"state-not", []Term{{State, "FIN*,SYN_*", true}}},
		{"client-network", []Term{{Client, "10.0.0.0/8", false}}},
		{"client-all", []Term{{Client, "8.0.0.0/5", false}}},
		{"server-all", []Term{{Server, "172.16.62.0/24:8080", false}}},
		{"client-ipv6", []Term{{Client, "2001:db8::/32", true}}},
		{"client-16-networks", []Term{{Client, networks(16), false}}},
		{"server", []Term{{Server, "172.16.62.1:8080", false}}},
		{"server-service", []Term{{Server, "172.16.62.1:http-alt", false}}},
		{"port", []Term{{Port, "80,443,8000-8100", false}}},
		{"origin", []Term{{Origin, "local", true}}},
		{"family", []Term{{Family, "4", false}}},
		{"templates", []Term{{Templates, "no", false}}},
		{"expires", []Term{{Expires, "<55", false}}},
		{"idle", []Term{{Idle, ">30s", false}}},
		{"idle-between", []Term{{Idle, ">30s", false}, {Idle, "<80s", false}}},
		{"combination", []Term{{State, "EST*,FIN*", false}, {Client, "10.0.0.0/8", false}, {Virtual, "203.0.113.1:443", false}, {Idle, ">30s", false}}},
		{"combination-all", []Term{{State, "*", false}, {Client, "8.0.0.0/5", false}, {Virtual, "203.0.113.0/24:443", false}, {Idle, "<=900,>900", false}}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			f, err := New(bench.terms)
			if err != nil {
				b.Fatal(err)
			}
			f.SetTiming(conn.NewTiming(conn.DefaultTimeouts, nil))
			b.ReportAllocs()
			chosen, i := 0, 0
			for b.Loop() {
				if f.Match(&entries[i%len(entries)]) {
					chosen++
				}
				i++
			}
			b.ReportMetric(100*float64(chosen)/float64(i), "%chosen")
		})
	}
}

// networks is a list of so many; the last one has half of the clients.
func networks(n int) string {
	text := ""
	for i := range n - 1 {
		text += fmt.Sprintf("192.168.%d.0/24,", i)
	}
	return text + "10.0.0.0/8"
}
