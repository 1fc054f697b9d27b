//go:build !linux

package doctor

// kernelClock cannot be asked here.
func kernelClock() (synchronised, known bool) { return false, false }
