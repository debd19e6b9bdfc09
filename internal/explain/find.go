package explain

import (
	"slices"
	"strings"
)

// Find is the topics that a word leads to, in any case and with - or _ or a blank or
// nothing between its parts: a topic's key or the part behind its slash, one of its
// other names, or a kind ("director"; "all" is every kind). A rule's code goes without its
// zeros too (lvs3).
func (c *Catalogue) Find(word string) []*Topic {
	word = fold(word)
	var found []*Topic
	for _, t := range c.Topics() {
		if word == "all" || slices.Contains(c.names(t), word) {
			found = append(found, t)
		}
	}
	return found
}

// Near is keys that are nearly the word, nearest first, three at most.
func (c *Catalogue) Near(word string) []string {
	if word = fold(word); len(word) < 2 {
		return nil
	}
	type candidate struct {
		name     string
		distance int
	}
	var near []candidate
	for _, t := range c.Topics() {
		for _, name := range c.names(t) {
			d := distance(word, name)
			if strings.HasPrefix(name, word) && len(word) >= 3 {
				d = 1
			}
			if d <= max(1, len(word)/3) && !slices.ContainsFunc(near, func(n candidate) bool { return n.name == t.Title() }) {
				near = append(near, candidate{t.Title(), d})
				break
			}
		}
	}
	slices.SortStableFunc(near, func(a, b candidate) int { return a.distance - b.distance })
	var names []string
	for _, n := range near[:min(3, len(near))] {
		names = append(names, n.name)
	}
	return names
}

// names are all the words, folded, that lead to a topic.
func (c *Catalogue) names(t *Topic) []string {
	all := []string{fold(t.Key), fold(t.Title()), fold(string(t.Kind)), fold(string(t.Kind) + "/" + t.Key), fold(string(t.Kind) + "s")}
	if _, word, ok := strings.Cut(t.Key, "/"); ok {
		all = append(all, fold(word))
	}
	if t.Kind == Rule {
		all = append(all, "lvs"+strings.TrimLeft(strings.TrimPrefix(t.Key, "LVS"), "0"))
	}
	for _, alias := range c.rest().aliases[string(t.Kind)+"/"+t.Key] {
		all = append(all, fold(alias))
	}
	return all
}

var folding = strings.NewReplacer("-", "", "_", "", " ", "")

func fold(word string) string { return folding.Replace(strings.ToLower(word)) }

// distance is how many letters must be changed, added or left out to make a of b
// (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
