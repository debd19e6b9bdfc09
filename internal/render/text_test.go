package render

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/explain"
)

func TestClean(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", ""},
		{"ESTABLISHED", "ESTABLISHED"},
		{"连接表，状态", "连接表，状态"},
		{"é\u00a0ß", "é\u00a0ß"},
		{"a\x00b", "a\ufffdb"},
		{"\x1b[31mred\x1b[0m", "\ufffd[31mred\ufffd[0m"},
		{"\x1b]0;title\x07", "\ufffd]0;title\ufffd"},
		{"a\tb\nc\rd", "a\ufffdb\ufffdc\ufffdd"},
		{"\x7f", "\ufffd"},
		{"\u0080\u009b31m\u009f", "\ufffd\ufffd31m\ufffd"}, // C1 as UTF-8: CSI in one character
		{"\u00a0", "\u00a0"},
		{"\u202a\u202b\u202c\u202d\u202e", "\ufffd\ufffd\ufffd\ufffd\ufffd"},
		{"\u2066\u2067\u2068\u2069", "\ufffd\ufffd\ufffd\ufffd"},
		{"\u202f\u2065", "\u202f\u2065"}, // the neighbours of the marks
		{"\x9b31m", "\ufffd31m"},         // C1 as a byte
		{"a\xffb\xfe\xfdc", "a\ufffdb\ufffdc"},
		{"\xe4\xbd", "\ufffd"},                 // the beginning of a character
		{"\xed\xa0\x80", "\ufffd"},             // a surrogate
		{"\xc0\x80\xc1\xbf", "\ufffd"},         // too long for what they say
		{"\xf4\x90\x80\x80", "\ufffd"},         // beyond Unicode
		{"\ufffd", "\ufffd"},                   // as it came
		{"\U0001f600", "\U0001f600"},           // emoji
		{"it's \"quoted\"", "it's \"quoted\""}, // no business of Clean's
	}
	for _, tt := range tests {
		if got := Clean(tt.text); got != tt.want {
			t.Errorf("%q is cleaned to %q, want %q", tt.text, got, tt.want)
		}
	}
}

// TestCleanMarks: these are marks that reorder the text around them as well.
func TestCleanMarks(t *testing.T) {
	for _, mark := range []string{"\u200e", "\u200f", "\u061c"} {
		if got := Clean("a" + mark + "b"); got != "a\ufffdb" {
			t.Errorf("%q stays", got)
		}
	}
}

// TestCleanLineBreaks: Unicode's own line and paragraph separators.
func TestCleanLineBreaks(t *testing.T) {
	if got := Clean("a\u2028b\u2029c"); got != "a\ufffdb\ufffdc" {
		t.Errorf("%q", got)
	}
}

// FuzzClean holds whatever comes out to what a terminal may get.
func FuzzClean(f *testing.F) {
	for _, s := range []string{"", "a", "\x1b[2J", "\x9b", "\u009b", "连接", "\u202e", "\xff\x1b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Clean(s)
		if !utf8.ValidString(got) {
			t.Fatalf("%q is cleaned to %q, which is no UTF-8", s, got)
		}
		for _, r := range got {
			if r < ' ' || r >= 0x7f && r < 0xa0 {
				t.Fatalf("%q is cleaned to %q", s, got)
			}
		}
		if Clean(got) != got {
			t.Fatalf("%q is cleaned to %q, and that to %q", s, got, Clean(got))
		}
	})
}

func TestWrap(t *testing.T) {
	tests := []struct {
		text string
		w    int
		want []string
	}{
		{"", 10, []string{""}},
		{"one two", 0, []string{"one two"}},
		{"one two", 7, []string{"one two"}},
		{"one two", 6, []string{"one", "two"}},
		{"one two three", 9, []string{"one two", "three"}},
		{"one  two", 4, []string{"one", "two"}},
		{"incomprehensible", 6, []string{"incomp", "rehens", "ible"}},
		{"an incomprehensible word", 10, []string{"an", "incomprehe", "nsible", "word"}},
		{"连接已建立", 10, []string{"连接已建立"}},
		{"连接已建立", 9, []string{"连接已建", "立"}},
		{"连接已建立", 4, []string{"连接", "已建", "立"}},
		{"连接，已建立", 4, []string{"连", "接，", "已建", "立"}},
		{"已收到客户端 SYN，握手未完成。", 16, []string{"已收到客户端", "SYN，握手未完", "成。"}},
		{"（DPVS 的 COOKIE_SENT）", 14, []string{"（DPVS 的", "COOKIE_SENT）"}},
	}
	for _, tt := range tests {
		got := wrap(tt.text, tt.w)
		if strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
			t.Errorf("%q in %d columns is %q, want %q", tt.text, tt.w, got, tt.want)
		}
	}
}

// wrapped holds the lines of a wrapped text to what wrap promises.
func wrapped(t *testing.T, text string, w int) {
	t.Helper()
	squeeze := func(s string) string { return strings.ReplaceAll(s, " ", "") }
	lines := wrap(text, w)
	if got := strings.Join(lines, ""); squeeze(got) != squeeze(text) {
		t.Errorf("%q in %d columns has become %q", text, w, lines)
	}
	for _, line := range lines {
		if n := width(line); n > w {
			t.Errorf("%q in %d columns has a line of %d: %q", text, w, n, line)
		}
	}
}

// asciiWord is a word, or a path, that nothing but its own length may break.
var asciiWord = regexp.MustCompile(`[!-~]+`)

// closers may not begin a line of Chinese.
const closers = "，。；：、！？）》」』"

// TestWrapTexts wraps every sentence of the program at every width it can meet.
func TestWrapTexts(t *testing.T) {
	for _, l := range explain.Languages() {
		c := words(t, explain.Language(l))
		var texts []string
		for _, s := range conn.States() {
			for _, p := range conn.Protocols() {
				for k := range conn.NumKinds {
					for _, v := range []explain.View{explain.AnyView, explain.BothWays, explain.OneWay} {
						texts = append(texts, c.State(p, s, conn.Kind(k)).Sentence(v))
					}
				}
			}
		}
		for _, s := range []*Summary{live(t), troubled(t), unprivileged(t)} {
			for _, f := range s.facts(Options{Words: c}) {
				texts = append(texts, f[1])
			}
		}
		seen := make(map[string]bool)
		for _, text := range texts {
			if seen[text] {
				continue
			}
			seen[text] = true
			for w := leastFlexible; w <= 120; w++ {
				wrapped(t, text, w)
				lines := wrap(text, w)
				for _, word := range asciiWord.FindAllString(text, -1) {
					if len(word) <= w && !strings.Contains(strings.Join(lines, "\n"), word) {
						t.Errorf("%q in %d columns breaks the word %q: %q", text, w, word, lines)
					}
				}
				for i, line := range lines {
					if strings.Trim(line, " ") != line {
						t.Errorf("%q in %d columns has blanks around %q", text, w, line)
					}
					if r, _ := utf8.DecodeRuneInString(line); i > 0 && strings.ContainsRune(closers, r) {
						t.Errorf("%q in %d columns: line %d begins with %q", text, w, i+1, r)
					}
				}
			}
		}
	}
}

// TestWrapAnything wraps random texts, words longer than a line among them.
func TestWrapAnything(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	letters := []rune("abcdefg   -_.:/，。（）连接表状态“”é\ufffd")
	for range 3000 {
		text := make([]rune, rnd.IntN(120))
		for i := range text {
			text[i] = letters[rnd.IntN(len(letters))]
		}
		wrapped(t, strings.TrimSpace(string(text)), 2+rnd.IntN(60))
	}
}

// TestWrapEmoji has characters that are made of several: a file's name may.
func TestWrapEmoji(t *testing.T) {
	for _, text := range []string{strings.Repeat("☺️", 30), strings.Repeat("👩‍💻", 30), strings.Repeat("e\u0301", 60), strings.Repeat("🇨🇳", 30)} {
		for w := 10; w < 40; w++ {
			wrapped(t, text, w)
		}
	}
}

// TestWrapLongWords has closing punctuation behind a word as long as a line.
func TestWrapLongWords(t *testing.T) {
	for w := 24; w < 60; w++ {
		for i, line := range wrap("见 "+strings.Repeat("x", w)+"，然后", w) {
			if r, _ := utf8.DecodeRuneInString(line); i > 0 && strings.ContainsRune(closers, r) {
				t.Errorf("%d columns: line %d begins with %q", w, i+1, r)
			}
		}
	}
}

func TestSpan(t *testing.T) {
	for s, want := range map[conn.Seconds]string{
		conn.Unknown: "", 0: "0s", 1: "1s", 10: "10s", 59: "59s", 60: "1m", 61: "61s", 90: "90s", 120: "2m", 900: "15m", 901: "901s",
		3600: "1h", 5400: "90m", 7200: "2h", 7260: "121m", 10800: "3h", 2678400: "744h",
	} {
		if got := span(s); got != want {
			t.Errorf("%d seconds are written %q, want %q", s, got, want)
		}
	}
}

func TestPercent(t *testing.T) {
	for _, tt := range []struct {
		n, of uint64
		want  string
	}{{0, 0, "0.0%"}, {0, 5, "0.0%"}, {5, 5, "100.0%"}, {1, 3, "33.3%"}, {2, 3, "66.7%"}, {1, 100000, "0.0%"}} {
		if got := percent(tt.n, tt.of); got != tt.want {
			t.Errorf("%d of %d is %s, want %s", tt.n, tt.of, got, tt.want)
		}
	}
}
