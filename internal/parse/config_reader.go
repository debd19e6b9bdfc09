package parse

import (
	"bytes"
	"slices"

	"ipvsstate/internal/conn"
)

// unknownServer is a server of which nothing is told.
var unknownServer = conn.Server{
	Forwarding: conn.UnknownForwarding,
	Weight:     conn.UnknownCount, Active: conn.UnknownCount, Inactive: conn.UnknownCount, Persistent: conn.UnknownCount,
}

// ConfigReader gathers a configuration from the config lines of one or more listings
// of a director, in their order. What several tell is merged: what one leaves unknown
// another fills in, and where two differ the later holds. What a listing lacks that an
// earlier one of the same columns had was removed between them. The zero value is empty.
type ConfigReader struct {
	config   conn.Config
	services map[serviceKey]place
	servers  map[serverKey]place
	misread  int

	listing  int             // counts titles
	kinds    map[string]bool // the titles there have been
	newest   int             // the last listing of a kind that there was before: what it lacks is there no more
	weights  bool            // of four numbers the first two are weight and templates
	hex      bool            // the listing is /proc/net/ip_vs
	service  int             // the service that servers belong to, plus one; 0 for none
	deferred *conn.Service   // one whose family its first server shows
}

type serviceKey struct {
	protocol conn.Protocol
	virtual  conn.Endpoint
	mark     uint32
	ipv6     bool // of marks
}

type serverKey struct {
	service int
	address conn.Endpoint
}

// place is where a service or server is, and the listing it was last in.
type place struct{ index, listing int }

// Config is what the lines so far tell, nil if they tell nothing: the titles that
// services are listed under tell that there may be none.
// It is the reader's until the next Line.
func (r *ConfigReader) Config() *conn.Config {
	r.settle()
	if r.config.Services == nil && r.config.Timeouts == nil && r.config.Sysctls == nil && r.config.Daemons == nil {
		return nil
	}
	if r.newest == 0 {
		return &r.config
	}
	c := r.config
	c.Services = r.present()
	return &c
}

// present are the services and servers that have been listed since the newest listing
// began.
func (r *ConfigReader) present() []conn.Service {
	all := []conn.Service{}
	for i, v := range r.config.Services {
		if r.services[keyOf(&v)].listing < r.newest {
			continue
		}
		v.Servers = slices.DeleteFunc(slices.Clone(v.Servers), func(s conn.Server) bool {
			return r.servers[serverKey{i + 1, s.Address.Identity()}].listing < r.newest
		})
		all = append(all, v)
	}
	return all
}

// Misread is how many lines could not be made sense of: a service without an address,
// one whose cut name stands for several, and the servers of these.
func (r *ConfigReader) Misread() int { return r.misread }

// Line takes the text of the next ConfigTitleLine or ConfigLine.
func (r *ConfigReader) Line(text []byte) {
	at, kind := findConfig(text)
	text = text[at:]
	if kind != serverLine {
		r.settle()
		r.service = 0
	}
	ok := kind != notConfig
	switch kind {
	case titlesLine:
		r.titles(text)
	case serviceLine:
		ok = r.serviceLine(bytes.Fields(text))
	case serverLine:
		ok = r.serverLine(bytes.Fields(text[len(arrow):]))
	case ruleLine:
		r.rule(bytes.Fields(text))
	case timeoutLine:
		t, _ := readTimeouts(text)
		r.config.Timeouts = &t
	case versionLine:
		r.version(text)
	case daemonLine:
		d, _ := readDaemon(text)
		if !slices.Contains(r.config.Daemons, d) {
			r.config.Daemons = append(r.config.Daemons, d)
		}
	case sysctlLine:
		name, value, _ := readSysctl(text)
		if r.config.Sysctls == nil {
			r.config.Sysctls = make(map[string]string)
		}
		r.config.Sysctls[name] = value
	}
	if !ok {
		r.misread++
	}
}

// version reads `IP Virtual Server version 1.2.1 (size=4096)`.
func (r *ConfigReader) version(text []byte) {
	r.listing++
	_, size, _ := bytes.Cut(text, []byte("(size="))
	digits, _, _ := bytes.Cut(size, []byte(")"))
	if n := count(digits); n > 0 {
		r.config.Buckets = uint64(n)
	}
}

// titles keeps which numbers follow. The kernel's titles are ipvsadm's without the
// column's blanks.
func (r *ConfigReader) titles(text []byte) {
	if bytes.HasPrefix(text, serversText) {
		r.hex = bytes.HasPrefix(text[len(serversText):], []byte(" Forward"))
		return
	}
	if r.config.Services == nil {
		r.config.Services = []conn.Service{} // they are listed, though there may be none
	}
	r.listing++
	if r.kinds == nil {
		r.kinds = make(map[string]bool)
	}
	if kind := string(bytes.TrimSpace(text)); r.kinds[kind] {
		r.newest = r.listing
	} else {
		r.kinds[kind] = true
	}
	r.weights = bytes.Contains(text, []byte("PersistConn"))
	r.hex = false
}

// told is how much a line tells of a service: that it exists; the kernel's file, which
// lacks the scheduler's flags and the persistence engine; all there is.
type told uint8

const (
	toldNothing told = iota
	toldKernel
	toldAll
)

func (r *ConfigReader) serviceLine(w [][]byte) bool {
	v := conn.Service{Persistent: conn.Unknown}
	proto, address, rest := string(w[0]), w[1], w[2:]
	t, ok := toldAll, false
	switch proto {
	case "MATCH": // has no address
		return false
	case "FWM":
		var hex bool
		if v.Fwmark, hex, ok = readMark(address, r.hex || hasProcMask(rest)); hex {
			t = toldKernel
		}
		if v.IPv6 = len(rest) > 0 && string(rest[0]) == "IPv6"; v.IPv6 {
			rest = rest[1:]
		}
	default:
		v.Protocol, _ = conn.ProtocolOf(proto)
		v.IPv6 = isIPv6(address)
		if v.Virtual, ok = readEndpoint(address, v.Protocol, cutAt(v.IPv6), &r.hex); r.hex {
			t = toldKernel
		}
	}
	switch {
	case !ok || r.doubtful(r.services[keyOf(&v)], v.Virtual) && v.Fwmark == 0:
		return false
	case len(rest) == 0 || statistics(rest):
		r.open(&v, toldNothing)
		return true
	case !readFlags(&v, rest):
		return false
	case t == toldKernel && v.Fwmark != 0 && !hasProcMask(rest):
		r.deferred = &v
		return true
	}
	r.open(&v, t)
	return true
}

// doubtful reports an endpoint that has stood in this listing already, and may be
// another's: names can be cut to the same text, and be those of several addresses.
func (r *ConfigReader) doubtful(p place, e conn.Endpoint) bool {
	return p != place{} && p.listing == r.listing && (e.Host != "" || !e.PortKnown)
}

// hasProcMask reports `persistent 90000 FFFFFFFF`, the kernel's file's.
func hasProcMask(w [][]byte) bool {
	if len(w) < 4 {
		return false
	}
	_, _, ok := readProcMask(w[len(w)-1])
	return ok && string(w[len(w)-3]) == "persistent"
}

// readFlags reads the scheduler and what follows it. Words that are not known are
// passed over.
func readFlags(v *conn.Service, w [][]byte) (ok bool) {
	v.Scheduler, v.Persistent, ok = string(w[0]), 0, true
	for i := 1; i < len(w); i++ {
		word, next := w[i], []byte(nil)
		if i+1 < len(w) {
			next = w[i+1]
		}
		switch {
		case word[0] == '(':
			v.SchedulerFlags = string(bytes.Trim(word, "()"))
		case string(word) == "persistent":
			v.Persistent, ok = seconds(next)
		case string(word) == "mask":
			v.Mask = readMask(next, v.IPv6)
		case string(word) == "pe":
			v.PEName = string(next)
		case string(word) == "ops":
			v.OnePacket = true
		}
	}
	if hasProcMask(w) { // behind jiffies, of which nobody knows how many are a second
		mask, ipv6, _ := readProcMask(w[len(w)-1])
		v.Persistent, v.Mask, ok = conn.Unknown, mask, true
		v.IPv6 = v.IPv6 || v.Fwmark != 0 && ipv6
	}
	return ok
}

// settle opens the deferred service when no server shows its family: with the one that
// another listing told.
func (r *ConfigReader) settle() {
	if v := r.deferred; v != nil {
		_, four := r.services[serviceKey{mark: v.Fwmark}]
		_, six := r.services[serviceKey{mark: v.Fwmark, ipv6: true}]
		v.IPv6 = six && !four
		r.open(v, toldKernel)
	}
}

func keyOf(v *conn.Service) serviceKey {
	if v.Fwmark != 0 {
		return serviceKey{mark: v.Fwmark, ipv6: v.IPv6}
	}
	return serviceKey{protocol: v.Protocol, virtual: v.Virtual.Identity()}
}

// open makes a service the one that servers belong to, and merges what is told of it.
func (r *ConfigReader) open(v *conn.Service, t told) {
	r.deferred = nil
	if r.services == nil {
		r.services, r.servers = make(map[serviceKey]place), make(map[serverKey]place)
	}
	k := keyOf(v)
	p, known := r.services[k]
	if !known {
		p.index = len(r.config.Services)
		r.config.Services = append(r.config.Services, *v)
	}
	r.services[k] = place{p.index, r.listing}
	r.service = p.index + 1
	if !known || t == toldNothing {
		return
	}
	to := &r.config.Services[p.index]
	if v.Persistent != conn.Unknown || to.Persistent <= 0 {
		to.Persistent = v.Persistent
	}
	to.Scheduler, to.Mask, to.OnePacket = v.Scheduler, v.Mask, v.OnePacket
	if t == toldAll {
		to.SchedulerFlags, to.PEName = v.SchedulerFlags, v.PEName
	}
}

func (r *ConfigReader) serverLine(w [][]byte) bool {
	var of conn.Service
	switch {
	case r.deferred != nil:
		of = *r.deferred
	case r.service == 0:
		return false
	default:
		of = r.config.Services[r.service-1]
	}
	v, ok := unknownServer, false
	if v.Address, ok = readEndpoint(w[0], of.Protocol, cutAt(of.IPv6), &r.hex); !ok {
		return false
	}
	if r.deferred != nil {
		r.deferred.IPv6 = v.Address.Addr.Is6()
		r.open(r.deferred, toldKernel)
	}
	if f, is := forwardingOf(w[1]); is {
		n := serverNumbers(w[1:])
		v.Forwarding, v.Weight, v.Active, v.Inactive = f, count(n[0]), count(n[1]), count(n[2])
	} else if len(w) == 5 { // --thresholds, --persistent-conn
		v.Active, v.Inactive = count(w[3]), count(w[4])
		if r.weights {
			v.Weight, v.Persistent = count(w[1]), count(w[2])
		}
	}
	if r.doubtful(r.servers[serverKey{r.service, v.Address.Identity()}], v.Address) {
		return false
	}
	r.server(&v)
	return true
}

// rule takes a rule. Its options name the service, so that no line behind it belongs
// to it.
func (r *ConfigReader) rule(w [][]byte) {
	v, _ := readRule(w)
	if v.server == nil {
		r.open(&v.service, toldAll)
	} else {
		r.open(&v.service, toldNothing)
		r.server(v.server)
	}
	r.service = 0
}

// server merges what is told of a server of the open service.
func (r *ConfigReader) server(v *conn.Server) {
	servers := &r.config.Services[r.service-1].Servers
	k := serverKey{r.service, v.Address.Identity()}
	p, known := r.servers[k]
	if !known {
		p.index = len(*servers)
		*servers = append(*servers, unknownServer)
		(*servers)[p.index].Address = v.Address
	}
	r.servers[k] = place{p.index, r.listing}
	to := &(*servers)[p.index]
	// ipvsadm -S writes -g for Local, which the kernel makes of it.
	if v.Forwarding != conn.UnknownForwarding && !(to.Forwarding == conn.LocalNode && v.Forwarding == conn.DirectRoute && v.Active == conn.UnknownCount) {
		to.Forwarding = v.Forwarding
	}
	for _, n := range [...]struct{ to, told *int }{
		{&to.Weight, &v.Weight}, {&to.Active, &v.Active}, {&to.Inactive, &v.Inactive}, {&to.Persistent, &v.Persistent},
	} {
		if *n.told != conn.UnknownCount {
			*n.to = *n.told
		}
	}
}
