package page

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"strings"
)

//go:embed page.tmpl page.js *.css uplot
var files embed.FS

// static is what all pages have in common.
type static struct {
	Policy          string // the Content-Security-Policy
	Style           template.CSS
	Library, Script template.JS
	Licence         template.HTML // of the library, as a comment
}

var common = newStatic()

// newStatic puts the page's style and scripts together, and allows exactly these: a
// script that a name from the input might smuggle in would not run.
func newStatic() static {
	style := file("uplot/uPlot.min.css") + "\n" + schemes() + file("page.css")
	library, script := file("uplot/uPlot.iife.min.js"), file("page.js")
	return static{
		Policy: "default-src 'none'; script-src " + hash(library) + " " + hash(script) + "; style-src " + hash(style) +
			"; base-uri 'none'; form-action 'none'",
		Style: template.CSS(style), Library: template.JS(library), Script: template.JS(script),
		Licence: template.HTML("<!-- uPlot 1.6.32\n\n" + strings.TrimSpace(file("uplot/LICENSE")) + "\n-->"),
	}
}

// schemes are the colours: light, dark where the reader's system or the button asks for
// it, and always light on paper.
func schemes() string {
	light, dark := file("light.css"), file("dark.css")
	return ":root {\n" + light + "}\n" +
		"@media screen and (prefers-color-scheme: dark) { :root:not([data-theme=light]):not([data-paper]) {\n" + dark + "} }\n" +
		"@media screen { :root[data-theme=dark]:not([data-paper]) {\n" + dark + "} }\n"
}

func file(name string) string {
	b, err := files.ReadFile(name)
	if err != nil {
		panic(err) // it is part of the program
	}
	return string(b)
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
