// Package errs is the one error vocabulary of Silkpost. An error has three audiences: code looks at its Kind, a person reads
// its text, one clear line that names the thing and what to do, and the log gets the chain of causes.
package errs

import (
	"errors"
	"fmt"
)

// Kind says what an error means to the code that receives it.
type Kind int

// The kinds. An error that was not made by this package is Internal.
const (
	Internal    Kind = iota // a fault of ours or of the machine; the text is for the log
	Invalid                 // the input is wrong; the text says what and where
	NotFound                // no such thing
	Gone                    // it was there, and will not come back
	Conflict                // it clashes with what is already there
	Unavailable             // something that is needed does not answer; trying later may help
)

// Error is an error with a kind. Its text is meant for a person.
type Error struct {
	Kind Kind
	Err  error
}

// Error returns the text.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the error inside.
func (e *Error) Unwrap() error { return e.Err }

// New returns an error of a kind; format and args are those of fmt.Errorf, %w included.
func New(kind Kind, format string, args ...any) error {
	return &Error{Kind: kind, Err: fmt.Errorf(format, args...)}
}

// KindOf returns the kind of the outermost Error in err's chain, Internal when there is none.
func KindOf(err error) Kind {
	if e := (*Error)(nil); errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Wrap says what was being done in *errp, if that is not nil. Use it deferred, at the top of a function:
//
//	defer errs.Wrap(&err, "articles.Save(%q)", source)
func Wrap(errp *error, format string, args ...any) {
	if *errp != nil {
		*errp = fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), *errp)
	}
}
