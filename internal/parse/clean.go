package parse

import (
	"bytes"
	"unicode/utf8"
)

// judge says what a line is that is not a row from its first byte on.
func (s *Scanner) judge(text []byte) {
	l := &s.line
	l.Text = text
	l.Format = Auto
	l.Garbled, l.OtherFormat = false, false
	if len(text) > MaxLine {
		l.Kind = BadLine
		l.Err = Error{Line: l.Number, Column: 1, Field: FieldLine, Reason: TooLong}
		return
	}
	s.tidy(text)
	if s.rowWithin() {
		if l.Kind == BadLine && s.trimQuotes() {
			err := l.Err
			if s.rowWithin(); l.Kind == BadLine {
				l.Err = err
			}
		}
		// A mark of seven digits looks like DPVS's seconds.
		if l.Kind == BadLine && bytes.HasPrefix(s.clean[4:], []byte("FWM ")) {
			s.config()
		}
		return
	}
	switch {
	case isTitle(s.clean):
		l.Kind, l.Format = TitleLine, Ipvsadm
	default:
		if f := columns(s.clean); f != Auto {
			l.Kind, l.Format = ColumnsLine, f
			return
		}
		if l.Message = message(s.clean); l.Message != NoMessage {
			l.Kind = MessageLine
			return
		}
		if !s.config() && !(s.trimQuotes() && s.config()) {
			l.Kind = Skipped
		}
	}
}

// rowWithin looks for a row in the tidied line: at its start, or behind a prefix
// such as `# `, `lvs1: `, `12:` or `[3]`. Where only a broken one is found the line
// is bad.
func (s *Scanner) rowWithin() bool {
	l := &s.line
	b := s.clean
	end := len(b) - pad
	bad := -1
	var err Error
	for i := 4; i < end; i++ {
		if !isWordByte(b[i]) || isWordByte(b[i-1]) && b[i-1] != '-' {
			continue
		}
		if i > 4 && !knownProtocol(b[i:]) {
			continue
		}
		s.unknownProtocol = nil
		switch next := s.row(b, i); {
		case next > 0:
			s.accept()
			return true
		case next == badRow && bad < 0:
			bad, err = i, l.Err
		}
	}
	s.unknownProtocol = nil
	if bad < 0 {
		return false
	}
	err.Line = l.Number
	err.Column = s.offset[min(err.Column, end)] + 1
	l.Kind, l.Err = BadLine, err
	return true
}

// trimQuotes takes from the tidied line's end what JSON, `cat -A` and Markdown tables
// leave there, and reports whether there was any.
func (s *Scanner) trimQuotes() bool {
	text := s.clean[:len(s.clean)-pad]
	kept := bytes.TrimRight(text, "\",$|` ")
	if len(kept) == len(text) || len(kept) < 4 {
		return false
	}
	s.endLine(len(kept))
	return true
}

// endLine cuts the tidied line to n bytes and puts newlines behind it.
func (s *Scanner) endLine(n int) {
	s.clean = s.clean[:n]
	for range pad {
		s.clean = append(s.clean, '\n')
	}
}

// knownProtocol reports a protocol's word at the start of b.
func knownProtocol(b []byte) bool {
	end := 0
	for end < 8 && isWordByte(b[end]) {
		end++
	}
	if end < 2 || !isEnd(b[end]) {
		return false
	}
	if bytes.HasPrefix(b, []byte("IP_")) || bytes.HasPrefix(b, noProtocol) {
		return true
	}
	_, known := protocolWords[string(b[:end])]
	return known
}

// tidy copies a line into s.clean without terminal escapes and control bytes, with
// every sort of blank as a space, four spaces before it and newlines behind it as
// the field readers want them; s.offset leads back.
func (s *Scanner) tidy(text []byte) {
	s.clean = append(s.clean[:0], "    "...)
	s.offset = append(s.offset[:0], 0, 0, 0, 0)
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == 0x1b:
			i += escapeLen(text[i:])
			continue
		case c == '\t' || c == '\r':
			c = ' '
		case c < ' ' || c == 0x7f:
			i++
			continue
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRune(text[i:])
			switch {
			case isBlankRune(r):
				s.clean = append(s.clean, ' ')
				s.offset = append(s.offset, i)
			case r == '\ufeff' || r == '\u200b' || r >= 0x80 && r < 0xa0:
			default:
				for k := range n {
					s.clean = append(s.clean, text[i+k])
					s.offset = append(s.offset, i+k)
				}
			}
			i += n
			continue
		}
		s.clean = append(s.clean, c)
		s.offset = append(s.offset, i)
		i++
	}
	n := len(s.clean)
	for n > 4 && s.clean[n-1] == ' ' {
		n--
	}
	s.offset = append(s.offset[:n], len(text))
	s.endLine(n)
}

// WithoutEscapes is the line without its terminal escapes. For one that is no colour, and may
// have moved the cursor, it has a blank.
func WithoutEscapes(line []byte) []byte {
	clean := make([]byte, 0, len(line))
	for i := 0; i < len(line); {
		if line[i] == 0x1b {
			n := escapeLen(line[i:])
			if i+1 < len(line) && line[i+1] == '[' && line[i+n-1] != 'm' {
				clean = append(clean, ' ')
			}
			i += n
			continue
		}
		clean = append(clean, line[i])
		i++
	}
	return clean
}

// isBlankRune reports the blanks that web pages and word processors leave: the
// no-break, the ideographic and the typographic spaces.
func isBlankRune(r rune) bool {
	return r == '\u00a0' || r == '\u3000' || r >= '\u2000' && r <= '\u200a' || r == '\u202f' || r == '\u205f'
}

// escapeLen is the length of the terminal escape sequence (ECMA-48) that text
// begins with.
func escapeLen(text []byte) int {
	if len(text) < 2 {
		return len(text)
	}
	switch text[1] {
	case '[': // CSI: parameters, then one byte of 0x40 to 0x7e
		for i := 2; i < len(text); i++ {
			if text[i] >= 0x40 && text[i] <= 0x7e {
				return i + 1
			}
		}
		return len(text)
	case ']', 'P', '^', '_', 'X': // strings, ended by BEL or ESC \
		for i := 2; i < len(text); i++ {
			if text[i] == 0x07 {
				return i + 1
			}
			if text[i] == 0x1b && i+1 < len(text) && text[i+1] == '\\' {
				return i + 2
			}
		}
		return len(text)
	case '(', ')', '*', '+', '#', '%', ' ': // one more byte
		return min(3, len(text))
	}
	return 2
}
