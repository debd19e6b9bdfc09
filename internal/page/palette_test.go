package page

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"testing"
)

// rgb is a colour, its parts between 0 and 1.
type rgb [3]float64

// colours are those of a scheme.
func colours(t *testing.T, name string) func(string) rgb {
	t.Helper()
	css := file(name)
	return func(name string) rgb {
		t.Helper()
		m := regexp.MustCompile(`--` + name + `: #([0-9a-f]{6});`).FindStringSubmatch(css)
		if m == nil {
			t.Fatalf("there is no colour %s", name)
		}
		var c rgb
		for i := range c {
			v, err := strconv.ParseUint(m[1][2*i:2*i+2], 16, 8)
			if err != nil {
				t.Fatal(err)
			}
			c[i] = float64(v) / 255
		}
		return c
	}
}

func (c rgb) linear() rgb {
	for i, v := range c {
		if v <= 0.04045 {
			c[i] = v / 12.92
		} else {
			c[i] = math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	return c
}

// contrast is as WCAG defines it.
func contrast(a, b rgb) float64 {
	light := func(c rgb) float64 { c = c.linear(); return 0.2126*c[0] + 0.7152*c[1] + 0.0722*c[2] }
	x, y := light(a), light(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// eyes are how linear colours appear to those who see them differently: Machado,
// Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision
// Deficiency", 2009, at full severity.
var eyes = map[string][3]rgb{
	"all cones":    {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
	"protanopia":   {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
	"deuteranopia": {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
	"tritanopia":   {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}},
}

// lab is a colour's place in CIELAB, as some eyes see it.
func (c rgb) lab(eye [3]rgb) rgb {
	c = c.linear()
	var seen rgb
	for i, row := range eye {
		seen[i] = min(1, max(0, row[0]*c[0]+row[1]*c[1]+row[2]*c[2]))
	}
	f := func(v float64) float64 {
		if v > 0.008856 {
			return math.Cbrt(v)
		}
		return 7.787*v + 16.0/116
	}
	x := f((0.4124*seen[0] + 0.3576*seen[1] + 0.1805*seen[2]) / 0.95047)
	y := f(0.2126*seen[0] + 0.7152*seen[1] + 0.0722*seen[2])
	z := f((0.0193*seen[0] + 0.1192*seen[1] + 0.9505*seen[2]) / 1.08883)
	return rgb{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

func distance(a, b rgb) float64 {
	return math.Sqrt((a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1]) + (a[2]-b[2])*(a[2]-b[2]))
}

// TestPalette: texts can be read, every series stands out from the ground, and from
// every other series to any eyes, most of all from its neighbours and among the first
// six. A distance of 2 can just be seen.
func TestPalette(t *testing.T) {
	for _, scheme := range []string{"light.css", "dark.css"} {
		colour := colours(t, scheme)
		ground := colour("ground")
		for _, name := range []string{"text", "soft", "accent", "critical", "warning", "notice", "plain"} {
			for _, on := range []string{"ground", "raised"} {
				if c := contrast(colour(name), colour(on)); c < 4.5 {
					t.Errorf("%s: %s on %s has a contrast of %.1f", scheme, name, on, c)
				}
			}
		}
		var series [palette]rgb
		for i := range series {
			series[i] = colour(fmt.Sprintf("s%d", i))
			if c := contrast(series[i], ground); c < 3 {
				t.Errorf("%s: series %d has a contrast of %.1f", scheme, i, c)
			}
			for k := range ground { // as an area is filled
				series[i][k] = 0.72*series[i][k] + 0.28*ground[k]
			}
		}
		for eye, m := range eyes {
			for i := range series {
				for k := i + 1; k < palette; k++ {
					least := 9.0
					if k < 6 || k == i+1 {
						least = 14
					}
					if d := distance(series[i].lab(m), series[k].lab(m)); d < least {
						t.Errorf("%s: with %s the series %d and %d are %.1f apart, want %v", scheme, eye, i, k, d, least)
					}
				}
			}
		}
	}
}
