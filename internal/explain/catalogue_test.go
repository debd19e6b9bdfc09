package explain

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/clipperhouse/displaywidth"

	"ipvsstate/internal/conn"
)

func load(t *testing.T, l Language) *Catalogue {
	t.Helper()
	c, err := Load(l)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// files of texts, as Load puts them into a catalogue.
func (c *Catalogue) files() map[string]map[string]string {
	return map[string]map[string]string{"states": c.states, "words": c.words}
}

var verb = regexp.MustCompile(`%(%|[-+# 0]*\d*(?:\.\d+)?[a-zA-Z])`)

// TestLanguagesAgree holds both languages to the same keys, and each pair of texts to
// the same verbs in the same order.
func TestLanguagesAgree(t *testing.T) {
	en, zh := load(t, English).files(), load(t, Chinese).files()
	for file := range en {
		a, b := en[file], zh[file]
		if len(a) < 30 {
			t.Errorf("%s.yaml has %d texts only", file, len(a))
		}
		for _, key := range slices.Sorted(maps.Keys(a)) {
			if _, ok := b[key]; !ok {
				t.Errorf("%s.yaml: %q is in English alone", file, key)
				continue
			}
			if x, y := verb.FindAllString(a[key], -1), verb.FindAllString(b[key], -1); !slices.Equal(x, y) {
				t.Errorf("%s.yaml: %q has the verbs %v in English, %v in Chinese", file, key, x, y)
			}
		}
		for _, key := range slices.Sorted(maps.Keys(b)) {
			if _, ok := a[key]; !ok {
				t.Errorf("%s.yaml: %q is in Chinese alone", file, key)
			}
		}
	}
}

// widest is how many columns of a terminal a one-liner may take.
var widest = map[Language]int{English: 130, Chinese: 110}

func TestTexts(t *testing.T) {
	for _, l := range Languages() {
		c := load(t, Language(l))
		for file, texts := range c.files() {
			for _, key := range slices.Sorted(maps.Keys(texts)) {
				text := texts[key]
				if text == "" && key != "head.bar" { // a column of bars has no title
					t.Errorf("%s/%s.yaml: %q has no text", l, file, key)
				}
				if trimmed := strings.TrimSpace(text); trimmed != text && key != "comma" {
					t.Errorf("%s/%s.yaml: %q has blanks around: %q", l, file, key, text)
				}
				if strings.ContainsAny(text, "\n\t") {
					t.Errorf("%s/%s.yaml: %q is not one line: %q", l, file, key, text)
				}
				if w := displaywidth.String(text); w > widest[Language(l)] {
					t.Errorf("%s/%s.yaml: %q takes %d columns, more than %d: %s", l, file, key, w, widest[Language(l)], text)
				}
			}
		}
	}
}

var han = regexp.MustCompile(`\p{Han}`)

// TestEachInItsLanguage: a text that was copied and never translated has the same
// keys and verbs.
func TestEachInItsLanguage(t *testing.T) {
	for file, texts := range load(t, English).files() {
		for key, text := range texts {
			if han.MatchString(text) {
				t.Errorf("en/%s.yaml: %q has Chinese in it: %s", file, key, text)
			}
		}
	}
	same := []string{"head.bar", "time.clock", "fwmark", "format.proc", "format.proc_sync", "timeouts.value", "comma"} // names, and no words
	for file, texts := range load(t, Chinese).files() {
		for key, text := range texts {
			if !han.MatchString(text) && !slices.Contains(same, key) {
				t.Errorf("zh/%s.yaml: %q has no Chinese in it: %s", file, key, text)
			}
		}
	}
}

// occurs is the protocols that a state is seen with.
func occurs(s conn.State) []conn.Protocol {
	switch word := s.String(); {
	case word == "NONE":
		return []conn.Protocol{conn.TCP, conn.SCTP}
	case word == "ESTABLISHED":
		return []conn.Protocol{conn.TCP, conn.SCTP}
	case word == "UDP" || strings.HasPrefix(word, "UDP_"):
		return []conn.Protocol{conn.UDP}
	case word == "ICMP" || strings.HasPrefix(word, "ICMP_"):
		return []conn.Protocol{conn.ICMP, conn.ICMPv6}
	case strings.HasPrefix(word, "TCP_"):
		return []conn.Protocol{conn.TCP}
	case strings.HasPrefix(word, "SCTP_"):
		return []conn.Protocol{conn.SCTP}
	}
	return []conn.Protocol{conn.TCP, conn.UDP, conn.SCTP} // or one of them: its text is the same
}

// TestEveryStateIsExplained has a text of its own for every state the program knows,
// with each protocol, and as a template of each kind.
func TestEveryStateIsExplained(t *testing.T) {
	for _, l := range Languages() {
		c := load(t, Language(l))
		other := c.states["template/other"]
		if c.states["template/invalidated"] == other {
			t.Errorf("%s: an invalidated template has the text of any other", l)
		}
		for _, s := range conn.States() {
			for _, p := range occurs(s) {
				text := c.Meaning(p, s, conn.Connection)
				if text == c.states["unlisted"] || text == c.states["untold"] || text == other {
					t.Errorf("%s: %s %s means %q", l, p, s, text)
				}
				if own := c.states[s.String()]; text != own && text != c.states[p.String()+"/"+s.String()] {
					t.Errorf("%s: %s %s means %q, which is another's text", l, p, s, text)
				}
			}
			for k := conn.Template; int(k) < conn.NumKinds; k++ {
				want := other
				switch word := s.String(); { // what templates are seen in
				case k == conn.StaleTemplate:
					want = c.states["template/invalidated"]
				case word == "NONE" || word == "ASSURED" || word == "UDP":
					want = c.states["template/"+word]
				}
				if text := c.Meaning(conn.TCP, s, k); text != want {
					t.Errorf("%s: a template (kind %d) in %s means %q, want %q", l, k, s, text, want)
				}
			}
		}
		if c.Meaning(conn.SCTP, conn.Established, conn.Connection) == c.Meaning(conn.TCP, conn.Established, conn.Connection) {
			t.Errorf("%s: SCTP's ESTABLISHED has TCP's text", l)
		}
	}
}

func TestUnlisted(t *testing.T) {
	c := load(t, English)
	unlisted, _ := conn.StateOf("NEW_STATE")
	untold := conn.State{}
	// A key of the catalogue that is no state must not be taken for one.
	for _, word := range []string{"NEW_STATE", "unlisted", "untold", "template/NONE", "template/other", "SCTP/NONE"} {
		s, _ := conn.StateOf(word)
		if text := c.Meaning(conn.TCP, s, conn.Connection); text != c.states["unlisted"] {
			t.Errorf("%s means %q", word, text)
		}
	}
	if text := c.Meaning(conn.TCP, untold, conn.Connection); text != c.states["untold"] {
		t.Errorf("a state that is not told means %q", text)
	}
	for _, s := range []conn.State{unlisted, untold} {
		if text := c.Meaning(conn.TCP, s, conn.Template); text != c.states["template/other"] {
			t.Errorf("a template in %q means %q", s, text)
		}
	}
}

// TestNoTextWithoutState finds texts that no state leads to.
func TestNoTextWithoutState(t *testing.T) {
	for key := range load(t, English).states {
		word := key
		if p, state, ok := strings.Cut(key, "/"); ok {
			if _, known := conn.ProtocolOf(p); !known && p != "template" {
				t.Errorf("%q begins with no protocol", key)
			}
			word = state
		}
		if _, known := conn.StateOf(word); !known && !slices.Contains([]string{"template/other", "template/invalidated", "unlisted", "untold"}, key) {
			t.Errorf("%q is no state", key)
		}
	}
}

// TestNumbersInTexts holds the times that texts quote to the kernel's.
func TestNumbersInTexts(t *testing.T) {
	state := func(word string) conn.State {
		s, known := conn.StateOf(word)
		if !known {
			t.Fatal(word)
		}
		return s
	}
	tests := []struct {
		protocol conn.Protocol
		state    string
		seconds  conn.Seconds
		en, zh   string
	}{
		{conn.TCP, "CLOSE", 10, "10 seconds", "10 秒"},
		{conn.TCP, "TIME_WAIT", 120, "2 minutes", "2 分钟"},
		{conn.SCTP, "REJECTED", 4, "4 seconds", "4 秒"},
	}
	for _, tt := range tests {
		if got := conn.DefaultTimeouts.Of(conn.Linux, tt.protocol, state(tt.state)); got != tt.seconds {
			t.Errorf("%s %s has the timeout %d, the text says %d", tt.protocol, tt.state, got, tt.seconds)
		}
	}
	// NONE: the longest that conn takes for a connection whose port it cannot see.
	none := conn.Entry{Protocol: conn.TCP, State: conn.None, Client: conn.Endpoint{Host: "h"}, Expires: 3}
	longer := none
	longer.Expires++
	if none.Kind() != conn.Connection || longer.Kind() == conn.Connection {
		t.Error("a connection is in NONE for other than 3 seconds")
	}
	tests = append(tests, struct {
		protocol conn.Protocol
		state    string
		seconds  conn.Seconds
		en, zh   string
	}{conn.TCP, "NONE", 3, "3 seconds", "3 秒"})

	// No other text quotes a time that nobody holds to the kernel's.
	quoted := map[Language]*regexp.Regexp{English: regexp.MustCompile(`\d+ (?:second|minute|hour)s?`), Chinese: regexp.MustCompile(`\d+ ?(?:秒|分钟|小时)`)}
	for l, pattern := range quoted {
		c := load(t, l)
		want := make(map[string]string)
		for _, tt := range tests {
			want[tt.state] = map[Language]string{English: tt.en, Chinese: tt.zh}[l]
		}
		got := make(map[string]string)
		for key, text := range c.states {
			if all := pattern.FindAllString(text, -1); len(all) > 0 {
				got[key] = strings.Join(all, ", ")
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s: times in the texts are %v, want %v", l, got, want)
		}
	}
}
