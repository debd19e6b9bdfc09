package explain

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/diagnose"
)

// asked are the keys that the program's sources ask a catalogue for: whole ones, ones
// of counts, and beginnings that are completed at run time. It reads the sources.
type asked struct {
	words, counts, prefixes map[string]token.Position
	literals                map[string]bool // all texts in the sources
}

// sources are the packages that use a catalogue.
var sources = []string{"../render/*.go", "../../cmd/ipvsstate/*.go"}

func keysAsked(t *testing.T) asked {
	t.Helper()
	a := asked{map[string]token.Position{}, map[string]token.Position{}, map[string]token.Position{}, map[string]bool{}}
	fset := token.NewFileSet()
	for _, pattern := range sources {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no sources at %s: %v", pattern, err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(fset, name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if text, ok := literal(n); ok {
					a.literals[text] = true
					if strings.HasPrefix(text, "hint.") { // of an error
						a.words[text] = fset.Position(n.Pos())
					}
				}
				call, ok := n.(*ast.CallExpr)
				if !ok || len(call.Args) == 0 {
					return true
				}
				f, ok := call.Fun.(*ast.SelectorExpr)
				if !ok || f.Sel.Name != "Word" && f.Sel.Name != "Count" {
					return true
				}
				at := fset.Position(call.Pos())
				switch key := call.Args[0].(type) {
				case *ast.BasicLit:
					text, _ := literal(key)
					if f.Sel.Name == "Word" {
						a.words[text] = at
					} else {
						a.counts[text] = at
					}
				case *ast.BinaryExpr:
					if text, ok := literal(key.X); ok {
						a.prefixes[text] = at
					}
				}
				return true
			})
		}
	}
	if len(a.words) < 20 || len(a.counts) < 5 || len(a.prefixes) < 3 {
		t.Fatalf("the sources ask for %d words, %d counts and %d beginnings: has their form changed?", len(a.words), len(a.counts), len(a.prefixes))
	}
	return a
}

func literal(n ast.Node) (string, bool) {
	l, ok := n.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(l.Value)
	return text, err == nil
}

// completed are the keys that are put together at run time, by their beginnings.
var completed = map[string][]string{
	"source.":    {"stdin", "kernel"},
	"format.":    {"auto", "ipvsadm", "proc", "proc_sync", "dpvs", "fullnat", "mixed"},
	"time.":      {"header", "name", "mtime", "clock"},
	"missing.":   {"services", "timeouts"},
	"kind.":      kindWords(),
	"list.":      kindWords(),
	"field.":     fieldWords(),
	"on.":        {"director", "server", "client"},
	"side.":      {"client", "server"},
	"timeouts.":  {"default", "kernel", "listing", "flag"},
	"untold.":    {"origin", "forwarding"},
	"looked.":    {"found", "nothing"},
	"severity.":  diagnose.SeverityNames(),
	"need.":      {"services", "counters", "times", "origins", "daemons", "buckets", "conn_max"},
	"finding.":   findingWords(),
	"threshold.": diagnose.Names(),
	"orphan.":    {"server_gone", "service_gone"},
	"head.":      {"state", "protocol", "service", "server", "client", "port", "forwarding", "origin", "idle"},
	"column.": {"proto", "kind", "state", "expires", "idle", "client", "virtual", "local", "server", "forwarding", "origin", "timeout",
		"engine", "data"},
	"reason.":     {"never_sent", "templates_only", "sync_version", "ran_out", "may_be_new", "below_threshold", "closed", "lost"},
	"trend.time.": {"header", "name", "mtime"},
	"trend.":      {"since", "until", "once", "since.gap", "until.gap", "rose.since", "rose.until", "fell.since", "fell.until"},
	"span.":       {"d", "h", "m", "s"},
	"fate.":       {"expired", "ended", "lowered", "removed"},
	"effect.":     {"created", "changed", "rearmed", "unseen", "no_entry", "elapsed", "expired"},
	"diagram.":    {"nat", "dr", "sctp", "sctp-dr", "tcp"},
}

func findingWords() (all []string) {
	for _, r := range diagnose.Rules() {
		for _, c := range r.Cases {
			all = append(all, strings.TrimSuffix(r.Code+"."+c, "."))
		}
	}
	return all
}

func kindWords() (all []string) {
	for _, k := range Kinds() {
		all = append(all, string(k))
	}
	return all
}

// fieldWords are the fields that are shown behind a label of their own.
func fieldWords() []string {
	var all []string
	for _, ids := range fields {
		for _, id := range ids {
			if id != "text" && !slices.Contains(all, id) {
				all = append(all, id)
			}
		}
	}
	return all
}

func TestKeysThatAreAsked(t *testing.T) {
	a := keysAsked(t)
	for _, l := range Languages() {
		c := load(t, Language(l))
		for key, at := range a.words {
			if _, ok := c.words[key]; !ok {
				t.Errorf("%s: %s asks for %q, which is not in words.yaml", l, at, key)
			}
		}
		for key, at := range a.counts {
			for _, form := range []string{".one", ".many"} {
				if _, ok := c.words[key+form]; !ok {
					t.Errorf("%s: %s asks for %q, which is not in words.yaml", l, at, key+form)
				}
			}
		}
		for beginning, at := range a.prefixes {
			ends, ok := completed[beginning]
			if !ok {
				t.Errorf("%s puts a key together from %q: list its ends in this test", at, beginning)
			}
			for _, end := range ends {
				if _, ok := c.words[beginning+end]; !ok {
					t.Errorf("%s: %s can ask for %q, which is not in words.yaml", l, at, beginning+end)
				}
			}
		}
	}
}

// TestNoKeyIsUnused finds texts that nothing shows.
func TestNoKeyIsUnused(t *testing.T) {
	a := keysAsked(t)
	used := func(key string) bool {
		if a.literals[key] {
			return true
		}
		for _, form := range []string{".one", ".many", ".hint"} {
			if stem, ok := strings.CutSuffix(key, form); ok && a.literals[stem] {
				return true
			}
		}
		for beginning, ends := range completed {
			for _, end := range ends {
				if _, ok := a.prefixes[beginning]; ok && key == beginning+end {
					return true
				}
			}
		}
		return false
	}
	for key := range load(t, English).words {
		if !used(key) {
			t.Errorf("nothing asks for %q", key)
		}
	}
}

// TestCountForms: a number of things has both forms, and each takes the number.
func TestCountForms(t *testing.T) {
	for _, l := range Languages() {
		c := load(t, Language(l))
		for key, text := range c.words {
			stem, form := key, ""
			for _, f := range []string{".one", ".many"} {
				if s, ok := strings.CutSuffix(key, f); ok {
					stem, form = s, f
				}
			}
			if form == "" {
				continue
			}
			if _, ok := c.words[stem+".one"]; !ok {
				t.Errorf("%s: %q has no form for one", l, stem)
			}
			if _, ok := c.words[stem+".many"]; !ok {
				t.Errorf("%s: %q has no form for many", l, stem)
			}
			if strings.Count(text, "%s") != 1 {
				t.Errorf("%s: %q does not take its number: %s", l, key, text)
			}
		}
	}
}

func TestWord(t *testing.T) {
	en, zh := load(t, English), load(t, Chinese)
	tests := []struct{ got, want string }{
		{en.Word("total"), "total"},
		{zh.Word("total"), "合计"},
		{en.Word("fwmark", 10), "fwmark 10"},
		{en.Word("snapshot", 2, 3), "snapshot 2 of 3"},
		{zh.Word("snapshot", 2, 3), "第 2 份快照，共 3 份"},
		{en.Word("no.such.key"), "no.such.key"},
		{en.Count("connections", 0), "0 connections"},
		{en.Count("connections", 1), "1 connection"},
		{en.Count("connections", 2), "2 connections"},
		{en.Count("connections", 1234567), "1,234,567 connections"},
		{zh.Count("connections", 1), "1 条连接"},
		{Thousands(0), "0"}, {Thousands(999), "999"}, {Thousands(1000), "1,000"}, {Thousands(123456), "123,456"},
		{Thousands(1<<64 - 1), "18,446,744,073,709,551,615"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
	// What fmt says of a verb without an argument must not reach the screen.
	for _, l := range Languages() {
		c := load(t, Language(l))
		for key := range c.words {
			if stem, ok := strings.CutSuffix(key, ".many"); ok && strings.Contains(c.Count(stem, 7), "%!") {
				t.Errorf("%s: %q is written %q", l, stem, c.Count(stem, 7))
			}
		}
	}
}

func TestLanguageOf(t *testing.T) {
	for locale, want := range map[string]Language{
		"zh_CN.UTF-8": Chinese, "zh_CN": Chinese, "zh_TW.UTF-8": Chinese, "zh": Chinese, "zh-Hans": Chinese, "ZH_cn.utf8": Chinese, "zh.UTF-8": Chinese,
		"en_US.UTF-8": English, "C": English, "POSIX": English, "C.UTF-8": English, "": English, "ja_JP.UTF-8": English, "zhuang": English, "za_CN": English,
	} {
		if got := LanguageOf(locale); got != want {
			t.Errorf("the locale %q asks for %q, want %q", locale, got, want)
		}
	}
}

func TestLoad(t *testing.T) {
	for _, l := range []Language{"", "fr", "../en", "EN"} {
		c, err := Load(l)
		if err == nil || c != nil || !strings.Contains(err.Error(), "en or zh") {
			t.Errorf("%q: %v, %v", l, c, err)
		}
	}
	if c := load(t, Chinese); c.Language != Chinese || c.State(conn.TCP, conn.Established, conn.Connection).Line == "" {
		t.Errorf("%+v", c)
	}
}
