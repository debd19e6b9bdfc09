package machine

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ipvsstate/internal/conn"
)

// Event is one thing that happens to a connection: a packet, or time that passes.
type Event struct {
	From   Side
	Packet string        // as it was written: "syn-ack"; empty where time passes
	Wait   time.Duration // time that passes
	row    string
}

// longest is the most that one event lets pass: no timeout is longer (ipvsadm's MAX_TIMEOUT).
const longest = 31 * 24 * time.Hour

// ParseEvent reads an event: client:PACKET, server:PACKET (c: and s: for short), or +DURATION.
func (m *Machine) ParseEvent(text string) (Event, error) {
	if rest, ok := strings.CutPrefix(text, "+"); ok {
		wait, err := time.ParseDuration(rest)
		if err != nil || wait < 0 || wait > longest {
			return Event{}, fmt.Errorf("%q: a time that passes is written +30s or +2m, up to 31 days", text)
		}
		return Event{Wait: wait}, nil
	}
	side, packet, ok := strings.Cut(strings.ToLower(text), ":")
	e := Event{Packet: strings.ReplaceAll(packet, "_", "-")}
	switch {
	case ok && (side == "client" || side == "c"):
	case ok && (side == "server" || side == "s"):
		e.From = Server
	default:
		return Event{}, fmt.Errorf("%q: a packet is written client:%s or server:%[2]s", text, m.Begins)
	}
	var err error
	e.row, err = m.packet(e.Packet)
	return e, err
}

// Effect is what an event does to the entry.
type Effect uint8

const (
	Created Effect = iota // the entry is new
	Changed               // its state changed
	Rearmed               // its state stays, its time begins anew
	Unseen                // the packet does not pass the director
	NoEntry               // there is no entry, and this packet makes none
	Elapsed               // time passed, and nothing else
	Expired               // time passed, and the entry was dropped meanwhile
)

// String is the effect's word in machine output.
func (e Effect) String() string {
	return [...]string{"created", "changed", "rearmed", "unseen", "no_entry", "elapsed", "expired"}[e]
}

// Step is what is so after an event.
type Step struct {
	Event
	At      time.Duration // since the first event
	Effect  Effect
	Exists  bool          // whether there is an entry; State and Expires mean something only then
	State   conn.State    // the entry's state
	Timeout conn.Seconds  // the state's timeout
	Expires time.Duration // when the entry is dropped, on At's clock, if no packet comes
}

// Walk follows a connection from before its first packet, under the kernel's default
// settings but for the timeouts. Each packet that the director sees sets the timer anew
// (ip_vs_conn_put). A packet without an entry makes one if it is the client's first
// (tcp_conn_schedule, sctp_conn_schedule); the director does nothing else with it. On an
// entry that is over the client's first packet makes a new one too (conn_reuse_mode).
func (m *Machine) Walk(path Path, timeouts conn.Timeouts, events []Event) []Step {
	steps := make([]Step, 0, len(events))
	var now Step
	for _, e := range events {
		now.Event = e
		switch {
		case e.Packet == "":
			now.At += e.Wait
			now.Effect = Elapsed
			if now.Exists && now.At >= now.Expires {
				now.Exists, now.Effect = false, Expired
			}
		case path == ClientOnly && e.From == Server:
			now.Effect = Unseen
		case !now.Exists && !m.creates(e):
			now.Effect = NoEntry
		case now.Exists && e.From == Client && e.row == "rst" && strings.Contains(e.Packet, "syn") && slices.Contains(over, now.State):
			now.Exists, now.Effect = false, Expired // for the SYN's sake; the RST keeps a new one from being made
		default:
			before := now.State
			now.Effect = Rearmed
			if !now.Exists || m.begins(e.From, e.row, before) {
				before, now.Exists, now.Effect = conn.None, true, Created
			}
			now.State, _ = m.Next(path, e.From, e.row, before)
			if now.Effect == Rearmed && now.State != before {
				now.Effect = Changed
			}
			now.Timeout = timeouts.Of(conn.Linux, m.Protocol, now.State)
			now.Expires = now.At + time.Duration(now.Timeout)*time.Second
		}
		steps = append(steps, now)
	}
	return steps
}

// creates tells whether a packet makes an entry. A SYN-ACK of the client's does too
// (active FTP).
func (m *Machine) creates(e Event) bool { return e.From == Client && e.row == m.Begins }
