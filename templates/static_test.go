package templates_test

import (
	"io"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"silkpost/internal/errs"
)

func TestStatic(t *testing.T) {
	t.Parallel()
	set := newSet(t)
	path, err := set.StaticPath("silkpost.css")
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^/static/silkpost\.[0-9a-f]{16}\.css$`).MatchString(path) {
		t.Errorf("path %s", path)
	}
	if _, err := set.StaticPath("other.css"); errs.KindOf(err) != errs.NotFound {
		t.Errorf("error %v for a file that is not there", err)
	}
	server := httptest.NewServer(set.StaticHandler())
	defer server.Close()
	answer := get(t, server.URL+path)
	if answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "text/css; charset=utf-8" ||
		answer.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
		t.Errorf("%s with %v", answer.Status, answer.Header)
	}
	for _, wrong := range []string{"/static/silkpost.css", "/static/silkpost.0000000000000000.css", "/static/", "/"} {
		if answer := get(t, server.URL+wrong); answer.StatusCode != 404 {
			t.Errorf("%s: %s", wrong, answer.Status)
		}
	}
}

func get(t *testing.T, url string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		t.Fatal(err)
	}
	return answer
}

// Text has a contrast of 4.5:1 with what it stands on, controls 3:1, in light and in dark (WCAG 2.2, 1.4.3 and 1.4.11).
func TestContrast(t *testing.T) {
	t.Parallel()
	light, dark := colours(t)
	for scheme, named := range map[string]map[string]string{"light": light, "dark": dark} {
		for _, c := range []struct {
			text, ground string
			least        float64
		}{
			{"ink", "paper", 4.5},
			{"ink", "sheet", 4.5},
			{"soft", "paper", 4.5},
			{"soft", "sheet", 4.5},
			{"accent", "paper", 4.5},
			{"accent", "sheet", 4.5},
			{"on-accent", "accent", 4.5},
			{"done", "paper", 4.5},
			{"waiting", "sheet", 4.5},
			{"needs-you", "paper", 4.5},
			{"border", "paper", 3},
		} {
			if got := contrast(t, named[c.text], named[c.ground]); got < c.least {
				t.Errorf("%s: %s on %s is %.2f:1, want %.1f:1", scheme, c.text, c.ground, got, c.least)
			}
		}
	}
}

// colours reads the names and values out of the stylesheet: first those of light, then those that dark changes.
func colours(t *testing.T) (light, dark map[string]string) {
	t.Helper()
	set := newSet(t)
	path, err := set.StaticPath("silkpost.css")
	if err != nil {
		t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	set.StaticHandler().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	before, after, _ := strings.Cut(answer.Body.String(), "prefers-color-scheme: dark")
	read := func(css string) map[string]string {
		named := map[string]string{}
		for _, match := range regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6});`).FindAllStringSubmatch(css, -1) {
			named[match[1]] = match[2]
		}
		return named
	}
	light = read(before)
	dark = maps.Clone(light)
	maps.Copy(dark, read(after))
	return light, dark
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	one, other := luminance(t, a), luminance(t, b)
	return (max(one, other) + 0.05) / (min(one, other) + 0.05)
}

func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatalf("colour %q: %v", colour, err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			sum += weight * c / 12.92
		} else {
			sum += weight * math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	return sum
}

// The digest speaks in the stylesheet's colours.
func TestDigestUsesTheSameColours(t *testing.T) {
	t.Parallel()
	mail, err := newSet(t).Digest(digest("en"))
	if err != nil {
		t.Fatal(err)
	}
	light, dark := colours(t)
	known := map[string]bool{}
	for _, named := range []map[string]string{light, dark} {
		for _, value := range named {
			known[value] = true
		}
	}
	for _, colour := range regexp.MustCompile(`#[0-9a-fA-F]{6}\b`).FindAllString(mail.HTML, -1) {
		if !known[colour] {
			t.Errorf("%s is no colour of the stylesheet", colour)
		}
	}
}
