package parse

import (
	"bytes"
	"ipvsstate/internal/conn"
	"strings"
)

// rule is a line of `ipvsadm -S`, or of a file for `ipvsadm -R`.
type rule struct {
	service conn.Service
	server  *conn.Server // nil for -A and -E
}

// ruleOptions are the long options, each with a letter for it: its own where it has
// one. -b is --fullnat to DPVS, and --sched-flags to ipvsadm.
var ruleOptions = map[string]byte{
	"add-service": 'A', "edit-service": 'E', "add-server": 'a', "edit-server": 'e',
	"tcp-service": 't', "udp-service": 'u', "sctp-service": 'S', "icmp-service": 'q', "icmpv6-service": '1', "fwmark-service": 'f',
	"scheduler": 's', "persistent": 'p', "netmask": 'M', "pe": 'P', "sched-flags": 'B', "ops": 'o', "ipv6": '6',
	"real-server": 'r', "weight": 'w', "masquerading": 'm', "gatewaying": 'g', "ipip": 'i', "fullnat": 'b', "snat": 'J',
	"u-threshold": 'x', "l-threshold": 'y',
}

// ruleArguments are the letters of the options that take a word.
const ruleArguments = "tuSq1fspMPBrwxy"

// readRule reads the words of `-A -t 10.0.1.100:80 -s rr -p 300`, with or without the
// command's name. What is not said is as ipvsadm sets it.
func readRule(w [][]byte) (to rule, ok bool) {
	if string(w[0]) == "ipvsadm" || bytes.HasSuffix(w[0], []byte("/ipvsadm")) {
		w = w[1:]
	}
	if len(w) == 0 || len(w[0]) < 2 || w[0][0] != '-' {
		return to, false
	}
	command := w[0][1]
	if name, long := bytes.CutPrefix(w[0], []byte("--")); long {
		command = ruleOptions[string(name)]
	}
	if command != 'A' && command != 'E' && command != 'a' && command != 'e' {
		return to, false
	}
	options := readOptions(w, command == 'A' || command == 'E')
	switch {
	case !to.readService(options):
		return to, false
	case command == 'A' || command == 'E':
		return to, to.readScheduler(options)
	}
	return to, to.readServer(options)
}

// readOptions takes a rule's options apart, as popt does. Those it does not know, and
// their words, are passed over.
func readOptions(w [][]byte, service bool) map[byte][]byte {
	options := make(map[byte][]byte)
	// take gives an option its word: what stands behind it, or the next.
	take := func(letter byte, rest []byte) {
		rest = bytes.TrimPrefix(rest, []byte("="))
		if len(rest) == 0 && len(w) > 0 && (letter != 'p' || w[0][0] != '-') {
			rest, w = w[0], w[1:]
		}
		options[letter] = rest
	}
	for len(w) > 0 {
		word := w[0]
		w = w[1:]
		name, long := bytes.CutPrefix(word, []byte("--"))
		switch {
		case long:
			name, value, _ := bytes.Cut(name, []byte("="))
			if letter := ruleOptions[string(name)]; strings.IndexByte(ruleArguments, letter) >= 0 {
				take(letter, value)
			} else {
				options[letter] = nil
			}
		case string(word) == "ops": // without dashes up to 1.25, and Alibaba's
			options['o'] = nil
		case string(word) == "pe":
			take('P', nil)
		case word[0] == '-':
			for i := 1; i < len(word); i++ {
				letter := word[i]
				if letter == 'b' && service {
					letter = 'B'
				}
				if strings.IndexByte(ruleArguments, letter) >= 0 {
					take(letter, word[i+1:])
					break
				}
				options[letter] = nil
			}
		}
	}
	return options
}

// readService reads which service a rule is about.
func (to *rule) readService(options map[byte][]byte) bool {
	v := &to.service
	v.Persistent = conn.Unknown
	if word, ok := options['f']; ok {
		_, v.IPv6 = options['6']
		v.Fwmark, _, ok = readMark(word, false)
		return ok
	}
	for i, p := range [...]conn.Protocol{conn.TCP, conn.UDP, conn.SCTP, conn.ICMP, conn.ICMPv6} {
		if word, ok := options["tuSq1"[i]]; ok {
			v.Protocol, v.IPv6 = p, isIPv6(word)
			v.Virtual, ok = ruleEndpoint(word, p, 0)
			return ok
		}
	}
	return false
}

// ruleEndpoint reads a rule's endpoint, which need not have a port.
func ruleEndpoint(word []byte, p conn.Protocol, port uint16) (conn.Endpoint, bool) {
	if bytes.IndexByte(word[bytes.IndexByte(word, ']')+1:], ':') >= 0 {
		return readEndpoint(word, p, cutEndpoint, new(bool))
	}
	e, ok := readEndpoint(append(bytes.Clone(word), ":0"...), p, 0, new(bool))
	e.Port = port
	return e, ok && e.Host == "" // a name alone may be anything
}

func isIPv6(endpoint []byte) bool { return len(endpoint) > 0 && endpoint[0] == '[' }

// readScheduler reads what a rule says of its service.
func (to *rule) readScheduler(options map[byte][]byte) (ok bool) {
	v := &to.service
	v.Scheduler, v.Persistent, ok = "wlc", 0, true
	if word, given := options['s']; given {
		v.Scheduler, ok = string(word), isScheduler(word) && len(word) > 0
	}
	if word, given := options['p']; given && ok {
		if v.Persistent = 300; len(word) > 0 {
			v.Persistent, ok = seconds(word)
		}
	}
	if word, given := options['M']; given {
		v.Mask = readMask(word, v.IPv6)
	}
	v.SchedulerFlags, v.PEName = string(options['B']), string(options['P'])
	_, v.OnePacket = options['o']
	return ok
}

// readServer reads a rule's server.
func (to *rule) readServer(options map[byte][]byte) (ok bool) {
	v := unknownServer
	v.Forwarding, v.Weight = conn.DirectRoute, 1
	for i, f := range [...]conn.Forwarding{conn.Masquerade, conn.Tunnel, conn.FullNAT, conn.UnknownForwarding} {
		if _, given := options["mibJ"[i]]; given {
			v.Forwarding = f
		}
	}
	if word, given := options['w']; given {
		v.Weight = count(word)
	}
	v.Address, ok = ruleEndpoint(options['r'], to.service.Protocol, to.service.Virtual.Port)
	to.server = &v
	return ok
}
