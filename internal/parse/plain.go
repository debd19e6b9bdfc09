package parse

import (
	"encoding/binary"
	"math/bits"

	"ipvsstate/internal/conn"
)

// Nearly all rows of a large listing come from `ipvsadm -Lcn`, with IPv4 and
// every field padded to its column:
//
//	TCP 14:57  ESTABLISHED 10.0.1.10:44380    10.0.1.100:80      10.0.0.12:80
//	0   4      11          23                 42                 61
//
// plainRow reads just these, and leaves every other row to row. It is there for
// speed alone: known columns let the processor begin a field before it is done
// with the one before, and the endpoints that recur are known by their text.
const (
	clockColumn   = 4
	stateColumn   = 11
	clientColumn  = 23
	endpointWidth = 18
	plainLength   = clientColumn + 3*24 + 8 // the longest plain row, and a word
)

// plainRow reads the row at b[i:] into s.line and returns the index of the line
// that follows, or notRow.
func (s *Scanner) plainRow(b []byte, i int) int {
	if len(b)-i < plainLength || s.dirt {
		return notRow
	}
	b = b[i : i+plainLength : i+plainLength]
	e := &s.line.Entry
	switch word4(b, 0) {
	case wordTCP:
		e.Protocol = conn.TCP
	case wordUDP:
		e.Protocol = conn.UDP
	default:
		return notRow
	}
	m1, m0, s1, s0 := b[clockColumn]-'0', b[clockColumn+1]-'0', b[clockColumn+3]-'0', b[clockColumn+4]-'0'
	if m1 > 9 || m0 > 9 || s1 > 5 || s0 > 9 || b[clockColumn+2] != ':' || b[clockColumn+5] != ' ' || b[clockColumn+6] != ' ' {
		return notRow
	}
	e.Expires = conn.Seconds(m1)*600 + conn.Seconds(m0)*60 + conn.Seconds(s1)*10 + conn.Seconds(s0)

	w0, w1 := word8(b, stateColumn), word4(b, stateColumn+8)
	p := &paddedStates[stateSlot(w0, w1)]
	if p.w0 != w0 || p.w1 != w1 {
		return notRow
	}
	e.State = p.state

	addr, next := ipv4(b, clientColumn)
	if next < 0 {
		return notRow
	}
	port, next := port(b, next)
	if next < 0 {
		return notRow
	}
	e.Client.Addr, e.Client.Port, e.Client.PortKnown = addr4(addr), port, true

	start := max(clientColumn+endpointWidth, next) + 1
	if !allBlank(b, next, start) {
		return notRow
	}
	virtual := s.memo.recall(columnText(b, start))
	if start += endpointWidth + 1; virtual == nil || b[start-1] != ' ' {
		return notRow
	}
	e.Virtual.Addr, e.Virtual.Port, e.Virtual.PortKnown = addr4(virtual.addr), virtual.port, true

	text, n := fieldText(b, start)
	server := s.memo.recall(text)
	if server == nil || b[start+n] != '\n' {
		return notRow
	}
	e.Server.Addr, e.Server.Port, e.Server.PortKnown = addr4(server.addr), server.port, true

	e.Timeout, e.Origin = conn.Unknown, conn.UnknownOrigin
	s.line.Format, s.line.Garbled = Ipvsadm, false
	return i + start + n + 1
}

// allBlank reports that b[from:to], of one to sixteen bytes, is blank.
func allBlank(b []byte, from, to int) bool {
	n := uint(to - from)
	if n > 8 {
		return word8(b, from) == spaces && word8(b, to-8) == spaces
	}
	return (word8(b, to-8)^spaces)>>((8-n)*8&63) == 0
}

// memo remembers numeric endpoints by their text: virtual services and real
// servers are few and stand in every row. It holds only what the field readers
// accepted, and compares the whole text. Each text has two slots to be in, which
// share a line of the processor's cache.
type memo [4096]memoSlot

type memoSlot struct {
	text memoText
	addr uint32
	port uint16
}

// memoText is a field's text: a column with its blanks, or up to 23 bytes to the end
// of a row. The longest IPv4 address and port has 21.
type memoText struct{ w0, w1, w2 uint64 }

func (t memoText) slot() uint64 {
	hi, lo := bits.Mul64(t.w0^0x9e3779b97f4a7c15, t.w1^t.w2<<48^0xd6e8feb86659fd93)
	return hi ^ lo
}

// recall is the slot of a text, nil if it is not known.
func (m *memo) recall(t memoText) *memoSlot {
	h := t.slot() & (uint64(len(m)) - 1)
	if m[h].text == t {
		return &m[h]
	}
	if m[h^1].text == t {
		return &m[h^1]
	}
	return nil
}

// rememberColumn keeps an endpoint by its text as it stands in a column.
func (m *memo) rememberColumn(text []byte, e *conn.Endpoint) {
	var field [pad]byte
	if n := copy(field[:], text); n <= endpointWidth {
		copy(field[n:], "                  ")
		m.put(columnText(field[:], 0), e)
	}
}

// rememberLast keeps an endpoint by its text as it ends a row.
func (m *memo) rememberLast(text []byte, e *conn.Endpoint) {
	var field [pad]byte
	if n := copy(field[:], text); n <= 23 {
		field[n] = '\n'
		t, _ := fieldText(field[:], 0)
		m.put(t, e)
	}
}

// put keeps a numeric IPv4 endpoint in its first slot. What stood there moves to the
// second.
func (m *memo) put(t memoText, e *conn.Endpoint) {
	if h := t.slot() & (uint64(len(m)) - 1); e.Addr.Is4() && e.PortKnown && e.Service == "" && m.recall(t) == nil {
		a := e.Addr.As4()
		if m[h].text != (memoText{}) {
			m[h^1] = m[h]
		}
		m[h] = memoSlot{t, binary.BigEndian.Uint32(a[:]), e.Port}
	}
}

// columnText is the text of a column, its blanks included.
func columnText(b []byte, i int) memoText {
	return memoText{word8(b, i), word8(b, i+8), uint64(b[i+16]) | uint64(b[i+17])<<8}
}

// fieldText is the text of a field that ends 8 to 23 bytes on, as every endpoint
// does, and its length; 0 if none ends there.
func fieldText(b []byte, i int) (t memoText, n int) {
	t.w0 = word8(b, i)
	t.w1 = word8(b, i+8)
	if end := blankAt(t.w1); end < 64 {
		t.w1 &= 1<<end - 1
		return t, 8 + int(end)/8
	}
	t.w2 = word8(b, i+16)
	end := blankAt(t.w2)
	if end == 64 {
		return t, 0
	}
	t.w2 &= 1<<end - 1
	return t, 16 + int(end)/8
}

// blankAt is the bit at which a word's first byte up to a space begins, 64 if none.
func blankAt(w uint64) uint {
	return uint(bits.TrailingZeros64((w-0x2121212121212121)&^w&high1)) &^ 7
}
