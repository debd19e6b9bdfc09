package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ipvsstate/internal/explain"
	"ipvsstate/internal/render"
)

type explainOptions struct {
	output choice
	lang   choice
	long   bool
	short  bool
}

func newExplain(a *app) *cobra.Command {
	o := &explainOptions{
		output: choice{"text", []string{"text", "json", "markdown"}},
		lang:   choice{"", explain.Languages()},
	}
	c := &cobra.Command{
		Use:   "explain [TOPIC…]",
		Short: "Explain states, how connections live, the director's words, and the rules of diagnose",
		Long: `Explain the states of a director's entries and of TCP sockets, how connections open and
close, and the words that IPVS has for things: what the director saw, how long an entry
stays, when it is normal and when to worry. And the rules of diagnose, by their codes:
what each means, why it happens, how to confirm it, what to do, when to ignore it.

TOPIC is a state as a listing prints it, a word, or a code; case, - and _ do not matter.
Without one the topics are listed. director, socket, life, term and rule are all topics of
a kind, all is everything.

On a terminal a text goes through $IPVSSTATE_PAGER, $PAGER or less; IPVSSTATE_PAGER=cat
writes it at once.`,
		Example: `  ipvsstate explain                       the topics
  ipvsstate explain FIN_WAIT TIME_WAIT
  ipvsstate explain --long syn_recv
  ipvsstate explain handshake
  ipvsstate explain LVS003
  ipvsstate explain template --lang zh
  ipvsstate explain --short director`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error { return runExplain(a, o, args) },
	}
	c.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return topicNames(), cobra.ShellCompDirectiveNoFileComp
	}
	addChoice(c, &o.output, "output", "o", "format of the output; json and markdown are always whole")
	addChoice(c, &o.lang, "lang", "", "language, from LC_ALL, LC_MESSAGES or LANG if not given")
	c.Flags().BoolVar(&o.long, "long", false, "tell everything, with the packets one by one")
	c.Flags().BoolVar(&o.short, "short", false, "tell each topic in one sentence")
	c.MarkFlagsMutuallyExclusive("long", "short")
	c.AddCommand(newDiagram(a), newWalk(a))
	return c
}

// topicNames are the words that completion offers.
func topicNames() []string {
	c, err := explain.Load(explain.English)
	if err != nil {
		return nil
	}
	names := []string{"all"}
	for _, k := range explain.Kinds() {
		names = append(names, string(k))
	}
	for _, t := range c.Topics() {
		if !slices.Contains(names, t.Key) {
			names = append(names, t.Key)
		}
	}
	return names
}

func runExplain(a *app, o *explainOptions, args []string) error {
	words, err := a.words(o.lang.value)
	if err != nil {
		return err
	}
	var topics []*explain.Topic
	for _, word := range args {
		found := words.Find(word)
		if len(found) == 0 {
			return noTopic(words, word)
		}
		for _, t := range found {
			if !slices.Contains(topics, t) {
				topics = append(topics, t)
			}
		}
	}
	if len(args) == 0 && o.output.value != "text" {
		topics = words.Topics()
	}
	detail := render.Brief
	switch {
	case o.long:
		detail = render.Long
	case o.short:
		detail = render.Short
	}
	return a.page(func(w io.Writer) error {
		switch {
		case o.output.value == "json":
			return render.TopicsJSON(w, words, topics)
		case o.output.value == "markdown":
			return render.TopicsMarkdown(w, words, topics)
		case len(args) == 0:
			return render.TopicList(w, words, a.width)
		}
		return render.Topics(w, words, topics, detail, a.width)
	})
}

func noTopic(words *explain.Catalogue, word string) error {
	err := fmt.Errorf("there is no topic %q", word)
	if near := words.Near(word); len(near) > 0 {
		return fail("hint.near", err, strings.Join(near, ", "))
	}
	return fail("hint.topics", err)
}
