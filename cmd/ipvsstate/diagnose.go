package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ipvsstate/internal/diagnose"
	"ipvsstate/internal/explain"
	"ipvsstate/internal/filter"
	"ipvsstate/internal/render"
	"ipvsstate/internal/services"
	"ipvsstate/internal/tally"
)

// exitFound is the code of a diagnosis that found something.
const exitFound = 1

var errFound = errors.New("something was found")

type diagnoseOptions struct {
	input   inputOptions
	rules   ruleOptions
	output  choice
	failOn  choice
	list    bool
	verbose bool
	lang    choice
	color   choice
}

// ruleOptions are the flags that choose rules and set what they go by.
type ruleOptions struct {
	only, ignore []string
	set          []string
	setFile      string
}

func (o *ruleOptions) addFlags(c *cobra.Command) {
	f := c.Flags()
	f.StringSliceVar(&o.only, "only", nil, "ask these rules only: `LVS001`,…")
	f.StringSliceVar(&o.ignore, "ignore", nil, "ask all rules but these: `LVS001`,…")
	f.StringArrayVar(&o.set, "set", nil, "set a threshold: `NAME=NUMBER`, as syn_recv.min=50 or gone.share=2%; --rules lists them")
	f.StringVar(&o.setFile, "set-file", "", "read thresholds from a `FILE`, NAME=NUMBER on each line")
	var codes, names []string
	for _, r := range diagnose.Rules() {
		codes = append(codes, r.Code)
	}
	for _, n := range diagnose.Names() {
		names = append(names, n+"=")
	}
	complete(c, "only", codes)
	complete(c, "ignore", codes)
	complete(c, "set", names)
}

// chosen tells which rules are asked, and by what.
func (o *ruleOptions) chosen() (func(string) bool, diagnose.Settings, error) {
	known := func(code string) bool {
		return slices.ContainsFunc(diagnose.Rules(), func(r diagnose.Rule) bool { return r.Code == code })
	}
	for _, codes := range [][]string{o.only, o.ignore} {
		for i, code := range codes {
			if codes[i] = strings.ToUpper(code); !known(codes[i]) {
				return nil, nil, fail("hint.rules", fmt.Errorf("there is no rule %q", code))
			}
		}
	}
	settings := diagnose.Defaults()
	if o.setFile != "" {
		text, err := os.ReadFile(o.setFile)
		if err == nil {
			err = settings.Read(string(text))
		}
		if err != nil {
			return nil, nil, fail("hint.set", fmt.Errorf("--set-file %s: %w", o.setFile, err))
		}
	}
	for _, text := range o.set {
		if err := settings.Set(text); err != nil {
			return nil, nil, fail("hint.set", fmt.Errorf("--set: %w", err))
		}
	}
	return func(code string) bool {
		return (o.only == nil || slices.Contains(o.only, code)) && !slices.Contains(o.ignore, code)
	}, settings, nil
}

const failNever = "never"

func newDiagnose(a *app) *cobra.Command {
	o := &diagnoseOptions{
		output: choice{"table", []string{"table", "json", "markdown"}},
		failOn: choice{diagnose.Warning.String(), append(slices.Clone(diagnose.SeverityNames()), failNever)},
		lang:   choice{"", explain.Languages()},
		color:  choice{"auto", []string{"auto", "always", "never"}},
	}
	c := &cobra.Command{
		Use:   "diagnose [FILE…]",
		Short: "Say what is wrong, by what numbers, and what to do next",
		Long: `Look at a table as an experienced LVS engineer would, and say what is wrong: dead real
servers, broken return paths, floods, entries that point at removed servers, idle
connections that are about to be dropped, an uneven spread, a backup that hears
nothing. Each finding has the numbers it rests on and the command to run next;
ipvsstate explain LVS001 tells what it means, why it happens and when to ignore it.

It looks at the whole table, so there are no filters: of a part a share would say what
is not so. Rules go by shares with a least volume, never by bare counts; --rules lists
them with their thresholds. What a rule needs and the input does not tell, --verbose
says: of a saved listing give what ipvsadm -Ln and sysctl -a print beside. Clients are
told from a sample of the largest tables, with more than 262,144 entries.`,
		Example: `  ipvsstate diagnose                              this director
  ipvsstate diagnose ipvsadm-Ln.txt ipvsadm-Lcn.txt
  ipvsstate diagnose --set syn_recv.min=50 --ignore LVS015
  ipvsstate diagnose -o markdown saved.txt >ticket.md
  ipvsstate diagnose --rules`,
		Args: cobra.ArbitraryArgs,
		Annotations: map[string]string{exitStatus: `  0    nothing was found that is as bad as --fail-on
  1    something was
` + afterDone},
		RunE: func(c *cobra.Command, args []string) error { return runDiagnose(c.Context(), a, o, args) },
	}
	f := c.Flags()
	f.SortFlags = false
	addChoice(c, &o.output, "output", "o", "format of the output")
	addChoice(c, &o.failOn, "fail-on", "", "the least severity of a finding to exit with 1")
	o.rules.addFlags(c)
	f.BoolVar(&o.list, "rules", false, "list the rules with their thresholds, and read nothing")
	f.BoolVar(&o.verbose, "verbose", false, "show all findings of a rule; name the rules that could not look, and what they need")
	o.input.addFlags(c)
	addScreenFlags(c, &o.lang, &o.color)
	return c
}

// exactSample is how many entries a diagnosis looks at for what it says of clients.
const exactSample = 1 << 18

func runDiagnose(ctx context.Context, a *app, o *diagnoseOptions, args []string) error {
	words, err := a.words(o.lang.value)
	if err != nil {
		return err
	}
	chosen, settings, err := o.rules.chosen()
	if err != nil {
		return err
	}
	options := render.DiagnosisOptions{Options: a.screen(words, o.color, o.output), Verbose: o.verbose}
	if o.list {
		return render.RulesTable(a.stdout, settings, options.Options)
	}
	s, stopped := a.diagnosed(ctx, &o.input, words, args, chosen, settings)
	if s == nil {
		return stopped
	}
	write := map[string]func(io.Writer, *render.Summary, render.DiagnosisOptions) error{
		"table": render.DiagnosisScreen, "json": render.DiagnosisJSON, "markdown": render.DiagnosisMarkdown,
	}[o.output.value]
	if err := a.write("diagnosis", func(w io.Writer) error { return write(w, s, options) }); err != nil {
		return err
	}
	if stopped != nil {
		return stopped
	}
	least, _ := diagnose.SeverityOf(o.failOn.value)
	if worst, ok := s.Diagnosis.Worst(); ok && worst >= least && o.failOn.value != failNever {
		return &failure{err: errFound, code: exitFound}
	}
	return nil
}

// diagnosed reads an input, counts it server by server, and asks the rules.
func (a *app) diagnosed(ctx context.Context, input *inputOptions, words *explain.Catalogue, args []string, chosen func(string) bool, settings diagnose.Settings) (*render.Summary, error) {
	all, err := filter.New(nil)
	if err != nil {
		return nil, err
	}
	q := &question{input: input, filter: all, by: services.By(), sample: exactSample}
	s, stopped := a.read(ctx, q, words, args)
	if s == nil {
		return nil, stopped
	}
	report := services.NewReport(s.Tally.Groups(), s.Services(), s.Whole())
	s.Diagnosis = diagnose.Run(s.DiagnoseFacts(report, 1), settings, chosen)
	return s, stopped
}

// diagnoseSample asks the rules about the sample of a listing that was summed up.
func diagnoseSample(s *render.Summary) *diagnose.Diagnosis {
	sample := s.Tally.Sample()
	report := services.NewReport(sample.Groups(&tally.Plan{By: services.By()}, nil), s.Services(), sample.Rate() == 1 && s.Whole())
	return diagnose.Run(s.DiagnoseFacts(report, sample.Rate()), diagnose.Defaults(), nil)
}
