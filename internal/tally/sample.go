package tally

import (
	"slices"
	"sync/atomic"

	"ipvsstate/internal/conn"
)

// MaxSample is how many entries a summary's sample has at most, and twice what it has at
// least of a larger table: one half is then told to within three percent, mostly.
const MaxSample = 1 << 11

// SamplePlan is what the samples of one reading share.
type SamplePlan struct {
	// max is how many entries are kept; of a table with no more all are.
	max int
	// share is the power of two by which parts of a table begin to choose: what the
	// parts before them have come to.
	share atomic.Uint32
}

// row is less than a row of a listing takes in bytes, on an average over the formats.
const row = 70

// NewSamplePlan is the plan of samples with so many entries at most, of an input of so
// many bytes, 0 where that is not known. A large one is taken to be one large table, so
// that less is kept only to be dropped: the first listings of a long log have small
// samples for it.
func NewSamplePlan(most int, size int64) *SamplePlan {
	p := &SamplePlan{max: most}
	for entries := size / row; entries > 4*int64(most); entries /= 2 {
		p.share.Add(1)
	}
	return p
}

// Sample keeps a share of the entries of a table, so that questions may be asked that
// are too dear to ask of all: of every part of the table half of the entries, or a
// quarter, or an eighth, as it comes to enough.
type Sample struct {
	plan  *SamplePlan
	share uint32 // one in 1<<share is kept
	n     uint32 // of the entry to look at next, counted from a start of the part's own
	rows  []sampled
}

type sampled struct {
	n     uint32 // the entry's place
	entry conn.Entry
}

// NewSample makes an empty sample.
func NewSample(p *SamplePlan) *Sample { return &Sample{plan: p, share: p.share.Load()} }

// Reset empties the sample for another part of the table.
func (s *Sample) Reset() {
	s.rows = s.rows[:0]
	s.share, s.n = s.plan.share.Load(), 0
}

// Rate is of how many entries one is in the sample: 1 if all are.
func (s *Sample) Rate() uint64 { return 1 << s.share }

// Len is the number of entries in the sample.
func (s *Sample) Len() int { return len(s.rows) }

// All goes through the entries.
func (s *Sample) All(yield func(*conn.Entry) bool) {
	for i := range s.rows {
		if !yield(&s.rows[i].entry) {
			return
		}
	}
}

// Groups counts the table's entries by the plan, as far as the sample tells; keep
// chooses which, nil is all.
func (s *Sample) Groups(p *Plan, keep func(*conn.Entry) bool) *Groups {
	g := NewGroups(p)
	for i := range s.rows {
		if e := &s.rows[i].entry; keep == nil || keep(e) {
			g.Add(e, e.Kind())
		}
	}
	g.scale(s.Rate())
	return g
}

// scale takes each entry for several.
func (g *Groups) scale(by uint64) {
	words := g.stride - numWords
	for i := range g.n {
		r := g.record(i)
		r[words+wordConnections] *= by
		r[words+wordTemplates] *= by
	}
}

// firstRows is how many entries a sample grows to by and by: most listings of a log are small.
const firstRows = 64

// turn takes the entry if it is chosen, and returns how many entries on the next to look
// at is.
func (s *Sample) turn(e *conn.Entry) (left uint32) {
	if s.n == 0 {
		s.n = start(e)
	}
	window := s.n >> s.share
	at := chosen(window, s.share)
	if at == s.n {
		if n := len(s.rows); n == cap(s.rows) && n >= firstRows { // once for all
			s.rows = slices.Grow(s.rows, s.plan.max+1-n)
		}
		s.rows = append(s.rows, sampled{s.n, *e})
		s.limit()
		window, at = s.n>>s.share, chosen(s.n>>s.share, s.share)
	}
	if at <= s.n {
		at = chosen(window+1, s.share)
	}
	left, s.n = at-s.n, at
	return left
}

// chosen is the entry that is kept of each 1<<share: of the two that are kept of its
// halves one, by lot, so that what a larger sample lacks a smaller one lacks too, and
// none goes in step with what is in turn in a sorted listing, servers for example.
func chosen(window, share uint32) uint32 {
	for ; share > 0; share-- {
		lot := (window ^ share<<27) * 2654435769
		window = 2*window + (lot^lot>>15)>>13&1
	}
	return window
}

// start is where counting begins in a part, by its first entry: a part can have fewer
// entries than one of so many is kept of.
func start(e *conn.Entry) uint32 {
	a := e.Client.Addr.As16()
	h := uint32(e.Client.Port)
	for _, b := range a[8:] {
		h = h*31 + uint32(b)
	}
	return h*2654435769>>1 | 1
}

// limit halves the sample while it is too large.
func (s *Sample) limit() {
	for len(s.rows) > s.plan.max {
		s.choose(s.share + 1)
	}
}

// choose keeps what belongs to a smaller share.
func (s *Sample) choose(share uint32) {
	s.share = share
	s.rows = slices.DeleteFunc(s.rows, func(r sampled) bool { return chosen(r.n>>share, share) != r.n })
}

// Merge adds another part's sample, which is not to be used again before it is Reset.
func (s *Sample) Merge(o *Sample) {
	if len(s.rows) == 0 && s.share <= o.share {
		s.rows, o.rows = o.rows, s.rows
		s.share, o.share = o.share, s.share
	}
	if o.share > s.share {
		s.choose(o.share)
	}
	for i := range o.rows {
		if n := o.rows[i].n; chosen(n>>s.share, s.share) == n {
			s.rows = append(s.rows, o.rows[i])
		}
	}
	s.limit()
	// A new listing begins with few rows, and may be a small one.
	next := s.share
	if next > 0 && len(s.rows) < s.plan.max/4 {
		next--
	}
	s.plan.share.Store(next)
}
