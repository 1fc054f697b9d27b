//go:build browser

// Package browsertest opens the running program in a real browser: its pages and its mail, on a desk and on a phone, in light
// and in dark, from left to right and from right to left. It makes the pictures of the documentation, too:
//
//	go test -tags browser ./internal/browsertest                # look for what is wrong
//	go test -tags browser ./internal/browsertest -pictures      # make docs/pictures anew
//	go test -tags browser ./internal/browsertest -keep DIR      # keep a picture of every page in every view
package browsertest

import (
	"flag"
	"testing"

	"silkpost/internal/testkit"
)

var (
	pictures = flag.Bool("pictures", false, "make the pictures in docs/pictures anew")
	keep     = flag.String("keep", "", "folder for a picture of every page in every view")
)

func TestMain(m *testing.M) { testkit.Main(m) }
