//go:build linux

package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"
)

// serve READY PROTOCOL/BEHAVIOUR/ADDRESS… plays a real server until it is killed; it makes the file READY when every
// listener is up. The behaviours, each for what it leaves in the director's table:
//
//	hold    keeps the connection open, also after the client has closed its half
//	polite  closes when the client has closed
//	leave   closes at once
//	echo    answers each datagram
func serve(args []string) error {
	if len(args) < 2 {
		return errors.New("wants a file to make when ready, and listeners")
	}
	for _, arg := range args[1:] {
		parts := strings.SplitN(arg, "/", 3)
		if len(parts) != 3 {
			return fmt.Errorf("bad listener %q", arg)
		}
		if err := listen(parts[0], parts[1], parts[2]); err != nil {
			return fmt.Errorf("%s: %w", arg, err)
		}
	}
	if err := os.WriteFile(args[0], nil, 0o644); err != nil {
		return err
	}
	for {
		time.Sleep(time.Hour)
	}
}

func listen(protocol, behaviour, address string) error {
	addr, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	fd, err := open(protocol, addr)
	if err != nil {
		return err
	}
	if err := syscall.Bind(fd, sockaddr(addr)); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	if behaviour == "echo" {
		go echo(fd)
		return nil
	}
	if err := syscall.Listen(fd, 128); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	go accept(fd, behaviour)
	return nil
}

func accept(listener int, behaviour string) {
	for {
		fd, _, err := syscall.Accept(listener)
		if err != nil {
			continue
		}
		switch behaviour {
		case "leave":
			syscall.Close(fd)
		case "polite":
			go func() {
				drain(fd)
				syscall.Close(fd)
			}()
		}
	}
}

// drain reads until the client has closed its half.
func drain(fd int) {
	buf := make([]byte, 512)
	for {
		if n, err := syscall.Read(fd, buf); n == 0 || err != nil {
			return
		}
	}
}

func echo(fd int) {
	buf := make([]byte, 512)
	for {
		n, from, err := syscall.Recvfrom(fd, buf, 0)
		if err == nil {
			syscall.Sendto(fd, buf[:n], 0, from)
		}
	}
}
