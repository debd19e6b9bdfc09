package explain

import (
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/clipperhouse/displaywidth"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/machine"
)

const Chinese Language = "zh"

func load(t *testing.T, l Language) *Catalogue {
	t.Helper()
	c, err := Load(l)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// texts are all texts of a catalogue, by where they stand.
func (c *Catalogue) texts() map[string]string {
	all := map[string]string{}
	for key, text := range c.words {
		all["words "+key] = text
	}
	for _, t := range c.Topics() {
		at := string(t.Kind) + " " + t.Key + " "
		for field, text := range map[string]string{"name": t.Name, "line": t.Line, "line_nat": t.LineNAT, "line_dr": t.LineDR} {
			if text != "" {
				all[at+field] = text
			}
		}
		for _, f := range t.Fields {
			all[at+f.ID] = f.Text
		}
		for i, check := range t.Checks {
			all[at+"check "+strconv.Itoa(i)] = check.Why
		}
	}
	return all
}

var verb = regexp.MustCompile(`%(%|[-+# 0]*\d*(?:\.\d+)?[a-zA-Z])`)

// TestLanguagesAgree holds all languages to the same words, topics, fields and commands,
// and each pair of words to the same verbs in the same order.
func TestLanguagesAgree(t *testing.T) {
	en := load(t, English)
	for _, l := range Languages() {
		c := load(t, Language(l))
		a, b := en.texts(), c.texts()
		for _, at := range slices.Sorted(maps.Keys(a)) {
			if _, ok := b[at]; !ok {
				t.Errorf("%s lacks %s", l, at)
			} else if x, y := verb.FindAllString(a[at], -1), verb.FindAllString(b[at], -1); strings.HasPrefix(at, "words ") && !slices.Equal(x, y) {
				t.Errorf("%s has the verbs %v in English, %v in %s", at, x, y, l)
			}
		}
		for _, at := range slices.Sorted(maps.Keys(b)) {
			if _, ok := a[at]; !ok {
				t.Errorf("%s has %s, which English has not", l, at)
			}
		}
		for i, topic := range en.Topics() {
			if i >= len(c.Topics()) || c.Topics()[i].Key != topic.Key {
				t.Errorf("%s: topic %d is not %s: the order differs", l, i, topic.Key)
				break
			}
			if other := c.Topics()[i]; other.Like != topic.Like || !slices.EqualFunc(topic.Checks, other.Checks, func(a, b Check) bool { return a.On == b.On && a.Run == b.Run }) {
				t.Errorf("%s: %s has other commands or is like another", l, topic.Key)
			}
		}
	}
	if n := len(en.Topics()); n < 80 {
		t.Errorf("%d topics only", n)
	}
}

// widest is how many columns of a terminal a one-liner may take.
var widest = map[Language]int{English: 130, Chinese: 120}

func TestTexts(t *testing.T) {
	oneLine := func(at string) bool {
		return strings.HasPrefix(at, "words ") || strings.Contains(at, " line") || strings.HasSuffix(at, " name")
	}
	for _, l := range Languages() {
		for at, text := range load(t, Language(l)).texts() {
			if text == "" && at != "words head.bar" { // a column of bars has no title
				t.Errorf("%s: %s has no text", l, at)
			}
			if trimmed := strings.TrimSpace(text); trimmed != text && at != "words comma" && at != "words colon" && at != "words of.kind" {
				t.Errorf("%s: %s has blanks around: %q", l, at, text)
			}
			if strings.ContainsAny(strings.ReplaceAll(text, "\n\n", ""), "\n\t") || strings.Contains(text, "  ") {
				t.Errorf("%s: %s is not in paragraphs of one line: %q", l, at, text)
			}
			if strings.Count(text, "`")%2 != 0 {
				t.Errorf("%s: %s has an odd number of backticks", l, at)
			}
			if w := displaywidth.String(text); oneLine(at) && !strings.HasPrefix(at, "words list.hint") && w > widest[Language(l)] {
				t.Errorf("%s: %s takes %d columns, more than %d: %s", l, at, w, widest[Language(l)], text)
			}
		}
	}
}

var han = regexp.MustCompile(`\p{Han}`)

// TestEachInItsLanguage: a text that was copied and never translated has the same
// keys and verbs.
func TestEachInItsLanguage(t *testing.T) {
	for at, text := range load(t, English).texts() {
		if han.MatchString(text) {
			t.Errorf("en: %s has Chinese in it: %s", at, text)
		}
	}
	same := []string{"words head.bar", "words time.clock", "words fwmark", "words format.proc", "words format.proc_sync", "words timeouts.value", "words comma", "words colon", "words of.kind"} // names, and no words
	for at, text := range load(t, Chinese).texts() {
		counter := strings.HasSuffix(at, " counts") && strings.HasSuffix(text, "Conn。")
		sysctl := strings.HasSuffix(at, " name") && strings.Contains(text, "_") // a term that is called as it is spelt
		keys := strings.HasPrefix(at, "rule ") && strings.HasSuffix(at, " related")
		if !han.MatchString(text) && !slices.Contains(same, at) && !counter && !sysctl && !keys {
			t.Errorf("zh: %s has no Chinese in it: %s", at, text)
		}
	}
	// Chinese text between Chinese text has Chinese punctuation.
	ascii := regexp.MustCompile(`\p{Han}[,;:!?]|\p{Han}\. |\p{Han}\.$`)
	for at, text := range load(t, Chinese).texts() {
		if found := ascii.FindString(strings.ReplaceAll(text, "分:秒", "")); found != "" && at != "words comma" {
			t.Errorf("zh: %s has %q: %s", at, found, text)
		}
	}
}

// TestGlossary holds the Chinese texts to one word for each of the field's terms.
func TestGlossary(t *testing.T) {
	var glossary []struct {
		EN  string   `yaml:"en"`
		ZH  string   `yaml:"zh"`
		Not []string `yaml:"not"`
	}
	read("glossary", &glossary)
	if len(glossary) < 20 {
		t.Fatalf("%d terms only", len(glossary))
	}
	texts := load(t, Chinese).texts()
	all := strings.Join(slices.Collect(maps.Values(texts)), "\n")
	for _, term := range glossary {
		if !strings.Contains(all, term.ZH) {
			t.Errorf("no text has %s (%s)", term.ZH, term.EN)
		}
		for _, wrong := range term.Not {
			for at, text := range texts {
				if strings.Contains(text, wrong) {
					t.Errorf("%s says %s; it is %s (%s): %s", at, wrong, term.ZH, term.EN, text)
				}
			}
		}
	}
}

// occurs is the protocols that a state is seen with.
func occurs(s conn.State) []conn.Protocol {
	switch word := s.String(); {
	case word == "NONE" || word == "ESTABLISHED":
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

// TestEveryStateIsExplained has a topic for every state the program knows, with each
// protocol, and as a template of each kind.
func TestEveryStateIsExplained(t *testing.T) {
	c := load(t, English)
	for _, s := range conn.States() {
		for _, p := range occurs(s) {
			if key := c.State(p, s, conn.Connection).Key; key != s.String() && key != p.String()+"/"+s.String() {
				t.Errorf("%s %s is explained by %s", p, s, key)
			}
		}
		for k := conn.Template; int(k) < conn.NumKinds; k++ {
			want := "template/other"
			switch word := s.String(); { // what templates are seen in
			case k == conn.StaleTemplate:
				want = "template/invalidated"
			case word == "NONE" || word == "ASSURED" || word == "UDP":
				want = "template/" + word
			}
			if key := c.State(conn.TCP, s, k).Key; key != want {
				t.Errorf("a template (kind %d) in %s is explained by %s", k, s, key)
			}
		}
	}
	if key := c.State(conn.SCTP, conn.Established, conn.Connection).Key; key != "SCTP/ESTABLISHED" {
		t.Errorf("SCTP's ESTABLISHED is explained by %s", key)
	}
	unlisted, _ := conn.StateOf("NEW_STATE")
	// A key of the catalogue that is no state must not be taken for one.
	for _, word := range []string{"NEW_STATE", "unlisted", "untold", "template/NONE", "template/other", "SCTP/NONE"} {
		s, _ := conn.StateOf(word)
		if key := c.State(conn.TCP, s, conn.Connection).Key; key != "unlisted" {
			t.Errorf("%s is explained by %s", word, key)
		}
	}
	if key := c.State(conn.TCP, conn.State{}, conn.Connection).Key; key != "untold" {
		t.Errorf("a state that is not told is explained by %s", key)
	}
	for _, s := range []conn.State{unlisted, {}} {
		if key := c.State(conn.TCP, s, conn.Template).Key; key != "template/other" {
			t.Errorf("a template in %q is explained by %s", s, key)
		}
	}
}

func (c *Catalogue) directorTopic(key string) *Topic {
	for _, t := range c.Topics() {
		if t.Kind == Director && t.Key == key {
			return t
		}
	}
	return nil
}

// TestAccountsAreWhole: a state has every field, or says whose account holds for it.
func TestAccountsAreWhole(t *testing.T) {
	c := load(t, English)
	asides := []string{"template/other", "ASSURED", "unlisted", "untold", "ICMP"} // words, and no states of their own
	for _, topic := range c.Topics() {
		switch {
		case topic.Like != "":
			if like := c.directorTopic(topic.Like); like == nil || like.Like != "" {
				t.Errorf("%s is like %s, which has no account", topic.Key, topic.Like)
			}
		case topic.Kind == Director && (slices.Contains(asides, topic.Key) || slices.ContainsFunc(topic.Fields, func(f Field) bool { return f.ID == "note" })):
		default:
			for _, id := range fields[topic.Kind] {
				if id != "note" && id != "check" && !slices.ContainsFunc(topic.Fields, func(f Field) bool { return f.ID == id }) {
					t.Errorf("%s %s says nothing of %s", topic.Kind, topic.Key, id)
				}
			}
			if (topic.Kind == Director || topic.Kind == Socket || topic.Kind == Rule) && len(topic.Checks) == 0 {
				t.Errorf("%s %s names no command", topic.Kind, topic.Key)
			}
		}
		if topic.Name == "" || topic.Line == "" {
			t.Errorf("%s %s has no name or no sentence", topic.Kind, topic.Key)
		}
		for _, check := range topic.Checks {
			if !slices.Contains([]string{"director", "server", "client"}, check.On) || check.Run == "" || check.Why == "" {
				t.Errorf("%s %s: %+v", topic.Kind, topic.Key, check)
			}
		}
		if topic.Kind != Director {
			continue
		}
		word := topic.Key
		if p, state, ok := strings.Cut(word, "/"); ok {
			if _, known := conn.ProtocolOf(p); !known && p != "template" {
				t.Errorf("%q begins with no protocol", topic.Key)
			}
			word = state
		}
		if _, known := conn.StateOf(word); !known && !slices.Contains([]string{"template/other", "template/invalidated", "unlisted", "untold"}, topic.Key) {
			t.Errorf("%q is no state", topic.Key)
		}
	}
}

var durations = map[Language]*regexp.Regexp{
	English: regexp.MustCompile(`(\d[\d,]*(?:\.\d+)?)[ -]?(seconds?|minutes?|hours?|days?|s|min|h)\b`),
	Chinese: regexp.MustCompile(`(\d[\d,]*(?:\.\d+)?) ?(秒|分钟|小时|天)`),
}

var units = map[string]float64{"s": 1, "秒": 1, "m": 60, "分": 60, "h": 3600, "小": 3600, "d": 86400, "天": 86400}

// spans are the times in a text, in seconds.
func spans(l Language, text string) []float64 {
	var all []float64
	text = regexp.MustCompile("`[^`]*`").ReplaceAllString(text, "") // what a program prints
	for _, m := range durations[l].FindAllStringSubmatch(text, -1) {
		n, err := strconv.ParseFloat(strings.ReplaceAll(m[1], ",", ""), 64)
		if err != nil {
			panic(err)
		}
		all = append(all, n*units[string([]rune(m[2])[:1])])
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// TestTimesInTexts holds the times that texts tell to the kernel's, and both languages to
// the same.
func TestTimesInTexts(t *testing.T) {
	en, zh := load(t, English).texts(), load(t, Chinese).texts()
	for at, text := range en {
		if a, b := spans(English, text), spans(Chinese, zh[at]); !slices.Equal(a, b) {
			t.Errorf("%s has the times %v in English, %v in Chinese:\n%s\n%s", at, a, b, text, zh[at])
		}
	}
	for _, topic := range load(t, English).Topics() {
		if topic.Kind != Director {
			continue
		}
		p, word := conn.TCP, topic.Key
		if before, after, ok := strings.Cut(word, "/"); ok {
			p, _ = conn.ProtocolOf(before)
			word = after
		}
		s, known := conn.StateOf(word)
		if !known || strings.HasPrefix(topic.Key, "template/") {
			continue
		}
		dialect := conn.Linux
		want := conn.DefaultTimeouts.Of(dialect, p, s)
		for _, other := range []conn.Protocol{conn.UDP, conn.SCTP} {
			if want == conn.Unknown {
				want = conn.DefaultTimeouts.Of(dialect, other, s)
			}
		}
		if want == conn.Unknown {
			want = conn.DefaultTimeouts.Of(conn.DPVS, p, s)
		}
		if s == conn.None { // a new entry begins with 3 (ip_vs_conn_new), and no packet leads back to the table's 2
			want = 3
		}
		i := slices.IndexFunc(topic.Fields, func(f Field) bool { return f.ID == "stays" })
		if i < 0 || want == conn.Unknown {
			continue
		}
		if got := spans(English, topic.Fields[i].Text); !slices.Contains(got, float64(want)) {
			t.Errorf("%s stays %d seconds, the text has %v: %s", topic.Key, want, got, topic.Fields[i].Text)
		}
	}
}

// TestFilesLeadSomewhere: names, packets and changes are of topics that there are.
func TestFilesLeadSomewhere(t *testing.T) {
	c := load(t, English)
	topics := map[string]bool{}
	for _, topic := range c.Topics() {
		key := string(topic.Kind) + "/" + topic.Key
		if topics[key] {
			t.Errorf("%s comes twice", key)
		}
		topics[key] = true
	}
	for key, aliases := range c.rest().aliases {
		if !topics[key] {
			t.Errorf("%v are names of %q, which is no topic", aliases, key)
		}
	}
	for key, ladder := range c.rest().ladders {
		if !topics["life/"+key] {
			t.Errorf("the ladder %q is of no topic", key)
		}
		if ladder.Begin != "none" && ladder.Begin != "established" {
			t.Errorf("the ladder %q begins with %q", key, ladder.Begin)
		}
		for _, rung := range ladder.Steps {
			if _, err := machine.Of(conn.TCP).ParseEvent(rung.Packet); err != nil || strings.HasPrefix(rung.Packet, "+") {
				t.Errorf("ladder %s: %v", key, err)
			}
			for _, s := range []string{rung.Client, rung.Server} {
				if s != "" && !topics["socket/"+s] {
					t.Errorf("ladder %s: %q is no state of a socket", key, s)
				}
			}
		}
	}
	reached := map[string]bool{"CLOSED": true}
	for _, change := range c.rest().sockets {
		if !topics["socket/"+change.From] || !topics["socket/"+change.To] || !reached[change.From] || change.On == "" {
			t.Errorf("%+v leads from nowhere or to nowhere", change)
		}
		reached[change.To] = true
	}
	if len(reached) != 11 {
		t.Errorf("the diagram of TCP has %d states, not eleven", len(reached))
	}
	err := fs.WalkDir(files, "catalogue", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name := strings.TrimSuffix(strings.TrimPrefix(path, "catalogue/"), ".yaml")
		known := []string{"aliases", "ladders", "tcp", "glossary"}
		for _, l := range Languages() {
			known = append(known, l+"/words")
			for _, all := range kindFiles {
				for _, file := range all {
					known = append(known, l+"/"+file)
				}
			}
		}
		if !slices.Contains(known, name) {
			t.Errorf("nothing reads %s", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFind(t *testing.T) {
	c := load(t, English)
	tests := map[string]string{
		"syn_recv":     "[director/SYN_RECV]",
		"SYN-RECV":     "[director/SYN_RECV]",
		"synrecv":      "[director/SYN_RECV]",
		"FIN_WAIT_1":   "[director/FIN_WAIT socket/FIN_WAIT_1]",
		"fin wait":     "[director/FIN_WAIT]",
		"sctp/none":    "[director/SCTP/NONE]",
		"none":         "[director/NONE director/template/NONE director/SCTP/NONE]",
		"closing":      "[director/CLOSE socket/CLOSING]",
		"Handshake":    "[life/handshake]",
		"time-wait":    "[director/TIME_WAIT socket/TIME_WAIT life/time-wait]",
		"ESTABISHED":   "[director/ESTABISHED]",
		"ops":          "[term/one-packet]",
		"conn_tab":     "[]",
		"":             "[]",
		"life/reset":   "[life/reset]",
		"tcp_est":      "[director/TCP_EST]",
		"drop_packet":  "[term/drop_entry]",
		"half-open":    "[director/SYN_RECV]",
		"ERR!":         "[director/ERR!]",
		"?":            "[director/?]",
		"dead-server":  "[life/dead-server]",
		"SYNACK":       "[director/SYNACK term/secure_tcp]",
		"expire":       "[term/expire]",
		"three-way":    "[life/three-and-four]",
		"simultaneous": "[]",
		"LVS003":       "[rule/LVS003]",
		"lvs003":       "[rule/LVS003]",
		"lvs3":         "[rule/LVS003]",
		"LVS-10":       "[rule/LVS010]",
		"lvs":          "[]",
		"lvs0":         "[]",
		"syn-flood":    "[rule/LVS003]",
	}
	for word, want := range tests {
		var got []string
		for _, topic := range c.Find(word) {
			got = append(got, string(topic.Kind)+"/"+topic.Key)
		}
		if fmt.Sprint(got) != want {
			t.Errorf("%q leads to %v, want %s", word, got, want)
		}
	}
	for _, k := range Kinds() {
		if len(c.Find(string(k))) < 8 {
			t.Errorf("%s has %d topics", k, len(c.Find(string(k))))
		}
	}
	if len(c.Find("all")) != len(c.Topics()) {
		t.Error("all is not all")
	}
	for word, want := range map[string]string{"syn_rev": "SYN_RECV", "handshak": "handshake", "estblished": "ESTABLISHED", "conn_tab": "hash-table", "simultaneous": "simultaneous-close"} {
		if near := c.Near(word); len(near) == 0 || !slices.Contains(near, want) {
			t.Errorf("near %q is %v, want %s", word, near, want)
		}
	}
	if near := c.Near("qqqqqqqqqqqq"); len(near) > 0 {
		t.Errorf("near nothing is %v", near)
	}
}

func TestSentence(t *testing.T) {
	c := load(t, English)
	fin, _ := conn.StateOf("FIN_WAIT")
	topic := c.State(conn.TCP, fin, conn.Connection)
	if a, n, d := topic.Sentence(AnyView), topic.Sentence(BothWays), topic.Sentence(OneWay); a == n || a == d || n == d {
		t.Errorf("FIN_WAIT means %q, under NAT %q, under direct routing %q", a, n, d)
	}
	if topic = c.State(conn.UDP, conn.UDPState, conn.Connection); topic.LineNAT == "" && topic.Sentence(BothWays) != topic.Line {
		t.Error("a state without a sentence for NAT has another")
	}
}
