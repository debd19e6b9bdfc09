//go:build !linux

package ipvs

import "os"

// readPages reads what there is of the copy of a proc file.
func readPages(f *os.File, p []byte) (int, error) { return f.Read(p) }
