//go:build linux

package kernel

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/machine"
)

// TestMachineCovered: every change of state that packets can bring about is the last step of a sequence that TestMachine
// sends, so that the kernel's word for it is read.
func TestMachineCovered(t *testing.T) {
	for name, m := range map[string]*machine.Machine{
		"TCP": machine.Of(conn.TCP), "TCP with secure_tcp": machine.SecureTCP(), "UDP": machine.Of(conn.UDP), "SCTP": machine.Of(conn.SCTP),
	} {
		for _, path := range []machine.Path{machine.Both, machine.ClientOnly} {
			sequences := exhaustive(m, path)
			if m.Protocol == conn.TCP {
				sequences = append(sequences, lives...)
			}
			seen := map[machine.Transition]bool{}
			for _, sequence := range append(sequences, "client:"+m.Begins) {
				seen[lastChange(t, m, path, sequence)] = true
			}
			changes := m.Transitions(path)
			for _, change := range changes {
				if !seen[change] {
					t.Errorf("%s, path %d: no sequence ends with %s:%s from %s to %s", name, path, change.Side, change.Packet, change.From, change.To)
				}
			}
			t.Logf("%s, path %d: %d changes of state", name, path, len(changes))
		}
	}
}

// lastChange is what the last packet of a sequence does.
func lastChange(t *testing.T, m *machine.Machine, path machine.Path, sequence string) machine.Transition {
	t.Helper()
	steps := m.Walk(path, conn.DefaultTimeouts, parse(t, m, sequence))
	last, from := steps[len(steps)-1], conn.None
	if len(steps) > 1 && steps[len(steps)-2].Exists {
		from = steps[len(steps)-2].State
	}
	return machine.Transition{From: from, To: last.State, Side: last.From, Packet: last.Packet}
}

func parse(t *testing.T, m *machine.Machine, sequence string) []machine.Event {
	t.Helper()
	var events []machine.Event
	for _, text := range strings.Fields(sequence) {
		e, err := m.ParseEvent(text)
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	return events
}

// walks are random sequences: what the shortest ways of exhaustive cannot show is that an entry's past counts for
// nothing but its state. The seed makes them the same in every run.
func walks(m *machine.Machine, seed uint64, count int) []string {
	random := rand.New(rand.NewPCG(seed, 0))
	words := m.Packets
	if m.Protocol == conn.TCP {
		words = []string{"syn", "syn-ack", "ack", "psh-ack", "data", "fin", "fin-ack", "fin-psh-ack", "rst", "rst-ack", "fin-rst", "syn-fin"}
	}
	var all []string
	for range count {
		var events []string
		if random.IntN(10) > 0 { // else most would be of no entry
			events = append(events, "client:"+m.Begins)
		}
		for range 1 + random.IntN(12) {
			events = append(events, fmt.Sprintf("%s:%s", machine.Side(random.IntN(2)), words[random.IntN(len(words))]))
		}
		all = append(all, strings.Join(events, " "))
	}
	return all
}

// TestMachineWalks sends random sequences of packets, and holds the entries to what `ipvsstate explain walk` says. Its
// plans are small: the table is read while the states that last four seconds are still there.
func TestMachineWalks(t *testing.T) {
	const count = 150
	short := conn.Timeouts{TCP: 30, TCPFin: 5, UDP: 7}
	settings := []struct {
		name     string
		set      string
		timeouts conn.Timeouts
		machines []*machine.Machine
	}{
		{"defaults", "", conn.DefaultTimeouts, []*machine.Machine{machine.Of(conn.TCP), machine.Of(conn.SCTP)}},
		{"set", "ipvsadm --set 30 5 7\n", short, []*machine.Machine{machine.Of(conn.TCP), machine.Of(conn.SCTP)}},
		{"secure", "sysctl -qw net.ipv4.vs.secure_tcp=3\n", short, []*machine.Machine{machine.SecureTCP()}},
		// Here a SYN on an entry that is over goes by the table, and makes no new entry; TCP's states are the same.
		{"no-reuse", "sysctl -qw net.ipv4.vs.secure_tcp=0 net.ipv4.vs.conn_reuse_mode=0\n", short, []*machine.Machine{machine.Of(conn.TCP)}},
	}
	scenario := machineScript
	var plans []*plan
	for _, setting := range settings {
		scenario += setting.set
		for _, m := range setting.machines {
			for _, path := range []machine.Path{machine.Both, machine.ClientOnly} {
				seed := uint64(len(plans))
				p := newPlan(fmt.Sprintf("%s-%s-%d", setting.name, strings.ToLower(m.Protocol.String()), path))
				// Each plan has ports of its own, since the entries of those before it are still there.
				p.add(t, m, path, setting.timeouts, 10000+1000*len(plans), walks(m, seed, count))
				scenario += p.send()
				plans = append(plans, p)
			}
		}
	}
	r := boot(t, 5*time.Minute, scenario)
	for _, p := range plans {
		t.Run(p.name, func(t *testing.T) { p.compare(t, r) })
	}
}
