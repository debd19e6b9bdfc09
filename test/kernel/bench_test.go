//go:build linux

package kernel

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestLiveRead times one read of 100,000 entries by cat, ipvsstate and ipvsadm in one guest, in turn. It takes minutes,
// so it asks for IPVSSTATE_KERNEL_BENCH=1. IPVSSTATE_KERNEL_BENCH_ROUNDS (5) is how often,
// IPVSSTATE_KERNEL_BENCH_FILE where the seconds are kept: lines of round, command and seconds, with tabs between.
func TestLiveRead(t *testing.T) {
	const name = "IPVSSTATE_KERNEL_BENCH"
	if os.Getenv(name) == "" {
		t.Skip("a benchmark of minutes: set " + name + "=1")
	}
	rounds := 5
	if text := os.Getenv(name + "_ROUNDS"); text != "" {
		var err error
		if rounds, err = strconv.Atoi(text); err != nil || rounds < 1 {
			t.Fatalf("%s_ROUNDS=%s: want a number", name, text)
		}
	}
	start := time.Now()
	r := boot(t, time.Duration(rounds+1)*2*time.Minute, fmt.Sprintf("ROUNDS=%d\n", rounds)+syncScript+benchScript)
	clockAgrees(t, time.Since(start), r.text(t, "uptime"))

	if file := os.Getenv(name + "_FILE"); file != "" {
		if err := os.WriteFile(file, []byte(r.text(t, "seconds.txt")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	report(t, r.text(t, "seconds.txt"))
}

// clockAgrees fails when the guest's clock, by which the seconds are taken, went differently from the host's.
func clockAgrees(t *testing.T, host time.Duration, uptime string) {
	t.Helper()
	first, _, _ := strings.Cut(uptime, " ")
	guest, err := strconv.ParseFloat(first, 64)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the guest counted %.1f s from its start, the host %.1f s with the start and the end of the process", guest, host.Seconds())
	if math.Abs(host.Seconds()-guest) > 5+0.05*guest {
		t.Error("the clocks differ too much for timing")
	}
}

// report prints the medians and how they compare with the first command's, cat's.
func report(t *testing.T, seconds string) {
	t.Helper()
	var commands []string
	wall := map[string][]float64{}
	lines := bufio.NewScanner(strings.NewReader(seconds))
	for lines.Scan() {
		f := strings.Split(lines.Text(), "\t")
		s, err := strconv.ParseFloat(f[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		if wall[f[1]] == nil {
			commands = append(commands, f[1])
		}
		wall[f[1]] = append(wall[f[1]], s)
	}
	for _, command := range commands {
		m := median(wall[command])
		t.Logf("%8.3f s  %5.2f x cat  %s  (%d rounds, %.3f to %.3f s)", m, m/median(wall[commands[0]]), command,
			len(wall[command]), slices.Min(wall[command]), slices.Max(wall[command]))
	}
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
