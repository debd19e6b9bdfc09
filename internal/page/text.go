package page

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// text is a text that has been cleaned. What a page shows is made of these, so that none
// can be forgotten; html/template escapes them.
type text string

func clean(s string) text { return text(Clean(s)) }

// Clean takes out what would make a name look like another, or disturb a terminal: control
// characters, marks that reorder the text around them, and bytes that are no UTF-8. They
// become U+FFFD.
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r < ' ', r >= 0x7f && r < 0xa0, // C0, DEL, C1
			r == '\u200e', r == '\u200f', r == '\u061c',
			r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069',
			r == '\u2028', r == '\u2029': // line and paragraph separators
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
}

// piece is a part of a text that is a time, which no line may break, or that is none.
type piece struct {
	Text text
	Time bool
}

var moment = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?( UTC)?`)

// Pieces takes a text apart where times begin and end.
func (t text) Pieces() (all []piece) {
	from := 0
	for _, m := range moment.FindAllStringIndex(string(t), -1) {
		if m[0] > from {
			all = append(all, piece{t[from:m[0]], false})
		}
		all = append(all, piece{t[m[0]:m[1]], true})
		from = m[1]
	}
	if from < len(t) {
		all = append(all, piece{t[from:], false})
	}
	return all
}

func cleanAll(all []string) []text {
	out := make([]text, len(all))
	for i, s := range all {
		out[i] = clean(s)
	}
	return out
}

func missing(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }

// number writes a value as the script does: two places at most, and commas between
// thousands.
func number(v float64) text {
	s := strconv.FormatFloat(v, 'f', 2, 64)
	s = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	whole, rest, _ := strings.Cut(s, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	var b strings.Builder
	for i, d := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	if rest != "" {
		b.WriteString("." + rest)
	}
	if b.String() == "0" {
		return "0"
	}
	return text(sign + b.String())
}

// clock is a time as the script writes it.
func clock(t time.Time) text { return text(t.UTC().Format("2006-01-02 15:04:05")) }

// letter is the name of the i-th mark on its flag: A to Z, then AA.
func letter(i int) text {
	s := string(rune('A' + i%26))
	if i >= 26 {
		return letter(i/26-1) + text(s)
	}
	return text(s)
}
