package capture

import (
	"os"

	"golang.org/x/sys/unix"
)

// WidenPipe asks for a larger buffer behind a pipe: with the usual 64 KiB, writer
// and reader spend most of their time waiting for each other. Where it is no pipe,
// or a limit forbids it, nothing changes.
func WidenPipe(f *os.File) {
	_, _ = unix.FcntlInt(f.Fd(), unix.F_SETPIPE_SZ, 1<<20)
}
