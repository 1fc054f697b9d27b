package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"silkpost/internal/database"
	"silkpost/internal/errs"
)

// Problem is what went wrong (RFC 9457).
type Problem struct { //nolint:errname // it is what RFC 9457 calls it, and what the document names it
	Title  string    `json:"title" example:"Unprocessable Entity" doc:"What the status means."`
	Status int       `json:"status" example:"422" doc:"The HTTP status."`
	Detail string    `json:"detail" example:"What was sent cannot be taken: see errors." doc:"What went wrong this time, for a person."`
	Errors []Mistake `json:"errors,omitempty" doc:"Each thing that is wrong with what was sent."`

	header http.Header
}

// Mistake is one thing that is wrong with what was sent.
type Mistake struct {
	Location string `json:"location" example:"body.articles[3].title" doc:"Where it is: body, query, path or header, and the field there."`
	Message  string `json:"message" example:"must be there" doc:"What is wrong with it."`
}

// Error returns the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus is for huma.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders is for huma.
func (p *Problem) GetHeaders() http.Header { return p.header }

// ContentType is for huma.
func (p *Problem) ContentType(string) string { return problemType }

const problemType = "application/problem+json"

func problem(status int, detail string, mistakes ...Mistake) *Problem {
	return &Problem{Title: http.StatusText(status), Status: status, Detail: detail, Errors: mistakes, header: http.Header{}}
}

// with adds a header to the answer.
func (p *Problem) with(name, value string) *Problem {
	p.header.Set(name, value)
	return p
}

// wrong is a problem with what was sent.
func wrong(mistakes ...Mistake) *Problem {
	return problem(http.StatusUnprocessableEntity, "What was sent cannot be taken: see errors.", mistakes...)
}

// wrongAt is a problem with one field.
func wrongAt(location, message string) *Problem { return wrong(Mistake{location, message}) }

var statuses = map[errs.Kind]int{
	errs.Invalid: http.StatusUnprocessableEntity, errs.NotFound: http.StatusNotFound, errs.Gone: http.StatusGone, errs.Conflict: http.StatusConflict,
	errs.Unavailable: http.StatusServiceUnavailable,
}

// problemOf turns an error into what a caller is told. What went wrong inside is for the log.
func (s *site) problemOf(ctx context.Context, err error) *Problem {
	if p := (*Problem)(nil); errors.As(err, &p) {
		return p
	}
	status := statuses[errs.KindOf(err)]
	switch {
	case status == 0 && database.IsAway(err), status == http.StatusServiceUnavailable:
		s.log.ErrorContext(ctx, "operation failed", slog.Any("error", err))
		return problem(http.StatusServiceUnavailable, "The database does not answer. Whether this was done is not known: ask, or send it again with the same Idempotency-Key.").
			with("Retry-After", "5")
	case status == 0:
		s.log.ErrorContext(ctx, "operation failed", slog.Any("error", err))
		return problem(http.StatusInternalServerError, "This went wrong here. It is in the log.")
	case status == http.StatusUnprocessableEntity:
		return wrong(mistakesIn(err)...)
	}
	return problem(status, sentence(err.Error()))
}

// mistakeField finds the field that a line of a record's mistakes is about: organisation "City museum", country "xx": no country
var mistakeField = regexp.MustCompile(`^[a-z]+ "(?:[^"\\]|\\.)*", ([a-z_]+)(?: "(?:[^"\\]|\\.)*")?[^":]*: (.+)$`)

// mistakesIn returns the lines of an error of kind errs.Invalid, each at its field where it names one.
func mistakesIn(err error) (all []Mistake) {
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if parts := mistakeField.FindStringSubmatch(line); parts != nil {
			all = append(all, Mistake{"body." + parts[1], parts[2]})
			continue
		}
		all = append(all, Mistake{"body", line})
	}
	return all
}

// sentence begins a text with a capital letter.
func sentence(text string) string {
	if text == "" || text[0] < 'a' || text[0] > 'z' {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// refuse answers with an error outside huma.
func (s *site) refuse(w http.ResponseWriter, r *http.Request, err error) {
	p := s.problemOf(r.Context(), err)
	for name, values := range p.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		_ = json.NewEncoder(w).Encode(p) // a caller who went away is no fault
	}
}

const mustBeThere = "must be there"

// ownWords makes huma's errors problems, and puts what it says of a field into plain words.
func ownWords() {
	huma.NewError = func(status int, detail string, found ...error) huma.StatusError {
		p := problem(status, sentence(detail))
		for _, err := range found {
			p.Errors = append(p.Errors, mistakeOf(err))
		}
		if len(p.Errors) > 0 && status < http.StatusInternalServerError {
			p.Detail = wrong().Detail
		}
		return p
	}
	huma.ValidateStrictCasing = true // or "Title" beside "title" would be read without having been looked at
	validation.MsgUnexpectedProperty = "there is no such field"
	validation.MsgExpectedRFC3339DateTime = "must be a time such as 2026-03-01T09:00:00Z"
	validation.MsgExpectedRFC3339Date = "must be a date such as 2026-03-01"
	validation.MsgExpectedRFC3986URI = "must be a web address: %v"
	validation.MsgExpectedRFC4122UUID = "must be an id such as 0193a5f2-7c00-7000-8000-000000000000: %v"
	validation.MsgExpectedBoolean = "must be true or false"
	validation.MsgExpectedNumber = "must be a number"
	validation.MsgExpectedInteger = "must be a whole number"
	validation.MsgExpectedString = "must be a text"
	validation.MsgExpectedArray = "must be a list"
	validation.MsgExpectedObject = "must be an object"
	validation.MsgExpectedArrayItemsUnique = "must not hold anything twice"
	validation.MsgExpectedOneOf = "must be one of \"%s\""
	validation.MsgExpectedMinimumNumber = "must be %v or more"
	validation.MsgExpectedMaximumNumber = "must be %v or less"
	validation.MsgExpectedMinLength = "must have %d characters or more"
	validation.MsgExpectedMaxLength = "must have %d characters or less"
	validation.MsgExpectedMatchPattern = "must match the pattern %s"
	validation.MsgExpectedBePattern = "must be %s"
	validation.MsgExpectedMinItems = "must have %d or more"
	validation.MsgExpectedMaxItems = "must have %d or less"
	validation.MsgExpectedMaxProperties = "must have %d fields or less"
	validation.MsgExpectedMinProperties = "must have %d fields or more"
	validation.MsgExpectedRequiredProperty = "%s " + mustBeThere
}

// mistakeOf puts what huma found into our form: what is missing at its own place, not at that of what it is missing from. The value is left out: it was
// just sent, and may be large or secret.
func mistakeOf(err error) Mistake {
	if detailer := huma.ErrorDetailer(nil); errors.As(err, &detailer) {
		detail := detailer.ErrorDetail()
		if field, missing := strings.CutSuffix(detail.Message, " "+mustBeThere); missing {
			return Mistake{detail.Location + "." + field, mustBeThere}
		}
		return Mistake{detail.Location, detail.Message}
	}
	return Mistake{"body", err.Error()}
}
