package check

import (
	"math"
	"os"
	"strings"
	"testing"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/parse"
	"ipvsstate/internal/services"
	"ipvsstate/internal/tally"
)

// TestRange has the examples of the guidelines' table, and their ends.
func TestRange(t *testing.T) {
	tests := []struct {
		text   string
		alerts []float64
		fine   []float64
		again  string // how it is written, where that differs
	}{
		{"10", []float64{-1, 10.5, 11}, []float64{0, 5, 10}, ""},
		{"10:", []float64{9.9, 0, -5}, []float64{10, 1e9}, ""},
		{"~:10", []float64{10.1, 11}, []float64{10, 0, -1e9}, ""},
		{"10:20", []float64{9, 21}, []float64{10, 15, 20}, ""},
		{"@10:20", []float64{10, 15, 20}, []float64{9.9, 20.1}, ""},
		{"0:10", []float64{-1, 11}, []float64{0, 10}, "10"},
		{":10", []float64{-1, 11}, []float64{0, 10}, "10"},
		{"@0:0", []float64{0}, []float64{1, -1}, "@0"},
		{"~:", nil, []float64{-1e9, 0, 1e9}, ""},
		{"0:", []float64{-1}, []float64{0, 1e9}, ""},
		{"1.5:2.25", []float64{1.4, 2.3}, []float64{1.5, 2.25}, ""},
		{"-5:5", []float64{-6, 6}, []float64{-5, 0, 5}, ""},
		{"2.20:100", []float64{2, 101}, []float64{2.2, 100}, "2.2:100"},
		{"-0.001:5", []float64{-1, 6}, []float64{0, 5}, "0:5"},
		{"11700000000026766", []float64{-1, 11700000000026768}, []float64{11700000000026766}, ""},
	}
	for _, tt := range tests {
		for _, sign := range []string{"", "%"} {
			r, err := ParseRange(tt.text + sign)
			if err != nil || r.Percent != (sign != "") {
				t.Errorf("%s%s: %+v, %v", tt.text, sign, r, err)
				continue
			}
			for _, v := range tt.alerts {
				if !r.Alerts(v) {
					t.Errorf("%s: no alert for %v", tt.text, v)
				}
			}
			for _, v := range tt.fine {
				if r.Alerts(v) {
					t.Errorf("%s: an alert for %v", tt.text, v)
				}
			}
			want := tt.again
			if want == "" {
				want = tt.text
			}
			if got := r.String(); got != want {
				t.Errorf("%s is written %q, want %q", tt.text, got, want)
			}
		}
	}
	for _, text := range []string{"", "%", ":", "@", "x", "20:10", "10:20:30", "1e3", "~", "10%%", "10 ", "0x10", "inf", "NaN", "~:~", "@:"} {
		if r, err := ParseRange(text); err == nil {
			t.Errorf("%q is read as %+v", text, r)
		}
	}
}

func FuzzRange(f *testing.F) {
	for _, text := range []string{"10", "10:", "~:10", "@10:20%", "-1.5:2", "-0.001:0.005", "11700000000026766"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseRange(text)
		if err != nil {
			return
		}
		again, err := ParseRange(r.String())
		again.Percent = r.Percent
		// What is written is rounded to two places.
		if err != nil || math.Abs(again.From-r.From) > 0.01 || math.Abs(again.To-r.To) > 0.01 || again.Inside != r.Inside {
			t.Errorf("%q is %+v, its text %q %+v, %v", text, r, r.String(), again, err)
		}
	})
}

func TestSelectorErrors(t *testing.T) {
	for _, text := range []string{"", "x", "state", "state:", "state:NOPE", "proto:", "proto:XYZ", "connections:1", "templates:x", "service:", "service:192.0.2.1", "service:192.0.2.1:", "service::80",
		"service:192.0.2.1:99999", "service:192.0.2.300:80", "service:2001:db8::1:80", "service:[2001:db8::1:80", "service:2001:db8::1]:80", "service:[192.0.2.1]:80", "service:192.0.2.1:80/NOPE", "service:XXX@192.0.2.1:80",
		"service:fwmark:0", "service:fwmark:x", "server:10.0.0.1:80/"} {
		if s, err := ParseSelector(text); err == nil {
			t.Errorf("%q is read as %+v", text, s)
		}
	}
}

func FuzzSelector(f *testing.F) {
	for _, text := range []string{"state:SYN_RECV", "service:UDP@192.0.2.1:53/UDP", "service:[2001:db8::1]:http", "service:fwmark:10", "server:web1:80", "connections"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSelector(text)
		if err != nil {
			return
		}
		m := &Metric{Selector: s}
		r := m.Evaluate(tally.New(tally.Options{Plan: &tally.Plan{By: services.By()}}), &services.Report{})
		if data := r.Perfdata(); strings.ContainsAny(data[:strings.LastIndexByte(data, '=')], "|=\n\r") {
			t.Errorf("%q makes the data %q", text, data)
		}
	})
}

// counted is a bundled listing, counted.
func counted(t *testing.T, name string) (string, *tally.Tally, *services.Report) {
	t.Helper()
	text, err := os.ReadFile("../../testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	c := tally.New(tally.Options{Plan: &tally.Plan{By: services.By()}})
	var s parse.Scanner
	padded := append(append([]byte{}, text...), make([]byte, parse.Pad)...)
	for s.Reset(padded[:len(text):len(padded)]); s.Scan(); {
		if l := s.Line(); l.Kind == parse.EntryLine {
			c.Add(&l.Entry)
		}
	}
	return string(text), c, services.NewReport(c.Groups(), nil, true)
}

// TestEvaluate counts a capture by the columns of its text.
func TestEvaluate(t *testing.T) {
	text, c, r := counted(t, "k6.1-ipvsadm-Lnc.txt")
	count := func(keep func(w []string) bool) (n float64) {
		for line := range strings.Lines(text) {
			if w := strings.Fields(line); len(w) == 6 && strings.Contains(w[1], ":") && !strings.HasSuffix(w[3], ":0") && keep(w) {
				n++
			}
		}
		return n
	}
	all := count(func([]string) bool { return true })
	const vip, rs = "10.0.1.100:80", "10.0.0.12:80"
	ofVIP := count(func(w []string) bool { return w[4] == vip })
	ofRS := count(func(w []string) bool { return w[5] == rs })
	tests := map[string]float64{
		"connections=1":                     all,
		"state:established=1":               count(func(w []string) bool { return w[2] == "ESTABLISHED" }),
		"state:SYN_RECV=1%":                 100 * count(func(w []string) bool { return w[2] == "SYN_RECV" }) / all,
		"proto:UDP=1":                       count(func(w []string) bool { return w[0] == "UDP" }),
		"service:10.0.1.100:80=1":           ofVIP,
		"service:10.0.1.100:http=1":         ofVIP,
		"service:TCP@10.0.1.100:80=1":       ofVIP,
		"service:UDP@10.0.1.100:80=1":       0,
		"service:10.0.1.100:80/CLOSE=1":     count(func(w []string) bool { return w[4] == vip && w[2] == "CLOSE" }),
		"service:10.0.1.100:80/CLOSE=1%":    100 * count(func(w []string) bool { return w[4] == vip && w[2] == "CLOSE" }) / ofVIP,
		"service:10.0.1.100:80=1%":          100 * ofVIP / all,
		"service:[fd00:1::100]:80=1":        count(func(w []string) bool { return w[4] == "[fd00:1::100]:80" }),
		"server:10.0.0.12:80=1":             ofRS,
		"server:10.0.0.12:80/ESTABLISHED=1": count(func(w []string) bool { return w[5] == rs && w[2] == "ESTABLISHED" }),
		"service:203.0.113.9:80=1":          0,
	}
	for text, want := range tests {
		m, err := Add(nil, text, false)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := m[0].Evaluate(c, r); math.Abs(got.Value-want) > 1e-9 {
			t.Errorf("%s: %v, want %v", text, got.Value, want)
		}
	}
	if all == 0 || ofVIP == 0 || ofRS == 0 {
		t.Fatal("the capture has nothing to count")
	}
}

// TestAdd: both ranges of a selector are one metric; the critical one goes first.
func TestAdd(t *testing.T) {
	_, c, r := counted(t, "k6.1-ipvsadm-Lnc.txt")
	var all []*Metric
	var err error
	for _, v := range []struct {
		text     string
		critical bool
	}{{"connections=5", false}, {"connections=10", true}, {"state:SYN_RECV=1%", false}, {"state:SYN_RECV=100", true}, {"service:203.0.113.9:80/CLOSE=1%", true}} {
		if all, err = Add(all, v.text, v.critical); err != nil {
			t.Fatal(err)
		}
	}
	if len(all) != 4 {
		t.Fatalf("%d metrics, want 4: a share and a count are two", len(all))
	}
	want := []struct {
		status Status
		data   string
	}{
		{Critical, "connections=36;5;10;0;"},
		{Warning, "'state:SYN_RECV'=8.33%;1;;0;"},
		{OK, "'state:SYN_RECV'=3;;100;0;"},
		{OK, "'service:203.0.113.9:80/CLOSE'=U;;1;0;"},
	}
	for i, m := range all {
		v := m.Evaluate(c, r)
		if v.Status != want[i].status || v.Perfdata() != want[i].data {
			t.Errorf("%s: %s, %s; want %s, %s", m.Selector, v.Status, v.Perfdata(), want[i].status, want[i].data)
		}
	}
	for _, text := range []string{"connections", "=5", "connections=", "state:X=1"} {
		if _, err := Add(nil, text, false); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

// TestUsual: what a listing calls its states cannot break the line.
func TestUsual(t *testing.T) {
	c := tally.New(tally.Options{})
	bad, _ := conn.StateOf("A|B=C'\n")
	for _, s := range []conn.State{conn.Established, bad} {
		c.Add(&conn.Entry{Protocol: conn.TCP, State: s, Expires: 1, Timeout: conn.Unknown})
	}
	if got, want := strings.Join(Usual(c), " "), "connections=2;;;0; templates=0;;;0; 'TCP ESTABLISHED'=1;;;0;"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
