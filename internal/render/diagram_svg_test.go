package render

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
)

// written is a text of an SVG and the room it takes.
type written struct {
	text                     string
	left, right, top, bottom float64
}

// svgTexts are the texts of an SVG, measured as the drawing does.
func svgTexts(t *testing.T, svg []byte) (all []written, width, height float64) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(svg))
	var open []map[string]string
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all, width, height
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			attributes := map[string]string{"": token.Name.Local}
			for _, a := range token.Attr {
				attributes[a.Name.Local] = a.Value
			}
			if token.Name.Local == "svg" {
				f := strings.Fields(attributes["viewBox"])
				width, height = number64(t, f[2]), number64(t, f[3])
			}
			open = append(open, attributes)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) == 0 || open[len(open)-1][""] != "text" {
				continue
			}
			a := open[len(open)-1]
			size := map[string]int{"t": svgTitle, "n": svgFont + 1}[a["class"]]
			if size == 0 {
				size = svgFont
			}
			w := float64(textWidth(string(token), size))
			x, y := number64(t, a["x"]), number64(t, a["y"])
			switch a["text-anchor"] {
			case "middle":
				x -= w / 2
			case "end":
				x -= w
			}
			all = append(all, written{string(token), x, x + w, y - 0.8*float64(size), y + 0.2*float64(size)})
		}
	}
}

func number64(t *testing.T, text string) float64 {
	t.Helper()
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestSVGIsLegible: every name and label is in the picture, none over another and none over
// the edge.
func TestSVGIsLegible(t *testing.T) {
	for name, g := range graphs() {
		var out bytes.Buffer
		if err := DiagramSVG(&out, g); err != nil {
			t.Fatal(err)
		}
		texts, width, height := svgTexts(t, out.Bytes())
		for i, a := range texts {
			if a.left < 0 || a.top < 0 || a.right > width || a.bottom > height {
				t.Errorf("%s: %q leaves the picture: %+v", name, a.text, a)
			}
			for _, b := range texts[:i] {
				if a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom {
					t.Errorf("%s: %q and %q overlap", name, a.text, b.text)
				}
			}
		}
		for _, n := range g.Nodes {
			found := false
			for _, a := range texts {
				found = found || a.text == Clean(n.Name)
			}
			if !found && n.Name != "" {
				t.Errorf("%s: there is no %q", name, n.Name)
			}
		}
		for _, want := range []string{"prefers-color-scheme:dark", `role="img"`, "<title>", "<desc>"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s has no %s", name, want)
			}
		}
	}
}

// TestTextDiagramsFit: no line is wider than asked for.
func TestTextDiagramsFit(t *testing.T) {
	for name, g := range graphs() {
		for _, limit := range []int{50, 80, 120} {
			var out bytes.Buffer
			if err := DiagramText(&out, g, limit); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(out.String()) {
				if w := width(strings.TrimRight(line, "\n")); w > limit {
					t.Errorf("%s at %d columns: a line takes %d: %s", name, limit, w, line)
				}
			}
		}
	}
}
