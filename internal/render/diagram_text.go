package render

import (
	"io"
	"slices"
	"strings"
)

// DiagramText draws the graph with characters, all ASCII but those of the graph's own
// texts: box-drawing characters are wide in some Chinese terminals. No line is wider
// than limit columns, 0 for any; less than leastDiagram counts as that. A graph that
// has too many lines to follow is written state by state.
func DiagramText(w io.Writer, g Graph, limit int) error {
	d, err := g.diagram()
	if err != nil {
		return err
	}
	if limit > 0 {
		limit = max(limit, leastDiagram)
	}
	var lines []string
	if d.title != "" {
		lines = append(wrap(d.title, limit), "")
	}
	drawn, ok := d.drawn(limit)
	if !ok {
		drawn = d.listed(limit)
	}
	lines = append(lines, drawn...)
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(strings.TrimRight(l, " ") + "\n")
	}
	_, err = io.WriteString(w, b.String())
	return err
}

const (
	leastDiagram = 24
	// mostLanes is how many lines side by side can be followed by eye.
	mostLanes = 8
	// leastLabel is the width below which labels are broken too often to be read.
	leastLabel = 16
	laneStep   = 3
)

// canvas is a drawing while it is made: rows of boxes and labels, and the lanes to
// their right.
type canvas struct {
	rows  []canvasRow
	lanes []lane
	// box and label are widths; side is the column where the lanes begin.
	box, label, side int
}

// canvasRow is a row's boxes and labels, and the state whose lane it leads to or comes
// from, -1 for none.
type canvasRow struct {
	text string
	to   int
}

func (c *canvas) add(text string, to int) { c.rows = append(c.rows, canvasRow{text, to}) }

// lane is the lane of a state.
func (c *canvas) lane(to int) *lane {
	i := slices.IndexFunc(c.lanes, func(l lane) bool { return l.to == to })
	if i < 0 {
		return nil
	}
	return &c.lanes[i]
}

// drawn is the boxes one below the other, with an arrow to the next, and lanes for all
// other transitions. Those name the state too that they lead to, so that the eye need
// follow no line to read a single one; the lanes show the whole. It is false if that cannot be read, or not within the width.
func (d diagram) drawn(limit int) (lines []string, ok bool) {
	var c canvas
	name, least := 0, leastLabel
	for _, n := range d.nodes {
		c.box = max(c.box, width(n.Name)+len("|  |"), width(n.Note)+len("|  |"))
	}
	for _, e := range d.edges {
		if !e.next() {
			c.label, name = max(c.label, width(e.label)), max(name, width(d.nodes[e.to].Name))
			for _, word := range pieces(e.label) {
				least = max(least, width(word))
			}
			if c.lane(e.to) == nil {
				c.lanes = append(c.lanes, lane{to: e.to})
			}
		}
	}
	if limit > 0 {
		room := limit - c.box - len("--  >  ") - name - laneStep*len(c.lanes)
		if room < min(c.label, least) {
			return nil, false
		}
		c.label = min(c.label, room)
	}
	if len(c.lanes) > mostLanes {
		return nil, false
	}
	c.side = c.box + len("--  >  ") + c.label + name
	for _, e := range d.edges {
		if e.next() {
			c.side = max(c.side, min(width("  | "+e.label), limit-laneStep*len(c.lanes)))
		}
	}
	for i := range d.nodes {
		d.drawNode(&c, i)
	}
	untangle(c.lanes)
	return c.lines(), true
}

// drawNode adds a box with what leaves it on its right side, and the arrow to the next.
func (d diagram) drawNode(c *canvas, i int) {
	var inside []string
	for _, text := range []string{d.nodes[i].Name, d.nodes[i].Note} {
		if text != "" {
			inside = append(inside, text)
		}
	}
	var beside []canvasRow
	if c.lane(i) != nil {
		beside = append(beside, canvasRow{"<", i})
	}
	var next []string
	for _, e := range d.edges {
		switch {
		case e.from != i:
		case e.next():
			next = wrap(e.label, c.side-len("  | "))
		default:
			for n, text := range wrap(e.label, c.label) {
				if n == 0 {
					beside = append(beside, canvasRow{dashTo("-- "+text, c.label+len("--  ")) + "> " + d.nodes[e.to].Name, e.to})
				} else {
					beside = append(beside, canvasRow{"   " + text, -1})
				}
			}
		}
	}
	edge := "+" + strings.Repeat("-", c.box-len("++")) + "+"
	c.add(edge, -1)
	for n := range max(len(inside), len(beside)) {
		text, out := "", canvasRow{to: -1}
		if n < len(inside) {
			text = inside[n]
		}
		if n < len(beside) {
			out = beside[n]
		}
		if out.to >= 0 {
			if l := c.lane(out.to); n == 0 && out.text == "<" {
				l.enter = len(c.rows)
			} else {
				l.joins = append(l.joins, len(c.rows))
			}
		}
		c.add("| "+padTo(text, c.box-len("|  |"))+" |"+out.text, out.to)
	}
	c.add(edge, -1)
	for _, text := range next {
		c.add("  | "+text, -1)
	}
	switch {
	case next != nil:
		c.add("  v", -1)
	case i < len(d.nodes)-1:
		c.add("", -1)
	}
}

// lines draws the lanes beside the rows, from a column on. Where two lines cross, the
// vertical one is whole; a plus sign is where they meet.
func (c *canvas) lines() []string {
	all := make([]string, len(c.rows))
	for y, row := range c.rows {
		side := []byte(strings.Repeat(" ", laneStep*len(c.lanes)))
		for n, l := range c.lanes {
			at := laneStep*n + laneStep - 1
			if top, bottom := l.span(); top <= y && y <= bottom {
				side[at] = '|'
			}
			if l.to != row.to {
				continue
			}
			side[at] = '+'
			row.text = dashTo(row.text, c.side)
			for x := range at {
				if side[x] == ' ' {
					side[x] = '-'
				}
			}
		}
		all[y] = padTo(row.text, c.side) + string(side)
	}
	return all
}

// dashTo continues a text, with a blank behind it, by a line up to a width.
func dashTo(text string, w int) string {
	if !strings.HasSuffix(text, "<") {
		text = strings.TrimRight(text, " ") + " "
	}
	return text + strings.Repeat("-", max(0, w-width(text)))
}

// listed is each state's box with the names of the states that follow it.
func (d diagram) listed(limit int) []string {
	var lines []string
	name, inside := 0, 0
	for _, n := range d.nodes {
		name = max(name, width(n.Name))
		inside = max(inside, width(n.Name+" "+n.Note))
	}
	const arrow = "  +-> "
	if limit > 0 {
		inside = min(inside, limit-len("|  |"))
		name = min(name, max(limit/3, leastDiagram/2-len(arrow)))
	}
	for i, n := range d.nodes {
		edge := "+" + strings.Repeat("-", inside+2) + "+"
		lines = append(lines, edge)
		for _, text := range wrap(strings.TrimSpace(n.Name+" "+n.Note), inside) {
			lines = append(lines, "| "+padTo(text, inside)+" |")
		}
		lines = append(lines, edge)
		for _, e := range d.edges {
			if e.from != i {
				continue
			}
			room := 0
			if limit > 0 {
				room = limit - len(arrow) - name - len(gap)
			}
			to, label := wrap(d.nodes[e.to].Name, name), wrap(e.label, room)
			for k := range max(len(to), len(label)) {
				line := []string{"", ""}
				if k < len(to) {
					line[0] = to[k]
				}
				if k < len(label) {
					line[1] = label[k]
				}
				head := arrow
				if k > 0 {
					head = "  |   "
				}
				lines = append(lines, head+padTo(line[0], name)+gap+line[1])
			}
		}
		if i < len(d.nodes)-1 {
			lines = append(lines, "")
		}
	}
	return lines
}
