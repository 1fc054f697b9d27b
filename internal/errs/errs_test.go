package errs_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"silkpost/internal/errs"
)

func TestKindOf(t *testing.T) {
	t.Parallel()
	missing := errs.New(errs.NotFound, "no list %q", "partner")
	for name, tt := range map[string]struct {
		err  error
		want errs.Kind
	}{
		"nil":                       {nil, errs.Internal},
		"of another package":        {io.EOF, errs.Internal},
		"of a kind":                 {missing, errs.NotFound},
		"wrapped":                   {fmt.Errorf("read: %w", missing), errs.NotFound},
		"in a kind of its own":      {errs.New(errs.Invalid, "line 3: %w", missing), errs.Invalid},
		"joined with others":        {errors.Join(io.EOF, missing), errs.NotFound},
		"text that quotes an error": {fmt.Errorf("read: %v", missing), errs.Internal}, //nolint:errorlint // that is the case
	} {
		if got := errs.KindOf(tt.err); got != tt.want {
			t.Errorf("%s: kind %d, want %d", name, got, tt.want)
		}
	}
}

func TestNewKeepsTextAndCause(t *testing.T) {
	t.Parallel()
	err := errs.New(errs.Unavailable, "%s does not answer: %w", "mail.example.org", io.ErrUnexpectedEOF)
	if want := "mail.example.org does not answer: unexpected EOF"; err.Error() != want {
		t.Errorf("text %q, want %q", err, want)
	}
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error("the cause is lost")
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	save := func(cause error) (err error) {
		defer errs.Wrap(&err, "articles.Save(%q)", "site")
		return cause
	}
	if err := save(nil); err != nil {
		t.Errorf("no error became %v", err)
	}
	err := save(errs.New(errs.Conflict, "already there"))
	if want := `articles.Save("site"): already there`; err.Error() != want {
		t.Errorf("text %q, want %q", err, want)
	}
	if errs.KindOf(err) != errs.Conflict {
		t.Errorf("kind %d, want that of the cause", errs.KindOf(err))
	}
}

type mistake struct{ field string }

func (m mistake) Error() string { return m.field }

func TestAllFindsWhatIsJoined(t *testing.T) {
	t.Parallel()
	err := errs.New(errs.Invalid, "read: %w", errors.Join(mistake{"a"}, io.EOF, fmt.Errorf("in b: %w", mistake{"b"}), errors.Join(mistake{"c"})))
	if got := fmt.Sprint(errs.All[mistake](err)); got != "[a b c]" {
		t.Errorf("found %s", got)
	}
	if got := errs.All[mistake](io.EOF); got != nil {
		t.Errorf("found %v", got)
	}
	if got := errs.All[mistake](nil); got != nil {
		t.Errorf("found %v", got)
	}
}
