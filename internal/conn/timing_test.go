package conn

import "testing"

func TestSilence(t *testing.T) {
	tests := []struct{ timeout, left, want Seconds }{
		{900, 900, 0},
		{900, 897, 3},
		{900, 0, 900},
		{900, 903, 0},           // 15:03, seen on Linux 4.4
		{900, 905, Unknown},     // armed before the timeout was changed
		{30, 889, Unknown},      // captured after `ipvsadm --set 30 5 7`
		{2, 3, 0},               // a new entry has three seconds
		{Unknown, 5, Unknown},   // a state without a timeout
		{900, Unknown, Unknown}, // a source without times
		{120, 120, 0},
	}
	for _, tt := range tests {
		if got := Silence(tt.timeout, tt.left); got != tt.want {
			t.Errorf("Silence(%d, %d) = %d, want %d", tt.timeout, tt.left, got, tt.want)
		}
	}
}

func TestIdle(t *testing.T) {
	services := []Service{
		{Protocol: TCP, Virtual: at("10.0.1.100:443"), Persistent: 600},
		{Protocol: TCP, Virtual: at("10.0.1.100:80")},
		{Fwmark: 10, Persistent: 360},
		{Fwmark: 20, IPv6: true, Persistent: 400},
	}
	timing := NewTiming(Timeouts{TCP: 1200, TCPFin: 60, UDP: 100}, services)
	established, udp := stateOf(t, "ESTABLISHED"), stateOf(t, "UDP")
	template := func(p Protocol, client, virtual string, left Seconds) Entry {
		return Entry{Protocol: p, State: Assured, Client: at(client), Virtual: at(virtual), Server: at("10.0.0.11:443"), Expires: left, Timeout: Unknown}
	}
	connection := func(p Protocol, s State, left Seconds) Entry {
		return Entry{Protocol: p, State: s, Client: at("10.0.1.10:4000"), Virtual: at("10.0.1.100:443"), Server: at("10.0.0.11:443"), Expires: left, Timeout: Unknown}
	}
	fullnat := connection(TCP, established, 80)
	fullnat.Local = at("10.0.0.1:5000")
	dpvs := connection(TCP, stateOf(t, "TCP_EST"), Unknown)
	dpvs.Timeout = 90
	stale := template(TCP, "10.0.1.10:0", "10.0.1.100:65535", 200)
	stale.Server = at("10.0.0.11:65535")
	tests := []struct {
		name string
		e    Entry
		want Seconds
	}{
		{"established", connection(TCP, established, 1000), 200},
		{"fixed by the kernel", connection(TCP, stateOf(t, "TIME_WAIT"), 20), 100},
		{"UDP", connection(UDP, udp, 100), 0},
		{"a state of no known timeout", connection(TCP, stateOf(t, "NEW_STATE"), 20), Unknown},
		{"a protocol of no known timeout", connection(IP, established, 20), Unknown},
		{"FULLNAT's timeouts as told", fullnat, 1120},
		{"DPVS tells no time left", dpvs, Unknown},
		{"template", template(TCP, "10.0.1.10:0", "10.0.1.100:443", 500), 100},
		{"template of a service that is not persistent", template(TCP, "10.0.1.10:0", "10.0.1.100:80", 500), Unknown},
		{"template that may be held", template(TCP, "10.0.1.10:0", "10.0.1.100:443", 60), Unknown},
		{"template of a mark", template(IP, "10.0.1.10:0", "0.0.0.10:0", 300), 60},
		{"template of an IPv6 mark", template(IP, "[fd00:1::10]:0", "[0:14::]:0", 300), 100},
		{"template of the other family's mark", template(IP, "10.0.1.10:0", "0.0.0.20:0", 300), Unknown},
		{"invalidated template", stale, Unknown},
	}
	for _, tt := range tests {
		if got := timing.Idle(&tt.e); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
	if got := NewTiming(DefaultTimeouts, nil).Idle(&fullnat); got != 10 {
		t.Errorf("FULLNAT's own timeouts: %d, want 10", got)
	}
	if got := NewTiming(DefaultTimeouts, nil).Idle(&tests[7].e); got != Unknown {
		t.Errorf("without services a template is idle for %d", got)
	}
}

// stateOf is a state, listed or not.
func stateOf(t *testing.T, word string) State {
	t.Helper()
	s, _ := StateOf(word)
	return s
}
