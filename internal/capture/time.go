package capture

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The forms in which a line tells when the listing behind it was taken: date(1) in
// the C, English and Chinese locales, ISO 8601, and the head line of watch(1). The
// line must hold nothing else but decoration.
var (
	isoTime     = regexp.MustCompile(`^(\d{4})[-/](\d{1,2})[-/](\d{1,2})[T_ ]+(\d{1,2}):(\d{2}):(\d{2})(?:[.,]\d+)? ?(Z|UTC|[+-]\d{2}:?\d{2})?$`)
	chineseTime = regexp.MustCompile(`^(\d{4}) ?年 ?(\d{1,2}) ?月 ?(\d{1,2}) ?日 ?(?:(?:星期|周)[一二三四五六日天] ?)?(\d{1,2})(?::|时)(\d{2})(?::|分)(\d{2})秒? ?([A-Z]{3,4})?(?:,? ?星期[一二三四五六日天])? ?([A-Z]{3,4})?$`)
	cTime       = regexp.MustCompile(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? +(?:([A-Z][a-z]{2}) +(\d{1,2})|(\d{1,2}) +([A-Z][a-z]{2}))(?: +(\d{4}))? +(\d{1,2}):(\d{2}):(\d{2})(?: +(AM|PM))?(?: +([A-Z]{3,5}|[+-]\d{2,4}))?(?: +(\d{4}))?$`)
	watchHead   = regexp.MustCompile(`^Every [\d.]+s: .* ([A-Z][a-z]{2} [A-Z][a-z]{2} +\d.*)$`)
	chineseHead = regexp.MustCompile(`^Every [\d.]+s: .* (\d{4}年.*)$`)
)

var months = map[string]time.Month{
	"Jan": 1, "Feb": 2, "Mar": 3, "Apr": 4, "May": 5, "Jun": 6, "Jul": 7, "Aug": 8, "Sep": 9, "Oct": 10, "Nov": 11, "Dec": 12,
}

// maxTimeLine is the longest line, in bytes, that is looked at for a time.
const maxTimeLine = 256

// lineTime is the time that a line tells. A time without a zone, or with one of the
// letters that several zones share (CST), is taken to be in loc.
func lineTime(line []byte, loc *time.Location) (t time.Time, ok bool) {
	if len(line) > maxTimeLine || bytes.IndexByte(line, ':') < 0 && !bytes.Contains(line, []byte("年")) {
		return t, false
	}
	text := strings.Trim(string(line), "#=-*>[] \t\r")
	if m := watchHead.FindStringSubmatch(text); m != nil {
		text = m[1]
	} else if m := chineseHead.FindStringSubmatch(text); m != nil {
		text = m[1]
	}
	if m := isoTime.FindStringSubmatch(text); m != nil {
		return at(m[1], number(m[2]), m[3], m[4], m[5], m[6], m[7], loc)
	}
	if m := chineseTime.FindStringSubmatch(text); m != nil {
		return at(m[1], number(m[2]), m[3], m[4], m[5], m[6], m[7]+m[8], loc)
	}
	if m := cTime.FindStringSubmatch(text); m != nil && (m[5] == "" || m[11] == "") {
		hour := number(m[6])
		switch {
		case m[9] == "PM" && hour < 12:
			hour += 12
		case m[9] == "AM" && hour == 12:
			hour = 0
		}
		return at(m[5]+m[11], int(months[m[1]+m[4]]), m[2]+m[3], strconv.Itoa(hour), m[7], m[8], m[10], loc)
	}
	return t, false
}

// at makes a time of its parts, and refuses a day or an hour that does not exist.
func at(year string, month int, day, hour, minute, second, zone string, loc *time.Location) (t time.Time, ok bool) {
	switch {
	case zone == "Z" || zone == "UTC" || zone == "GMT":
		loc = time.UTC
	case strings.HasPrefix(zone, "+") || strings.HasPrefix(zone, "-"):
		digits := strings.ReplaceAll(zone[1:], ":", "")
		offset := number((digits + "00")[:2])*3600 + number((digits + "00")[2:4])*60
		if zone[0] == '-' {
			offset = -offset
		}
		loc = time.FixedZone("", offset)
	}
	y, d, h, m, s := number(year), number(day), number(hour), number(minute), number(second)
	t = time.Date(y, time.Month(month), d, h, m, s, 0, loc)
	return t, y > 0 && t.Year() == y && int(t.Month()) == month && t.Day() == d && m < 60 && s < 60 && h < 24
}

// number is the value of a text of digits.
func number(digits string) int {
	n, _ := strconv.Atoi(digits) // the expressions let nothing else through
	return n
}
