//go:build !linux

package ipvs

import (
	"context"
	"path/filepath"

	"ipvsstate/internal/conn"
)

// OpenTable opens the connection table. Without a Linux kernel only the copy of a
// proc root can be read.
func OpenTable(w Where) (*Table, error) {
	if w.Proc == "" || w.Netns != "" {
		return nil, ErrNotLinux
	}
	return openTable(filepath.Join(w.Proc, "net"))
}

// ReadSysctls needs a Linux kernel.
func ReadSysctls(Where) map[string]string { return nil }

// ReadConfig needs a Linux kernel.
func ReadConfig(context.Context, Where) (*conn.Config, error) { return nil, ErrNotLinux }
