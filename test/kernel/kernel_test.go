//go:build linux

package kernel

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	//go:embed empty.sh
	emptyScript string
	//go:embed traffic.sh
	trafficScript string
	//go:embed sync.sh
	syncScript string
	//go:embed volume.sh
	volumeScript string
	//go:embed machine.sh
	machineScript string
	//go:embed bench.sh
	benchScript string
)

// programs is the folder with the programs under test, built once for all tests by boot.
var programs struct {
	sync.Once
	dir string
	err error
}

func TestMain(m *testing.M) {
	code := m.Run()
	os.RemoveAll(programs.dir)
	os.Exit(code)
}

// A guest's results: the files that its scenario left in the host's folder.
type results struct{ dir string }

// boot runs a scenario in a guest, and skips the test where that cannot be.
func boot(t *testing.T, limit time.Duration, scenario string) results {
	t.Helper()
	if testing.Short() {
		t.Skip("the real-kernel tests are left out by -short")
	}
	if missing := Missing(); missing != nil {
		complain := t.Skipf
		if os.Getenv("CI") != "" {
			complain = t.Fatalf
		}
		complain("real-kernel tests need %s; as root on Debian or Ubuntu: "+
			"apt-get install user-mode-linux busybox-static ipvsadm iproute2", strings.Join(missing, ", "))
	}
	programs.Do(func() {
		if programs.dir, programs.err = os.MkdirTemp("", "ipvsstate-kernel-"); programs.err == nil {
			programs.err = Build(t.Context(), programs.dir)
		}
	})
	if programs.err != nil {
		t.Fatal(programs.err)
	}
	guest := Guest{Programs: programs.dir, Scenario: scenario, Limit: limit}
	var err error
	for range 3 {
		guest.Out = t.TempDir()
		if err = guest.Boot(t.Context()); !errors.Is(err, errHostMemory) {
			break
		}
		t.Logf("this boot does not count: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if console, err := os.ReadFile(filepath.Join(guest.Out, consoleLog)); t.Failed() && err == nil {
			t.Logf("the guest's console:\n%s", console)
		}
	})
	return results{guest.Out}
}

func (r results) path(name string) string { return filepath.Join(r.dir, name) }

func (r results) text(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(r.path(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// exit is the exit code of a command that the scenario ran under this name, and its messages.
func (r results) exit(t *testing.T, name string) (code, messages string) {
	t.Helper()
	return strings.TrimSpace(r.text(t, name+".code")), r.text(t, name+".err")
}

// document is what ipvsstate printed in the guest under this name; it must have ended with exit code 0.
func (r results) document(t *testing.T, name string) document {
	t.Helper()
	if code, messages := r.exit(t, name); code != "0" {
		t.Fatalf("%s: exit code %s: %s", name, code, messages)
	}
	return decode(t, r.text(t, name+".out"))
}

// read has ipvsstate read a saved file, on the host.
func (r results) read(t *testing.T, name string) document {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var messages strings.Builder
	cmd := exec.CommandContext(ctx, filepath.Join(programs.dir, "ipvsstate"), "-o", "json", r.path(name))
	cmd.Stderr = &messages
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v: %s", cmd, err, &messages)
	}
	return decode(t, string(out))
}

func decode(t *testing.T, text string) document {
	t.Helper()
	var doc document
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatalf("not the JSON document: %v\n%.500s", err, text)
	}
	doc.check(t)
	return doc
}
