package capture

import (
	"bytes"
	"time"
	"unicode/utf8"
)

// stamp is a time as a text tells it, in parts.
type stamp struct {
	parts                                        parts
	year, month, day, hour, minute, second, nano int
	weekday                                      time.Weekday
	half                                         half
	zone                                         string // letters
	offset                                       int    // seconds east of UTC
	seconds                                      int64  // since 1970
	unix                                         bool   // seconds is all there is
}

// parts are those that were met.
type parts uint16

const (
	yearPart parts = 1 << iota
	monthPart
	dayPart
	hourPart
	minutePart
	secondPart
	weekdayPart
	zonePart
	offsetPart
	eraPart
)

// half is a half of the day, for hours that count to twelve.
type half uint8

const (
	wholeDay half = iota
	morning
	afternoon
	noon
	evening
)

func (s *stamp) has(p parts) bool { return s.parts&p == p }

// once notes that a part was met, and reports that it had not been before.
func (s *stamp) once(p parts) bool {
	first := s.parts&p == 0
	s.parts |= p
	return first
}

// read reads the parts, and reports that the text holds nothing else. It gives up at the
// first word that is none, which is the first of nearly every line that tells no time.
func (s *stamp) read(b []byte) bool {
	for i := 0; i < len(b); {
		n := 0
		switch c := b[i]; {
		case c == ' ' || c == '\t' || c == ',':
			n = 1
		case c-'0' <= 9:
			n = s.number(b[i:])
		case c == '+' || c == '-':
			n = s.readOffset(b[i:])
		case c|0x20-'a' < 26:
			n = s.word(b[i:])
		case c == '(':
			n = s.aside(b[i:])
		case c >= utf8.RuneSelf:
			n = s.chinese(b[i:])
		}
		if n == 0 {
			return false
		}
		i += n
	}
	return true
}

// number reads what begins with a digit and returns its length, 0 if it makes no sense.
func (s *stamp) number(b []byte) int {
	n, v := digits(b)
	next := byte(0)
	if n < len(b) {
		next = b[n]
	}
	switch {
	case n <= 2 && next == ':', n == 2 && next == '-' && s.has(yearPart|monthPart|dayPart):
		return s.clock(b, next)
	case n == 4 && (next == '-' || next == '/' || next == '.'):
		return s.date(b, next)
	case n <= 2 && (next == '-' || next == '/' || next == '.'):
		return s.dayFirst(b, next)
	case n == 8 && s.once(yearPart|monthPart|dayPart):
		s.year, s.month, s.day = int(v/10000), int(v/100%100), int(v%100)
		return n + separator(b[n:])
	case n == 14 && s.once(yearPart|monthPart|dayPart|hourPart|minutePart|secondPart):
		day := v / 1000000
		s.year, s.month, s.day = int(day/10000), int(day/100%100), int(day%100)
		s.compactClock(v % 1000000)
		return n + s.fraction(b[n:])
	case n == 12 && s.once(yearPart|monthPart|dayPart|hourPart|minutePart|secondPart):
		day := v / 10000
		s.year, s.month, s.day = int(day/10000), int(day/100%100), int(day%100)
		s.compactClock(v % 10000 * 100)
		return n
	case n == 6 && s.has(yearPart) && s.once(hourPart|minutePart|secondPart):
		s.compactClock(v)
		return n + s.fraction(b[n:])
	case n >= 10 && s.parts == 0:
		return s.epoch(b, n, v)
	case n > 4 || n == 3:
		return 0
	}
	if m := s.unit(b, n, int(v)); m > 0 {
		return m
	}
	if n == 4 && s.once(yearPart) {
		s.year = int(v)
		return n
	}
	if n <= 2 && s.once(dayPart) {
		s.day = int(v)
		return n
	}
	return 0
}

func (s *stamp) compactClock(v int64) {
	s.hour, s.minute, s.second = int(v/10000), int(v/100%100), int(v%100)
}

// date reads 2026-11-22 and the separator behind it.
func (s *stamp) date(b []byte, sep byte) int {
	if s.parts&^(weekdayPart|eraPart) != 0 {
		return 0
	}
	s.parts |= yearPart | monthPart | dayPart
	i := 4
	_, year := digits(b)
	n, month := digits(b[i+1:])
	if i += 1 + n; n == 0 || n > 2 || i >= len(b) || b[i] != sep {
		return 0
	}
	n, day := digits(b[i+1:])
	if i += 1 + n; n == 0 || n > 2 {
		return 0
	}
	s.year, s.month, s.day = int(year), int(month), int(day)
	return i + separator(b[i:])
}

// dayFirst reads 22-Nov-2026, 22/Nov/2026 and 22.11.2026, and the separator behind it, which is a
// colon in the logs of web servers.
func (s *stamp) dayFirst(b []byte, sep byte) int {
	i, day := digits(b)
	i++
	n, month := digits(b[i:])
	if sep != '.' {
		if n = len("Nov"); len(b) < i+n {
			return 0
		}
		if month = int64(calendar[[3]byte(b[i:i+n])]); month == 0 || month > 12 {
			return 0
		}
	}
	if i += n; n == 0 || n > 3 || i >= len(b) || b[i] != sep {
		return 0
	}
	n, year := digits(b[i+1:])
	if i += 1 + n; n != 4 || s.parts&^weekdayPart != 0 {
		return 0
	}
	s.parts |= yearPart | monthPart | dayPart
	s.year, s.month, s.day = int(year), int(month), int(day)
	if i+1 < len(b) && b[i] == ':' && b[i+1]-'0' <= 9 {
		return i + 1
	}
	return i + separator(b[i:])
}

// separator is 1 where a clock follows a T, an underscore or a dash.
func separator(b []byte) int {
	if len(b) > 1 && (b[0] == 'T' || b[0] == '_' || b[0] == '-') && b[1]-'0' <= 9 {
		return 1
	}
	return 0
}

// clock reads 05:28:40, and what follows the point, or 05:28 behind a date with its year; there
// it may have dashes, as in names of files.
func (s *stamp) clock(b []byte, sep byte) int {
	i, hour := digits(b)
	n, minute := digits(b[i+1:])
	if i += 1 + n; n != 2 || !s.dated() {
		return 0
	}
	if !s.once(hourPart | minutePart | secondPart) {
		return 0
	}
	s.hour, s.minute, s.second = int(hour), int(minute), 0
	if i == len(b) || b[i] != sep {
		if !s.has(yearPart) {
			return 0
		}
		return i
	}
	n, second := digits(b[i+1:])
	if i += 1 + n; n != 2 {
		return 0
	}
	s.second = int(second)
	return i + s.fraction(b[i:])
}

// dated reports that a day was met: no form has the clock in front, so that a line which
// begins with one (uptime, a log) is soon done with.
func (s *stamp) dated() bool { return s.has(monthPart | dayPart) }

// fraction reads .123 or ,123 behind seconds.
func (s *stamp) fraction(b []byte) int {
	if len(b) < 2 || b[0] != '.' && b[0] != ',' || b[1]-'0' > 9 {
		return 0
	}
	n, _ := digits(b[1:])
	for i := range 9 {
		s.nano *= 10
		if i < n {
			s.nano += int(b[1+i] - '0')
		}
	}
	return 1 + n
}

// The seconds since 1970 that are taken for a time: from 2008 on.
const minEpoch, maxEpoch = 1_200_000_000, 1_999_999_999

// epoch reads seconds, milli-, micro- or nanoseconds since 1970.
func (s *stamp) epoch(b []byte, n int, v int64) int {
	scale := int64(1)
	switch n {
	case 10:
		n += s.fraction(b[n:])
	case 13, 16, 19:
		for range n - 10 {
			scale *= 10
		}
		s.nano = int(v % scale * (1_000_000_000 / scale))
	default:
		return 0
	}
	s.seconds, s.unix = v/scale, true
	if n != len(b) || s.seconds < minEpoch || s.seconds > maxEpoch {
		return 0
	}
	return n
}

// unit reads the Chinese word behind a number, 年, 月, 日, 时, 分 or 秒, and returns the length
// of both.
func (s *stamp) unit(b []byte, n, v int) int {
	i := n
	for i < len(b) && b[i] == ' ' {
		i++
	}
	if i >= len(b) || b[i] < utf8.RuneSelf {
		return 0
	}
	r, size := utf8.DecodeRune(b[i:])
	i += size
	first := false
	switch {
	case r == '年' && n == 4:
		s.year, first = v, s.once(yearPart)
	case n > 2:
	case r == '月':
		s.month, first = v, s.once(monthPart)
	case r == '日' || r == '号' || r == '號':
		s.day, first = v, s.once(dayPart)
	case r == '时' || r == '時' || r == '点':
		s.hour, first = v, s.dated() && s.once(hourPart)
	case r == '分':
		s.minute, first = v, s.has(hourPart) && s.once(minutePart)
	case r == '秒':
		s.second, first = v, s.has(minutePart) && s.once(secondPart)
	}
	if !first {
		return 0
	}
	return i
}

// readOffset reads +08, +0800 or +08:00 behind a clock, or behind the letters UTC or GMT.
func (s *stamp) readOffset(b []byte) int {
	n, v := digits(b[1:])
	i := 1 + n
	if n == 2 && i+2 < len(b) && b[i] == ':' {
		m, minutes := digits(b[i+1:])
		if m != 2 {
			return 0
		}
		i, n, v = i+3, 4, v*100+minutes
	}
	switch {
	case !s.has(hourPart) || s.has(offsetPart) || s.zone != "" && s.zone != "UTC" && s.zone != "GMT":
		return 0
	case n == 1 && s.zone != "", n == 2:
		v *= 100
	case n != 4:
		return 0
	}
	s.parts |= offsetPart | zonePart
	if s.offset = int(v/100*3600 + v%100*60); b[0] == '-' {
		s.offset = -s.offset
	}
	if v > 1459 || v%100 > 59 {
		return 0
	}
	return i
}

// word reads a word of letters: a day, a month, AM or PM, a zone.
func (s *stamp) word(b []byte) int {
	n := 0
	for n < len(b) && b[n]|0x20-'a' < 26 {
		n++
	}
	if n > len("Wednesday") {
		return 0
	}
	word := b[:n]
	if n >= 3 && word[1] >= 'a' {
		i, part := calendar[[3]byte(word)], monthPart
		switch {
		case i == 0 || n > 3 && string(word) != calendarNames[i-1]:
			return 0
		case i <= 12:
			s.month = i
		default:
			s.weekday, part = time.Weekday(i-13), weekdayPart
		}
		if !s.once(part) {
			return 0
		}
		return n
	}
	switch {
	case n == 2 && word[0]|0x20 == 'a' && word[1]|0x20 == 't' && s.has(dayPart) && !s.has(hourPart):
	case !s.has(hourPart):
		return 0
	case n == 2 && word[1]|0x20 == 'm' && s.half == wholeDay && word[0]|0x20 == 'a':
		s.half = morning
	case n == 2 && word[1]|0x20 == 'm' && s.half == wholeDay && word[0]|0x20 == 'p':
		s.half = afternoon
	case (n == 1 && word[0] == 'Z' || n >= 3) && s.once(zonePart):
		for _, c := range word {
			if c > 'Z' {
				return 0
			}
		}
		s.zone = string(word)
	default:
		return 0
	}
	return n
}

var calendarNames = [...]string{
	"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
	"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
}

// calendar leads from the first three letters of a name to its place in calendarNames, from 1.
var calendar = func() map[[3]byte]int {
	m := make(map[[3]byte]int)
	for i, name := range calendarNames {
		m[[3]byte([]byte(name))] = i + 1
	}
	return m
}()

// aside passes over a zone's letters behind its offset, (CST), and over (日), the Chinese
// name of a day.
func (s *stamp) aside(b []byte) int {
	end := bytes.IndexByte(b, ')')
	if end < 0 {
		return 0
	}
	if text := b[1:end]; s.has(offsetPart) {
		for _, c := range text {
			if c-'A' >= 26 {
				return 0
			}
		}
	} else if m := chineseDay(text); m == 0 || m != len(text) {
		return 0
	}
	return end + 1
}

var chineseHalves = []struct {
	word string
	half half
}{
	{"上午", morning}, {"凌晨", morning}, {"早上", morning}, {"清晨", morning}, {"下午", afternoon}, {"中午", noon}, {"晚上", evening}, {"傍晚", evening},
}

// chinese reads a Chinese word.
func (s *stamp) chinese(b []byte) int {
	for _, h := range chineseHalves {
		if bytes.HasPrefix(b, []byte(h.word)) && s.half == wholeDay && s.dated() {
			s.half = h.half
			return len(h.word)
		}
	}
	for _, era := range [...]string{"公元", "西元"} {
		if bytes.HasPrefix(b, []byte(era)) && s.parts == 0 {
			s.parts |= eraPart
			return len(era)
		}
	}
	if bytes.HasPrefix(b, []byte("\u3000")) {
		return len("\u3000")
	}
	if n := chineseDay(b); n > 0 && s.once(weekdayPart) {
		// Its number is not kept: every form that has it has a year.
		s.parts &^= weekdayPart
		s.parts |= eraPart
		return n
	}
	return 0
}

// chineseDay is the length of a day's name, 星期日, 周日 or 日, at the start of b.
func chineseDay(b []byte) int {
	n := 0
	for _, word := range [...]string{"星期", "周", "週", "礼拜", "禮拜"} {
		if bytes.HasPrefix(b, []byte(word)) {
			n = len(word)
			break
		}
	}
	for _, day := range [...]string{"日", "一", "二", "三", "四", "五", "六", "天"} {
		if bytes.HasPrefix(b[n:], []byte(day)) {
			return n + len(day)
		}
	}
	return 0
}

// digits is how many digits stand at the start of b, and their value; more than 19 have
// none.
func digits(b []byte) (n int, v int64) {
	for n < len(b) && b[n]-'0' <= 9 {
		v = v*10 + int64(b[n]-'0')
		if n++; n > 19 {
			return n, 0
		}
	}
	return n, v
}

// wall is what the clocks showed, as if they stood in UTC.
func (s *stamp) wall() time.Time {
	return time.Date(s.year, time.Month(s.month), s.day, s.hour, s.minute, s.second, s.nano, time.UTC)
}
