//go:build !unix

package capture

import "io/fs"

// keyOf is the size and the time: what tells files apart has no common form.
func keyOf(info fs.FileInfo) fileKey {
	return fileKey{uint64(info.Size()), uint64(info.ModTime().UnixNano())}
}
