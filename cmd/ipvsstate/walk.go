package main

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/explain"
	"ipvsstate/internal/machine"
	"ipvsstate/internal/render"
)

type walkOptions struct {
	forwarding choice
	protocol   choice
	secure     bool
	timeouts   timeoutsFlag
	output     choice
	lang       choice
}

func newWalk(a *app) *cobra.Command {
	o := &walkOptions{
		forwarding: choice{"", []string{"nat", "dr", "tunnel"}},
		protocol:   choice{"tcp", []string{"tcp", "udp", "sctp"}},
		timeouts:   timeoutsFlag{Timeouts: conn.DefaultTimeouts},
		output:     choice{"table", []string{"table", "json"}},
		lang:       choice{"", explain.Languages()},
	}
	c := &cobra.Command{
		Use:   "walk --forwarding METHOD PACKET…",
		Short: "Say which state an entry is in after each packet",
		Long: `Say which state the director's entry is in after each packet, and when it would expire.

A PACKET is client: or server: (c: or s: for short) and what it is: syn, syn-ack, ack,
data, fin or rst of TCP; datagram of UDP; a chunk of SCTP: data, init, init-ack,
cookie-echo, cookie-ack, shutdown, shutdown-ack, shutdown-complete, error or abort.
+30s between packets lets time pass. The states are those of Linux 4.4 to 7.2.`,
		Example: `  ipvsstate explain walk --forwarding nat client:syn server:syn-ack client:ack server:fin
  ipvsstate explain walk --forwarding dr c:syn c:ack +20m c:data
  ipvsstate explain walk --forwarding nat --timeouts 900,30,300 c:syn s:rst
  ipvsstate explain walk --forwarding nat --protocol sctp c:init s:init-ack c:cookie-echo s:cookie-ack`,
		Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error { return runWalk(a, o, args) },
	}
	c.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var packets []string
		for _, packet := range machine.Of(protocols[o.protocol.value]).Packets {
			packets = append(packets, "client:"+packet, "server:"+packet)
		}
		return packets, cobra.ShellCompDirectiveNoFileComp
	}
	addChoice(c, &o.forwarding, "forwarding", "f", "forwarding method: it decides whose packets the director sees")
	addChoice(c, &o.protocol, "protocol", "p", "protocol of the connection")
	addChoice(c, &o.output, "output", "o", "format of the output")
	addChoice(c, &o.lang, "lang", "", "language, from LC_ALL, LC_MESSAGES or LANG if not given")
	c.Flags().BoolVar(&o.secure, "secure-tcp", false, "as while secure_tcp is active")
	c.Flags().Var(&o.timeouts, "timeouts", "the timeouts of ipvsadm --set, in seconds")
	return c
}

var protocols = map[string]conn.Protocol{"tcp": conn.TCP, "udp": conn.UDP, "sctp": conn.SCTP}

func runWalk(a *app, o *walkOptions, args []string) error {
	words, err := a.words(o.lang.value)
	if err != nil {
		return err
	}
	if o.forwarding.value == "" {
		return fail("hint.forwarding",
			errors.New("the states depend on the forwarding method"))
	}
	m := machine.Of(protocols[o.protocol.value])
	if o.secure {
		if o.protocol.value != "tcp" {
			return fail("hint.secure-tcp", errors.New("--secure-tcp is for TCP only"))
		}
		m = machine.SecureTCP()
	}
	if len(args) == 0 {
		return fail("hint.first-packet", errors.New("there is no packet"), m.Begins)
	}
	events := make([]machine.Event, len(args))
	for i, arg := range args {
		var err error
		if events[i], err = m.ParseEvent(arg); err != nil {
			return fail("hint.notation", err)
		}
	}
	path := machine.ClientOnly
	if o.forwarding.value == "nat" {
		path = machine.Both
	}
	steps := m.Walk(path, o.timeouts.Timeouts, events)
	return a.write("walk", func(w io.Writer) error {
		if o.output.value == "json" {
			return render.WalkJSON(w, steps, m.Protocol, o.forwarding.value, o.secure)
		}
		return render.Walk(w, steps, words, a.width)
	})
}
