package kernel

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

//go:embed lib.sh
var library string

// consoleLog is what the guest's kernel and its shell print, in Out.
const consoleLog = "console.log"

// closing is the last line of a guest whose scenario ran to its end.
const closing = "guest: scenario done"

// errHostMemory is of a guest that is not to be believed. Each page of a guest's process is a mapping of the host's,
// and now and then the host refuses one; the guest's kernel then kills the process, whatever it was doing
// (arch/um/kernel/tlb.c, Linux 6.1).
var errHostMemory = errors.New("the host refused the guest memory, whose kernel killed a process for it")

// hostMemory is what the guest's kernel says then (arch/um/os-Linux/skas/mem.c).
const hostMemory = "UML ran out of memory on the host side"

// Guest is one User-Mode Linux machine: a whole kernel in an ordinary process, which sees the host's files.
type Guest struct {
	Programs string        // folder with the programs that the guest gets into its PATH, from Build
	Out      string        // folder on the host for results: $OUT in the scenario; the console log goes there too
	Scenario string        // shell script, run after lib.sh under set -eux
	Limit    time.Duration // the guest is killed after this time
}

// Boot runs the scenario in a fresh kernel and returns when that has powered off. The error of a guest that did not
// come to the end of its scenario holds the last lines of its console.
func (g Guest) Boot(ctx context.Context) error {
	init := filepath.Join(g.Out, "init.sh")
	if err := g.write(init); err != nil {
		return err
	}
	console, err := os.Create(filepath.Join(g.Out, consoleLog))
	if err != nil {
		return err
	}
	defer console.Close()

	ctx, cancel := context.WithTimeout(ctx, g.Limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "linux.uml", "mem=512M", "rootfstype=hostfs", "rootflags=/", "rw", "init="+init,
		"con=null", "con0=null,fd:1", "uml_dir="+g.Out)
	cmd.Stdout, cmd.Stderr = console, console
	cmd.Env = append(os.Environ(), memoryFolder()...)
	// Every process of the guest is a process of the host, in the guest's group, and none outlives the tests: the
	// group is killed when the time is up; when the tests end without a word, SIGTERM has the guest clear up itself.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

	// The death signal comes when the thread that started the guest ends, so that thread must stay.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer onOneCPU()()
	runErr := cmd.Run()

	log, err := os.ReadFile(console.Name())
	if err != nil {
		return err
	}
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("guest killed after %v: %w; console:\n%s", g.Limit, ctx.Err(), tail(log))
	case bytes.Contains(log, []byte(hostMemory)):
		return fmt.Errorf("%w; console:\n%s", errHostMemory, tail(log))
	case !bytes.Contains(log, []byte("\n"+closing)):
		return errors.Join(fmt.Errorf("guest stopped before the end of its scenario; console:\n%s", tail(log)), runErr)
	}
	return nil
}

// onOneCPU keeps this thread, and what it starts, on one of the CPUs it may use until the returned function is called.
// The guest's kernel and its processes take turns; waking each other on another CPU can take several times as long as
// what they have to do (on a virtual machine of two CPUs an empty scenario took 21 s in place of 5).
func onOneCPU() (restore func()) {
	var all, one unix.CPUSet
	if unix.SchedGetaffinity(0, &all) != nil {
		return func() {}
	}
	for cpu := range 1024 { // CPU_SETSIZE of sched.h
		if all.IsSet(cpu) { // the last: the first has the interrupts
			one.Zero()
			one.Set(cpu)
		}
	}
	if unix.SchedSetaffinity(0, &one) != nil {
		return func() {}
	}
	return func() { unix.SchedSetaffinity(0, &all) } // the thread goes back to others' use
}

// write makes the init script: the scenario in a subshell, so that its failure still powers the guest off.
func (g Guest) write(init string) error {
	for name, text := range map[string]string{"lib.sh": library, "scenario.sh": g.Scenario} {
		if err := os.WriteFile(filepath.Join(g.Out, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	script := fmt.Sprintf(`#!/bin/sh
OUT=%s BIN=%s
export OUT BIN
(
	exec </dev/null
	set -eux
	. "$OUT/lib.sh"
	. "$OUT/scenario.sh"
	cat /proc/uptime >"$OUT/uptime"
	echo "%s"
)
busybox poweroff -f
`, quote(g.Out), quote(g.Programs), closing)
	return os.WriteFile(init, []byte(script), 0o755)
}

// memoryFolder names a folder for the file that backs the guest's memory, where the usual one, /dev/shm, is too
// small or does not allow the mapping of programs, as in many containers.
func memoryFolder() []string {
	const noexec, needed = 8, 600 << 20
	var shm syscall.Statfs_t
	err := syscall.Statfs("/dev/shm", &shm)
	if err == nil && shm.Flags&noexec == 0 && shm.Bavail*uint64(shm.Bsize) > needed {
		return nil
	}
	return []string{"TMPDIR=" + os.TempDir()}
}

// Missing names the programs that a guest needs and this machine has not.
func Missing() []string {
	var missing []string
	for _, program := range []string{"linux.uml", "busybox", "ipvsadm", "ip", "tc"} {
		if !installed(program) {
			missing = append(missing, program)
		}
	}
	return missing
}

// installed looks beside PATH where administration programs are kept, which an ordinary user's PATH leaves out but
// the guest's has.
func installed(program string) bool {
	for _, path := range []string{program, "/usr/sbin/" + program, "/sbin/" + program} {
		if _, err := exec.LookPath(path); err == nil {
			return true
		}
	}
	return false
}

// Build puts static builds of ipvsstate and of the guest's helper into folder.
func Build(ctx context.Context, folder string) error {
	mod, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return fmt.Errorf("go env GOMOD: %w", err)
	}
	for _, pkg := range []string{"./cmd/ipvsstate", "./test/kernel/guest"} {
		build := exec.CommandContext(ctx, "go", "build", "-o", folder+"/", pkg)
		build.Dir = filepath.Dir(strings.TrimSpace(string(mod)))
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("go build %s: %w\n%s", pkg, err, out)
		}
	}
	return nil
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// tail is the end of a console log, where the reason stands.
func tail(log []byte) string {
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}
