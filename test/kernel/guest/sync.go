//go:build linux

package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"
)

// The layout is that of sync protocol version 1, from the kernel's net/netfilter/ipvs/ip_vs_sync.c: a header of
// 8 bytes, then for each entry 36 bytes (IPv4) or 72 (IPv6), all numbers big-endian.
const (
	syncGroup   = "224.0.0.81"
	syncPort    = 8848
	syncVersion = 1
	typeIPv6    = 1 // bit of the entry's type byte
	headerSize  = 8
	maxMessage  = 1448 // what a backup takes by default over an Ethernet link
)

// Flags of an entry, from include/uapi/linux/ip_vs.h. The lowest three bits are the forwarding method.
const (
	flagInactive = 0x0100
	flagTemplate = 0x1000
)

// An entry is one row of the connection table, as a sync master tells its backup about it.
type entry struct {
	protocol                     byte
	state                        uint16
	flags                        uint32
	mark                         uint32
	timeout                      uint32 // seconds
	client, virtual, server      netip.Addr
	clientPort, virtPort, srvPrt uint16
}

// sendSync INTERFACE-ADDRESS MIX COUNT sends COUNT different entries of a mix (see mix.go) to the backup director on
// that interface.
func sendSync(args []string) error {
	if len(args) != 3 || mixes[args[1]] == nil {
		return fmt.Errorf("wants an interface address, a mix and a count, got %q", args)
	}
	count, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	conn, err := dialGroup(args[0])
	if err != nil {
		return err
	}
	defer conn.Close()

	message := make([]byte, headerSize, maxMessage)
	entries := 0
	flush := func() error {
		if entries == 0 {
			return nil
		}
		binary.BigEndian.PutUint16(message[2:], uint16(len(message)))
		message[4], message[5] = byte(entries), syncVersion
		_, err := conn.Write(message)
		message, entries = message[:headerSize], 0
		// The receiver is a kernel thread on the same, only processor, behind a socket buffer that can overflow.
		time.Sleep(200 * time.Microsecond)
		return err
	}
	for i, e := range mixes[args[1]](count) {
		if len(message)+e.size() > maxMessage {
			if err := flush(); err != nil {
				return fmt.Errorf("entry %d: %w", i, err)
			}
		}
		message = e.append(message)
		entries++
	}
	return flush()
}

// dialGroup sends through the interface that has the address: a namespace of a test may have no route for multicast.
func dialGroup(address string) (*net.UDPConn, error) {
	local, err := netip.ParseAddr(address)
	if err != nil {
		return nil, err
	}
	conn, err := net.DialUDP("udp4", &net.UDPAddr{IP: local.AsSlice()}, &net.UDPAddr{IP: net.ParseIP(syncGroup), Port: syncPort})
	if err != nil {
		return nil, err
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	ctlErr := raw.Control(func(fd uintptr) {
		err = syscall.SetsockoptInet4Addr(int(fd), syscall.IPPROTO_IP, syscall.IP_MULTICAST_IF, local.As4())
	})
	if ctlErr != nil || err != nil {
		return nil, fmt.Errorf("multicast interface: %w", err)
	}
	return conn, nil
}

func (e entry) size() int {
	if e.client.Is6() {
		return 72
	}
	return 36
}

func (e entry) append(b []byte) []byte {
	kind := byte(0)
	if e.client.Is6() {
		kind = typeIPv6
	}
	b = append(b, kind, e.protocol)
	b = binary.BigEndian.AppendUint16(b, uint16(e.size()))
	b = binary.BigEndian.AppendUint32(b, e.flags)
	for _, v := range []uint16{e.state, e.clientPort, e.virtPort, e.srvPrt} {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	b = binary.BigEndian.AppendUint32(b, e.mark)
	b = binary.BigEndian.AppendUint32(b, e.timeout)
	for _, addr := range []netip.Addr{e.client, e.virtual, e.server} {
		b = append(b, addr.AsSlice()...)
	}
	return b
}
