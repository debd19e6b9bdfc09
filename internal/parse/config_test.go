package parse

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ipvsstate/internal/conn"
)

// configOf reads what a text tells of a configuration, as the scanner hands it on.
func configOf(text []byte) *ConfigReader {
	var s Scanner
	var r ConfigReader
	for s.Reset(bytes.Clone(text)); s.Scan(); {
		if l := s.Line(); l.Kind == ConfigTitleLine || l.Kind == ConfigLine {
			r.Line(l.Text)
		}
	}
	return &r
}

// outline writes a configuration with a line for each service and server.
func outline(c *conn.Config) string {
	if c == nil {
		return ""
	}
	var b strings.Builder
	for i := range c.Services {
		v := &c.Services[i]
		name := v.Protocol.String() + " " + endpoint(v.Virtual)
		if v.Fwmark != 0 {
			name = fmt.Sprintf("FWM %d ipv6=%t", v.Fwmark, v.IPv6)
		}
		fmt.Fprintf(&b, "%s %q flags=%q persistent=%d mask=%d ops=%t pe=%q\n",
			name, v.Scheduler, v.SchedulerFlags, v.Persistent, v.Mask, v.OnePacket, v.PEName)
		for _, d := range v.Servers {
			fmt.Fprintf(&b, "  %s %s weight=%d active=%d inactive=%d persistent=%d\n",
				endpoint(d.Address), d.Forwarding, d.Weight, d.Active, d.Inactive, d.Persistent)
		}
	}
	if c.Timeouts != nil {
		fmt.Fprintln(&b, "timeouts", c.Timeouts.TCP, c.Timeouts.TCPFin, c.Timeouts.UDP)
	}
	names := make([]string, 0, len(c.Sysctls))
	for name := range c.Sysctls {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&b, "%s=%q\n", name, c.Sysctls[name])
	}
	for _, d := range c.Daemons {
		fmt.Fprintf(&b, "%s %s %d\n", map[bool]string{false: "master", true: "backup"}[d.Backup], d.Interface, d.SyncID)
	}
	return b.String()
}

func check(t *testing.T, r *ConfigReader, want string, misread int) {
	t.Helper()
	if got := outline(r.Config()); got != want {
		t.Errorf("read as\n%s\nwant\n%s", got, want)
	}
	if r.Misread() != misread {
		t.Errorf("%d lines misread, want %d", r.Misread(), misread)
	}
}

// plainListing reads `ipvsadm -Ln` by its words alone, to hold the reader against.
func plainListing(text []byte) string {
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		switch w := strings.Fields(line); {
		case len(w) == 0:
		case w[0] == "->" && w[1] != "RemoteAddress:Port":
			fmt.Fprintf(&b, "  %s %s weight=%s active=%s inactive=%s persistent=-1\n", w[1], w[2], w[3], w[4], w[5])
		case w[0] == "FWM" || (w[0] == "TCP" || w[0] == "UDP" || w[0] == "SCTP") && !strings.Contains(w[1][:3], ":"):
			name := w[0] + " " + w[1]
			if w[0] == "FWM" {
				name += fmt.Sprintf(" ipv6=%t", w[2] == "IPv6")
				w = slices.DeleteFunc(w, func(s string) bool { return s == "IPv6" })
			}
			persistent, mask, pe := "0", 0, ""
			for i := range w {
				switch w[i] {
				case "persistent":
					persistent = w[i+1]
				case "mask":
					mask = map[string]int{"255.255.255.0": 24}[w[i+1]]
				case "pe":
					pe = w[i+1]
				}
			}
			fmt.Fprintf(&b, "%s %q flags=\"\" persistent=%s mask=%d ops=%t pe=%q\n", name, w[2], persistent, mask, slices.Contains(w, "ops"), pe)
		}
	}
	return b.String()
}

func capture(t *testing.T, name string) []byte { return read(t, "testdata/config/"+name) }

var kernels = []string{"k4.15", "k6.1"}

func TestConfigListings(t *testing.T) {
	for _, k := range kernels {
		for _, name := range []string{"-ipvsadm-Ln.txt", "-weight-0-and-removed.txt"} {
			text := capture(t, k+name)
			check(t, configOf(text), plainListing(text), 0)
		}
		check(t, configOf(capture(t, k+"-set-timeouts.txt")), "timeouts 30 5 7\n", 0)
		check(t, configOf(capture(t, k+"-ipvsadm-L-daemon.txt")), "master e0 1\nbackup e0 1\n", 0)
	}
}

// TestConfigMerge reads a director's listings one behind the other, in both orders.
func TestConfigMerge(t *testing.T) {
	for _, k := range kernels {
		plain, templates, hex := capture(t, k+"-ipvsadm-Ln.txt"), capture(t, k+"-ipvsadm-Ln-persistent-conn.txt"), capture(t, k+"-ip-vs.txt")
		want := plainListing(plain)
		for line := range strings.Lines(string(templates)) {
			w := strings.Fields(line)
			if w[0] != "->" || len(w) != 6 {
				continue
			}
			old := fmt.Sprintf("  %s Masq weight=%s active=%s inactive=%s persistent=-1\n", w[1], w[2], w[4], w[5])
			if !strings.Contains(want, old) {
				t.Fatalf("%s: no server %q", k, old)
			}
			want = strings.Replace(want, old, strings.Replace(old, "persistent=-1", "persistent="+w[3], 1), 1)
		}
		check(t, configOf(slices.Concat(plain, templates)), want, 0)
		check(t, configOf(slices.Concat(templates, plain)), want, 0)

		// /proc/net/ip_vs lists the same with other words: in other order, and with the
		// counts of another moment.
		sorted := func(r *ConfigReader) string {
			c := r.Config()
			slices.SortFunc(c.Services, func(a, b conn.Service) int {
				return strings.Compare(outline(&conn.Config{Services: []conn.Service{a}}), outline(&conn.Config{Services: []conn.Service{b}}))
			})
			for i := range c.Services {
				for j := range c.Services[i].Servers {
					c.Services[i].Servers[j].Active, c.Services[i].Servers[j].Inactive = 0, 0
				}
				slices.SortFunc(c.Services[i].Servers, func(a, b conn.Server) int { return a.Address.Addr.Compare(b.Address.Addr) })
			}
			return outline(c)
		}
		want = sorted(configOf(plain))
		for _, text := range [][]byte{slices.Concat(plain, hex), slices.Concat(hex, plain)} {
			if got := sorted(configOf(text)); got != want {
				t.Errorf("%s: with the kernel's own\n%s\nwant\n%s", k, got, want)
			}
		}
		// Alone it tells all but persistence in seconds and engines.
		alone := configOf(plain)
		for i := range alone.Config().Services {
			v := &alone.Config().Services[i]
			if v.PEName = ""; v.Persistent > 0 {
				v.Persistent = conn.Unknown
			}
		}
		want = sorted(alone)
		if got := sorted(configOf(hex)); got != want {
			t.Errorf("%s: the kernel's own\n%s\nwant\n%s", k, got, want)
		}
	}
}

// save writes a configuration as `ipvsadm -S -n` does.
func save(c *conn.Config) string {
	var b strings.Builder
	for i := range c.Services {
		v := &c.Services[i]
		name := map[conn.Protocol]string{conn.TCP: "-t ", conn.UDP: "-u ", conn.SCTP: "--sctp-service "}[v.Protocol] + v.Virtual.String()
		if v.Fwmark != 0 {
			if name = fmt.Sprintf("-f %d", int32(v.Fwmark)); v.IPv6 {
				name += " -6"
			}
		}
		fmt.Fprintf(&b, "-A %s -s %s", name, v.Scheduler)
		if v.Persistent > 0 {
			fmt.Fprintf(&b, " -p %d", v.Persistent)
			switch {
			case v.Mask == 24 && !v.IPv6:
				b.WriteString(" -M 255.255.255.0")
			case v.Mask > 0:
				fmt.Fprintf(&b, " -M %d", v.Mask)
			}
		}
		if v.PEName != "" {
			b.WriteString(" --pe " + v.PEName)
		}
		if v.OnePacket {
			b.WriteString(" -o")
		}
		if v.SchedulerFlags != "" {
			b.WriteString(" -b " + v.SchedulerFlags)
		}
		b.WriteString("\n")
		for _, d := range v.Servers {
			fmt.Fprintf(&b, "-a %s -r %s %s -w %d\n", name, d.Address,
				map[conn.Forwarding]string{conn.Masquerade: "-m", conn.Tunnel: "-i", conn.LocalNode: "-g", conn.DirectRoute: "-g", conn.FullNAT: "-b"}[d.Forwarding], d.Weight)
		}
	}
	return b.String()
}

func TestConfigSaved(t *testing.T) {
	for _, text := range [][]byte{capture(t, "k4.15-ipvsadm-Ln.txt"), capture(t, "k6.1-ipvsadm-Ln.txt"), []byte(sample)} {
		r := configOf(text)
		saved := save(r.Config())
		again := configOf([]byte(saved))
		for i := range r.Config().Services {
			v := &r.Config().Services[i]
			for j := range v.Servers {
				v.Servers[j].Active, v.Servers[j].Inactive = conn.UnknownCount, conn.UnknownCount
			}
		}
		check(t, again, outline(r.Config()), 0)
	}
}

// What follows in the layout of ipvsadm 1.31: the Debian binary wrote it, of services
// that were made up.
const (
	sample = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
FWM  -2147483647 rr persistent 900
  -> 10.0.0.11:0                  Tunnel  2147483647 12         345       
TCP  10.0.1.100:80 wrr
  -> 10.0.0.11:80                 Masq    2147483647 12         345       
  -> 10.0.0.12:8080               Route   0      13         345       
TCP  10.0.1.100:443 mh (mh-fallback,mh-port) persistent 300 mask 255.255.255.0
  -> 10.0.0.11:80                 Masq    2147483647 12         345       
UDP  10.0.1.100:53 sh (sh-fallback) ops
  -> 10.0.0.11:80                 Masq    2147483647 12         345       
SCTP 10.0.1.100:3868 rr
`
	sampleTunnels = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward TunnelInfo    Weight ActiveConn InActConn
FWM  -2147483647 rr persistent 900
  -> 10.0.0.11:0                  Tunnel  ipip          2147483647 12         345       
TCP  10.0.1.100:80 wrr
  -> 10.0.0.11:80                 Masq    n/a           2147483647 12         345       
  -> 10.0.0.12:8080               Route   n/a           0      13         345       
TCP  10.0.1.100:443 mh (mh-fallback,mh-port) persistent 300 mask 255.255.255.0
  -> 10.0.0.11:80                 Masq    n/a           2147483647 12         345       
UDP  10.0.1.100:53 sh (sh-fallback) ops
  -> 10.0.0.11:80                 Masq    n/a           2147483647 12         345       
SCTP 10.0.1.100:3868 rr
`
	sampleStats = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes
  -> RemoteAddress:Port
FWM  -2147483647                         0        0        0        0        0
  -> 10.0.0.11:0                    617283    2147M        0   61728G        5
TCP  10.0.1.100:80                 1234567    4294M        0     123T   98765M
  -> 10.0.0.11:80                   617283    2147M        0   61728G        5
  -> 10.0.0.12:8080                 617283    2147M        0   61728G        5
TCP  10.0.1.100:443                      0        0        0        0        0
  -> 10.0.0.11:80                   617283    2147M        0   61728G        5
UDP  10.0.1.100:53                       0        0        0        0        0
  -> 10.0.0.11:80                   617283    2147M        0   61728G        5
SCTP 10.0.1.100:3868                     0        0        0        0        0
`
	sampleExact = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes
  -> RemoteAddress:Port
FWM  -2147483647                         0        0        0        0        0
  -> 10.0.0.11:0                    617283 2147483648        0 61728394506172        5
TCP  10.0.1.100:80                 1234567 4294967295        0 123456789012345 98765432101
  -> 10.0.0.11:80                   617283 2147483648        0 61728394506172        5
  -> 10.0.0.12:8080                 617283 2147483648        0 61728394506172        5
TCP  10.0.1.100:443                      0        0        0        0        0
  -> 10.0.0.11:80                   617283 2147483648        0 61728394506172        5
UDP  10.0.1.100:53                       0        0        0        0        0
  -> 10.0.0.11:80                   617283 2147483648        0 61728394506172        5
SCTP 10.0.1.100:3868                     0        0        0        0        0
`
	sampleRate = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port                 CPS    InPPS   OutPPS    InBPS   OutBPS
  -> RemoteAddress:Port
FWM  -2147483647                         0        0        0        0        0
  -> 10.0.0.11:0                         6     1728        0  400000K        0
TCP  10.0.1.100:80                      12     3456        0        0  999999K
  -> 10.0.0.11:80                        6     1728        0  400000K        0
  -> 10.0.0.12:8080                      6     1728        0  400000K        0
TCP  10.0.1.100:443                      0        0        0        0        0
  -> 10.0.0.11:80                        6     1728        0  400000K        0
UDP  10.0.1.100:53                       0        0        0        0        0
  -> 10.0.0.11:80                        6     1728        0  400000K        0
SCTP 10.0.1.100:3868                     0        0        0        0        0
`
	sampleThresholds = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port            Uthreshold Lthreshold ActiveConn InActConn 
  -> RemoteAddress:Port
FWM  -2147483647 rr persistent 900
  -> 10.0.0.11:0                  1000       800        12         345       
TCP  10.0.1.100:80 wrr
  -> 10.0.0.11:80                 1000       800        12         345       
  -> 10.0.0.12:8080               1000       800        13         345       
TCP  10.0.1.100:443 mh (mh-fallback,mh-port) persistent 300 mask 255.255.255.0
  -> 10.0.0.11:80                 1000       800        12         345       
UDP  10.0.1.100:53 sh (sh-fallback) ops
  -> 10.0.0.11:80                 1000       800        12         345       
SCTP 10.0.1.100:3868 rr
`
	sampleTemplates = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port            Weight    PersistConn ActiveConn InActConn 
  -> RemoteAddress:Port
FWM  -2147483647 rr persistent 900
  -> 10.0.0.11:0                  2147483647 7           12         345       
TCP  10.0.1.100:80 wrr
  -> 10.0.0.11:80                 2147483647 7           12         345       
  -> 10.0.0.12:8080               0         7           13         345       
TCP  10.0.1.100:443 mh (mh-fallback,mh-port) persistent 300 mask 255.255.255.0
  -> 10.0.0.11:80                 2147483647 7           12         345       
UDP  10.0.1.100:53 sh (sh-fallback) ops
  -> 10.0.0.11:80                 2147483647 7           12         345       
SCTP 10.0.1.100:3868 rr
`
	sampleNames = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
FWM  -2147483647 rr persistent 900
  -> ip-10-0-0-11.ap-southeast-1. Tunnel  2147483647 12         345       
TCP  vip.example:http wrr
  -> ip-10-0-0-11.ap-southeast-1. Masq    2147483647 12         345       
  -> ip-10-0-0-12.ap-southeast-1. Route   0      13         345       
UDP  vip.example:domain sh (sh-fallback) ops
  -> ip-10-0-0-11.ap-southeast-1. Masq    2147483647 12         345       
SCTP vip.example:3868 rr
`
	// Of a saved tunnel 1.31 tells its sort.
	sampleSaved = `-A -f -2147483647 -s rr -p 900
-a -f -2147483647 -r 10.0.0.11:0 -i -w 2147483647 --tun-type ipip
-A -t 10.0.1.100:http -s wrr
-a -t 10.0.1.100:http -r 10.0.0.11:http -m -w 2147483647
-a -t 10.0.1.100:http -r 10.0.0.12:http-alt -g -w 0
-A -t 10.0.1.100:https -s mh -p 300 -M 255.255.255.0 -b mh-fallback,mh-port
-a -t 10.0.1.100:https -r 10.0.0.11:http -m -w 2147483647
-A -u 10.0.1.100:domain -s sh -o -b sh-fallback
-a -u 10.0.1.100:domain -r 10.0.0.11:80 -m -w 2147483647
-A --sctp-service 10.0.1.100:3868 -s rr
`
)

const sampleOutline = `FWM 2147483649 ipv6=false "rr" flags="" persistent=900 mask=0 ops=false pe=""
  10.0.0.11:0 Tunnel weight=2147483647 active=12 inactive=345 persistent=-1
TCP 10.0.1.100:80 "wrr" flags="" persistent=0 mask=0 ops=false pe=""
  10.0.0.11:80 Masq weight=2147483647 active=12 inactive=345 persistent=-1
  10.0.0.12:8080 Route weight=0 active=13 inactive=345 persistent=-1
TCP 10.0.1.100:443 "mh" flags="mh-fallback,mh-port" persistent=300 mask=24 ops=false pe=""
  10.0.0.11:80 Masq weight=2147483647 active=12 inactive=345 persistent=-1
UDP 10.0.1.100:53 "sh" flags="sh-fallback" persistent=0 mask=0 ops=true pe=""
  10.0.0.11:80 Masq weight=2147483647 active=12 inactive=345 persistent=-1
SCTP 10.0.1.100:3868 "rr" flags="" persistent=0 mask=0 ops=false pe=""
`

func TestConfigVariants(t *testing.T) {
	// forget makes numbers unknown that a variant does not tell.
	forget := func(text string, pairs ...string) string {
		for i := 0; i < len(pairs); i += 2 {
			text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
		}
		return text
	}
	noMethod := []string{" Tunnel ", "  ", " Masq ", "  ", " Route ", "  "}
	noWeight := []string{"weight=2147483647", "weight=-1", "weight=0", "weight=-1"}
	noCounts := []string{"active=12", "active=-1", "active=13", "active=-1", "inactive=345", "inactive=-1"}
	nothing := forget(sampleOutline, slices.Concat(noMethod, noWeight, noCounts, []string{
		`"rr"`, `""`, `"wrr"`, `""`, `"mh"`, `""`, `"sh"`, `""`, `flags="mh-fallback,mh-port"`, `flags=""`, `flags="sh-fallback"`, `flags=""`,
		"persistent=900", "persistent=-1", "persistent=300", "persistent=-1", "persistent=0", "persistent=-1", "mask=24", "mask=0", "ops=true", "ops=false"})...)
	templates := strings.ReplaceAll(sampleOutline, "345 persistent=-1", "345 persistent=7")
	cut := forget(sampleOutline, "10.0.1.100:80", "vip.example:http(80)", "10.0.1.100:53", "vip.example:domain(53)", "10.0.1.100", "vip.example",
		"10.0.0.11:0", "ip-10-0-0-11.ap-southeast-1.", "10.0.0.11:80", "ip-10-0-0-11.ap-southeast-1.", "10.0.0.12:8080", "ip-10-0-0-12.ap-southeast-1.")
	from, to := strings.Index(cut, "TCP vip.example:443"), strings.Index(cut, "UDP")
	cut = cut[:from] + cut[to:]
	saved := forget(sampleOutline, slices.Concat(noCounts, []string{
		"100:80 ", "100:http(80) ", "100:443", "100:https(443)", "100:53", "100:domain(53)", "11:80 ", "11:http(80) ", "12:8080", "12:http-alt(8080)"})...)
	last := strings.LastIndex(saved, "11:http(80)")
	saved = saved[:last] + "11:80" + saved[last+len("11:http(80)"):]

	for _, v := range []struct{ name, text, want string }{
		{"plain", sample, sampleOutline},
		{"--tun-info", sampleTunnels, sampleOutline},
		{"--stats", sampleStats, nothing},
		{"--stats --exact", sampleExact, nothing},
		{"--rate", sampleRate, nothing},
		{"--thresholds", sampleThresholds, forget(sampleOutline, slices.Concat(noMethod, noWeight)...)},
		{"--persistent-conn", sampleTemplates, forget(templates, noMethod...)},
		{"-L", sampleNames, cut},
		{"-S", sampleSaved, saved},
		{"all", sample + sampleStats + sampleThresholds + sampleTemplates + sampleRate + sampleSaved + sampleExact, templates},
		{"all backwards", sampleExact + sampleRate + sampleTemplates + sampleThresholds + sampleStats + sample, templates},
	} {
		t.Run(v.name, func(t *testing.T) { check(t, configOf([]byte(v.text)), v.want, 0) })
		t.Run(v.name+", as people keep it", func(t *testing.T) {
			var b strings.Builder
			for i, line := range strings.Split(strings.TrimSuffix(v.text, "\n"), "\n") {
				switch i % 3 {
				case 0:
					b.WriteString("lvs1: " + line + "\r\n")
				case 1:
					b.WriteString("\x1b[32m" + line + "\x1b[m\n")
				default: // as web pages show it
					b.WriteString(strings.Join(strings.Fields(line), "\u00a0") + "\n")
				}
			}
			check(t, configOf([]byte(b.String())), v.want, 0)
		})
	}
}

func TestConfigLines(t *testing.T) {
	const (
		titles = "Prot LocalAddress:Port Scheduler Flags\n"
		tcp    = "TCP  10.0.1.100:80 rr\n"
	)
	for _, v := range []struct {
		name, text, want string
		misread          int
	}{
		{"sysctl", "net.ipv4.vs.sync_threshold = 3\t50\nnet.ipv4.vs.conntrack=1\nnet.ipv4.vs.conntrack = 0\n", "conntrack=\"0\"\nsync_threshold=\"3 50\"\n", 0},
		{"timeouts", "Timeout (tcp tcpfin udp): 900 120 300\n", "timeouts 900 120 300\n", 0},
		{"titles alone", "IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n", "", 0},
		{"IPv6 mask", "TCP  [fd00:1::100]:443 rr persistent 300 mask 64\n", "TCP [fd00:1::100]:443 \"rr\" flags=\"\" persistent=300 mask=64 ops=false pe=\"\"\n", 0},
		{"a mark of seven digits", "FWM  1048576 rr\n", "FWM 1048576 ipv6=false \"rr\" flags=\"\" persistent=0 mask=0 ops=false pe=\"\"\n", 0},
		{"a server without a service", "  -> 10.0.0.11:80                 Masq    1      0          1         \n", "", 1},
		{"DPVS", "TCP  10.0.1.100:80 conhash sip synproxy conn-timeout 30 expire-quiescent\n" +
			"  -> 10.0.0.11:80                 FullNat 100    0          0          inhibited,overload\n",
			"TCP 10.0.1.100:80 \"conhash\" flags=\"\" persistent=0 mask=0 ops=false pe=\"\"\n  10.0.0.11:80 FullNat weight=100 active=0 inactive=0 persistent=-1\n", 0},
		// iqiyi/dpvs issue 646, and SNAT: their servers are nobody else's.
		{"DPVS, unreadable", tcp + "TCP  [(null)]:5001 rr\n  -> [(null)]:5001                FullNat 1      0          0     \n" +
			"MATCH tcp,from=192.168.0.1-192.168.0.254:0-0,oif=dpdk0 rr\n  -> 10.0.0.99:0                  SNAT    100    0          0         \n",
			"TCP 10.0.1.100:80 \"rr\" flags=\"\" persistent=0 mask=0 ops=false pe=\"\"\n", 4},
		{"DPVS, limited rate", "Prot LocalAddress:Port                 CPS    InPPS   OutPPS    InBPS   OutBPS\nTCP  10.0.1.100:80 bps 10M               0        0        0        0        0\n",
			"TCP 10.0.1.100:80 \"\" flags=\"\" persistent=-1 mask=0 ops=false pe=\"\"\n", 0},
		{"a module's scheduler", "TCP  10.0.1.100:80 ownsched\n", "TCP 10.0.1.100:80 \"ownsched\" flags=\"\" persistent=0 mask=0 ops=false pe=\"\"\n", 0},
		{"a count below zero", tcp + "  -> 10.0.0.11:80                 Masq    1      0          4294967295\n",
			"TCP 10.0.1.100:80 \"rr\" flags=\"\" persistent=0 mask=0 ops=false pe=\"\"\n  10.0.0.11:80 Masq weight=1 active=0 inactive=-1 persistent=-1\n", 0},
		{"names that are cut alike", "Prot LocalAddress:Port Scheduler Flags\nTCP  ip-192-168-0-117.ap-southeas rr\nTCP  ip-192-168-0-117.ap-southeas wrr\n  -> 10.0.0.11:80                 Masq    1      0          1         \n",
			"TCP ip-192-168-0-117.ap-southeas \"rr\" flags=\"\" persistent=0 mask=0 ops=false pe=\"\"\n", 2},
		{"an IPv6 server cut in a column", tcp + "  -> [2001:db8:1111:2222:3333:444 Tunnel  1      0          0         \n",
			"TCP 10.0.1.100:80 \"rr\" flags=\"\" persistent=0 mask=0 ops=false pe=\"\"\n", 1},
		{"rules", "ipvsadm --add-service --tcp-service=10.0.1.100:80 --scheduler wrr --persistent --netmask 255.255.0.0 --pe sip --ops --sched-flags sh-port\n" +
			"/sbin/ipvsadm -at 10.0.1.100:80 -r 10.0.0.11 -mw5\n--add-server -t 10.0.1.100:80 --real-server 10.0.0.12:8080 --ipip --weight 0 -x 100\n" +
			"-e -t 10.0.1.100:80 -r 10.0.0.12:8080\n-A -f 7 -6\n-a -u [fd00::1]:53 -r [fd00::2]:53 -b\n",
			"TCP 10.0.1.100:80 \"wrr\" flags=\"sh-port\" persistent=300 mask=16 ops=true pe=\"sip\"\n" +
				"  10.0.0.11:80 Masq weight=5 active=-1 inactive=-1 persistent=-1\n  10.0.0.12:8080 Route weight=1 active=-1 inactive=-1 persistent=-1\n" +
				"FWM 7 ipv6=true \"wlc\" flags=\"\" persistent=0 mask=0 ops=false pe=\"\"\n" +
				"UDP [fd00::1]:53 \"\" flags=\"\" persistent=-1 mask=0 ops=false pe=\"\"\n  [fd00::2]:53 FullNat weight=1 active=-1 inactive=-1 persistent=-1\n", 0},
		{"the local node is saved as -g", tcp + "  -> 10.0.0.11:80                 Local   1      0          1         \n-a -t 10.0.1.100:80 -r 10.0.0.11:80 -g -w 2\n",
			"TCP 10.0.1.100:80 \"rr\" flags=\"\" persistent=0 mask=0 ops=false pe=\"\"\n  10.0.0.11:80 Local weight=2 active=0 inactive=1 persistent=-1\n", 0},
		{"marks of /proc/net/ip_vs", "FWM  00000014 rr \n  -> [fd00:0000:0000:0000:0000:0000:0000:0012]:0050      Masq    1      0          1         \n" +
			"FWM  00000014 rr \n  -> 0A00000B:0050      Masq    1      0          1         \nFWM  80000000 rr persistent 225000 FFFFFF00\nFWM  80000000 wrr\n",
			"FWM 20 ipv6=true \"rr\" flags=\"\" persistent=0 mask=0 ops=false pe=\"\"\n  [fd00::12]:80 Masq weight=1 active=0 inactive=1 persistent=-1\n" +
				"FWM 20 ipv6=false \"rr\" flags=\"\" persistent=0 mask=0 ops=false pe=\"\"\n  10.0.0.11:80 Masq weight=1 active=0 inactive=1 persistent=-1\n" +
				"FWM 2147483648 ipv6=false \"wrr\" flags=\"\" persistent=0 mask=0 ops=false pe=\"\"\n", 0},
		{"a port that can be read either way", "Prot LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\nTCP  [fd00:1111:2222:3333:4444:5555:6666:7777]:8080 rr \n" +
			"Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes\n  -> RemoteAddress:Port\nTCP  [fd00:1111:2222:3333:4444:5555:6666:7777]:8080 rr\n",
			"TCP [fd00:1111:2222:3333:4444:5555:6666:7777]:32896 \"rr\" flags=\"\" persistent=0 mask=0 ops=false pe=\"\"\n" +
				"TCP [fd00:1111:2222:3333:4444:5555:6666:7777]:8080 \"rr\" flags=\"\" persistent=0 mask=0 ops=false pe=\"\"\n", 0},
		{"sync daemons", "master sync daemon (mcast=e0, syncid=1, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)\nbackup sync daemon (mcast=e0, syncid=1, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)\nmaster sync daemon (mcast=eth1, syncid=7)\nbackup sync daemon (oh no)\n",
			"master e0 1\nbackup e0 1\nmaster eth1 7\n", 0},
		{"what a newer listing lacks is gone", titles + tcp + "  -> 10.0.0.11:80                 Masq    1      0          1         \n  -> 10.0.0.12:80                 Masq    1      0          1         \nUDP  10.0.1.100:53 rr\n" +
			titles + tcp + "  -> 10.0.0.12:80                 Masq    1      2          1         \n-a -t 10.0.1.100:80 -r 10.0.0.13:80 -m -w 1\n",
			"TCP 10.0.1.100:80 \"rr\" flags=\"\" persistent=0 mask=0 ops=false pe=\"\"\n  10.0.0.12:80 Masq weight=1 active=2 inactive=1 persistent=-1\n  10.0.0.13:80 Masq weight=1 active=-1 inactive=-1 persistent=-1\n", 0},
	} {
		t.Run(v.name, func(t *testing.T) { check(t, configOf([]byte(v.text)), v.want, v.misread) })
	}
}

func TestConfigSysctls(t *testing.T) {
	for _, k := range kernels {
		var all, want strings.Builder
		for line := range strings.Lines(string(capture(t, k+"-sysctls.txt"))) {
			all.WriteString("net.ipv4.vs." + line)
			name, value, _ := strings.Cut(strings.TrimSpace(line), " = ")
			fmt.Fprintf(&want, "%s=%q\n", name, strings.ReplaceAll(value, "\t", " "))
		}
		check(t, configOf([]byte(all.String())), want.String(), 0)
	}
}

// TestConfigProse: what only speaks of services is no configuration.
func TestConfigProse(t *testing.T) {
	for _, line := range []string{
		"TCP 10.0.0.1:80 is down",
		"TCP 10.0.0.1:80 down",
		"SCTP 10.0.0.1:80 is down",
		"UDP packets: sh",
		"TCP state: dh or rr",
		"the service TCP 10.0.0.1:80 rr",
		"Note: TCP 10.0.0.1:80",
		"TCP      10.0.1.100:80                   50          1     10     9     31",
		"FWM marks are set by iptables",
		"  TCP    10.0.0.1:80     10.0.0.2:55555   ESTABLISHED",
		"  UDP    0.0.0.0:123            *:*",
		"-> 10.0.0.1:80",
		"-> see 10.0.0.1:80 for more",
		"10.0.0.1:80 -> 10.0.0.2:80 Masq 1 0 1",
		"-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT",
		"-A PREROUTING -t mangle -d 10.0.1.100/32 -p tcp -j MARK --set-mark 10",
		"-A -t $VIP:80 -s rr",
		"# -A -t 10.0.1.100:80 -s rr",
		"[root@lvs1 ~]# ipvsadm -A -t 10.0.1.100:80 -s rr",
		"-D -t 10.0.1.100:80",
		"-C",
		"----------",
		"ipvsadm",
		"IP Virtual Server version 1.2.1",
		"Timeout (tcp tcpfin udp): see below",
		"#net.ipv4.vs.conntrack = 1",
		"net.ipv4.vs.conntrack = 1 (the default)",
		"net.ipv4.vs.conntrack",
		"sysctl: cannot stat /proc/sys/net/ipv4/vs/conntrack: No such file or directory",
		"net.ipv4.ip_forward = 1",
	} {
		var s Scanner
		for s.Reset([]byte(line + "\n")); s.Scan(); {
			if l := s.Line(); l.Kind != Skipped || string(l.Text) != line {
				t.Errorf("%q reads as %s, %q", line, describe(l), l.Text)
			}
		}
	}
}

// TestConfigText: a config line's text is tidied, and reads the same again.
func TestConfigText(t *testing.T) {
	var s Scanner
	s.Reset([]byte("\ufeff\x1b[1mlvs1:  ->\t10.0.0.11:80\u00a0 Masq 1 0 1\x1b[m \r\n  \"TCP  10.0.1.100:80 rr\",\n$ IP Virtual Server version 1.2.1 (size=4096)"))
	for _, want := range []struct {
		kind LineKind
		text string
	}{{ConfigLine, "-> 10.0.0.11:80  Masq 1 0 1"}, {ConfigLine, "TCP  10.0.1.100:80 rr"}, {ConfigTitleLine, "IP Virtual Server version 1.2.1 (size=4096)"}} {
		if s.Scan(); s.Line().Kind != want.kind || string(s.Line().Text) != want.text {
			t.Errorf("%s %q, want %q", describe(s.Line()), s.Line().Text, want.text)
		}
	}
}

// FuzzConfig: of any text a configuration has no service and no server twice, and each
// config line reads the same again.
func FuzzConfig(f *testing.F) {
	files, err := filepath.Glob("testdata/config/*.txt")
	if err != nil || len(files) == 0 {
		f.Fatalf("no listings: %v", err)
	}
	for _, name := range files {
		f.Add(read(f, name))
	}
	for _, text := range []string{sample, sampleTunnels, sampleStats, sampleRate, sampleThresholds, sampleTemplates, sampleNames, sampleSaved, "net.ipv4.vs.sync_threshold = 3 50\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var s Scanner
		var r ConfigReader
		for s.Reset(bytes.Clone(data)); s.Scan(); {
			l := s.Line()
			if l.Kind != ConfigLine && l.Kind != ConfigTitleLine {
				continue
			}
			if at, kind := findConfig(l.Text); at != 0 || kind == notConfig || (kind == versionLine) != (l.Kind == ConfigTitleLine) {
				t.Fatalf("%q is %s, and then of kind %d from %d on", l.Text, describe(l), kind, at)
			}
			r.Line(l.Text)
			if len(data)%2 == 0 {
				r.Config()
			}
		}
		r.Line(data) // any text is safe
		c := r.Config()
		if c == nil {
			return
		}
		services := make(map[string]bool)
		for i := range c.Services {
			v := &c.Services[i]
			name := fmt.Sprint(v.Protocol, v.Virtual.Identity(), v.Fwmark, v.Fwmark != 0 && v.IPv6)
			if services[name] {
				t.Fatalf("%s is there twice:\n%s", name, outline(c))
			}
			services[name] = true
			servers := make(map[conn.Endpoint]bool)
			for _, d := range v.Servers {
				if servers[d.Address.Identity()] {
					t.Fatalf("%s is there twice:\n%s", d.Address, outline(c))
				}
				servers[d.Address.Identity()] = true
				if min(d.Weight, d.Active, d.Inactive, d.Persistent) < conn.UnknownCount {
					t.Fatalf("numbers below zero:\n%s", outline(c))
				}
			}
			if v.Persistent < conn.Unknown || v.Mask < 0 || v.Mask > 127 {
				t.Fatalf("numbers out of range:\n%s", outline(c))
			}
		}
	})
}
