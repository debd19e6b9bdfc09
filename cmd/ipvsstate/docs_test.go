//go:build unix

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ipvsstate/internal/explain"
)

// generated are the documents that the program writes itself, and how.
var generated = map[string]string{
	"docs/states.md":          "explain director socket life term -o markdown --lang en",
	"docs/states.zh.md":       "explain director socket life term -o markdown --lang zh",
	"docs/rules.md":           "explain rule -o markdown --lang en",
	"docs/rules.zh.md":        "explain rule -o markdown --lang zh",
	"docs/diagram-nat.svg":    "explain diagram nat -o svg --lang en",
	"docs/diagram-dr.svg":     "explain diagram dr -o svg --lang en",
	"docs/diagram-nat.zh.svg": "explain diagram nat -o svg --lang zh",
	"docs/diagram-dr.zh.svg":  "explain diagram dr -o svg --lang zh",
}

// docHead is what stands before a document's topics.
var docHead = map[string]string{
	"docs/states.md": "# States, connections and words\n\nMade by `ipvsstate explain director socket life term -o markdown`; the texts are in `internal/explain/catalogue/`. [中文](states.zh.md)\n\n" +
		"![States of a TCP entry under NAT](diagram-nat.svg)\n\n![States of a TCP entry under direct routing](diagram-dr.svg)\n\n",
	"docs/states.zh.md": "# 状态、连接与术语\n\n由 `ipvsstate explain director socket life term -o markdown --lang zh` 生成，文本在 `internal/explain/catalogue/`。[English](states.md)\n\n" +
		"![NAT 模式下 TCP 表项的状态](diagram-nat.zh.svg)\n\n![直接路由模式下 TCP 表项的状态](diagram-dr.zh.svg)\n\n",
	"docs/rules.md":    "# The rules of diagnose\n\nMade by `ipvsstate explain rule -o markdown`; the texts are in `internal/explain/catalogue/`. [中文](rules.zh.md)\n\n",
	"docs/rules.zh.md": "# 诊断规则\n\n由 `ipvsstate explain rule -o markdown --lang zh` 生成，文本在 `internal/explain/catalogue/`。[English](rules.md)\n\n",
}

// TestGeneratedDocuments fails when a document is not what the program says now;
// go test ./cmd/ipvsstate -run TestGeneratedDocuments -update writes them.
func TestGeneratedDocuments(t *testing.T) {
	for name, command := range generated {
		var out, errors bytes.Buffer
		out.WriteString(docHead[name])
		if code := run(t.Context(), testApp(&out, &errors, 80, nil), strings.Fields(command)); code != 0 {
			t.Fatalf("%s: %d, %s", command, code, &errors)
		}
		path := filepath.Join("../..", name)
		if *update {
			if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if have, err := os.ReadFile(path); err != nil || !bytes.Equal(have, out.Bytes()) {
			t.Errorf("%s is stale (%v): go test ./cmd/ipvsstate -run TestGeneratedDocuments -update", name, err)
		}
	}
}

var quoted = regexp.MustCompile("`([^`]+)`")

// TestCommandsInTexts: what the texts tell to type at this program, it takes.
func TestCommandsInTexts(t *testing.T) {
	commands := map[string]bool{}
	for _, l := range explain.Languages() {
		c, err := explain.Load(explain.Language(l))
		if err != nil {
			t.Fatal(err)
		}
		for _, topic := range c.Topics() {
			for _, check := range topic.Checks {
				commands[check.Run] = true
			}
			for _, f := range topic.Fields {
				for _, m := range quoted.FindAllStringSubmatch(f.Text, -1) {
					commands[m[1]] = true
				}
			}
		}
	}
	own := 0
	for command := range commands {
		_, ours, found := strings.Cut(" "+command, " ipvsstate")
		if !found || ours != "" && ours[0] != ' ' {
			continue
		}
		own++
		ours, _, _ = strings.Cut(ours, "|")
		args := strings.Fields(ours)
		if len(args) == 0 || args[0] != "explain" {
			args = append(args, "--help") // the flags are read, the kernel is not
		}
		var out, errors bytes.Buffer
		if code := run(t.Context(), testApp(&out, &errors, 80, nil), args); code != 0 && !strings.Contains(command, "TOPIC") {
			t.Errorf("`%s` exits %d: %s", command, code, &errors)
		}
	}
	if own < 2 {
		t.Errorf("the texts name %d commands of this program's: has their form changed?", own)
	}
}
