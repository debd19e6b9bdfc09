package history

// Merge adds the snapshots of another trend, of the same intervals, which is not used any more. Copies
// are not looked for.
func (t *Trend) Merge(o *Trend) {
	if o.Snapshots > 0 && (t.First.IsZero() || o.First.Before(t.First)) {
		t.First = o.First
	}
	if o.Last.After(t.Last) {
		t.Last = o.Last
	}
	t.Snapshots += o.Snapshots
	t.Parts += o.Parts
	t.Copies += o.Copies
	t.Lost += o.Lost
	t.LostEvents += o.LostEvents
	for t.width != o.width {
		narrow := t
		if o.width < t.width {
			narrow = o
		}
		if !narrow.widen() {
			break
		}
	}
	place := make([]int, len(o.groups)) // in t, of o's groups
	for i, v := range o.groups {
		n, ok := t.group(v)
		if !ok {
			n = -1
		} else {
			t.peaks[n].meet(o.peaks[i].Count, o.peaks[i].At)
		}
		place[i] = n
	}
	if o.Snapshots > 0 {
		t.total.meet(o.total.Count, o.total.At)
	}
	for n, c := range o.cells {
		moved := *c
		moved.groups = nil
		for i, count := range c.groups {
			at := place[i]
			if at < 0 {
				t.Lost += count
				continue
			}
			for len(moved.groups) <= at {
				moved.groups = append(moved.groups, 0)
			}
			moved.groups[at] = count
		}
		t.cellAt(n).join(&moved)
	}
	for _, e := range o.events {
		t.occurred(e)
	}
	t.bound()
}

// occurred adds what is known of an event elsewhere.
func (t *Trend) occurred(e *Occurrence) {
	t.occur(e.Event, e.First)
	if had := t.events[e.Event]; had != nil {
		had.Snapshots += e.Snapshots - 1
		if e.Last.After(had.Last) {
			had.Last = e.Last
		}
	} else {
		t.LostEvents += e.Snapshots - 1
	}
}
