//go:build linux

package main

import (
	"encoding/binary"
	"iter"
	"net/netip"
)

// A kind is one sort of entry in a mix: how often it comes, and what it is.
type kind struct {
	weight   int
	protocol byte
	state    uint16
	ipv6     bool
	template bool
	mark     uint32 // template of a service that is a firewall mark
}

// mixes are the tables that can be sent. Every entry lives for two hours, whatever its state, so that the table
// stands still under a test.
var mixes = map[string]func(count int) iter.Seq2[int, entry]{
	"every":   func(count int) iter.Seq2[int, entry] { return entries(everyKind(), count, 0) },
	"more":    func(count int) iter.Seq2[int, entry] { return entries(typicalKinds(true), count, 1) },
	"typical": func(count int) iter.Seq2[int, entry] { return entries(typicalKinds(false), count, 2) },
}

const (
	tcp      = 6
	udp      = 17
	lifetime = 7200

	// How many states there are, and the numbers of some, from include/net/ip_vs.h.
	tcpStates       = 11
	established     = 1
	synSent         = 2
	synRecv         = 3
	finWait         = 4
	timeWait        = 5
	closed          = 6
	closeWait       = 7
	synAck          = 10
	sctpStates      = 14
	sctpEstablished = 8
	templateStates  = 2
	assured         = 1
)

// everyKind has each state of each protocol in both families, and each kind of template.
func everyKind() []kind {
	var kinds []kind
	for _, ipv6 := range []bool{false, true} {
		for state := range uint16(tcpStates) {
			kinds = append(kinds, kind{weight: 1 + int(state%3), protocol: tcp, state: state, ipv6: ipv6})
		}
		for state := range uint16(sctpStates) {
			kinds = append(kinds, kind{weight: 1, protocol: sctp, state: state, ipv6: ipv6})
		}
		kinds = append(kinds, kind{weight: 5, protocol: udp, ipv6: ipv6})
		for state := range uint16(templateStates) {
			for _, protocol := range []byte{tcp, udp, sctp} {
				kinds = append(kinds, kind{weight: 1, protocol: protocol, state: state, ipv6: ipv6, template: true})
			}
			kinds = append(kinds, kind{weight: 1, state: state, ipv6: ipv6, template: true, mark: 10 + 10*uint32(state)})
		}
	}
	return kinds
}

// typicalKinds is near what a busy director of web services holds: NAT, connections mostly over, some names by UDP.
func typicalKinds(ipv6 bool) []kind {
	return []kind{
		{weight: 40, protocol: tcp, state: established, ipv6: ipv6},
		{weight: 35, protocol: tcp, state: timeWait, ipv6: ipv6},
		{weight: 10, protocol: tcp, state: finWait, ipv6: ipv6},
		{weight: 5, protocol: tcp, state: synRecv, ipv6: ipv6},
		{weight: 2, protocol: tcp, state: closeWait, ipv6: ipv6},
		{weight: 1, protocol: tcp, state: closed, ipv6: ipv6},
		{weight: 5, protocol: udp, ipv6: ipv6},
		{weight: 2, protocol: tcp, state: assured, ipv6: ipv6, template: true},
	}
}

// entries deals the kinds in turn by their weights. Entries of one table differ in the client's address or port, and
// tables with different numbers share no entry.
func entries(kinds []kind, count int, table byte) iter.Seq2[int, entry] {
	var deal []kind
	for _, k := range kinds {
		for range k.weight {
			deal = append(deal, k)
		}
	}
	return func(yield func(int, entry) bool) {
		for i := range count {
			if !yield(i, deal[i%len(deal)].entry(uint32(i), table)) {
				return
			}
		}
	}
}

// entry is the i-th entry of a table: clients in 10.128.0.0/9, some virtual services, some real servers for each.
func (k kind) entry(i uint32, table byte) entry {
	service := byte(i % 7)
	e := entry{
		protocol: k.protocol, state: k.state, mark: k.mark, timeout: lifetime,
		client:     address(k.ipv6, 10, 128|table, byte(i>>8), byte(i)),
		clientPort: uint16(1024 + i>>16),
		virtual:    address(k.ipv6, 192, 0, 2, 1+service),
		virtPort:   8000 + uint16(service),
		server:     address(k.ipv6, 198, 51, 100, 1+byte(i%5)),
		srvPrt:     80,
	}
	if !k.active() {
		e.flags |= flagInactive
	}
	if k.template {
		e.flags |= flagTemplate
		e.clientPort = 0
	}
	if k.mark != 0 {
		e.virtual, e.virtPort, e.srvPrt = markAddress(k.ipv6, k.mark), 0, 0
	}
	return e
}

// active tells whether a master counts the entry as active: TCP that is or becomes established, and SCTP that is.
func (k kind) active() bool {
	switch k.protocol {
	case tcp:
		return k.state == established || k.state == synSent || k.state == synRecv || k.state == synAck
	case sctp:
		return k.state == sctpEstablished
	}
	return false
}

// address is an IPv4 address, or an IPv6 one with the same last four bytes.
func address(ipv6 bool, a, b, c, d byte) netip.Addr {
	if !ipv6 {
		return netip.AddrFrom4([4]byte{a, b, c, d})
	}
	return netip.AddrFrom16([16]byte{0: 0xfd, 12: a, 13: b, 14: c, 15: d})
}

// markAddress is how a template holds the firewall mark in place of a virtual address: in its first four bytes.
func markAddress(ipv6 bool, mark uint32) netip.Addr {
	var b [16]byte
	binary.BigEndian.PutUint32(b[:], mark)
	if ipv6 {
		return netip.AddrFrom16(b)
	}
	return netip.AddrFrom4([4]byte(b[:4]))
}
