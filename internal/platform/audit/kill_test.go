//go:build unix

package audit

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

const childDir = "AUDIT_TEST_CHILD_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		child(dir)
		return
	}
	os.Exit(m.Run())
}

// child appends until it is killed and prints each receipt.
func child(dir string) {
	o := options()
	o.EveryN = 50
	l, err := Open(dir, o)
	if err != nil {
		fmt.Println("error", err)
		return
	}
	for range 8 {
		go func() {
			for {
				rec, err := l.Append(context.Background(), Entry{Action: "a", Subject: strings.Repeat("s", 500)})
				if err != nil {
					fmt.Println("error", err)
					return
				}
				// One write a line, so that a kill tears at most the last.
				_, _ = os.Stdout.WriteString(fmt.Sprintf("%d %x\n", rec.Seq, rec.Hash))
			}
		}()
	}
	select {}
}

func TestKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	acknowledged := map[string]string{}
	for round := range 5 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childDir+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		before := len(acknowledged)
		for lines.Scan() {
			seq, hash, ok := strings.Cut(lines.Text(), " ")
			if seq == "error" {
				t.Fatal(lines.Text())
			}
			if ok && len(hash) == 64 {
				acknowledged[seq] = hash
			}
			if len(acknowledged) == before+1 { // under load from now on
				time.AfterFunc(time.Duration(40+round*17)*time.Millisecond, func() { _ = cmd.Process.Kill() })
			}
		}
		_ = cmd.Wait()
	}
	closed(t, open(t, dir, options())) // the lock is free and the chain holds
	if r := verify(t, dir); !r.OK() || len(acknowledged) < 20 {
		t.Fatalf("report %+v, %d acknowledged", r, len(acknowledged))
	}
	kept := readLines(t, dir, entriesFile)
	for i, text := range kept {
		seq := fmt.Sprint(i + 1)
		if hash, ok := acknowledged[seq]; ok && hash != hashOf(text) {
			t.Errorf("entry %s is not the acknowledged one", seq)
		}
		delete(acknowledged, seq)
	}
	if len(acknowledged) > 0 {
		t.Errorf("%d acknowledged entries are gone", len(acknowledged))
	}
	t.Logf("%d entries survived", len(kept))
}
