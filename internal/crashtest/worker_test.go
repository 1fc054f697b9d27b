//go:build crash

package crashtest

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"testing"
	"time"

	"silkpost/internal/app"
	"silkpost/internal/config"
	"silkpost/mailer/send"
)

// workerRole is the environment variable that makes this test program a worker.
const workerRole = "CRASH_WORKER"

// soon tries again within seconds, so that a run sees what becomes of messages in doubt.
var soon = send.Retry{First: time.Second, Longest: 3 * time.Second, GiveUp: 24 * time.Hour, InDoubt: 2 * time.Second}

// workerMain is what `silkpost serve --web=false` does, but that it tries again soon.
func workerMain() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	err := func() error {
		cfg, err := config.Load("", os.Environ(), nil)
		if err != nil {
			return err
		}
		log := slog.New(slog.NewTextHandler(os.Stderr, nil))
		a, err := app.Open(ctx, cfg, app.Options{Owner: true, Log: log, Retry: &soon})
		if err != nil {
			return err
		}
		defer func() { _ = a.Close(context.WithoutCancel(ctx)) }()
		return a.Run(ctx, app.Parts{Worker: true})
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// worker is a process that sends. When it ends it is started again, as whatever looks after processes does, until it is retired.
type worker struct {
	t    *testing.T
	name string
	env  []string
	log  *os.File
	line *line

	fault   sync.Mutex // held while something goes wrong with it
	mu      sync.Mutex
	running *exec.Cmd
	retired bool
	ended   chan struct{} // closed when it ran for the last time
}

// startWorker starts one with a data directory and a line of its own.
func startWorker(t *testing.T, at *installation, name, sink string) *worker {
	t.Helper()
	w := &worker{t: t, name: name, log: at.log(name), line: startLine(t, sink), ended: make(chan struct{})}
	w.env = append(at.environment(), workerRole+"="+name, "SILKPOST_DATA_DIR="+at.file(name), "SILKPOST_SMTP_URL=smtp://"+w.line.addr()+"?tls=none")
	go w.live()
	t.Cleanup(func() {
		w.signal(syscall.SIGCONT)
		w.retire(syscall.SIGKILL)
	})
	return w
}

func (w *worker) live() {
	defer close(w.ended)
	for {
		w.mu.Lock()
		if w.retired {
			w.mu.Unlock()
			return
		}
		cmd := exec.Command(os.Args[0])
		cmd.Env, cmd.Stderr = w.env, w.log
		err := cmd.Start()
		w.running = cmd
		w.mu.Unlock()
		if err != nil {
			w.t.Errorf("%s does not start: %v", w.name, err)
			return
		}
		_ = cmd.Wait()
		time.Sleep(200 * time.Millisecond)
	}
}

// signal sends a signal to the process that runs at present; it may be about to be started again.
func (w *worker) signal(signal os.Signal) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.running != nil && w.running.Process != nil {
		_ = w.running.Process.Signal(signal)
	}
}

// retire ends the worker for good and returns how it ended, which may have been before.
func (w *worker) retire(signal os.Signal) *os.ProcessState {
	w.mu.Lock()
	w.retired = true
	w.mu.Unlock()
	w.signal(signal)
	<-w.ended
	return w.running.ProcessState
}
