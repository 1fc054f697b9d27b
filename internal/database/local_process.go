package database

import (
	"context"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// process is a running program. The kernel ends it with the thread that started it (where it can), so one goroutine keeps
// that thread until the program has ended.
type process struct {
	cmd    *exec.Cmd
	exited chan struct{} // closed when it has ended
	err    error         // why; to be read after exited
}

func launch(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, exited: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.err = cmd.Wait()
		close(p.exited)
	}()
	return p, <-started
}

// wait returns when the process has ended. When ctx is over first, the process is killed.
func (p *process) wait(ctx context.Context) error {
	select {
	case <-p.exited:
		return p.err
	case <-ctx.Done():
		p.signal(syscall.SIGKILL)
		<-p.exited
		return context.Cause(ctx)
	}
}

// end sends a signal and reports whether the process has ended within the limit.
func (p *process) end(signal syscall.Signal, limit time.Duration) bool {
	p.signal(signal)
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-p.exited:
		return true
	case <-timer.C:
		return false
	}
}

func (p *process) signal(signal syscall.Signal) {
	_ = p.cmd.Process.Signal(signal) // an error says that it has ended
}
