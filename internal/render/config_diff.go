package render

import (
	"strings"

	"ipvsstate/internal/history"
)

// ConfigDiff is what of the configuration differs.
type ConfigDiff struct {
	Config     []history.ConfigChange
	ConfigTold bool // by both
}

// configParts has a table of what differs, if anything does.
func (c *ConfigDiff) configParts(heads [2]string, o Options) []part {
	if len(c.Config) == 0 {
		return nil
	}
	word := o.Words
	t := &table{columns: []column{{head: word.Word("head.setting"), flexible: true}, {head: word.Word(heads[0])}, {head: word.Word(heads[1])}}}
	value := func(what history.ConfigPart, text string) string {
		method, weight, weighted := strings.Cut(text, " ")
		switch {
		case text == "":
			return word.Word("config.none")
		case what == history.ServerPart && weighted:
			return word.Word("config.server", Clean(method), Clean(weight))
		}
		return Clean(text)
	}
	shown := len(c.Config)
	if top := o.top(shownRows); top > 0 {
		shown = min(shown, top)
	}
	for i := range c.Config[:shown] {
		v := &c.Config[i]
		name := Clean(v.Name)
		if v.Server != "" {
			name += " -> " + Clean(v.Server)
		}
		t.add(name, value(v.What, v.Before), value(v.What, v.After))
	}
	if left := len(c.Config) - shown; left > 0 {
		t.add(word.Count("groups.rest", uint64(left)), "", "")
	}
	return []part{{word.Word("title.config-changes"), t}}
}

// csvRows has a row for each change: what it is, its name, and its values on both sides.
func (c *ConfigDiff) csvRows() [][4]string {
	all := make([][4]string, 0, len(c.Config))
	for i := range c.Config {
		v := &c.Config[i]
		name := v.Name
		if v.Server != "" {
			name += " -> " + v.Server
		}
		all = append(all, [4]string{"config " + string(v.What), name, v.Before, v.After})
	}
	return all
}

type configChangeJSON struct {
	What   history.ConfigPart `json:"what"`
	Name   string             `json:"name"`
	Server *string            `json:"server"`
	Before *string            `json:"before"`
	After  *string            `json:"after"`
}

// document is null where not both tell their configuration.
func (c *ConfigDiff) document() *[]configChangeJSON {
	if !c.ConfigTold {
		return nil
	}
	all := make([]configChangeJSON, 0, len(c.Config))
	for i := range c.Config {
		v := &c.Config[i]
		all = append(all, configChangeJSON{v.What, v.Name, optional(v.Server, v.Server != ""), optional(v.Before, v.Before != ""), optional(v.After, v.After != "")})
	}
	return &all
}
