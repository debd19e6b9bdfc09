package capture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/parse"
	"ipvsstate/internal/tally"
)

// TestListings reads every bundled listing in many ways, which must not matter.
func TestListings(t *testing.T) {
	for name, data := range listings(t) {
		t.Run(name, func(t *testing.T) {
			all, err := readAll(bytes.NewReader(data), Config{Workers: 1})
			check(t, data, all, err)
			want := describe(all, err)
			for _, chunking := range chunkings {
				for _, cfg := range []Config{{Workers: 2}, {Workers: 1, ReadSize: 1}, {Workers: 7, ReadSize: 50}} {
					if got := describe(readAll(chunking.of(data), cfg)); got != want {
						t.Errorf("%s with %+v gives\n%swant\n%s", chunking.name, cfg, got, want)
					}
				}
			}
		})
	}
}

// TestTallies counts every bundled listing, alone and one behind the other, into
// tallies, which must come out the same from parts as from the whole.
func TestTallies(t *testing.T) {
	type result struct {
		Counts                             Counts
		Connections, Templates, Duplicates uint64
		States, TemplateStates             []tally.StateCount
		Services                           []tally.Service
	}
	read := func(data []byte, cfg Config) (all []result) {
		r := NewReader(context.Background(), &Source{Reader: bytes.NewReader(data)}, cfg, func() *tally.Tally { return tally.New(tally.Options{}) })
		defer r.Close()
		for r.Scan() {
			s := r.Snapshot()
			all = append(all, result{s.Counts, s.Result.Connections(), s.Result.Templates(), s.Result.Duplicates(),
				s.Result.States(tally.ByCount), s.Result.TemplateStates(), s.Result.Services()})
		}
		return all
	}
	all := listings(t)
	texts := maps.Clone(all)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if len(texts["all"]) > 0 {
			texts["all"] = append(texts["all"], "IPVS connection entries\n"...)
		}
		texts["all"] = append(texts["all"], all[name]...)
	}
	for name, data := range texts {
		want := read(data, Config{Workers: 1})
		sum := uint64(0)
		for _, s := range want {
			sum += s.Connections + s.Templates
			if s.Connections+s.Templates != uint64(s.Counts.Entries) {
				t.Errorf("%s: %d connections and %d templates of %d entries", name, s.Connections, s.Templates, s.Counts.Entries)
			}
		}
		if name == "all" && (len(want) < 20 || sum < 500) {
			t.Errorf("all listings together have %d snapshots with %d entries only", len(want), sum)
		}
		for _, cfg := range []Config{{}, {Workers: 2, ReadSize: 64}, {Workers: 4, ReadSize: 1000}} {
			if got := read(data, cfg); !reflect.DeepEqual(got, want) {
				t.Errorf("%s with %+v: %+v, want %+v", name, cfg, got, want)
			}
		}
	}
}

// TestProblems finds bad lines where they are, across blocks of any size.
func TestProblems(t *testing.T) {
	var text []byte
	var bad []int
	rnd := rand.New(rand.NewPCG(3, 4))
	for n := 1; n <= 300; n++ {
		switch k := rnd.IntN(30); {
		case k == 0:
			bad = append(bad, n)
			text = append(text, "TCP 14:57  ESTABLISHED 10.0.1.300:44380    10.0.1.100:80      10.0.0.12:80\n"...)
		case n == 7 || n == 120:
			bad = append(bad, n)
			text = append(append(text, bytes.Repeat([]byte("x"), parse.MaxLine+1)...), '\n')
		case k < 5:
			text = append(text, "# prose\n"...)
		default:
			text = append(text, entry(n)...)
		}
	}
	if len(bad) < 2*MaxProblems {
		t.Fatalf("the test has %d bad lines only", len(bad))
	}
	for _, cfg := range []Config{{Workers: 1}, {Workers: 2, ReadSize: 1000}, {Workers: 8, ReadSize: 4096}} {
		all, err := readAll(bytes.NewReader(text), cfg)
		check(t, text, all, err)
		if len(all) != 1 || all[0].Bad != int64(len(bad)) {
			t.Fatalf("%+v: %d snapshots, %+v", cfg, len(all), all)
		}
		for i, p := range all[0].Problems {
			if p.Line != bad[i] || p.Column < 1 {
				t.Errorf("%+v: problem %d is at %d:%d, want line %d", cfg, i, p.Line, p.Column, bad[i])
			}
		}
	}
}

// TestProblemsOfEachSnapshot counts lines through all of a source, and keeps as many
// problems for each snapshot.
func TestProblemsOfEachSnapshot(t *testing.T) {
	bad := "TCP 14:57  ESTABLISHED 10.0.1.300:44380    10.0.1.100:80      10.0.0.12:80\n"
	text := title + columns + strings.Repeat(bad, 7) + title + columns + entry(1) + bad
	for _, cfg := range []Config{{Workers: 1}, {Workers: 3, ReadSize: 10}} {
		all, err := readAll(strings.NewReader(text), cfg)
		check(t, []byte(text), all, err)
		if len(all) != 2 || all[0].Problems[4].Line != 7 || all[1].Problems[0].Line != 13 {
			t.Errorf("%+v: %s", cfg, describe(all, err))
		}
	}
}

// TestManyListings has far more listings in a block than are held at once: what is read is the
// same as of small blocks, and accumulators are used again.
func TestManyListings(t *testing.T) {
	var b strings.Builder
	const n = 4000
	for i := range n {
		fmt.Fprintf(&b, "2026-11-22 05:%02d:%02d\n", i/60, i%60)
		switch i % 5 {
		case 0:
			b.WriteString(title + columns + entry(i))
		case 1:
			b.WriteString(entry(i) + strings.Replace(entry(i), ":", ":x", 2) + entry(i+1))
		case 2:
			b.WriteString(proc)
		case 3:
			b.WriteString(entry(i) + services + prose)
		}
	}
	want := describe(readAll(strings.NewReader(b.String()), Config{Workers: 1, ReadSize: 64}))
	for _, workers := range []int{1, 2, 4} {
		for _, size := range []int{0, 50_000, 1 << 20} {
			made, snapshots := atomic.Int64{}, int64(0)
			reader := NewReader(context.Background(), &Source{Name: "input", Reader: strings.NewReader(b.String())}, Config{Workers: workers, ReadSize: size}, func() *recorder {
				made.Add(1)
				return newRecorder()
			})
			var all []*recorded
			for reader.Scan() {
				all = append(all, reader.Snapshot())
				snapshots++
			}
			if got := describe(all, reader.Err()); got != want {
				t.Errorf("%d workers, blocks of %d: another result than of small blocks", workers, size)
			}
			// Each snapshot has one, and one more may have begun behind it.
			if segments := made.Load() - 2*snapshots; segments > int64(2*workers+2)*(maxSegments+2) {
				t.Errorf("%d workers, blocks of %d: %d accumulators beside those of %d snapshots", workers, size, segments, snapshots)
			}
			reader.Close()
		}
	}
}

// TestSnapshotIsTheCallers keeps a snapshot while the next are read: its accumulator
// and problems must not be used again.
func TestSnapshotIsTheCallers(t *testing.T) {
	var text []byte
	for n := range 200 {
		text = append(text, title+columns+entry(2*n)+entry(2*n+1)+"TCP 14:57  ESTABLISHED 10.0.1.300:1 10.0.1.100:80 10.0.0.12:80\n"...)
	}
	all, err := readAll(bytes.NewReader(text), Config{Workers: 2, ReadSize: 50})
	check(t, text, all, err)
	if len(all) != 200 {
		t.Fatalf("%d snapshots", len(all))
	}
	for n, s := range all {
		if want := client(2*n) + " " + client(2*n+1); s.Result.clients() != want || s.Problems[0].Line != 5*n+5 {
			t.Errorf("snapshot %d has %s and problem %d, want %s and %d", n+1, s.Result.clients(), s.Problems[0].Line, want, 5*n+5)
		}
	}
}

const procRow = "TCP 0A00010A 84D4 0A000164 0055 0A00004D 0055 SYN_RECV         59\n"

// TestOnly takes rows of one format, and counts those it leaves out.
func TestOnly(t *testing.T) {
	text := entry(1) + procRow + entry(2) + date1
	all, err := readAll(strings.NewReader(text), Config{Format: parse.Proc, Workers: 1})
	check(t, []byte(text), all, err)
	if len(all) != 1 || all[0].Entries != 1 || all[0].Formats[parse.Proc] != 1 || all[0].Skipped != 3 || all[0].OtherFormat != 2 {
		t.Errorf("%s", describe(all, err))
	}
	text = entry(1) + entry(2)
	all, err = readAll(strings.NewReader(text), Config{Format: parse.Proc})
	check(t, []byte(text), all, err)
	var none *NoListingError
	if !errors.As(err, &none) || none.OtherFormat != 2 || none.Error() != "its rows are of another format than --format asks for" {
		t.Errorf("%q: %s", text, describe(all, err))
	}
	// With a title it is a listing, of which all rows are left out.
	text = title + columns + entry(1)
	all, err = readAll(strings.NewReader(text), Config{Format: parse.Proc})
	check(t, []byte(text), all, err)
	if err != nil || len(all) != 1 || all[0].Entries != 0 || all[0].OtherFormat != 1 {
		t.Errorf("%q: %s", text, describe(all, err))
	}
	// An empty listing is one, whatever its format.
	if all, err := readAll(strings.NewReader(title+columns), Config{Format: parse.Proc}); err != nil || len(all) != 1 || all[0].Entries != 0 {
		t.Error(describe(all, err))
	}
}

// TestOnlyOfSeveral has a listing of another format in front of one, and behind.
func TestOnlyOfSeveral(t *testing.T) {
	wanted, other := title+columns+entry(1), proc+procRow
	for _, text := range []string{other + wanted, wanted + other} {
		all, err := readAll(strings.NewReader(text), Config{Format: parse.Ipvsadm})
		check(t, []byte(text), all, err)
		rows := 0
		for _, s := range all {
			rows += len(s.Result.entries)
		}
		if rows != 1 || len(all) != 2 {
			t.Errorf("%d snapshots: %s", len(all), describe(all, err))
		}
	}
}

func TestMessages(t *testing.T) {
	denied := "Can't initialize ipvs: Permission denied (you must be root)\n"
	text := denied + "Are you sure that IP Virtual Server is built in the kernel or as module?\n"
	_, err := readAll(strings.NewReader(text), Config{})
	var none *NoListingError
	if !errors.As(err, &none) || none.Message != parse.NotRoot || none.Lines != 2 {
		t.Errorf("%#v", err)
	}
	cut := entry(1) + "Fail to fetch all connection entries!\n"
	all, err := readAll(strings.NewReader(cut), Config{})
	if err != nil || len(all) != 1 || all[0].Message != parse.CutShort || all[0].Entries != 1 || all[0].Skipped != 1 {
		t.Errorf("%s", describe(all, err))
	}
}

// TestZone takes times without a zone to be in the place the configuration says.
func TestZone(t *testing.T) {
	shanghai := time.FixedZone("CST", 8*3600)
	text := "2026-11-22 05:28:40\n" + title + columns + entry(1)
	for loc, want := range map[*time.Location]string{nil: "2026-11-22T05:28:40Z", shanghai: "2026-11-21T21:28:40Z"} {
		all, err := readAll(strings.NewReader(text), Config{Location: loc})
		if err != nil || len(all) != 1 || all[0].Time.UTC().Format(time.RFC3339) != want {
			t.Errorf("%v: %s, want %s", loc, describe(all, err), want)
		}
	}
}

// client is the client of entry n.
func client(n int) string { return fmt.Sprintf("10.9.%d.%d:%d", n/250, n%250, 1024+n) }

func entry(n int) string {
	return fmt.Sprintf("TCP 14:57  ESTABLISHED %-18s 10.0.1.100:80      10.0.0.12:80\n", client(n))
}

// TestEntryHelper keeps the rows of these tests what they are taken for.
func TestEntryHelper(t *testing.T) {
	all, err := readAll(strings.NewReader(entry(7)), Config{})
	if err != nil || len(all) != 1 || all[0].Result.clients() != client(7) || all[0].Result.entries[0].State != conn.Established {
		t.Error(describe(all, err))
	}
}
