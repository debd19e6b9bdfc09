package main

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ipvsstate/internal/conn"
)

// resolver looks up the names of addresses, each once, until its time is over.
type resolver struct {
	lookup func(ctx context.Context, addr string) ([]string, error)
	within time.Duration
	ctx    context.Context // begins with the first lookup
	cancel context.CancelFunc
	name   map[netip.Addr]string // empty for an address without
	left   int                   // addresses that there was no time for
}

func newResolver(within time.Duration) *resolver {
	return &resolver{lookup: net.DefaultResolver.LookupAddr, within: within, name: make(map[netip.Addr]string)}
}

// atOnce is how many lookups are under way at a time, and maxNames how many are kept.
const (
	atOnce   = 32
	maxNames = 1 << 16
)

// names puts names in place of the addresses that have one.
func (r *resolver) names(entries []conn.Entry) {
	if r.ctx == nil {
		r.ctx, r.cancel = context.WithTimeout(context.Background(), r.within)
		context.AfterFunc(r.ctx, r.cancel)
	}
	if len(r.name) > maxNames {
		clear(r.name)
	}
	var wanted []netip.Addr
	each(entries, func(e *conn.Endpoint) {
		if _, had := r.name[e.Addr]; !had && e.Addr.IsValid() {
			r.name[e.Addr] = ""
			wanted = append(wanted, e.Addr)
		}
	})
	found := make([]string, len(wanted))
	var late atomic.Int64
	var wait sync.WaitGroup
	turn := make(chan struct{}, atOnce)
	for i, a := range wanted {
		turn <- struct{}{}
		if r.ctx.Err() != nil {
			r.left += len(wanted) - i
			break
		}
		wait.Go(func() {
			defer func() { <-turn }()
			all, err := r.lookup(r.ctx, a.String())
			switch {
			case err == nil && len(all) > 0:
				found[i] = strings.TrimSuffix(all[0], ".")
			case r.ctx.Err() != nil:
				late.Add(1)
			}
		})
	}
	wait.Wait()
	r.left += int(late.Load())
	for i, a := range wanted {
		r.name[a] = found[i]
	}
	each(entries, func(e *conn.Endpoint) {
		if name := r.name[e.Addr]; name != "" && e.Addr.IsValid() {
			e.Addr, e.Host = netip.Addr{}, name
		}
	})
}

// each goes through the endpoints of entries, but for a firewall mark, which is no
// address, and the client of a template, which can be a network.
func each(entries []conn.Entry, f func(*conn.Endpoint)) {
	for i := range entries {
		e := &entries[i]
		f(&e.Server)
		f(&e.Local)
		if e.Kind() != conn.FwmarkTemplate {
			f(&e.Virtual)
		}
		if e.Kind() == conn.Connection {
			f(&e.Client)
		}
	}
}
