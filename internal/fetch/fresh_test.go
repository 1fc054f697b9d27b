package fetch

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"silkpost/internal/errs"
)

func TestFresh(t *testing.T) {
	t.Parallel()
	const date = "Date: Mon, 11 May 2020 08:00:00 GMT\n"
	for text, want := range map[string]time.Duration{
		"":                                       0,
		"Cache-Control: max-age=600":             10 * time.Minute,
		"Cache-Control: public, Max-Age=\"600\"": 10 * time.Minute,
		"Cache-Control: public\nCache-Control: max-age=60":                         time.Minute,
		"Cache-Control: s-maxage=600":                                              0, // for caches that are shared
		"Cache-Control: max-age=600, no-cache":                                     0,
		"Cache-Control: no-store, max-age=600":                                     0,
		"Cache-Control: max-age=soon":                                              0,
		"Cache-Control: max-age=-5":                                                0,
		"Cache-Control: max-age=99999999999999999":                                 365 * 24 * time.Hour,
		"Cache-Control: max-age=999999999999999999999999":                          0,
		"Cache-Control: max-age=600\nAge: 200":                                     400 * time.Second,
		"Cache-Control: max-age=600\nAge: 900":                                     0,
		date + "Expires: Mon, 11 May 2020 09:00:00 GMT":                            time.Hour,
		date + "Expires: Mon, 11 May 2020 07:00:00 GMT":                            0,
		date + "Expires: 0":                                                        0,
		"Expires: Mon, 11 May 2020 09:00:00 GMT":                                   0, // nothing to compare it with
		date + "Expires: Mon, 11 May 2020 09:00:00 GMT\nCache-Control: max-age=60": time.Minute,
	} {
		if got := fresh(headers(text)); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	for text, want := range map[string]time.Duration{
		"": 0, "Retry-After: 120": 2 * time.Minute, "Retry-After: -1": 0, "Retry-After: soon": 0, "Retry-After: 9999999999": 24 * time.Hour,
		date + "Retry-After: Mon, 11 May 2020 08:30:00 GMT": 30 * time.Minute, date + "Retry-After: Mon, 11 May 2020 07:30:00 GMT": 0,
		date + "Retry-After: Fri, 11 May 2029 07:30:00 GMT": 24 * time.Hour,
	} {
		if got := retryAfter(headers(text)); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func headers(text string) http.Header {
	h := http.Header{}
	for _, line := range strings.Split(text, "\n") {
		if name, value, ok := strings.Cut(line, ": "); ok {
			h.Add(name, value)
		}
	}
	return h
}

func TestGetTellsHowLongItStays(t *testing.T) {
	t.Parallel()
	c, url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=600")
		if r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusNotModified)
		}
	})
	for _, tag := range []string{"", `"v1"`} {
		if got, err := c.Get(t.Context(), Request{URL: url, ETag: tag}); err != nil || got.Fresh != 10*time.Minute {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

func TestPermanentRedirectsAreTold(t *testing.T) {
	t.Parallel()
	to := map[string]struct {
		code int
		path string
	}{"/301": {301, "/new"}, "/308": {308, "/301"}, "/302": {302, "/301"}, "/mixed": {301, "/302"}, "/secret": {301, "/new"}}
	c, url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if next, ok := to[r.URL.Path]; ok {
			http.Redirect(w, r, next.path+"#part", next.code)
		}
	})
	for path, want := range map[string]string{"/new": "", "/301": url + "/new", "/308": url + "/new", "/302": "", "/mixed": url + "/302"} {
		got, err := c.Get(t.Context(), Request{URL: url + path})
		if err != nil || got.URL != url+"/new" || got.Moved != want {
			t.Errorf("%s: %+v, %v", path, got, err)
		}
	}
	locked := strings.Replace(url, "http://", "http://reader:secret@", 1)
	if got, err := c.Get(t.Context(), Request{URL: locked + "/secret"}); err != nil || got.Moved != url+"/new" {
		t.Errorf("%+v, %v", got, err)
	}
}

// Only gzip is asked for; what comes otherwise is told, not taken for text.
func TestEncodings(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	gz := gzip.NewWriter(&packed)
	_, _ = gz.Write([]byte("words"))
	_ = gz.Close()
	c, url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		coding := strings.Trim(r.URL.Path, "/")
		w.Header().Set("Content-Encoding", coding)
		if r.Header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("asked for %q", r.Header.Get("Accept-Encoding"))
		}
		switch coding {
		case "gzip":
			_, _ = w.Write(packed.Bytes())
		case "torn":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(packed.Bytes()[:8])
		default:
			fmt.Fprint(w, "words")
		}
	})
	for coding, says := range map[string]string{
		"gzip": "", "identity": "", "br": `encoded as "br", which was not asked for`, "deflate": `encoded as "deflate"`, "zstd": `encoded as "zstd"`,
		"gzip, gzip": `encoded as "gzip, gzip"`, "torn": "broke off before its answer was complete",
	} {
		got, err := c.Get(t.Context(), Request{URL: url + "/" + strings.ReplaceAll(coding, " ", "%20")})
		if says == "" && (err != nil || string(got.Body) != "words") {
			t.Errorf("%s: %v", coding, err)
		}
		if says != "" && (errs.KindOf(err) != errs.Unavailable || !strings.Contains(err.Error(), says)) {
			t.Errorf("%s: %v", coding, err)
		}
	}
}

func TestMaxBytes(t *testing.T) {
	t.Parallel()
	c, url := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 100)) })
	if _, err := c.Get(t.Context(), Request{URL: url, MaxBytes: 99}); err == nil || !strings.Contains(err.Error(), "larger than 99 bytes") {
		t.Errorf("error = %v", err)
	}
	if got, err := c.Get(t.Context(), Request{URL: url, MaxBytes: 100}); err != nil || len(got.Body) != 100 {
		t.Errorf("%v", err)
	}
}
