package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/server"
)

// fake is a clock that goes on by a second with every look.
type fake struct {
	mu  sync.Mutex
	now time.Time
}

func (f *fake) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(time.Second)
	return f.now
}

var began = time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)

// open starts a server in a folder of its own.
func open(tb testing.TB, change func(*server.Options)) *server.Server {
	tb.Helper()
	clock := &fake{now: began}
	o := server.Options{Path: filepath.Join(tb.TempDir(), "fhir.db"), Log: slog.New(slog.DiscardHandler), Clock: clock.Now, Version: "1.2.3"}
	if change != nil {
		change(&o)
	}
	s, err := server.Open(context.Background(), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// peer speaks to a server in process.
type peer struct {
	tb   testing.TB
	http http.Client
}

func peerOf(tb testing.TB, s *server.Server) peer {
	return peer{tb, http.Client{Transport: s.Transport()}}
}

// reply is what came back.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// do sends a request; headers are name, value pairs.
func (p peer) do(method, path string, body []byte, headers ...string) reply {
	p.tb.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, server.EmbeddedBase+path, bytes.NewReader(body))
	if err != nil {
		p.tb.Fatal(err)
	}
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/fhir+json")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := p.http.Do(req)
	if err != nil {
		p.tb.Fatal(err)
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		p.tb.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, out}
}

// want is do with the status it must have.
func (p peer) want(status int, method, path, body string, headers ...string) reply {
	p.tb.Helper()
	r := p.do(method, path, []byte(body), headers...)
	if r.status != status {
		p.tb.Fatalf("%s %s: status %d, want %d\n%.800s", method, path, r.status, status, r.body)
	}
	return r
}

// at gives what is at a path of names and indexes in the body.
func (r reply) at(tb testing.TB, path ...any) any {
	tb.Helper()
	var v any
	if err := json.Unmarshal(r.body, &v); err != nil {
		tb.Fatalf("%v in %.300s", err, r.body)
	}
	for _, step := range path {
		switch s := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[s]
		case int:
			list, _ := v.([]any)
			if s >= len(list) {
				return nil
			}
			v = list[s]
		}
	}
	return v
}

func (r reply) text(tb testing.TB, path ...any) string {
	tb.Helper()
	if v := r.at(tb, path...); v != nil {
		return fmt.Sprint(v)
	}
	return ""
}

// ids gives Type/id of the entries of a Bundle.
func (r reply) ids(tb testing.TB) []string {
	tb.Helper()
	var b struct {
		Entry []struct {
			Resource struct{ ResourceType, ID string }
		}
	}
	if err := json.Unmarshal(r.body, &b); err != nil {
		tb.Fatal(err)
	}
	var out []string
	for _, e := range b.Entry {
		out = append(out, e.Resource.ResourceType+"/"+e.Resource.ID)
	}
	return out
}

// keys gives the names of members, sorted.
func keys(m map[string]any) string {
	return strings.Join(slices.Sorted(maps.Keys(m)), " ")
}
