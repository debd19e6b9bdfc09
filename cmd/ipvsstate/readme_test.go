package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var consoleBlock = regexp.MustCompile("(?s)```console\n(.*?)```")

// TestReadme runs every command that a README shows with its output, in the same
// place and with the listings' times set, and wants that output.
func TestReadme(t *testing.T) {
	for name, locale := range map[string]string{"README.md": "C", "README.zh.md": "zh_CN.UTF-8"} {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile("../../" + name)
			if err != nil {
				t.Fatal(err)
			}
			t.Chdir(listingsAt(t, time.Date(2026, 11, 22, 5, 28, 40, 0, time.UTC)))
			blocks := consoleBlock.FindAllSubmatch(text, -1)
			if len(blocks) == 0 {
				t.Fatal("it shows no command")
			}
			for _, block := range blocks {
				command, want, _ := strings.Cut(string(block[1]), "\n")
				args, ok := strings.CutPrefix(command, "$ go run ./cmd/ipvsstate ")
				if !ok {
					t.Errorf("%q is not a command this test can run", command)
					continue
				}
				var out, errors bytes.Buffer
				code := run(t.Context(), testApp(&out, &errors, 100, map[string]string{"LC_ALL": locale}), strings.Fields(args))
				if code != 0 || out.String() != want {
					t.Errorf("%s exits %d and prints\n%s%s\nwhere the README has\n%s", command, code, &out, &errors, want)
				}
			}
		})
	}
}

// listingsAt is a directory with a copy of testdata/ whose files have that time.
func listingsAt(t *testing.T, at time.Time) string {
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "testdata"), os.DirFS("../../testdata")); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "testdata", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if err := os.Chtimes(f, at, at); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func testApp(out, errors io.Writer, width int, env map[string]string) *app {
	return &app{
		stdin: os.Stdin, stdout: out, stderr: errors, width: width,
		env: func(name string) string { return env[name] },
		now: time.Now, hostname: os.Hostname,
	}
}
