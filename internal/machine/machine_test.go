package machine

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ipvsstate/internal/conn"
)

func stateOf(t *testing.T, word string) conn.State {
	t.Helper()
	s, known := conn.StateOf(word)
	if !known {
		t.Fatalf("%q is no state", word)
	}
	return s
}

// TestTable reads every line of the data as read does, and finds what it would pass over.
func TestTable(t *testing.T) {
	packets := map[string][]string{}
	for line := range strings.Lines(transitions) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] == "#" {
			continue
		}
		if slices.Index(blocks, f[1]) < 0 {
			t.Errorf("no block %q", f[1])
		}
		key := f[0] + " " + f[1]
		if slices.Contains(packets[key], f[2]) {
			t.Errorf("%s %s comes twice", key, f[2])
		}
		packets[key] = append(packets[key], f[2])
		seen := map[string]bool{}
		for _, change := range f[3:] {
			from, to, ok := strings.Cut(change, ">")
			if !ok || from == to || seen[from] {
				t.Errorf("%s %s: %q", key, f[2], change)
			}
			seen[from] = true
			stateOf(t, from)
			stateOf(t, to)
		}
	}
	for _, name := range []string{"tcp", "tcp-secure", "udp", "sctp"} {
		for _, block := range blocks {
			if !slices.Equal(packets[name+" "+block], packets[name+" input"]) || len(packets[name+" input"]) == 0 {
				t.Errorf("%s has the packets %v in %s, %v in input", name, packets[name+" "+block], block, packets[name+" input"])
			}
		}
	}
	if len(packets) != 4*len(blocks) {
		t.Errorf("%d tables", len(packets))
	}
}

// TestReachable: which states a table can hold, as the transition tables have it and as
// was seen in running kernels.
func TestReachable(t *testing.T) {
	tests := []struct {
		name string
		m    *Machine
		path Path
		want string
	}{
		{"NAT", Of(conn.TCP), Both, "SYN_SENT SYN_RECV ESTABLISHED FIN_WAIT CLOSE_WAIT TIME_WAIT CLOSE"},
		{"direct routing", Of(conn.TCP), ClientOnly, "SYN_RECV ESTABLISHED FIN_WAIT TIME_WAIT CLOSE"},
		{"NAT, secure_tcp", SecureTCP(), Both, "SYN_SENT SYN_RECV SYNACK ESTABLISHED FIN_WAIT CLOSE_WAIT TIME_WAIT CLOSE"},
		{"direct routing, secure_tcp", SecureTCP(), ClientOnly, "SYNACK ESTABLISHED FIN_WAIT TIME_WAIT CLOSE"},
		{"UDP", Of(conn.UDP), Both, "UDP"},
		{"SCTP, direct routing", Of(conn.SCTP), ClientOnly, "INIT1 INIT C-ECHOED ESTABLISHED S-RECEIVED CLOSED"},
	}
	for _, tt := range tests {
		var words []string
		for _, s := range tt.m.States(tt.path) {
			words = append(words, s.String())
		}
		if got := strings.Join(words, " "); got != tt.want {
			t.Errorf("%s reaches %s\nwant %s", tt.name, got, tt.want)
		}
	}
	if Of(conn.ICMP) != nil {
		t.Error("ICMP has a machine")
	}
}

func walk(t *testing.T, m *Machine, path Path, events string) []Step {
	t.Helper()
	var all []Event
	for _, text := range strings.Fields(events) {
		e, err := m.ParseEvent(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return m.Walk(path, conn.DefaultTimeouts, all)
}

func TestWalk(t *testing.T) {
	const both, client = Both, ClientOnly
	tests := []struct {
		name   string
		path   Path
		events string
		want   string // a state after each event; - without an entry
	}{
		{"close by the client, NAT", both, "c:syn s:syn-ack c:ack c:fin s:ack s:fin c:ack",
			"SYN_RECV SYN_RECV ESTABLISHED CLOSE_WAIT CLOSE_WAIT TIME_WAIT TIME_WAIT"},
		{"close by the client, direct routing", client, "c:syn s:syn-ack c:ack c:fin s:ack s:fin c:ack",
			"SYN_RECV SYN_RECV ESTABLISHED FIN_WAIT FIN_WAIT FIN_WAIT FIN_WAIT"},
		{"close by the server, NAT", both, "c:syn s:syn-ack c:ack s:fin c:ack c:fin s:ack",
			"SYN_RECV SYN_RECV ESTABLISHED FIN_WAIT FIN_WAIT TIME_WAIT TIME_WAIT"},
		{"close by the server, direct routing", client, "c:syn s:syn-ack c:ack s:fin c:ack c:fin s:ack",
			"SYN_RECV SYN_RECV ESTABLISHED ESTABLISHED ESTABLISHED FIN_WAIT FIN_WAIT"},
		{"refused, NAT", both, "c:syn s:rst-ack", "SYN_RECV CLOSE"},
		{"refused, direct routing", client, "c:syn s:rst-ack", "SYN_RECV SYN_RECV"},
		{"reset by the client", both, "c:syn s:syn-ack c:ack c:data s:data c:rst", "SYN_RECV SYN_RECV ESTABLISHED ESTABLISHED ESTABLISHED CLOSE"},
		{"a reset does not end a half-open entry", both, "c:syn c:rst", "SYN_RECV SYN_RECV"},
		{"nothing begins with other packets", both, "c:ack s:syn c:fin c:rst c:syn-rst", "- - - - -"},
		{"a SYN-ACK begins, for active FTP", both, "c:syn-ack", "SYN_RECV"},
		{"silence ends it", both, "c:syn s:syn-ack c:ack +14m59s +1s c:data", "SYN_RECV SYN_RECV ESTABLISHED ESTABLISHED - -"},
		{"a packet begins the time anew", both, "c:syn +59s c:syn +59s +1s c:syn", "SYN_RECV SYN_RECV SYN_RECV SYN_RECV - SYN_RECV"},
	}
	for _, tt := range tests {
		var got []string
		for _, s := range walk(t, Of(conn.TCP), tt.path, tt.events) {
			if s.Exists {
				got = append(got, s.State.String())
			} else {
				got = append(got, "-")
			}
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, strings.Join(got, " "), tt.want)
		}
	}
}

func TestWalkTimes(t *testing.T) {
	steps := walk(t, Of(conn.TCP), ClientOnly, "client:SYN +1.5s server:syn_ack client:ack +10s client:fin +3m")
	type row struct {
		at, expires time.Duration
		effect      Effect
		timeout     conn.Seconds
	}
	var got []row
	for _, s := range steps {
		got = append(got, row{s.At, s.Expires, s.Effect, s.Timeout})
	}
	const half = 1500 * time.Millisecond
	want := []row{
		{0, 60 * time.Second, Created, 60},
		{half, 60 * time.Second, Elapsed, 60},
		{half, 60 * time.Second, Unseen, 60},
		{half, half + 900*time.Second, Changed, 900},
		{half + 10*time.Second, half + 900*time.Second, Elapsed, 900},
		{half + 10*time.Second, half + 130*time.Second, Changed, 120},
		{half + 190*time.Second, half + 130*time.Second, Expired, 120},
	}
	if !slices.Equal(got, want) {
		t.Errorf(" got %v\nwant %v", got, want)
	}
	m := Of(conn.TCP)
	syn, _ := m.ParseEvent("c:syn")
	ack, _ := m.ParseEvent("c:ack")
	if s := m.Walk(Both, conn.Timeouts{TCP: 30, TCPFin: 5, UDP: 7}, []Event{syn, ack}); s[0].Timeout != 60 || s[1].Timeout != 30 {
		t.Errorf("after --set 30 5 7 the timeouts are %d and %d", s[0].Timeout, s[1].Timeout)
	}
	if s := walk(t, Of(conn.UDP), Both, "c:datagram s:datagram"); s[1].State != conn.UDPState || s[1].Effect != Rearmed || s[1].Timeout != 300 {
		t.Errorf("UDP: %+v", s[1])
	}
	if s := walk(t, Of(conn.SCTP), Both, "c:data c:init c:init s:abort"); s[0].Exists || s[1].State.String() != "INIT1" || s[2].State.String() != "INIT" || s[3].State.String() != "CLOSED" {
		t.Errorf("SCTP: %+v", s)
	}
	// A used port begins anew, as a new entry and not by the table.
	if s := walk(t, Of(conn.SCTP), Both, "c:init c:abort c:init"); s[1].State.String() != "CLOSED" || s[2].State.String() != "INIT1" || s[2].Effect != Created {
		t.Errorf("SCTP, port used again: %+v", s)
	}
	if s := walk(t, Of(conn.TCP), Both, "c:syn c:ack c:rst c:syn"); s[3].State != conn.SynRecv || s[3].Effect != Created {
		t.Errorf("TCP, port used again: %+v", s)
	}
	if s := walk(t, Of(conn.TCP), Both, "c:syn c:ack c:rst c:syn-rst"); s[2].State.String() != "CLOSE" || s[3].Exists {
		t.Errorf("TCP, SYN with RST on an entry that is over: %+v", s)
	}
	if s := walk(t, SecureTCP(), ClientOnly, "c:syn c:ack"); s[0].State.String() != "SYNACK" || s[1].State != conn.Established {
		t.Errorf("secure_tcp: %+v", s)
	}
}

func TestParseEvent(t *testing.T) {
	for _, text := range []string{"", "syn", "client", "client:", ":syn", "router:syn", "c:", "c:foo", "c:syn-foo", "c:syn-", "c:psh", "+", "+3", "+800h", "+-3s", "+3x", "c:init"} {
		if e, err := Of(conn.TCP).ParseEvent(text); err == nil {
			t.Errorf("%q is read as %+v", text, e)
		}
	}
	for _, text := range []string{"c:syn", "c:foo", "c:init-init"} {
		if e, err := Of(conn.SCTP).ParseEvent(text); err == nil {
			t.Errorf("SCTP: %q is read as %+v", text, e)
		}
	}
	// The kernel looks at rst before syn, fin and ack.
	for text, want := range map[string]string{"c:syn-ack": "syn", "c:fin-ack": "fin", "s:rst-ack": "rst", "s:psh-ack": "ack", "c:data": "ack", "c:syn-fin": "syn", "c:syn-rst": "rst"} {
		if e, err := Of(conn.TCP).ParseEvent(text); err != nil || e.row != want {
			t.Errorf("%q is read as %q, %v; want %q", text, e.row, err, want)
		}
	}
}
