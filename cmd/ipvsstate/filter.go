package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/filter"
)

// filterOptions are the flags that choose entries; every command that reads has them.
type filterOptions struct {
	fields []filter.Field
	terms  []filter.Term
}

// filterUsage says what each of the flags takes.
var filterUsage = map[filter.Field]string{
	filter.State:     "only entries in these states: `STATE`,… with * and ?, FIN*",
	filter.Protocol:  "only of these protocols: `PROTO`,…",
	filter.Client:    "only of these clients: `ADDR`, network, ADDR:PORT or host, …",
	filter.Virtual:   "only to these virtual addresses: `ADDR`, network, ADDR:PORT, :PORT, fwmark:N, …",
	filter.Server:    "only to these real servers: `ADDR`, network, ADDR:PORT or host, …",
	filter.Port:      "only to these virtual ports: `PORT`, 8000-8100, http, …",
	filter.Origin:    "only made here, or received from another director: `local|sync`",
	filter.Family:    "only of IPv4 or IPv6 clients: `4|6`",
	filter.Idle:      "only as long without a packet: `'>5m'`, '<10s', …",
	filter.Expires:   "only with so much time left: `'<10s'`, '>1m', …",
	filter.Templates: "persistence templates: `only|no|yes`",
}

// addFlags adds the flags of these fields, of all if none are named.
func (o *filterOptions) addFlags(c *cobra.Command, fields ...filter.Field) {
	if o.fields = fields; len(fields) == 0 {
		o.fields = filter.Fields()
	}
	for _, field := range o.fields {
		c.Flags().Var(&termFlag{o, field}, string(field), filterUsage[field])
		complete(c, string(field), filterWords(field))
	}
	c.Flags().Var(&termFlag{o, ""}, "not", "all but these: `FLAG=VALUE` of the flags above; so does a leading !")
	var flags []string
	for _, field := range o.fields {
		flags = append(flags, string(field)+"=")
	}
	complete(c, "not", flags)
}

// filterWords are the values of a filter's flag that can be completed.
func filterWords(f filter.Field) []string {
	var words []string
	switch f {
	case filter.State:
		for _, s := range conn.States() {
			words = append(words, s.String())
		}
	case filter.Protocol:
		for _, p := range conn.Protocols() {
			words = append(words, p.String())
		}
	case filter.Origin:
		words = []string{"local", "sync"}
	case filter.Family:
		words = []string{"4", "6"}
	case filter.Templates:
		words = []string{"only", "no", "yes"}
	}
	return words
}

// complete offers words for a flag's value.
func complete(c *cobra.Command, flag string, words []string) {
	if err := c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // a flag of that name is registered twice
	}
}

// build makes the filter that the flags ask for.
func (o *filterOptions) build() (*filter.Filter, error) {
	f, err := filter.New(o.terms)
	var bad *filter.ValueError
	if errors.As(err, &bad) {
		return nil, fail("hint.filter-value", err, bad.Want)
	}
	return f, err
}

// untold is the error of a filter that looks at what the input does not tell.
func untold(f *filter.Filter) error {
	fields := f.Untold()
	if len(fields) == 0 {
		return nil
	}
	hint := "hint.untold"
	switch fields[0] {
	case filter.Origin:
		hint = "hint.untold-origin"
	case filter.Idle, filter.Expires:
		hint = "hint.untold-time"
	}
	return fail(hint, fmt.Errorf("--%s: no entry of this listing tells it", fields[0]))
}

// termFlag is a filter's flag; that of no field is --not.
type termFlag struct {
	options *filterOptions
	field   filter.Field
}

func (f *termFlag) String() string { return "" }
func (f *termFlag) Type() string   { return "VALUE" }
func (f *termFlag) Set(v string) error {
	if f.field != "" {
		f.options.terms = append(f.options.terms, filter.Term{Field: f.field, Value: v})
		return nil
	}
	name, value, ok := strings.Cut(strings.TrimPrefix(v, "--"), "=")
	if !ok || !slices.Contains(f.options.fields, filter.Field(name)) {
		return errors.New("it takes another filter's flag and its value, as --not state=FIN*")
	}
	f.options.terms = append(f.options.terms, filter.Term{Field: filter.Field(name), Value: value, Not: true})
	return nil
}
