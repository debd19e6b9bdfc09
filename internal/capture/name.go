package capture

import (
	"path/filepath"
	"regexp"
	"time"
)

var (
	// lvs1-20261122T052840Z.txt, 2026-11-22_05-28.txt, conn.20261122-0528
	nameTime = regexp.MustCompile(`(?:^|\D)(20\d{2})-?(\d{2})-?(\d{2})[T_-]?(\d{2})[-:]?(\d{2})(?:[-:]?(\d{2}))?(Z)?(?:\D|$)`)
	// conn.txt-20261122.gz
	nameDay = regexp.MustCompile(`(?:^|\D)(20\d{2})-?(\d{2})-?(\d{2})(?:\D|$)`)
	// ipvs.1795322920
	nameEpoch = regexp.MustCompile(`(?:^|\D)(1\d{9})(?:\D|$)`)
)

// timeForms are those of a time in a name, the first that matches holds.
var timeForms = []*regexp.Regexp{nameTime, nameDay, nameEpoch}

// NameTime is the time that a file's name tells. Without a Z it is taken to be in loc.
func NameTime(name string, loc *time.Location) (t time.Time, ok bool) {
	base := filepath.Base(name)
	if m := nameTime.FindStringSubmatch(base); m != nil {
		return at(m[1], number(m[2]), m[3], m[4], m[5], m[6], m[7], loc)
	}
	if m := nameDay.FindStringSubmatch(base); m != nil {
		return at(m[1], number(m[2]), m[3], "0", "0", "0", "", loc)
	}
	if m := nameEpoch.FindStringSubmatch(base); m != nil {
		return time.Unix(int64(number(m[1])), 0), true
	}
	return t, false
}
