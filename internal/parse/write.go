package parse

import (
	"strconv"
	"strings"

	"ipvsstate/internal/conn"
)

// The way back: entries as rows. A row that is written reads back as its entry, but for
// what its format has no place for and nobody misses: ipvsadm's has no origin, and the
// proc files have a port without the name that a listing gave it. What else a format
// cannot hold is an error, and nothing is written.

const (
	ipvsadmTitle = "IPVS connection entries\n" +
		"pro expire state       source             virtual            destination"
	engineTitles = "        pe name          pe_data"
	procTitle    = "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       "
)

// AppendIpvsadmTitle writes the two lines that `ipvsadm -L -c` begins with; engines is
// for `--persistent-conn`, which names two more columns.
func AppendIpvsadmTitle(dst []byte, engines bool) []byte {
	dst = append(dst, ipvsadmTitle...)
	if engines {
		dst = append(dst, engineTitles...)
	}
	return append(dst, '\n')
}

// AppendProcTitle writes the first line of /proc/net/ip_vs_conn, or of ip_vs_conn_sync.
func AppendProcTitle(dst []byte, sync bool) []byte {
	dst = append(dst, procTitle...)
	if sync {
		return append(dst, "Origin Expires\n"...)
	}
	return append(dst, "Expires PEName PEData\n"...)
}

// AppendIpvsadm writes an entry as ipvsadm 1.31 prints it, with its newline:
//
//	TCP 14:57  ESTABLISHED 10.0.1.10:44380    10.0.1.100:80      10.0.0.12:80
//
// A DPVS entry becomes a row of DPVS's own ipvsadm without the processor's number, and
// one of FULLNAT's a row of Alibaba's. A template that a persistence engine made has its
// two columns, as with `--persistent-conn`. Names are written whole: ipvsadm cuts them at
// 59 characters, and one that came cut is as long. Where an entry came from (LOCAL, SYNC)
// is left out.
//
// The error is an *UnwritableError, and dst is then returned as it was.
func AppendIpvsadm(dst []byte, e *conn.Entry) ([]byte, error) {
	if err := writable(e, Ipvsadm); err != nil {
		return dst, err
	}
	row, dialect, width := dst, e.Dialect(), endpointWidth
	if dialect == conn.DPVS {
		row = appendColumn(row, dpvsProtocol(e.Protocol), 3)
		row = appendTimeout(row, e.Timeout)
	} else {
		row = appendColumn(row, e.Protocol.String(), 3)
		row = appendClock(row, e.Expires)
	}
	if dialect == conn.FULLNAT {
		width = fullnatWidth
	}
	row = appendColumn(row, e.State.String(), paddedLength)
	for _, c := range columnsOf(e) {
		if c.field == FieldLocal && dialect == conn.Linux {
			continue
		}
		start, ok := len(row), false
		if row, ok = appendEndpoint(row, e, c.Endpoint); !ok {
			return dst, unwritable(Ipvsadm, c.field, c.String())
		}
		switch {
		case c.field != FieldServer:
			row = appendBlanks(row, start+width)
		case e.PEName != "":
			row = appendBlanks(row, start+16)
			row = appendColumn(row, e.PEName, 18)
			row = append(row, e.PEData...)
		}
	}
	return endRow(dst, row, Ipvsadm)
}

// fullnatWidth is what Alibaba's ipvsadm pads an endpoint to, since its repair of 2019.
const fullnatWidth = 30

// AppendProc writes an entry as the kernel does, with its newline, in
// /proc/net/ip_vs_conn or, where it is known who made the entry, in ip_vs_conn_sync:
//
//	TCP 0A00010A A898 0A000164 0050 0A00000B 0050 CLOSE             6
//	TCP 0A00010A A898 0A000164 0050 0A00000B 0050 CLOSE       LOCAL        6
//
// FULLNAT entries have the local address, as in Alibaba's kernel. The error is an
// *UnwritableError, and dst is then returned as it was: these files have no names, and
// no entry without the time it has left.
func AppendProc(dst []byte, e *conn.Entry) ([]byte, error) {
	f := Proc
	if e.Origin != conn.UnknownOrigin {
		f = ProcSync
	}
	if err := writable(e, f); err != nil {
		return dst, err
	}
	row := appendColumn(dst, e.Protocol.String(), 3)
	for _, c := range columnsOf(e) {
		if c.field == FieldLocal && c.IsZero() {
			continue
		}
		if !c.Addr.IsValid() || c.Host != "" || !c.PortKnown {
			return dst, unwritable(f, c.field, c.String())
		}
		row = appendProcEndpoint(row, c.Endpoint)
	}
	row = appendColumn(row, e.State.String(), paddedLength)
	switch e.Origin {
	case conn.Local:
		row = append(row, "LOCAL  "...)
	case conn.Sync:
		row = append(row, "SYNC   "...)
	}
	var digits [16]byte
	left := strconv.AppendInt(digits[:0], int64(e.Expires), 10)
	for range 7 - len(left) {
		row = append(row, ' ')
	}
	row = append(row, left...)
	if e.PEName != "" {
		row = append(row, ' ')
		row = append(row, e.PEName...)
		row = append(row, ' ')
		row = append(row, e.PEData...)
	}
	return endRow(dst, row, f)
}

// column is an endpoint of a row.
type column struct {
	field Field
	*conn.Endpoint
}

func columnsOf(e *conn.Entry) [4]column {
	return [...]column{{FieldClient, &e.Client}, {FieldVirtual, &e.Virtual}, {FieldLocal, &e.Local}, {FieldServer, &e.Server}}
}

// endRow ends the row behind dst, unless it has become longer than a row may be.
func endRow(dst, row []byte, f Format) ([]byte, error) {
	if len(row)-len(dst) >= MaxLine {
		return dst, unwritable(f, FieldLine, string(row[len(dst):len(dst)+maxErrorText]))
	}
	return append(row, '\n'), nil
}

// appendColumn writes a word, padded to a width and a blank.
func appendColumn(dst []byte, word string, width int) []byte {
	end := len(dst) + width
	return appendBlanks(append(dst, word...), end)
}

// appendBlanks pads dst to a length, and writes one blank more.
func appendBlanks(dst []byte, length int) []byte {
	const blanks = "                                "
	return append(dst, blanks[:max(length-len(dst), 0)+1]...)
}

// appendClock writes minutes and seconds (%02d:%02d), however many minutes there are.
func appendClock(dst []byte, left conn.Seconds) []byte {
	start, m, s := len(dst), left/60, left%60
	if m < 100 {
		return append(dst, '0'+byte(m/10), '0'+byte(m%10), ':', '0'+byte(s/10), '0'+byte(s%10), ' ', ' ')
	}
	dst = strconv.AppendInt(dst, int64(m), 10)
	dst = append(dst, ':', '0'+byte(s/10), '0'+byte(s%10))
	return appendBlanks(dst, start+6)
}

// appendTimeout writes DPVS's `90s`, which loses its s in a buffer of eight bytes.
func appendTimeout(dst []byte, set conn.Seconds) []byte {
	start := len(dst)
	dst = strconv.AppendInt(dst, int64(set), 10)
	if len(dst)-start != 7 {
		dst = append(dst, 's')
	}
	return appendBlanks(dst, start+6)
}

// dpvsProtocol is a protocol as DPVS prints it.
func dpvsProtocol(p conn.Protocol) string {
	if p.Index() == 0 {
		return p.String()
	}
	return dpvsProtocols[p.Index()]
}

var dpvsProtocols = func() (t [conn.NumProtocols]string) {
	for _, p := range conn.Protocols() {
		t[p.Index()] = strings.ToLower(p.String())
	}
	return t
}()
