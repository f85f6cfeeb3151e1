package hardening_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/hardening"
)

// modeVariable makes the test binary a process that holds a secret, read from standard
// input, and ends or waits as its value says.
const modeVariable = "HARDENING_TEST_MODE"

func TestMain(m *testing.M) {
	if mode := os.Getenv(modeVariable); mode != "" {
		victim(mode)
	}
	os.Exit(m.Run())
}

// vault holds the secret as code is told to: behind pointers.
type vault struct {
	raw  []byte
	text string
}

// victim holds a secret, hardens itself and crashes in one of several ways.
func victim(mode string) {
	text := make([]byte, 64)
	if _, err := io.ReadFull(os.Stdin, text); err != nil {
		os.Exit(3)
	}
	raw, err := hex.DecodeString(string(text))
	if err != nil {
		os.Exit(3)
	}
	if err := hardening.Process(); err != nil {
		fmt.Println(err)
		os.Exit(4)
	}
	hold(&vault{raw: raw, text: string(text)}, mode, raw, string(text))
}

//go:noinline
func hold(v *vault, mode string, raw []byte, text string) {
	switch mode {
	case "panic":
		var none *vault
		fmt.Println(len(none.raw))
	case "panic with an error":
		panic(fmt.Errorf("the key store is away (%d bytes)", len(v.raw)))
	case "panic in a goroutine":
		go func() { panic(errors.New("broken")) }()
		select {}
	case "array":
		byValue([32]byte(raw), text)
	default: // wait for a signal
		fmt.Println("waiting")
		_, _ = io.Copy(io.Discard, os.Stdin)
	}
	runtime.KeepAlive(v)
	runtime.KeepAlive(text)
	os.Exit(5)
}

// byValue breaks the rule of doc.go.
//
//go:noinline
func byValue(secret [32]byte, text string) {
	if len(text) > 0 {
		panic(fmt.Sprint("as an array: ", len(secret)))
	}
}

// crash runs a victim and gives what it wrote.
func crash(t *testing.T, mode string, signal syscall.Signal, level string, secret []byte) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	command := exec.CommandContext(ctx, os.Args[0])
	command.Env = append(os.Environ(), modeVariable+"="+mode, "GOTRACEBACK="+level)
	var stdout, stderr bytes.Buffer
	ready := &waiter{until: "waiting", seen: make(chan struct{})}
	command.Stdout, command.Stderr = io.MultiWriter(&stdout, ready), &stderr
	stdin, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	_, _ = io.WriteString(stdin, hex.EncodeToString(secret))
	if signal != 0 {
		select {
		case <-ready.seen:
		case <-ctx.Done():
			t.Fatal("the process did not get ready")
		}
		_ = command.Process.Signal(signal)
	}
	err = command.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Fatalf("the process did not crash: %v\n%s", err, stderr.String())
	}
	if code := exit.ExitCode(); code >= 3 {
		t.Fatalf("the process ended by itself with %d: %s", code, stdout.String())
	}
	if exit.Sys().(syscall.WaitStatus).CoreDump() {
		t.Error("the process left a core dump")
	}
	return stdout.String() + stderr.String()
}

// waiter closes seen when a text has been written.
type waiter struct {
	until string
	text  []byte
	seen  chan struct{}
}

func (w *waiter) Write(p []byte) (int, error) {
	before := bytes.Contains(w.text, []byte(w.until))
	w.text = append(w.text, p...)
	if !before && bytes.Contains(w.text, []byte(w.until)) {
		close(w.seen)
	}
	return len(p), nil
}

// shows reports in which form the dump holds the secret, or at least eight bytes of it.
func shows(dump string, secret []byte) string {
	squeezed := strings.ToLower(strings.NewReplacer(", ", "", "0x", "", "{", "", "\n", "").Replace(dump))
	for i := 0; i+8 <= len(secret); i++ {
		part := secret[i : i+8]
		little := make([]byte, 8)
		for j, b := range part {
			little[7-j] = b
		}
		switch {
		case strings.Contains(dump, string(part)):
			return "raw"
		case strings.Contains(squeezed, hex.EncodeToString(part)):
			return "hexadecimal"
		case strings.Contains(squeezed, hex.EncodeToString(little)):
			return "hexadecimal word"
		case strings.Contains(dump, base64.StdEncoding.EncodeToString(secret)[:12]):
			return "base64"
		}
	}
	return ""
}

// randomSecret has no byte below 16, so that hexadecimal without leading zeros is the same.
func randomSecret() []byte {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret)
	for i := range secret {
		secret[i] |= 0x10
	}
	return secret
}

func TestCrashShowsNoSecret(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		mode   string
		signal syscall.Signal
		want   string // proof that it crashed in this way
	}{
		"fault":     {"panic", 0, "nil pointer dereference"},
		"error":     {"panic with an error", 0, "the key store is away"},
		"goroutine": {"panic in a goroutine", 0, "broken"},
		"SIGQUIT":   {"wait", syscall.SIGQUIT, "SIGQUIT: quit"},
		"SIGABRT":   {"wait", syscall.SIGABRT, "SIGABRT: abort"},
	}
	for name, tc := range tests {
		for _, level := range []string{"single", "all", "crash"} {
			t.Run(name+" "+level, func(t *testing.T) {
				t.Parallel()
				secret := randomSecret()
				dump := crash(t, tc.mode, tc.signal, level, secret)
				if !strings.Contains(dump, tc.want) || !strings.Contains(dump, "goroutine ") {
					t.Fatalf("the dump lacks %q or the stacks:\n%s", tc.want, dump)
				}
				if form := shows(dump, secret); form != "" {
					t.Errorf("the dump shows the secret: %s", form)
				}
			})
		}
	}
}

// The rule against arrays has a reason, and this test can fail.
func TestCrashShowsArraysByValue(t *testing.T) {
	t.Parallel()
	secret := randomSecret()
	if dump := crash(t, "array", 0, "single", secret); shows(dump, secret) == "" {
		t.Errorf("an array passed by value is not in the dump, so the search for it proves nothing:\n%s", dump)
	}
}

func TestGotracebackNoneShowsNoStack(t *testing.T) {
	t.Parallel()
	secret := randomSecret()
	dump := crash(t, "array", 0, "none", secret)
	if strings.Contains(dump, "goroutine ") || shows(dump, secret) != "" {
		t.Errorf("GOTRACEBACK=none:\n%s", dump)
	}
}

// A process of another user than root must still be able to look at itself: its metrics
// come from /proc/self.
func TestHardenedProcessCannotBeReadByItsOwnUser(t *testing.T) {
	t.Parallel()
	command := exec.CommandContext(t.Context(), os.Args[0])
	command.Env = append(os.Environ(), modeVariable+"=wait")
	if os.Geteuid() == 0 {
		command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		command.Path = copyForOthers(t)
	}
	ready := &waiter{until: "waiting", seen: make(chan struct{})}
	command.Stdout = ready
	stdin, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stdin.Close(); _ = command.Wait() }()
	_, _ = io.WriteString(stdin, hex.EncodeToString(randomSecret()))
	select {
	case <-ready.seen:
	case <-time.After(30 * time.Second):
		t.Fatal("not ready")
	}
	for _, file := range []string{"environ", "mem", "maps"} {
		info, err := os.Stat(fmt.Sprintf("/proc/%d/%s", command.Process.Pid, file))
		if err != nil {
			t.Fatal(err)
		}
		if owner := info.Sys().(*syscall.Stat_t).Uid; owner != 0 {
			t.Errorf("%s belongs to user %d, want root", file, owner)
		}
	}
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", command.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(limits)) {
		if strings.HasPrefix(line, "Max core file size") && strings.Count(line, " 0 ") != 2 {
			t.Errorf("core limit: %s", line)
		}
	}
}

// copyForOthers puts the test binary where another user may execute it.
func copyForOthers(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "hardening-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	binary, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	path := dir + "/victim"
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(path, binary, 0o755)); err != nil {
		t.Fatal(err)
	}
	return path
}
