package parse

import (
	"encoding/binary"
	"math/bits"
	"net/netip"

	"ipvsstate/internal/conn"
)

// The field readers take the text and the index at which the field begins, and
// return the index after it, or -1 when it is not one. They may look pad bytes
// past the end of a row. Several digits are read at once: a byte of a word is a
// digit if XOR with '0' leaves at most 9.

const (
	zeros  = 0x3030303030303030
	spaces = 0x2020202020202020
	low7   = 0x7f7f7f7f7f7f7f7f
	high1  = 0x8080808080808080
	over9  = 0x7676767676767676 // 0x80 - 10: carries into the high bit from 10 on
)

func word8(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i:]) }
func word4(b []byte, i int) uint32 { return binary.LittleEndian.Uint32(b[i:]) }

// nonDigits marks with its high bit every byte of x, a word XOR zeros, that is
// no digit.
func nonDigits(x uint64) uint64 { return ((x&low7 + over9) | x) & high1 }

// eightBits gathers the high bits of a word's bytes, first byte lowest.
func eightBits(m uint64) uint { return uint((m >> 7) * 0x0102040810204080 >> 56) }

// blanks returns the index of the first byte from i on that is no blank.
func blanks(b []byte, i int) int {
	for b[i] == ' ' || b[i] == '\t' {
		i++
	}
	return i
}

// isEnd reports a byte that ends a field.
func isEnd(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// fieldEnd is the index of the first blank or newline from i on.
func fieldEnd(b []byte, i int) int {
	for !isEnd(b[i]) {
		i++
	}
	return i
}

// decimal reads up to eight digits, without a leading zero beyond "0" itself.
func decimal(b []byte, i int) (value uint32, next int) {
	x := word8(b, i) ^ zeros
	n := bits.TrailingZeros64(nonDigits(x)) / 8
	if n == 0 || n > 1 && b[i] == '0' {
		return 0, -1
	}
	if n == 8 && b[i+8]-'0' <= 9 {
		return 0, -1
	}
	x <<= uint(8-n) * 8 // leading zeros
	x = x*10 + x>>8
	x = ((x&0x000000ff000000ff)*0x000f424000000064 + ((x>>16)&0x000000ff000000ff)*0x0000271000000001) >> 32
	return uint32(x), i + n
}

// ipv4 reads a dotted quad and the colon behind it. At least four bytes must
// stand before i.
func ipv4(b []byte, i int) (addr uint32, next int) {
	// One bounds check for all that follows: four bytes before, twenty from i on.
	p := (*[24]byte)(b[i-4:])
	marks := eightBits(nonDigits(binary.LittleEndian.Uint64(p[4:12])^zeros)) |
		eightBits(nonDigits(binary.LittleEndian.Uint64(p[12:20])^zeros))<<8
	e0 := bits.TrailingZeros(marks)
	marks &= marks - 1
	e1 := bits.TrailingZeros(marks)
	marks &= marks - 1
	e2 := bits.TrailingZeros(marks)
	marks &= marks - 1
	if marks == 0 {
		return 0, -1
	}
	e3 := bits.TrailingZeros(marks)
	if p[4+e0&15] != '.' || p[4+e1&15] != '.' || p[4+e2&15] != '.' || p[4+e3&15] != ':' {
		return 0, -1
	}
	// Each octet is read from the four bytes that end where it ends, two at a time.
	a, bad := twoOctets(uint64(binary.LittleEndian.Uint32(p[e0&15:]))|uint64(binary.LittleEndian.Uint32(p[e1&15:]))<<32,
		octetDigits[e0&15], octetDigits[(e1-e0-1)&15])
	c, bad2 := twoOctets(uint64(binary.LittleEndian.Uint32(p[e2&15:]))|uint64(binary.LittleEndian.Uint32(p[e3&15:]))<<32,
		octetDigits[(e2-e1-1)&15], octetDigits[(e3-e2-1)&15])
	if bad|bad2 != 0 {
		return 0, -1
	}
	return uint32(a)<<24 | uint32(a>>32)<<16 | uint32(c)<<8 | uint32(c>>32), i + e3 + 1
}

// twoOctets reads the numbers in the last bytes of the two halves of a word of text;
// bad is not zero unless each has one to three digits, is at most 255, and has no
// leading zero.
func twoOctets(text uint64, first, second octetDigit) (values, bad uint64) {
	const half, signs = 0x000000ff000000ff, 0x8000000080000000
	text = (text ^ zeros) & (uint64(first.mask) | uint64(second.mask)<<32)
	values = text>>24&half + (text>>16&half)*10 + (text>>8&half)*100
	least := uint64(first.least) | uint64(second.least)<<32
	return values, values&^half | ((values|signs)-least)&signs ^ signs
}

// octetDigit is, by how many digits a number has, which bytes of a word it is in and
// the least there is; no number has a count of digits that is not 1, 2 or 3.
type octetDigit struct{ mask, least uint32 }

var octetDigits = func() (t [16]octetDigit) {
	for n := range t {
		t[n].least = 1 << 20
	}
	t[1], t[2], t[3] = octetDigit{0xff000000, 0}, octetDigit{0xffff0000, 10}, octetDigit{0xffffff00, 100}
	return t
}()

// addr4 is an address of 32 bits.
func addr4(a uint32) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(a >> 24), byte(a >> 16), byte(a >> 8), byte(a)})
}

// port reads a decimal port and wants the end of the field behind it.
func port(b []byte, i int) (p uint16, next int) {
	x := word8(b, i) ^ zeros
	n := bits.TrailingZeros64(nonDigits(x)) &^ 7
	if n < 8 || n > 40 || n > 8 && b[i] == '0' {
		return 0, -1
	}
	x <<= uint(64-n) & 63
	x = x*10 + x>>8
	x = ((x&0x000000ff000000ff)*0x000f424000000064 + ((x>>16)&0x000000ff000000ff)*0x0000271000000001) >> 32
	i += n / 8
	if uint32(x) > 65535 || !isEnd(b[i]) {
		return 0, -1
	}
	return uint16(x), i
}

// hexValue is the value of a hexadecimal digit, 0xff for any other byte.
var hexValue = func() (t [256]uint8) {
	for i := range t {
		t[i] = 0xff
	}
	for d := range 10 {
		t['0'+d] = uint8(d)
	}
	for d := range 6 {
		t['a'+d], t['A'+d] = uint8(10+d), uint8(10+d)
	}
	return t
}()

// hex4 reads exactly four hexadecimal digits.
func hex4(b []byte, i int) (v uint16, ok bool) {
	t := b[i : i+4 : i+4]
	x0, x1, x2, x3 := hexValue[t[0]], hexValue[t[1]], hexValue[t[2]], hexValue[t[3]]
	return uint16(x0)<<12 | uint16(x1)<<8 | uint16(x2)<<4 | uint16(x3), x0|x1|x2|x3 < 16
}

// procAddr reads an address as the kernel's proc files write it: eight
// hexadecimal digits for IPv4, eight groups of four for IPv6.
func procAddr(b []byte, i int) (a netip.Addr, next int) {
	h, ok := hex4(b, i)
	if !ok {
		return a, -1
	}
	if b[i+4] != ':' {
		l, ok := hex4(b, i+4)
		if !ok || !isEnd(b[i+8]) {
			return a, -1
		}
		return netip.AddrFrom4([4]byte{byte(h >> 8), byte(h), byte(l >> 8), byte(l)}), i + 8
	}
	var v6 [16]byte
	for g := 0; ; g++ {
		v6[2*g], v6[2*g+1] = byte(h>>8), byte(h)
		i += 4
		if g == 7 {
			break
		}
		if b[i] != ':' {
			return a, -1
		}
		if h, ok = hex4(b, i+1); !ok {
			return a, -1
		}
		i++
	}
	if !isEnd(b[i]) {
		return a, -1
	}
	return netip.AddrFrom16(v6), i
}

// procEndpoint reads an address and a port of four hexadecimal digits.
func procEndpoint(b []byte, i int, e *conn.Endpoint) int {
	a, i := procAddr(b, i)
	if i < 0 {
		return -1
	}
	i = blanks(b, i)
	p, ok := hex4(b, i)
	if !ok || !isEnd(b[i+4]) {
		return -1
	}
	e.Addr, e.Port, e.PortKnown = a, p, true
	return i + 4
}

// maxExpires is the longest time left that is believed. ipvsadm and keepalived
// accept timeouts up to 31 days. What is beyond is a timer that has run out, of
// which kernels up to 4.15 print (expires-jiffies)/HZ as an unsigned number:
// about 2^64/HZ, or 2^32/HZ on 32-bit kernels (49 days at HZ=1000), or what
// ipvsadm leaves of either modulo 2^32.
const maxExpires = 32 * 24 * 3600

// secondsLeft turns a printed time into the time left.
func secondsLeft(v uint64) conn.Seconds {
	if v > maxExpires {
		return 0
	}
	return conn.Seconds(v)
}

// clock reads ipvsadm's minutes and seconds, 14:57 or 133:35.
func clock(b []byte, i int) (left conn.Seconds, next int) {
	if m1, m0, s1, s0 := b[i]-'0', b[i+1]-'0', b[i+3]-'0', b[i+4]-'0'; b[i+2] == ':' &&
		m1 <= 9 && m0 <= 9 && s1 <= 5 && s0 <= 9 && isEnd(b[i+5]) {
		return conn.Seconds(m1)*600 + conn.Seconds(m0)*60 + conn.Seconds(s1)*10 + conn.Seconds(s0), i + 5
	}
	var m uint64
	start := i
	for ; b[i]-'0' <= 9; i++ {
		m = m*10 + uint64(b[i]-'0')
	}
	// ipvsadm pads minutes to two digits and prints at most eight.
	if i-start < 2 || i-start > 8 || b[i] != ':' {
		return 0, -1
	}
	s1, s0 := b[i+1]-'0', b[i+2]-'0'
	if s1 > 5 || s0 > 9 || !isEnd(b[i+3]) {
		return 0, -1
	}
	return secondsLeft(m*60 + uint64(s1)*10 + uint64(s0)), i + 3
}

// procSeconds reads the Expires column, up to 20 digits.
func procSeconds(b []byte, i int) (left conn.Seconds, next int) {
	var v uint64
	start := i
	for ; b[i]-'0' <= 9; i++ {
		hi, lo := bits.Mul64(v, 10)
		v = lo + uint64(b[i]-'0')
		if hi != 0 || v < lo {
			return 0, -1
		}
	}
	if i == start || !isEnd(b[i]) {
		return 0, -1
	}
	return secondsLeft(v), i
}

// dpvsSeconds reads DPVS's `90s`. It prints into eight bytes, so that the s is lost
// behind seven digits.
func dpvsSeconds(b []byte, i int) (set conn.Seconds, next int) {
	v, next := decimal(b, i)
	if next < 0 {
		return 0, -1
	}
	switch {
	case b[next] == 's' && isEnd(b[next+1]):
		return conn.Seconds(v), next + 1
	case isEnd(b[next]) && next-i == 7:
		return conn.Seconds(v), next
	}
	return 0, -1
}
