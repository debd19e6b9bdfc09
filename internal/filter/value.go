package filter

import (
	"strings"
	"unicode/utf8"

	"ipvsstate/internal/conn"
)

// list is the values given for a field, or in one term.
type list[V any] struct{ plain, negated []V }

// read adds the values of a term.
func (l *list[V]) read(t Term, want string, value func(text string) (V, bool)) error {
	for text := range strings.SplitSeq(t.Value, ",") {
		rest, negated := strings.CutPrefix(text, "!")
		v, ok := value(rest)
		switch {
		case !ok:
			return &ValueError{t.Field, text, want}
		case negated != t.Not:
			l.negated = append(l.negated, v)
		default:
			l.plain = append(l.plain, v)
		}
	}
	return nil
}

// listOf is the values of all terms.
func listOf[V any](terms []Term, want string, value func(text string) (V, bool)) (l list[V], err error) {
	for _, t := range terms {
		if err := l.read(t, want, value); err != nil {
			return l, err
		}
	}
	return l, nil
}

// holds reports whether one of the plain values is so, or there is none, and no negated
// one is.
func (l *list[V]) holds(is func(*V) bool) bool {
	for i := range l.negated {
		if is(&l.negated[i]) {
			return false
		}
	}
	for i := range l.plain {
		if is(&l.plain[i]) {
			return true
		}
	}
	return len(l.plain) == 0
}

// any reports whether one of all the values is so.
func (l *list[V]) any(is func(*V) bool) bool {
	for i := range l.negated {
		if is(&l.negated[i]) {
			return true
		}
	}
	for i := range l.plain {
		if is(&l.plain[i]) {
			return true
		}
	}
	return false
}

// pattern is a word with * and ?, in lower case.
type pattern string

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
const digits = "0123456789"

// patternOf reads a pattern of letters, digits and the other characters. None begins
// with a !, which would read as a negation.
func patternOf(text, others string) (p pattern, ok bool) {
	ok = text != "" && text[0] != '!' && strings.Trim(text, letters+digits+"*?"+others) == ""
	return pattern(strings.ToLower(text)), ok
}

// matches reports whether the pattern is a word's, in any case; no pattern is that of
// a word that is not told.
func (p pattern) matches(word string) bool {
	at, star, tried := 0, -1, 0 // where in p; its last *, and where what that stands for ends
	for i := 0; i < len(word); {
		switch {
		case at < len(p) && p[at] == '*':
			star, tried = at, i
			at++
		case at < len(p) && p[at] == '?':
			_, size := utf8.DecodeRuneInString(word[i:])
			at++
			i += size
		case at < len(p) && p[at] == lower(word[i]):
			at++
			i++
		case star >= 0:
			tried++
			at, i = star+1, tried
		default:
			return false
		}
	}
	return word != "" && strings.Trim(string(p[at:]), "*") == ""
}

func lower(c byte) byte {
	if c-'A' < 26 {
		return c + 'a' - 'A'
	}
	return c
}

// words is what words are asked for, decided beforehand for those with an index.
type words struct {
	list[pattern]
	known []bool
}

func wordsOf(terms []Term, want, others string) (w words, err error) {
	w.list, err = listOf(terms, want, func(text string) (pattern, bool) { return patternOf(text, others) })
	return w, err
}

func (w *words) word(word string) bool {
	return w.list.holds(func(p *pattern) bool { return p.matches(word) })
}

// learn decides about the word of an index.
func (w *words) learn(index int, word string) {
	for index >= len(w.known) {
		w.known = append(w.known, false)
	}
	w.known[index] = w.word(word)
}

type states struct{ words }

func newStates(terms []Term) (condition, error) {
	w, err := wordsOf(terms, "a state or a pattern such as FIN*", "_-!")
	for _, s := range conn.States() {
		w.learn(s.Index(), s.String())
	}
	return &states{w}, err
}

func (c *states) holds(e *conn.Entry) bool {
	if i := e.State.Index(); i != 0 {
		return c.known[i]
	}
	return c.word(e.State.String())
}

func (c *states) tells(e *conn.Entry) bool { return e.State != conn.State{} }

type protocols struct{ words }

func newProtocols(terms []Term) (condition, error) {
	w, err := wordsOf(terms, "a protocol such as tcp or a pattern such as ICMP*", "_-")
	for _, p := range conn.Protocols() {
		w.learn(p.Index(), p.String())
	}
	return &protocols{w}, err
}

func (c *protocols) holds(e *conn.Entry) bool {
	if i := e.Protocol.Index(); i != 0 {
		return c.known[i]
	}
	return c.word(e.Protocol.String())
}

func (c *protocols) tells(e *conn.Entry) bool { return e.Protocol != conn.Protocol{} }

// origins says of each origin whether it is chosen.
type origins [conn.Sync + 1]bool

func newOrigins(terms []Term) (condition, error) {
	l, err := listOf(terms, "local or sync", func(text string) (conn.Origin, bool) {
		switch strings.ToLower(text) { // the kernel prints them in capitals
		case "local":
			return conn.Local, true
		case "sync":
			return conn.Sync, true
		}
		return conn.UnknownOrigin, false
	})
	c := &origins{}
	for o := range c {
		c[o] = l.holds(func(v *conn.Origin) bool { return int(*v) == o })
	}
	return c, err
}

func (c *origins) holds(e *conn.Entry) bool { return c[e.Origin] }
func (c *origins) tells(e *conn.Entry) bool { return e.Origin != conn.UnknownOrigin }

// families says whether clients with a name, an IPv4 and an IPv6 address are chosen.
type families struct{ name, ipv4, ipv6 bool }

func newFamilies(terms []Term) (condition, error) {
	l, err := listOf(terms, "4 or 6", func(text string) (string, bool) { return text, text == "4" || text == "6" })
	is := func(family string) bool {
		return l.holds(func(v *string) bool { return *v == family })
	}
	return &families{is(""), is("4"), is("6")}, err
}

func (c *families) holds(e *conn.Entry) bool {
	switch {
	case e.Client.Addr.Is4():
		return c.ipv4
	case e.Client.Addr.IsValid():
		return c.ipv6
	}
	return c.name
}

func (c *families) tells(e *conn.Entry) bool { return e.Client.Addr.IsValid() }

// templates is whether templates are chosen, or connections.
type templates bool

func newTemplates(terms []Term) (condition, error) {
	const want = "one of only, no and yes, once"
	t := terms[0]
	if len(terms) > 1 {
		return nil, &ValueError{t.Field, terms[1].Value, want}
	}
	text, negated := strings.CutPrefix(t.Value, "!")
	negated = negated != t.Not
	switch {
	case text == "yes" && !negated:
		return nil, nil
	case text == "only" || text == "no":
		return templates((text == "only") != negated), nil
	}
	return nil, &ValueError{t.Field, t.Value, want}
}

func (c templates) holds(e *conn.Entry) bool { return (e.Kind() != conn.Connection) == bool(c) }
func (templates) tells(*conn.Entry) bool     { return true }
