package capture

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const oneRow = "IPVS connection entries\npro expire state       source             virtual            destination\nTCP 14:57  ESTABLISHED 10.0.1.10:44380    10.0.1.100:443     10.0.0.11:443\n"

func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		at := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func tarOf(t *testing.T, files map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(files[name])), ModTime: time.Unix(1795322920, 0)}); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, files[name])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zstdOf(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b)
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	if err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return b.String()
}

func gzipOf(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, text)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zipOf(t *testing.T, files map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, text := range files {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, text)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// readUnit reads all sources of a unit: their names below dir, and how many entries each has.
func readUnit(t *testing.T, dir string, u *Unit) (got []string, err error) {
	t.Helper()
	err = u.Each(func(src *Source) error {
		r := NewReader(context.Background(), src, Config{Workers: 1}, func() *recorder { return &recorder{} })
		defer r.Close()
		n := int64(0)
		for r.Scan() {
			n += r.Snapshot().Entries
		}
		name, _ := strings.CutPrefix(src.Name, dir+"/")
		if n > 0 {
			got = append(got, name)
		}
		var none *NoListingError
		if err := r.Err(); !errors.As(err, &none) {
			return err
		}
		return nil
	})
	return got, err
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{
		"snap/lvs2-20261122T052840Z.txt":                                oneRow,
		"snap/lvs1-20261122T053340Z.txt.zst":                            zstdOf(t, oneRow),
		"snap/lvs1-20261122T052840Z.txt.zst":                            zstdOf(t, oneRow),
		"snap/.ipvsstate-record-1234.tmp":                               oneRow,
		"snap/.git/lvs1-20261122T052840Z.txt":                           oneRow,
		"snap/deep/er/connections-20261121.txt.gz":                      gzipOf(t, oneRow),
		"snap/notes.md":                                                 "nothing to see\n",
		"more/all.tar":                                                  tarOf(t, map[string]string{"a/lvs3-20261101T000000Z.txt": oneRow, "a/readme": "no listing\n", "a/x.gz": gzipOf(t, oneRow), ".hidden": oneRow}),
		"more/all.tar.zst":                                              zstdOf(t, tarOf(t, map[string]string{"one.txt": oneRow})),
		"more/pictures.zip":                                             zipOf(t, map[string]string{"saved/two.txt": oneRow}),
		"sos/sosreport-lvs9/sos_commands/ipvs/ipvsadm_-Ln_--connection": oneRow,
		"sos/sosreport-lvs9/etc/hosts":                                  "127.0.0.1 localhost\n",
		"report.tar":                                                    tarOf(t, map[string]string{"sosreport-lvs9/etc/passwd": "root\n", "sosreport-lvs9/sos_commands/ipvs/ipvsadm_-Lnc": oneRow}),
		"two/a/20261122.txt":                                            oneRow,
		"two/b/20261122.txt":                                            oneRow,
	})
	if err := os.Symlink(filepath.Join(dir, "snap"), filepath.Join(dir, "snap", "deep", "loop")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "snap", "notes.md"), filepath.Join(dir, "snap", "linked.txt")); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		args  []string
		units []string // their paths, with the host
		read  []string // sources that have entries
	}{
		{"a directory", []string{"snap"},
			[]string{"snap/linked.txt ", "snap/notes.md ", "snap/deep/er/connections-20261121.txt.gz ", "snap/lvs1-20261122T052840Z.txt.zst lvs1", "snap/lvs1-20261122T053340Z.txt.zst lvs1", "snap/lvs2-20261122T052840Z.txt lvs2"},
			[]string{"snap/deep/er/connections-20261121.txt.gz", "snap/lvs1-20261122T052840Z.txt.zst", "snap/lvs1-20261122T053340Z.txt.zst", "snap/lvs2-20261122T052840Z.txt"}},
		{"a pattern, and a file twice", []string{"snap/lvs1-*.zst", "snap/lvs1-20261122T052840Z.txt.zst"},
			[]string{"snap/lvs1-20261122T052840Z.txt.zst lvs1", "snap/lvs1-20261122T053340Z.txt.zst lvs1"}, nil},
		{"archives", []string{"more"},
			[]string{"more/all.tar ", "more/all.tar.zst ", "more/pictures.zip "},
			[]string{"more/all.tar/a/lvs3-20261101T000000Z.txt", "more/all.tar/a/x.gz", "more/all.tar.zst/one.txt", "more/pictures.zip/saved/two.txt"}},
		{"reports", []string{"sos", "report.tar"}, []string{"report.tar ", "sos/sosreport-lvs9 "}, []string{"report.tar", "sos/sosreport-lvs9"}},
		{"directories of hosts", []string{"two"}, []string{"two/a/20261122.txt a", "two/b/20261122.txt b"}, []string{"two/a/20261122.txt", "two/b/20261122.txt"}},
	}
	for _, tt := range tests {
		var args []string
		for _, a := range tt.args {
			args = append(args, filepath.Join(dir, a))
		}
		units, skipped, err := Find(args)
		if err != nil || len(skipped) > 0 {
			t.Errorf("%s: %v, %v", tt.name, err, skipped)
			continue
		}
		var got, read []string
		for _, u := range units {
			rel, _ := strings.CutPrefix(u.Path, dir+"/")
			got = append(got, rel+" "+u.Host)
			names, err := readUnit(t, dir, u)
			if err != nil {
				t.Errorf("%s: %s: %v", tt.name, u.Path, err)
			}
			read = append(read, names...)
		}
		if !slices.Equal(got, tt.units) {
			t.Errorf("%s: found\n%q, want\n%q", tt.name, got, tt.units)
		}
		if tt.read != nil && !slices.Equal(read, tt.read) {
			t.Errorf("%s: read\n%q, want\n%q", tt.name, read, tt.read)
		}
	}
	if _, _, err := Find([]string{filepath.Join(dir, "missing")}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of what is missing: %v", err)
	}
	if _, _, err := Find([]string{filepath.Join(dir, "missing-*")}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of a pattern without files: %v", err)
	}
}

// TestDamagedFile: one file that cannot be decompressed costs that file alone.
func TestDamagedFile(t *testing.T) {
	dir := t.TempDir()
	good := zstdOf(t, strings.Repeat(oneRow, 2000))
	damaged := []byte(good)
	for i := len(damaged) / 2; i < len(damaged)/2+8; i++ {
		damaged[i] ^= 0xff
	}
	writeFiles(t, dir, map[string]string{"lvs1-20261122T01.txt.zst": good, "lvs1-20261122T02.txt.zst": string(damaged), "lvs1-20261122T03.txt.zst": good})
	units, _, err := Find([]string{dir})
	if err != nil || len(units) != 3 {
		t.Fatal(units, err)
	}
	for i, u := range units {
		if _, err := readUnit(t, dir, u); (err != nil) != (i == 1) {
			t.Errorf("%s: %v", u.Path, err)
		}
	}
}

func TestNameHost(t *testing.T) {
	for name, want := range map[string]string{
		"lvs1-20261122T052840Z.txt.zst": "lvs1", "lvs1.example.com-20261122T052840Z-2.txt.zst": "lvs1.example.com",
		"/var/log/lvs-bj-01_2026-11-22_05-28.txt": "bj-01", "connections-20261122.txt": "", "ipvs.1795322920": "", "conn.txt-20261122.gz": "",
		"lvs2-conn-20261122-0528": "lvs2", "ip_vs_conn_20261122.txt": "", "20261122.txt": "", "lvs1.txt": "", "snapshot_director7_20261122T0528.gz": "director7",
	} {
		if got := NameHost(name); got != want {
			t.Errorf("%s: host %q, want %q", name, got, want)
		}
	}
}

// TestAfterClockChange: where an hour comes twice, the order of the input tells which it is.
func TestAfterClockChange(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	// The clocks went from 3:00 back to 2:00, at 1:00 UTC.
	at := func(loc *time.Location, h, m int) time.Time { return time.Date(2026, 10, 25, h, m, 0, 0, loc) }
	utc := func(h, m int) time.Time { return at(time.UTC, h, m) }
	tests := []struct{ t, before, want time.Time }{
		{at(berlin, 2, 55), utc(0, 50), utc(0, 55)},
		{at(berlin, 2, 0), utc(0, 55), utc(1, 0)},
		{at(berlin, 2, 30), utc(1, 25), utc(1, 30)},
		{at(berlin, 3, 0), utc(1, 55), utc(2, 0)},
		{at(berlin, 1, 30), at(berlin, 1, 40), at(berlin, 1, 30)}, // a clock that was set back
		{utc(2, 0), utc(2, 55), utc(2, 0)},
		{at(berlin, 2, 30), time.Time{}, utc(0, 30)},
	}
	for _, tt := range tests {
		if got := AfterClockChange(tt.t, tt.before); !got.Equal(tt.want) {
			t.Errorf("%v behind %v is %v, want %v", tt.t, tt.before, got.UTC(), tt.want)
		}
	}
}
