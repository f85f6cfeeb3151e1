//go:build !unix

package audit

import "errors"

// lock fails: appending needs flock(2). Verify works everywhere.
func lock(string) (unlock func() error, err error) {
	return nil, errors.New("audit: appending to a log needs a Unix system")
}
