package api

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// The manual is the OpenAPI document as a page for people. It runs nothing and loads nothing but its style.

//go:embed manual.html
var manualHTML string

//go:embed manual.css
var manualCSS []byte

var manualTemplate = template.Must(template.New("manual").Funcs(template.FuncMap{"prose": prose, "sentence": sentence}).Parse(manualHTML))

// manualPage is what the page shows.
type manualPage struct {
	Title, Says string
	Groups      []manualGroup
	Problem     []manualField
}

// manualGroup are the operations of a tag.
type manualGroup struct {
	Name, Says string
	Operations []manualOperation
}

// manualOperation is an operation.
type manualOperation struct {
	ID, Method, Path, Title, Says string
	Parameters, Body              []manualField
	BodyRequired                  bool
	Answers                       []manualAnswer
	Errors                        []string
}

// manualAnswer is what an operation that went well is answered with.
type manualAnswer struct {
	Status  string
	Headers []manualField
	Body    []manualField
}

// manualField is a parameter, or a field of a body: fields of objects in it follow it, with its name before theirs.
type manualField struct {
	Name, Where, Type, Says string
	Required                bool
}

// prosePart is part of a paragraph.
type prosePart struct {
	Text string
	Code bool
}

// prose takes Markdown apart: paragraphs, and what is between backticks in them.
func prose(text string) (paragraphs [][]prosePart) {
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		var parts []prosePart
		for i, part := range strings.Split(paragraph, "`") {
			if part != "" {
				parts = append(parts, prosePart{part, i%2 == 1})
			}
		}
		if len(parts) > 0 {
			paragraphs = append(paragraphs, parts)
		}
	}
	return paragraphs
}

// manual answers with the page.
func (s *site) manual(w http.ResponseWriter, r *http.Request) {
	var page bytes.Buffer
	if err := manualTemplate.Execute(&page, s.manualPage()); err != nil {
		s.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", "en")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	_, _ = page.WriteTo(w) // a visitor who went away is no fault
}

func manualStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write(manualCSS)
}

func (s *site) manualPage() manualPage {
	out := manualPage{Title: s.doc.Info.Title, Says: s.doc.Info.Description, Problem: s.fieldsOf(s.doc.Components.Schemas.Map()["Problem"], "", 0)}
	for _, tag := range s.doc.Tags {
		out.Groups = append(out.Groups, manualGroup{Name: tag.Name, Says: tag.Description})
	}
	at := map[string]int{}
	for i, group := range out.Groups {
		at[group.Name] = i
	}
	for _, op := range s.operations() {
		method, path, _ := strings.Cut(op.on, " ")
		if found := operationAt(s.doc.Paths[base+path], method); found != nil {
			group := &out.Groups[at[op.group]]
			group.Operations = append(group.Operations, s.manualOperation(found))
		}
	}
	return out
}

func operationAt(item *huma.PathItem, method string) *huma.Operation {
	if item == nil {
		return nil
	}
	return map[string]*huma.Operation{
		http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put, http.MethodPatch: item.Patch, http.MethodDelete: item.Delete,
	}[method]
}

func (s *site) manualOperation(op *huma.Operation) manualOperation {
	out := manualOperation{ID: op.OperationID, Method: op.Method, Path: op.Path, Title: op.Summary, Says: op.Description}
	for _, p := range op.Parameters {
		out.Parameters = append(out.Parameters, manualField{
			Name: p.Name, Where: p.In, Type: typeOf(p.Schema), Says: cmp.Or(p.Description, p.Schema.Description), Required: p.Required,
		})
	}
	if op.RequestBody != nil {
		out.Body, out.BodyRequired = s.fieldsOf(op.RequestBody.Content["application/json"].Schema, "", 0), op.RequestBody.Required
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		number, err := strconv.Atoi(status)
		if err != nil || number >= http.StatusBadRequest {
			out.Errors = append(out.Errors, strings.TrimSpace(status+" "+http.StatusText(number)))
			continue
		}
		response := op.Responses[status]
		answer := manualAnswer{Status: strings.TrimSpace(status + " " + http.StatusText(number))}
		for _, name := range slices.Sorted(maps.Keys(response.Headers)) {
			header := response.Headers[name]
			answer.Headers = append(answer.Headers, manualField{Name: name, Type: typeOf(header.Schema), Says: header.Description})
		}
		if body := response.Content["application/json"]; body != nil {
			answer.Body = s.fieldsOf(body.Schema, "", 0)
		}
		out.Answers = append(out.Answers, answer)
	}
	return out
}

// deepest is how far into objects the manual shows fields.
const deepest = 4

// fieldsOf returns the fields of an object, and of the objects in it.
func (s *site) fieldsOf(schema *huma.Schema, before string, depth int) (fields []manualField) {
	schema = s.resolve(schema)
	if schema == nil || depth > deepest {
		return nil
	}
	if schema.Type == huma.TypeArray {
		return s.fieldsOf(schema.Items, before+"[]", depth)
	}
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		given := schema.Properties[name]
		field := s.resolve(given)
		whole := strings.TrimPrefix(before+"."+name, ".")
		fields = append(fields, manualField{
			Name: whole, Type: typeOf(field), Says: cmp.Or(given.Description, field.Description), Required: slices.Contains(schema.Required, name),
		})
		fields = append(fields, s.fieldsOf(field, whole, depth+1)...)
	}
	return fields
}

func (s *site) resolve(schema *huma.Schema) *huma.Schema {
	for schema != nil && schema.Ref != "" {
		schema = s.doc.Components.Schemas.SchemaFromRef(schema.Ref)
	}
	return schema
}

// typeOf says in words what a value is.
func typeOf(schema *huma.Schema) string {
	if schema == nil {
		return ""
	}
	said := map[string]string{huma.TypeString: "text", huma.TypeInteger: "whole number", huma.TypeBoolean: "true or false", huma.TypeArray: "list", huma.TypeObject: "object"}[schema.Type]
	switch {
	case len(schema.Enum) > 0:
		all := make([]string, len(schema.Enum))
		for i, one := range schema.Enum {
			all[i] = fmt.Sprint(one)
		}
		said = strings.Join(all, ", ")
	case schema.Format == "date-time":
		said = "time, RFC 3339"
	case schema.Format == "uuid":
		said = "UUID"
	case schema.MaxLength != nil:
		said += fmt.Sprintf(", %d characters at most", *schema.MaxLength)
	case schema.MaxItems != nil:
		said += fmt.Sprintf(", %d at most", *schema.MaxItems)
	case schema.Minimum != nil && schema.Maximum != nil:
		said += fmt.Sprintf(", %v to %v", *schema.Minimum, *schema.Maximum)
	}
	if schema.Nullable {
		said += ", or null"
	}
	return said
}
