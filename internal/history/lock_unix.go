//go:build unix

package history

import (
	"errors"
	"os"
	"syscall"
)

// lock locks a file for as long as it is open, and so until the process ends however it
// ends. If it is not got another may have it, or the file system has no locks: then nobody
// can tell an abandoned file, and none is taken for one.
func lock(f *os.File) (got, held bool) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	return err == nil, errors.Is(err, syscall.EWOULDBLOCK)
}
