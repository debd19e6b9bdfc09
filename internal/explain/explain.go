// Package explain holds what the program says in words: what states and terms mean, how
// connections live, and the sentences around its tables, in English and Chinese. The
// texts are data, files for each language under catalogue/: correcting a sentence, or
// adding a language, takes no Go.
package explain

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"ipvsstate/internal/conn"
)

//go:embed catalogue
var files embed.FS

// Language is a language's code, as --lang takes it.
type Language string

// English is the language for whoever has none of the others.
const English Language = "en"

// Languages lists the languages there are texts in: the catalogue's folders.
func Languages() []string {
	entries, err := files.ReadDir("catalogue")
	if err != nil {
		panic(err) // it is part of the program
	}
	var all []string
	for _, e := range entries {
		if e.IsDir() {
			all = append(all, e.Name())
		}
	}
	return all
}

// LanguageOf is the language that a POSIX locale (zh_CN.UTF-8) asks for; English
// where there are no texts in it.
func LanguageOf(locale string) Language {
	language, _, _ := strings.Cut(strings.NewReplacer("-", "_", ".", "_", "@", "_").Replace(strings.ToLower(locale)), "_")
	if slices.Contains(Languages(), language) {
		return Language(language)
	}
	return English
}

// Catalogue is the texts in one language. Its files are read when they are asked for: a
// summary has need of few.
type Catalogue struct {
	Language Language
	words    map[string]string
	files    map[string]func() []*Topic // topics by file
	rest     func() *rest
}

// rest is what only explanations have need of.
type rest struct {
	topics  []*Topic
	aliases map[string][]string // other names of topics, by KIND/KEY
	ladders map[string]*Ladder  // packets of lives, by key
	sockets []SocketChange
}

// loaded are the catalogues by language: each is read once.
var loaded sync.Map

// Load reads a language's texts. It fails only for a language there is none of.
func Load(l Language) (*Catalogue, error) {
	if c, ok := loaded.Load(l); ok {
		return c.(*Catalogue), nil
	}
	if !slices.Contains(Languages(), string(l)) {
		return nil, fmt.Errorf("there are no texts in language %q: --lang takes %s", l, strings.Join(Languages(), " or "))
	}
	c := &Catalogue{Language: l, files: map[string]func() []*Topic{}}
	for _, k := range Kinds() {
		for _, file := range kindFiles[k] {
			c.files[file] = sync.OnceValue(func() []*Topic { return c.read(k, file) })
		}
	}
	c.rest = sync.OnceValue(c.readRest)
	go c.files[kindFiles[Director][0]]() // most runs come to it, after they have read their input
	read(string(l)+"/words", &c.words)
	first, _ := loaded.LoadOrStore(l, c)
	return first.(*Catalogue), nil
}

// read reads a file of the catalogue, which is part of the program. Tests read them all.
func read(name string, to any) {
	data, err := files.ReadFile("catalogue/" + name + ".yaml")
	if err == nil {
		err = yaml.Unmarshal(data, to)
	}
	if err != nil {
		panic(fmt.Errorf("catalogue/%s.yaml: %w", name, err))
	}
}

// read reads the topics of a file, of that kind.
func (c *Catalogue) read(k Kind, file string) []*Topic {
	name := string(c.Language) + "/" + file
	var root yaml.Node
	read(name, &root)
	topics, err := readTopics(k, &root)
	if err != nil {
		panic(fmt.Errorf("catalogue/%s.yaml: %w", name, err))
	}
	return topics
}

func (c *Catalogue) readRest() *rest {
	r := &rest{}
	for _, k := range Kinds() {
		for _, file := range kindFiles[k] {
			r.topics = append(r.topics, c.files[file]()...)
		}
	}
	read("aliases", &r.aliases)
	read("ladders", &r.ladders)
	read("tcp", &r.sockets)
	return r
}

// Topics are all topics, kind by kind.
func (c *Catalogue) Topics() []*Topic { return c.rest().topics }

// State is the topic of a state of the director's: of a protocol's, or of a template's.
// A state that is in no version this program knows has one too.
func (c *Catalogue) State(p conn.Protocol, s conn.State, k conn.Kind) *Topic {
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
	order := kindFiles[Director]
	if p == conn.SCTP { // its own texts before those of TCP's states of the same name
		order = slices.Concat(order[1:], order[:1])
	}
	for _, file := range order {
		for _, key := range keys {
			if t := topicOf(c.files[file](), key); t != nil {
				return t
			}
		}
	}
	return topicOf(c.files[kindFiles[Director][0]](), "unlisted")
}

// Rule is the topic of a rule of the diagnosis, nil if there is none of that code.
func (c *Catalogue) Rule(code string) *Topic {
	for _, file := range kindFiles[Rule] {
		if t := topicOf(c.files[file](), code); t != nil {
			return t
		}
	}
	return nil
}

func topicOf(topics []*Topic, key string) *Topic {
	if i := slices.IndexFunc(topics, func(t *Topic) bool { return t.Key == key }); i >= 0 {
		return topics[i]
	}
	return nil
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
