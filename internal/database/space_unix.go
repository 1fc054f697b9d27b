//go:build unix

package database

import "syscall"

// freeSpace returns how many bytes an ordinary account may still write where a path is.
func freeSpace(path string) (int64, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(path, &fs); err != nil {
		return 0, err
	}
	return int64(fs.Bavail) * int64(fs.Bsize), nil
}
