package database

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// serverLocale knows all of Unicode and sorts by code point.
const serverLocale = "C.UTF-8"

// dieWithUs has the kernel stop the program (SIGINT is Postgres' fast shutdown) when we are killed.
func dieWithUs(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGINT }

// runsElsewhere reports whether pid is a living process that has nothing to do with dir, where a postmaster of that
// directory would have to be.
func runsElsewhere(pid int, dir string) bool {
	cwd, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/cwd")
	if err != nil {
		return errors.Is(err, fs.ErrPermission)
	}
	return cwd != dir
}

// postgresIn returns the processes of Postgres that work in dir, as a server and all its children do from beginning to end. Those that may not be
// looked at are left out.
func postgresIn(dir string) (pids []int) {
	links, _ := filepath.Glob("/proc/[0-9]*/cwd")
	for _, link := range links {
		if cwd, err := os.Readlink(link); err != nil || cwd != dir {
			continue
		}
		process := filepath.Dir(link)
		name, _ := os.ReadFile(filepath.Join(process, "comm"))
		if pid, err := strconv.Atoi(filepath.Base(process)); err == nil && strings.TrimSpace(string(name)) == "postgres" {
			pids = append(pids, pid)
		}
	}
	return pids
}
