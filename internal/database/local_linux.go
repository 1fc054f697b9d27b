package database

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
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
