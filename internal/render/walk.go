package render

import (
	"io"
	"time"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/explain"
	"ipvsstate/internal/machine"
)

// Walk shows what became of an entry, packet by packet.
func Walk(w io.Writer, steps []machine.Step, words *explain.Catalogue, limit int) error {
	t := &table{columns: []column{
		{head: words.Word("head.time"), right: true},
		{head: words.Word("head.packet")},
		{head: words.Word("head.state")},
		{head: words.Word("head.timeout"), right: true, priority: 1},
		{head: words.Word("head.expires"), right: true, priority: 2},
		{head: words.Word("head.effect"), flexible: true, priority: 3},
	}}
	for _, s := range steps {
		packet := s.From.String() + ":" + s.Packet
		if s.Packet == "" {
			packet = "+" + duration(s.Wait)
		}
		state, timeout, expires := "-", "", ""
		if s.Exists {
			state, timeout, expires = s.State.String(), span(s.Timeout), duration(s.Expires)
		}
		effect := words.Word("effect." + s.Effect.String())
		if s.Effect == machine.Elapsed && !s.Exists {
			effect = words.Word("effect.absent")
		}
		t.add(duration(s.At), packet, state, timeout, expires, effect)
	}
	return t.write(w, limit, false)
}

// duration writes a time on the walk's clock like a timeout, with fractions where there are some.
func duration(d time.Duration) string {
	if d%time.Second == 0 && d < 1<<31*time.Second {
		return span(conn.Seconds(d / time.Second))
	}
	return d.String()
}

type walkJSON struct {
	Schema     int        `json:"schema"`
	Protocol   string     `json:"protocol"`
	Forwarding string     `json:"forwarding"`
	SecureTCP  bool       `json:"secure_tcp"`
	Steps      []stepJSON `json:"steps"`
}

type stepJSON struct {
	At      float64  `json:"at_seconds"`
	From    *string  `json:"from"`
	Packet  *string  `json:"packet"`
	Effect  string   `json:"effect"`
	State   *string  `json:"state"`
	Timeout *int     `json:"timeout_seconds"`
	Expires *float64 `json:"expires_at_seconds"`
}

// WalkJSON writes the same for programs.
func WalkJSON(w io.Writer, steps []machine.Step, p conn.Protocol, forwarding string, secure bool) error {
	d := walkJSON{Schema, p.String(), forwarding, secure, make([]stepJSON, 0, len(steps))}
	for _, s := range steps {
		d.Steps = append(d.Steps, stepJSON{
			At: s.At.Seconds(), Effect: s.Effect.String(),
			From: optional(s.From.String(), s.Packet != ""), Packet: optional(s.Packet, s.Packet != ""),
			State: optional(s.State.String(), s.Exists), Timeout: optional(int(s.Timeout), s.Exists), Expires: optional(s.Expires.Seconds(), s.Exists),
		})
	}
	return writeJSON(w, &d)
}
