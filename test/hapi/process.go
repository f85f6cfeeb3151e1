package hapi

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// startLimit bounds the start of a server on a busy machine.
const startLimit = 3 * time.Minute

// process is a HAPI that serves.
type process struct {
	command *exec.Cmd
	base    string
	took    time.Duration // of the start
	log     tail
	hold    io.Closer // its standard input, which would close if nothing referred to it
	ended   chan struct{}
}

// launch starts a server, which runs until this process ends, or it is killed: it reads its
// standard input, whose other end is never closed before.
func launch(options []Option) (*process, error) {
	i, err := install()
	if err != nil {
		return nil, err
	}
	args := []string{"-Xmx1g", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"}
	for _, o := range options {
		args = append(args, string(o))
	}
	p := &process{command: exec.Command(i.java, append(args, "-cp", i.classPath(peerClasses), "Peer")...), ended: make(chan struct{})}
	p.command.Stderr = &p.log
	if p.hold, err = p.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	port := make(chan string, 1)
	go p.read(out, port)
	select {
	case n := <-port:
		p.base, p.took = "http://127.0.0.1:"+n+"/fhir", time.Since(began)
		return p, nil
	case <-p.ended:
		return nil, fmt.Errorf("HAPI ended before it served: %s", p.log.String())
	case <-time.After(startLimit):
		p.kill()
		return nil, fmt.Errorf("HAPI did not start within %v: %s", startLimit, p.log.String())
	}
}

// read waits for the port and then for the end.
func (p *process) read(out io.Reader, port chan<- string) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if n, ok := strings.CutPrefix(lines.Text(), "ready "); ok {
			port <- n
			break
		}
	}
	_, _ = io.Copy(io.Discard, out)
	_ = p.command.Wait()
	close(p.ended)
}

// kill ends the process as kill -9 does and waits for it.
func (p *process) kill() {
	_ = p.command.Process.Kill()
	<-p.ended
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
