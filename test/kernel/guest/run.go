//go:build linux

package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// asNobody COMMAND… runs the command as the unprivileged user 65534 and ends with its exit code.
func asNobody(args []string) error {
	cmd := command(args)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	return passOn(cmd.Run())
}

// interrupt DELAY COMMAND… sends the command SIGINT after the delay and ends with its exit code. A shell cannot do
// this: what it starts in the background ignores SIGINT.
func interrupt(args []string) error {
	if len(args) < 2 {
		return errors.New("wants a delay and a command")
	}
	delay, err := time.ParseDuration(args[0])
	if err != nil {
		return err
	}
	cmd := command(args[1:])
	if err := cmd.Start(); err != nil {
		return err
	}
	timer := time.AfterFunc(delay, func() { cmd.Process.Signal(syscall.SIGINT) })
	defer timer.Stop()
	return passOn(cmd.Wait())
}

// timeCommands ROUNDS FILE COMMAND… runs each shell command once a round, in turn, so that a slow minute of the host
// meets all of them, and writes a line for each run: round, command, seconds. A guest cannot tell user mode's time from
// the kernel's, so there is one number.
func timeCommands(args []string) error {
	if len(args) < 3 {
		return errors.New("wants a number of rounds, a file and commands")
	}
	rounds, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	file, err := os.Create(args[1])
	if err != nil {
		return err
	}
	defer file.Close()
	out := bufio.NewWriter(file)
	for round := range rounds {
		for _, line := range args[2:] {
			cmd := exec.Command("/bin/sh", "-c", "exec "+line)
			cmd.Stderr = os.Stderr
			start := time.Now()
			if err := cmd.Run(); err != nil {
				return fmt.Errorf("%s: %w", line, err)
			}
			fmt.Fprintf(out, "%d\t%s\t%.3f\n", round+1, line, time.Since(start).Seconds())
		}
	}
	return out.Flush()
}

func command(args []string) *exec.Cmd {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return cmd
}

// passOn ends the program with the exit code of a command that ran, so that the caller sees through to it.
func passOn(err error) error {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return err
	}
	if exit.ExitCode() < 0 {
		return fmt.Errorf("command ended by %s", strings.TrimPrefix(exit.String(), "signal: "))
	}
	os.Exit(exit.ExitCode())
	return nil
}
