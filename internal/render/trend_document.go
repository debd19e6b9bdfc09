package render

import (
	"cmp"
	"encoding/json"
	"io"
	"math"
	"slices"
	"strconv"

	"ipvsstate/internal/history"
)

type trendJSON struct {
	Schema  int             `json:"schema"`
	By      string          `json:"by"`
	Stopped bool            `json:"stopped"`
	Notes   []string        `json:"notes"`
	Hosts   []trendHostJSON `json:"hosts"`
}

type trendHostJSON struct {
	Host      *string          `json:"host"`
	Snapshots int              `json:"snapshots"`
	Parts     int              `json:"incomplete"`
	Copies    int              `json:"copies"`
	First     string           `json:"first"`
	Last      string           `json:"last"`
	Step      float64          `json:"step_seconds"`
	Width     float64          `json:"interval_seconds"`
	TimesFrom map[TimeFrom]int `json:"times_from"`
	Local     int              `json:"times_local"`
	Yearless  int              `json:"times_without_year"`
	Gaps      int              `json:"gaps"`
	Gap       *gapJSON         `json:"longest_gap"`
	Peak      peakJSON         `json:"peak"`
	Groups    []trendGroupJSON `json:"groups"`
	Lost      uint64           `json:"in_no_group"`
	Intervals []intervalJSON   `json:"intervals"`
	Judged    bool             `json:"change_judged"`
	Change    *onsetJSON       `json:"change"`
	Findings  []eventJSON      `json:"findings"`
}

type peakJSON struct {
	Count uint64 `json:"connections"`
	At    string `json:"at"`
}

type gapJSON struct {
	Start string  `json:"start"`
	Width float64 `json:"seconds"`
}

type trendGroupJSON struct {
	Protocol string   `json:"protocol,omitempty"`
	Name     *string  `json:"name"`
	Mean     float64  `json:"mean"`
	Peak     peakJSON `json:"peak"`
}

type intervalJSON struct {
	Host        *string   `json:"host,omitempty"`
	Start       string    `json:"start"`
	Width       float64   `json:"seconds"`
	Snapshots   int       `json:"snapshots"`
	Parts       int       `json:"incomplete"`
	Connections *float64  `json:"connections"`
	Templates   *float64  `json:"templates"`
	Groups      []float64 `json:"groups"`
}

type onsetJSON struct {
	Protocol string   `json:"protocol,omitempty"`
	Name     *string  `json:"name"`
	Gradual  bool     `json:"gradual"`
	Usual    float64  `json:"usual"`
	Level    float64  `json:"level"`
	After    *float64 `json:"after"`
	Before   *string  `json:"not_before"`
	From     string   `json:"from"`
	Until    *string  `json:"until"`
}

type eventJSON struct {
	Code      string `json:"code"`
	Severity  string `json:"severity"`
	Text      string `json:"text"`
	Snapshots int    `json:"snapshots"`
	First     string `json:"first"`
	Last      string `json:"last"`
}

func (t *Trend) intervalDocument(v *history.Interval) intervalJSON {
	some := v.Snapshots > 0
	j := intervalJSON{Start: utc(v.Start), Width: v.Width.Seconds(), Snapshots: v.Snapshots, Parts: v.Parts,
		Connections: optional(tenth(v.Connections), some), Templates: optional(tenth(v.Templates), some), Groups: make([]float64, len(v.Groups))}
	for i, n := range v.Groups {
		j.Groups[i] = tenth(n)
	}
	return j
}

// apportion rounds a total and its parts, of which some may be left out, so that what they
// are short of the total is what is left out.
func apportion(total float64, parts []float64) (whole uint64, cells []uint64) {
	whole, cells = uint64(math.Round(total)), make([]uint64, len(parts))
	left := total
	for _, v := range parts {
		left -= v
	}
	all := append(slices.Clone(parts), max(left, 0))
	order := make([]int, len(all))
	spare := int64(whole)
	for i, v := range all {
		order[i] = i
		spare -= int64(v)
	}
	fraction := func(i int) float64 { return all[i] - math.Floor(all[i]) }
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(fraction(b), fraction(a)) })
	for k, i := range order {
		n := uint64(all[i])
		if int64(k) < spare {
			n++
		}
		if i < len(parts) {
			cells[i] = n
		}
	}
	return whole, cells
}

// tenth rounds a mean to a tenth of a connection.
func tenth(v float64) float64 { return math.Round(v*10) / 10 }

func (t *Trend) hostDocument(h *TrendHost) trendHostJSON {
	r := h.Report(t.Interval, t.Rows)
	d := trendHostJSON{
		Host: optional(h.Host, h.Host != ""), Snapshots: h.Snapshots, Parts: h.Parts, Copies: h.Copies, First: utc(h.First), Last: utc(h.Last),
		Step: r.Step.Seconds(), Width: r.Width.Seconds(), TimesFrom: h.Times, Local: h.Local, Yearless: h.Yearless, Lost: h.Lost,
		Judged: r.Judged, Gaps: r.Gaps, Gap: optional(gapJSON{utc(r.GapStart), r.Gap.Seconds()}, r.Gaps > 0), Peak: peakJSON{r.Peak.Count, utc(r.Peak.At)},
		Groups: []trendGroupJSON{}, Intervals: []intervalJSON{}, Findings: []eventJSON{},
	}
	for i := range r.Groups {
		g := &r.Groups[i]
		protocol, name := changeName(t.By, &g.Value)
		d.Groups = append(d.Groups, trendGroupJSON{protocol, name, tenth(g.Mean), peakJSON{g.Peak.Count, utc(g.Peak.At)}})
	}
	for i := range r.Intervals {
		d.Intervals = append(d.Intervals, t.intervalDocument(&r.Intervals[i]))
	}
	if c := r.Onset; c != nil {
		d.Change = &onsetJSON{
			Gradual: c.Gradual, Usual: tenth(c.Usual), Level: tenth(c.Level), After: optional(tenth(c.After), !c.Lasts),
			Before: optional(utc(c.Before), !c.Before.IsZero()), From: utc(c.From), Until: optional(utc(c.Until), !c.Lasts),
		}
		if !c.All {
			d.Change.Protocol, d.Change.Name = changeName(t.By, &r.Groups[0].Value)
		}
	}
	for i := range r.Events {
		e := &r.Events[i]
		d.Findings = append(d.Findings, eventJSON{e.Code, e.Severity, e.Text, e.Snapshots, utc(e.First), utc(e.Last)})
	}
	return d
}

// TrendJSON writes a trend for programs.
func TrendJSON(w io.Writer, t *Trend, _ Options) error {
	d := trendJSON{Schema: Schema, By: t.By.String(), Stopped: t.Stopped, Notes: append([]string{}, t.Notes...), Hosts: []trendHostJSON{}}
	for i := range t.Hosts {
		d.Hosts = append(d.Hosts, t.hostDocument(&t.Hosts[i]))
	}
	return writeJSON(w, d)
}

// TrendJSONL writes a line for each interval.
func TrendJSONL(w io.Writer, t *Trend, _ Options) error {
	type line struct {
		Schema int     `json:"schema"`
		Host   *string `json:"host"`
		intervalJSON
		Groups map[string]float64 `json:"groups"`
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for i := range t.Hosts {
		h := &t.Hosts[i]
		r := h.Report(t.Interval, t.Rows)
		for k := range r.Intervals {
			v := &r.Intervals[k]
			l := line{Schema: Schema, Host: optional(h.Host, h.Host != ""), intervalJSON: t.intervalDocument(v), Groups: make(map[string]float64)}
			for g := range v.Groups {
				l.Groups[t.plainName(&r.Groups[g].Value)] += tenth(v.Groups[g])
			}
			if err := e.Encode(l); err != nil {
				return err
			}
		}
	}
	return nil
}

// TrendCSV writes a row for each interval and group.
func TrendCSV(w io.Writer, t *Trend, _ Options) error {
	c := newCSV(w, "host", "start", "seconds", "snapshots", "incomplete", "what", "protocol", "name", "connections")
	for i := range t.Hosts {
		h := &t.Hosts[i]
		r := h.Report(t.Interval, t.Rows)
		for k := range r.Intervals {
			v := &r.Intervals[k]
			row := func(what, protocol, name string, n float64) {
				value := strconv.FormatFloat(tenth(n), 'f', -1, 64)
				if v.Snapshots == 0 {
					value = ""
				}
				c.row(h.Host, utc(v.Start), strconv.FormatFloat(v.Width.Seconds(), 'f', -1, 64), strconv.Itoa(v.Snapshots), strconv.Itoa(v.Parts), what, protocol, name, value)
			}
			row("connections", "", "", v.Connections)
			row("templates", "", "", v.Templates)
			for g := range v.Groups {
				protocol, name := changeName(t.By, &r.Groups[g].Value)
				text := ""
				if name != nil {
					text = *name
				}
				row(t.By.String(), protocol, text, v.Groups[g])
			}
		}
	}
	return c.done()
}
