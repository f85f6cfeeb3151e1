package api_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
)

// answers are the statuses that came out of the handlers, by operation.
type answers struct {
	mu   sync.Mutex
	seen map[string]bool
}

// reached holds those of this run.
var reached = &answers{seen: map[string]bool{}}

func (a *answers) add(operation string, status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen[operation+" "+strconv.Itoa(status)] = true
}

// unreachable are described, and no test can make a sound handler give them.
func unreachable(status string) bool { return status == "500" }

// missing lists what the document describes and no handler ever answered.
func (a *answers) missing(file string) ([]string, error) {
	doc, err := openapi3.NewLoader().LoadFromFile(file)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []string
	for _, item := range doc.Paths.Map() {
		for _, operation := range item.Operations() {
			for status := range operation.Responses.Map() {
				if at := operation.OperationID + " " + status; !a.seen[at] && !unreachable(status) {
					out = append(out, at)
				}
			}
		}
	}
	slices.Sort(out)
	return out, doc.Validate(context.Background())
}

// complete are the documents whose every status a test reaches.
var complete = []string{"mediator.yaml", "trust.yaml", "signing.yaml", "signer-operator.yaml", "revocation.yaml", "healthlink.yaml", "bulk.yaml", "transaction.yaml", "hl7v2.yaml", "fhir.yaml"}

// TestMain also holds the documents against the whole run: a status that is described and
// never comes is as wrong as one that comes and is not described.
func TestMain(m *testing.M) {
	flag.Parse()
	openapi3filter.RegisterBodyDecoder("application/jose", textBody)
	for _, media := range hl7Media {
		openapi3filter.RegisterBodyDecoder(media, textBody)
	}
	openapi3filter.RegisterBodyDecoder("application/fhir+ndjson", textBody)
	openapi3filter.RegisterBodyDecoder("application/cda+xml", textBody)
	code := m.Run()
	if code == 0 && flag.Lookup("test.run").Value.String() == "" {
		for _, name := range complete {
			if missing, err := reached.missing("../../api/" + name); err != nil || len(missing) > 0 {
				fmt.Fprintf(os.Stderr, "%s: %v, statuses that no test reached: %q\n", name, err, missing)
				code = 1
			}
		}
	}
	os.Exit(code)
}

// textBody lets a compact JWS or JWE be held against a pattern.
func textBody(body io.Reader, _ http.Header, _ *openapi3.SchemaRef, _ openapi3filter.EncodingFn) (any, error) {
	raw, err := io.ReadAll(body)
	return string(raw), err
}
