// Package durable changes files so that a crash or a power cut leaves the old state or the
// new one.
//
// Owner of that one guarantee. It must never see what a file means: errors name paths, never
// contents.
package durable

import (
	"errors"
	"os"
	"path/filepath"
)

// Replace puts content into a file in one step, and makes its name durable. The file is for
// its owner alone (mode 0600). Until then the content is beside it, under its name with a dot
// and digits at the end, which a crash may leave behind.
func Replace(path string, content []byte) (err error) {
	dir := filepath.Dir(path)
	file, err := os.CreateTemp(dir, filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return SyncDir(dir)
}

// SyncDir makes the names in a directory durable.
func SyncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
