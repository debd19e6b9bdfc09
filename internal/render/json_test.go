package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/explain"
	"ipvsstate/internal/tally"
)

// document is the summary as JSON, read back as a program does that knows no types.
func document(t *testing.T, s *Summary, o Options) map[string]any {
	t.Helper()
	var b bytes.Buffer
	if err := JSON(&b, s, o); err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(&b)
	d.UseNumber()
	var doc map[string]any
	if err := d.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	if d.More() {
		t.Error("there is more than one document")
	}
	return doc
}

// lists are the paths of all lists, by the names docs/json.md gives them.
var lists = []string{"states", "template_states", "services", "kernel.services", "kernel.services[].servers", "kernel.missing", "idle", "idle[].ranges"}

// walk calls f for every value, with its path.
func walk(path string, v any, f func(path string, v any)) {
	f(path, v)
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			walk(strings.TrimPrefix(path+"."+key, "."), value, f)
		}
	case []any:
		for _, value := range v {
			walk(path+"[]", value, f)
		}
	}
}

// TestJSONLists has every list as a list, the empty ones too. Only the services of a
// kernel that did not tell them are null.
func TestJSONLists(t *testing.T) {
	all := summaries(t)
	bare := live(t)
	bare.Config = nil
	all["kernel without services"] = bare
	none := live(t)
	none.Config.Services = []conn.Service{}
	all["kernel with no service"] = none
	nothing := empty(t)
	nothing.Kernel = live(t).Kernel
	all["empty kernel"] = nothing
	for name, s := range all {
		seen := make(map[string]bool)
		walk("", document(t, s, Options{Words: words(t, explain.English), Explain: true}), func(path string, v any) {
			if !slices.Contains(lists, path) {
				if _, ok := v.([]any); ok {
					t.Errorf("%s: %s is a list that this test does not know", name, path)
				}
				return
			}
			seen[path] = true
			unknown := path == "kernel.services" && s.Config == nil
			if _, ok := v.([]any); ok == unknown || v != nil && unknown {
				t.Errorf("%s: %s is %v", name, path, v)
			}
		})
		for _, path := range lists {
			if !strings.HasPrefix(path, "kernel") && !strings.Contains(path, "[]") && !seen[path] {
				t.Errorf("%s: there is no %s", name, path)
			}
		}
		if s.Kernel != nil && (!seen["kernel.services"] || !seen["kernel.missing"]) {
			t.Errorf("%s: of the kernel there is %v", name, slices.Sorted(maps.Keys(seen)))
		}
	}
}

// TestJSONUnknown has null for what is not known, and zero for nothing.
func TestJSONUnknown(t *testing.T) {
	get := func(doc map[string]any, path ...string) any {
		var v any = doc
		for _, key := range path {
			m, ok := v.(map[string]any)
			if !ok {
				t.Fatalf("%v: nothing at %q", path, key)
			}
			if v, ok = m[key]; !ok {
				t.Fatalf("%v: there is no %q", path, key)
			}
		}
		return v
	}
	o := Options{Words: words(t, explain.English)}
	file := document(t, empty(t), o)
	for _, path := range [][]string{{"source", "host"}, {"snapshot", "time"}, {"kernel"}} {
		if v := get(file, path...); v != nil {
			t.Errorf("of a file %v is %v, want null", path, v)
		}
	}
	if v := get(file, "connections"); v != json.Number("0") {
		t.Errorf("an empty listing has %v connections", v)
	}
	kernel := live(t)
	kernel.Config, kernel.Kernel.Version, kernel.Kernel.Buckets, kernel.Kernel.Status = nil, "", 0, nil
	doc := document(t, kernel, o)
	for _, path := range []string{"version", "hash_buckets", "entries", "services", "timeouts"} {
		if v := get(doc, "kernel", path); v != nil {
			t.Errorf("of a kernel that tells nothing, %s is %v, want null", path, v)
		}
	}
	// Timeouts: null where there is none, seconds elsewhere.
	found := make(map[string]any)
	for _, v := range get(document(t, listing(t, "wild.txt"), o), "states").([]any) {
		m := v.(map[string]any)
		found[fmt.Sprint(m["protocol"], " ", m["state"])] = m["timeout_seconds"]
	}
	for key, want := range map[string]any{"DCCP REQUEST": nil, "IP_50 ERR!": nil, "TCP ESTABLISHED": json.Number("900"), "UDP UDP": json.Number("300")} {
		if found[key] != want {
			t.Errorf("%s has the timeout %v, want %v", key, found[key], want)
		}
	}
	for _, v := range get(document(t, troubled(t), o), "states").([]any) {
		if m := v.(map[string]any); m["state"] != nil || m["timeout_seconds"] != nil {
			t.Errorf("a state that is not told is %v", m)
		}
	}
}

// TestJSONAddsUp recounts each document from its parts.
func TestJSONAddsUp(t *testing.T) {
	number := func(v any) (n uint64) {
		if _, err := fmt.Sscan(fmt.Sprint(v), &n); err != nil {
			t.Fatalf("%v is no number", v)
		}
		return n
	}
	all := listings(t)
	all["live"], all["merged"], all["many"] = live(t), merged(t), many(t)
	for name, s := range all {
		doc := document(t, s, Options{Words: words(t, explain.Language("zh"))})
		ungrouped := doc["ungrouped"].(map[string]any)
		var states, templates uint64
		connections, pinned := number(ungrouped["connections"]), number(ungrouped["templates"])
		for _, v := range doc["states"].([]any) {
			states += number(v.(map[string]any)["count"])
		}
		for _, v := range doc["template_states"].([]any) {
			templates += number(v.(map[string]any)["count"])
		}
		for _, v := range doc["services"].([]any) {
			m := v.(map[string]any)
			inStates := uint64(0)
			for _, n := range m["states"].(map[string]any) {
				inStates += number(n)
			}
			if inStates != number(m["connections"]) {
				t.Errorf("%s: %v has %v connections, %d by state", name, m["virtual"], m["connections"], inStates)
			}
			connections += number(m["connections"])
			pinned += number(m["templates"])
		}
		if c := number(doc["connections"]); c != states || c != connections {
			t.Errorf("%s: %d connections, %d by state, %d by service", name, c, states, connections)
		}
		if n := number(doc["templates"]); n != templates || n != pinned {
			t.Errorf("%s: %d templates, %d by state, %d by service", name, n, templates, pinned)
		}
		for _, v := range doc["idle"].([]any) {
			m := v.(map[string]any)
			sum := number(m["unknown"])
			for _, r := range m["ranges"].([]any) {
				sum += number(r.(map[string]any)["count"])
			}
			for _, v := range doc["states"].([]any) {
				if n := v.(map[string]any); n["protocol"] == m["protocol"] && n["state"] == m["state"] && number(n["count"]) != sum {
					t.Errorf("%s: %v %v has idle times of %d connections, of %v", name, m["protocol"], m["state"], sum, n["count"])
				}
			}
		}
		input := doc["input"].(map[string]any)
		if number(input["lines"]) != number(input["entries"])+number(input["skipped"])+number(input["bad"]) {
			t.Errorf("%s: %v", name, input)
		}
	}
}

// TestJSONTexts: texts of the input go through JSON unharmed.
func TestJSONTexts(t *testing.T) {
	doc := document(t, hostile(t), Options{Words: words(t, explain.English)})
	if got := doc["source"].(map[string]any)["name"]; got != "saved\x1b[31m|*.txt" {
		t.Errorf("the name reads back as %q", got)
	}
	var states []string
	for _, v := range doc["states"].([]any) {
		if s, ok := v.(map[string]any)["state"].(string); ok {
			states = append(states, s)
		}
	}
	for _, want := range []string{"\x1b[2J\x07", "=1+2", "a|b*c_d`e<f>[g]", "状态，很长", "LINE\nBREAK"} {
		if !slices.Contains(states, want) {
			t.Errorf("%q is not among the states: %q", want, states)
		}
	}
}

// TestMergeOfSummaries adds up two listings.
func TestMergeOfSummaries(t *testing.T) {
	a, b := listing(t, "k6.1-ipvsadm-Lnc.txt"), listing(t, "dpvs.txt")
	connections, lines := a.Tally.Connections()+b.Tally.Connections(), a.Input.Lines+b.Input.Lines
	b.CutShort = true
	a.Merge(b)
	if a.Tally.Connections() != connections || a.Input.Lines != lines || a.Of != 2 || !a.CutShort || !a.Complete {
		t.Errorf("%+v", a)
	}
	// DPVS's timeouts are others: of a state that both have none is certain, but what
	// the rows themselves show.
	for _, c := range a.Tally.States(tally.ByCount) {
		if got := a.timeout(c); c.State == conn.Established && got != conn.Unknown {
			t.Errorf("%s %s has the timeout %d in tables of two sorts", c.Protocol, c.State, got)
		}
	}
	b.Complete = false
	if a.Merge(b); a.Complete {
		t.Error("an incomplete part makes a complete whole")
	}
}
