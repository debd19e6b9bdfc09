package render

import "ipvsstate/internal/history"

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
	value := func(text string) string {
		if text == "" {
			return word.Word("config.none")
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
		t.add(name, value(v.Before), value(v.After))
	}
	if left := len(c.Config) - shown; left > 0 {
		t.add(word.Count("groups.rest", uint64(left)), "", "")
	}
	return []part{{word.Word("title.config-changes"), t}}
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
