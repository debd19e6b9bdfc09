// Package diagnose says whether something is wrong with a director: rules look at what
// was counted of its table, and at how it is configured, and findings come out, each with
// the numbers it rests on. Nothing here is text for people: a finding's sentence, and what
// is known of its rule, are in the catalogue under the rule's code.
package diagnose

import (
	"cmp"
	"slices"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/services"
	"ipvsstate/internal/tally"
)

// Severity is how bad a finding is.
type Severity uint8

// The severities.
const (
	Notice   Severity = iota // worth knowing
	Warning                  // something does not work as it should, or soon will not
	Critical                 // clients are not served
)

var severityNames = [...]string{"notice", "warning", "critical"}

// SeverityNames are the severities from the least on.
func SeverityNames() []string { return severityNames[:] }

func (s Severity) String() string { return severityNames[s] }

// SeverityOf is the severity of that name.
func SeverityOf(name string) (Severity, bool) {
	i := slices.Index(severityNames[:], name)
	return Severity(max(i, 0)), i >= 0
}

// Need is what a rule must know beside the table.
type Need string

// The needs.
const (
	NeedServices Need = "services" // how virtual services and real servers are configured
	NeedCounters Need = "counters" // the kernel's own, of the moment of the listing
	NeedTimes    Need = "times"    // how much time entries have left
	NeedOrigins  Need = "origins"  // which director entries come from
	NeedDaemons  Need = "daemons"  // which sync daemons run
	NeedBuckets  Need = "buckets"  // of the kernel's hash table
	NeedConnMax  Need = "conn_max" // the sysctl
)

// Share is a part of a whole, from 0 to 1.
type Share float64

// Fact is a number or a name that a finding rests on. Its value is a uint64 count, a
// Share, a conn.Seconds or a string; text comes from the input and is not safe for a
// terminal.
type Fact struct {
	Name  string
	Value any
}

// Finding is something that a rule found.
type Finding struct {
	Code     string
	Severity Severity
	// Case tells which of a rule's sentences it is, empty for its only one.
	Case string
	// Facts are what its sentence says, in the order of the sentence.
	Facts []Fact
	// Sampled says that numbers are estimates, from one of so many entries; 1 for counts.
	Sampled uint64
	// Run is the one command to run next.
	Run string
	// size orders findings of one severity: how many entries it is about.
	size uint64
}

// Rule is something that can be wrong.
type Rule struct {
	// Code is for ever, LVS001.
	Code     string
	Severity Severity
	Needs    []Need
	// Cases are what its findings can be, "" alone for most.
	Cases []string
	// Thresholds are the names of those that it goes by.
	Thresholds []string
	find       func(*Facts) []Finding
}

// rules are in the order of their codes, which are never used again.
var rules = []Rule{
	{"LVS001", Critical, nil, []string{""}, []string{"syn_recv.min", "syn_recv.server_share", "syn_recv.healthy_share"}, synServer},
	{"LVS002", Critical, nil, []string{"", "nat", "dr"}, []string{"syn_recv.min", "syn_recv.server_share", "flood.established"}, synService},
	{"LVS003", Critical, nil, []string{"", "few"}, []string{"flood.min", "flood.share", "flood.clients", "flood.established"}, synFlood},
	{"LVS004", Warning, nil, []string{""}, []string{"syn_recv.min", "scan.share"}, synScan},
	{"LVS005", Warning, []Need{NeedServices}, []string{"", "service"}, []string{"close.min", "close.share"}, refused},
	{"LVS006", Warning, nil, []string{""}, []string{"close_wait.min", "close_wait.share"}, closeWait},
	{"LVS007", Notice, []Need{NeedServices}, []string{""}, []string{"fin_wait.min", "fin_wait.share"}, finWait},
	{"LVS008", Warning, []Need{NeedTimes}, []string{"", "soon"}, []string{"idle.min", "idle.share", "idle.soon_share"}, idleEstablished},
	{"LVS009", Warning, []Need{NeedServices}, []string{"", "kept", "expired", "service", "several"}, []string{"gone.min", "gone.share"}, serverGone},
	{"LVS010", Notice, []Need{NeedServices}, []string{"", "templates"}, []string{"drained.share"}, drained},
	{"LVS011", Warning, []Need{NeedServices}, []string{"", "persistence", "long"}, []string{"uneven.min", "uneven.ratio"}, uneven},
	{"LVS012", Notice, nil, []string{"", "network"}, []string{"client.min", "client.share", "network.share"}, oneClient},
	{"LVS013", Warning, []Need{NeedServices}, []string{"", "drained"}, []string{"gone.min", "gone.share"}, udpGone},
	{"LVS014", Warning, []Need{NeedServices}, []string{"", "weights", "several"}, nil, noServers},
	{"LVS015", Notice, []Need{NeedServices}, []string{"", "several"}, []string{"silent.siblings"}, silentService},
	{"LVS016", Notice, nil, []string{""}, []string{"templates.min", "templates.ratio"}, manyTemplates},
	{"LVS017", Notice, []Need{NeedServices, NeedTimes}, []string{""}, []string{"rearmed.min", "rearmed.share"}, rearmedTemplates},
	{"LVS018", Warning, []Need{NeedOrigins, NeedDaemons}, []string{""}, nil, deafBackup},
	{"LVS019", Warning, []Need{NeedOrigins, NeedDaemons}, []string{""}, []string{"sync.min", "sync.share"}, idleMaster},
	{"LVS020", Notice, []Need{NeedCounters}, []string{""}, nil, counters},
	{"LVS021", Notice, []Need{NeedBuckets}, []string{""}, []string{"hash.load"}, hashFull},
	{"LVS022", Critical, []Need{NeedConnMax}, []string{""}, []string{"conn_max.share"}, connMax},
	{"LVS023", Warning, []Need{NeedServices}, []string{""}, []string{"impossible.min", "impossible.share"}, impossible},
	{"LVS024", Notice, nil, []string{""}, nil, secureTCP},
	{"LVS025", Notice, nil, []string{""}, []string{"port_reuse.share"}, portReuse},
	{"LVS026", Warning, nil, []string{"", "cut", "mixed"}, []string{"listing.bad_share"}, listing},
}

// Rules are all rules, in the order of their codes.
func Rules() []Rule { return rules }

// Listing is what is known of the listing itself.
type Listing struct {
	// Entries, Bad and Garbled are rows: read, unreadable, and without state and time.
	Entries, Bad, Garbled uint64
	// CutShort says that it is not whole, Mixed that its rows are of several formats.
	CutShort, Mixed bool
}

// Facts are what rules look at.
type Facts struct {
	Tally *tally.Tally
	// Report are the services, exact unless Sampled is more than 1; Sample is of the
	// tally's entries.
	Report  *services.Report
	Sampled uint64
	Sample  *tally.Sample
	// Config is how the director is configured, nil where nothing tells it.
	Config *conn.Config
	Idle   []tally.StateIdle
	// Dialect is whose table it is.
	Dialect conn.Dialect
	Listing Listing
	// Buckets is the size of the kernel's hash table, 0 where it is not known.
	Buckets uint64
	// OriginsTold says that the table tells which director entries come from.
	OriginsTold bool

	settings Settings
	found    map[string][]Finding // by code, of rules that ask for what others have found
}

// tells reports that a need is met.
func (f *Facts) tells(n Need) bool {
	configured := f.Report.Configured
	switch n {
	case NeedServices:
		return configured
	case NeedCounters:
		return configured && f.Sampled == 1 && slices.ContainsFunc(f.Report.Services, func(s services.Service) bool {
			return slices.ContainsFunc(s.Servers, func(v services.Server) bool { return v.Server.Active >= 0 })
		})
	case NeedTimes:
		return slices.ContainsFunc(f.Idle, func(i tally.StateIdle) bool { return i.Ranges[0] < i.Total() })
	case NeedOrigins:
		return f.OriginsTold
	case NeedDaemons:
		return f.Config != nil && f.Config.Daemons != nil
	case NeedBuckets:
		return f.Buckets > 0
	case NeedConnMax:
		return f.sysctl("conn_max") > 0
	}
	return false
}

// Skipped is a rule that could not be asked.
type Skipped struct {
	Code  string
	Needs []Need // that are not met
}

// Diagnosis is what the rules say.
type Diagnosis struct {
	// Findings are the worst first.
	Findings []Finding
	// Asked is how many rules looked, Skipped are the others.
	Asked   int
	Skipped []Skipped
	// Sampled is of how many entries one was looked at where not all were.
	Sampled uint64
}

// Worst is the severity of the worst finding; ok is false where there is none.
func (d *Diagnosis) Worst() (worst Severity, ok bool) {
	if len(d.Findings) == 0 {
		return 0, false
	}
	return d.Findings[0].Severity, true
}

// Run asks the rules that are chosen, nil for all.
func Run(f *Facts, s Settings, chosen func(code string) bool) *Diagnosis {
	f.settings, f.found = s, make(map[string][]Finding)
	d := &Diagnosis{Sampled: f.Sampled}
	if f.Sample != nil {
		d.Sampled = max(d.Sampled, f.Sample.Rate())
	}
	for i := range rules {
		r := &rules[i]
		var missing []Need
		for _, n := range r.Needs {
			if !f.tells(n) {
				missing = append(missing, n)
			}
		}
		if len(missing) > 0 {
			if chosen == nil || chosen(r.Code) {
				d.Skipped = append(d.Skipped, Skipped{r.Code, missing})
			}
			continue
		}
		found := r.find(f) // of all, since some rules look at what others have found
		for k := range found {
			found[k].Code, found[k].Severity = r.Code, r.Severity
		}
		f.found[r.Code] = found
		if chosen == nil || chosen(r.Code) {
			d.Asked++
			d.Findings = append(d.Findings, found...)
		}
	}
	slices.SortStableFunc(d.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(b.size, a.size))
	})
	return d
}
