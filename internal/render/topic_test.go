package render

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ipvsstate/internal/explain"
)

func catalogue(t *testing.T, l string) *explain.Catalogue {
	t.Helper()
	c, err := explain.Load(explain.Language(l))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestTopicGoldens has topics of every kind, as a terminal of 80 and of 120 columns shows them.
func TestTopicGoldens(t *testing.T) {
	for _, l := range explain.Languages() {
		c := catalogue(t, l)
		for _, limit := range []int{80, 120} {
			var out bytes.Buffer
			for _, d := range []Detail{Short, Brief, Long} {
				var topics []*explain.Topic
				for _, word := range []string{"FIN_WAIT", "TCP_EST", "handshake", "fwmark", "socket/CLOSING", "LVS005"} {
					topics = append(topics, c.Find(word)...)
				}
				if err := Topics(&out, c, topics, d, limit); err != nil {
					t.Fatal(err)
				}
				fmt.Fprintln(&out, "----")
			}
			if err := TopicList(&out, c, limit); err != nil {
				t.Fatal(err)
			}
			name := filepath.Join("testdata", fmt.Sprintf("topics-%s-%d.golden", l, limit))
			if *update {
				if err := os.WriteFile(name, out.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(out.Bytes(), want) {
				t.Errorf("differs from %s (go test ./internal/render -update rewrites it) at line %s", name, difference(out.Bytes(), want))
			}
		}
	}
}

// TestTopicsFit: no line of any topic is wider than the terminal, and none is lost.
func TestTopicsFit(t *testing.T) {
	for _, l := range explain.Languages() {
		c := catalogue(t, l)
		for _, limit := range []int{40, 60, 79, 80, 100, 120, 200} {
			var out bytes.Buffer
			if err := Topics(&out, c, c.Topics(), Long, limit); err != nil {
				t.Fatal(err)
			}
			if err := TopicList(&out, c, limit); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(out.String()) {
				if w := width(strings.TrimRight(line, "\n")); w > limit {
					t.Errorf("%s: at %d columns a line takes %d: %s", l, limit, w, line)
				}
			}
			squeezed := strings.Join(strings.Fields(strings.ReplaceAll(out.String(), "\\\n", "\n")), "")
			for _, topic := range c.Topics() {
				for _, f := range topic.Fields {
					for paragraph := range strings.SplitSeq(f.Text, "\n\n") {
						if text := strings.Join(strings.Fields(paragraph), ""); !strings.Contains(squeezed, text) {
							t.Errorf("%s: at %d columns %s %s is not whole", l, limit, topic.Key, f.ID)
						}
					}
				}
				for _, check := range topic.Checks {
					if text := strings.Join(strings.Fields(check.Run), ""); !strings.Contains(squeezed, text) {
						t.Errorf("%s: at %d columns the command of %s is not whole: %s", l, limit, topic.Key, check.Run)
					}
				}
			}
		}
	}
}

// TestLadders: at every rung the two lines to and from the director are as wide, and the
// director's states are the machine's.
func TestLadders(t *testing.T) {
	c := catalogue(t, "en")
	var out bytes.Buffer
	if err := Topics(&out, c, c.Find("close"), Brief, 80); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"FIN_WAIT_1  -- fin ------->  CLOSE_WAIT 1m     -- fin -------> CLOSE_WAIT",
		"TIME_WAIT   <------- fin --  TIME_WAIT 2m      <------- fin -- LAST_ACK",
		"FIN_WAIT_2  <------------------ (FIN_WAIT) ------------ ack -- CLOSE_WAIT",
		"TIME_WAIT   -- ack ------->  FIN_WAIT 2m       -- ack -------> CLOSED",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("there is no\n%s", want)
		}
	}
}

func TestCommandLines(t *testing.T) {
	for room := -5; room < 6; room++ { // it comes to an end
		if lines := commandLines("ss -tan | wc -l", room); len(lines) < 2 {
			t.Errorf("in %d columns: %q", room, lines)
		}
	}
	const command = `ipvsadm -Lcn | awk '$3 == "CLOSE" {print $6}' | sort | uniq -c | sort -rn`
	for room, want := range map[int]string{
		100: command,
		60:  `ipvsadm -Lcn | awk '$3 == "CLOSE" {print $6}' | sort |/  uniq -c | sort -rn`,
		20:  `ipvsadm -Lcn |/  awk '$3 == \/  "CLOSE" {print \/  $6}' | sort |/  uniq -c | sort -rn`,
	} {
		if got := strings.Join(commandLines(command, room), "/"); got != want {
			t.Errorf("in %d columns:\n got %s\nwant %s", room, got, want)
		}
	}
}
