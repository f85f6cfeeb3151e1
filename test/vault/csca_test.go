package vault_test

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"net/http"
	"slices"
	"testing"
	"time"

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
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject:         pkix.Name{Country: []string{"XX"}, Organization: []string{"Test"}, CommonName: "DSC 1"},
		ExtraExtensions: []pkix.Extension{privateKeyUsage(t), extended(t, oid)},
	}, keystore.NewSigner(t.Context(), maker, ref, public))
	if err != nil {
		t.Fatal(err)
	}
	token := site.Root(http.MethodPost, "auth/token/create", map[string]any{"policies": []string{"ddcc-csca"}, "no_default_policy": true})
	auth, _ := token["auth"].(map[string]any)
	text, _ := auth["client_token"].(string)
	status, answer := site.As(text, http.MethodPost, "pki-csca/sign-verbatim/ddcc-dsc", map[string]any{
		"csr": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: request})),
		"ttl": "17520h", "key_usage": "DigitalSignature", "ext_key_usage": "",
	})
	if status != http.StatusOK {
		t.Fatalf("%d %v", status, answer["errors"])
	}
	dsc, csca := certificate(t, answer.Data().Text("certificate")), certificate(t, answer.Data().Text("issuing_ca"))
	if err := dsc.CheckSignatureFrom(csca); err != nil {
		t.Error(err)
	}
	if !public.Equal(dsc.PublicKey) || dsc.IsCA || dsc.KeyUsage != x509.KeyUsageDigitalSignature || !csca.MaxPathLenZero {
		t.Errorf("CA %t, key usage %v, path length zero %t", dsc.IsCA, dsc.KeyUsage, csca.MaxPathLenZero)
	}
	if !slices.ContainsFunc(dsc.UnknownExtKeyUsage, oid.Equal) || len(dsc.ExtKeyUsage) > 0 {
		t.Errorf("extended key usages %v %v", dsc.ExtKeyUsage, dsc.UnknownExtKeyUsage)
	}
	if !slices.ContainsFunc(dsc.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(oidPrivateKeyUsage) }) {
		t.Error("no private key usage period")
	}
	for name, tc := range map[string]struct{ path, member string }{
		"the CA's own signature": {"pki-csca/root/sign-intermediate", "csr"},
		"another role":           {"pki-csca/sign-verbatim", "csr"},
		"another usage":          {"pki-csca/sign-verbatim/ddcc-dsc", "signature_bits"},
		"the CA's key":           {"pki-csca/root/generate/exported", "common_name"},
	} {
		if status, _ := site.As(text, http.MethodPost, tc.path, map[string]any{tc.member: "x", "ttl": "1h"}); status != http.StatusForbidden {
			t.Errorf("%s: %d, want 403", name, status)
		}
	}
}

func certificate(t *testing.T, text string) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		t.Fatal("no certificate in the answer")
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c
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
