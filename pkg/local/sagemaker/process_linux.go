package sagemaker

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

// attributes puts a process in its own group and asks the kernel to end it with this one.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}

// commandLine gives the arguments of a process, separated by spaces; empty when it is gone.
func commandLine(pid int) string {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
	if err != nil {
		return ""
	}
	return strings.ReplaceAll(string(b), "\x00", " ")
}
