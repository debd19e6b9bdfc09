package capture

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"ipvsstate/internal/parse"
)

// readsAs says whether a line alone is a row.
func readsAs(line []byte) *parse.Line {
	var s parse.Scanner
	s.Reset(bytes.Clone(line))
	s.Scan()
	return s.Line()
}

// TestCut cuts real listings at every byte of their last two lines. What ends within a row is cut,
// but for ends within a last field that is not padded; the rows before count in any case.
func TestCut(t *testing.T) {
	for name, data := range listings(t) {
		if len(data) == 0 || data[len(data)-1] != '\n' {
			continue
		}
		whole := bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))
		if len(whole) < 3 {
			continue
		}
		start := bytes.LastIndexByte(data[:len(data)-1], '\n') + 1
		before := bytes.LastIndexByte(data[:start-1], '\n') + 1
		for end := before; end <= len(data); end++ {
			text := data[:end]
			all, err := readAll(bytes.NewReader(text), Config{Workers: 1, ReadSize: 4096})
			check(t, text, all, err)
			if len(all) == 0 {
				continue
			}
			last := all[len(all)-1]
			line := text[bytes.LastIndexByte(text, '\n')+1:]
			row, _, _ := bytes.Cut(data[end-len(line):], []byte("\n"))
			if len(row) == 0 {
				continue
			}
			want := end != before && end != start && end != len(data) && readsAs(row).Kind == parse.EntryLine && len(bytes.TrimRight(row, "\r ")) > len(line)
			if alone := readsAs(line); want && alone.Kind == parse.EntryLine {
				// Whole as it stands; only the proc files pad their last number.
				padded := (alone.Format == parse.Proc || alone.Format == parse.ProcSync || alone.Format == parse.Fullnat && bytes.HasSuffix(row, []byte("118"))) && alone.Entry.PEName == ""
				if !padded && !last.Cut {
					continue
				}
			}
			// What else cannot be told: numbers of more than seven digits, DPVS's rows before their
			// protocol, its --detail-conn within a date, rows of a garbled table,
			// a proc file's first number behind another's rows.
			unknown := want && !last.Cut && (name == "k2.6-ip-vs-conn.txt" && len(line) > 60 || line[0] == '[' && !bytes.Contains(line, []byte("]")) ||
				name == "dpvs-detail-conn.txt" && bytes.Contains(line, []byte("2019")) || name == "fullnat-garbled.txt" || name == "k6.1-mixed-family-with-sync-daemon-running.txt" && len(line) > 100)
			kind := readsAs(row).Kind
			titles := kind == parse.ColumnsLine || kind == parse.TitleLine // which TestCutLines has
			if last.Cut != want && !unknown && !titles && readsAs(row).Kind != parse.BadLine {
				t.Errorf("%s: %q of %q: cut is %v", name, line, row, last.Cut)
			}
		}
	}
}

func TestCutLines(t *testing.T) {
	const (
		row  = "TCP 14:57  ESTABLISHED 10.0.1.10:44380    10.0.1.100:80      10.0.0.12:80"
		line = "TCP 0A00010A A898 0A000164 0050 0A00000B 0050 CLOSE             6"
		dpvs = "[3]tcp 90s    TCP_EST     192.0.2.7:53124    198.51.100.3:53    203.0.113.8:1030   10.0.0.12:53"
	)
	tests := []struct {
		before, last string
		cut          bool
	}{
		{row, row, false},
		{row, row + "\n", false},
		{row, "T", true},
		{row, "U", true},
		{row, "UDP", true},
		{row, "UDP ", true},
		{row, "SCT", true},
		{row, "SCTP", true},
		{row, "SCTP 14:5", true},
		{row, "ICMPv6 0", true},
		{row, "TCP 14:57  EST", true},
		{row, "TCP 14:57  ESTABLISHED 10.0.1.10:44380    10.0.1.100:80      10.0.0.1", true},
		{row, "TCP 14:57  ESTABLISHED 10.0.1.10:44380    10.0.1.100:80      10.0.0.12:", true},
		{row, "TCP 14:57  ESTABLISHED 10.0.1.10:44380    10.0.1.100:80      10.0.0.12:8", false}, // may be whole
		{row, "TCP 14:57  ESTABLISHED 10.0.1.300:44380    10.0.1.100:80      10.0.0.12:80", false},
		{row, "TCP 14:57  ESTABLISHED 10.0.1.300:44380    10.0.1.100:80      10.0.0.12:80\n", false},
		{"lvs1: " + row, "lvs1: TCP 14:5", true},
		{row, "[root@lvs1 ~]# ", false},
		{row, "root@lvs1:~# exit 0", false},
		{row, "exit 0", false},
		{row, "done", false},
		{row, "user 0", false},
		{row, "#", false},
		{row, "$ ", false},
		{row, " ", false},
		{row, "", false},
		{row, "no more rows here", false},
		{row, "TCP connections: 17", false},
		{"prose", "TCP 14:5", false}, // nothing to compare with
		{row + strings.Repeat(" ", maxLast-len(row)), "TCP 14:5", true},
		{row + strings.Repeat(" ", maxLast-len(row)+1), "TCP 14:5", false}, // nothing kept
		{row, strings.Repeat("x", parse.MaxLine+2), false},
		{line, line, false},
		{line, line[:len(line)-1], true}, // blanks before the number
		{strings.Replace(line, "      6", "    897", 1), strings.Replace(line, "      6", "    89", 1), true},
		{"TCP 0A00010A A898 0A000164 0050 0A00000B 0050 ESTABLISHED LOCAL      897", "TCP 0A00010A A898 0A000164 0050 0A00000B 0050 ESTABLISHED LOCAL      89", true},
		{"TCP 0A00010A A898 0A000164 0050 0A00000B 0050 CLOSE 6", "TCP 0A00010A A898 0A000164 0050 0A00000B 0050 ESTABLISHED 8", false}, // not padded
		{line, "TCP 0A00010A A898 0A000164 005", true},
		{line, "TCP 0A0001", true},
		{line, "UDP 0A00010A ", true},
		{dpvs, "[", false},
		{dpvs, "[3]t", true},
		{dpvs, "[4]udp 30", true},
		{dpvs, "[4]udp 300s   UDP_NORM    192.0.2.7:53", true},
	}
	for _, tt := range tests {
		text := []byte(tt.before + "\n" + row + "\n" + tt.before + "\n" + tt.last)
		for _, chunking := range chunkings {
			all, err := readAll(chunking.of(text), Config{})
			check(t, text, all, err)
			if len(all) != 1 || all[0].Cut != tt.cut {
				t.Fatalf("%q behind %q, %s: cut is %v", tt.last, tt.before, chunking.name, all[0].Cut)
			}
		}
	}
	// Titles alone are an empty listing, a part of them is none.
	for text, cut := range map[string]bool{
		title: true, strings.TrimSpace(title): true, title + "pro expire sta": true, title + "p": true, title + strings.TrimSuffix(columns, "\n"): true,
		title + columns: false, title + columns + "\n": false, title + columns + prose: false, title + "$ ": false, title + entry(1): false,
		columns: false, strings.TrimSuffix(columns, "\n"): true, title + columns + entry(2): false,
	} {
		for _, before := range []string{"", date1 + title + columns + entry(1) + date2} {
			for _, chunking := range chunkings {
				all, err := readAll(chunking.of([]byte(before+text)), Config{})
				if err != nil || len(all) == 0 || all[len(all)-1].Cut != cut || len(all) > 1 && all[0].Cut {
					t.Fatalf("%q, %s: %s", before+text, chunking.name, describe(all, err))
				}
			}
		}
	}
	// The row that is cut belongs to a listing of which it is all there is.
	all, err := readAll(strings.NewReader(date1+row+"\n"+date2+"TCP 14:5"), Config{})
	if err != nil || len(all) != 1 || all[0].Cut {
		t.Error(describe(all, err))
	}
}

// TestTornLog: where a row of a log was cut and the next listing's time written behind it, both listings
// have their times and rows, and the first is cut. Never is another time read.
func TestTornLog(t *testing.T) {
	const first = "Sun Nov 22 05:10:00 UTC 2026\n"
	rows := map[string]string{
		title + columns: "TCP 14:57  ESTABLISHED 10.0.1.10:44380    10.0.1.100:80      10.0.0.12:80",
		"Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Origin Expires PEName PEData\n": "TCP 0A00010A A898 0A000164 0050 0A00000B 0050 ESTABLISHED LOCAL      897",
		"Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n": "TCP 2001:0db8:0000:0000:0000:0000:0000:0001 AD5D 2001:0db8:0000:0000:0000:0000:0000:0002 01BB " +
			"2001:0db8:0000:0000:0000:0000:0000:0003 01BB ESTABLISHED     797",
		prose: "[3]tcp 90s    TCP_EST     192.0.2.7:53124    198.51.100.3:53    203.0.113.8:1030   10.0.0.12:53",
	}
	dates := []string{"Sun Nov 22 05:15:00 UTC 2026", "Sunday, 22 November 2026 05:15:00 UTC", "2026-11-22 05:15:00", "2026-11-22T05:15:00Z", "2026/11/22 05:15:00",
		"2026年 11月 22日 星期日 05:15:00 UTC", "=== 2026-11-22 05:15:00 ==="}
	for head, row := range rows {
		for _, date := range dates {
			for end := 1; end <= len(row); end++ {
				torn := row[:end]
				data := []byte(first + head + row + "\n" + torn + date + "\n" + head + row + "\n" + row + "\n")
				all, err := readAll(bytes.NewReader(data), Config{Workers: 1})
				check(t, data, all, err)
				// The torn row may be the first of what is read at once.
				behind := bytes.NewReader(data[len(first+head+row)+1:])
				parts, err := readAll(io.MultiReader(bytes.NewReader(data[:len(data)-behind.Len()]), behind), Config{Workers: 1})
				if got, want := describe(parts, err), describe(all, err); got != want {
					t.Fatalf("%q, in two parts:\n%s\nin one:\n%s", torn+date, got, want)
				}
				var times []string
				for _, s := range all {
					times = append(times, s.Time.Format("04:05"))
				}
				// Where no more than a protocol stands, or a service's name is begun that the time's
				// first letters go on with.
				unknown := len(strings.Fields(torn)) == 1 || head == title+columns && date[0] == 'S' && strings.Contains(torn, "  10.0.0.12:")
				got := strings.Join(times, " ")
				whole := got == "10:00 15:00" && all[0].Entries == 1 && all[1].Entries == 2 && all[0].Cut && !all[1].Cut
				if !whole && !unknown || got != "10:00" && got != "10:00 00:00" && got != "10:00 15:00" {
					t.Errorf("%q: %s", torn+date, describe(all, err))
				}
			}
		}
	}
	for _, line := range []string{"tcp connections at 2026-11-22 05:15:00", "TCP 2026-11-22 05:15:00", "no TCP 14:57 since 2026-11-22 05:15:00",
		"TCP 14:57 is from Sun Nov 22 05:15:00 UTC 2026 on", "17 of TCP, Sun Nov 22 05:15:00 UTC 2026"} {
		all, err := readAll(strings.NewReader(first+entry(1)+line+"\n"+entry(2)), Config{})
		if err != nil || len(all) != 1 || all[0].Entries != 2 || all[0].Cut {
			t.Errorf("%q begins a listing: %s", line, describe(all, err))
		}
	}
}

// TestHosts: a prompt names the host of the listings behind it, a recorded snapshot its own.
func TestHosts(t *testing.T) {
	const watched = "Every 2.0s: ipvsadm -Lnc      lvs9: Sun Nov 22 05:28:40 2026\n"
	prompt := func(n int) string { return fmt.Sprintf("[root@lvs%d ~]# ipvsadm -Lnc\n", n) }
	listing := title + columns + entry(1)
	tests := []struct{ text, want string }{
		{listing, ""},
		{prompt(1) + listing, "lvs1"},
		{prompt(1) + listing + prompt(2), "lvs1"},
		{prompt(1) + listing + prompt(2) + listing, "lvs1 lvs2"},
		{prompt(1) + listing + listing, "lvs1 lvs1"},
		{prompt(1) + title + columns + prompt(2) + title + columns, "lvs1 lvs2"},
		{prompt(1) + prompt(2) + listing, "lvs2"},
		{listing + prompt(2) + listing, " lvs2"},
		{prompt(1) + entry(1) + entry(2) + prompt(2) + date2 + entry(3), "lvs1 lvs2"},
		{prompt(1) + date1 + entry(1) + date2 + prompt(2) + entry(3), "lvs1 lvs2"},
		{watched + listing, "lvs9"},
		{listing + watched, "lvs9"},
		{"== lvs1 ==\n" + date1 + listing + "== lvs2 ==\n" + date2 + listing, "lvs1 lvs2"},
		{date1 + "== lvs1 ==\n" + listing + date2 + "== lvs2 ==\n" + listing, "lvs1 lvs2"},
		{"lvs1 | CHANGED | rc=0 >>\n" + date1 + listing + "lvs2 | CHANGED | rc=0 >>\n" + date1 + listing, "lvs1 lvs2"},
		{prompt(1) + "== ipvs ==\n" + listing, "lvs1"},
		{listing + "lvs4: 2026-11-22 05:28:40\n", "lvs4"},
		{prompt(1) + listing + "lvs4: 2026-11-22 05:28:40\n", "lvs1"},
		{listing + listing + "lvs4: 2026-11-22 05:28:40\n", " "},
		{prompt(1) + watched + listing, "lvs9"},
		{"[root@jump ~]# ssh lvs3 ipvsadm -Lnc\n" + listing, ""},
		{prompt(1) + listing + "[root@lvs1 ~]# ssh lvs3 ipvsadm -Lnc\n" + listing, "lvs1 "},
		{prompt(2) + head1 + proc + entry(1) + end1 + listing, "lvs1 lvs2"},
		{head1 + proc + entry(1) + end1 + listing, "lvs1 "},
	}
	for _, tt := range tests {
		for _, chunking := range chunkings {
			all, err := readAll(chunking.of([]byte(tt.text)), Config{Workers: 2})
			var hosts []string
			for _, s := range all {
				hosts = append(hosts, s.Host)
			}
			if got := strings.Join(hosts, " "); err != nil || got != tt.want || len(hosts) != 1+strings.Count(tt.want, " ") {
				t.Fatalf("%s: %q is of %q, want %q (%v)", chunking.name, tt.text, got, tt.want, err)
			}
		}
	}
}

func TestHeadingHost(t *testing.T) {
	for line, want := range map[string]string{
		"== lvs1 ==":                    "lvs1",
		"=== prod-lb-2.example.com ===": "prod-lb-2.example.com",
		"==> lvs1 <==":                  "lvs1",
		"##### lvs1 #####\r":            "lvs1",
		"--- 192.0.2.1 ---":             "",
		"lvs1 | CHANGED | rc=0 >>":      "lvs1",
		"lvs1 | SUCCESS | rc=0 >>":      "lvs1",
		"director | CHANGED | rc=0 >>":  "", // a word for many things
		"lvs1 | FAILED | rc=255 >>":     "",
		"lvs1":                          "",
		"# lvs1":                        "",
		"== lvs1":                       "",
		"== start ==":                   "",
		"== ipvs ==":                    "",
		"== run-17 ==":                  "",
		"== 17 ==":                      "",
		"== 2026-11-22 ==":              "",
		"== 05:28:40 ==":                "",
		"== nov22 ==":                   "",
		"== week47 ==":                  "",
		"== 0.1 ==":                     "",
		"== v1.2 of ipvsadm ==":         "",
		"==> lvs1.log <==":              "",
		"==> conn1.txt <==":             "",
		"== eth0 ==":                    "",
		"=== 6.1.0-18-amd64 ===":        "",
		"=== INC001 ===":                "",
		"== tcp6 ==":                    "",
		"--- net.ipv4.ip_forward ---":   "",
		"== x86_64 ==":                  "",
		"<<<EOF1>>>":                    "",
		"== bj-lvs-02 ==":               "bj-lvs-02",
		"":                              "",
		"==========":                    "",
		"== lvs1 == lvs2 ==":            "",
		"| lvs1 | CHANGED | rc=0 >>":    "",
		"== /var/log/lvs1.log ==":       "",
	} {
		host, ok := headingHost([]byte(line))
		if !ok {
			host = ""
		}
		if host != want {
			t.Errorf("%q tells %q, want %q", line, host, want)
		}
	}
}

func TestPromptHost(t *testing.T) {
	for line, want := range map[string]string{
		"[root@lvs1 ~]# ipvsadm -Lnc":               "lvs1",
		"[root@lvs1 ~]#":                            "lvs1",
		"[root@lvs1 log]$ cat /proc/net/ip_vs_conn": "lvs1",
		"[root@lvs1.example.com ~]# ":               "lvs1.example.com",
		"root@lvs1:~# ipvsadm -Lnc":                 "lvs1",
		"admin@lvs-1:/var/log$ sudo ipvsadm -Lnc":   "lvs-1",
		"root@lvs1:~#":                              "lvs1",
		"root@lvs1 ~ # ipvsadm -Lnc":                "lvs1",
		"admin@lvs1 ~ % ipvsadm -Lnc":               "lvs1",
		"\x1b]0;root@lvs1: ~\x07\x1b[01;32mroot@lvs1\x1b[00m:\x1b[01;34m~\x1b[00m# ipvsadm -Lnc\r": "lvs1",
		"\x1b[?2004h[root@lvs1 ~]# ipvsadm -Lnc\x1b[?2004l\r":                                      "lvs1",
		"[root@jump ~]# ssh lvs1 ipvsadm -Lnc":                                                     "(unknown)",
		"[root@jump ~]# sudo kubectl exec pod -- ipvsadm -Lnc":                                     "(unknown)",
		"root@localhost:~# ipvsadm -Lnc":                                                           "(unknown)",

		"":                                       "",
		"ipvsadm -Lnc":                           "",
		"# ipvsadm -Lnc":                         "",
		"$ ipvsadm -Lnc":                         "",
		"lvs1# ipvsadm -Lnc":                     "",
		"mail root@example.com about it":         "",
		"root@example.com":                       "",
		"root@example.com wrote on Sunday: # 17": "",
		"root@lvs1:/tmp: No such file or directory": "",
		"[root@lvs1 ~] ipvsadm":                     "",
		"TCP 14:57  ESTABLISHED a@b:44380 # 17":     "",
		"root@10.0.0.1's password:":                 "",
		"ssh root@lvs1:~#":                          "",
		"sip:alice@example.com:5060#x":              "",
	} {
		host, ok := promptHost([]byte(line))
		if ok && host == "" {
			host = "(unknown)"
		}
		if host != want {
			t.Errorf("%q tells %q, want %q", line, host, want)
		}
	}
}
