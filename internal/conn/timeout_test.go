package conn

import "testing"

// TestTimeouts holds the values to what was read in the kernels' sources
// (tcp_timeouts, sctp_timeouts, udp_timeouts), in DPVS's and in Alibaba's.
func TestTimeouts(t *testing.T) {
	set := Timeouts{TCP: 30, TCPFin: 5, UDP: 7} // ipvsadm --set 30 5 7
	tests := []struct {
		timeouts Timeouts
		dialect  Dialect
		protocol Protocol
		want     map[string]Seconds
	}{
		{DefaultTimeouts, Linux, TCP, map[string]Seconds{
			"NONE": 2, "ESTABLISHED": 900, "SYN_SENT": 120, "SYN_RECV": 60, "FIN_WAIT": 120, "TIME_WAIT": 120, "CLOSE": 10,
			"CLOSE_WAIT": 60, "LAST_ACK": 30, "LISTEN": 120, "SYNACK": 120,
			"UDP": Unknown, "INIT1": Unknown, "ASSURED": Unknown, "TCP_EST": Unknown, "NEW_STATE": Unknown, "": Unknown,
		}},
		{DefaultTimeouts, Linux, UDP, map[string]Seconds{"UDP": 300, "NONE": Unknown, "ESTABLISHED": Unknown, "ASSURED": Unknown}},
		{DefaultTimeouts, Linux, SCTP, map[string]Seconds{
			"NONE": 2, "INIT1": 4, "INIT": 61, "C-SENT": 61, "C-REPLIED": 61, "C-WAIT": 61, "COOKIE": 61, "C-ECHOED": 61,
			"ESTABLISHED": 900, "S-SENT": 61, "S-RECEIVED": 61, "S-ACK-SENT": 61, "REJECTED": 4, "CLOSED": 61,
			"INIT_CLI": 60, "COOKIE_ECHO_SER": 60, "ESTABISHED": 900, "SHUTDOWN_ACK_CLI": 60,
			"FIN_WAIT": Unknown, "SYN_RECV": Unknown, "UDP": Unknown,
		}},
		// A firewall-mark template's timeout is its service's.
		{DefaultTimeouts, Linux, IP, map[string]Seconds{"NONE": Unknown, "ASSURED": Unknown}},

		{set, Linux, TCP, map[string]Seconds{"ESTABLISHED": 30, "FIN_WAIT": 5, "TIME_WAIT": 120, "CLOSE_WAIT": 60, "SYN_RECV": 60, "CLOSE": 10}},
		{set, Linux, UDP, map[string]Seconds{"UDP": 7}},
		{set, Linux, SCTP, map[string]Seconds{"ESTABLISHED": 900}},
		{Timeouts{TCP: Unknown, TCPFin: Unknown, UDP: Unknown}, Linux, TCP, map[string]Seconds{"ESTABLISHED": Unknown, "TIME_WAIT": 120}},

		{set, DPVS, TCP, map[string]Seconds{
			"TCP_NONE": 2, "TCP_EST": 90, "SYN_SENT": 3, "SYN_RECV": 30, "FIN_WAIT": 7, "TIME_WAIT": 7, "TCP_CLOSE": 3,
			"CLOSE_WAIT": 7, "LAST_ACK": 7, "LISTEN": 120, "SYNACK": 30, "ESTABLISHED": Unknown, "CLOSE": Unknown, "TCP_UNKOWN": Unknown,
		}},
		{set, DPVS, UDP, map[string]Seconds{"UDP_NORM": 300, "UDP_ONEWAY": 300, "UDP": Unknown}},
		{set, DPVS, SCTP, map[string]Seconds{"SCTP_INIT1": 4, "SCTP_ESTABLISHE": 900, "SCTP_COOKIE_SEN": 61, "SCTP_CLOSED": 61}},
		{DefaultTimeouts, FULLNAT, TCP, map[string]Seconds{
			"NONE": 2, "ESTABLISHED": 90, "SYN_SENT": 3, "SYN_RECV": 30, "FIN_WAIT": 7, "TIME_WAIT": 7, "CLOSE": 3,
			"CLOSE_WAIT": 7, "LAST_ACK": 7, "LISTEN": 120, "SYNACK": 30,
		}},
		{DefaultTimeouts, FULLNAT, UDP, map[string]Seconds{"UDP": 300}},
		{set, FULLNAT, TCP, map[string]Seconds{"ESTABLISHED": 30, "FIN_WAIT": 5, "TIME_WAIT": 7}},
		{set, FULLNAT, UDP, map[string]Seconds{"UDP": 7}},
		{DefaultTimeouts, FULLNAT, ICMP, map[string]Seconds{"ICMP": 120}},
	}
	for _, tt := range tests {
		for word, want := range tt.want {
			s, _ := StateOf(word)
			if got := tt.timeouts.Of(tt.dialect, tt.protocol, s); got != want {
				t.Errorf("dialect %d, %s %s: %d seconds, want %d", tt.dialect, tt.protocol, word, got, want)
			}
		}
	}
}

// kernelStates are the states that occur with each protocol of Linux, old kernels'
// SCTP included.
var kernelStates = map[Protocol][]string{
	TCP: {"NONE", "SYN_SENT", "SYN_RECV", "SYNACK", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE", "LISTEN"},
	UDP: {"UDP"},
	SCTP: {
		"NONE", "INIT1", "INIT", "C-SENT", "C-REPLIED", "C-WAIT", "COOKIE", "C-ECHOED", "ESTABLISHED", "S-SENT", "S-RECEIVED",
		"S-ACK-SENT", "REJECTED", "CLOSED", "INIT_CLI", "INIT_SER", "INIT_ACK_CLI", "INIT_ACK_SER", "COOKIE_ECHO_CLI",
		"COOKIE_ECHO_SER", "ESTABISHED", "SHUTDOWN_CLI", "SHUTDOWN_SER", "SHUTDOWN_ACK_CLI", "SHUTDOWN_ACK_SER",
	},
}

// timeless are the kernel's words that no timeout belongs to: ASSURED is on
// templates, whose timeout is their service's, and the others name no state.
var timeless = map[string]bool{"ASSURED": true, "ERR!": true, "?": true, "BUG!": true}

// TestEveryStateHasItsTimeout leaves no state of the kernel's without a timeout but
// the timeless, and no known state outside this test.
func TestEveryStateHasItsTimeout(t *testing.T) {
	covered := make(map[string]bool)
	for p, words := range kernelStates {
		for _, word := range words {
			covered[word] = true
			s, known := StateOf(word)
			if !known {
				t.Errorf("%s is not known", word)
			}
			if v := DefaultTimeouts.Of(Linux, p, s); v <= 0 {
				t.Errorf("%s %s has no timeout: %d", p, s, v)
			}
		}
	}
	for word := range timeless {
		covered[word] = true
		s, known := StateOf(word)
		if !known {
			t.Errorf("%s is not known", word)
		}
		for _, p := range []Protocol{TCP, UDP, SCTP, IP} {
			if v := DefaultTimeouts.Of(Linux, p, s); v != Unknown {
				t.Errorf("%s %s has a timeout: %d", p, s, v)
			}
		}
	}
	// What is left is DPVS's and FULLNAT's. DPVS has no timeout for the words that
	// name no state.
	none := map[string]bool{"TCP_UNKOWN": true, "UDP_UNKOWN": true, "SCTP_UNKNOWN": true, "ICMP_UNKOWN": true, "ICMP_LAST": true, "UNKOWN": true}
	for _, s := range States() {
		if covered[s.String()] {
			continue
		}
		d := DPVS
		if s.String() == "ICMP" {
			d = FULLNAT
		}
		if v := DefaultTimeouts.Of(d, TCP, s); (v <= 0) != none[s.String()] {
			t.Errorf("dialect %d: %s has the timeout %d", d, s, v)
		}
		if v := DefaultTimeouts.Of(Linux, TCP, s); v != Unknown {
			t.Errorf("%s is no state of Linux's and has the timeout %d there", s, v)
		}
	}
}
