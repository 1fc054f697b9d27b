package sources

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Who may put files into a folder does not publish by a link what else there is.
func TestLinksLeadNowhereElse(t *testing.T) {
	t.Parallel()
	folder, elsewhere := t.TempDir(), t.TempDir()
	secret := filepath.Join(elsewhere, "secret.txt")
	for path, text := range map[string]string{secret: "Secret\n\nNobody may read this.", filepath.Join(folder, "hall.txt"): "A hall\n\nIt opens."} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"out.txt": secret, "in.txt": "hall.txt"} {
		if err := os.Symlink(to, filepath.Join(folder, link)); err != nil {
			t.Fatal(err)
		}
	}
	found, err := ReadPaths(t.Context(), folder)
	if err != nil || len(found.Drafts) != 2 || len(found.Refused) != 1 {
		t.Fatalf("%d articles, refused %v, error %v", len(found.Drafts), found.Refused, err)
	}
	if got := found.Refused[0].Err.Error(); !strings.Contains(got, "out.txt: this is a link to a file that is not in the folder") {
		t.Errorf("refused because %s", got)
	}
}
