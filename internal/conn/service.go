package conn

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"
)

//go:embed services.txt
var servicesText string

// portsOf is the ports of one service name; 0 where the protocol has none.
type portsOf struct{ tcp, udp, sctp uint16 }

// services is read when the first name is looked up: most listings are numeric.
var services = sync.OnceValue(func() map[string]portsOf {
	m := make(map[string]portsOf)
	for line := range strings.Lines(servicesText) {
		word := strings.Fields(line)
		if len(word) != 3 || word[0] == "#" {
			continue
		}
		n, err := strconv.ParseUint(word[1], 10, 16)
		if err != nil {
			panic("services.txt: " + line)
		}
		p := m[word[0]]
		for proto := range strings.SplitSeq(word[2], "+") {
			switch proto {
			case "tcp":
				p.tcp = uint16(n)
			case "udp":
				p.udp = uint16(n)
			case "sctp":
				p.sctp = uint16(n)
			}
		}
		m[word[0]] = p
	}
	return m
})

// ServicePort is the port that a listing's service name stands for; ok is false
// for a name no table here has. Which name a director prints depends on its own
// /etc/services: services.txt says whose names these are.
func ServicePort(p Protocol, name string) (port uint16, ok bool) {
	s := services()[name]
	switch p {
	case UDP:
		port = s.udp
	case SCTP:
		port = s.sctp
		if port == 0 { // ipvsadm up to 1.26 does not look SCTP up, others may lack it
			port = s.tcp
		}
	default:
		port = s.tcp
	}
	return port, port != 0
}
