package command

import (
	"io"
	"os"

	"github.com/mattn/go-isatty"
	"golang.org/x/sys/unix"
)

// terminal gives the file when a person can type there, else nil. In the background nobody can: reading would stop
// the process.
func terminal(f *os.File) io.Reader {
	fd := f.Fd()
	if !isatty.IsTerminal(fd) {
		return nil
	}
	if group, err := unix.IoctlGetInt(int(fd), unix.TIOCGPGRP); err != nil || group != unix.Getpgrp() {
		return nil
	}
	return f
}
