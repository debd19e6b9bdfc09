package conn

import "strings"

// Protocol is an entry's transport protocol as the kernel names it
// (ip_vs_proto_name). It is comparable; an unlisted word is kept as printed.
type Protocol struct {
	id    uint8
	other string
}

const (
	idTCP = iota + 1
	idUDP
	idSCTP
	idIP
	idICMP
	idICMPv6
)

// The protocols IPVS knows by name. IP is the protocol of firewall-mark
// templates; ICMP and ICMPv6 appear in DPVS tables only.
var (
	TCP    = Protocol{id: idTCP}
	UDP    = Protocol{id: idUDP}
	SCTP   = Protocol{id: idSCTP}
	IP     = Protocol{id: idIP}
	ICMP   = Protocol{id: idICMP}
	ICMPv6 = Protocol{id: idICMPv6}
)

var protocolWords = [...]string{idTCP: "TCP", idUDP: "UDP", idSCTP: "SCTP", idIP: "IP", idICMP: "ICMP", idICMPv6: "ICMPv6"}

// Protocols lists the protocols known by name.
func Protocols() []Protocol { return []Protocol{TCP, UDP, SCTP, IP, ICMP, ICMPv6} }

// ProtocolOf is the protocol named by word, in any case (DPVS prints lower
// case). Any other word is a protocol of that name; known says which it was.
func ProtocolOf(word string) (p Protocol, known bool) {
	for id := idTCP; id < len(protocolWords); id++ {
		if strings.EqualFold(word, protocolWords[id]) {
			return Protocol{id: uint8(id)}, true
		}
	}
	return Protocol{other: word}, false
}

// String is the protocol as the kernel prints it.
func (p Protocol) String() string {
	if p.id != 0 {
		return protocolWords[p.id]
	}
	return p.other
}

// Index is a small number that orders protocols: TCP first, 0 for an unlisted
// one. It is an array index below NumProtocols, and is not stable over versions.
func (p Protocol) Index() int { return int(p.id) }

// NumProtocols bounds Protocol.Index.
const NumProtocols = idICMPv6 + 1
