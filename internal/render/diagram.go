package render

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
)

// Graph is a state diagram.
type Graph struct {
	Title string
	Nodes []Node // the first is the beginning
	Edges []Edge // several may join the same two nodes
}

// Node is a state. Its name is unlike all others; the note, such as "60 s", may be
// empty.
type Node struct{ Name, Note string }

// Edge is a transition between the nodes of these names. A label is best written as
// two words, who and what ("client syn"): then those of joined edges are shortened.
type Edge struct{ From, To, Label string }

// diagram is a graph as all four forms draw it: nodes in order of life, and no more
// than one transition from one to another.
type diagram struct {
	title string
	nodes []Node
	edges []transition // by from, then to
}

// transition has its ends as indexes of nodes.
type transition struct {
	from, to int
	label    string
}

// next tells whether the transition leads to the box below, by an arrow of its own.
func (t transition) next() bool { return t.to == t.from+1 }

func (g Graph) diagram() (diagram, error) {
	d := diagram{title: Clean(g.Title), nodes: g.inOrderOfLife()}
	index := map[string]int{}
	for i, n := range d.nodes {
		if _, ok := index[n.Name]; ok {
			return d, fmt.Errorf("diagram: two states are named %q", n.Name)
		}
		index[n.Name] = i
		d.nodes[i] = Node{Clean(n.Name), Clean(n.Note)}
	}
	labels := map[[2]int][]string{}
	for _, e := range g.Edges {
		from, ok := index[e.From]
		if !ok {
			return d, fmt.Errorf("diagram: a transition from %q, which is no state", e.From)
		}
		to, ok := index[e.To]
		if !ok {
			return d, fmt.Errorf("diagram: a transition to %q, which is no state", e.To)
		}
		ends := [2]int{from, to}
		labels[ends] = append(labels[ends], Clean(e.Label))
	}
	for from := range d.nodes {
		for to := range d.nodes {
			if all := labels[[2]int{from, to}]; all != nil {
				d.edges = append(d.edges, transition{from, to, join(all)})
			}
		}
	}
	return d, nil
}

// inOrderOfLife is the nodes as they were given, but a node that none before it leads
// to goes where the fewest transitions run upwards. The kernel's numbers have SYN_SENT
// behind NONE, and nothing but a closed connection's reuse leads there.
func (g Graph) inOrderOfLife() []Node {
	var order, late []Node
	leads := func(from, to Node) bool {
		return slices.ContainsFunc(g.Edges, func(e Edge) bool { return e.From == from.Name && e.To == to.Name })
	}
	for i, n := range g.Nodes {
		if i == 0 || slices.ContainsFunc(order, func(before Node) bool { return leads(before, n) }) {
			order = append(order, n)
		} else {
			late = append(late, n)
		}
	}
	for _, n := range late {
		upwards := 0 // with n in front of all
		for _, o := range order {
			if leads(o, n) {
				upwards++
			}
		}
		best, place := len(g.Nodes)+1, 0
		for i, o := range order {
			if leads(o, n) {
				upwards--
			}
			if leads(n, o) {
				upwards++
			}
			if upwards <= best {
				best, place = upwards, i+1
			}
		}
		order = slices.Insert(order, place, n)
	}
	return order
}

// join makes one label of several, in no language: those that differ in who does it
// become "client/server ack", those that differ in what "client init/abort", and the
// rest is a list.
func join(labels []string) string {
	type part struct{ who, what string }
	var parts []part
	for _, l := range labels {
		who, what, ok := strings.Cut(l, " ")
		if !ok || strings.Contains(what, " ") {
			who, what = l, ""
		}
		p := part{who, what}
		if i := slices.IndexFunc(parts, func(o part) bool { return what != "" && o.what == what }); i < 0 {
			parts = append(parts, p)
		} else if !slices.Contains(strings.Split(parts[i].who, "/"), who) {
			parts[i].who += "/" + who
		}
	}
	var joined []part
	for _, p := range parts {
		if i := slices.IndexFunc(joined, func(o part) bool { return p.what != "" && o.what != "" && o.who == p.who }); i < 0 {
			joined = append(joined, p)
		} else {
			joined[i].what += "/" + p.what
		}
	}
	var all []string
	for _, p := range joined {
		if l := strings.TrimSpace(p.who + " " + p.what); l != "" && !slices.Contains(all, l) {
			all = append(all, l)
		}
	}
	return strings.Join(all, ", ")
}

// lane is a line beside the boxes, which all transitions to one state share: one per
// transition would leave nobody able to follow any.
type lane struct {
	to    int
	enter int   // the height at which it turns to the state's box
	joins []int // the heights at which transitions come to it
}

func (l lane) span() (top, bottom int) {
	return min(l.enter, slices.Min(l.joins)), max(l.enter, slices.Max(l.joins))
}

// crossings counts the lines to the outer of two lanes that cross the inner.
func crossings(inner, outer lane) int {
	n := 0
	top, bottom := inner.span()
	for _, y := range append([]int{outer.enter}, outer.joins...) {
		if top < y && y < bottom {
			n++
		}
	}
	return n
}

// untangle puts lanes in an order, innermost first, that has few crossings: each lane
// is moved to where it is best until none moves.
func untangle(lanes []lane) {
	for moved := true; moved; {
		moved = false
		for i := range lanes {
			change, best, place := 0, 0, i
			for j := i - 1; j >= 0; j-- {
				change += crossings(lanes[i], lanes[j]) - crossings(lanes[j], lanes[i])
				if change < best {
					best, place = change, j
				}
			}
			change = 0
			for j := i + 1; j < len(lanes); j++ {
				change += crossings(lanes[j], lanes[i]) - crossings(lanes[i], lanes[j])
				if change < best {
					best, place = change, j
				}
			}
			if place != i {
				l := lanes[i]
				copy(lanes[i:], lanes[i+1:])
				copy(lanes[place+1:], lanes[place:len(lanes)-1])
				lanes[place] = l
				moved = true
			}
		}
	}
}

// DiagramDOT writes the graph for Graphviz.
func DiagramDOT(w io.Writer, g Graph) error {
	d, err := g.diagram()
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "digraph {\n\tgraph [label=%s, labelloc=t, fontname=monospace]\n", dotString(d.title))
	b.WriteString("\tnode [shape=box, style=rounded, fontname=monospace]\n\tedge [fontname=monospace, fontsize=10]\n\n")
	for _, n := range d.nodes {
		text := n.Name
		if n.Note != "" {
			text += "\n" + n.Note
		}
		fmt.Fprintf(&b, "\t%s [label=%s]\n", dotString(n.Name), dotString(text))
	}
	b.WriteString("\n")
	for _, e := range d.edges {
		label := strings.Join(wrap(e.label, labelWidth), "\n")
		fmt.Fprintf(&b, "\t%s -> %s [label=%s]\n", dotString(d.nodes[e.from].Name), dotString(d.nodes[e.to].Name), dotString(label))
	}
	b.WriteString("}\n")
	_, err = io.WriteString(w, b.String())
	return err
}

// labelWidth is the width, in columns, at which a drawing breaks a label that it has
// room for.
const labelWidth = 40

// dotString quotes a text. Graphviz also reads HTML's entities in a label.
func dotString(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "&", "&amp;", "\n", `\n`).Replace(s) + `"`
}

// DiagramMermaid writes the graph as a stateDiagram-v2. States have aliases, s0 and on:
// C-WAIT or ERR! is no name there, and "end" or "note" is a word of the language.
func DiagramMermaid(w io.Writer, g Graph) error {
	d, err := g.diagram()
	if err != nil {
		return err
	}
	var b strings.Builder
	if d.title != "" {
		title, err := json.Marshal(d.title) // a JSON string is a YAML string
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "---\ntitle: %s\n---\n", title)
	}
	b.WriteString("stateDiagram-v2\n")
	for i, n := range d.nodes {
		text := n.Name
		if n.Note != "" {
			text += " (" + n.Note + ")"
		}
		fmt.Fprintf(&b, "    state \"%s\" as s%d\n", mermaidText(text), i)
	}
	if len(d.nodes) > 0 {
		b.WriteString("    [*] --> s0\n")
	}
	for _, e := range d.edges {
		fmt.Fprintf(&b, "    s%d --> s%d", e.from, e.to)
		if e.label != "" {
			fmt.Fprintf(&b, " : %s", mermaidText(e.label))
		}
		b.WriteString("\n")
	}
	_, err = io.WriteString(w, b.String())
	return err
}

// mermaidText writes what may mean something to Mermaid, or to the HTML that it makes,
// as a character number.
func mermaidText(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r > unicode.MaxASCII || unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(" -_,./()", r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	return b.String()
}
