package capture

import "time"

// AfterClockChange is a time that stands behind another in one input. Where clocks are set
// back for the winter an hour comes twice, and a time without a zone is taken for the first
// of the two: if it were older than the one before it, and the second is not, it is the
// second.
func AfterClockChange(t, before time.Time) time.Time {
	for _, step := range []time.Duration{time.Hour, 30 * time.Minute} { // Lord Howe's is half an hour
		if first := t.Add(-step); sameClock(t, first) { // which of the two Go takes is not said
			t = first
		}
		if second := t.Add(step); t.Before(before) && sameClock(t, second) && !second.Before(before) {
			return second
		}
	}
	return t
}

// sameClock reports two instants that a clock on the wall does not tell apart.
func sameClock(a, b time.Time) bool {
	const clock = "2006-01-02 15:04:05"
	return a.Format(clock) == b.Format(clock)
}
