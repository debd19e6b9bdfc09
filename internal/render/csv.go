package render

import (
	"encoding/csv"
	"io"
)

// csvWriter writes rows of which each cell is plain. Its error is the csv writer's.
type csvWriter struct{ *csv.Writer }

func newCSV(w io.Writer, titles ...string) csvWriter {
	c := csvWriter{csv.NewWriter(w)}
	c.row(titles...)
	return c
}

func (c csvWriter) row(cells ...string) {
	for i := range cells {
		cells[i] = plainCell(cells[i])
	}
	c.Write(cells) // what fails is told by done
}

func (c csvWriter) done() error {
	c.Flush()
	return c.Error()
}
