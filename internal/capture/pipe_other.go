//go:build !linux

package capture

import "os"

// WidenPipe does nothing: only Linux has pipes of adjustable size.
func WidenPipe(*os.File) {}
