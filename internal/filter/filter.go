// Package filter chooses entries: the values of the command line's filter flags come
// in, a predicate on entries comes out. What it cannot tell of an entry, because the
// source does not, does not match; that no entry could tell it can be asked for.
package filter

import (
	"fmt"
	"strings"
	"sync/atomic"

	"ipvsstate/internal/conn"
)

// Field is what a filter looks at. Its text is its flag's name.
type Field string

// The fields.
const (
	State     Field = "state"
	Protocol  Field = "proto"
	Client    Field = "client"
	Virtual   Field = "virtual"
	Server    Field = "server"
	Port      Field = "port" // of the virtual service
	Origin    Field = "origin"
	Family    Field = "family" // of the client's address
	Idle      Field = "idle"
	Expires   Field = "expires"
	Templates Field = "templates"
)

// Fields are all fields.
func Fields() []Field {
	return []Field{State, Protocol, Client, Virtual, Server, Port, Origin, Family, Idle, Expires, Templates}
}

// Term is one flag as it was given: values with commas between, of which those behind
// a ! are negated, or with Not those that are not.
type Term struct {
	Field Field
	Value string
	Not   bool
}

// ValueError is a value that its flag does not take.
type ValueError struct {
	Field Field
	Value string
	// Want says what the flag takes.
	Want string
}

func (e *ValueError) Error() string {
	if e.Value == "" {
		return fmt.Sprintf("--%s: a value is missing", e.Field)
	}
	return fmt.Sprintf("--%s: %q is no value of it", e.Field, e.Value)
}

// Filter is a predicate on entries.
type Filter struct {
	terms      []Term
	conditions []*condition // all must hold
	timing     *conn.Timing
	seen       atomic.Bool // any entry at all
}

// condition is what is asked of one field.
type condition struct {
	field Field
	// An entry matches if one of plain does, or there is none, and none of not does.
	plain, not []matcher
	told       atomic.Bool // an entry could tell
}

// matcher is a value, or several of a field.
type matcher func(*conn.Entry) answer

// answer is whether an entry has a value.
type answer uint8

const (
	untold answer = iota
	no
	yes
)

func answerOf(is bool) answer {
	if is {
		return yes
	}
	return no
}

// New makes a filter of all terms. Terms of different fields must all hold, those of
// one field are alternatives, but for times, of which each term is a condition. The
// error is a *ValueError.
func New(terms []Term) (*Filter, error) {
	f := &Filter{terms: terms}
	of := map[Field]*condition{}
	for _, t := range terms {
		c := of[t.Field]
		if c == nil || t.Field == Idle || t.Field == Expires {
			c = &condition{field: t.Field}
			of[t.Field] = c
			f.conditions = append(f.conditions, c)
		}
		for value := range strings.SplitSeq(t.Value, ",") {
			text, negated := strings.CutPrefix(strings.TrimSpace(value), "!")
			m, want := f.matcher(t.Field, text, negated != t.Not)
			if want != "" {
				return nil, &ValueError{t.Field, value, want}
			}
			if negated != t.Not {
				c.not = append(c.not, m)
			} else {
				c.plain = append(c.plain, m)
			}
		}
	}
	return f, nil
}

// Empty reports a filter that matches every entry.
func (f *Filter) Empty() bool { return len(f.conditions) == 0 }

// NeedsTiming reports that idle times are asked for.
func (f *Filter) NeedsTiming() bool {
	for _, c := range f.conditions {
		if c.field == Idle {
			return true
		}
	}
	return false
}

// SetTiming says what idle times are told by. It goes before Match.
func (f *Filter) SetTiming(t *conn.Timing) { f.timing = t }

// Match reports whether an entry is chosen. Several goroutines may ask.
func (f *Filter) Match(e *conn.Entry) bool {
	if !f.seen.Load() {
		f.seen.Store(true)
	}
	matches := true
	for _, c := range f.conditions {
		if (matches || !c.told.Load()) && !c.match(e) {
			matches = false
		}
	}
	return matches
}

func (c *condition) match(e *conn.Entry) bool {
	matches, told := len(c.plain) == 0, false
	for _, m := range c.plain {
		a := m(e)
		told = told || a != untold
		if a == yes {
			matches = true
			break
		}
	}
	for _, m := range c.not {
		a := m(e)
		told = told || a != untold
		if a == yes {
			matches = false
			break
		}
	}
	if told && !c.told.Load() {
		c.told.Store(true)
	}
	return matches
}

// Untold are the fields that are asked for and that no entry seen by Match could
// tell; none if there was no entry.
func (f *Filter) Untold() []Field {
	var all []Field
	if !f.seen.Load() {
		return nil
	}
	for _, c := range f.conditions {
		if !c.told.Load() {
			all = append(all, c.field)
		}
	}
	return all
}

// String is the filter as flags, for a shell.
func (f *Filter) String() string {
	var flags []string
	for _, t := range f.terms {
		if t.Not {
			flags = append(flags, "--not "+quoted(string(t.Field)+"="+t.Value))
		} else {
			flags = append(flags, "--"+string(t.Field)+" "+quoted(t.Value))
		}
	}
	return strings.Join(flags, " ")
}

// quoted puts a word in quotes that a shell would not leave alone.
func quoted(word string) string {
	if strings.ContainsAny(word, " \t\n<>!*?[]$&;|()\"'`\\~#{}") {
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return word
}
