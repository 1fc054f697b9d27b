package slug_test

import (
	"testing"

	"silkpost/internal/slug"
)

func TestValid(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"a": true, "7": true, "all": true, "news-2026": true, "a-b-c": true,
		"": false, "-": false, "-a": false, "a-": false, "a--b": false, "A": false, "é": false, "新闻": false, "a b": false, "a.b": false,
		"a\n": false, "a\x00": false,
	} {
		if got := slug.Valid(s); got != want {
			t.Errorf("%q: %t", s, got)
		}
	}
}
