package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
)

// maxSecret bounds one secret, in bytes.
const maxSecret = 64 << 10

// ErrSecretExposed reports a secret file that others on the machine can read.
var ErrSecretExposed = errors.New("the secret file is readable by others")

// SecretFile is the path of a file that holds one secret. Settings carry the path; the
// secret itself is never a setting.
type SecretFile string

// IsSet reports whether a path was given.
func (s SecretFile) IsSet() bool { return s != "" }

// Read gives the content without one trailing newline. It refuses a file that is empty,
// larger than 64 KiB, not regular, or open to other users (mode & 0o077). A file of root
// may be readable by the group when the process is not root: that is the only way a
// Kubernetes secret volume with fsGroup reaches a process without privileges.
func (s SecretFile) Read() (string, error) {
	f, err := os.Open(string(s))
	if err != nil {
		return "", fmt.Errorf("secret file: %w", unnamed(err))
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("secret file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("secret file %s: not a regular file", s)
	}
	if err := checkMode(info.Mode().Perm(), ownedByRoot(info), os.Geteuid()); err != nil {
		return "", fmt.Errorf("secret file %s: %w", s, err)
	}
	return s.content(f)
}

// unnamed drops the path from an error: what does not name a file may be the secret itself,
// given in the place of its file.
func unnamed(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return fmt.Errorf("%s: %w", path.Op, path.Err)
	}
	return err
}

func (s SecretFile) content(r io.Reader) (string, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxSecret+1))
	if err != nil {
		return "", fmt.Errorf("secret file: %w", err)
	}
	if len(data) > maxSecret {
		return "", fmt.Errorf("secret file %s: larger than %d bytes", s, maxSecret)
	}
	text, cut := strings.CutSuffix(string(data), "\n")
	if cut {
		text = strings.TrimSuffix(text, "\r")
	}
	if text == "" {
		return "", fmt.Errorf("secret file %s: empty", s)
	}
	return text, nil
}

func checkMode(mode fs.FileMode, rootOwned bool, euid int) error {
	open := mode & 0o077
	if rootOwned && euid != 0 {
		open = mode & 0o037
	}
	if open == 0 {
		return nil
	}
	return fmt.Errorf("%w (mode %04o); run chmod 0600 on it, or set defaultMode: 0400 on the secret volume", ErrSecretExposed, mode)
}

// LogValue keeps even the path out of logs: it often names the system behind it.
func (s SecretFile) LogValue() slog.Value {
	if !s.IsSet() {
		return slog.StringValue("not set")
	}
	return slog.StringValue("set")
}

// ReadMin is Read for a secret that must have at least n bytes, such as one that keys are
// derived from.
func (s SecretFile) ReadMin(n int) ([]byte, error) {
	secret, err := s.Read()
	if err != nil {
		return nil, err
	}
	if len(secret) < n {
		return nil, fmt.Errorf("the secret has fewer than %d characters", n)
	}
	return []byte(secret), nil
}
