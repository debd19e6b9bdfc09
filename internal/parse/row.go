package parse

import (
	"bytes"
	"net/netip"
	"strings"

	"ipvsstate/internal/conn"
)

// A row's grammar, by the word behind the protocol:
//
//	TCP 14:57  ESTABLISHED client virtual [local] server [pe-name pe-data]   ipvsadm -L -c
//	TCP 0A00010A A898 ... CLOSE [LOCAL|SYNC] 6 [pe-name pe-data]              the proc files
//	[3]tcp 90s    TCP_EST client virtual local server                          DPVS
//

// A text that does not begin so is no row (notRow). One that does, and goes wrong
// later, is a bad one: s.line.Err then says where.
const (
	notRow = -1
	badRow = -2
)

// The protocols' words with the blank that nearly always follows.
const (
	wordTCP = 'T' | 'C'<<8 | 'P'<<16 | ' '<<24
	wordUDP = 'U' | 'D'<<8 | 'P'<<16 | ' '<<24
	wordIP  = 'I' | 'P'<<8 | ' '<<16 | ' '<<24
)

// row reads the row at b[i:] into s.line and returns the index of the line that
// follows, or notRow or badRow.
func (s *Scanner) row(b []byte, i int) int {
	proto, i := s.protocol(b, core(b, i))
	if i < 0 {
		return notRow
	}
	e := &s.line.Entry
	if s.dirt {
		*e = conn.Entry{}
		s.dirt = false
	}
	e.Protocol = proto
	s.line.Garbled = false

	if left, next := clock(b, i); next > 0 {
		e.Expires, e.Timeout, e.Origin = left, conn.Unknown, conn.UnknownOrigin
		return s.ipvsadmRow(b, blanks(b, next))
	}
	if hexValue[b[i]] < 16 {
		if next := procEndpoint(b, i, &e.Client); next > 0 {
			e.Timeout = conn.Unknown
			return s.procRow(b, blanks(b, next))
		}
	}
	if set, next := dpvsSeconds(b, i); next > 0 {
		e.Expires, e.Timeout, e.Origin = conn.Unknown, set, conn.UnknownOrigin
		return s.dpvsRow(b, blanks(b, next))
	}
	return s.misplaced(b, i)
}

// core passes over the number of a processor that DPVS begins a row with, [3].
func core(b []byte, i int) int {
	if b[i] != '[' {
		return i
	}
	if _, end := decimal(b, i+1); end > 0 && b[end] == ']' {
		return end + 1
	}
	return i
}

// protocol reads the word a row begins with, and the blanks behind it.
func (s *Scanner) protocol(b []byte, i int) (p conn.Protocol, next int) {
	switch word4(b, i) {
	case wordTCP:
		return conn.TCP, blanks(b, i+4)
	case wordUDP:
		return conn.UDP, blanks(b, i+4)
	case wordIP:
		return conn.IP, blanks(b, i+4)
	}
	end := i
	for isWordByte(b[end]) {
		end++
	}
	// The longest the kernel prints is ICMPv6; "--" is DPVS's word for none.
	if end-i < 2 || end-i > 12 || !isEnd(b[end]) || b[end] == '\n' {
		return p, notRow
	}
	word := b[i:end]
	p, known := protocolWords[string(word)]
	if !known {
		if c := word[0]; c-'A' >= 26 && c-'a' >= 26 && !bytes.Equal(word, noProtocol) {
			return p, notRow
		}
		s.unknownProtocol = word // finish keeps it once the rest has proved to be a row
	}
	return p, blanks(b, end)
}

// protocolWords are the protocols as the kernel prints them, and as DPVS does.
var protocolWords = func() map[string]conn.Protocol {
	m := make(map[string]conn.Protocol)
	for _, p := range conn.Protocols() {
		m[p.String()] = p
		m[strings.ToLower(p.String())] = p
	}
	return m
}()

var noProtocol = []byte("--")

func isWordByte(c byte) bool {
	return c-'A' < 26 || c-'a' < 26 || c-'0' < 10 || c == '_' || c == '-'
}

func (s *Scanner) ipvsadmRow(b []byte, i int) int {
	e := &s.line.Entry
	s.line.Format = Ipvsadm
	var next int
	if e.State, next = s.state(b, i); next < 0 {
		return s.noState(b, i)
	}
	stateAt, stateEnd := i, next
	if i = s.endpoint(b, blanks(b, next), &e.Client, FieldClient); i < 0 {
		if e.State.Index() == 0 && !(s.line.Err.Reason == EndsEarly && beginsState(e.State.String())) {
			return notRow
		}
		return badRow
	}
	i = blanks(b, i)
	if next = s.endpoint(b, i, &e.Virtual, FieldVirtual); next < 0 {
		return badRow
	}
	s.memo.rememberColumn(b[i:next], &e.Virtual)
	i = blanks(b, next)
	if next = s.endpoint(b, i, &e.Server, FieldServer); next < 0 {
		return badRow
	}
	s.memo.rememberLast(b[i:next], &e.Server)
	i = next
	if e.State.Index() == 0 {
		if real, ok := garbledState(b[stateAt:stateEnd]); ok {
			return s.garbledRow(b, i, real)
		}
	}
	i = blanks(b, i)
	if b[i] != '\n' && b[i] != '\r' {
		return s.ipvsadmTail(b, i)
	}
	return s.finish(b, i)
}

// noState says what stands behind a time where no state word does: an endpoint, in
// a row that the kernel cut short before its state; an IPv6 address, in a row that
// a stock ipvsadm garbled; or prose.
func (s *Scanner) noState(b []byte, i int) int {
	e := &s.line.Entry
	if _, ok := hex4(b, i); ok && b[i+4] == ':' {
		if _, ok := hex4(b, i+5); ok && b[i+9] == ':' {
			return s.garbledIPv6(b, blanks(b, fieldEnd(b, i)))
		}
	}
	if s.endpoint(b, i, &e.Client, FieldClient) > 0 {
		return s.fail(b, i, FieldState)
	}
	return notRow
}

// ipvsadmTail reads what may follow the third endpoint: FULLNAT's fourth, or a
// persistence engine's name and data.
func (s *Scanner) ipvsadmTail(b []byte, i int) int {
	e := &s.line.Entry
	s.dirt = true
	var fourth conn.Endpoint
	if next := s.endpoint(b, i, &fourth, FieldServer); next > 0 {
		if end := blanks(b, next); isEnd(b[end]) {
			e.Local, e.Server = e.Server, fourth
			s.line.Format = Fullnat
			return s.finish(b, end)
		}
	}
	return s.engine(b, i)
}

// engine reads a persistence engine's name, and the rest of the line as its data.
func (s *Scanner) engine(b []byte, i int) int {
	e := &s.line.Entry
	s.dirt = true
	end := fieldEnd(b, i)
	e.PEName = s.names.keep(b[i:end])
	i = blanks(b, end)
	eol := i + bytes.IndexByte(b[i:], '\n')
	e.PEData = string(bytes.TrimRight(b[i:eol], " \t\r"))
	return s.finish(b, eol)
}

// garbledRow is a FULLNAT kernel's row as a stock ipvsadm prints it: it takes the
// local address for the real server, the real server's address for the state and
// its port, read as decimal, for the time left.
func (s *Scanner) garbledRow(b []byte, i int, server netip.Addr) int {
	e := &s.line.Entry
	s.dirt = true
	s.line.Format = Fullnat
	s.line.Garbled = true
	e.State = conn.State{}
	e.Expires = conn.Unknown
	e.Local, e.Server = e.Server, conn.Endpoint{Addr: server}
	return s.finish(b, blanks(b, i))
}

// garbledIPv6 is garbledRow for IPv6, where the address has overrun ipvsadm's buffer:
// of the real server nothing certain is left.
func (s *Scanner) garbledIPv6(b []byte, i int) int {
	e := &s.line.Entry
	for _, f := range [...]struct {
		name Field
		to   *conn.Endpoint
	}{{FieldClient, &e.Client}, {FieldVirtual, &e.Virtual}, {FieldServer, &e.Server}} {
		if i = s.endpoint(b, blanks(b, i), f.to, f.name); i < 0 {
			return badRow
		}
	}
	return s.garbledRow(b, i, netip.Addr{})
}

// isAddress reports an address where a state belongs.
func isAddress(st conn.State, word []byte) bool {
	if st.Index() != 0 {
		return false
	}
	_, ok := garbledState(word)
	return ok
}

// garbledState recognises an address in hexadecimal in place of a state.
func garbledState(word []byte) (server netip.Addr, ok bool) {
	if len(word) != 8 && len(word) != 39 {
		return server, false
	}
	var buf [48]byte
	copy(buf[:], word)
	buf[len(word)] = '\n'
	server, next := procAddr(buf[:], 0)
	return server, next == len(word)
}

func (s *Scanner) procRow(b []byte, i int) int {
	e := &s.line.Entry
	s.line.Format = Proc
	e.Origin = conn.UnknownOrigin
	next := procEndpoint(b, i, &e.Virtual)
	if next < 0 {
		return s.fail(b, i, FieldVirtual)
	}
	i = blanks(b, next)
	if next = procEndpoint(b, i, &e.Server); next < 0 {
		return s.fail(b, i, FieldServer)
	}
	i = blanks(b, next)
	if b[i] != '\n' && b[i+1] != '\n' { // "?" alone is a state, no address is
		var fourth conn.Endpoint
		if next = procEndpoint(b, i, &fourth); next > 0 {
			s.dirt = true
			e.Local, e.Server = e.Server, fourth
			s.line.Format = Fullnat
			i = blanks(b, next)
		}
	}
	if e.State, next = s.state(b, i); next < 0 || isAddress(e.State, b[i:next]) {
		return s.fail(b, i, FieldState)
	}
	i = blanks(b, next)
	if b[i]-'0' > 9 {
		switch {
		case word4(b, i) == 'L'|'O'<<8|'C'<<16|'A'<<24 && b[i+4] == 'L' && isEnd(b[i+5]):
			e.Origin, next = conn.Local, i+5
		case word4(b, i) == 'S'|'Y'<<8|'N'<<16|'C'<<24 && isEnd(b[i+4]):
			e.Origin, next = conn.Sync, i+4
		default:
			return s.fail(b, i, FieldOrigin)
		}
		if s.line.Format == Proc {
			s.line.Format = ProcSync
		}
		i = blanks(b, next)
	}
	if e.Expires, next = procSeconds(b, i); next < 0 {
		return s.fail(b, i, FieldExpires)
	}
	i = blanks(b, next)
	if b[i] != '\n' && b[i] != '\r' && s.line.Format != Fullnat { // 2.6.32 had no engines
		return s.engine(b, i)
	}
	return s.finish(b, i)
}

func (s *Scanner) dpvsRow(b []byte, i int) int {
	e := &s.line.Entry
	s.line.Format = DPVS
	s.dirt = true
	var next int
	i = skipDetail(b, i)
	if e.State, next = s.state(b, i); next < 0 || isAddress(e.State, b[i:next]) {
		return s.fail(b, i, FieldState)
	}
	i = next
	for _, f := range [...]struct {
		name Field
		to   *conn.Endpoint
	}{{FieldClient, &e.Client}, {FieldVirtual, &e.Virtual}, {FieldLocal, &e.Local}, {FieldServer, &e.Server}} {
		if i = s.endpoint(b, blanks(b, i), f.to, f.name); i < 0 {
			return badRow
		}
	}
	return s.finish(b, blanks(b, i))
}

// skipDetail passes over what --detail-conn (iqiyi/dpvs pull request 396) puts
// before the state: a lifetime and the time of creation, `28s 2019-02-21 13:24:05`.
// Whether the lifetime is spent or left is not documented, so it is not used.
func skipDetail(b []byte, i int) int {
	_, next := dpvsSeconds(b, i)
	if next < 0 {
		return i
	}
	date := blanks(b, next)
	clock := blanks(b, fieldEnd(b, date))
	end := fieldEnd(b, clock)
	if fieldEnd(b, date)-date != len("2019-02-21") || end-clock != len("13:24:05") || b[clock+2] != ':' {
		return i
	}
	return blanks(b, end)
}

// misplaced tells a row from prose when no time stands behind the protocol: a state
// and then a time is a row with its columns swapped, as some documentation shows it;
// a number and then a state is one whose time is not minutes and seconds.
func (s *Scanner) misplaced(b []byte, i int) int {
	end := fieldEnd(b, i)
	second := blanks(b, end)
	secondEnd := fieldEnd(b, second)
	if _, known := stateWords[string(b[i:end])]; known {
		if _, next := clock(b, second); next > 0 {
			s.fail(b, i, FieldState)
			s.line.Err.Reason = Swapped
			return badRow
		}
	}
	if _, known := stateWords[string(b[second:secondEnd])]; known && b[i]-'0' <= 9 {
		var e conn.Endpoint
		if s.endpoint(b, blanks(b, secondEnd), &e, FieldClient) > 0 {
			return s.fail(b, i, FieldExpires)
		}
	}
	return notRow
}

// finish ends a row: nothing but a carriage return may stand before the newline.
func (s *Scanner) finish(b []byte, i int) int {
	if b[i] == '\r' {
		i = blanks(b, i+1)
	}
	if b[i] != '\n' {
		return s.fail(b, i, FieldLine)
	}
	if s.unknownProtocol != nil {
		s.line.Entry.Protocol, _ = conn.ProtocolOf(s.names.keep(s.unknownProtocol))
		s.unknownProtocol = nil
		s.dirt = true
	}
	return i + 1
}

// fail notes what is wrong at b[i:] and returns badRow. The column is relative to b.
func (s *Scanner) fail(b []byte, i int, f Field) int {
	end := fieldEnd(b, i)
	err := Error{Column: i, Field: f}
	if end == i {
		err.Reason = EndsEarly
	} else {
		err.Text = string(b[i:min(end, i+maxErrorText)])
	}
	s.line.Err = err
	return badRow
}
