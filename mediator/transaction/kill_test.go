package transaction_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore/sqlite"
	"github.com/trustedparty/ddcc-gateway/mediator/transaction"
)

// childPath makes the test binary a process that records until it is killed.
const childPath = "TRANSACTION_TEST_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(childPath); path != "" {
		if err := recordForEver(path); err != nil {
			fmt.Println("error", err)
		}
		return
	}
	os.Exit(m.Run())
}

// recordForEver records request after request and says when each was answered.
func recordForEver(path string) error {
	store, err := sqlite.Open(context.Background(), path, sqlite.Options{})
	if err != nil {
		return err
	}
	r, err := transaction.NewRecorder(transaction.Options{
		Store: store, Secret: secret, Retention: time.Hour, BodyRetention: time.Minute, Clock: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		one := issue(0)
		one.Started, one.Correlation = time.Now(), strconv.Itoa(os.Getpid())+"-"+strconv.Itoa(n)
		in := r.Meter()
		_, _ = in.Write([]byte(private))
		r.Record(one, transaction.Bodies{Request: in, Response: r.Meter()})
		_, _ = fmt.Fprintf(os.Stdout, "%s %d.\n", one.Correlation, time.Now().UnixMicro())
		time.Sleep(time.Millisecond)
	}
}

// TestKill kills the recording process again and again: what is on the record is whole, and
// what is missing was answered in the last moment.
func TestKill(t *testing.T) {
	t.Parallel()
	a := newArgs(t)
	a.clock.now = time.Now()
	total, lost, oldest := 0, 0, time.Duration(0)
	for range 3 {
		answered, killed := killedChild(t, a.path())
		d := newArgs(t)
		d.dir, d.clock.now = a.dir, time.Now()
		desk := d.open(t)
		for correlation, at := range answered {
			total++
			found := desk.all(transaction.Filter{Correlation: correlation}, 2)
			if len(found) > 1 {
				t.Fatalf("%d records of one request", len(found))
			}
			if len(found) == 0 {
				lost++
				oldest = max(oldest, killed.Sub(at))
				continue
			}
			if _, err := desk.service.Get(t.Context(), found[0].ID); err != nil {
				t.Errorf("a record that is not whole: %v", err)
			}
			if got, err := desk.service.Body(t.Context(), operator, found[0].ID, transaction.PartRequest); err != nil || string(got.Bytes) != private {
				t.Errorf("a record without its body: %v", err)
			}
		}
		if err := d.store.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d requests answered, %d records lost, the oldest of them %s before the end", total, lost, oldest.Round(time.Millisecond))
	const bound = 2 * time.Second // on a machine that does much else; about 250 ms otherwise
	if total < 100 || oldest > bound {
		t.Errorf("%d requests; a record was lost %s after its answer, want at most %s", total, oldest, bound)
	}
}

// killedChild records for a while and gives what it had answered, and when it died.
func killedChild(t *testing.T, path string) (map[string]time.Time, time.Time) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childPath+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	answered, killed := map[string]time.Time{}, time.Time{}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		line, whole := strings.CutSuffix(lines.Text(), ".")
		name, at, _ := strings.Cut(line, " ")
		micros, err := strconv.ParseInt(at, 10, 64)
		if !whole || err != nil {
			t.Fatal(lines.Text())
		}
		answered[name] = time.UnixMicro(micros)
		if len(answered) == 300 {
			killed = time.Now()
			_ = cmd.Process.Kill()
		}
	}
	_ = cmd.Wait()
	return answered, killed
}
