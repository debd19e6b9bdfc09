package capture

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A snapshot that `ipvsstate record` wrote begins with one line that tells when and where
// it was taken, and ends with one that tells how many rows it has, so that a part of one is
// known for what it is. docs/snapshots.md has the whole format.
//
//	# ipvsstate snapshot 1 2026-11-22T05:28:40Z lvs1
//	# ipvsstate end 1234 entries
const (
	headText = "# ipvsstate snapshot "
	endText  = "# ipvsstate end "
)

// RecordedVersion is the version of the format that is written. A later version is read as
// far as its lines are known.
const RecordedVersion = 1

// Recorded is what the first line of a recorded snapshot tells.
type Recorded struct {
	// Time is when the reading began, in UTC and whole seconds.
	Time time.Time
	// Host is the director's name, without blanks.
	Host string
	// Anonymized says that the clients' addresses are pseudonyms, Key of which key: it tells
	// keys apart, and is empty where the line does not say it.
	Anonymized bool
	Key        string
}

// Append writes the line, with its newline.
func (r *Recorded) Append(dst []byte) []byte {
	dst = fmt.Appendf(dst, "%s%d %s %s", headText, RecordedVersion, r.Time.UTC().Format(time.RFC3339), r.Host)
	if r.Anonymized {
		dst = append(dst, " anonymized"...)
		if r.Key != "" {
			dst = append(dst, " "+r.Key...)
		}
	}
	return append(dst, '\n')
}

// AppendEnd writes the last line, with its newline.
func AppendEnd(dst []byte, entries int64) []byte {
	return fmt.Appendf(dst, "%s%d entries\n", endText, entries)
}

// RecordedOf reads the first line of a recorded snapshot.
func RecordedOf(line []byte) (r Recorded, ok bool) {
	rest, ok := bytes.CutPrefix(line, []byte(headText))
	w := strings.Fields(string(rest))
	if !ok || len(rest) > maxTimeLine || len(w) < 3 {
		return r, false
	}
	if _, err := strconv.ParseUint(w[0], 10, 32); err != nil {
		return r, false
	}
	at, err := time.Parse(time.RFC3339, w[1])
	if at := slices.Index(w[3:], "anonymized"); at >= 0 { // later versions may say more
		r.Anonymized = true
		if key := w[3:][at+1:]; len(key) > 0 {
			r.Key = key[0]
		}
	}
	r.Time, r.Host = at.UTC(), w[2]
	return r, err == nil
}

// endOf reads the last line of a recorded snapshot.
func endOf(line []byte) (entries int64, ok bool) {
	rest, ok := bytes.CutPrefix(line, []byte(endText))
	number, _, _ := bytes.Cut(rest, []byte(" "))
	entries, err := strconv.ParseInt(string(number), 10, 64)
	return entries, ok && err == nil && entries >= 0
}
