package fetch

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxPatience is for how long a server is left alone at most, whatever it asks for.
const maxPatience = 24 * time.Hour

// patience is an error after which the server asked to be left alone for a while.
type patience struct {
	error
	wait time.Duration
}

// Unwrap returns the error inside.
func (p patience) Unwrap() error { return p.error }

// RetryAfter returns how long a server asked to be left alone with the error that Get gave, a day at most; 0 when it did not.
func RetryAfter(err error) time.Duration {
	if p := (patience{}); errors.As(err, &p) {
		return p.wait
	}
	return 0
}

// retryAfter reads Retry-After (RFC 9110, section 10.2.3): seconds, or a date, which is compared with the server's own.
func retryAfter(h http.Header) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		return clamp(time.Duration(min(max(seconds, 0), int64(maxPatience/time.Second)))*time.Second, maxPatience)
	}
	return clamp(between(h.Get("Date"), value), maxPatience)
}

// maxFresh is as long as an answer is said to stay as it is at most: a year, as in RFC 9111's advice.
const maxFresh = 365 * 24 * time.Hour

// fresh reads for how long an answer stays as it is (RFC 9111, section 4.2.1, for a private cache): max-age, else Expires, less its age.
func fresh(h http.Header) time.Duration {
	lifetime, told := time.Duration(0), false
	for _, directive := range strings.Split(strings.ToLower(strings.Join(h.Values("Cache-Control"), ",")), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch name {
		case "no-cache", "no-store":
			return 0
		case "max-age":
			seconds, err := strconv.ParseInt(strings.Trim(value, `" `), 10, 64)
			if err != nil || seconds < 0 {
				return 0 // what makes no sense is stale (section 4.2.1)
			}
			lifetime, told = clamp(time.Duration(min(seconds, int64(maxFresh/time.Second)))*time.Second, maxFresh), true
		}
	}
	if !told {
		lifetime = clamp(between(h.Get("Date"), h.Get("Expires")), maxFresh)
	}
	if age, err := strconv.ParseInt(strings.TrimSpace(h.Get("Age")), 10, 64); err == nil && age > 0 {
		lifetime -= min(time.Duration(min(age, int64(maxFresh/time.Second)))*time.Second, lifetime)
	}
	return lifetime
}

// between returns the time from one HTTP date to another; 0 when either is none.
func between(from, to string) time.Duration {
	a, err := http.ParseTime(from)
	if err != nil {
		return 0
	}
	b, err := http.ParseTime(to)
	if err != nil {
		return 0
	}
	return b.Sub(a)
}

func clamp(d, most time.Duration) time.Duration { return min(max(d, 0), most) }
