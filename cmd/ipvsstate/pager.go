package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
)

// page writes a text, through a pager if it goes to a terminal: IPVSSTATE_PAGER, PAGER or
// less, which ends by itself where the text fits the screen. A pager that does not start
// is done without.
func (a *app) page(write func(io.Writer) error) error {
	var text bytes.Buffer
	if err := write(&text); err != nil {
		return err
	}
	if a.terminal && a.runPager(&text) {
		return nil
	}
	if _, err := text.WriteTo(a.stdout); err != nil {
		return fmt.Errorf("writing the text: %w", err)
	}
	return nil
}

// runPager runs the user's pager on a text; started tells whether it took it.
func (a *app) runPager(text io.Reader) (started bool) {
	command := "less"
	for _, name := range []string{"IPVSSTATE_PAGER", "PAGER"} {
		if c := a.env(name); c != "" {
			command = c
			break
		}
	}
	f := strings.Fields(command)
	if len(f) == 0 || f[0] == "cat" {
		return false
	}
	if _, err := exec.LookPath(f[0]); err != nil {
		return false
	}
	pager := exec.Command("sh", "-c", command)
	pager.Stdin, pager.Stdout, pager.Stderr = text, os.Stdout, os.Stderr
	if a.env("LESS") == "" {
		pager.Env = append(os.Environ(), "LESS=FRX")
	}
	if pager.Start() != nil {
		return false
	}
	// How the pager ends, by Ctrl-C too, is between the user and the pager.
	signal.Ignore(os.Interrupt)
	pager.Wait()
	return true
}
