package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"ipvsstate/internal/capture"
	"ipvsstate/internal/conn"
	"ipvsstate/internal/explain"
	"ipvsstate/internal/filter"
	"ipvsstate/internal/history"
	"ipvsstate/internal/render"
)

type diffOptions struct {
	input         inputOptions
	filter        filterOptions
	before, after int
	sync          bool
	threshold     thresholdFlag
	top           int
	output        choice
	lang          choice
	color         choice
}

const diffExit = `  0    the two do not differ: no entry is new, gone or in another state, and the
       configurations are the same; with --threshold: no count changed by more, of
       connections, in all, in a state, of a service or a server, or of templates; with
       --sync: the backup lacks no open connection, in ESTABLISHED or of UDP, or no more
       than --threshold
  1    they differ
  2    could not: usage, permission, input or output; a reading cut short by --timeout;
       with --strict, a row that could not be read
  130  interrupted`

func newDiff(a *app) *cobra.Command {
	o := &diffOptions{
		output: choice{"table", []string{"table", "wide", "json", "csv", "markdown", "html"}},
		lang:   choice{"", explain.Languages()},
		color:  choice{"auto", []string{"auto", "always", "never"}},
	}
	c := &cobra.Command{
		Use:   "diff BEFORE [AFTER]",
		Short: "Say what changed between two snapshots, or what a backup director lacks",
		Long: `Compare two listings of one director: the connections of each state, virtual service,
real server and client network before and after, which entries are new, gone and still
there, and how their states moved. Entries are matched by protocol, client, virtual and
real server. Without AFTER it is standard input, or the running kernel. Where both tell
how the director is configured, it says what of that changed.

Of what is gone it says what needed nothing but silence, since it had no more time left
than has passed; what had more, and was ended by a FIN, a RST or a new connection from
its port, or was removed; and what packets can hardly have ended in that time (a RST and
a SYN at once can): then a server or service was removed, the table flushed, or
drop_entry made room. A kernel that shows entries twice can also have missed some.

With --sync the two are a MASTER and its BACKUP at one moment: of the master's
connections, how many would the backup know if it took over, by state, by the time
without a packet, by service; and why it can lack the others. Without BACKUP it is
standard input where that is a pipe or a file, or the kernel where --live, --netns or
--proc ask for it. Without either, of one listing of ip_vs_conn_sync or with --live alone,
it says what came from a sync daemon and what was made here.

An entry that is listed twice counts once: kernels before 6.14 show some so.

It takes 50 to 120 bytes an entry of each listing, the more the more client networks, and
with --top 0 up to 800, where each client is a network of its own.`,
		Example: `  ipvsstate diff lvs1-20261122T050000Z.txt.zst lvs1-20261122T051000Z.txt.zst
  ipvsstate diff yesterday.txt.gz                    with the running kernel
  ipvsstate diff --threshold 20%,100 a.txt b.txt     exit code 1 beyond a fifth and 100
  ipvsstate diff --sync master.txt backup.txt        would the backup hold them?
  ipvsstate diff --before 1 --after 0 log.txt log.txt   first and newest of one log`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 && !(o.sync && o.input.kernel()) || len(args) > 2 {
				return fail("hint.diff", fmt.Errorf("%s takes two listings, not %d", c.CommandPath(), len(args)))
			}
			return nil
		},
		Annotations: map[string]string{exitStatus: diffExit},
		RunE:        func(c *cobra.Command, args []string) error { return runDiff(c.Context(), a, o, args) },
	}
	c.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveDefault // files
	}
	f := c.Flags()
	f.SortFlags = false
	addChoice(c, &o.output, "output", "o", "format of the output")
	f.BoolVar(&o.sync, "sync", false, "the two are a master director and its backup")
	f.Var(&o.threshold, "threshold", "differ only beyond this change: `N`, N% of what there was, or N%,N for both")
	addTop(c, &o.top, "services, servers and networks", strconv.Itoa(usualKept))
	f.IntVar(&o.before, "before", 0, "of several listings in BEFORE take the `N`th (0: the newest)")
	f.IntVar(&o.after, "after", 0, "of several listings in AFTER take the `N`th (0: the newest)")
	// By what does not change in an entry's life: others would show as gone what has moved on.
	o.filter.addFlags(c, filter.Protocol, filter.Client, filter.Virtual, filter.Server, filter.Port, filter.Family)
	o.input.addReadingFlags(c)
	addScreenFlags(c, &o.lang, &o.color)
	return c
}

// thresholdFlag is the change beyond which two listings differ.
type thresholdFlag struct {
	text     string
	count    uint64
	relative float64
}

func (f *thresholdFlag) String() string { return f.text }
func (f *thresholdFlag) Type() string   { return "CHANGE" }
func (f *thresholdFlag) Set(text string) error {
	*f = thresholdFlag{text: text}
	counts, shares := 0, 0
	for part := range strings.SplitSeq(text, ",") {
		percent, relative := strings.CutSuffix(part, "%")
		n, err := strconv.ParseUint(percent, 10, 32)
		if relative {
			f.relative = float64(n) / 100
			shares++
		} else {
			f.count = n
			counts++
		}
		if err != nil || counts > 1 || shares > 1 {
			return errors.New("it takes a number of connections, a share, or both, as 500, 20% or 20%,100")
		}
	}
	return nil
}

// beyond reports that a change is greater than the threshold, in each way that is given.
func (f *thresholdFlag) beyond(before, after uint64) bool {
	by := max(before, after) - min(before, after)
	return by > f.count && float64(by) > f.relative*float64(before)
}

// verdict says what came of the threshold, empty without one.
func (f *thresholdFlag) verdict(words *explain.Catalogue, differ bool, beyond, within string) string {
	switch {
	case f.text == "":
		return ""
	case differ:
		return words.Word(beyond, f.text)
	}
	return words.Word(within, f.text)
}

// differ reports that a comparison shows something beyond the threshold; without one the
// entries themselves count.
func (f *thresholdFlag) differ(d *history.Diff) bool {
	if f.text == "" {
		moved := func(t *history.Turnover) bool { return t.New+t.Gone > 0 }
		for _, m := range d.Moves {
			if m.New || m.Gone || m.From != m.To {
				return true
			}
		}
		return moved(&d.Connections) || moved(&d.Templates)
	}
	if f.beyond(d.Connections.Before, d.Connections.After) || f.beyond(d.Templates.Before, d.Templates.After) {
		return true
	}
	return d.States.Beyond || d.Services.Beyond || d.Servers.Beyond
}

func runDiff(ctx context.Context, a *app, o *diffOptions, args []string) error {
	words, err := a.words(o.lang.value)
	if err != nil {
		return err
	}
	if o.before < 0 || o.after < 0 {
		return fail("hint.snapshot-number", errors.New("--before and --after count listings from 1"))
	}
	if o.input.kernel() && len(args) == 2 {
		return fail("hint.file-or-kernel", fmt.Errorf("AFTER and the running kernel cannot both be read: %q", args[1]))
	}
	if len(args) > 0 && args[0] == "-" && (len(args) == 2 && args[1] == "-" || len(args) == 1 && !o.sync && !o.input.kernel()) {
		return fail("hint.diff", errors.New("standard input can be read once"))
	}
	if o.input.kernel() && (o.after > 0 || len(args) == 0 && o.before > 0) {
		return fail("hint.one-table-diff", errors.New("the running kernel has one table, not several"))
	}
	options := a.screen(words, o.color, o.output)
	options.Top = o.top
	if options.Wide && o.top < 0 {
		options.Top = 0
	}
	if o.sync && o.single(a, args) {
		return o.runOrigins(ctx, a, args, options)
	}
	before, first, err := o.side(ctx, a, words, "before", o.before, args[:1])
	if before == nil || err != nil {
		return err
	}
	after, second, err := o.side(ctx, a, words, "after", o.after, args[1:])
	var none *capture.NoListingError
	if o.sync && len(args) == 1 && errors.As(err, &none) && none.Lines == 0 {
		return fail("hint.empty-backup", err)
	}
	if after == nil || err != nil {
		return err
	}
	if len(args) == 2 && args[0] == args[1] && before.Of > 1 && before.Index == after.Index {
		return fail("hint.one-listing", fmt.Errorf("%s: it is listing %d of %d in both places", args[0], before.Index, before.Of))
	}
	if err := samePseudonyms(before, after); err != nil {
		return err
	}
	if o.sync {
		return o.runSync(a, before, after, first, second, options)
	}
	apart, told := between(before, after)
	backwards := told && apart < 0
	if programs := o.output.value == "json" || o.output.value == "csv"; backwards && programs { // people see it in the result
		fmt.Fprintf(a.stderr, "ipvsstate: %s\n", words.Word("diff.backwards"))
	}
	if !told || backwards {
		apart = conn.Unknown
	}
	whole := isWhole(before) && isWhole(after)
	d := history.Compare(first, second, history.Between{
		Seconds: apart, Whole: whole, Dialect: before.Format.Dialect(), Timeouts: [2]conn.Timeouts{before.Timeouts, after.Timeouts},
		Top: max(0, o.kept()), Beyond: o.threshold.beyond,
	})
	shown := &render.Diff{Before: before, After: after, Seconds: apart, Backwards: backwards, Whole: whole, Diff: d}
	shown.Config, shown.ConfigTold = history.CompareConfigs(before.Config, after.Config)
	differ := o.threshold.differ(d) || o.threshold.text == "" && len(shown.Config) > 0
	shown.Threshold = o.threshold.verdict(words, differ, "diff.beyond", "diff.within")
	return o.write(a, "comparison", func(w io.Writer) error {
		return map[string]func(io.Writer, *render.Diff, render.Options) error{
			"table": render.DiffScreen, "wide": render.DiffScreen, "json": render.DiffJSON, "csv": render.DiffCSV, "markdown": render.DiffMarkdown, "html": render.DiffHTML,
		}[o.output.value](w, shown, options)
	}, differ)
}

// usualKept is how many services, servers and networks are kept of each, where --top does
// not say.
const usualKept = 1000

func (o *diffOptions) kept() int {
	if o.top < 0 {
		return usualKept
	}
	return o.top
}

// side reads one of the listings, with its entries.
func (o *diffOptions) side(ctx context.Context, a *app, words *explain.Catalogue, flag string, number int, args []string) (*render.Summary, *history.Entries, error) {
	input := o.input
	input.snapshot, input.numberFlag = number, flag
	if len(args) > 0 {
		input.live, input.netns, input.proc = false, "", ""
	}
	f, err := o.filter.build()
	if err != nil {
		return nil, nil, err
	}
	q := &question{input: &input, filter: f, keepEntries: true}
	s, err := a.read(ctx, q, words, args)
	return s, q.entries, err
}

// samePseudonyms refuses listings whose clients cannot be compared.
func samePseudonyms(before, after *render.Summary) error {
	switch {
	case before.Anonymized != after.Anonymized:
		return fail("hint.one-key", errors.New("one of the two has pseudonyms of the clients, and the other their addresses"))
	case before.Anonymized && (before.PseudonymKey == "" || before.PseudonymKey != after.PseudonymKey):
		return fail("hint.one-key", fmt.Errorf("the pseudonyms of the clients are of two keys, %q and %q", before.PseudonymKey, after.PseudonymKey))
	}
	return nil
}

// between is the time from one listing to the other, below 0 where the other is older; told is
// false where the two do not tell it.
func between(before, after *render.Summary) (apart conn.Seconds, told bool) {
	if before.TimeFrom == render.TimeUnknown || after.TimeFrom == render.TimeUnknown {
		return 0, false
	}
	s := int64(after.Time.Sub(before.Time).Seconds())
	const years = 68 // beyond, it does not fit
	if s > years*365*86400 || s < -years*365*86400 {
		return 0, false
	}
	// Files that were copied or checked out together tell nothing.
	if (before.TimeFrom == render.TimeMtime || after.TimeFrom == render.TimeMtime) && s >= -1 && s <= 1 {
		return 0, false
	}
	return conn.Seconds(s), true
}

// isWhole reports that a listing has all entries that its filter lets through.
func isWhole(s *render.Summary) bool {
	return s.Complete && !s.Torn && !s.Cut && !s.CutShort && s.Input.Bad == 0 && s.Input.Garbled == 0
}

// write writes a result, and makes of a difference the exit code.
func (o *diffOptions) write(a *app, what string, write func(io.Writer) error, differ bool) error {
	if err := a.write(what, write); err != nil {
		return err
	}
	if differ {
		return &failure{err: errFound, code: exitFound}
	}
	return nil
}
