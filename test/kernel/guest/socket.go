//go:build linux

package main

import (
	"fmt"
	"net/netip"
	"syscall"
)

// Sockets are made by system call because SCTP has no other way in Go's standard library, and because a connection
// attempt that nobody waits for must have sent its first packet when the call returns.

// sctp is a transport protocol that the syscall package names for one architecture and not for another.
const sctp = 132

// open makes a socket for tcp, udp or sctp of the address's family.
func open(protocol string, addr netip.AddrPort) (int, error) {
	kind, number := syscall.SOCK_STREAM, 0
	switch protocol {
	case "tcp":
	case "udp":
		kind = syscall.SOCK_DGRAM
	case "sctp":
		number = sctp
	default:
		return 0, fmt.Errorf("unknown protocol %q", protocol)
	}
	family := syscall.AF_INET
	if addr.Addr().Is6() {
		family = syscall.AF_INET6
	}
	fd, err := syscall.Socket(family, kind|syscall.SOCK_CLOEXEC, number)
	if err != nil {
		return 0, fmt.Errorf("%s socket: %w", protocol, err)
	}
	return fd, nil
}

func sockaddr(addr netip.AddrPort) syscall.Sockaddr {
	if addr.Addr().Is6() {
		return &syscall.SockaddrInet6{Port: int(addr.Port()), Addr: addr.Addr().As16()}
	}
	return &syscall.SockaddrInet4{Port: int(addr.Port()), Addr: addr.Addr().As4()}
}
