package conn

import "testing"

func TestForwarding(t *testing.T) {
	names := map[Forwarding]string{Masquerade: "Masq", LocalNode: "Local", Tunnel: "Tunnel", DirectRoute: "Route", Bypass: "Bypass",
		FullNAT: "FullNat", 7: "7", UnknownForwarding: ""}
	for f, want := range names {
		if got := f.String(); got != want {
			t.Errorf("method %d is %q, want %q", uint8(f), got, want)
		}
	}
	// The kernel's numbers (IP_VS_CONN_F_FWD_MASK, linux/ip_vs.h), and DPVS's after them.
	for i, f := range []Forwarding{Masquerade, LocalNode, Tunnel, DirectRoute, Bypass, FullNAT} {
		if int(f) != i {
			t.Errorf("%s has the number %d, the kernel's is %d", f, f, i)
		}
		if got, ok := ForwardingOf(f.String()); got != f || !ok {
			t.Errorf("ForwardingOf(%s) = %d, %v", f, got, ok)
		}
	}
	if f, ok := ForwardingOf("NAT"); ok || f != UnknownForwarding {
		t.Errorf("NAT is no name that ipvsadm prints; got %d, %v", f, ok)
	}
}
