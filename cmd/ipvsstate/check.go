package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ipvsstate/internal/check"
	"ipvsstate/internal/diagnose"
	"ipvsstate/internal/explain"
	"ipvsstate/internal/filter"
	"ipvsstate/internal/render"
	"ipvsstate/internal/services"
)

type checkOptions struct {
	input             inputOptions
	rules             ruleOptions
	warning, critical []string
	lang              choice
}

func newCheck(a *app) *cobra.Command {
	o := &checkOptions{lang: choice{"", explain.Languages()}}
	c := &cobra.Command{
		Use:   "check [FILE…]",
		Short: "The diagnosis, and thresholds of any count, as a monitoring plugin",
		Long: `Look at a table for Nagios, Icinga and what else takes plugins: one status line with
performance data, and an exit code. A rule's critical finding is CRITICAL, one of
severity warning is WARNING; ipvsstate diagnose says the same at length.

-w and -c hold a count against a range of the Monitoring Plugins Guidelines, 200, 10:,
@10:20, or with a percent sign a share:

  connections   templates   state:SYN_RECV   proto:UDP
  service:192.0.2.1:80   service:UDP@192.0.2.1:53   service:fwmark:10
  server:10.0.0.7:8080   and behind the last two /STATE: /SYN_RECV

A share is of all connections, or of the service's or server's where a state stands
behind it. A service or server that has no entries counts 0.`,
		Example: `  ipvsstate check
  ipvsstate check -w state:SYN_RECV=200 -c service:192.0.2.1:80/SYN_RECV=20%
  ipvsstate check --ignore LVS010,LVS015 -w connections=100:50000`,
		Args: cobra.ArbitraryArgs,
		Annotations: map[string]string{exitStatus: `  0    OK
  1    WARNING
  2    CRITICAL
  3    UNKNOWN: usage, permission, input, or a reading that was cut short`},
	}
	c.RunE = func(c *cobra.Command, args []string) error { return a.unknown(runCheck(c.Context(), a, o, args)) }
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return a.unknown(err) })
	f := c.Flags()
	f.SortFlags = false
	f.StringArrayVarP(&o.warning, "warning", "w", nil, "WARNING outside the range: `WHAT=RANGE`")
	f.StringArrayVarP(&o.critical, "critical", "c", nil, "CRITICAL outside the range: `WHAT=RANGE`")
	for _, name := range []string{"warning", "critical"} {
		if err := c.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(checkWords(), cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveNoSpace)); err != nil {
			panic(err) // the flag is registered above
		}
	}
	o.rules.addFlags(c)
	o.input.addFlags(c)
	addChoice(c, &o.lang, "lang", "", "language, from LC_ALL, LC_MESSAGES or LANG if not given")
	return c
}

// checkWords are the beginnings of thresholds that can be completed.
func checkWords() []string {
	words := []string{}
	for _, w := range check.Whats() {
		if w != "state:" && w != "proto:" {
			words = append(words, w)
		}
	}
	for _, s := range filterWords(filter.State) {
		words = append(words, "state:"+s+"=")
	}
	for _, p := range filterWords(filter.Protocol) {
		words = append(words, "proto:"+p+"=")
	}
	return words
}

// unknown makes an error the plugin's UNKNOWN: its first line is on standard output,
// where monitoring looks, the rest where errors are.
func (a *app) unknown(err error) error {
	var f *failure
	if err == nil || errors.As(err, &f) && f.err == errFound {
		return err
	}
	fmt.Fprintf(a.stdout, "IPVS UNKNOWN - %s\n", oneLine(err.Error()))
	if f != nil {
		return &failure{f.err, f.hint, f.args, int(check.Unknown)}
	}
	return &failure{err: err, code: int(check.Unknown)}
}

// oneLine keeps what is not ours from ending the status line or beginning its data.
func oneLine(text string) string {
	return strings.ReplaceAll(render.Clean(text), "|", "/")
}

// statusOf is what a finding makes of the status.
var statusOf = map[diagnose.Severity]check.Status{diagnose.Notice: check.OK, diagnose.Warning: check.Warning, diagnose.Critical: check.Critical}

func runCheck(ctx context.Context, a *app, o *checkOptions, args []string) error {
	words, err := a.words(o.lang.value)
	if err != nil {
		return err
	}
	chosen, settings, err := o.rules.chosen()
	if err != nil {
		return err
	}
	var metrics []*check.Metric
	for i, texts := range [][]string{o.warning, o.critical} {
		for _, text := range texts {
			if metrics, err = check.Add(metrics, text, i == 1); err != nil {
				return fail("hint.threshold", fmt.Errorf("%s %s: %w", [...]string{"-w", "-c"}[i], text, err))
			}
		}
	}
	s, stopped := a.diagnosed(ctx, &o.input, words, args, chosen, settings)
	if stopped != nil {
		return stopped
	}
	status := check.OK
	if worst, ok := s.Diagnosis.Worst(); ok {
		status = statusOf[worst]
	}
	type problem struct {
		status check.Status
		text   string
	}
	var problems []problem
	var data []string
	report := services.NewReport(s.Tally.Groups(), s.Services(), s.Whole())
	for _, m := range metrics {
		r := m.Evaluate(s.Tally, report)
		status = max(status, r.Status)
		data = append(data, r.Perfdata())
		switch {
		case r.Status != check.OK:
			problems = append(problems, problem{r.Status, render.ThresholdText(&r, words)})
		case m.Percent() && r.Of == 0:
			problems = append(problems, problem{check.OK, words.Word("check.none", m.Selector)})
		}
	}
	if metrics == nil {
		data = check.Usual(s.Tally)
	}
	for i := range s.Diagnosis.Findings {
		g := &s.Diagnosis.Findings[i]
		problems = append(problems, problem{statusOf[g.Severity], render.FindingText(g, words)})
	}
	slices.SortStableFunc(problems, func(a, b problem) int { return cmp.Compare(b.status, a.status) })
	line := words.Count("connections", s.Tally.Connections()) + words.Word("comma") + words.Count("templates", s.Tally.Templates())
	if len(problems) > 0 {
		line = problems[0].text
	}
	fmt.Fprintf(a.stdout, "IPVS %s - %s | %s\n", status, oneLine(line), strings.Join(data, " "))
	for i := range problems {
		if i > 0 {
			fmt.Fprintln(a.stdout, oneLine(problems[i].text))
		}
	}
	if status != check.OK {
		return &failure{err: errFound, code: int(status)}
	}
	return nil
}
