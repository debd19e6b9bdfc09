// Package filter chooses entries: the filter flags of the command line come in, a
// predicate on entries goes out.
package filter

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"ipvsstate/internal/conn"
)

// Field is what a filter looks at; its text is the flag's name.
type Field string

// The fields.
const (
	State    Field = "state"
	Protocol Field = "proto"
	Client   Field = "client"
	Virtual  Field = "virtual"
	Server   Field = "server"
	// Port is the virtual service's.
	Port   Field = "port"
	Origin Field = "origin"
	// Family is the client's address family.
	Family    Field = "family"
	Idle      Field = "idle"
	Expires   Field = "expires"
	Templates Field = "templates"
)

// Fields are all fields, in the order in which flags are shown.
func Fields() []Field {
	return []Field{State, Protocol, Client, Virtual, Server, Port, Origin, Family, Idle, Expires, Templates}
}

// cheapFirst is the order in which an entry is asked.
var cheapFirst = [...]Field{State, Protocol, Origin, Family, Templates, Expires, Port, Virtual, Server, Client, Idle}

// Term is one flag as given: --state 'FIN*,SYN_*', or with Not --not 'state=FIN*'.
//
// Its value is a list with commas. A value behind a ! is negated, and Not negates
// each once more. An entry matches a field if one of the plain values of all its
// terms matches, or there is none, and no negated one does. Times are compared, so
// there each term must hold by itself: --idle '>1m' --idle '<5m' is both.
type Term struct {
	Field Field
	Value string
	Not   bool
}

func (t Term) String() string {
	flag, value := "--"+string(t.Field), t.Value
	if t.Not {
		flag, value = "--not", string(t.Field)+"="+t.Value
	}
	if strings.ContainsAny(value, "*?[]<>!") || value[0] == '=' { // what a shell would take for its own, zsh the last
		value = "'" + value + "'"
	}
	return flag + " " + value
}

// ValueError is a value that the field's flag does not take.
type ValueError struct {
	Field Field
	Value string
	// Want says in a few words what the flag takes.
	Want string
}

func (e *ValueError) Error() string {
	if e.Value == "" {
		return fmt.Sprintf("--%s: a value is missing", e.Field)
	}
	return fmt.Sprintf("--%s: %q is no value of it", e.Field, e.Value)
}

// Filter chooses entries.
type Filter struct {
	terms      []Term
	conditions []asked // one for each field, cheapest first
	timing     *conn.Timing
	seen       atomic.Bool
	named      atomic.Uint64
	allTold    atomic.Bool
}

// asked is the condition on a field, and whether any entry could answer it.
type asked struct {
	condition
	field Field
	told  atomic.Bool
}

// condition is what an entry must fulfil in one field.
type condition interface {
	holds(*conn.Entry) bool
	// tells reports an entry that can answer one of the values, plain or negated.
	tells(*conn.Entry) bool
}

// New makes the filter of all terms. Those of different fields must all hold. The
// error is a *ValueError.
func New(terms []Term) (*Filter, error) {
	for _, t := range terms {
		if !slices.Contains(Fields(), t.Field) {
			return nil, &ValueError{t.Field, t.Value, "a field of entries"}
		}
	}
	f := &Filter{}
	for _, field := range cheapFirst {
		var own []Term
		for _, t := range terms {
			if t.Field == field {
				own = append(own, t)
			}
		}
		if own == nil {
			continue
		}
		c, err := f.condition(field, own)
		if err != nil {
			return nil, err
		}
		if c != nil {
			f.conditions = append(f.conditions, asked{condition: c, field: field})
		}
	}
	for _, t := range terms {
		if f.asks(t.Field) {
			f.terms = append(f.terms, t)
		}
	}
	return f, nil
}

// condition makes the condition on a field, nil where every entry fulfils it.
func (f *Filter) condition(field Field, terms []Term) (condition, error) {
	switch field {
	case State:
		return newStates(terms)
	case Protocol:
		return newProtocols(terms)
	case Origin:
		return newOrigins(terms)
	case Family:
		return newFamilies(terms)
	case Templates:
		return newTemplates(terms)
	case Expires:
		return newExpires(terms)
	case Idle:
		return newIdle(terms, f)
	case Port:
		return newVirtualPorts(terms)
	}
	return newEndpoints(field, terms, f)
}

// SetTiming says what idle times are told by. If NeedsTiming it goes before Match, and
// not beside it.
func (f *Filter) SetTiming(t *conn.Timing) { f.timing = t }

// Named is how many entries were asked for an address and have a host name in its
// place, so that it is not known whether they should have been chosen.
func (f *Filter) Named() uint64 { return f.named.Load() }

// Forget makes the filter forget what entries have told, for a second reading by what
// the first made known. It does not go beside Match.
func (f *Filter) Forget() {
	f.named.Store(0)
	f.seen.Store(false)
	f.allTold.Store(false)
	for i := range f.conditions {
		f.conditions[i].told.Store(false)
	}
}

// UnknownStates are the words asked for, without a wildcard, that are no state of any
// kernel known here: a newer one may have them, or they are misspelt.
func (f *Filter) UnknownStates() []string {
	var unknown []string
	for _, t := range f.terms {
		if t.Field != State {
			continue
		}
		for word := range strings.SplitSeq(t.Value, ",") {
			word = strings.TrimLeft(word, "!")
			known := slices.ContainsFunc(conn.States(), func(s conn.State) bool { return strings.EqualFold(s.String(), word) })
			if !known && !strings.ContainsAny(word, "*?") {
				unknown = append(unknown, word)
			}
		}
	}
	return unknown
}

// NeedsTiming reports a filter that looks at idle times.
func (f *Filter) NeedsTiming() bool { return f.asks(Idle) }

// Empty reports a filter that every entry passes, since it asks nothing.
func (f *Filter) Empty() bool { return len(f.conditions) == 0 }

func (f *Filter) asks(field Field) bool {
	for i := range f.conditions {
		if f.conditions[i].field == field {
			return true
		}
	}
	return false
}

// Match reports whether an entry is chosen. An entry that does not tell a field matches
// no plain value of it. Several goroutines may call it.
func (f *Filter) Match(e *conn.Entry) bool {
	if !f.allTold.Load() {
		f.ask(e)
	}
	for i := range f.conditions {
		if !f.conditions[i].holds(e) {
			return false
		}
	}
	return true
}

// ask notes which fields an entry tells. Once all have been told it is over; each flag
// is written once, so that processors do not take it from each other.
func (f *Filter) ask(e *conn.Entry) {
	if !f.seen.Load() {
		f.seen.Store(true)
	}
	all := true
	for i := range f.conditions {
		c := &f.conditions[i]
		switch {
		case c.told.Load():
		case c.tells(e):
			c.told.Store(true)
		default:
			all = false
		}
	}
	if all {
		f.allTold.Store(true)
	}
}

// Untold are the fields asked for that no entry seen by Match could answer; nil if none
// was seen.
func (f *Filter) Untold() []Field {
	if !f.seen.Load() {
		return nil
	}
	var untold []Field
	for i := range f.conditions {
		if c := &f.conditions[i]; !c.told.Load() {
			untold = append(untold, c.field)
		}
	}
	return untold
}

// String is the filter as flags, for a screen and a shell: --state 'FIN*' --not
// client=10.0.0.0/8. No value that New takes has a blank or a quote in it.
func (f *Filter) String() string {
	flags := make([]string, len(f.terms))
	for i, t := range f.terms {
		flags[i] = t.String()
	}
	return strings.Join(flags, " ")
}
