package tally

import (
	"cmp"
	"slices"
	"strings"

	"ipvsstate/internal/conn"
)

// Soon is how little time an entry has left that is about to be dropped.
const Soon conn.Seconds = 60

// StateIdle is for how long the connections in a state have been silent.
type StateIdle struct {
	Protocol conn.Protocol
	State    conn.State
	// Timeout is what the times were told by.
	Timeout conn.Seconds
	// Ranges are the connections by range of idle time, that of unknown times included.
	Ranges [NumIdleRanges]uint64
	// Soon is how many of them have no more than a minute left.
	Soon uint64
	// Over is how many have more time left than the timeout: they were armed with
	// another.
	Over uint64
}

// NumIdleRanges is the number of ranges of idle times.
const NumIdleRanges = len(idleFrom)

// Time left is counted by the second up to bySecond, and by the minute beyond: as
// exactly as any timeout but the longest wants.
const bySecond = 1 << 14

func slotOfLeft(s conn.Seconds) int {
	if s < bySecond {
		return int(s)
	}
	return bySecond + int(s-bySecond)/60
}

func leftOfSlot(i int) conn.Seconds {
	if i < bySecond {
		return conn.Seconds(i)
	}
	return bySecond + conn.Seconds(i-bySecond)*60
}

// left is how many connections in a state have how much time left.
type left struct {
	at      []uint64 // by slotOfLeft
	unknown uint64
}

func (l *left) add(s conn.Seconds, n uint64) {
	if s == conn.Unknown {
		l.unknown += n
		return
	}
	i := slotOfLeft(s)
	if i >= len(l.at) {
		// Whole minutes, so that a state's slots are made once or twice.
		l.at = append(l.at, make([]uint64, (i/60+1)*60+1-len(l.at))...)
	}
	l.at[i] += n
}

// addLeft counts the time a connection has left.
func (t *Tally) addLeft(e *conn.Entry) {
	p, s := e.Protocol.Index(), e.State.Index()
	if p == 0 || s == 0 {
		return // no timeout is known of them
	}
	l := &t.left[p][s]
	if i := e.Expires; uint(i) < uint(len(l.at)) && i < bySecond {
		l.at[i]++
		return
	}
	l.add(e.Expires, 1)
}

func (t *Tally) mergeLeft(o *Tally) {
	for p := range o.left {
		for s := range o.left[p] {
			from, to := &o.left[p][s], &t.left[p][s]
			to.unknown += from.unknown
			if grow := len(from.at) - len(to.at); grow > 0 {
				to.at = append(to.at, make([]uint64, grow)...)
			}
			for i, n := range from.at {
				to.at[i] += n
			}
		}
	}
}

func (t *Tally) resetLeft() {
	for p := range t.left {
		for s := range t.left[p] {
			l := &t.left[p][s]
			clear(l.at)
			l.unknown = 0
		}
	}
}

// Idle tells for how long the connections of each state have been silent, where the
// timeout that they are armed with is given; those with most first. Of states that
// the kernel has no timeout of there is nothing.
func (t *Tally) Idle(timeout func(conn.Protocol, conn.State) conn.Seconds) []StateIdle {
	var all []StateIdle
	for _, p := range conn.Protocols() {
		for _, s := range conn.States() {
			l := &t.left[p.Index()][s.Index()]
			idle := StateIdle{Protocol: p, State: s, Timeout: timeout(p, s)}
			idle.Ranges[0] = l.unknown
			sum := l.unknown
			for i, n := range l.at {
				if n == 0 {
					continue
				}
				sum += n
				left := leftOfSlot(i)
				silence := conn.Silence(idle.Timeout, left)
				idle.Ranges[IdleRangeOf(silence)] += n
				if left <= Soon {
					idle.Soon += n
				}
				if silence == conn.Unknown && idle.Timeout != conn.Unknown {
					idle.Over += n
				}
			}
			if sum > 0 {
				all = append(all, idle)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b StateIdle) int {
		return cmp.Or(cmp.Compare(b.Total(), a.Total()), compareProtocols(a.Protocol, b.Protocol),
			cmp.Compare(a.State.Index(), b.State.Index()), strings.Compare(a.State.String(), b.State.String()))
	})
	return all
}

// Total is the number of connections in the state.
func (s *StateIdle) Total() (n uint64) {
	for _, r := range s.Ranges {
		n += r
	}
	return n
}
