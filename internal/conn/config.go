package conn

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
)

// Config is how a director is configured, as far as its source tells.
type Config struct {
	Services []Service
	// Timeouts is nil where they are not told.
	Timeouts *Timeouts
	// Sysctls are net.ipv4.vs.* without that prefix, as printed; nil where they are
	// not told.
	Sysctls map[string]string
	// Daemons are the sync daemons that run, nil where that is not told.
	Daemons []Daemon
	// Buckets is the size of the kernel's hash table, 0 where it is not told.
	Buckets uint64
}

// Daemon is a sync daemon (IPVS_CMD_GET_DAEMON, ipvsadm -L --daemon).
type Daemon struct {
	// Backup is one that receives entries; others are masters, which send them.
	Backup    bool
	Interface string
	SyncID    int
}

// WithoutCounters is a copy that has no counts of connections: what two readings of one
// director have in common. Of nil it is an empty configuration.
func (c *Config) WithoutCounters() *Config {
	if c == nil {
		return &Config{}
	}
	plain := *c
	plain.Services = slices.Clone(c.Services)
	for i := range plain.Services {
		servers := slices.Clone(plain.Services[i].Servers)
		for k := range servers {
			servers[k].Active, servers[k].Inactive, servers[k].Persistent = UnknownCount, UnknownCount, UnknownCount
		}
		plain.Services[i].Servers = servers
	}
	return &plain
}

// Contradicts reports that two configurations, each nil where it is not told, tell
// different services or real servers: that they are of two directors, or of two times.
func (c *Config) Contradicts(o *Config) bool {
	if c == nil || o == nil || c.Services == nil || o.Services == nil {
		return false
	}
	return !maps.Equal(c.servers(), o.servers())
}

// servers are the real servers by service; a service without has one that is zero.
func (c *Config) servers() map[Target]bool {
	all := make(map[Target]bool)
	for i := range c.Services {
		v := &c.Services[i]
		t := Target{Protocol: v.Protocol, Virtual: v.Virtual.Identity(), Marked: v.Fwmark != 0, Fwmark: v.Fwmark, IPv6: v.IPv6 && v.Fwmark != 0}
		all[t] = true
		for k := range v.Servers {
			t.Server = v.Servers[k].Address.Identity()
			all[t] = true
		}
	}
	return all
}

// Common is what two directors' configurations, each nil where it is not told, have in
// common: of one director all but its counters. Where one does not tell its timeouts
// they are taken to be the kernel's defaults.
func Common(a, b *Config) *Config {
	if a == nil && b == nil {
		return nil
	}
	a, b = a.WithoutCounters(), b.WithoutCounters()
	if reflect.DeepEqual(a, b) {
		return a
	}
	c := &Config{Timeouts: a.Timeouts}
	switch x, y := a.timeouts(), b.timeouts(); {
	case x != y:
		unknown := UnknownTimeouts
		c.Timeouts = &unknown
	case a.Timeouts == nil:
		c.Timeouts = b.Timeouts
	}
	return c
}

func (c *Config) timeouts() Timeouts {
	if c.Timeouts == nil {
		return DefaultTimeouts
	}
	return *c.Timeouts
}

// UnknownCount is a number that a source does not tell: `ipvsadm -S` has no
// counters, `--stats` no weights.
const UnknownCount = -1

// Service is a virtual service as it is configured.
type Service struct {
	// Protocol and Virtual are zero for a firewall-mark service.
	Protocol Protocol
	Virtual  Endpoint
	// Fwmark is the firewall mark, 0 for a service with an address.
	Fwmark uint32
	// IPv6 tells the families of two services of one mark apart.
	IPv6 bool
	// Scheduler and SchedulerFlags are as ipvsadm prints them; empty where not told.
	Scheduler, SchedulerFlags string
	// Persistent is the persistence timeout, 0 for a service without, Unknown where
	// not told.
	Persistent Seconds
	// Mask is how many bits of a client's address persistence goes by; 0 is all.
	Mask      int
	OnePacket bool
	// PEName is the persistence engine, which moby/ipvs does not read.
	PEName  string
	Servers []Server
}

// Name is the service as ipvsadm names it; with the text of its input.
func (s *Service) Name() string {
	switch {
	case s.Fwmark != 0 && s.IPv6:
		return fmt.Sprintf("FWM %d IPv6", s.Fwmark)
	case s.Fwmark != 0:
		return fmt.Sprintf("FWM %d", s.Fwmark)
	}
	return s.Protocol.String() + " " + s.Virtual.String()
}

// Server is a real server of a service. Counts that are not told are UnknownCount.
type Server struct {
	Address    Endpoint
	Forwarding Forwarding
	// Weight is cut to 16 bits where moby/ipvs read it.
	Weight int
	// Active and Inactive are the kernel's own counts of the server's connections,
	// Persistent that of its templates.
	Active, Inactive, Persistent int
}

// Forwarding is a forwarding method (IP_VS_CONN_F_FWD_MASK in linux/ip_vs.h).
type Forwarding uint8

// The forwarding methods, in the kernel's numbers.
const (
	Masquerade Forwarding = iota
	LocalNode
	Tunnel
	DirectRoute
	Bypass
	// FullNAT is DPVS's and Alibaba LVS's: addresses are translated both ways.
	FullNAT
	// UnknownForwarding is a method the source does not tell.
	UnknownForwarding Forwarding = 0xff
)

var forwardingNames = [...]string{"Masq", "Local", "Tunnel", "Route", "Bypass", "FullNat"}

// String is the method as ipvsadm prints it, empty where it is unknown.
func (f Forwarding) String() string {
	switch {
	case int(f) < len(forwardingNames):
		return forwardingNames[f]
	case f == UnknownForwarding:
		return ""
	}
	return strconv.Itoa(int(f))
}

// ForwardingOf is the method of that name.
func ForwardingOf(name string) (Forwarding, bool) {
	for f, n := range forwardingNames {
		if n == name {
			return Forwarding(f), true
		}
	}
	return UnknownForwarding, false
}
