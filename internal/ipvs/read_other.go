//go:build !linux

package ipvs

import "os"

// readPage reads what there is of the copy of a proc file.
func readPage(f *os.File, p []byte) (int, error) { return f.Read(p) }
