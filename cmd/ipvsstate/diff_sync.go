package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/history"
	"ipvsstate/internal/render"
)

func (o *diffOptions) runSync(a *app, master, backup *render.Summary, first, second *history.Entries, options render.Options) error {
	apart, told := between(master, backup)
	about := history.Directors{Apart: apart, Timeouts: master.Timeouts, Dialect: master.Format.Dialect(), Services: master.Services()}
	if apart = max(apart, -apart); !told {
		apart = conn.Unknown
	}
	threshold := ""
	if master.Config != nil {
		threshold = master.Config.Sysctls["sync_threshold"]
		about.TemplatesOnly = master.Config.Sysctls["sync_persist_mode"] == "1"
		about.OldVersion = master.Config.Sysctls["sync_version"] == "0"
	}
	shown := &render.Sync{Master: master, Backup: backup, Apart: apart, Threshold: threshold, Sync: history.CompareSync(first, second, about)}
	shown.Config, shown.ConfigTold = history.CompareConfigs(master.Config, backup.Config)
	// One has a master daemon and the other a backup's.
	shown.Config = slices.DeleteFunc(shown.Config, func(c history.ConfigChange) bool { return c.What == history.DaemonPart })
	lacks := o.threshold.beyond(shown.Open().Master, shown.Open().Held)
	shown.Verdict = o.threshold.verdict(options.Words, lacks, "sync.beyond", "sync.within")
	return o.write(a, "coverage", func(w io.Writer) error {
		return map[string]func(io.Writer, *render.Sync, render.Options) error{
			"table": render.SyncScreen, "wide": render.SyncScreen, "json": render.SyncJSON, "csv": render.SyncCSV, "markdown": render.SyncMarkdown, "html": render.SyncHTML,
		}[o.output.value](w, shown, options)
	}, lacks)
}

// single reports that --sync is asked of one listing: nothing else is to be read.
func (o *diffOptions) single(a *app, args []string) bool {
	switch {
	case len(args) == 0:
		return true
	case len(args) == 2 || o.input.kernel():
		return false
	}
	return args[0] == "-" || !stdinIsInput(a.stdin)
}

// runOrigins says of one listing what came from a sync daemon.
func (o *diffOptions) runOrigins(ctx context.Context, a *app, args []string, options render.Options) error {
	s, entries, err := o.side(ctx, a, options.Words, "before", o.before, args)
	if s == nil || err != nil {
		return err
	}
	states, templates := entries.Origins()
	if s.OriginsUntold() {
		return fail("hint.untold-origin", fmt.Errorf("%s: it does not tell where entries are from, and there is no backup's listing", s.Name))
	}
	return o.write(a, "origins", func(w io.Writer) error {
		return map[string]func(io.Writer, *render.Origins, render.Options) error{
			"table": render.OriginsScreen, "wide": render.OriginsScreen, "json": render.OriginsJSON, "csv": render.OriginsCSV, "markdown": render.OriginsMarkdown, "html": render.OriginsHTML,
		}[o.output.value](w, &render.Origins{Summary: s, States: states, Templates: templates}, options)
	}, false)
}
