//go:build unix && !linux

package database

import "syscall"

// serverLocale knows all of Unicode. C.UTF-8 is not everywhere.
const serverLocale = "en_US.UTF-8"

// dieWithUs does nothing here: a server that outlives us is stopped by the next start.
func dieWithUs(*syscall.SysProcAttr) {}

// runsElsewhere cannot be told here.
func runsElsewhere(int, string) bool { return false }

// postgresIn cannot be told here.
func postgresIn(string) []int { return nil }
