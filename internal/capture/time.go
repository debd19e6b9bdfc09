package capture

import (
	"bytes"
	"strings"
	"time"
	"unicode/utf8"

	"ipvsstate/internal/parse"
)

// TimeFrom says what told a snapshot's time.
type TimeFrom uint8

// What tells a snapshot's time.
const (
	// TimeUnknown is a time that nothing told.
	TimeUnknown TimeFrom = iota
	// TimeRecorded is the first line of a recorded snapshot.
	TimeRecorded
	// TimeLine is a line such as date(1) prints.
	TimeLine
	// TimeYearless is such a line without a year: the newest is taken in which it is not
	// behind the file's modification time.
	TimeYearless
	// TimeWatch is the head line of watch(1).
	TimeWatch
)

// told is a time with what told it.
type told struct {
	time time.Time
	from TimeFrom
	// host is told by the head line of watch(1), or stands before the time.
	host string
	// local says that no zone was told, or letters that several zones share, and that the
	// time was taken to be in the given location.
	local bool
}

// clock gives what a time does not tell itself.
type clock struct {
	loc    *time.Location
	newest time.Time // a year that is not told is the newest that ends before it; zero refuses
}

// maxTimeLine is the longest line, in bytes, that is looked at for a time or a host.
const maxTimeLine = 256

// lineTime is the time that a line tells which holds nothing else, but a label (date:,
// timestamp=, 时间：, snapshot at), decoration (# = - * > [ ] ( ) { } | + ~ _ . / and quotes) and terminal escapes. These are
// known, with fractions of a second or without:
//
//	Sun Nov 22 05:28:40 CST 2026         date in the C locale; the parts in any order
//	Sun 22 Nov 2026 05:28:40 AM UTC      in English ones, Sunday and November too
//	Sun, 22 Nov 2026 05:28:40 +0800      date -R
//	2026年 11月 22日 星期日 下午 05:28:40 CST     in Chinese ones, also 时分秒, and 日 11月 22
//	2026-11-22T05:28:40+08:00            ISO 8601 and what is like it: / or . in the date, a
//	                                     blank, _ or - for the T, Z, +08, +0800, letters;
//	                                     behind the date also 05-28-40
//	20261122T052840Z, 20261122052840     the same without separators
//	22-Nov-2026 05:28:40                 a month in letters between; / too, and : behind it
//	22.11.2026 05:28:40                  with dots, the day is first
//	1795325320, @1795325320              seconds since 1970, of 2008 to 2033; with 13, 16 or
//	                                     19 digits milli-, micro- and nanoseconds
//	Nov 22 05:28:40                      of a file whose modification time is known
//	Every 2.0s: ipvsadm -Lnc   lvs1: Sun Nov 22 05:28:40 2026    watch, with any of the above
//	lvs1: 2026-11-22 05:28:40            a host, with the colon or without, and any of the above
//	2026-11-22 05:28:40 lvs1             a host behind it, where the year is told
//	[2026-11-22 05:28:40] root@lvs1:~# ipvsadm -Lnc
//
// A host has a digit, a dot or a dash, so that other words are none; what only numbers
// (run-17) is none either.
//
// Behind a date with its year a time may be without seconds (2026-11-22 05:28, 202611220528);
// otherwise it is none. 22/11/2026 and 11/22/2026 are none: countries differ in which is the day.
//
// Letters of a zone count where date(1) prints them for one zone only, and where they are those
// of the location; any others (CST, IST) are taken to mean the location, as no letters are. A
// time that clocks showed twice when daylight saving ended is the first of the two if no
// letters say otherwise (Twice gives the second); one that they skipped when it began is as
// much later as they were put on.
func (c clock) lineTime(line []byte) (t told, ok bool) {
	if len(line) > maxTimeLine {
		return t, false
	}
	if bytes.IndexByte(line, 0x1b) >= 0 {
		line = parse.WithoutEscapes(line)
	}
	if bytes.IndexByte(line, 0xef) >= 0 {
		line = bytes.ReplaceAll(line, []byte("："), []byte(":"))
	}
	if t, ok = c.beforePrompt(line); ok {
		return t, true
	}
	text := trimMarks(line)
	if t, ok = c.trimmedTime(text); ok {
		return t, true
	}
	if inner := trimRareMarks(text); len(inner) < len(text) {
		return c.trimmedTime(trimMarks(inner))
	}
	return t, false
}

// trimRareMarks cuts marks off that times may end with themselves, as (CST) and those that are cut in
// their zone or clock do: what opens, and a plus, is none at the end alone.
func trimRareMarks(text []byte) []byte {
	inner := bytes.TrimLeft(text, "({|+~_./: \t")
	after := ")}|~_./ \t"
	if len(inner) < len(text) && text[0] == '+' {
		after += "+"
	}
	inner = bytes.TrimRight(inner, after)
	if clock, colon := bytes.CutSuffix(inner, []byte(":")); colon && bytes.Count(clock, []byte(":")) > 1 {
		inner = clock
	}
	return inner
}

func (c clock) trimmedTime(text []byte) (t told, ok bool) {
	if len(text) < len("1795325320") {
		return t, false
	}
	if first := text[0]; first-'0' > 9 {
		if rest, ok := watchHead(text); ok {
			return c.watch(rest)
		}
		label, utc := withoutLabel(text)
		if len(label) < len(text) {
			text = trimMarks(label)
		}
		if utc {
			c.loc = time.UTC
		}
	}
	if rest, at := bytes.CutPrefix(text, []byte("@")); at {
		if len(rest) < len("1795325320") || rest[0]-'0' > 9 || bytes.ContainsAny(rest, " -/:") {
			return t, false
		}
		text = rest
	}
	if t, ok = c.parse(text); ok {
		return t, true
	}
	if t, ok = c.behindHost(text); ok {
		return t, true
	}
	return c.beforeHost(text)
}

// beforePrompt is the time in brackets in front of a shell's prompt, which tells the host:
//
//	[2026-11-22 05:28:40] root@lvs1:~# ipvsadm -Lnc
func (c clock) beforePrompt(line []byte) (t told, ok bool) {
	line = bytes.TrimLeft(line, " ")
	if len(line) == 0 || line[0] != '[' {
		return t, false
	}
	text, prompt, _ := bytes.Cut(line[1:], []byte("]"))
	host, ok := promptHost(prompt)
	if !ok {
		return t, false
	}
	t, ok = c.parse(trimMarks(text))
	t.host = host
	return t, ok
}

// beforeHost is the time, with its year, that stands before a host, which has a digit or is one of a domain.
func (c clock) beforeHost(text []byte) (t told, ok bool) {
	at := bytes.LastIndexByte(text, ' ')
	if at < 0 {
		return t, false
	}
	name := text[at+1:]
	if !bytes.ContainsAny(name, "0123456789") && bytes.Count(name, []byte(".")) < 2 || !isWordEnd(name) || !isDirector(string(name)) {
		return t, false
	}
	t, ok = c.parse(trimMarks(text[:at]))
	t.host = string(name)
	return t, ok && t.from == TimeLine
}

// isWordEnd reports a letter or a digit at the end.
func isWordEnd(name []byte) bool {
	c := name[len(name)-1]
	return c-'0' <= 9 || c|0x20-'a' < 26
}

// isDirector reports a host's name, and none that only numbers, as run-17 does.
func isDirector(name string) bool {
	word := strings.ToLower(strings.TrimRight(name, "0123456789.-_"))
	counts := numbers[word] || kindWords[word] && !numbered(word, strings.TrimLeft(name[len(word):], "-_."))
	return couldBeHost(name) && !counts
}

// ParseTime is the time that a text tells which holds nothing else, in the forms of lineTime's; without
// a zone it is one of loc.
func ParseTime(text string, loc *time.Location) (t time.Time, ok bool) {
	told, ok := clock{loc: loc}.parse([]byte(text))
	return told.time, ok
}

// behindHost is the time that stands behind a host.
func (c clock) behindHost(text []byte) (t told, ok bool) {
	name, rest, _ := bytes.Cut(text, []byte(" "))
	name, rest = trimMarks(bytes.TrimSuffix(name, []byte(":"))), trimMarks(rest)
	if len(rest) < len("1795325320") || !bytes.ContainsAny(name, "0123456789.-") {
		return t, false
	}
	if t, ok = c.parse(rest); !ok {
		return t, false
	}
	t.host = string(name)
	return t, isDirector(t.host)
}

// numbers are words that make a name of a number.
var numbers = wordSet("run sample iteration iter round no nr number loop batch step cycle take part try pass poll probe")

// tornTime finds the time at the end of a line that begins as a row, and what stands before it: a
// log's row was cut, and the next line written behind it. The time begins with a year or with a
// name, so that digits of the row are not taken for its own.
func (c clock) tornTime(line []byte) (row []byte, t told, ok bool) {
	if len(line) > maxTimeLine {
		return nil, t, false
	}
	text := bytes.TrimRightFunc(line, func(c rune) bool { return c < utf8.RuneSelf && isMark(byte(c)) })
	for i := 1; i < len(text)-len("2026-11-22 5:28"); i++ {
		if !beginsTime(text[i:]) {
			continue
		}
		if t, ok = c.parse(text[i:]); ok {
			return text[:i], t, true
		}
	}
	return nil, t, false
}

// beginsTime reports a year of four digits, a word as Sun and Nov are, which no state is, or a
// Chinese one.
func beginsTime(b []byte) bool {
	switch c := b[0]; {
	case c == '2':
		n, _ := digits(b)
		return n == 4
	case c-'A' < 26:
		return b[1]-'a' < 26 && b[2]-'a' < 26
	default:
		return c >= utf8.RuneSelf
	}
}

// watch finds the time at the end of watch's head line, behind the interval, and the host
// before it, empty in versions that do not print one.
func (c clock) watch(rest []byte) (t told, ok bool) {
	var field []byte
	for i := 0; i < len(rest); {
		if rest[i] == ' ' {
			i++
			continue
		}
		if t, ok = c.parse(rest[i:]); ok {
			t.from = TimeWatch
			if name, colon := bytes.CutSuffix(field, []byte(":")); colon && isHostName(name) {
				t.host = string(name)
			}
			return t, true
		}
		n := bytes.IndexByte(rest[i:], ' ')
		if n < 0 {
			break
		}
		field = rest[i : i+n]
		i += n
	}
	return t, false
}

// watchHead cuts `Every 2.0s:` off a line, in English or Chinese (每 2.0 秒：).
func watchHead(text []byte) (rest []byte, ok bool) {
	rest, ok = bytes.CutPrefix(text, []byte("Every "))
	if !ok {
		rest, ok = bytes.CutPrefix(text, []byte("每"))
		rest = bytes.TrimPrefix(bytes.TrimLeft(rest, " "), []byte("隔"))
		rest = bytes.TrimLeft(rest, " ")
	}
	if !ok || len(rest) == 0 || rest[0]-'0' > 9 {
		return nil, false
	}
	if i := bytes.IndexByte(rest, ':'); i >= 0 && i < 12 {
		return rest[i+1:], true
	}
	if i := bytes.Index(rest, []byte("：")); i >= 0 && i < 12 {
		return rest[i+len("："):], true
	}
	return nil, false
}

// trimMarks cuts blanks and what lines are set off with from both ends.
func trimMarks(text []byte) []byte {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	for len(text) > 0 && isMark(text[0]) {
		text = text[1:]
	}
	for len(text) > 0 && isMark(text[len(text)-1]) {
		text = text[:len(text)-1]
	}
	return text
}

func isMark(c byte) bool {
	switch c {
	case ' ', '\t', '\r', '#', '=', '-', '*', '>', '<', '[', ']', '"', '\'', ',', ';':
		return true
	}
	return false
}

// labels are the words that may stand before a time with a colon or an equals sign.
var labels = map[string]bool{
	"date": true, "time": true, "datetime": true, "date time": true, "timestamp": true, "ts": true, "now": true, "at": true,
	"taken": true, "taken at": true, "captured": true, "captured at": true, "collected": true, "collected at": true,
	"generated": true, "generated at": true, "start": true, "start time": true, "current time": true, "local time": true, "snapshot": true,
	"snapshot at": true, "epoch": true, "run at": true, "begin": true, "begin at": true, "recorded": true, "recorded at": true, "recorded on": true,
	"时间": true, "日期": true, "日期时间": true, "时间戳": true, "当前时间": true, "采集时间": true, "抓取时间": true, "系统时间": true, "时刻": true,
	"记录时间": true, "巡检时间": true, "检查时间": true, "执行时间": true, "开始时间": true, "生成时间": true,
	"時間": true, "目前時間": true, "擷取時間": true,
}

// maxLabel is the longest label in bytes.
const maxLabel = 24

// bareLabels are those that need no sign behind them.
var bareLabels = map[string]bool{
	"date": true, "timestamp": true, "snapshot at": true, "taken at": true, "captured at": true, "collected at": true, "recorded at": true, "run at": true, "begin": true, "begin at": true,
}

// withoutLabel cuts a label off a text; utc is said by it: Timestamp (UTC).
func withoutLabel(text []byte) (rest []byte, utc bool) {
	switch text[0] | 0x20 {
	case 'd', 't', 'n', 'a', 'c', 'g', 's', 'l', 'e', 'r', 'b':
	default:
		if text[0] < 0x80 {
			return text, false
		}
	}
	var word [maxLabel]byte
	for i, c := range text[:min(len(text), maxLabel)] {
		switch {
		case c == ':' || c == '=':
			label, utc := bytes.CutSuffix(bytes.TrimRight(word[:i], " \"'"), []byte("(utc)"))
			if labels[string(bytes.TrimRight(label, " "))] {
				return text[i+1:], utc
			}
			return text, false
		case c == ' ' && bareLabels[string(word[:i])] && !bytes.HasPrefix(text[i:], []byte(" at")) && !bytes.HasPrefix(text[i:], []byte(" (")): // Begin at, Timestamp (UTC)
			return text[i+1:], false
		case c == '_' || c == '-':
			c = ' '
		case c-'A' < 26:
			c += 'a' - 'A'
		}
		word[i] = c
	}
	return text, false
}

// parse reads a text that is a time and nothing else.
func (c clock) parse(text []byte) (t told, ok bool) {
	var s stamp
	if !s.read(text) {
		return t, false
	}
	t.from = TimeLine
	switch {
	case s.unix:
		t.time = time.Unix(s.seconds, int64(s.nano))
		return t, true
	case !s.has(monthPart | dayPart | hourPart | minutePart), !s.has(yearPart) && !s.has(secondPart):
		return t, false
	case s.has(yearPart):
		t.time, t.local, ok = s.instant(c.loc)
		return t, ok
	case c.newest.IsZero():
		return t, false
	}
	t.from = TimeYearless
	// A day's grace is for a clock that is wrong, and for another zone.
	for n, limit := 0, c.newest.Add(24*time.Hour); n <= 8; n++ {
		s.year = limit.In(c.loc).Year() + 1 - n
		t.time, t.local, ok = s.instant(c.loc)
		if ok && !t.time.After(limit) && (!s.has(weekdayPart) || s.wall().Weekday() == s.weekday) {
			return t, true
		}
	}
	return t, false
}
