package devinstall

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// Child is a gateway or signer process that this one started. It dies with us, however
// we die: its standard input is a pipe we hold, and it stops when that closes.
type Child struct {
	name    string
	Command *exec.Cmd
	stdin   io.Closer
	address chan string   // of its listener, once
	Done    chan struct{} // closed when it has ended
	Err     error         // how, after Done
}

// Start runs a binary that logs "... listening" with its address; the log goes to
// logFile. env is added to the environment of this process.
func Start(ctx context.Context, name, binary, logFile string, args []string, env ...string) (*Child, error) {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, binary, args...)
	command.Env = append(os.Environ(), env...)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 10 * time.Second
	stdin, err := command.StdinPipe()
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	stderr, err := command.StderrPipe()
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	if err := command.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), log.Close())
	}
	c := &Child{name: name, Command: command, stdin: stdin, address: make(chan string, 1), Done: make(chan struct{})}
	go c.follow(stderr, log)
	return c, nil
}

// follow copies the child's log and picks its address out of it.
func (c *Child) follow(stderr io.Reader, log io.WriteCloser) {
	lines := bufio.NewScanner(io.TeeReader(stderr, log))
	for lines.Scan() {
		var entry struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &entry) == nil && entry.Address != "" && entry.Msg != "admin listening" {
			select {
			case c.address <- entry.Address:
			default: // it said so before
			}
		}
	}
	_, _ = io.Copy(io.Discard, stderr)
	c.Err = errors.Join(c.Command.Wait(), log.Close())
	close(c.Done)
}

// Listening waits for the child's address.
func (c *Child) Listening(ctx context.Context) (string, error) {
	select {
	case address := <-c.address:
		return address, nil
	case <-c.Done:
		return "", fmt.Errorf("%s ended before it listened: %w", c.name, c.Err)
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// Stop ends the child and waits for it.
func (c *Child) Stop() {
	_ = c.stdin.Close()
	<-c.Done
}
