package explain

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Kind is a sort of topic.
type Kind string

// The kinds, in the order they are listed in.
const (
	Director Kind = "director" // a state of an entry in the connection table
	Socket   Kind = "socket"   // a state of a TCP socket at an endpoint
	Life     Kind = "life"     // how connections open and close
	Term     Kind = "term"     // a word of the director's
	Rule     Kind = "rule"     // a rule of diagnose, by its code
)

// Kinds lists them.
func Kinds() []Kind { return []Kind{Director, Socket, Life, Term, Rule} }

// kindFiles are the files of a language that hold a kind's topics, under catalogue/LANGUAGE/. The
// director's begin with TCP's.
var kindFiles = map[Kind][]string{
	Director: {"director", "director_sctp", "director_dpvs"},
	Socket:   {"sockets"},
	Life:     {"lives"},
	Term:     {"terms"},
	Rule:     {"rules", "rules_director"},
}

// fields are what a kind's topics can tell, in the order it is told in. name and line come
// before them; check, the commands, where it stands among them, else behind.
var fields = map[Kind][]string{
	Director: {"note", "nat", "dr", "in", "out", "stays", "counts", "normal", "worry", "mistaken"},
	Socket:   {"in", "out", "stays", "director", "normal", "worry", "mistaken"},
	Life:     {"text"},
	Term:     {"text"},
	Rule:     {"means", "why", "check", "do", "ignore", "related"},
}

// brief are the fields that an account of middle length has.
var brief = []string{"note", "nat", "dr", "stays", "director", "normal", "worry", "text", "means", "why", "do", "ignore", "related"}

// Topic is something that can be explained.
type Topic struct {
	Kind Kind
	// Key is unique among its kind: a state as it is printed, with its protocol or
	// "template" before a slash where a word means several things (SCTP/NONE).
	Key  string
	Name string // what it is called in words
	Line string // one sentence
	// LineNAT and LineDR stand for Line where the forwarding method is known; empty
	// where nothing changes.
	LineNAT, LineDR string
	// Like is the key of the director's state whose account holds for this one too.
	Like   string
	Fields []Field
	Checks []Check
	// ChecksAt is how many of Fields are told before Checks.
	ChecksAt int
}

// View is whose packets a director sees of a connection: it changes what a state means.
type View uint8

const (
	AnyView  View = iota // not known, or several
	BothWays             // NAT
	OneWay               // direct routing, tunnelling
)

// Sentence is the topic's one sentence, for a view of the connection.
func (t *Topic) Sentence(v View) string {
	switch {
	case v == BothWays && t.LineNAT != "":
		return t.LineNAT
	case v == OneWay && t.LineDR != "":
		return t.LineDR
	}
	return t.Line
}

// Field is one paragraph, or several, of a topic.
type Field struct {
	ID   string // its word is "field."+ID
	Text string
}

// Check is a command that tells more.
type Check struct {
	On  string `yaml:"on" json:"on"` // director, server or client
	Run string `yaml:"run" json:"run"`
	Why string `yaml:"why" json:"why"`
}

// Brief tells whether the field belongs to an account of middle length.
func (f Field) Brief() bool { return slices.Contains(brief, f.ID) }

// Title is the key as a heading shows it: "NONE (SCTP)" for SCTP/NONE.
func (t *Topic) Title() string {
	if before, word, ok := strings.Cut(t.Key, "/"); ok {
		return word + " (" + before + ")"
	}
	return t.Key
}

// readTopics reads the topics of a kind from a file's root, in its order.
func readTopics(k Kind, root *yaml.Node) ([]*Topic, error) {
	if len(root.Content) == 0 {
		return nil, errors.New("it is empty")
	}
	var all []*Topic
	pairs := root.Content[0].Content
	for i := 0; i+1 < len(pairs); i += 2 {
		t := &Topic{Kind: k, Key: pairs[i].Value}
		if err := t.read(pairs[i+1]); err != nil {
			return nil, fmt.Errorf("%s: %w", t.Key, err)
		}
		all = append(all, t)
	}
	return all, nil
}

// read reads a topic's fields. A field that its kind does not have is an error: it would
// be left out in silence.
func (t *Topic) read(n *yaml.Node) error {
	texts := map[string]string{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i].Value, n.Content[i+1]
		if key == "check" {
			if err := value.Decode(&t.Checks); err != nil {
				return err
			}
			continue
		}
		if _, twice := texts[key]; twice {
			return fmt.Errorf("line %d: %q comes twice", n.Content[i].Line, key)
		}
		texts[key] = strings.TrimSpace(value.Value)
		if key == "related" && value.Kind == yaml.SequenceNode {
			var keys []string
			if err := value.Decode(&keys); err != nil {
				return err
			}
			texts[key] = strings.Join(keys, ", ")
		}
	}
	for key, to := range map[string]*string{"name": &t.Name, "line": &t.Line, "line_nat": &t.LineNAT, "line_dr": &t.LineDR, "like": &t.Like} {
		*to = texts[key]
		delete(texts, key)
	}
	t.ChecksAt = -1
	for _, id := range fields[t.Kind] {
		if id == "check" {
			t.ChecksAt = len(t.Fields)
		}
		if text, ok := texts[id]; ok {
			if id == "why" {
				text = numbered(text)
			}
			t.Fields = append(t.Fields, Field{id, text})
			delete(texts, id)
		}
	}
	if t.ChecksAt < 0 {
		t.ChecksAt = len(t.Fields)
	}
	for key := range texts {
		return fmt.Errorf("a %s has no field %q", t.Kind, key)
	}
	return nil
}

// numbered puts numbers before paragraphs, if there are several.
func numbered(text string) string {
	paragraphs := strings.Split(text, "\n\n")
	if len(paragraphs) == 1 {
		return text
	}
	for i := range paragraphs {
		paragraphs[i] = fmt.Sprintf("%d. %s", i+1, paragraphs[i])
	}
	return strings.Join(paragraphs, "\n\n")
}
