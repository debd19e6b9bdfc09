package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"ipvsstate/internal/render"
)

// nothing is why there is no trend.
func (r *trendReading) nothing(stopped error) error {
	switch {
	case stopped != nil:
		return stopped
	case r.failed != nil:
		return r.failed
	case len(r.others.names) > 0:
		return r.nothingOf(r.options.host)
	case r.outside > 0:
		return fail("hint.outside", errors.New("all snapshots are outside of --since and --until"), r.newest.UTC().Format("2006-01-02 15:04:05 UTC"))
	case r.undated > 0:
		return fail("hint.undated", errors.New("no snapshot tells its time"))
	}
	return fail("hint.trend", errors.New("no listing of IPVS connections was found"))
}

// shownHosts is how many directors are named that there are.
const shownHosts = 10

// nothingOf is why there is no trend of a director, where there are others.
func (r *trendReading) nothingOf(host string) error {
	within := ""
	if r.outside > 0 {
		within = " within --since and --until"
	}
	err := fmt.Errorf("no snapshot%s is known to be of %s", within, host)
	names := slices.DeleteFunc(r.others.names, func(name string) bool { return name == "" })
	if len(names) == 0 {
		return fail("hint.hostless", err)
	}
	if len(names) > shownHosts {
		names = append(names[:shownHosts], "…")
	}
	return fail("hint.hosts", err, render.Clean(strings.Join(names, ", ")))
}

// notes are what a reader must know of the reading.
func (r *trendReading) notes(unnamed []render.TrendHost) (all []string) {
	add := func(key string, n int) {
		if n > 0 {
			all = append(all, r.words.Count(key, uint64(n)))
		}
	}
	add("trend.closed", r.closed)
	add("trend.failed", r.failures-r.closed)
	add("trend.unlisted", r.unlisted)
	add("trend.undated", r.undated)
	add("trend.within", r.within)
	add("trend.unread", r.unread)
	add("trend.backwards", r.backwards)
	add("bad", int(r.bad))
	if len(unnamed) > 1 {
		all = append(all, r.words.Word("trend.overlap", render.Clean(unnamed[0].Host), render.Clean(unnamed[1].Host)))
	}
	if r.unnamed.crowded {
		all = append(all, r.words.Word("trend.crowded", maxLogs))
	}
	if r.crowded {
		all = append(all, r.words.Word("trend.hosts", maxHosts))
	}
	return all
}
