package feeds

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// notModified reports whether the client already has what etag names (RFC 9110, section 13.2.2): If-None-Match decides when it is
// there, else If-Modified-Since.
func notModified(r *http.Request, etag string, modified time.Time) bool {
	if lists := r.Header.Values("If-None-Match"); len(lists) > 0 {
		return matches(strings.Join(lists, ","), etag)
	}
	since, err := http.ParseTime(r.Header.Get("If-Modified-Since"))
	return err == nil && !modified.IsZero() && !modified.Truncate(time.Second).After(since)
}

// matches reports whether a list of entity tags has etag, compared weakly as If-None-Match wants it. "*" has every tag. What
// follows a malformed tag is not read.
func matches(list, etag string) bool {
	if strings.TrimSpace(list) == "*" {
		return true
	}
	for {
		list = strings.TrimPrefix(strings.TrimLeft(list, " \t,"), "W/")
		if !strings.HasPrefix(list, `"`) {
			return false
		}
		end := strings.IndexByte(list[1:], '"')
		if end < 0 {
			return false
		}
		if list[:end+2] == etag {
			return true
		}
		list = list[end+2:]
	}
}

// acceptsGzip reports whether Accept-Encoding headers allow gzip: by name, else by "*", with a weight above zero.
func acceptsGzip(headers []string) bool {
	rest := false
	for part := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		coding, params, _ := strings.Cut(part, ";")
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "gzip", "x-gzip":
			return weight(params) > 0
		case "*":
			rest = weight(params) > 0
		}
	}
	return rest
}

// weight returns the q of a header's parameters: 1 when there is none, 0 when it is no number.
func weight(params string) float64 {
	name, value, found := strings.Cut(strings.TrimSpace(params), "=")
	if !found || !strings.EqualFold(strings.TrimSpace(name), "q") {
		return 1
	}
	q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil {
		return 0
	}
	return q
}
