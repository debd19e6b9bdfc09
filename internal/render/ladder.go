package render

import (
	"fmt"
	"strings"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/explain"
	"ipvsstate/internal/machine"
)

// The columns of a ladder: a socket, an arrow, the director, an arrow, a socket. They
// fit 80 columns, with an indent.
const (
	socketWidth   = 11
	arrowWidth    = 15
	directorWidth = 16
	ladderWidth   = 2*(socketWidth+1+arrowWidth+len(gap)) + directorWidth
)

// opening is the handshake before a ladder that begins with an open connection.
var opening = []string{"client:syn", "server:syn-ack", "client:ack"}

// ladderLines draws the packets of a ladder between client, director and real server, once
// for NAT and once for direct routing. The director's states come from its machine.
func ladderLines(l *explain.Ladder, words *explain.Catalogue) []string {
	var lines []string
	for path, key := range []string{machine.Both: "ladder.nat", machine.ClientOnly: "ladder.dr"} {
		lines = append(lines, "", words.Word(key), "", ladderRow(words.Word("on.client"), "", words.Word("on.director"), "", words.Word("on.server")))
		lines = append(lines, rungs(l, machine.Path(path))...)
	}
	return lines
}

// rungs are the packets' lines. A ladder's packets are the program's own: a test reads them
// all.
func rungs(l *explain.Ladder, path machine.Path) []string {
	m := machine.Of(conn.TCP)
	var events []machine.Event
	begin := 0
	if l.Begin == "established" {
		begin = len(opening)
	}
	packets := opening[:begin:begin]
	for _, rung := range l.Steps {
		packets = append(packets, rung.Packet)
	}
	for _, packet := range packets {
		e, err := m.ParseEvent(packet)
		if err != nil {
			panic(err)
		}
		events = append(events, e)
	}
	var lines []string
	client, server := "", ""
	if begin > 0 {
		client, server = "ESTABLISHED", "ESTABLISHED"
	}
	for i, step := range m.Walk(path, conn.DefaultTimeouts, events)[begin:] {
		rung := l.Steps[i]
		if rung.Client != "" {
			client = rung.Client
		}
		if rung.Server != "" {
			server = rung.Server
		}
		lines = append(lines, rungLine(step, client, server))
	}
	return lines
}

func rungLine(s machine.Step, client, server string) string {
	state := "-"
	if s.Exists {
		state = s.State.String()
	}
	if s.Effect == machine.Unseen { // one arrow past the director, whose state stays
		all := arrow(false, s.Packet, 2*arrowWidth+directorWidth+2*len(gap))
		state = " (" + state + ") "
		at := (len(all) - len(state)) / 2
		return strings.TrimRight(fmt.Sprintf("%-*s %s %s", socketWidth, client, all[:at]+state+all[at+len(state):], server), " ")
	}
	if s.Exists {
		state += " " + span(s.Timeout)
	}
	a := arrow(s.From == machine.Client, s.Packet, arrowWidth)
	return ladderRow(client, a, state, a, server)
}

func ladderRow(client, left, director, right, server string) string {
	return strings.TrimRight(padTo(client, socketWidth)+" "+padTo(left, arrowWidth)+gap+padTo(director, directorWidth)+gap+padTo(right, arrowWidth)+" "+server, " ")
}

// arrow points to the right or to the left, with its packet at the tail.
func arrow(right bool, packet string, w int) string {
	dashes := strings.Repeat("-", w-len(packet)-5)
	if right {
		return "-- " + packet + " " + dashes + ">"
	}
	return "<" + dashes + " " + packet + " --"
}
