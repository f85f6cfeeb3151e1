//go:build !unix

package software

import (
	"context"
	"errors"
)

// lock fails: changing a key file needs flock(2). Signing works everywhere.
func lock(context.Context, string) (unlock func() error, err error) {
	return nil, errors.New("changing a key file needs a Unix system")
}
