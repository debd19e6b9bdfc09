package parse

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ipvsstate/internal/conn"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// listings are the files of testdata/ at the top of the repository.
func listings(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("../../testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no listings: %v", err)
	}
	return files
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

var kindNames = [...]string{"skipped", "entry", "title", "columns", "message", "bad", "config-title", "config"}

// describe writes all that a line holds, for goldens and comparisons.
func describe(l *Line) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s", l.Number, kindNames[l.Kind])
	switch l.Kind {
	case EntryLine:
		e := &l.Entry
		fmt.Fprintf(&b, " %s %s %q client=%s virtual=%s local=%s server=%s expires=%d timeout=%d origin=%d kind=%d",
			l.Format, e.Protocol, e.State, endpoint(e.Client), endpoint(e.Virtual), endpoint(e.Local), endpoint(e.Server),
			e.Expires, e.Timeout, e.Origin, e.Kind())
		if e.PEName != "" {
			fmt.Fprintf(&b, " pe=%q,%q", e.PEName, e.PEData)
		}
		if l.Garbled {
			b.WriteString(" garbled")
		}
	case ColumnsLine, TitleLine:
		fmt.Fprintf(&b, " %s", l.Format)
	case MessageLine:
		fmt.Fprintf(&b, " %d", l.Message)
	case BadLine:
		fmt.Fprintf(&b, " %s", l.Err.Error())
	}
	return b.String()
}

func endpoint(e conn.Endpoint) string {
	s := e.String()
	if e.Service != "" && e.PortKnown {
		s += fmt.Sprintf("(%d)", e.Port)
	}
	return s
}

func scan(data []byte) string {
	var s Scanner
	var b strings.Builder
	for s.Reset(data); s.Scan(); {
		fmt.Fprintln(&b, describe(s.Line()))
	}
	return b.String()
}

// TestListings holds every bundled listing against what was read from it and
// looked at.
func TestListings(t *testing.T) {
	for _, name := range listings(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			got := scan(read(t, name))
			golden := filepath.Join("testdata", strings.TrimSuffix(filepath.Base(name), ".txt")+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := string(read(t, golden)); got != want {
				t.Errorf("differs from %s (go test ./internal/parse -update rewrites it):\n%s", golden, got)
			}
		})
	}
}

// TestTwoFormatsAgree reads the same table as ipvsadm and as the kernel wrote it.
func TestTwoFormatsAgree(t *testing.T) {
	keys := func(name string) map[string]int {
		m := make(map[string]int)
		var s Scanner
		for s.Reset(read(t, "../../testdata/"+name)); s.Scan(); {
			if e := s.Line().Entry; s.Line().Kind == EntryLine {
				m[fmt.Sprint(e.Protocol, e.State, e.Client, e.Virtual, e.Server)]++
			}
		}
		return m
	}
	numeric, sync, backup := keys("k6.1-ipvsadm-Lnc.txt"), keys("k6.1-ip-vs-conn-sync.txt"), keys("k6.1-backup-ipvsadm-Lnc.txt")
	if fmt.Sprint(numeric) != fmt.Sprint(sync) {
		t.Errorf("ipvsadm and ip_vs_conn_sync differ:\n%v\n%v", numeric, sync)
	}
	if proc := keys("k6.1-backup-ip-vs-conn-sync.txt"); fmt.Sprint(backup) != fmt.Sprint(proc) {
		t.Errorf("the backup's ipvsadm and ip_vs_conn_sync differ:\n%v\n%v", backup, proc)
	}
}

// TestBlocksDoNotMatter cuts a listing between any two lines: each line reads the
// same alone.
func TestBlocksDoNotMatter(t *testing.T) {
	for _, name := range listings(t) {
		data := read(t, name)
		var whole, single Scanner
		rest := data
		for whole.Reset(bytes.Clone(data)); whole.Scan(); {
			line, after, _ := bytes.Cut(rest, []byte("\n"))
			rest = after
			single.Reset(bytes.Clone(line))
			if !single.Scan() && len(line) > 0 {
				t.Fatalf("%s: line %q is lost alone", name, line)
			}
			if len(line) == 0 {
				continue
			}
			alone := *single.Line()
			alone.Number = whole.Line().Number
			alone.Err.Line = whole.Line().Err.Line
			if a, b := describe(&alone), describe(whole.Line()); a != b {
				t.Errorf("%s: alone %q, in its listing %q", name, a, b)
			}
		}
	}
}

func TestOnly(t *testing.T) {
	data := []byte("TCP 14:57  ESTABLISHED 10.0.1.10:44380    10.0.1.100:80      10.0.0.12:80\n" +
		"TCP 0A00010A 84D4 0A000164 0055 0A00004D 0055 SYN_RECV         59\n" +
		"[3]tcp 30s    SYN_RECV    172.16.37.60:42044 198.51.100.3:80    172.10.0.2:1026    172.16.37.59:80\n")
	for f, want := range map[Format]string{Auto: "111", Ipvsadm: "100", Proc: "010", ProcSync: "000", DPVS: "001"} {
		s := Scanner{Only: f}
		got := ""
		for s.Reset(data); s.Scan(); {
			if s.Line().Kind == EntryLine {
				got += "1"
			} else {
				got += "0"
			}
		}
		if got != want {
			t.Errorf("%s reads %s of the three formats, want %s", f, got, want)
		}
	}
}

func TestLongLine(t *testing.T) {
	data := append(bytes.Repeat([]byte("x"), MaxLine+1), "\nTCP 14:57  ESTABLISHED 10.0.1.10:44380    10.0.1.100:80      10.0.0.12:80\n"...)
	var s Scanner
	s.Reset(data)
	if !s.Scan() || s.Line().Kind != BadLine || s.Line().Err.Reason != TooLong {
		t.Errorf("a line of %d bytes reads as %s", MaxLine+1, describe(s.Line()))
	}
	if !s.Scan() || s.Line().Kind != EntryLine {
		t.Errorf("the line behind it reads as %s", describe(s.Line()))
	}
}

// TestPaddedStatesAreAllDirect keeps every state of eleven letters or fewer in a
// slot of its own: one that shares a slot would be read the slow way.
func TestPaddedStatesAreAllDirect(t *testing.T) {
	for _, s := range conn.States() {
		if len(s.String()) > paddedLength {
			continue
		}
		text := []byte(s.String() + strings.Repeat(" ", 12))
		if p := paddedStates[stateSlot(word8(text, 0), word4(text, 8))]; p.state != s {
			t.Errorf("%s shares its slot with %s: another multiplier is needed", s, p.state)
		}
	}
}

// TestRowsDoNotAllocate pins the numeric path: both address families, both sources.
func TestRowsDoNotAllocate(t *testing.T) {
	for _, name := range []string{"k6.1-ipvsadm-Lnc.txt", "k6.1-ip-vs-conn-sync.txt"} {
		data := read(t, "../../testdata/"+name)
		_, data, _ = bytes.Cut(data, []byte("Expires\n"))
		data = append(make([]byte, 0, len(data)+Pad), data...)
		if name == "k6.1-ipvsadm-Lnc.txt" {
			data = read(t, "../../testdata/"+name)
			_, data, _ = bytes.Cut(data, []byte("destination\n"))
			data = append(make([]byte, 0, len(data)+Pad), data...)
		}
		var s Scanner
		rows := 0
		allocs := testing.AllocsPerRun(100, func() {
			for s.Reset(data); s.Scan(); {
				rows++
			}
		})
		if allocs != 0 || rows == 0 {
			t.Errorf("%s: %v allocations in %d rows", name, allocs, rows)
		}
	}
}
