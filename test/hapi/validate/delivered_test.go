package validate

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/client/clienttest"
	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
	"github.com/trustedparty/ddcc-gateway/test/harness"
)

// wire keeps what is written to a FHIR server.
type wire struct {
	server http.Handler

	mu      sync.Mutex
	written []written
}

type written struct {
	what string
	body []byte
}

// ServeHTTP implements http.Handler.
func (w *wire) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if strings.HasPrefix(r.Header.Get("Content-Type"), fhirJSON) {
		w.mu.Lock()
		w.written = append(w.written, written{r.Method + " " + r.URL.Path, body})
		w.mu.Unlock()
	}
	w.server.ServeHTTP(rw, r)
}

// count counts what was written and contains a part.
func (w *wire) count(part string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range w.written {
		if bytes.Contains(one.body, []byte(part)) {
			n++
		}
	}
	return n
}

// TestDelivered validates what a FHIR server is sent: folders, the transactions that register
// certificates (IHE MHD, ITI-65), documents, and what takes a certificate back.
func TestDelivered(t *testing.T) {
	t.Parallel()
	server := &wire{server: clienttest.NewStore()}
	peer := clienttest.NewPeerOf(t, server)
	flags := []string{"--fhir-poll=1s", ""}
	g := gateway{System: harness.Start(t, harness.Options{Gateway: flags, Prepare: func(i devinstall.Installation) {
		file := i.Path("fhir.json")
		for path, content := range map[string][]byte{
			i.Path("fhir-ca.pem"): peer.CAPEM(),
			file:                  []byte(`{"servers":[{"name":"national","base":"` + peer.URL() + `","ca":"` + i.Path("fhir-ca.pem") + `"}]}`),
		} {
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		flags[1] = "--fhir-servers=" + file
	}})}
	first := g.ask(t, http.MethodPost, generate+"?format=dcc&format=shc", harness.VS(t, "WIRE-1", harness.Country("CHE")), http.StatusCreated)
	g.ask(t, http.MethodPost, generate, harness.VS(t, "WIRE-1", harness.Items{"dose": {"valueInteger": 2}}), http.StatusCreated) // into the same folder
	g.ask(t, http.MethodPost, generate, harness.TR(t, "WIRE-2"), http.StatusCreated)
	server.await(t, `"type":"document"`, 3)
	id := harness.ReadFormats(t, first.Body).ID
	revoke := `{"resourceType":"Parameters","parameter":[{"name":"id","valueId":"` + id + `"},{"name":"reason","valueCode":"entered-in-error"}]}`
	g.ask(t, http.MethodPost, "/ddcc/Bundle/$revokeHealthCertificate", []byte(revoke), http.StatusOK)
	server.await(t, `"method":"DELETE"`, 1)
	server.mu.Lock()
	defer server.mu.Unlock()
	transactions := 0
	for _, one := range server.written {
		valid(t, one.what, one.body)
		if strings.HasSuffix(one.what, "/fhir") {
			transactions++
		}
	}
	if transactions < 6 { // two folders, three registrations, one withdrawal
		t.Errorf("%d transactions", transactions)
	}
}

// await waits until so many requests contain a part.
func (w *wire) await(t *testing.T, part string, n int) {
	t.Helper()
	for range 200 {
		if w.count(part) >= n {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("%d requests with %s, want %d", w.count(part), part, n)
}
