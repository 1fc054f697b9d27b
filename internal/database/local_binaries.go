package database

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"silkpost/internal/errs"
)

// oldest is the first Postgres that Silkpost is tested with.
const oldest = 15

// binaries is an installed Postgres server.
type binaries struct {
	dir   string // of postgres and initdb
	major int    // 15 for 15.18
}

func (b binaries) postgres() string { return filepath.Join(b.dir, "postgres") }
func (b binaries) initdb() string   { return filepath.Join(b.dir, "initdb") }

// findBinaries looks for a Postgres server: of the given major version, or with 0 the first on PATH, else the newest of
// what the systems' packages install.
func findBinaries(ctx context.Context, major int) (binaries, error) {
	for _, dir := range binaryDirs() {
		b, ok := inspect(ctx, dir)
		if ok && (b.major == major || major == 0 && b.major >= oldest) {
			return b, nil
		}
	}
	if major != 0 {
		return binaries{}, errs.New(errs.Unavailable, "the database in the data directory was made by PostgreSQL %d, which is not installed: %s", major, install(strconv.Itoa(major)))
	}
	return binaries{}, errs.New(errs.Unavailable, "no PostgreSQL server (%d or newer) on this machine: %s, or set SILKPOST_DATABASE_URL to one elsewhere", oldest, install(""))
}

// install names the command that installs a Postgres of the given version, or of any.
func install(version string) string {
	if runtime.GOOS == "darwin" {
		if version == "" {
			version = "17"
		}
		return "install it with brew install postgresql@" + version
	}
	if version != "" {
		version = "-" + version
	}
	return "install it with apt-get install postgresql" + version
}

// binaryDirs lists where servers may be, best first.
func binaryDirs() []string {
	var dirs []string
	if path, err := exec.LookPath("postgres"); err == nil {
		dirs = append(dirs, filepath.Dir(path))
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin", // Debian
		"/usr/pgsql-*/bin",          // the PostgreSQL project's RPMs
		"/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin", "/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
	} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			continue
		}
		slices.SortFunc(found, func(a, b string) int { return digits(b) - digits(a) })
		dirs = append(dirs, found...)
	}
	return dirs
}

// digits is the number in a directory's name: its version.
func digits(path string) int {
	number := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, path)
	n, _ := strconv.Atoi(number) // none sorts last
	return n
}

// inspect asks the server in dir for its version. A link is followed to its directory, where the server's libraries are.
func inspect(ctx context.Context, dir string) (binaries, bool) {
	path, err := filepath.EvalSymlinks(filepath.Join(dir, "postgres"))
	if err != nil {
		return binaries{}, false
	}
	b := binaries{dir: filepath.Dir(path)}
	if _, err := os.Stat(b.initdb()); err != nil {
		return binaries{}, false
	}
	out, err := exec.CommandContext(ctx, b.postgres(), "--version").Output() // postgres (PostgreSQL) 15.18 (Debian …)
	if err != nil {
		return binaries{}, false
	}
	_, err = fmt.Sscanf(string(out), "postgres (PostgreSQL) %d", &b.major)
	return b, err == nil
}
