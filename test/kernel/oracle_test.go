//go:build linux

package kernel

import (
	"encoding/hex"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// counts is what a table holds, as one flat list of numbers: "connections", "state TCP ESTABLISHED",
// "service TCP 10.9.0.1:80 templates" and the like. Zero and absent are the same.
type counts map[string]int

// add counts one entry. A template has no client port, or stands for a firewall mark under the protocol IP; one that
// lost its real server has the virtual port 65535 and belongs to no service any more.
func (c counts) add(protocol, state string, client, virtual netip.AddrPort) {
	what := "connections"
	if client.Port() == 0 || protocol == "IP" {
		what = "templates"
		c["template state "+protocol+" "+state]++
	} else {
		c["state "+protocol+" "+state]++
	}
	c[what]++
	if what == "templates" && virtual.Port() == 65535 {
		return
	}
	service := "service " + protocol + " " + serviceName(protocol, virtual)
	c[service+" "+what]++
	if what == "connections" {
		c[service+" state "+state]++
	}
}

// serviceName is the virtual address, or the firewall mark, which the kernel keeps in the address's first four bytes.
func serviceName(protocol string, virtual netip.AddrPort) string {
	if protocol != "IP" {
		return virtual.String()
	}
	b := virtual.Addr().AsSlice()
	return fmt.Sprintf("fwmark %d", uint32(b[0])<<24|uint32(b[1])<<16|uint32(b[2])<<8|uint32(b[3]))
}

// countListing counts the output of ipvsadm -Lcn.
func countListing(t *testing.T, text string) counts {
	t.Helper()
	c := counts{}
	for _, line := range strings.Split(strings.TrimSpace(text), "\n")[2:] {
		f := strings.Fields(line)
		c.add(f[0], f[2], netip.MustParseAddrPort(f[3]), netip.MustParseAddrPort(f[4]))
	}
	return c
}

// countProc counts /proc/net/ip_vs_conn or ip_vs_conn_sync, whose first columns are the same.
func countProc(t *testing.T, text string) counts {
	t.Helper()
	c := counts{}
	for _, line := range strings.Split(strings.TrimSpace(text), "\n")[1:] {
		f := strings.Fields(line)
		c.add(f[0], f[7], endpoint(t, f[1], f[2]), endpoint(t, f[3], f[4]))
	}
	return c
}

func endpoint(t *testing.T, address, port string) netip.AddrPort {
	t.Helper()
	raw, err := hex.DecodeString(strings.ReplaceAll(address, ":", ""))
	if err != nil {
		t.Fatal(err)
	}
	addr, ok := netip.AddrFromSlice(raw)
	n, err := strconv.ParseUint(port, 16, 16)
	if err != nil || !ok {
		t.Fatalf("not an endpoint: %s %s", address, port)
	}
	return netip.AddrPortFrom(addr, uint16(n))
}

// same reports every number in which two counts of one table differ.
func same(t *testing.T, got, want counts) {
	t.Helper()
	keys := maps.Clone(want)
	maps.Copy(keys, got)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if got[key] != want[key] {
			t.Errorf("%s: got %d, want %d", key, got[key], want[key])
		}
	}
}

// serviceLines brings the output of ipvsadm -Ln into the form of document.kernelLines.
func serviceLines(t *testing.T, text string) []string {
	t.Helper()
	var lines []string
	service := ""
	for _, line := range strings.Split(strings.TrimSpace(text), "\n")[3:] {
		f := strings.Fields(line)
		if f[0] == "->" {
			lines = append(lines, fmt.Sprintf("%s -> %s %s weight=%s active=%s inactive=%s", service, f[1], f[2], f[3], f[4], f[5]))
			continue
		}
		mark := "0"
		if service = f[0] + " " + f[1]; f[0] == "FWM" {
			mark = f[1]
			service = "FWM fwmark " + mark
		}
		options := f[2:]
		if options[0] == "IPv6" {
			options = options[1:]
		}
		persistent := "0"
		if i := slices.Index(options, "persistent"); i > 0 {
			persistent = options[i+1]
		}
		lines = append(lines, fmt.Sprintf("%s fwmark=%s scheduler=%s persistent=%s", service, mark, options[0], persistent))
	}
	slices.Sort(lines)
	return lines
}

// sameLines reports the lines that only one of two sorted lists has.
func sameLines(t *testing.T, got, want []string) {
	t.Helper()
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("missing: %s", line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("not so:  %s", line)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d lines, want %d", len(got), len(want))
	}
}
