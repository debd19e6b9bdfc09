package capture

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// tree writes files under a temporary directory and makes it the working directory.
func tree(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// paths lists what was found as HOST:PATH.
func paths(units []Unit) string {
	var all []string
	for _, u := range units {
		all = append(all, u.Host+":"+filepath.ToSlash(u.Path))
	}
	return strings.Join(all, " ")
}

func TestFind(t *testing.T) {
	row := entry(1)
	tree(t, map[string]string{
		"a/lvs2-20261122T052840Z.txt":                  row,
		"a/lvs1-20261122T052940Z.txt.zst":              row + row,
		"a/lvs1-20261122T052840Z.txt":                  row,
		"a/deep/er/lvs1-20261121.txt":                  row + "\n",
		"a/.hidden":                                    row,
		"a/.git/config":                                row,
		"a/.ipvsstate-record-lvs1":                     row,
		"b/lvs1/20261122.txt":                          "1" + row,
		"b/lvs2/20261122.txt":                          "2" + row,
		"b/lvs2/20261123.txt":                          "3" + row,
		"c/20261122/conn.txt":                          "4" + row,
		"c/20261123/conn.txt":                          "5" + row,
		"d/lvs1/20261122/conn.txt":                     "6" + row,
		"d/lvs3/20261122/conn.txt":                     "7" + row,
		"e/connections-20261122.txt":                   "8" + row,
		"e/plain.txt":                                  "9" + row,
		"e/[odd].txt":                                  "10" + row,
		"f/sos_commands/ipvs/ipvsadm_-Ln_--connection": row,
		"f/etc/hosts":                                  "127.0.0.1 localhost\n",
		"g/sosreport-lvs7-2026-11-22-abcdefg/sos_commands/ipvs/ipvsadm_-Ln_--connection": row,
		"g/sosreport-lvs7-2026-11-22-abcdefg/var/log/messages":                           row,
		"g/sosreport-web-2026-11-22-abcdefg/sos_commands/date/date":                      date1,
		"g/lvs8-20261122.txt": row,
		"empty/.keep":         "",
		"h/lvs1.log":          "11" + row,
		"h/lvs1.log-20261122": "12" + row,
		"h/conn.log":          "13" + row,
		"h/conn.log-20261122": "14" + row,
	})
	for n, name := range []string{"a/lvs1-20261122T052840Z.txt", "a/lvs2-20261122T052840Z.txt"} { // equal but for their inodes
		at := time.Unix(1795325320+int64(n/2), 0)
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{
		"a/latest": "lvs1-20261122T052940Z.txt.zst", "a/loop": ".", "e/up": "..", "e/gone": "nowhere", "to-a": "a",
	} {
		if err := os.Symlink(to, link); err != nil {
			t.Skip(err)
		}
	}
	const inA = "lvs1:a/deep/er/lvs1-20261121.txt lvs1:a/lvs1-20261122T052840Z.txt lvs1:a/lvs1-20261122T052940Z.txt.zst lvs2:a/lvs2-20261122T052840Z.txt"
	tests := []struct {
		args, want string
		failures   int
	}{
		{"a", inA, 0},
		{"./a/", inA, 0},
		{"a a a/lvs1-20261122T052840Z.txt ./a/deep", inA, 0},
		{"a/latest a", inA, 0}, // the name that is no link
		{"a/latest", ":a/latest", 0},
		{"to-a", strings.ReplaceAll(inA, ":a/", ":to-a/"), 0},
		{"a/.hidden", ":a/.hidden", 0}, // named, it is read
		{"a/lvs1-*", "lvs1:a/lvs1-20261122T052840Z.txt lvs1:a/lvs1-20261122T052940Z.txt.zst", 0},
		{"a/*.zst a/lvs2*", "lvs1:a/lvs1-20261122T052940Z.txt.zst lvs2:a/lvs2-20261122T052840Z.txt", 0},
		{"b/lvs?", "lvs1:b/lvs1/20261122.txt lvs2:b/lvs2/20261122.txt lvs2:b/lvs2/20261123.txt", 0},
		{"b", "lvs1:b/lvs1/20261122.txt lvs2:b/lvs2/20261122.txt lvs2:b/lvs2/20261123.txt", 0},
		{"b/lvs2", ":b/lvs2/20261122.txt :b/lvs2/20261123.txt", 0}, // one folder tells nothing
		{"c", ":c/20261122/conn.txt :c/20261123/conn.txt", 0},
		{"d", "lvs1:d/lvs1/20261122/conn.txt lvs3:d/lvs3/20261122/conn.txt", 0},
		{"e", ":e/[odd].txt :e/plain.txt :e/connections-20261122.txt", 1}, // the link into nowhere
		{"e/[odd].txt", ":e/[odd].txt", 0},
		{"e/plain.txt missing", ":e/plain.txt", 1},
		{"e/plain.txt none-*", ":e/plain.txt", 1},
		{"e/plain.txt [", ":e/plain.txt", 1},
		{"e/plain.txt empty", ":e/plain.txt", 0},
		{"f", ":f", 0},
		{"h", ":h/conn.log :h/conn.log-20261122 lvs1:h/lvs1.log lvs1:h/lvs1.log-20261122", 0},
		{"g", "lvs7:g/sosreport-lvs7-2026-11-22-abcdefg lvs8:g/lvs8-20261122.txt", 1}, // no IPVS in the other report
		{"g/sosreport-lvs7*", "lvs7:g/sosreport-lvs7-2026-11-22-abcdefg", 0},
	}
	for _, tt := range tests {
		units, failures, err := Find(t.Context(), strings.Fields(tt.args), time.UTC)
		if got := paths(units); err != nil || got != tt.want || len(failures) != tt.failures {
			t.Errorf("%s: found %s, want %s; failures %v, error %v", tt.args, got, tt.want, failures, err)
		}
	}

	for _, arg := range []string{"empty", "missing", "none-*", "["} {
		units, _, err := Find(t.Context(), []string{arg}, time.UTC)
		var none *NothingFoundError
		if len(units) > 0 || !errors.As(err, &none) || !strings.Contains(err.Error(), arg) {
			t.Errorf("%s: %v, %v", arg, units, err)
		}
	}
	if _, _, err := Find(t.Context(), []string{"missing"}, time.UTC); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if os.Getuid() != 0 { // root may read everything
		os.Chmod("a/deep", 0)
		units, failures, err := Find(t.Context(), []string{"a"}, time.UTC)
		if err != nil || len(units) != 3 || len(failures) != 1 {
			t.Errorf("a folder that cannot be read: %s, %v, %v", paths(units), failures, err)
		}
		os.Chmod("a/deep", 0o700)
	}
	units, _, _ := Find(t.Context(), []string{"a/lvs1-20261122T052840Z.txt"}, time.UTC)
	if u := units[0]; u.Size != int64(len(row)) || u.Modified.Unix() != 1795325320 || u.Time.Unix() != 1795325320 {
		t.Errorf("%+v", u)
	}
}

// TestFindCancelled: a walk through many files ends with its context, within a folder too.
func TestFindCancelled(t *testing.T) {
	tree(t, map[string]string{"a/1": entry(1), "a/2": entry(2)})
	cause := errors.New("the operator has seen enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if units, failures, err := Find(ctx, []string{"a", "missing"}, time.UTC); len(units)+len(failures) > 0 || !errors.Is(err, cause) {
		t.Errorf("%v, %v, %v", units, failures, err)
	}
	f := &finder{ctx: ctx, seen: make(map[fileKey][]seenFile)}
	if f.directory("a"); len(f.units) > 0 {
		t.Errorf("found %s", paths(f.units))
	}
}

func TestNameHost(t *testing.T) {
	for name, want := range map[string]string{
		"lvs1-20261122T052840Z.txt.zst":                "lvs1",
		"lvs1-20261122T052840Z-2.txt.zst":              "lvs1",
		"/var/x/lvs-1.example.com-2026-11-22_05-28.gz": "lvs-1.example.com",
		"lvs1.1795322920":                              "lvs1",
		"lvs1_conn_20261122-0528":                      "lvs1",
		"lvs1.ipvsadm.txt-20261122.gz":                 "lvs1",
		"ipvs-lvs1-20261122.txt":                       "lvs1",
		"lvs-10.0.1.1-20261122.txt":                    "10.0.1.1",
		"10.0.1.1-20261122.txt":                        "10.0.1.1",
		"LVS1-20261122.txt":                            "LVS1",
		"sosreport-lvs1-2026-11-22-abcdefg.tar.xz":     "lvs1",
		"/x/sosreport-lvs1-20261122052840":             "lvs1",

		"ip-10-0-0-1-20261122T052840Z.txt":       "ip-10-0-0-1",
		"ip-10-0-0-1.ec2.internal-20261122.txt":  "ip-10-0-0-1.ec2.internal",
		"conn-ip-10-0-20-2-20261122T052840Z.txt": "ip-10-0-20-2",
		"ip-10-0-0-1-conn-20261122.txt":          "ip-10-0-0-1",
		"20261122T052840Z-ip-10-0-0-2.txt":       "ip-10-0-0-2",
		"ip-10-0-0-20261122.txt":                 "",

		"connections-20261122.txt":        "",
		"conn.txt-20261122.gz":            "",
		"20261122T052840Z-lvs1.txt":       "lvs1",
		"conn-20261122-lvs1.txt.gz":       "lvs1",
		"2026-11-22_05-28_lvs-2.txt.zst":  "lvs-2",
		"20261122T052840CST.10.0.1.1.txt": "10.0.1.1",
		"lvs1-20261122-lvs2.txt":          "lvs1",
		"20261122T0528lvs1.txt":           "",
		"20261122T052840CST.txt":          "",
		"20261122-Sun.log.gz":             "",
		"conn.log-20261122-1795325320.gz": "",
		"conn-1795325320-lvs1.txt":        "lvs1",
		"ip_vs_conn-20261122.txt":         "",
		"ipvsadm-Lnc-20261122.txt":        "",
		"snapshot_20261122.txt":           "",
		"IPVS-dump-20261122.txt":          "",
		"20261122T052840Z.txt":            "",
		"2026-11-22_05-28.txt":            "",
		"1-20261122.txt":                  "",
		"conn-1-20261122.txt":             "",
		"lvs1.txt":                        "",
		"lvs1.txt.1.gz":                   "",
		"lvs1/20261122.txt":               "",
		"a b-20261122.txt":                "",
		"-20261122.txt":                   "",
		"":                                "",
		"sosreport-20261122.tar.xz":       "",
	} {
		if got := NameHost(name); got != want {
			t.Errorf("%q tells %q, want %q", name, got, want)
		}
	}
}

func TestStem(t *testing.T) {
	for name, want := range map[string]string{
		"conn.log":                         "conn.log",
		"conn.log.1":                       "conn.log",
		"conn.log.12.gz":                   "conn.log",
		"conn.log-20261122.gz":             "conn.log",
		"conn.log-20261122-1795325320.gz":  "conn.log",
		"conn-20261122T052840Z.txt":        "conn.txt",
		"conn-20261122T052841Z.txt.zst":    "conn.txt",
		"conn-20261122T052840Z-4711.txt":   "conn.txt",
		"conn-4711-2026-11-22_05-28-40.gz": "conn",
		"20261122T052840Z-lvs1.txt":        "-lvs1.txt",
		"lvs1.log.1":                       "lvs1.log",
		"lvs2.log":                         "lvs2.log",
		"conn-lvs-1.log":                   "conn-lvs-1.log",
		"20261122.txt":                     ".txt",
		"10.0.0.1.log":                     "10.0.0.1.log",
		"":                                 "",
	} {
		if got := Stem(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// TestFolderHosts: folders tell hosts where they have files of the same names, but for their times.
func TestFolderHosts(t *testing.T) {
	const t1, t2, t3 = "conn-20261122T050001Z.txt", "conn-20261122T050003Z.txt", "conn-20261122T050501Z.txt"
	for paths, want := range map[string]string{
		"lvs1/" + t1 + " lvs2/" + t2:                       "lvs1 lvs2",
		"x/lvs1/" + t1 + " x/lvs1/" + t3 + " x/lvs2/" + t2: "lvs1 lvs1 lvs2",
		"lvs1/conn.log lvs1/conn.log.1 lvs2/conn.log":      "lvs1 lvs1 lvs2",
		"lvs1/2026-11-22/" + t1 + " lvs2/2026-11-22/" + t2: "lvs1 lvs2",
		"lvs1/" + t1 + " lvs1/" + t2:                       "- -",
		"lvs1/" + t1 + " lvs2/other.txt":                   "- -",
		"week47/" + t1 + " week48/" + t2:                   "- -",
		"nov/" + t1 + " dec/" + t2:                         "- -",
		"2026/11/22/" + t1 + " 2026/11/23/" + t2:           "- -",
		t1 + " done/" + t2:                                 "- -", // files are moved there
		"x/" + t1 + " x/lvs1/" + t2 + " x/lvs2/" + t3:      "- lvs1 lvs2",
	} {
		hosts := folderHosts(strings.Fields(paths), time.UTC)
		var got []string
		for _, name := range strings.Fields(paths) {
			got = append(got, cmp.Or(hosts[path.Dir(name)], "-"))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", paths, got, want)
		}
	}
}

// member is a file of an archive.
type member struct{ name, text string }

func tarred(t *testing.T, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range members {
		h := &tar.Header{Name: m.name, Typeflag: tar.TypeReg, Mode: 0o600, Size: int64(len(m.text)), ModTime: time.Unix(1795325320, 0)}
		if strings.HasSuffix(m.name, "/") {
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, m.text)
	}
	w.Close()
	return b.Bytes()
}

func zipped(t *testing.T, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range members {
		f, err := w.Create(m.name)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, m.text)
	}
	w.Close()
	return b.Bytes()
}

func gzipped(text []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(text)
	w.Close()
	return b.Bytes()
}

func zstded(text []byte) []byte {
	w, _ := zstd.NewWriter(nil)
	return w.EncodeAll(text, nil)
}

// readEach reads a unit's sources and lists them as HOST:MEMBER=ENTRIES.
func readEach(u *Unit) (string, error) {
	var all []string
	err := u.Each(context.Background(), func(src *Source) error {
		r := NewReader(context.Background(), src, Config{}, newRecorder)
		defer r.Close()
		for r.Scan() {
			all = append(all, fmt.Sprintf("%s:%s=%d", src.Host, src.Member, r.Snapshot().Entries))
		}
		var none *NoListingError
		if err := r.Err(); !errors.As(err, &none) {
			return err
		}
		return nil
	})
	return strings.Join(all, " "), err
}

func TestEach(t *testing.T) {
	one, two := entry(1), entry(1)+entry(2)
	members := []member{
		{"day/", ""}, {"day/lvs1-20261122T052840Z.txt", one}, {"day/lvs2-20261122T052840Z.txt.gz", string(gzipped([]byte(two)))},
		{"day/.hidden", one}, {".git/x", one}, {"__MACOSX/day/y", one}, {"../../etc/passwd", "root:x:0:0\n"}, {"./conn.txt", one},
	}
	const want = "lvs1:day/lvs1-20261122T052840Z.txt=1 lvs2:day/lvs2-20261122T052840Z.txt.gz=2 :conn.txt=1"
	sos := []member{
		{"sosreport-lvs1-2026-11-22-abc/", ""}, {"sosreport-lvs1-2026-11-22-abc/etc/hosts", "127.0.0.1 localhost\n"},
		{"sosreport-lvs1-2026-11-22-abc/proc/net/ip_vs_conn", one}, {"sosreport-lvs1-2026-11-22-abc/sos_commands/ipvs/ipvsadm_-Ln_--connection", two},
	}
	plain := tarred(t, members...)
	folders := []member{{"lvs1/conn.log", one}, {"lvs2/conn.log", two}}
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"plain.txt", []byte(two), ":=2"},
		{"plain.txt.zst", zstded([]byte(two)), ":=2"},
		{"two-listings", []byte(title + columns + one + title + columns + two), ":=1 :=2"},
		{"lvs9-20261122.tar", plain, strings.Replace(want, " :conn", " lvs9:conn", 1)},
		{"a.tar.gz", gzipped(plain), want},
		{"a.tar.zst", zstded(plain), want},
		{"named-wrong.txt", zstded(plain), want},
		{"a.zip", zipped(t, members...), want},
		{"folders.tar.gz", gzipped(tarred(t, folders...)), "lvs1:lvs1/conn.log=1 lvs2:lvs2/conn.log=2"},
		{"folders.zip", zipped(t, folders...), "lvs1:lvs1/conn.log=1 lvs2:lvs2/conn.log=2"},
		{"empty.zip", zipped(t), ""},
		{"empty.tar", make([]byte, 1024), ""},
		{"sosreport-lvs1-2026-11-22-abc.tar.gz", gzipped(tarred(t, sos...)), "lvs1:=2"},
		{"renamed.tar", tarred(t, member{"x/conn", one}, member{"x/sos_commands/ipvs/ipvsadm_-Ln_--connection", two}, member{"x/conn2", one}), ":x/conn=1 :=2"},
	}
	for _, tt := range tests {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, tt.name), tt.data, 0o600); err != nil {
			t.Fatal(err)
		}
		units, _, err := Find(t.Context(), []string{dir}, time.UTC)
		if err != nil || len(units) != 1 {
			t.Fatalf("%s: %v, %v", tt.name, units, err)
		}
		if got, err := readEach(&units[0]); err != nil || got != tt.want {
			t.Errorf("%s: %q, want %q; error %v", tt.name, got, tt.want, err)
		}
		// What do says ends it, though it leaves a source half read.
		stop := errors.New("stop")
		calls := 0
		err = units[0].Each(context.Background(), func(src *Source) error {
			calls++
			r := NewReader(context.Background(), src, Config{ReadSize: 16}, newRecorder)
			r.Scan()
			r.Close()
			return stop
		})
		if strings.HasPrefix(tt.name, "empty.") {
			continue
		}
		if calls != 1 || err != stop {
			t.Errorf("%s: %d calls, error %v", tt.name, calls, err)
		}
	}
}

// TestEachDamaged has damaged members among others, and a damaged archive: where whoever reads
// a source forgives its errors each is met once, and the others are read.
func TestEachDamaged(t *testing.T) {
	var text strings.Builder
	for n := range 3000 {
		text.WriteString(entry(n))
	}
	broken := zstded([]byte(text.String()))
	broken[len(broken)/2] ^= 0xff
	members := []member{{"1", entry(1)}, {"2.zst", string(broken)}, {"3", entry(3)}}
	plain := tarred(t, members...)
	cut := tarred(t, member{"1", entry(1)}, member{"2", text.String()}, member{"3", entry(3)})[:4096]
	encrypted := zipped(t, members...)
	encrypted[bytes.Index(encrypted, []byte("PK\x01\x02"))+8] |= 1 // a flag in the directory, of its first member
	for _, tt := range []struct {
		name      string
		data      []byte
		good, bad string
	}{
		{"a.tar", plain, "13", "2.zst"},
		{"a.tar.gz", gzipped(plain), "13", "2.zst"},
		{"a.zip", encrypted, "3", "12.zst"},
		{"cut.tar", cut, "1", "2"},
		{"cut.tar.gz", gzipped(plain)[:len(gzipped(plain))/2], "1", "2.zst"},
	} {
		path := filepath.Join(t.TempDir(), tt.name)
		if err := os.WriteFile(path, tt.data, 0o600); err != nil {
			t.Fatal(err)
		}
		good, bad := "", ""
		err := (&Unit{Path: path}).Each(context.Background(), func(src *Source) error {
			if _, err := io.Copy(io.Discard, src.Reader); err != nil {
				bad += src.Member
			} else {
				good += src.Member
			}
			return nil
		})
		if good != tt.good || bad != tt.bad || err != nil {
			t.Errorf("%s: %q are read, %q are not; %v", tt.name, good, bad, err)
		}
	}
}

// TestZipTimes: without an offset they are what clocks showed.
func TestZipTimes(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	at := time.Date(2026, 11, 22, 5, 28, 40, 0, time.UTC)
	for _, name := range []string{"1", "2"} {
		if _, err := w.CreateHeader(&zip.FileHeader{Name: name, Modified: at}); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	// The directory's second member loses its time with an offset: only the clocks' is left.
	copy(b.Bytes()[bytes.LastIndex(b.Bytes(), []byte("UT\x05\x00")):], "??")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.zip"), b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	units, _, err := Find(t.Context(), []string{dir}, time.FixedZone("CST", 8*3600))
	if err != nil {
		t.Fatal(err)
	}
	err = units[0].Each(context.Background(), func(src *Source) error {
		want := at
		if src.Member == "2" {
			want = at.Add(-8 * time.Hour)
		}
		if !src.Modified.Equal(want) {
			t.Errorf("%s: %v, want %v", src.Member, src.Modified, want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestEachHalfRead closes readers before a member's end, and reads on with the next.
func TestEachHalfRead(t *testing.T) {
	long := strings.Repeat(entry(1), 20000)
	for name, data := range map[string][]byte{
		"a.tar": tarred(t, member{"1", long}, member{"2", long}), "a.zip": zipped(t, member{"1", long}, member{"2", long}),
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		u, n := Unit{Path: path}, 0
		err := u.Each(context.Background(), func(src *Source) error {
			if n++; n == 1 {
				NewReader(context.Background(), src, Config{}, newRecorder).Close()
				return nil
			}
			if got, err := io.ReadAll(src.Reader); err != nil || string(got) != long {
				t.Errorf("%s: %d bytes of %d, %v", name, len(got), len(long), err)
			}
			return nil
		})
		if n != 2 || err != nil {
			t.Errorf("%s: %d sources, %v", name, n, err)
		}
	}
}

// TestOffset asks while a source is read, as a progress display does.
func TestOffset(t *testing.T) {
	long := strings.Repeat(entry(1), 20000)
	packed := zstded([]byte(long))
	archive := tarred(t, member{"1", long}, member{"2", long})
	for _, tt := range []struct {
		name string
		data []byte
		want []int64 // at the end of each source, at least
	}{
		{"a.txt", []byte(long), []int64{int64(len(long))}},
		{"a.zst", packed, []int64{int64(len(packed))}},
		{"a.tar", archive, []int64{int64(len(long)), 2 * int64(len(long))}},
		{"a.zip", zipped(t, member{"1", long}), []int64{0}},
	} {
		path := filepath.Join(t.TempDir(), tt.name)
		if err := os.WriteFile(path, tt.data, 0o600); err != nil {
			t.Fatal(err)
		}
		u, n := Unit{Path: path}, 0
		err := u.Each(context.Background(), func(src *Source) error {
			done := make(chan struct{})
			go func() {
				defer close(done)
				io.Copy(io.Discard, src.Reader)
			}()
			before := int64(0)
			for reading := true; reading; {
				select {
				case <-done:
					reading = false
				default:
				}
				at := src.Offset()
				if at < before || at > int64(len(tt.data)) {
					t.Fatalf("%s: %d of %d bytes, after %d", tt.name, at, len(tt.data), before)
				}
				before = at
			}
			if before < tt.want[n] {
				t.Errorf("%s, source %d: %d bytes, want %d", tt.name, n, before, tt.want[n])
			}
			n++
			return nil
		})
		if n != len(tt.want) || err != nil {
			t.Errorf("%s: %d sources, %v", tt.name, n, err)
		}
	}
}

// TestBrokenUnit has broken files among others: each costs itself alone.
func TestBrokenUnit(t *testing.T) {
	var text strings.Builder
	for n := range 3000 {
		text.WriteString(entry(n))
	}
	broken := zstded([]byte(text.String()))
	broken[len(broken)/2] ^= 0xff
	archive := tarred(t, member{"1", entry(1)}, member{"2", text.String()})
	tree(t, map[string]string{
		"d/1.txt": entry(1), "d/2.zst": string(broken), "d/3.zst": string(zstded([]byte(entry(3)))),
		"d/4.tar": string(archive[:len(archive)/2]), "d/5.zip": "PK\x03\x04 no more", "d/6.gz": "\x1f\x8bno more", "d/7.txt": "prose\n", "d/8.txt": entry(8),
	})
	units, failures, err := Find(t.Context(), []string{"d"}, time.UTC)
	if err != nil || len(failures) > 0 || len(units) != 8 {
		t.Fatalf("%v, %v, %v", units, failures, err)
	}
	var good, bad []string
	for i := range units {
		got, err := readEach(&units[i])
		if err != nil {
			bad = append(bad, filepath.Base(units[i].Path))
		} else {
			good = append(good, filepath.Base(units[i].Path)+got)
		}
	}
	if got := strings.Join(good, " ") + "; " + strings.Join(bad, " "); got != "1.txt:=1 3.zst:=1 7.txt 8.txt:=1; 2.zst 4.tar 5.zip 6.gz" {
		t.Error(got)
	}
	if err := os.Remove("d/1.txt"); err != nil {
		t.Fatal(err)
	}
	if _, err := readEach(&units[0]); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that was removed: %v", err)
	}
}
