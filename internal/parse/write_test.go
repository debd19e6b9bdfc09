package parse

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ipvsstate/internal/conn"
)

// otherText are the rows of the bundled listings that are not written as they stand there,
// by line; 0 is every row of the file. All others are written byte for byte.
var otherText = map[string]map[int]string{
	"dpvs-detail-conn.txt": {0: "the time that --detail-conn adds, which is not kept"},
	"escapes.txt":          {0: "escapes"},
	"fullnat-garbled.txt":  {0: "garbled: no state, no time"},
	"k2.6-ip-vs-conn.txt": {
		3: "padded by hand", 4: "padded by hand, and an overdue timer's huge number", 5: "an overdue timer's huge number",
	},
	"pasted-service-names.txt": {0: "no-break spaces"},
	"wild.txt": {
		4: "an overdue timer's huge number", 6: "a blank at the end",
		8: "a prefix", 9: "a prefix, blanks gone", 10: "a prefix, blanks gone", 11: "blanks gone", 12: "a prefix", 13: "a prefix", 14: "a prefix",
		15: "a prefix", 16: "quoted", 18: "ideographic spaces",
	},
}

// entriesOf calls f with every entry of a listing and the line it was read from.
func entriesOf(t testing.TB, name string, f func(l Line, text string)) {
	t.Helper()
	lines := slices.Collect(bytes.Lines(read(t, name)))
	var s Scanner
	for s.Reset(read(t, name)); s.Scan(); {
		if l := *s.Line(); l.Kind == EntryLine {
			f(l, strings.TrimRight(string(lines[l.Number-1]), "\r\n")+"\n")
		}
	}
}

// TestWriteListings writes every row of every bundled listing as it stands there.
func TestWriteListings(t *testing.T) {
	for _, name := range listings(t) {
		base := filepath.Base(name)
		odd := maps.Clone(otherText[base])
		_, allOdd := odd[0]
		entriesOf(t, name, func(l Line, text string) {
			var got []byte
			if strings.Contains(text, ":") && (l.Format == Ipvsadm || l.Format == DPVS || strings.Contains(base, "ipvsadm")) {
				got, _ = AppendIpvsadm(nil, &l.Entry)
			} else {
				got, _ = AppendProc(nil, &l.Entry)
			}
			if l.Format == DPVS { // the processor's number is not kept
				_, text, _ = strings.Cut(text, "]")
			}
			same := string(got) == text
			if _, listed := odd[l.Number]; listed {
				delete(odd, l.Number)
				if same {
					t.Errorf("%s:%d is written as it is and need not be listed", base, l.Number)
				}
			} else if same == allOdd {
				t.Errorf("%s:%d\n%q is written as\n%q", base, l.Number, text, got)
			}
		})
		delete(odd, 0)
		if len(odd) > 0 {
			t.Errorf("%s: no such rows: %v", base, odd)
		}
	}
}

// TestWriteReadsBack writes every entry of every bundled listing in both formats.
func TestWriteReadsBack(t *testing.T) {
	for _, name := range listings(t) {
		entriesOf(t, name, func(l Line, text string) {
			checkWritten(t, &l)
		})
	}
}

// checkWritten holds an entry to being the same when it is written and read, in each
// format that can hold it, and that to be the one it came in.
func checkWritten(t *testing.T, l *Line) {
	t.Helper()
	same := l.Entry
	same.Origin = conn.UnknownOrigin
	asIpvsadm := checkRow(t, l, AppendIpvsadm, same)
	same = l.Entry
	for _, p := range []*conn.Endpoint{&same.Client, &same.Virtual, &same.Local, &same.Server} {
		*p = p.Identity()
	}
	asProc := checkRow(t, l, AppendProc, same)
	var ok bool
	switch l.Format {
	case Ipvsadm, DPVS:
		ok = asIpvsadm == nil
	case Proc, ProcSync:
		ok = asProc == nil
	default:
		ok = asIpvsadm == nil || asProc == nil
	}
	switch {
	case l.Garbled:
		if asIpvsadm == nil || asProc == nil {
			t.Fatalf("%s\nis written", describe(l))
		}
	case !ok && !oddIPv6(&l.Entry):
		t.Fatalf("%s\nis not written: %v; %v", describe(l), asIpvsadm, asProc)
	}
}

func checkRow(t *testing.T, l *Line, write func([]byte, *conn.Entry) ([]byte, error), want conn.Entry) error {
	t.Helper()
	e := l.Entry
	row, err := write([]byte("before\n"), &e)
	if e != l.Entry {
		t.Fatalf("%s\nis not what it was before it was written", describe(l))
	}
	row, found := bytes.CutPrefix(row, []byte("before\n"))
	if !found || err != nil && len(row) > 0 {
		t.Fatalf("%s\nwrites %q with the error %v", describe(l), row, err)
	}
	if err != nil {
		var u *UnwritableError
		if !errors.As(err, &u) || u.Field == "" || strings.Contains(err.Error(), "\n") {
			t.Fatalf("%s\nhas the error %v", describe(l), err)
		}
		return err
	}
	var again Scanner
	again.Reset(row)
	if !again.Scan() || again.Line().Kind != EntryLine || again.Line().Entry != want || again.Line().Garbled || again.Scan() {
		t.Fatalf("%s\nis written as %q\nand reads back as %s", describe(l), row, describe(again.Line()))
	}
	return nil
}

// oddIPv6 reports the one sort of endpoint that is read and has no text to be written: an
// IPv6 address with needless zeros before a known service's name, which together took
// cutEndpoint bytes. ipvsadm prints no such zeros.
func oddIPv6(e *conn.Entry) bool {
	for _, p := range []conn.Endpoint{e.Client, e.Virtual, e.Local, e.Server} {
		if p.Addr.Is6() && p.Service != "" && !p.PortKnown {
			return true
		}
	}
	return false
}

func TestWriteTitles(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lines int
		got   []byte
	}{
		{"k6.1-ipvsadm-Lnc.txt", 2, AppendIpvsadmTitle(nil, false)},
		{"k6.1-ipvsadm-Lnc-persistent-conn.txt", 2, AppendIpvsadmTitle(nil, true)},
		{"k6.1-ip-vs-conn.txt", 1, AppendProcTitle(nil, false)},
		{"k6.1-ip-vs-conn-sync.txt", 1, AppendProcTitle(nil, true)},
	} {
		lines := slices.Collect(bytes.Lines(read(t, "../../testdata/"+tt.name)))
		if want := bytes.Join(lines[:tt.lines], nil); !bytes.Equal(tt.got, want) {
			t.Errorf("%s begins with\n%qthe titles are\n%q", tt.name, want, tt.got)
		}
	}
}

// TestWrite writes entries that the bundled listings do not have.
func TestWrite(t *testing.T) {
	cut58 := strings.Repeat("a", 57) + "b"
	tests := []struct {
		name, text    string // a row, and how it is written where not the same
		ipvsadm, proc string // "" is the row itself, an error stands behind "!"
	}{
		{
			"more than 99 minutes", "TCP 133:35 ESTABLISHED 10.142.81.39:49715 10.40.25.43:18000  10.40.25.16:18000",
			"", "TCP 0A8E5127 C233 0A28192B 4650 0A281910 4650 ESTABLISHED    8015",
		},
		{
			"the longest time", "TCP 46080:00 ESTABLISHED 10.0.1.10:44380    10.0.1.100:80      10.0.0.12:80",
			"", "TCP 0A00010A AD5C 0A000164 0050 0A00000C 0050 ESTABLISHED 2764800",
		},
		{
			"IPv6", "TCP 00:59  SYN_RECV    [fd00:1::10]:60998 [fd00:1::100]:90   10.0.0.13:90",
			"", "TCP fd00:0001:0000:0000:0000:0000:0000:0010 EE46 fd00:0001:0000:0000:0000:0000:0000:0100 005A 0A00000D 005A SYN_RECV         59",
		},
		{
			"inet_ntop's dotted quads", "TCP 00:59  SYN_RECV    [::192.0.2.1]:1    [::ffff:192.0.2.1]:2 [::ffff]:3",
			"", "TCP 0000:0000:0000:0000:0000:0000:c000:0201 0001 0000:0000:0000:0000:0000:ffff:c000:0201 0002 0000:0000:0000:0000:0000:0000:0000:ffff 0003 SYN_RECV         59",
		},
		{
			"ICMPv6 and a state that is too long", "ICMPv6 01:02  SHUTDOWN_ACK_CLI 10.0.1.10:1        10.0.1.100:80      10.0.0.12:80",
			"", "ICMPv6 0A00010A 0001 0A000164 0050 0A00000C 0050 SHUTDOWN_ACK_CLI      62",
		},
		{
			"SCTP of a sync daemon", "SCTP 0A00010A B31C 0A000164 0F1C 0A00000B 0F1C CLOSED      SYNC        58",
			"SCTP 00:58  CLOSED      10.0.1.10:45852    10.0.1.100:3868    10.0.0.11:3868", "",
		},
		{
			"unknown words", "IP_50 0A00010A 01F4 0A000164 01F4 0A00000B 01F4 NEW_STATE        59",
			"IP_50 00:59  NEW_STATE   10.0.1.10:500      10.0.1.100:500     10.0.0.11:500", "",
		},
		{
			"a persistence engine", "UDP 00:57  ASSURED     10.0.1.10:0        10.0.1.100:5060    10.0.0.11:5060   sip                515 @10.0.1.10",
			"", "UDP 0A00010A 0000 0A000164 13C4 0A00000B 13C4 ASSURED          57 sip 515 @10.0.1.10",
		},
		{
			"an engine with an endpoint's name", "UDP 0A00010A 0000 0A000164 13C4 0A00000B 13C4 ASSURED          57 a:80 ",
			`!ipvsadm's listing cannot hold the pe data "a:80 "`, "",
		},
		{ // found by fuzzing
			"an engine whose name is nearly an endpoint", "UDP 00:57  ASSURED     10.0.1.10:0        10.0.1.100:5060    10.0.0.11:5060   :0                 ",
			"", "UDP 0A00010A 0000 0A000164 13C4 0A00000B 13C4 ASSURED          57 :0 ",
		},
		{
			"a host", "TCP 14:57  ESTABLISHED web1:44380         10.0.1.100:80      10.0.0.12:80",
			"", `!ip_vs_conn has addresses and port numbers only, this entry has the source "web1:44380"`,
		},
		{
			"a known service", "TCP 14:57  ESTABLISHED 10.0.1.10:44380    10.0.1.100:http    10.0.0.12:80",
			"", "TCP 0A00010A AD5C 0A000164 0050 0A00000C 0050 ESTABLISHED     897",
		},
		{
			"an unknown service", "TCP 14:57  ESTABLISHED 10.0.1.10:44380    10.0.1.100:our-own 10.0.0.12:80",
			"", `!ip_vs_conn has addresses and port numbers only, this entry has the virtual "10.0.1.100:our-own"`,
		},
		{
			"a host of IPv6", "TCP 14:57  ESTABLISHED [web1]:44380       [fd00:1::100]:80   [real1]:http",
			"", `!ip_vs_conn has addresses and port numbers only, this entry has the source "web1:44380"`,
		},
		{
			"a host of IPv6 among hosts", "TCP 14:57  ESTABLISHED [web1]:44380 [vip6]:80 [real1]:http",
			"TCP 14:57  ESTABLISHED web1:44380         vip6:80            real1:http", `!ip_vs_conn has addresses and port numbers only, this entry has the source "web1:44380"`,
		},
		{
			"hosts that were cut at 59", fmt.Sprintf("TCP 14:57  ESTABLISHED %sc %s: [%s]", cut58, cut58, cut58[1:]),
			"", fmt.Sprintf("!ip_vs_conn has addresses and port numbers only, this entry has the source \"%sc\"", cut58),
		},
		{
			"hosts of IPv6 that were cut at 59", fmt.Sprintf("TCP 14:57  ESTABLISHED [fd00:1::10]:60998 [%s [%s]:44", cut58, cut58[4:]),
			"", fmt.Sprintf("!ip_vs_conn has addresses and port numbers only, this entry has the virtual %q", cut58),
		},
		{
			"FULLNAT on a backup", "TCP C0000205 BEEF C6336464 0050 CB007108 1401 0A00000C 0050 ESTABLISHED SYNC        87",
			"TCP 01:27  ESTABLISHED 192.0.2.5:48879                198.51.100.100:80              203.0.113.8:5121               10.0.0.12:80", "",
		},
		{
			"DPVS", "tcp 90s    TCP_EST     192.0.2.5:48880    198.51.100.3:80    203.0.113.8:1027   10.0.0.12:80",
			"", "!this entry's time left is not known, and ip_vs_conn has no row without it",
		},
		{
			"DPVS and no protocol", "--  9999999 ICMP_NORMAL 192.168.10.4:8     192.168.10.6:54804 192.168.10.4:8     172.16.10.3:54804",
			"", "!this entry's time left is not known, and ip_vs_conn has no row without it",
		},
		{
			"garbled", "TCP 00:50  0A00000C    192.0.2.5:48879    198.51.100.100:80  203.0.113.8:5121",
			"!this entry's state is not known, and ipvsadm's listing has no row without it", "!this entry's state is not known, and ip_vs_conn has no row without it",
		},
	}
	for _, tt := range tests {
		var s Scanner
		s.Reset([]byte(tt.text + "\n"))
		if !s.Scan() || s.Line().Kind != EntryLine {
			t.Errorf("%s: no entry", tt.name)
			continue
		}
		checkWritten(t, s.Line())
		for want, write := range map[*string]func([]byte, *conn.Entry) ([]byte, error){&tt.ipvsadm: AppendIpvsadm, &tt.proc: AppendProc} {
			e := s.Line().Entry
			row, err := write(nil, &e)
			got := strings.TrimSuffix(string(row), "\n")
			if err != nil {
				got = "!" + err.Error()
			}
			if *want == "" {
				*want = tt.text
			}
			if got != *want {
				t.Errorf("%s:\n%q, want\n%q", tt.name, got, *want)
			}
		}
	}
}

// TestWriteRefuses has entries that no listing holds.
func TestWriteRefuses(t *testing.T) {
	at := func(s string) conn.Endpoint {
		ap := netip.MustParseAddrPort(s)
		return conn.Endpoint{Addr: ap.Addr(), Port: ap.Port(), PortKnown: true}
	}
	good := conn.Entry{
		Protocol: conn.TCP, State: conn.Established, Client: at("10.0.1.10:44380"), Virtual: at("10.0.1.100:80"), Server: at("10.0.0.12:80"),
		Expires: 897, Timeout: conn.Unknown,
	}
	word := func(s string) conn.State { st, _ := conn.StateOf(s); return st }
	for _, tt := range []struct {
		field  Field
		change func(*conn.Entry)
	}{
		{FieldProtocol, func(e *conn.Entry) { e.Protocol = conn.Protocol{} }},
		{FieldProtocol, func(e *conn.Entry) { e.Protocol, _ = conn.ProtocolOf("A B") }},
		{FieldState, func(e *conn.Entry) { e.State = conn.State{} }},
		{FieldState, func(e *conn.Entry) { e.State = word("NEW STATE") }},
		{FieldState, func(e *conn.Entry) { e.State = word("0A00000C") }},
		{FieldExpires, func(e *conn.Entry) { e.Expires = conn.Unknown }},
		{FieldExpires, func(e *conn.Entry) { e.Expires = maxExpires + 1 }},
		{FieldExpires, func(e *conn.Entry) { e.Timeout = 90 }},
		{FieldClient, func(e *conn.Entry) { e.Client = conn.Endpoint{} }},
		{FieldVirtual, func(e *conn.Entry) { e.Virtual.Host = "web1" }},
		{FieldVirtual, func(e *conn.Entry) { e.Virtual = conn.Endpoint{Host: "web1\n"} }},
		{FieldVirtual, func(e *conn.Entry) { e.Virtual = conn.Endpoint{Host: "web1", Service: "no name"} }},
		{FieldServer, func(e *conn.Entry) { e.Server.Port, e.Server.PortKnown = 0, false }},
		{FieldServer, func(e *conn.Entry) { e.Server = conn.Endpoint{Host: "web1"} }},
		{FieldLocal, func(e *conn.Entry) { e.Local = conn.Endpoint{Host: "web1"} }},
		{FieldEngine, func(e *conn.Entry) { e.PEData = "515" }},
		{FieldEngine, func(e *conn.Entry) { e.PEName, e.PEData = "sip", "515\n" }},
		{FieldLine, func(e *conn.Entry) { e.PEName, e.PEData = "sip", strings.Repeat("x", MaxLine) }},
		{FieldEngine, func(e *conn.Entry) { e.Local, e.PEName, e.PEData = e.Client, "sip", "515" }},
	} {
		e := good
		tt.change(&e)
		for _, write := range []func([]byte, *conn.Entry) ([]byte, error){AppendIpvsadm, AppendProc} {
			row, err := write(nil, &e)
			var u *UnwritableError
			if !errors.As(err, &u) || u.Field != tt.field || len(row) > 0 {
				t.Errorf("%+v: %q with the error %v, want one about the %s", e, row, err, tt.field)
			}
		}
	}
	// A text of 59 bytes would read as one that was cut: the port needs brackets to be known.
	e := good
	e.Client = conn.Endpoint{Host: strings.Repeat("a", 56), Port: 80, PortKnown: true}
	checkWritten(t, &Line{Format: Ipvsadm, Entry: e})
}

// TestWriteDoesNotAllocate pins numeric entries, of both families and in both formats.
func TestWriteDoesNotAllocate(t *testing.T) {
	for _, tt := range []struct {
		name  string
		write func([]byte, *conn.Entry) ([]byte, error)
	}{
		{"k6.1-ipvsadm-Lnc.txt", AppendIpvsadm},
		{"k6.1-ip-vs-conn-sync.txt", AppendProc},
		{"k6.1-ip-vs-conn.txt", AppendProc},
		{"fullnat-proc.txt", AppendProc},
		{"fullnat-ipvsadm.txt", AppendIpvsadm},
		{"dpvs.txt", AppendIpvsadm},
	} {
		var entries []conn.Entry
		entriesOf(t, "../../testdata/"+tt.name, func(l Line, _ string) { entries = append(entries, l.Entry) })
		dst := make([]byte, 0, 1<<10)
		allocs := testing.AllocsPerRun(100, func() {
			for i := range entries {
				if _, err := tt.write(dst, &entries[i]); err != nil {
					t.Fatal(err)
				}
			}
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations for %d entries", tt.name, allocs, len(entries))
		}
	}
}

func BenchmarkAppendIpvsadm(b *testing.B) { benchmarkWrite(b, AppendIpvsadm) }
func BenchmarkAppendProc(b *testing.B)    { benchmarkWrite(b, AppendProc) }

// benchmarkWrite writes single rows: the time is that of one.
func benchmarkWrite(b *testing.B, write func([]byte, *conn.Entry) ([]byte, error)) {
	for _, tt := range []struct{ name, row string }{
		{"ipv4", "TCP 14:57  ESTABLISHED 10.0.1.10:44380    10.0.1.100:80      10.0.0.12:80\n"},
		{"ipv6", "TCP 14:57  ESTABLISHED [2001:db8::10f2:3e]:44380 [2001:db8:1::64]:443 [2001:db8:2::c]:8080\n"},
		{"names", "TCP 14:57  ESTABLISHED client1.example:44380 vip:https          real1:http-alt\n"},
	} {
		var s Scanner
		if s.Reset([]byte(tt.row)); !s.Scan() || s.Line().Kind != EntryLine {
			b.Fatalf("%q is no entry", tt.row)
		}
		e := s.Line().Entry
		dst := make([]byte, 0, 1<<10)
		if _, err := write(dst, &e); err != nil {
			continue
		}
		b.Run(tt.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := write(dst, &e); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
