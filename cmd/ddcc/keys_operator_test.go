package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keyring/keyringtest"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/operations"
	"github.com/trustedparty/ddcc-gateway/signing/operations/httpapi"
)

const (
	operatorAda = "urn:test:operator:ada"
	operatorBo  = "urn:test:operator:bo"
)

// forgetful takes every audit entry.
type forgetful struct{}

func (forgetful) Append(context.Context, audit.Entry) (audit.Receipt, error) {
	return audit.Receipt{}, nil
}

// operatedSigner is a signer's operator surface over mutual TLS.
type operatedSigner struct {
	dir       string
	url       string
	authority *keyringtest.Authority
	clock     *keyringtest.Clock
}

func newOperatedSigner(t *testing.T) operatedSigner {
	t.Helper()
	s := operatedSigner{dir: t.TempDir(), authority: keyringtest.NewAuthority(t), clock: keyringtest.NewClock()}
	if err := devpki.Write(s.dir, time.Now(), map[string]string{"signer": devpki.SignerName, "ada": operatorAda, "bo": operatorBo, "gateway": devpki.GatewayName}); err != nil {
		t.Fatal(err)
	}
	records := keyringtest.Records(t, s.clock)
	ops, err := operations.Open(t.Context(), operations.Deps{
		Records: records, Register: s.authority.Ring(t, records, s.clock, 0), Audit: forgetful{}, Clock: s.clock.Now, Refresh: time.Second,
		Operator: func(name string) bool { return name == operatorAda || name == operatorBo },
	})
	if err != nil {
		t.Fatal(err)
	}
	engine, err := httpx.NewEngine(httpx.EngineOptions{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := httpapi.Register(engine, ops, time.Now); err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(s.dir, "signer.pem"), filepath.Join(s.dir, "signer.key"))
	if err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(filepath.Join(s.dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	server := httptest.NewUnstartedServer(engine)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS13}
	server.StartTLS()
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// ddcc runs the tool as an operator.
func (s operatedSigner) ddcc(t *testing.T, as string, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	args = append(append([]string{"keys"}, args...), "--signer="+s.url, "--cert="+filepath.Join(s.dir, as+".pem"),
		"--key="+filepath.Join(s.dir, as+".key"), "--ca="+filepath.Join(s.dir, "ca.pem"))
	code = run(streams{t.Context(), strings.NewReader(stdin), &out, &errs}, args)
	return code, out.String(), errs.String()
}

// ok runs the tool and insists on success and on a text in its output.
func (s operatedSigner) ok(t *testing.T, as, want string, args ...string) string {
	t.Helper()
	code, stdout, stderr := s.ddcc(t, as, "", args...)
	if code != exitOK || !strings.Contains(stdout, want) {
		t.Fatalf("%v: exit %d, want 0 and %q\n%s%s", args, code, want, stdout, stderr)
	}
	return stdout
}

// proposed runs a command as ada and gives the id of the operation.
func (s operatedSigner) proposed(t *testing.T, args ...string) string {
	t.Helper()
	var op signing.Operation
	if err := json.Unmarshal([]byte(s.ok(t, "ada", "", append(args, "--json")...)), &op); err != nil {
		t.Fatal(err)
	}
	return op.ID
}

func (s operatedSigner) registration(t *testing.T) (file string, reg signing.Registration) {
	t.Helper()
	reg = s.authority.Key(t, keystore.UsageVaccination)
	raw, err := json.Marshal(signing.OperationRequest{Kind: signing.OperationRegister, Registrations: []signing.Registration{reg}})
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "register.json")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return file, reg
}

func TestOperatorsRunTheLifeOfAKey(t *testing.T) {
	t.Parallel()
	s := newOperatedSigner(t)
	s.ok(t, "ada", "The register is empty", "list")
	file, reg := s.registration(t)
	kid := sha256.Sum256(reg.Certificate)
	id := s.proposed(t, "register", file)
	s.ok(t, "bo", id, "pending")
	if code, _, stderr := s.ddcc(t, "ada", "", "approve", id, "--yes"); code != exitNegative || !strings.Contains(stderr, "same-operator") {
		t.Errorf("own proposal: exit %d\n%s", code, stderr)
	}
	s.ok(t, "bo", "carried out", "approve", id, "--yes")
	s.ok(t, "ada", "active (signing)", "list")
	s.ok(t, "bo", "Nothing waits", "pending")
	s.clock.Advance(30 * time.Second)

	key := hex.EncodeToString(kid[:8])
	code, _, stderr := s.ddcc(t, "ada", "", "retire", key)
	if code != exitNegative || !strings.Contains(stderr, "last-key") || !strings.Contains(stderr, "Register and activate another key first") {
		t.Errorf("last key: exit %d\n%s", code, stderr)
	}
	id = s.proposed(t, "retire", base64.StdEncoding.EncodeToString(kid[:8]), "--at=2026-05-01T00:00:00Z", "--force")
	s.ok(t, "ada", "Withdrawn", "withdraw", id)
	if code, _, stderr := s.ddcc(t, "bo", "", "approve", id, "--yes"); code != exitNegative || !strings.Contains(stderr, "no longer pending") {
		t.Errorf("withdrawn: exit %d\n%s", code, stderr)
	}
	s.ok(t, "ada", "another operator approves", "revoke", key, "--reason=superseded")
	list := filepath.Join(t.TempDir(), "crl.pem")
	der := s.authority.CRL(t, 3, s.clock.Now())
	if err := os.WriteFile(list, pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	s.ok(t, "bo", `"state": "done"`, "approve", s.proposed(t, "crl", list), "--yes", "--json")
}

func TestOneOperatorStopsTwoResume(t *testing.T) {
	t.Parallel()
	s := newOperatedSigner(t)
	s.ok(t, "ada", "STOPPED since", "stop", "--reason=drill")
	s.ok(t, "bo", "EMERGENCY STOP since", "list")
	s.ok(t, "bo", "carried out", "approve", s.proposed(t, "resume"), "--yes")
	if out := s.ok(t, "bo", "", "list"); strings.Contains(out, "EMERGENCY") {
		t.Errorf("still stopped: %s", out)
	}
}

func TestOperatorToolSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := newOperatedSigner(t)
	file, _ := s.registration(t)
	wrong := filepath.Join(t.TempDir(), "wrong.json")
	if err := os.WriteFile(wrong, []byte(`{"kind":"register","keys":[]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "other.json")
	if err := os.WriteFile(other, []byte(`{"kind":"resume"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	id := s.proposed(t, "register", file)
	for name, c := range map[string]struct {
		as   string
		args []string
		code int
		want string
	}{
		"no operator":    {"gateway", []string{"list"}, exitNegative, "not-an-operator"},
		"unknown member": {"ada", []string{"register", wrong}, exitUsage, "not a registration"},
		"other kind":     {"ada", []string{"register", other}, exitUsage, "kind is not"},
		"no file":        {"ada", []string{"register", wrong + ".not"}, exitUsage, "no such file"},
		"not a kid":      {"ada", []string{"activate", "xyz"}, exitUsage, "not a key id"},
		"unknown key":    {"ada", []string{"activate", "0011223344556677"}, exitNegative, "unknown-key"},
		"unknown reason": {"ada", []string{"revoke", "0011223344556677", "--reason=because"}, exitUsage, "keyCompromise"},
		"no terminal":    {"bo", []string{"approve", id}, exitUsage, "--yes"},
		"unknown id":     {"bo", []string{"approve", "x", "--yes"}, exitNegative, "unknown-operation"},
		"no certificate": {"nobody", []string{"list"}, exitUsage, "cert"},
		"nothing to end": {"ada", []string{"resume"}, exitNegative, "not-stopped"},
		"not a list":     {"ada", []string{"crl", wrong}, exitNegative, "revocation list"},
	} {
		code, stdout, stderr := s.ddcc(t, c.as, "", c.args...)
		if code != c.code || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: exit %d, want %d and %q\n%s%s", name, code, c.code, c.want, stdout, stderr)
		}
	}
	stranger := s
	stranger.dir = t.TempDir()
	if err := devpki.Write(stranger.dir, time.Now(), map[string]string{"ada": operatorAda}); err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(filepath.Join(s.dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(stranger.dir, "ca.pem"), ca, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := stranger.ddcc(t, "ada", "", "list"); code != exitNegative || !strings.Contains(stderr, "refused the TLS client certificate") {
		t.Errorf("certificate of another CA: exit %d, %s", code, stderr)
	}
	for _, at := range []string{s.url[:strings.LastIndex(s.url, ":")] + ":1", "http://127.0.0.1:1"} {
		s.url = at
		if code, _, stderr := s.ddcc(t, "ada", "", "list"); code == exitOK || stderr == "" {
			t.Errorf("%s: exit %d, %q", at, code, stderr)
		}
	}
}

func TestApproverSeesWhatWillHappen(t *testing.T) {
	t.Parallel()
	s := newOperatedSigner(t)
	_, reg := s.registration(t)
	kid := sha256.Sum256(reg.Certificate)
	at := time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)
	key := signing.KeyStatus{Registration: reg, KID: kid[:8], State: "active"}
	for _, c := range []struct {
		req  signing.OperationRequest
		want []string
	}{
		{signing.OperationRequest{Kind: "register", Registrations: []signing.Registration{reg}}, []string{fingerprint(reg.Certificate), fingerprint(reg.Issuer), "dsc-vaccination:1", "when the lead time allows"}},
		{signing.OperationRequest{Kind: "activate", KID: kid[:8], At: &at}, []string{"2027-01-02 03:04:05 UTC", fingerprint(reg.Certificate)}},
		{signing.OperationRequest{Kind: "retire", KID: kid[:8], Force: true}, []string{"when approved", "FORCED"}},
		{signing.OperationRequest{Kind: "revoke", KID: []byte("12345678"), Reason: "keyCompromise"}, []string{"REVOKED for good", "keyCompromise", "NOT ON THE REGISTER"}},
		{signing.OperationRequest{Kind: "crl", CRL: s.authority.CRL(t, 9, s.clock.Now(), s.authority.CSCA)}, []string{"revocation list 9", "revokes"}},
		{signing.OperationRequest{Kind: "crl", CRL: []byte("x")}, []string{"NOT A REVOCATION LIST"}},
		{signing.OperationRequest{Kind: "resume"}, []string{"signing begins again"}},
	} {
		var out bytes.Buffer
		describe(&out, signing.Operation{Request: c.req}, []signing.KeyStatus{key})
		for _, want := range c.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: no %q in\n%s", c.req.Kind, want, &out)
			}
		}
	}
}
