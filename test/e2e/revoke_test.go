package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
	"github.com/trustedparty/ddcc-gateway/mediator"
	"github.com/trustedparty/ddcc-gateway/test/harness"
	"github.com/trustedparty/ddcc-gateway/trust/revocation"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// TestRevoke: a revoked certificate has no document, no pictures and no card any more, its
// holder is told, and what else the holder has stays.
func TestRevoke(t *testing.T) {
	t.Parallel()
	s := harness.New(t, "--trust-refresh=100ms", "--revocation-refresh=200ms")
	first := issueFormats(t, s, generate, "dcc,shc,vdsnc", harness.VS(t, "REVOKE-1", swiss))
	second := issueFormats(t, s, generate, "dcc", harness.VS(t, "REVOKE-1", swiss, harness.Items{"dose": {"valueInteger": 2}}))
	if got := holderStatus(t, s, first.id, "1979-03-08"); got.Status != "valid" || !slices.Equal(got.Formats, []string{"who", "dcc", "shc", "vdsnc"}) {
		t.Errorf("before: %+v", got)
	}
	if got := holderStatus(t, s, first.id, "1979-03-09"); got.Status != "" {
		t.Errorf("with another birth date: %+v", got)
	}
	both := cardOf(t, s, second.id)

	out, err := runTool(t, gatewayArgs(s, "revoke", first.id, "--reason", "holder-request")...)
	if err != nil || !strings.Contains(out, "revoked "+first.id) {
		t.Fatalf("%v %s", err, out)
	}
	gone := []string{"/ddcc/Bundle/" + first.id, "/ddcc/Bundle/" + first.id + "/$card"}
	for _, c := range first.all {
		gone = append(gone, "/ddcc/DocumentReference/"+c.reference+"/$getQRCode")
	}
	for _, path := range gone {
		if a, err := s.Get(path); err != nil || a.Status != http.StatusNotFound {
			t.Errorf("%s: %v, status %d", path, err, a.Status)
		}
	}
	if got := holderStatus(t, s, first.id, "1979-03-08"); got.Status != "revoked" {
		t.Errorf("after: %+v", got)
	}
	if got := holderStatus(t, s, second.id, "1979-03-08"); got.Status != "valid" {
		t.Errorf("the other: %+v", got)
	}
	verifiersKnow(t, s, first, second)
	if one := cardOf(t, s, second.id); len(one) >= len(both) {
		t.Error("the card still shows the revoked certificate")
	}
	if a, err := s.Post(generate+"?format=dcc,shc,vdsnc", harness.VS(t, "REVOKE-1", swiss)); err != nil || a.Status < 400 || a.Status >= 500 {
		t.Errorf("the same event again: %v, status %d", err, a.Status)
	}
	for want, args := range map[int][]string{
		0: {first.id, "--reason", "fraud"}, // twice changes nothing
		1: {"00000000-0000-4000-8000-000000000000", "--reason", "fraud"},
		2: {first.id, "--reason", "boredom"},
	} {
		if out, err := runTool(t, gatewayArgs(s, append([]string{"revoke"}, args...)...)...); exit(err) != want {
			t.Errorf("%v: exit %d, want %d: %s", args, exit(err), want, out)
		}
	}
	noPersonalData(t, s, "REVOKE-1")
	s.Stop()
	checkAuditLog(t, s)
	checkGatewayAudit(t, s, first.id, "holder-request")
}

// checkGatewayAudit: the gateway's own log is whole, and has the revocation twice, before
// and after, with the reason.
func checkGatewayAudit(t *testing.T, s *harness.System, id, reason string) {
	t.Helper()
	dir := s.Install.Path("gateway", "audit")
	if out, err := runTool(t, "audit", "verify", dir, "--key", s.Install.Path("gateway-audit.pub")); err != nil {
		t.Errorf("audit verify: %v %s", err, out)
	}
	var actions []string
	for line := range strings.Lines(string(read(t, filepath.Join(dir, "audit.jsonl")))) {
		var e auditEntry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if e.Subject == id && e.Reason == reason {
			actions = append(actions, e.Action)
		}
	}
	if !slices.Equal(actions, []string{"certificate.revocation.intent", "certificate.revoked"}) {
		t.Errorf("the gateway's log has %v", actions)
	}
}

// published is what the gateway serves under /trust/revocation/, as files.
type published struct{ s *harness.System }

func (p published) Open(name string) (fs.File, error) {
	a, err := p.s.Get("/trust/revocation/" + name)
	if err != nil {
		return nil, err
	}
	files := fstest.MapFS{}
	if a.Status == http.StatusOK {
		files[name] = &fstest.MapFile{Data: a.Body}
	}
	return files.Open(name)
}

// verifiersKnow waits until whoever fetched the published lists finds every format of the
// first event revoked, and none of the second.
func verifiersKnow(t *testing.T, s *harness.System, revoked, standing issuedEvent) {
	t.Helper()
	list := s.TrustList()
	reasons := func(e issuedEvent) []string {
		set, err := revocation.Load(published{s}, list, time.Now())
		if err != nil {
			return []string{err.Error()}
		}
		verifier, said := verification.Verifier{List: list, Revocations: set}, []string{}
		for _, c := range e.all {
			said = append(said, c.format+" "+string(verifier.VerifyText(c.text).Reason))
		}
		return said
	}
	want := []string{"who revoked", "dcc revoked", "shc revoked", "vdsnc revoked"}
	for deadline := time.Now().Add(15 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		got := reasons(revoked)
		if slices.Equal(got, want) {
			break
		}
		if time.Now().After(deadline) {
			t.Errorf("verifiers find %v, want %v", got, want)
			return
		}
	}
	if got := reasons(standing); !slices.Equal(got, []string{"who verified", "dcc verified"}) {
		t.Errorf("verifiers find %v of what was not revoked", got)
	}
}

// gatewayArgs is a command of the tool as the demo issuer.
func gatewayArgs(s *harness.System, command ...string) []string {
	return append(command, "--gateway", s.URL, "--ca", s.Install.Path("tls", "ca.pem"),
		"--cert", s.Install.Path("tls", "issuer.pem"), "--key", s.Install.Path("tls", "issuer.key"))
}

type holder struct {
	Status  string
	Formats []string
}

// holderStatus asks what a holder may ask: without a certificate of any kind.
func holderStatus(t *testing.T, s *harness.System, id, birthDate string) holder {
	t.Helper()
	body := harness.JSON(t, map[string]any{"certificate": id, "birthDate": birthDate})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/certificates/status", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	a, err := harness.Do(s.Anonymous, req)
	if err != nil || a.Status != http.StatusOK && a.Status != http.StatusNotFound {
		t.Fatalf("%v, status %d: %s", err, a.Status, a.Body)
	}
	var h holder
	if a.Status == http.StatusOK {
		if err := json.Unmarshal(a.Body, &h); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

func cardOf(t *testing.T, s *harness.System, id string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "card.pdf")
	if out, err := runTool(t, gatewayArgs(s, "card", id, "--language", "fr", "--out", path)...); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	pdf := read(t, path)
	if !bytes.HasPrefix(pdf, []byte("%PDF-")) {
		t.Fatal("the card is no PDF")
	}
	return pdf
}

// allowed starts a system whose issuer has every right.
func allowed(t *testing.T) *harness.System {
	t.Helper()
	return harness.Start(t, harness.Options{Prepare: func(install devinstall.Installation) {
		var p mediator.Policy
		if err := json.Unmarshal(read(t, install.Path("issuers.json")), &p); err != nil {
			t.Fatal(err)
		}
		p.Issuers[0].RevokeAll, p.Issuers[0].Convert = true, true
		write(t, install.Path("issuers.json"), harness.JSON(t, p))
	}})
}

// TestRevokeByKey: everything a key signed is revoked, whichever format it signed, and
// nothing else; a second run finds nothing left.
func TestRevokeByKey(t *testing.T) {
	t.Parallel()
	s := allowed(t)
	var cards []issuedEvent
	for n := range 3 {
		cards = append(cards, issueFormats(t, s, generate, "shc", harness.VS(t, fmt.Sprintf("KEY-%d", n), swiss)))
	}
	other := issueFormats(t, s, generate, "dcc", harness.TR(t, "KEY-T", swiss))
	kid := base64.StdEncoding.EncodeToString(kidOfUsage(t, s, "shc"))
	for _, want := range []string{`"revoked": 3`, `"revoked": 0`} {
		out, err := runTool(t, gatewayArgs(s, "revoke", "--kid", kid, "--reason", "key-compromise", "--json")...)
		if err != nil || !strings.Contains(out, want) || !strings.Contains(out, `"done": true`) {
			t.Errorf("%v, want %s: %s", err, want, out)
		}
	}
	for _, e := range cards {
		if a, err := s.Get("/ddcc/Bundle/" + e.id); err != nil || a.Status != http.StatusNotFound {
			t.Errorf("%v, status %d", err, a.Status)
		}
	}
	if a, err := s.Get("/ddcc/Bundle/" + other.id); err != nil || a.Status != http.StatusOK {
		t.Errorf("what another key signed: %v, status %d", err, a.Status)
	}
	for _, args := range [][]string{{"--kid", "short"}, {"--kid", kid, other.id}, {}} {
		if out, err := runTool(t, gatewayArgs(s, append([]string{"revoke", "--reason", "fraud"}, args...)...)...); exit(err) != 2 {
			t.Errorf("%v: exit %d: %s", args, exit(err), out)
		}
	}
}

// kidOfUsage is the key that signs for a usage.
func kidOfUsage(t *testing.T, s *harness.System, usage string) []byte {
	t.Helper()
	keys, err := operator(t, s, 1).Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if k.Signing && k.Usage == usage {
			return k.KID
		}
	}
	t.Fatalf("no key signs %s", usage)
	return nil
}

// TestConvert: a certificate of our own is read back like anybody's, and becomes a new one
// with what the old one did not carry; one that was tampered with does not.
func TestConvert(t *testing.T) {
	t.Parallel()
	s := allowed(t)
	dir := t.TempDir()
	text := issueFormats(t, s, generate, "dcc", harness.VS(t, "CONVERT-1", swiss)).text(t, "dcc")
	certificate, complement := filepath.Join(dir, "dcc.txt"), filepath.Join(dir, "complement.json")
	write(t, certificate, []byte(text))
	write(t, complement, harness.JSON(t, harness.Response(harness.QuestionnaireVS, harness.Items{
		"lot": {"valueString": "SPECLOT8"}, "pha": {"valueString": devinstall.Authority.ID}, "hcid": {"valueString": "CONVERT-2"},
	})))
	out, err := runTool(t, gatewayArgs(s, "convert", certificate)...)
	for deadline := time.Now().Add(time.Minute); strings.Contains(out, "convert-not-ready") && time.Now().Before(deadline); {
		time.Sleep(100 * time.Millisecond) // the gateway has just started: its lists are being published
		out, err = runTool(t, gatewayArgs(s, "convert", certificate)...)
	}
	if err != nil || !strings.HasPrefix(out, "VALID (verified)") || !strings.Contains(out, "Ngozi") {
		t.Fatalf("%v %s", err, out)
	}
	out, err = runTool(t, gatewayArgs(s, "convert", certificate, "--reissue", "--complement", complement, "--format", "shc", "--out", dir)...)
	if err != nil {
		t.Fatalf("%v %s", err, out)
	}
	verifier := verification.Verifier{List: s.TrustList()}
	for kind, want := range map[string]int{"*.who.txt": 1, "*.shc.txt": 1, "*.shc.png": 1, "*.document.json": 1} {
		found, err := filepath.Glob(filepath.Join(dir, kind))
		if err != nil || len(found) != want {
			t.Fatalf("%s: %v, %v: %s", kind, found, err, out)
		}
		if strings.HasSuffix(kind, ".txt") {
			if r := verifier.VerifyText(string(read(t, found[0]))); !r.Valid {
				t.Errorf("%s: %s %s", kind, r.Reason, r.Detail)
			}
		}
	}
	changed := []byte(text)
	changed[len(changed)-5] = map[bool]byte{true: 'B', false: 'A'}[changed[len(changed)-5] == 'A']
	write(t, certificate, changed)
	for _, args := range [][]string{{"convert", certificate}, {"convert", certificate, "--reissue", "--complement", complement, "--out", dir}} {
		if out, err := runTool(t, gatewayArgs(s, args...)...); exit(err) != 1 || strings.HasPrefix(out, "VALID") {
			t.Errorf("%v: exit %d: %s", args, exit(err), out)
		}
	}
	noPersonalData(t, s, "CONVERT-1", "CONVERT-2", "SPECLOT8")
}
