package capture

import (
	"bytes"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"ipvsstate/internal/parse"
)

// FuzzReader holds the reader to what it promises of any bytes, however they arrive:
// every line is counted once, and the result is that of one piece.
func FuzzReader(f *testing.F) {
	for _, data := range listings(f) {
		f.Add(data, uint64(len(data)))
	}
	for i, tt := range boundaries {
		f.Add([]byte(tt.text), uint64(i))
	}
	bad := "TCP 14:57  ESTABLISHED 10.0.1.300:44380    10.0.1.100:80      10.0.0.12:80\n"
	f.Add([]byte(strings.Repeat(bad, 3)+entry(1)+strings.Repeat(bad, 9)), uint64(1))
	f.Add([]byte(columns+strings.Repeat("x", parse.MaxLine+1)+"\n"+entry(1)), uint64(2))
	f.Add([]byte("\x00\xff\r\n\r\n\x1b["+entry(1)), uint64(3))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		whole, err := readAll(bytes.NewReader(data), Config{Workers: 1, ReadSize: len(data) + 1})
		check(t, data, whole, err)
		want := describe(whole, err)

		rnd := rand.New(rand.NewPCG(seed, 1))
		// A line that comes in many reads is copied at each: of long inputs no tiny pieces, or a run
		// can take so long that the fuzzer gives it up as hung.
		cfg := Config{Workers: 1 + rnd.IntN(3), ReadSize: 1 + len(data)/1024 + rnd.IntN(1<<rnd.IntN(13))}
		var r io.Reader = &randomReader{bytes.NewReader(data), rnd}
		if len(data) > parse.MaxLine {
			cfg.ReadSize, r = max(cfg.ReadSize, 4096), bytes.NewReader(data)
		}
		if got := describe(readAll(r, cfg)); got != want {
			t.Errorf("with %+v:\n%s\nin one piece:\n%s", cfg, got, want)
		}
	})
}
