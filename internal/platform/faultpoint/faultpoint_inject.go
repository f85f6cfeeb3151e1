//go:build faultinject

// Package faultpoint marks the places where a crash must do no harm.
package faultpoint

import (
	"os"
	"syscall"
)

var armed = os.Getenv("DDCC_FAULT")

// Here kills the process, as kill -9 would, when name is the armed point.
func Here(name string) {
	if name == armed {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}
