//go:build linux

package kernel

import (
	"fmt"
	"slices"
	"testing"
)

// A document is the JSON that ipvsstate prints, as far as the kernel can be held against it.
type document struct {
	Schema int
	Source struct {
		Kind, Format string
	}
	Snapshot struct {
		Complete *bool // absent means complete
	}
	Input struct {
		Lines, Entries, Skipped, Bad, Duplicates int
	}
	Connections, Templates int
	States                 []struct {
		Protocol, State, Meaning string
		Count                    int
	}
	TemplateStates []struct {
		Protocol, State string
		Count           int
	} `json:"template_states"`
	Services []struct {
		Protocol, Virtual      string
		Connections, Templates int
		States                 map[string]int
	}
	Kernel *struct {
		Services []kernelService
		Timeouts *struct {
			TCP    int `json:"tcp_seconds"`
			TCPFin int `json:"tcp_fin_seconds"`
			UDP    int `json:"udp_seconds"`
		}
		Missing []struct{ What, Why string }
	}
}

type kernelService struct {
	Protocol, Virtual, Scheduler string
	Fwmark                       int
	PersistentSeconds            int `json:"persistent_seconds"`
	Servers                      []struct {
		Server, Forwarding       string
		Weight, Active, Inactive int
	}
}

func (d document) complete() bool { return d.Snapshot.Complete == nil || *d.Snapshot.Complete }

// check holds for every document, whatever was read.
func (d document) check(t *testing.T) {
	t.Helper()
	in := d.Input
	if d.Schema != 1 {
		t.Errorf("schema %d, want 1", d.Schema)
	}
	if in.Lines != in.Entries+in.Skipped+in.Bad {
		t.Errorf("lines are not entries + skipped + bad: %+v", in)
	}
	if in.Bad != 0 {
		t.Errorf("%d bad lines in what a kernel or ipvsadm printed", in.Bad)
	}
	if d.Connections+d.Templates != in.Entries-in.Duplicates {
		t.Errorf("%d connections + %d templates are not the entries without the duplicates: %+v", d.Connections, d.Templates, in)
	}
	states, templates := 0, 0
	for _, s := range d.States {
		states += s.Count
		if s.Count > 0 && s.Meaning == "" {
			t.Errorf("%s %s has no meaning", s.Protocol, s.State)
		}
	}
	for _, s := range d.TemplateStates {
		templates += s.Count
	}
	if states != d.Connections || templates != d.Templates {
		t.Errorf("the states add up to %d and %d, the totals are %d connections and %d templates",
			states, templates, d.Connections, d.Templates)
	}
}

// counts are the document's numbers under the keys of the oracle.
func (d document) counts() counts {
	c := counts{"connections": d.Connections, "templates": d.Templates}
	for _, s := range d.States {
		c["state "+s.Protocol+" "+s.State] += s.Count
	}
	for _, s := range d.TemplateStates {
		c["template state "+s.Protocol+" "+s.State] += s.Count
	}
	for _, s := range d.Services {
		key := "service " + s.Protocol + " " + s.Virtual
		c[key+" connections"] += s.Connections
		c[key+" templates"] += s.Templates
		for state, n := range s.States {
			c[key+" state "+state] += n
		}
	}
	return c
}

// kernelLines are the kernel's services, one line for each service and each of its servers, sorted.
func (d document) kernelLines() []string {
	if d.Kernel == nil {
		return nil
	}
	var lines []string
	for _, s := range d.Kernel.Services {
		service := s.Protocol + " " + s.Virtual
		lines = append(lines, fmt.Sprintf("%s fwmark=%d scheduler=%s persistent=%d", service, s.Fwmark, s.Scheduler, s.PersistentSeconds))
		for _, r := range s.Servers {
			lines = append(lines, fmt.Sprintf("%s -> %s %s weight=%d active=%d inactive=%d",
				service, r.Server, r.Forwarding, r.Weight, r.Active, r.Inactive))
		}
	}
	slices.Sort(lines)
	return lines
}

// timeouts are the kernel's three timeouts as ipvsadm prints them.
func (d document) timeouts() string {
	if d.Kernel == nil || d.Kernel.Timeouts == nil {
		return "none"
	}
	return fmt.Sprint(d.Kernel.Timeouts.TCP, d.Kernel.Timeouts.TCPFin, d.Kernel.Timeouts.UDP)
}
