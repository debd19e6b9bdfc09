//go:build linux

package kernel

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/machine"
)

// lives are ways that connections go, as operators meet them.
var lives = []string{
	"client:syn",
	"client:syn client:syn",
	"client:syn server:syn-ack",
	"client:syn server:syn-ack client:ack",
	"client:syn server:syn-ack client:ack client:data server:data",
	"client:syn server:syn-ack client:ack client:fin",
	"client:syn server:syn-ack client:ack client:fin server:ack",
	"client:syn server:syn-ack client:ack client:fin server:ack server:fin",
	"client:syn server:syn-ack client:ack client:fin server:ack server:fin client:ack",
	"client:syn server:syn-ack client:ack server:fin",
	"client:syn server:syn-ack client:ack server:fin client:ack",
	"client:syn server:syn-ack client:ack server:fin client:ack client:data",
	"client:syn server:syn-ack client:ack server:fin client:ack client:fin",
	"client:syn server:syn-ack client:ack server:fin client:ack client:fin server:ack",
	"client:syn server:syn-ack client:ack client:fin server:fin client:ack server:ack",
	"client:syn server:rst-ack",
	"client:syn server:rst-ack client:syn server:rst-ack",
	"client:syn client:rst",
	"client:syn server:syn-ack client:rst",
	"client:syn server:syn-ack client:ack client:rst",
	"client:syn server:syn-ack client:ack client:data server:rst",
	"client:syn server:syn-ack client:ack client:fin server:rst",
	"client:syn server:syn-ack client:ack client:fin client:syn",
	"client:syn server:syn-ack client:ack client:fin server:fin client:ack client:syn",
	"client:syn server:syn-ack client:ack client:rst client:syn",
	"client:syn-ack",
	"client:ack", "client:fin", "client:rst", "server:syn", "client:syn-rst",
	"client:syn client:ack client:rst client:syn-rst",
	"client:syn client:fin client:syn-rst",
}

// exhaustive are sequences that bring an entry into each state it can be in, by the shortest way, and there send each
// packet of each side.
func exhaustive(m *machine.Machine, path machine.Path) []string {
	ways := map[conn.State]string{}
	first := "client:" + m.Begins
	begin, _ := m.Next(path, machine.Client, m.Begins, conn.None)
	ways[begin] = first
	reached := []conn.State{begin}
	var all []string
	for i := 0; i < len(reached); i++ {
		for _, side := range []machine.Side{machine.Client, machine.Server} {
			for _, packet := range m.Packets {
				way := fmt.Sprintf("%s %s:%s", ways[reached[i]], side, packet)
				next, seen := m.Next(path, side, packet, reached[i])
				if !seen {
					continue
				}
				all = append(all, way)
				if ways[next] == "" {
					ways[next] = way
					reached = append(reached, next)
				}
			}
		}
	}
	return all
}

// A trial is a sequence of packets on a client port of its own, and what the machine says of it.
type trial struct {
	events string
	want   machine.Step
}

// A plan is trials under one setting of the kernel's.
type plan struct {
	name   string
	lines  []string
	trials map[string]trial // by protocol, client port and virtual address
}

func newPlan(name string) *plan { return &plan{name: name, trials: map[string]trial{}} }

// add has the sequences tried, and those that the director does not see left out of the sending.
func (p *plan) add(t *testing.T, m *machine.Machine, path machine.Path, timeouts conn.Timeouts, firstPort int, sequences []string) {
	t.Helper()
	protocol := strings.ToLower(m.Protocol.String())
	service := "10.9.0.1"
	if path == machine.ClientOnly {
		service = "10.9.0.2"
	}
	for i, sequence := range sequences {
		port := firstPort + i
		events := parse(t, m, sequence)
		for _, e := range events {
			if path == machine.Both || e.From == machine.Client {
				p.lines = append(p.lines, fmt.Sprintf("%s %s %d %s:80 %s", e.From, protocol, port, service, e.Packet))
			}
		}
		steps := m.Walk(path, timeouts, events)
		p.trials[fmt.Sprintf("%s %d %s", protocol, port, service)] = trial{sequence, steps[len(steps)-1]}
	}
}

// send is the part of the scenario that carries the plan out.
func (p *plan) send() string {
	return fmt.Sprintf("cat >/run/%s.plan <<-END\n\t%s\nEND\nplan %[1]s\n", p.name, strings.Join(p.lines, "\n\t"))
}

// compare holds the table after a plan to what the machine says.
func (p *plan) compare(t *testing.T, r results) {
	if code, messages := r.exit(t, p.name); code != "0" {
		t.Fatalf("inject: %s", messages)
	}
	entries := map[string][]string{}
	for _, line := range strings.Split(strings.TrimSpace(r.text(t, p.name+".table.txt")), "\n")[1:] {
		f := strings.Fields(line)
		client, virtual := endpoint(t, f[1], f[2]), endpoint(t, f[3], f[4])
		key := fmt.Sprintf("%s %d %s", strings.ToLower(f[0]), client.Port(), virtual.Addr())
		entries[key] = append(entries[key], f[7]+" "+f[8])
	}
	states := map[string]int{}
	for key, trial := range p.trials {
		have := entries[key]
		if !trial.want.Exists {
			if len(have) > 0 {
				t.Errorf("%s: %s: the kernel has %v, there should be no entry", key, trial.events, have)
			}
			continue
		}
		// What an entry was expired for at once can still be seen beside the new one.
		have = slices.DeleteFunc(slices.Clone(have), func(e string) bool { return strings.HasSuffix(e, " 0") && len(have) > 1 })
		if len(have) != 1 {
			t.Errorf("%s: %s: the kernel has %v, want %s", key, trial.events, have, trial.want.State)
			continue
		}
		state, left, _ := strings.Cut(have[0], " ")
		var seconds int
		if _, err := fmt.Sscan(left, &seconds); err != nil {
			t.Fatal(err)
		}
		// Sending and reading take a second or two, and the kernel rounds down.
		if most := int(trial.want.Timeout); state != trial.want.State.String() || seconds > most || seconds < most-4 {
			t.Errorf("%s: %s: the kernel has %s with %d s left, the machine says %s with %d s", key, trial.events, state, seconds, trial.want.State, most)
		}
		states[state]++
	}
	t.Logf("%d packets, %d sequences; entries by state: %v", len(p.lines), len(p.trials), states)
}

// TestMachine sends packets one by one through a real director and holds the entries they leave, and the time these have
// left, to what `ipvsstate explain walk` says: each way that connections go, and each packet in each state that can be
// reached.
func TestMachine(t *testing.T) {
	tcp, udp, sctp, secure := machine.Of(conn.TCP), machine.Of(conn.UDP), machine.Of(conn.SCTP), machine.SecureTCP()
	plain, short, dos := newPlan("plain"), newPlan("short"), newPlan("secure")
	for _, path := range []machine.Path{machine.Both, machine.ClientOnly} {
		plain.add(t, tcp, path, conn.DefaultTimeouts, 10000, append(slices.Clone(lives), exhaustive(tcp, path)...))
		plain.add(t, udp, path, conn.DefaultTimeouts, 10000, exhaustive(udp, path))
		plain.add(t, sctp, path, conn.DefaultTimeouts, 10000, exhaustive(sctp, path))
		short.add(t, tcp, path, conn.Timeouts{TCP: 30, TCPFin: 5, UDP: 7}, 20000, append(slices.Clone(lives), exhaustive(tcp, path)...))
		short.add(t, udp, path, conn.Timeouts{TCP: 30, TCPFin: 5, UDP: 7}, 20000, exhaustive(udp, path))
		dos.add(t, secure, path, conn.DefaultTimeouts, 30000, append(slices.Clone(lives), exhaustive(secure, path)...))
	}
	r := boot(t, 5*time.Minute, machineScript+
		plain.send()+
		"ipvsadm --set 30 5 7\n"+short.send()+"ipvsadm --set 900 120 300\n"+
		"sysctl -qw net.ipv4.vs.secure_tcp=3\n"+dos.send())
	for _, p := range []*plan{plain, short, dos} {
		t.Run(p.name, func(t *testing.T) { p.compare(t, r) })
	}
}
