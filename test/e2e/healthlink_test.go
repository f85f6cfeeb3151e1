package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"

	shc "github.com/trustedparty/ddcc-gateway/formats/shc/reader"
	"github.com/trustedparty/ddcc-gateway/formats/shlink"
	"github.com/trustedparty/ddcc-gateway/test/harness"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// passcodes of the tests; no log, answer or file may have the right one.
const (
	rightPasscode = "specimen-4711"
	wrongPasscode = "specimen-0815"
)

// linking starts a gateway that knows the address under which holders reach it.
func linking(t *testing.T) *harness.System {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return harness.New(t, append([]string{"--listen=" + address, "--public-url=https://" + address}, swiftly...)...)
}

// newLink is an answer of $health-link.
type newLink struct {
	text, id string
	link     shlink.Link
}

func makeLink(t *testing.T, s *harness.System, id string, parameters ...map[string]any) newLink {
	t.Helper()
	list := append([]map[string]any{}, parameters...)
	a, err := s.Post("/ddcc/Bundle/"+id+"/$health-link", harness.JSON(t, map[string]any{"resourceType": "Parameters", "parameter": list}))
	if err != nil || a.Status != http.StatusCreated {
		t.Fatalf("%v, status %d: %s", err, a.Status, a.Body)
	}
	var answer struct {
		Parameter []struct{ Name, ValueString string }
	}
	if err := json.Unmarshal(a.Body, &answer); err != nil {
		t.Fatal(err)
	}
	var n newLink
	for _, p := range answer.Parameter {
		switch p.Name {
		case "link":
			n.text = p.ValueString
		case "id":
			n.id = p.ValueString
		}
	}
	if n.link, err = shlink.Parse(n.text); err != nil || !strings.HasPrefix(n.link.URL, s.URL+"/shl/") {
		t.Fatalf("%v: %s", err, n.link.URL)
	}
	return n
}

func parameter(name, kind string, value any) map[string]any {
	return map[string]any{"name": name, kind: value}
}

// follow asks for the manifest of a link as its recipient does: without a certificate.
func follow(t *testing.T, s *harness.System, n newLink, members map[string]any) harness.Answer {
	t.Helper()
	body := map[string]any{"recipient": "Specimen Airline"}
	for name, value := range members {
		body[name] = value
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, n.link.URL, bytes.NewReader(harness.JSON(t, body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	a, err := harness.Do(s.Anonymous, req)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// cardOfManifest fetches, decrypts and takes out the one card of a manifest.
func cardOfManifest(t *testing.T, s *harness.System, n newLink, a harness.Answer) string {
	t.Helper()
	m, err := shlink.ParseManifest(a.Body)
	if a.Status != http.StatusOK || err != nil || len(m.Files) != 1 {
		t.Fatalf("status %d, %v: %.300s", a.Status, err, a.Body)
	}
	jwe := m.Files[0].Embedded
	if jwe == "" {
		file := anonymous(t, s, strings.TrimPrefix(m.Files[0].Location, s.URL))
		if file.Status != http.StatusOK {
			t.Fatalf("the file: %d", file.Status)
		}
		jwe = string(file.Body)
	}
	return cardIn(t, n, jwe)
}

func cardIn(t *testing.T, n newLink, jwe string) string {
	t.Helper()
	kind, content, err := shlink.Decrypt(n.link.Key, jwe)
	if err != nil || kind != shlink.HealthCard {
		t.Fatalf("%v, %s", err, kind)
	}
	cards, err := shc.File(content)
	if err != nil || len(cards) != 1 {
		t.Fatalf("%v, %d cards", err, len(cards))
	}
	return cards[0]
}

// TestHealthLink: the holder's link opens with its passcode alone, gives the card that was
// issued, which verifies, and is used up by five wrong guesses.
func TestHealthLink(t *testing.T) {
	t.Parallel()
	s := linking(t)
	e := issueFormats(t, s, generate, beside, harness.VS(t, "LINK-1", swiss))
	passcode := parameter("passcode", "valueString", rightPasscode)
	n := makeLink(t, s, e.id, passcode, parameter("label", "valueString", "Specimen label"))
	if !n.link.Flags.Has(shlink.Passcode) || n.link.Label != "Specimen label" || n.link.Expires.IsZero() {
		t.Errorf("%s", n.link)
	}
	right, wrong := map[string]any{"passcode": rightPasscode}, map[string]any{"passcode": wrongPasscode}
	wantAttempts(t, follow(t, s, n, nil), 5) // none is lost by not knowing that there is a passcode
	wantAttempts(t, follow(t, s, n, wrong), 4)
	verifier := verification.Verifier{List: s.TrustList()}
	issued := verifier.VerifyText(e.text(t, "shc"))
	for _, limit := range []map[string]any{right, {"passcode": rightPasscode, "embeddedLengthMax": 10}} {
		r := verifier.VerifyText(cardOfManifest(t, s, n, follow(t, s, n, limit)))
		if !r.Valid || r.Profile != "smart-health-card" || !reflect.DeepEqual(r.Content, issued.Content) {
			t.Errorf("the card of the link: %s %s", r.Reason, r.Detail)
		}
	}
	for left := 3; left >= 0; left-- {
		wantAttempts(t, follow(t, s, n, wrong), left)
	}
	if a := follow(t, s, n, right); a.Status != http.StatusNotFound {
		t.Errorf("a link that is used up answers %d", a.Status)
	}
	secretsStayAway(t, s, n)
}

// wantAttempts: a passcode was missing or wrong, and so many more may be tried.
func wantAttempts(t *testing.T, a harness.Answer, left int) {
	t.Helper()
	var answer struct{ RemainingAttempts *int }
	if err := json.Unmarshal(a.Body, &answer); err != nil || a.Status != http.StatusUnauthorized || answer.RemainingAttempts == nil || *answer.RemainingAttempts != left {
		t.Errorf("status %d: %s; want %d attempts", a.Status, a.Body, left)
	}
}

// secretsStayAway looks for what nobody but the holder may have in the logs and in every file
// of the gateway.
func secretsStayAway(t *testing.T, s *harness.System, n newLink) {
	t.Helper()
	noPersonalData(t, s, "LINK-1", rightPasscode, wrongPasscode, "Specimen Airline", "Specimen label", n.text, idOfLink(n))
	s.Stop()
	for _, name := range []string{"registry.db", "registry.db-wal", "documents.db", "documents.db-wal"} {
		raw := readIfThere(t, s.Install.Path("gateway", name))
		for _, secret := range []string{rightPasscode, n.text, idOfLink(n), "Specimen Airline", "Ngozi"} {
			if bytes.Contains(raw, []byte(secret)) {
				t.Errorf("%s holds what it must not", name)
			}
		}
		if bytes.Contains(raw, n.link.Key[:]) {
			t.Errorf("%s holds the key of the link", name)
		}
	}
}

// idOfLink is the secret part of its URL.
func idOfLink(n newLink) string { return n.link.URL[strings.LastIndexByte(n.link.URL, '/')+1:] }

// TestEndOfAHealthLink: a link ends when its issuer withdraws it and when its certificate is
// revoked, also by a gateway that has died in between; and then none can be made.
func TestEndOfAHealthLink(t *testing.T) {
	t.Parallel()
	s := linking(t)
	e := issueFormats(t, s, generate, beside, harness.VS(t, "LINK-2", swiss))
	direct := makeLink(t, s, e.id, parameter("direct", "valueBoolean", true))
	manifest := makeLink(t, s, e.id)
	withdrawn := makeLink(t, s, e.id)
	if a := anonymous(t, s, strings.TrimPrefix(direct.link.URL, s.URL)+"?recipient=Specimen+Airline"); a.Status != http.StatusOK {
		t.Errorf("direct: %d %s", a.Status, a.Body)
	} else if card := cardIn(t, direct, string(a.Body)); !(&verification.Verifier{List: s.TrustList()}).VerifyText(card).Valid {
		t.Error("the card of a direct link is not valid")
	}
	for want, id := range map[int]string{http.StatusOK: withdrawn.id, http.StatusNotFound: "0123456789abcdef"} {
		body := harness.JSON(t, map[string]any{"resourceType": "Parameters", "parameter": []any{parameter("id", "valueString", id)}})
		if a, err := s.Post("/ddcc/$withdraw-health-link", body); err != nil || a.Status != want {
			t.Errorf("%v, status %d, want %d: %s", err, a.Status, want, a.Body)
		}
	}
	if a := follow(t, s, withdrawn, nil); a.Status != http.StatusNotFound {
		t.Errorf("withdrawn: %d", a.Status)
	}
	if a := follow(t, s, manifest, nil); a.Status != http.StatusOK {
		t.Errorf("the other: %d", a.Status)
	}

	killAt(t, s, "gateway", "gateway-after-revoked") // before it could take the links back
	if out, err := runTool(t, gatewayArgs(s, "revoke", e.id, "--reason", "fraud")...); exit(err) == 0 {
		t.Fatalf("answered although the gateway was killed: %s", out)
	}
	revive(t, s, "gateway")
	revokeEvent(t, s, e.id)
	if a := follow(t, s, manifest, nil); a.Status != http.StatusNotFound {
		t.Errorf("of a revoked certificate: %d", a.Status)
	}
	if a := anonymous(t, s, strings.TrimPrefix(direct.link.URL, s.URL)+"?recipient=Specimen+Airline"); a.Status != http.StatusNotFound {
		t.Errorf("direct, of a revoked certificate: %d", a.Status)
	}
	a, err := s.Post("/ddcc/Bundle/"+e.id+"/$health-link", []byte(`{"resourceType":"Parameters","parameter":[{"name":"longTerm","valueBoolean":true}]}`))
	if err != nil || a.Status != http.StatusNotFound && a.Status != http.StatusConflict {
		t.Errorf("a link to a revoked certificate: %v, status %d", err, a.Status)
	}
}

// readIfThere gives a file, or nothing.
func readIfThere(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return raw
}
