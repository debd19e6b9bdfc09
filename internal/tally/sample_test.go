package tally

import (
	"math"
	"net/netip"
	"testing"

	"ipvsstate/internal/conn"
)

// sampleOf puts a table of n entries through samples as a reading does: parts, some of
// them one after the other in the same sample, merged in order.
func sampleOf(t *testing.T, plan *SamplePlan, n, part int) *Sample {
	t.Helper()
	whole := New(Options{Sample: plan})
	parts := []*Tally{New(Options{Sample: plan}), New(Options{Sample: plan})}
	for at := 0; at < n; at += part {
		p := parts[at/part%2]
		p.Reset()
		for i := at; i < min(at+part, n); i++ {
			state := conn.Established
			if i%4 == 0 {
				state = conn.SynRecv
			}
			e := conn.Entry{Protocol: conn.TCP, State: state, Client: at4(uint32(i)*7919, uint16(i*31+1024)), Virtual: at4(1, 80), Server: at4(uint32(i%10), 80), Expires: 10, Timeout: conn.Unknown}
			p.Add(&e)
		}
		whole.Merge(p)
	}
	return whole.Sample()
}

func at4(a uint32, port uint16) conn.Endpoint {
	return conn.Endpoint{Addr: netip.AddrFrom4([4]byte{byte(a >> 24), byte(a >> 16), byte(a >> 8), byte(a)}), Port: port, PortKnown: true}
}

// TestSample: of a small table it is all; of a large one it is of the promised size, and
// tells the table's numbers to within what chance allows.
func TestSample(t *testing.T) {
	const most = 4096
	for _, n := range []int{0, 1, 100, 3300, most, most + 1, 10_000, 100_000, 3_000_000} {
		for _, part := range []int{7, 500, 3300} {
			if n/part > 50_000 {
				continue
			}
			s := sampleOf(t, NewSamplePlan(most, 0), n, part)
			if n <= most {
				if s.Len() != n || s.Rate() != 1 {
					t.Errorf("%d entries in parts of %d: %d in the sample, one of %d", n, part, s.Len(), s.Rate())
				}
				continue
			}
			if s.Len() > most || s.Len() < most/3 {
				t.Errorf("%d entries in parts of %d: %d in the sample", n, part, s.Len())
			}
			d, _ := DimensionOf("state")
			g := s.Groups(&Plan{By: []Dimension{d}}, nil)
			for group := range g.All {
				want := 0.75
				if group.Values[0].State == conn.SynRecv {
					want = 0.25
				}
				got := float64(group.Connections) / float64(n)
				if math.Abs(got-want) > 5*math.Sqrt(want/float64(s.Len())) {
					t.Errorf("%d entries in parts of %d: %s is %.3f, want %.3f (%d of them in the sample)", n, part, group.Values[0].State, got, want, s.Len())
				}
			}
		}
	}
}

// TestSampleAgain: the same table has the same sample, however far the parts have come
// when they begin; and a size that is known beforehand changes little.
func TestSampleAgain(t *testing.T) {
	a, b := sampleOf(t, NewSamplePlan(1000, 0), 200_000, 3000), sampleOf(t, NewSamplePlan(1000, 0), 200_000, 3000)
	if a.Len() != b.Len() || a.Rate() != b.Rate() {
		t.Errorf("%d of one in %d, then %d of one in %d", a.Len(), a.Rate(), b.Len(), b.Rate())
	}
	for i := range a.rows {
		if a.rows[i] != b.rows[i] {
			t.Fatalf("row %d differs", i)
		}
	}
	if c := sampleOf(t, NewSamplePlan(1000, 200_000*80), 200_000, 3000); c.Len() < 200 || c.Len() > 1000 {
		t.Errorf("%d in the sample of a file of known size", c.Len())
	}
}
