//go:build unix

// Bench times ipvsstate beside what people use now, on one listing, in one run, turn
// by turn, and prints medians of times and of ratios. It judges nothing but says which of the
// project's aims are met. Run it on an idle machine: make bench.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/klauspost/compress/zstd"
)

func main() {
	rows := flag.Int("rows", 5_000_000, "entries of the large listing")
	rounds := flag.Int("rounds", 15, "rounds of the quick commands")
	slow := flag.Int("slow", 3, "rounds of awk | sort | uniq, of trend and of diff")
	snapshots := flag.Int("snapshots", 8640, "files that trend follows, of 20,000 entries each")
	flag.Parse()
	log.SetFlags(0)
	dir, err := os.MkdirTemp("", "ipvsstate-bench-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	b := &bench{dir: dir}
	b.build("ipvsstate", "./cmd/ipvsstate")
	b.build("gen", "./test/gen")
	large, small, proc := b.listing("large.txt", *rows, "ipvsadm"), b.listing("small.txt", 5000, "ipvsadm"), b.listing("proc.txt", *rows, "proc")
	if info, err := os.Stat(large); err == nil {
		fmt.Printf("listing: %d rows, %d MB\n\n", *rows, info.Size()/1e6)
	}

	ipvsstate := filepath.Join(dir, "ipvsstate")
	wc := &command{name: "wc -l FILE", args: []string{"wc", "-l", large}}
	file := &command{name: "ipvsstate FILE", args: []string{ipvsstate, "-o", "json", large}}
	pipe := &command{name: "cat FILE | ipvsstate", args: shell("cat %s | %s -o json", large, ipvsstate)}
	procFile := &command{name: "ipvsstate FILE (proc)", args: []string{ipvsstate, "-o", "json", proc}}
	mawk := &command{name: "mawk '{c[$3]++}' FILE", args: shell("mawk '{c[$3]++} END {for (s in c) print s, c[s]}' %s", large)}
	sort := &command{name: "awk '{print $3}' | sort | uniq -c", args: shell("awk '{print $3}' %s | sort | uniq -c", large)}
	filtered := &command{name: "ipvsstate --state … FILE", args: []string{ipvsstate, "-o", "json", "--state", "EST*,FIN*", "--server", "172.16.0.0/12", large}}
	idle := &command{name: "ipvsstate --idle … FILE", args: []string{ipvsstate, "-o", "json", "--idle", ">1m", large}}
	quick := []*command{wc, file, pipe, procFile, mawk, filtered, idle}
	for _, c := range quick {
		c.run() // once to warm the page cache
	}
	for _, c := range quick {
		c.times = nil
	}
	for range *rounds {
		for _, c := range quick {
			c.run()
		}
	}
	client := &command{name: "ipvsstate --by client FILE", args: []string{ipvsstate, "--by", "client", large}}
	mawkClient := &command{name: "mawk '{split($4,a,\":\"); c[a[1]]++}'", args: shell(`mawk '{split($4,a,":"); c[a[1]]++} END {for (s in c) n++; print n}' %s`, large)}
	for range *slow {
		sort.run()
		client.run()
		mawkClient.run()
	}

	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "command\tmedian\tbeside ipvsstate FILE\taim\t\t")
	row := func(c *command, ratio float64, aim string, met bool) {
		verdict := ""
		if aim != "" {
			verdict = "missed"
			if met {
				verdict = "met"
			}
		}
		fmt.Fprintf(w, "%s\t%.3fs\t%.2f\t%s\t%s\t\n", c.name, c.median().Seconds(), ratio, aim, verdict)
	}
	// Times drift on a shared machine, so a quick command is held against the run of
	// ipvsstate in its own round; the slow one has fewer rounds, of its own.
	beside := func(c *command) float64 {
		if len(c.times) != len(file.times) {
			return c.median().Seconds() / file.median().Seconds()
		}
		ratios := make([]float64, len(c.times))
		for i := range ratios {
			ratios[i] = c.times[i].Seconds() / file.times[i].Seconds()
		}
		slices.Sort(ratios)
		return ratios[len(ratios)/2]
	}
	row(wc, beside(wc), ">= 1/5", beside(wc) >= 0.2)
	row(file, 1, "", true)
	row(procFile, beside(procFile), "", true)
	row(pipe, beside(pipe), "<= 1.5", beside(pipe) <= 1.5)
	row(mawk, beside(mawk), ">= 3", beside(mawk) >= 3)
	row(sort, beside(sort), ">= 10", beside(sort) >= 10)
	row(filtered, beside(filtered), "<= 1.2", beside(filtered) <= 1.2)
	row(idle, beside(idle), "<= 1.2", beside(idle) <= 1.2)
	row(client, beside(client), "", true)
	row(mawkClient, beside(mawkClient), "", true)
	w.Flush()
	byClient := mawkClient.median().Seconds() / client.median().Seconds()
	fmt.Printf("mawk takes %.1f times ipvsstate --by client (aim: at least 4), which holds %.0f MiB (aim: under 400)\n", byClient, float64(client.memory)/1024)
	fmt.Printf("ipvsstate FILE takes %.1f times wc -l (aim: at most 5)\n\n", 1/beside(wc))

	fmt.Println("peak memory (aim: at most 64 MiB)")
	for _, c := range []*command{
		{name: "5,000 rows, file", args: []string{ipvsstate, "-o", "json", small}},
		{name: fmt.Sprintf("%d rows, file", *rows), args: []string{ipvsstate, "-o", "json", large}},
		{name: "5,000 rows, pipe", args: []string{ipvsstate, "-o", "json"}, stdin: small},
		{name: fmt.Sprintf("%d rows, pipe", *rows), args: []string{ipvsstate, "-o", "json"}, stdin: large},
	} {
		c.run()
		fmt.Printf("  %-22s %5.1f MiB\n", c.name, float64(c.memory)/1024)
	}
	b.history(ipvsstate, large, *snapshots, *rows, *slow)
}

// history times trend beside zstdcat | wc -l, and diff.
func (b *bench) history(ipvsstate, large string, snapshots, rows, rounds int) {
	if _, err := exec.LookPath("zstdcat"); err != nil {
		fmt.Println("\nLEFT OUT: trend, which is held against zstdcat; install zstd")
	} else {
		files := b.snapshots(snapshots)
		trend := &command{name: "trend", args: []string{ipvsstate, "trend", files}}
		wc := &command{name: "zstdcat", args: shell("zstdcat %s/* | wc -l", files)}
		var ratios []float64
		for range rounds {
			wc.run()
			trend.run()
			ratios = append(ratios, trend.times[len(trend.times)-1].Seconds()/wc.times[len(wc.times)-1].Seconds())
		}
		slices.Sort(ratios)
		fmt.Printf("\nipvsstate trend of %d snapshots: %.1fs, %.1f MiB; zstdcat * | wc -l %.1fs; ratio %.2f (aim: at most 2)\n",
			snapshots, trend.median().Seconds(), float64(trend.memory)/1024, wc.median().Seconds(), ratios[len(ratios)/2])
	}
	other := b.listing("other.txt", rows, "ipvsadm", "-seed", "2")
	diff := &command{name: "diff", args: shell("%s diff --threshold 4000000000 %s %s", ipvsstate, large, other)}
	for range rounds {
		diff.run()
	}
	fmt.Printf("ipvsstate diff of two listings of %d rows that have nothing in common: %.1fs, %.0f MiB (aim: under 30s)\n",
		rows, diff.median().Seconds(), float64(diff.memory)/1024)
}

// snapshots makes files as record does, each a part of one listing, five minutes apart.
func (b *bench) snapshots(n int) string {
	const rows = 20000
	text, err := os.ReadFile(b.listing("base.txt", 2*rows, "proc"))
	if err != nil {
		log.Fatal(err)
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	dir := filepath.Join(b.dir, "snapshots")
	if err := os.Mkdir(dir, 0o755); err != nil {
		log.Fatal(err)
	}
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		log.Fatal(err)
	}
	at := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	for i := range n {
		from := 1 + i*7919%rows
		file := fmt.Appendf(nil, "# ipvsstate snapshot 1 %s lvs1\n%s", at.Format(time.RFC3339), lines[0])
		file = append(file, bytes.Join(lines[from:from+rows], nil)...)
		file = fmt.Appendf(file, "# ipvsstate end %d entries\n", rows)
		name := filepath.Join(dir, "lvs1-"+at.Format("20060102T150405Z")+".txt.zst")
		if err := os.WriteFile(name, z.EncodeAll(file, nil), 0o644); err != nil {
			log.Fatal(err)
		}
		at = at.Add(5 * time.Minute)
	}
	return dir
}

type bench struct{ dir string }

func (b *bench) build(name, pkg string) {
	c := exec.Command("go", "build", "-o", filepath.Join(b.dir, name), pkg)
	c.Stderr = os.Stderr
	if err := c.Run(); err != nil {
		log.Fatalf("go build %s: %v", pkg, err)
	}
}

func (b *bench) listing(name string, rows int, format string, more ...string) string {
	path := filepath.Join(b.dir, name)
	f, err := os.Create(path)
	if err != nil {
		log.Fatal(err)
	}
	c := exec.Command(filepath.Join(b.dir, "gen"), append([]string{"-rows", fmt.Sprint(rows), "-format", format}, more...)...)
	c.Stdout, c.Stderr = f, os.Stderr
	if err := c.Run(); err != nil {
		log.Fatal(err)
	}
	if err := f.Close(); err != nil {
		log.Fatal(err)
	}
	return path
}

func shell(format string, args ...any) []string {
	return []string{"sh", "-c", fmt.Sprintf(format, args...)}
}

// command is a command with the times it took, and the memory it once held in KiB.
type command struct {
	name   string
	args   []string
	stdin  string // a file that cat writes into a pipe
	times  []time.Duration
	memory int64
}

func (c *command) run() {
	cmd := exec.Command(c.args[0], c.args[1:]...)
	cmd.Stderr = os.Stderr
	var cat *exec.Cmd
	if c.stdin != "" {
		cat = exec.Command("cat", c.stdin)
		pipe, err := cat.StdoutPipe()
		if err != nil {
			log.Fatal(err)
		}
		cmd.Stdin = pipe
		if err := cat.Start(); err != nil {
			log.Fatal(err)
		}
	}
	start := time.Now()
	if err := cmd.Run(); err != nil {
		log.Fatalf("%s: %v", c.name, err)
	}
	c.times = append(c.times, time.Since(start))
	if cat != nil {
		if err := cat.Wait(); err != nil {
			log.Fatal(err)
		}
	}
	c.memory = cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
}

func (c *command) median() time.Duration {
	t := slices.Sorted(slices.Values(c.times))
	return t[len(t)/2]
}
