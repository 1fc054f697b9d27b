//go:build crash

package crashtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"silkpost/internal/testkit"
	"silkpost/mailer/ledger"
)

// patience is for how long anything is waited for.
const patience = 3 * time.Minute

// installation is a directory and the settings that every process of a test shares.
type installation struct {
	t    *testing.T
	dir  string
	data string   // the data directory of commands
	env  []string // further settings
}

func newInstallation(t *testing.T) *installation {
	t.Helper()
	dir, err := os.MkdirTemp("", "silkpost-crash-") // on a disk
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755)) // the account that Postgres runs under passes through
	return &installation{t: t, dir: dir, data: filepath.Join(dir, "data")}
}

func (p *installation) environment() []string {
	return append(append(os.Environ(), "SILKPOST_DATA_DIR="+p.data, "SILKPOST_PUBLIC_URL=http://127.0.0.1:8080", "SILKPOST_LISTEN=127.0.0.1:0",
		"SILKPOST_SMTP_CONNECTIONS="+strconv.Itoa(connections)), p.env...)
}

func (p *installation) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, silkpost(p.t), args...)
	cmd.Env = p.environment()
	return cmd
}

// run runs a command to its end and returns what it printed.
func (p *installation) run(args ...string) []byte {
	p.t.Helper()
	var out, complaint bytes.Buffer
	cmd := p.command(p.t.Context(), args...)
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		p.t.Fatalf("silkpost %s: %v\n%s", strings.Join(args, " "), err, complaint.String())
	}
	return out.Bytes()
}

// log opens a file for what a process says; of a failed test its end is shown.
func (p *installation) log(name string) *os.File {
	p.t.Helper()
	file, err := os.OpenFile(filepath.Join(p.dir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o644)
	must(p.t, err)
	p.t.Cleanup(func() {
		if text, err := os.ReadFile(file.Name()); err == nil && p.t.Failed() {
			p.t.Logf("the log of %s ends with:\n%s", name, text[max(0, len(text)-3000):])
		}
		_ = file.Close()
	})
	return file
}

func address(i int) string { return fmt.Sprintf("reader%d@example.org", i) }

// furnish declares the list and imports the people and two articles.
func (p *installation) furnish(people int) {
	p.t.Helper()
	var csv strings.Builder
	csv.WriteString("email,languages\n")
	for i := range people {
		fmt.Fprintf(&csv, "%s,%s\n", address(i), []string{"en", "it", "zh-Hans", "ar"}[i%4])
	}
	for name, content := range map[string]string{
		"list.toml":    "[[list]]\nslug = \"partners\"\nsender = { name = \"Example Association\", address = \"news@example.org\" }\npostal_address = \"1 Example Street\"\n",
		"people.csv":   csv.String(),
		"article.md":   "---\ntitle: An article\nlanguage: en\n---\n\nIts text. It has two sentences.\n",
		"article-2.md": "---\ntitle: Another article\nlanguage: en\n---\n\nIts text. It also has two sentences.\n",
	} {
		must(p.t, os.WriteFile(p.file(name), []byte(content), 0o644))
	}
	p.run("apply", p.file("list.toml"))
	p.run("import", "contacts", p.file("people.csv"), "--list", "partners", "--consent", "agreement")
	p.run("import", "articles", p.file("article.md"), p.file("article-2.md"))
}

func (p *installation) file(name string) string { return filepath.Join(p.dir, name) }

// status is how things stand.
type status struct {
	Deliveries ledger.Counts
	Workers    int
	Database   string // URL of the private Postgres
}

func (p *installation) status() (s status) {
	p.t.Helper()
	must(p.t, json.Unmarshal(p.run("status", "--json"), &s))
	return s
}

// awaitWorkers waits until so many workers send.
func (p *installation) awaitWorkers(n int) {
	p.t.Helper()
	testkit.Eventually(p.t, time.Minute, "the workers are up", func() bool { return p.status().Workers >= n })
}
