//go:build linux

package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"github.com/vishvananda/netns"
)

// inject CLIENT SERVER PLAN sends single packets, as the plan's lines say:
//
//	SIDE PROTOCOL CLIENT-PORT SERVICE PACKET
//
// A client's packet goes from the namespace client, from the address CLIENT, to the service; a server's goes from
// the namespace server, from SERVER and the service's port, to the client. No host has these two addresses, so nobody
// answers, and IPVS asks for no sequence numbers: the plan's packets are all there are. A guest has one processor,
// which handles them in the order they are sent in.
func inject(args []string) error {
	if len(args) != 3 {
		return errors.New("wants the client's address, the server's and a plan")
	}
	client, err := netip.ParseAddr(args[0])
	if err != nil {
		return err
	}
	server, err := netip.ParseAddr(args[1])
	if err != nil {
		return err
	}
	sockets := map[string]int{}
	for side, namespace := range map[string]string{"client": "client", "server": "server"} {
		if sockets[side], err = rawSocket(namespace); err != nil {
			return fmt.Errorf("namespace %s: %w", namespace, err)
		}
	}
	plan, err := os.Open(args[2])
	if err != nil {
		return err
	}
	defer plan.Close()
	lines := bufio.NewScanner(plan)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) != 5 {
			return fmt.Errorf("bad line %q", lines.Text())
		}
		port, err := strconv.ParseUint(f[2], 10, 16)
		if err != nil {
			return err
		}
		service, err := netip.ParseAddrPort(f[3])
		if err != nil {
			return err
		}
		from, to := netip.AddrPortFrom(client, uint16(port)), service
		if f[0] == "server" {
			from, to = netip.AddrPortFrom(server, service.Port()), netip.AddrPortFrom(client, uint16(port))
		}
		packet, err := assemble(f[1], from, to, f[4])
		if err != nil {
			return fmt.Errorf("%s: %w", lines.Text(), err)
		}
		if err := syscall.Sendto(sockets[f[0]], packet, 0, sockaddr(netip.AddrPortFrom(to.Addr(), 0))); err != nil {
			return fmt.Errorf("%s: %w", lines.Text(), err)
		}
	}
	return lines.Err()
}

// rawSocket opens a socket for whole IPv4 packets in a namespace.
func rawSocket(namespace string) (int, error) {
	runtime.LockOSThread() // and never back: the thread may not be used for anything else
	ns, err := netns.GetFromName(namespace)
	if err != nil {
		return 0, err
	}
	defer ns.Close()
	if err := netns.Set(ns); err != nil {
		return 0, err
	}
	return syscall.Socket(syscall.AF_INET, syscall.SOCK_RAW, syscall.IPPROTO_RAW)
}

// assemble makes an IPv4 packet; the kernel fills in its length, identification and checksum.
func assemble(protocol string, from, to netip.AddrPort, packet string) ([]byte, error) {
	number, payload := byte(0), []byte(nil)
	switch protocol {
	case "tcp":
		number, payload = syscall.IPPROTO_TCP, tcpSegment(packet)
	case "udp":
		number, payload = syscall.IPPROTO_UDP, []byte{4: 0, 5: 8, 7: 0}
	case "sctp":
		number, payload = sctp, sctpPacket(packet)
	}
	if payload == nil {
		return nil, fmt.Errorf("no %s packet %q", protocol, packet)
	}
	binary.BigEndian.PutUint16(payload[0:], from.Port())
	binary.BigEndian.PutUint16(payload[2:], to.Port())
	switch protocol {
	case "tcp":
		binary.BigEndian.PutUint16(payload[16:], checksum(number, from.Addr(), to.Addr(), payload))
	case "sctp":
		binary.LittleEndian.PutUint32(payload[8:], crc32.Checksum(payload, crc32.MakeTable(crc32.Castagnoli)))
	}
	source, destination := from.Addr().As4(), to.Addr().As4()
	header := []byte{0: 0x45, 8: 64, 9: number, 19: 0}
	copy(header[12:], source[:])
	copy(header[16:], destination[:])
	return append(header, payload...), nil
}

var tcpFlags = map[string]byte{"fin": 1, "syn": 2, "rst": 4, "psh": 8, "ack": 16, "data": 16}

// tcpSegment has the flags of a word such as syn-ack.
func tcpSegment(word string) []byte {
	segment := []byte{12: 5 << 4, 14: 0xff, 15: 0xff, 19: 0}
	for _, flag := range strings.Split(word, "-") {
		bit, ok := tcpFlags[flag]
		if !ok {
			return nil
		}
		segment[13] |= bit
	}
	return segment
}

// The numbers of RFC 9260, section 3.2.
var sctpChunks = map[string]byte{"data": 0, "init": 1, "init-ack": 2, "abort": 6, "shutdown": 7, "shutdown-ack": 8, "error": 9,
	"cookie-echo": 10, "cookie-ack": 11, "shutdown-complete": 14}

// sctpPacket has one chunk, long enough for any sort.
func sctpPacket(word string) []byte {
	chunk, ok := sctpChunks[word]
	if !ok {
		return nil
	}
	const length = 20
	return append([]byte{11: 0, 12: chunk, 14: 0, 15: length}, make([]byte, length-4)...)
}

// checksum is TCP's over the pseudo header and the segment.
func checksum(protocol byte, from, to netip.Addr, segment []byte) uint16 {
	sum := uint32(protocol) + uint32(len(segment))
	source, destination := from.As4(), to.As4()
	for _, part := range [][]byte{source[:], destination[:], segment} {
		for i := 0; i+1 < len(part); i += 2 {
			sum += uint32(binary.BigEndian.Uint16(part[i:]))
		}
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}
