package hapi

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// Option changes what a server takes.
type Option string

// Lenient takes what the official examples need: references to nowhere, ids of digits alone,
// bundles of any type.
const Lenient Option = "-Dpeer.lenient=true"

// server is the HAPI process that tests of this process share.
type server struct {
	once sync.Once
	err  error
	*process
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
	s.once.Do(func() { s.process, s.err = launch(options) })
	present(t, s.err)
	t.Logf("HAPI started in %v", s.took.Round(100*time.Millisecond))
	return s.base
}

// present skips a test where HAPI cannot be had, but for CI.
func present(t testing.TB, err error) {
	t.Helper()
	var absent *absence
	switch {
	case errors.As(err, &absent) && os.Getenv("CI") != "true":
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
}
