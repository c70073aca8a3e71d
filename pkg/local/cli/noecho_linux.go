package cli

import "golang.org/x/sys/unix"

// quietly keeps a terminal from showing what is typed, until the function that it gives is called.
// It does nothing for what is no terminal.
func quietly(fd uintptr) (again func()) {
	old, err := unix.IoctlGetTermios(int(fd), unix.TCGETS)
	if err != nil {
		return func() {}
	}
	silent := *old
	silent.Lflag &^= unix.ECHO
	_ = unix.IoctlSetTermios(int(fd), unix.TCSETS, &silent) // it only shows more
	return func() { _ = unix.IoctlSetTermios(int(fd), unix.TCSETS, old) }
}
