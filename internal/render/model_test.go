package render

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ipvsstate/internal/capture"
	"ipvsstate/internal/conn"
	"ipvsstate/internal/explain"
	"ipvsstate/internal/ipvs"
	"ipvsstate/internal/parse"
	"ipvsstate/internal/tally"
)

func words(t testing.TB, l explain.Language) *explain.Catalogue {
	t.Helper()
	c, err := explain.Load(l)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// listing is the newest snapshot of a bundled listing, as the command makes it.
func listing(t testing.TB, name string) *Summary {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	s := summaryOf(t, name, data)
	if s == nil {
		t.Fatalf("%s has no listing", name)
	}
	return s
}

// summaryOf is nil for a text without a listing.
func summaryOf(t testing.TB, name string, data []byte) *Summary {
	t.Helper()
	src := &capture.Source{Kind: capture.File, Name: name, Reader: bytes.NewReader(data)}
	r := capture.NewReader(context.Background(), src, capture.Config{Workers: 1}, func() *tally.Tally { return tally.New(tally.Options{}) })
	defer r.Close()
	var m *Summary
	for n := 1; r.Scan(); n++ {
		s := r.Snapshot()
		m = &Summary{
			Kind: src.Kind, Name: name, Format: FormatOf(&s.Counts, s.Header), Index: n, Of: n,
			Time: s.Time, TimeFrom: TimeHeader, Complete: s.Complete, CutShort: s.Message == parse.CutShort,
			Input: s.Counts, Tally: s.Result, Timeouts: conn.DefaultTimeouts, TimeoutsFrom: TimeoutsDefault,
		}
		if s.Time.IsZero() {
			m.TimeFrom = TimeUnknown
		}
	}
	return m
}

// listings are all bundled files that hold a listing.
func listings(t testing.TB) map[string]*Summary {
	t.Helper()
	files, err := filepath.Glob("../../testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no listings: %v", err)
	}
	all := make(map[string]*Summary)
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if s := summaryOf(t, filepath.Base(f), data); s != nil {
			all[s.Name] = s
		}
	}
	return all
}

func numeric(text string) conn.Endpoint {
	a := netip.MustParseAddrPort(text)
	return conn.Endpoint{Addr: a.Addr(), Port: a.Port(), PortKnown: true}
}

// add counts n entries in a state of a service, each of another client.
func add(t *tally.Tally, n int, p conn.Protocol, state, virtual, server string, change ...func(*conn.Entry)) {
	for i := range n {
		e := conn.Entry{Protocol: p, Expires: 10, Timeout: conn.Unknown, Virtual: numeric(virtual), Server: numeric(server)}
		e.State, _ = conn.StateOf(state)
		e.Client = conn.Endpoint{Addr: netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), Port: uint16(1024 + i), PortKnown: true}
		for _, c := range change {
			c(&e)
		}
		t.Add(&e)
	}
}

// asTemplate makes an entry a template.
func asTemplate(e *conn.Entry) { e.Client.Port = 0 }

// live is a reading of a kernel, with all that can be said of one.
func live(t testing.TB) *Summary {
	t.Helper()
	seen := &tally.Seen{}
	c := tally.New(tally.Options{Seen: seen})
	add(c, 1234, conn.TCP, "ESTABLISHED", "10.0.1.100:80", "10.0.0.12:80", func(e *conn.Entry) { e.Client.Addr = netip.MustParseAddr("192.0.2.1") })
	add(c, 56, conn.TCP, "SYN_RECV", "10.0.1.100:80", "10.0.0.77:80")
	add(c, 20, conn.TCP, "FIN_WAIT", "10.0.1.100:443", "10.0.0.13:443")
	add(c, 3, conn.TCP, "CLOSE", "[2001:db8::100]:443", "[2001:db8::11]:443")
	add(c, 7, conn.UDP, "UDP", "10.0.1.100:53", "10.0.0.11:53")
	add(c, 2, conn.SCTP, "ESTABLISHED", "10.0.1.100:3868", "10.0.0.11:3868")
	add(c, 2, conn.SCTP, "ESTABLISHED", "10.0.1.100:3868", "10.0.0.11:3868") // read twice
	add(c, 5, conn.TCP, "ASSURED", "10.0.1.100:443", "10.0.0.13:443", asTemplate)
	add(c, 4, conn.IP, "NONE", "0.0.0.10:0", "10.0.0.11:0", asTemplate)
	add(c, 2, conn.TCP, "NONE", "10.0.1.100:65535", "10.0.0.14:65535", asTemplate)
	return &Summary{
		Kind: capture.Kernel, Name: "/proc/net/ip_vs_conn_sync", Host: "lvs1", Index: 1, Of: 1,
		Format: FormatOf(&capture.Counts{Formats: formats(parse.ProcSync, 1335)}, parse.ProcSync),
		Time:   time.Date(2026, 11, 22, 5, 28, 40, 0, time.FixedZone("CST", 8*3600)), TimeFrom: TimeClock,
		Input:    capture.Counts{Lines: 1336, Entries: 1335, Skipped: 1},
		Tally:    c,
		Complete: true,
		Timeouts: conn.Timeouts{TCP: 30, TCPFin: 5, UDP: 7}, TimeoutsFrom: TimeoutsKernel,
		Kernel: &ipvs.Table{Path: "/proc/net/ip_vs_conn_sync", Version: "1.2.1", Buckets: 4096, Status: &ipvs.Status{Connections: 1333, Buckets: 4096}},
		Config: &conn.Config{Timeouts: &conn.Timeouts{TCP: 30, TCPFin: 5, UDP: 7}, Services: []conn.Service{
			{Protocol: conn.TCP, Virtual: numeric("10.0.1.100:80"), Scheduler: "wlc", Servers: []conn.Server{
				{Address: numeric("10.0.0.12:80"), Weight: 1, Active: 1290, Inactive: 0},
				{Address: numeric("10.0.0.77:80"), Weight: 0},
			}},
			{Protocol: conn.TCP, Virtual: numeric("10.0.1.100:443"), Scheduler: "sh", Persistent: 300, Servers: []conn.Server{
				{Address: numeric("10.0.0.13:443"), Forwarding: conn.DirectRoute, Weight: 65535, Inactive: 20},
			}},
			{Fwmark: 10, Scheduler: "rr", Persistent: 10800, Servers: []conn.Server{{Address: numeric("10.0.0.11:0"), Forwarding: conn.Tunnel, Weight: 1}}},
			{Protocol: conn.UDP, Virtual: numeric("10.0.1.100:54"), Scheduler: "rr", OnePacket: true},
		}},
	}
}

func formats(f parse.Format, n int64) (all [parse.NumFormats]int64) {
	all[f] = n
	return all
}

// unprivileged is a reading of a kernel that netlink told nothing of, interrupted.
func unprivileged(t testing.TB) *Summary {
	s := live(t)
	s.Config, s.TimeoutsFrom, s.Timeouts, s.Complete = nil, TimeoutsDefault, conn.DefaultTimeouts, false
	s.Kernel.Status = nil
	s.Missing = []Missing{{"services", "netlink: operation not permitted (it wants root or CAP_NET_ADMIN)"}}
	return s
}

// troubled is a listing with everything a reader must be warned of.
func troubled(t testing.TB) *Summary {
	s := listing(t, "fullnat-garbled.txt")
	s.Complete, s.CutShort, s.Input.Bad, s.Input.Lines = false, true, 1, s.Input.Lines+1
	s.Index, s.Of = 3, 12
	s.Kind, s.Name = capture.Stdin, "standard input"
	s.Time, s.TimeFrom = time.Date(2026, 11, 22, 5, 28, 40, 0, time.UTC), TimeName
	return s
}

// merged is two directors at one moment.
func merged(t testing.TB) *Summary {
	s := listing(t, "k6.1-ipvsadm-Lnc.txt")
	s.Merged = true
	s.Merge(listing(t, "k4.15-ip-vs-conn.txt"))
	return s
}

// many has more services than a screen shows.
func many(t testing.TB) *Summary {
	c := tally.New(tally.Options{})
	for i := range 30 {
		add(c, 1000-i, conn.TCP, "ESTABLISHED", fmt.Sprintf("10.0.2.%d:80", i), "10.0.0.12:80")
		add(c, i, conn.TCP, "FIN_WAIT", fmt.Sprintf("10.0.2.%d:80", i), "10.0.0.12:80")
	}
	return &Summary{Kind: capture.Stdin, Name: "standard input", Index: 1, Of: 1, Complete: true, Tally: c, Timeouts: conn.DefaultTimeouts, TimeoutsFrom: TimeoutsDefault,
		Format: FormatOf(&capture.Counts{Formats: formats(parse.Ipvsadm, 1)}, parse.Auto), TimeFrom: TimeUnknown}
}

// hostile holds texts that are after the terminal, the spreadsheet and the ticket.
func hostile(t testing.TB) *Summary {
	c := tally.New(tally.Options{})
	proto, _ := conn.ProtocolOf("@SUM(1)")
	for i, state := range []string{"\x1b[2J\x07", "=1+2", "a|b*c_d`e<f>[g]", "\u202egnp\u2066", "\xff\xfe", "状态，很长", "LINE\nBREAK"} {
		add(c, 10-i, conn.TCP, state, "10.0.1.100:80", "10.0.0.12:80")
	}
	add(c, 2, proto, "NEW", "10.0.1.100:80", "10.0.0.12:80", func(e *conn.Entry) {
		e.Virtual = conn.Endpoint{Host: "evil\x1b]0;owned\x07.example", Service: "=cmd", PortKnown: false}
	})
	add(c, 1, conn.TCP, "", "10.0.1.100:80", "10.0.0.12:80")
	add(c, 1, conn.TCP, "", "10.0.1.100:80", "10.0.0.12:80", asTemplate)
	return &Summary{Kind: capture.File, Name: "saved\x1b[31m|*.txt", Host: "l\x07vs", Index: 1, Of: 1, Complete: true, Tally: c,
		Timeouts: conn.DefaultTimeouts, TimeoutsFrom: TimeoutsDefault, Format: FormatOf(&capture.Counts{Formats: formats(parse.Ipvsadm, 1)}, parse.Auto), TimeFrom: TimeUnknown}
}

// empty is a listing with a header and no rows.
func empty(t testing.TB) *Summary {
	return summaryOf(t, "empty.txt", []byte("IPVS connection entries\npro expire state       source             virtual            destination\n"))
}

// summaries are what the goldens show.
func summaries(t testing.TB) map[string]*Summary {
	t.Helper()
	all := map[string]*Summary{
		"live": live(t), "unprivileged": unprivileged(t), "troubled": troubled(t), "merged": merged(t), "many": many(t), "hostile": hostile(t), "empty": empty(t),
	}
	for _, name := range []string{"k6.1-ipvsadm-Lc.txt", "k4.15-stale-template.txt", "dpvs.txt", "wild.txt"} {
		all[strings.TrimSuffix(name, ".txt")] = listing(t, name)
	}
	return all
}
