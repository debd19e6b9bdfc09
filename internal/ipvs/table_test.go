package ipvs

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

// The files as kernels write them (4.15, 6.1 and 7.2).
const (
	connHeader = "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n"
	connRow    = "TCP 0A00010A AD5C 0A000164 0050 0A00000C 0050 ESTABLISHED     897\n"
	syncHeader = "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Origin Expires\n"
	syncRow    = "TCP 0A00010A AD5C 0A000164 0050 0A00000C 0050 ESTABLISHED LOCAL      897\n"
	versionTop = "IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n"
	status72   = "Conns:\t43\nConn buckets:\t256 (8 bits, lfactor -2)\nConn buckets empty:\t189 (73%)\nConn buckets len-1:\t59 (88%)\n" +
		"Conn buckets len-2:\t8 (11%)\nServices:\t5\nService buckets:\t16 (4 bits, lfactor -2)\nStats thread slots:\t1 (max 48)\n"
)

// procDir is a net directory of a proc file system with these files.
func procDir(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestOpenTable(t *testing.T) {
	tests := []struct {
		name    string
		files   map[string]string
		path    string
		text    string
		version string
		buckets uint64
		status  *Status
	}{
		{
			name:  "both files",
			files: map[string]string{"ip_vs_conn": connHeader + connRow, "ip_vs_conn_sync": syncHeader + syncRow, "ip_vs": versionTop},
			path:  "ip_vs_conn_sync", text: syncHeader + syncRow, version: "1.2.1", buckets: 4096,
		},
		{
			name:  "without ip_vs_conn_sync",
			files: map[string]string{"ip_vs_conn": connHeader + connRow, "ip_vs": versionTop},
			path:  "ip_vs_conn", text: connHeader + connRow, version: "1.2.1", buckets: 4096,
		},
		{
			name:  "7.2",
			files: map[string]string{"ip_vs_conn_sync": syncHeader, "ip_vs": "IP Virtual Server version 1.2.1 (size=256)\n", "ip_vs_status": status72},
			path:  "ip_vs_conn_sync", text: syncHeader, version: "1.2.1", buckets: 256, status: &Status{Connections: 43, Buckets: 256},
		},
		{
			name:  "the table alone",
			files: map[string]string{"ip_vs_conn": connHeader},
			path:  "ip_vs_conn", text: connHeader,
		},
		{
			name:  "an empty table file",
			files: map[string]string{"ip_vs_conn_sync": ""},
			path:  "ip_vs_conn_sync",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := procDir(t, tt.files)
			table, err := openTable(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer table.Close()
			text, err := io.ReadAll(table)
			if err != nil || string(text) != tt.text {
				t.Errorf("it reads %q, %v; want %q", text, err, tt.text)
			}
			if want := filepath.Join(dir, tt.path); table.Path != want {
				t.Errorf("path %s, want %s", table.Path, want)
			}
			if table.Version != tt.version || table.Buckets != tt.buckets {
				t.Errorf("version %q, %d buckets; want %q, %d", table.Version, table.Buckets, tt.version, tt.buckets)
			}
			if !reflect.DeepEqual(table.Status, tt.status) {
				t.Errorf("status %+v, want %+v", table.Status, tt.status)
			}
		})
	}
}

func TestOpenTableErrors(t *testing.T) {
	if _, err := openTable(procDir(t, nil)); !errors.Is(err, ErrNoIPVS) {
		t.Errorf("a net directory without IPVS: %v", err)
	}
	// The services alone are no connection table.
	if _, err := openTable(procDir(t, map[string]string{"ip_vs": versionTop, "ip_vs_stats": ""})); !errors.Is(err, ErrNoIPVS) {
		t.Errorf("a net directory without the table: %v", err)
	}
	_, err := openTable(filepath.Join(t.TempDir(), "net"))
	if !errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrNoIPVS) {
		t.Errorf("no net directory: %v", err)
	}
	if runtime.GOOS != "windows" {
		// Whatever keeps the first file from being opened is told, not passed over.
		dir := procDir(t, map[string]string{"ip_vs_conn": connHeader})
		loop := filepath.Join(dir, "ip_vs_conn_sync")
		if err := os.Symlink(loop, loop); err != nil {
			t.Fatal(err)
		}
		_, err := openTable(dir)
		var path *fs.PathError
		if !errors.As(err, &path) || path.Path != loop {
			t.Errorf("a file that cannot be opened: %v", err)
		}
	}
}

func TestVersion(t *testing.T) {
	tests := []struct {
		text, version string
		buckets       uint64
	}{
		{versionTop, "1.2.1", 4096},
		{"IP Virtual Server version 1.2.1 (size=1048576)\n", "1.2.1", 1048576},
		{"IP Virtual Server version 1.2.1 (size=4096)", "1.2.1", 4096},
		{"", "", 0},
		{"\n", "", 0},
		{"IP Virtual Server version 1.2.1\n", "", 0},
		{"IP Virtual Server version 1.2.1 (size=many)\n", "", 0},
		{"Prot LocalAddress:Port Scheduler Flags\n", "", 0},
	}
	for _, tt := range tests {
		dir := procDir(t, map[string]string{"ip_vs_conn": "", "ip_vs": tt.text})
		table, err := openTable(dir)
		if err != nil {
			t.Fatal(err)
		}
		table.Close()
		if table.Version != tt.version || table.Buckets != tt.buckets {
			t.Errorf("%q says version %q, %d buckets; want %q, %d", tt.text, table.Version, table.Buckets, tt.version, tt.buckets)
		}
	}
}

func TestStatus(t *testing.T) {
	tests := []struct {
		text string
		want *Status
	}{
		{status72, &Status{43, 256}},
		{"Conns:\t0\nConn buckets:\t256 (8 bits, lfactor -2)\n", &Status{0, 256}},
		{"Conns:\t1000000\nConn buckets:\t1048576 (20 bits, lfactor -2)\nConn buckets empty:\t0 (0%)\n", &Status{1000000, 1 << 20}},
		{"Conns:\t43\n", nil}, // half of it is no answer
		{"Conn buckets:\t256\n", nil},
		{"Conns:\t\nConn buckets:\t256\n", nil},
		{"Conns:\tmany\nConn buckets:\t256\n", nil},
		{"", nil},
		{"nothing of the kind\n", nil},
	}
	for _, tt := range tests {
		dir := procDir(t, map[string]string{"ip_vs_conn": "", "ip_vs_status": tt.text})
		table, err := openTable(dir)
		if err != nil {
			t.Fatal(err)
		}
		table.Close()
		if !reflect.DeepEqual(table.Status, tt.want) {
			t.Errorf("%q says %+v, want %+v", tt.text, table.Status, tt.want)
		}
	}
}

// TestTableRead reads a table larger than is gathered at once, in pieces of any size.
func TestTableRead(t *testing.T) {
	text := syncHeader + strings.Repeat(syncRow, 3000)
	dir := procDir(t, map[string]string{"ip_vs_conn_sync": text})
	for _, size := range []int{1000, 4096, 64 << 10, 256 << 10, 1 << 20} {
		table, err := openTable(dir)
		if err != nil {
			t.Fatal(err)
		}
		var got []byte
		buf := make([]byte, size)
		for {
			n, err := table.Read(buf)
			got = append(got, buf[:n]...)
			if err == io.EOF {
				break
			}
			if err != nil || n == 0 {
				t.Fatalf("%d bytes, %v", n, err)
			}
		}
		if !bytes.Equal(got, []byte(text)) {
			t.Errorf("in pieces of %d: %d bytes, want %d, or others", size, len(got), len(text))
		}
		if err := table.Close(); err != nil {
			t.Error(err)
		}
		if n, err := table.Read(buf); n != 0 || err == nil || err == io.EOF {
			t.Errorf("reading a closed table: %d bytes, %v", n, err)
		}
	}
}

// TestOpenReadsNothing: what is in the table when it is read counts, not when it is
// opened.
func TestOpenReadsNothing(t *testing.T) {
	dir := procDir(t, map[string]string{"ip_vs_conn": connHeader + connRow})
	table, err := openTable(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	if err := os.WriteFile(filepath.Join(dir, "ip_vs_conn"), []byte(connHeader), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(table); err != nil || string(text) != connHeader {
		t.Errorf("%q, %v", text, err)
	}
}

// TestProcRoot reads the copy of a proc root, which works on every system.
func TestProcRoot(t *testing.T) {
	root := t.TempDir()
	if err := os.Rename(procDir(t, map[string]string{"ip_vs_conn": connHeader + connRow}), filepath.Join(root, "net")); err != nil {
		t.Fatal(err)
	}
	table, err := OpenTable(Where{Proc: root})
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	if text, err := io.ReadAll(table); err != nil || string(text) != connHeader+connRow {
		t.Errorf("%q, %v", text, err)
	}
	config, err := ReadConfig(t.Context(), Where{Proc: root})
	want := ErrNotLinux
	if runtime.GOOS == "linux" {
		want = ErrOtherProc
	}
	if config != nil || !errors.Is(err, want) {
		t.Errorf("netlink for another proc root: %+v, %v; want %v", config, err, want)
	}
}
