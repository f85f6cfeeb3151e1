//go:build linux

package sqlite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
)

// The test binary runs itself as a child: to be killed, or to run out of disk.
const (
	childLoad = "DOCSTORE_TEST_CHILD_LOAD"
	childFull = "DOCSTORE_TEST_CHILD_FULL"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childLoad); path != "" {
		load8(path)
		return
	}
	if path := os.Getenv(childFull); path != "" {
		if err := fillUp(path); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// load8 inserts from 8 goroutines until it is killed and prints each acknowledged id.
func load8(path string) {
	s, err := Open(context.Background(), path, Options{})
	if err != nil {
		fmt.Println("error", err)
		return
	}
	for range 8 {
		go func() {
			for {
				d, err := s.Insert(context.Background(), "certificates", specimen())
				if err != nil {
					fmt.Println("error", err)
					return
				}
				_, _ = os.Stdout.WriteString(d.ID + ".\n")
			}
		}()
	}
	select {}
}

func TestKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	acknowledged := map[string]bool{}
	for round := range 5 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childLoad+"="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		before := len(acknowledged)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			id, whole := strings.CutSuffix(lines.Text(), ".")
			if strings.HasPrefix(id, "error") {
				t.Fatal(id)
			}
			if whole {
				acknowledged[id] = true
			}
			if len(acknowledged) == before+1 { // under load from now on
				time.AfterFunc(time.Duration(50+round*23)*time.Millisecond, func() { _ = cmd.Process.Kill() })
			}
		}
		_ = cmd.Wait()
	}
	s := open(t, path, Options{})
	for id := range acknowledged {
		for _, key := range []string{"idempotency:", "digest:"} {
			if d, err := s.GetUnique(context.Background(), "certificates", key+id); err != nil || d.ID != id {
				t.Errorf("an acknowledged document: %v", err)
			}
		}
	}
	n := sound(t, path)
	if len(acknowledged) < 50 || n < len(acknowledged) {
		t.Errorf("%d documents, %d acknowledged", n, len(acknowledged))
	}
	t.Logf("%d documents, %d acknowledged", n, len(acknowledged))
}

// TestDiskFull runs the child that really cannot extend its files.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childFull+"="+path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	sound(t, path)
}

// fillUp inserts until files may not grow, then allows it again.
func fillUp(path string) error {
	signal.Ignore(syscall.SIGXFSZ)
	s, err := Open(context.Background(), path, Options{})
	if err != nil {
		return err
	}
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		return err
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1 << 20, Max: old.Max}); err != nil {
		return err
	}
	var stored, refused []string
	for len(refused) < 5 {
		d := specimen()
		_, err := s.Insert(context.Background(), "certificates", d)
		switch {
		case err == nil:
			stored = append(stored, d.ID)
		case errors.Is(err, docstore.ErrUnavailable):
			refused = append(refused, d.ID)
		default:
			return err
		}
		if len(stored) > 5000 {
			return errors.New("the limit does not work")
		}
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		return err
	}
	for _, id := range stored {
		if _, err := s.GetUnique(context.Background(), "certificates", "digest:"+id); err != nil {
			return fmt.Errorf("a stored document: %w", err)
		}
	}
	for _, id := range refused {
		if _, err := s.GetUnique(context.Background(), "certificates", "digest:"+id); !errors.Is(err, docstore.ErrNotFound) {
			return fmt.Errorf("a refused document: %v", err)
		}
	}
	if _, err := s.Insert(context.Background(), "certificates", specimen()); err != nil {
		return fmt.Errorf("after the disk is free again: %w", err)
	}
	return s.Close()
}
