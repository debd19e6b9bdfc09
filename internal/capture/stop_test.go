package capture

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"ipvsstate/internal/conn"
)

// patience is how long these tests wait for what should happen at once.
const patience = 10 * time.Second

var errBroken = errors.New("broken")

// TestReadError gives what was read before an error as a last, incomplete snapshot.
func TestReadError(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string // outlines
		complete   []bool
	}{
		{"at once", "", nil, nil},
		{"in prose", prose, nil, nil},
		{"behind a header", title + columns, []string{"- ipvsadm "}, []bool{false}},
		{"between entries", title + columns + entry(1) + entry(2), []string{"- ipvsadm 1,2"}, []bool{false}},
		{"within an entry", columns + entry(1) + entry(2)[:40], []string{"- ipvsadm 1"}, []bool{false}},
		{"in the second listing", date1 + columns + entry(1) + columns + entry(2), []string{"28:40 ipvsadm 1", "- ipvsadm 2"}, []bool{true, false}},
		{"before the second listing's rows", columns + entry(1) + date2 + columns, []string{"- ipvsadm 1", "29:40 ipvsadm "}, []bool{true, false}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, chunking := range chunkings {
				r := io.MultiReader(chunking.of([]byte(tt.text)), iotest.ErrReader(errBroken))
				all, err := readAll(r, Config{Workers: 2, ReadSize: 4096})
				if !errors.Is(err, errBroken) {
					t.Errorf("%s: error %v", chunking.name, err)
				}
				if len(all) != len(tt.want) {
					t.Fatalf("%s: %s", chunking.name, describe(all, err))
				}
				for i, s := range all {
					if outline(s) != tt.want[i] || s.Complete != tt.complete[i] {
						t.Errorf("%s: snapshot %d is %q, complete %v; want %q, %v", chunking.name, i+1, outline(s), s.Complete, tt.want[i], tt.complete[i])
					}
				}
			}
		})
	}
}

// scanned scans in the background, so that one that hangs fails the test.
func scanned[A Accumulator[A]](r *Reader[A]) <-chan bool {
	done := make(chan bool, 1)
	go func() { done <- r.Scan() }()
	return done
}

func wait(t *testing.T, what string, done <-chan bool) bool {
	t.Helper()
	select {
	case ok := <-done:
		return ok
	case <-time.After(patience):
		t.Fatalf("%s still runs after %s", what, patience)
	}
	return false
}

// TestCancelWhileBlocked cancels a reading whose source is silent, with the cause
// that the caller gave.
func TestCancelWhileBlocked(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	ctx, cancel := context.WithCancelCause(context.Background())
	reader := NewReader(ctx, &Source{Reader: r}, Config{Workers: 1, ReadSize: 4096}, newRecorder)
	defer reader.Close()
	done := scanned(reader)
	// A single worker hands the first text over before it reads the second.
	for _, text := range []string{columns + entry(1) + entry(2), "\n"} {
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	cause := errors.New("the operator has seen enough")
	start := time.Now()
	cancel(cause)
	if !wait(t, "Scan", done) {
		t.Fatal("what was read before is lost")
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("Scan took %s to stop", d)
	}
	s := reader.Snapshot()
	if outline(s) != "- ipvsadm 1,2" || s.Complete {
		t.Errorf("%q, complete %v", outline(s), s.Complete)
	}
	if reader.Scan() || !errors.Is(reader.Err(), cause) {
		t.Errorf("error %v, want the cause", reader.Err())
	}
}

// TestCancelBeforeAnything has nothing to show.
func TestCancelBeforeAnything(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	reader := NewReader(ctx, &Source{Reader: r}, Config{}, newRecorder)
	defer reader.Close()
	if wait(t, "Scan", scanned(reader)) || !errors.Is(reader.Err(), context.DeadlineExceeded) {
		t.Errorf("%v, error %v", reader.Snapshot(), reader.Err())
	}
}

// endless is a listing without end.
type endless struct{ text []byte }

func (e *endless) Read(p []byte) (int, error) {
	n := 0
	for n+len(e.text) <= len(p) {
		n += copy(p[n:], e.text)
	}
	if n == 0 {
		n = copy(p, e.text[:len(p)])
	}
	return n, nil
}

// TestCancelInFullFlow cancels a reading whose source never pauses.
func TestCancelInFullFlow(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	reader := NewReader(ctx, &Source{Reader: &endless{[]byte(entry(1))}}, Config{}, newCounter)
	defer reader.Close()
	if !wait(t, "Scan", scanned(reader)) || reader.Snapshot().Complete || reader.Snapshot().Entries == 0 {
		t.Errorf("%+v, error %v", reader.Snapshot(), reader.Err())
	}
}

// counter counts, as slowly as it is told to.
type counter struct {
	n    int64
	slow time.Duration
}

func newCounter() *counter     { return &counter{} }
func newSlowCounter() *counter { return &counter{slow: 5 * time.Millisecond} }

func (c *counter) Add(*conn.Entry) { c.n++ }
func (c *counter) Reset()          { c.n = 0 }
func (c *counter) Merge(o *counter) {
	time.Sleep(c.slow)
	c.n += o.n
}

// TestCancelSlowMerge cancels a reading in which parts are parsed faster than they
// are merged: there is always another part waiting.
func TestCancelSlowMerge(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	reader := NewReader(ctx, &Source{Reader: &endless{[]byte(entry(1))}}, Config{Workers: 2, ReadSize: 4096}, newSlowCounter)
	defer reader.Close()
	if !wait(t, "Scan", scanned(reader)) || !errors.Is(reader.Err(), context.DeadlineExceeded) {
		t.Errorf("%+v, error %v", reader.Snapshot(), reader.Err())
	}
}

// TestGoroutinesEnd counts goroutines after readings that ran to the end, failed, or
// were closed in the middle.
func TestGoroutinesEnd(t *testing.T) {
	before := runtime.NumGoroutine()
	text := strings.Repeat(title+columns+entry(1)+entry(2), 500)
	for range 20 {
		readAll(strings.NewReader(text), Config{Workers: 4, ReadSize: 256})
		readAll(io.MultiReader(strings.NewReader(text), iotest.ErrReader(errBroken)), Config{Workers: 4, ReadSize: 256})

		reader := NewReader(context.Background(), &Source{Reader: &endless{[]byte(entry(1))}}, Config{Workers: 4, ReadSize: 256}, newCounter)
		reader.Close()
		reader.Close() // twice is allowed

		ctx, cancel := context.WithCancel(context.Background())
		reader = NewReader(ctx, &Source{Reader: &endless{[]byte(entry(1))}}, Config{Workers: 4, ReadSize: 256}, newCounter)
		cancel()
		wait(t, "Scan", scanned(reader))

		for _, size := range []int{256, 0} {
			some := NewReader(context.Background(), &Source{Reader: strings.NewReader(text)}, Config{Workers: 4, ReadSize: size}, newRecorder)
			for range 2 {
				if !some.Scan() {
					t.Fatal(some.Err())
				}
			}
			some.Close()
		}
	}
	deadline := time.Now().Add(patience)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
		time.Sleep(time.Millisecond)
	}
}

// TestScanBehindTheEnd goes on saying that there is nothing more.
func TestScanBehindTheEnd(t *testing.T) {
	reader := NewReader(context.Background(), &Source{Reader: strings.NewReader(entry(1))}, Config{}, newRecorder)
	defer reader.Close()
	if !reader.Scan() {
		t.Fatal(reader.Err())
	}
	for range 3 {
		if reader.Scan() || reader.Snapshot() != nil || reader.Err() != nil {
			t.Errorf("%v, error %v", reader.Snapshot(), reader.Err())
		}
	}
}

// TestScanBehindClose does not hang either.
func TestScanBehindClose(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	reader := NewReader(context.Background(), &Source{Reader: r}, Config{Workers: 1}, newRecorder)
	reader.Close()
	done := scanned(reader)
	w.Close()
	wait(t, "Scan behind Close", done)
}
