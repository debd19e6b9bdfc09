package history

import "ipvsstate/internal/conn"

// Fate is how an entry can have gone, as far as the time between tells.
type Fate uint8

// The fates.
const (
	// Unjudged is where the time between, or the time that was left, is not known, or a
	// listing is not whole.
	Unjudged Fate = iota
	// Expired is an entry that had no more time left than has passed: it needed nothing
	// but silence.
	Expired
	// Ended is one that had more: a packet shortened it (FIN, RST, or any where the timeouts
	// were lowered) or took its port for a new connection, or it was Removed.
	Ended
	// Removed is one that no timeout after a packet can have ended in that time: its service or
	// server was removed, the table flushed, the module loaded anew, or it is a template that was
	// invalidated. A packet can still have: a RST and a SYN from its port end it at once.
	Removed

	// NumFates is the number of fates.
	NumFates = int(Removed) + 1
)

// fate is how an entry that had some time left can have gone.
func (b *Between) fate(c *class, left conn.Seconds) Fate {
	if b.Seconds == conn.Unknown || left == conn.Unknown || !b.Whole {
		return Unjudged
	}
	closing, known := conn.Unknown, true
	if c.kind == conn.Connection {
		closing, known = b.closing(c.protocol)
	}
	switch {
	case left <= b.Seconds+slack:
		return Expired
	case closing != conn.Unknown && closing <= b.Seconds+slack, c.kind == conn.Connection && reusable(c.state):
		return Ended
	case !known:
		return Unjudged
	}
	return Removed
}

// reusable reports a state in which a new connection from the same port can go to another server, which
// ends the entry at once (is_new_conn_expected, net/netfilter/ipvs/ip_vs_core.c).
func reusable(s conn.State) bool {
	return s == conn.TimeWait || s == conn.Close || s == conn.FinWait || s == conn.Closed
}

// slack is for times in whole seconds, and for a table that is not read in one instant.
const slack conn.Seconds = 2

// closing is the shortest time that a packet leaves a connection, by the timeouts before or
// after; known is false where one of them is not.
func (b *Between) closing(p conn.Protocol) (least conn.Seconds, known bool) {
	least = conn.Unknown
	states := shortStates[p]
	known = len(states) > 0
	for i := range b.Timeouts {
		for _, s := range states {
			t := b.Timeouts[i].Of(b.Dialect, p, s)
			known = known && t != conn.Unknown
			if t != conn.Unknown && (least == conn.Unknown || t < least) {
				least = t
			}
		}
	}
	return least, known
}

// shortStates are, of those that packets lead to, the ones that can have the shortest timeout: what
// ipvsadm --set changes, and what a RST or an ABORT leads to. An association is refused in C-WAIT.
var shortStates = map[conn.Protocol][]conn.State{
	conn.TCP:  {conn.Established, conn.FinWait, conn.Close},
	conn.UDP:  {conn.UDPState},
	conn.SCTP: {stateOf("REJECTED"), conn.Closed},
}

func stateOf(word string) conn.State {
	s, _ := conn.StateOf(word)
	return s
}
