package filter

import (
	"math"
	"strconv"
	"strings"

	"ipvsstate/internal/conn"
)

// span is the times from one to another, both included. An unknown time is in none.
type span struct{ from, to conn.Seconds }

// longest is beyond every time that can be asked for.
const longest conn.Seconds = math.MaxInt32

// spanOf reads a comparison with a time; usual is that of a time alone.
func spanOf(text, usual string) (s span, ok bool) {
	duration := strings.TrimLeft(text, "<>=")
	operator := text[:len(text)-len(duration)]
	n, ok := secondsOf(duration)
	if operator == "" {
		operator = usual
	}
	switch operator {
	case "=":
		return span{n, n}, ok
	case "<=":
		return span{0, n}, ok
	case ">=":
		return span{n, longest}, ok
	case "<":
		return span{0, n - 1}, ok
	case ">":
		return span{n + 1, longest}, ok
	}
	return s, false
}

// secondsOf reads 90, 90s, 5m, 1h30m, 2d.
func secondsOf(text string) (conn.Seconds, bool) {
	if text == "" {
		return 0, false
	}
	if strings.Trim(text, digits) == "" {
		text += "s"
	}
	sum := int64(0)
	for text != "" {
		at := strings.IndexAny(text, "dhms")
		if at < 0 {
			return 0, false
		}
		n, err := strconv.ParseUint(text[:at], 10, 31)
		if err != nil {
			return 0, false
		}
		unit := map[byte]int64{'d': 24 * 3600, 'h': 3600, 'm': 60, 's': 1}[text[at]]
		sum += int64(n) * unit
		if sum >= int64(longest) {
			return 0, false
		}
		text = text[at+1:]
	}
	return conn.Seconds(sum), true
}

// times is what a time must be: all terms hold.
type times []list[span]

func timesOf(terms []Term, usual, want string) (t times, err error) {
	for _, term := range terms {
		l, err := listOf([]Term{term}, want, func(text string) (span, bool) { return spanOf(text, usual) })
		if err != nil {
			return nil, err
		}
		t = append(t, l)
	}
	return t, nil
}

func (t times) hold(s conn.Seconds) bool {
	for i := range t {
		if !t[i].holds(func(v *span) bool { return s >= v.from && s <= v.to }) {
			return false
		}
	}
	return true
}

// idle is the condition on the time without a packet.
type idle struct {
	times
	filter *Filter // has the timing
}

func newIdle(terms []Term, f *Filter) (condition, error) {
	t, err := timesOf(terms, ">=", "a comparison with a time, such as >5m or <=1h30m")
	return &idle{t, f}, err
}

func (c *idle) holds(e *conn.Entry) bool { return c.hold(c.filter.timing.Idle(e)) }
func (c *idle) tells(e *conn.Entry) bool { return c.filter.timing.Idle(e) != conn.Unknown }

// expires is the condition on the time left.
type expires struct{ times }

func newExpires(terms []Term) (condition, error) {
	t, err := timesOf(terms, "<=", "a comparison with a time, such as <10s or >=1m30s")
	return &expires{t}, err
}

func (c *expires) holds(e *conn.Entry) bool { return c.hold(e.Expires) }
func (c *expires) tells(e *conn.Entry) bool { return e.Expires != conn.Unknown }
