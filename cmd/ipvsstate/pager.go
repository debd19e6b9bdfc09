package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
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
	if a.terminal {
		if started, err := a.runPager(&text); started {
			return err
		}
	}
	if _, err := text.WriteTo(a.stdout); err != nil {
		return fmt.Errorf("writing the text: %w", err)
	}
	return nil
}

// runPager runs the user's pager on a text; started tells whether it took it.
func (a *app) runPager(text io.Reader) (started bool, err error) {
	command := "less"
	for _, name := range []string{"IPVSSTATE_PAGER", "PAGER"} {
		if c := a.env(name); c != "" {
			command = c
			break
		}
	}
	f := strings.Fields(command)
	if len(f) == 0 || f[0] == "cat" {
		return false, nil
	}
	pager := exec.Command(f[0], f[1:]...)
	pager.Stdin, pager.Stdout, pager.Stderr = text, os.Stdout, os.Stderr
	if a.env("LESS") == "" {
		pager.Env = append(os.Environ(), "LESS=FRX")
	}
	if pager.Start() != nil {
		return false, nil
	}
	return true, pager.Wait()
}
