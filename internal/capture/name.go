package capture

import (
	"net/netip"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
)

var (
	// lvs1-20261122T052840Z.txt, 2026-11-22_05-28.txt, conn.20261122-0528, 2026年11月22日05时28分.txt
	nameTime = regexp.MustCompile(`(?:^|\D)(20\d{2})[-_.年]?(\d{2})[-_.月]?(\d{2})(?:[T_.\- ]|日 ?)?(\d{2})[-_.:时]?(\d{2})(?:[-_.:分]?(\d{2})(?:秒|[.,]\d+)?)?(Z|UTC|GMT|\+\d{2}(?::?\d{2})?|-\d{2}:\d{2})?(\D|$)`)
	// conn.txt-20261122.gz
	nameDay = regexp.MustCompile(`(?:^|\D)(20\d{2})[-_.年]?(\d{2})[-_.月]?(\d{2})(\D|$)`)
	// ipvs.1795322920, and with milliseconds
	nameEpoch = regexp.MustCompile(`(?:^|\D)(1\d{9})(\d{3})?(\D|$)`)
)

// NameTime is the time that a file's name tells, not a folder's: a day with hours and
// minutes, with seconds or without, a day alone, which is its midnight, or seconds since
// 1970. Without Z, UTC, GMT or an offset it is taken to be in loc; -0500 is none, but what
// numbers files. The numbers that logrotate puts behind a name (.1.gz) tell none.
func NameTime(name string, loc *time.Location) (t time.Time, ok bool) {
	t, _, ok = LocalNameTime(name, loc)
	return t, ok
}

// LocalNameTime also says whether loc had to say which moment that is.
func LocalNameTime(name string, loc *time.Location) (t time.Time, local, ok bool) {
	n, ok := nameStamp(filepath.Base(name), loc)
	return n.time, n.local, ok
}

// nameTold is a time in a name, with what stands before it and behind it.
type nameTold struct {
	time          time.Time
	local         bool
	front, behind string
}

func nameStamp(base string, loc *time.Location) (told nameTold, ok bool) {
	for _, form := range []*regexp.Regexp{nameTime, nameDay} {
		m := form.FindStringSubmatchIndex(base)
		if m == nil {
			continue
		}
		number := func(n int) int {
			if n > len(m)/2-2 || m[2*n] < 0 { // the last group is what stands behind
				return 0
			}
			v, _ := strconv.Atoi(base[m[2*n]:m[2*n+1]]) // the expressions let nothing else through
			return v
		}
		s := stamp{year: number(1), month: number(2), day: number(3), hour: number(4), minute: number(5), second: number(6)}
		if len(m) > 16 && m[14] >= 0 {
			s.parts |= hourPart
			if zone := base[m[14]:m[15]]; zone[0] >= 'A' {
				s.zone = zone
			} else if s.readOffset([]byte(zone)) == 0 {
				continue
			}
		}
		if t, local, ok := s.instant(loc); ok {
			return nameTold{t, local, base[:m[2]], base[m[len(m)-2]:]}, true
		}
	}
	if m := nameEpoch.FindStringSubmatchIndex(base); m != nil {
		seconds, _ := strconv.ParseInt(base[m[2]:m[3]], 10, 64)
		return nameTold{time.Unix(seconds, 0), false, base[:m[2]], base[m[len(m)-2]:]}, true
	}
	return told, false
}

// NameHost is the host that a path tells: what stands before the time in the file's name, as
// in lvs1-20261122T052840Z.txt.zst, or between sosreport- and the time, or else behind it
// (20261122T052840Z-lvs1.txt). Words that say what the file is, and not whose, are left out at
// both ends (lvs1-conn-20261122.txt); if nothing else is there, as in connections-20261122.txt,
// no host is told. Nor is one by a name without a time. A host has a letter in it, or is an
// address.
func NameHost(path string) string {
	n, ok := nameStamp(filepath.Base(path), time.UTC)
	if !ok {
		return ""
	}
	if host := hostIn(strings.TrimPrefix(n.front, "sosreport-")); host != "" {
		return host
	}
	behind := strings.TrimLeftFunc(n.behind, unicode.IsUpper) // the letters of a zone
	if behind == "" || !strings.Contains("-_.@", behind[:1]) {
		return ""
	}
	return hostIn(behind)
}

// hostIn is the host in a part of a name.
func hostIn(name string) string {
	for {
		name = strings.Trim(name, "-_. @")
		first, last := strings.IndexAny(name, "-_."), strings.LastIndexAny(name, "-_.")
		switch {
		case first > 0 && kindWords[strings.ToLower(name[:first])] && !numbered(name[:first], name[first+1:]):
			name = name[first:]
		case first > 0 && kindWords[strings.ToLower(name[last+1:])]:
			name = name[:last]
		case couldBeHost(name):
			return name
		default:
			return ""
		}
	}
}

// addressName is what is left of a name as clouds give it to a machine, ip-10-0-0-1, behind its word.
var addressName = regexp.MustCompile(`^\d{1,3}(-\d{1,3}){3}($|[-_.])`)

// numbered reports the name of one of several directors: lvs-1, director_02, ip-10-0-0-1.
func numbered(word, rest string) bool {
	switch strings.ToLower(word) {
	case "ip":
		return addressName.MatchString(rest)
	case "lvs", "ipvs", "dpvs", "director":
		return rest != "" && rest[0]-'0' <= 9 && !isAddress(rest)
	}
	return false
}

// couldBeHost reports a name that is not one of kindWords, and has a letter or is an address.
func couldBeHost(name string) bool {
	return !kindWords[strings.ToLower(name)] && isHostName([]byte(name)) && (hasLetter(name) || isAddress(name))
}

// isPeriod reports a name of a span of time: nov, week47.
func isPeriod(name string) bool {
	return periodWords[strings.ToLower(strings.Trim(name, "0123456789.-_"))]
}

var periodWords = wordSet(`y year q quarter m month w wk week kw d day h hour jan feb mar apr may jun jul aug sep sept oct nov dec
	january february march april june july august september october november december archive archived rotated part`)

// rotation is what a log's name gets when it is put aside: -20261122 is gone by then.
var rotation = regexp.MustCompile(`(?:\.(?:gz|bz2|xz|zst|zstd)|\.\d{1,3})+$`)

// serial is a number that tells one file of a series from the others: a process's, a counter's.
var serial = regexp.MustCompile(`(^|[-_.])\d{3,}($|[-_.])`)

// Stem is what is the same in the names of the files of one series: without the times, serial
// numbers of three digits and more, and what compression and rotation put at the end.
func Stem(base string) string {
	for range 4 {
		n, ok := nameStamp(base, time.UTC)
		if !ok {
			break
		}
		base = strings.TrimRight(n.front, "-_.") + n.behind
	}
	for {
		base = rotation.ReplaceAllString(base, "")
		cut := serial.ReplaceAllString(base, "$2")
		if cut == base {
			return strings.TrimRight(base, "-_.")
		}
		base = cut
	}
}

// kindWords say what a file is.
var kindWords = wordSet(`conn conns connection connections ip ipv4 ipv6 vs ipvs ipvsadm ipvsstate lvs dpvs director ln lnc lcn lc
	save saved snap snapshot snapshots dump dumps table list listing state states stat stats status session sessions
	proc net sync count counts capture output out log data backup history sos sosreport txt tmp test
	before after old new pre post full part all final local utc gmt cst am pm mon tue wed thu fri sat sun
	gz tgz bz2 xz zst zstd zip tar csv json md html`)

func wordSet(words string) map[string]bool {
	set := make(map[string]bool)
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

func hasLetter(name string) bool {
	return strings.ContainsFunc(name, func(r rune) bool { return r|0x20 >= 'a' && r|0x20 <= 'z' })
}

func isAddress(name string) bool {
	_, err := netip.ParseAddr(name)
	return err == nil
}

// isHostName reports a name of letters, digits, dots, dashes and underscores.
func isHostName(name []byte) bool {
	for _, c := range name {
		if c|0x20-'a' >= 26 && c-'0' > 9 && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return len(name) > 0 && len(name) < 200
}
