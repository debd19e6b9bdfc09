//go:build linux

package kernel

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A joined document is the JSON of `ipvsstate services`.
type joined struct {
	Connections, Templates int
	ConfigFrom             string `json:"config_from"`
	Services               []joinedService
	Orphans                []struct {
		Service, Server, Why   string
		Connections, Templates int
		Longest                int `json:"longest_expires_seconds"`
	}
	Invalidated, Unassigned, Lost struct{ Connections, Templates int }
	Sysctls                       map[string]string
}

type joinedService struct {
	Protocol, Virtual, Scheduler string
	Flags                        string `json:"scheduler_flags"`
	Fwmark                       *uint32
	Persistent                   int  `json:"persistent_seconds"`
	OnePacket                    bool `json:"one_packet"`
	Connections, Templates       int
	Servers                      []struct {
		Server, Forwarding     string
		Weight                 int
		Active                 *int `json:"kernel_active"`
		Inactive               *int `json:"kernel_inactive"`
		Connections, Templates int
		States                 map[string]int
		Disagrees              bool
	}
}

func (s joinedService) name() string {
	if s.Fwmark != nil {
		return "FWM " + strconv.Itoa(int(*s.Fwmark))
	}
	return s.Protocol + " " + s.Virtual
}

func (r results) joined(t *testing.T, name string) joined {
	t.Helper()
	if code, messages := r.exit(t, name); code != "0" {
		t.Fatalf("%s: exit code %s: %s", name, code, messages)
	}
	var d joined
	if err := json.Unmarshal([]byte(r.text(t, name+".out")), &d); err != nil {
		t.Fatal(err)
	}
	connections, templates := d.Invalidated.Connections+d.Unassigned.Connections+d.Lost.Connections, d.Invalidated.Templates+d.Unassigned.Templates+d.Lost.Templates
	for _, s := range d.Services {
		connections, templates = connections+s.Connections, templates+s.Templates
	}
	for _, o := range d.Orphans {
		if o.Why == "service_gone" {
			connections, templates = connections+o.Connections, templates+o.Templates
		}
	}
	if connections != d.Connections || templates != d.Templates {
		t.Errorf("%s: all that is told of is %d connections and %d templates, the table has %d and %d", name, connections, templates, d.Connections, d.Templates)
	}
	return d
}

// lines are the services and servers in the form of joinedLines.
func (d joined) lines(counters bool) []string {
	var lines []string
	for _, s := range d.Services {
		lines = append(lines, fmt.Sprintf("%s %s flags=%s persistent=%d ops=%v", s.name(), s.Scheduler, s.Flags, s.Persistent, s.OnePacket))
		for _, r := range s.Servers {
			line := fmt.Sprintf("%s -> %s %s weight=%d", s.name(), r.Server, r.Forwarding, r.Weight)
			if counters {
				line += fmt.Sprintf(" %d+%d", *r.Active, *r.Inactive)
			}
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return lines
}

// joinedLines are the services and servers of ipvsadm -Ln. Of weights moby/ipvs has the lower 16 bits alone.
func joinedLines(t *testing.T, text string, counters, cut bool) []string {
	t.Helper()
	var lines []string
	service := ""
	for _, line := range strings.Split(strings.TrimSpace(text), "\n")[3:] {
		f := strings.Fields(line)
		if f[0] == "->" {
			weight, err := strconv.Atoi(f[3])
			if err != nil {
				t.Fatal(err)
			}
			if cut {
				weight %= 1 << 16
			}
			line := fmt.Sprintf("%s -> %s %s weight=%d", service, f[1], f[2], weight)
			if counters {
				line += " " + f[4] + "+" + f[5]
			}
			lines = append(lines, line)
			continue
		}
		service = f[0] + " " + f[1]
		options := f[2:]
		if options[0] == "IPv6" {
			options = options[1:]
		}
		persistent, flags := "0", ""
		if i := slices.Index(options, "persistent"); i > 0 {
			persistent = options[i+1]
		}
		if len(options) > 1 && strings.HasPrefix(options[1], "(") {
			flags = strings.Trim(options[1], "()")
		}
		lines = append(lines, fmt.Sprintf("%s %s flags=%s persistent=%s ops=%v", service, options[0], flags, persistent, slices.Contains(options, "ops")))
	}
	slices.Sort(lines)
	return lines
}

// servicesJoined holds `ipvsstate services`, live and from saved listings, against ipvsadm.
func servicesJoined(t *testing.T, r results) {
	listing := r.text(t, "joined.listing.txt")
	for _, way := range []struct {
		name     string
		counters bool
	}{{"live", true}, {"files", true}, {"pipe", true}, {"rules", false}} {
		t.Run(way.name, func(t *testing.T) {
			d := r.joined(t, "joined."+way.name)
			sameLines(t, d.lines(way.counters), joinedLines(t, r.text(t, "joined.services.txt"), way.counters, way.name == "live"))
			if from := map[bool]string{true: "kernel", false: "listing"}[way.name == "live"]; d.ConfigFrom != from {
				t.Errorf("the configuration is from %s, want %s", d.ConfigFrom, from)
			}
			for _, o := range d.Orphans {
				// The client's first connection is left to the server that went away.
				if o.Service != "TCP 10.9.0.1:445" || o.Server != "10.2.1.2:8001" || o.Why != "server_gone" || o.Connections != 1 {
					t.Errorf("%+v points at a server that is there", o)
				}
			}
			if len(d.Orphans) != 1 || d.Invalidated.Templates != 1 || d.Unassigned.Connections+d.Unassigned.Templates != 0 {
				t.Errorf("orphans %+v, invalidated %+v, unassigned %+v", d.Orphans, d.Invalidated, d.Unassigned)
			}
			joinedCounts(t, d, listing)
			for _, s := range d.Services {
				for _, n := range s.Servers {
					if n.Disagrees {
						t.Errorf("%s -> %s disagrees with a table that stands still", s.name(), n.Server)
					}
				}
			}
		})
	}
	t.Run("list", func(t *testing.T) {
		withoutTime := func(text string) []string {
			var rows []string
			for _, line := range strings.Split(strings.TrimSpace(text), "\n")[2:] {
				f := strings.Fields(line)
				rows = append(rows, strings.Join(append(f[:1:1], f[2:]...), " "))
			}
			slices.Sort(rows)
			return rows
		}
		sameLines(t, withoutTime(r.text(t, "joined.list.out")), withoutTime(listing))
		if got, want := len(strings.Split(r.text(t, "joined.proc.out"), "\n")), len(strings.Split(listing, "\n"))-1; got != want {
			t.Errorf("-o proc has %d lines, want %d", got, want)
		}
	})
}

// joinedCounts holds each server's connections by state against the listing, where its address tells the service.
func joinedCounts(t *testing.T, d joined, listing string) {
	t.Helper()
	want := map[string]int{}
	for _, line := range strings.Split(strings.TrimSpace(listing), "\n")[2:] {
		if f := strings.Fields(line); !strings.HasSuffix(f[3], ":0") {
			want[f[0]+" "+f[4]+" -> "+f[5]+" "+f[2]]++
		}
	}
	for _, s := range d.Services {
		for _, n := range s.Servers {
			sum := 0
			for state, count := range n.States {
				sum += count
				if s.Fwmark == nil && want[s.name()+" -> "+n.Server+" "+state] != count {
					t.Errorf("%s -> %s has %d in %s, the listing %d", s.name(), n.Server, count, state, want[s.name()+" -> "+n.Server+" "+state])
				}
			}
			if sum != n.Connections {
				t.Errorf("%s -> %s: %d connections, %d by state", s.name(), n.Server, n.Connections, sum)
			}
			if n.Active != nil && *n.Active+*n.Inactive != n.Connections {
				t.Errorf("%s -> %s: %d connections, the kernel counts %d+%d", s.name(), n.Server, n.Connections, *n.Active, *n.Inactive)
			}
		}
	}
}

// leftBehind holds what is said of a removed server, a deleted service and a drained server against the listing.
func leftBehind(t *testing.T, r results) {
	listing := r.text(t, "left.listing.txt")
	count, longest := map[string]int{}, map[string]int{}
	for _, line := range strings.Split(strings.TrimSpace(listing), "\n")[2:] {
		f := strings.Fields(line)
		key := f[0] + " " + f[4] + " " + f[5]
		minutes, seconds, _ := strings.Cut(f[1], ":")
		m, _ := strconv.Atoi(minutes)
		s, _ := strconv.Atoi(seconds)
		count[key]++
		longest[key] = max(longest[key], m*60+s)
	}
	for _, name := range []string{"live", "files", "pipe"} {
		t.Run(name, func(t *testing.T) {
			d := r.joined(t, "left."+name)
			found := map[string]string{}
			for _, o := range d.Orphans {
				key := o.Service + " " + o.Server
				found[key] = o.Why
				if o.Connections+o.Templates != count[key] {
					t.Errorf("%s has %d+%d, the listing %d", key, o.Connections, o.Templates, count[key])
				}
				if late := longest[key] - o.Longest; late < -3 || late > 3 {
					t.Errorf("%s is gone after %d s, the listing says %d", key, o.Longest, longest[key])
				}
			}
			for key, why := range map[string]string{
				"TCP 10.9.0.1:80 10.2.1.2:8001": "server_gone", "UDP 10.9.0.1:53 10.2.1.2:8010": "service_gone", "TCP 10.9.0.1:445 10.2.1.2:8001": "server_gone",
			} {
				if found[key] != why {
					t.Errorf("%s is %q, want %s", key, found[key], why)
				}
				delete(found, key)
			}
			if len(found) > 0 {
				t.Errorf("more orphans: %v", found)
			}
			drained, cut := false, false
			for _, s := range d.Services {
				for _, n := range s.Servers {
					drained = drained || n.Server == "10.2.1.2:8003" && n.Weight == 0 && n.Connections == 3
					cut = cut || n.Server == "10.2.1.2:98" && n.Weight == map[bool]int{true: 70000 - 65536, false: 70000}[name == "live"]
				}
			}
			if !drained || !cut {
				t.Errorf("the drained server (%v) or the heavy one (%v) is not as it should be: %+v", drained, cut, d.Services)
			}
			if name == "live" && d.Sysctls["expire_nodest_conn"] != strings.TrimSpace(r.text(t, "left.nodest.txt")) {
				t.Errorf("sysctls %v", d.Sysctls)
			}
		})
	}
}
