package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"silkpost/internal/accounts"
)

// operation is something that a machine can ask for.
type operation struct {
	id    string // of the operation, in the OpenAPI document
	on    string // method and path below /api/v1: "GET /feeds/{slug}"
	needs accounts.Act
	group string // under which it stands in the documentation
	title string // what it does, in a line
	says  string // and in more words, Markdown

	// of returns the lists that the record at the address belongs to, whatever it is; errs.NotFound when there is none. nil: it is of no list in
	// particular, and the operation itself leaves out what an actor who is confined to lists may not see.
	of func(ctx context.Context, r *http.Request) (lists []int64, err error)
	// whole says that it is about all lists at once: who is confined to some may not.
	whole bool
	// match says that it has to be told with If-Match which state of a record it is about.
	match bool
	// apart says that its body is an apart, which it checks by itself.
	apart bool

	status int // of the answer; 0: 200
	most   int64
	errors []int // beside those that every operation has

	register func(api huma.API, op huma.Operation)
}

const (
	usualBody   = 64 << 10
	articleBody = 4 << 20
	bulkBody    = 16 << 20
)

// describe returns the operation as the OpenAPI document has it.
func (o *operation) describe(method, path string) huma.Operation {
	most := o.most
	if most == 0 {
		most = usualBody
	}
	errors := append([]int{http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests}, o.errors...)
	if o.of != nil && !slices.Contains(errors, http.StatusNotFound) {
		errors = append(errors, http.StatusNotFound)
	}
	if o.takesBody(method) {
		errors = append(errors, http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	if o.match {
		errors = append(errors, http.StatusPreconditionFailed, http.StatusPreconditionRequired)
	}
	slices.Sort(errors)
	said := o.says
	if said != "" {
		said += "\n\n"
	}
	said += "Needs the act `" + string(o.needs) + "`."
	status := o.status
	if status == 0 {
		status = http.StatusOK
	}
	var parameters []*huma.Param
	if method == http.MethodPost {
		most := maxCallName
		parameters = append(parameters, &huma.Param{
			Name: "Idempotency-Key", In: "header", Schema: &huma.Schema{Type: huma.TypeString, MaxLength: &most},
			Description: "A name of your own for this call: the same call again, within 24 hours, is answered alike and does nothing.",
		})
	}
	return huma.Operation{
		Parameters:  parameters,
		OperationID: o.id, Method: method, Path: path, Summary: o.title, Description: said, Tags: []string{o.group}, Errors: slices.Compact(errors),
		DefaultStatus: status, MaxBodyBytes: most + 1, // we are the ones who count
		Security: []map[string][]string{{"key": {}}}, RejectUnknownQueryParameters: true,
		BodyReadTimeout:  -1, // the server's own
		SkipValidateBody: o.apart,
		Responses:        map[string]*huma.Response{strconv.Itoa(status): {Description: http.StatusText(status)}},
	}
}

func (o *operation) takesBody(method string) bool {
	return method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch
}

// does registers what an operation does. Its errors become problems.
func does[I, O any](s *site, do func(ctx context.Context, in *I) (*O, error)) func(huma.API, huma.Operation) {
	return func(api huma.API, op huma.Operation) {
		huma.Register(api, op, func(ctx context.Context, in *I) (*O, error) {
			out, err := do(ctx, in)
			if err != nil {
				return nil, s.problemOf(ctx, err)
			}
			return out, nil
		})
	}
}

// operations are all there are, by what they are about.
func (s *site) operations() []operation {
	return slices.Concat(
		s.articleOperations(),
		s.feedOperations(),
		s.organisationOperations(),
		s.privateFeedOperations(),
		s.contactOperations(),
		s.subscriptionOperations(),
		s.suppressionOperations(),
		s.listOperations(),
		s.editionOperations(),
		s.statusOperations(),
	)
}
