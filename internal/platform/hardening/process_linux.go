package hardening

import (
	"errors"
	"fmt"
	"syscall"
)

// Process makes the process leave no core dump and closed to debuggers of its own user.
//
// The limit on core files (RLIMIT_CORE 0) alone is not enough: where core_pattern pipes
// dumps into a program, the kernel does not look at it (core(5)). A process that is not
// dumpable (PR_SET_DUMPABLE 0, prctl(2)) is never dumped, cannot be attached to without
// CAP_SYS_PTRACE, and its /proc/PID/environ, mem and maps belong to root.
func Process() error {
	none := syscall.Rlimit{Cur: 0, Max: 0}
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &none); err != nil {
		return fmt.Errorf("hardening: no core dumps: %w", err)
	}
	if _, err := prctl(syscall.PR_SET_DUMPABLE, 0); err != nil {
		return fmt.Errorf("hardening: not dumpable: %w", err)
	}
	dumpable, err := prctl(syscall.PR_GET_DUMPABLE, 0)
	if err != nil {
		return fmt.Errorf("hardening: not dumpable: %w", err)
	}
	if dumpable != 0 {
		return errors.New("hardening: the process is still dumpable")
	}
	return nil
}

func prctl(option, argument uintptr) (uintptr, error) {
	result, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, option, argument, 0, 0, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return result, nil
}
