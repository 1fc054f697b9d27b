package feeds

import (
	"net/http"
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
