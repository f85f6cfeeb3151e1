package clienttest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// settle is how long a server may take until a search finds what was written. FHIR promises
// no moment; HAPI reuses the result of an equal search for a while unless told otherwise.
const settle = 5 * time.Second

// Suite checks what this project relies on of a FHIR server. open gives a client of the
// server under test; the server may hold other data, and keeps that of the suite. Tests named
// in deviations are skipped: the server is known to fail them, and docs/fhir-servers.md says
// what that means.
func Suite(t *testing.T, open func(t *testing.T) *client.Client, deviations ...string) {
	for name, test := range map[string]func(*testing.T, *client.Client){
		"speaks R4":                            speaksR4,
		"life of a resource":                   life,
		"update creates under the given id":    updateCreates,
		"ids that are not there":               absent,
		"versions and history":                 versions,
		"content survives":                     contentSurvives,
		"refuses what is no resource":          refusesNonsense,
		"create once":                          createOnce,
		"racing conditional creates make one":  racingCreates,
		"condition with several matches":       severalMatches,
		"If-Match lets one writer win":         racingUpdates,
		"entries of a list survive a race":     racingAppends,
		DeleteIfMatch:                          deleteMatches,
		"conditional update":                   conditionalUpdate,
		"transaction with internal references": transactionReferences,
		"transaction is all or nothing":        transactionRollback,
		"transaction repeated changes nothing": transactionRepeated,
		"transaction with ifMatch":             transactionIfMatch,
		"racing transactions make one":         racingTransactions,
		"batch fails entry by entry":           batchEntries,
		"identifiers with special characters":  specialIdentifiers,
		EscapedSeparator:                       escapedSeparators,
		"search by id and time":                searchByTime,
		"search pages":                         searchPages,
		"search finds no deleted resource":     searchDeleted,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if slices.Contains(deviations, name) {
				t.Skip("a known deviation of this server")
			}
			test(t, open(t))
		})
	}
}

// Names of tests that not every server passes.
const (
	DeleteIfMatch    = "If-Match on delete"
	EscapedSeparator = "identifiers with a backslash before a separator"
)

// system is the namespace of the suite's identifiers.
const system = "urn:example:clienttest"

// unique is a value that no other run has.
func unique() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails (Go 1.24 and later)
	return hex.EncodeToString(b[:])
}

// patient is a Patient with one identifier; without id, the server chooses it.
func patient(id, identifier, family string) []byte {
	p := object{
		"resourceType": "Patient", "name": []any{object{"family": family, "given": []any{"Ada"}}},
		"identifier": []any{object{"system": system, "value": identifier}},
	}
	if id != "" {
		p["id"] = id
	}
	return encode(p)
}

// identifiedBy is the search for an identifier of the suite.
func identifiedBy(value string) url.Values {
	value = strings.NewReplacer(`\`, `\\`, `,`, `\,`, `|`, `\|`, `$`, `\$`).Replace(value)
	return url.Values{"identifier": {system + "|" + value}}
}

// found gives the patients that a search finds.
func found(ctx context.Context, c *client.Client, q url.Values) ([]client.Match, error) {
	var out []client.Match
	for m, err := range c.Search(ctx, "Patient", q) {
		if err != nil {
			return nil, err
		}
		if !m.Include {
			out = append(out, m)
		}
	}
	return out, nil
}

// awaitPatients waits until a search finds n, and fails the test when it does not.
func awaitPatients(t *testing.T, c *client.Client, q url.Values, n int) []client.Match {
	t.Helper()
	for start := time.Now(); ; time.Sleep(settle / 50) {
		got, err := found(t.Context(), c, q)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == n {
			return got
		}
		if time.Since(start) > settle {
			t.Fatalf("the search finds %d, not %d", len(got), n)
		}
	}
}

// family reads what patient wrote.
func family(t *testing.T, raw []byte) string {
	t.Helper()
	var p struct {
		Name []struct {
			Family string `json:"family"`
		} `json:"name"`
	}
	if err := json.Unmarshal(raw, &p); err != nil || len(p.Name) != 1 {
		t.Fatalf("no patient of the suite: %v", err)
	}
	return p.Name[0].Family
}

// mustBe fails the test unless err is a fault of kind.
func mustBe(t *testing.T, what string, err error, kind fault.Kind) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != kind {
		t.Errorf("%s: %v, not a fault of kind %d", what, err, kind)
	}
}

func speaksR4(t *testing.T, c *client.Client) {
	capability, err := c.Capability(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s %s, FHIR %s", capability.Software, capability.SoftwareVersion, capability.FHIRVersion)
}

// writer does one update and says what came of it.
type writer func(ctx context.Context, n int) error

// race runs n writers at once and counts those without an error; others must be faults of
// one of the kinds.
func race(t *testing.T, n int, w writer, kinds ...fault.Kind) (won int) {
	t.Helper()
	start, results := make(chan struct{}), make(chan error, n)
	for i := range n {
		go func() {
			<-start
			results <- w(t.Context(), i)
		}()
	}
	close(start)
	for range n {
		err := <-results
		if err == nil {
			won++
			continue
		}
		expected := false
		for _, k := range kinds {
			expected = expected || fault.KindOf(err) == k
		}
		if !expected {
			t.Errorf("a racer failed: %v", err)
		}
	}
	return won
}
