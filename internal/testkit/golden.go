package testkit

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Golden compares got with the file at path, relative to the test's package. What differs is kept beside it as *.got. With
// -update the file is written instead; read the diff before committing it.
func Golden(t testing.TB, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		writeFile(t, path, got)
		return
	}
	want, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if err == nil && bytes.Equal(got, want) {
		_ = os.Remove(path + ".got")
		return
	}
	writeFile(t, path+".got", got)
	t.Errorf("%s differs (-want +got); see %[1]s.got, or run with -update:\n%s", path, cmp.Diff(string(want), string(got)))
}

func writeFile(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}
