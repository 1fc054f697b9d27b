package bounce

import (
	"regexp"
	"strings"
)

// Verdict is what a server says of one way to authenticate a message (RFC 8601, 2.2).
type Verdict struct {
	Method     string            `json:"method"` // spf, dkim, dmarc, iprev and others, in lower case
	Result     string            `json:"result"` // pass, fail, none and others, in lower case
	Reason     string            `json:"reason,omitempty"`
	Properties map[string]string `json:"properties,omitempty"` // as "header.d", in lower case
}

// ParseAuthentication reads the value of an Authentication-Results field: who says it, and what. It never fails: what it does not understand it passes over.
func ParseAuthentication(value string) (by string, verdicts []Verdict) {
	statements := strings.Split(withoutComments(value), ";")
	if words := strings.Fields(statements[0]); !strings.Contains(statements[0], "=") { // Microsoft leaves out who it is
		if statements = statements[1:]; len(words) > 0 {
			by = words[0]
		}
	}
	for _, statement := range statements {
		if v, ok := parseVerdict(statement); ok {
			verdicts = append(verdicts, v)
		}
	}
	return by, verdicts
}

func parseVerdict(statement string) (v Verdict, ok bool) {
	for _, found := range pairForm.FindAllStringSubmatch(statement, maxFields) {
		name, value := strings.ToLower(found[1]), strings.Trim(found[2], `"`)
		switch {
		case v.Method == "":
			v.Method, _, _ = strings.Cut(name, "/") // behind it may be a version
			v.Result = strings.ToLower(value)
		case name == "reason":
			v.Reason = value
		case strings.Contains(name, "."):
			if v.Properties == nil {
				v.Properties = map[string]string{}
			}
			v.Properties[name] = value
		}
	}
	return v, v.Method != ""
}

// pairForm matches name=value, where the value may be in quotation marks.
var pairForm = regexp.MustCompile(`([A-Za-z0-9_./-]+)\s*=\s*("[^"]*"|[^\s;]+)`)

// withoutComments drops what stands in parentheses, also within one another, but not in quotation marks.
func withoutComments(value string) string {
	var b strings.Builder
	depth, quoted, escaped := 0, false, false
	for _, r := range value {
		switch {
		case escaped:
			escaped = false
		case r == '\\':
			escaped = true
			continue
		case r == '"' && depth == 0:
			quoted = !quoted
		case r == '(' && !quoted:
			depth++
			continue
		case r == ')' && depth > 0:
			depth--
			b.WriteByte(' ')
			continue
		}
		if depth == 0 {
			b.WriteRune(r)
		}
	}
	return b.String()
}

const authenticationField = "Authentication-Results"

// authenticationOf returns what the server that took a message said of it: the fields of the one that stands first. Others below may be anybody's.
func authenticationOf(h Header) (fields []string) {
	first := ""
	for _, value := range h.all(authenticationField) {
		by, _ := ParseAuthentication(value)
		if len(fields) == 0 {
			first = by
		}
		if strings.EqualFold(by, first) {
			fields = append(fields, strings.Join(strings.Fields(value), " "))
		}
	}
	return fields
}

// quotedField matches the field where a text quotes it.
var quotedField = regexp.MustCompile(`(?im)^[>\s|]*Authentication-Results[ \t]*:`)

// quotation matches what stands before the lines of what is quoted.
var quotation = regexp.MustCompile(`(?m)^(?:[>|] ?)+`)

// authenticationIn returns what was said of a message of ours that a mail brings back: as an attachment, or quoted in its text.
func authenticationIn(parts []part, messageID string) (fields []string) {
	for _, p := range parts {
		if !strings.HasPrefix(p.kind, "message/") && p.kind != "text/rfc822-headers" {
			continue
		}
		if h, _ := readHeader([]byte(p.text)); strings.TrimSpace(h.Get("Message-ID")) == messageID {
			if fields = authenticationOf(h); len(fields) > 0 {
				return fields
			}
		}
	}
	for _, p := range parts {
		at := quotedField.FindStringIndex(p.text)
		if at == nil || !strings.HasPrefix(p.kind, "text/") || p.kind == "text/rfc822-headers" {
			continue
		}
		quoted := quotation.ReplaceAllString(p.text[at[0]:], "")
		h, _ := readHeader([]byte(strings.TrimLeft(quoted, " \t\r\n")))
		if fields = authenticationOf(h); len(fields) > 0 {
			return fields
		}
	}
	return nil
}
