package speedtest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/app"
	"silkpost/internal/articles"
	"silkpost/internal/config"
	"silkpost/internal/database"
)

// diskDir returns a directory on a disk, open to the account that Postgres runs under; what testkit has is in memory.
func diskDir(b *testing.B) string {
	b.Helper()
	dir, err := os.MkdirTemp("/var/tmp", "silkpost-speed-")
	must(b, err)
	b.Cleanup(func() {
		_ = exec.Command("cp", dir+"/postgres/postgres.log", "/tmp/eng/pg.log").Run()
		_ = os.RemoveAll(dir)
	})
	must(b, os.Chmod(dir, 0o711))
	return dir
}

func build(b *testing.B, dir string) string {
	b.Helper()
	binary := filepath.Join(dir, "silkpost")
	if out, err := exec.CommandContext(b.Context(), "go", "build", "-o", binary, "silkpost/cmd/silkpost").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return binary
}

func settings(databaseURL string) config.Config {
	cfg := config.Defaults()
	cfg.DatabaseURL, cfg.SecretKey, cfg.PublicURL = databaseURL, []string{secretKey}, "http://127.0.0.1:8080"
	return cfg
}

// publish publishes articles that make a digest of 12 KB.
func publish(b *testing.B, a *app.App) {
	b.Helper()
	now := time.Now()
	source, err := a.Articles.EnsureSource(b.Context(), a.DB, "files", now)
	must(b, err)
	var drafts []articles.Draft
	for i := range 3 {
		drafts = append(drafts, articles.Draft{
			ExternalKey: fmt.Sprintf("%d/%d", now.UnixNano(), i), Title: fmt.Sprintf("Article %d of a festival of science in the old harbour", i), Section: "News",
			URL:  fmt.Sprintf("https://www.example.org/news/%d/%d", now.UnixNano(), i),
			Text: strings.Repeat("Partners from eleven countries met in the old harbour, and showed what they had made of last year's plans. ", 12), Language: "en",
		})
	}
	must(b, database.Transact(b.Context(), a.DB, func(tx *sqlx.Tx) error {
		_, err := a.Articles.Save(b.Context(), tx, source, drafts, articles.SaveOptions{Now: now})
		return err
	}))
}

// process is a program that runs beside the benchmark until that ends.
type process struct{ cmd *exec.Cmd }

func (p *process) pid() int { return p.cmd.Process.Pid }

// start runs the program and waits for a line of its stderr that matches; it returns what the first group matched.
func (s *stage) start(ready string, env []string, args ...string) (*process, string) {
	s.b.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(s.b.Context()), s.binary, args...)
	cmd.Env = append(s.env, env...)
	complaints, err := cmd.StderrPipe()
	must(s.b, err)
	must(s.b, cmd.Start())
	s.b.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	lines, pattern := bufio.NewReader(complaints), regexp.MustCompile(ready)
	var said strings.Builder
	for {
		line, err := lines.ReadString('\n')
		said.WriteString(line)
		if found := pattern.FindStringSubmatch(line); found != nil {
			go func() { _, _ = io.Copy(io.Discard, lines) }()
			return &process{cmd}, found[len(found)-1]
		}
		if err != nil {
			s.b.Fatalf("silkpost %s: %v: %s", strings.Join(args, " "), err, said.String())
		}
	}
}

// catch starts a sink and returns its address.
func (s *stage) catch() string {
	s.b.Helper()
	_, address := s.start(`^Catching mail at (\S+)\.`, nil, "catch", "--quiet", "--listen", "127.0.0.1:0")
	return address
}

// serve starts the worker.
func (s *stage) serve(relay string, connections int) {
	s.b.Helper()
	s.worker, _ = s.start("silkpost is running", []string{
		"SILKPOST_SMTP_URL=smtp://" + relay + "?tls=none", "SILKPOST_SMTP_CONNECTIONS=" + strconv.Itoa(connections),
		"SILKPOST_LOG_LEVEL=info",
	}, "serve", "--web=false")
}

// work runs a worker in this process until stop is called.
func (s *stage) work(relay string, connections int) (stop func()) {
	s.b.Helper()
	cfg := settings(s.server.URL())
	cfg.SMTPURL, cfg.SMTPConnections = "smtp://"+relay+"?tls=none", connections
	a, err := app.Open(s.b.Context(), cfg, app.Options{Log: slog.New(slog.DiscardHandler)})
	must(s.b, err)
	ctx, cancel := context.WithCancel(s.b.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx, app.Parts{Worker: true}) }()
	return func() {
		cancel()
		must(s.b, <-ended)
		must(s.b, a.Close(context.WithoutCancel(ctx)))
	}
}

// smtpSource has Postfix's smtp-source send n messages and returns how many it sent in a second, 0 where there is none: script/setup fetches it.
func smtpSource(b *testing.B, sink string, n, size int) float64 {
	b.Helper()
	home, err := filepath.Abs("../../bin/postfix")
	must(b, err)
	program := filepath.Join(home, "usr/sbin/smtp-source")
	if _, err := os.Stat(program); err != nil {
		b.Log("there is no smtp-source to compare with: script/setup smtp-source")
		return 0
	}
	n = min(n, 100_000)
	cmd := exec.CommandContext(b.Context(), program, "-d", "-s", strconv.Itoa(*connections), "-m", strconv.Itoa(n), "-l", strconv.Itoa(size),
		"-M", "localhost", "-f", "news@example.org", "-t", "reader@partner.example", sink)
	cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+filepath.Join(home, "usr/lib/postfix"))
	begin := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return float64(n) / time.Since(begin).Seconds()
}

// distant returns the address of a way to a server on which bytes take half of the round trip in each direction.
func distant(b *testing.B, server string, roundTrip time.Duration) string {
	b.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(b, err)
	b.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", server)
			if err != nil {
				_ = client.Close()
				return
			}
			go delay(far, client, roundTrip/2)
			go delay(client, far, roundTrip/2)
		}
	}()
	return ln.Addr().String()
}

// delay copies what comes, each piece a while after it came.
func delay(to, from net.Conn, by time.Duration) {
	type piece struct {
		bytes []byte
		at    time.Time
	}
	pieces := make(chan piece, 1024)
	go func() {
		defer close(pieces)
		for {
			buffer := make([]byte, 32<<10)
			n, err := from.Read(buffer)
			if n > 0 {
				pieces <- piece{buffer[:n], time.Now().Add(by)}
			}
			if err != nil {
				return
			}
		}
	}()
	for p := range pieces {
		time.Sleep(time.Until(p.at))
		if _, err := to.Write(p.bytes); err != nil {
			break
		}
	}
	_ = to.Close()
	_ = from.Close()
}

// tick is the unit in which Linux counts processor time for others to see.
const tick = 10 * time.Millisecond

// processorTime returns what a process has used so far.
func processorTime(t testing.TB, pid int) time.Duration {
	t.Helper()
	times := stat(t, pid)
	return (times[11] + times[12])
}

// familyTime returns what a process, the children that it has and those that it had have used so far.
func familyTime(t testing.TB, pid int) time.Duration {
	t.Helper()
	own := stat(t, pid)
	sum := own[11] + own[12] + own[13] + own[14]
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	must(t, err)
	for _, child := range strings.Fields(string(children)) {
		n, _ := strconv.Atoi(child)
		if _, err := os.Stat("/proc/" + child); err == nil {
			sum += familyTime(t, n)
		}
	}
	return sum
}

// stat returns the fields of /proc/PID/stat behind the name, as times.
func stat(t testing.TB, pid int) (times []time.Duration) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	must(t, err)
	_, rest, _ := strings.Cut(string(text), ") ")
	for _, field := range strings.Fields(rest) {
		n, _ := strconv.ParseInt(field, 10, 64)
		times = append(times, time.Duration(n)*tick)
	}
	return times
}

// peakMemory returns the most memory that a process had resident, in MB.
func peakMemory(t testing.TB, pid int) float64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	must(t, err)
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(text)
	if found == nil {
		return 0
	}
	kB, _ := strconv.Atoi(string(found[1]))
	return float64(kB) / 1000
}

// postmaster returns the process of the database server.
func postmaster(t testing.TB, db *sqlx.DB) int {
	t.Helper()
	var line string
	must(t, db.Get(&line, `SELECT split_part(pg_read_file('postmaster.pid'), E'\n', 1)`))
	pid, err := strconv.Atoi(line)
	must(t, err)
	return pid
}

var _ sync.Mutex
