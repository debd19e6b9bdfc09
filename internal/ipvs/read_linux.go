package ipvs

import (
	"os"

	"golang.org/x/sys/unix"
)

// readPages fills p with many reads of a page in one readv(2): proc files read each
// piece on its own. Where the kernel walks a large table for every page, the thread
// then stays in the kernel for all of them, and Go's scheduler sleeps meanwhile
// instead of looking every 10 ms whether it has come back.
//
// readv ends at the first piece that is not filled, so a piece leaves room in the
// kernel's page for the row that comes over its end. Longer rows (IPv6) end a call
// early now and then, which only takes one more.
func readPages(f *os.File, p []byte) (int, error) {
	const piece = 4096 - 80
	if len(p) < 2*piece {
		return f.Read(p)
	}
	pieces := make([][]byte, 0, pages)
	for len(p) >= piece && len(pieces) < pages {
		pieces, p = append(pieces, p[:piece]), p[piece:]
	}
	for {
		n, err := unix.Readv(int(f.Fd()), pieces)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return 0, &os.PathError{Op: "read", Path: f.Name(), Err: err}
		}
		return n, nil
	}
}
