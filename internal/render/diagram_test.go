package render

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/machine"
)

// graphOf is a machine's graph, its states in the kernel's order.
func graphOf(title string, m *machine.Machine, path machine.Path) Graph {
	g := Graph{Title: title}
	var states []conn.State
	for _, tr := range m.Transitions(path) {
		for _, s := range []conn.State{tr.From, tr.To} {
			if !slices.Contains(states, s) {
				states = append(states, s)
			}
		}
		g.Edges = append(g.Edges, Edge{tr.From.String(), tr.To.String(), tr.Side.String() + " " + tr.Packet})
	}
	slices.SortFunc(states, func(a, b conn.State) int { return a.Index() - b.Index() })
	for _, s := range states {
		n := Node{Name: s.String()}
		if s != conn.None {
			n.Note = span(conn.DefaultTimeouts.Of(conn.Linux, m.Protocol, s))
		}
		g.Nodes = append(g.Nodes, n)
	}
	return g
}

func graphs() map[string]Graph {
	tcp, sctp := machine.Of(conn.TCP), machine.Of(conn.SCTP)
	chinese := graphOf("直接路由（DR）下的 TCP 状态机", tcp, machine.ClientOnly)
	chinese.Nodes[0].Name, chinese.Edges[0].From = "无条目", "无条目"
	for i, e := range chinese.Edges {
		chinese.Edges[i].Label = "客户端 " + e.Label[len("client "):]
	}
	return map[string]Graph{
		"tcp-nat":     graphOf("TCP, NAT: the director sees both directions", tcp, machine.Both),
		"tcp-direct":  graphOf("TCP, direct routing: the director sees the client's packets", tcp, machine.ClientOnly),
		"tcp-secure":  graphOf("TCP with secure_tcp, NAT", machine.SecureTCP(), machine.Both),
		"udp":         graphOf("UDP", machine.Of(conn.UDP), machine.Both),
		"sctp-nat":    graphOf("SCTP, NAT", sctp, machine.Both),
		"sctp-direct": graphOf("SCTP, direct routing", sctp, machine.ClientOnly),
		"chinese":     chinese,
		"hostile": {
			Title: `a "title" & <b>` + "\x1b[2J\n--- #1;",
			Nodes: []Node{{"ERR!", `"60" s\`}, {"end", ""}, {`a\`, "1: <i>"}, {"?", ""}, {"", "no name"}},
			Edges: []Edge{
				{"ERR!", "end", `client "syn" --> x; y`}, {"end", "end", "itself"}, {"end", `a\`, `\N & &amp; %% </text>]]>`},
				{`a\`, "?", ""}, {"?", "ERR!", "a:b\n[*] --> s0"}, {"", "ERR!", "style:#1;"},
			},
		},
	}
}

var diagramForms = []struct {
	title string
	write func(io.Writer, Graph) error
}{
	{"text, 80 columns", textOf(80)},
	{"text, 50 columns", textOf(50)},
	{"text, any width", textOf(0)},
	{"DOT", DiagramDOT},
	{"Mermaid", DiagramMermaid},
	{"SVG", DiagramSVG},
}

func textOf(limit int) func(io.Writer, Graph) error {
	return func(w io.Writer, g Graph) error { return DiagramText(w, g, limit) }
}

func TestDiagramGoldens(t *testing.T) {
	for name, g := range graphs() {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			for _, f := range diagramForms {
				fmt.Fprintf(&got, "-- %s --\n", f.title)
				if err := f.write(&got, g); err != nil {
					t.Errorf("%s: %v", f.title, err)
				}
			}
			golden := filepath.Join("testdata", "diagram-"+name+".golden")
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("differs from %s (go test ./internal/render -update rewrites it) at line %s", golden, difference(got.Bytes(), want))
			}
		})
	}
}
