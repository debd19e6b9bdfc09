package capture

import (
	"bytes"
	"io"
	"sync"

	"ipvsstate/internal/parse"
)

// blockSize is how much is read at once: small enough to stay in a processor's
// cache until it is parsed, large enough to make the handing over cheap.
const blockSize = 256 << 10

// buffers are those that ended readers have left, for others: of many small files each
// would be made anew.
var buffers sync.Pool

func newBuffer(size int) []byte {
	if b, ok := buffers.Get().(*[]byte); ok && len(*b) == size {
		return *b
	}
	return make([]byte, size)
}

// cutter cuts a stream into blocks of whole lines, for several goroutines that
// take turns.
type cutter struct {
	mu   sync.Mutex
	r    io.Reader
	size int    // bytes to read at once
	rest []byte // the beginning of a line that is not read to its end yet
	long bool   // rest is a line longer than is kept; its end is being looked for
	last []byte // the last line that was delivered, if it is no longer than maxLast
	seq  int    // of the next block
	err  error  // what ended the stream
}

// next reads the next block into buf, which has room for size, a longest line and
// parse.Pad, and returns its part of it. A block ends with a newline unless it
// ends the stream. It reads no more often than it must to have a line, so that
// what a slow stream has sent is not held back. At the end it returns io.EOF, or
// the stream's error.
func (c *cutter) next(buf []byte) (block []byte, seq int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if c.err != nil {
			if len(c.rest) == 0 {
				return nil, c.seq, c.err
			}
			n := copy(buf, c.rest)
			c.rest = c.rest[:0]
			return c.deliver(buf[:n])
		}
		n := copy(buf, c.rest)
		m, err := c.r.Read(buf[n : n+c.size])
		c.err = err
		text := buf[:n+m]
		if c.long {
			if text = c.endLong(buf[:n], buf[n:n+m]); text == nil {
				continue
			}
		}
		end := 0
		if at := bytes.LastIndexByte(text[n:], '\n'); at >= 0 { // in front of n there is none
			end = n + at + 1
		}
		if tail := text[end:]; len(tail) > parse.MaxLine {
			c.long = true
			c.rest = append(c.rest[:0], tail[:parse.MaxLine+1]...)
		} else {
			c.rest = append(c.rest[:0], tail...)
		}
		if end > 0 {
			c.keepLast(text[:end])
			return c.deliver(text[:end])
		}
	}
}

// endLong looks for the end of an overlong line in what was just read. Of the line
// its beginning is kept, enough for the parser to see that it is too long.
func (c *cutter) endLong(begin, read []byte) []byte {
	nl := bytes.IndexByte(read, '\n')
	if nl < 0 {
		return nil
	}
	c.long = false
	n := copy(begin[len(begin):cap(begin)], read[nl:])
	return begin[:len(begin)+n]
}

// maxLast is the longest line, in bytes, that is kept as an example of its listing's rows.
const maxLast = 512

// keepLast keeps a block's last line, for a row behind it that is cut in the middle.
func (c *cutter) keepLast(block []byte) {
	line := block[max(0, len(block)-2-maxLast) : len(block)-1] // with the newline before the longest
	line = line[bytes.LastIndexByte(line, '\n')+1:]
	if c.last = c.last[:0]; len(line) <= maxLast {
		c.last = append(c.last, line...)
	}
}

func (c *cutter) deliver(block []byte) ([]byte, int, error) {
	c.seq++
	return block, c.seq - 1, nil
}
