package capture

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"ipvsstate/internal/conn"
)

// services is what ipvsadm -Ln prints of one service with one server.
func servicesOf(vip, server string) string {
	return "IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n" +
		"  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n" +
		"TCP  " + vip + " rr\n  -> " + server + "            Masq    1      0          0         \n"
}

// TestConfigBelongs puts a configuration with the listing it belongs to: that behind
// it, or before it if that has one already.
func TestConfigBelongs(t *testing.T) {
	one, two := servicesOf("10.0.1.1:80", "10.0.0.1:80"), servicesOf("10.0.1.2:80", "10.0.0.2:80")
	first, second := title+columns+entry(1), title+columns+entry(2)
	const date = "2026-11-22 05:28:40\n"
	want1, want2 := "10.0.1.1:800>10.0.0.1:80 all", "10.0.1.2:800>10.0.0.2:80 all"
	tests := []struct {
		name, text string
		want       []string
	}{
		{"none", first, []string{"-"}},
		{"before", one + first, []string{want1}},
		{"behind", first + one, []string{want1}},
		{"before each", one + first + two + second, []string{want1, want2}},
		{"behind each", first + one + second + two, []string{want1, want2}},
		{"with dates", date + one + first + date + two + second, []string{want1, want2}},
		{"with dates, behind", date + first + one + date + second + two, []string{want1, want2}},
		{"of the second alone", first + date + two + second, []string{"-", want2}},
		{"twice before each", one + one + first + two + two + second, []string{want1, want2}},
		{"without titles", one + entry(1) + two + entry(2), []string{want1, want2}},
		{"behind the last, with a date", first + date + one, []string{want1}},
		{"timeouts alone", "Timeout (tcp tcpfin udp): 30 5 7\n" + first, []string{"{30 5 7}"}},
		{"timeouts and services", one + "Timeout (tcp tcpfin udp): 30 5 7\n" + first, []string{want1 + " {30 5 7}"}},
		{"sysctls behind", first + "net.ipv4.vs.expire_nodest_conn = 1\n", []string{"expire_nodest_conn=1"}},
		{"no service", "IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n" + first, []string{"all"}},
	}
	for _, tt := range tests {
		for _, chunking := range chunkings {
			all, err := readAll(chunking.of([]byte(tt.text)), Config{Workers: 2, ReadSize: 64})
			if err != nil || len(all) != len(tt.want) {
				t.Fatalf("%s, %s: %s", tt.name, chunking.name, describe(all, err))
			}
			for i := range all {
				if got := describeConfig(all[i].Config()); got != tt.want[i] {
					t.Errorf("%s, %s: snapshot %d has %s, want %s", tt.name, chunking.name, i+1, got, tt.want[i])
				}
			}
		}
	}
	_, err := readAll(strings.NewReader(one), Config{})
	var none *NoListingError
	if !errors.As(err, &none) || describeConfig(none.Config) != want1 {
		t.Errorf("services alone: %v", describe(nil, err))
	}
}

// TestFront knows what stands before the first row, and takes nothing away.
func TestFront(t *testing.T) {
	one := servicesOf("10.0.1.1:80", "10.0.0.1:80")
	rows := strings.Repeat(entry(1), 9000)
	long := strings.Repeat("prose\n", 200000)
	for name, tt := range map[string]struct{ text, want string }{
		"before":      {one + title + columns + rows, "10.0.1.1:800>10.0.0.1:80 all"},
		"behind":      {title + columns + rows + one, "-"},
		"far before":  {one + long + rows, "10.0.1.1:800>10.0.0.1:80 all"},
		"rows alone":  {rows, "-"},
		"no rows":     {one, "10.0.1.1:800>10.0.0.1:80 all"},
		"empty":       {"", "-"},
		"no new line": {"Timeout (tcp tcpfin udp): 30 5 7\n" + strings.TrimSpace(entry(1)), "{30 5 7}"},
	} {
		for _, chunking := range chunkings {
			if chunking.name != "whole" && len(tt.text) > 1<<16 {
				continue
			}
			src := &Source{Reader: chunking.of([]byte(tt.text))}
			config := src.Front()
			got := describeConfig(config)
			if config != nil && config.Services != nil && !strings.HasSuffix(got, "all") {
				got += " all"
			}
			if got != tt.want {
				t.Errorf("%s, %s: %s, want %s", name, chunking.name, got, tt.want)
			}
			if text, err := io.ReadAll(src.Reader); err != nil || string(text) != tt.text {
				t.Errorf("%s, %s: %d bytes are left of %d, %v", name, chunking.name, len(text), len(tt.text), err)
			}
		}
	}
	broken := errors.New("broken")
	src := &Source{Reader: io.MultiReader(strings.NewReader(one), ended{broken})}
	if config := src.Front(); config == nil {
		t.Error("what came before an error is lost")
	}
	if text, err := io.ReadAll(src.Reader); !errors.Is(err, broken) || string(text) != one {
		t.Errorf("%q, %v", text, err)
	}
}

// report is the files of an sos report.
func report() map[string]string {
	return map[string]string{
		"sos_commands/ipvs/ipvsadm_-Ln":              servicesOf("10.0.1.1:80", "10.0.0.1:80"),
		"sos_commands/ipvs/ipvsadm_-Ln_--connection": title + columns + entry(1) + strings.TrimSuffix(entry(2), "\n"),
		"sos_commands/ipvs/ipvsadm_-Ln_--timeout":    "Timeout (tcp tcpfin udp): 30 5 7",
		"sos_commands/kernel/sysctl_-a":              "kernel.pid_max = 32768\nnet.ipv4.vs.expire_nodest_conn = 1\n",
		"sos_commands/date/date":                     "Sun Nov 22 05:28:40 UTC 2026\n",
		"sos_commands/networking/ip_-o_addr":         "1: lo    inet 127.0.0.1/8 scope host lo\n" + entry(3),
		"etc/hostname":                               "lvs1\n",
	}
}

const reported = "10.0.1.1:800>10.0.0.1:80 all {30 5 7} expire_nodest_conn=1"

// TestReport reads an sos report, in a directory and in archives, as one listing with
// its configuration and time.
func TestReport(t *testing.T) {
	dir := t.TempDir()
	root := filepath.Join(dir, "sosreport-lvs1-2026-11-22-abc")
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	// In an archive the rows may come first.
	for _, name := range []string{"sos_commands/date/date", "sos_commands/networking/ip_-o_addr", "sos_commands/ipvs/ipvsadm_-Ln_--connection", "etc/hostname",
		"sos_commands/ipvs/ipvsadm_-Ln", "sos_commands/ipvs/ipvsadm_-Ln_--timeout", "sos_commands/kernel/sysctl_-a"} {
		text := report()[name]
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		h := &tar.Header{Name: "sosreport-lvs1-2026-11-22-abc/" + name, Typeflag: tar.TypeReg, Mode: 0o600, Size: int64(len(text))}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var gz, zst bytes.Buffer
	g := gzip.NewWriter(&gz)
	g.Write(archive.Bytes())
	g.Close()
	z, _ := zstd.NewWriter(&zst)
	z.Write(archive.Bytes())
	z.Close()
	for name, data := range map[string][]byte{"sos.tar": archive.Bytes(), "sos.tar.gz": gz.Bytes(), "sos.tar.zst": zst.Bytes()} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parent := filepath.Join(dir, "parent")
	if err := os.Mkdir(parent, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(root, filepath.Join(parent, filepath.Base(root))); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"parent", "parent/sosreport-lvs1-2026-11-22-abc", "sos.tar", "sos.tar.gz", "sos.tar.zst"} {
		src, err := Open(t.Context(), filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		all, err := readAll(src.Reader, Config{})
		src.Close()
		if err != nil || len(all) != 1 || all[0].Entries != 2 || describeConfig(all[0].Config()) != reported ||
			!all[0].Time.Equal(time.Date(2026, 11, 22, 5, 28, 40, 0, time.UTC)) {
			t.Errorf("%s: %s", name, describe(all, err))
		}
	}
	// Through a pipe, and an archive of something else.
	all, err := readAll(Text(bytes.NewReader(archive.Bytes())), Config{})
	if err != nil || len(all) != 1 || all[0].Entries != 2 {
		t.Errorf("from a pipe: %s", describe(all, err))
	}
	var other bytes.Buffer
	w = tar.NewWriter(&other)
	w.WriteHeader(&tar.Header{Name: "etc/passwd", Typeflag: tar.TypeReg, Size: 4})
	io.WriteString(w, "root")
	w.Close()
	if _, err := readAll(Text(&other), Config{}); !errors.Is(err, ErrArchive) {
		t.Errorf("another archive: %v", err)
	}
	if _, err := readAll(Text(bytes.NewReader(zipped(t, member{"1", entry(1)}))), Config{}); !errors.Is(err, ErrArchive) {
		t.Errorf("a zip archive: %v", err)
	}
	web := tarred(t, member{"sosreport-web/sos_commands/date/date", date1})
	if _, err := readAll(Text(bytes.NewReader(web)), Config{}); !errors.Is(err, ErrNoReport) {
		t.Errorf("a report of another host: %v", err)
	}
	if _, err := Open(t.Context(), t.TempDir()); !errors.Is(err, ErrDirectory) {
		t.Errorf("an empty directory: %v", err)
	}
	// An archive that is cut short is an error, and what came before counts.
	all, err = readAll(Text(bytes.NewReader(archive.Bytes()[:archive.Len()/2+100])), Config{})
	if err == nil {
		t.Errorf("a torn archive: %s", describe(all, err))
	}
}

// TestReportClosed closes a report that is being read, as after Ctrl-C. The race detector watches.
func TestReportClosed(t *testing.T) {
	files := make(map[string]string)
	for n := range 100 {
		files[fmt.Sprintf("sos_commands/ipvs/connection%d", n)] = entry(n)
	}
	tree(t, files)
	for range 20 {
		src, err := Open(t.Context(), ".")
		if err != nil {
			t.Fatal(err)
		}
		begun, ended := make(chan bool), make(chan bool, 1)
		go func() {
			b := make([]byte, 1024)
			_, err := src.Reader.Read(b)
			begun <- true
			for err == nil {
				_, err = src.Reader.Read(b)
			}
			ended <- err == io.EOF || errors.Is(err, fs.ErrClosed)
		}()
		<-begun
		if err := src.Close(); err != nil {
			t.Error(err)
		}
		if !wait(t, "Read", ended) {
			t.Error("reading ended neither with the report nor with Close")
		}
		if _, err := src.Reader.Read(make([]byte, 1)); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("behind Close: %v", err)
		}
	}
}

// TestKeep counts what a filter leaves out.
func TestKeep(t *testing.T) {
	text := title + columns + strings.Repeat(entry(1)+entry(2), 5000)
	src := &Source{Reader: strings.NewReader(text)}
	all, err := readAll(src.Reader, Config{Keep: func(e *conn.Entry) bool { return e.Client.Port%2 == 0 }})
	if err != nil || len(all) != 1 {
		t.Fatal(describe(all, err))
	}
	s := all[0]
	if s.Entries != 10000 || s.Filtered != int64(10000-len(s.Result.entries)) || len(s.Result.entries) != 5000 {
		t.Errorf("%+v, %d kept", s.Counts, len(s.Result.entries))
	}
}
