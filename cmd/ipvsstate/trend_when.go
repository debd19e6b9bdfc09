package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"ipvsstate/internal/capture"
)

// span is a flag that takes a length of time, in days and weeks too.
type span struct{ time.Duration }

func (s *span) String() string {
	if s.Duration == 0 {
		return "" // which help does not print
	}
	return s.Duration.String()
}

func (s *span) Type() string { return "duration" }

func (s *span) Set(text string) (err error) {
	s.Duration, err = parseSpan(text)
	return err
}

var spanUnits = map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}

// parseSpan reads a length of time as Go writes it, or of several units up to weeks: 90s, 2h30m, 1d12h, 1.5h.
func parseSpan(text string) (time.Duration, error) {
	if d, err := time.ParseDuration(text); err == nil {
		return d, nil
	}
	refused := fmt.Errorf("%q is no length of time: it takes numbers with s, m, h, d or w, as 5m or 1d12h", text)
	sum := time.Duration(0)
	for rest := text; rest != ""; {
		i := 0
		for i < len(rest) && rest[i]-'0' <= 9 {
			i++
		}
		if i == len(rest) {
			return 0, refused
		}
		n, err := strconv.ParseInt(rest[:i], 10, 64)
		unit := spanUnits[rest[i]]
		if err != nil || unit == 0 || n > (math.MaxInt64-int64(sum))/int64(unit) {
			return 0, refused
		}
		sum += time.Duration(n) * unit
		rest = rest[i+1:]
	}
	if text == "" {
		return 0, refused
	}
	return sum, nil
}

// moment is the time that --since or --until names: a time in any of the forms that a listing may
// tell it in, a day, which is its midnight, or an age.
func moment(flag, text string, now time.Time) (t time.Time, err error) {
	if text == "" {
		return t, nil
	}
	if age, err := parseSpan(text); err == nil && age > 0 {
		return now.Add(-age), nil
	}
	if t, err = time.ParseInLocation(time.DateOnly, text, time.Local); err == nil {
		return t, nil
	}
	if t, ok := capture.ParseTime(text, time.Local); ok {
		return t, nil
	}
	return t, fail("hint.since", fmt.Errorf("--%s: %q is neither a time nor an age", flag, text))
}

// times reads --since, --until and --interval.
func (o *trendOptions) times(now time.Time) (since, until time.Time, err error) {
	if since, err = moment("since", o.since, now); err != nil {
		return since, until, err
	}
	if until, err = moment("until", o.until, now); err != nil {
		return since, until, err
	}
	switch {
	case !since.IsZero() && !until.IsZero() && since.After(until):
		return since, until, fail("hint.since-until", errors.New("--since is later than --until: there is no time between the two"))
	case o.interval.Duration < 0:
		return since, until, fail("hint.interval", fmt.Errorf("--interval %s: it takes no less than 0", o.interval.Duration))
	case o.interval.Duration%time.Second != 0:
		return since, until, fail("hint.interval", fmt.Errorf("--interval %s: it takes whole seconds", o.interval.Duration))
	}
	return since, until, nil
}
