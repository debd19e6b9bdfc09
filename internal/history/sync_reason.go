package history

import (
	"slices"

	"ipvsstate/internal/conn"
)

// Reason is why the backup can lack an entry, the first that applies.
type Reason uint8

// The reasons. BelowThreshold and MayBeNew can hide a fault, Lost is one, the others are none.
const (
	// NeverSent is a state in which nothing is sent.
	NeverSent Reason = iota
	// TemplatesOnly is a connection of a persistent service while sync_persist_mode is on.
	TemplatesOnly
	// OldVersion is one of IPv6, while sync_version is 0.
	OldVersion
	// RanOut is an entry that can have run out before the backup was read.
	RanOut
	// Closed is one that was refused or reset: that is sent with the client's next packet, and
	// there may be none.
	Closed
	// MayBeNew is one that had a packet when the backup was read, or later.
	MayBeNew
	// BelowThreshold is one in a state that is sent from the packet on that sync_threshold
	// names, and the table does not count packets: so many can be below it at the most. After
	// that every 50th packet is sent, and the backup's can have run out before it came.
	BelowThreshold
	// Lost is one that is closing in another way, by a packet of the client's or answered by
	// one: that is sent whatever the threshold is.
	Lost

	// NumReasons is the number of reasons.
	NumReasons = int(Lost) + 1
)

// way is how a class of the master's entries gets to the backup.
type way struct {
	sending       sending
	templatesOnly bool
	oldVersion    bool
	timeout       conn.Seconds
}

// ways are those of classes.
func (about *Directors) ways(classes []class) []way {
	find := about.services()
	all := make([]way, len(classes))
	for i := range classes {
		c := &classes[i]
		v, marked := find(c)
		w := &all[i]
		w.sending, w.timeout = whenSent(c.protocol, c.state), about.Timeouts.Of(about.Dialect, c.protocol, c.state)
		w.templatesOnly = about.TemplatesOnly && (v != nil && v.Persistent > 0 || v == nil && marked)
		w.oldVersion = about.OldVersion && c.virtual.Addr.Is6() // ip_vs_sync_conn_v0 (ip_vs_sync.c)
		if w.sending == withNext && v != nil && oneWay(v) {
			w.sending = atOnce // by the client's packet that changed it
		}
	}
	return all
}

// oneWay reports a service of whose servers the director sees no packets.
func oneWay(v *conn.Service) bool {
	sees := func(s conn.Server) bool {
		return s.Forwarding != conn.DirectRoute && s.Forwarding != conn.Tunnel && s.Forwarding != conn.LocalNode
	}
	return len(v.Servers) > 0 && !slices.ContainsFunc(v.Servers, sees)
}

// services finds the service of a class: that of its address and port, or of any port. Nothing ties
// an entry to a firewall mark: marked says that it can be of a persistent one.
func (about *Directors) services() func(*class) (v *conn.Service, marked bool) {
	type key struct {
		protocol conn.Protocol
		virtual  conn.Endpoint
	}
	all, marked := make(map[key]*conn.Service), false
	for i := range about.Services {
		v := &about.Services[i]
		if v.Fwmark != 0 {
			marked = marked || v.Persistent > 0
			continue
		}
		all[key{v.Protocol, v.Virtual.Identity()}] = v
	}
	return func(c *class) (*conn.Service, bool) {
		k := key{c.protocol, c.virtual}
		if v := all[k]; v != nil {
			return v, marked
		}
		k.virtual.Port, k.virtual.PortKnown, k.virtual.Service = 0, true, ""
		return all[k], marked
	}
}

// reason is why the backup can lack a connection that was silent for so long and had so much time left.
func (w *way) reason(left, silence, apart conn.Seconds) Reason {
	switch {
	case w.sending == never:
		return NeverSent
	case w.templatesOnly:
		return TemplatesOnly
	case w.oldVersion:
		return OldVersion
	case left != conn.Unknown && left <= slack+apart:
		return RanOut
	case w.sending == withNext:
		return Closed
	case silence != conn.Unknown && silence <= slack-apart:
		return MayBeNew
	case w.sending == atOnce:
		return Lost
	}
	return BelowThreshold
}

// sending is when a master sends an entry in a state.
type sending uint8

const (
	byThreshold sending = iota // with the packets that sync_threshold names
	never
	atOnce   // with the change to it, whatever sync_threshold is
	withNext // so too, but the change is by a server's packet, and goes with the client's next
)

// whenSent says when a master sends entries in a state: ip_vs_in_hook does it, for packets of clients,
// by ip_vs_sync_conn_needed and ip_vs_sync_conn (net/netfilter/ipvs/ip_vs_core.c and ip_vs_sync.c). States
// of other kernels are taken to be sent.
func whenSent(p conn.Protocol, s conn.State) sending {
	if p == conn.SCTP {
		switch name := s.String(); {
		case slices.Contains(sctpSetUp, name):
			return never
		case slices.Contains(sctpClosing, name):
			return atOnce
		case s == conn.Closed:
			return withNext
		}
		return byThreshold
	}
	if p != conn.TCP {
		return byThreshold
	}
	switch s {
	case conn.None, conn.SynSent, conn.SynRecv, conn.SynAck, conn.Listen, conn.LastAck:
		return never
	case conn.FinWait, conn.CloseWait, conn.TimeWait:
		return atOnce
	case conn.Close:
		return withNext
	}
	return byThreshold
}

// sctpClosing are the states of an SCTP association that is shut down.
var sctpClosing = []string{"S-SENT", "S-RECEIVED", "S-ACK-SENT"}

// sctpSetUp are the states of SCTP in which nothing is sent.
var sctpSetUp = []string{"NONE", "INIT1", "INIT", "C-SENT", "C-REPLIED", "C-WAIT", "COOKIE", "C-ECHOED", "REJECTED"}
