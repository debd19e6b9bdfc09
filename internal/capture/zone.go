package capture

import "time"

// zones are the letters that date(1) prints for zones that all have one offset. Missing are
// those that stand for several: CST (China, America, Cuba), IST (India, Israel, Ireland), and
// any that are not listed.
var zones = map[string]time.Duration{
	"Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "WEST": hours(1), "BST": hours(1), "CET": hours(1), "CEST": hours(2), "MET": hours(1), "MEST": hours(2),
	"EET": hours(2), "EEST": hours(3), "MSK": hours(3), "WAT": hours(1), "CAT": hours(2), "SAST": hours(2), "EAT": hours(3), "PKT": hours(5),
	"WIB": hours(7), "WITA": hours(8), "WIT": hours(9), "HKT": hours(8), "SGT": hours(8), "JST": hours(9), "KST": hours(9), "AWST": hours(8),
	"ACST": hours(9.5), "ACDT": hours(10.5), "AEST": hours(10), "AEDT": hours(11), "NZST": hours(12), "NZDT": hours(13),
	"NST": hours(-3.5), "NDT": hours(-2.5), "AST": hours(-4), "ADT": hours(-3), "EST": hours(-5), "EDT": hours(-4), "CDT": hours(-5),
	"MST": hours(-7), "MDT": hours(-6), "PST": hours(-8), "PDT": hours(-7), "AKST": hours(-9), "AKDT": hours(-8), "HST": hours(-10),
}

func hours(n float64) time.Duration { return time.Duration(n * float64(time.Hour)) }

// instants are the moments at which clocks in loc show what wall shows in UTC: one; two where
// they were put back, the first before the second; and where they were put on and never
// showed it, the one that is as much later. time.Date takes the first or the second, and the
// later or the earlier, as it comes: which depends on the zone.
func instants(wall time.Time, loc *time.Location) (first, second time.Time) {
	before, after := offsetAt(wall.Add(-24*time.Hour), loc), offsetAt(wall.Add(24*time.Hour), loc)
	first, second = wall.Add(-before).In(loc), wall.Add(-after).In(loc)
	shows := func(t time.Time, offset time.Duration) bool { return offsetAt(t, loc) == offset }
	switch {
	case before == after || !shows(second, after):
		return first, time.Time{}
	case !shows(first, before):
		return second, time.Time{}
	}
	return first, second
}

func offsetAt(t time.Time, loc *time.Location) time.Duration {
	_, seconds := t.In(loc).Zone()
	return time.Duration(seconds) * time.Second
}

// instant is the moment, and whether loc had to say which. A day or an hour that does not
// exist is none.
func (s *stamp) instant(loc *time.Location) (t time.Time, local, ok bool) {
	switch {
	case s.half > morning && s.hour == 0, s.half == morning && s.hour > 12, s.half == evening && s.hour == 12:
		return t, false, false
	case s.half == morning && s.hour == 12:
		s.hour = 0
	case s.half == afternoon && s.hour < 12, s.half == evening && s.hour < 12, s.half == noon && s.hour < 11:
		s.hour += 12
	}
	s.half = wholeDay
	wall := s.wall()
	if s.year < 1970 || int(wall.Month()) != s.month || wall.Day() != s.day || s.hour > 23 || s.minute > 59 || s.second > 59 {
		return t, false, false
	}
	if s.has(offsetPart) {
		return wall.Add(-time.Duration(s.offset) * time.Second), false, true
	}
	first, second := instants(wall, loc)
	offset, known := zones[s.zone]
	switch {
	case s.zone == "" || lettered(first, s.zone):
		return first, !known, true
	case !second.IsZero() && lettered(second, s.zone):
		return second, !known, true
	case known:
		return wall.Add(-offset), false, true
	}
	return first, true, true
}

func lettered(t time.Time, zone string) bool {
	name, _ := t.Zone()
	return name == zone
}

// Twice gives the later of the two moments at which clocks in loc showed the same, where t is
// the first of them, as of a time that was told without its zone when daylight saving ended.
func Twice(t time.Time, loc *time.Location) (later time.Time, ok bool) {
	wall := t.Add(offsetAt(t, loc)).UTC()
	first, second := instants(wall, loc)
	return second, !second.IsZero() && first.Equal(t)
}
