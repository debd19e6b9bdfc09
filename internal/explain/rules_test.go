package explain

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ipvsstate/internal/diagnose"
)

func rules(c *Catalogue) []*Topic {
	return slices.DeleteFunc(slices.Clone(c.Topics()), func(t *Topic) bool { return t.Kind != Rule })
}

// TestRulesAreWhole: every rule of diagnose has a text, and nothing else has; it has every field of the form, in its order,
// with the commands between them, in every language.
func TestRulesAreWhole(t *testing.T) {
	want := slices.DeleteFunc(slices.Clone(fields[Rule]), func(id string) bool { return id == "check" })
	for _, l := range Languages() {
		all := rules(load(t, Language(l)))
		var codes, keys []string
		for _, r := range diagnose.Rules() {
			codes = append(codes, r.Code)
		}
		for _, r := range all {
			keys = append(keys, r.Key)
		}
		if !slices.Equal(keys, codes) {
			t.Errorf("%s: there are texts of %v, the rules are %v", l, keys, codes)
		}
		for _, r := range all {
			var got []string
			for _, f := range r.Fields {
				got = append(got, f.ID)
				if f.Text == "" || !f.Brief() {
					t.Errorf("%s: %s has no %s, or leaves it out of an account of middle length", l, r.Key, f.ID)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: %s has the fields %v, want %v", l, r.Key, got, want)
			}
			if r.ChecksAt != slices.Index(fields[Rule], "check") {
				t.Errorf("%s: %s tells its commands behind %d fields", l, r.Key, r.ChecksAt)
			}
			if !slices.ContainsFunc(r.Checks, func(c Check) bool { return c.On == "director" }) {
				t.Errorf("%s: %s is confirmed by no command on the director", l, r.Key)
			}
			if strings.ContainsAny(r.Name, ".。") || strings.Contains(r.Line, ". ") || strings.Count(r.Line, "。") > 1 {
				t.Errorf("%s: %s is called %q, in one sentence %q", l, r.Key, r.Name, r.Line)
			}
		}
	}
}

// TestCausesAreNumbered: several causes are numbered, a paragraph each and once, so that they can be referred to, and as
// many in every language.
func TestCausesAreNumbered(t *testing.T) {
	causes := map[string]int{}
	twice := regexp.MustCompile(`^\d+\. `)
	for _, l := range Languages() {
		for _, r := range rules(load(t, Language(l))) {
			paragraphs := strings.Split(r.field("why"), "\n\n")
			for i, text := range paragraphs {
				rest, ok := strings.CutPrefix(text, fmt.Sprintf("%d. ", i+1))
				if ok != (len(paragraphs) > 1) || twice.MatchString(rest) {
					t.Errorf("%s: cause %d of %s does not begin with its number alone: %s", l, i+1, r.Key, text)
				}
			}
			if n, ok := causes[r.Key]; ok && n != len(paragraphs) {
				t.Errorf("%s: %s has %d causes, another language %d", l, r.Key, len(paragraphs), n)
			}
			causes[r.Key] = len(paragraphs)
		}
	}
}

var code = regexp.MustCompile(`LVS\d+`)

// TestRulesLeadSomewhere: what a rule names as related is a topic's key, and the codes in its texts are of rules.
func TestRulesLeadSomewhere(t *testing.T) {
	en := load(t, English)
	keys := map[string]bool{}
	for _, topic := range en.Topics() {
		keys[topic.Key] = true
	}
	for _, r := range rules(en) {
		related := strings.Split(r.field("related"), ", ")
		for i, key := range related {
			if !keys[key] || key == r.Key || slices.Contains(related[:i], key) {
				t.Errorf("%s is related to %q, which is no topic, itself, or named twice", r.Key, key)
			}
		}
	}
	for _, l := range Languages() {
		for i, r := range rules(load(t, Language(l))) {
			if other := rules(en)[i]; r.field("related") != other.field("related") {
				t.Errorf("%s: %s is related to %s, in English to %s", l, r.Key, r.field("related"), other.field("related"))
			}
			for at, text := range load(t, Language(l)).texts() {
				if !strings.HasPrefix(at, "rule "+r.Key+" ") {
					continue
				}
				for _, other := range code.FindAllString(text, -1) {
					if !keys[other] {
						t.Errorf("%s: %s names %s, which is no rule", l, at, other)
					}
				}
			}
		}
	}
}

func (t *Topic) field(id string) string {
	if i := slices.IndexFunc(t.Fields, func(f Field) bool { return f.ID == id }); i >= 0 {
		return t.Fields[i].Text
	}
	return ""
}

// addresses are for documentation (RFC 5737), private ones of real servers, masks, or the sync daemon's group.
var addresses = regexp.MustCompile(`\b(192\.0\.2|198\.51\.100|10\.0\.0|255\.255\.255|224\.0\.0)\.\d+\b`)

func TestAddressesOfRules(t *testing.T) {
	any4 := regexp.MustCompile(`\b\d+\.\d+\.\d+\.\d+\b`)
	for _, l := range Languages() {
		for _, r := range rules(load(t, Language(l))) {
			text := ""
			for _, c := range r.Checks {
				text += c.Run + "\n"
			}
			for _, f := range r.Fields {
				text += f.Text + "\n"
			}
			for _, a := range any4.FindAllString(text, -1) {
				if !addresses.MatchString(a) {
					t.Errorf("%s: %s has the address %s, which may be somebody's", l, r.Key, a)
				}
			}
		}
	}
}
