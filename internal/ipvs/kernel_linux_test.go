package ipvs

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"syscall"
	"testing"

	mobyipvs "github.com/moby/ipvs"

	"ipvsstate/internal/conn"
)

// withoutIPVS skips a test on a machine whose kernel has IPVS.
func withoutIPVS(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("/proc/net/ip_vs"); err == nil {
		t.Skip("this kernel has IPVS")
	}
}

// fakeModprobe puts a modprobe first in PATH that only leaves a mark, and returns what
// tells whether it ran.
func fakeModprobe(t *testing.T) (ran func() string) {
	t.Helper()
	dir := t.TempDir()
	mark := filepath.Join(dir, "ran")
	script := "#!/bin/sh\necho \"modprobe $*\" >>" + mark + "\n"
	if err := os.WriteFile(filepath.Join(dir, "modprobe"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return func() string {
		text, err := os.ReadFile(mark)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		return string(text)
	}
}

func TestReadConfigWithoutIPVS(t *testing.T) {
	withoutIPVS(t)
	ran := fakeModprobe(t)
	for _, w := range []Where{{}, {Proc: "/proc"}} {
		config, err := ReadConfig(t.Context(), w)
		if config != nil || !errors.Is(err, ErrNoIPVS) {
			t.Errorf("%+v: %+v, %v; want %v", w, config, err, ErrNoIPVS)
		}
	}
	if calls := ran(); calls != "" {
		t.Errorf("it ran %q", calls)
	}
}

// TestReadConfigOfNamespace asks for a namespace of a kernel without IPVS. No other
// test here reaches moby/ipvs, which runs modprobe once in a process.
func TestReadConfigOfNamespace(t *testing.T) {
	withoutIPVS(t)
	ran := fakeModprobe(t)
	config, err := ReadConfig(t.Context(), Where{Netns: strconv.Itoa(os.Getpid())})
	if config != nil || !errors.Is(err, ErrNoIPVS) {
		t.Errorf("%+v, %v; want %v", config, err, ErrNoIPVS)
	}
	if calls := ran(); calls != "" {
		t.Errorf("it ran %q", calls)
	}
}

func TestReadConfigOfMissingNamespace(t *testing.T) {
	ran := fakeModprobe(t)
	config, err := ReadConfig(t.Context(), Where{Netns: "no-such-namespace"})
	if config != nil || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%+v, %v", config, err)
	}
	// Another proc root is refused before the namespace is looked for.
	if _, err := ReadConfig(t.Context(), Where{Proc: t.TempDir(), Netns: "no-such-namespace"}); !errors.Is(err, ErrOtherProc) {
		t.Error(err)
	}
	if calls := ran(); calls != "" {
		t.Errorf("it ran %q", calls)
	}
}

func TestOpenTableWithoutIPVS(t *testing.T) {
	withoutIPVS(t)
	ran := fakeModprobe(t)
	self := strconv.Itoa(os.Getpid())
	for _, w := range []Where{{}, {Proc: "/proc"}, {Netns: self}} {
		if _, err := OpenTable(w); !errors.Is(err, ErrNoIPVS) {
			t.Errorf("%+v: %v; want %v", w, err, ErrNoIPVS)
		}
	}
	if calls := ran(); calls != "" {
		t.Errorf("it ran %q", calls)
	}
}

// TestOpenTableOfNamespaces finds out what Netns names.
func TestOpenTableOfNamespaces(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"net", "4242/net", "thread-self/net"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, dir, "ip_vs_conn"), []byte(dir), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read := func(w Where) (string, error) {
		table, err := OpenTable(w)
		if err != nil {
			return "", err
		}
		defer table.Close()
		text, err := io.ReadAll(table)
		return string(text), err
	}
	for netns, want := range map[string]string{"": "net", "4242": "4242/net"} {
		if got, err := read(Where{Proc: root, Netns: netns}); got != want || err != nil {
			t.Errorf("namespace %q: %q, %v; want %q", netns, got, err, want)
		}
	}
	for _, netns := range []string{"4243", "no-such-namespace", "./no-such-file", "/run/netns/no-such-namespace"} {
		if got, err := read(Where{Proc: root, Netns: netns}); !errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrNoIPVS) {
			t.Errorf("namespace %q: %q, %v; want none", netns, got, err)
		}
	}
	// A path is entered, which takes privileges.
	got, err := read(Where{Proc: root, Netns: "/proc/self/ns/net"})
	if errors.Is(err, fs.ErrPermission) {
		t.Skip("entering a namespace takes CAP_SYS_ADMIN")
	}
	if err != nil || got != "thread-self/net" {
		t.Errorf("a path: %q, %v", got, err)
	}
	// Something that is no namespace cannot be entered.
	if got, err := read(Where{Proc: root, Netns: "/dev/null"}); err == nil {
		t.Errorf("/dev/null as a namespace: %q", got)
	}
}

// TestNamespaceIsLeft: the thread that entered another namespace is never used again.
func TestNamespaceIsLeft(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("making a namespace takes CAP_SYS_ADMIN")
	}
	ours, err := os.Readlink("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	path := newNamespace(t)
	for range 8 {
		var inside string
		if err := inNamespace(path, func() (err error) {
			inside, err = os.Readlink("/proc/thread-self/ns/net")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if inside == ours {
			t.Fatal("it was not entered")
		}
		names := make(chan string)
		for range 4 * runtime.NumCPU() {
			go func() {
				name, _ := os.Readlink("/proc/thread-self/ns/net") // "" is not ours either
				names <- name
			}()
		}
		for range 4 * runtime.NumCPU() {
			if name := <-names; name != ours {
				t.Fatalf("a goroutine runs in %s, not in %s", name, ours)
			}
		}
	}
}

// newNamespace is a path to a network namespace, which lives as long as the test.
func newNamespace(t *testing.T) string {
	t.Helper()
	type made struct {
		path string
		err  error
	}
	ready, done := make(chan made), make(chan struct{})
	t.Cleanup(func() { close(done) })
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
			ready <- made{err: err}
			return
		}
		ready <- made{path: "/proc/" + strconv.Itoa(os.Getpid()) + "/task/" + strconv.Itoa(syscall.Gettid()) + "/ns/net"}
		<-done
	}()
	m := <-ready
	if m.err != nil {
		t.Skipf("no namespace can be made here: %v", m.err)
	}
	return m.path
}

// TestPermission opens a table that the reader may not read, as 7.1's ip_vs_status and
// a proc file system mounted with hidepid may be. The kernel checks against the file
// system user of the thread, so root can be somebody else for a moment.
func TestPermission(t *testing.T) {
	tests := []struct {
		forbidden string
		err       error
	}{
		{"ip_vs_conn_sync", fs.ErrPermission}, // and not ip_vs_conn in its place
		{"ip_vs_conn", nil},                   // ip_vs_conn_sync is there
		{"ip_vs_status", nil},
		{"ip_vs", nil},
	}
	for _, tt := range tests {
		dir := procDir(t, map[string]string{"ip_vs_conn_sync": syncHeader, "ip_vs_conn": connHeader, "ip_vs": versionTop, "ip_vs_status": status72})
		chmod(t, filepath.Dir(dir), 0o755) // the folder that holds all of a test's
		chmod(t, dir, 0o755)
		for _, name := range []string{"ip_vs_conn_sync", "ip_vs_conn", "ip_vs", "ip_vs_status"} {
			chmod(t, filepath.Join(dir, name), 0o444)
		}
		chmod(t, filepath.Join(dir, tt.forbidden), 0)
		table, err := asNobody(func() (*Table, error) { return openTable(dir) })
		if !errors.Is(err, tt.err) {
			t.Errorf("%s forbidden: %v, want %v", tt.forbidden, err, tt.err)
		}
		if err != nil {
			continue
		}
		table.Close()
		if (table.Status == nil) != (tt.forbidden == "ip_vs_status") || (table.Version == "") != (tt.forbidden == "ip_vs") {
			t.Errorf("%s forbidden: version %q, status %+v", tt.forbidden, table.Version, table.Status)
		}
	}
}

func chmod(t *testing.T, path string, mode fs.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// asNobody runs f with the file permissions of no one in particular.
func asNobody(f func() (*Table, error)) (*Table, error) {
	if os.Geteuid() != 0 {
		return f()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const nobody = 65534
	syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0) // of this thread alone; drops CAP_DAC_OVERRIDE with it
	defer syscall.RawSyscall(syscall.SYS_SETFSUID, 0, 0, 0)
	return f()
}

// TestService turns what moby/ipvs gives into a conn.Service.
func TestService(t *testing.T) {
	tests := []struct {
		name    string
		service mobyipvs.Service
		want    conn.Service
	}{
		{"TCP", mobyipvs.Service{Protocol: syscall.IPPROTO_TCP, Address: net.IPv4(10, 0, 1, 100), Port: 80, SchedName: "wlc", Timeout: 360},
			conn.Service{Protocol: conn.TCP, Virtual: numeric("10.0.1.100", 80), Scheduler: "wlc"}},
		{"persistent", mobyipvs.Service{Protocol: syscall.IPPROTO_TCP, Address: net.IPv4(10, 0, 1, 100).To4(), Port: 0, SchedName: "rr", Flags: flagPersistent | 0x2, Timeout: 360, Netmask: 0x00ffffff, AddressFamily: syscall.AF_INET},
			conn.Service{Protocol: conn.TCP, Virtual: numeric("10.0.1.100", 0), Scheduler: "rr", Persistent: 360, Mask: 24}},
		{"persistent, IPv6", mobyipvs.Service{FWMark: 7, SchedName: "sh", Flags: flagPersistent | 0x18, Timeout: 360, Netmask: 64, AddressFamily: syscall.AF_INET6},
			conn.Service{Fwmark: 7, IPv6: true, Scheduler: "sh", SchedulerFlags: "sh-fallback,sh-port", Persistent: 360, Mask: 64}},
		{"whole addresses", mobyipvs.Service{FWMark: 7, SchedName: "lc", Flags: flagPersistent | 0x20, Timeout: 5, Netmask: 0xffffffff, AddressFamily: syscall.AF_INET},
			conn.Service{Fwmark: 7, Scheduler: "lc", SchedulerFlags: "flag-3", Persistent: 5}},
		{"one-packet UDP", mobyipvs.Service{Protocol: syscall.IPPROTO_UDP, Address: net.ParseIP("fd00:1::100"), Port: 53, SchedName: "rr", Flags: flagOnePacket},
			conn.Service{Protocol: conn.UDP, Virtual: numeric("fd00:1::100", 53), Scheduler: "rr", OnePacket: true}},
		{"SCTP", mobyipvs.Service{Protocol: syscall.IPPROTO_SCTP, Address: net.IPv4(10, 0, 1, 100), Port: 3868},
			conn.Service{Protocol: conn.SCTP, Virtual: numeric("10.0.1.100", 3868)}},
		{"fwmark", mobyipvs.Service{FWMark: 10, SchedName: "sh", Address: net.IPv4zero, Flags: flagPersistent, Timeout: 300},
			conn.Service{Fwmark: 10, Scheduler: "sh", Persistent: 300}},
	}
	for _, tt := range tests {
		got := service(&tt.service, nil)
		if got.Servers == nil || len(got.Servers) != 0 {
			t.Errorf("%s: servers %#v, want none", tt.name, got.Servers)
		}
		got.Servers = nil
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
	esp := service(&mobyipvs.Service{Protocol: 50, Address: net.IPv4(10, 0, 1, 100)}, nil)
	if esp.Protocol.String() != "IP_50" {
		t.Errorf("protocol 50 is %q", esp.Protocol)
	}
	servers := service(&mobyipvs.Service{Protocol: syscall.IPPROTO_TCP}, []*mobyipvs.Destination{
		{Address: net.IPv4(10, 0, 0, 11), Port: 80, Weight: 1, ConnectionFlags: 0x100, ActiveConnections: 7, InactiveConnections: 9},
		{Address: net.ParseIP("fd00::12"), Port: 8080, Weight: 0, ConnectionFlags: mobyipvs.ConnectionFlagDirectRoute | 0x100},
		{Address: net.IPv4(10, 0, 0, 13), ConnectionFlags: mobyipvs.ConnectionFlagTunnel},
		{},
	}).Servers
	want := []conn.Server{
		{Address: numeric("10.0.0.11", 80), Forwarding: conn.Masquerade, Weight: 1, Active: 7, Inactive: 9, Persistent: -1},
		{Address: numeric("fd00::12", 8080), Forwarding: conn.DirectRoute, Persistent: -1},
		{Address: numeric("10.0.0.13", 0), Forwarding: conn.Tunnel, Persistent: -1},
		{Address: conn.Endpoint{PortKnown: true}, Persistent: -1},
	}
	for i := range want {
		if servers[i] != want[i] {
			t.Errorf("server %d: %+v, want %+v", i, servers[i], want[i])
		}
	}
}

func numeric(addr string, port uint16) conn.Endpoint {
	return conn.Endpoint{Addr: netip.MustParseAddr(addr), Port: port, PortKnown: true}
}
