//go:build linux

package kernel

import (
	"strings"
	"testing"
	"time"
)

// TestEmpty reads a kernel without IPVS, which must stay without, and one whose table is empty, which is an answer.
func TestEmpty(t *testing.T) {
	r := boot(t, 5*time.Minute, emptyScript)

	for _, name := range []string{"absent", "absent-live"} {
		t.Run(name, func(t *testing.T) {
			code, messages := r.exit(t, name)
			if code != "2" || !strings.Contains(messages, "ip_vs") {
				t.Errorf("exit code %s, messages %q: want 2 and the module's name", code, messages)
			}
			if out := r.text(t, name+".out"); out != "" {
				t.Errorf("printed %q", out)
			}
		})
	}
	t.Run("no module loaded", func(t *testing.T) {
		if calls := r.text(t, "modprobe.absent.txt"); calls != "" {
			t.Errorf("modprobe was run:\n%s", calls)
		}
		// moby/ipvs runs it whenever it is opened; with the module in the kernel that changes nothing.
		t.Logf("modprobe in the whole scenario: %q", r.text(t, "modprobe.txt"))
		before, after := r.text(t, "modules.before.txt"), r.text(t, "modules.after.txt")
		if before != after || strings.Contains(after, "ip_vs") {
			t.Errorf("modules before:\n%safter:\n%s", before, after)
		}
	})
	for name, kind := range map[string]string{"empty": "kernel", "empty-file": "file", "empty-pipe": "stdin"} {
		t.Run(name, func(t *testing.T) {
			doc := r.document(t, name)
			same(t, doc.counts(), counts{})
			if doc.Source.Kind != kind || doc.Input.Entries != 0 || !doc.complete() {
				t.Errorf("want a complete reading without entries from %s, got %+v", kind, doc)
			}
		})
	}
}
