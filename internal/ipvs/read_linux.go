package ipvs

import (
	"io"
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

// readPage is read(2) without telling Go's scheduler. A read of the table keeps the
// processor busy in the kernel, for milliseconds before Linux 6.14; taken for a
// waiting one, it has the scheduler hand its work to another thread and back each
// time, which with one processor makes reading half as slow again.
func readPage(f *os.File, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		n, _, errno := syscall.RawSyscall(syscall.SYS_READ, f.Fd(), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
		runtime.KeepAlive(f)
		switch {
		case errno == syscall.EINTR:
			continue
		case errno != 0:
			return 0, &os.PathError{Op: "read", Path: f.Name(), Err: errno}
		case n == 0:
			return 0, io.EOF
		}
		return int(n), nil
	}
}
