package history

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"ipvsstate/internal/conn"
)

func text(t *testing.T, s *Snapshot) string {
	t.Helper()
	var b bytes.Buffer
	n, err := s.Write(&b)
	if err != nil {
		t.Fatal(err)
	}
	if got := readText(t, b.Bytes()); got.Entries+got.Bad != n || got.Torn {
		t.Errorf("%d entries are told of, %d read back, torn %v", n, got.Entries, got.Torn)
	}
	return b.String()
}

// TestText: what stands in a file cannot change, since files are kept for years.
func TestText(t *testing.T) {
	s := &Snapshot{
		Time: at, Host: "lvs1", Facts: [][2]string{{"kernel", "6.1"}, {"netns", ""}, {"missing", "over\ntwo lines"}},
		Version: "1.2.1", Buckets: 4096,
		Config: configOf(t, []byte("IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n"+
			"TCP  10.0.1.100:80 rr persistent 300\n  -> 10.0.0.12:80 Masq 1 3 2\nTimeout (tcp tcpfin udp): 900 120 300\nnet.ipv4.vs.conntrack = 0\n")),
		Table: strings.NewReader("Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n" +
			"TCP 0A00010A AD5C 0A000164 0050 0A00000C 0050 ESTABLISHED     897\n"),
	}
	want := `# ipvsstate snapshot 1 2026-11-22T05:28:40Z lvs1
# kernel: 6.1
# missing: over two lines
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
TCP  10.0.1.100:80 rr persistent 300
  -> 10.0.0.12:80                 Masq    1      3          2
Timeout (tcp tcpfin udp): 900 120 300
net.ipv4.vs.conntrack = 0
Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData
TCP 0A00010A AD5C 0A000164 0050 0A00000C 0050 ESTABLISHED     897
# ipvsstate end 1 entries
`
	if got := text(t, s); got != want {
		t.Errorf("it is\n%s\nwant\n%s", got, want)
	}
}

// TestReadsBack: entries, services, timeouts, sysctls, time and host are those that were
// recorded, and the table is in the text byte for byte.
func TestReadsBack(t *testing.T) {
	for _, name := range []string{"k6.1-ip-vs-conn-sync.txt", "k6.1-ip-vs-conn.txt", "k4.15-ip-vs-conn.txt", "fullnat-proc.txt", "k2.6-ip-vs-conn.txt"} {
		table := testdata(t, name)
		for how, reader := range map[string]io.Reader{"at once": bytes.NewReader(table), "bytes": iotest.OneByteReader(bytes.NewReader(table)), "and EOF": iotest.DataErrReader(bytes.NewReader(table))} {
			s := snapshotOf(t, nil)
			s.Table = reader
			s.Config.Timeouts = &conn.Timeouts{TCP: 30, TCPFin: 5, UDP: 7}
			s.Config.Sysctls = map[string]string{"sync_threshold": "3 50"}
			written := text(t, s)
			if !strings.Contains(written, "\n"+string(table)+"# ipvsstate end ") {
				t.Errorf("%s, %s: the table is not in it as it was", name, how)
			}
			got, want := readText(t, []byte(written)), readText(t, table)
			if !reflect.DeepEqual(got.Result, want.Result) || got.Bad != want.Bad {
				t.Errorf("%s, %s: the entries are others", name, how)
			}
			if !reflect.DeepEqual(got.Config(), s.Config) {
				t.Errorf("%s, %s: the configuration is\n%+v, want\n%+v", name, how, got.Config(), s.Config)
			}
			if !got.Time.Equal(at) || got.Recorded.Host != "lvs1" || got.Recorded.Anonymized {
				t.Errorf("%s, %s: %+v", name, how, got.Recorded)
			}
		}
	}
}

// TestShownTwice: a row that the kernel shows again, be it in another state or with another time, is
// written once, and how many were is told.
func TestShownTwice(t *testing.T) {
	title := "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Origin Expires\n"
	row := func(port, server int, state string) string {
		return fmt.Sprintf("TCP 0A00010A %04X 0A000164 0050 0A0000%02X 0050 %-11s LOCAL  %7d\n", port, server, state, port)
	}
	bad := "TCP 0A00010A 0001 0A000164 0050 0A00000C 0050 ESTABLISHED\n"
	table := title + row(1, 1, "SYN_RECV") + row(2, 1, "ESTABLISHED") + row(1, 1, "ESTABLISHED") + row(1, 1, "FIN_WAIT") +
		bad + row(1, 2, "ESTABLISHED") + bad + row(3, 1, "CLOSE") + row(2, 1, "ESTABLISHED")
	want := title + row(1, 1, "SYN_RECV") + row(2, 1, "ESTABLISHED") +
		bad + row(1, 2, "ESTABLISHED") + bad + row(3, 1, "CLOSE") +
		"# twice: 3 rows that the kernel showed a second time are left out\n# ipvsstate end 6 entries\n"
	for how, reader := range map[string]io.Reader{"at once": strings.NewReader(table), "bytes": iotest.OneByteReader(strings.NewReader(table))} {
		s := snapshotOf(t, nil)
		s.Table = reader
		if got := text(t, s); !strings.HasSuffix(got, "\n"+want) {
			t.Errorf("%s: it is\n%s\nwant\n%s", how, got, want)
		}
	}
	s := snapshotOf(t, []byte(table))
	s.Pseudonyms = RandomPseudonyms()
	if got := text(t, s); !strings.HasSuffix(got, "\n# twice: 3 rows that the kernel showed a second time are left out\n"+
		"# left out: 2 lines that could not be read, and may hold addresses\n# ipvsstate end 4 entries\n") {
		t.Errorf("anonymized it is\n%s", got)
	}
}

func TestNothingButTheTable(t *testing.T) {
	s := snapshotOf(t, listing(t))
	s.Config = nil
	if got := readText(t, []byte(text(t, s))); got.Config() != nil {
		t.Errorf("a configuration that nobody read: %+v", got.Config())
	}
	s = snapshotOf(t, []byte(strings.TrimSuffix(string(listing(t)), "\n")))
	if got, want := text(t, s), text(t, snapshotOf(t, listing(t))); got != want {
		t.Error("a last line without its newline makes a difference")
	}
}

func TestTableFails(t *testing.T) {
	wrong := errors.New("wrong")
	s := snapshotOf(t, nil)
	s.Table = io.MultiReader(bytes.NewReader(listing(t)), iotest.ErrReader(wrong))
	if _, err := s.Write(io.Discard); !errors.Is(err, wrong) {
		t.Errorf("a table that cannot be read to its end: %v", err)
	}
	s.Table = strings.NewReader(strings.Repeat("x", 1<<20))
	if _, err := s.Write(io.Discard); err == nil || !strings.Contains(err.Error(), "a line of more than") {
		t.Errorf("a line without an end: %v", err)
	}
}

// TestAnonymized: an anonymized snapshot is the other, but for clients and Call-IDs.
func TestAnonymized(t *testing.T) {
	for _, name := range []string{"k6.1-ip-vs-conn-sync.txt", "k6.1-ip-vs-conn.txt", "k4.15-ip-vs-conn.txt", "fullnat-proc.txt"} {
		table := testdata(t, name)
		s := snapshotOf(t, table)
		s.Pseudonyms = RandomPseudonyms()
		written := text(t, s)
		if !strings.Contains(written, " anonymized "+s.Pseudonyms.ID()+"\n# ") {
			t.Errorf("%s: the header does not say so", name)
		}
		got, want := readText(t, []byte(written)), readText(t, table)
		if !got.Recorded.Anonymized || !reflect.DeepEqual(got.Config(), s.Config) {
			t.Errorf("%s: %+v", name, got.Recorded)
		}
		if len(got.Result.all) != len(want.Result.all) || len(want.Result.all) == 0 {
			t.Fatalf("%s: %d entries, want %d", name, len(got.Result.all), len(want.Result.all))
		}
		for i, e := range want.Result.all {
			e.Client.Addr = s.Pseudonyms.Of(e.Client.Addr)
			if e.PEData != "" {
				e.PEData = engineData
			}
			if got.Result.all[i] != e {
				t.Errorf("%s: entry %d is\n%+v, want\n%+v", name, i, got.Result.all[i], e)
			}
		}
	}
}

// TestNothingLeaks: no client's address and no Call-ID is left anywhere in the text, rows
// that cannot be read included.
func TestNothingLeaks(t *testing.T) {
	table := string(testdata(t, "k6.1-ip-vs-conn.txt")) + "TCP 0A00010A AD5C 0A000164 0050 0A00000C 0050 ESTABLISHED\n10.0.1.10 said something\n" +
		"UDP 0A00010A 0000 0A000164 13C4 0A00000C 13C4 NONE            300 sip call-0A00010A@10.0.1.10\n"
	s := snapshotOf(t, []byte(table))
	s.Pseudonyms = RandomPseudonyms()
	written := text(t, s)
	if !strings.Contains(written, "# left out: 2 lines ") || !strings.Contains(written, " sip -\n") {
		t.Errorf("what could not be read:\n%s", written)
	}
	services := map[netip.Addr]bool{}
	clients := map[netip.Addr]bool{}
	for _, e := range readText(t, []byte(table)).Result.all {
		services[e.Virtual.Addr], services[e.Server.Addr] = true, true
		clients[e.Client.Addr] = true
	}
	for c := range clients {
		if services[c] {
			continue // it stands there as a server
		}
		for _, form := range []string{c.String(), strings.ToUpper(hexOf(c))} {
			if regexp.MustCompile(`(^|[^0-9A-Fa-f.:])` + regexp.QuoteMeta(form) + `([^0-9A-Fa-f.:]|:[0-9]+\s|$)`).MatchString(written) {
				t.Errorf("the client %s is in it", form)
			}
		}
	}
	if strings.Contains(written, "call-") {
		t.Error("the Call-ID is in it")
	}
}

func hexOf(a netip.Addr) string {
	if a.Is6() {
		return a.StringExpanded()
	}
	var b strings.Builder
	for _, c := range a.AsSlice() {
		b.WriteByte("0123456789abcdef"[c>>4])
		b.WriteByte("0123456789abcdef"[c&15])
	}
	return b.String()
}
