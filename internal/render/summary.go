// Package render writes what was counted, compared, followed or explained: as a screen and
// an HTML page for people, as JSON and CSV for programs, as Markdown for tickets, and diagrams as SVG. A model
// comes in, bytes go out; nothing is computed here but widths, shares and rounding.
package render

import (
	"fmt"
	"slices"
	"time"

	"ipvsstate/internal/capture"
	"ipvsstate/internal/conn"
	"ipvsstate/internal/diagnose"
	"ipvsstate/internal/explain"
	"ipvsstate/internal/ipvs"
	"ipvsstate/internal/parse"
	"ipvsstate/internal/services"
	"ipvsstate/internal/tally"
)

// Summary is what `ipvsstate summary` shows.
type Summary struct {
	Kind capture.Kind
	// Name is the source as the user knows it; untrusted text.
	Name string
	// Host is the director's name, empty where it is not known.
	Host   string
	Format Format

	// Index counts from 1 to Of. Merged says that all Of are added up.
	Index, Of int
	Merged    bool
	Time      time.Time
	TimeFrom  TimeFrom
	// TimeLocal says that no zone was told, or one that several share, and that the time is taken for
	// its location's; TimeYearless that the year was not told.
	TimeLocal, TimeYearless bool
	Complete                bool
	// CutShort says that the listing itself reports that it is not whole.
	CutShort bool
	// Cut says that the listing ends within a row.
	Cut bool
	// Torn says that a recorded snapshot lacks rows or its end, Anonymized that its
	// clients' addresses are pseudonyms, of the key that PseudonymKey tells apart from others.
	Torn, Anonymized bool
	PseudonymKey     string

	Input capture.Counts
	Tally *tally.Tally

	// Filter is which entries are counted, as flags; empty for all. Named is how many of
	// the others have a name in place of an address that it asks for.
	Filter string
	Named  uint64

	Timeouts     conn.Timeouts
	TimeoutsFrom TimeoutsFrom
	Kernel       *ipvs.Table // for a live reading
	// Config is how the director is configured, nil where nothing tells it, and Misread
	// how many lines of it made no sense.
	Config     *conn.Config
	ConfigFrom ConfigFrom
	Misread    int
	Missing    []Missing
	// Diagnosis is what the rules say, nil if they were not asked.
	Diagnosis *diagnose.Diagnosis
}

// ConfigFrom says where a configuration is from.
type ConfigFrom string

// Where a configuration can be from.
const (
	ConfigKernel  ConfigFrom = "kernel"
	ConfigListing ConfigFrom = "listing"
)

// TimeoutsFrom says where the timeouts are from that idle times are told by.
type TimeoutsFrom string

// Where timeouts can be from.
const (
	TimeoutsDefault TimeoutsFrom = "default"
	TimeoutsKernel  TimeoutsFrom = TimeoutsFrom(ConfigKernel)
	TimeoutsListing TimeoutsFrom = TimeoutsFrom(ConfigListing)
	TimeoutsFlag    TimeoutsFrom = "flag"
	// TimeoutsDiffer is of listings that were taken with different ones.
	TimeoutsDiffer TimeoutsFrom = "differ"
)

// Services are those that are configured, nil where nothing tells them.
func (s *Summary) Services() []conn.Service {
	if s.Config == nil {
		return nil
	}
	return s.Config.Services
}

// Missing is a part of a live reading that could not be had.
type Missing struct {
	What string // "services" or "timeouts"
	Why  string
}

// TimeFrom says where a snapshot's time is from.
type TimeFrom string

// Where a snapshot's time can be from.
const (
	TimeUnknown TimeFrom = "unknown"
	TimeHeader  TimeFrom = "header"
	TimeName    TimeFrom = "name"
	TimeMtime   TimeFrom = "mtime"
	TimeClock   TimeFrom = "clock"
)

// Format is the format of a whole snapshot.
type Format struct {
	name    string
	dialect conn.Dialect
	mixed   bool // of different dialects, whose timeouts differ
}

// Dialect is whose table it is.
func (f Format) Dialect() conn.Dialect { return f.dialect }

// FormatOf is the format of a snapshot's rows, or of its column titles when it has
// no rows.
func FormatOf(c *capture.Counts, header parse.Format) Format {
	f := Format{name: header.String()}
	dialects := 0
	seen := 0
	for i, n := range c.Formats {
		if n == 0 {
			continue
		}
		seen++
		f.name = parse.Format(i).String()
		if d := dialectOf(parse.Format(i)); dialects == 0 || d != f.dialect {
			f.dialect = d
			dialects++
		}
	}
	if seen > 1 {
		f.name = "mixed"
	}
	f.mixed = dialects > 1
	return f
}

func dialectOf(f parse.Format) conn.Dialect {
	switch f {
	case parse.DPVS:
		return conn.DPVS
	case parse.Fullnat:
		return conn.FULLNAT
	}
	return conn.Linux
}

// Whole reports that the summary has all entries of one table at one time, so that it can
// be held against the kernel's counters.
func (s *Summary) Whole() bool {
	return s.Complete && !s.Torn && !s.Cut && s.Filter == "" && (!s.Merged || s.Of == 1)
}

// DiagnoseFacts are what the rules look at, but for the report: sampled says of how many
// entries one was looked at for it.
func (s *Summary) DiagnoseFacts(report *services.Report, sampled uint64) *diagnose.Facts {
	f := &diagnose.Facts{
		Tally: s.Tally, Report: report, Sampled: sampled, Sample: s.Tally.Sample(),
		Config: s.Config, Idle: s.idle(), Dialect: s.Format.dialect, OriginsTold: s.Format.name == parse.ProcSync.String(),
		Listing: diagnose.Listing{
			Entries: uint64(s.Input.Entries), Bad: uint64(s.Input.Bad), Garbled: uint64(s.Input.Garbled),
			CutShort: s.CutShort || s.Torn || s.Cut || !s.Complete, Mixed: s.Format.name == "mixed",
		},
	}
	if s.Config != nil {
		f.Buckets = s.Config.Buckets
	}
	if s.Kernel != nil && s.Kernel.Buckets > 0 {
		f.Buckets = s.Kernel.Buckets
	}
	return f
}

// idle tells for how long the connections of each state have been silent.
func (s *Summary) idle() []tally.StateIdle {
	return s.Tally.Idle(func(p conn.Protocol, st conn.State) conn.Seconds {
		if s.Format.mixed {
			return conn.Unknown
		}
		return s.Timeouts.Of(s.Format.dialect, p, st)
	})
}

// timeout is what a state's entries are re-armed with, as far as it is known.
func (s *Summary) timeout(c tally.StateCount) conn.Seconds {
	if c.Timeout != conn.Unknown {
		return c.Timeout
	}
	if s.Format.mixed {
		return conn.Unknown
	}
	return s.Timeouts.Of(s.Format.dialect, c.Protocol, c.State)
}

// meaning is one sentence on a state, by the forwarding method where that is known.
func (s *Summary) meaning(c tally.StateCount, o Options) string {
	if !o.Explain {
		return ""
	}
	return o.Words.State(c.Protocol, c.State, c.Kind).Sentence(s.view(c))
}

// views are the forwarding methods of which it is certain whose packets pass.
var views = map[conn.Forwarding]explain.View{
	conn.Masquerade: explain.BothWays, conn.DirectRoute: explain.OneWay, conn.Tunnel: explain.OneWay,
}

// view is whose packets the director sees of the connections in a state: known where
// netlink tells the forwarding method of all servers of the services that have some.
func (s *Summary) view(c tally.StateCount) explain.View {
	services := s.Services()
	if services == nil || c.Kind != conn.Connection {
		return explain.AnyView
	}
	view := explain.AnyView
	agree := func(v *conn.Service) bool {
		for _, server := range v.Servers {
			way, ok := views[server.Forwarding]
			if !ok || view != explain.AnyView && view != way {
				return false
			}
			view = way
		}
		return true
	}
	for _, group := range s.Tally.Services() {
		if !slices.ContainsFunc(group.States, func(n tally.StateCount) bool { return n.State == c.State && n.Protocol == c.Protocol }) {
			continue
		}
		found := false
		for i := range services {
			if v := &services[i]; v.Protocol == group.Protocol && v.Virtual == group.Virtual {
				found = true
				if !agree(v) {
					return explain.AnyView
				}
			}
		}
		if !found { // of a firewall mark, or deleted
			return explain.AnyView
		}
	}
	if s.Tally.Ungrouped().Connections > 0 {
		return explain.AnyView
	}
	return view
}

// Options say how a summary is written.
type Options struct {
	Words *explain.Catalogue
	// Width is the terminal's in columns, 0 for no limit.
	Width int
	// Terminal allows bars, Color colours.
	Terminal, Color bool
	// Explain adds what the states mean.
	Explain bool
	Order   tally.Order
	// Wide shows all services.
	Wide bool
	// By are the dimensions of the groups that are shown in place of states, none for
	// the states. With Across the last divides the groups up into columns.
	By     []tally.Dimension
	Across bool
	// Foot is a page's last line.
	Foot string
	// Top is how many groups are shown, 0 for all; -1 leaves it to the format.
	Top int
}

// plain is o for what has neither a width nor colours.
func (o Options) plain() Options {
	o.Width, o.Terminal, o.Color = 0, false, false
	return o
}

// span writes seconds as an operator says them: 15m, 61s, 3h.
func span(s conn.Seconds) string {
	switch {
	case s < 0:
		return ""
	case s >= 3600 && s%3600 == 0:
		return fmt.Sprintf("%dh", s/3600)
	case s >= 60 && s%60 == 0:
		return fmt.Sprintf("%dm", s/60)
	}
	return fmt.Sprintf("%ds", s)
}

func share(n, of uint64) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

func percent(n, of uint64) string { return fmt.Sprintf("%.1f%%", 100*share(n, of)) }

// virtual names a service.
func virtual(s *tally.Service, words *explain.Catalogue) string {
	if s.Marked {
		return words.Word("fwmark", s.Fwmark)
	}
	return Clean(s.Virtual.String())
}

// Merge adds another listing to the summary.
func (s *Summary) Merge(o *Summary) {
	s.Of++
	if s.Name != o.Name {
		s.Name = fmt.Sprintf("%s + %s", s.Name, o.Name)
		s.Kind = capture.File // several inputs are shown by their names
	}
	s.Input.Add(&o.Input)
	s.Tally.Merge(o.Tally)
	s.Complete = s.Complete && o.Complete
	s.CutShort, s.Cut = s.CutShort || o.CutShort, s.Cut || o.Cut
	s.Torn, s.Anonymized = s.Torn || o.Torn, s.Anonymized || o.Anonymized
	if s.Host != o.Host {
		s.Host = ""
	}
	s.Misread += o.Misread
	s.Config = conn.Common(s.Config, o.Config)
	s.Format = FormatOf(&s.Input, parse.Auto)
	if s.TimeFrom != o.TimeFrom || !s.Time.Equal(o.Time) {
		s.Time, s.TimeFrom = time.Time{}, TimeUnknown
	}
}
