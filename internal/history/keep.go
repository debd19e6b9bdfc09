package history

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

var ageUnits = map[string]time.Duration{"m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}

// ParseAge reads an age: a number of minutes, hours, days or weeks, as 30d.
func ParseAge(text string) (time.Duration, error) {
	n, unit := number(text)
	per, ok := ageUnits[unit]
	if !ok || n <= 0 || n > math.MaxInt64/int64(per) {
		return 0, fmt.Errorf("%q is no age: it takes a number and m, h, d or w, as 12h or 30d", text)
	}
	return time.Duration(n) * per, nil
}

var sizeUnits = map[string]int64{"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}

// ParseSize reads a size: a number of KiB, MiB, GiB or TiB, as 2G.
func ParseSize(text string) (int64, error) {
	n, unit := number(text)
	per, ok := sizeUnits[unit]
	if !ok || n <= 0 || n > math.MaxInt64/per {
		return 0, fmt.Errorf("%q is no size: it takes a number and K, M, G or T, as 500M or 2G", text)
	}
	return n * per, nil
}

// number divides a text into the number it begins with, 0 for none, and its unit.
func number(text string) (n int64, unit string) {
	end := 0
	for end < len(text) && text[end]-'0' <= 9 {
		end++
	}
	n, _ = strconv.ParseInt(text[:end], 10, 64)
	return n, text[end:]
}
