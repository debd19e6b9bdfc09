package history

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"testing"
)

// TestCryptoPAn holds pseudonyms to the sample that is published with Crypto-PAn.
func TestCryptoPAn(t *testing.T) {
	p := newPseudonyms([keyLength]byte{
		21, 34, 23, 141, 51, 164, 207, 128, 19, 10, 91, 22, 73, 144, 125, 16,
		216, 152, 143, 131, 121, 121, 101, 39, 98, 87, 76, 45, 42, 132, 34, 2,
	})
	for address, want := range map[string]string{
		"128.11.68.132": "135.242.180.132", "129.118.74.4": "134.136.186.123", "130.132.252.244": "133.68.164.234",
		"141.223.7.43": "141.167.8.160", "141.233.145.108": "141.129.237.235", "152.163.225.39": "151.140.114.167",
		"156.29.3.236": "147.225.12.42", "165.247.96.84": "162.9.99.234", "166.107.77.190": "160.132.178.185",
	} {
		if got := p.Of(netip.MustParseAddr(address)).String(); got != want {
			t.Errorf("%s becomes %s, want %s", address, got, want)
		}
	}
}

// common is how many bits two addresses share from the first on.
func common(a, b netip.Addr) int {
	x, y := a.AsSlice(), b.AsSlice()
	for i := range 8 * len(x) {
		if bit := byte(0x80) >> (i % 8); (x[i/8]^y[i/8])&bit != 0 {
			return i
		}
	}
	return 8 * len(x)
}

// TestNetworksStayTogether: what two addresses share their pseudonyms share, no more and no less.
func TestNetworksStayTogether(t *testing.T) {
	p := RandomPseudonyms()
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 4000 {
		length := 4 + n%2*12
		a := make([]byte, length)
		for i := range a {
			a[i] = byte(random.Uint32())
		}
		b := append([]byte{}, a...)
		for i := random.IntN(8*length + 1); i < 8*length; i++ {
			b[i/8] ^= byte(random.IntN(2)) << (7 - i%8)
		}
		from, to := addr(a), addr(b)
		if want, got := common(from, to), common(p.Of(from), p.Of(to)); got != want {
			t.Fatalf("%s and %s share %d bits, %s and %s %d", from, to, want, p.Of(from), p.Of(to), got)
		}
		if p.Of(from).Is4() != from.Is4() {
			t.Fatalf("%s becomes %s", from, p.Of(from))
		}
	}
}

func addr(b []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(b)
	return a
}

func TestKeys(t *testing.T) {
	a, address := RandomPseudonyms(), netip.MustParseAddr("2001:db8::1")
	if b := RandomPseudonyms(); a.ID() == b.ID() || a.Of(address) == b.Of(address) {
		t.Error("two random keys are one")
	}
	secret := []byte("sixteen bytes of")
	one, err := NewPseudonyms(secret)
	if err != nil {
		t.Fatal(err)
	}
	two, _ := NewPseudonyms(secret)
	if one.ID() != two.ID() || one.Of(address) != two.Of(address) {
		t.Error("one key makes different pseudonyms")
	}
	if _, err := NewPseudonyms(secret[:15]); !errors.Is(err, ErrShortKey) {
		t.Errorf("a short key: %v", err)
	}
}
