package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"silkpost/internal/testkit"
)

// asProgram makes this test binary be the program: so the very main function runs in a process of its own, with its signals,
// streams and exit status, and nothing has to be built.
const asProgram = "TEST_AS_SILKPOST"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	testkit.Main(m)
}

// patience is how long anything may take that gives no signal.
const patience = 30 * time.Second

// settings are what a process is run with: SILKPOST_… names and values.
type settings map[string]string

// result is what a process came to.
type result struct {
	status         int // -1: ended by a signal
	stdout, stderr string
}

// command prepares the program as a process that knows nothing of this one's environment but the path.
func command(ctx context.Context, t *testing.T, with settings, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env = []string{
		asProgram + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(),
		"GORACE=atexit_sleep_ms=0", // the race detector keeps every process for a second more
	}
	for name, value := range with {
		cmd.Env = append(cmd.Env, "SILKPOST_"+name+"="+value)
	}
	cmd.Dir = t.TempDir()
	return cmd
}

// silkpost runs the program to its end.
func silkpost(t *testing.T, with settings, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	return finish(t, command(ctx, t, with, args...))
}

func finish(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if ended := (*exec.ExitError)(nil); err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// good runs the program and wants status 0 and silence on stderr.
func good(t *testing.T, with settings, args ...string) string {
	t.Helper()
	r := silkpost(t, with, args...)
	if r.status != 0 || r.stderr != "" {
		t.Fatalf("silkpost %s: status %d\n%s%s", strings.Join(args, " "), r.status, r.stderr, r.stdout)
	}
	return r.stdout
}

// told wants a status and one line on stderr with these words.
func (r result) told(t *testing.T, what string, status int, words ...string) {
	t.Helper()
	if r.status != status {
		t.Errorf("%s: status %d, want %d", what, r.status, status)
	}
	if !strings.HasPrefix(r.stderr, "silkpost: ") || strings.Count(r.stderr, "\n") != 1 {
		t.Errorf("%s: want one line on stderr, got %q", what, r.stderr)
	}
	for _, word := range words {
		if !strings.Contains(r.stderr, word) {
			t.Errorf("%s: want %q in %q", what, word, r.stderr)
		}
	}
}

// process is the program while it runs.
type process struct {
	cmd            *exec.Cmd
	stdout, stderr lines
	ended          chan struct{} // closed when it has ended
}

// start runs the program in the background. What is still running at the test's end is killed.
func start(t *testing.T, with settings, args ...string) *process {
	t.Helper()
	p := &process{cmd: command(context.Background(), t, with, args...), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
		if t.Failed() {
			t.Logf("silkpost %s:\n%s%s", strings.Join(args, " "), p.stdout.String(), p.stderr.String())
		}
	})
	return p
}

// signal sends a signal.
func (p *process) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// wait returns the exit status.
func (p *process) wait(t *testing.T) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Fatalf("it still runs after %s", patience)
	}
	return p.cmd.ProcessState.ExitCode()
}

// await waits until a stream has a line with these words, and returns all of it so far.
func (p *process) await(t *testing.T, stream *lines, words string) string {
	t.Helper()
	testkit.Eventually(t, patience, words, func() bool {
		select {
		case <-p.ended:
			t.Fatalf("it ended with %v before it said %q:\n%s%s", p.cmd.ProcessState, words, p.stdout.String(), p.stderr.String())
		default:
		}
		return strings.Contains(stream.String(), words)
	})
	return stream.String()
}

// lines is a stream that may be read while it is written.
type lines struct {
	mu  sync.Mutex
	all bytes.Buffer
}

// Write keeps what comes.
func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(b)
}

// String returns what came.
func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

// decode reads JSON that stands alone.
func decode[V any](t *testing.T, text string) (v V) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		t.Fatalf("something stands behind the JSON: %q", text)
	}
	return v
}

// freePort returns an address on loopback that was free a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	r, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	read, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(read)
}

// noServerLeft fails the test when a process still works in a data directory.
func noServerLeft(t *testing.T, dir string) {
	t.Helper()
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(commands) == 0 {
		t.Log("this system does not tell of its processes under /proc")
		return
	}
	for _, path := range commands {
		words, _ := os.ReadFile(path) // it may have ended meanwhile
		if args := strings.Split(string(words), "\x00"); slices.ContainsFunc(args, func(arg string) bool { return strings.HasPrefix(arg, dir) }) {
			t.Errorf("%s still works in %s: %q", path, dir, args)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "postgres", "data", "postmaster.pid")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the database was not stopped in order: %v", err)
	}
}

// file writes a file into a new folder and returns its path.
func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
