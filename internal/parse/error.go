package parse

import "fmt"

// Field names the part of a row an Error is about. The texts are what the user
// reads, in the words of ipvsadm's titles.
type Field string

// The fields of a row, in the order ipvsadm prints them.
const (
	FieldLine    Field = "line"
	FieldExpires Field = "expires"
	FieldState   Field = "state"
	FieldClient  Field = "source"
	FieldVirtual Field = "virtual"
	FieldLocal   Field = "local"
	FieldServer  Field = "destination"
	FieldOrigin  Field = "origin"
)

// Reason says what is wrong with a field.
type Reason uint8

// The reasons.
const (
	NotValid Reason = iota
	EndsEarly
	Swapped
	TooLong
)

// Error describes a bad line. It is a value: reading goes on behind it.
type Error struct {
	// Name is the input, filled in by whoever opened it.
	Name string
	// Line and Column count from 1; a column is a byte.
	Line, Column int
	Field        Field
	Reason       Reason
	// Text is what stood there, cut to 64 bytes, as it came: quoted by Error,
	// not safe for a terminal otherwise.
	Text string
}

const maxErrorText = 64

func (e *Error) Error() string {
	var what string
	switch e.Reason {
	case EndsEarly:
		what = fmt.Sprintf("the line ends before the %s (was it cut short?)", e.Field)
	case Swapped:
		what = "the state stands before the time: the columns are swapped"
	case TooLong:
		what = fmt.Sprintf("the line is longer than %d bytes", MaxLine)
	default:
		what = fmt.Sprintf("%s: %+q is not valid", e.Field, e.Text)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.Name, e.Line, e.Column, what)
}
