package doctor

import "syscall"

// kernelClock reports whether a time service keeps the machine's clock right, as the kernel knows it.
func kernelClock() (synchronised, known bool) {
	const staUnsync = 0x40 // adjtimex(2)
	var t syscall.Timex
	if _, err := syscall.Adjtimex(&t); err != nil {
		return false, false
	}
	return t.Status&staUnsync == 0, true
}
