package render

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"ipvsstate/internal/diagnose"
	"ipvsstate/internal/explain"
)

// Detail is how much of a topic is told.
type Detail uint8

const (
	Brief Detail = iota // what is wanted most
	Short               // one sentence
	Long                // everything, with the packets
)

// The width that text is wrapped to: a line of more than widestText is hard to read.
const (
	usualText  = 80
	widestText = 100
	leastText  = 20 // no terminal that one reads on is narrower
)

// Topics explains topics to a person. A width of 0 is not known.
func Topics(w io.Writer, c *explain.Catalogue, topics []*explain.Topic, d Detail, width int) error {
	if width == 0 {
		width = usualText
	}
	p := &prose{w: w, words: c, width: max(min(width, widestText), leastText)}
	for i, t := range topics {
		if i > 0 && d != Short {
			p.line("")
		}
		p.topic(t, d)
	}
	return p.err
}

// prose writes wrapped paragraphs, and keeps the first error.
type prose struct {
	w     io.Writer
	words *explain.Catalogue
	width int
	err   error
}

func (p *prose) line(text string) {
	if p.err == nil {
		_, p.err = fmt.Fprintln(p.w, text)
	}
}

// paragraphs writes a text behind an indent, its first line behind a label.
func (p *prose) paragraphs(label string, indent int, text string) {
	if p.width-indent < leastFlexible { // no room beside the label
		p.line(strings.TrimRight(label, " "))
		label, indent = "", 4
	}
	for i, paragraph := range strings.Split(text, "\n\n") {
		if i > 0 {
			p.line("")
		}
		for j, line := range wrap(strings.ReplaceAll(strings.TrimSpace(paragraph), "\n", " "), p.width-indent) {
			if i == 0 && j == 0 {
				p.line(strings.TrimRight(padTo(label, indent)+line, " "))
			} else {
				p.line(strings.Repeat(" ", indent) + line)
			}
		}
	}
}

func (p *prose) topic(t *explain.Topic, d Detail) {
	for _, line := range wrap(fmt.Sprintf("%s: %s", t.Title(), t.Name)+p.words.Word("of.kind", p.words.Word("kind."+string(t.Kind))), p.width) {
		p.line(line)
	}
	p.paragraphs("", 2, t.Line)
	if d == Short {
		return
	}
	label := 0
	for _, f := range t.Fields {
		if d == Long || f.Brief() {
			label = max(label, width(p.words.Word("field."+f.ID)))
		}
	}
	p.fields(t.Fields[:t.ChecksAt], d, 2+label+len(gap))
	if t.Like != "" {
		p.line("")
		p.paragraphs("", 2, p.words.Word("like", t.Like, strings.ToLower(t.Like)))
	}
	switch l := p.words.Ladder(t); {
	case l == nil:
	case p.width < ladderWidth+2:
		p.line("")
		p.paragraphs("", 2, p.words.Word("ladder.narrow"))
	default:
		for _, line := range ladderLines(l, p.words) {
			p.line(strings.TrimRight("  "+line, " "))
		}
	}
	p.checks(t)
	p.fields(t.Fields[t.ChecksAt:], d, 2+label+len(gap))
	if text := thresholds(t, p.words); text != "" {
		p.line("")
		p.paragraphs("  "+p.words.Word("field.thresholds"), 2+label+len(gap), text)
	}
}

// thresholds are what a rule goes by, as it comes; empty for other topics.
func thresholds(t *explain.Topic, word *explain.Catalogue) string {
	var all []string
	for _, r := range diagnose.Rules() {
		if t.Kind == explain.Rule && r.Code == t.Key {
			for _, name := range r.Thresholds {
				all = append(all, word.Word("threshold", name, diagnose.Defaults()[name], word.Word("threshold."+name)))
			}
		}
	}
	return strings.Join(all, word.Word("comma"))
}

// fields writes fields behind their labels, which take up indent.
func (p *prose) fields(fields []explain.Field, d Detail, indent int) {
	for _, f := range fields {
		switch {
		case f.ID == "text":
			p.line("")
			p.paragraphs("", 2, f.Text)
		case d == Long || f.Brief():
			p.line("")
			p.paragraphs("  "+p.words.Word("field."+f.ID), indent, f.Text)
		}
	}
}

func (p *prose) checks(t *explain.Topic) {
	if len(t.Checks) == 0 {
		return
	}
	p.line("")
	if t.ChecksAt < len(t.Fields) { // they stand between fields, and have a label as these do
		p.line("  " + p.words.Word("field.check"))
	}
	for _, check := range t.Checks {
		p.line("  " + p.words.Word("on."+check.On) + strings.TrimRight(p.words.Word("colon"), " "))
		for _, line := range commandLines(check.Run, p.width-6) {
			p.line("      " + line)
		}
		p.paragraphs("", 4, check.Why)
	}
}

// commandLines breaks a command so that it can be pasted as it stands: behind a pipe, else
// between words with a backslash, and a word that is too long within.
func commandLines(command string, room int) []string {
	room = max(room, len(gap)+2)
	var lines []string
	indent := ""
	for len(indent)+width(command) > room {
		most := max(1, room-len(indent)-len(" \\"))
		head := cut(command, most)
		if at := strings.LastIndex(head, "| "); at > 0 {
			head = head[:at+1]
			lines = append(lines, indent+head)
		} else if at := strings.LastIndex(head, " "); at > 0 {
			head = head[:at]
			lines = append(lines, indent+head+" \\")
		} else {
			lines = append(lines, indent+head+"\\")
			indent = "" // a blank would part the word
			command = command[len(head):]
			continue
		}
		command = strings.TrimLeft(command[len(head):], " ")
		indent = gap
	}
	return append(lines, indent+command)
}

// TopicList is the topics by kind, a line each.
func TopicList(w io.Writer, c *explain.Catalogue, width int) error {
	if width == 0 {
		width = usualText
	}
	p := &prose{w: w, words: c, width: max(min(width, widestText), leastText)}
	for i, k := range explain.Kinds() {
		if i > 0 {
			p.line("")
		}
		p.paragraphs("", 0, c.Word("list."+string(k)))
		const label = 26
		for _, t := range c.Topics() {
			if t.Kind == k {
				p.paragraphs("  "+t.Title(), label, t.Name)
			}
		}
	}
	p.line("")
	p.paragraphs("", 0, c.Word("list.hint"))
	return p.err
}

// TopicsMarkdown writes topics with everything there is, for a page.
func TopicsMarkdown(w io.Writer, c *explain.Catalogue, topics []*explain.Topic) error {
	p := &prose{w: w, words: c}
	var kind explain.Kind
	for _, t := range topics {
		if t.Kind != kind {
			kind = t.Kind
			p.line("## " + c.Word("list."+string(kind)) + "\n")
		}
		p.line(fmt.Sprintf("### %s\n\n**%s**%s%s\n", t.Title(), t.Name, c.Word("colon"), t.Line))
		p.fieldsMarkdown(t.Fields[:t.ChecksAt])
		if t.Like != "" {
			p.line("- " + c.Word("like", t.Like, strings.ToLower(t.Like)))
		}
		if len(t.Checks) > 0 && t.ChecksAt < len(t.Fields) {
			p.line(fmt.Sprintf("- **%s**%s", c.Word("field.check"), strings.TrimRight(c.Word("colon"), " ")))
		}
		for _, check := range t.Checks {
			p.line(fmt.Sprintf("- %s%s`%s`  \n  %s", c.Word("on."+check.On), c.Word("colon"), check.Run, check.Why))
		}
		if l := c.Ladder(t); l != nil {
			p.line("\n```")
			for _, line := range ladderLines(l, c) {
				p.line(line)
			}
			p.line("```")
		}
		p.fieldsMarkdown(t.Fields[t.ChecksAt:])
		if text := thresholds(t, c); text != "" {
			p.fieldsMarkdown([]explain.Field{{ID: "thresholds", Text: text}})
		}
		p.line("")
	}
	return p.err
}

func (p *prose) fieldsMarkdown(fields []explain.Field) {
	for _, f := range fields {
		label := fmt.Sprintf("- **%s**%s", p.words.Word("field."+f.ID), p.words.Word("colon"))
		switch {
		case f.ID == "text":
			p.line(f.Text + "\n")
		case strings.Contains(f.Text, "\n\n"): // below the label, or a first number would not begin a list
			p.line(strings.TrimRight(label, " ") + "\n\n  " + strings.ReplaceAll(f.Text, "\n\n", "\n\n  ") + "\n")
		default:
			p.line(label + f.Text)
		}
	}
}

type topicJSON struct {
	Kind   string            `json:"kind"`
	Key    string            `json:"key"`
	Name   string            `json:"name"`
	Line   string            `json:"line"`
	Like   *string           `json:"like"`
	Fields map[string]string `json:"fields"`
	Checks []explain.Check   `json:"checks"`
}

// TopicsJSON writes topics for programs.
func TopicsJSON(w io.Writer, c *explain.Catalogue, topics []*explain.Topic) error {
	d := struct {
		Schema int         `json:"schema"`
		Lang   string      `json:"lang"`
		Topics []topicJSON `json:"topics"`
	}{Schema, string(c.Language), make([]topicJSON, 0, len(topics))}
	for _, t := range topics {
		j := topicJSON{string(t.Kind), t.Key, t.Name, t.Line, optional(t.Like, t.Like != ""), map[string]string{}, t.Checks}
		if j.Checks == nil {
			j.Checks = []explain.Check{}
		}
		for _, f := range t.Fields {
			j.Fields[f.ID] = f.Text
		}
		d.Topics = append(d.Topics, j)
	}
	return writeJSON(w, &d)
}

func writeJSON(w io.Writer, document any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(document)
}
