//go:build linux

package kernel

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"math/bits"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

//go:embed services.sh
var servicesScript string

// TestServices holds `ipvsstate services` against ipvsadm on a director with services of every sort: field by field,
// live and from saved listings, before and after servers and services went away.
func TestServices(t *testing.T) {
	network, _, found := strings.Cut(trafficScript, "# ---- the virtual services\n")
	if !found {
		t.Fatal("traffic.sh has no title where its network ends")
	}
	r := boot(t, 5*time.Minute, network+servicesScript)
	t.Logf("the guest was up for %s s", strings.Fields(r.text(t, "uptime"))[0])

	t.Run("scenario", func(t *testing.T) { sortsConfigured(t, r) })
	for _, phase := range []string{"full", "gone", "late"} {
		for _, way := range []string{"live", "files", "rules", "pipe", "recorded", "anonymized"} {
			t.Run(phase+"/"+way, func(t *testing.T) { phaseAgrees(t, r, phase, way) })
		}
	}
	t.Run("gone/orphans", func(t *testing.T) { orphansTold(t, r) })
	t.Run("shared server", func(t *testing.T) { sharedTold(t, r) })
	t.Run("weights", func(t *testing.T) { weightsTold(t, r) })
	t.Run("sysctls", func(t *testing.T) { sysctlsTold(t, r) })
	t.Run("list", func(t *testing.T) { listsAgree(t, r) })
	t.Run("timeouts", func(t *testing.T) {
		var doc struct {
			Timeouts struct {
				TCP    int `json:"tcp_seconds"`
				TCPFin int `json:"tcp_fin_seconds"`
				UDP    int `json:"udp_seconds"`
				From   string
			}
		}
		r.unmarshal(t, "set", &doc)
		if got := fmt.Sprint(doc.Timeouts); got != "{30 5 7 kernel}" {
			t.Errorf("timeouts %s, want those of ipvsadm --set 30 5 7, from the kernel", got)
		}
	})
}

// ---- what ipvsadm says, read with a few lines of this test's own

// A listedService is a service of ipvsadm -Ln.
type listedService struct {
	name, scheduler, flags, engine string // the name as ipvsadm prints it: "TCP 10.9.0.1:80", "FWM 10 IPv6"
	persistent, mask               int    // the mask in bits, 0 for the whole address
	onePacket                      bool
	servers                        []listedServer
}

type listedServer struct {
	address, forwarding      string
	weight, active, inactive int
}

func atoi(t *testing.T, word string) int {
	t.Helper()
	n, err := strconv.Atoi(word)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func listedServices(t *testing.T, text string) []listedService {
	t.Helper()
	var all []listedService
	for _, line := range strings.Split(strings.TrimSpace(text), "\n")[3:] {
		f := strings.Fields(line)
		if f[0] == "->" {
			s := &all[len(all)-1]
			s.servers = append(s.servers, listedServer{f[1], f[2], atoi(t, f[3]), atoi(t, f[4]), atoi(t, f[5])})
			continue
		}
		s := listedService{name: f[0] + " " + f[1]}
		f = f[2:]
		if f[0] == "IPv6" {
			s.name += " IPv6"
			f = f[1:]
		}
		s.scheduler = f[0]
		for i := 1; i < len(f); i++ {
			switch {
			case f[i][0] == '(':
				s.flags = strings.Trim(f[i], "()")
			case f[i] == "ops":
				s.onePacket = true
			case f[i] == "persistent":
				i++
				s.persistent = atoi(t, f[i])
			case f[i] == "mask":
				i++
				s.mask = maskBits(t, f[i])
			case f[i] == "pe":
				i++
				s.engine = f[i]
			default:
				t.Fatalf("%q in %q", f[i], line)
			}
		}
		all = append(all, s)
	}
	return all
}

// maskBits counts an IPv4 mask's bits; of IPv6 ipvsadm prints the number.
func maskBits(t *testing.T, mask string) int {
	t.Helper()
	if !strings.Contains(mask, ".") {
		return atoi(t, mask)
	}
	n := 0
	for _, b := range netip.MustParseAddr(mask).AsSlice() {
		n += bits.OnesCount8(b)
	}
	return n
}

// A listedEntry is a row of ipvsadm -Lnc.
type listedEntry struct {
	protocol, state         string
	client, virtual, server netip.AddrPort
	expires                 int
}

func (e listedEntry) template() bool    { return e.protocol == "IP" || e.client.Port() == 0 }
func (e listedEntry) invalidated() bool { return e.template() && e.virtual.Port() == 65535 }

func listedEntries(t *testing.T, text string) []listedEntry {
	t.Helper()
	var all []listedEntry
	for _, line := range listedRows(text) {
		f := strings.Fields(line)
		minutes, seconds, _ := strings.Cut(f[1], ":")
		all = append(all, listedEntry{
			f[0], f[2], netip.MustParseAddrPort(f[3]), netip.MustParseAddrPort(f[4]), netip.MustParseAddrPort(f[5]),
			60*atoi(t, minutes) + atoi(t, seconds),
		})
	}
	return all
}

// listedRows are the rows of ipvsadm -Lnc, in whatever it stands.
func listedRows(text string) []string {
	_, rows, _ := strings.Cut(text, "pro expire state")
	return strings.Split(strings.TrimSpace(rows), "\n")[1:]
}

// marks are the addresses whose packets the scenario gives a firewall mark.
var marks = map[string]string{"10.9.0.10": "FWM 10", "10.9.0.11": "FWM 30", "fd09::10": "FWM 20 IPv6", "fd09::11": "FWM 10 IPv6"}

// service is the service that an entry was made for, whether or not that is still there.
func (e listedEntry) service() string {
	if e.protocol == "IP" {
		b := e.virtual.Addr().AsSlice()
		name := fmt.Sprintf("FWM %d", uint32(b[0])<<24|uint32(b[1])<<16|uint32(b[2])<<8|uint32(b[3]))
		if e.virtual.Addr().Is6() {
			name += " IPv6"
		}
		return name
	}
	if mark := marks[e.virtual.Addr().String()]; mark != "" {
		return mark
	}
	if a := e.virtual.Addr().String(); a == "10.9.0.3" || a == "fd09::3" {
		return e.protocol + " " + netip.AddrPortFrom(e.virtual.Addr(), 0).String()
	}
	return e.protocol + " " + e.virtual.String()
}

// serverIn is the entry's real server as it is configured: of marks' and all ports' services mostly without a port.
func (e listedEntry) serverIn(s listedService) (address string, ok bool) {
	for _, v := range s.servers {
		if v.address == e.server.String() || v.address == netip.AddrPortFrom(e.server.Addr(), 0).String() {
			return v.address, true
		}
	}
	return e.server.String(), false
}

// ---- what ipvsstate says

type toldServices struct {
	Connections, Templates int
	ConfigFrom             *string `json:"config_from"`
	Misread                int     `json:"config_misread"`
	Services               []toldService
	Orphans                []struct {
		Service, Server, Why string
		tally
		Longest int `json:"longest_expires_seconds"`
	}
	Invalidated, Unassigned, Lost struct{ Connections, Templates int }
	Sysctls                       map[string]string
	Missing                       []struct{ What, Why string }
}

type toldService struct {
	Protocol, Virtual, Scheduler *string
	Fwmark                       *uint32
	Flags                        string  `json:"scheduler_flags"`
	Persistent                   *int    `json:"persistent_seconds"`
	Mask                         *int    `json:"mask_bits"`
	OnePacket                    bool    `json:"one_packet"`
	Engine                       *string `json:"pe_name"`
	Connections, Templates       int
	Servers                      []struct {
		Server         string
		Forwarding     *string
		Weight         *int
		KernelActive   *int `json:"kernel_active"`
		KernelInactive *int `json:"kernel_inactive"`
		Active         int
		tally
		Longest   *int `json:"longest_expires_seconds"`
		Disagrees bool
	}
}

// A tally is a number of entries, by state where they are connections.
type tally struct {
	Connections, Templates int
	States                 map[string]int
}

func (n tally) String() string {
	states := maps.Clone(n.States)
	maps.DeleteFunc(states, func(_ string, n int) bool { return n == 0 })
	return fmt.Sprintf("connections=%d templates=%d states=%v", n.Connections, n.Templates, states)
}

// name is the service's as ipvsadm prints it. The document does not say which family a mark's service has, but its
// servers do.
func (s toldService) name() string {
	if s.Fwmark == nil {
		return *s.Protocol + " " + *s.Virtual
	}
	name := fmt.Sprintf("FWM %d", *s.Fwmark)
	if len(s.Servers) > 0 && s.Servers[0].Server[0] == '[' {
		name += " IPv6"
	}
	return name
}

// unmarshal reads the JSON that a command of the scenario printed; it must have ended with exit code 0.
func (r results) unmarshal(t *testing.T, name string, to any) {
	t.Helper()
	if code, messages := r.exit(t, name); code != "0" {
		t.Fatalf("%s: exit code %s: %s", name, code, messages)
	}
	if err := json.Unmarshal([]byte(r.text(t, name+".out")), to); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func (r results) told(t *testing.T, name string) toldServices {
	t.Helper()
	var d toldServices
	r.unmarshal(t, name, &d)
	return d
}

// show is the value, or null.
func show[T any](p *T) string {
	if p == nil {
		return "null"
	}
	return fmt.Sprint(*p)
}

// ---- the comparison

// netlink says whether the configuration was read over netlink, be it that a snapshot has been recorded of it since.
func netlink(way string) bool { return way == "live" || way == "recorded" || way == "anonymized" }

// counters says whether the source of the configuration has the kernel's counters, which `ipvsadm -S` has not.
func counters(way string) bool { return way != "rules" }

// phaseAgrees holds one reading of one phase against what ipvsadm printed then.
func phaseAgrees(t *testing.T, r results, phase, way string) {
	d := r.told(t, phase+"."+way)
	services := listedServices(t, r.text(t, phase+".services.txt"))
	// What went through the pipe is a listing of its own, the others share one.
	listing := map[bool]string{true: "both", false: "listing"}[way == "pipe"]
	entries := listedEntries(t, r.text(t, phase+"."+listing+".txt"))

	if from := map[bool]string{true: "kernel", false: "listing"}[way == "live"]; show(d.ConfigFrom) != from || d.Misread != 0 {
		t.Errorf("the configuration is from %s with %d misread lines, want %s", show(d.ConfigFrom), d.Misread, from)
	}
	sameLines(t, d.configured(), configuredLines(services, way))
	sameLines(t, d.held(), heldLines(services, entries, phase))
	sumsAdd(t, d, entries)
	for _, s := range d.Services {
		for _, v := range s.Servers {
			if v.Disagrees {
				t.Errorf("%s -> %s disagrees with a table that stands still", s.name(), v.Server)
			}
			// In the last phase one entry is not told to be of the mark's service that the kernel counts it for.
			if phase == "late" && s.Fwmark != nil || !counters(way) {
				continue
			}
			if kernel, table := show(v.KernelActive)+"+"+show(v.KernelInactive), fmt.Sprintf("%d+%d", v.Active, v.Connections-v.Active); kernel != table {
				t.Errorf("%s -> %s: the kernel counts %s, the table has %s", s.name(), v.Server, kernel, table)
			}
		}
	}
	longestTold(t, d, services, entries, way)
}

// configured has a line for each service and for each server, with every field that ipvsadm -Ln prints.
func (d toldServices) configured() []string {
	var lines []string
	for _, s := range d.Services {
		lines = append(lines, fmt.Sprintf("%s scheduler=%s flags=%s persistent=%s mask=%s ops=%v pe=%s",
			s.name(), show(s.Scheduler), s.Flags, show(s.Persistent), show(s.Mask), s.OnePacket, show(s.Engine)))
		for _, v := range s.Servers {
			lines = append(lines, fmt.Sprintf("%s -> %s %s weight=%s active=%s inactive=%s",
				s.name(), v.Server, show(v.Forwarding), show(v.Weight), show(v.KernelActive), show(v.KernelInactive)))
		}
	}
	slices.Sort(lines)
	return lines
}

func configuredLines(services []listedService, way string) []string {
	var lines []string
	for _, s := range services {
		mask, engine := "null", "null"
		if s.mask != 0 {
			mask = strconv.Itoa(s.mask)
		}
		if s.engine != "" && !netlink(way) { // moby/ipvs does not read it
			engine = s.engine
		}
		lines = append(lines, fmt.Sprintf("%s scheduler=%s flags=%s persistent=%d mask=%s ops=%v pe=%s",
			s.name, s.scheduler, s.flags, s.persistent, mask, s.onePacket, engine))
		for _, v := range s.servers {
			if netlink(way) {
				v.weight %= 1 << 16 // moby/ipvs has the lower 16 bits alone
			}
			active, inactive := strconv.Itoa(v.active), strconv.Itoa(v.inactive)
			if !counters(way) {
				active, inactive = "null", "null"
			}
			lines = append(lines, fmt.Sprintf("%s -> %s %s weight=%d active=%s inactive=%s", s.name, v.address, v.forwarding, v.weight, active, inactive))
		}
	}
	slices.Sort(lines)
	return lines
}

// held has a line for what each service, server and orphan has of the table.
func (d toldServices) held() []string {
	var lines []string
	for _, s := range d.Services {
		lines = append(lines, fmt.Sprintf("%s has connections=%d templates=%d", s.name(), s.Connections, s.Templates))
		for _, v := range s.Servers {
			lines = append(lines, fmt.Sprintf("%s -> %s %v active=%d", s.name(), v.Server, v.tally, v.Active))
		}
	}
	for _, o := range d.Orphans {
		lines = append(lines, fmt.Sprintf("%s: %s -> %s %v", o.Why, o.Service, o.Server, o.tally))
	}
	lines = append(lines, fmt.Sprintf("invalidated %v", d.Invalidated), fmt.Sprintf("unassigned %v", d.Unassigned), fmt.Sprintf("lost %v", d.Lost))
	slices.Sort(lines)
	return lines
}

// ambiguous reports the one connection of the last phase that two services of marks could have made: both have its real
// server, one with this port, the other with the client's, which is the same.
func (e listedEntry) ambiguous(phase string) bool {
	return phase == "late" && e.virtual.String() == "10.9.0.11:8001"
}

func heldLines(services []listedService, entries []listedEntry, phase string) []string {
	byName := map[string]listedService{}
	ofService, ofServer, active, orphans := map[string]*tally{}, map[string]*tally{}, map[string]int{}, map[string]*tally{}
	for _, s := range services {
		byName[s.name] = s
		ofService[s.name] = &tally{}
		for _, v := range s.servers {
			ofServer[s.name+" -> "+v.address] = &tally{}
		}
	}
	var invalidated, unassigned tally
	for _, e := range entries {
		if e.invalidated() {
			invalidated.add(e)
			continue
		}
		if e.ambiguous(phase) {
			unassigned.add(e)
			continue
		}
		name := e.service()
		s, there := byName[name]
		address, has := e.serverIn(s)
		key := name + " -> " + address
		if there {
			ofService[name].add(e)
		}
		if has {
			ofServer[key].add(e)
			if e.active() {
				active[key]++
			}
			continue
		}
		key = map[bool]string{true: "server_gone: ", false: "service_gone: "}[there] + key
		if orphans[key] == nil {
			orphans[key] = &tally{}
		}
		orphans[key].add(e)
	}
	var lines []string
	for name, n := range ofService {
		lines = append(lines, fmt.Sprintf("%s has connections=%d templates=%d", name, n.Connections, n.Templates))
	}
	for key, n := range ofServer {
		lines = append(lines, fmt.Sprintf("%s %v active=%d", key, *n, active[key]))
	}
	for key, n := range orphans {
		lines = append(lines, fmt.Sprintf("%s %v", key, *n))
	}
	lines = append(lines, fmt.Sprintf("invalidated {%d %d}", invalidated.Connections, invalidated.Templates),
		fmt.Sprintf("unassigned {%d %d}", unassigned.Connections, unassigned.Templates), "lost {0 0}")
	slices.Sort(lines)
	return lines
}

func (n *tally) add(e listedEntry) {
	if e.template() {
		n.Templates++
		return
	}
	if n.States == nil {
		n.States = map[string]int{}
	}
	n.Connections++
	n.States[e.state]++
}

// active reports the states that the kernel counts in ActiveConn.
func (e listedEntry) active() bool {
	return !e.template() && (e.state == "ESTABLISHED" || e.protocol == "TCP" && (e.state == "SYN_SENT" || e.state == "SYN_RECV" || e.state == "SYNACK"))
}

// sumsAdd wants every entry of the table told of once.
func sumsAdd(t *testing.T, d toldServices, entries []listedEntry) {
	t.Helper()
	connections := d.Unassigned.Connections + d.Invalidated.Connections + d.Lost.Connections
	templates := d.Unassigned.Templates + d.Invalidated.Templates + d.Lost.Templates
	for _, s := range d.Services {
		connections, templates = connections+s.Connections, templates+s.Templates
	}
	for _, o := range d.Orphans {
		if o.Why == "service_gone" {
			connections, templates = connections+o.Connections, templates+o.Templates
		}
	}
	if connections != d.Connections || templates != d.Templates {
		t.Errorf("told of %d connections and %d templates, the document has %d and %d", connections, templates, d.Connections, d.Templates)
	}
	var all tally
	for _, e := range entries {
		all.add(e)
	}
	if all.Connections != d.Connections || all.Templates != d.Templates {
		t.Errorf("the document has %d connections and %d templates, the listing %d and %d", d.Connections, d.Templates, all.Connections, all.Templates)
	}
}

// longestTold holds the longest time left of each server and orphan against the listing's: the same one's exactly, and
// those that were read a moment later, on a slow machine some seconds, within a minute.
func longestTold(t *testing.T, d toldServices, services []listedService, entries []listedEntry, way string) {
	t.Helper()
	early, late := 0, 0
	if netlink(way) || way == "pipe" {
		early, late = 60, 60
	}
	byName := map[string]listedService{}
	for _, s := range services {
		byName[s.name] = s
	}
	longest := map[string]int{}
	for _, e := range entries {
		name := e.service()
		address, _ := e.serverIn(byName[name])
		if !e.invalidated() {
			longest[name+" -> "+address] = max(longest[name+" -> "+address], e.expires)
		}
	}
	hold := func(key string, got int) {
		if by := longest[key] - got; by < -early || by > late {
			t.Errorf("%s is told to be gone after %d s, the listing says %d", key, got, longest[key])
		}
	}
	for _, s := range d.Services {
		for _, v := range s.Servers {
			switch none := v.Connections+v.Templates == 0; {
			case none && v.Longest != nil:
				t.Errorf("%s -> %s has nothing, and %d s to go", s.name(), v.Server, *v.Longest)
			case !none && v.Longest == nil:
				t.Errorf("%s -> %s has entries, and no time to go", s.name(), v.Server)
			case !none:
				hold(s.name()+" -> "+v.Server, *v.Longest)
			}
		}
	}
	for _, o := range d.Orphans {
		hold(o.Service+" -> "+o.Server, o.Longest)
	}
}

// sortsConfigured fails when the scenario did not make what it was written for: then the agreement of the readings
// would prove less than it seems to.
func sortsConfigured(t *testing.T, r results) {
	services := listedServices(t, r.text(t, "full.services.txt"))
	text := strings.Join(configuredLines(services, "files"), "\n")
	for _, want := range []string{
		"SCTP 10.9.0.1:90 ", "SCTP [fd09::1]:90 ", "UDP [fd09::1]:53 ", "TCP [fd09::1]:80 ", "UDP 10.9.0.3:0 ",
		"UDP 10.9.0.1:54 scheduler=rr flags= persistent=0 mask=null ops=true",
		"TCP 10.9.0.3:0 scheduler=rr flags= persistent=300",
		"TCP [fd09::3]:0 scheduler=rr flags= persistent=320",
		"FWM 10 scheduler=rr flags= persistent=300 mask=24",
		"FWM 10 IPv6 scheduler=sh flags= persistent=360 mask=64",
		"TCP 10.9.0.1:443 scheduler=sh flags=sh-port",
		"TCP 10.9.0.1:444 scheduler=sh flags=sh-fallback,sh-port",
		"TCP 10.9.0.1:445 scheduler=mh flags=mh-port",
		"TCP 10.9.0.1:446 scheduler=rr flags= persistent=600 mask=24",
		"UDP 10.9.0.1:5060 scheduler=rr flags= persistent=600 mask=null ops=true pe=sip",
		"10.2.1.2:99 Tunnel weight=7", "10.3.1.2:8001 Route weight=2", "10.2.1.2:8002 Masq weight=65535", "10.2.2.2:8002 Masq weight=70000", "10.2.3.2:8002 Masq weight=0",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("not configured: %s", want)
		}
	}
	got := map[string]int{}
	for _, e := range listedEntries(t, r.text(t, "full.listing.txt")) {
		if e.template() {
			got[e.service()+" templates"]++
		} else {
			got[e.service()+" "+e.state]++
		}
	}
	for key, want := range map[string]int{
		"TCP 10.9.0.1:80 ESTABLISHED": 8, "TCP 10.9.0.1:80 CLOSE_WAIT": 4, "TCP 10.9.0.1:81 TIME_WAIT": 5, "TCP 10.9.0.1:82 ESTABLISHED": 6,
		"TCP 10.9.0.1:82 CLOSE_WAIT": 2, "TCP 10.9.0.1:83 ESTABLISHED": 4, "TCP 10.9.0.1:84 ESTABLISHED": 3, "TCP 10.9.0.1:85 SYN_RECV": 3,
		"TCP 10.9.0.1:86 FIN_WAIT": 2, "UDP 10.9.0.1:53 UDP": 6, "UDP 10.9.0.1:54 UDP": 0, "SCTP 10.9.0.1:90 ESTABLISHED": 2,
		"TCP 10.9.0.1:443 ESTABLISHED": 4, "TCP 10.9.0.1:445 ESTABLISHED": 2,
		"TCP 10.9.0.1:446 ESTABLISHED": 3, "TCP 10.9.0.1:446 templates": 1, // one network, one template
		"TCP 10.9.0.1:448 ESTABLISHED": 2, "TCP 10.9.0.1:448 templates": 1, "TCP 10.9.0.1:449 templates": 1, "UDP 10.9.0.1:5060 templates": 1,
		"TCP 10.9.0.3:0 ESTABLISHED": 3, "TCP 10.9.0.3:0 TIME_WAIT": 1, "TCP 10.9.0.3:0 templates": 2, "UDP 10.9.0.3:0 UDP": 2, "UDP 10.9.0.3:0 templates": 1,
		"TCP 10.9.0.2:8001 ESTABLISHED": 3, "UDP 10.9.0.2:8010 UDP": 2,
		"FWM 10 ESTABLISHED": 3, "FWM 10 templates": 1, "FWM 30 ESTABLISHED": 3, "FWM 10 IPv6 ESTABLISHED": 1, "FWM 10 IPv6 templates": 1, "FWM 20 IPv6 ESTABLISHED": 2,
		"TCP [fd09::1]:80 ESTABLISHED": 4, "TCP [fd09::1]:80 CLOSE_WAIT": 1, "TCP [fd09::1]:81 TIME_WAIT": 2, "TCP [fd09::1]:443 templates": 1, "UDP [fd09::1]:53 UDP": 3,
		"TCP [fd09::2]:8001 ESTABLISHED": 2, "TCP [fd09::3]:0 ESTABLISHED": 2, "TCP [fd09::3]:0 templates": 1,
	} {
		if got[key] != want {
			t.Errorf("%s: %d, want %d", key, got[key], want)
		}
	}
}

// orphansTold wants of the second phase what the scenario did, in so many words; phaseAgrees has held the numbers
// against the listing.
func orphansTold(t *testing.T, r results) {
	for _, way := range []string{"live", "files", "rules", "pipe", "recorded", "anonymized"} {
		d := r.told(t, "gone."+way)
		var got []string
		for _, o := range d.Orphans {
			line := fmt.Sprintf("%s: %s -> %s %v", o.Why, o.Service, o.Server, o.tally)
			// The one in CLOSE_WAIT has a minute to live, which on a slow machine is over.
			line = strings.Replace(line, "connections=4 templates=0 states=map[CLOSE_WAIT:1 ESTABLISHED:3]", "connections=3 templates=0 states=map[ESTABLISHED:3]", 1)
			got = append(got, line)
		}
		slices.Sort(got)
		sameLines(t, got, []string{
			"server_gone: TCP 10.9.0.1:447 -> 10.2.1.2:8001 connections=1 templates=0 states=map[ESTABLISHED:1]",
			"server_gone: TCP 10.9.0.1:448 -> 10.2.1.2:8001 connections=2 templates=1 states=map[ESTABLISHED:2]",
			"server_gone: TCP 10.9.0.1:82 -> 10.2.1.2:8001 connections=3 templates=0 states=map[ESTABLISHED:3]",
			"service_gone: TCP 10.9.0.1:449 -> 10.2.2.2:8001 connections=1 templates=1 states=map[ESTABLISHED:1]",
			"service_gone: TCP 10.9.0.1:83 -> 10.2.1.2:8001 connections=2 templates=0 states=map[ESTABLISHED:2]",
			"service_gone: TCP 10.9.0.1:83 -> 10.2.2.2:8001 connections=2 templates=0 states=map[ESTABLISHED:2]",
			"service_gone: UDP 10.9.0.1:53 -> 10.2.1.2:8010 connections=6 templates=0 states=map[UDP:6]",
		})
		if d.Invalidated.Templates != 1 {
			t.Errorf("%s: %d invalidated templates, want that of the replaced server", way, d.Invalidated.Templates)
		}
		drained := false
		for _, s := range d.Services {
			for _, v := range s.Servers {
				drained = drained || s.name() == "TCP 10.9.0.1:84" && v.Server == "10.2.1.2:8001" && show(v.Weight) == "0" && v.Connections == 3
			}
		}
		if !drained {
			t.Errorf("%s: the server of weight 0 is not there with its three connections", way)
		}
	}
	if n := r.told(t, "late.live").Unassigned.Connections; n != 1 {
		t.Errorf("%d unassigned connections, want the one that two marks' services could have made", n)
	}
}

// sharedTold wants the templates of a deleted service and of a removed server told of as orphans although the service
// of mark 30 has the same real server: it is not persistent, and a mark's template has the protocol IP (ip_vs_sched_persist).
// Their connections are counted as the README says: with a mark's service that has the server, and with none where the
// address's own service is there.
func sharedTold(t *testing.T, r results) {
	d := r.told(t, "shared")
	orphans := map[string]tally{}
	for _, o := range d.Orphans {
		orphans[o.Why+": "+o.Service+" -> "+o.Server] = o.tally
	}
	for _, key := range []string{"service_gone: TCP 10.9.0.1:450 -> 10.2.2.3:8001", "server_gone: TCP 10.9.0.1:451 -> 10.2.2.3:8001"} {
		if n := orphans[key]; n.Templates != 1 {
			t.Errorf("%s has %d templates, want 1", key, n.Templates)
		}
	}
	for _, s := range d.Services {
		if s.name() == "FWM 30" && (s.Templates != 0 || s.Connections != 3) {
			t.Errorf("FWM 30, not persistent, has %d templates, want 0, and %d connections, want 3", s.Templates, s.Connections)
		}
	}
	if n := d.Unassigned; n.Templates != 0 || n.Connections != 2 {
		t.Errorf("unassigned are %d templates, want 0, and %d connections, want 2", n.Templates, n.Connections)
	}
	sumsAdd(t, d, listedEntries(t, r.text(t, "shared.before.txt")))
}

// weightsTold wants weights as they were set. Over netlink moby/ipvs cuts them to 16 bits, so that of 70000 is left
// 70000 - 65536 = 4464; a listing has it whole.
func weightsTold(t *testing.T, r results) {
	for way, heavy := range map[string]string{"live": "4464", "files": "70000", "rules": "70000", "pipe": "70000"} {
		got := map[string]string{}
		for _, s := range r.told(t, "full."+way).Services {
			for _, v := range s.Servers {
				got[s.name()+" "+v.Server] = show(v.Weight)
			}
		}
		for key, want := range map[string]string{
			"TCP 10.9.0.1:81 10.2.3.2:8002": "0", "TCP 10.9.0.1:80 10.2.1.2:8001": "1", "TCP 10.9.0.1:81 10.2.1.2:8002": "65535", "TCP 10.9.0.1:81 10.2.2.2:8002": heavy,
		} {
			if got[key] != want {
				t.Errorf("%s: %s has weight %s, want %s", way, key, got[key], want)
			}
		}
	}
}

// sysctlsTold wants every sysctl that is told to be as the kernel has it, and none from listings, which have none.
func sysctlsTold(t *testing.T, r results) {
	for phase, nodest := range map[string]string{"full": "0", "gone": "0", "late": "1"} {
		kernel := map[string]string{}
		for _, line := range strings.Split(strings.TrimSpace(r.text(t, phase+".sysctls.txt")), "\n") {
			name, value, _ := strings.Cut(line, " ")
			kernel[name] = strings.Join(strings.Fields(value), " ") // sync_threshold has a tab between two numbers
		}
		d := r.told(t, phase+".live")
		if got := d.Sysctls["expire_nodest_conn"]; got != nodest || kernel["expire_nodest_conn"] != nodest {
			t.Errorf("%s: expire_nodest_conn is told to be %q, the kernel has %q, want %s", phase, got, kernel["expire_nodest_conn"], nodest)
		}
		for name, value := range d.Sysctls {
			if kernel[name] != value {
				t.Errorf("%s: %s is told to be %q, the kernel has %q", phase, name, value, kernel[name])
			}
		}
		t.Logf("%s: %d sysctls told of the kernel's %d", phase, len(d.Sysctls), len(kernel))
		if got := r.told(t, phase+".files").Sysctls; len(got) != 0 {
			t.Errorf("%s: listings tell no sysctls, got %v", phase, got)
		}
	}
}

// listsAgree holds the entries written back, and counted in groups, against the listing.
func listsAgree(t *testing.T, r results) {
	listing := r.text(t, "list.before.txt")
	entries := listedEntries(t, listing)
	t.Run("ipvsadm", func(t *testing.T) {
		withoutTime := func(text string) []string {
			var rows []string
			for _, line := range listedRows(text) {
				f := strings.Fields(line)
				rows = append(rows, strings.Join(slices.Delete(f, 1, 2), " "))
			}
			slices.Sort(rows)
			return rows
		}
		if code, messages := r.exit(t, "list.ipvsadm"); code != "0" {
			t.Fatalf("exit code %s: %s", code, messages)
		}
		if got, want := withoutTime(r.text(t, "list.ipvsadm.out")), withoutTime(listing); !slices.Equal(got, want) {
			sameLines(t, got, want)
		}
	})
	t.Run("proc", func(t *testing.T) { same(t, r.document(t, "list.proc").counts(), countListing(t, listing)) })
	t.Run("established", func(t *testing.T) {
		want := 0
		for _, row := range listedRows(listing) {
			if strings.Contains(row, "ESTABLISHED") {
				want++
			}
		}
		if got := atoi(t, strings.TrimSpace(r.text(t, "list.established.txt"))); got != want || want == 0 {
			t.Errorf("%d lines of JSON, %d rows of the listing", got, want)
		}
	})
	for name, key := range map[string]func(e listedEntry) string{
		"server": func(e listedEntry) string { return e.server.String() },
		"client": func(e listedEntry) string { return e.client.Addr().String() + " " + e.state },
	} {
		t.Run("by "+name, func(t *testing.T) {
			var doc struct {
				Groups struct {
					Groups []struct {
						Values                 []string
						Connections, Templates int
					}
					Other      struct{ Groups int }
					Undercount int
				}
				Ungrouped struct{ Connections, Templates int }
			}
			r.unmarshal(t, "list."+name, &doc)
			got, want := counts{}, counts{}
			for _, g := range doc.Groups.Groups {
				k := strings.Join(g.Values, " ")
				if _, twice := got[k+" connections"]; twice {
					t.Errorf("%s is there twice", k)
				}
				got[k+" connections"], got[k+" templates"] = g.Connections, g.Templates
			}
			for _, e := range entries {
				if e.template() {
					want[key(e)+" templates"]++
				} else {
					want[key(e)+" connections"]++
				}
			}
			same(t, got, want)
			if doc.Groups.Other.Groups != 0 || doc.Groups.Undercount != 0 {
				t.Errorf("all groups are wanted, %d are added up and %d entries not counted", doc.Groups.Other.Groups, doc.Groups.Undercount)
			}
		})
	}
}
