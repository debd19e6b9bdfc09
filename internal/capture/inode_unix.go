//go:build unix

package capture

import (
	"io/fs"
	"syscall"
)

// keyOf is the device and the inode.
func keyOf(info fs.FileInfo) fileKey {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fileKey{}
	}
	return fileKey{uint64(s.Dev), uint64(s.Ino)}
}
