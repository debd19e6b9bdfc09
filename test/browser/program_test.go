package browser

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestProgramsPages opens the pages that the program itself writes of real listings, in both
// languages: nothing is fetched, nothing is complained of, and what is known of the listings is
// on the page.
func TestProgramsPages(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "ipvsstate")
	build := exec.Command("go", "build", "-o", program, "./cmd/ipvsstate")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// A log with a step: half-open connections that begin at noon.
	var log strings.Builder
	for i := range 60 {
		at := time.Date(2026, 11, 22, 9, 5*i, 0, 0, time.UTC)
		fmt.Fprintf(&log, "%s\n", at.Format(time.RFC3339))
		for k := range 100 {
			state := "ESTABLISHED"
			if at.Hour() >= 12 && k%2 == 0 {
				state = "SYN_RECV   "
			}
			fmt.Fprintf(&log, "TCP 00:50  %s 198.51.100.%d:%d 10.0.1.100:443 10.0.0.%d:443\n", state, k, 40000+k, 11+k%3)
		}
	}
	journal := filepath.Join(dir, "log.txt")
	if err := os.WriteFile(journal, []byte(log.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	listing := "../../testdata/k6.1-ip-vs-conn-sync.txt"
	tests := []struct {
		name string
		args []string
		want []string
	}{
		{"trend", []string{"trend", journal}, []string{"SYN_RECV: about 0 before, since 2026-11-22 12:00 UTC about 50", "ESTABLISHED"}},
		{"trend by server", []string{"trend", "--by", "server", journal}, []string{"10.0.0.11:443"}},
		{"trend in Chinese", []string{"trend", "--lang", "zh", journal}, []string{"SYN_RECV：此前约 0，2026-11-22 12:00 UTC 起约 50"}},
		{"diff", []string{"diff", listing, "../../testdata/k6.1-ip-vs-conn.txt"}, []string{"10.0.0.77:85", "36, then 35 (-1)"}},
		{"sync", []string{"diff", "--sync", listing, "../../testdata/k6.1-backup-ip-vs-conn-sync.txt"}, []string{"the backup has 11 of 11 (100.0%)"}},
		{"summary", []string{listing}, []string{"SCTP ESTABLISHED", "36 connections"}},
		{"summary in Chinese", []string{"--lang", "zh", listing}, []string{"36 条连接"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			page := filepath.Join(t.TempDir(), "page.html")
			out, err := exec.Command(program, append(tt.args, "-o", "html")...).Output() // whose exit code tells of differences
			if len(out) == 0 {
				t.Fatal(err)
			}
			if err := os.WriteFile(page, out, 0o644); err != nil {
				t.Fatal(err)
			}
			b := open(t, "file://"+page, look{width: 400})
			text := b.text("body")
			for _, want := range tt.want {
				if !strings.Contains(text, want) {
					t.Errorf("there is no %q on the page:\n%.2000s", want, text)
				}
			}
			b.legible()
			b.fits(400)
		})
	}
}
