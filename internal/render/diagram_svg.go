package render

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/clipperhouse/displaywidth"
)

// The measures of a drawing, in pixels.
const (
	svgMargin   = 16
	svgFont     = 12
	svgTitle    = 15 // the title's font
	svgLine     = 15 // from one line of a text to the next
	svgPort     = 9  // from a label's last line to the next label
	svgInset    = 14 // of the line that comes in, below a box's top
	svgLeastBox = 42
	svgStep     = 12 // from one lane to the next
	svgBend     = 5
)

// sides of a box: transitions upwards are on the left, downwards on the right.
const (
	left = iota
	right
)

// svgDrawing is a diagram with its places: a column of boxes, and to both sides of it
// the labels of what leaves them, and then the lanes.
type svgDrawing struct {
	diagram
	boxes         []svgBox
	lanes         [2][]lane
	label         [2]int // the room for labels on a side
	x, box        int    // the boxes' left edge and width
	width, height int
}

type svgBox struct{ top, height int }

// svgPlace is where a transition leaves its box.
type svgPlace struct {
	transition
	side, y int
	lines   []string // of the label
}

// textWidth is how wide a text may be in any monospace font, for 0.6 em is usual.
func textWidth(s string, size int) int {
	em := 0.0
	for _, r := range s {
		if displaywidth.Rune(r) == 2 {
			em++
		} else {
			em += 0.62
		}
	}
	return int(math.Ceil(em * float64(size)))
}

func widest(lines []string, size int) int {
	w := 0
	for _, l := range lines {
		w = max(w, textWidth(l, size))
	}
	return w
}

// DiagramSVG writes the graph as a picture that needs nothing but itself: no scripts,
// no fonts. Its colours follow the reader's light or dark scheme; each state has one,
// and so have the lines that lead to it.
func DiagramSVG(w io.Writer, g Graph) error {
	d, err := g.diagram()
	if err != nil {
		return err
	}
	s := svgDrawing{diagram: d}
	places := s.place()
	var b strings.Builder
	s.write(&b, places)
	_, err = io.WriteString(w, b.String())
	return err
}

// place lays everything out.
func (s *svgDrawing) place() []svgPlace {
	for _, n := range s.nodes {
		s.box = max(s.box, widest([]string{n.Name, n.Note}, svgFont+1)+2*svgMargin)
	}
	var places []svgPlace
	for _, e := range s.edges {
		p := svgPlace{transition: e, lines: wrap(e.label, labelWidth)}
		switch {
		case e.next(): // its label is beside the arrow, and may reach beyond the box
			s.label[right] = max(s.label[right], widest(p.lines, svgFont)-s.box/2)
			places = append(places, p)
			continue
		case e.to > e.from:
			p.side = right
		}
		s.label[p.side] = max(s.label[p.side], widest(p.lines, svgFont))
		if s.lane(p.side, e.to) == nil {
			s.lanes[p.side] = append(s.lanes[p.side], lane{to: e.to})
		}
		places = append(places, p)
	}
	y := svgMargin
	if s.title != "" {
		y += svgTitle + 2*svgMargin
	}
	for i := range s.nodes {
		y = s.placeBox(i, y, places)
	}
	untangle(s.lanes[left])
	untangle(s.lanes[right])
	s.x = svgMargin + s.zone(left)
	s.width = max(s.x+s.box+s.zone(right)+svgMargin, textWidth(s.title, svgTitle)+2*svgMargin)
	s.height = y + svgMargin
	return places
}

// placeBox gives a box and what leaves it its height, and returns where the next begins.
func (s *svgDrawing) placeBox(i, top int, places []svgPlace) int {
	bottom := top + svgLeastBox
	var y [2]int
	for side := range y {
		y[side] = top
		if l := s.lane(side, i); l != nil {
			l.enter = top + svgInset
			y[side] = l.enter + svgBend
		}
	}
	space := 24
	for k := range places {
		p := &places[k]
		switch {
		case p.from != i:
		case p.next():
			space = 20 + svgLine*len(p.lines)
		default:
			y[p.side] += svgPort + svgLine*len(p.lines)
			p.y = y[p.side]
			s.lane(p.side, p.to).joins = append(s.lane(p.side, p.to).joins, p.y)
			bottom = max(bottom, p.y+svgPort)
		}
	}
	for k := range places {
		if places[k].from == i && places[k].next() {
			places[k].y = bottom
		}
	}
	s.boxes = append(s.boxes, svgBox{top, bottom - top})
	if i == len(s.nodes)-1 {
		return bottom
	}
	return bottom + space
}

// zone is how wide the labels and lanes on a side are.
func (s *svgDrawing) zone(side int) int {
	if s.label[side] == 0 {
		return 0
	}
	return s.label[side] + svgMargin + svgStep*(len(s.lanes[side])+1)
}

func (s *svgDrawing) lane(side, to int) *lane {
	i := slices.IndexFunc(s.lanes[side], func(l lane) bool { return l.to == to })
	if i < 0 {
		return nil
	}
	return &s.lanes[side][i]
}

// laneX is a lane's place, edge a box's edge, and out the direction away from it.
func (s *svgDrawing) laneX(side, to int) (x, edge, out int) {
	edge, out = s.x, -1
	if side == right {
		edge, out = s.x+s.box, 1
	}
	n := slices.IndexFunc(s.lanes[side], func(l lane) bool { return l.to == to })
	return edge + out*(s.label[side]+svgMargin+svgStep*(n+1)), edge, out
}

// svgColors are the lines' colours in a light scheme and in a dark one, legible on
// white and on black.
var svgColors = [][2]string{
	{"#0969da", "#58a6ff"}, {"#cf222e", "#ff7b72"}, {"#1a7f37", "#3fb950"}, {"#8250df", "#bc8cff"},
	{"#bc4c00", "#f0883e"}, {"#0b7285", "#39c5cf"}, {"#bf3989", "#f778ba"}, {"#7a6200", "#d4b72c"},
}

// svgStyle has no custom properties and no nesting: not every program that draws SVG
// knows them.
func svgStyle() string {
	var b strings.Builder
	scheme := func(k int, text, label, box string) {
		fmt.Fprintf(&b, "text{fill:%s}text.l{fill:%s}rect{fill:%s}\n", text, label, box)
		for i, c := range svgColors {
			fmt.Fprintf(&b, ".c%d path,.c%[1]d rect{stroke:%s}.c%[1]d path.a{fill:%[2]s}\n", i, c[k])
		}
	}
	fmt.Fprintf(&b, "text{font:%dpx ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace}\n", svgFont)
	fmt.Fprintf(&b, "text.t{font-size:%dpx;font-weight:bold}text.n{font-size:%dpx;font-weight:bold}\n", svgTitle, svgFont+1)
	b.WriteString("path{fill:none;stroke-width:1.5}path.a{stroke:none}rect{stroke-width:1.5}.first rect{stroke-dasharray:5 3}\n")
	b.WriteString(".e:hover path{stroke-width:3.5}\n")
	scheme(0, "#1f2328", "#424a53", "#f6f8fa")
	b.WriteString("@media (prefers-color-scheme:dark){\n")
	scheme(1, "#e6edf3", "#b7c0ca", "#161b22")
	b.WriteString("}\n")
	return b.String()
}

func (s *svgDrawing) write(b *strings.Builder, places []svgPlace) {
	fmt.Fprintf(b, "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" viewBox=\"0 0 %d %d\" width=\"%[1]d\" height=\"%d\">\n", s.width, s.height)
	fmt.Fprintf(b, "<title>%s</title>\n<desc>", xmlText(s.title))
	for _, e := range s.edges {
		fmt.Fprintf(b, "%s\n", xmlText(s.words(e)))
	}
	fmt.Fprintf(b, "</desc>\n<style>\n%s</style>\n", svgStyle())
	if s.title != "" {
		fmt.Fprintf(b, "<text class=\"t\" x=\"%d\" y=\"%d\">%s</text>\n", svgMargin, svgMargin+svgTitle, xmlText(s.title))
	}
	for _, p := range places {
		s.writeEdge(b, p)
	}
	for i, n := range s.nodes {
		s.writeBox(b, i, n)
	}
	b.WriteString("</svg>\n")
}

// words is a transition in words, for those who hear the picture or point at a line.
func (s *svgDrawing) words(t transition) string {
	text := s.nodes[t.from].Name + " -> " + s.nodes[t.to].Name
	if t.label != "" {
		text += ": " + t.label
	}
	return text
}

// writeEdge writes a transition from its box along the lane into the other box.
func (s *svgDrawing) writeEdge(b *strings.Builder, p svgPlace) {
	fmt.Fprintf(b, "<g class=\"e c%d\"><title>%s</title>", p.to%len(svgColors), xmlText(s.words(p.transition)))
	if p.next() {
		x, end := s.x+s.box/2, s.boxes[p.to].top
		fmt.Fprintf(b, "<path d=\"M%d %dV%d\"/><path class=\"a\" d=\"M%[1]d %[4]dl-5 -9h10z\"/>", x, p.y, end-7, end)
		for n, line := range p.lines {
			s.writeLabel(b, x+10, p.y+svgLine*(n+1), "start", line)
		}
		b.WriteString("</g>\n")
		return
	}
	x, edge, out := s.laneX(p.side, p.to)
	enter := s.lane(p.side, p.to).enter
	bend := svgBend
	if enter < p.y {
		bend = -svgBend
	}
	round := out * svgBend
	fmt.Fprintf(b, "<path d=\"M%d %dH%dq%d 0 %d %dV%dq0 %d %d %dH%d\"/>",
		edge, p.y, x-round, round, round, bend, enter-bend, bend, -round, bend, edge+out*7)
	fmt.Fprintf(b, "<path class=\"a\" d=\"M%d %dl%d -5v10z\"/>", edge, enter, out*9)
	anchor := "end"
	if p.side == right {
		anchor = "start"
	}
	for n, line := range p.lines {
		s.writeLabel(b, edge+out*svgMargin/2, p.y-4-svgLine*(len(p.lines)-1-n), anchor, line)
	}
	b.WriteString("</g>\n")
}

func (s *svgDrawing) writeLabel(b *strings.Builder, x, y int, anchor, text string) {
	if text != "" {
		fmt.Fprintf(b, "<text class=\"l\" x=\"%d\" y=\"%d\" text-anchor=\"%s\">%s</text>", x, y, anchor, xmlText(text))
	}
}

// writeBox writes a state, the first with a broken edge.
func (s *svgDrawing) writeBox(b *strings.Builder, i int, n Node) {
	class := ""
	if i == 0 {
		class = " first"
	}
	box := s.boxes[i]
	x, y := s.x+s.box/2, box.top+box.height/2+4
	fmt.Fprintf(b, "<g class=\"c%d%s\"><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"6\"/>", i%len(svgColors), class, s.x, box.top, s.box, box.height)
	if n.Note != "" {
		y -= svgLine / 2
		fmt.Fprintf(b, "<text class=\"l\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>", x, y+svgLine+1, xmlText(n.Note))
	}
	fmt.Fprintf(b, "<text class=\"n\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text></g>\n", x, y, xmlText(n.Name))
}

// xmlText escapes a text. Noncharacters, which XML forbids and Clean lets pass, become
// U+FFFD.
func xmlText(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}
