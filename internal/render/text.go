package render

import (
	"strings"
	"unicode/utf8"

	"github.com/clipperhouse/displaywidth"

	html "ipvsstate/internal/page"
)

// Clean makes a text from the input safe for a terminal: control characters and
// bytes that are no UTF-8 become U+FFFD.
func Clean(s string) string { return html.Clean(s) }

// width is how many columns of a terminal a text takes.
func width(s string) int { return displaywidth.String(s) }

// Fit is as much of a text's beginning as a number of columns has room for.
func Fit(s string, columns int) string { return displaywidth.TruncateString(s, columns, "") }

// padTo adds blanks up to a width.
func padTo(s string, w int) string { return s + strings.Repeat(" ", max(0, w-width(s))) }

// wrap breaks a text into lines of at most w columns: between words, and in Chinese
// between any two characters, but not in front of closing punctuation. A word that
// is longer than a line is broken.
func wrap(s string, w int) []string {
	if w <= 0 || width(s) <= w {
		return []string{s}
	}
	var lines []string
	line := ""
	for _, piece := range pieces(s) {
		if width(line+strings.TrimRight(piece, " ")) <= w {
			line += piece
			continue
		}
		if line != "" {
			lines = append(lines, strings.TrimRight(line, " "))
		}
		line = strings.TrimLeft(piece, " ")
		for width(line) > w {
			head := cut(line, w)
			lines = append(lines, head)
			line = line[len(head):]
		}
	}
	return append(lines, strings.TrimRight(line, " "))
}

// cut is the longest beginning of s that fits w columns, at least one character. It
// leaves closing punctuation on the line with what stands before it.
func cut(s string, w int) string {
	end := 0
	for i, r := range s {
		next := i + utf8.RuneLen(r)
		if width(s[:next]) > w && i > 0 {
			break
		}
		end = next
	}
	if r, _ := utf8.DecodeRuneInString(s[end:]); end < len(s) && strings.ContainsRune(closing, r) {
		if _, n := utf8.DecodeLastRuneInString(s[:end]); n < end {
			end -= n
		}
	}
	return s[:end]
}

const closing = "，。；：、！？）》」』”’…,.;:!?)"

// pieces takes a text apart where it may be broken.
func pieces(s string) []string {
	var all []string
	start := 0
	previous := rune(0)
	for i, r := range s {
		wide := displaywidth.Rune(r) == 2 || displaywidth.Rune(previous) == 2
		breakable := previous == ' ' || wide && previous != 0 && r != ' ' && previous != '（' && previous != '“'
		if breakable && !strings.ContainsRune(closing, r) {
			all = append(all, s[start:i])
			start = i
		}
		previous = r
	}
	return append(all, s[start:])
}
