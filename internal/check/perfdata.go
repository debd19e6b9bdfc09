package check

import (
	"strings"

	"ipvsstate/internal/tally"
)

// maxPerfdata bounds the performance data: a listing could have any number of words for
// states.
const maxPerfdata = 40

// Perfdata is a result as performance data: 'label'=value[%];warn;crit;0;
func (v *Result) Perfdata() string {
	unit := ""
	if v.Metric.Percent() {
		unit = "%"
	}
	limit := func(r *Range) string {
		if r == nil {
			return ""
		}
		return r.String()
	}
	value := format(v.Value)
	if v.Metric.Percent() && v.Of == 0 {
		value, unit = "U", "" // the guidelines' word for a value that cannot be told
	}
	return label(v.Metric.Selector.text) + "=" + value + unit + ";" + limit(v.Metric.Warning) + ";" + limit(v.Metric.Critical) + ";0;"
}

// Usual is the performance data where no thresholds are given: connections, templates,
// and each protocol's states.
func Usual(t *tally.Tally) []string {
	all := []string{
		"connections=" + format(float64(t.Connections())) + ";;;0;",
		"templates=" + format(float64(t.Templates())) + ";;;0;",
	}
	for _, c := range t.States(tally.ByLifeCycle) {
		if len(all) == maxPerfdata {
			break
		}
		if c.State.Index() != 0 {
			all = append(all, label(c.Protocol.String()+" "+c.State.String())+"="+format(float64(c.Count))+";;;0;")
		}
	}
	return all
}

// label quotes a label: what would end it, or the line, is left out.
func label(text string) string {
	text = strings.Map(func(c rune) rune {
		if c <= ' ' && c != ' ' || c == '=' || c == '|' || c == '\'' || c == 0x7f {
			return -1
		}
		return c
	}, text)
	if strings.ContainsAny(text, " :[]/@") {
		return "'" + text + "'"
	}
	return text
}
