package conn

// State is an entry's state word. It is comparable; an unlisted word is kept as
// printed, because a newer kernel must never break the reader. The zero State
// means that the source does not tell the state.
type State struct {
	id    uint8
	other string
}

// The identifiers are in the order of a connection's life, protocol by
// protocol; Index and the life-cycle order of tables come from it.
const (
	idNone = iota + 1
	idSynSent
	idSynRecv
	idSynAck
	idEstablished
	idFinWait
	idCloseWait
	idLastAck
	idTimeWait
	idClose
	idListen

	idUDPState

	idInit1
	idInit
	idCSent
	idCReplied
	idCWait
	idCookie
	idCEchoed
	idSSent
	idSReceived
	idSAckSent
	idRejected
	idClosed

	idInitCli
	idInitSer
	idInitAckCli
	idInitAckSer
	idCookieEchoCli
	idCookieEchoSer
	idEstabished
	idShutdownCli
	idShutdownSer
	idShutdownAckCli
	idShutdownAckSer

	idAssured

	idErr
	idQuestion
	idBug

	idDPVSTCPNone
	idDPVSTCPEst
	idDPVSTCPClose
	idDPVSTCPUnknown
	idDPVSUDPNone
	idDPVSUDPOneway
	idDPVSUDPNorm
	idDPVSUDPLast
	idDPVSUDPUnknown
	idDPVSSCTPNone
	idDPVSSCTPInit1
	idDPVSSCTPInit
	idDPVSSCTPCookieSent
	idDPVSSCTPCookieReplied
	idDPVSSCTPCookieWait
	idDPVSSCTPCookie
	idDPVSSCTPCookieEchoed
	idDPVSSCTPEstablished
	idDPVSSCTPShutdownSent
	idDPVSSCTPShutdownReceived
	idDPVSSCTPShutdownAckSent
	idDPVSSCTPRejected
	idDPVSSCTPClosed
	idDPVSSCTPUnknown
	idDPVSICMPNormal
	idDPVSICMPLast
	idDPVSICMPUnknown
	idDPVSUnknown

	idFullnatICMP

	numStates
)

// NumStates bounds State.Index.
const NumStates = int(numStates)

// The state words, as printed. Sources: tcp_state_name_table, sctp_state_name_table
// and udp_state_name_table in net/netfilter/ipvs/ip_vs_proto_{tcp,sctp,udp}.c
// (4.4 to 7.2), the SCTP names of kernels before 3.11, ip_vs_state_name in
// ip_vs_proto.c; for DPVS src/ipvs/ip_vs_conn.c, which cuts its words at 15
// characters; for FULLNAT's ICMP alibaba/LVS.
var stateWords = [...]string{
	idNone: "NONE", idSynSent: "SYN_SENT", idSynRecv: "SYN_RECV", idSynAck: "SYNACK",
	idEstablished: "ESTABLISHED", idFinWait: "FIN_WAIT", idCloseWait: "CLOSE_WAIT", idLastAck: "LAST_ACK",
	idTimeWait: "TIME_WAIT", idClose: "CLOSE", idListen: "LISTEN",

	idUDPState: "UDP",

	idInit1: "INIT1", idInit: "INIT", idCSent: "C-SENT", idCReplied: "C-REPLIED", idCWait: "C-WAIT",
	idCookie: "COOKIE", idCEchoed: "C-ECHOED", idSSent: "S-SENT", idSReceived: "S-RECEIVED",
	idSAckSent: "S-ACK-SENT", idRejected: "REJECTED", idClosed: "CLOSED",

	idInitCli: "INIT_CLI", idInitSer: "INIT_SER", idInitAckCli: "INIT_ACK_CLI", idInitAckSer: "INIT_ACK_SER",
	idCookieEchoCli: "COOKIE_ECHO_CLI", idCookieEchoSer: "COOKIE_ECHO_SER",
	idEstabished:  "ESTABISHED", // the kernel's own misspelling
	idShutdownCli: "SHUTDOWN_CLI", idShutdownSer: "SHUTDOWN_SER",
	idShutdownAckCli: "SHUTDOWN_ACK_CLI", idShutdownAckSer: "SHUTDOWN_ACK_SER",

	idAssured: "ASSURED",

	idErr: "ERR!", idQuestion: "?", idBug: "BUG!",

	idDPVSTCPNone: "TCP_NONE", idDPVSTCPEst: "TCP_EST", idDPVSTCPClose: "TCP_CLOSE", idDPVSTCPUnknown: "TCP_UNKOWN",
	idDPVSUDPNone: "UDP_NONE", idDPVSUDPOneway: "UDP_ONEWAY", idDPVSUDPNorm: "UDP_NORM", idDPVSUDPLast: "UDP_LAST",
	idDPVSUDPUnknown: "UDP_UNKOWN",
	idDPVSSCTPNone:   "SCTP_NONE", idDPVSSCTPInit1: "SCTP_INIT1", idDPVSSCTPInit: "SCTP_INIT",
	idDPVSSCTPCookieSent: "SCTP_COOKIE_SEN", idDPVSSCTPCookieReplied: "SCTP_COOKIE_REP", idDPVSSCTPCookieWait: "SCTP_COOKIE_WAI",
	idDPVSSCTPCookie: "SCTP_COOKIE", idDPVSSCTPCookieEchoed: "SCTP_COOKIE_ECH", idDPVSSCTPEstablished: "SCTP_ESTABLISHE",
	idDPVSSCTPShutdownSent: "SCTP_SHUTDOWN_S", idDPVSSCTPShutdownReceived: "SCTP_SHUTDOWN_R", idDPVSSCTPShutdownAckSent: "SCTP_SHUTDOWN_A",
	idDPVSSCTPRejected: "SCTP_REJECTED", idDPVSSCTPClosed: "SCTP_CLOSED", idDPVSSCTPUnknown: "SCTP_UNKNOWN",
	idDPVSICMPNormal: "ICMP_NORMAL", idDPVSICMPLast: "ICMP_LAST",
	idDPVSICMPUnknown: "ICMP_UNKOWN", idDPVSUnknown: "UNKOWN",

	idFullnatICMP: "ICMP",
}

// The states that code outside this package names.
var (
	None        = State{id: idNone}
	Established = State{id: idEstablished}
	SynSent     = State{id: idSynSent}
	SynRecv     = State{id: idSynRecv}
	SynAck      = State{id: idSynAck}
	FinWait     = State{id: idFinWait}
	TimeWait    = State{id: idTimeWait}
	Close       = State{id: idClose}
	CloseWait   = State{id: idCloseWait}
	Closed      = State{id: idClosed} // of SCTP
	LastAck     = State{id: idLastAck}
	Listen      = State{id: idListen}
	UDPState    = State{id: idUDPState}
	Assured     = State{id: idAssured}
)

// States lists every known state in life-cycle order.
func States() []State {
	all := make([]State, 0, NumStates-1)
	for id := 1; id < NumStates; id++ {
		all = append(all, State{id: uint8(id)})
	}
	return all
}

// StateOf is the state of that word, exactly as printed. Any other word is a
// state of its own; known says which it was.
func StateOf(word string) (s State, known bool) {
	for id := 1; id < NumStates; id++ {
		if stateWords[id] == word {
			return State{id: uint8(id)}, true
		}
	}
	return State{other: word}, false
}

// String is the state as printed, empty for a state the source does not tell.
func (s State) String() string {
	if s.id != 0 {
		return stateWords[s.id]
	}
	return s.other
}

// Index orders known states by life cycle; 0 is an unlisted or untold state. It
// is an array index below NumStates, and is not stable over versions.
func (s State) Index() int { return int(s.id) }
