package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"ipvsstate/internal/conn"
)

// timeoutsFlag takes timeouts as ipvsadm --set does, with commas: TCP,TCPFIN,UDP. 0 leaves
// the kernel's.
type timeoutsFlag struct {
	conn.Timeouts
	given bool
}

// longestTimeout is the longest that ipvsadm takes, 31 days.
const longestTimeout = 31 * 24 * 3600

func (f *timeoutsFlag) String() string { return fmt.Sprintf("%d,%d,%d", f.TCP, f.TCPFin, f.UDP) }
func (f *timeoutsFlag) Type() string   { return "TCP,TCPFIN,UDP" }
func (f *timeoutsFlag) Set(text string) error {
	parts := strings.Split(text, ",")
	if len(parts) != 3 {
		return errors.New("it takes three numbers of seconds with commas between, as 900,120,300")
	}
	for i, to := range []*conn.Seconds{&f.TCP, &f.TCPFin, &f.UDP} {
		n, err := strconv.ParseUint(strings.TrimSpace(parts[i]), 10, 32)
		if err != nil || n > longestTimeout {
			return fmt.Errorf("%q is no number of seconds up to 31 days", parts[i])
		}
		if n > 0 {
			*to = conn.Seconds(n)
		}
	}
	f.given = true
	return nil
}
