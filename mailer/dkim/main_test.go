package dkim

import (
	"testing"

	"silkpost/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }
