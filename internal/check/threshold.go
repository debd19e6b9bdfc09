package check

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/services"
	"ipvsstate/internal/tally"
)

// Selector is what is counted:
//
//	connections                     all of them
//	templates
//	state:SYN_RECV                  of all protocols
//	proto:UDP
//	service:192.0.2.1:80            of all protocols; service:UDP@192.0.2.1:53 of one
//	service:192.0.2.1:80/SYN_RECV   its connections in a state
//	service:fwmark:10               a firewall mark's
//	server:10.0.0.7:8080            in all services; server:10.0.0.7:8080/CLOSE
type Selector struct {
	text     string
	what     what
	protocol conn.Protocol // zero for all
	endpoint conn.Endpoint
	mark     uint32
	state    conn.State // zero for all
}

type what uint8

const (
	connections what = iota
	templates
	state
	proto
	service
	server
)

var names = [...]string{"connections", "templates", "state", "proto", "service", "server"}

// Whats are the beginnings of selectors.
func Whats() []string {
	return []string{"connections", "templates", "state:", "proto:", "service:", "server:"}
}

// String is the selector as it was written.
func (s *Selector) String() string { return s.text }

// ParseSelector reads a selector.
func ParseSelector(text string) (*Selector, error) {
	name, value, hasValue := strings.Cut(text, ":")
	i := slices.Index(names[:], name)
	if i < 0 {
		return nil, fmt.Errorf("%q is not counted: it begins with one of %s", text, strings.Join(Whats(), ", "))
	}
	s := &Selector{text: text, what: what(i)}
	if wants := s.what > templates; wants != (hasValue && value != "") {
		if wants {
			return nil, fmt.Errorf("%s: behind %s: stands what is counted", text, name)
		}
		return nil, fmt.Errorf("%s: nothing stands behind %s", text, name)
	}
	var err error
	switch s.what {
	case state:
		s.state, err = stateOf(value)
	case proto:
		s.protocol, err = protocolOf(value)
	case service, server:
		err = s.parsePlace(value)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", text, err)
	}
	return s, nil
}

// parsePlace reads a service or server, with a state behind it.
func (s *Selector) parsePlace(text string) (err error) {
	place, word, hasState := strings.Cut(text, "/")
	if hasState {
		if s.state, err = stateOf(word); err != nil {
			return err
		}
	}
	if name, rest, has := strings.Cut(place, "@"); has {
		if s.protocol, err = protocolOf(name); err != nil {
			return err
		}
		place = rest
	}
	if mark, is := strings.CutPrefix(place, "fwmark:"); is && s.what == service {
		n, err := strconv.ParseUint(mark, 10, 32)
		if err != nil || n == 0 {
			return fmt.Errorf("%q is not a firewall mark", mark)
		}
		s.mark = uint32(n)
		return nil
	}
	e, ok := parseEndpoint(place)
	if !ok {
		return fmt.Errorf("%q is not ADDRESS:PORT", place)
	}
	s.endpoint = e
	return nil
}

// parseEndpoint reads 192.0.2.1:80, [2001:db8::1]:http or web1:80.
func parseEndpoint(text string) (e conn.Endpoint, ok bool) {
	at := strings.LastIndexByte(text, ':')
	if at <= 0 || at == len(text)-1 {
		return e, false
	}
	host, port := text[:at], text[at+1:]
	n, err := strconv.ParseUint(port, 10, 16)
	e.Port, e.PortKnown = uint16(n), true
	if err != nil {
		if e.Port, ok = conn.ServicePort(conn.TCP, port); !ok {
			return e, false
		}
	}
	inside, bracketed := strings.CutPrefix(host, "[")
	if inside, ok = strings.CutSuffix(inside, "]"); ok != bracketed {
		return e, false
	}
	a, err := netip.ParseAddr(inside)
	switch {
	case err == nil && a.Is6() == bracketed && a.Zone() == "":
		e.Addr = a
	case bracketed || err == nil || strings.Trim(host, "0123456789.:") == "":
		return e, false
	default:
		e.Host = host
	}
	return e, true
}

func stateOf(word string) (conn.State, error) {
	for _, s := range conn.States() {
		if strings.EqualFold(s.String(), word) {
			return s, nil
		}
	}
	return conn.State{}, fmt.Errorf("%q is not a state", word)
}

func protocolOf(word string) (conn.Protocol, error) {
	for _, p := range conn.Protocols() {
		if strings.EqualFold(p.String(), word) {
			return p, nil
		}
	}
	return conn.Protocol{}, fmt.Errorf("%q is not a protocol", word)
}

// Metric is something that is counted, with the ranges it is held against.
type Metric struct {
	Selector          *Selector
	Warning, Critical *Range // nil for none
}

// Add takes SELECTOR=RANGE to the metrics: as a critical range, or a warning one.
func Add(all []*Metric, text string, critical bool) ([]*Metric, error) {
	at := strings.LastIndexByte(text, '=')
	if at < 0 {
		return all, errors.New("it takes what is counted and a range: state:SYN_RECV=200")
	}
	s, err := ParseSelector(text[:at])
	if err != nil {
		return all, err
	}
	r, err := ParseRange(text[at+1:])
	if err != nil {
		return all, err
	}
	m := &Metric{Selector: s}
	for _, had := range all {
		if had.Selector.text == s.text && had.of(critical) != nil && had.Percent() == r.Percent {
			return all, fmt.Errorf("%s has a range already", s.text)
		}
		if other := had.of(!critical); had.Selector.text == s.text && had.of(critical) == nil && (other == nil || other.Percent == r.Percent) {
			m = had
		}
	}
	if m.Warning == nil && m.Critical == nil {
		all = append(all, m)
	}
	if critical {
		m.Critical = &r
	} else {
		m.Warning = &r
	}
	return all, nil
}

func (m *Metric) of(critical bool) *Range {
	if critical {
		return m.Critical
	}
	return m.Warning
}

// Percent reports that the metric is a share.
func (m *Metric) Percent() bool {
	return m.Warning != nil && m.Warning.Percent || m.Critical != nil && m.Critical.Percent
}

// Status is a plugin's verdict; its number is the exit code.
type Status uint8

// The statuses.
const (
	OK Status = iota
	Warning
	Critical
	Unknown
)

var statusNames = [...]string{"OK", "WARNING", "CRITICAL", "UNKNOWN"}

func (s Status) String() string { return statusNames[s] }

// Result is what a metric came to.
type Result struct {
	Metric *Metric
	Count  uint64
	// Of is what a share is of; nothing can be told of a share of none.
	Of     uint64
	Value  float64 // the count, or the percentage
	Status Status
}

// Evaluate counts a metric: of services and servers by the tally's groups, which are
// those of services.By, of firewall marks by the report.
func (m *Metric) Evaluate(t *tally.Tally, r *services.Report) Result {
	v := Result{Metric: m}
	v.Count, v.Of = m.Selector.count(t, r)
	v.Value = float64(v.Count)
	if m.Percent() {
		if v.Of == 0 {
			v.Value = 0
			return v
		}
		v.Value = 100 * v.Value / float64(v.Of)
	}
	switch {
	case m.Critical != nil && m.Critical.Alerts(v.Value):
		v.Status = Critical
	case m.Warning != nil && m.Warning.Alerts(v.Value):
		v.Status = Warning
	}
	return v
}

// count is how many there are, and of how many.
func (s *Selector) count(t *tally.Tally, r *services.Report) (n, of uint64) {
	of = t.Connections()
	switch s.what {
	case connections:
		return of, of
	case templates:
		return t.Templates(), t.Templates() + of
	case state, proto:
		for _, c := range t.States(tally.ByCount) {
			if s.what == state && c.State == s.state || s.what == proto && c.Protocol == s.protocol {
				n += c.Count
			}
		}
		return n, of
	}
	var g services.Group
	if s.mark != 0 {
		for i := range r.Services {
			if v := &r.Services[i]; v.Fwmark == s.mark {
				g.Add(v.Count, v.States)
			}
		}
	} else {
		for entries := range t.Groups().All { // by what the entries themselves show
			virtual, real := &entries.Values[0], &entries.Values[1]
			at := virtual.Endpoint
			if s.what == server {
				at = real.Endpoint
			}
			if at == s.endpoint && !virtual.Marked && (s.protocol == (conn.Protocol{}) || s.protocol == virtual.Protocol) {
				g.Add(services.Count{Connections: entries.Connections}, []services.State{{State: entries.Values[2].State, Count: entries.Connections}})
			}
		}
	}
	if s.state == (conn.State{}) {
		return g.Connections, of
	}
	for _, c := range g.States {
		if c.State == s.state {
			n += c.Count
		}
	}
	return n, g.Connections
}
