package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strings"

	"ipvsstate/internal/capture"
	"ipvsstate/internal/check"
	"ipvsstate/internal/conn"
	"ipvsstate/internal/diagnose"
	"ipvsstate/internal/explain"
	"ipvsstate/internal/history"
)

// sentence is a finding in words.
func sentence(g *diagnose.Finding, word *explain.Catalogue) string {
	args := make([]any, len(g.Facts))
	for i, fact := range g.Facts {
		switch v := fact.Value.(type) {
		case uint64:
			args[i] = explain.Thousands(v)
		case diagnose.Share:
			args[i] = fmt.Sprintf("%.1f%%", 100*float64(v))
		case conn.Seconds:
			args[i] = clock(v)
			if v%60 == 0 && v > 0 {
				args[i] = span(v)
			}
		case string:
			args[i] = Clean(v)
		}
	}
	text := word.Word("finding."+strings.TrimSuffix(g.Code+"."+g.Case, "."), args...)
	if g.Sampled > 1 {
		return word.Word("sampled", text, explain.Thousands(g.Sampled))
	}
	return text
}

// EventOf is a finding as it is followed over time: its rule, and what it is about, without
// the numbers that change from one snapshot to the next.
func EventOf(g *diagnose.Finding, word *explain.Catalogue) history.Event {
	e := history.Event{Severity: g.Severity.String(), Code: g.Code, Text: word.Rule(g.Code).Name}
	var about []string
	for _, fact := range g.Facts {
		if text, ok := fact.Value.(string); ok && text != "" {
			about = append(about, Clean(text))
		}
	}
	if len(about) > 0 {
		e.Text += word.Word("colon") + strings.Join(about, word.Word("comma"))
	}
	return e
}

// FindingText is a finding in one line, with its rule.
func FindingText(g *diagnose.Finding, word *explain.Catalogue) string {
	return g.Code + " " + sentence(g, word)
}

// ThresholdText says which threshold a count is beyond.
func ThresholdText(r *check.Result, word *explain.Catalogue) string {
	limit := r.Metric.Warning
	if r.Status == check.Critical {
		limit = r.Metric.Critical
	}
	value, unit := explain.Thousands(r.Count), ""
	if r.Metric.Percent() {
		value, unit = fmt.Sprintf("%.1f%%", r.Value), "%"
	}
	return word.Word("check.beyond", Clean(r.Metric.Selector.String()), value, limit.String()+unit)
}

// findingsTable has a line for each finding.
func (s *Summary) findingsTable(o Options) *table {
	word := o.Words
	t := &table{columns: []column{
		{head: word.Word("head.severity")}, {head: word.Word("head.rule")}, {head: word.Word("head.finding"), flexible: true},
	}}
	all := len(s.Diagnosis.Findings)
	most := ofOneRule
	if o.Wide {
		most = all
	}
	rest := all
	for g := range firstOfEach(s.Diagnosis.Findings, most) {
		if g.finding != nil {
			t.add(word.Word("severity."+g.finding.Severity.String()), g.finding.Code, sentence(g.finding, word))
			rest--
		}
	}
	if rest > 0 {
		t.add("", "", word.Word("findings.rest", explain.Thousands(uint64(rest))))
	}
	return t
}

// ofOneRule is how many findings of a rule are shown: a hundred services in the same
// plight would hide what else is wrong.
const ofOneRule = 3

// shownFinding is a finding, or how many more there are of a rule.
type shownFinding struct {
	finding *diagnose.Finding
	code    string
	more    int
}

// firstOfEach goes through findings, of each rule so many at most; what is left out
// follows the last that is shown.
func firstOfEach(all []diagnose.Finding, most int) iter.Seq[shownFinding] {
	return func(yield func(shownFinding) bool) {
		seen, count := map[string]int{}, map[string]int{}
		for i := range all {
			count[all[i].Code]++
		}
		for i := range all {
			code := all[i].Code
			seen[code]++
			if seen[code] <= most && !yield(shownFinding{finding: &all[i]}) {
				return
			}
			if more := count[code] - most; seen[code] == most && more > 0 && !yield(shownFinding{code: code, more: more}) {
				return
			}
		}
	}
}

// DiagnosisOptions say how a diagnosis is written.
type DiagnosisOptions struct {
	Options
	// Verbose adds the rules that could not look, and why.
	Verbose bool
}

// DiagnosisScreen writes the findings for a person, the worst first.
func DiagnosisScreen(w io.Writer, s *Summary, o DiagnosisOptions) error {
	if err := writeFacts(w, s.facts(o.Options), o.Options); err != nil {
		return err
	}
	width := o.Width
	if width == 0 {
		width = widestText
	}
	p := &prose{w: w, words: o.Words, width: max(min(width, widestText), leastText)}
	most := ofOneRule
	if o.Verbose {
		most = len(s.Diagnosis.Findings)
	}
	for g := range firstOfEach(s.Diagnosis.Findings, most) {
		p.line("")
		if g.finding == nil {
			p.paragraphs("", 0, o.Words.Word("findings.more", explain.Thousands(uint64(g.more)), g.code))
			continue
		}
		p.finding(g.finding, s.command(g.finding), o.Color)
	}
	p.line("")
	p.paragraphs("", 0, s.looked(o.Words))
	if o.Verbose {
		for _, skipped := range s.Diagnosis.Skipped {
			label := skipped.Code + "  "
			p.paragraphs(label, len(label), o.Words.Word("rule.skipped", needs(skipped.Needs, o.Words)))
		}
	}
	return p.err
}

func (p *prose) finding(g *diagnose.Finding, run string, color bool) {
	head := p.words.Word("severity."+g.Severity.String()) + "  " + g.Code
	if t := p.words.Rule(g.Code); t != nil {
		head += "  " + t.Name
	}
	if color {
		head = severityColors[g.Severity] + head + "\x1b[0m"
	}
	p.line(head)
	p.paragraphs("  ", 2, sentence(g, p.words))
	if run != "" {
		p.line("  $ " + run)
	}
	p.line("  $ ipvsstate explain " + g.Code)
}

// command is a finding's command, of this program for the file that was read. A file with
// a name that a shell or a terminal would make something of is left for the user to add.
func (s *Summary) command(g *diagnose.Finding) string {
	plain := strings.Trim(s.Name, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ./_-:+=@,%") == "" && !strings.HasPrefix(s.Name, "-")
	if s.Kind != capture.File || !plain || s.Name == "" || !strings.HasPrefix(g.Run, "ipvsstate ") {
		return g.Run
	}
	return g.Run + " " + s.Name
}

var severityColors = map[diagnose.Severity]string{diagnose.Critical: "\x1b[1;31m", diagnose.Warning: "\x1b[1;33m", diagnose.Notice: "\x1b[1;36m"}

// looked is what was looked at, and by how many rules.
func (s *Summary) looked(word *explain.Catalogue) string {
	d := s.Diagnosis
	key := "found"
	if len(d.Findings) == 0 {
		key = "nothing"
	}
	n := func(n int) string { return explain.Thousands(uint64(n)) }
	text := word.Word("looked."+key, n(d.Asked), explain.Thousands(s.Tally.Connections()+s.Tally.Templates()), n(len(s.Tally.Services())))
	if d.Sampled > 1 {
		text = word.Word("looked.sample", text, explain.Thousands(d.Sampled))
	}
	if len(d.Skipped) > 0 {
		text = word.Word("looked.skipped", text, n(len(d.Skipped)))
	}
	return text
}

func needs(all []diagnose.Need, word *explain.Catalogue) string {
	var texts []string
	for _, n := range all {
		texts = append(texts, word.Word("need."+string(n)))
	}
	return strings.Join(texts, word.Word("comma"))
}

// DiagnosisMarkdown writes the findings as a ticket's text.
func DiagnosisMarkdown(w io.Writer, s *Summary, o DiagnosisOptions) error {
	o.Options = o.plain()
	var b bytes.Buffer
	if err := markdown(&b, s.facts(o.Options), nil); err != nil {
		return err
	}
	for i := range s.Diagnosis.Findings {
		g := &s.Diagnosis.Findings[i]
		fmt.Fprintf(&b, "\n### %s %s", o.Words.Word("severity."+g.Severity.String()), g.Code)
		t := o.Words.Rule(g.Code)
		if t != nil {
			b.WriteString(": " + escapeMarkdown(t.Name))
		}
		fmt.Fprintf(&b, "\n\n%s\n", escapeMarkdown(sentence(g, o.Words)))
		if run := s.command(g); run != "" {
			fmt.Fprintf(&b, "\n    %s\n", run)
		}
		if t != nil {
			fmt.Fprintf(&b, "\n%s\n", escapeMarkdown(t.Line))
		}
	}
	fmt.Fprintf(&b, "\n%s\n", escapeMarkdown(s.looked(o.Words)))
	_, err := b.WriteTo(w)
	return err
}

type diagnosisJSON struct {
	Schema      int           `json:"schema"`
	Lang        string        `json:"lang"`
	Source      sourceJSON    `json:"source"`
	Snapshot    snapshotJSON  `json:"snapshot"`
	Input       inputJSON     `json:"input"`
	Connections uint64        `json:"connections"`
	Templates   uint64        `json:"templates"`
	Findings    []findingJSON `json:"findings"`
	Asked       int           `json:"rules_asked"`
	Skipped     []skippedJSON `json:"rules_skipped"`
}

type findingJSON struct {
	Code     string         `json:"code"`
	Severity string         `json:"severity"`
	Title    string         `json:"title"`
	Text     string         `json:"text"`
	Facts    map[string]any `json:"facts"`
	Sampled  uint64         `json:"sampled_one_of"`
	Run      *string        `json:"run"`
}

type skippedJSON struct {
	Code  string          `json:"code"`
	Needs []diagnose.Need `json:"needs"`
}

// findingsDocument are the findings for a program: a fact's time is in seconds, its share
// a part of 1.
func (s *Summary) findingsDocument(word *explain.Catalogue) []findingJSON {
	all := make([]findingJSON, 0)
	for i := range s.Diagnosis.Findings {
		g := &s.Diagnosis.Findings[i]
		j := findingJSON{Code: g.Code, Severity: g.Severity.String(), Text: sentence(g, word), Facts: make(map[string]any), Sampled: g.Sampled, Run: optional(s.command(g), g.Run != "")}
		if t := word.Rule(g.Code); t != nil {
			j.Title = t.Name
		}
		for _, fact := range g.Facts {
			name, value := fact.Name, fact.Value
			if seconds, ok := value.(conn.Seconds); ok {
				name += "_seconds"
				if seconds == conn.Unknown {
					value = nil
				}
			}
			j.Facts[name] = value
		}
		all = append(all, j)
	}
	return all
}

// DiagnosisJSON writes the diagnosis as one JSON document.
func DiagnosisJSON(w io.Writer, s *Summary, o DiagnosisOptions) error {
	d := diagnosisJSON{
		Schema: Schema, Lang: string(o.Words.Language),
		Source: s.sourceDocument(), Snapshot: s.snapshotDocument(), Input: s.inputDocument(),
		Connections: s.Tally.Connections(), Templates: s.Tally.Templates(),
		Findings: s.findingsDocument(o.Words), Asked: s.Diagnosis.Asked, Skipped: make([]skippedJSON, 0),
	}
	for _, r := range s.Diagnosis.Skipped {
		d.Skipped = append(d.Skipped, skippedJSON{r.Code, r.Needs})
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(d)
}

// RulesTable lists the rules with what they go by and need.
func RulesTable(w io.Writer, settings diagnose.Settings, o Options) error {
	word := o.Words
	t := &table{columns: []column{
		{head: word.Word("head.rule")}, {head: word.Word("head.severity")}, {head: word.Word("head.title")},
		{head: word.Word("head.thresholds"), flexible: true, priority: 1}, {head: word.Word("head.needs"), priority: 2},
	}}
	for _, r := range diagnose.Rules() {
		title := ""
		if topic := word.Rule(r.Code); topic != nil {
			title = topic.Name
		}
		var thresholds []string
		for _, name := range r.Thresholds {
			thresholds = append(thresholds, fmt.Sprintf("%s=%v", name, settings[name]))
		}
		t.add(r.Code, word.Word("severity."+r.Severity.String()), title, strings.Join(thresholds, " "), needs(r.Needs, word))
	}
	return t.write(w, o.Width, o.Color)
}
