package render

import (
	"cmp"
	"net/netip"
	"strconv"

	"ipvsstate/internal/conn"
)

// RowColumns are the columns that entries can be listed in.
func RowColumns() []string {
	all := make([]string, len(rowColumns))
	for i := range rowColumns {
		all[i] = rowColumns[i].name
	}
	return all
}

// rowColumn is a column of a list of entries: what it shows, and how entries are
// sorted by it; unknown values come last.
type rowColumn struct {
	name string
	// key is the column's name in JSON and CSV.
	key     string
	right   bool
	number  bool // in JSON
	append  func(*RowOptions, []byte, *conn.Entry) []byte
	compare func(*RowOptions, *conn.Entry, *conn.Entry) int
	// optional columns are left out of a table whose first rows have nothing in them.
	optional bool
}

var rowColumns = []rowColumn{
	{name: "proto", key: "protocol",
		append: func(_ *RowOptions, b []byte, e *conn.Entry) []byte { return append(b, e.Protocol.String()...) },
		compare: func(_ *RowOptions, a, b *conn.Entry) int {
			return cmp.Or(cmp.Compare(uint(a.Protocol.Index()-1), uint(b.Protocol.Index()-1)), cmp.Compare(a.Protocol.String(), b.Protocol.String()))
		}},
	{name: "kind", key: "kind", optional: true,
		append: func(o *RowOptions, b []byte, e *conn.Entry) []byte {
			if k := e.Kind(); k != conn.Connection || o.Format != RowsTable {
				return append(b, csvKinds[k]...)
			}
			return b
		},
		compare: func(_ *RowOptions, a, b *conn.Entry) int { return cmp.Compare(a.Kind(), b.Kind()) }},
	{name: "state", key: "state",
		append: func(_ *RowOptions, b []byte, e *conn.Entry) []byte { return append(b, e.State.String()...) },
		compare: func(_ *RowOptions, a, b *conn.Entry) int {
			return cmp.Or(cmp.Compare(uint(a.State.Index()-1), uint(b.State.Index()-1)), compareTexts(a.State.String(), b.State.String()))
		}},
	{name: "expires", key: "expires_seconds", right: true, number: true,
		append:  func(o *RowOptions, b []byte, e *conn.Entry) []byte { return o.appendTime(b, e.Expires) },
		compare: func(_ *RowOptions, a, b *conn.Entry) int { return compareSpans(a.Expires, b.Expires) }},
	{name: "idle", key: "idle_seconds", right: true, number: true,
		append: func(o *RowOptions, b []byte, e *conn.Entry) []byte { return o.appendTime(b, o.Timing.Idle(e)) },
		compare: func(o *RowOptions, a, b *conn.Entry) int { // the longest first
			x, y := o.Timing.Idle(a), o.Timing.Idle(b)
			if x == conn.Unknown || y == conn.Unknown {
				return compareSpans(x, y)
			}
			return compareSpans(y, x)
		}},
	{name: "client", key: "client", append: endpointColumn(func(e *conn.Entry) *conn.Endpoint { return &e.Client }), compare: compareEndpoint(func(e *conn.Entry) *conn.Endpoint { return &e.Client })},
	{name: "virtual", key: "virtual", append: endpointColumn(func(e *conn.Entry) *conn.Endpoint { return &e.Virtual }), compare: compareEndpoint(func(e *conn.Entry) *conn.Endpoint { return &e.Virtual })},
	{name: "local", key: "local", optional: true, append: endpointColumn(func(e *conn.Entry) *conn.Endpoint { return &e.Local }), compare: compareEndpoint(func(e *conn.Entry) *conn.Endpoint { return &e.Local })},
	{name: "server", key: "server", append: endpointColumn(func(e *conn.Entry) *conn.Endpoint { return &e.Server }), compare: compareEndpoint(func(e *conn.Entry) *conn.Endpoint { return &e.Server })},
	{name: "forwarding", key: "forwarding", optional: true,
		append: func(o *RowOptions, b []byte, e *conn.Entry) []byte {
			return append(b, o.Directory.Forwarding(e).String()...)
		},
		compare: func(o *RowOptions, a, b *conn.Entry) int {
			return cmp.Compare(o.Directory.Forwarding(a), o.Directory.Forwarding(b))
		}},
	{name: "origin", key: "origin", optional: true,
		append: func(_ *RowOptions, b []byte, e *conn.Entry) []byte {
			return append(b, [...]string{"", "LOCAL", "SYNC"}[e.Origin]...)
		},
		compare: func(_ *RowOptions, a, b *conn.Entry) int { return cmp.Compare(a.Origin-1, b.Origin-1) }},
	{name: "timeout", key: "timeout_seconds", right: true, number: true, optional: true,
		append:  func(o *RowOptions, b []byte, e *conn.Entry) []byte { return o.appendTime(b, e.Timeout) },
		compare: func(_ *RowOptions, a, b *conn.Entry) int { return compareSpans(a.Timeout, b.Timeout) }},
	{name: "engine", key: "pe_name", optional: true,
		append:  func(_ *RowOptions, b []byte, e *conn.Entry) []byte { return append(b, e.PEName...) },
		compare: func(_ *RowOptions, a, b *conn.Entry) int { return compareTexts(a.PEName, b.PEName) }},
	{name: "data", key: "pe_data", optional: true,
		append:  func(_ *RowOptions, b []byte, e *conn.Entry) []byte { return append(b, e.PEData...) },
		compare: func(_ *RowOptions, a, b *conn.Entry) int { return compareTexts(a.PEData, b.PEData) }},
}

func endpointColumn(of func(*conn.Entry) *conn.Endpoint) func(*RowOptions, []byte, *conn.Entry) []byte {
	return func(_ *RowOptions, b []byte, e *conn.Entry) []byte {
		p := of(e)
		if p.Host != "" || p.Service != "" || !p.Addr.IsValid() || !p.PortKnown {
			return append(b, p.String()...)
		}
		return netip.AddrPortFrom(p.Addr, p.Port).AppendTo(b)
	}
}

func compareEndpoint(of func(*conn.Entry) *conn.Endpoint) func(*RowOptions, *conn.Entry, *conn.Entry) int {
	return func(_ *RowOptions, a, b *conn.Entry) int {
		x, y := of(a), of(b)
		if x.IsZero() != y.IsZero() {
			return compareTexts(x.String(), y.String())
		}
		return cmp.Or(x.Addr.Compare(y.Addr), cmp.Compare(x.Host, y.Host), cmp.Compare(x.Port, y.Port), cmp.Compare(x.Service, y.Service))
	}
}

// compareTexts puts an empty text last.
func compareTexts(a, b string) int {
	if (a == "") != (b == "") {
		return len(b) - len(a)
	}
	return cmp.Compare(a, b)
}

func compareSpans(a, b conn.Seconds) int { return cmp.Compare(uint32(a), uint32(b)) } // Unknown last

// appendTime writes a time as ipvsadm does in a table, and as seconds elsewhere.
func (o *RowOptions) appendTime(b []byte, s conn.Seconds) []byte {
	switch {
	case s == conn.Unknown:
		return b
	case o.Format == RowsTable:
		if s < 600 {
			b = append(b, '0')
		}
		b = strconv.AppendInt(b, int64(s/60), 10)
		return append(b, ':', byte('0'+s%60/10), byte('0'+s%10))
	}
	return strconv.AppendInt(b, int64(s), 10)
}
