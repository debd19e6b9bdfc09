package render

import "github.com/clipperhouse/displaywidth"

// Fit cuts a text to so many columns of a terminal.
func Fit(text string, columns int) string { return displaywidth.TruncateString(text, columns, "") }
