package delivery_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/client/clienttest"
	"github.com/trustedparty/ddcc-gateway/fhir/maps/registration"
	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
	"github.com/trustedparty/ddcc-gateway/test/harness"
	"github.com/trustedparty/ddcc-gateway/verification"
)

func TestMain(m *testing.M) { harness.Main(m) }

// deliver is a gateway that delivers to a peer over TLS, with a bearer token.
func deliver(t *testing.T, peer *clienttest.Peer) *harness.System {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	list, err := json.Marshal(map[string]any{"servers": []any{map[string]any{
		"name": "national", "base": peer.URL(), "ca": write("ca.pem", peer.CAPEM()), "token": write("token", []byte("secret-token")),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return harness.New(t, "--fhir-servers="+write("servers.json", list), "--fhir-timeout=1s", "--fhir-poll=200ms", "--trust-refresh=500ms")
}

const generate = "/ddcc/QuestionnaireResponse/$generateHealthCertificate"

// issue gives id and document of a new certificate.
func issue(t *testing.T, s *harness.System, hcid string, changes ...harness.Items) (id string, document []byte) {
	t.Helper()
	for range 50 { // the gateway may be about to die
		a, err := s.Post(generate, harness.VS(t, hcid, changes...))
		if err == nil && (a.Status == http.StatusCreated || a.Status == http.StatusOK) {
			return harness.ReadCertificate(t, a.Body).ID, a.Body
		}
		if err != nil {
			<-s.Gateway.Done
			s.StartGateway()
			continue
		}
		t.Fatalf("status %d: %s", a.Status, a.Body)
	}
	t.Fatal("never issued")
	return "", nil
}

func dose(n int) harness.Items { return harness.Items{"dose": {"valueInteger": n}} }

func eventually(t *testing.T, s *harness.System, complaint string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if done() {
			return
		}
	}
	t.Fatalf("%s\n%s", complaint, s.Logs())
}

// stored reports whether the peer has the document of a certificate.
func stored(peer *clienttest.Peer, id string) bool {
	return registration.Stored(peer.Store().Get("Bundle", id))
}

// TestIssuedWhileTheServerIsDown: the issuer gets its certificate at once, the server when it
// is back, and a holder whose certificate is revoked is gone from there.
func TestIssuedWhileTheServerIsDown(t *testing.T) {
	t.Parallel()
	peer := clienttest.NewPeer(t)
	s := deliver(t, peer)
	peer.Down()
	var ids []string
	var documents [][]byte
	for n := range 5 {
		id, document := issue(t, s, "DOWN-1", dose(n+1))
		ids, documents = append(ids, id), append(documents, document)
	}
	eventually(t, s, "nothing is said of it", func() bool {
		a, err := s.Admin("gateway", "/metrics")
		return err == nil && bytes.Contains(a.Body, []byte(`ddcc_delivery_waiting{server="national"} 5`)) && bytes.Contains(a.Body, []byte(`ddcc_delivery_paused{server="national"} 1`))
	})
	if a, err := s.Admin("gateway", "/readyz"); err != nil || a.Status != http.StatusOK {
		t.Errorf("readiness %d, %v", a.Status, err)
	}
	peer.Up()
	for _, id := range ids {
		eventually(t, s, "a document does not arrive", func() bool { return stored(peer, id) })
	}
	checkFolder(t, peer, ids)
	verifier := &verification.Verifier{List: s.TrustList(), Clock: time.Now}
	for i, id := range ids {
		if result := verifier.VerifyDocument(peer.Store().Get("Bundle", id)); !result.Valid {
			t.Errorf("as it was read back: %+v", result)
		}
		if !hasFile(t, peer, documents[i]) {
			t.Error("no file has the very bytes that the issuer got")
		}
	}
	if a, err := s.Post("/ddcc/QuestionnaireResponse/$revokeHealthCertificate", harness.JSON(t, map[string]any{"resourceType": "Parameters", "parameter": []any{
		map[string]any{"name": "id", "valueId": ids[1]}, map[string]any{"name": "reason", "valueCode": "entered-in-error"},
	}})); err != nil || a.Status != http.StatusOK {
		t.Fatalf("%v %d %s", err, a.Status, a.Body)
	}
	eventually(t, s, "the revoked document stays", func() bool { return peer.Store().Get("Bundle", ids[1]) == nil })
	checkFolder(t, peer, slices.Delete(slices.Clone(ids), 1, 2))
	if hasFile(t, peer, documents[1]) {
		t.Error("a file of the revoked document stays")
	}
	metrics, err := s.Admin("gateway", "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"DOWN-1", "secret-token", "Specimen", peer.URL()} {
		if strings.Contains(s.Logs(), secret) || bytes.Contains(metrics.Body, []byte(secret)) {
			t.Errorf("log or metrics hold %q", secret)
		}
	}
}

// checkFolder checks that the only folder lists two references of each certificate, in order.
func checkFolder(t *testing.T, peer *clienttest.Peer, ids []string) {
	t.Helper()
	var want []string
	for _, id := range ids {
		listed, err := registration.Listed(peer.Store().Get("List", registration.SubmissionSetID(id)))
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range listed {
			want = append(want, "DocumentReference/"+one)
		}
	}
	var got []string
	folders := 0
	for _, raw := range peer.Store().All("List") {
		var l struct {
			Title string
			Entry []struct{ Item struct{ Reference string } }
		}
		if err := json.Unmarshal(raw, &l); err != nil {
			t.Fatal(err)
		}
		if l.Title != "DDCC folder" {
			continue
		}
		folders++
		for _, e := range l.Entry {
			got = append(got, e.Item.Reference)
		}
	}
	if folders != 1 || !slices.Equal(got, want) {
		t.Errorf("%d folders with %q, want %q", folders, got, want)
	}
}

// hasFile reports whether a Binary has content.
func hasFile(t *testing.T, peer *clienttest.Peer, content []byte) bool {
	t.Helper()
	for _, raw := range peer.Store().All("Binary") {
		var b struct{ Data []byte }
		if err := json.Unmarshal(raw, &b); err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(b.Data, content) {
			return true
		}
	}
	return false
}

// TestKillAtEveryStep kills the gateway at each step of a delivery; after its restart the
// server has each certificate once.
func TestKillAtEveryStep(t *testing.T) {
	t.Parallel()
	for _, point := range []string{"gateway-after-folder-created", "gateway-after-registered", "gateway-after-stored", "gateway-after-delivered"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			peer := clienttest.NewPeer(t)
			s := deliver(t, peer)
			s.Gateway.Stop()
			s.StartGateway("DDCC_FAULT=" + point)
			_, _ = s.Post(generate, harness.VS(t, "KILL-1")) // it may die before it answers
			waitDead(t, s)
			s.StartGateway()
			id, _ := issue(t, s, "KILL-1")
			next, _ := issue(t, s, "KILL-1", dose(2))
			eventually(t, s, "a document does not arrive", func() bool { return stored(peer, id) && stored(peer, next) })
			checkFolder(t, peer, []string{id, next})
			for _, one := range []string{id, next} {
				if n := peer.Store().Versions("Bundle", one); n != 2 { // its place, and the document
					t.Errorf("written %d times", n)
				}
			}
		})
	}
	t.Run("gateway-after-withdrawn", func(t *testing.T) {
		t.Parallel()
		peer := clienttest.NewPeer(t)
		s := deliver(t, peer)
		id, _ := issue(t, s, "KILL-2")
		eventually(t, s, "the document does not arrive", func() bool { return stored(peer, id) })
		s.Gateway.Stop()
		s.StartGateway("DDCC_FAULT=gateway-after-withdrawn")
		_, _ = s.Post("/ddcc/QuestionnaireResponse/$revokeHealthCertificate", fmt.Appendf(nil, `{"resourceType":"Parameters","parameter":[{"name":"id","valueId":%q},{"name":"reason","valueCode":"entered-in-error"}]}`, id))
		waitDead(t, s)
		s.StartGateway()
		eventually(t, s, "the withdrawal stays in the outbox", func() bool {
			a, err := s.Admin("gateway", "/metrics")
			return err == nil && bytes.Contains(a.Body, []byte(`ddcc_deliveries_total{outcome="delivered",server="national"} 1`))
		})
		if peer.Store().Get("Bundle", id) != nil {
			t.Error("the document is back")
		}
	})
}

func waitDead(t *testing.T, s *harness.System) {
	t.Helper()
	select {
	case <-s.Gateway.Done:
	case <-time.After(30 * time.Second):
		t.Fatalf("the gateway lives\n%s", s.Logs())
	}
}

// TestCheckConfig: what is wrong is said before anything runs.
func TestCheckConfig(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	install := devinstall.Installation(filepath.Join(dir, "installation"))
	if err := install.Create(time.Now()); err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(dir, "servers.json")
	for content, want := range map[string]string{
		`{"servers":[]}`: "must name from 1", `{"servers":[{"name":"A B","base":"https://x.example"}]}`: "servers[0]: name must be",
		`{"servers":[{"name":"a","base":"https://x.example/fhir"}]}`:                                                               "ca is missing",
		`{"servers":[{"name":"a","base":"http://x.example/fhir"}]}`:                                                                "must be https",
		`{"servers":[{"name":"a","base":"https://x.example","ca":"/nonexistent"}]}`:                                                "servers[0]: ca:",
		`{"servers":[{"name":"a","base":"http://127.0.0.1:1/fhir"},{"name":"a","base":"http://127.0.0.1:1/fhir"}]}`:                "the name was given before",
		`{"servers":[{"name":"a","base":"http://127.0.0.1:1/fhir","token":"/nonexistent"}]}`:                                       "servers[0]: token",
		`{"servers":[{"name":"a","base":"http://127.0.0.1:1/fhir","url":"x"}]}`:                                                    "not a known member",
		`{"servers":[{"name":"a","base":"http://127.0.0.1:1/fhir","cert":"x"}]}`:                                                   "settings of TLS",
		`{"servers":[{"name":"a","base":"https://x.example","ca":"` + install.Path("tls", "ca.pem") + `","cert":"/nonexistent"}]}`: "belong together",
	} {
		if err := os.WriteFile(list, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if out := checkConfig(t, install, "--fhir-servers="+list); !strings.Contains(out, want) {
			t.Errorf("%s\nis answered with\n%s", content, out)
		}
	}
	if err := os.WriteFile(list, []byte(`{"servers":[{"name":"a","base":"http://127.0.0.1:1/fhir"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := checkConfig(t, install, "--fhir-servers="+list, "--fhir-endpoint=b"); !strings.Contains(out, "fhir-endpoint") {
		t.Error(out)
	}
	if out := checkConfig(t, install, "--fhir-servers="+list, "--environment=production"); !strings.Contains(out, "must begin with https:// in production") {
		t.Error(out)
	}
	if out := checkConfig(t, install, "--fhir-servers="+list, "--fhir-endpoint=a"); strings.Contains(out, "fhir") {
		t.Error(out)
	}
}

// checkConfig gives what the gateway says of its configuration.
func checkConfig(t *testing.T, install devinstall.Installation, more ...string) string {
	t.Helper()
	args := install.GatewayArgs("127.0.0.1:0", "127.0.0.1:1")
	args[slices.Index(args, "run")] = "check-config"
	out, err := exec.Command(harness.Binary(t, "gateway"), append(args, more...)...).CombinedOutput()
	if err == nil && len(out) == 0 {
		return ""
	}
	return string(out)
}
