package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/term"

	"ipvsstate/internal/explain"
	"ipvsstate/internal/render"
)

// app is the program's surroundings: no other place touches the environment, the
// clock or the standard streams.
type app struct {
	stdin          *os.File
	stdout, stderr io.Writer
	env            func(string) string
	now            func() time.Time
	hostname       func() (string, error)
	// errTerminal says that standard error is a terminal.
	errTerminal bool
	// terminal says that standard output is one, width how wide; 0 is not known.
	terminal bool
	width    int
	// lang is what --lang asked for; the hints follow it.
	lang string
}

func newApp() *app {
	a := &app{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		env: os.Getenv, now: time.Now, hostname: os.Hostname,
		terminal: term.IsTerminal(int(os.Stdout.Fd())), errTerminal: term.IsTerminal(int(os.Stderr.Fd())),
	}
	if n, err := strconv.Atoi(a.env("COLUMNS")); err == nil && n > 0 {
		a.width = n
	} else if w, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil {
		a.width = w
	}
	return a
}

// Exit codes; `check` has its own.
const (
	exitDone        = 0
	exitCouldNot    = 2
	exitInterrupted = 130
)

// failure is an error with what to do about it.
type failure struct {
	err  error
	hint string // a word of the catalogue's, empty for none
	args []any  // of the hint
	code int
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func fail(hint string, err error, args ...any) error {
	return &failure{err, hint, args, exitCouldNot}
}

// errInterrupted is why a reading ended that the user stopped.
var errInterrupted = errors.New("interrupted")

// run is the program: it returns the exit code.
func run(ctx context.Context, a *app, args []string) int {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	go func() {
		if _, ok := <-signals; ok {
			signal.Stop(signals) // the second one ends the program at once
			cancel(errInterrupted)
		}
	}()

	// cobra does not look at what becomes of the help it writes.
	out := &checked{Writer: a.stdout}
	a.stdout = out
	root := newRoot(a)
	root.SetArgs(args)
	command, err := root.ExecuteContextC(ctx)
	if lang := command.Flag("lang"); lang != nil && lang.Changed { // for hints of what ended before the command ran
		a.lang = lang.Value.String()
	}
	if err == nil && out.err != nil {
		err = fmt.Errorf("writing the output: %w", out.err)
	}
	if err == nil {
		return exitDone
	}
	var f *failure
	if !errors.As(err, &f) {
		f = &failure{err: err, code: exitCouldNot}
	}
	if f.code == exitInterrupted || errors.Is(err, errFound) { // nothing to complain of
		return f.code
	}
	a.complain(err)
	return f.code
}

// checked keeps the first error of a writer.
type checked struct {
	io.Writer
	err error
}

func (c *checked) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	if c.err == nil {
		c.err = err
	}
	return n, err
}

// screen is how a result is shown here.
func (a *app) screen(words *explain.Catalogue, color, output choice) render.Options {
	o := render.Options{Words: words, Width: a.width, Terminal: a.terminal, Color: a.color(color.value), Wide: output.value == "wide", Foot: a.foot(words)}
	if o.Wide {
		o.Width = 0
	}
	return o
}

// write has a result written to standard output.
func (a *app) write(what string, write func(io.Writer) error) error {
	out := bufio.NewWriter(a.stdout)
	err := write(out)
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		return fmt.Errorf("writing the %s: %w", what, err)
	}
	return nil
}

// complain is the one place that prints errors. What they quote comes from the input
// or the command line.
func (a *app) complain(err error) {
	fmt.Fprintf(a.stderr, "ipvsstate: %s\n", render.Clean(err.Error()))
	var f *failure
	if !errors.As(err, &f) || f.hint == "" {
		return
	}
	words, err := a.words(a.lang)
	if err != nil { // the language itself was refused
		return
	}
	fmt.Fprintf(a.stderr, "%s: %s\n", words.Word("hint"), render.Clean(words.Word(f.hint, f.args...)))
}

// words are the texts in the language that --lang or the locale asks for.
func (a *app) words(lang string) (*explain.Catalogue, error) {
	a.lang = lang
	l := explain.Language(lang)
	if lang == "" {
		for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
			if locale := a.env(name); locale != "" {
				lang = locale
				break
			}
		}
		l = explain.LanguageOf(lang)
	}
	return explain.Load(l)
}

// foot is the last line of a page: which program wrote it, and when.
func (a *app) foot(words *explain.Catalogue) string {
	return words.Word("page.foot", version, a.now().UTC().Format("2006-01-02 15:04:05 UTC"))
}

// color decides on colours: NO_COLOR goes before CLICOLOR_FORCE, and --color before both.
func (a *app) color(when string) bool {
	switch {
	case when == "always":
		return true
	case when == "never" || a.env("NO_COLOR") != "":
		return false
	case a.env("CLICOLOR_FORCE") != "" && a.env("CLICOLOR_FORCE") != "0":
		return true
	}
	return a.terminal && a.env("TERM") != "dumb"
}
