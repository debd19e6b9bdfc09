package capture

import (
	"bytes"
	"io"

	"ipvsstate/internal/conn"
	"ipvsstate/internal/parse"
)

// maxFront is how much of an input is looked at for what stands before its rows: the
// services of the largest directors known take half a megabyte.
const maxFront = 8 << 20

// Front reads what stands before the first row, and returns what it says of the
// director's configuration, nil if it says nothing. The source is still to be read in
// whole.
func (s *Source) Front() *conn.Config {
	var (
		config  parse.ConfigReader
		scanner parse.Scanner
		text    []byte
		done    int // lines that were looked at
		err     error
		rows    bool
	)
	for err == nil && !rows && len(text) < maxFront {
		text = append(text, make([]byte, blockSize)...)
		had := len(text) - blockSize
		var n int
		n, err = s.Reader.Read(text[had:])
		text = text[:had+n]
		end := bytes.LastIndexByte(text, '\n') + 1
		if end <= done {
			continue
		}
		scanner.Reset(bytes.Clone(text[done:end]))
		for !rows && scanner.Scan() {
			switch l := scanner.Line(); l.Kind {
			case parse.EntryLine:
				rows = true
			case parse.ConfigTitleLine, parse.ConfigLine:
				config.Line(l.Text)
			}
		}
		done = end
	}
	rest := s.Reader
	if err != nil {
		rest = ended{err}
	}
	s.Reader = &headed{head: text, rest: rest}
	return config.Config()
}

// ended is a reader whose source has said why it ends.
type ended struct{ err error }

func (e ended) Read([]byte) (int, error) { return 0, e.err }

var _ io.Reader = ended{}
