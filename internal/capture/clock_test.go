package capture

import (
	"testing"
	"time"
)

func location(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Skip(err)
	}
	return loc
}

// TestLineTimeForms has every form in two places: what it tells in Shanghai, and in Berlin if
// that is something else.
func TestLineTimeForms(t *testing.T) {
	places := [2]*time.Location{location(t, "Asia/Shanghai"), location(t, "Europe/Berlin")}
	const (
		sh  = "2026-11-21T21:28:40Z" // 05:28:40 there
		be  = "2026-11-22T04:28:40Z"
		utc = "2026-11-22T05:28:40Z"
		pm  = "2026-11-22T09:28:40Z" // 17:28:40 there
		bpm = "2026-11-22T16:28:40Z"
	)
	tests := []struct{ line, shanghai, berlin string }{
		// date, C and English
		{"Sun Nov 22 05:28:40 CST 2026", sh, be},
		{"Sun Nov 22 05:28:40 CET 2026", be, be},
		{"Sun Nov 22 05:28:40 2026", sh, be},
		{"2026-11-22 05:28", "2026-11-21T21:28:00Z", "2026-11-22T04:28:00Z"},
		{"=== 2026/11/22 05:28 +0800 ===", "2026-11-21T21:28:00Z", "2026-11-21T21:28:00Z"},
		{"2026-11-22T05:28Z", "2026-11-22T05:28:00Z", "2026-11-22T05:28:00Z"},
		{"2026-11-22_05:28", "2026-11-21T21:28:00Z", "2026-11-22T04:28:00Z"},
		{"202611220528", "2026-11-21T21:28:00Z", "2026-11-22T04:28:00Z"},
		{"Sun 22 Nov 2026 05:28 PM UTC", "2026-11-22T17:28:00Z", "2026-11-22T17:28:00Z"},
		{"2026年11月22日 05:28", "2026-11-21T21:28:00Z", "2026-11-22T04:28:00Z"},
		{"2026年11月22日 05时28分 UTC", "2026-11-22T05:28:00Z", "2026-11-22T05:28:00Z"},
		{"Sun 22 Nov 2026 05:28:40 AM UTC", utc, utc},
		{"Sun 22 Nov 2026 05:28:40 PM", pm, bpm},
		{"Sun 22 Nov 2026 12:28:40 AM UTC", "2026-11-22T00:28:40Z", "2026-11-22T00:28:40Z"},
		{"Sun 22 Nov 2026 12:28:40 pm UTC", "2026-11-22T12:28:40Z", "2026-11-22T12:28:40Z"},
		{"Sun 22 Nov 05:28:40 UTC 2026", utc, utc},
		{"Sunday, November 22, 2026 05:28:40 AM UTC", utc, utc},
		{"Sunday, November 22, 2026 at 05:28:40 AM UTC", utc, utc},
		{"Sunday 22 November 2026 05:28:40 UTC", utc, utc},
		{"22 Nov 2026 05:28:40", sh, be},
		{"Nov 22 2026 05:28:40", sh, be},
		{"Nov 22 05:28:40 2026", sh, be},
		{"Sun, 22 Nov 2026 05:28:40 +0800", sh, sh},
		{"Sun, 22 Nov 2026 05:28:40 +0800 (CST)", sh, sh},
		{"Sun, 22 Nov 2026 05:28:40 GMT", utc, utc},
		{"Sun Nov 22 05:28:40.250 UTC 2026", "2026-11-22T05:28:40.25Z", "2026-11-22T05:28:40.25Z"},
		{"Sun May  3 05:28:40 UTC 2026", "2026-05-03T05:28:40Z", "2026-05-03T05:28:40Z"},
		// letters of zones
		{"Sun Nov 22 05:28:40 EST 2026", "2026-11-22T10:28:40Z", "2026-11-22T10:28:40Z"},
		{"Sun Jun 21 05:28:40 EDT 2026", "2026-06-21T09:28:40Z", "2026-06-21T09:28:40Z"},
		{"Sun Nov 22 05:28:40 PST 2026", "2026-11-22T13:28:40Z", "2026-11-22T13:28:40Z"},
		{"Sun Nov 22 05:28:40 MSK 2026", "2026-11-22T02:28:40Z", "2026-11-22T02:28:40Z"},
		{"Sun Nov 22 05:28:40 JST 2026", "2026-11-21T20:28:40Z", "2026-11-21T20:28:40Z"},
		{"Sun Nov 22 05:28:40 HKT 2026", sh, sh},
		{"Sun Nov 22 05:28:40 ACST 2026", "2026-11-21T19:58:40Z", "2026-11-21T19:58:40Z"},
		{"Sun Nov 22 05:28:40 IST 2026", sh, be},
		{"Sun Nov 22 05:28:40 XYZ 2026", sh, be},
		{"2026-11-22 05:28:40 CST", sh, be},
		{"2026-11-22 05:28:40 UTC+8", sh, sh},
		{"2026-11-22 05:28:40 GMT+0800 (CST)", sh, sh},
		// ISO 8601 and the like
		{"2026-11-22T05:28:40+08:00", sh, sh},
		{"2026-11-22T05:28:40+0800", sh, sh},
		{"2026-11-22T05:28:40+08", sh, sh},
		{"2026-11-22T05:28:40-0330", "2026-11-22T08:58:40Z", "2026-11-22T08:58:40Z"},
		{"2026-11-22T05:28:40Z", utc, utc},
		{"2026-11-22 05:28:40+08:00", sh, sh},
		{"2026-11-22 05:28:40.123456789+00:00", "2026-11-22T05:28:40.123456789Z", "2026-11-22T05:28:40.123456789Z"},
		{"2026-11-22T05:28:40,123+0000", "2026-11-22T05:28:40.123Z", "2026-11-22T05:28:40.123Z"},
		{"2026-11-22 05:28:40.5", "2026-11-21T21:28:40.5Z", "2026-11-22T04:28:40.5Z"},
		{"2026-11-22_05:28:40", sh, be},
		{"2026-11-22-05:28:40", sh, be},
		{"2026/11/22 05:28:40", sh, be},
		{"2026/1/2 5:28:40", "2026-01-01T21:28:40Z", "2026-01-02T04:28:40Z"},
		{"2026.11.22 05:28:40", sh, be},
		{"2026-11-22 05:28:40 PM", pm, bpm},
		{"20261122T052840Z", utc, utc},
		{"20261122T052840+0800", sh, sh},
		{"20261122-052840", sh, be},
		{"20261122_052840", sh, be},
		{"20261122 05:28:40", sh, be},
		{"20261122052840", sh, be},
		{"20261122052840.125", "2026-11-21T21:28:40.125Z", "2026-11-22T04:28:40.125Z"},
		// since 1970
		{"1795325320", utc, utc},
		{"@1795325320", utc, utc},
		{"1795325320.250", "2026-11-22T05:28:40.25Z", "2026-11-22T05:28:40.25Z"},
		{"1795325320250", "2026-11-22T05:28:40.25Z", "2026-11-22T05:28:40.25Z"},
		{"1795325320123456789", "2026-11-22T05:28:40.123456789Z", "2026-11-22T05:28:40.123456789Z"},
		// Chinese
		{"2026年11月22日 05:28:40 星期日", sh, be},
		{"2026年11月22日 星期日 05:28:40 CST", sh, be},
		{"2026年 11月 22日 星期日 05:28:40 CST", sh, be},
		{"2026年 11月 22日 星期日 05:28:40 UTC", utc, utc},
		{"2026 年 11 月 22 日 05:28:40", sh, be},
		{"2026年11月22日 星期日 05时28分40秒", sh, be},
		{"2026年11月22日 星期日 05时28分40秒 CST", sh, be},
		{"2026年11月22日 星期日 上午 05:28:40 CST", sh, be},
		{"2026年11月22日 星期日 下午 05:28:40 CST", pm, bpm},
		{"2026年11月22日 星期日 下午05时28分40秒 CST", pm, bpm},
		{"2026年11月22日 上午12:28:40", "2026-11-21T16:28:40Z", "2026-11-21T23:28:40Z"},
		{"2026年11月22日 中午12:28:40", "2026-11-22T04:28:40Z", "2026-11-22T11:28:40Z"},
		{"2026年11月22日 05:28:40.250 星期日", "2026-11-21T21:28:40.25Z", "2026-11-22T04:28:40.25Z"},
		{"2026年11月22日 05:28:40 +0800", sh, sh},
		{"2026年11月22日 (日) 05:28:40", sh, be},
		{"西元2026年11月22日 (週日) 05時28分40秒 UTC", utc, utc},
		{"公元2026年11月22日 周日 05:28:40", sh, be},
		{"2026年1月2日 5:28:40", "2026-01-01T21:28:40Z", "2026-01-02T04:28:40Z"},
		{"日 11月 22 05:28:40 CST 2026", sh, be},
		{"六 11月 21 05:28:40 UTC 2026", "2026-11-21T05:28:40Z", "2026-11-21T05:28:40Z"},
		{"2026-11-22 05:28:40 星期日", sh, be},
		{"2026-11-22 下午 05:28:40", pm, bpm},
		// watch
		{"Every 2.0s: ipvsadm -Lnc                     lvs1: Sun Nov 22 05:28:40 2026", sh, be},
		{"Every 2.0s: ipvsadm -Lnc                     lvs1.example.com: Sun 22 Nov 2026 05:28:40 AM UTC", utc, utc},
		{"Every 10.0s: cat /proc/net/ip_vs_conn            Sun Nov 22 05:28:40 2026", sh, be},
		{"Every 2.0s: ipvsadm -Lnc                     lvs1: 2026年11月22日 星期日 05时28分40秒", sh, be},
		{"Every 2.0s: ipvsadm -Lnc                     lvs1: 日 11月 22 05:28:40 2026", sh, be},
		{"每 2.0 秒： ipvsadm -Lnc                      lvs1: 2026年11月22日 星期日 05:28:40", sh, be},
		{"每2.0s: ipvsadm -Lnc                      lvs1: Sun Nov 22 05:28:40 2026", sh, be},
		{"\x1b[H\x1b[JEvery 2.0s: ipvsadm -Lnc\x1b[1;60Hlvs1: \x1b[KSun Nov 22 05:28:40 2026", sh, be}, // the blanks are escapes
		{"\x1b[H\x1b[JEvery 2.0s: ipvsadm -Lnc       lvs1: Sun Nov 22 05:28:40 2026\x1b[K", sh, be},
		// decoration and labels
		{"=== 2026-11-22T05:28:40+0800 ===", sh, sh},
		{"==== Sun Nov 22 05:28:40 UTC 2026 ====\r", utc, utc},
		{"# date: Sun Nov 22 05:28:40 UTC 2026", utc, utc},
		{"Date: Sun, 22 Nov 2026 05:28:40 +0000", utc, utc},
		{"Time: 2026-11-22 05:28:40", sh, be},
		{"TIME=2026-11-22T05:28:40Z", utc, utc},
		{"timestamp=1795325320", utc, utc},
		{"timestamp: @1795325320", utc, utc},
		{`"timestamp": "2026-11-22T05:28:40Z",`, utc, utc},
		{"collected_at: 2026-11-22T05:28:40Z", utc, utc},
		{"时间：2026年11月22日 05:28:40", sh, be},
		{"时间: 2026-11-22 05:28:40", sh, be},
		{"## 采集时间：2026-11-22 05:28:40", sh, be},
		{"日期 : 2026-11-22 05:28:40", sh, be},
		{"\ufeff2026-11-22 05:28:40", sh, be},
		{"\x1b[32m2026-11-22 05:28:40\x1b[0m", sh, be},
		// The year's end.
		{"Thu Dec 31 23:59:59 CST 2026", "2026-12-31T15:59:59Z", "2026-12-31T22:59:59Z"},
		{"2027-01-01 00:00:00", "2026-12-31T16:00:00Z", "2026-12-31T23:00:00Z"},
		{"Thu Dec 31 23:59:58 UTC 2026", "2026-12-31T23:59:58Z", "2026-12-31T23:59:58Z"},
		// In Berlin clocks are put on at 01:00 UTC, from 02:00 to 03:00: what they skip is an
		// hour later.
		{"2026-03-29 01:59:59", "2026-03-28T17:59:59Z", "2026-03-29T00:59:59Z"},
		{"2026-03-29 02:30:00", "2026-03-28T18:30:00Z", "2026-03-29T01:30:00Z"},
		{"2026-03-29 03:00:00", "2026-03-28T19:00:00Z", "2026-03-29T01:00:00Z"},
		{"Sun Mar 29 03:00:00 CEST 2026", "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z"},
		// They are put back at 01:00 UTC, from 03:00 to 02:00: what they show twice is the
		// first, unless letters say otherwise.
		{"2026-10-25 01:59:59", "2026-10-24T17:59:59Z", "2026-10-24T23:59:59Z"},
		{"2026-10-25 02:30:00", "2026-10-24T18:30:00Z", "2026-10-25T00:30:00Z"},
		{"2026-10-25 03:00:00", "2026-10-24T19:00:00Z", "2026-10-25T02:00:00Z"},
		{"Sun Oct 25 02:30:00 CEST 2026", "2026-10-25T00:30:00Z", "2026-10-25T00:30:00Z"},
		{"Sun Oct 25 02:30:00 CET 2026", "2026-10-25T01:30:00Z", "2026-10-25T01:30:00Z"},
	}
	for _, tt := range tests {
		for i, want := range []string{tt.shanghai, tt.berlin} {
			told, ok := clock{loc: places[i]}.lineTime([]byte(tt.line))
			got := ""
			if ok {
				got = told.time.UTC().Format(time.RFC3339Nano)
			}
			if got != want {
				t.Errorf("%s: %q tells %q, want %q", places[i], tt.line, got, want)
			}
			if local := tt.shanghai != tt.berlin; ok && told.local != local {
				t.Errorf("%q: local is %v", tt.line, told.local)
			}
		}
	}
}

// TestNoTimes are lines that tell no time, with and without a modification time.
func TestNoTimes(t *testing.T) {
	for _, line := range []string{
		"", " ", "#", "===", "2026", "20261122", "2026-11-22", "05:28:40", " 05:28:40 up 12 days,  3:04,  1 user,  load average: 0.00, 0.01, 0.05",
		"Sun", "Sunday", "Nov", "Nov 22", "Nov 22 2026", "Sun Nov 22 2026", "Nov 22 05:28", "2026-11-22T05", "2026-11-22 05:28.5", "2026-11-22 05:28:", "2026-11-22 05:28 17", "2026-11-22 0528", "202611222528", "202613220528", "2026年11月22日", "11月22日 05:28", "2026年11月22日 05时", "星期日",
		"TCP 14:57  ESTABLISHED 10.0.1.10:44380    10.0.1.100:80      10.0.0.12:80",
		"TCP 0A00010A A898 0A000164 0050 0A00000B 0050 CLOSE            6",
		"[3]tcp 90s    TCP_EST     192.0.2.7:53124    198.51.100.3:53    203.0.113.8:1030   10.0.0.12:53",
		"pro expire state       source             virtual            destination",
		"IPVS connection entries", "IP Virtual Server version 1.2.1 (size=4096)", "Prot LocalAddress:Port Scheduler Flags",
		"  -> 10.0.0.11:443                Masq    1      12         345", "TCP  10.0.1.100:443 rr persistent 300",
		"Timeout (tcp tcpfin udp): 900 120 300", "net.ipv4.vs.expire_nodest_conn = 0", "net.ipv4.tcp_keepalive_time = 7200", "net.ipv4.ip_local_port_range = 32768	60999",
		"10.0.1.100", "10.0.1.100:443", "2026:db8::1", "192.168.100.200 lvs1 lvs1.example.com", "2001:db8::5:28:40", "[2001:db8::1]:443", "fd00::12",
		"v1.2.1", "1.2.1", "ipvsadm v1.31 2019/12/24 (compiled with popt and IPVS v1.2.1)", "ipvsstate 0.1.0", "Linux lvs1 6.1.0-18-amd64 #1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01) x86_64 GNU/Linux",
		"root@lvs1:~# date", "[root@lvs1 ~]# date +%s", "[root@lvs1 05:28:40]# date", "+ date", "$ date '+%F %T'",
		"Nov 22 05:28:40 lvs1 kernel: IPVS: Registered protocols (TCP, UDP)", "2026-11-22T05:28:40+08:00 lvs1 kernel: IPVS: ipvs loaded.",
		"[   12.345678] IPVS: ipvs loaded.", "[Sun Nov 22 05:28:40 2026] IPVS: ipvs loaded.",
		"the table was full at 2026-11-22 05:28:40", "2026-11-22 05:28:40 the table was full", "date: invalid date 'x'", "time: command not found",
		"real	0m0.010s", "May we ask", "March on", "Monday", "Sat on the mat", "Sunny", "Second", "Sunday Nov 22 05:28:40 lvs",
		"1234", "12345", "179532532", "17953253200", "0795325320", "2147483648", "1100000000", "4294967295", "4294967296 entries", "1795325320 entries", "18446744073709551615",
		"99999999999999", "20261322052840", "20261122252840", "2026-11-22 05:28:40 05:28:41", "2026-11-22 2026-11-23 05:28:40", "Sun Sun Nov 22 05:28:40 2026",
		"22/11/2026 05:28:40", "11/22/2026 05:28:40", "11/22/26 05:28:40 AM", "22.11.26 05:28:40", "22.11.2026", "22.11.2026 10.0.1.100", "2026-11/22 05:28:40", "2026-11-22 5:8:40", "2026-11-22 05:28:4",
		"2026-11-22 05:28:40 AM PM", "2026-11-22 13:28:40 AM", "2026-11-22 05:28:40 +9999", "2026-11-22 05:28:40 +", "2026-11-22 05:28:40 cst", "2026-11-22 05:28:40 +08:0",
		"2026-11-22 05:28:40 (", "(2026", "2026年11月22日 05:28:40 的连接", "连接表 2026年11月22日 05:28:40", "时间：", "时间：未知", "date:", "timestamp=", "timestamp=x",
		"每 2.0 秒： ipvsadm", "每天 05:28:40", "Every 2.0s: ipvsadm -Lnc", "Every day at 05:28:40", "Everything", "1969-12-31 23:59:59", "0026-11-22 05:28:40",
		"| 2026-11-22 05:28:40 | 17 |", "2026-11-22 05:28:40;17", "Feb 30 05:28:40", "@17", "@@1795325320",
	} {
		for _, newest := range []time.Time{{}, time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)} {
			if told, ok := (clock{time.UTC, newest}).lineTime([]byte(line)); ok && line != "[Sun Nov 22 05:28:40 2026] IPVS: ipvs loaded." {
				t.Errorf("%q tells %v", line, told)
			}
		}
	}
}

// TestYearless takes the year from the file's modification time.
func TestYearless(t *testing.T) {
	loc := location(t, "Asia/Shanghai")
	tests := []struct{ line, modified, want string }{
		{"Nov 22 05:28:40", "2026-11-22T00:00:00Z", "2026-11-21T21:28:40Z"},
		{"Nov 22 05:28:40", "2027-06-01T00:00:00Z", "2026-11-21T21:28:40Z"},
		{"Nov 23 05:28:40", "2026-11-21T00:00:00Z", "2025-11-22T21:28:40Z"},
		{"Dec 31 23:59:58", "2026-12-31T16:00:05Z", "2026-12-31T15:59:58Z"}, // written at 00:00:05 of the new year there
		{"Dec 31 23:59:58", "2027-01-20T00:00:00Z", "2026-12-31T15:59:58Z"},
		{"Jan  1 00:00:02", "2026-12-31T16:00:05Z", "2026-12-31T16:00:02Z"},
		{"Feb 29 05:28:40", "2026-12-31T16:00:05Z", "2024-02-28T21:28:40Z"},
		{"Sun Nov 22 05:28:40", "2027-06-01T00:00:00Z", "2026-11-21T21:28:40Z"},
		{"Sat Nov 22 05:28:40", "2027-06-01T00:00:00Z", "2025-11-21T21:28:40Z"},
		{"11月 22日 05:28:40", "2026-11-22T00:00:00Z", "2026-11-21T21:28:40Z"},
		{"Nov 22 05:28:40", "", ""},
	}
	for _, tt := range tests {
		modified, _ := time.Parse(time.RFC3339, tt.modified)
		told, ok := clock{loc, modified}.lineTime([]byte(tt.line))
		got := ""
		if ok {
			got = told.time.UTC().Format(time.RFC3339)
		}
		if got != tt.want || ok && told.from != TimeYearless {
			t.Errorf("%q of a file of %s tells %q, want %q", tt.line, tt.modified, got, tt.want)
		}
	}
}

// TestInstants: what clocks show twice and what they skip does not depend on the side of
// Greenwich, as it does with time.Date.
func TestInstants(t *testing.T) {
	tests := []struct{ zone, wall, first, second string }{
		{"Europe/Berlin", "2026-10-25 02:30:00", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"},
		{"America/New_York", "2026-11-01 01:30:00", "2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"},
		{"Australia/Lord_Howe", "2026-04-05 01:45:00", "2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z"}, // half an hour
		{"Europe/Berlin", "2026-03-29 02:30:00", "2026-03-29T01:30:00Z", ""},
		{"America/New_York", "2026-03-08 02:30:00", "2026-03-08T07:30:00Z", ""},
		{"America/New_York", "2026-11-01 02:00:00", "2026-11-01T07:00:00Z", ""},
		{"America/New_York", "2026-11-01 00:59:59", "2026-11-01T04:59:59Z", ""},
		{"Asia/Shanghai", "2026-11-01 00:59:59", "2026-10-31T16:59:59Z", ""},
		{"UTC", "2026-11-01 00:59:59", "2026-11-01T00:59:59Z", ""},
	}
	for _, tt := range tests {
		loc := location(t, tt.zone)
		told, ok := clock{loc: loc}.lineTime([]byte(tt.wall))
		if got := told.time.UTC().Format(time.RFC3339); !ok || got != tt.first {
			t.Errorf("%s in %s is %s, want %s", tt.wall, tt.zone, got, tt.first)
		}
		later, twice := Twice(told.time, loc)
		if twice != (tt.second != "") || twice && later.UTC().Format(time.RFC3339) != tt.second {
			t.Errorf("%s in %s is a second time %s, %v, want %q", tt.wall, tt.zone, later, twice, tt.second)
		}
		if twice {
			if again, ok := Twice(later, loc); ok {
				t.Errorf("%s in %s is a third time %s", tt.wall, tt.zone, again)
			}
		}
	}
}

// BenchmarkProse looks for times and hosts in lines that tell none.
func BenchmarkProse(b *testing.B) {
	for name, line := range map[string]string{
		"log":    "Nov 22 05:28:40 lvs1 Keepalived_healthcheckers[1234]: TCP connection to [10.0.0.11]:tcp:80 failed.",
		"iso":    "2026-11-22T05:28:40+08:00 lvs1 kernel: IPVS: Registered protocols (TCP, UDP)",
		"words":  "The director keeps an entry for each connection: see the timeouts.",
		"number": "12345 67890 10.0.0.12:80 10.0.0.11:443",
		"http":   `10.0.0.1 - - [22/Nov/2026:05:28:40 +0000] "GET / HTTP/1.1" 200 17`,
		"date":   "Sun Nov 22 05:28:40 CST 2026",
	} {
		b.Run(name, func(b *testing.B) {
			c, text := clock{loc: shanghai}, []byte(line)
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := c.lineTime(text); !ok {
					promptHost(text)
				}
			}
		})
	}
}
