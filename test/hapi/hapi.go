package hapi

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// startLimit bounds the start of a server on a busy machine.
const startLimit = 3 * time.Minute

// Option changes what a server takes.
type Option string

// Lenient takes what the official examples need: references to nowhere, ids of digits alone,
// bundles of any type.
const Lenient Option = "-Dpeer.lenient=true"

// server is one HAPI process of this test process.
type server struct {
	once sync.Once
	base string
	err  error
	took time.Duration
	log  tail
	hold io.Closer // its standard input, which would close if nothing referred to it
}

var (
	mu      sync.Mutex
	servers = map[string]*server{}
)

// Start gives the base address of a HAPI server, such as http://127.0.0.1:4711/fhir. Tests of
// one process with the same options share one server, which is empty when the first comes.
func Start(t testing.TB, options ...Option) string {
	t.Helper()
	if base := os.Getenv("HAPI_URL"); base != "" {
		return strings.TrimRight(base, "/")
	}
	key := fmt.Sprint(options)
	mu.Lock()
	s := servers[key]
	if s == nil {
		s = &server{}
		servers[key] = s
	}
	mu.Unlock()
	s.once.Do(func() { s.err = s.start(options) })
	var absent *absence
	switch {
	case errors.As(s.err, &absent) && os.Getenv("CI") != "true":
		t.Skip(s.err)
	case s.err != nil:
		t.Fatal(s.err)
	}
	t.Logf("HAPI started in %v", s.took.Round(100*time.Millisecond))
	return s.base
}

// start runs the server until this process ends: the server reads its standard input, whose
// other end is never closed before.
func (s *server) start(options []Option) error {
	i, err := install()
	if err != nil {
		return err
	}
	args := []string{"-Xmx1g", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"}
	for _, o := range options {
		args = append(args, string(o))
	}
	command := exec.Command(i.java, append(args, "-cp", i.classPath(), "Peer")...)
	command.Stderr = &s.log
	if s.hold, err = command.StdinPipe(); err != nil {
		return err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	began := time.Now()
	if err := command.Start(); err != nil {
		return err
	}
	port := make(chan string, 1)
	go func() {
		defer close(port)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if n, ok := strings.CutPrefix(lines.Text(), "ready "); ok {
				port <- n
				break
			}
		}
		_, _ = io.Copy(io.Discard, out)
	}()
	select {
	case n, ok := <-port:
		if !ok {
			return fmt.Errorf("HAPI ended before it served: %s", s.log.String())
		}
		s.base, s.took = "http://127.0.0.1:"+n+"/fhir", time.Since(began)
		return nil
	case <-time.After(startLimit):
		_ = command.Process.Kill()
		return fmt.Errorf("HAPI did not start within %v: %s", startLimit, s.log.String())
	}
}

// tail keeps the end of a log.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

const maxTail = 64 << 10

// Write implements io.Writer.
func (l *tail) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf.Write(p)
	if extra := l.buf.Len() - maxTail; extra > 0 {
		l.buf.Next(extra)
	}
	return len(p), nil
}

// String gives what is kept.
func (l *tail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
