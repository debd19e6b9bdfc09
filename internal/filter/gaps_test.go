package filter

import (
	"bufio"
	"bytes"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"ipvsstate/internal/conn"
)

// TestEveryWordIsTaken holds New to every word that a listing of a known kernel has.
func TestEveryWordIsTaken(t *testing.T) {
	for _, s := range conn.States() {
		f, err := New([]Term{{State, s.String(), false}})
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		for _, other := range conn.States() {
			want := other == s || s.String() == "?" && len(other.String()) == 1
			if got := f.Match(&conn.Entry{State: other}); got != want {
				t.Errorf("--state %s of %s is %v", s, other, got)
			}
		}
	}
	for _, p := range conn.Protocols() {
		f, err := New([]Term{{Protocol, strings.ToLower(p.String()), false}})
		if err != nil {
			t.Fatal(err)
		}
		for _, other := range conn.Protocols() {
			if got := f.Match(&conn.Entry{Protocol: other}); got != (other == p) {
				t.Errorf("--proto %s of %s is %v", p, other, got)
			}
		}
	}
}

// TestEveryServiceIsTaken holds New to every name that a listing may have for a port, by
// itself and behind an address, for each protocol.
func TestEveryServiceIsTaken(t *testing.T) {
	text, err := os.ReadFile("../conn/services.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		word := strings.Fields(s.Text())
		if len(word) != 3 || word[0] == "#" {
			continue
		}
		n++
		for _, term := range []Term{{Port, word[0], false}, {Virtual, ":" + word[0], false}, {Virtual, "[2001:db8::1]:" + word[0], false}} {
			f, err := New([]Term{term})
			if err != nil {
				t.Errorf("%s: %v", s.Text(), err)
				continue
			}
			for _, p := range conn.Protocols() {
				if p == conn.IP && term.Field == Port { // of a mark's template, which has none
					continue
				}
				port, ok := conn.ServicePort(p, word[0])
				e := conn.Entry{Protocol: p, Client: conn.Endpoint{Port: 1024, PortKnown: true},
					Virtual: conn.Endpoint{Addr: netip.MustParseAddr("2001:db8::1"), Port: port, PortKnown: true}}
				if got := f.Match(&e); got != ok {
					t.Errorf("%s of %s %d is %v", term, p, port, got)
				}
				e.Virtual.Port++
				if f.Match(&e) {
					t.Errorf("%s matches %s %d", term, p, e.Virtual.Port)
				}
			}
		}
	}
	if n < 1000 {
		t.Errorf("%d names", n)
	}
}

// TestNetworks holds addresses and networks to arithmetic with big numbers: the
// quotients by the network's size are equal.
func TestNetworks(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	number := func(a netip.Addr) *big.Int { return new(big.Int).SetBytes(a.AsSlice()) }
	for range 20000 {
		b := make([]byte, []int{4, 16}[r.IntN(2)])
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		a, _ := netip.AddrFromSlice(b)
		near := slices.Clone(b) // alike in the first bits
		if bit := r.IntN(8*len(b) + 1); bit < 8*len(b) {
			near[bit/8] ^= 1 << (7 - bit%8)
		}
		other, _ := netip.AddrFromSlice(near)
		bits := r.IntN(8*len(b) + 1)
		size := uint(8*len(b) - bits)
		want := new(big.Int).Rsh(number(a), size).Cmp(new(big.Int).Rsh(number(other), size)) == 0
		f, err := New([]Term{{Server, fmt.Sprintf("%s/%d", a, bits), false}})
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Match(&conn.Entry{Server: conn.Endpoint{Addr: other}}); got != want {
			t.Fatalf("%s of %s is %v", f, other, got)
		}
	}
}

// TestPatterns holds the matcher of patterns to regular expressions and to path.Match.
func TestPatterns(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	word := func(n int, of []string) (s string) {
		for range n {
			s += of[r.IntN(len(of))]
		}
		return s
	}
	for range 20000 {
		p := word(1+r.IntN(7), []string{"a", "B", "_", "*", "?"})
		w := word(1+r.IntN(7), []string{"a", "A", "b", "_"})
		if r.IntN(4) == 0 {
			w += word(1, []string{"é", "中", "/", "\xff"})
		}
		f, err := New([]Term{{Client, p, false}})
		if err != nil {
			t.Fatal(err)
		}
		got := f.Match(&conn.Entry{Client: conn.Endpoint{Host: w}})
		re := regexp.MustCompile("(?is)^" + strings.NewReplacer("*", ".*", "?", ".").Replace(p) + "$")
		if want := re.MatchString(w); got != want {
			t.Fatalf("%q of %q is %v, by regexp %v", p, w, got, want)
		}
		// path.Match lets a * take a part of a character, and no /.
		if want, _ := path.Match(strings.ToLower(p), strings.ToLower(w)); !strings.ContainsFunc(w, func(c rune) bool { return c == '/' || c >= utf8.RuneSelf }) && got != want {
			t.Fatalf("%q of %q is %v, by path.Match %v", p, w, got, want)
		}
	}
}

// TestShell has a shell take String apart.
func TestShell(t *testing.T) {
	for _, shell := range []string{"sh", "bash", "dash", "zsh"} {
		bin, err := exec.LookPath(shell)
		if err != nil {
			t.Logf("no %s", shell)
			continue
		}
		g := generator{rand.New(rand.NewPCG(11, 12))}
		script, want := "", ""
		for range 500 {
			f, err := New(append(g.terms(), Term{Expires, "=30s", false}))
			if err != nil {
				t.Fatal(err)
			}
			script += `printf '%s\n' ` + f.String() + "\n"
			for _, t := range f.terms {
				if t.Not {
					want += "--not\n" + string(t.Field) + "=" + t.Value + "\n"
				} else {
					want += "--" + string(t.Field) + "\n" + t.Value + "\n"
				}
			}
		}
		c := exec.Command(bin, "-c", script)
		c.Dir = t.TempDir()
		got, err := c.CombinedOutput()
		if err != nil || string(got) != want {
			gl, wl := strings.Split(string(got), "\n"), strings.Split(want, "\n")
			for i := range min(len(gl), len(wl)) {
				if gl[i] != wl[i] {
					t.Errorf("%s: %v: %q, want %q", shell, err, gl[i], wl[i])
					break
				}
			}
		}
	}
}

// TestTogether holds a filter of several fields to those of each, with entries of every
// sort, and asks in any order: what is told does not change what matches.
func TestTogether(t *testing.T) {
	g := generator{rand.New(rand.NewPCG(13, 14))}
	for range 2000 {
		terms := g.terms()
		all, err := New(terms)
		if err != nil {
			t.Fatal(err)
		}
		all.SetTiming(timing)
		by := map[Field][]Term{}
		var single []*Filter
		for _, term := range terms {
			by[term.Field] = append(by[term.Field], term)
		}
		for _, own := range by {
			f, _ := New(own)
			f.SetTiming(timing)
			single = append(single, f)
		}
		for range 50 {
			e := g.entry()
			if g.IntN(4) == 0 { // a firewall mark's
				e.Protocol, e.Virtual.Addr = conn.IP, netip.AddrFrom4([4]byte{0, 0, 0, byte(g.IntN(12))})
			}
			if g.IntN(10) == 0 { // a garbled row
				e = conn.Entry{Expires: conn.Unknown, Timeout: conn.Unknown}
			}
			want := true
			for _, f := range single {
				want = f.Match(&e) && want
			}
			if got := all.Match(&e); got != want {
				t.Fatalf("%s of %+v is %v, its fields one by one %v", all, e, got, want)
			}
		}
		want := 0
		for _, f := range single {
			want += len(f.Untold())
		}
		if got := all.Untold(); len(got) != want {
			t.Fatalf("%s: %v are not told, of the fields one by one %d", all, got, want)
		}
	}
}
