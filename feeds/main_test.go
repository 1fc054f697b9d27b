package feeds_test

import (
	"flag"
	"testing"

	"silkpost/internal/testkit"
)

// A life takes a while, so that fewer of them are lived than rapid would; -rapid.checks says how many.
func TestMain(m *testing.M) {
	_ = flag.Set("rapid.checks", "10")
	_ = flag.Set("rapid.shrinktime", "10s")
	testkit.Main(m)
}
