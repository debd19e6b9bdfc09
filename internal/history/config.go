package history

import (
	"fmt"
	"maps"
	"slices"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/parse"
)

// ConfigPart is a part of a director's configuration.
type ConfigPart string

// The parts, as programs read them.
const (
	ServicePart  ConfigPart = "service"
	ServerPart   ConfigPart = "server"
	TimeoutsPart ConfigPart = "timeouts"
	DaemonPart   ConfigPart = "daemon"
	SysctlPart   ConfigPart = "sysctl"
)

// ConfigChange is a part of a configuration that two listings tell differently. Its texts
// are the inputs'.
type ConfigChange struct {
	What ConfigPart
	// Name is the service's, as ipvsadm writes it, or the setting's; Server is a real
	// server of the service.
	Name, Server string
	// Before and After are what it is: a service's scheduler and flags, a server's
	// forwarding method and weight, a setting's value. Empty is what is not there.
	Before, After string
}

// CompareConfigs compares what two listings tell of their director's configuration; each is
// nil where it tells nothing. What only one of them tells is no change, and told is false
// if nothing could be compared.
func CompareConfigs(before, after *conn.Config) (all []ConfigChange, told bool) {
	if before == nil || after == nil {
		return nil, false
	}
	differ := func(what ConfigPart, name, server, a, b string) {
		if a != b {
			all = append(all, ConfigChange{what, name, server, a, b})
		}
	}
	if before.Services != nil && after.Services != nil && named(before) == named(after) {
		told = true
		all = compareServices(before.Services, after.Services)
	}
	if a, b := before.Timeouts, after.Timeouts; a != nil && b != nil && *a != conn.UnknownTimeouts && *b != conn.UnknownTimeouts {
		told = true
		differ(TimeoutsPart, "Timeout (tcp tcpfin udp)", "", timeoutsText(a), timeoutsText(b))
	}
	if before.Daemons != nil && after.Daemons != nil {
		told = true
		for _, backup := range []bool{false, true} {
			differ(DaemonPart, map[bool]string{false: "master sync daemon", true: "backup sync daemon"}[backup], "",
				daemonText(before.Daemons, backup), daemonText(after.Daemons, backup))
		}
	}
	if before.Sysctls != nil && after.Sysctls != nil {
		told = true
		for _, name := range slices.Sorted(maps.Keys(before.Sysctls)) {
			if value, ok := after.Sysctls[name]; ok {
				differ(SysctlPart, "net.ipv4.vs."+name, "", before.Sysctls[name], value)
			}
		}
	}
	return all, told
}

// named reports a configuration with hosts' names (ipvsadm -L without -n).
func named(c *conn.Config) bool {
	return slices.ContainsFunc(c.Services, func(v conn.Service) bool {
		return v.Virtual.Host != "" || slices.ContainsFunc(v.Servers, func(s conn.Server) bool { return s.Address.Host != "" })
	})
}

// serviceKey is equal for one service in two listings.
type serviceKey struct {
	protocol conn.Protocol
	virtual  conn.Endpoint
	fwmark   uint32
	ipv6     bool
}

func serviceKeyOf(v *conn.Service) serviceKey {
	return serviceKey{v.Protocol, v.Virtual.Identity(), v.Fwmark, v.IPv6 && v.Fwmark != 0}
}

// compareServices goes through both in their order; of a service that only one has, its
// servers are not named.
func compareServices(before, after []conn.Service) (all []ConfigChange) {
	later := make(map[serviceKey]*conn.Service, len(after))
	for i := range after {
		later[serviceKeyOf(&after[i])] = &after[i]
	}
	for i := range before {
		a := &before[i]
		b, ok := later[serviceKeyOf(a)]
		if !ok {
			all = append(all, ConfigChange{What: ServicePart, Name: a.Name(), Before: serviceText(a)})
			continue
		}
		delete(later, serviceKeyOf(a))
		if x, y := *a, *b; x.PEName == "" || y.PEName == "" { // netlink's reader has no engines
			x.PEName, y.PEName = "", ""
			a, b = &x, &y
		}
		known := a.Scheduler != "" && b.Scheduler != "" && a.Persistent != conn.Unknown && b.Persistent != conn.Unknown
		if x, y := serviceText(a), serviceText(b); known && x != y {
			all = append(all, ConfigChange{What: ServicePart, Name: a.Name(), Before: x, After: y})
		}
		all = append(all, compareServers(a, b)...)
	}
	for i := range after {
		if v := &after[i]; later[serviceKeyOf(v)] == v {
			all = append(all, ConfigChange{What: ServicePart, Name: v.Name(), After: serviceText(v)})
		}
	}
	return all
}

func compareServers(a, b *conn.Service) (all []ConfigChange) {
	later := make(map[conn.Endpoint]*conn.Server, len(b.Servers))
	for i := range b.Servers {
		later[b.Servers[i].Address.Identity()] = &b.Servers[i]
	}
	add := func(s *conn.Server, before, after string) {
		all = append(all, ConfigChange{ServerPart, a.Name(), s.Address.String(), before, after})
	}
	for i := range a.Servers {
		s := &a.Servers[i]
		o, ok := later[s.Address.Identity()]
		if !ok {
			add(s, serverText(s), "")
			continue
		}
		delete(later, s.Address.Identity())
		told := s.Weight != conn.UnknownCount && o.Weight != conn.UnknownCount
		// Netlink's reader cuts weights to 16 bits.
		method := s.Forwarding != conn.UnknownForwarding && o.Forwarding != conn.UnknownForwarding
		if told && (s.Weight-o.Weight)&0xffff != 0 || method && s.Forwarding != o.Forwarding {
			add(s, serverText(s), serverText(o))
		}
	}
	for i := range b.Servers {
		if s := &b.Servers[i]; later[s.Address.Identity()] == s {
			add(s, "", serverText(s))
		}
	}
	return all
}

// serviceText is never empty: a service whose scheduler is not told has a dash.
func serviceText(v *conn.Service) string {
	if v.Scheduler == "" {
		return "-"
	}
	return parse.ServiceText(v)
}

func serverText(s *conn.Server) string {
	text := s.Forwarding.String()
	if text == "" {
		text = "-"
	}
	if s.Weight != conn.UnknownCount {
		text += fmt.Sprintf(" %d", s.Weight)
	}
	return text
}

func timeoutsText(t *conn.Timeouts) string { return fmt.Sprintf("%d %d %d", t.TCP, t.TCPFin, t.UDP) }

func daemonText(all []conn.Daemon, backup bool) string {
	for _, d := range all {
		if d.Backup == backup {
			return fmt.Sprintf("mcast=%s, syncid=%d", d.Interface, d.SyncID)
		}
	}
	return ""
}
