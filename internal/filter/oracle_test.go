package filter

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ipvsstate/internal/conn"
)

// generator makes entries of every sort, and flags that some of them answer.
type generator struct{ *rand.Rand }

func pick[T any](g generator, of ...T) T { return of[g.IntN(len(of))] }

func (g generator) addr() netip.Addr {
	return netip.MustParseAddr(pick(g, "10.0.0.1", "10.0.0.2", "10.1.0.1", "192.0.2.1", "0.0.0.10", "2001:db8::1", "2001:db8::ff:1", "fd00::1", "::ffff:10.0.0.1", "::1", "0:a::", "2001:db8::8000:0:0:1", "2001:db8:0:1::"))
}

func (g generator) endpoint(p conn.Protocol) conn.Endpoint {
	e := conn.Endpoint{Addr: g.addr(), Port: pick[uint16](g, 0, 21, 53, 80, 443, 8050, 8080, 65535), PortKnown: true}
	if g.IntN(3) == 0 {
		e.Addr, e.Host = netip.Addr{}, pick(g, "web1", "Web2", "a.example.com", "x")
	}
	switch g.IntN(6) {
	case 0:
		e.Service = pick(g, "http", "domain", "https", "http-alt", "ntp", "no-such")
		e.Port, e.PortKnown = conn.ServicePort(p, e.Service)
	case 1: // cut off
		e.Port, e.PortKnown = 0, false
	case 2: // all of it
		if g.IntN(4) == 0 {
			e = conn.Endpoint{}
		}
	}
	return e
}

func (g generator) entry() conn.Entry {
	e := conn.Entry{
		Expires: pick[conn.Seconds](g, conn.Unknown, 0, 1, 9, 10, 30, 59, 60, 61, 110, 300, 899, 900, 86400), Timeout: conn.Unknown,
		Origin: pick(g, conn.UnknownOrigin, conn.Local, conn.Sync),
	}
	e.Protocol, _ = conn.ProtocolOf(pick(g, "TCP", "TCP", "UDP", "SCTP", "IP", "ICMP", "ICMPv6", "IP_50", "--", "dccp"))
	if g.IntN(6) > 0 {
		e.State, _ = conn.StateOf(pick(g, "ESTABLISHED", "FIN_WAIT", "NONE", "UDP", "ASSURED", "LISTEN", "ERR!", "?", "BUG!", "C-SENT", "NEWER", "established", "S-1"))
	} else if g.IntN(2) == 0 {
		e.State = pick(g, conn.States()...)
	}
	e.Client, e.Virtual, e.Server = g.endpoint(e.Protocol), g.endpoint(e.Protocol), g.endpoint(e.Protocol)
	switch g.IntN(8) {
	case 0:
		e.Timeout, e.Expires = pick[conn.Seconds](g, 90, 7), conn.Unknown
	case 1:
		e.Local = g.endpoint(e.Protocol)
	}
	return e
}

func (g generator) port() string {
	return pick(g, "0", "80", "443", "53", "8000-8100", "1-65535", "http", "https", "domain", "http-alt", "ntp", "sip")
}

func (g generator) address() string {
	a := g.addr()
	text := a.String()
	if g.IntN(2) == 0 {
		text = fmt.Sprintf("%s/%d", text, pick(g, g.IntN(a.BitLen()+1), a.BitLen()/2, a.BitLen()/2-1, a.BitLen()*3/4))
	}
	if a.Is6() {
		switch g.IntN(3) {
		case 0:
			text = "[" + text + "]"
		case 1:
			addr, length, network := strings.Cut(text, "/")
			if text = "[" + addr + "]"; network {
				text += "/" + length
			}
		}
	}
	return text
}

func (g generator) value(f Field) string {
	switch f {
	case State:
		return pick(g, "FIN*", "establish?d", "*", "?", "N*", "*_*", "???!", "c-sent", "new*r", "S-?", "UDP", "**W*E*", "-")
	case Protocol:
		return pick(g, "tcp", "UDP", "ip", "ip*", "icmp?6", "--", "ip_50", "*c*p", "s*")
	case Client, Virtual, Server:
		text := ""
		switch g.IntN(4) {
		case 0:
			text = pick(g, "web1", "WEB?", "*", "*.example.com", "?", "[web2]", "no-host", "*e*b*")
		case 1, 2:
			text = g.address()
		}
		if f == Virtual && g.IntN(6) == 0 {
			return "fwmark:" + pick(g, "10", "0", "3221225985")
		}
		if text == "" || g.IntN(2) == 0 {
			if strings.Count(text, ":") > 1 && !strings.Contains(text, "]") && !strings.Contains(text, "/") {
				text = "[" + text + "]"
			}
			text += ":" + g.port()
		}
		return text
	case Port:
		return g.port()
	case Origin:
		return pick(g, "local", "sync", "LOCAL")
	case Family:
		return pick(g, "4", "6")
	case Templates:
		return pick(g, "only", "no")
	}
	return pick(g, "", ">", ">=", "<", "<=", "=") + pick(g, "0", "10", "10s", "1m", "1m1s", "5m", "14m59s", "1d", "0h60s", "60")
}

func (g generator) term(f Field) Term {
	t := Term{Field: f, Not: g.IntN(3) == 0}
	var values []string
	for range 1 + g.IntN(3) {
		values = append(values, pick(g, "", "", "!")+g.value(f))
		if f == Templates {
			break
		}
	}
	t.Value = strings.Join(values, ",")
	return t
}

func (g generator) terms() (terms []Term) {
	for range 1 + g.IntN(4) {
		f := pick(g, Fields()...)
		if f == Templates && slices.ContainsFunc(terms, func(t Term) bool { return t.Field == f }) {
			continue
		}
		terms = append(terms, g.term(f))
	}
	return terms
}

// asksFor is whether an entry has a value, and whether it tells: the same another way,
// with the standard library's readers, from the text each time.
func asksFor(f Field, text string, e *conn.Entry) (is, told bool) {
	glob := func(word string) (bool, bool) {
		ok, err := path.Match(strings.ToLower(text), strings.ToLower(word))
		if err != nil {
			panic(err)
		}
		return word != "" && ok, word != ""
	}
	switch f {
	case State:
		return glob(e.State.String())
	case Protocol:
		return glob(e.Protocol.String())
	case Client:
		return endpointHas(text, e, e.Client)
	case Server:
		return endpointHas(text, e, e.Server)
	case Virtual:
		if mark, ok := strings.CutPrefix(text, "fwmark:"); ok {
			m, known := e.Fwmark()
			return known && fmt.Sprint(m) == mark && e.Kind() == conn.FwmarkTemplate, known || e.Protocol.String() != "IP"
		}
		return endpointHas(text, e, e.Virtual)
	case Port:
		if k := e.Kind(); k == conn.StaleTemplate || k == conn.FwmarkTemplate {
			return false, false
		}
		return portIs(text, e, e.Virtual)
	case Origin:
		word := map[conn.Origin]string{conn.Local: "local", conn.Sync: "sync"}[e.Origin]
		return strings.EqualFold(word, text), word != ""
	case Family:
		word := map[int]string{32: "4", 128: "6"}[e.Client.Addr.BitLen()]
		return word == text, word != ""
	case Templates:
		return (text == "only") == (e.Kind() != conn.Connection), true
	case Idle:
		return compares(text, ">=", timing.Idle(e))
	}
	return compares(text, "<=", e.Expires)
}

func compares(text, operator string, s conn.Seconds) (is, told bool) {
	if s == conn.Unknown {
		return false, false
	}
	for _, o := range []string{"=", ">", "<", "<=", ">="} {
		if strings.HasPrefix(text, o) {
			operator = o
		}
	}
	text = strings.TrimLeft(text, "<=>")
	if _, err := strconv.Atoi(text); err == nil {
		text += "s"
	}
	than, err := time.ParseDuration(strings.Replace(text, "1d", "24h", 1))
	if err != nil {
		panic(err)
	}
	time := time.Duration(s) * time.Second
	return time == than && strings.Contains(operator, "=") || time > than && strings.Contains(operator, ">") || time < than && strings.Contains(operator, "<"), true
}

func portIs(text string, e *conn.Entry, p conn.Endpoint) (is, told bool) {
	if !p.PortKnown {
		return false, false
	}
	if n, err := strconv.Atoi(text); err == nil {
		return int(p.Port) == n, true
	}
	var first, last int
	if n, _ := fmt.Sscanf(text, "%d-%d", &first, &last); n == 2 {
		return int(p.Port) >= first && int(p.Port) <= last, true
	}
	n, ok := conn.ServicePort(e.Protocol, text)
	return ok && n == p.Port, true
}

func endpointHas(text string, e *conn.Entry, p conn.Endpoint) (is, told bool) {
	plain := strings.NewReplacer("[", "", "]", "").Replace(text)
	if prefix, ok := networkIn(plain); ok {
		return addressIn(prefix, p.Addr), p.Addr.IsValid()
	}
	colon := strings.LastIndex(plain, ":")
	if colon < 0 {
		is, _ = path.Match(strings.ToLower(plain), strings.ToLower(p.Host))
		return is && p.Host != "", p.Host != ""
	}
	portIs, portTold := portIs(plain[colon+1:], e, p)
	if colon == 0 {
		return portIs, portTold
	}
	host := plain[:colon]
	if prefix, ok := networkIn(host); ok {
		return portIs && addressIn(prefix, p.Addr), portTold && p.Addr.IsValid()
	}
	is, _ = path.Match(strings.ToLower(host), strings.ToLower(p.Host))
	return portIs && is && p.Host != "", portTold && p.Host != ""
}

// networkIn reads an address or network. With brackets gone, 2001:db8::1:80 could be an
// address of its own, so an address is to be one that the generator makes.
func networkIn(text string) (netip.Prefix, bool) {
	addr, length, has := strings.Cut(text, "/")
	a, err := netip.ParseAddr(addr)
	if err != nil || !strings.Contains(" 10.0.0.1 10.0.0.2 10.1.0.1 192.0.2.1 0.0.0.10 2001:db8::1 2001:db8::ff:1 fd00::1 ::ffff:10.0.0.1 ::1 0:a:: 2001:db8::8000:0:0:1 2001:db8:0:1:: ", " "+a.String()+" ") {
		return netip.Prefix{}, false
	}
	bits := a.BitLen()
	if has {
		if bits, err = strconv.Atoi(length); err != nil {
			return netip.Prefix{}, false
		}
	}
	return netip.PrefixFrom(a, bits), true
}

func addressIn(p netip.Prefix, a netip.Addr) bool {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	if p.Addr().Is4() {
		a = a.Unmap()
	}
	return p.Contains(a)
}

// matches is Match another way, and adds the fields that the entry tells.
func matches(terms []Term, e *conn.Entry, told map[Field]bool) bool {
	all := true
	for _, f := range Fields() {
		together := [][]string{nil} // the values that are alternatives, negated ones with a !
		for _, t := range terms {
			if t.Field != f {
				continue
			}
			var values []string
			for _, v := range strings.Split(t.Value, ",") {
				if t.Not {
					v = strings.TrimPrefix("!"+v, "!!")
				}
				values = append(values, v)
			}
			if f == Idle || f == Expires {
				together = append(together, values)
			} else {
				together[0] = append(together[0], values...)
			}
		}
		for _, values := range together {
			plain, one := false, false
			for _, v := range values {
				text, negated := strings.CutPrefix(v, "!")
				is, tells := asksFor(f, text, e)
				if tells {
					told[f] = true
				}
				if negated && is {
					all = false
				}
				if !negated {
					plain = true
					one = one || is
				}
			}
			if plain && !one {
				all = false
			}
		}
	}
	return all
}

// TestOracle holds filters to an implementation that knows nothing of theirs.
func TestOracle(t *testing.T) {
	g := generator{rand.New(rand.NewPCG(1, 2))}
	entries := make([]conn.Entry, 500)
	for i := range entries {
		entries[i] = g.entry()
	}
	matched, untold := 0, 0
	for range 4000 {
		terms := g.terms()
		f, err := New(terms)
		if err != nil {
			t.Fatalf("%v: %v", terms, err)
		}
		f.SetTiming(timing)
		told := map[Field]bool{}
		// A few at a time, so that some fields stay untold.
		some := entries[g.IntN(len(entries)-100):][:1+g.IntN(3)*g.IntN(50)]
		for i := range some {
			e := &some[i]
			want := matches(terms, e, told)
			if got := f.Match(e); got != want {
				t.Fatalf("%s of %+v is %v, want %v", f, *e, got, want)
			}
			if want {
				matched++
			}
		}
		for _, field := range Fields() {
			asked := slices.ContainsFunc(terms, func(t Term) bool { return t.Field == field })
			want := asked && !told[field]
			if got := slices.Contains(f.Untold(), field); got != want {
				t.Fatalf("%s of %d entries: %s untold is %v, want %v", f, len(some), field, got, want)
			}
			if want {
				untold++
			}
		}
	}
	t.Logf("%d matches, %d fields untold", matched, untold)
}

// TestComplement holds a filter of one term and its negation to all entries, each once.
func TestComplement(t *testing.T) {
	g := generator{rand.New(rand.NewPCG(3, 4))}
	entries := make([]conn.Entry, 300)
	for i := range entries {
		entries[i] = g.entry()
	}
	for range 3000 {
		field := pick(g, Fields()...)
		// Several plain values, or one: a list of both kinds has no negation as a list.
		var values, negated []string
		for range 1 + g.IntN(3) {
			v := g.value(field)
			values, negated = append(values, v), append(negated, "!"+v)
			if field == Templates {
				break
			}
		}
		list, negatedList := strings.Join(values, ","), strings.Join(negated, ",")
		filters := []*Filter{}
		for _, term := range []Term{{field, list, false}, {field, list, true}, {field, negatedList, false}, {field, negatedList, true}} {
			f, err := New([]Term{term})
			if err != nil {
				t.Fatal(err)
			}
			f.SetTiming(timing)
			filters = append(filters, f)
		}
		for i := range entries {
			e := &entries[i]
			is := filters[0].Match(e)
			if filters[1].Match(e) == is || filters[2].Match(e) == is || filters[3].Match(e) != is {
				t.Fatalf("--%s %s and its negations do not make up all: %+v", field, list, *e)
			}
		}
	}
}

// FuzzNew holds New to take or refuse every text, and String to lead back to the same.
func FuzzNew(f *testing.F) {
	g := generator{rand.New(rand.NewPCG(5, 6))}
	for range 100 {
		a, b := g.term(pick(g, Fields()...)), g.term(pick(g, Fields()...))
		f.Add(string(a.Field), a.Value, a.Not, string(b.Field), b.Value, b.Not)
	}
	f.Add("client", "[::]/0:http", false, "idle", "!<=1d2h3m4s", true)
	f.Add("virtual", "fwmark:10,:80-90", true, "templates", "yes", false)
	entries := make([]conn.Entry, 50)
	for i := range entries {
		entries[i] = g.entry()
	}
	f.Fuzz(func(t *testing.T, field1, value1 string, not1 bool, field2, value2 string, not2 bool) {
		terms := []Term{{Field(field1), value1, not1}, {Field(field2), value2, not2}}
		made, err := New(terms)
		if err != nil {
			if v, ok := err.(*ValueError); !ok || v.Want == "" || v.Error() == "" {
				t.Fatalf("%v gives %#v", terms, err)
			}
			return
		}
		text := made.String()
		again, err := New(termsOf(text))
		if err != nil {
			t.Fatalf("%v is written as %s: %v", terms, text, err)
		}
		if again.String() != text || again.Empty() != made.Empty() || again.NeedsTiming() != made.NeedsTiming() {
			t.Fatalf("%s reads back as %s", text, again)
		}
		made.SetTiming(timing)
		again.SetTiming(timing)
		for i := range entries {
			if made.Match(&entries[i]) != again.Match(&entries[i]) {
				t.Fatalf("%s reads back as another filter of %+v", text, entries[i])
			}
		}
		if !slices.Equal(made.Untold(), again.Untold()) {
			t.Fatalf("%s reads back as one that other fields are told of", text)
		}
	})
}
