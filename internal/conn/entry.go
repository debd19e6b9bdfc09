// Package conn is the vocabulary of an IPVS connection table: entries, their
// protocols, states, endpoints and timeouts. It is pure: no I/O, no clock, and
// the same on every operating system.
package conn

// Entry is one row of the connection table. It is a plain value: it can be
// copied, kept and compared, and holds no reference to the text it came from.
//
// A field the source cannot know holds that field's unknown value (Unknown for
// seconds, UnknownOrigin, a zero Endpoint), never a guess.
type Entry struct {
	Protocol Protocol
	State    State

	Client  Endpoint
	Virtual Endpoint
	// Local is the director's own address towards the real server; only
	// FULLNAT tables (DPVS, Alibaba LVS) have it.
	Local  Endpoint
	Server Endpoint

	// Expires is the time left until the kernel drops the entry, unless a
	// packet re-arms it.
	Expires Seconds
	// Timeout is the timeout the entry is re-armed with. Only DPVS prints it,
	// in place of the time left.
	Timeout Seconds

	Origin Origin

	// PEName and PEData are the persistence engine and what it matched on
	// (for sip: the Call-ID), as printed; on templates only.
	PEName, PEData string
}

// Origin says who put an entry into this kernel's table
// (/proc/net/ip_vs_conn_sync, column Origin).
type Origin uint8

const (
	// UnknownOrigin is every source but ip_vs_conn_sync.
	UnknownOrigin Origin = iota
	// Local entries were made by packets this director handled.
	Local
	// Sync entries were received from another director's sync daemon.
	Sync
)

// Kind tells connections from the templates that share their table.
type Kind uint8

const (
	// Connection is a client's connection (or UDP exchange) with a real server.
	Connection Kind = iota
	// Template pins a client, or its network, to a real server: the entry of
	// a persistent service. It has client port 0.
	Template
	// FwmarkTemplate is a template of a firewall-mark service: protocol IP,
	// the mark in place of the virtual address.
	FwmarkTemplate
	// StaleTemplate is a template the kernel has invalidated because its real
	// server went away (ip_vs_check_template sets the ports to 65535). It only
	// waits to expire.
	StaleTemplate

	// NumKinds is the number of kinds.
	NumKinds = int(StaleTemplate) + 1
)

// stalePort is the port of an invalidated template: of the virtual service and
// the real server up to kernel 7.0, of the real server alone since 7.1.
const stalePort = 65535

// noneLives is the longest a connection stays in NONE: a new one starts with
// three seconds (ip_vs_conn_new), the state's own timeout is two.
const noneLives Seconds = 3

// Kind says whether the entry is a connection or which sort of template.
//
// A template is known by its client port 0 or protocol IP; only what ip_vs_ftp
// awaits in passive mode, in LISTEN, is a connection without a client port
// (ip_vs_ftp_in). Where a listing with
// names lost the port (ipvsadm cuts host:port at 59 characters), the state
// decides: only templates are ASSURED, and no connection is in NONE for more
// than three seconds.
func (e *Entry) Kind() Kind {
	switch {
	case e.Protocol.id == idIP:
		if e.Server.PortKnown && e.Server.Port == stalePort {
			return StaleTemplate
		}
		return FwmarkTemplate
	case e.Client.PortKnown && e.Client.Port != 0:
		return Connection
	case e.State.id == idListen:
		return Connection
	case !e.Client.PortKnown && e.State.id != idAssured && (e.State.id != idNone || e.Expires <= noneLives):
		return Connection
	case e.Server.PortKnown && e.Server.Port == stalePort:
		return StaleTemplate
	}
	return Template
}

// Fwmark is the firewall mark of a FwmarkTemplate: the kernel writes it into
// the first 32 bits of the virtual address (ip_vs_sched_persist), so mark 10
// reads 0.0.0.10, and for an IPv6 service 0:a::.
func (e *Entry) Fwmark() (mark uint32, ok bool) {
	if e.Protocol != IP || !e.Virtual.Addr.IsValid() {
		return 0, false
	}
	b := e.Virtual.Addr.AsSlice()
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3]), true
}

// Alike reports an entry that can stand in one table twice without being the same: an invalidated template
// as kernels up to 7.0 print it, with 65535 in place of its service's port. A client has one for
// each service of an address.
func (e *Entry) Alike() bool { return e.Virtual.Port == stalePort && e.Kind() == StaleTemplate }
