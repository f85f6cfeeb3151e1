package vaultpki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"
)

var now = time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)

// stub answers like one path of Vault and keeps what it was asked.
type stub struct {
	path   string
	asked  map[string]any
	answer func() (int, map[string]any)
}

func (s *stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.path = r.URL.Path
	raw, _ := io.ReadAll(r.Body)
	_ = json.Unmarshal(raw, &s.asked)
	status, data := s.answer()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"data": data})
}

func open(t *testing.T, s *stub) *Authority {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	config := api.DefaultConfig()
	config.Address, config.MaxRetries = server.URL, 0
	client, err := api.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	client.SetToken("s.secret-token")
	authority, err := New(client, "country/pki", "csca-2026")
	if err != nil {
		t.Fatal(err)
	}
	return authority
}

func selfSigned(t *testing.T) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "Test CSCA"}, NotBefore: now, NotAfter: now.AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageCRLSign, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate, key
}

func encode(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func TestCertificateAndCertify(t *testing.T) {
	t.Parallel()
	certificate, key := selfSigned(t)
	s := &stub{answer: func() (int, map[string]any) {
		return http.StatusOK, map[string]any{"certificate": encode("CERTIFICATE", certificate.Raw)}
	}}
	authority := open(t, s)
	if authority.Verbatim() {
		t.Error("the engine signs nothing verbatim")
	}
	if got, err := authority.Certificate(t.Context()); err != nil || !got.Equal(certificate) || s.path != "/v1/country/pki/issuer/csca-2026/json" {
		t.Errorf("%s: %v", s.path, err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	request, err := x509.ParseCertificateRequest(der)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := authority.Certify(t.Context(), certificate, request); err != nil || !got.Equal(certificate) {
		t.Error(err)
	}
	if s.path != "/v1/country/pki/issuer/csca-2026/sign-verbatim" {
		t.Error(s.path)
	}
	if s.asked["csr"] != encode("CERTIFICATE REQUEST", der) || s.asked["not_after"] != "2027-11-21T09:30:00Z" {
		t.Errorf("asked %v", s.asked)
	}
}

func TestRevocationList(t *testing.T) {
	t.Parallel()
	certificate, key := selfSigned(t)
	template := &x509.RevocationList{
		Number: big.NewInt(3), ThisUpdate: now, NextUpdate: now.Add(90 * 24 * time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{
			{SerialNumber: big.NewInt(0x0abc), RevocationTime: now, ReasonCode: 1},
			{SerialNumber: big.NewInt(0x0d), RevocationTime: now},
		},
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	s := &stub{answer: func() (int, map[string]any) { return http.StatusOK, map[string]any{"crl": encode("X509 CRL", der)} }}
	list, err := open(t, s).RevocationList(t.Context(), template)
	if err != nil || !slices.Equal(list.Raw, der) || s.path != "/v1/country/pki/issuer/csca-2026/sign-revocation-list" {
		t.Errorf("%s: %v", s.path, err)
	}
	raw, err := json.Marshal(s.asked)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"crl_number":3,"format":"pem","next_update":"7776000s","revoked_certs":[` +
		`{"extensions":[{"critical":false,"id":"2.5.29.21","value":"CgEB"}],"revocation_time":"2026-11-21T09:30:00Z","serial_number":"0a:bc"},` +
		`{"revocation_time":"2026-11-21T09:30:00Z","serial_number":"0d"}]}`
	if string(raw) != want {
		t.Errorf("asked %s\nwant  %s", raw, want)
	}
}

func TestAnswersThatAreNotWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func() (int, map[string]any){
		"refused":       func() (int, map[string]any) { return http.StatusForbidden, nil },
		"sealed":        func() (int, map[string]any) { return http.StatusServiceUnavailable, nil },
		"not found":     func() (int, map[string]any) { return http.StatusNotFound, nil },
		"nothing":       func() (int, map[string]any) { return http.StatusOK, nil },
		"no text":       func() (int, map[string]any) { return http.StatusOK, map[string]any{"certificate": 1, "crl": 1} },
		"no PEM":        func() (int, map[string]any) { return http.StatusOK, map[string]any{"certificate": "x", "crl": "x"} },
		"another block": otherBlock, "no DER": noDER,
	} {
		authority := open(t, &stub{answer: answer})
		_, readErr := authority.Certificate(t.Context())
		_, certifyErr := authority.Certify(t.Context(), &x509.Certificate{}, &x509.CertificateRequest{})
		_, listErr := authority.RevocationList(t.Context(), &x509.RevocationList{Number: big.NewInt(1)})
		for _, err := range []error{readErr, certifyErr, listErr} {
			if err == nil || strings.Contains(err.Error(), "secret-token") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func otherBlock() (int, map[string]any) {
	text := encode("PRIVATE KEY", []byte{0x30, 0})
	return http.StatusOK, map[string]any{"certificate": text, "crl": text}
}

func noDER() (int, map[string]any) {
	return http.StatusOK, map[string]any{"certificate": encode("CERTIFICATE", []byte{1}), "crl": encode("X509 CRL", []byte{1})}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for _, names := range [][2]string{{"", "default"}, {"pki", ""}, {"../sys", "default"}, {"pki/", "default"}, {"pki", "a/b"}, {"pki?x", "default"}} {
		if _, err := New(nil, names[0], names[1]); err == nil {
			t.Errorf("%q is accepted", names)
		}
	}
}
