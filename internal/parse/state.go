package parse

import (
	"strings"

	"ipvsstate/internal/conn"
)

// ipvsadm and the kernel pad the state to eleven columns and a blank, so nearly
// every state is known by twelve bytes at once.

type paddedState struct {
	w0    uint64
	w1    uint32
	state conn.State
}

// stateSlot hashes a padded state to eight bits. The multiplier was searched for.

func stateSlot(w0 uint64, w1 uint32) uint64 {
	return (w0 ^ uint64(w1)*0x9e3779b97f4a7c15) * 0x414bffadf287dc77 >> 56
}

// paddedLength is what a state is padded to (%-11s).
const paddedLength = 11

// paddedStates holds the states as padded, each in a slot of its own.
var paddedStates = func() (t [256]paddedState) {
	for _, s := range conn.States() {
		text := []byte(s.String() + "            ")
		if len(s.String()) > paddedLength {
			continue
		}
		p := paddedState{word8(text, 0), word4(text, 8), s}
		t[stateSlot(p.w0, p.w1)] = p
	}
	return t
}()

// stateWords finds a state by its word, for every other spacing.
var stateWords = func() map[string]conn.State {
	m := make(map[string]conn.State)
	for _, s := range conn.States() {
		m[s.String()] = s
	}
	return m
}()

// maxStateWord bounds a state no version has named yet; the longest known has 17.
const maxStateWord = 32

// state reads a state word. Whatever could be one is taken: a newer kernel's
// words must not be lost.
func (s *Scanner) state(b []byte, i int) (st conn.State, next int) {
	w0, w1 := word8(b, i), word4(b, i+8)
	p := &paddedStates[stateSlot(w0, w1)]
	if p.w0 == w0 && p.w1 == w1 {
		return p.state, i + paddedLength
	}
	end := i
	for isStateByte(b[end]) {
		end++
	}
	if end == i || end-i > maxStateWord || !isEnd(b[end]) {
		return st, -1
	}
	if st, ok := stateWords[string(b[i:end])]; ok {
		return st, end
	}
	st, _ = conn.StateOf(s.names.keep(b[i:end]))
	s.dirt = true
	return st, end
}

func isStateByte(c byte) bool {
	return c-'A' < 26 || c-'a' < 26 || c-'0' < 10 || c == '_' || c == '-' || c == '!' || c == '?'
}

// beginsState reports a word that is the beginning of a state's: of a row that was
// cut in the middle of it.
func beginsState(word string) bool {
	for s := range stateWords {
		if strings.HasPrefix(s, word) {
			return true
		}
	}
	return false
}
