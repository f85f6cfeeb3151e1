// Package gatewaytest is a stand-in for a DGCG or TNG gateway. It checks what the real one
// checks and can be told to fail. Nothing but tests imports it.
package gatewaytest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"log"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/cms"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/foreign/pinned"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
)

// Now is the time at which client and server of a test live, inside the dates of the
// certificates of trusttest.
var Now = trusttest.Start.AddDate(0, 2, 0)

// Columns of the database, in characters of base64.
const (
	maxRawData   = 4096
	maxSignature = 6000
)

// Country is an onboarded country with all its keys.
type Country struct {
	Code   string
	CSCA   trusttest.Pair
	Upload trusttest.Pair
	TLS    *tls.Certificate // client certificate
}

// DSC makes a certificate of the country.
func (c Country) DSC(t testing.TB, changes ...trusttest.Change) trusttest.Pair {
	t.Helper()
	return c.CSCA.DSC(t, append([]trusttest.Change{Of(c.Code)}, changes...)...)
}

// Message makes the CMS that uploads a certificate.
func (c Country) Message(t testing.TB, dsc trusttest.Pair) []byte {
	t.Helper()
	raw, err := cms.Sign(dsc.Cert.Raw, c.Upload.Cert, c.Upload.Key, Now)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Of makes a certificate one of a country.
func Of(code string) trusttest.Change {
	return func(c *x509.Certificate) { c.Subject.Country = []string{code} }
}

// Fault is what happens to one request instead of the right answer.
type Fault struct {
	Status     int    // answered without doing anything; 0: see the others
	Code       string // of the ProblemReport
	RetryAfter string
	Location   string
	Body       []byte // instead of a ProblemReport

	Hang      bool // no answer until the client goes away
	Drop      bool // the connection is cut before anything is done
	DropAfter bool // the connection is cut after all is done
}

// Server is a gateway on loopback. It is safe for concurrent use.
type Server struct {
	URL    string
	Anchor trusttest.Pair // signs CSCA and upload certificates of the list

	now                time.Time
	serverCA, clientCA trusttest.Pair
	certificate        *x509.Certificate // of the server

	mu        sync.Mutex
	clients   map[[32]byte]string // country by thumbprint
	countries map[string]Country
	stored    map[[32]byte]entry
	faults    []Fault
	requests  int
	created   int
}

// entry is a stored DSC.
type entry struct {
	country     string
	certificate *x509.Certificate
	signature   []byte // detached
}

// New starts a gateway that lives at Now and that nobody is onboarded to.
func New(t testing.TB) *Server {
	t.Helper()
	return NewAt(t, Now)
}

// NewAt starts a gateway that lives at another time, e.g. that of a program under test.
func NewAt(t testing.TB, now time.Time) *Server {
	t.Helper()
	life := trusttest.Validity(now.AddDate(0, -2, 0), now.AddDate(3, 0, 0))
	s := &Server{
		now: now, Anchor: trusttest.CSCA(t, life), serverCA: trusttest.CSCA(t, life), clientCA: trusttest.CSCA(t, life),
		clients: map[[32]byte]string{}, countries: map[string]Country{}, stored: map[[32]byte]entry{},
	}
	own := s.issue(t, s.serverCA, "XX", x509.ExtKeyUsageServerAuth, now.AddDate(0, 6, 0))
	s.certificate = own.Leaf
	pool := x509.NewCertPool()
	pool.AddCert(s.clientCA.Cert)
	server := httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{*own},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, Time: func() time.Time { return now },
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// Onboard makes a country with its CSCA, upload certificate and client certificate.
func (s *Server) Onboard(t testing.TB, code string) Country {
	t.Helper()
	return s.Register(t, Country{
		Code: code, CSCA: trusttest.CSCA(t, Of(code)),
		Upload: trusttest.CSCA(t, Of(code), func(c *x509.Certificate) {
			c.IsCA, c.MaxPathLenZero, c.KeyUsage, c.Subject.CommonName = false, false, x509.KeyUsageDigitalSignature, "Upload"
		}),
	})
}

// Register onboards a country that has its own keys; of the CSCA the certificate suffices.
// A client certificate is made if there is none.
func (s *Server) Register(t testing.TB, c Country) Country {
	t.Helper()
	if c.TLS == nil {
		c.TLS = s.ClientCertificate(t, c.Code, s.now.AddDate(1, 0, 0))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.countries[c.Code] = c
	s.clients[sha256.Sum256(c.TLS.Certificate[0])] = c.Code
	return c
}

// ClientCertificate makes one that the TLS layer accepts until a time, but that is not
// registered.
func (s *Server) ClientCertificate(t testing.TB, code string, until time.Time) *tls.Certificate {
	t.Helper()
	return s.issue(t, s.clientCA, code, x509.ExtKeyUsageClientAuth, until)
}

// CA gives the certificate that signs the server's.
func (s *Server) CA() *x509.Certificate { return s.serverCA.Cert }

// TLS gives the settings of a client of the country.
func (s *Server) TLS(c Country) pinned.Options {
	roots := x509.NewCertPool()
	roots.AddCert(s.serverCA.Cert)
	return pinned.Options{
		Roots: roots, Pins: []pinned.Pin{pinned.PinOf(s.certificate)},
		ClientCertificate: func() (*tls.Certificate, error) { return c.TLS, nil },
	}
}

// Next plans the faults of the next requests, one each.
func (s *Server) Next(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, faults...)
}

// Requests counts those that reached the gateway.
func (s *Server) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// Created counts the uploads that were stored.
func (s *Server) Created() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.created
}

// Has says whether a certificate is on the list.
func (s *Server) Has(certificate *x509.Certificate) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, there := s.stored[sha256.Sum256(certificate.Raw)]
	return there
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests++
	var planned Fault
	if len(s.faults) > 0 {
		planned, s.faults = s.faults[0], s.faults[1:]
	}
	s.mu.Unlock()
	switch {
	case planned.Hang:
		_, _ = io.Copy(io.Discard, r.Body) // else the server does not notice that the client left
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case planned.Drop:
		panic(http.ErrAbortHandler)
	case planned.Status != 0:
		planned.answer(w)
		return
	}
	status, code, body := s.handle(r)
	if planned.DropAfter {
		panic(http.ErrAbortHandler)
	}
	if code != "" {
		Fault{Status: status, Code: code}.answer(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) //nolint:gosec // G705: JSON for a test client, from the test's own certificates
}

func (f Fault) answer(w http.ResponseWriter) {
	for name, value := range map[string]string{"Retry-After": f.RetryAfter, "Location": f.Location} {
		if value != "" {
			w.Header().Set(name, value)
		}
	}
	body := f.Body
	if body == nil && f.Code != "" {
		body, _ = json.Marshal(map[string]string{"code": f.Code, "problem": "planned", "sendValue": "secret value", "details": "secret detail"})
	}
	w.WriteHeader(f.Status)
	_, _ = w.Write(body)
}

// handle gives status and, for a failure, the code.
func (s *Server) handle(r *http.Request) (int, string, []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	code, known := s.clients[sha256.Sum256(r.TLS.PeerCertificates[0].Raw)]
	if !known {
		return http.StatusUnauthorized, "0x402", nil
	}
	path := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case r.Method == http.MethodGet && path[0] == "trustList" && len(path) <= 3:
		return http.StatusOK, "", s.list(path[1:])
	case r.Method == http.MethodPost && r.URL.Path == "/signerCertificate":
		status, problem := s.upload(r, s.countries[code])
		return status, problem, nil
	case r.Method == http.MethodDelete && r.URL.Path == "/signerCertificate",
		r.Method == http.MethodPost && r.URL.Path == "/signerCertificate/delete":
		status, problem := s.remove(r, s.countries[code])
		return status, problem, nil
	}
	return http.StatusNotFound, "", nil
}

// read checks everything that upload and withdrawal have in common.
func read(r *http.Request, country Country, invalid string) (*x509.Certificate, int, string) {
	if r.Header.Get("Content-Type") != "application/cms" {
		return nil, http.StatusUnsupportedMediaType, "0x402"
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, http.StatusBadRequest, "0x402"
	}
	raw, err := base64.StdEncoding.DecodeString(string(body))
	if err != nil {
		return nil, http.StatusBadRequest, "0x402"
	}
	message, err := cms.Verify(raw)
	if err != nil || message.Certificates != 1 {
		return nil, http.StatusBadRequest, "0x402"
	}
	dsc, err := x509.ParseCertificate(message.Content)
	if err != nil {
		return nil, http.StatusBadRequest, "0x402"
	}
	if !message.Signer.Equal(country.Upload.Cert) || !slices.Equal(dsc.Subject.Country, []string{country.Code}) {
		return nil, http.StatusBadRequest, invalid
	}
	return dsc, 0, ""
}

func (s *Server) upload(r *http.Request, country Country) (int, string) {
	dsc, status, code := read(r, country, "0x004")
	if dsc == nil {
		return status, code
	}
	if dsc.CheckSignatureFrom(country.CSCA.Cert) != nil {
		return http.StatusBadRequest, "0x004"
	}
	for _, other := range s.stored {
		switch {
		case other.certificate.Equal(dsc):
			return http.StatusConflict, "0x002"
		case bytes.Equal(trust.KID(other.certificate), trust.KID(dsc)):
			return http.StatusBadRequest, "0x004"
		}
	}
	signature, err := cms.SignDetached(dsc.Raw, country.Upload.Cert, country.Upload.Key, s.now)
	if err != nil || base64.StdEncoding.EncodedLen(len(dsc.Raw)) > maxRawData || base64.StdEncoding.EncodedLen(len(signature)) > maxSignature {
		return http.StatusInternalServerError, "0x003"
	}
	s.stored[sha256.Sum256(dsc.Raw)] = entry{country.Code, dsc, signature}
	s.created++
	return http.StatusCreated, ""
}

func (s *Server) remove(r *http.Request, country Country) (int, string) {
	dsc, status, code := read(r, country, "0x007")
	if dsc == nil {
		return status, code
	}
	thumbprint := sha256.Sum256(dsc.Raw)
	if _, there := s.stored[thumbprint]; !there {
		return http.StatusNotFound, "0x005"
	}
	delete(s.stored, thumbprint)
	return http.StatusNoContent, ""
}

// list writes /trustList with the filters type and country.
func (s *Server) list(filter []string) []byte {
	out := []map[string]string{}
	add := func(kind, country string, certificate *x509.Certificate, signature []byte) {
		if len(filter) > 0 && filter[0] != kind || len(filter) > 1 && filter[1] != country {
			return
		}
		sum := sha256.Sum256(certificate.Raw)
		out = append(out, map[string]string{
			"kid": base64.StdEncoding.EncodeToString(sum[:8]), "timestamp": s.now.Format(time.RFC3339), "country": country,
			"certificateType": kind, "thumbprint": hex.EncodeToString(sum[:]),
			"signature": base64.StdEncoding.EncodeToString(signature), "rawData": base64.StdEncoding.EncodeToString(certificate.Raw),
		})
	}
	for _, code := range slices.Sorted(maps.Keys(s.countries)) {
		country := s.countries[code]
		for kind, certificate := range map[string]*x509.Certificate{"UPLOAD": country.Upload.Cert, "CSCA": country.CSCA.Cert} {
			signature, err := cms.SignDetached(certificate.Raw, s.Anchor.Cert, s.Anchor.Key, s.now)
			if err == nil {
				add(kind, code, certificate, signature)
			}
		}
	}
	for _, one := range s.stored {
		add("DSC", one.country, one.certificate, one.signature)
	}
	raw, _ := json.Marshal(out) // strings alone
	return raw
}

func (s *Server) issue(t testing.TB, ca trusttest.Pair, country string, usage x509.ExtKeyUsage, until time.Time) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 100))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{Country: []string{country}, CommonName: "TLS"},
		NotBefore: s.now.AddDate(0, -2, 0), NotAfter: until, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{usage},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.Cert, key.Public(), ca.Key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}
