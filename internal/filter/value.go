package filter

import (
	"path"
	"strconv"
	"strings"

	"ipvsstate/internal/conn"
)

// What the flags take, in a few words.
const (
	wantState     = "a state or a pattern of states, ESTABLISHED, FIN*"
	wantProtocol  = "a protocol, tcp, udp, sctp, ip"
	wantEndpoint  = "an address, a network, ADDR:PORT, :PORT or a host, 10.0.0.1, 10.0.0.0/8, [2001:db8::1]:80, web1"
	wantPort      = "a port, a range of ports or a service's name, 80, 8000-8100, http"
	wantOrigin    = "local or sync"
	wantFamily    = "4 or 6"
	wantTime      = "a comparison with a time, >5m, <=90s, 1h30m"
	wantTemplates = "only, no or yes"
)

// matcher makes a value's predicate; where it is none, want says what is.
func (f *Filter) matcher(field Field, text string, negated bool) (m matcher, want string) {
	ok := false
	switch field {
	case State:
		m, ok = stateMatcher(text)
		want = wantState
	case Protocol:
		m, ok = protocolMatcher(text)
		want = wantProtocol
	case Client:
		m, ok = endpointMatcher(text, func(e *conn.Entry) *conn.Endpoint { return &e.Client })
		want = wantEndpoint
	case Virtual:
		if mark, is := strings.CutPrefix(text, "fwmark:"); is {
			m, ok = markMatcher(mark)
		} else {
			m, ok = endpointMatcher(text, func(e *conn.Entry) *conn.Endpoint { return &e.Virtual })
		}
		want = wantEndpoint + ", fwmark:10"
	case Server:
		m, ok = endpointMatcher(text, func(e *conn.Entry) *conn.Endpoint { return &e.Server })
		want = wantEndpoint
	case Port:
		m, ok = portMatcher(text)
		want = wantPort
	case Origin:
		m, ok = originMatcher(text)
		want = wantOrigin
	case Family:
		m, ok = familyMatcher(text)
		want = wantFamily
	case Idle:
		m, ok = timeMatcher(text, atLeast, func(e *conn.Entry) conn.Seconds { return f.timing.Idle(e) })
		want = wantTime
	case Expires:
		m, ok = timeMatcher(text, atMost, func(e *conn.Entry) conn.Seconds { return e.Expires })
		want = wantTime
	case Templates:
		m, ok = templatesMatcher(text, negated)
		want = wantTemplates
	}
	if ok {
		want = ""
	}
	return m, want
}

// pattern matches texts with * and ?, whatever their case; ok is false if it has other
// characters than letters, digits and those of extra.
func pattern(text, extra string) (matches func(string) bool, ok bool) {
	for _, c := range text {
		if !isWordRune(c) && !strings.ContainsRune("*?"+extra, c) {
			return nil, false
		}
	}
	text = strings.ToLower(text)
	if !strings.ContainsAny(text, "*?") {
		return func(s string) bool { return strings.EqualFold(s, text) }, text != ""
	}
	return func(s string) bool {
		is, _ := path.Match(text, strings.ToLower(s)) // without brackets every pattern is one
		return is
	}, true
}

func isWordRune(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func stateMatcher(text string) (matcher, bool) {
	matches, ok := pattern(text, "_-!")
	if !ok {
		return nil, false
	}
	var known [conn.NumStates]bool
	for _, s := range conn.States() {
		known[s.Index()] = matches(s.String())
	}
	return func(e *conn.Entry) answer {
		if i := e.State.Index(); i != 0 {
			return answerOf(known[i])
		}
		if e.State == (conn.State{}) {
			return untold
		}
		return answerOf(matches(e.State.String()))
	}, true
}

func protocolMatcher(text string) (matcher, bool) {
	matches, ok := pattern(text, "_-")
	if !ok {
		return nil, false
	}
	var known [conn.NumProtocols]bool
	for _, p := range conn.Protocols() {
		known[p.Index()] = matches(p.String())
	}
	return func(e *conn.Entry) answer {
		if i := e.Protocol.Index(); i != 0 {
			return answerOf(known[i])
		}
		return answerOf(matches(e.Protocol.String()))
	}, true
}

func markMatcher(text string) (matcher, bool) {
	n, err := strconv.ParseUint(text, 0, 32)
	if err != nil {
		return nil, false
	}
	return func(e *conn.Entry) answer {
		if e.Kind() != conn.FwmarkTemplate {
			return no
		}
		mark, told := e.Fwmark()
		return answerOf(told && mark == uint32(n))
	}, true
}

func originMatcher(text string) (matcher, bool) {
	origin, ok := map[string]conn.Origin{"local": conn.Local, "sync": conn.Sync}[strings.ToLower(text)]
	return func(e *conn.Entry) answer {
		if e.Origin == conn.UnknownOrigin {
			return untold
		}
		return answerOf(e.Origin == origin)
	}, ok
}

func familyMatcher(text string) (matcher, bool) {
	return func(e *conn.Entry) answer {
		if !e.Client.Addr.IsValid() {
			return untold
		}
		return answerOf(e.Client.Addr.Is4() == (text == "4"))
	}, text == "4" || text == "6"
}

func templatesMatcher(text string, negated bool) (matcher, bool) {
	switch text = strings.ToLower(text); text {
	case "only", "no":
		return func(e *conn.Entry) answer { return answerOf((e.Kind() == conn.Connection) == (text == "no")) }, true
	case "yes":
		return func(*conn.Entry) answer { return yes }, !negated
	}
	return nil, false
}

// comparison is how a time is compared.
type comparison uint8

const (
	atLeast comparison = iota
	atMost
	more
	less
	equal
)

// operators are longest first.
var operators = []struct {
	text string
	is   comparison
}{{">=", atLeast}, {"<=", atMost}, {">", more}, {"<", less}, {"=", equal}}

// timeMatcher compares a time; without an operator it does so as usual says.
func timeMatcher(text string, usual comparison, of func(*conn.Entry) conn.Seconds) (matcher, bool) {
	is := usual
	for _, o := range operators {
		if rest, has := strings.CutPrefix(text, o.text); has {
			is, text = o.is, strings.TrimSpace(rest)
			break
		}
	}
	than, ok := seconds(text)
	return func(e *conn.Entry) answer {
		s := of(e)
		if s == conn.Unknown {
			return untold
		}
		switch is {
		case atLeast:
			return answerOf(s >= than)
		case atMost:
			return answerOf(s <= than)
		case more:
			return answerOf(s > than)
		case less:
			return answerOf(s < than)
		}
		return answerOf(s == than)
	}, ok
}

// seconds reads 90, 90s, 5m, 1h30m or 2d.
func seconds(text string) (conn.Seconds, bool) {
	units := map[byte]uint64{'s': 1, 'm': 60, 'h': 3600, 'd': 86400}
	sum := uint64(0)
	if text == "" {
		return 0, false
	}
	for text != "" {
		end := 0
		for end < len(text) && text[end] >= '0' && text[end] <= '9' {
			end++
		}
		n, err := strconv.ParseUint(text[:end], 10, 31)
		if err != nil {
			return 0, false
		}
		unit := uint64(1)
		if end < len(text) {
			if unit = units[text[end]]; unit == 0 {
				return 0, false
			}
			end++
		}
		sum += n * unit
		text = text[end:]
		if sum > 1<<31-1 {
			return 0, false
		}
	}
	return conn.Seconds(sum), true
}
