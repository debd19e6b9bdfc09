package capture

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	title   = "IPVS connection entries\n"
	columns = "pro expire state       source             virtual            destination\n"
	proc    = "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n"
	date1   = "Sun Nov 22 05:28:40 CST 2026\n"
	date2   = "2026-11-22 05:29:40\n"
	date3   = "2026年 11月 22日 星期日 05:30:40 CST\n"
	head1   = "# ipvsstate snapshot 1 2026-11-22T05:28:40Z lvs1\n"
	head2   = "# ipvsstate snapshot 1 2026-11-22T05:29:40Z lvs1\n"
	end1    = "# ipvsstate end 1 entries\n"
	prose   = "root@lvs1:~# ipvsadm -Lcn\n"
)

// outline writes a snapshot as its minute and second, its columns' format and its
// entries: "28:40 ipvsadm 1,2".
func outline(s *recorded) string {
	at := "-"
	if !s.Time.IsZero() {
		at = s.Time.Format("04:05")
	}
	var numbers []string
	for i := range s.Result.entries {
		numbers = append(numbers, fmt.Sprint(int(s.Result.entries[i].Client.Port)-1024))
	}
	return fmt.Sprintf("%s %s %s", at, s.Header, strings.Join(numbers, ","))
}

var boundaries = []struct {
	name string
	text string
	want []string
}{
	{"entries alone", entry(1) + entry(2), []string{"- auto 1,2"}},
	{"title, columns", title + columns + entry(1), []string{"- ipvsadm 1"}},
	{"proc header", proc + entry(1), []string{"- proc 1"}},
	{"header only", title + columns, []string{"- ipvsadm "}},
	{"title only", title, []string{"- auto "}},
	{"proc header only", proc, []string{"- proc "}},
	{"proc header without its newline", strings.TrimSuffix(proc, "\n"), []string{"- proc "}},
	{"two listings", title + columns + entry(1) + title + columns + entry(2) + entry(3), []string{"- ipvsadm 1", "- ipvsadm 2,3"}},
	{"two empty listings", title + columns + title + columns, []string{"- ipvsadm ", "- ipvsadm "}},
	{"an empty one, then one with entries", proc + proc + entry(1), []string{"- proc ", "- proc 1"}},
	{"columns without title", columns + entry(1) + columns + entry(2), []string{"- ipvsadm 1", "- ipvsadm 2"}},
	{"title alone begins", title + entry(1) + title + entry(2), []string{"- auto 1", "- auto 2"}},
	{"the formats differ", title + columns + entry(1) + proc + entry(2), []string{"- ipvsadm 1", "- proc 2"}},
	{"entries before a header", entry(1) + title + columns + entry(2), []string{"- auto 1", "- ipvsadm 2"}},
	{"prose around", prose + title + columns + "\n" + entry(1) + "\n" + prose + title + columns + entry(2) + prose, []string{"- ipvsadm 1", "- ipvsadm 2"}},
	{"prose between title and columns", title + prose + "\n" + columns + entry(1), []string{"- ipvsadm 1"}},
	{"prose between entries", entry(1) + prose + entry(2), []string{"- auto 1,2"}},

	{"date, header", date1 + title + columns + entry(1), []string{"28:40 ipvsadm 1"}},
	{"date, prose, header", date1 + prose + "\n" + title + columns + entry(1), []string{"28:40 ipvsadm 1"}},
	{"date, entries", date1 + entry(1) + entry(2), []string{"28:40 auto 1,2"}},
	{"the last date counts", date1 + prose + date2 + title + columns + entry(1), []string{"29:40 ipvsadm 1"}},
	{"a date before each of two", date1 + title + columns + entry(1) + date2 + title + columns + entry(2), []string{"28:40 ipvsadm 1", "29:40 ipvsadm 2"}},
	{"a date before each of three, one empty", date1 + proc + entry(1) + date2 + proc + date3 + proc + entry(2), []string{"28:40 proc 1", "29:40 proc ", "30:40 proc 2"}},
	{"a date before the second", title + columns + entry(1) + date2 + title + columns + entry(2), []string{"- ipvsadm 1", "29:40 ipvsadm 2"}},
	{"a date before the first", date1 + title + columns + entry(1) + title + columns + entry(2), []string{"28:40 ipvsadm 1", "- ipvsadm 2"}},
	{"two dates between", title + columns + entry(1) + date2 + prose + date3 + title + columns + entry(2), []string{"- ipvsadm 1", "30:40 ipvsadm 2"}},
	{"no headers, dates between", date1 + entry(1) + entry(2) + date2 + entry(3) + date3 + entry(4), []string{"28:40 auto 1,2", "29:40 auto 3", "30:40 auto 4"}},
	{"no headers, a date between", entry(1) + date2 + prose + entry(2) + entry(3), []string{"- auto 1", "29:40 auto 2,3"}},
	{"a date behind the only listing", title + columns + entry(1) + date1, []string{"28:40 ipvsadm 1"}},
	{"a date behind the second of two", title + columns + entry(1) + title + columns + entry(2) + date1, []string{"- ipvsadm 1", "- ipvsadm 2"}},
	{"a trailing date and prose", date1 + title + columns + entry(1) + date2 + prose + "\n", []string{"28:40 ipvsadm 1"}},
	{"a date behind the only listing, which is empty", title + columns + date1, []string{"28:40 ipvsadm "}},
	{"watch", "Every 2.0s: ipvsadm -Lcn        lvs1: Sun Nov 22 05:28:40 2026\n\n" + title + columns + entry(1), []string{"28:40 ipvsadm 1"}},
	{"recorded", head1 + services + proc + entry(1) + end1, []string{"28:40 proc 1"}},
	{"recorded, its end missing", head1 + services + proc + entry(1), []string{"28:40 proc 1"}},
	{"recorded, two in a row", head1 + services + proc + entry(1) + end1 + head2 + services + proc + entry(2) + end1, []string{"28:40 proc 1", "29:40 proc 2"}},
	{"recorded, the first torn before its rows", head1 + services + head2 + proc + entry(2) + end1, []string{"28:40 auto ", "29:40 proc 2"}},
	{"recorded, behind a listing and a date", title + columns + entry(1) + date1 + head2 + proc + entry(2) + end1, []string{"- ipvsadm 1", "29:40 proc 2"}},
	{"a listing behind a recorded one", head1 + proc + entry(1) + end1 + title + columns + entry(2), []string{"28:40 proc 1", "- ipvsadm 2"}},
	{"CRLF", strings.ReplaceAll(date1+title+columns+entry(1)+date2+title+columns+entry(2), "\n", "\r\n"), []string{"28:40 ipvsadm 1", "29:40 ipvsadm 2"}},
}

func TestSnapshots(t *testing.T) {
	for _, tt := range boundaries {
		t.Run(tt.name, func(t *testing.T) {
			data := []byte(tt.text)
			for _, chunking := range chunkings {
				all, err := readAll(chunking.of(data), Config{Workers: 2})
				check(t, data, all, err)
				compareOutlines(t, chunking.name, all, tt.want)
			}
			for _, i := range edges(data) {
				all, err := readAll(pieces(data[:i], data[i:]), Config{Workers: 1, ReadSize: 4096})
				check(t, data, all, err)
				compareOutlines(t, fmt.Sprintf("cut at %d", i), all, tt.want)
			}
		})
	}
}

// edges are where a text is cut in two: before, at and behind the end of every line,
// and in its middle.
func edges(data []byte) (all []int) {
	start := 0
	for line := range bytes.Lines(data) {
		end := start + len(line)
		all = append(all, start, start+1, start+len(line)/2, end-1)
		start = end
	}
	return all
}

func compareOutlines(t *testing.T, how string, all []*recorded, want []string) {
	t.Helper()
	got := make([]string, len(all))
	for i, s := range all {
		got[i] = outline(s)
		if !s.Complete {
			t.Errorf("%s: snapshot %d is not complete", how, i+1)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", how, got, want)
	}
}

// TestBlocksDoNotMatter holds all that is said of the snapshots, to which of them a
// line is counted included, to be the same wherever the blocks end.
func TestBlocksDoNotMatter(t *testing.T) {
	for _, tt := range boundaries {
		t.Run(tt.name, func(t *testing.T) {
			sameEverywhere(t, tt.text)
		})
	}
}

// TestBlocksDoNotMatterInAnyOrder strings lines of every kind together at random, and the end of the
// input within one.
func TestBlocksDoNotMatterInAnyOrder(t *testing.T) {
	const bad = "TCP 14:57  ESTABLISHED 10.0.1.300:44380    10.0.1.100:80      10.0.0.12:80\n"
	lines := []string{
		title, columns, proc, date1, date2, date3, head1, head2, end1, prose, "[root@lvs2 ~]# cat /proc/net/ip_vs_conn\n", "\n", "done\n",
		entry(1), entry(2), entry(3), bad, "Every 2.0s: ipvsadm -Lcn        lvs3: Sun Nov 22 05:28:40 2026\n", "lvs4: 2026-11-22 05:28:40\n", "== lvs5 ==\n",
		"TCP 14:57  EST" + date1, "TCP" + date2, bad[:40] + date1, bad[:len(bad)-4] + date2, // torn rows
		"TCP 0A00010A A898 0A000164 0050 0A00000B 0050 CLOSE             6\n", "Timeout (tcp tcpfin udp): 900 120 300\n",
		"IP Virtual Server version 1.2.1 (size=4096)\n", "Prot LocalAddress:Port Scheduler Flags\n", "TCP  10.0.1.100:80 rr\n",
		"  -> 10.0.0.12:80                 Route   1      0          0\n", "Try `ipvsadm -h' or 'ipvsadm --help' for more information.\n",
		strings.Repeat("x", maxLast) + "\n",
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var text string
		for range 1 + rnd.IntN(12) {
			text += lines[rnd.IntN(len(lines))]
		}
		if rnd.IntN(3) == 0 {
			text = text[:rnd.IntN(len(text))]
		}
		sameEverywhere(t, text)
	}
}

// TestLinesBehindADate counts what stands between a date and the entries behind it to
// one and the same of the two snapshots.
func TestLinesBehindADate(t *testing.T) {
	bad := "TCP 14:57  ESTABLISHED 10.0.1.300:44380    10.0.1.100:80      10.0.0.12:80\n"
	sameEverywhere(t, entry(1)+date2+bad+prose+entry(2))
}

// TestDateBetweenTitleAndColumns has a date that is neither in front of a listing nor
// behind its entries.
func TestDateBetweenTitleAndColumns(t *testing.T) {
	sameEverywhere(t, title+date1+columns+entry(1)+entry(2))
}

func sameEverywhere(t *testing.T, text string) {
	t.Helper()
	data := []byte(text)
	want := describe(readAll(pieces(data), Config{Workers: 1}))
	for _, i := range edges(data) {
		if got := describe(readAll(pieces(data[:i], data[i:]), Config{Workers: 1, ReadSize: 4096})); got != want {
			t.Fatalf("%q, cut at %d, in front of %.20q:\n%s\nwhole:\n%s", data, i, data[i:], got, want)
		}
	}
}

// TestNoListing says of an input without a listing what is in it.
func TestNoListing(t *testing.T) {
	bad := "TCP 14:57  ESTABLISHED 10.0.1.300:44380    10.0.1.100:80      10.0.0.12:80\n"
	tests := []struct {
		name, text string
		want       Counts
		says       string
	}{
		{"empty", "", Counts{}, "it is empty"},
		{"a newline", "\n", Counts{Lines: 1, Skipped: 1}, "no IPVS connection listing in it"},
		{"prose", prose + "nothing here\n", Counts{Lines: 2, Skipped: 2}, "no IPVS connection listing in it"},
		{"a date", date1, Counts{Lines: 1, Skipped: 1}, "no IPVS connection listing in it"},
		{"bad rows", prose + bad + bad, Counts{Lines: 3, Skipped: 1, Bad: 2}, "none of its 2 rows could be read"},
		{"services", "IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n", Counts{Lines: 2, Skipped: 2}, "no IPVS connection listing in it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, chunking := range chunkings {
				all, err := readAll(chunking.of([]byte(tt.text)), Config{})
				var none *NoListingError
				if len(all) > 0 || !errors.As(err, &none) {
					t.Fatalf("%s: %s", chunking.name, describe(all, err))
				}
				if none.Counts != tt.want || none.Error() != tt.says {
					t.Errorf("%s: %+v, %q; want %+v, %q", chunking.name, none.Counts, none, tt.want, tt.says)
				}
				if len(none.Problems) != int(tt.want.Bad) {
					t.Errorf("%s: %d problems", chunking.name, len(none.Problems))
				}
			}
		})
	}
	_, err := readAll(strings.NewReader("IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n"), Config{})
	if none, ok := err.(*NoListingError); !ok || none.Config == nil || none.Config.Services == nil || len(none.Config.Services) != 0 {
		t.Errorf("%#v", err)
	}
}

// TestEmptyHasNoTime: a listing's time is zero where no line tells it, not the year 1
// in some zone.
func TestEmptyHasNoTime(t *testing.T) {
	all, err := readAll(strings.NewReader(title+columns+entry(1)), Config{Location: time.FixedZone("CST", 8*3600)})
	if err != nil || !all[0].Time.IsZero() {
		t.Error(describe(all, err))
	}
}
