package render

import (
	"ipvsstate/internal/conn"
	"ipvsstate/internal/tally"
)

// The columns of the idle table join the tally's ranges.
var idleColumns = [...]struct {
	head string
	from int // the first of the ranges
}{{"<1m", 1}, {"1m-5m", 3}, {"5m-10m", 4}, {">=10m", 5}, {"", tally.NumIdleRanges}}

// shownTimeout is the timeout from which a state's idle times are worth a row: in the
// others everything is young. The three states that have a timeout that is set are
// shown however short it is.
const shownTimeout conn.Seconds = 120

func shown(i *tally.StateIdle) bool {
	set := i.State == conn.Established || i.State == conn.FinWait || i.State == conn.UDPState
	return i.Timeout >= shownTimeout || set && i.Timeout != conn.Unknown
}

// idleTable tells for how long connections have been silent, in the states that last.
func (s *Summary) idleTable(o Options) *table {
	word := o.Words
	t := &table{columns: []column{
		{head: word.Word("head.protocol"), priority: 2},
		{head: word.Word("head.state")},
		{head: word.Word("head.timeout"), right: true, priority: 3},
	}}
	var rows []tally.StateIdle
	unknown := false
	for _, i := range s.idle() {
		if shown(&i) && i.Ranges[0] < i.Total() {
			rows = append(rows, i)
			unknown = unknown || i.Ranges[0] > 0
		}
	}
	for c := range len(idleColumns) - 1 {
		t.columns = append(t.columns, column{head: idleColumns[c].head, right: true})
	}
	if unknown {
		t.columns = append(t.columns, column{head: word.Word("head.unknown"), right: true})
	}
	t.columns = append(t.columns, column{head: word.Word("head.soon"), right: true, priority: 1})
	for _, i := range rows {
		cells := []string{Clean(i.Protocol.String()), stateWord(i.State, word), span(i.Timeout)}
		for c := range len(idleColumns) - 1 {
			n := uint64(0)
			for r := idleColumns[c].from; r < idleColumns[c+1].from; r++ {
				n += i.Ranges[r]
			}
			cells = append(cells, count(n))
		}
		if unknown {
			cells = append(cells, count(i.Ranges[0]))
		}
		t.add(append(cells, count(i.Soon))...)
	}
	return t
}

type idleJSON struct {
	Protocol string        `json:"protocol"`
	State    string        `json:"state"`
	Timeout  *conn.Seconds `json:"timeout_seconds"`
	Ranges   []rangeJSON   `json:"ranges"`
	Unknown  uint64        `json:"unknown"`
	Soon     uint64        `json:"expires_within_60_seconds"`
}

type rangeJSON struct {
	From  conn.Seconds  `json:"from_seconds"`
	To    *conn.Seconds `json:"to_seconds"`
	Count uint64        `json:"count"`
}

func (s *Summary) idleDocument() []idleJSON {
	all := make([]idleJSON, 0)
	for _, i := range s.idle() {
		d := idleJSON{
			Protocol: i.Protocol.String(), State: i.State.String(), Timeout: optional(i.Timeout, i.Timeout != conn.Unknown),
			Unknown: i.Ranges[0], Soon: i.Soon,
		}
		for r := 1; r < tally.NumIdleRanges; r++ {
			from, to := tally.IdleRange(r).Bounds()
			d.Ranges = append(d.Ranges, rangeJSON{from, optional(to, to != conn.Unknown), i.Ranges[r]})
		}
		all = append(all, d)
	}
	return all
}
