package database

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"silkpost/internal/errs"
)

// fallbackHome is where root keeps clusters whose data directory the server's account cannot reach.
const fallbackHome = "/var/lib/silkpost"

// databaseName is the one database, and the one user, of a private cluster.
const databaseName = "silkpost"

// cluster is a private Postgres on disk.
type cluster struct {
	dir     string // holds all the rest
	account account
	bin     binaries
}

func (c cluster) data() string    { return filepath.Join(c.dir, "data") }
func (c cluster) logFile() string { return filepath.Join(c.dir, "postgres.log") }

// clusterAt is the cluster of a data directory as far as its files tell: without account and binaries.
func clusterAt(dataDir string) cluster {
	link := filepath.Join(dataDir, "postgres")
	if dir, err := filepath.EvalSymlinks(link); err == nil {
		return cluster{dir: dir}
	}
	return cluster{dir: link}
}

// prepareCluster returns the cluster of a data directory, made if there is none. The caller holds the lock.
func prepareCluster(ctx context.Context, dataDir string, log *slog.Logger) (c cluster, err error) {
	if err := refuseDangling(dataDir); err != nil {
		return c, err
	}
	c = clusterAt(dataDir)
	if c.account, err = serverAccount(c.data()); err != nil {
		return c, err
	}
	major, err := c.version()
	if err != nil {
		return c, err
	}
	if c.bin, err = findBinaries(ctx, major); err != nil {
		return c, err
	}
	if major != 0 {
		return c, c.mustReach(ctx)
	}
	if err := c.makeDir(ctx, dataDir, log); err != nil {
		return c, err
	}
	log.InfoContext(ctx, "setting up the database", slog.String("dir", c.dir), slog.Int("postgres", c.bin.major))
	return c, c.initialise(ctx)
}

// version is the major version that wrote the data, 0 when there is none yet.
func (c cluster) version() (int, error) {
	text, err := os.ReadFile(filepath.Join(c.data(), "PG_VERSION"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, nil
	case err != nil:
		return 0, errs.New(errs.Invalid, "cannot read the database at %s: %w", c.data(), errnoOf(err))
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, errs.New(errs.Invalid, "the database at %s is damaged: its PG_VERSION is %q", c.data(), text)
	}
	return major, nil
}

// makeDir makes the directory of a new cluster, or finishes the making that a crash broke off.
func (c *cluster) makeDir(ctx context.Context, dataDir string, log *slog.Logger) error {
	err := os.Mkdir(c.dir, 0o700)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return errs.New(errs.Invalid, "cannot make the database's directory: %w", err)
	}
	if err := c.account.give(c.dir); err != nil {
		return errs.New(errs.Invalid, "cannot make the database's directory: %w", err)
	}
	if !c.account.foreign || c.account.reaches(ctx, c.dir, c.bin) {
		return nil
	}
	if err := os.Remove(c.dir); err != nil {
		return errs.New(errs.Invalid, "cannot make the database's directory: %w", err)
	}
	if c.dir, err = makeFallback(c.account); err != nil {
		return err
	}
	log.InfoContext(ctx, "the server's account cannot reach the data directory; keeping the database elsewhere",
		slog.String("data_dir", dataDir), slog.String("dir", c.dir))
	if err := c.mustReach(ctx); err != nil {
		return err
	}
	if err := os.Symlink(c.dir, filepath.Join(dataDir, "postgres")); err != nil {
		return errs.New(errs.Invalid, "cannot make the database's directory: %w", err)
	}
	return nil
}

func makeFallback(a account) (string, error) {
	if err := os.MkdirAll(fallbackHome, 0o711); err != nil {
		return "", errs.New(errs.Invalid, "cannot make the database's directory: %w", err)
	}
	dir, err := os.MkdirTemp(fallbackHome, "cluster-")
	if err == nil {
		err = a.give(dir)
	}
	if err != nil {
		return "", errs.New(errs.Invalid, "cannot make the database's directory: %w", err)
	}
	return dir, nil
}

// mustReach explains what Postgres would only call "permission denied".
func (c cluster) mustReach(ctx context.Context) error {
	if !c.account.foreign || c.account.reaches(ctx, c.dir, c.bin) {
		return nil
	}
	return errs.New(errs.Invalid, "the database server's account (user id %d) cannot reach %s: let it pass through the directories above (chmod o+x)", c.account.uid, c.dir)
}

// initialise runs initdb beside the final place and renames, so that a cluster is there whole or not at all.
func (c cluster) initialise(ctx context.Context) error {
	unfinished := c.data() + ".new"
	if err := os.RemoveAll(unfinished); err != nil {
		return fmt.Errorf("set up the database: %w", err)
	}
	cmd := c.account.command(c.dir, c.bin.initdb(), "--pgdata="+unfinished, "--username="+databaseName, "--auth=trust",
		"--encoding=UTF8", "--locale="+serverLocale, "--lc-collate=C", "--no-instructions")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	p, err := launch(cmd)
	if err == nil {
		err = p.wait(ctx)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return errs.New(errs.Unavailable, "PostgreSQL could not set up a database in %s: %s", c.dir, lastLine(out.Bytes(), err.Error()))
	}
	if err := os.Rename(unfinished, c.data()); err != nil {
		return fmt.Errorf("set up the database: %w", err)
	}
	return nil
}

// refuseDangling tells of a link to a cluster that is gone: making a new one in its place would hide the loss.
func refuseDangling(dataDir string) error {
	link := filepath.Join(dataDir, "postgres")
	if _, err := os.Stat(link); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if target, err := os.Readlink(link); err == nil {
		return errs.New(errs.Invalid, "the database of %s is gone: its files were in %s; restore them, or remove %s to begin with an empty database", dataDir, target, link)
	}
	return nil
}

// lastLine is the last line of a program's output that says something, preferring errors; otherwise none.
func lastLine(output []byte, otherwise string) string {
	last := otherwise
	for line := range strings.Lines(string(output)) {
		line = strings.TrimSpace(line)
		if _, text, ok := strings.Cut(line, "FATAL:"); ok {
			return strings.TrimSpace(text)
		}
		if line != "" {
			last = line
		}
	}
	return last
}
