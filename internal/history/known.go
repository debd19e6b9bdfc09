package history

import "hash/maphash"

// maxKnown is how many snapshots are known again: those of two years and a half, one every
// five minutes.
const maxKnown = 1 << 18

// Known knows snapshots again that come from another input once more.
type Known struct {
	// Forgotten counts those that were not kept, since there are too many: a copy of such a
	// one counts twice.
	Forgotten int

	inputs map[fingerprint]int // that snapshots were first met in
}

// NewKnown makes one that knows none.
func NewKnown() *Known { return &Known{inputs: make(map[fingerprint]int)} }

// fingerprint is equal for copies of a snapshot: a file and the same file in an archive. sum is the same in
// whatever order groups come.
type fingerprint struct {
	at                          int64 // in seconds
	coarse                      bool
	connections, templates, sum uint64
}

func (p *Point) fingerprint() fingerprint {
	of := fingerprint{p.Time.Unix(), p.Coarse, p.Connections, p.Templates, 0}
	for _, g := range p.Groups {
		of.sum += maphash.Comparable(seed, g)
	}
	return of
}

// CopyOf is the input that has the snapshot too, if another than its own has.
func (k *Known) CopyOf(p *Point) (input int, ok bool) { return k.find(p, p.fingerprint()) }

func (k *Known) find(p *Point, of fingerprint) (input int, ok bool) {
	if input, ok = k.inputs[of]; ok {
		return input, input != p.Input
	}
	// Of two times of which one is coarse, that is the other's or an even one beside it.
	of.coarse = !p.Coarse
	for _, beside := range [...]int64{0, -1, 1} {
		of.at = p.Time.Unix() + beside
		if input, ok = k.inputs[of]; ok && input != p.Input {
			return input, true
		}
	}
	return 0, false
}

// meet also keeps the snapshot.
func (k *Known) meet(p *Point) (input int, copied bool) {
	of := p.fingerprint()
	if input, copied = k.find(p, of); copied {
		return input, true
	}
	if _, had := k.inputs[of]; !had && len(k.inputs) >= maxKnown {
		k.Forgotten++
		return 0, false
	}
	k.inputs[of] = p.Input
	return 0, false
}
