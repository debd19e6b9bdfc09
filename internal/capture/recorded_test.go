package capture

import (
	"strings"
	"testing"
	"time"
)

const services = "IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n" +
	"  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n" +
	"TCP  10.0.1.100:80 rr\n  -> 10.0.0.12:80                 Masq    1      1          0\n"

func TestRecordedLine(t *testing.T) {
	at := time.Date(2026, 11, 22, 13, 28, 40, 999, shanghai)
	for _, r := range []Recorded{{Time: at, Host: "lvs1"}, {Time: at, Host: "lvs1.example.com", Anonymized: true}, {at, "lvs1", true, "eca52162"}} {
		line := r.Append(nil)
		got, ok := RecordedOf(line[:len(line)-1])
		want := r
		want.Time = at.UTC().Truncate(time.Second)
		if !ok || got != want {
			t.Errorf("%q reads as %+v, %v", line, got, ok)
		}
	}
	if got := string((&Recorded{at, "lvs1", true, "eca52162"}).Append(nil)); got != "# ipvsstate snapshot 1 2026-11-22T05:28:40Z lvs1 anonymized eca52162\n" {
		t.Error(got) // what files hold cannot change
	}
	if got := string(AppendEnd(nil, 1234)); got != "# ipvsstate end 1234 entries\n" {
		t.Error(got)
	}
	for _, line := range []string{
		"", "# ipvsstate snapshot ", "# ipvsstate snapshot 1", "# ipvsstate snapshot 1 2026-11-22T05:28:40Z", "ipvsstate snapshot 1 2026-11-22T05:28:40Z lvs1",
		"# ipvsstate snapshot one 2026-11-22T05:28:40Z lvs1", "# ipvsstate snapshot 1 2026-11-32T05:28:40Z lvs1", "# ipvsstate snapshot 1 lvs1 2026-11-22T05:28:40Z",
	} {
		if r, ok := RecordedOf([]byte(line)); ok {
			t.Errorf("%q reads as %+v", line, r)
		}
	}
	if r, ok := RecordedOf([]byte("# ipvsstate snapshot 2 2026-11-22T05:28:40Z lvs1 more words\r")); !ok || r.Host != "lvs1" {
		t.Errorf("a later version: %+v, %v", r, ok)
	}
}

// TestTorn: a recorded snapshot is whole when its last line tells of the rows there are.
func TestTorn(t *testing.T) {
	bad := "TCP 0A00010A A898 0A000164 0050 0A00000B 0050 CLOSE   \n"
	tests := []struct {
		name, text string
		torn       bool
	}{
		{"whole", head1 + services + proc + entry(1) + end1, false},
		{"empty", head1 + services + proc + "# ipvsstate end 0 entries\n", false},
		{"a row of it is bad", head1 + proc + bad + end1, false},
		{"the end is missing", head1 + services + proc + entry(1), true},
		{"rows are missing", head1 + proc + entry(1) + "# ipvsstate end 2 entries\n", true},
		{"rows are too many", head1 + proc + entry(1) + entry(2) + end1, true},
		{"the end is torn", head1 + proc + entry(1) + "# ipvsstate en", true},
		{"the end's number is torn", head1 + proc + strings.Repeat(entry(1), 12) + "# ipvsstate end 1", true},
		{"nothing but its beginning", head1 + services, true},
		{"not recorded", proc + entry(1), false},
		{"an end alone", proc + entry(1) + "# ipvsstate end 9 entries\n", false},
	}
	for _, tt := range tests {
		all, err := readAll(strings.NewReader(tt.text), Config{})
		if err != nil || len(all) != 1 || all[0].Torn != tt.torn || !all[0].Complete {
			t.Errorf("%s: %s", tt.name, describe(all, err))
		}
	}
	all, err := readAll(strings.NewReader(head1+services+proc+entry(1)+end1+head2+proc+entry(2)+end1), Config{})
	if err != nil || len(all) != 2 || all[0].Config() == nil || len(all[0].Config().Services) != 1 || all[1].Config() != nil {
		t.Errorf("the services of the first of two: %s", describe(all, err))
	}
}
