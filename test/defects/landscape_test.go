package defects

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
	"github.com/trustedparty/ddcc-gateway/test/harness"
)

const (
	serverName  = "national"
	serverToken = "token-of-the-national-server"
	fhirPoll    = 100 * time.Millisecond // how often the outbox is looked at
	hcidSystem  = "urn:specimen:hcid"    // of patients of that server
)

// landscape is a gateway that delivers everything it issues to a FHIR server, and takes the
// notifications and admissions of that server's hospital.
type landscape struct {
	*harness.System

	fhir      *national
	operators *http.Client
	looked    int // requests of the FHIR server whose addresses were looked at
}

func newLandscape(t *testing.T) *landscape {
	t.Helper()
	l := &landscape{fhir: newNational(t)}
	dir := t.TempDir()
	write := func(path string, content []byte) string {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	list := harness.JSON(t, map[string]any{"servers": []any{map[string]any{
		"name": serverName, "base": l.fhir.peer.URL(), "ca": write(filepath.Join(dir, "ca.pem"), l.fhir.peer.CAPEM()), "token": write(filepath.Join(dir, "token"), []byte(serverToken)),
	}}})
	issuers := filepath.Join(dir, "issuers.json")
	l.System = harness.Start(t, harness.Options{
		Gateway: []string{
			"--fhir-servers=" + write(filepath.Join(dir, "servers.json"), list), "--fhir-timeout=5s", "--fhir-poll=" + fhirPoll.String(),
			"--issuers=" + issuers, "--hl7v2-admissions=demo-clinic", "--hl7v2-hcid-type=HC",
		},
		Prepare: func(i devinstall.Installation) { write(issuers, agreed(t, i)) },
	})
	l.operators = l.Client("operator-1")
	return l
}

// agreed is the issuers file in which the issuer is the FHIR server, too.
func agreed(t *testing.T, i devinstall.Installation) []byte {
	t.Helper()
	raw, err := os.ReadFile(i.Path("issuers.json"))
	if err != nil {
		t.Fatal(err)
	}
	var policy map[string]any
	if err := json.Unmarshal(raw, &policy); err != nil {
		t.Fatal(err)
	}
	issuer, _ := policy["issuers"].([]any)[0].(map[string]any)
	issuer["fhir"], issuer["complete"] = serverName, map[string]any{"hcidSystem": hcidSystem}
	return harness.JSON(t, policy)
}

// delivery is a certificate that has to get to the FHIR server.
type delivery struct {
	harness.Certificate

	document []byte
	folder   string // id
}

// issue has an event certified.
func (l *landscape) issue(t *testing.T, hcid string, changes ...harness.Items) delivery {
	t.Helper()
	return certified(t, post(t, l.System, generate, harness.VS(t, hcid, changes...)))
}

// certified insists on a new certificate, which can be read at once.
func certified(t *testing.T, a harness.Answer) delivery {
	t.Helper()
	d := delivery{Certificate: issued(t, a), document: a.Body}
	link, _, _ := strings.Cut(a.Header.Get("Link"), ">")
	folder, ok := strings.CutPrefix(link, "</ddcc/List/")
	if !ok {
		t.Fatal("no folder is named")
	}
	d.folder = folder
	return d
}

func dose(n int) harness.Items {
	return harness.Items{"dose": {"valueInteger": n}, "total_doses": nil}
}

// eventually waits until something is done.
func (l *landscape) eventually(t *testing.T, complaint string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s\n%s", complaint, l.Logs())
		}
	}
}

// met waits until the FHIR server has met what a proof wants it to.
func (l *landscape) met(t *testing.T, what string, met <-chan struct{}) {
	t.Helper()
	select {
	case <-met:
	case <-time.After(30 * time.Second):
		t.Fatalf("%s: the FHIR server is not asked\n%s", what, l.Logs())
	}
}

// put sends a resource to the gateway as the issuer.
func (l *landscape) put(t *testing.T, path string, resource any) harness.Answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, l.URL+path, bytes.NewReader(harness.JSON(t, resource)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/fhir+json")
	a, err := harness.Do(l.Issuer, req)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// keep stores a resource on the FHIR server.
func (l *landscape) keep(t *testing.T, resource map[string]any) {
	t.Helper()
	typ, _ := resource["resourceType"].(string)
	id, _ := resource["id"].(string)
	if _, _, err := l.fhir.records.Update(t.Context(), typ, id, harness.JSON(t, resource), ""); err != nil {
		t.Fatal(err)
	}
}

// revoke takes a certificate back.
func (l *landscape) revoke(t *testing.T, d delivery) {
	t.Helper()
	body := harness.JSON(t, map[string]any{"resourceType": "Parameters", "parameter": []any{
		map[string]any{"name": "id", "valueId": d.ID}, map[string]any{"name": "reason", "valueCode": "entered-in-error"},
	}})
	if a := post(t, l.System, "/ddcc/QuestionnaireResponse/$revokeHealthCertificate", body); a.Status != http.StatusOK {
		t.Fatalf("%d %.300s", a.Status, a.Body)
	}
}

// get fetches a path as the issuer.
func (l *landscape) get(t *testing.T, path string) harness.Answer {
	t.Helper()
	a, err := l.Get(path)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
