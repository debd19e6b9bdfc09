//go:build linux

package main

import (
	"bufio"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// connect READY plays the clients: it carries out the plan on its standard input, line after line, makes the file
// READY, and keeps its sockets as they are until it is killed. A line is
//
//	PROTOCOL FROM TO COUNT ACTION
//
// where FROM is the client's address or -, and the actions are
//
//	hold    connect, then keep quiet
//	half    connect, close the sending half
//	close   connect, close
//	reset   connect, close with a reset
//	try     send the first packet of a connection, and do not wait for an answer
//	refuse  connect, and be refused
//	ask     send a datagram and wait for the answer
//	tell    send a datagram
//	call    send a datagram of the SIP protocol
func connect(args []string) error {
	if len(args) != 1 {
		return errors.New("wants a file to make when ready")
	}
	plan := bufio.NewScanner(os.Stdin)
	for plan.Scan() {
		if line := plan.Text(); line != "" && !strings.HasPrefix(line, "#") {
			if err := carryOut(line); err != nil {
				return fmt.Errorf("%s: %w", line, err)
			}
		}
	}
	if err := plan.Err(); err != nil {
		return err
	}
	if err := os.WriteFile(args[0], nil, 0o644); err != nil {
		return err
	}
	for {
		time.Sleep(time.Hour)
	}
}

func carryOut(line string) error {
	fields := strings.Fields(line)
	if len(fields) != 5 {
		return errors.New("want PROTOCOL FROM TO COUNT ACTION")
	}
	to, err := netip.ParseAddrPort(fields[2])
	if err != nil {
		return err
	}
	from := netip.Addr{}
	if fields[1] != "-" {
		if from, err = netip.ParseAddr(fields[1]); err != nil {
			return err
		}
	}
	count, err := strconv.Atoi(fields[3])
	if err != nil {
		return err
	}
	for range count {
		if err := client(fields[0], from, to, fields[4]); err != nil {
			return err
		}
	}
	return nil
}

// client makes one socket and leaves it in the state that the action asks for.
func client(protocol string, from netip.Addr, to netip.AddrPort, action string) error {
	fd, err := open(protocol, to)
	if err != nil {
		return err
	}
	if from.IsValid() {
		if err := syscall.Bind(fd, sockaddr(netip.AddrPortFrom(from, 0))); err != nil {
			return fmt.Errorf("bind: %w", err)
		}
	}
	if action == "try" {
		if err := syscall.SetNonblock(fd, true); err != nil {
			return err
		}
	}
	switch err := syscall.Connect(fd, sockaddr(to)); {
	case action == "try" && err == syscall.EINPROGRESS:
		return nil
	case action == "refuse" && err == syscall.ECONNREFUSED:
		return nil
	case action == "try" || action == "refuse":
		return fmt.Errorf("connect: want no connection, got %v", err)
	case err != nil:
		return fmt.Errorf("connect: %w", err)
	}
	return act(fd, action)
}

func act(fd int, action string) error {
	switch action {
	case "hold":
		return nil
	case "half":
		return syscall.Shutdown(fd, syscall.SHUT_WR)
	case "close":
		return syscall.Close(fd)
	case "reset":
		linger := syscall.Linger{Onoff: 1}
		if err := syscall.SetsockoptLinger(fd, syscall.SOL_SOCKET, syscall.SO_LINGER, &linger); err != nil {
			return err
		}
		return syscall.Close(fd)
	case "call":
		_, err := syscall.Write(fd, []byte("OPTIONS sip:a@example.net SIP/2.0\r\nCall-ID: 515@example.net\r\n\r\n"))
		return err
	case "tell", "ask":
		if _, err := syscall.Write(fd, []byte("hello")); err != nil || action == "tell" {
			return err
		}
		patience := syscall.Timeval{Sec: 5}
		if err := syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &patience); err != nil {
			return err
		}
		_, err := syscall.Read(fd, make([]byte, 16))
		return err
	}
	return fmt.Errorf("unknown action %q", action)
}
