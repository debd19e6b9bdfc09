package history

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/netip"

	"ipvsstate/internal/conn"
)

// Pseudonyms are addresses in place of others, under a key, after Crypto-PAn (J. Xu, J. Fan,
// M. Ammar, S. Moon: Prefix-Preserving IP Address Anonymization, ICNP 2002): two addresses
// that share their first n bits, and not the next, have pseudonyms that do. So networks of
// any size stay together, and no two addresses have one pseudonym. One goroutine may use it.
type Pseudonyms struct {
	block   cipher.Block
	pad4    [aes.BlockSize]byte
	pad6    [aes.BlockSize]byte
	id      string
	in, out [aes.BlockSize]byte
	row     conn.Entry
}

// keyLength is that of the key: half for AES, half for the pad.
const keyLength = 2 * aes.BlockSize

// leastSecret is the fewest bytes that a key is made of: less can be tried out.
const leastSecret = 16

// ErrShortKey means that a secret is too short to be one.
var ErrShortKey = errors.New("the key is shorter than 16 bytes")

// NewPseudonyms makes the pseudonyms of a secret of any form, such as a file's content. One
// secret makes the same pseudonyms at all times.
func NewPseudonyms(secret []byte) (*Pseudonyms, error) {
	if len(secret) < leastSecret {
		return nil, ErrShortKey
	}
	return newPseudonyms(sha256.Sum256(secret)), nil
}

// RandomPseudonyms makes pseudonyms that nobody can make again.
func RandomPseudonyms() *Pseudonyms {
	var key [keyLength]byte
	rand.Read(key[:]) // it never fails
	return newPseudonyms(key)
}

func newPseudonyms(key [keyLength]byte) *Pseudonyms {
	block, err := aes.NewCipher(key[:aes.BlockSize])
	if err != nil {
		panic(err) // the length is right
	}
	p := &Pseudonyms{block: block}
	block.Encrypt(p.pad4[:], key[aes.BlockSize:])
	block.Encrypt(p.pad6[:], p.pad4[:]) // another, so that the families tell nothing of each other
	sum := sha256.Sum256(append([]byte("ipvsstate pseudonyms "), key[:]...))
	p.id = hex.EncodeToString(sum[:4])
	return p
}

// ID tells keys apart without telling the key.
func (p *Pseudonyms) ID() string { return p.id }

// Of is an address's pseudonym.
func (p *Pseudonyms) Of(a netip.Addr) netip.Addr {
	p.in = p.pad6
	if a.Is4() {
		p.in = p.pad4
	}
	b := a.AsSlice()
	var flips [16]byte
	for i := range 8 * len(b) {
		// Whether a bit is flipped depends on the bits before it, and on the key.
		at, bit := i/8, byte(0x80)>>(i%8)
		p.block.Encrypt(p.out[:], p.in[:])
		flips[at] |= p.out[0] >> 7 * bit
		p.in[at] = p.in[at]&^bit | b[at]&bit
	}
	for i := range b {
		b[i] ^= flips[i]
	}
	to, _ := netip.AddrFromSlice(b)
	return to
}

// engineData stands for what a persistence engine goes by, which of SIP is a Call-ID.
const engineData = "-"

// entry is the entry with its client's pseudonym, valid until the next call.
func (p *Pseudonyms) entry(e *conn.Entry) *conn.Entry {
	p.row = *e
	p.row.Client.Addr = p.Of(e.Client.Addr)
	if e.PEData != "" {
		p.row.PEData = engineData
	}
	return &p.row
}
