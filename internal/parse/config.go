package parse

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"ipvsstate/internal/conn"
)

// How a director is configured is told by `ipvsadm -L`, in all its variants,
// /proc/net/ip_vs, `ipvsadm -S`, `ipvsadm -L --timeout` and sysctl:
//
//	IP Virtual Server version 1.2.1 (size=4096)
//	Prot LocalAddress:Port Scheduler Flags
//	  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
//	TCP  10.0.1.100:443 mh (mh-port) persistent 300 mask 255.255.255.0
//	  -> 10.0.0.11:443                Masq    1      12         345
//	-a -t 10.0.1.100:443 -r 10.0.0.11:443 -m -w 1
//	Timeout (tcp tcpfin udp): 900 120 300
//	net.ipv4.vs.expire_nodest_conn = 0
//
// The scanner knows such lines one by one, by findConfig; a ConfigReader makes sense
// of them in their order.

// configKind is what a config line is.
type configKind uint8

const (
	notConfig configKind = iota
	versionLine
	titlesLine
	serviceLine
	serverLine
	ruleLine
	timeoutLine
	sysctlLine
	daemonLine
)

var (
	versionText = []byte("IP Virtual Server version ")
	titlesText  = []byte("Prot LocalAddress:Port")
	serversText = []byte("-> RemoteAddress:Port")
	timeoutText = []byte("Timeout (tcp tcpfin udp): ")
	sysctlText  = []byte("net.ipv4.vs.")
	masterText  = []byte("master sync daemon (")
	backupText  = []byte("backup sync daemon (")
	arrow       = []byte("-> ")
)

// maxPrefix is the longest prefix, in bytes, that a config line is looked for behind:
// each place in it may cost the whole line.
const maxPrefix = 120

// config makes the tidied line a config line if it is one.
func (s *Scanner) config() bool {
	text := s.clean[4 : len(s.clean)-pad : len(s.clean)-pad]
	at, kind := findConfig(text)
	switch kind {
	case notConfig:
		return false
	case versionLine:
		s.line.Kind = ConfigTitleLine
	default:
		s.line.Kind = ConfigLine
	}
	s.line.Text = text[at:]
	return true
}

// findConfig looks for what is told of a configuration: titles anywhere, the rest at
// the line's start or behind a prefix such as `lvs1: `, `12:` or `> `.
func findConfig(text []byte) (at int, kind configKind) {
	if i := bytes.Index(text, versionText); i >= 0 && isVersion(text[i+len(versionText):]) {
		return i, versionLine
	}
	if i := bytes.Index(text, titlesText); i >= 0 {
		return i, titlesLine
	}
	var before byte // what the prefix ends with
	for i, c := range text[:min(len(text), maxPrefix)] {
		if c == ' ' {
			continue
		}
		if before == 0 || strings.IndexByte(":]>#*|+\"'`", before) >= 0 {
			if kind := configAt(text[i:], before); kind != notConfig {
				return i, kind
			}
		}
		before = c
	}
	return 0, notConfig
}

// isVersion reports `1.2.1 (size=4096)`.
func isVersion(text []byte) bool {
	number, size, ok := bytes.Cut(text, []byte(" (size="))
	digits, _, closed := bytes.Cut(size, []byte(")"))
	return ok && closed && isCount(digits) && isCount(bytes.ReplaceAll(number, []byte("."), nil))
}

// configAt says what a line tells from here on, before being what its prefix ends
// with, 0 at its start.
func configAt(text []byte, before byte) configKind {
	form := func(is bool, kind configKind) configKind {
		if is {
			return kind
		}
		return notConfig
	}
	switch c := text[0]; {
	case bytes.HasPrefix(text, serversText):
		return titlesLine
	case bytes.HasPrefix(text, arrow):
		return form(isServer(bytes.Fields(text[len(arrow):])), serverLine)
	case c == '-' || before == 0 && (c == 'i' || c == '/'):
		_, ok := readRule(bytes.Fields(text))
		return form(ok && before != '#', ruleLine) // a comment is none
	case bytes.HasPrefix(text, timeoutText):
		_, ok := readTimeouts(text)
		return form(ok, timeoutLine)
	case bytes.HasPrefix(text, masterText), bytes.HasPrefix(text, backupText):
		_, ok := readDaemon(text)
		return form(ok, daemonLine)
	case bytes.HasPrefix(text, sysctlText):
		_, _, ok := readSysctl(text)
		return form(ok && before != '#', sysctlLine)
	case c == 'T' || c == 'U' || c == 'S' || c == 'I' || c == 'F' || c == 'M':
		return form(isService(text, before == 0), serviceLine)
	}
	return notConfig
}

// schedulers are the kernel's up to 7.2, and DPVS's.
var schedulers = strings.Fields("rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf mh twos conhash")

// serviceWords are what follows a scheduler: ipvsadm's, the kernel's, DPVS's.
var serviceWords = strings.Fields("persistent ops mask pe sip qid synproxy conn_timeout conn-timeout expire-quiescent quic dest-check")

// isService reports a line of a service. It need not be readable, since the servers
// behind it must not be taken for another's; but then the blanks must be ipvsadm's.
func isService(text []byte, start bool) bool {
	w := bytes.Fields(text)
	if len(w) < 2 {
		return false
	}
	proto, address, rest := string(w[0]), w[1], w[2:]
	// ipvsadm pads a protocol to four columns and a blank, DPVS's writes two blanks. A
	// wider column is another program's, this one's for example.
	gap := bytes.Index(text[len(proto):], address)
	exact := gap == 2 || gap == 1 && len(proto) == 4
	if gap > 2 {
		return false
	}
	numeric := false
	switch proto {
	case "TCP", "UDP", "SCTP", "ICMP", "ICMPv6":
		e, ok := readEndpoint(address, conn.TCP, cutAt(address[0] == '['), new(bool))
		if !ok && !(exact && bytes.IndexByte(address, ':') > 0) {
			return false
		}
		numeric = ok && e.Host == ""
	case "FWM":
		if _, _, numeric = readMark(address, false); !numeric {
			return false
		}
		if len(rest) > 0 && string(rest[0]) == "IPv6" {
			rest = rest[1:]
		}
	case "MATCH": // DPVS's SNAT: MATCH tcp,from=…,oif=dpdk0 rr
		name, _, _ := bytes.Cut(address, []byte(","))
		if !slices.Contains([]string{"tcp", "udp", "sctp", "icmp", "icmpv6"}, string(name)) {
			return false
		}
	default:
		return false
	}
	if len(rest) == 0 {
		return start && numeric
	}
	if statistics(rest) {
		return true
	}
	known := slices.Contains(schedulers, string(rest[0]))
	switch {
	case !known && !(exact && isScheduler(rest[0])):
		return false
	case len(rest) == 1 || known && exact:
		return true
	}
	return rest[1][0] == '(' || slices.Contains(serviceWords, string(rest[1]))
}

// isScheduler reports what a scheduler may be named.
func isScheduler(word []byte) bool {
	for _, c := range word {
		if c-'a' >= 26 && c != '_' {
			return false
		}
	}
	return len(word) < 16 // IP_VS_SCHEDNAME_MAXLEN
}

// statistics reports the five numbers of --stats and --rate, which DPVS may put a
// service's limit before, `bps 10M`.
func statistics(w [][]byte) bool {
	if len(w) == 7 && string(w[0]) == "bps" {
		w = w[2:]
	}
	return len(w) == 5 && numbers(w) == 5
}

// isServer reports the words of a server's line behind its arrow.
func isServer(w [][]byte) bool {
	if len(w) < 5 || bytes.IndexByte(w[0], ':') < 0 && len(w[0]) != cutAt(false) {
		return false
	}
	if _, ok := forwardingOf(w[1]); ok {
		return len(serverNumbers(w[1:])) >= 3
	}
	n := numbers(w[1:])
	return len(w) == n+1 && (n == 4 || n == 5)
}

// forwardingOf is the method of that name, unknown for DPVS's SNAT and for one that
// ipvsadm has no name for.
func forwardingOf(word []byte) (conn.Forwarding, bool) {
	f, ok := conn.ForwardingOf(string(word))
	return f, ok || string(word) == "SNAT" || string(word) == "(null)"
}

// serverNumbers is what stands behind a forwarding method, and with --tun-info behind
// the tunnel: numbers, and DPVS's words `inhibited,overload`.
func serverNumbers(w [][]byte) [][]byte {
	if len(w) > 1 && !isCount(w[1]) {
		w = w[1:]
	}
	return w[1 : 1+numbers(w[1:])]
}

// numbers is how many words are numbers, from the first on: 1234567, 61728G.
func numbers(w [][]byte) int {
	for n := range w {
		if !isCount(bytes.TrimRight(w[n], "KMGT")) {
			return n
		}
	}
	return len(w)
}

// isCount reports a word of digits.
func isCount(word []byte) bool {
	for _, c := range word {
		if c-'0' > 9 {
			return false
		}
	}
	return len(word) > 0
}

// count is a number, unknown beyond 31 bits: kernels have printed a count below zero
// as one near 2^32.
func count(word []byte) int {
	n, err := strconv.ParseInt(string(word), 10, 32)
	if err != nil || n < 0 {
		return conn.UnknownCount
	}
	return int(n)
}

// seconds is a timeout.
func seconds(word []byte) (conn.Seconds, bool) {
	n := count(word)
	return conn.Seconds(n), n != conn.UnknownCount
}

// TellsTimeouts reports the ConfigLine of `ipvsadm -L --timeout`.
func TellsTimeouts(text []byte) bool {
	_, kind := findConfig(text)
	return kind == timeoutLine
}

// readTimeouts reads `Timeout (tcp tcpfin udp): 900 120 300`.
func readTimeouts(text []byte) (t conn.Timeouts, ok bool) {
	w := bytes.Fields(text[len(timeoutText):])
	if len(w) != 3 {
		return t, false
	}
	var oks [3]bool
	t.TCP, oks[0] = seconds(w[0])
	t.TCPFin, oks[1] = seconds(w[1])
	t.UDP, oks[2] = seconds(w[2])
	return t, oks == [3]bool{true, true, true}
}

// readDaemon reads `backup sync daemon (mcast=eth0, syncid=1, maxlen=1472, …)`, which
// ipvsadm -L --daemon prints; older ones end behind syncid.
func readDaemon(text []byte) (d conn.Daemon, ok bool) {
	d.Backup = bytes.HasPrefix(text, backupText)
	inside, rest, closed := bytes.Cut(text[len(masterText):], []byte(")"))
	if !closed || len(bytes.TrimSpace(rest)) > 0 {
		return d, false
	}
	for part := range bytes.SplitSeq(inside, []byte(",")) {
		name, value, _ := bytes.Cut(bytes.TrimSpace(part), []byte("="))
		switch string(name) {
		case "mcast":
			d.Interface = string(value)
		case "syncid":
			d.SyncID, ok = count(value), isCount(value)
		}
	}
	return d, ok && d.Interface != ""
}

// readSysctl reads `net.ipv4.vs.sync_threshold = 3 50`. All values are numbers.
func readSysctl(text []byte) (name, value string, ok bool) {
	key, rest, ok := bytes.Cut(text[len(sysctlText):], []byte("="))
	key = bytes.TrimRight(key, " ")
	for _, c := range key {
		if c-'a' >= 26 && c-'0' > 9 && c != '_' {
			return "", "", false
		}
	}
	w := bytes.Fields(rest)
	for _, word := range w {
		if !isCount(bytes.TrimPrefix(word, []byte("-"))) {
			return "", "", false
		}
	}
	return string(key), string(bytes.Join(w, []byte(" "))), ok && len(key) > 0 && len(w) > 0
}
