package conn

import (
	"cmp"
	"net/netip"
	"strconv"
	"strings"
)

// Endpoint is an address and port as a listing shows them. Where the listing
// was resolved to names the text is kept, since a name does not lead back to one
// address; a service name does lead to its port, so both are there.
type Endpoint struct {
	// Addr is the zero Addr when the listing has a host name.
	Addr netip.Addr
	// Host is the host name as printed, when Addr is not known.
	Host string
	// Service is the port's name as printed, empty when it was numeric.
	Service string
	// Port is in host byte order, and means nothing unless PortKnown.
	Port      uint16
	PortKnown bool
}

// IsZero reports an endpoint the source did not give.
func (e Endpoint) IsZero() bool { return e == Endpoint{} }

// Identity is the endpoint without the names a listing gave a known port, so
// that :http and :80 are the same key.
func (e Endpoint) Identity() Endpoint {
	if e.PortKnown {
		e.Service = ""
	}
	return e
}

// String writes the endpoint as ipvsadm does: 192.0.2.1:80, [2001:db8::1]:80,
// host:service. The text comes from the input: clean it before a terminal.
func (e Endpoint) String() string {
	var b strings.Builder
	switch {
	case e.Addr.Is4():
		b.WriteString(e.Addr.String())
	case e.Addr.IsValid():
		b.WriteString("[" + e.Addr.String() + "]")
	default:
		b.WriteString(e.Host)
	}
	switch {
	case e.Service != "":
		b.WriteString(":" + e.Service)
	case e.PortKnown:
		b.WriteString(":" + strconv.Itoa(int(e.Port)))
	}
	return b.String()
}

// CompareEndpoints orders endpoints by address, name and port; a port that is not known
// comes behind those that are.
func CompareEndpoints(a, b *Endpoint) int {
	known := func(e *Endpoint) int {
		if e.PortKnown {
			return 0
		}
		return 1
	}
	return cmp.Or(a.Addr.Compare(b.Addr), strings.Compare(a.Host, b.Host), cmp.Compare(a.Port, b.Port),
		cmp.Compare(known(a), known(b)), strings.Compare(a.Service, b.Service))
}
