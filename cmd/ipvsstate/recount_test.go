package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/render"
)

// These tests hold the commands against each other: what `list` writes as CSV is counted,
// chosen and sorted again by a few lines that know nothing of the program but the names of
// its columns.

// row is an entry as `list -o csv` writes it.
type row map[string]string

// entriesOf are the lines of `list -o csv`, the titles first, and rows what the others say.
func entriesOf(t *testing.T, args ...string) (lines []string, rows []row) {
	t.Helper()
	out := inProcess(t, 0, append([]string{"list", "-o", "csv"}, args...)...)
	lines = strings.SplitAfter(out, "\n")
	lines = lines[:len(lines)-1]
	all, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != len(lines) {
		t.Fatalf("%d rows on %d lines", len(all), len(lines))
	}
	for _, cells := range all[1:] {
		r := row{}
		for c, cell := range cells {
			r[all[0][c]] = cell
		}
		rows = append(rows, r)
	}
	return lines, rows
}

// endpoint takes an endpoint's text apart; a service's name is its port where it has one.
func (r row) endpoint(column string) (addr netip.Addr, host, port string) {
	text := r[column]
	host = text
	if i := strings.LastIndexByte(text, ':'); i >= 0 && !strings.HasSuffix(text, "]") {
		host, port = text[:i], text[i+1:]
	}
	if a, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		addr = a
	}
	if n, ok := portNumber(r, port); ok {
		port = strconv.Itoa(n)
	}
	return addr, host, port
}

func portNumber(r row, port string) (int, bool) {
	if n, err := strconv.Atoi(port); err == nil {
		return n, true
	}
	p, _ := conn.ProtocolOf(r["protocol"])
	if n, ok := conn.ServicePort(p, port); ok && port != "" {
		return int(n), true
	}
	return 0, false
}

// of is a row's value in a dimension, as `summary --by` writes it.
func (r row) of(by string) string {
	withPort := func(column string) string {
		_, host, port := r.endpoint(column)
		if port != "" {
			return host + ":" + port
		}
		return host
	}
	switch by {
	case "state", "protocol", "forwarding", "origin":
		return r[by]
	case "service":
		addr, _, _ := r.endpoint("virtual")
		switch {
		case r["kind"] == "invalidated_template":
			return ""
		case r["kind"] == "fwmark_template" && addr.IsValid():
			b := addr.AsSlice()
			mark := fmt.Sprintf("fwmark %d", uint32(b[0])<<24|uint32(b[1])<<16|uint32(b[2])<<8|uint32(b[3]))
			if addr.Is6() {
				mark += " IPv6"
			}
			return mark
		}
		return r["protocol"] + " " + withPort("virtual")
	case "server":
		if addr, _, port := r.endpoint("server"); addr.IsValid() && port == "" {
			return addr.String()
		}
		return withPort("server")
	case "port":
		if r["kind"] == "invalidated_template" || r["kind"] == "fwmark_template" {
			return ""
		}
		_, _, port := r.endpoint("virtual")
		return port
	case "idle":
		s, err := strconv.Atoi(r["idle_seconds"])
		switch {
		case err != nil:
			return ""
		case s < 10:
			return "<10s"
		case s < 60:
			return "10s-1m"
		case s < 300:
			return "1m-5m"
		case s < 600:
			return "5m-10m"
		case s < 3600:
			return "10m-1h"
		}
		return ">=1h"
	}
	addr, host, _ := r.endpoint("client")
	bits := map[string][2]int{"client/24": {24, 64}, "client/16/48": {16, 48}, "client/64": {24, 64}}[by]
	switch {
	case !addr.IsValid():
		return host
	case by == "client":
		return addr.String()
	case addr.Is4():
		return netip.PrefixFrom(addr, bits[0]).Masked().String()
	}
	return netip.PrefixFrom(addr, bits[1]).Masked().String()
}

func (r row) isConnection() bool { return r["kind"] == "connection" }

// pair is a number of connections and of templates.
type pair struct{ connections, templates int }

func (p pair) plus(q pair) pair {
	return pair{p.connections + q.connections, p.templates + q.templates}
}

// recount groups rows by dimensions.
func recount(rows []row, by []string) (groups map[string]pair, total pair) {
	groups = map[string]pair{}
	for _, r := range rows {
		var key []string
		for _, d := range by {
			key = append(key, r.of(d))
		}
		one := pair{0, 1}
		if r.isConnection() {
			one = pair{1, 0}
		}
		k := strings.Join(key, "; ")
		groups[k] = groups[k].plus(one)
		total = total.plus(one)
	}
	return groups, total
}

// summarized is what `summary --by -o csv` says: the groups in their order, the others and
// the total.
func summarized(t *testing.T, by []string, args ...string) (groups map[string]pair, order []pair, other *pair, total pair) {
	t.Helper()
	out := inProcess(t, 0, append([]string{"summary", "-o", "csv", "--by", strings.Join(by, ",")}, args...)...)
	all, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(all[0]), len(by)+4; got != want {
		t.Fatalf("--by %s: titles %q", by, all[0])
	}
	groups = map[string]pair{}
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	last := all[len(all)-1]
	if last[0] != "total" {
		t.Fatalf("--by %s: the last row is %q", by, last)
	}
	total = pair{number(last[len(by)+1]), number(last[len(by)+3])}
	for _, cells := range all[1:] {
		n := pair{number(cells[len(by)+1]), number(cells[len(by)+3])}
		share := 0.0
		if total.connections > 0 {
			share = float64(n.connections) / float64(total.connections)
		}
		if want := fmt.Sprintf("%.4f", share); cells[len(by)+2] != want {
			t.Errorf("--by %s: the share of %q is %s, want %s", by, cells, cells[len(by)+2], want)
		}
		switch cells[0] {
		case "group":
			for i := range by {
				cells[i+1] = strings.TrimPrefix(cells[i+1], "'") // in front of DPVS's protocol --
			}
			key := strings.Join(cells[1:len(by)+1], "; ")
			if _, twice := groups[key]; twice {
				t.Errorf("--by %s: %q is there twice", by, key)
			}
			groups[key] = n
			order = append(order, n)
		case "other":
			other = &n
		case "total":
		default:
			t.Errorf("--by %s: a row of kind %q", by, cells[0])
		}
	}
	return groups, order, other, total
}

// inputs are the bundled listings, and larger ones of everything that there is.
func inputs(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	all := listings(t)
	for name, text := range map[string]string{
		"made.txt": madeListing(1, 4000), "made-sync.txt": madeSync(2, 500), "made-names.txt": madeNames(3, 500),
	} {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		all = append(all, name)
	}
	return all
}

type lister struct{ *rand.Rand }

func choose[T any](g lister, of ...T) T { return of[g.IntN(len(of))] }

// madeListing is a director's services, its timeouts, and so many rows of its table.
func madeListing(seed uint64, n int) string {
	g := lister{rand.New(rand.NewPCG(seed, 3))}
	var b strings.Builder
	b.WriteString("Timeout (tcp tcpfin udp): 1800 60 400\n" +
		"IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n")
	for port := 80; port < 90; port++ {
		fmt.Fprintf(&b, "TCP  10.0.1.100:%d rr persistent 300\n", port)
		for server := range 4 {
			fmt.Fprintf(&b, "  -> 10.0.0.%d:%d            %-7s 1      0          0\n", server, port, []string{"Masq", "Route", "Tunnel", "Masq"}[server])
		}
	}
	b.WriteString("UDP  [fd00:1::100]:53 rr\n  -> [fd00::1]:53   Route  1 0 0\nFWM  7 rr persistent 600\n  -> 10.0.0.1:0   Masq  1 0 0\n")
	b.WriteString("IPVS connection entries\npro expire state       source             virtual            destination\n")
	for range n {
		client, port := fmt.Sprintf("192.0.%d.%d", g.IntN(4), g.IntN(256)), 1024+g.IntN(60000)
		switch left := g.IntN(1000); g.IntN(12) {
		case 0:
			fmt.Fprintf(&b, "TCP %02d:%02d  ASSURED     %s:0 10.0.1.100:%d 10.0.0.%d:%[5]d\n", left/180, left%60, client, 80+g.IntN(12), g.IntN(5))
		case 1:
			fmt.Fprintf(&b, "IP  %02d:%02d  NONE        %s:0 0.0.0.%d:0 10.0.0.%d:0\n", left/100, left%60, client, 6+g.IntN(3), g.IntN(4))
		case 2:
			fmt.Fprintf(&b, "TCP %02d:%02d  NONE        %s:0 10.0.1.100:65535 10.0.0.%d:65535\n", left/180, left%60, client, g.IntN(4))
		case 3, 4:
			fmt.Fprintf(&b, "UDP %02d:%02d  UDP         [2001:db8:%x::%x]:%d [fd00:1::100]:%d [fd00::%d]:53\n", left/180, left%60, g.IntN(4), 1+g.IntN(200), port, 53+g.IntN(2), 1+g.IntN(3))
		default:
			vport := 80 + g.IntN(12)
			fmt.Fprintf(&b, "TCP %02d:%02d  %-11s %s:%d 10.0.1.100:%d 10.0.0.%d:%d\n", left/40, left%60,
				choose(g, "ESTABLISHED", "ESTABLISHED", "FIN_WAIT", "SYN_RECV", "TIME_WAIT", "CLOSE", "LAST_ACK"), client, port, vport, g.IntN(5), choose(g, vport, 8080))
		}
	}
	return b.String()
}

// madeSync is a backup's /proc/net/ip_vs_conn_sync.
func madeSync(seed uint64, n int) string {
	g := lister{rand.New(rand.NewPCG(seed, 3))}
	var b strings.Builder
	b.WriteString("Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Origin Expires\n")
	for range n {
		fmt.Fprintf(&b, "%-3s C00002%02X %04X 0A000164 %04X 0A0000%02X 0050 %-11s %-6s %7d\n", choose(g, "TCP", "TCP", "UDP"), g.IntN(20),
			choose(g, 0, 4000, 4001, 4002), 80+g.IntN(3), g.IntN(4), choose(g, "ESTABLISHED", "FIN_WAIT", "NONE", "UDP"), choose(g, "LOCAL", "SYNC"), g.IntN(900))
	}
	return b.String()
}

// madeNames is a listing without -n: services by name and by number, hosts, and names
// of services that nobody knows.
func madeNames(seed uint64, n int) string {
	g := lister{rand.New(rand.NewPCG(seed, 3))}
	var b strings.Builder
	b.WriteString("IPVS connection entries\npro expire state       source             virtual            destination\n")
	for range n {
		fmt.Fprintf(&b, "%s %02d:%02d  %-11s %s:%s %s:%s %s:%s\n", choose(g, "TCP", "UDP"), g.IntN(15), g.IntN(60), choose(g, "ESTABLISHED", "SYN_RECV"),
			choose(g, "client-a.example", "client-b.example", "192.0.2.7", "[2001:db8::7]"), choose(g, "4000", "4001", "http", "foocorp"),
			choose(g, "vip", "10.0.1.100"), choose(g, "http", "80", "https", "domain", "53", "foocorp", "barcorp"),
			choose(g, "web1", "web2", "10.0.0.1"), choose(g, "http", "80", "foocorp"))
	}
	return b.String()
}

var groupings = [][]string{
	{"state"}, {"protocol"}, {"service"}, {"server"}, {"client"}, {"client/24"}, {"client/16/48"}, {"port"}, {"forwarding"}, {"origin"}, {"idle"},
	{"service", "server"}, {"server", "state"}, {"client/24", "state"}, {"port", "protocol"}, {"origin", "idle"}, {"forwarding", "server", "idle"},
}

// TestRecountGroups counts the rows of `list` by every aspect.
func TestRecountGroups(t *testing.T) {
	for _, name := range inputs(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			_, rows := entriesOf(t, name)
			for _, by := range groupings {
				want, total := recount(rows, by)
				got, order, other, sum := summarized(t, by, "--top", "0", name)
				if !maps.Equal(got, want) {
					for _, k := range slices.Sorted(maps.Keys(want)) {
						if got[k] != want[k] {
							t.Errorf("--by %s: %q has %v, want %v", by, k, got[k], want[k])
						}
					}
					for k, n := range got {
						if _, ok := want[k]; !ok {
							t.Errorf("--by %s: there is %q with %v", by, k, n)
						}
					}
				}
				if other != nil || sum != total {
					t.Errorf("--by %s: others %v, total %v, want %v", by, other, sum, total)
				}
				if by[0] != "idle" && !slices.IsSortedFunc(order, func(a, b pair) int {
					if a.connections != b.connections {
						return b.connections - a.connections
					}
					return b.templates - a.templates
				}) {
					t.Errorf("--by %s is not in order: %v", by, order)
				}
				if slices.Contains([]string{"state", "server", "client/24", "idle"}, by[0]) {
					top(t, name, by, got, order, total)
				}
			}
		})
	}
}

// top holds the first three groups, and what is left of the others, against all.
func top(t *testing.T, name string, by []string, all map[string]pair, order []pair, total pair) {
	t.Helper()
	got, first, other, sum := summarized(t, by, "--top", "3", name)
	want := min(3, len(order))
	if len(order) == 4 { // a row more in place of "1 other"
		want = 4
	}
	if !slices.Equal(first, order[:want]) {
		t.Errorf("--by %s --top 3: %v, want %v", by, first, order[:want])
	}
	shown := pair{}
	for k, n := range got {
		if all[k] != n {
			t.Errorf("--by %s --top 3: %q has %v, want %v", by, k, n, all[k])
		}
		shown = shown.plus(n)
	}
	if (other != nil) != (len(order) > want) {
		t.Errorf("--by %s --top 3: others %v of %d groups", by, other, len(order))
	}
	if other != nil {
		shown = shown.plus(*other)
	}
	if shown != total || sum != total {
		t.Errorf("--by %s --top 3: groups and others are %v, the total %v, want %v", by, shown, sum, total)
	}
}

// condition is a filter and the same by hand; told is false where the row does not tell.
type condition struct {
	flag, value string
	holds       func(row) (is, told bool)
}

func (c condition) is(r row) bool {
	is, told := c.holds(r)
	return is && told
}

// conditions are filters with values of the rows, so that most of them choose some; many
// are more of each field.
func conditions(rows []row, many bool) []condition {
	var all []condition
	add := func(flag, value string, holds func(row) (bool, bool)) {
		all = append(all, condition{flag, value, holds})
	}

	for _, pattern := range few(many, "EST*", "*wait", "SYN_RECV", "?????", "*") {
		add("state", pattern, func(r row) (bool, bool) {
			is, _ := path.Match(strings.ToLower(pattern), strings.ToLower(r["state"]))
			return is, r["state"] != ""
		})
	}
	for _, p := range few(many, "tcp", "UDP") {
		add("proto", p, func(r row) (bool, bool) { return strings.EqualFold(r["protocol"], p), true })
	}
	within := func(flag, network string) {
		p := netip.MustParsePrefix(network).Masked()
		add(flag, network, func(r row) (bool, bool) {
			a, _, _ := r.endpoint(flag)
			return p.Contains(a), a.IsValid()
		})
	}
	for _, network := range few(many, "fd00::/8", "192.0.2.0/24", "192.0.0.0/23", "10.0.0.0/9", "2001:db8:1::/48", "0.0.0.0/0") {
		within("client", network)
	}
	if i := slices.IndexFunc(rows, func(r row) bool { a, _, _ := r.endpoint("client"); return a.IsValid() }); i >= 0 {
		a, _, _ := rows[i].endpoint("client")
		within("client", netip.PrefixFrom(a, a.BitLen()-7).String())
	}
	for _, i := range few(many, len(rows)/2, 0, len(rows)-1) {
		r := rows[i]
		if a, text, port := r.endpoint("virtual"); a.IsValid() {
			if _, known := portNumber(r, port); known {
				add("virtual", text+":"+port, func(r row) (bool, bool) {
					b, _, p := r.endpoint("virtual")
					_, known := portNumber(r, p)
					return a == b && p == port, b.IsValid() && known
				})
			}
		}
		if a, _, _ := r.endpoint("server"); a.IsValid() {
			add("server", a.String(), func(r row) (bool, bool) {
				b, _, _ := r.endpoint("server")
				return a == b, b.IsValid()
			})
		} else {
			_, host, _ := r.endpoint("server")
			add("server", host, func(r row) (bool, bool) {
				b, h, _ := r.endpoint("server")
				return h == host, !b.IsValid()
			})
		}
		if n, known := portNumber(r, r.of("port")); known {
			add("port", strconv.Itoa(n), func(r row) (bool, bool) {
				m, known := portNumber(r, r.of("port"))
				return m == n, known
			})
		}
	}
	add("port", "81-1000", func(r row) (bool, bool) {
		n, known := portNumber(r, r.of("port"))
		return n >= 81 && n <= 1000, known
	})
	for _, f := range few(many, "4", "6") {
		add("family", f, func(r row) (bool, bool) {
			a, _, _ := r.endpoint("client")
			return a.Is4() == (f == "4"), a.IsValid()
		})
	}
	type comparison struct {
		flag, value string
		is          func(int) bool
	}
	for _, c := range append(few(many,
		comparison{"expires", "<=30s", func(s int) bool { return s <= 30 }}, comparison{"expires", "30", func(s int) bool { return s <= 30 }},
		comparison{"expires", ">1m", func(s int) bool { return s > 60 }}, comparison{"expires", "=59", func(s int) bool { return s == 59 }},
	), few(many, comparison{"idle", ">=10s", func(s int) bool { return s >= 10 }}, comparison{"idle", "<3", func(s int) bool { return s < 3 }})...) {
		add(c.flag, c.value, func(r row) (bool, bool) {
			s, err := strconv.Atoi(r[c.flag+"_seconds"])
			return c.is(s), err == nil
		})
	}
	for _, templates := range few(many, "only", "no") {
		add("templates", templates, func(r row) (bool, bool) { return r.isConnection() == (templates == "no"), true })
	}
	for _, origin := range few(many, "local", "sync") {
		add("origin", origin, func(r row) (bool, bool) { return strings.EqualFold(r["origin"], origin), r["origin"] != "" })
	}
	return all
}

// few is the first of all, or all.
func few[T any](many bool, all ...T) []T {
	if many {
		return all
	}
	return all[:1]
}

// isMade reports a listing that was made for a test, not a bundled one.
func isMade(name string) bool { return strings.HasPrefix(filepath.Base(name), "made") }

// ran is a run of the program with what it says and its exit code.
func ran(t *testing.T, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errOut bytes.Buffer
	a := testApp(&out, &errOut, 0, nil)
	if stdin != "" {
		f, err := os.Open(stdin)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		a.stdin = f
	}
	code = run(t.Context(), a, args)
	return out.String(), errOut.String(), code
}

// TestRecountFilters chooses rows by hand: every filter, and all but what it chooses.
func TestRecountFilters(t *testing.T) {
	told := map[string]int{} // filters that chose some entries and left others out
	for _, name := range inputs(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			lines, rows := entriesOf(t, name)
			for _, c := range conditions(rows, isMade(name)) {
				chosen, others := []string{lines[0]}, []string{lines[0]}
				tells := false
				for i, r := range rows {
					_, told := c.holds(r)
					tells = tells || told
					if c.is(r) {
						chosen = append(chosen, lines[i+1])
					} else {
						others = append(others, lines[i+1])
					}
				}
				if len(chosen) > 1 && len(others) > 1 {
					told[c.flag]++
				}
				for want, args := range map[*[]string][]string{
					&chosen: {"--" + c.flag, c.value},
					&others: {"--not", c.flag + "=" + c.value},
				} {
					args = append([]string{"list", "-o", "csv", name}, args...)
					out, errOut, code := ran(t, "", args...)
					if !tells {
						if code != exitCouldNot || out != "" || !strings.Contains(errOut, "no entry of this listing tells it") {
							t.Errorf("%q: no row tells it: exit code %d, %d bytes, %s", args, code, len(out), errOut)
						}
						continue
					}
					if code != exitDone {
						t.Errorf("%q: exit code %d, %s", args, code, errOut)
					}
					if text := strings.Join(*want, ""); out != text {
						t.Errorf("%q: %d rows, want %d\n%s", args, strings.Count(out, "\n")-1, len(*want)-1, firstDifference(out, text))
					}
				}
			}
		})
	}
	for _, flag := range []string{"state", "proto", "client", "virtual", "server", "port", "family", "expires", "idle", "templates", "origin"} {
		if told[flag] == 0 {
			t.Errorf("no --%s chose some of a listing and not all", flag)
		}
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("line %d: %s\nwant    %s", i+1, g[i], w[i])
		}
	}
	return ""
}

// TestRecountFiltersTogether has several filters: of different fields all must hold, of one
// field any.
func TestRecountFiltersTogether(t *testing.T) {
	name := filepath.Join(t.TempDir(), "made.txt")
	if err := os.WriteFile(name, []byte(madeListing(4, 2000)), 0o600); err != nil {
		t.Fatal(err)
	}
	lines, rows := entriesOf(t, name)
	for _, c := range []struct {
		args  []string
		holds func(row) bool
	}{
		{[]string{"--state", "FIN_WAIT,EST*"}, func(r row) bool { return r["state"] == "FIN_WAIT" || r["state"] == "ESTABLISHED" }},
		{[]string{"--state", "FIN_WAIT", "--state", "CLOSE"}, func(r row) bool { return r["state"] == "FIN_WAIT" || r["state"] == "CLOSE" }},
		{[]string{"--state", "FIN_WAIT", "--port", "80"}, func(r row) bool { return r["state"] == "FIN_WAIT" && r.of("port") == "80" }},
		{[]string{"--expires", ">10s", "--expires", "<30s"}, func(r row) bool {
			s, err := strconv.Atoi(r["expires_seconds"])
			return err == nil && s > 10 && s < 30
		}},
		{[]string{"--state", "!EST*", "--templates", "no"}, func(r row) bool { return r["state"] != "ESTABLISHED" && r.isConnection() }},
		{[]string{"--proto", "tcp", "--not", "server=10.0.0.1,10.0.0.2", "--family", "4"}, func(r row) bool {
			a, _, _ := r.endpoint("server")
			c, _, _ := r.endpoint("client")
			return r["protocol"] == "TCP" && a.String() != "10.0.0.1" && a.String() != "10.0.0.2" && c.Is4()
		}},
		{[]string{"--virtual", "fwmark:7"}, func(r row) bool { return r.of("service") == "fwmark 7" }},
	} {
		want := []string{lines[0]}
		for i, r := range rows {
			if c.holds(r) {
				want = append(want, lines[i+1])
			}
		}
		if n := len(want) - 1; n == 0 || n == len(rows) {
			t.Errorf("%q chooses %d", c.args, n)
		}
		if got, text := inProcess(t, 0, append([]string{"list", "-o", "csv", name}, c.args...)...), strings.Join(want, ""); got != text {
			t.Errorf("%q: %d rows, want %d\n%s", c.args, strings.Count(got, "\n")-1, len(want)-1, firstDifference(got, text))
		}
		// The summary counts the same.
		d := summaryOf(t, append([]string{name}, c.args...)...)
		equal(t, fmt.Sprintf("%q: the summary's entries", c.args), d.Connections+d.Templates, len(want)-1)
	}
}

// TestRecountSort has the same rows in another order for every column, and with a limit
// the first of these.
func TestRecountSort(t *testing.T) {
	for _, name := range inputs(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			lines, _ := entriesOf(t, name)
			want := slices.Sorted(slices.Values(lines[1:]))
			for _, column := range render.RowColumns() {
				args := []string{"list", "-o", "csv", name, "--sort", column}
				if column == "client" || column == "state" {
					args = append(args, "--reverse")
				}
				got := strings.SplitAfter(inProcess(t, 0, args...), "\n")
				got = got[:len(got)-1]
				if got[0] != lines[0] || !slices.Equal(slices.Sorted(slices.Values(got[1:])), want) {
					t.Errorf("%q: %d rows, which are not those of the list", args, len(got)-1)
				}
				if !isMade(name) {
					continue
				}
				if limited := inProcess(t, 0, append(args, "--limit", "5")...); limited != strings.Join(got[:min(len(got), 6)], "") {
					t.Errorf("%q --limit 5:\n%s\nwant\n%s", args, limited, strings.Join(got[:min(len(got), 6)], ""))
				}
			}
		})
	}
}

// counts are what a summary counts, as JSON, without what a listing's configuration says.
func counts(t *testing.T, document string) map[string]any {
	t.Helper()
	var d map[string]any
	if err := json.Unmarshal([]byte(document), &d); err != nil {
		t.Fatal(err)
	}
	states, _ := d["states"].([]any)
	for _, s := range states {
		delete(s.(map[string]any), "timeout_seconds")
		delete(s.(map[string]any), "meaning")
	}
	c := map[string]any{}
	for _, key := range []string{"connections", "templates", "states", "template_states", "services", "ungrouped"} {
		v, ok := d[key]
		if !ok {
			t.Errorf("the summary has no %s", key)
		}
		c[key] = v
	}
	return c
}

// TestRecountListings counts again what `list` writes as a listing.
func TestRecountListings(t *testing.T) {
	written := map[string]int{}
	for _, name := range inputs(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			_, rows := entriesOf(t, name)
			want := counts(t, inProcess(t, 0, "-o", "json", name))
			for _, format := range []string{render.RowsIpvsadm, render.RowsProc} {
				for _, sort := range few(isMade(name), nil, []string{"--sort", "client"}) {
					out, errOut, code := ran(t, "", append([]string{"list", "-o", format, name}, sort...)...)
					if holds := holdable(rows, format); holds != (code == exitDone) {
						t.Errorf("-o %s: exit code %d, want all written: %v\n%s", format, code, holds, errOut)
					}
					if code != exitDone {
						if !strings.Contains(errOut, "left out: ") {
							t.Errorf("-o %s: exit code %d\n%s", format, code, errOut)
						}
						continue
					}
					written[format]++
					file := filepath.Join(t.TempDir(), "listing.txt")
					if err := os.WriteFile(file, []byte(out), 0o600); err != nil {
						t.Fatal(err)
					}
					again, errOut, code := ran(t, file, "-o", "json")
					if code != exitDone || errOut != "" {
						t.Errorf("-o %s: read again: exit code %d\n%s", format, code, errOut)
						continue
					}
					got := counts(t, again)
					for _, key := range slices.Sorted(maps.Keys(want)) {
						if !reflect.DeepEqual(got[key], want[key]) {
							t.Errorf("-o %s: %s are\n%v\nwant\n%v", format, key, got[key], want[key])
						}
					}
				}
			}
		})
	}
	if written[render.RowsIpvsadm] < 25 || written[render.RowsProc] < 20 {
		t.Errorf("only %v were written whole", written)
	}
}

// holdable reports that a format has a place for all rows, as far as it can be seen here.
func holdable(rows []row, format string) bool {
	for _, r := range rows {
		if r["state"] == "" || r["expires_seconds"] == "" && (format == render.RowsProc || r["timeout_seconds"] == "") {
			return false
		}
		if format == render.RowsIpvsadm {
			continue
		}
		for _, column := range []string{"client", "virtual", "local", "server"} {
			a, _, port := r.endpoint(column)
			if _, known := portNumber(r, port); r[column] != "" && (!a.IsValid() || !known) {
				return false
			}
		}
	}
	return true
}

// TestRecountSnapshots has several listings in an input, empty ones among them, with dates
// and configurations between: list and summary mean the same one.
func TestRecountSnapshots(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile("../../testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	const title = "IPVS connection entries\npro expire state       source             virtual            destination\n"
	const procTitle = "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n"
	a, b, proc, config := read("k6.1-ipvsadm-Lnc.txt"), read("k4.15-ipvsadm-Lnc.txt"), read("k4.15-ip-vs-conn.txt"), read("k6.1-ipvsadm-Ln.txt")
	bare := strings.Join(strings.SplitAfter(b, "\n")[2:], "")
	for name, text := range map[string]string{
		"two":                     a + b,
		"an empty one in front":   title + a,
		"an empty one between":    a + title + b,
		"an empty one behind":     a + b + title,
		"empty ones only":         title + title,
		"proc":                    proc + procTitle + proc + procTitle,
		"dates":                   "2026-11-22 10:00:00\n" + a + "2026-11-22 10:00:05\n" + b + "2026-11-22 10:00:10\n" + proc,
		"dates, no titles":        "2026-11-22 10:00:00\n" + bare + "2026-11-22 10:00:05\n" + bare + bare + "2026-11-22 10:00:10\n",
		"dates, an empty one":     "2026-11-22 10:00:00\n" + title + "2026-11-22 10:00:05\n" + b + "2026-11-22 10:00:10\n",
		"dates, backwards":        "2026-11-22 10:00:05\n" + a + "2026-11-22 10:00:00\n" + b,
		"configurations":          config + a + config + b,
		"a configuration between": a + config + b,
		"a configuration behind":  a + b + config,
		"other text":              "# lvs1\n\n" + a + "\n# lvs2\n\n" + b + "\n",
		"large":                   madeListing(5, 4000) + a + madeListing(6, 4000),
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "listings.txt")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			type choice struct {
				args  []string
				stdin bool
			}
			choices := []choice{{args: []string{file}}, {args: []string{file, "--merge"}}, {args: []string{"--merge"}, stdin: true}}
			var d struct {
				Snapshot struct{ Of int }
			}
			if err := json.Unmarshal([]byte(inProcess(t, 0, "-o", "json", file)), &d); err != nil {
				t.Fatal(err)
			}
			for n := range d.Snapshot.Of {
				choices = append(choices, choice{args: []string{file, "--snapshot", strconv.Itoa(n + 1)}}, choice{args: []string{"--snapshot", strconv.Itoa(n + 1)}, stdin: true})
			}
			for _, c := range choices {
				stdin := ""
				if c.stdin {
					stdin = file
				}
				summary, errOut, code := ran(t, stdin, append([]string{"summary", "-o", "json"}, c.args...)...)
				if code != exitDone {
					t.Fatalf("summary %q: exit code %d\n%s", c.args, code, errOut)
				}
				want := counts(t, summary)
				for _, format := range few(!c.stdin, render.RowsIpvsadm, render.RowsCSV) {
					for _, sort := range few(format == render.RowsIpvsadm && len(c.args) == 1, nil, []string{"--sort", "state"}) {
						args := slices.Concat([]string{"list", "-o", format}, c.args, sort)
						out, errOut, code := ran(t, stdin, args...)
						if code != exitDone {
							t.Errorf("%q: exit code %d\n%s", args, code, errOut)
							continue
						}
						if format == render.RowsCSV {
							equal(t, fmt.Sprintf("%q: rows", args), float64(strings.Count(out, "\n")-1), want["connections"].(float64)+want["templates"].(float64))
							continue
						}
						again := filepath.Join(t.TempDir(), "again.txt")
						if err := os.WriteFile(again, []byte(out), 0o600); err != nil {
							t.Fatal(err)
						}
						if got := counts(t, inProcess(t, 0, "-o", "json", again)); !reflect.DeepEqual(got, want) {
							t.Errorf("%q has %v connections and %v templates, want %v and %v", args, got["connections"], got["templates"], want["connections"], want["templates"])
						}
					}
				}
			}
		})
	}
}
