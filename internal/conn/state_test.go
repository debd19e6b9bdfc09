package conn

import "testing"

// TestStateWords holds the table of words to its identifiers: a state that was given
// a number and no word would print as nothing and be read as unlisted.
func TestStateWords(t *testing.T) {
	if len(stateWords) != NumStates {
		t.Errorf("%d words for %d states", len(stateWords), NumStates)
	}
	had := make(map[string]int)
	for id := 1; id < len(stateWords); id++ {
		word := stateWords[id]
		if word == "" {
			t.Errorf("state %d has no word", id)
		}
		if other, ok := had[word]; ok {
			t.Errorf("states %d and %d are both %q", other, id, word)
		}
		had[word] = id
	}
}

func TestStatesRoundTrip(t *testing.T) {
	states := States()
	if len(states) != NumStates-1 {
		t.Errorf("%d states listed, %d are there", len(states), NumStates-1)
	}
	for i, s := range states {
		back, known := StateOf(s.String())
		if !known || back != s {
			t.Errorf("StateOf(%q) = %q (index %d), %v; want index %d, known", s, back, back.Index(), known, s.Index())
		}
		if s.Index() < 1 || s.Index() >= NumStates {
			t.Errorf("%s has index %d outside 1 to %d", s, s.Index(), NumStates-1)
		}
		if i > 0 && s.Index() <= states[i-1].Index() {
			t.Errorf("%s (%d) is listed behind %s (%d)", s, s.Index(), states[i-1], states[i-1].Index())
		}
	}
}

// TestNamedStates holds the exported names to the words the kernel prints.
func TestNamedStates(t *testing.T) {
	for word, s := range map[string]State{
		"NONE": None, "ESTABLISHED": Established, "SYN_RECV": SynRecv, "FIN_WAIT": FinWait, "UDP": UDPState, "ASSURED": Assured,
	} {
		if s.String() != word {
			t.Errorf("%q prints as %q", word, s)
		}
	}
}

func TestUnlistedStates(t *testing.T) {
	tests := []struct {
		a, b string
		same bool
	}{
		{"NEW_STATE", "NEW_STATE", true},
		{"NEW_STATE", "NEWER_STATE", false},
		{"established", "ESTABLISHED", false}, // the case is the kernel's, a word in another is another
		{"ESTABLISHED ", "ESTABLISHED", false},
		{"", "NONE", false},
	}
	for _, tt := range tests {
		a, known := StateOf(tt.a)
		if known || a.Index() != 0 || a.String() != tt.a {
			t.Errorf("StateOf(%q) = %q, index %d, known %v; want it as printed and unlisted", tt.a, a, a.Index(), known)
		}
		if b, _ := StateOf(tt.b); (a == b) != tt.same {
			t.Errorf("StateOf(%q) == StateOf(%q) is %v", tt.a, tt.b, a == b)
		}
	}
	if untold, _ := StateOf(""); untold != (State{}) {
		t.Errorf("the state of no word is %#v, not the zero State", untold)
	}
}

func TestProtocolsRoundTrip(t *testing.T) {
	all := Protocols()
	if len(all) != NumProtocols-1 {
		t.Errorf("%d protocols listed, %d are there", len(all), NumProtocols-1)
	}
	seen := make(map[int]Protocol)
	for _, p := range all {
		if back, known := ProtocolOf(p.String()); !known || back != p {
			t.Errorf("ProtocolOf(%q) = %q, %v", p, back, known)
		}
		if p.Index() < 1 || p.Index() >= NumProtocols {
			t.Errorf("%s has index %d outside 1 to %d", p, p.Index(), NumProtocols-1)
		}
		if other, ok := seen[p.Index()]; ok {
			t.Errorf("%s and %s share index %d", other, p, p.Index())
		}
		seen[p.Index()] = p
	}
}

func TestProtocolOf(t *testing.T) {
	tests := []struct {
		word  string
		want  string
		known bool
	}{
		{"TCP", "TCP", true}, {"tcp", "TCP", true}, {"udp", "UDP", true}, {"sctp", "SCTP", true},
		{"icmp", "ICMP", true}, {"icmpv6", "ICMPv6", true}, {"ICMPV6", "ICMPv6", true}, {"IP", "IP", true},
		{"IP_50", "IP_50", false}, {"ip_50", "ip_50", false}, {"DCCP", "DCCP", false}, {"--", "--", false}, {"", "", false},
	}
	for _, tt := range tests {
		p, known := ProtocolOf(tt.word)
		if p.String() != tt.want || known != tt.known || (p.Index() != 0) != tt.known {
			t.Errorf("ProtocolOf(%q) = %q (index %d), %v; want %q, %v", tt.word, p, p.Index(), known, tt.want, tt.known)
		}
	}
	esp, _ := ProtocolOf("IP_50")
	again, _ := ProtocolOf("IP_50")
	ah, _ := ProtocolOf("IP_51")
	if esp != again || esp == ah {
		t.Errorf("unlisted protocols do not compare by their words: %v %v %v", esp, again, ah)
	}
}
