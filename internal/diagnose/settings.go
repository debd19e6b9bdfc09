package diagnose

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Settings are the thresholds by their names.
type Settings map[string]float64

// defaults are the thresholds as they come. Those named min are volumes, below which a
// share says nothing; the others are shares and ratios. Public advice with bare counts
// is mostly wrong, since one director's flood is another's lull.
var defaults = Settings{
	// Half-open entries last 60 s, handshakes milliseconds: on a server that answers they
	// are a few percent. With twenty of them one client's retries are no pile.
	"syn_recv.min":           20,
	"syn_recv.server_share":  0.5, // of a server's connections
	"syn_recv.healthy_share": 0.5, // below which another server does answer
	// A flood has many sources, while true clients still get through to some part.
	"flood.min":         200,
	"flood.share":       0.3,  // of a service's connections
	"flood.clients":     0.5,  // sources, of the half-open entries
	"flood.established": 0.02, // of a service's connections; with fewer nobody gets through
	"scan.share":        0.8,  // one network's, of a service's half-open entries
	// CLOSE lasts 10 s: a share of it is a far greater share of the connections made.
	"close.min":   20,
	"close.share": 0.3,
	// CLOSE_WAIT lasts 60 s after the client's FIN; servers that close answer at once.
	"close_wait.min":   50,
	"close_wait.share": 0.2,
	// Under NAT both FINs are seen, and TIME_WAIT follows within a round trip.
	"fin_wait.min":   100,
	"fin_wait.share": 0.5,
	// Connections whose end was not seen are spread evenly over the 15 minutes, a third of
	// them beyond ten: more than half are kept open by someone.
	"idle.min":        100,
	"idle.share":      0.5,
	"idle.soon_share": 0.2, // with no more than a minute left
	// What is over anyway, and a straggler or two of every deployment, are no matter.
	"gone.min":      5,
	"gone.share":    0.001, // of a service's entries
	"drained.share": 0.001,
	// Half the fair share is what production scripts alarm at; see also the test of chance.
	"uneven.min":   100,
	"uneven.ratio": 2,
	// A quarter of all is far from what one of many clients has.
	"client.min":    200,
	"client.share":  0.25,
	"network.share": 0.5,
	// Ten are enough that the service is not new or idle by chance.
	"silent.siblings": 1000,
	// A client's template outlives its connections by minutes to hours; ten times as many
	// is more than a matter of rhythm.
	"templates.min":   200,
	"templates.ratio": 10,
	"rearmed.min":     50,
	"rearmed.share":   0.5, // of a service's templates
	// After a takeover entries of the other director remain for their timeout.
	"sync.min":   100,
	"sync.share": 0.98,
	// Chains this long are walked by every packet of a new connection.
	"hash.load":      8,
	"conn_max.share": 0.8,
	// A state in transition, or a rule changed under live connections, leaves a few.
	"impossible.min":   20,
	"impossible.share": 0.05,
	// Of the 28,232 ports that Linux clients choose from.
	"port_reuse.share":  0.25,
	"listing.bad_share": 0.01,
}

// Defaults are the thresholds as they come.
func Defaults() Settings { return maps.Clone(defaults) }

// Names are the thresholds' names in alphabetical order.
func Names() []string { return slices.Sorted(maps.Keys(defaults)) }

// Set takes name=value.
func (s Settings) Set(text string) error {
	name, value, ok := strings.Cut(text, "=")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if _, known := defaults[name]; !ok || !known {
		return fmt.Errorf("%q is not NAME=NUMBER with the name of a threshold", text)
	}
	percent := strings.HasSuffix(value, "%")
	v, err := strconv.ParseFloat(strings.TrimSuffix(value, "%"), 64)
	if err != nil || !(v >= 0 && v <= 1e12) {
		return fmt.Errorf("%s: %q is not a number from 0 on", name, value)
	}
	if percent {
		v /= 100
	}
	s[name] = v
	return nil
}

// Read takes the lines of a file, name=value each; # begins a comment.
func (s Settings) Read(text string) error {
	n := 0
	for line := range strings.Lines(text) {
		n++
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if err := s.Set(line); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	return nil
}

func (f *Facts) at(name string) float64 {
	v, ok := f.settings[name]
	if !ok {
		panic("no threshold " + name)
	}
	return v
}

// enough reports that a count of the report is at least a threshold. Of a sample as many
// must be in it: one entry that stands for hundreds says nothing.
func (f *Facts) enough(n uint64, name string) bool { return f.volume(n/max(f.Sampled, 1), name) }

// enoughSampled is the same of a count of the sample.
func (f *Facts) enoughSampled(n uint64, name string) bool { return f.volume(n/f.rate(), name) }

// volume is the same of an exact count.
func (f *Facts) volume(n uint64, name string) bool { return n > 0 && float64(n) >= f.at(name) }

// much reports that a part of a whole is at least a threshold.
func (f *Facts) much(n, of uint64, name string) bool {
	return n > 0 && of > 0 && float64(n) >= f.at(name)*float64(of)
}
