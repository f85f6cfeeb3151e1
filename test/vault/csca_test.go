package vault_test

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/trustedparty/ddcc-gateway/signing/ceremony/vaultpki"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/test/vault/vaulttest"
)

var (
	oidPrivateKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 16}
	oidExtKeyUsage     = asn1.ObjectIdentifier{2, 5, 29, 37}
)

// TestCertificateFromVaultPKI walks a ceremony whose CSCA is in Vault PKI: a new key in
// transit signs its own request, PKI signs the certificate, and the extensions of the
// request are in it.
func TestCertificateFromVaultPKI(t *testing.T) {
	t.Parallel()
	site := vaulttest.Start(t).Bootstrap(t)
	maker := site.Maker(t)
	ref, public, err := maker.Create(t.Context(), "dsc-vaccination")
	if err != nil {
		t.Fatal(err)
	}
	oid, _ := keystore.UsageVaccination.ExtendedKeyUsage()
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject:         pkix.Name{Country: []string{"XX"}, Organization: []string{"Test"}, CommonName: "DSC 1"},
		ExtraExtensions: []pkix.Extension{privateKeyUsage(t), extended(t, oid)},
	}, keystore.NewSigner(t.Context(), maker, ref, public))
	if err != nil {
		t.Fatal(err)
	}
	request, err := x509.ParseCertificateRequest(csr)
	if err != nil {
		t.Fatal(err)
	}
	token := cscaToken(t, site)
	authority, err := vaultpki.New(client(t, site, token), "pki-csca", "default")
	if err != nil {
		t.Fatal(err)
	}
	csca, err := authority.Certificate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dsc, err := authority.Certify(t.Context(), &x509.Certificate{NotAfter: time.Now().AddDate(2, 0, 0)}, request)
	if err != nil {
		t.Fatal(err)
	}
	if err := dsc.CheckSignatureFrom(csca); err != nil || !csca.MaxPathLenZero {
		t.Errorf("path length zero %t, %v", csca.MaxPathLenZero, err)
	}
	if !public.Equal(dsc.PublicKey) || dsc.IsCA || len(dsc.ExtKeyUsage) > 0 || !slices.ContainsFunc(dsc.UnknownExtKeyUsage, oid.Equal) {
		t.Errorf("CA %t, extended key usages %v %v", dsc.IsCA, dsc.ExtKeyUsage, dsc.UnknownExtKeyUsage)
	}
	if !slices.ContainsFunc(dsc.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(oidPrivateKeyUsage) }) {
		t.Error("no private key usage period")
	}
	now := time.Now().UTC()
	if _, err := authority.RevocationList(t.Context(), &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: now, NextUpdate: now.AddDate(0, 1, 0),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: dsc.SerialNumber, RevocationTime: now, ReasonCode: 1}},
	}); err != nil {
		t.Error(err)
	}
	body := map[string]any{"csr": "x", "not_after": "2030-01-01T00:00:00Z", "common_name": "x"}
	for _, path := range []string{
		"pki-csca/root/sign-intermediate", "pki-csca/issuer/default/sign-intermediate", "pki-csca/sign-verbatim",
		"pki-csca/issuer/default/sign-verbatim", "pki-csca/root/generate/exported", "pki-csca/config/ca", "pki-csca/root",
	} {
		if status, _ := site.As(token, http.MethodPost, path, body); status != http.StatusForbidden {
			t.Errorf("%s: %d, want 403", path, status)
		}
	}
}

func cscaToken(t *testing.T, site *vaulttest.Site) string {
	t.Helper()
	answer := site.Root(http.MethodPost, "auth/token/create", map[string]any{"policies": []string{"ddcc-csca"}, "no_default_policy": true})
	auth, _ := answer["auth"].(map[string]any)
	token, _ := auth["client_token"].(string)
	return token
}

// client is a client as the ceremony has it.
func client(t *testing.T, site *vaulttest.Site, token string) *api.Client {
	t.Helper()
	c := api.DefaultConfig()
	c.Address = site.Address
	if err := c.ConfigureTLS(&api.TLSConfig{CACert: site.CAFile}); err != nil {
		t.Fatal(err)
	}
	made, err := api.NewClient(c)
	if err != nil {
		t.Fatal(err)
	}
	made.SetToken(token)
	return made
}

func privateKeyUsage(t *testing.T) pkix.Extension {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Second)
	value, err := asn1.Marshal(struct {
		NotBefore time.Time `asn1:"tag:0,generalized"`
		NotAfter  time.Time `asn1:"tag:1,generalized"`
	}{now, now.AddDate(0, 6, 0)})
	if err != nil {
		t.Fatal(err)
	}
	return pkix.Extension{Id: oidPrivateKeyUsage, Value: value}
}

func extended(t *testing.T, oid asn1.ObjectIdentifier) pkix.Extension {
	t.Helper()
	value, err := asn1.Marshal([]asn1.ObjectIdentifier{oid})
	if err != nil {
		t.Fatal(err)
	}
	return pkix.Extension{Id: oidExtKeyUsage, Value: value}
}
