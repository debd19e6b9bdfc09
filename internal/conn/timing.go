package conn

// Timing turns the time that entries have left into the time they have been silent:
// every packet that the director sees re-arms an entry with its state's timeout, so
// the one is the timeout less the other.
type Timing struct {
	// byState is the timeout of a state plus one, 0 where it is not known.
	byState [FULLNAT + 1][NumProtocols][NumStates]Seconds
	// persistent is the timeout of a persistent service's templates.
	persistent map[templateOf]Seconds
}

// templateOf is the service of a template: its virtual endpoint, or mark and family.
type templateOf struct {
	protocol Protocol
	virtual  Endpoint
	mark     uint32
	ipv6     bool
}

// NewTiming is the timing of a director with these timeouts and services. Without
// services nothing can be said of templates, which last as long as their service's
// persistence.
func NewTiming(t Timeouts, services []Service) *Timing {
	timing := &Timing{}
	for d := Linux; d <= FULLNAT; d++ {
		for _, p := range Protocols() {
			for _, s := range States() {
				timing.byState[d][p.Index()][s.Index()] = t.Of(d, p, s) + 1
			}
		}
	}
	for i := range services {
		if v := &services[i]; v.Persistent > 0 {
			if timing.persistent == nil {
				timing.persistent = make(map[templateOf]Seconds)
			}
			k := templateOf{protocol: v.Protocol, virtual: v.Virtual.Identity()}
			if v.Fwmark != 0 {
				k = templateOf{mark: v.Fwmark, ipv6: v.IPv6}
			}
			timing.persistent[k] = v.Persistent
		}
	}
	return timing
}

// rearmed is what a template is given again and again once its time is over while
// connections hold it (ip_vs_conn_expire).
const rearmed Seconds = 60

// Idle is how long no packet of the entry has passed the director, Unknown where it
// cannot be told. Of an entry that another director's sync daemon sent it is how long
// that has not been heard of it, at the most. Of a template it is how long no new
// connection has used it.
func (t *Timing) Idle(e *Entry) Seconds {
	if e.Expires == Unknown {
		return Unknown
	}
	if e.Kind() == Connection {
		return Silence(t.byState[e.Dialect()][e.Protocol.Index()][e.State.Index()]-1, e.Expires)
	}
	if len(t.persistent) == 0 || e.Expires <= rearmed {
		return Unknown
	}
	return Silence(t.persistence(e), e.Expires)
}

// persistence is the timeout of a template's service, Unknown where that is not known.
func (t *Timing) persistence(e *Entry) Seconds {
	k := templateOf{protocol: e.Protocol, virtual: e.Virtual.Identity()}
	switch e.Kind() {
	case StaleTemplate: // its service is not told
		return Unknown
	case FwmarkTemplate:
		mark, ok := e.Fwmark()
		if !ok {
			return Unknown
		}
		k = templateOf{mark: mark, ipv6: e.Client.Addr.Is6()}
	}
	if s, ok := t.persistent[k]; ok {
		return s
	}
	if k.virtual.PortKnown && k.virtual.Port == 0 { // FTP's templates are of all ports
		k.virtual.Port = ftp
		if s, ok := t.persistent[k]; ok {
			return s
		}
	}
	return Unknown
}

// Silence is how long an entry has been silent that is armed with a timeout and has
// some of it left. Kernels before 4.15 let a timer run up to 0.4 % longer; with more
// left than that the entry was armed with another timeout, and nothing is known.
func Silence(timeout, left Seconds) Seconds {
	switch {
	case timeout < 0 || left < 0, left > timeout+timeout/250+1:
		return Unknown
	}
	return max(0, timeout-left)
}

// Dialect is whose table the entry comes from, as far as the entry shows it: only
// DPVS tells timeouts, and only it and FULLNAT the director's local address.
func (e *Entry) Dialect() Dialect {
	switch {
	case e.Timeout != Unknown:
		return DPVS
	case e.Local.Addr.IsValid() || e.Local.Host != "":
		return FULLNAT
	}
	return Linux
}
