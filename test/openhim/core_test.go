package openhim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// core is a running OpenHIM core.
type core struct {
	api, gateway   string
	user, password string
	script         string // that starts it; empty: it is not ours to stop
	dir            string
}

// startLimit bounds the first start, with everything to be fetched and built.
const startLimit = 10 * time.Minute

// The superuser that a new core makes.
const (
	superuser = "root@openhim.org"
	first     = "openhim-password"
)

// open gives the core: the one that the environment names, else one of our own with an
// empty database.
func open(t *testing.T) *core {
	t.Helper()
	if api := os.Getenv("OPENHIM_API"); api != "" {
		return &core{api: api, gateway: os.Getenv("OPENHIM_GATEWAY"), user: env("OPENHIM_USER", superuser), password: env("OPENHIM_PASSWORD", first)}
	}
	script, err := filepath.Abs(filepath.Join("..", "..", "..", "shared", "peers", "openhim", "start.sh"))
	if err != nil {
		t.Fatal(err)
	}
	for _, needed := range []string{script, "node", "npm", "openssl"} {
		if _, err := exec.LookPath(needed); err != nil {
			missing(t, "no OpenHIM core: "+filepath.Base(needed)+" is not there, and OPENHIM_API names none")
		}
	}
	dir, err := filepath.Abs(filepath.Join("..", "..", ".tools", "openhim"))
	if err != nil {
		t.Fatal(err)
	}
	c := &core{api: "https://127.0.0.1:28080", gateway: "http://127.0.0.1:25001", user: superuser, password: first, script: script, dir: dir}
	c.end(t, "core", "shim", "ferretd")
	if err := os.RemoveAll(filepath.Join(dir, "state")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.end(t, "core", "shim", "ferretd") })
	if err := c.start(t); err != nil {
		missing(t, "the core does not start: "+err.Error())
	}
	return c
}

func env(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

// missing ends the test: a peer that is not there is a failure in CI alone.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// begin starts what of the core does not run.
func (c *core) begin(t *testing.T) {
	t.Helper()
	if err := c.start(t); err != nil {
		t.Fatal(err)
	}
}

func (c *core) start(t *testing.T) error {
	t.Helper()
	if err := os.MkdirAll(c.dir, 0o750); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), startLimit)
	defer cancel()
	shim, err := filepath.Abs(filepath.Join("peer", "tls.js"))
	if err != nil {
		t.Fatal(err)
	}
	// The core outlives the script, and must not hold a pipe of ours open.
	log, err := os.Create(filepath.Join(c.dir, "start.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	command := exec.CommandContext(ctx, "bash", c.script, c.dir)
	command.Env = append(os.Environ(), "NODE_OPTIONS=--require "+shim)
	command.Stdout, command.Stderr = log, log
	if err := command.Run(); err != nil {
		said, _ := os.ReadFile(log.Name())
		return fmt.Errorf("%w\n%s", err, said)
	}
	return nil
}

// end stops parts of the core that begin started, by their recorded process groups, and
// waits until they are gone.
func (c *core) end(t *testing.T, parts ...string) {
	t.Helper()
	for _, part := range parts {
		file := filepath.Join(c.dir, "run", part+".pid")
		raw, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(raw)))
		if err != nil || pid <= 1 {
			t.Fatalf("%s holds no process", file)
		}
		_ = syscall.Kill(-pid, syscall.SIGKILL)
		for range 100 {
			if errors.Is(syscall.Kill(-pid, 0), syscall.ESRCH) {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		_ = os.Remove(file)
		_ = os.Remove(filepath.Join(c.dir, "run", part+".log")) // begin waits for a line in it
	}
}

// freePort gives a port for a gateway that must keep it over restarts.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
