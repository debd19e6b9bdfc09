package ipvs

import (
	"os"
	"path/filepath"
	"strings"
)

// ReadSysctls reads net.ipv4.vs.* of the namespace, by name without that prefix; nil
// where there are none.
func ReadSysctls(w Where) map[string]string {
	dir := filepath.Join(w.proc(), "sys/net/ipv4/vs")
	var all map[string]string
	read := func() error {
		files, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		all = make(map[string]string, len(files))
		for _, f := range files {
			if text, err := os.ReadFile(filepath.Join(dir, f.Name())); err == nil {
				all[f.Name()] = strings.Join(strings.Fields(string(text)), " ")
			}
		}
		return nil
	}
	path, err := w.netnsPath()
	if err == nil && path != "" {
		err = inNamespace(path, read)
	} else if err == nil {
		err = read()
	}
	if err != nil {
		return nil
	}
	return all
}
