//go:build !linux

package sagemaker

import (
	"os/exec"
	"strconv"
	"syscall"
)

// attributes puts a process in its own group. Without a parent-death signal it goes on after a
// crash of the platform until Resume ends it.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// commandLine gives the arguments of a process, separated by spaces; empty when it is gone.
func commandLine(pid int) string {
	b, err := exec.Command("ps", "-o", "command=", "-ww", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return ""
	}
	return string(b)
}
