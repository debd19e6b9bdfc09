//go:build linux

package kernel

import (
	"strings"
	"testing"
	"time"
)

// What volume.sh puts into the table, first and in the end.
const (
	someEntries = 20000
	manyEntries = 40000
)

// TestVolume reads thousands of entries in every state there is, and stops reading in the middle.
func TestVolume(t *testing.T) {
	r := boot(t, 4*time.Minute, syncScript+volumeScript)

	t.Run("scenario", func(t *testing.T) {
		table := countListing(t, r.text(t, "volume.before.txt"))
		if n := table["connections"] + table["templates"]; n != someEntries {
			t.Errorf("%d entries, want %d", n, someEntries)
		}
		for protocol, states := range map[string]string{
			"state TCP":  "NONE ESTABLISHED SYN_SENT SYN_RECV FIN_WAIT TIME_WAIT CLOSE CLOSE_WAIT LAST_ACK LISTEN SYNACK",
			"state UDP":  "UDP",
			"state SCTP": "NONE INIT1 INIT C-SENT C-REPLIED C-WAIT COOKIE C-ECHOED ESTABLISHED S-SENT S-RECEIVED S-ACK-SENT REJECTED CLOSED",

			"template state TCP":  "NONE ASSURED",
			"template state UDP":  "NONE ASSURED",
			"template state SCTP": "NONE ASSURED",
			"template state IP":   "NONE ASSURED",
		} {
			for _, state := range strings.Fields(states) {
				if table[protocol+" "+state] == 0 {
					t.Errorf("no entry of %s %s", protocol, state)
				}
			}
		}
	})
	readingsAgree(t, r, "volume")
	t.Run("services", func(t *testing.T) {
		sameLines(t, r.document(t, "volume.live").kernelLines(), serviceLines(t, r.text(t, "volume.services.txt")))
	})
	t.Run("diagnosis", func(t *testing.T) {
		if text := r.text(t, "deaf.out"); !strings.Contains(text, `"LVS018"`) || !strings.Contains(text, "listens on v0") {
			code, messages := r.exit(t, "deaf")
			t.Errorf("a backup without entries is not told of: exit code %s: %s\n%s", code, messages, text)
		}
		text := r.text(t, "hears.out")
		if strings.Contains(text, `"LVS018"`) || strings.Contains(text, `"LVS019"`) {
			t.Errorf("a backup that has its master's entries is said to be at fault:\n%s", text)
		}
		if !strings.Contains(text, `"LVS021"`) || !strings.Contains(text, `"buckets": 256`) {
			code, messages := r.exit(t, "hears")
			t.Errorf("%d entries in 256 buckets are not told of: exit code %s: %s\n%s", someEntries, code, messages, text)
		}
	})
	t.Run("growing", func(t *testing.T) {
		doc := r.document(t, "growing")
		t.Logf("read while the table grew: %+v", doc.Input)
		// The kernel prints as many rows as there are entries in the end, some of the old ones twice and some of the
		// new ones never. What was there from the start is read, and counted once.
		if n := doc.Connections + doc.Templates; n < someEntries || n > manyEntries {
			t.Errorf("%d entries, want from %d to %d", n, someEntries, manyEntries)
		}
	})
	t.Run("grown", func(t *testing.T) {
		if code, messages := r.exit(t, "grown"); code != "0" {
			t.Fatalf("exit code %s: %s", code, messages)
		}
		rows, seen := 0, map[string]bool{}
		for line := range strings.Lines(r.text(t, "grown.out")) {
			f := strings.Fields(line)
			if f[0] == "Pro" {
				continue
			}
			rows++
			seen[strings.Join(f[:7], " ")] = true
		}
		if twice := rows - len(seen); twice > 0 {
			t.Errorf("%d of %d rows were recorded twice", twice, rows)
		}
		if rows < someEntries || rows > manyEntries {
			t.Errorf("%d rows were recorded, want from %d to %d", rows, someEntries, manyEntries)
		}
	})
	t.Run("many", func(t *testing.T) {
		doc := r.document(t, "many")
		if doc.Input.Entries != manyEntries || doc.Input.Duplicates != 0 || !doc.complete() {
			t.Errorf("want %d entries, no duplicates, complete; got %+v, complete %v", manyEntries, doc.Input, doc.complete())
		}
	})
	for name, want := range map[string]string{"interrupted": "130", "out-of-time": "2"} {
		t.Run(name, func(t *testing.T) { cutShort(t, r, name, want) })
	}
}

// cutShort wants a document of what was read so far, and that it says so.
func cutShort(t *testing.T, r results, name, want string) {
	code, messages := r.exit(t, name)
	if code == "0" {
		t.Skipf("this machine reads %d entries (%s s) before it can be stopped", manyEntries, strings.TrimSpace(r.text(t, "many.seconds")))
	}
	if code != want {
		t.Errorf("exit code %s, want %s; messages: %s", code, want, messages)
	}
	doc := decode(t, r.text(t, name+".out"))
	if doc.complete() {
		t.Error("the document does not say that it is incomplete")
	}
	if n := doc.Input.Entries; n == 0 || n >= manyEntries {
		t.Errorf("%d entries of %d: not cut short in the middle", n, manyEntries)
	}
}
