package diagnose

import (
	"fmt"
	"strconv"
	"strings"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/services"
	"ipvsstate/internal/tally"
)

// What rules have in common: counts of the report and of the sample, and how a finding
// is put together.

var (
	byService = dimension("service")
	byClient  = dimension("client")
	byNetwork = dimension("client/24")
)

func dimension(name string) tally.Dimension {
	d, err := tally.DimensionOf(name)
	if err != nil {
		panic(err) // tally has lost an aspect
	}
	return d
}

// in is how many connections of a group are in one of the states.
func in(g *services.Group, states ...conn.State) (n uint64) {
	for _, s := range g.States {
		for _, want := range states {
			if s.State == want {
				n += s.Count
			}
		}
	}
	return n
}

// count counts the entries of the sample that are kept, scaled up to the table's.
func (f *Facts) count(by []tally.Dimension, keep func(*conn.Entry) bool) *tally.Groups {
	return f.Sample.Groups(&tally.Plan{By: by}, keep)
}

// rate is of how many entries one is in the sample.
func (f *Facts) rate() uint64 { return f.Sample.Rate() }

// method is the forwarding method of all servers of a service, unknown where they differ.
func method(v *services.Service) conn.Forwarding {
	m := conn.UnknownForwarding
	for i := range v.Servers {
		if i > 0 && v.Servers[i].Forwarding != m {
			return conn.UnknownForwarding
		}
		m = v.Servers[i].Forwarding
	}
	return m
}

// target is what a service's entries point at.
func target(v *conn.Service) conn.Target {
	return conn.Target{Protocol: v.Protocol, Virtual: v.Virtual.Identity(), Marked: v.Fwmark != 0, Fwmark: v.Fwmark, IPv6: v.IPv6}
}

func (f *Facts) sysctl(name string) uint64 {
	if f.Config == nil {
		return 0
	}
	n, err := strconv.ParseUint(f.Config.Sysctls[name], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func number(name string, n uint64) Fact       { return Fact{name, n} }
func text(name, s string) Fact                { return Fact{name, s} }
func span(name string, s conn.Seconds) Fact   { return Fact{name, s} }
func part(name string, n, of uint64) Fact     { return Fact{name, Share(float64(n) / float64(max(of, 1)))} }
func shareOf(name string, share float64) Fact { return Fact{name, Share(share)} }

// finding is a finding about so many entries, by numbers of the report.
func (f *Facts) finding(size uint64, facts ...Fact) Finding {
	return Finding{Facts: facts, Sampled: f.Sampled, size: size}
}

// sampledFinding is one by numbers of the sample.
func (f *Facts) sampledFinding(size uint64, facts ...Fact) Finding {
	return Finding{Facts: facts, Sampled: max(f.Sampled, f.rate()), size: size}
}

// run is the finding with the command to run next. Its arguments are quoted for a shell;
// one that has anything but an address's or a name's characters in it, which only a
// strange listing has, leaves the command out.
func (g Finding) run(format string, args ...string) Finding {
	quoted := make([]any, len(args))
	for i, a := range args {
		if a == "" { // a mark's, which its connections do not show
			g.Run = "ipvsstate services"
			return g
		}
		if strings.Trim(a, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.:/-_[]") != "" {
			return g
		}
		if strings.Contains(a, "[") {
			a = "'" + a + "'"
		}
		quoted[i] = a
	}
	g.Run = fmt.Sprintf(format, quoted...)
	return g
}

// endpoint is an endpoint as a filter takes it.
func endpoint(e conn.Endpoint) string {
	if e.PortKnown && e.Port == 0 {
		if e.Addr.IsValid() {
			return e.Addr.String()
		}
		return e.Host
	}
	return e.Identity().String()
}

// serviceFilter is a service as --virtual takes it, empty for a firewall mark's: its
// connections do not show the mark.
func serviceFilter(v *conn.Service) string {
	if v.Fwmark != 0 {
		return ""
	}
	return endpoint(v.Virtual)
}

// clientText is a client's address or network as text.
func clientText(v *tally.Value) string {
	p, ok := v.Network()
	switch {
	case !ok:
		return v.Endpoint.Host
	case p.IsSingleIP():
		return p.Addr().String()
	}
	return p.String()
}
