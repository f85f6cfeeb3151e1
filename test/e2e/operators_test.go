package e2e

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/ceremony"
	"github.com/trustedparty/ddcc-gateway/signing/client"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/policy"
	"github.com/trustedparty/ddcc-gateway/test/harness"
)

// operator calls the running signer as operator n. Numbers above 2 need an authority.
func operator(t *testing.T, s *harness.System, n int) *client.Operator {
	t.Helper()
	o, err := s.Install.Operator(n, s.SignerAddress)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// agree has the first operator propose something and the second approve it.
func agree(t *testing.T, s *harness.System, request signing.OperationRequest) signing.Operation {
	t.Helper()
	proposed, err := operator(t, s, 1).Propose(t.Context(), request)
	if err != nil {
		t.Fatalf("propose: %v\n%v", err, fault.From(err).Issues)
	}
	done, err := operator(t, s, 2).Approve(t.Context(), proposed.ID)
	if err != nil || done.State != signing.OperationDone {
		t.Fatalf("approve: %v, %s %s", err, done.State, done.Failure)
	}
	return done
}

// nextKey holds a ceremony for the next vaccination key with the operators' tool, in the
// key store of the running signer, and gives what is to be registered.
func nextKey(t *testing.T, s *harness.System) signing.OperationRequest {
	t.Helper()
	return nextKeyFor(t, s, keystore.UsageVaccination)
}

// nextKeyFor is nextKey for any usage.
func nextKeyFor(t *testing.T, s *harness.System, usage keystore.Usage) signing.OperationRequest {
	t.Helper()
	dir := t.TempDir()
	block, _ := pem.Decode(read(t, s.Install.Path("csca.pem")))
	sum := sha256.Sum256(block.Bytes)
	write(t, filepath.Join(dir, "next.json"), harness.JSON(t, map[string]any{
		"name": "next", "kind": ceremony.KindDSC, "country": devinstall.Country, "organization": devinstall.Authority.Name,
		"issuer": map[string]any{
			"label": ceremony.DevelopmentCSCA, "version": 1, "certificate": s.Install.Path("csca.pem"), "sha256": hex.EncodeToString(sum[:]),
		},
		"keys": []any{map[string]any{
			"usage": usage, "label": "dsc-" + usage, "commonName": "Development DSC " + usage + " 2 - not a real authority",
		}},
	}))
	printed, err := runTool(t, "keys", "ceremony", filepath.Join(dir, "next.json"), "--out", dir, "--yes",
		"--software-keys", s.Install.Path("keys"), "--software-passphrase", s.Install.Path("passphrase.secret"))
	if err != nil {
		t.Fatalf("%v\n%s", err, printed)
	}
	var request signing.OperationRequest
	if err := json.Unmarshal(read(t, filepath.Join(dir, "next.register.json")), &request); err != nil || len(request.Registrations) != 1 {
		t.Fatalf("%v, %d keys to register", err, len(request.Registrations))
	}
	return request
}

// kidOf is the id of a key by its certificate.
func kidOf(r signing.Registration) []byte {
	sum := sha256.Sum256(r.Certificate)
	return sum[:8]
}

// signingKID is the key that signs vaccination certificates now.
func signingKID(t *testing.T, s *harness.System) []byte {
	t.Helper()
	keys, err := operator(t, s, 1).Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(keys, func(k signing.KeyStatus) bool { return k.Signing && k.Usage == string(keystore.UsageVaccination) })
	if at < 0 {
		t.Fatal("no key signs vaccination certificates")
	}
	return keys[at].KID
}

// auditEntry is a line of the signer's audit log.
type auditEntry struct {
	Seq                                             int
	Action, Actor, Subject, Outcome, Reason, Digest string
	Attributes                                      map[string]string
}

// auditLog reads the log of a signer that may be running.
func auditLog(t *testing.T, s *harness.System) []auditEntry {
	t.Helper()
	f, err := os.Open(s.Install.Path("signer", "audit", "audit.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var all []auditEntry
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var e auditEntry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			break // the line is being written
		}
		all = append(all, e)
	}
	return all
}

// waitAudit waits until the log has an entry that is wanted.
func waitAudit(t *testing.T, s *harness.System, name string, wanted func(auditEntry) bool) auditEntry {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		log := auditLog(t, s)
		if at := slices.IndexFunc(log, wanted); at >= 0 {
			return log[at]
		}
		if time.Now().After(deadline) {
			t.Errorf("%s: the audit log has no such entry", name)
			return auditEntry{}
		}
	}
}

// code is that of the refusal in an error of a client.
func code(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Code
	}
	return ""
}

// authority is a client CA of the signer whose key the test holds.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Operators' CA"},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{t, cert, key}
}

// trusted adds the CA to those of an installation.
func (a *authority) trusted(install devinstall.Installation) {
	a.t.Helper()
	path := install.Path("tls", "ca.pem")
	write(a.t, path, append(read(a.t, path), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})...))
}

// issue writes a client certificate that ends at a time into an installation.
func (a *authority) issue(install devinstall.Installation, file, name string, end time.Time) {
	a.t.Helper()
	uri, err := url.Parse(name)
	if err != nil {
		a.t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, URIs: []*url.URL{uri},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: end,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, a.cert, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	write(a.t, install.Path("tls", file+".pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	write(a.t, install.Path("tls", file+".key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
}

// changePolicy edits the signer's policy of an installation.
func changePolicy(t *testing.T, install devinstall.Installation, change func(*policy.Policy)) {
	t.Helper()
	var p policy.Policy
	if err := json.Unmarshal(read(t, install.Path("policy.json")), &p); err != nil {
		t.Fatal(err)
	}
	change(&p)
	write(t, install.Path("policy.json"), harness.JSON(t, p))
}
