package parse

import (
	"fmt"
	"strings"

	"ipvsstate/internal/conn"
)

// UnwritableError is an entry that a format cannot hold.
type UnwritableError struct {
	// Format is Ipvsadm, Proc or ProcSync.
	Format Format
	Field  Field
	// Text is what the entry has there, cut to 64 bytes; empty where it has nothing. It may
	// come from the input: quoted by Error, not safe for a terminal otherwise.
	Text string
}

// The fields that a row cannot be bad in, but an entry can.
const (
	FieldProtocol Field = "protocol"
	FieldEngine   Field = "pe data"
)

func (e *UnwritableError) Error() string {
	format, field := "ip_vs_conn", string(e.Field)
	switch e.Format {
	case Ipvsadm:
		format = "ipvsadm's listing"
	case ProcSync:
		format = "ip_vs_conn_sync"
	}
	if e.Field == FieldExpires {
		field = "time left"
	}
	switch {
	case e.Text == "":
		return fmt.Sprintf("this entry's %s is not known, and %s has no row without it", field, format)
	case e.Format != Ipvsadm && (e.Field == FieldClient || e.Field == FieldVirtual || e.Field == FieldLocal || e.Field == FieldServer):
		return fmt.Sprintf("%s has addresses and port numbers only, this entry has the %s %+q", format, field, e.Text)
	}
	return fmt.Sprintf("%s cannot hold the %s %+q", format, field, e.Text)
}

func unwritable(f Format, field Field, text string) error {
	return &UnwritableError{f, field, text[:min(len(text), maxErrorText)]}
}

// maxTimeout is the longest timeout that is read of DPVS.
const maxTimeout = 99_999_999

// writable holds all but an entry's endpoints to what would be read back.
func writable(e *conn.Entry, f Format) error {
	if e.Protocol.Index() == 0 && !isProtocol(e.Protocol.String()) {
		return unwritable(f, FieldProtocol, e.Protocol.String())
	}
	if e.State.Index() == 0 && !isState(e.State.String()) { // a garbled row has none
		return unwritable(f, FieldState, e.State.String())
	}
	switch {
	case e.Timeout == conn.Unknown && e.Expires >= 0 && e.Expires <= maxExpires:
	case f == Ipvsadm && e.Expires == conn.Unknown && e.Timeout >= 0 && e.Timeout <= maxTimeout:
	case e.Expires == conn.Unknown:
		return unwritable(f, FieldExpires, "")
	default:
		return unwritable(f, FieldExpires, fmt.Sprintf("%ds", e.Expires))
	}
	if (e.PEName != "" || e.PEData != "") && !isEngine(e, f) {
		return unwritable(f, FieldEngine, e.PEName+" "+e.PEData)
	}
	return nil
}

// isProtocol reports a word that can begin a row.
func isProtocol(word string) bool {
	for i := range len(word) {
		if !isWordByte(word[i]) {
			return false
		}
	}
	return len(word) >= 2 && len(word) <= 12 && (word[0]-'A' < 26 || word[0]-'a' < 26 || word == string(noProtocol))
}

// isState reports a word that is read as a state: an address would be taken for what a
// FULLNAT kernel's row has there in a stock ipvsadm.
func isState(word string) bool {
	for i := range len(word) {
		if !isStateByte(word[i]) {
			return false
		}
	}
	_, address := garbledState([]byte(word))
	return len(word) > 0 && len(word) <= maxStateWord && !address
}

// isEngine reports an engine's name and data that a row can end with.
func isEngine(e *conn.Entry, f Format) bool {
	name, data := e.PEName, e.PEData
	if name == "" || strings.ContainsAny(name, " \t\r\n") || e.Dialect() != conn.Linux {
		return false
	}
	if strings.Contains(data, "\n") || strings.TrimLeft(data, " \t") != data || strings.TrimRight(data, " \t\r") != data {
		return false
	}
	// ipvsadm's row would have a fourth endpoint and no more.
	return f != Ipvsadm || !isEndpoint([]byte(name)) || data != "" && !isEnd(data[0])
}
