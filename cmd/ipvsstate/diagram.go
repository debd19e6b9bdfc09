package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/explain"
	"ipvsstate/internal/machine"
	"ipvsstate/internal/render"
)

var diagrams = []string{"nat", "dr", "sctp", "sctp-dr", "tcp"}

func newDiagram(a *app) *cobra.Command {
	output := choice{"text", []string{"text", "dot", "mermaid", "svg"}}
	lang := choice{"", explain.Languages()}
	c := &cobra.Command{
		Use:   "diagram nat|dr|sctp|sctp-dr|tcp",
		Short: "Draw the states and the packets between them",
		Long: `Draw the states and the packets that lead from one to the next: of a director's TCP
entries under NAT (nat) or under direct routing and tunnelling (dr), of its SCTP entries
(sctp, sctp-dr), or of a TCP socket at an endpoint (tcp). The director's are drawn from
the kernel's transition tables, Linux 4.4 to 7.2; a packet that is not drawn leaves the
state as it is.`,
		Example: `  ipvsstate explain diagram nat
  ipvsstate explain diagram dr -o svg >dr.svg
  ipvsstate explain diagram sctp -o dot | dot -Tpng >sctp.png`,
		Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			words, err := a.words(lang.value)
			if err != nil {
				return err
			}
			if len(args) != 1 || !slices.Contains(diagrams, args[0]) {
				return fail("hint.diagram", fmt.Errorf("diagram takes one of %s", strings.Join(diagrams, ", ")))
			}
			return writeDiagram(a, graph(args[0], words), output.value)
		},
	}
	c.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return diagrams, cobra.ShellCompDirectiveNoFileComp
	}
	addChoice(c, &output, "output", "o", "format of the output")
	addChoice(c, &lang, "lang", "", "language, from LC_ALL, LC_MESSAGES or LANG if not given")
	return c
}

func writeDiagram(a *app, g render.Graph, output string) error {
	write := map[string]func(io.Writer, render.Graph) error{
		"dot": render.DiagramDOT, "mermaid": render.DiagramMermaid, "svg": render.DiagramSVG,
	}[output]
	if write == nil {
		return a.page(func(w io.Writer) error { return render.DiagramText(w, g, a.width) })
	}
	return a.write("diagram", func(w io.Writer) error { return write(w, g) })
}

// graph is the diagram of that name.
func graph(name string, words *explain.Catalogue) render.Graph {
	g := render.Graph{Title: words.Word("diagram." + name)}
	if name == "tcp" {
		for _, c := range words.SocketChanges() {
			label := c.On
			if c.Send != "" {
				label += " / " + c.Send
			}
			addNode(&g, c.From, "")
			addNode(&g, c.To, "")
			g.Edges = append(g.Edges, render.Edge{From: c.From, To: c.To, Label: label})
		}
		return g
	}
	m, path := machine.Of(conn.TCP), machine.Both
	if name == "sctp" || name == "sctp-dr" {
		m = machine.Of(conn.SCTP)
	}
	if name == "dr" || name == "sctp-dr" {
		path = machine.ClientOnly
	}
	begin := words.Word("diagram.begin")
	addNode(&g, begin, "")
	for _, s := range m.States(path) {
		addNode(&g, s.String(), strconv.Itoa(int(conn.DefaultTimeouts.Of(conn.Linux, m.Protocol, s)))+" s")
	}
	for _, t := range m.Transitions(path) {
		from := t.From.String()
		if t.From == conn.None { // an entry is never seen in it: its first packet changes it at once
			from = begin
		}
		g.Edges = append(g.Edges, render.Edge{From: from, To: t.To.String(), Label: words.Word("side."+t.Side.String()) + " " + t.Packet})
	}
	return g
}

func addNode(g *render.Graph, name, note string) {
	if !slices.ContainsFunc(g.Nodes, func(n render.Node) bool { return n.Name == name }) {
		g.Nodes = append(g.Nodes, render.Node{Name: name, Note: note})
	}
}
