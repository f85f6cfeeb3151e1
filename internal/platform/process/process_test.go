package process

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
)

func flags(change func(*Flags)) Flags {
	f := Flags{Environment: config.Development, LogLevel: "info", LogFormat: "json", AdminListen: "127.0.0.1:0"}
	if change != nil {
		change(&f)
	}
	return f
}

func TestAdminListensOnLoopbackAlone(t *testing.T) {
	t.Parallel()
	for address, ok := range map[string]bool{
		"127.0.0.1:0": true, "localhost:9464": true, "[::1]:0": true,
		"0.0.0.0:0": false, ":9464": false, "10.0.0.1:9464": false, "example.org:1": false, "nonsense": false,
	} {
		if err := flags(func(f *Flags) { f.AdminListen = address }).Validate(); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// lockedBuffer is a log that a test reads while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestRunEndsWithStandardInput(t *testing.T) {
	t.Parallel()
	read, write := io.Pipe()
	log := &lockedBuffer{}
	p, err := New(flags(func(f *Flags) { f.ExitWithStdin = true }), read, log, nil)
	if err != nil {
		t.Fatal(err)
	}
	stopped := make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- p.Run(context.Background(), func(ctx context.Context) error {
			<-ctx.Done()
			close(stopped)
			return nil
		})
	}()
	for !strings.Contains(log.String(), "admin listening") {
		time.Sleep(time.Millisecond)
	}
	_ = write.Close()
	select {
	case err := <-done:
		if err != nil && !errors.Is(err, errStdin) {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the process outlives its starter")
	}
	<-stopped
}

func TestRunEndsWithTheFirstFailure(t *testing.T) {
	t.Parallel()
	p, err := New(flags(nil), strings.NewReader(""), io.Discard, nil)
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	if err := p.Run(context.Background(), func(context.Context) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestEveryRunsUntilTheEnd(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	if err := Every(time.Millisecond, func(context.Context) {
		if n++; n == 3 {
			cancel()
		}
	})(ctx); err != nil || n < 3 {
		t.Errorf("%d runs, %v", n, err)
	}
}
