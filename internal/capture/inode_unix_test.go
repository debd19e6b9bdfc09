//go:build unix

package capture

import (
	"os"
	"testing"
	"time"
)

// TestKeyOf: files of one size and time, as an image or a checkout has many, are known apart by
// their keys, without being compared with each other; one file has one key.
func TestKeyOf(t *testing.T) {
	tree(t, map[string]string{"a": entry(1), "b": entry(2)})
	if err := os.Link("a", "c"); err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1795325320, 0)
	keys := make(map[string]fileKey)
	for _, name := range []string{"a", "b", "c"} {
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		keys[name] = keyOf(info)
	}
	if keys["a"] == keys["b"] || keys["a"] != keys["c"] {
		t.Errorf("%v", keys)
	}
}
