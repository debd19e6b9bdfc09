package conn

import (
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
