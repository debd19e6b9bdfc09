package main

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// count is what a listing holds, counted in the plainest way there is: each line is
// split at its blanks, and the words are taken by their number. It knows ipvsadm's
// output and the kernel's proc files, and nothing of internal/parse.
type count struct {
	connections, templates int
	states, templateStates map[string]int // by protocol and state: "TCP ESTABLISHED"
}

func countPlainly(text string) *count {
	c := &count{states: map[string]int{}, templateStates: map[string]int{}}
	for line := range strings.Lines(text) {
		w := strings.Fields(line)
		if len(w) < 6 {
			continue
		}
		switch w[0] {
		case "TCP", "UDP", "SCTP", "IP":
		default:
			continue
		}
		var state string
		var port0 bool
		if strings.Contains(w[1], ":") && len(w[1]) < 10 { // a time, not an IPv6 address in full
			state, port0 = w[2], strings.HasSuffix(w[3], ":0")
		} else {
			state, port0 = w[7], w[2] == "0000"
		}
		if w[0] == "IP" || port0 {
			c.templates++
			c.templateStates[w[0]+" "+state]++
		} else {
			c.connections++
			c.states[w[0]+" "+state]++
		}
	}
	return c
}

// TestKernelListings counts what was taken from kernels and by ipvsadm again.
func TestKernelListings(t *testing.T) {
	seen := 0
	for _, name := range listings(t) {
		base := filepath.Base(name)
		if !strings.HasPrefix(base, "k") {
			continue
		}
		seen++
		t.Run(base, func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, summaryOf(t, "--merge", name), countPlainly(string(text)))
		})
	}
	if seen < 20 {
		t.Errorf("only %d listings", seen)
	}
}

// TestOtherListings has the counts of the listings that need an eye: DPVS, FULLNAT, and
// what people pasted.
func TestOtherListings(t *testing.T) {
	for name, want := range map[string]*count{
		"dpvs.txt": {7, 1, map[string]int{
			"TCP SYN_RECV": 1, "TCP TCP_EST": 2, "SCTP SCTP_ESTABLISHE": 1, "ICMPv6 ICMP_NORMAL": 1, "-- ICMP_NORMAL": 1, "UDP UDP_NORM": 1,
		}, map[string]int{"TCP TCP_NONE": 1}},
		"dpvs-detail-conn.txt":     {2, 0, map[string]int{"TCP SYN_RECV": 2}, nil},
		"escapes.txt":              {2, 0, map[string]int{"TCP ESTABLISHED": 2}, nil},
		"fullnat-garbled.txt":      {3, 0, map[string]int{"TCP ": 3}, nil},
		"fullnat-ipvsadm.txt":      {2, 0, map[string]int{"TCP ESTABLISHED": 1, "TCP FIN_WAIT": 1}, nil},
		"fullnat-proc.txt":         {4, 0, map[string]int{"TCP ESTABLISHED": 1, "TCP FIN_WAIT": 1, "TCP SYN_RECV": 1, "ICMP ICMP": 1}, nil},
		"pasted-service-names.txt": {9, 0, map[string]int{"TCP SYN_RECV": 3, "TCP FIN_WAIT": 3, "TCP ESTABLISHED": 3}, nil},
		"wild.txt": {14, 2, map[string]int{
			"TCP ESTABLISHED": 7, "UDP UDP": 1, "TCP SYN_RECV": 1, "TCP FIN_WAIT": 2, "TCP TIME_WAIT": 1, "DCCP REQUEST": 1, "IP_50 ERR!": 1,
		}, map[string]int{"TCP NONE": 1, "IP NONE": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			compare(t, summaryOf(t, "../../testdata/"+name), want)
		})
	}
}

func compare(t *testing.T, got *document, want *count) {
	t.Helper()
	equal(t, "connections", got.Connections, want.connections)
	equal(t, "templates", got.Templates, want.templates)
	states, templates := map[string]int{}, map[string]int{}
	for _, s := range got.States {
		state := ""
		if s.State != nil {
			state = *s.State
		}
		states[s.Protocol+" "+state] += s.Count
	}
	for _, s := range got.TemplateStates {
		templates[s.Protocol+" "+s.State] += s.Count
	}
	if !maps.Equal(states, want.states) {
		t.Errorf("states: %v, want %v", states, want.states)
	}
	if !maps.Equal(templates, want.templateStates) {
		t.Errorf("template states: %v, want %v", templates, want.templateStates)
	}
}
