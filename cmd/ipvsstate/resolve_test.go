package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ipvsstate/internal/conn"
)

// lookups stands in for the name server: it notes what it is asked, and how many ask at a
// time.
type lookups struct {
	mu        sync.Mutex
	asked     map[string]int
	now, most int
	// answer is what an address is called; it may wait.
	answer func(ctx context.Context, addr string) ([]string, error)
}

func (l *lookups) lookup(ctx context.Context, addr string) ([]string, error) {
	l.mu.Lock()
	if l.asked == nil {
		l.asked = map[string]int{}
	}
	l.asked[addr]++
	l.now++
	l.most = max(l.most, l.now)
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		l.now--
		l.mu.Unlock()
	}()
	return l.answer(ctx, addr)
}

// once wants so many addresses to have been asked for, each once.
func (l *lookups) once(t *testing.T, want int) {
	t.Helper()
	equal(t, "addresses that were asked for", len(l.asked), want)
	for addr, n := range l.asked {
		if n != 1 {
			t.Errorf("%s was asked for %d times", addr, n)
		}
	}
}

func resolverOf(within time.Duration, answer func(context.Context, string) ([]string, error)) (*resolver, *lookups) {
	l := &lookups{answer: answer}
	r := newResolver(within)
	r.lookup = l.lookup
	return r, l
}

// called gives every address a name.
func called(_ context.Context, addr string) ([]string, error) {
	return []string{"host-" + addr + "."}, nil
}

// waiting answers nothing until there is no more time.
func waiting(ctx context.Context, _ string) ([]string, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func at(text string) conn.Endpoint {
	a := netip.MustParseAddrPort(text)
	return conn.Endpoint{Addr: a.Addr(), Port: a.Port(), PortKnown: true}
}

func host(name string, port uint16) conn.Endpoint {
	return conn.Endpoint{Host: name, Port: port, PortKnown: true}
}

// clients are entries of so many addresses, two of each.
func clients(from, n int) []conn.Entry {
	var all []conn.Entry
	for i := range 2 * n {
		k := from + i%n
		all = append(all, conn.Entry{Client: at(fmt.Sprintf("10.1.%d.%d:4000", k/256, k%256))})
	}
	return all
}

// numeric counts the entries whose client is still an address.
func numeric(entries []conn.Entry) (n int) {
	for i := range entries {
		if entries[i].Client.Addr.IsValid() {
			n++
		}
	}
	return n
}

// TestResolve has every endpoint, port and kind of answer.
func TestResolve(t *testing.T) {
	r, l := resolverOf(time.Minute, func(_ context.Context, addr string) ([]string, error) {
		switch addr {
		case "10.0.0.1":
			return []string{"web1.example.", "other.example."}, nil
		case "10.0.0.2":
			return []string{"web2"}, nil
		case "2001:db8::1":
			return []string{"v6.example."}, nil
		case "10.0.0.3":
			return nil, nil
		case "10.0.0.4":
			return []string{"."}, nil
		case "10.0.0.5":
			return []string{""}, nil
		}
		return nil, errors.New("no such host")
	})
	named := conn.Endpoint{Addr: netip.MustParseAddr("10.0.0.2"), Service: "http", Port: 80, PortKnown: true}
	unknown := conn.Endpoint{Addr: netip.MustParseAddr("10.0.0.2"), Service: "foo"}
	bare := conn.Endpoint{Addr: netip.MustParseAddr("10.0.0.1")}
	entries := []conn.Entry{
		{Client: at("10.0.0.1:4000"), Virtual: at("[2001:db8::1]:80"), Local: at("10.0.0.2:1024"), Server: at("10.0.0.1:0"), Expires: 7, PEName: "sip"},
		{Client: named, Virtual: unknown, Server: bare},
		{Client: host("already.example.", 5), Virtual: conn.Endpoint{Host: "vip", Service: "http"}, Server: at("10.0.0.3:80")},
		{Client: at("10.0.0.4:1"), Virtual: at("10.0.0.5:2"), Server: at("10.0.0.6:3")},
	}
	want := []conn.Entry{
		{Client: host("web1.example", 4000), Virtual: host("v6.example", 80), Local: host("web2", 1024), Server: host("web1.example", 0), Expires: 7, PEName: "sip"},
		{
			Client:  conn.Endpoint{Host: "web2", Service: "http", Port: 80, PortKnown: true},
			Virtual: conn.Endpoint{Host: "web2", Service: "foo"}, Server: conn.Endpoint{Host: "web1.example"},
		},
		entries[2], entries[3],
	}
	r.names(entries)
	for i := range want {
		if entries[i] != want[i] {
			t.Errorf("entry %d is\n%+v\nwant\n%+v", i, entries[i], want[i])
		}
	}
	l.once(t, 7)
	equal(t, "left", r.left, 0)
}

// TestResolveOnce asks for an address once, whether it has a name or not.
func TestResolveOnce(t *testing.T) {
	for name, answer := range map[string]func(context.Context, string) ([]string, error){
		"names":  called,
		"none":   func(context.Context, string) ([]string, error) { return nil, nil },
		"errors": func(context.Context, string) ([]string, error) { return nil, errors.New("refused") },
	} {
		t.Run(name, func(t *testing.T) {
			r, l := resolverOf(time.Minute, answer)
			for range 3 {
				all := clients(0, 100)
				r.names(all)
				want := 0
				if name != "names" {
					want = len(all)
				}
				equal(t, "still numeric", numeric(all), want)
			}
			l.once(t, 100)
			r.names(clients(50, 100))
			l.once(t, 150)
			r.names(nil)
			r.names([]conn.Entry{{}, {Client: host("a", 1)}})
			l.once(t, 150)
			equal(t, "left", r.left, 0)
		})
	}
}

// TestResolveAtOnce asks so many at a time, and no more.
func TestResolveAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, l := resolverOf(time.Minute, func(ctx context.Context, addr string) ([]string, error) {
			time.Sleep(time.Second)
			return called(ctx, addr)
		})
		defer end(r)
		start := time.Now()
		all := clients(0, 3*atOnce+1)
		r.names(all)
		l.once(t, 3*atOnce+1)
		equal(t, "at a time", l.most, atOnce)
		equal(t, "seconds", time.Since(start), 4*time.Second)
		equal(t, "still numeric", numeric(all), 0)
		equal(t, "left", r.left, 0)
	})
}

// end ends a resolver's time, as the bubble that it began in wants.
func end(r *resolver) {
	if r.cancel != nil {
		r.cancel()
	}
}

// TestResolveDeadline has a name server that does not answer: the addresses stay, and all
// that there was no time for are counted, those that were being asked for too.
func TestResolveDeadline(t *testing.T) {
	for _, n := range []int{1, atOnce - 1, atOnce, atOnce + 1, 100} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, l := resolverOf(5*time.Second, waiting)
				defer end(r)
				start := time.Now()
				all := clients(0, n)
				before := slices.Clone(all)
				r.names(all)
				equal(t, "the time it took", time.Since(start), 5*time.Second)
				if !slices.Equal(all, before) {
					t.Error("the entries were changed")
				}
				l.once(t, min(n, atOnce))
				equal(t, "left", r.left, n)
			})
		})
	}
}

// TestResolveDeadlineWithin has a slow name server: what it answered in time is shown.
func TestResolveDeadlineWithin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, l := resolverOf(2500*time.Millisecond, func(ctx context.Context, addr string) ([]string, error) {
			select {
			case <-time.After(time.Second):
				return called(ctx, addr)
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		})
		defer end(r)
		start := time.Now()
		all := clients(0, 5*atOnce)
		r.names(all)
		equal(t, "the time it took", time.Since(start), 2500*time.Millisecond)
		l.once(t, 3*atOnce)
		equal(t, "still numeric", numeric(all), 2*3*atOnce)
		equal(t, "left", r.left, 3*atOnce)
	})
}

// TestResolveAfterDeadline keeps the names there are, and asks for no more.
func TestResolveAfterDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, l := resolverOf(5*time.Second, called)
		defer end(r)
		r.names(clients(0, 10))
		time.Sleep(4 * time.Second)
		r.names(clients(10, 10)) // in time
		l.once(t, 20)
		time.Sleep(2 * time.Second) // reading takes its time
		all := clients(0, 25)
		r.names(all)
		equal(t, "still numeric", numeric(all), 2*5)
		equal(t, "left", r.left, 5)
		r.names(clients(0, 25))
		equal(t, "left, not counted twice", r.left, 5)
		r.names(clients(0, 26))
		equal(t, "left", r.left, 6)
		l.once(t, 20)
	})
}

// TestResolveTimeBegins with the first lookup, not with the reading.
func TestResolveTimeBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, l := resolverOf(5*time.Second, called)
		defer end(r)
		time.Sleep(time.Minute)
		all := clients(0, 3)
		r.names(all)
		l.once(t, 3)
		equal(t, "still numeric", numeric(all), 0)
		equal(t, "left", r.left, 0)
	})
}

// TestResolveNoTime looks nothing up.
func TestResolveNoTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, l := resolverOf(0, called)
		defer end(r)
		all := clients(0, 3)
		r.names(all)
		l.once(t, 0)
		equal(t, "still numeric", numeric(all), 6)
		equal(t, "left", r.left, 3)
	})
}
