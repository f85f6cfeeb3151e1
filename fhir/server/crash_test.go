//go:build linux

package server_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/server"
)

// childWrites makes the test binary write transactions until it is killed.
const childWrites = "FHIR_SERVER_TEST_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(childWrites); path != "" {
		writeForEver(path)
		return
	}
	os.Exit(m.Run())
}

// pairOf is a transaction of a Patient, found or made, an Observation about it, and a Basic
// about that.
func pairOf(name string) string {
	return bundleOf("transaction",
		entryOf(urnA, "POST", "Patient", `{"resourceType":"Patient","identifier":[{"value":"`+name+`"}]}`, `,"ifNoneExist":"identifier=`+name+`"`),
		entryOf(urnB, "POST", "Observation", `{"resourceType":"Observation","identifier":[{"value":"`+name+`"}],"subject":{"reference":"`+urnA+`"}}`),
		entryOf("", "PUT", "Basic?identifier="+name, `{"resourceType":"Basic","identifier":[{"value":"`+name+`"}],"subject":{"reference":"`+urnB+`"}}`),
	)
}

func writeForEver(path string) {
	s, err := server.Open(context.Background(), server.Options{Path: path, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		fmt.Println("error", err)
		return
	}
	c := http.Client{Transport: s.Transport()}
	for worker := range 8 {
		go func() {
			for i := 0; ; i++ {
				name := fmt.Sprintf("%d-%d-%d", os.Getpid(), worker, i)
				resp, err := c.Post(server.EmbeddedBase, "application/fhir+json", strings.NewReader(pairOf(name)))
				if err != nil || resp.StatusCode != 200 {
					fmt.Println("error", err)
					return
				}
				_, _ = os.Stdout.WriteString(name + ".\n")
			}
		}()
	}
	select {}
}

// TestKill: what was answered is there after a kill, and every transaction is whole or
// absent, with its index.
func TestKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fhir.db")
	answered := map[string]bool{}
	for round := range 4 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childWrites+"="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		before := len(answered)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			name, whole := strings.CutSuffix(lines.Text(), ".")
			if strings.HasPrefix(name, "error") {
				t.Fatal(name)
			}
			if whole {
				answered[name] = true
			}
			// Counted, not timed: a slow disk answers later, not less.
			if len(answered) == before+6+5*round {
				time.AfterFunc(time.Duration(round*7)*time.Millisecond, func() { _ = cmd.Process.Kill() })
			}
		}
		_ = cmd.Wait()
	}
	p := peerOf(t, open(t, func(o *server.Options) { o.Path = path }))
	count := func(query string) string { return p.want(200, "GET", query, "").text(t, "total") }
	for name := range answered {
		if n := count("/Basic?_summary=count&identifier=" + name); n != "1" {
			t.Errorf("%s resources of an answered transaction", n)
		}
	}
	patients, observations, basics := count("/Patient?_summary=count"), count("/Observation?_summary=count"), count("/Basic?_summary=count")
	if patients != observations || patients != basics {
		t.Errorf("%s patients, %s observations, %s others: a transaction is not whole", patients, observations, basics)
	}
	whole := count("/Basic?_summary=count&subject:missing=false")
	if whole != basics {
		t.Errorf("%s of %s refer to their subject", whole, basics)
	}
	if len(answered) < 20 {
		t.Errorf("only %d transactions were answered", len(answered))
	}
	t.Logf("%d answered, %s stored", len(answered), patients)
}
