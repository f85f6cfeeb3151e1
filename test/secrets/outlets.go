package secrets

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
	"github.com/trustedparty/ddcc-gateway/test/harness"
)

// Outlets collects what processes let out, by where it was seen.
type Outlets struct {
	t    *testing.T
	seen map[string][]byte
}

// NewOutlets makes an empty collection.
func NewOutlets(t *testing.T) *Outlets { return &Outlets{t: t, seen: map[string][]byte{}} }

// Add keeps what was seen somewhere.
func (o *Outlets) Add(where string, content []byte) {
	o.seen[where] = append(o.seen[where], content...)
}

// Contains reports whether a text was seen anywhere.
func (o *Outlets) Contains(text string) bool {
	for _, content := range o.seen {
		if bytes.Contains(content, []byte(text)) {
			return true
		}
	}
	return false
}

// Len is the number of places.
func (o *Outlets) Len() int { return len(o.seen) }

// Search fails the test for every secret that was let out.
func (o *Outlets) Search(needles *Needles) {
	o.t.Helper()
	for where, content := range o.seen {
		for _, found := range needles.Search(content) {
			o.t.Errorf("%s shows %s", where, found)
		}
	}
}

// processes of a system by their names.
func processes(s *harness.System) map[string]*devinstall.Child {
	return map[string]*devinstall.Child{"signer": s.Signer, "gateway": s.Gateway}
}

// Inspect reads what others on the machine can see of the running processes. ready is what
// their readiness must say.
func (o *Outlets) Inspect(s *harness.System, ready int) {
	o.t.Helper()
	for name, child := range processes(s) {
		for path, want := range map[string]int{"/metrics": http.StatusOK, "/readyz": ready, "/livez": http.StatusOK} {
			answer, err := s.Admin(name, path)
			for deadline := time.Now().Add(10 * time.Second); answer.Status != want && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
				answer, err = s.Admin(name, path) // readiness keeps its answer for a second
			}
			if err != nil || answer.Status != want {
				o.t.Errorf("%s %s: %v, %d, want %d", name, path, err, answer.Status, want)
			}
			o.Add(name+" "+path, answer.Body)
		}
		if runtime.GOOS != "linux" {
			continue
		}
		for _, file := range []string{"environ", "cmdline", "comm", "status", "limits"} {
			raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", child.Command.Process.Pid, file))
			if err != nil && !errors.Is(err, fs.ErrPermission) { // the harder the better
				o.t.Error(err)
			}
			o.Add(name+" /proc "+file, raw)
		}
	}
}

// Crash has both processes write their stacks into their logs and die: of SIGQUIT, or of
// another signal that Go answers with stacks.
func (o *Outlets) Crash(s *harness.System, by syscall.Signal) {
	o.t.Helper()
	for name, child := range processes(s) {
		before := s.Logs()
		if err := child.Command.Process.Signal(by); err != nil {
			o.t.Fatal(err)
		}
		select {
		case <-child.Done:
		case <-time.After(30 * time.Second):
			o.t.Fatalf("%s did not die of %s", name, by)
		}
		for _, sign := range []string{signs[by], "goroutine "} {
			if strings.Count(s.Logs(), sign) <= strings.Count(before, sign) {
				o.t.Errorf("%s left no stacks: %q is missing", name, sign)
			}
		}
		var exit *exec.ExitError
		if errors.As(child.Err, &exit) && exit.Sys().(syscall.WaitStatus).CoreDump() {
			o.t.Errorf("%s left a core dump", name)
		}
	}
	o.Add("the logs and dumps", []byte(s.Logs()))
}

// signs is how the runtime begins what it writes about a signal.
var signs = map[syscall.Signal]string{syscall.SIGQUIT: "SIGQUIT: quit", syscall.SIGABRT: "SIGABRT: abort"}

// Files reads everything a process wrote into its data directory, audit log included.
func (o *Outlets) Files(install devinstall.Installation, dir string) {
	o.t.Helper()
	found := 0
	err := filepath.WalkDir(install.Path(dir), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		found++
		name, _ := filepath.Rel(string(install), path)
		o.Add("the file "+name, content(o.t, path))
		return nil
	})
	if err != nil || found == 0 {
		o.t.Errorf("%s: %d files, %v", dir, found, err)
	}
}

// Installation adds the secrets that every installation has in files: the private keys of
// TLS and of the audit log, and whatever ends in .secret.
func (n *Needles) Installation(t testing.TB, install devinstall.Installation) {
	t.Helper()
	before := n.Len()
	err := filepath.WalkDir(string(install), func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch name, _ := filepath.Rel(string(install), path); {
		case strings.HasSuffix(path, ".secret"):
			n.Text(t, name, strings.TrimSpace(string(content(t, path))))
		case strings.HasSuffix(path, ".key"):
			if block, _ := pem.Decode(content(t, path)); block != nil {
				n.PKCS8(t, name, block.Bytes)
			} else {
				t.Errorf("%s holds no PEM", name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found := n.Len() - before; found < 6 {
		t.Fatalf("only %d secrets were found in files; the installation has changed", found)
	}
}

func content(t testing.TB, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
