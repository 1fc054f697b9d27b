package database_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"silkpost/internal/database"
	"silkpost/internal/testkit"
)

// holdVariable turns the test program into another silkpost: it starts a private Postgres, says so, and keeps it until its
// standard input ends.
const holdVariable = "SILKPOST_TEST_HOLD"

func TestMain(m *testing.M) {
	if config := os.Getenv(holdVariable); config != "" {
		os.Exit(hold(config))
	}
	testkit.Main(m)
}

// held is what the other process says: where the server is, or why there is none.
type held struct{ URL, Error string }

func hold(config string) int {
	var cfg database.LocalConfig
	if err := json.Unmarshal([]byte(config), &cfg); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	local, err := database.StartLocal(context.Background(), cfg)
	said := held{}
	if err != nil {
		said.Error = err.Error()
	} else {
		said.URL = local.URL()
	}
	_ = json.NewEncoder(os.Stdout).Encode(said)
	_, _ = io.Copy(io.Discard, os.Stdin)
	if local != nil && local.Stop(context.Background()) != nil {
		return 1
	}
	return 0
}

// other is a second process on a data directory.
type other struct {
	held
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.WriteCloser
	ended bool
}

// startOther runs the test program as another silkpost; as the given account, if any. It is ended with the test.
func startOther(t *testing.T, cfg database.LocalConfig, program string, as *syscall.Credential) *other {
	t.Helper()
	config, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	o := &other{t: t, cmd: exec.Command(program)}
	o.cmd.Env = append(os.Environ(), holdVariable+"="+string(config))
	o.cmd.Dir = "/"
	o.cmd.Stderr = os.Stderr
	o.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	stdout, err := o.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if o.stdin, err = o.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := o.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.kill() })
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &o.held)
	}
	if err != nil {
		t.Fatalf("the other process said %q: %v", line, err)
	}
	return o
}

// stop lets the process end in its order.
func (o *other) stop() {
	o.t.Helper()
	_ = o.stdin.Close()
	if err := o.cmd.Wait(); err != nil {
		o.t.Errorf("the other process: %v", err)
	}
	o.ended = true
}

// kill ends the process as a power cut would.
func (o *other) kill() {
	if !o.ended {
		_ = o.cmd.Process.Kill()
		_ = o.cmd.Wait()
		o.ended = true
	}
}

// executable is the test program.
func executable(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// startLocal starts a private Postgres in this process and stops it with the test.
func startLocal(t *testing.T, cfg database.LocalConfig) *database.Local {
	t.Helper()
	cfg.Log = testkit.Log(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	local, err := database.StartLocal(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopLocal(t, local) })
	return local
}

func stopLocal(t *testing.T, local *database.Local) {
	t.Helper()
	if err := local.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}
