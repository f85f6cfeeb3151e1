package ceremony

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Output is one file a ceremony wrote.
type Output struct {
	Path   string
	SHA256 string // of its bytes, in hex
}

// folder is where the outputs go. A file gets its name by a link, which fails when the
// name is taken and happens whole or not at all.
type folder string

func (f folder) path(name string) string { return filepath.Join(string(f), name) }

// free checks that none of the names is taken.
func (f folder) free(names []string) error {
	for _, name := range names {
		switch _, err := os.Lstat(f.path(name)); {
		case err == nil:
			return taken(f.path(name))
		case !errors.Is(err, os.ErrNotExist):
			return err
		}
	}
	return nil
}

func taken(path string) error {
	e := *ErrOutputExists
	e.Detail = fmt.Sprintf("%s exists. Name another directory, or put its files into the archive.", path)
	return &e
}

// make makes the folder and proves that it can hold outputs, before a key is made for them.
func (f folder) make() error {
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return err
	}
	probe := ".probe-" + rand.Text()
	if err := f.write(probe, []byte("probe")); err != nil {
		return fmt.Errorf("%s cannot hold the outputs (it needs a file system with hard links): %w", string(f), err)
	}
	return os.Remove(f.path(probe))
}

// write puts a file on disk whole, under a name that was free.
func (f folder) write(name string, content []byte) error {
	part, err := os.CreateTemp(string(f), "."+name+".part-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(part.Name()) }() // the output, if there is one, has a name of its own
	if _, err := part.Write(content); err != nil {
		return errors.Join(err, part.Close())
	}
	if err := errors.Join(part.Sync(), part.Close()); err != nil {
		return err
	}
	if err := os.Link(part.Name(), f.path(name)); errors.Is(err, os.ErrExist) {
		return taken(f.path(name))
	} else if err != nil {
		return err
	}
	return f.sync()
}

// sync makes the names in the folder durable.
func (f folder) sync() error {
	dir, err := os.Open(string(f))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
