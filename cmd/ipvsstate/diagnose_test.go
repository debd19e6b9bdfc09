package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ipvsstate/internal/diagnose"
)

// scene is a director's table as ipvsadm -Lcn prints it, with what stands in front of it.
type scene struct {
	config []string
	rows   strings.Builder
	n      int
	// kernel counts active and inactive connections as the kernel would, by the two ends
	// of its column of addresses.
	kernel map[string][2]int
}

const configTitles = "IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n"

// service configures one: "TCP 192.0.2.1:80 rr", and servers "10.0.0.1:80 Masq 1", with
// the kernel's counters where they differ from the table's.
func (s *scene) service(line string, servers ...string) *scene {
	w := strings.SplitN(line, " ", 3)
	s.config = append(s.config, fmt.Sprintf("%-4s %s %s", w[0], w[1], w[2]))
	for _, v := range servers {
		s.config = append(s.config, "-> "+w[0]+" "+w[1]+" "+v)
	}
	return s
}

// sysctl puts a line as sysctl -a prints it.
func (s *scene) sysctl(name string, value int) *scene {
	s.config = append(s.config, fmt.Sprintf("net.ipv4.vs.%s = %d", name, value))
	return s
}

// add puts rows of connections, from as many clients: "TCP ESTABLISHED 192.0.2.1:80
// 10.0.0.1:80". Time left goes through the whole of the timeout, as it does where
// connections are used now and then.
func (s *scene) add(n int, what string) *scene { return s.from(n, what, scattered, 0) }

// left puts rows with so much time left.
func (s *scene) left(n int, what string, left int) *scene { return s.from(n, what, scattered, left) }

func scattered(i int) string { return fmt.Sprintf("%d.%d.%d.%d", 11+i%90, i/7%256, i*13%256, 1+i%250) }

func one(int) string { return "198.51.100.7" }

func tenClients(i int) string { return fmt.Sprintf("198.51.%d.7", i%10) }

func network(i int) string { return fmt.Sprintf("198.51.100.%d", i%256) }

func (s *scene) from(n int, what string, client func(int) string, left int) *scene {
	w := strings.Fields(what)
	timeout := map[string]int{"ESTABLISHED": 900, "UDP": 300, "SYN_RECV": 60, "CLOSE_WAIT": 60, "CLOSE": 10, "ASSURED": 3600}[w[1]]
	if timeout == 0 {
		timeout = 120
	}
	for range n {
		s.n++
		l := left
		if l == 0 {
			l = timeout - (s.n*s.n)%(timeout/2)
		}
		port := 1024 + s.n%60000
		if w[1] == "ASSURED" || w[1] == "NONE" {
			port = 0
		}
		if port > 0 {
			counters := s.kernel[w[0]+" "+w[2]+" "+w[3]]
			if w[0] == "TCP" && (w[1] == "ESTABLISHED" || w[1] == "SYN_RECV" || w[1] == "SYNACK") {
				counters[0]++
			} else {
				counters[1]++
			}
			s.kernel[w[0]+" "+w[2]+" "+w[3]] = counters
		}
		fmt.Fprintf(&s.rows, "%-3s %02d:%02d  %-11s %-18s %-18s %s\n", w[0], l/60, l%60, w[1], fmt.Sprintf("%s:%d", client(s.n), port), w[2], w[3])
	}
	return s
}

func (s *scene) String() string {
	var text strings.Builder
	if len(s.config) > 0 {
		text.WriteString(configTitles)
	}
	for _, line := range s.config {
		server, is := strings.CutPrefix(line, "-> ")
		if !is {
			text.WriteString(line + "\n")
			continue
		}
		w := strings.Fields(server)
		if len(w) == 5 {
			n := s.kernel[strings.Join(w[:3], " ")]
			w = append(w, fmt.Sprint(n[0]), fmt.Sprint(n[1]))
		}
		fmt.Fprintf(&text, "  -> %-28s %-7s %-6s %-10s %-10s\n", w[2], w[3], w[4], w[5], w[6])
	}
	return text.String() + "IPVS connection entries\npro expire state       source             virtual            destination\n" + s.rows.String()
}

func newScene() *scene { return &scene{kernel: map[string][2]int{}} }

const (
	web    = "192.0.2.1:80"
	first  = "10.0.0.1:80"
	second = "10.0.0.2:80"
)

// natWeb is a service under NAT, drWeb one under direct routing, each with two servers
// that work.
func natWeb() *scene {
	s := newScene().service("TCP "+web+" wlc", first+" Masq 1", second+" Masq 1")
	for _, server := range []string{first, second} {
		s.add(600, "TCP ESTABLISHED "+web+" "+server).add(300, "TCP TIME_WAIT "+web+" "+server).add(60, "TCP FIN_WAIT "+web+" "+server).
			add(20, "TCP SYN_RECV "+web+" "+server).add(15, "TCP CLOSE_WAIT "+web+" "+server).add(15, "TCP CLOSE "+web+" "+server)
	}
	return s
}

func drWeb() *scene {
	s := newScene().service("TCP "+web+" wrr", first+" Route 1", second+" Route 1")
	for _, server := range []string{first, second} {
		s.add(400, "TCP ESTABLISHED "+web+" "+server).add(900, "TCP FIN_WAIT "+web+" "+server).add(20, "TCP SYN_RECV "+web+" "+server).add(10, "TCP CLOSE "+web+" "+server)
	}
	return s
}

// threeServers is a service of which two servers work.
func threeServers() *scene {
	return newScene().service("TCP "+web+" wlc", first+" Masq 1", second+" Masq 1", "10.0.0.3:80 Masq 1").
		add(100, "TCP ESTABLISHED "+web+" "+first).add(100, "TCP ESTABLISHED "+web+" "+second)
}

// bare is a table without a configuration.
func bare() *scene { return newScene().add(500, "TCP ESTABLISHED "+web+" "+second) }

type found struct {
	Findings []struct {
		Code, Severity, Text string
		Facts                map[string]any
		Run                  *string
	}
	Asked   int                     `json:"rules_asked"`
	Skipped []struct{ Code string } `json:"rules_skipped"`
}

// diagnosis is what the program says of a listing.
func diagnosis(t *testing.T, listing string, args ...string) found {
	t.Helper()
	file := filepath.Join(t.TempDir(), "listing.txt")
	if err := os.WriteFile(file, []byte(listing), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code := run(t.Context(), testApp(&out, &errs, 100, map[string]string{"LC_ALL": "C"}), append([]string{"diagnose", "-o", "json", file}, args...))
	var d found
	if err := json.Unmarshal(out.Bytes(), &d); err != nil {
		t.Fatalf("exits %d, prints %s%s: %v", code, &out, &errs, err)
	}
	worse := slices.ContainsFunc(d.Findings, func(f struct {
		Code, Severity, Text string
		Facts                map[string]any
		Run                  *string
	}) bool {
		return f.Severity != "notice"
	})
	if worse != (code == exitFound) || !worse && code != 0 {
		t.Errorf("exits %d with findings %v", code, d.Findings)
	}
	return d
}

func (d *found) codes() []string {
	all := []string{}
	for _, f := range d.Findings {
		all = append(all, f.Code)
	}
	return all
}

// TestRules: each rule fires on a listing that has what it looks for, alone, and is
// silent on one that nearly has.
func TestRules(t *testing.T) {
	tests := []struct {
		code        string
		fires, miss *scene
		says        string
		also        []string // other rules that rightly fire
	}{
		{"LVS001", threeServers().add(60, "TCP SYN_RECV "+web+" 10.0.0.3:80"), threeServers().add(19, "TCP SYN_RECV "+web+" 10.0.0.3:80").add(80, "TCP ESTABLISHED "+web+" 10.0.0.3:80"), "10.0.0.3:80 does not answer", nil},
		{"LVS001", bare().add(60, "TCP SYN_RECV "+web+" "+first).add(20, "TCP ESTABLISHED "+web+" "+first), bare().add(60, "TCP SYN_RECV "+web+" "+first).add(80, "TCP ESTABLISHED "+web+" "+first), "60 of its 80 connections", nil},
		{"LVS002", newScene().service("TCP "+web+" rr", first+" Masq 1", second+" Masq 1").add(80, "TCP SYN_RECV "+web+" "+first).add(70, "TCP SYN_RECV "+web+" "+second),
			newScene().service("TCP "+web+" rr", first+" Masq 1", second+" Masq 1").add(15, "TCP SYN_RECV "+web+" "+first).add(10, "TCP SYN_RECV "+web+" "+second), "do answers pass the director", nil},
		{"LVS002", newScene().service("TCP "+web+" rr", first+" Route 1", second+" Route 1").add(80, "TCP SYN_RECV "+web+" "+first).add(70, "TCP SYN_RECV "+web+" "+second),
			drWeb(), "have they the virtual address", nil},
		{"LVS002", newScene().add(80, "TCP SYN_RECV "+web+" "+first), newScene().add(80, "TCP SYN_RECV "+web+" "+first).add(100, "TCP ESTABLISHED "+web+" "+first), "no server answers, 80 of 80", nil},
		{"LVS003", natWeb().add(2000, "TCP SYN_RECV "+web+" "+first).add(2000, "TCP SYN_RECV "+web+" "+second), natWeb().add(250, "TCP SYN_RECV "+web+" "+first).add(250, "TCP SYN_RECV "+web+" "+second), "a SYN flood", nil},
		{"LVS004", natWeb().from(2000, "TCP SYN_RECV "+web+" "+first, network, 0).from(2000, "TCP SYN_RECV "+web+" "+second, network, 0),
			natWeb().from(200, "TCP SYN_RECV "+web+" "+first, network, 0).from(200, "TCP SYN_RECV "+web+" "+second, network, 0), "198.51.100.0/24 has 4,000 of the 4,040", []string{"LVS012"}},
		{"LVS005", natWeb().service("TCP 192.0.2.1:81 rr", "10.0.0.1:81 Masq 1", "10.0.0.2:81 Masq 1").add(80, "TCP CLOSE 192.0.2.1:81 10.0.0.1:81").add(200, "TCP ESTABLISHED 192.0.2.1:81 10.0.0.2:81").add(70, "TCP ESTABLISHED 192.0.2.1:81 10.0.0.1:81"),
			natWeb().service("TCP 192.0.2.1:81 rr", "10.0.0.1:81 Masq 1", "10.0.0.2:81 Masq 1").add(80, "TCP CLOSE 192.0.2.1:81 10.0.0.1:81").add(80, "TCP CLOSE 192.0.2.1:81 10.0.0.2:81").add(90, "TCP ESTABLISHED 192.0.2.1:81 10.0.0.2:81").add(70, "TCP ESTABLISHED 192.0.2.1:81 10.0.0.1:81"), "10.0.0.1:81 refuses", nil},
		{"LVS006", natWeb().add(400, "TCP CLOSE_WAIT "+web+" "+first), natWeb().add(100, "TCP CLOSE_WAIT "+web+" "+first), "415 in CLOSE_WAIT, of 1,410", nil},
		{"LVS007", natWeb().add(2000, "TCP FIN_WAIT "+web+" "+first).add(2000, "TCP FIN_WAIT "+web+" "+second), drWeb().add(2000, "TCP FIN_WAIT "+web+" "+first).add(2000, "TCP FIN_WAIT "+web+" "+second), "wait for the second FIN", nil},
		{"LVS008", natWeb().left(800, "TCP ESTABLISHED "+web+" "+first, 120).left(800, "TCP ESTABLISHED "+web+" "+second, 200), natWeb().left(300, "TCP ESTABLISHED "+web+" "+first, 120).left(300, "TCP ESTABLISHED "+web+" "+second, 200), "silent for 10 minutes", nil},
		{"LVS008", natWeb().left(250, "TCP ESTABLISHED "+web+" "+first, 20).left(250, "TCP ESTABLISHED "+web+" "+second, 50), natWeb().left(50, "TCP ESTABLISHED "+web+" "+first, 20).left(50, "TCP ESTABLISHED "+web+" "+second, 50), "dropped within a minute", nil},
		{"LVS009", natWeb().sysctl("expire_nodest_conn", 0).left(40, "TCP ESTABLISHED "+web+" 10.0.0.9:80", 600), natWeb().sysctl("expire_nodest_conn", 0).left(2, "TCP ESTABLISHED "+web+" 10.0.0.9:80", 600), "0 drops their packets", nil},
		{"LVS009", natWeb().left(40, "TCP ESTABLISHED 192.0.2.9:80 10.0.0.9:80", 600), natWeb(), "a service that is gone", nil},
		{"LVS009", natWeb().left(3, "TCP ESTABLISHED "+web+" 10.0.0.8:80", 600).left(3, "TCP ESTABLISHED "+web+" 10.0.0.9:80", 600), natWeb().left(3, "TCP TIME_WAIT "+web+" 10.0.0.8:80", 60).left(3, "TCP TIME_WAIT "+web+" 10.0.0.9:80", 60), "2 real servers are no longer in", nil},
		{"LVS005", newScene().service("TCP "+web+" rr", first+" Masq 1", second+" Masq 1").add(150, "TCP CLOSE "+web+" "+first).add(150, "TCP CLOSE "+web+" "+second), natWeb(), "all servers refuse", nil},
		{"LVS003", newScene().service("TCP "+web+" rr", first+" Masq 1", second+" Masq 1").from(300, "TCP SYN_RECV "+web+" "+first, tenClients, 0).from(300, "TCP SYN_RECV "+web+" "+second, tenClients, 0).add(250, "TCP ESTABLISHED "+web+" "+first).add(250, "TCP ESTABLISHED "+web+" "+second), natWeb(), "from 10 clients", nil},
		{"LVS014", natWeb().service("TCP 192.0.2.2:80 rr").service("TCP 192.0.2.3:80 rr"), natWeb(), "refused: 2, TCP 192.0.2.2:80 for one", nil},
		{"LVS010", newScene().service("TCP "+web+" wlc", first+" Masq 0", second+" Masq 1").add(40, "TCP ESTABLISHED "+web+" "+first).add(300, "TCP ESTABLISHED "+web+" "+second).add(5, "TCP ASSURED "+web+" "+first),
			newScene().service("TCP "+web+" wlc", first+" Masq 0", second+" Masq 1").add(300, "TCP ESTABLISHED "+web+" "+second), "established: 40", nil},
		{"LVS011", newScene().service("TCP "+web+" wlc", first+" Masq 1", second+" Masq 1").add(100, "TCP ESTABLISHED "+web+" "+first).add(500, "TCP ESTABLISHED "+web+" "+second),
			newScene().service("TCP "+web+" wlc", first+" Masq 1", second+" Masq 5").add(100, "TCP ESTABLISHED "+web+" "+first).add(500, "TCP ESTABLISHED "+web+" "+second), "most are long-lived", nil},
		{"LVS011", newScene().service("TCP "+web+" wlc persistent 300", first+" Masq 1", second+" Masq 1").add(100, "TCP ESTABLISHED "+web+" "+first).add(500, "TCP ESTABLISHED "+web+" "+second),
			newScene().service("TCP "+web+" wlc persistent 300", first+" Masq 1", second+" Masq 1").add(8, "TCP ESTABLISHED "+web+" "+first).add(3, "TCP ESTABLISHED "+web+" "+second), "persistence", nil},
		{"LVS004", natWeb().from(1200, "TCP SYN_RECV "+web+" "+first, network, 0), natWeb().add(1200, "TCP SYN_RECV "+web+" "+first), "198.51.100.0/24 has 1,200", nil},
		{"LVS001", newScene().service("TCP "+web+" rr", first+" Route 1", second+" Route 1").add(200, "TCP ESTABLISHED "+web+" "+second).add(60, "TCP SYNACK "+web+" "+first),
			newScene().service("TCP "+web+" rr", first+" Masq 1", second+" Masq 1").add(200, "TCP ESTABLISHED "+web+" "+second).add(60, "TCP SYNACK "+web+" "+first), "60 of its 60 connections", []string{"LVS024", "LVS011"}},
		{"LVS011", newScene().service("TCP "+web+" rr", first+" Masq 1", second+" Masq 1", "10.0.0.3:80 Masq 0").add(30, "TCP TIME_WAIT "+web+" "+first).add(300, "TCP TIME_WAIT "+web+" "+second).add(40, "TCP TIME_WAIT "+web+" 10.0.0.3:80"),
			newScene().service("TCP "+web+" rr", second+" Masq 1", "10.0.0.3:80 Masq 0").add(300, "TCP TIME_WAIT "+web+" "+second).add(300, "TCP TIME_WAIT "+web+" 10.0.0.3:80"), "has 9.1% of the connections, by its weight it should have 50.0% (of 330)", []string{"LVS010"}},
		{"LVS012", natWeb().from(500, "TCP ESTABLISHED "+web+" "+first, one, 0).from(500, "TCP ESTABLISHED "+web+" "+second, one, 0), natWeb().from(200, "TCP ESTABLISHED "+web+" "+first, one, 0).from(200, "TCP ESTABLISHED "+web+" "+second, one, 0), "client 198.51.100.7 has 1,000", nil},
		{"LVS012", natWeb().from(1500, "TCP ESTABLISHED "+web+" "+first, network, 0).from(1500, "TCP ESTABLISHED "+web+" "+second, network, 0), natWeb().from(700, "TCP ESTABLISHED "+web+" "+first, network, 0).from(700, "TCP ESTABLISHED "+web+" "+second, network, 0), "network 198.51.100.0/24", nil},
		{"LVS013", newScene().service("UDP 192.0.2.1:53 rr", "10.0.0.1:53 Masq 1").add(90, "UDP UDP 192.0.2.1:53 10.0.0.1:53").left(9, "UDP UDP 192.0.2.1:53 10.0.0.9:53", 290),
			newScene().service("UDP 192.0.2.1:53 rr", "10.0.0.1:53 Masq 1").add(90, "UDP UDP 192.0.2.1:53 10.0.0.1:53"), "their datagrams are lost", nil},
		{"LVS013", newScene().service("UDP 192.0.2.1:53 rr", "10.0.0.1:53 Masq 1", "10.0.0.9:53 Masq 0").add(90, "UDP UDP 192.0.2.1:53 10.0.0.1:53").left(9, "UDP UDP 192.0.2.1:53 10.0.0.9:53", 290),
			newScene().service("UDP 192.0.2.1:53 rr", "10.0.0.1:53 Masq 1", "10.0.0.9:53 Masq 0").add(90, "UDP UDP 192.0.2.1:53 10.0.0.1:53").left(9, "UDP UDP 192.0.2.1:53 10.0.0.9:53", 100), "has weight 0, and datagrams", nil},
		{"LVS014", natWeb().service("TCP 192.0.2.2:80 rr"), natWeb().service("TCP 192.0.2.2:80 rr", "10.0.0.9:80 Masq 1").add(10, "TCP ESTABLISHED 192.0.2.2:80 10.0.0.9:80"), "192.0.2.2:80 has no real server", nil},
		{"LVS014", natWeb().service("TCP 192.0.2.2:80 rr", "10.0.0.9:80 Masq 0"), natWeb(), "have weight 0, so that new clients", nil},
		{"LVS015", natWeb().service("TCP 192.0.2.2:80 rr", "10.0.0.9:80 Masq 1").service("TCP 192.0.2.3:80 rr", "10.0.0.8:80 Masq 1").add(50, "TCP ESTABLISHED 192.0.2.3:80 10.0.0.8:80"),
			natWeb().service("UDP 192.0.2.2:53 rr ops", "10.0.0.9:53 Masq 1").service("TCP 192.0.2.3:80 rr", "10.0.0.8:80 Masq 1").add(50, "TCP ESTABLISHED 192.0.2.3:80 10.0.0.8:80"), "192.0.2.2:80 has no connection", nil},
		{"LVS016", newScene().service("TCP "+web+" wlc persistent 7200", first+" Masq 1").add(20, "TCP ESTABLISHED "+web+" "+first).add(400, "TCP ASSURED "+web+" "+first),
			newScene().service("TCP "+web+" wlc persistent 7200", first+" Masq 1").add(60, "TCP ESTABLISHED "+web+" "+first).add(400, "TCP ASSURED "+web+" "+first), "400 templates", nil},
		{"LVS017", newScene().service("TCP "+web+" wlc persistent 600", first+" Masq 1").add(200, "TCP ESTABLISHED "+web+" "+first).left(150, "TCP ASSURED "+web+" "+first, 50).left(50, "TCP ASSURED "+web+" "+first, 500),
			newScene().service("TCP "+web+" wlc persistent 600", first+" Masq 1").add(200, "TCP ESTABLISHED "+web+" "+first).left(50, "TCP ASSURED "+web+" "+first, 50).left(150, "TCP ASSURED "+web+" "+first, 500), "150 of 200 templates", nil},
		{"LVS020", newScene().service("TCP "+web+" wlc", first+" Masq 1 100 300").add(100, "TCP ESTABLISHED "+web+" "+first).add(100, "TCP TIME_WAIT "+web+" "+first),
			newScene().service("TCP "+web+" wlc", first+" Masq 1 100 110").add(100, "TCP ESTABLISHED "+web+" "+first).add(100, "TCP TIME_WAIT "+web+" "+first), "the kernel counts 100+300, the table has 200", nil},
		{"LVS022", natWeb().sysctl("conn_max", 2400), natWeb().sysctl("conn_max", 1_000_000), "conn_max allows 2,400", nil},
		{"LVS023", drWeb().add(200, "TCP CLOSE_WAIT "+web+" "+first), drWeb().add(15, "TCP CLOSE_WAIT "+web+" "+first), "200 of its 1,530 connections", nil},
		{"LVS024", natWeb().add(30, "TCP SYNACK "+web+" "+first), natWeb(), "secure_tcp", nil},
		{"LVS025", natWeb().add(12000, "TCP ESTABLISHED "+web+" "+first).add(12000, "TCP ESTABLISHED "+web+" "+second).from(4000, "TCP TIME_WAIT "+web+" "+first, one, 0).from(4000, "TCP TIME_WAIT "+web+" "+second, one, 0),
			natWeb().add(12000, "TCP ESTABLISHED "+web+" "+first).add(12000, "TCP ESTABLISHED "+web+" "+second).add(4000, "TCP TIME_WAIT "+web+" "+first).add(4000, "TCP TIME_WAIT "+web+" "+second), "8,000 ports in TIME_WAIT", []string{"LVS021"}},
	}
	fired := map[string]bool{}
	for i, tt := range tests {
		t.Run(fmt.Sprintf("%s-%d", tt.code, i), func(t *testing.T) {
			d := diagnosis(t, tt.fires.String())
			at := slices.Index(d.codes(), tt.code)
			if at < 0 {
				t.Fatalf("it does not fire: %v", d.Findings)
			}
			fired[tt.code] = true
			if f := d.Findings[at]; !strings.Contains(f.Text, tt.says) || strings.Contains(f.Text, "%!") || f.Run == nil {
				t.Errorf("it says %q, run %v", f.Text, f.Run)
			}
			for _, c := range d.codes() {
				if c != tt.code && !slices.Contains(tt.also, c) {
					t.Errorf("%s fires too: %v", c, d.Findings)
				}
			}
			if d := diagnosis(t, tt.miss.String()); slices.Contains(d.codes(), tt.code) {
				t.Errorf("it fires on the near miss: %v", d.Findings)
			}
		})
	}
	for _, r := range diagnose.Rules() {
		elsewhere := []string{"LVS018", "LVS019", "LVS021", "LVS026"} // see TestDirectorRules
		if !fired[r.Code] && !slices.Contains(elsewhere, r.Code) {
			t.Errorf("%s has no listing that fires it", r.Code)
		}
	}
}

// TestDirectorRules: the rules of the director itself and of the listing, with what tells
// of it saved beside.
func TestDirectorRules(t *testing.T) {
	const head, procHead = "IPVS connection entries\npro expire state       source             virtual            destination\n", "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Origin Expires\n"
	proc := func(n int, origin string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "TCP C6336407 %04X C0000201 0050 0A000001 0050 ESTABLISHED %-6s %7d\n", 1024+i, origin, 300+i%600)
		}
		return procHead + b.String()
	}
	backup, master := "backup sync daemon (mcast=eth1, syncid=1)\n", "master sync daemon (mcast=eth1, syncid=1)\n"
	tests := []struct{ code, fires, miss, says string }{
		{"LVS018", backup + proc(0, ""), backup + proc(5, "SYNC"), "listens on eth1"},
		{"LVS018", backup + proc(5, "LOCAL"), master + backup + proc(5, "LOCAL"), "none of the entries (5)"},
		{"LVS019", master + proc(200, "SYNC"), master + proc(200, "SYNC") + strings.TrimPrefix(proc(10, "LOCAL"), procHead), "200 of its 200"},
		{"LVS021", configTitles + natWeb().add(40000, "TCP ESTABLISHED "+web+" "+first).String(), configTitles + natWeb().String(), "4,096 hash buckets"},
		{"LVS026", head + strings.Repeat("TCP 14:59  ESTABLISHED 192.0.2.1:1000     10.0.1.1:80        10.0.0.1:80\n", 50) + "TCP 14:59  ESTABLISHED 192.0.2.1000       10.0.1.1:80        10.0.0.1:80\n",
			head + strings.Repeat("TCP 14:59  ESTABLISHED 192.0.2.1:1000     10.0.1.1:80        10.0.0.1:80\n", 150) + "TCP 14:59  ESTABLISHED 192.0.2.1000       10.0.1.1:80        10.0.0.1:80\n", "1 of 51 rows"},
		{"LVS026", procHead + "TCP C6336407 0400 C0000201 0050 0A000001 0050 ESTABLISHED LOCAL      300\n" + "TCP 14:59  ESTABLISHED 192.0.2.1:1000     10.0.1.1:80        10.0.0.1:80\n", proc(2, "LOCAL"), "several formats"},
	}
	for i, tt := range tests {
		d := diagnosis(t, tt.fires)
		if at := slices.Index(d.codes(), tt.code); at < 0 || !strings.Contains(d.Findings[at].Text, tt.says) {
			t.Errorf("%d: %s does not fire, or says something else: %v", i, tt.code, d.Findings)
		}
		if d := diagnosis(t, tt.miss); slices.Contains(d.codes(), tt.code) {
			t.Errorf("%d: %s fires on the near miss: %v", i, tt.code, d.Findings)
		}
	}
}

// TestManyAlike: a hundred findings of a rule do not hide the one of another; --verbose
// and JSON have all.
func TestManyAlike(t *testing.T) {
	s := natWeb().sysctl("conn_max", 2500)
	for i := range 100 {
		s.service(fmt.Sprintf("TCP 192.0.2.2:%d rr", 1000+i), "10.0.0.9:80 Masq 0")
	}
	file := filepath.Join(t.TempDir(), "listing.txt")
	if err := os.WriteFile(file, []byte(s.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		want int
	}{{[]string{"diagnose", file}, 3}, {[]string{file}, 3}, {[]string{"diagnose", "--verbose", file}, 100}, {[]string{"-o", "wide", file}, 100}} {
		var out, errs bytes.Buffer
		run(t.Context(), testApp(&out, &errs, 100, map[string]string{"LC_ALL": "C"}), tt.args)
		if got := strings.Count(out.String(), "LVS014  "); got != tt.want || !strings.Contains(out.String(), "LVS022") {
			t.Errorf("%v: %d findings of LVS014, want %d, and LVS022:\n%s", tt.args, got, tt.want, &out)
		}
		if more := strings.Contains(out.String(), "97 more"); more != (tt.want == 3) {
			t.Errorf("%v: it says %v that there are more", tt.args, more)
		}
	}
}

// TestHealthy: a busy director with nothing wrong has no finding.
func TestHealthy(t *testing.T) {
	for name, s := range map[string]*scene{"NAT": natWeb(), "direct routing": drWeb(), "without a configuration": bare(), "nothing": newScene()} {
		if d := diagnosis(t, s.String()); len(d.Findings) > 0 {
			t.Errorf("%s: %v", name, d.Findings)
		}
	}
}

// TestBundledListings: what the bundled captures have, which are of a laboratory and
// small, and of known damage.
func TestBundledListings(t *testing.T) {
	want := map[string][]string{
		"k6.1-synack.txt": {"LVS024"}, "k4.15-stale-template.txt": {"LVS026"}, "k6.1-stale-template.txt": {"LVS026"}, "wild.txt": {"LVS026", "LVS026"},
		"fullnat-garbled.txt": {"LVS026"}, "k6.1-mixed-family-with-sync-daemon-running.txt": {"LVS026"},
	}
	files, err := filepath.Glob("../../testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no listings:", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		if slices.Contains([]string{"k6.1-ipvsadm-Ln.txt", "k6.1-ipvsadm-nobody.txt", "k6.1-ipvsadm-Lnc-t.txt", "k6.1-ipvsadm-Lnc-t-1.txt"}, name) {
			continue // no listing of connections
		}
		d := diagnosis(t, string(text))
		if got := d.codes(); !slices.Equal(got, want[name]) && len(got)+len(want[name]) > 0 {
			t.Errorf("%s: %v, want %v", name, d.Findings, want[name])
		}
	}
}
