package parse

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// BenchmarkScan reads the rows of a busy director, in each format and with every
// field validated.
func BenchmarkScan(b *testing.B) {
	for name, row := range map[string]func(*rand.Rand) string{
		"ipvsadm": func(r *rand.Rand) string {
			return fmt.Sprintf("TCP %02d:%02d  %-11s %-18s %-18s 172.16.62.%d:8080\n", r.IntN(15), r.IntN(60), stateAtRandom(r),
				fmt.Sprintf("%d.%d.%d.%d:%d", 1+r.IntN(222), r.IntN(256), r.IntN(256), r.IntN(256), 1024+r.IntN(64512)),
				fmt.Sprintf("203.0.113.%d:443", r.IntN(20)), 1+r.IntN(200))
		},
		"ipvsadm-ipv6": func(r *rand.Rand) string {
			return fmt.Sprintf("TCP %02d:%02d  %-11s [2001:db8::%x:%x]:%d [2001:db8:1::64]:443 [2001:db8:2::%x]:8080\n", r.IntN(15), r.IntN(60),
				stateAtRandom(r), r.IntN(65536), r.IntN(65536), 1024+r.IntN(64512), r.IntN(200))
		},
		"ipvsadm-names": func(r *rand.Rand) string {
			return fmt.Sprintf("TCP %02d:%02d  %-11s client%d.example:%d vip:https          real%d:http-alt\n", r.IntN(15), r.IntN(60),
				stateAtRandom(r), r.IntN(1000), 1024+r.IntN(64512), r.IntN(200))
		},
		"proc": func(r *rand.Rand) string {
			return fmt.Sprintf("TCP %08X %04X CB0071%02X 01BB AC103E%02X 1F90 %-11s %7d\n", r.Uint32(), 1024+r.IntN(64512),
				r.IntN(20), 1+r.IntN(200), stateAtRandom(r), r.IntN(900))
		},
		"dpvs": func(r *rand.Rand) string {
			return fmt.Sprintf("[%d]tcp 90s    %-11s %-18s 203.0.113.5:443    10.10.127.71:%-5d 172.16.62.%d:8080\n", r.IntN(8), stateAtRandom(r),
				fmt.Sprintf("%d.%d.%d.%d:%d", 1+r.IntN(222), r.IntN(256), r.IntN(256), r.IntN(256), 1024+r.IntN(64512)), 1024+r.IntN(64512), 1+r.IntN(200))
		},
	} {
		b.Run(name, func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 2))
			var text []byte
			const rows = 20_000
			for range rows {
				text = append(text, row(r)...)
			}
			text = append(make([]byte, 0, len(text)+Pad), text...)
			var s Scanner
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			entries := 0
			for b.Loop() {
				for s.Reset(text); s.Scan(); {
					if s.Line().Kind != EntryLine {
						b.Fatalf("%q is no entry", s.Line().Text)
					}
					entries++
				}
			}
			b.ReportMetric(float64(entries)/b.Elapsed().Seconds(), "entries/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func stateAtRandom(r *rand.Rand) string {
	return [...]string{"ESTABLISHED", "FIN_WAIT", "TIME_WAIT", "SYN_RECV", "CLOSE"}[r.IntN(5)]
}
