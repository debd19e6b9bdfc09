package parse

import (
	"bytes"
	"net/netip"
	"testing"

	"ipvsstate/internal/conn"
)

// FuzzScan holds the scanner to what it promises of any input: every line is one
// line, the fast reader agrees with the grammar, each line reads the same alone,
// and an entry that is written out reads back as itself.
func FuzzScan(f *testing.F) {
	for _, name := range listings(f) {
		data := read(f, name)
		f.Add(data)
		for line := range bytes.Lines(data) {
			f.Add(bytes.Clone(line))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		want := bytes.Count(data, []byte("\n"))
		if len(data) > 0 && data[len(data)-1] != '\n' {
			want++
		}
		var s, slow Scanner
		s.Reset(bytes.Clone(data))
		slow.Reset(bytes.Clone(data))
		lines := 0
		for s.Scan() {
			lines++
			slow.dirt = true // plainRow leaves such a row to the grammar
			if !slow.Scan() {
				t.Fatal("the grammar alone sees fewer lines")
			}
			l := s.Line()
			if a, b := describe(l), describe(slow.Line()); a != b {
				t.Fatalf("plainRow reads %q, row reads %q", a, b)
			}
			if l.Number != lines {
				t.Fatalf("line %d has number %d", lines, l.Number)
			}
			switch l.Kind {
			case EntryLine:
				checkEntry(t, l)
			case BadLine:
				if l.Err.Line != lines || l.Err.Column < 1 || l.Err.Column > len(l.Text)+1 {
					t.Fatalf("bad line %d of %d bytes has position %d:%d", lines, len(l.Text), l.Err.Line, l.Err.Column)
				}
			}
		}
		if lines != want {
			t.Fatalf("%d lines read, %d are there", lines, want)
		}
	})
}

func checkEntry(t *testing.T, l *Line) {
	e := l.Entry
	if e.Expires < conn.Unknown || e.Expires > maxExpires || e.Timeout < conn.Unknown {
		t.Fatalf("times out of range: %s", describe(l))
	}
	if l.Garbled && (e.State != (conn.State{}) || e.Expires != conn.Unknown) {
		t.Fatalf("a garbled row tells its state: %s", describe(l))
	}
	if !l.Garbled && e.State.String() == "" || e.Protocol.String() == "" {
		t.Fatalf("no state or no protocol: %s", describe(l))
	}
	checkWritten(t, l)
}

// FuzzIPv4 holds the address reader against the standard library's.
func FuzzIPv4(f *testing.F) {
	for _, s := range []string{"0.0.0.0", "255.255.255.255", "1.2.3.256", "01.2.3.4", "1.123456789.2.3", "1.2.3", "1.2.3.4.5", "1..2.3", "1234.1.1.1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := plainIPv4([]byte(text))
		want, err := netip.ParseAddr(text)
		if wantOK := err == nil && want.Is4(); ok != wantOK || ok && got != want {
			t.Fatalf("plainIPv4(%q) = %v, %v; netip.ParseAddr says %v, %v", text, got, ok, want, err)
		}
	})
}

// FuzzIPv6 holds the address reader against the standard library's.
func FuzzIPv6(f *testing.F) {
	for _, s := range []string{"::", "::1", "fd00:1::10", "1:2:3:4:5:6:7:8", "::ffff:192.0.2.1", "64:ff9b::192.0.2.1", "1::", "0:14::", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := ipv6([]byte(text))
		want, err := netip.ParseAddr(text)
		if wantOK := err == nil && want.Is6() && want.Zone() == ""; ok != wantOK || ok && got != want {
			t.Fatalf("ipv6(%q) = %v, %v; netip.ParseAddr says %v, %v", text, got, ok, want, err)
		}
	})
}
