package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// newRoot builds the commands. Without a command's name the summary is shown.
func newRoot(a *app) *cobra.Command {
	root := newSummary(a)
	root.Use = "ipvsstate [FILE…]"
	root.Short = "Show what is in an IPVS connection table, and what each state means"
	root.SilenceErrors = true
	root.SilenceUsage = true
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetUsageTemplate(usageTemplate(a))
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fail("hint.flags", err, c.CommandPath())
	})
	root.Version = version
	root.SetVersionTemplate("ipvsstate {{.Version}}\n")
	root.AddCommand(newSummary(a), newList(a), newServices(a), newDiagnose(a), newCheck(a), newRecord(a), newDiff(a), newTrend(a), newExplain(a), newVersion(a))
	root.InitDefaultCompletionCmd()
	completeNoFiles(root)
	for _, c := range root.Commands() {
		completeNoFiles(c)
		if c.Name() == "completion" {
			c.Example = "  ipvsstate completion bash >/etc/bash_completion.d/ipvsstate"
		}
	}
	return root
}

// pathFlags are those whose value is a path, or can be one.
var pathFlags = []string{"set-file", "anonymize-key", "proc", "netns"}

// completeNoFiles keeps the shell from offering files where a flag takes none.
func completeNoFiles(c *cobra.Command) {
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if _, has := c.GetFlagCompletionFunc(f.Name); !has && f.Value.Type() != "bool" && !slices.Contains(pathFlags, f.Name) {
			complete(c, f.Name, nil)
		}
	})
}

// noArgs refuses arguments, with a hint.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fail("hint.no-argument", fmt.Errorf("%s takes no argument: %q", c.CommandPath(), args[0]))
	}
	return nil
}

// exitStatus is the annotation that holds a command's exit codes for its help.
const exitStatus = "exit status"

const usualExit = `  0    done
  2    could not: usage, permission, input or output
  130  interrupted`

const (
	readingExit = "  0    done\n" + afterDone
	afterDone   = `  2    could not: usage, permission, input or output; a reading cut short by --timeout;
       a filter on what the input does not tell; with --strict, a row that could not be read
  130  interrupted; what had been read is shown`
)

// usageTemplate is cobra's, with the exit status behind the flags, whose texts are
// wrapped to the terminal.
func usageTemplate(a *app) string {
	width := a.width
	if width == 0 {
		width = 100
	}
	return strings.NewReplacer(
		"{{if .HasHelpSubCommands}}", `

Exit Status:
{{with index .Annotations "`+exitStatus+`"}}{{.}}{{else}}`+usualExit+`{{end}}{{if .HasHelpSubCommands}}`,
		".FlagUsages ", fmt.Sprintf(".FlagUsagesWrapped %d ", width),
	).Replace((&cobra.Command{}).UsageTemplate())
}

// choice is a flag that takes one of a few words.
type choice struct {
	value   string
	allowed []string
}

func (c *choice) String() string { return c.value }

// Type is the words, where they are few.
func (c *choice) Type() string {
	if all := strings.Join(c.allowed, "|"); len(all) <= 32 {
		return all
	}
	return "WORD"
}

func (c *choice) Set(v string) error {
	if !slices.Contains(c.allowed, v) {
		return fmt.Errorf("it takes %s", strings.Join(c.allowed, ", "))
	}
	c.value = v
	return nil
}

// addTop adds the flag that limits what is shown; -1 stands for what the format usually
// shows.
func addTop(c *cobra.Command, to *int, what, usual string) {
	c.Flags().IntVar(to, "top", -1, fmt.Sprintf("show the first `N` %s, the rest added up (0: all; if not given 20 in a table, else %s)", what, usual))
	c.Flags().Lookup("top").DefValue = "0" // which help does not print
}

// addChoice adds such a flag, with completion of its words.
func addChoice(c *cobra.Command, to *choice, name, short, usage string) {
	if to.Type() == "WORD" {
		usage += ": " + strings.Join(to.allowed, ", ")
	}
	c.Flags().VarP(to, name, short, usage)
	complete(c, name, to.allowed)
}
