package parse

import (
	"bytes"
	"ipvsstate/internal/conn"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// cutAt is the length at which ipvsadm cuts an address and port in a service's list:
// to a column, but for IPv6 services where its buffer ends.
func cutAt(ipv6 bool) int {
	if ipv6 {
		return cutEndpoint
	}
	return 28
}

// readEndpoint reads an address and port as ipvsadm or /proc/net/ip_vs prints them; a
// text of cut bytes may have lost its port or a piece of it. The port of an IPv6 address
// can be read either way, and is as hex says, which all other endpoints set.
func readEndpoint(text []byte, p conn.Protocol, cut int, hex *bool) (e conn.Endpoint, ok bool) {
	if a, port, certain := procText(text); a.Addr.IsValid() && (certain || *hex) {
		*hex, a.Port = true, port
		return a, true
	} else if !a.Addr.IsValid() {
		*hex = false
	}
	host, port := text, []byte(nil)
	if bracketed := len(text) > 0 && text[0] == '['; bracketed {
		end := bytes.IndexByte(text, ']')
		if host = text[1:]; end > 0 {
			host, port = text[1:end], text[end+1:]
			e.Addr, _ = ipv6(host)
			if len(port) > 0 && port[0] != ':' {
				return conn.Endpoint{}, false
			}
			port = bytes.TrimPrefix(port, []byte(":"))
		}
	} else {
		if colon := bytes.LastIndexByte(text, ':'); colon >= 0 {
			host, port = text[:colon], text[colon+1:]
		}
		e.Addr, _ = plainIPv4(host)
	}
	if !e.Addr.IsValid() {
		if !isHostName(host) {
			return conn.Endpoint{}, false
		}
		e.Host = string(host)
	}
	isCut := len(text) == cut
	number, isNumber := plainPort(port)
	switch {
	case len(port) == 0:
		return e, isCut
	case isNumber && !isCut:
		e.Port, e.PortKnown = number, true
	case isNumber || isServiceName(port):
		e.Service = string(port)
		if !isCut {
			e.Port, e.PortKnown = conn.ServicePort(p, e.Service)
		}
	default:
		return conn.Endpoint{}, false
	}
	return e, true
}

// procText reads 0A000164:20FB and [fd00:0001:0000:0000:0000:0000:0000:0100]:01BB. An
// IPv6 address and port may be ipvsadm's as well when neither has zeros to leave out.
func procText(text []byte) (e conn.Endpoint, port uint16, certain bool) {
	colon := bytes.LastIndexByte(text, ':')
	if colon < 0 || len(text) != colon+5 || bytes.ContainsAny(text[colon:], "abcdef") {
		return e, 0, false
	}
	host := text[:colon]
	bracketed := colon == 41 && host[0] == '[' && host[40] == ']'
	if bracketed {
		host = host[1:40]
	} else if colon != 8 || bytes.ContainsAny(host, "abcdef") {
		return e, 0, false
	}
	port, ok := hex4(text, colon+1)
	if a, isAddr := garbledState(host); ok && isAddr {
		e.Addr, e.PortKnown = a, true
	}
	_, decimal := plainPort(text[colon+1:])
	return e, port, !bracketed || !decimal || e.Addr.String() != string(host)
}

// readMark reads a firewall mark: ipvsadm's, decimal and signed, or the kernel's eight
// hexadecimal digits. Eight that can be either are read as hex says.
func readMark(word []byte, hex bool) (mark uint32, isHex, ok bool) {
	text := string(word)
	if h, err := strconv.ParseUint(text, 16, 32); err == nil && len(text) == 8 &&
		(hex || text[0] == '0' || strings.ContainsAny(text, "ABCDEF")) && !strings.ContainsAny(text, "abcdef") {
		return uint32(h), true, h != 0
	}
	d, err := strconv.ParseInt(text, 10, 64)
	return uint32(d), false, err == nil && d != 0 && d >= math.MinInt32 && d <= math.MaxUint32
}

// readMask reads a persistence mask as a count of bits, 0 for the whole address.
func readMask(word []byte, ipv6 bool) int {
	if a, ok := plainIPv4(word); ok && !ipv6 {
		v := a.As4()
		return maskBits(uint32(v[0])<<24 | uint32(v[1])<<16 | uint32(v[2])<<8 | uint32(v[3]))
	}
	return max(0, count(word)) % 128
}

func maskBits(mask uint32) int { return bits.OnesCount32(mask) % 32 }

// readProcMask reads the mask in /proc/net/ip_vs, eight hexadecimal digits. Of IPv6 it
// is the length with its bytes swapped, 80000000 for 128.
func readProcMask(word []byte) (mask int, ipv6, ok bool) {
	if len(word) != 8 || bytes.ContainsAny(word, "abcdef") {
		return 0, false, false
	}
	v, err := strconv.ParseUint(string(word), 16, 32)
	if err != nil {
		return 0, false, false
	}
	if length := v >> 24; v&0xffffff == 0 && length >= 1 && length <= 128 {
		return int(length) % 128, true, true
	}
	return maskBits(uint32(v)), false, true
}
