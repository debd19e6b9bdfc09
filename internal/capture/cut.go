package capture

import (
	"bytes"
	"slices"
	"strings"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/parse"
)

// A row ends in its middle at the input's end, or in a log where the next line was written behind
// it. Without its newline, at the end, it may be whole or the beginning of one. It is known to be
// a beginning
//
//   - where it could not be read because of its last field, or because a field is missing;
//   - where it is too short to be known for a row, and becomes one with the rest of another,
//     behind a row or column titles;
//   - where it is of titles, since their newline and rows, if there are any, are written with them;
//   - where it is of a proc file, which pads its last number, and is shorter than that, behind
//     one that is not or column titles.
//
// A row that ends within a last field that is not padded cannot be told from a whole one: a
// port of ipvsadm's or DPVS's, a persistence engine's data, a host's name.

// cutRow reports that the last line, which has no newline, is the beginning of a row. before is
// the line before it.
func cutRow(l *parse.Line, text, before []byte, scanner *parse.Scanner) bool {
	switch l.Kind {
	case parse.BadLine:
		if l.Err.Reason == parse.TooLong {
			return false
		}
		rest := bytes.Fields(text[min(len(text), l.Err.Column-1):])
		// In a proc file the last field may be an address and a port.
		return len(rest) < 2 || len(rest) == 2 && len(rest[1]) <= 4 && isHex(rest[1])
	case parse.EntryLine:
		switch l.Format {
		case parse.Proc, parse.ProcSync, parse.Fullnat:
			return endsBeforePad(text, before, scanner)
		}
	case parse.TitleLine, parse.ColumnsLine:
		return true // they are written at once with what follows
	case parse.Skipped:
		return !l.OtherFormat && (beginsRow(text, before, scanner) || beginsColumns(text) && kindOf(before, scanner) == parse.TitleLine)
	}
	return false
}

// ipvsadmColumns are the words of ipvsadm's column titles.
var ipvsadmColumns = []byte("pro expire state source virtual destination pe name pe_data ")

// beginsColumns reports the beginning of ipvsadm's column titles.
func beginsColumns(text []byte) bool {
	return bytes.HasPrefix(ipvsadmColumns, bytes.Join(bytes.Fields(text), []byte(" ")))
}

// endsBeforePad reports that a row of a proc file ends before its time left does, which the
// kernel prints behind the state, and the origin, in columns of 11, 6 and 7.
func endsBeforePad(text, before []byte, scanner *parse.Scanner) bool {
	width := func(line []byte) (n int, ok bool) {
		line = bytes.TrimRight(line, " \t\r")
		fields := bytes.Fields(line)
		if len(fields) < 9 {
			return 0, false
		}
		if n, _ := digits(fields[len(fields)-1]); n != len(fields[len(fields)-1]) {
			return 0, false // a persistence engine's data
		}
		state, least := fields[len(fields)-2], 11+1+7
		if origin := string(state); origin == "LOCAL" || origin == "SYNC" {
			state, least = fields[len(fields)-3], least+6+1
		}
		return len(line) - bytes.LastIndex(line, append([]byte(" "), state...)) - 1 - least, true
	}
	short, ok := width(text)
	full, padded := width(before)
	return ok && short < 0 && (padded && full >= 0 || kindOf(before, scanner) == parse.ColumnsLine)
}

func kindOf(line []byte, scanner *parse.Scanner) parse.LineKind {
	scanner.Reset(append(bytes.Clone(line), '\n'))
	scanner.Scan()
	return scanner.Line().Kind
}

// anyRows are a row of each sort.
var anyRows = [][]byte{
	[]byte("TCP 00:00 NONE 0.0.0.0:0 0.0.0.0:0 0.0.0.0:0"),
	[]byte("TCP 00000000 0000 00000000 0000 00000000 0000 NONE 0"),
	[]byte("TCP " + anyIPv6 + anyIPv6 + anyIPv6 + "NONE 0"),
	[]byte("[0]tcp 0s NONE 0.0.0.0:0 0.0.0.0:0 0.0.0.0:0 0.0.0.0:0"),
}

const anyIPv6 = "0000:0000:0000:0000:0000:0000:0000:0000 0000 "

// beginsRow reports that a text which is no row becomes one with what another has behind as many
// fields and bytes: the row before, or any.
func beginsRow(text, before []byte, scanner *parse.Scanner) bool {
	fields := bytes.Fields(text)
	if !hasProtocol(fields, bytes.HasSuffix(text, []byte(" "))) {
		return false
	}
	if kind := kindOf(before, scanner); kind != parse.ColumnsLine && kind != parse.EntryLine {
		return false
	}
	return completes(fields, before, scanner) || completesAny(fields, scanner)
}

func completesAny(fields [][]byte, scanner *parse.Scanner) bool {
	return slices.ContainsFunc(anyRows, func(row []byte) bool { return completes(fields, row, scanner) })
}

// tornRow reports that a text before a time is the beginning of a row, with the marks that the
// time's line begins with, and not a word of its own that happens to be a protocol.
func tornRow(text []byte, scanner *parse.Scanner) bool {
	row := bytes.TrimRight(text, " =#*-<>[")
	fields, whole := bytes.Fields(row), len(row) < len(text)
	return (len(fields) > 1 || !whole) && hasProtocol(fields, whole) && completesAny(fields, scanner)
}

// completes reports that the fields become a row with the rest of another.
func completes(fields [][]byte, row []byte, scanner *parse.Scanner) bool {
	pattern := bytes.Fields(row)
	last := len(fields) - 1
	if len(fields) >= len(pattern) {
		return false
	}
	whole := slices.Concat(fields, pattern[len(fields):])
	if torn, rest := fields[last], pattern[last]; last == 0 {
		whole[0] = rest
	} else if len(torn) < len(rest) {
		whole[last] = slices.Concat(torn, rest[len(torn):])
	}
	return kindOf(bytes.Join(whole, []byte(" ")), scanner) == parse.EntryLine
}

// isHex reports hexadecimal digits and colons, as addresses and ports are made of.
func isHex(text []byte) bool {
	for _, c := range text {
		if c-'0' > 9 && c|0x20-'a' >= 6 && c != ':' {
			return false
		}
	}
	return len(text) > 0
}

// hasProtocol reports the name of a protocol among the fields, or the beginning of one if the
// last field may not be whole.
func hasProtocol(fields [][]byte, whole bool) bool {
	for i, field := range fields {
		word := string(field)
		if c := strings.IndexByte(word, ']'); c >= 0 && word[0] == '[' {
			word = word[c+1:] // DPVS's processor
		}
		for _, p := range conn.Protocols() {
			name := p.String()
			if strings.EqualFold(word, name) || i == len(fields)-1 && !whole && len(word) <= len(name) && strings.EqualFold(word, name[:len(word)]) {
				return true
			}
		}
	}
	return false
}
