package capture

import (
	"strings"
	"testing"
	"time"
)

// shanghai is the zone of times that do not tell theirs, and of the letters CST.
var shanghai = time.FixedZone("CST", 8*3600)

func TestLineTime(t *testing.T) {
	// The same moment in all these tables: 05:28:40 in shanghai.
	const local, utc = "2026-11-21T21:28:40Z", "2026-11-22T05:28:40Z"
	tests := []struct{ line, want string }{
		// date in the C locale, with and without a zone
		{"Sun Nov 22 05:28:40 CST 2026", local},
		{"Sun Nov 22 05:28:40 UTC 2026", utc},
		{"Sun Nov 22 05:28:40 GMT 2026", utc},
		{"Sun Nov 22 05:28:40 2026", local},
		{"Sun Nov  1 05:28:40 UTC 2026", "2026-11-01T05:28:40Z"},
		{"Tue Mar  3 00:00:00 UTC 2026", "2026-03-03T00:00:00Z"},
		{"Sun Nov 22 05:28:40 +08 2026", local},
		{"Sun Nov 22 05:28:40 -0330 2026", "2026-11-22T08:58:40Z"},
		// date in en_US, which has 12 hours
		{"Sun 22 Nov 2026 05:28:40 AM CST", local},
		{"Sun 22 Nov 2026 05:28:40 PM UTC", "2026-11-22T17:28:40Z"},
		{"Sun 22 Nov 2026 12:28:40 AM UTC", "2026-11-22T00:28:40Z"},
		{"Sun 22 Nov 2026 12:28:40 PM UTC", "2026-11-22T12:28:40Z"},
		{"Sun Nov 22 05:28:40 AM UTC 2026", utc},
		{"Sun Nov 22 05:28:40 PM UTC 2026", "2026-11-22T17:28:40Z"},
		// date -R
		{"Sun, 22 Nov 2026 05:28:40 +0800", local},
		{"Sun, 22 Nov 2026 05:28:40 +0000", utc},
		// date in Chinese locales, of coreutils old and new and of macOS
		{"2026年11月22日 05:28:40 星期日", local},
		{"2026年 11月 22日 星期日 05:28:40 CST", local},
		{"2026年11月22日 星期日 05:28:40 CST", local},
		{"2026年11月22日 星期日 05:28:40 UTC", utc},
		{"2026年11月22日 周日 05:28:40 UTC", utc},
		{"2026年11月22日 05:28:40", local},
		{"2026年11月22日 星期日 05时28分40秒 CST", local},
		{"2026年11月22日 05时28分40秒", local},
		{"2026年03月03日 星期二 00:00:00 UTC", "2026-03-03T00:00:00Z"},
		// ISO 8601 and what is like it
		{"2026-11-22T05:28:40Z", utc},
		{"2026-11-22T05:28:40+08:00", local},
		{"2026-11-22T05:28:40+0800", local},
		{"2026-11-22 05:28:40", local},
		{"2026-11-22 05:28:40 UTC", utc},
		{"2026-11-22 05:28:40 +0800", local},
		{"2026-11-22 05:28:40 -08:00", "2026-11-22T13:28:40Z"},
		{"2026-11-22 05:28:40.123456789 +0800", local},
		{"2026-11-22T05:28:40,123Z", utc},
		{"2026/11/22 05:28:40", local},
		{"2026-11-22_05:28:40", local},
		// dashes in the clock, as in names of files
		{"2026-11-22_05-28-40", local},
		{"2026-11-22-05-28-40", local},
		{"=== 2026-11-22 05-28-40 ===", local},
		{"2026-11-22T05-28-40Z", utc},
		{"20261122_05-28-40", local},
		{"2026-11-22_05-28", "2026-11-21T21:28:00Z"},
		{"2024-02-29T12:00:00Z", "2024-02-29T12:00:00Z"},
		// the month in letters
		{"22-Nov-2026 05:28:40", local},
		{"22-Nov-2026_05:28:40 UTC", utc},
		{"[22/Nov/2026:05:28:40 +0800]", local},
		{"Sun 22-Nov-2026 05:28 UTC", "2026-11-22T05:28:00Z"},
		{"lvs1: 22/Nov/2026 05:28:40", local},
		// the day first, with dots
		{"22.11.2026 05:28:40", local},
		{"So 22.11.2026 05:28:40", ""},
		{"Sun 22.11.2026 05:28 UTC", "2026-11-22T05:28:00Z"},
		{"1.9.2026 05:28:40", "2026-08-31T21:28:40Z"},
		// watch
		{"Every 2.0s: ipvsadm -Lcn                      lvs1: Sun Nov 22 05:28:40 2026", local},
		{"Every 2.0s: ipvsadm -Lcn                      Sun Nov 22 05:28:40 2026", local},
		{"Every 0.5s: cat /proc/net/ip_vs_conn          lvs1: Sun Nov  1 05:28:40 2026", "2026-10-31T21:28:40Z"},
		{"Every 2.0s: ipvsadm -Lcn                      lvs1: 2026年11月22日 星期日 05:28:40", local},
		// decoration
		{"### 2026-11-22 05:28:40 ###", local},
		{"=== Sun Nov 22 05:28:40 CST 2026 ===", local},
		{"# 2026年11月22日 05:28:40 星期日", local},
		{"[2026-11-22T05:28:40Z]", utc},
		{"-- 2026-11-22 05:28:40 --", local},
		{"*** 2026-11-22 05:28:40 ***", local},
		{"  2026-11-22 05:28:40 \r", local},
		{"----> 2026-11-22 05:28:40", local},

		// a host
		{"lvs1: Sun Nov 22 05:28:40 CST 2026", local},
		{"=== lvs1 2026-11-22 05:28:40 ===", local},
		{"[10.0.0.1] 2026-11-22T05:28:40Z", utc},
		{"lvs-2 1795325320", utc},
		{"lb.example.com: 2026年11月22日 05:28:40 星期日", local},

		{"2026-11-22 05:28:40 lvs1", local},
		{"Sun Nov 22 05:28:40 UTC 2026 lvs1", utc},
		{"2026-11-22T05:28:40Z lb.example.com", utc},
		{"=== 2026-11-22 05:28:40 lvs1 ===", local},
		{"2026-11-22 05:28:40 10.0.0.1", local},
		{"[2026-11-22 05:28:40] root@lvs1:~# ipvsadm -Lnc", local},
		{"[2026-11-22T05:28:40Z] [root@lvs1 ~]# ipvsadm -Lnc", utc},

		// labels
		{"记录时间: 2026-11-22 05:28:40", local},
		{"巡检时间：2026-11-22 05:28:40", local},
		{"epoch: 1795325320", utc},
		{"EPOCH=1795325320", utc},
		{"Run at: 2026-11-22 05:28:40", local},
		{"Begin: 2026-11-22 05:28:40", local},
		{"Recorded at: Sun Nov 22 05:28:40 UTC 2026", utc},
		{"Timestamp (UTC): 2026-11-22 05:28:40", utc},
		{"timestamp(UTC)=2026-11-22T05:28:40", utc},
		{"date Sun Nov 22 05:28:40 UTC 2026", utc},
		{"snapshot at 2026-11-22 05:28:40", local},
		{"Snapshot at: 2026-11-22 05:28:40", local},
		{"BEGIN 2026-11-22 05:28:40", local},
		{"----- BEGIN Sun Nov 22 05:28:40 UTC 2026 -----", utc},
		{"begin at 2026-11-22 05:28:40", local},
		{"BEGIN Sat Apr 22 05:28:40 UTC 2023", "2023-04-22T05:28:40Z"},

		// more decoration
		{"(2026-11-22 05:28:40)", local},
		{"{2026-11-22 05:28:40}", local},
		{"| 2026-11-22 05:28:40 |", local},
		{"+++ 2026-11-22 05:28:40 +++", local},
		{"~~~ 2026-11-22 05:28:40 ~~~", local},
		{"____2026-11-22 05:28:40____", local},
		{"... 2026-11-22 05:28:40 ...", local},
		{"// 2026-11-22 05:28:40", local},
		{"2026-11-22 05:28:40:", local},
		{"Sun Nov 22 05:28:40 UTC 2026:", utc},
		{"(lvs1 2026-11-22 05:28:40)", local},
		{"Sun, 22 Nov 2026 05:28:40 +0800 (CST)", local},
		// full-width colons
		{"2026-11-22 05：28：40", local},
		{"时间：2026年11月22日 05：28：40", local},

		// no times
		{"2026-11-22 05:28:40 done.", ""},
		{"2026-11-22 05:28:40 started", ""},
		{"2026-11-22 05:28:40 run-17", ""},
		{"2026-11-22 05:28:40 snapshot-1", ""},
		{"2026-11-22 05:28:40 17", ""},
		{"2026-11-22 05:28:40 re-read", ""},
		{"2026-11-22 05:28:40 reading lvs1", ""},
		{"Nov 22 05:28:40 lvs1", ""},
		{"END 2026-11-22 05:28:40", ""},
		{"date of the table 2026-11-22 05:28:40", ""},
		{"snapshot at the peak 2026-11-22 05:28:40", ""},
		{"begin of day", ""},
		{"[2026-11-22 05:28:40] the table was full", ""},
		{"[2026-11-22 05:28:40] kernel: IPVS: ipvs loaded. #", ""},
		{"| 2026-11-22 05:28:40 | 17 |", ""},
		{"2026-11-22 05:28:", ""},
		{"(see 2026-11-22 05:28:40)", ""},
		{"run-17 2026-11-22 05:28:40", ""},
		{"snapshot-1: 2026-11-22 05:28:40", ""},
		{"Started 2026-11-22 05:28:40", ""},
		{"lvs1 05:28:40", ""},
		{"", ""},
		{"05:28:40", ""},
		{"2026-11-22", ""},
		{"Sun Nov 22 05:28:40", ""}, // of which year
		{"2026-13-22 05:28:40", ""},
		{"2026-00-22 05:28:40", ""},
		{"2026-11-31 05:28:40", ""},
		{"2026-02-29 05:28:40", ""},
		{"2026-11-00 05:28:40", ""},
		{"2026-11-22 25:00:00", ""},
		{"2026-11-22 24:00:00", ""},
		{"2026-11-22 05:60:40", ""},
		{"2026-11-22 05:28:61", ""},
		{"0000-11-22 05:28:40", ""},
		{"Sun Abc 22 05:28:40 CST 2026", ""},
		{"Sun Nov 31 05:28:40 CST 2026", ""},
		{"Xyz Nov 22 05:28:40 CST 2026", ""},
		{"2026年13月22日 05:28:40 星期日", ""},
		{"2026年11月22日 25:28:40 星期日", ""},
		{"2026年", ""},
		{"22-Nov-26 05:28:40", ""},
		{"22-Sun-2026 05:28:40", ""},
		{"22-Nov/2026 05:28:40", ""},
		{"31-Nov-2026 05:28:40", ""},
		{"22-Nov-2026", ""},
		{"22-Nov-2026 22 05:28:40", ""},
		{"22/11/2026 05:28:40", ""},
		{"22-11-2026 05:28:40", ""},
		{"22.13.2026 05:28:40", ""},
		{"31.11.2026 05:28:40", ""},
		{"22.11.26 05:28:40", ""},
		{"22.Nov.2026 05:28:40", ""},
		{"10.0.1.100 05:28:40", ""},
		{"2026-11-22_5-28-40", ""},
		{"2026-11-22_25-28-40", ""},
		{"2026-11-22_05-28-4", ""},
		{"2026-11-22_05-28-40-7", ""},
		{"2026-11-22 05:28:40 05-28-40", ""},
		{"05-28-40", ""},
		{"at 2026-11-22 05:28:40 the table was full", ""},
		{"the table was full at 2026-11-22 05:28:40", ""},
		{"Timeout (tcp tcpfin udp): 900 120 300", ""},
		{"Nov 22 05:28:40 lvs1 kernel: IPVS: Registered protocols (TCP, UDP)", ""},
		{"[root@lvs1 05:28:40]# date", ""},
		{"UDP 04:24  UDP         192.168.127.89:44117 192.168.127.89:514 192.168.129.116:514", ""},
		{"TCP 00:45  FIN_WAIT    192.168.0.6:51222  172.16.0.100:443   10.0.0.17:443", ""},
		{"Every 2.0s: ipvsadm -Lcn", ""},
		{"2026-11-22 05:28:40 " + strings.Repeat("=", maxTimeLine), ""},
	}
	for _, tt := range tests {
		told, ok := clock{loc: shanghai}.lineTime([]byte(tt.line))
		at := told.time
		got := ""
		if ok {
			got = at.UTC().Format(time.RFC3339)
		}
		if got != tt.want {
			t.Errorf("%q tells %q, want %q", tt.line, got, tt.want)
		}
	}
}

// TestLineTimeHost has hosts beside times.
func TestLineTimeHost(t *testing.T) {
	for line, want := range map[string]string{
		"=== lvs1 2026-11-22 05:28:40 ===":                         "lvs1",
		"lvs-2: Sun Nov 22 05:28:40 CST 2026":                      "lvs-2",
		"[10.0.0.1] 2026-11-22T05:28:40Z":                          "10.0.0.1",
		"2026-11-22T05:28:40Z":                                     "",
		"2026-11-22 05:28:40 lvs1":                                 "lvs1",
		"Sun Nov 22 05:28:40 2026 10.0.0.1":                        "10.0.0.1",
		"(lvs-2 2026-11-22 05:28:40)":                              "lvs-2",
		"2026-11-22 05:28:40 CST":                                  "",
		"[2026-11-22 05:28:40] root@lvs1:~# ipvsadm -Lnc":          "lvs1",
		"[2026-11-22 05:28:40] root@jump:~# ssh lvs1 ipvsadm -Lnc": "",
		"date: 2026-11-22T05:28:40Z":                               "",
		"Every 2s: x  lvs1: 2026-11-22 05:28:40":                   "lvs1",
	} {
		if told, ok := (clock{loc: shanghai}).lineTime([]byte(line)); !ok || told.host != want {
			t.Errorf("%q: host %q, want %q, %v", line, told.host, want, ok)
		}
	}
}

// TestLineTimeYearTwice has the year before and behind the time.
func TestLineTimeYearTwice(t *testing.T) {
	at, ok := clock{loc: time.UTC}.lineTime([]byte("Sun 22 Nov 2026 05:28:40 UTC 2026"))
	if ok && at.time.Year() != 2026 {
		t.Errorf("%v", at)
	}
}

func TestNameTime(t *testing.T) {
	const local, utc = "2026-11-21T21:28:40Z", "2026-11-22T05:28:40Z"
	tests := []struct{ name, want string }{
		{"lvs1-20261122T052840Z.txt", utc},
		{"lvs1-20261122T052840.txt", local},
		{"lvs1-20261122-052840.txt.gz", local},
		{"20261122052840", local},
		{"2026-11-22T05:28:40Z.txt", utc},
		{"2026-11-22T05:28:40UTC.txt", utc},
		{"20261122-052840GMT.txt", utc},
		{"2026-11-22T05:28:40+00:00.txt", utc},
		{"2026-11-21T23:28:40-06:00.txt", utc},
		{"2026-11-22T05:28:40+00.txt", utc},
		{"2026-11-22T05:28:40.123456Z.txt", utc},
		{"conn-20261122-4711.txt", "2026-11-21T16:00:00Z"}, // no hour
		{"conn-20261122-0528-4711.txt", "2026-11-21T21:28:00Z"},
		{"2026-11-22_05-28-40.txt", local},
		{"2026-11-22_05-28.txt", "2026-11-21T21:28:00Z"},
		{"conn.20261122-0528", "2026-11-21T21:28:00Z"},
		{"conn.202611220528", "2026-11-21T21:28:00Z"},
		{"conn.txt-20261122.gz", "2026-11-21T16:00:00Z"},
		{"2026-11-22.txt", "2026-11-21T16:00:00Z"},
		{"ipvs.1795325320", "2026-11-22T05:28:40Z"},
		{"ipvs-1795325320.txt.zst", "2026-11-22T05:28:40Z"},
		{"/var/log/20251231/lvs1-20261122T052840Z.txt", utc},
		{"./a/b/2026-11-22_05-28-40", local},

		{"", ""},
		{"saved.txt", ""},
		{"/var/log/20261122/saved.txt", ""}, // a folder's name is not the file's
		{"lvs1-20261322T052840Z.txt", ""},
		{"lvs1-20261122T252840Z.txt", "2026-11-21T16:00:00Z"}, // no hour
		{"lvs1-20261131.txt", ""},
		{"ipvs.17953253200", ""},
		{"ipvs.179532532", ""},
		{"10.0.1.100-443.txt", ""},
		{"k6.1-ipvsadm-Lnc.txt", ""},
		{"1520261122.txt", "2018-03-05T14:45:22Z"}, // ten digits are an epoch before they hold a date
	}
	for _, tt := range tests {
		at, ok := NameTime(tt.name, shanghai)
		got := ""
		if ok {
			got = at.UTC().Format(time.RFC3339)
		}
		if got != tt.want {
			t.Errorf("%q tells %q, want %q", tt.name, got, tt.want)
		}
	}
}
