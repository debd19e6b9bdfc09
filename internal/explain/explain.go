// Package explain holds what the program says in words: what states mean, and the
// sentences around its tables, in English and Chinese. The texts are data, one
// file for each language and topic under catalogue/: correcting a sentence, or
// adding a language, takes no Go.
package explain

import (
	"embed"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"ipvsstate/internal/conn"
)

//go:embed catalogue
var files embed.FS

// Language is a language's code, as --lang takes it.
type Language string

// The languages there are texts in.
const (
	English Language = "en"
	Chinese Language = "zh"
)

// Languages lists the languages there are texts in.
func Languages() []string { return []string{string(English), string(Chinese)} }

// LanguageOf is the language that a POSIX locale (zh_CN.UTF-8) asks for; English
// where there are no texts in it.
func LanguageOf(locale string) Language {
	if l := strings.ToLower(locale); l == "zh" || strings.HasPrefix(l, "zh_") || strings.HasPrefix(l, "zh-") || strings.HasPrefix(l, "zh.") {
		return Chinese
	}
	return English
}

// Catalogue is the texts in one language.
type Catalogue struct {
	Language Language
	states   map[string]string
	words    map[string]string
}

// Load reads a language's texts. It fails only for a language there is none of.
func Load(l Language) (*Catalogue, error) {
	c := &Catalogue{Language: l}
	for file, to := range map[string]*map[string]string{"states": &c.states, "words": &c.words} {
		data, err := files.ReadFile(fmt.Sprintf("catalogue/%s/%s.yaml", l, file))
		if err != nil {
			return nil, fmt.Errorf("there are no texts in language %q: --lang takes %s", l, strings.Join(Languages(), " or "))
		}
		if err := yaml.Unmarshal(data, to); err != nil {
			return nil, fmt.Errorf("catalogue/%s/%s.yaml: %w", l, file, err)
		}
	}
	return c, nil
}

// Meaning is one line on what a state means at the director.
func (c *Catalogue) Meaning(p conn.Protocol, s conn.State, k conn.Kind) string {
	word := s.String()
	keys := []string{p.String() + "/" + word, word}
	switch {
	case k == conn.StaleTemplate:
		keys = []string{"template/invalidated"}
	case k != conn.Connection:
		keys = []string{"template/" + word, "template/other"}
	case word == "":
		keys = []string{"untold"}
	case s.Index() == 0:
		keys = []string{"unlisted"}
	}
	for _, key := range keys {
		if text, ok := c.states[key]; ok {
			return text
		}
	}
	return c.states["unlisted"]
}

// Word is a word or sentence of the program's own, with its arguments filled in.
// A key without a text is shown as itself: tests keep that from happening.
func (c *Catalogue) Word(key string, args ...any) string {
	text, ok := c.words[key]
	if !ok {
		text = key
	}
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// Count is a number of things, written as the language wants it: key with .one or
// .many behind it.
func (c *Catalogue) Count(key string, n uint64) string {
	form := ".many"
	if n == 1 {
		form = ".one"
	}
	return c.Word(key+form, Thousands(n))
}

// Thousands writes a number with commas.
func Thousands(n uint64) string {
	digits := fmt.Sprint(n)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}
