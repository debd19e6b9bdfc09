package conn

// Seconds is a span as the table prints it: whole seconds, or Unknown.
type Seconds int32

// Unknown is a span the source does not tell. It is not zero: zero seconds left
// is an answer.
const Unknown Seconds = -1

// Dialect is whose table it is: state words and timeouts differ.
type Dialect uint8

const (
	// Linux is the kernel's own IPVS.
	Linux Dialect = iota
	// DPVS is iqiyi's user-space director.
	DPVS
	// FULLNAT is Alibaba's LVS, a patched 2.6.32 kernel.
	FULLNAT
)

// Timeouts are the three timeouts that `ipvsadm --set` changes. Everything else
// is fixed in the kernel.
type Timeouts struct {
	TCP    Seconds // ESTABLISHED
	TCPFin Seconds // FIN_WAIT
	UDP    Seconds
}

// DefaultTimeouts is what a kernel starts with, UnknownTimeouts what several directors
// have whose timeouts differ.
var (
	DefaultTimeouts = Timeouts{TCP: 900, TCPFin: 120, UDP: 300}
	UnknownTimeouts = Timeouts{TCP: Unknown, TCPFin: Unknown, UDP: Unknown}
)

// tcpTimeouts and sctpTimeouts are tcp_timeouts[] and sctp_timeouts[] of
// net/netfilter/ipvs, the same from 4.4 to 7.2; the last eleven of SCTP are the
// kernels' before 3.11.
var tcpTimeouts = map[State]Seconds{
	{id: idNone}: 2, {id: idSynSent}: 120, {id: idSynRecv}: 60, {id: idTimeWait}: 120, {id: idClose}: 10,
	{id: idCloseWait}: 60, {id: idLastAck}: 30, {id: idListen}: 120, {id: idSynAck}: 120,
}

var sctpTimeouts = map[State]Seconds{
	{id: idNone}: 2, {id: idInit1}: 4, {id: idInit}: 61, {id: idCSent}: 61, {id: idCReplied}: 61, {id: idCWait}: 61,
	{id: idCookie}: 61, {id: idCEchoed}: 61, {id: idEstablished}: 900, {id: idSSent}: 61, {id: idSReceived}: 61,
	{id: idSAckSent}: 61, {id: idRejected}: 4, {id: idClosed}: 61,
	{id: idInitCli}: 60, {id: idInitSer}: 60, {id: idInitAckCli}: 60, {id: idInitAckSer}: 60,
	{id: idCookieEchoCli}: 60, {id: idCookieEchoSer}: 60, {id: idEstabished}: 900, {id: idShutdownCli}: 60,
	{id: idShutdownSer}: 60, {id: idShutdownAckCli}: 60, {id: idShutdownAckSer}: 60,
}

// dpvsTimeouts are DPVS's defaults (src/ipvs/ip_vs_proto_{tcp,udp,sctp,icmp}.c, 1.10).
// Its listing shows each entry's own, which goes before these.
var dpvsTimeouts = map[State]Seconds{
	{id: idDPVSTCPNone}: 2, {id: idDPVSTCPEst}: 90, {id: idSynSent}: 3, {id: idSynRecv}: 30, {id: idFinWait}: 7,
	{id: idTimeWait}: 7, {id: idDPVSTCPClose}: 3, {id: idCloseWait}: 7, {id: idLastAck}: 7, {id: idListen}: 120, {id: idSynAck}: 30,
	{id: idDPVSUDPNone}: 2, {id: idDPVSUDPOneway}: 300, {id: idDPVSUDPNorm}: 300, {id: idDPVSUDPLast}: 2,
	{id: idDPVSSCTPNone}: 2, {id: idDPVSSCTPInit1}: 4, {id: idDPVSSCTPInit}: 61, {id: idDPVSSCTPCookieSent}: 61,
	{id: idDPVSSCTPCookieReplied}: 61, {id: idDPVSSCTPCookieWait}: 61, {id: idDPVSSCTPCookie}: 61,
	{id: idDPVSSCTPCookieEchoed}: 61, {id: idDPVSSCTPEstablished}: 900, {id: idDPVSSCTPShutdownSent}: 61,
	{id: idDPVSSCTPShutdownReceived}: 61, {id: idDPVSSCTPShutdownAckSent}: 61, {id: idDPVSSCTPRejected}: 4,
	{id: idDPVSSCTPClosed}: 61, {id: idDPVSICMPNormal}: 300,
}

// fullnatTimeouts are those of Alibaba's kernel (alibaba/LVS, ip_vs_proto_tcp.c, _udp.c
// and _icmp.c).
var fullnatTimeouts = map[State]Seconds{
	{id: idNone}: 2, {id: idEstablished}: 90, {id: idSynSent}: 3, {id: idSynRecv}: 30, {id: idFinWait}: 7, {id: idTimeWait}: 7,
	{id: idClose}: 3, {id: idCloseWait}: 7, {id: idLastAck}: 7, {id: idListen}: 120, {id: idSynAck}: 30,
	{id: idUDPState}: 300, {id: idFullnatICMP}: 120,
}

// For are the timeouts as a dialect's directors have them, ok whether they have such.
func (t Timeouts) For(d Dialect) (of Timeouts, ok bool) {
	of = Timeouts{TCP: t.Of(d, TCP, Established), TCPFin: t.Of(d, TCP, FinWait), UDP: t.Of(d, UDP, UDPState)}
	return of, d != DPVS && t != UnknownTimeouts
}

// Of is the timeout of a state, Unknown where it has none of its own.
func (t Timeouts) Of(d Dialect, p Protocol, s State) Seconds {
	table := map[State]Seconds{}
	switch {
	case d == DPVS:
		table = dpvsTimeouts
	case d == FULLNAT && t == DefaultTimeouts: // which are Linux's, and so not told
		table = fullnatTimeouts
	case p == TCP && s == Established:
		return t.TCP
	case p == TCP && s == FinWait:
		return t.TCPFin
	case p == UDP && s == UDPState:
		return t.UDP
	case d == FULLNAT:
		table = fullnatTimeouts
	case p == TCP:
		table = tcpTimeouts
	case p == SCTP:
		table = sctpTimeouts
	}
	if v, ok := table[s]; ok {
		return v
	}
	return Unknown
}
