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

// interrupt FILE COMMAND… sends the command SIGINT once it has read twice from the file, so that something has been read
// and handed on, and ends with its exit code. A shell cannot do this: what it starts in the background ignores SIGINT.
func interrupt(args []string) error {
	if len(args) < 2 {
		return errors.New("wants a file's name and a command")
	}
	cmd := command(args[1:])
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	reads, last := 0, int64(0)
	for {
		select {
		case err := <-ended:
			return passOn(err)
		case <-time.After(5 * time.Millisecond):
		}
		if pos := position(cmd.Process.Pid, args[0]); pos != last && reads < 2 {
			last = pos
			if reads++; reads == 2 {
				cmd.Process.Signal(syscall.SIGINT)
			}
		}
	}
}

// position is how far a process has read a file, 0 where it has not opened it.
func position(pid int, name string) int64 {
	dir := fmt.Sprintf("/proc/%d/", pid)
	files, _ := os.ReadDir(dir + "fd") // the process may have ended
	for _, f := range files {
		if to, _ := os.Readlink(dir + "fd/" + f.Name()); !strings.HasSuffix(to, name) {
			continue
		}
		info, _ := os.ReadFile(dir + "fdinfo/" + f.Name())
		var pos int64
		if _, err := fmt.Sscanf(string(info), "pos: %d", &pos); err == nil {
			return pos
		}
	}
	return 0
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
