// Package check holds counts against thresholds as monitoring plugins do: ranges in the
// notation of the Monitoring Plugins Development Guidelines, selectors of what is
// counted, and performance data. Numbers come in, numbers and verdicts go out; there are
// no sentences here.
package check

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Range is the values for which there is no alert, or with Inside those for which there
// is one (guidelines, "Threshold and Ranges"): 10 is 0 to 10, 10: from 10 on, ~:10 up to
// 10, 10:20 between, @10:20 the inside of it. Both ends belong to the range.
type Range struct {
	From, To float64 // infinite where there is no end
	Inside   bool
	// Percent says that it is of a share, 20%, in place of a count.
	Percent bool
}

// ParseRange reads a range.
func ParseRange(text string) (Range, error) {
	bad := func() (Range, error) {
		return Range{}, fmt.Errorf("%q is not a range, such as 10, 10:, ~:10, 10:20 or @10:20, with %% behind it for shares", text)
	}
	rest, percent := strings.CutSuffix(text, "%")
	rest, inside := strings.CutPrefix(rest, "@")
	r := Range{Inside: inside, Percent: percent, To: math.Inf(1)}
	from, to, two := strings.Cut(rest, ":")
	if !two {
		from, to = "0", from
		if to == "" {
			return bad()
		}
	}
	ok := true
	switch from {
	case "~":
		r.From = math.Inf(-1)
	case "": // :10 is 10
		ok = to != ""
	default:
		r.From, ok = number(from)
	}
	if to != "" && ok {
		r.To, ok = number(to)
	}
	if !ok || r.From > r.To {
		return bad()
	}
	return r, nil
}

// number reads a plain decimal number.
func number(text string) (float64, bool) {
	if text == "" || strings.Trim(text, "0123456789.-") != "" {
		return 0, false
	}
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil && !math.IsInf(v, 0)
}

// Alerts reports a value that the range has an alert for.
func (r Range) Alerts(v float64) bool { return (v < r.From || v > r.To) != r.Inside }

// String is the range as it is written, without the percent sign: in performance data
// the value's unit holds for it too.
func (r Range) String() string {
	var b strings.Builder
	if r.Inside {
		b.WriteByte('@')
	}
	switch {
	case math.IsInf(r.From, -1):
		b.WriteString("~:")
	case r.From != 0 || math.IsInf(r.To, 1):
		b.WriteString(format(r.From) + ":")
	}
	if !math.IsInf(r.To, 1) {
		b.WriteString(format(r.To))
	}
	return b.String()
}

// format writes a number as performance data has it: rounded to two places, without the
// zeros behind.
func format(v float64) string {
	text := strings.TrimRight(strconv.FormatFloat(v, 'f', 2, 64), "0")
	if text = strings.TrimSuffix(text, "."); text == "-0" {
		return "0"
	}
	return text
}
