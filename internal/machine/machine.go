// Package machine is the kernel's state machines: which state an entry of the
// connection table is in after which packets, and until when it stays. In come the
// transition tables, as data, and packets; out go states. It is pure: no I/O, no clock.
package machine

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"ipvsstate/internal/conn"
)

//go:embed transitions.txt
var transitions string

// Side is an end of a connection.
type Side uint8

const (
	Client Side = iota
	Server      // the real server
)

// String is "client" or "server".
func (s Side) String() string { return [...]string{"client", "server"}[s] }

// Path says whose packets pass the director.
type Path uint8

const (
	// Both is NAT: the real server's packets come back through the director.
	Both Path = iota
	// ClientOnly is direct routing and tunnelling (IP_VS_CONN_F_NOOUTPUT). A local real
	// server is neither: the director sees its packets, and takes note of them in later
	// kernels only.
	ClientOnly
)

// Machine is the state machine of one protocol.
type Machine struct {
	Protocol conn.Protocol
	// Packets are the packets that it tells apart, in the table's order; Begins is
	// the client's packet that makes an entry.
	Packets []string
	Begins  string
	next    [3]map[string]map[conn.State]conn.State // by block, packet and state
}

// The blocks of a table.
const (
	input = iota
	output
	inputOnly
)

var blocks = []string{input: "input", output: "output", inputOnly: "input-only"}

// Of is the machine of TCP, UDP or SCTP, nil for a protocol that has none.
func Of(p conn.Protocol) *Machine {
	switch p {
	case conn.TCP:
		return read("tcp", p, "syn")
	case conn.UDP:
		return read("udp", p, "datagram")
	case conn.SCTP:
		return read("sctp", p, "init")
	}
	return nil
}

// SecureTCP is TCP's machine while secure_tcp is active.
func SecureTCP() *Machine { return read("tcp-secure", conn.TCP, "syn") }

// read reads the table of that name.
func read(name string, p conn.Protocol, begins string) *Machine {
	m := &Machine{Protocol: p, Begins: begins}
	for line := range strings.Lines(transitions) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] != name {
			continue
		}
		block, packet := slices.Index(blocks, f[1]), f[2]
		if m.next[block] == nil {
			m.next[block] = map[string]map[conn.State]conn.State{}
		}
		changes := map[conn.State]conn.State{}
		for _, change := range f[3:] {
			from, to, _ := strings.Cut(change, ">")
			changes[state(from)] = state(to)
		}
		m.next[block][packet] = changes
		if !slices.Contains(m.Packets, packet) {
			m.Packets = append(m.Packets, packet)
		}
	}
	return m
}

// state is the state of a word of the table; a test holds the words to the known ones.
func state(word string) conn.State {
	s, _ := conn.StateOf(word)
	return s
}

// over are the states of a connection that has ended: the packet that begins one then
// makes a new entry (is_new_conn_expected in ip_vs_core.c, with conn_reuse_mode at 1).
var over = []conn.State{state("TIME_WAIT"), state("CLOSE"), state("CLOSED")}

// begins tells whether a packet makes a new entry where there is one in state s.
func (m *Machine) begins(from Side, packet string, s conn.State) bool {
	return from == Client && packet == m.Begins && slices.Contains(over, s)
}

// Next is the state after a packet, and whether the director sees the packet at all.
// The packet is one of Packets.
func (m *Machine) Next(path Path, from Side, packet string, s conn.State) (next conn.State, seen bool) {
	if m.begins(from, packet, s) {
		s = conn.None
	}
	block := input
	switch {
	case path == ClientOnly && from == Server:
		return s, false
	case path == ClientOnly:
		block = inputOnly
	case from == Server:
		block = output
	}
	if next, ok := m.next[block][packet]; ok {
		if to, ok := next[s]; ok {
			return to, true
		}
	}
	return s, true
}

// Transition is a change of state.
type Transition struct {
	From, To conn.State
	Side     Side
	Packet   string
}

// Transitions are all changes that packets can bring about, from the packet that makes
// an entry on: none from a state that cannot be reached. They are ordered by the
// states' life cycle, then by side and packet.
func (m *Machine) Transitions(path Path) []Transition {
	first, _ := m.Next(path, Client, m.Begins, conn.None)
	all := []Transition{{conn.None, first, Client, m.Begins}}
	reached := []conn.State{first}
	for i := 0; i < len(reached); i++ {
		for _, side := range []Side{Client, Server} {
			for _, packet := range m.Packets {
				to, seen := m.Next(path, side, packet, reached[i])
				if !seen || to == reached[i] {
					continue
				}
				all = append(all, Transition{reached[i], to, side, packet})
				if !slices.Contains(reached, to) {
					reached = append(reached, to)
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Transition) int { return m.rank(a.From) - m.rank(b.From) })
	return all
}

// States are the states that packets can lead to, in the order of a connection's life.
func (m *Machine) States(path Path) []conn.State {
	var all []conn.State
	for _, t := range m.Transitions(path) {
		if !slices.Contains(all, t.To) {
			all = append(all, t.To)
		}
	}
	slices.SortFunc(all, func(a, b conn.State) int { return m.rank(a) - m.rank(b) })
	return all
}

// rank orders states by life cycle. SCTP shares ESTABLISHED with TCP, whose states come
// first.
func (m *Machine) rank(s conn.State) int {
	if m.Protocol == conn.SCTP && s == conn.Established {
		return 2*state("C-ECHOED").Index() + 1
	}
	return 2 * s.Index()
}

// packet is the row of the table that a packet's flags or chunk choose: of TCP's flags
// rst goes before syn, fin and ack (tcp_state_idx), and data has ack set. Segments
// without any of these, which no host sends, are not read.
func (m *Machine) packet(word string) (string, error) {
	if m.Protocol != conn.TCP {
		if !slices.Contains(m.Packets, word) {
			return "", fmt.Errorf("%s has no packet %q: it has %s", m.Protocol, word, strings.Join(m.Packets, ", "))
		}
		return word, nil
	}
	flags := strings.Split(strings.ReplaceAll(word, "data", "ack"), "-")
	for _, flag := range flags {
		if flag != "psh" && !slices.Contains(m.Packets, flag) {
			return "", fmt.Errorf("TCP has no packet %q: it has syn, syn-ack, ack, data, fin and rst", word)
		}
	}
	for _, flag := range []string{"rst", "syn", "fin", "ack"} {
		if slices.Contains(flags, flag) {
			return flag, nil
		}
	}
	return "", fmt.Errorf("%q: psh comes with ack, as data", word)
}
