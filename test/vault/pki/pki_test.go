// Package pki holds ceremonies with a CSCA in the PKI engine of a real Vault.
package pki

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing/ceremony"
	"github.com/trustedparty/ddcc-gateway/signing/ceremony/vaultpki"
	"github.com/trustedparty/ddcc-gateway/signing/governance"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/signingtest"
	"github.com/trustedparty/ddcc-gateway/test/vault/vaulttest"
)

// site is a Vault with a CSCA and a key store for the signers.
type site struct {
	dir       string
	authority *vaultpki.Authority
	csca      *x509.Certificate
	keys      *signingtest.Memory
}

type content map[string]any

func newSite(t *testing.T) *site {
	t.Helper()
	server := vaulttest.Start(t)
	server.Root(http.MethodPost, "sys/mounts/pki-csca", content{"type": "pki", "config": content{"max_lease_ttl": "35100h"}})
	answer := server.Root(http.MethodPost, "pki-csca/root/generate/internal", content{
		"common_name": "Test CSCA", "organization": "Test Ministry of Health", "country": "XX",
		"key_type": "ec", "key_bits": 256, "signature_bits": 256, "max_path_length": 0, "ttl": "35040h", "exclude_cn_from_sans": true,
	})
	pemText := answer.Data().Text("certificate")
	block, _ := pem.Decode([]byte(pemText))
	if block == nil {
		t.Fatal("no CSCA certificate")
	}
	csca, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	authority, err := vaultpki.New(client(t, server), "pki-csca", "default")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{dir: t.TempDir(), authority: authority, csca: csca, keys: signingtest.NewMemory()}
	s.write(t, "csca.pem", []byte(pemText))
	return s
}

func client(t *testing.T, server *vaulttest.Server) *api.Client {
	t.Helper()
	config := api.DefaultConfig()
	config.Address = server.Address
	if err := config.ConfigureTLS(&api.TLSConfig{CACert: server.CAFile}); err != nil {
		t.Fatal(err)
	}
	c, err := api.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	c.SetToken(server.RootToken)
	return c
}

func (s *site) write(t *testing.T, name string, raw []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// hold holds a ceremony under the CSCA in Vault.
func (s *site) hold(t *testing.T, file content) (*ceremony.Result, error) {
	t.Helper()
	sum := sha256.Sum256(s.csca.Raw)
	file["country"], file["organization"] = "XX", "Test Ministry of Health"
	file["issuer"] = content{
		"engine": "vault-pki", "certificate": "csca.pem", "sha256": hex.EncodeToString(sum[:]),
		"ignore": []string{"private-use"}, // the engine cannot write it
	}
	raw, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, "ceremony.json", raw)
	source, err := ceremony.Read(filepath.Join(s.dir, "ceremony.json"))
	if err != nil {
		t.Fatal(describe(err))
	}
	plan, err := ceremony.Prepare(source, filepath.Join(s.dir, "out"), time.Now())
	if err != nil {
		t.Fatal(describe(err))
	}
	return plan.Perform(t.Context(), ceremony.Tools{Keys: s.keys, PKI: s.authority, Now: time.Now})
}

func describe(err error) string {
	text := err.Error()
	if f := new(fault.Error); errors.As(err, &f) {
		for _, i := range f.Issues {
			text += "\n" + i.Path + " " + i.Rule + ": " + i.Detail
		}
	}
	return text
}

func TestCSCAInVaultPKI(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if read, err := s.authority.Certificate(t.Context()); err != nil || !read.Equal(s.csca) {
		t.Fatal("the engine's certificate:", err)
	}
	key := func(usage keystore.Usage, more content) content {
		k := content{"usage": usage, "label": "dsc-" + usage, "commonName": "Test DSC " + usage, "crl": "https://example.org/csca.crl"}
		for name, value := range more {
			k[name] = value
		}
		return k
	}
	result, err := s.hold(t, content{"name": "dsc", "kind": "dsc", "keys": []content{
		key(keystore.UsageVaccination, nil), key(keystore.UsageDocument, nil), key(keystore.UsageUpload, nil),
		key(keystore.UsageSHC, content{"issuerUrl": "https://example.org/shc"}),
	}})
	if err != nil {
		t.Fatal(describe(err))
	}
	if found := governance.Lint(keystore.UsageVaccination, result.Certificates[0], s.csca); len(found) != 0 {
		t.Error(found)
	}

	_, err = s.hold(t, content{"name": "bsc", "kind": "dsc", "keys": []content{key(keystore.UsageVDSNC, content{"documentTypes": []string{"NV"}})}})
	if err == nil || !strings.Contains(describe(err), "subject-key-id") {
		t.Errorf("the engine writes a subject key identifier into a barcode signer: %v", err)
	}

	revoked := []content{
		{"certificate": "out/dsc-vaccination.pem", "reason": "keyCompromise"},
		{"serial": "0102030405060708090a", "reason": "unspecified"},
	}
	if _, err := s.hold(t, content{"name": "crl", "kind": "crl", "crl": content{"number": 1, "revoked": revoked}}); err != nil {
		t.Fatal(describe(err))
	}
	_, err = s.hold(t, content{"name": "next", "kind": "crl", "crl": content{
		"number": 2, "previous": "out/crl.crl.pem", "revoked": []content{{"serial": "0b", "reason": "superseded"}},
	}})
	if err != nil {
		t.Fatal(describe(err))
	}
}

func TestWrongPeerIsRefused(t *testing.T) {
	t.Parallel()
	s, other := newSite(t), newSite(t)
	s.authority = other.authority
	if _, err := s.hold(t, content{"name": "crl", "kind": "crl", "crl": content{"number": 1}}); err == nil {
		t.Error("another Vault signs for this CSCA")
	}
}
