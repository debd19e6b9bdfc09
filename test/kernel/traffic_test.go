//go:build linux

package kernel

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestTraffic holds ipvsstate against the kernel on a director that carried true connections.
func TestTraffic(t *testing.T) {
	r := boot(t, 5*time.Minute, trafficScript)

	t.Run("scenario", func(t *testing.T) { scenarioWorked(t, countListing(t, r.text(t, "traffic.before.txt"))) })
	readingsAgree(t, r, "traffic")
	t.Run("services", func(t *testing.T) {
		sameLines(t, r.document(t, "traffic.live").kernelLines(), serviceLines(t, r.text(t, "traffic.services.txt")))
	})
	// All that is in TIME_WAIT went through NAT, which netlink tells the live reading, and a listing does not say.
	t.Run("sentences", func(t *testing.T) {
		const nat, any = `"meaning": "Closed by both sides; the entry stays 2 minutes."`, `"meaning": "Closed by both sides (NAT) or`
		if live := r.text(t, "traffic.live.out"); !strings.Contains(live, nat) || strings.Contains(live, any) {
			t.Errorf("the live reading does not explain TIME_WAIT for NAT:\n%s", live)
		}
		if pipe := r.text(t, "traffic.pipe.out"); strings.Contains(pipe, nat) || !strings.Contains(pipe, any) {
			t.Errorf("the listing explains TIME_WAIT as if the forwarding method were known:\n%s", pipe)
		}
	})
	for _, name := range []string{"timeout.before", "timeout.after"} {
		t.Run(name, func(t *testing.T) {
			_, want, _ := strings.Cut(strings.TrimSpace(r.text(t, name+".txt")), ": ")
			if got := r.document(t, name).timeouts(); got != want {
				t.Errorf("timeouts %s, ipvsadm says %s", got, want)
			}
		})
	}
	t.Run("unprivileged", func(t *testing.T) {
		doc := r.document(t, "nobody")
		same(t, doc.counts(), countListing(t, r.text(t, "nobody.before.txt")))
		if doc.Kernel == nil || doc.Kernel.Services != nil || doc.Kernel.Timeouts != nil {
			t.Fatalf("want a kernel section without services and timeouts, got %+v", doc.Kernel)
		}
		for _, part := range doc.Kernel.Missing {
			if part.What == "services" && part.Why != "" {
				return
			}
		}
		t.Errorf("no word on why the services are missing: %+v", doc.Kernel.Missing)
	})
	t.Run("recorded unprivileged", func(t *testing.T) {
		if code, messages := r.exit(t, "nobody.record"); code != "0" || !strings.Contains(messages, "services, counters and timeouts not read: ") {
			t.Errorf("exit code %s, messages %q: want 0 and a word on what is missing", code, messages)
		}
		same(t, r.document(t, "nobody.recorded").counts(), countListing(t, r.text(t, "nobody.before.txt")))
	})
	t.Run("namespace", func(t *testing.T) { namespaceRead(t, r) })
}

// scenarioWorked fails when the traffic did not leave what it was made for: then the agreement of the readings would
// prove less than it seems to.
func scenarioWorked(t *testing.T, table counts) {
	t.Helper()
	for key, want := range map[string]int{
		"service TCP 10.9.0.1:80 state ESTABLISHED":    5,
		"service TCP 10.9.0.1:80 state CLOSE_WAIT":     2,
		"service TCP 10.9.0.1:81 state TIME_WAIT":      4,
		"service TCP 10.9.0.1:82 state FIN_WAIT":       3, // the real server closed first
		"service TCP 10.9.0.1:83 state CLOSE":          2,
		"service TCP 10.9.0.1:85 state SYN_RECV":       3,
		"service UDP 10.9.0.1:53 state UDP":            6,
		"service UDP 10.9.0.1:54 connections":          0, // one-packet scheduling
		"service SCTP 10.9.0.1:90 state ESTABLISHED":   2,
		"service TCP 10.9.0.1:443 templates":           2,
		"service TCP 10.9.0.1:445 templates":           1, // and an invalid one beside it
		"service UDP 10.9.0.1:500 templates":           1,
		"service UDP 10.9.0.1:5060 templates":          1, // of a persistence engine: its row has two columns more
		"service TCP 10.9.0.2:8001 state ESTABLISHED":  3,
		"service TCP 10.9.0.2:8001 state CLOSE":        2,
		"service TCP 10.9.0.2:8002 state FIN_WAIT":     2, // as far as direct routing shows
		"service TCP 10.9.0.2:8005 state SYN_RECV":     2,
		"service UDP 10.9.0.2:8010 state UDP":          2,
		"service TCP 10.9.0.10:8001 state ESTABLISHED": 2, // of the firewall mark
		"service TCP 10.9.0.10:8002 state ESTABLISHED": 1,
		"service IP fwmark 10 templates":               2,
		"service IP fwmark 20 templates":               1,
		"service TCP [fd09::1]:80 state ESTABLISHED":   4,
		"service TCP [fd09::1]:80 state CLOSE_WAIT":    1,
		"service TCP [fd09::1]:81 state TIME_WAIT":     2,
		"service UDP [fd09::1]:53 state UDP":           3,
		"service TCP [fd09::1]:443 templates":          1,
		"service TCP [fd09::1]:99 state SYN_RECV":      1, // its real server has an IPv4 address
		"service TCP [fd09::2]:8001 state ESTABLISHED": 2,
		"service TCP [fd09::2]:8001 state FIN_WAIT":    1,
		"template state TCP NONE":                      1,
		"template state TCP ASSURED":                   5,
		"template state UDP ASSURED":                   2,
		"template state IP ASSURED":                    3,
		"templates":                                    11,
	} {
		if table[key] != want {
			t.Errorf("%s: %d, want %d", key, table[key], want)
		}
	}
}

// readingsAgree compares every way of reading one table with what ipvsadm listed, and that with the kernel's files.
func readingsAgree(t *testing.T, r results, name string) {
	want := countListing(t, r.text(t, name+".before.txt"))
	t.Run("ipvsadm and proc", func(t *testing.T) {
		same(t, countProc(t, r.text(t, name+".proc.txt")), want)
		same(t, countProc(t, r.text(t, name+".sync.txt")), want)
	})
	for _, way := range []struct {
		name, kind, format string
		read               func(t *testing.T) document
	}{
		{"live", "kernel", "", func(t *testing.T) document { return r.document(t, name+".live") }},
		{"pipe", "stdin", "ipvsadm", func(t *testing.T) document { return r.document(t, name+".pipe") }},
		{"saved listing", "file", "ipvsadm", func(t *testing.T) document { return r.read(t, name+".before.txt") }},
		{"saved ip_vs_conn", "file", "proc", func(t *testing.T) document { return r.read(t, name+".proc.txt") }},
		{"saved ip_vs_conn_sync", "file", "proc_sync", func(t *testing.T) document { return r.read(t, name+".sync.txt") }},
	} {
		t.Run(way.name, func(t *testing.T) {
			doc := way.read(t)
			same(t, doc.counts(), want)
			if doc.Source.Kind != way.kind || way.format != "" && doc.Source.Format != way.format {
				t.Errorf("source %+v, want kind %s and format %s", doc.Source, way.kind, way.format)
			}
			if doc.Input.Duplicates != 0 || !doc.complete() {
				t.Errorf("an unmoving table has no duplicates and is read whole: %+v, complete %v", doc.Input, doc.complete())
			}
		})
	}
}

// namespaceRead compares the second director, whichever way its namespace was named.
func namespaceRead(t *testing.T, r results) {
	listing := r.text(t, "second.before.txt")
	want := countListing(t, listing)
	if want["service TCP 10.8.0.1:80 state ESTABLISHED"] != 3 {
		t.Fatalf("the second director should have three connections:\n%s", listing)
	}
	for _, way := range []string{"name", "path", "pid"} {
		t.Run(way, func(t *testing.T) {
			doc := r.document(t, "second."+way)
			same(t, doc.counts(), want)
			sameLines(t, doc.kernelLines(), serviceLines(t, r.text(t, "second.services.txt")))
			if got := doc.timeouts(); got != "700 60 200" {
				t.Errorf("timeouts %s, want those of the namespace, 700 60 200", got)
			}
		})
	}
	t.Run("recorded", func(t *testing.T) {
		same(t, r.document(t, "second.recorded").counts(), want)
		var doc struct {
			Source   struct{ Host string }
			Timeouts struct {
				TCP  int `json:"tcp_seconds"`
				From string
			}
		}
		r.unmarshal(t, "second.recorded", &doc)
		if got := fmt.Sprint(doc); got != "{{second} {700 listing}}" {
			t.Errorf("host and timeouts %s, want what was recorded of the namespace, {{second} {700 listing}}", got)
		}
	})
	t.Run("absent", func(t *testing.T) {
		if code, messages := r.exit(t, "second.absent"); code != "2" || !strings.Contains(messages, "nowhere") {
			t.Errorf("exit code %s, messages %q: want 2 and the name", code, messages)
		}
	})
}
