package conn

import "net/netip"

// Directory finds the service and the real server that entries belong to.
type Directory struct {
	services  []Service
	byVirtual map[virtualKey]int
	byMark    map[markKey]int
	marks     []int // the services of firewall marks
	servers   map[serverKey][]int
	byName    map[int]bool // services that have a server with a name
	named     []int        // the services whose address or port is a name
}

type virtualKey struct {
	protocol Protocol
	virtual  Endpoint
}

// serverKey finds the servers of a service that have an address: one for each port.
type serverKey struct {
	service int
	addr    netip.Addr
	host    string
}

type markKey struct {
	mark uint32
	ipv6 bool
}

// NewDirectory makes the directory of a director's services; nil is not known.
func NewDirectory(services []Service) *Directory {
	d := &Directory{services: services, byVirtual: make(map[virtualKey]int), byMark: make(map[markKey]int), servers: make(map[serverKey][]int), byName: make(map[int]bool)}
	for i := range services {
		for k := range services[i].Servers {
			s := &services[i].Servers[k].Address
			key := serverKey{i, s.Addr, s.Host}
			d.servers[key] = append(d.servers[key], k)
			if !s.Addr.IsValid() {
				d.byName[i] = true
			}
		}
		if v := &services[i]; v.Fwmark != 0 {
			d.byMark[markKey{v.Fwmark, v.IPv6}] = i
			d.marks = append(d.marks, i)
		} else {
			d.byVirtual[virtualKey{v.Protocol, v.Virtual.Identity()}] = i
			if !v.Virtual.Addr.IsValid() || !v.Virtual.PortKnown {
				d.named = append(d.named, i)
			}
		}
	}
	return d
}

// Whether says whether what an entry points at is configured.
type Whether uint8

const (
	// NotTold means that it cannot be told: the services are not known, or an endpoint
	// is a name, which listings cut at different lengths.
	NotTold Whether = iota
	// Present means that the real server is one of the service's.
	Present
	// ServerGone means that the service has no such real server.
	ServerGone
	// ServiceGone means that there is no such service, and no firewall mark's has the
	// real server.
	ServiceGone
)

// Place is where an entry belongs. Service and Server are indices into the services
// and their servers, -1 where there is none or it may be one of several.
type Place struct {
	Whether         Whether
	Service, Server int
}

// Target is what an entry points at.
type Target struct {
	Protocol        Protocol
	Virtual, Server Endpoint
	// Template says that it is a template: of a firewall mark's service only marked ones are.
	Template bool
	// Marked says that it is a firewall mark's template, Fwmark and IPv6 whose.
	Marked bool
	Fwmark uint32
	IPv6   bool
}

// TargetOf is what the entry points at; ok is false for an invalidated template,
// which no longer says it.
func TargetOf(e *Entry) (t Target, ok bool) {
	kind := e.Kind()
	t = Target{Protocol: e.Protocol, Virtual: e.Virtual, Server: e.Server, Template: kind != Connection}
	switch kind {
	case StaleTemplate:
		return t, false
	case FwmarkTemplate:
		t.Fwmark, t.Marked = e.Fwmark()
		t.IPv6 = e.Virtual.Addr.Is6()
	}
	return t, true
}

// ftp is the port of the service whose data connections have other ports (ip_vs_ftp).
const ftp = 21

// Find finds the service and real server of a target. A connection of a firewall
// mark's service does not show the mark: it is the one whose service has the real
// server, if no service has its address. Where one has, and lacks the server, or is FTP's
// and has it too, it cannot be told which it is of. Nor can it be told
// that a service is gone where one that has a name may be it.
func (d *Directory) Find(t *Target) Place {
	none := Place{NotTold, -1, -1}
	if d.services == nil {
		return none
	}
	if t.Marked {
		i, ok := d.byMark[markKey{t.Fwmark, t.IPv6}]
		if !ok {
			return Place{ServiceGone, -1, -1}
		}
		return d.within(i, t, false)
	}
	anyPort := Endpoint{Addr: t.Virtual.Addr, Host: t.Virtual.Host, PortKnown: true}
	gone := Place{ServiceGone, -1, -1}
	for _, v := range [...]struct {
		virtual  Endpoint
		addrOnly bool
	}{{t.Virtual.Identity(), false}, {anyPort, false}, {Endpoint{Addr: t.Virtual.Addr, Host: t.Virtual.Host, Port: ftp, PortKnown: true}, true}} {
		i, ok := d.byVirtual[virtualKey{t.Protocol, v.virtual}]
		if !ok {
			continue
		}
		p := d.within(i, t, v.addrOnly)
		if p.Whether == Present && v.addrOnly && d.ofMark(t).Whether == Present {
			return none
		}
		if p.Whether == Present || p.Whether == NotTold {
			return p
		}
		if !v.addrOnly && gone.Whether == ServiceGone {
			gone = p
		}
	}
	if place := d.ofMark(t); place.Whether == Present {
		if gone.Whether == ServerGone {
			return none
		}
		return place
	}
	if !t.Virtual.Addr.IsValid() || !t.Server.Addr.IsValid() || !t.Server.PortKnown || gone.Whether == ServiceGone && d.mayBeNamed(t) {
		return none
	}
	return gone
}

// mayBeNamed reports a service with a name for its address or port that may be the
// target's.
func (d *Directory) mayBeNamed(t *Target) bool {
	for _, i := range d.named {
		v := &d.services[i]
		addr := !v.Virtual.Addr.IsValid() || v.Virtual.Addr == t.Virtual.Addr
		port := !v.Virtual.PortKnown || !t.Virtual.PortKnown || v.Virtual.Port == t.Virtual.Port || v.Virtual.Port == 0 || v.Virtual.Port == ftp
		if v.Protocol == t.Protocol && addr && port {
			return true
		}
	}
	return false
}

// ofMark is where a connection belongs if it is of a firewall mark's service: Present
// where one or several of them have its real server.
func (d *Directory) ofMark(t *Target) Place {
	place := Place{NotTold, -1, -1}
	for _, i := range d.marks {
		if t.Template || d.services[i].IPv6 != t.Virtual.Addr.Is6() {
			continue
		}
		if p := d.within(i, t, false); p.Whether == Present {
			if place.Whether == Present {
				p.Service, p.Server = -1, -1
			}
			place = p
		}
	}
	return place
}

// within looks for the target's real server in a service.
func (d *Directory) within(service int, t *Target, addrOnly bool) Place {
	v := &d.services[service]
	for _, i := range d.servers[serverKey{service, t.Server.Addr, t.Server.Host}] {
		if addrOnly || v.hasPort(&v.Servers[i].Address, t) {
			return Place{Present, service, i}
		}
	}
	if d.byName[service] || !t.Server.Addr.IsValid() || !t.Server.PortKnown {
		return Place{NotTold, service, -1}
	}
	return Place{ServerGone, service, -1}
}

// hasPort reports that an entry of the service on one of its real servers can have the
// target's port: the server's; but of a mark's or an all ports' service
// also the one that the client chose, and in a template none (ip_vs_schedule and
// ip_vs_sched_persist).
func (s *Service) hasPort(server *Endpoint, t *Target) bool {
	if server.Identity() == t.Server.Identity() {
		return true
	}
	anyPort := s.Fwmark != 0 || s.Virtual.PortKnown && s.Virtual.Port == 0
	return anyPort && t.Server.PortKnown && (t.Server.Port == 0 || t.Server.Port == t.Virtual.Port)
}

// Forwarding is the forwarding method of an entry, as far as it can be told.
func (d *Directory) Forwarding(e *Entry) Forwarding {
	t, ok := TargetOf(e)
	if !ok {
		return UnknownForwarding
	}
	if p := d.Find(&t); p.Server >= 0 {
		return d.services[p.Service].Servers[p.Server].Forwarding
	}
	return UnknownForwarding
}
