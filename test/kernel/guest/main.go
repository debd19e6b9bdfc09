//go:build linux

// Command guest does inside a test kernel what shell tools cannot: it plays the clients and the real servers of a
// director, sends single packets and the director's sync protocol, and runs a command as nobody, into a signal, or against the clock.
package main

import (
	"fmt"
	"os"
)

// verbs are the words that the scenario scripts use; each function documents its arguments.
var verbs = map[string]func(args []string) error{
	"serve":     serve,
	"connect":   connect,
	"inject":    inject,
	"sync":      sendSync,
	"nobody":    asNobody,
	"interrupt": interrupt,
	"time":      timeCommands,
}

func main() {
	if len(os.Args) < 2 || verbs[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: guest serve|connect|inject|sync|nobody|interrupt|time ARGUMENT...")
		os.Exit(2)
	}
	if err := verbs[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintf(os.Stderr, "guest %s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}
