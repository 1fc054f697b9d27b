package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
)

// encode writes JSON as answers have it.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}

// tagOf returns the ETag of a record: another one for each state that it can be seen in.
func tagOf(record any) (string, error) {
	text, err := encode(record)
	sum := sha256.Sum256(text)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`, err
}

// matches reports whether a header If-Match or If-None-Match names a tag (RFC 9110, section 13.1). A weak tag names nothing that could be changed.
func matches(header, tag string, weakly bool) bool {
	for one := range strings.SplitSeq(header, ",") {
		one = strings.TrimSpace(one)
		if weakly {
			one = strings.TrimPrefix(one, "W/")
		}
		if one == "*" || one == tag {
			return true
		}
	}
	return false
}

// unmoved refuses a change of a record that is not, any more, what the caller has seen.
func (c *call) unmoved(record any) error {
	if c.match == "" {
		return nil
	}
	tag, err := tagOf(record)
	if err != nil || matches(c.match, tag, false) {
		return err
	}
	return problem(http.StatusPreconditionFailed, "It has changed since you have seen it: get it again.").with("ETag", tag)
}

// conditional answers with 304 when the caller has what would be written.
type conditional struct {
	http.ResponseWriter
	known string // If-None-Match
	had   bool
}

// WriteHeader turns 200 into 304 for a caller who has that.
func (w *conditional) WriteHeader(status int) {
	if tag := w.Header().Get("ETag"); status == http.StatusOK && w.known != "" && tag != "" && matches(w.known, tag, true) {
		w.had, status = true, http.StatusNotModified
		w.Header().Del("Content-Type")
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write writes the body, if there is to be one.
func (w *conditional) Write(b []byte) (int, error) {
	if w.had {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (w *conditional) Unwrap() http.ResponseWriter { return w.ResponseWriter }
