// Package vectors finds the public test vectors, which are kept beside the repository
// and never in it. Only tests import it.
package vectors

import (
	"os"
	"path/filepath"
	"testing"
)

// Path gives the path of one vector file or folder. It skips the test when the vectors
// are not there.
func Path(t testing.TB, elements ...string) string {
	t.Helper()
	path := place(t, elements)
	if _, err := os.Stat(path); err != nil {
		skip(t, elements)
	}
	return path
}

// Files gives the vector files whose names fit a pattern (filepath.Match), at least one. It
// skips the test when there are none.
func Files(t testing.TB, pattern ...string) []string {
	t.Helper()
	files, err := filepath.Glob(place(t, pattern))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		skip(t, pattern)
	}
	return files
}

func place(t testing.TB, elements []string) string {
	t.Helper()
	return filepath.Join(append([]string{filepath.Dir(repository(t)), "shared", "vectors"}, elements...)...)
}

func skip(t testing.TB, elements []string) {
	t.Helper()
	t.Skipf("public test vectors are absent: ../shared/vectors/%s", filepath.ToSlash(filepath.Join(elements...)))
}

// Read gives the content of one vector file.
func Read(t testing.TB, elements ...string) []byte {
	t.Helper()
	content, err := os.ReadFile(Path(t, elements...))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// repository walks up from the package under test to the folder with go.mod.
func repository(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the package")
		}
		dir = parent
	}
}
