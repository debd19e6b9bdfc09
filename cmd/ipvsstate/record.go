package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"ipvsstate/internal/explain"
	"ipvsstate/internal/history"
	"ipvsstate/internal/ipvs"
	"ipvsstate/internal/render"
)

type recordOptions struct {
	keep      ageFlag
	keepSize  sizeFlag
	anonymize bool
	key       string
	host      string
	netns     string
	proc      string
	quiet     bool
	lang      choice
}

// ageFlag and sizeFlag are flags that say which snapshots are kept.
type (
	ageFlag  struct{ age time.Duration }
	sizeFlag struct{ size int64 }
)

func (f *ageFlag) String() string { return "" }
func (f *ageFlag) Type() string   { return "AGE" }
func (f *ageFlag) Set(text string) (err error) {
	f.age, err = history.ParseAge(text)
	return err
}

func (f *sizeFlag) String() string { return "" }
func (f *sizeFlag) Type() string   { return "SIZE" }
func (f *sizeFlag) Set(text string) (err error) {
	f.size, err = history.ParseSize(text)
	return err
}

const recordExit = `  0    done, though services and timeouts may be missing, which the snapshot says
  2    could not: usage, permission, no IPVS, input or output; or old snapshots could
       not be removed, and the new one is there
  130  interrupted; no snapshot is left`

func newRecord(a *app) *cobra.Command {
	o := &recordOptions{lang: choice{"", explain.Languages()}}
	c := &cobra.Command{
		Use:   "record DIR",
		Short: "Save a snapshot of the running kernel's table, services and settings",
		Long: `Save one snapshot of the running kernel's IPVS to a file of its own in DIR, for cron
or a systemd timer: the connection table as the kernel prints it, and where root or
CAP_NET_ADMIN allows it the services with the kernel's counters, and the timeouts;
the settings net.ipv4.vs.*, the time and the host. It is text, compressed with zstd,
and named HOST-TIME.txt.zst by the time in UTC. Every command reads it, and zstdcat.

A file of such a name is whole: it is written under another name, synced, and then
named, and no file is ever replaced. Several may run at once. What a run that was
killed leaves is removed by a later one.

--keep and --keep-size remove this host's old snapshots from DIR after the new one is
written, the oldest first and never the newest. Both may be given.

--anonymize replaces clients' addresses by pseudonyms that keep networks together: two
addresses of one network, of any size, have pseudonyms of one network. The key is
forgotten, unless --anonymize-key gives one. Virtual and real servers, ports, the host
and everything else stay; of SIP persistence the Call-IDs are left out.

On success one line tells the file, which --quiet leaves out.`,
		Example: `  ipvsstate record /var/lib/ipvsstate
  ipvsstate record --quiet --keep 30d --keep-size 2G /var/lib/ipvsstate     from cron
  ipvsstate record --anonymize /tmp                                         to hand on`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fail("hint.record", fmt.Errorf("%s takes one directory, not %d", c.CommandPath(), len(args)))
			}
			return nil
		},
		Annotations: map[string]string{exitStatus: recordExit},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(c *cobra.Command, args []string) error { return runRecord(c.Context(), a, o, args[0]) },
	}
	f := c.Flags()
	f.SortFlags = false
	f.Var(&o.keep, "keep", "remove snapshots older than this: 12h, 30d, 8w")
	f.Var(&o.keepSize, "keep-size", "remove snapshots until the rest has this size together: 500M, 2G")
	f.BoolVar(&o.anonymize, "anonymize", false, "replace the clients' addresses by pseudonyms")
	f.StringVar(&o.key, "anonymize-key", "", "make the same pseudonyms each time, from this `FILE` of at least 16 bytes; implies --anonymize")
	f.StringVar(&o.host, "host", "", "the director's `NAME` in the file and its name; this host's if not given")
	f.StringVar(&o.netns, "netns", "", "read another network namespace: `NAME`, path or process number")
	f.StringVar(&o.proc, "proc", "", "root of another proc file system, `DIR`/net is read; wants --host")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print nothing but errors")
	addChoice(c, &o.lang, "lang", "", "language, from LC_ALL, LC_MESSAGES or LANG if not given")
	return c
}

func runRecord(ctx context.Context, a *app, o *recordOptions, path string) error {
	words, err := a.words(o.lang.value)
	if err != nil {
		return err
	}
	s := &history.Snapshot{}
	if s.Host, err = o.hostName(a); err != nil {
		return err
	}
	if s.Pseudonyms, err = o.pseudonyms(); err != nil {
		return err
	}
	dir, err := history.OpenDir(path)
	if err != nil {
		return dirFailure(path, err)
	}
	defer dir.Close()

	keep := history.Keep{Age: o.keep.age, Size: o.keepSize.size}
	written, missing, err := o.write(ctx, a, dir, s)
	removed := 0
	if isFull(err) {
		// What is not to be kept makes room for the new one, which else would come first.
		if removed, _ = dir.Prune(s.Host, keep, a.now(), ""); removed > 0 {
			written, missing, err = o.write(ctx, a, dir, s)
		}
	}
	if !o.quiet {
		for _, m := range missing {
			fmt.Fprintf(a.stderr, "ipvsstate: %s\n", render.Clean(words.Word("missing", words.Word("missing."+m.What), m.Why)))
		}
	}
	var known *failure
	switch {
	case errors.Is(err, errInterrupted):
		return &failure{err: err, code: exitInterrupted}
	case errors.As(err, &known):
		return err
	case err != nil:
		return dirFailure(path, err)
	}
	more, pruneErr := dir.Prune(s.Host, keep, s.Time, written.Path)
	removed += more
	if !o.quiet {
		line := words.Word("recorded", written.Path, words.Count("entries", uint64(written.Entries)), fileSize(written.Size))
		if removed > 0 {
			line += words.Word("comma") + words.Count("pruned", uint64(removed))
		}
		if _, err := fmt.Fprintln(a.stdout, render.Clean(line)); err != nil {
			return fmt.Errorf("writing the output: %w", err)
		}
	}
	if pruneErr != nil {
		return fail("hint.pruned", pruneErr)
	}
	return nil
}

// write reads the kernel into a snapshot of which the host and the pseudonyms are set, and writes it. It
// also says what could not be read.
func (o *recordOptions) write(ctx context.Context, a *app, dir *history.Dir, s *history.Snapshot) (w history.Written, missing []render.Missing, err error) {
	where := ipvs.Where{Proc: o.proc, Netns: o.netns}
	table, err := ipvs.OpenTable(where)
	if err != nil {
		return w, nil, kernelFailure(where, err)
	}
	defer table.Close()
	s.Time = a.now()
	config, missing := readDirector(ctx, where)
	s.Config, s.Version, s.Buckets = config, table.Version, table.Buckets
	s.Table = interruptible{ctx, table}
	s.Facts = [][2]string{{"ipvsstate", version}, {"kernel", ipvs.Release(where)}, {"netns", o.netns}, {"table", table.Path}}
	for _, m := range missing {
		s.Facts = append(s.Facts, [2]string{"missing", m.What + ": " + m.Why})
	}
	w, err = dir.Write(s)
	return w, missing, err
}

// hostName is the name that the snapshot goes by.
func (o *recordOptions) hostName(a *app) (string, error) {
	name := o.host
	switch {
	case name == "" && o.proc != "":
		return "", fail("hint.host", errors.New("--proc may be another host's, and there is no --host"))
	case name == "":
		var err error
		if name, err = a.hostname(); err != nil {
			return "", fail("hint.host", err)
		}
	}
	name, err := history.HostName(name)
	if err != nil {
		return "", fail("hint.host", err)
	}
	return name, nil
}

// pseudonyms are those that are asked for, nil for none.
func (o *recordOptions) pseudonyms() (*history.Pseudonyms, error) {
	switch {
	case o.key != "":
		secret, err := readKey(o.key)
		if err != nil {
			return nil, fail("hint.key", err)
		}
		p, err := history.NewPseudonyms(secret)
		if err != nil {
			return nil, fail("hint.key", fmt.Errorf("%s: %w", o.key, err))
		}
		return p, nil
	case o.anonymize:
		return history.RandomPseudonyms(), nil
	}
	return nil, nil
}

// readKey reads a key's file, of which no more counts than a key can need: /dev/zero has no end.
func readKey(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	const most = 1 << 20
	secret, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && len(secret) > most {
		err = fmt.Errorf("%s: a key of more than 1 MiB", name)
	}
	return secret, err
}

// isFull reports an error of a disk without room.
func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }

// dirFailure says what to do about a directory that cannot be written to.
func dirFailure(path string, err error) error {
	var link *os.LinkError
	info, noPath := os.Stat(path)
	switch {
	case path == "", noPath == nil && !info.IsDir():
		return fail("hint.record", err)
	case errors.Is(err, fs.ErrNotExist):
		return fail("hint.no-directory", err, path)
	case isFull(err):
		return fail("hint.full", err)
	case errors.As(err, &link) && (errors.Is(err, syscall.EPERM) || errors.Is(err, errors.ErrUnsupported)):
		return fail("hint.no-links", err)
	case errors.Is(err, fs.ErrPermission):
		return fail("hint.directory-rights", err)
	}
	return fail("", err)
}

// interruptible is a reader that ends with its context.
type interruptible struct {
	ctx context.Context
	io.Reader
}

func (r interruptible) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.Reader.Read(p)
}

// fileSize is a size as people read it.
func fileSize(n int64) string {
	units := []string{"KiB", "MiB", "GiB"}
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	size := float64(n) / 1024
	for size >= 1024 && len(units) > 1 {
		size, units = size/1024, units[1:]
	}
	return fmt.Sprintf("%.1f %s", size, units[0])
}
