package durable_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/platform/durable"
)

func TestReplace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "state")
	for _, content := range []string{"first", "", "second, longer"} {
		if err := durable.Replace(path, []byte(content)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != content {
			t.Errorf("%q, %v; want %q", got, err, content)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
}

// What cannot be replaced stays as it was, and nothing is left beside it.
func TestReplaceFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	occupied := filepath.Join(dir, "occupied")
	if err := os.MkdirAll(filepath.Join(occupied, "below"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{occupied, filepath.Join(dir, "absent", "state")} {
		if err := durable.Replace(path, []byte("new")); err == nil {
			t.Errorf("%s was replaced", path)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
	if err := durable.SyncDir(filepath.Join(dir, "absent")); err == nil {
		t.Error("a directory that is not there was synced")
	}
}
