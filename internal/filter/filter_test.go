package filter

import (
	"errors"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"

	"ipvsstate/internal/conn"
)

// listed is an endpoint of a listing: address and port, host:port of a name.
func listed(p conn.Protocol, text string) (e conn.Endpoint) {
	if a, err := netip.ParseAddrPort(text); err == nil {
		return conn.Endpoint{Addr: a.Addr(), Port: a.Port(), PortKnown: true}
	}
	host, service, _ := strings.Cut(text, ":")
	if a, err := netip.ParseAddr(host); err == nil {
		e.Addr = a
	} else {
		e.Host = host
	}
	if n, err := strconv.ParseUint(service, 10, 16); err == nil {
		e.Port, e.PortKnown = uint16(n), true
		return e
	}
	e.Service = service
	e.Port, e.PortKnown = conn.ServicePort(p, service)
	return e
}

// row is an entry: protocol, state, client, virtual, server.
func row(text string, left conn.Seconds) conn.Entry {
	word := strings.Fields(text)
	e := conn.Entry{Expires: left, Timeout: conn.Unknown}
	e.Protocol, _ = conn.ProtocolOf(word[0])
	if word[1] != "-" {
		e.State, _ = conn.StateOf(word[1])
	}
	e.Client, e.Virtual, e.Server = listed(e.Protocol, word[2]), listed(e.Protocol, word[3]), listed(e.Protocol, word[4])
	return e
}

// table has an entry of every sort, by letter.
func table() map[rune]conn.Entry {
	m := map[rune]conn.Entry{
		'a': row("TCP ESTABLISHED 10.0.0.1:1024 192.0.2.1:80 172.16.0.1:8080", 890),
		'b': row("TCP FIN_WAIT 10.9.0.1:1025 192.0.2.1:443 172.16.0.2:8443", 110),
		'c': row("UDP UDP [2001:db8::1]:1026 [2001:db8:1::1]:53 [2001:db8:2::1]:53", 0),
		'd': row("TCP SYN_RECV web1:1027 vip.example.com:http Real.example.com:foo", conn.Unknown),
		'e': row("SCTP NEWER [::ffff:10.0.0.1]:1028 192.0.2.9:8050 172.16.0.1:0", 30),
		'f': row("IP NONE 10.0.0.0:0 0.0.0.10:0 172.16.0.1:0", 200),
		'g': row("TCP ASSURED 10.0.0.1:0 192.0.2.1:65535 172.16.0.1:65535", 200),
		'h': row("TCP NONE 10.0.0.1:0 192.0.2.1:80 172.16.0.1:80", 200),
		'i': row("IP_50 - 10.1.0.1:500 192.0.2.1:500 172.16.0.1:500", conn.Unknown),
		'j': row("IP NONE 10.0.0.0:0 0.0.0.10:65535 172.16.0.1:65535", 200),
	}
	for letter, origin := range map[rune]conn.Origin{'a': conn.Local, 'b': conn.Sync, 'c': conn.Local} {
		e := m[letter]
		e.Origin = origin
		m[letter] = e
	}
	return m
}

// termsOf reads flags: --state 'FIN*' --not state=NONE.
func termsOf(text string) (terms []Term) {
	word := strings.Fields(strings.ReplaceAll(text, "'", ""))
	for i := 0; i+1 < len(word); i += 2 {
		if word[i] == "--not" {
			field, value, _ := strings.Cut(word[i+1], "=")
			terms = append(terms, Term{Field(field), value, true})
		} else {
			terms = append(terms, Term{Field(strings.TrimPrefix(word[i], "--")), word[i+1], false})
		}
	}
	return terms
}

func newFilter(t testing.TB, text string) *Filter {
	t.Helper()
	f, err := New(termsOf(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	f.SetTiming(timing)
	return f
}

var timing = conn.NewTiming(conn.DefaultTimeouts, []conn.Service{
	{Protocol: conn.TCP, Virtual: conn.Endpoint{Addr: netip.MustParseAddr("192.0.2.1"), Port: 80, PortKnown: true}, Persistent: 360},
})

func TestMatch(t *testing.T) {
	for _, c := range []struct{ flags, want string }{
		{"", "abcdefghij"},
		{"--state FIN_WAIT", "b"},
		{"--state established", "a"},
		{"--state fin*,SYN_*", "bd"},
		{"--state FIN* --state SYN_*", "bd"},
		{"--state *_*", "bd"},
		{"--state *", "abcdefghj"},
		{"--state ?DP", "c"},
		{"--state new*", "e"},
		{"--state N*", "efhj"},
		{"--state *E*,!NONE", "adeg"},
		{"--state !*E*", "bci"},
		{"--not state=*E*", "bci"},
		{"--not state=!FIN*", "b"},
		{"--not state=NONE,FIN*", "acdegi"},
		{"--state ERR!,BUG?,-", ""},
		{"--proto tcp", "abdgh"},
		{"--proto IP", "fj"},
		{"--proto ip*", "fij"},
		{"--proto ip_50,Sctp", "ei"},
		{"--not proto=TCP", "cefij"},
		{"--client 10.0.0.1", "aegh"},
		{"--client ::ffff:10.0.0.1", "aegh"},
		{"--client 10.0.0.1:1024", "a"},
		{"--client [::ffff:10.0.0.1]:1028", "e"},
		{"--client 10.0.0.0/8", "abefghij"},
		{"--client 10.1.2.3/8", "abefghij"},
		{"--client 10.1.2.3/8:1025", "b"},
		{"--client ::ffff:10.1.2.3/104", "abefghij"},
		{"--client 10.0.0.1/32", "aegh"},
		{"--client ::ffff:10.0.0.1/96", "abefghij"},
		{"--client 0.0.0.0/0", "abefghij"},
		{"--client ::/0", "ce"},
		{"--client ::ffff:0:0/90", "e"},
		{"--client 2001:db8::1", "c"},
		{"--client [2001:db8::1]", "c"},
		{"--client [2001:db8::1]:1026", "c"},
		{"--client [2001:db8::1]:1027", ""},
		{"--client 2001:db8::/32,web1", "cd"},
		{"--client 2001:db8::5/125", "c"},
		{"--client 2001:db8::9/125", ""},
		{"--client 2001:db8::/32:1026", "c"},
		{"--client [2001:db8::]/32:1026", "c"},
		{"--client [2001:db8::/32]:1026", "c"},
		{"--client [2001:db8::]/33", "c"},
		{"--client WEB1", "d"},
		{"--client [web1]:1027", "d"},
		{"--client *", "d"},
		{"--client w?b*:1027", "d"},
		{"--client web", ""},
		{"--client :0", "fghj"},
		{"--client 10.0.0.0/8,!:0", "abei"},
		{"--client !10.0.0.1 --not client=web1", "bcfij"},
		{"--virtual *.example.com", "d"},
		{"--virtual vip.EXAMPLE.com:http", "d"},
		{"--virtual vip.example.com:80", "d"},
		{"--virtual vip.example.com:www", "d"},
		{"--virtual :http", "adh"},
		{"--virtual 192.0.2.1:http", "ah"},
		{"--virtual [2001:db8:1::1]:domain", "c"},
		{"--virtual :1-499", "abcdh"},
		{"--virtual fwmark:10", "f"},
		{"--virtual fwmark:11", ""},
		{"--virtual fwmark:10,:443", "bf"},
		{"--not virtual=fwmark:10", "abcdeghij"},
		{"--server 172.16.0.1", "aefghij"},
		{"--server 172.16.0.1:8080", "a"},
		{"--server 172.16.0.1:http-alt", "a"},
		{"--server real.*", "d"},
		{"--server real.*:80", ""},
		{"--server :1-65535", "abcghij"},
		{"--port 80", "adh"},
		{"--port http,500", "adhi"},
		{"--port 0-65535", "abcdehi"}, // not where it is overwritten, or a mark's
		{"--port 65535", ""},
		{"--port 8000-8100,443", "be"},
		{"--port !80", "bcefgij"},
		{"--port 1-1000 --not port=http", "bci"},
		{"--origin local", "ac"},
		{"--origin SYNC", "b"},
		{"--origin local,sync", "abc"},
		{"--origin !local", "bdefghij"},
		{"--family 4", "abfghij"},
		{"--family 6", "ce"},
		{"--family !4", "cde"},
		{"--family !4,!6", "d"},
		{"--templates only", "fghj"},
		{"--templates no", "abcdei"},
		{"--templates yes", "abcdefghij"},
		{"--templates !no", "fghj"},
		{"--not templates=only", "abcdei"},
		{"--not templates=!only", "fghj"},
		{"--expires 30", "ce"},
		{"--expires 29", "c"},
		{"--expires =30s", "e"},
		{"--expires <30", "c"},
		{"--expires <0", ""},
		{"--expires !<0", "abcdefghij"},
		{"--expires >=1m", "abfghj"},
		{"--expires >1m50s", "afghj"},
		{"--expires <10s,>14m", "ac"},
		{"--expires >1m --expires <4m", "bfghj"},
		{"--expires >1m,<10s --expires <4m,=890", "abcfghj"},
		{"--expires !>1m", "cdei"},
		{"--not expires=>1m,<10s", "dei"},
		{"--expires <1d", "abcefghj"},
		{"--idle 10s", "abch"},
		{"--idle >10s", "ch"},
		{"--idle <=10", "ab"},
		{"--idle =10,=5m", "abc"},
		{"--idle >1m --idle <200s", "h"},
		{"--idle 0d0h0m0s", "abch"},
		{"--not idle=0", "defgij"},
		{"--state EST*,N* --client 10.0.0.0/8 --not port=8050 --templates no", "a"},
	} {
		f := newFilter(t, c.flags)
		got := ""
		entries := table()
		for letter := 'a'; letter <= 'j'; letter++ {
			if e := entries[letter]; f.Match(&e) {
				got += string(letter)
			}
		}
		if got != c.want {
			t.Errorf("%s matches %s, want %s", c.flags, got, c.want)
		}
	}
}

func TestErrors(t *testing.T) {
	const (
		state     = "a state or a pattern such as FIN*"
		proto     = "a protocol such as tcp or a pattern such as ICMP*"
		address   = "an address, a network, ADDR:PORT, :PORT or a host, such as 10.0.0.0/8, [2001:db8::1]:443 or web1:http"
		virtual   = address + ", or a mark such as fwmark:10"
		port      = "a port, a range such as 8000-8100, or a service's name such as http"
		idle      = "a comparison with a time, such as >5m or <=1h30m"
		expires   = "a comparison with a time, such as <10s or >=1m30s"
		templates = "one of only, no and yes, once"
	)
	for _, c := range []struct {
		field Field
		want  string
		bad   string // with blanks between
	}{
		{State, state, "! !!FIN FIN;WAIT FIN_WAIT/ ä [A-Z] \x00 FIN\\*"},
		{Protocol, proto, "! !!tcp tcp! 50/tcp"},
		{Client, address, "! !! : web1: :65536 :-1 :80-79 :80- :no-such-service 10.0.0 10.0.0.256 10.0.0.1.2 10.0.0.1: 10.* 10.0.0.? " +
			"10.0.0.0/33 10.0.0.0/ 10.0.0.0/-1 10.0.0.0/8/8 /8 fe80::1%eth0 2001:db8::zz 2001:db8::/129 [2001:db8::1 [2001:db8::1]443 " +
			"2001:db8::1] [] []:80 web1/24 [web1 we[b1] http://web1 1:2:3:4:5:6:7:8:80 web_1:http:80 web\x001"},
		{Virtual, virtual, "fwmark: fwmark:http fwmark:-1 fwmark:4294967296 fwmark:0x0a !fwmark:1:80"},
		{Server, address, "172.16.0.0/99 :http! :*"},
		{Port, port, "! - 80- -80 8100-8000 65536 0-65536 +80 80-81-82 no-such-service HTTP http* 80:81"},
		{Origin, "local or sync", "! remote loc* !!sync"},
		{Family, "4 or 6", "! 5 ipv4 04"},
		{Idle, idle, "> <> => >>5 ==5 5x m 5m3 -5 +5 1.5h 500ms 1h30 99999999999 24856d >2147483647 5,s"},
		{Expires, expires, "< 10ss !! <=>5"},
		{Templates, templates, "none ONLY only,no !yes !!no no,no"},
		{"colour", "a field of entries", "red"},
	} {
		for bad := range strings.SplitSeq(c.bad, " ") {
			_, err := New([]Term{{c.field, bad, false}})
			var v *ValueError
			if !errors.As(err, &v) {
				t.Errorf("--%s %q gives %v", c.field, bad, err)
				continue
			}
			if v.Field != c.field || v.Want != c.want || !strings.Contains(bad, v.Value) {
				t.Errorf("--%s %q gives %#v", c.field, bad, v)
			}
		}
	}
	for _, c := range []struct{ field, value, want string }{
		{"state", "", "--state: a value is missing"},
		{"state", "FIN*,,SYN*", "--state: a value is missing"},
		{"state", "FIN*,", "--state: a value is missing"},
		{"client", "", "--client: a value is missing"},
		{"origin", ",local", "--origin: a value is missing"},
		{"templates", "", "--templates: a value is missing"},
		{"idle", "", "--idle: a value is missing"},
		{"port", "80,!x y,443", `--port: "!x y" is no value of it`},
		{"state", "FIN_WAIT,a b", `--state: "a b" is no value of it`},
	} {
		for _, not := range []bool{false, true} {
			if _, err := New([]Term{{Field(c.field), c.value, not}}); err == nil || err.Error() != c.want {
				t.Errorf("--%s %q gives %v, want %s", c.field, c.value, err, c.want)
			}
		}
	}
	for _, flags := range []string{"--templates no --templates only", "--templates yes --templates no", "--not templates=yes"} {
		if _, err := New(termsOf(flags)); err == nil {
			t.Errorf("%s is taken", flags)
		}
	}
}

func TestString(t *testing.T) {
	for _, c := range []struct {
		flags, want  string
		empty, times bool
	}{
		{"", "", true, false},
		{"--templates yes", "", true, false},
		{"--templates yes --state FIN*", "--state 'FIN*'", false, false},
		{"--state FIN* --not client=10.0.0.0/8", "--state 'FIN*' --not client=10.0.0.0/8", false, false},
		{"--idle >5m --state FIN* --not idle=!>=1h", "--idle '>5m' --state 'FIN*' --not 'idle=!>=1h'", false, true},
		{"--expires 5", "--expires 5", false, false},
	} {
		f := newFilter(t, c.flags)
		if f.String() != c.want || f.Empty() != c.empty || f.NeedsTiming() != c.times {
			t.Errorf("%s gives %q, empty %v, needs timing %v", c.flags, f, f.Empty(), f.NeedsTiming())
		}
	}
}

func TestUntold(t *testing.T) {
	for _, c := range []struct {
		flags, seen string
		want        []Field
	}{
		{"--origin local", "", nil},
		{"--origin local", "defghi", []Field{Origin}},
		{"--origin !local", "defghi", []Field{Origin}},
		{"--origin local", "defbghi", nil},
		{"--origin local --state FIN_WAIT", "d", []Field{Origin}},
		{"--client 10.0.0.0/8", "d", []Field{Client}},
		{"--client 10.0.0.0/8,:80", "d", nil},
		{"--client 10.0.0.0/8,!web1", "d", nil},
		{"--client 10.0.0.0/8", "c", nil}, // it can answer: no
		{"--client *", "abcefghi", []Field{Client}},
		{"--client *:80", "abcefghi", []Field{Client}},
		{"--server :80", "d", []Field{Server}},
		{"--server real.example.com:80", "d", []Field{Server}},
		{"--virtual fwmark:10", "a", nil},
		{"--port 80", "fg", []Field{Port}},
		{"--state *", "i", []Field{State}},
		{"--family 4", "d", []Field{Family}},
		{"--idle 5m --expires 5m --idle >6m", "di", []Field{Expires, Idle}},
		{"--idle 5m", "defgi", []Field{Idle}},
		{"--templates only --proto udp", "a", nil},
		{"", "a", nil},
	} {
		f := newFilter(t, c.flags)
		entries := table()
		for _, letter := range c.seen {
			e := entries[letter]
			f.Match(&e)
		}
		if got := f.Untold(); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s of %s: %v are not told, want %v", c.flags, c.seen, got, c.want)
		}
	}
}

// TestAllocations holds Match to none, of entries with names too.
func TestAllocations(t *testing.T) {
	for _, flags := range []string{
		"--state FIN*,!SYN_*", "--proto tcp,ip*", "--client 10.0.0.0/8,2001:db8::/32,w*", "--virtual 192.0.2.1:http,fwmark:10",
		"--server !172.16.0.1:8080", "--port 8000-8100,http", "--origin local", "--family 4", "--idle >5m --idle <1h,=3h",
		"--expires <10s", "--templates no",
	} {
		f := newFilter(t, flags)
		for letter, e := range table() {
			if n := testing.AllocsPerRun(100, func() { f.Match(&e) }); n != 0 {
				t.Errorf("%s of %c allocates %v times", flags, letter, n)
			}
		}
	}
}

// TestGoroutines is for the race detector.
func TestGoroutines(t *testing.T) {
	f := newFilter(t, "--state N*,EST* --client 10.0.0.0/8,w* --origin local,!sync --idle >1s,!>1h --port 1-65535")
	want := map[rune]bool{}
	for letter, e := range table() {
		want[letter] = newFilter(t, f.String()).Match(&e)
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 100 {
				for letter, e := range table() {
					if f.Match(&e) != want[letter] {
						t.Errorf("%c: %v", letter, !want[letter])
					}
				}
				f.Untold()
			}
		})
	}
	wait.Wait()
	if u := f.Untold(); u != nil {
		t.Errorf("%v are not told", u)
	}
}
