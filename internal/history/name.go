package history

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A snapshot's file is named by host and time: lvs1-20261122T052840Z.txt.zst. A second one
// of the same second has a number: lvs1-20261122T052840Z-2.txt.zst.
const timeForm = "20060102T150405Z"

var namePattern = regexp.MustCompile(`^(.+)-(\d{8}T\d{6}Z)(?:-([1-9]\d{0,8}))?\.txt\.zst$`)

// fileName is the name of a host's nth snapshot of a second, n counted from 1.
func fileName(host string, at time.Time, n int) string {
	name := host + "-" + at.UTC().Format(timeForm)
	if n > 1 {
		name += "-" + strconv.Itoa(n)
	}
	return name + ".txt.zst"
}

// parseName is the way back.
func parseName(name string) (host string, at time.Time, n int, ok bool) {
	m := namePattern.FindStringSubmatch(name)
	if m == nil {
		return "", at, 0, false
	}
	at, err := time.Parse(timeForm, m[2])
	n = 1
	if m[3] != "" {
		n, _ = strconv.Atoi(m[3]) // nine digits at most
	}
	return m[1], at, n, err == nil && fileName(m[1], at, n) == name
}

// RecordedAt is the time that a recorded snapshot's name tells: of a file of such a name it
// is that of its one snapshot.
func RecordedAt(path string) (at time.Time, ok bool) {
	_, at, _, ok = parseName(filepath.Base(path))
	return at, ok
}

// HostName is a host's name as files and headers have it: letters, digits, dots, dashes
// and underscores, and no dot or dash in front.
func HostName(name string) (string, error) {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '-', r == '_':
			return r
		}
		return '_'
	}, name)
	if strings.Trim(clean, "._-") == "" || clean[0] == '.' || clean[0] == '-' || len(clean) > 200 {
		return "", fmt.Errorf("%q is no name for a host", name)
	}
	return clean, nil
}
