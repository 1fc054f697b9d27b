package articles

import (
	"flag"
	"testing"

	"silkpost/internal/testkit"
)

// Each check of a property here writes to a database, so that fewer are made than rapid would; -rapid.checks says how many.
func TestMain(m *testing.M) {
	_ = flag.Set("rapid.checks", "25")
	testkit.Main(m)
}
