package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
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
	root.SetUsageTemplate(usageTemplate)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fail("hint.flags", err, c.CommandPath())
	})
	root.Version = version
	root.SetVersionTemplate("ipvsstate {{.Version}}\n")
	root.AddCommand(newSummary(a), newList(a), newServices(a), newExplain(a), newVersion(a))
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			c.Example = "  ipvsstate completion bash >/etc/bash_completion.d/ipvsstate"
		}
	}
	return root
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

const readingExit = `  0    done
  2    could not: usage, permission, input or output; a reading cut short by --timeout;
       a filter on what the input does not tell; with --strict, a row that could not be read
  130  interrupted; what had been read is shown`

// usageTemplate is cobra's, with the exit status behind the flags.
var usageTemplate = strings.Replace((&cobra.Command{}).UsageTemplate(), "{{if .HasHelpSubCommands}}", `

Exit Status:
{{with index .Annotations "`+exitStatus+`"}}{{.}}{{else}}`+usualExit+`{{end}}{{if .HasHelpSubCommands}}`, 1)

// choice is a flag that takes one of a few words.
type choice struct {
	value   string
	allowed []string
}

func (c *choice) String() string { return c.value }
func (c *choice) Type() string   { return strings.Join(c.allowed, "|") }
func (c *choice) Set(v string) error {
	if !slices.Contains(c.allowed, v) {
		return fmt.Errorf("it takes %s", strings.Join(c.allowed, ", "))
	}
	c.value = v
	return nil
}

// addChoice adds such a flag, with completion of its words.
func addChoice(c *cobra.Command, to *choice, name, short, usage string) {
	c.Flags().VarP(to, name, short, usage)
	err := c.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(to.allowed, cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic(err) // a flag of that name is registered twice
	}
}
