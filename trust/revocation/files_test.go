package revocation_test

import (
	"bytes"
	"io/fs"
	"testing/fstest"
)

// files is a verifier's directory.
type files map[string][]byte

func (f files) fs() fs.FS {
	out := fstest.MapFS{}
	for name, content := range f {
		out[name] = &fstest.MapFile{Data: bytes.Clone(content)}
	}
	return out
}
