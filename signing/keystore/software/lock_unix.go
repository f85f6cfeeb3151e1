//go:build unix

package software

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"
)

// lock takes the lock file with flock(2), waiting for other processes and other stores of
// this one. The kernel gives it back when the process ends, however it ends.
func lock(ctx context.Context, name string) (unlock func() error, err error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	fd := int(f.Fd())
	for {
		err := syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(err, f.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), f.Close())
		case <-time.After(time.Millisecond):
		}
	}
	// Closing alone would leave the lock with a child that is being started at this moment.
	return func() error { return errors.Join(syscall.Flock(fd, syscall.LOCK_UN), f.Close()) }, nil
}
