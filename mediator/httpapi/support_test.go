package httpapi_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/fhir/ccda"
	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/mediator"
	"github.com/trustedparty/ddcc-gateway/mediator/httpapi"
)

const (
	id      = "018f3b5e-7c1a-7b2d-8e4f-0123456789ab"
	folder  = "018f3b5e-7c1a-7b2d-8e4f-0123456789ac"
	picture = "018f3b5e-7c1a-7b2d-8e4f-0123456789ad"
	other   = "018f3b5e-7c1a-7b2d-8e4f-0123456789ae"
)

// document is what the fakes give back; nothing of it may be logged.
const document = `{"resourceType":"Bundle","id":"` + id + `","link":"Zoe Specimen"}`

var errNotFound = fault.New(fault.NotFound, "not-found", "There is no such resource for this issuer.")

// fake stands for everything behind the edge and records what reaches it.
type fake struct {
	mu       sync.Mutex
	asked    []string // name of each call
	options  mediator.Options
	body     []byte
	language string
	reason   string
	err      error
	issued   mediator.Generated
	results  []mediator.EntryResult
	found    mediator.Converted
	folder   mediator.Folder
	more     bool
}

func (f *fake) call(name string, by string, raw []byte, o mediator.Options) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, name+" "+by)
	if raw != nil {
		f.body, f.options = raw, o
	}
	return f.err
}

func (f *fake) calls() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.asked...)
}

func (f *fake) Generate(_ context.Context, by mediator.IssuerPolicy, raw []byte, o mediator.Options, _ ...mediator.Kind) (mediator.Generated, error) {
	return f.issued, f.call("generate", by.ID, raw, o)
}

func (f *fake) Validate(_ context.Context, by mediator.IssuerPolicy, raw []byte, o mediator.Options, _ ...mediator.Kind) ([]fault.Issue, error) {
	return nil, f.call("validate", by.ID, raw, o)
}

func (f *fake) Submit(_ context.Context, by mediator.IssuerPolicy, raw []byte, o mediator.Options) ([]mediator.EntryResult, error) {
	return f.results, f.call("submit", by.ID, raw, o)
}

func (f *fake) System(_ context.Context, by mediator.IssuerPolicy, raw []byte, o mediator.Options) (string, []mediator.EntryResult, error) {
	return mediator.TypeTransaction, f.results, f.call("system", by.ID, raw, o)
}

func (f *fake) GenerateFolderFromCCDA(_ context.Context, by mediator.IssuerPolicy, raw []byte, o mediator.Options) (mediator.Folder, error) {
	return f.folder, f.call("ccda", by.ID, raw, o)
}

func (f *fake) ConvertCCDA(by mediator.IssuerPolicy, raw []byte, _ ccda.BundleType) ([]byte, []fault.Issue, error) {
	return []byte(`{}`), nil, f.call("convertCCDA", by.ID, raw, mediator.Options{})
}

func (f *fake) Notify(_ context.Context, by mediator.IssuerPolicy, kind, id string, raw []byte, o mediator.Options) (mediator.Notice, error) {
	return mediator.Notice{Folder: f.folder}, f.call("notify "+kind+" "+id, by.ID, raw, o)
}

func (f *fake) ValidateBatch(_ context.Context, by mediator.IssuerPolicy, raw []byte, o mediator.Options) ([]fault.Issue, error) {
	return nil, f.call("validateBatch", by.ID, raw, o)
}

func (f *fake) GenerateFolder(_ context.Context, by mediator.IssuerPolicy, raw []byte, o mediator.Options) (mediator.Folder, error) {
	return f.folder, f.call("folder", by.ID, raw, o)
}

func (f *fake) Convert(_ context.Context, by mediator.IssuerPolicy, raw []byte, o mediator.Options) (mediator.Converted, error) {
	return f.found, f.call("convert", by.ID, raw, o)
}

// The reader knows one certificate, of the issuer "clinic".
func (f *fake) Get(_ context.Context, by issuance.Issuer, key string) (issuance.Issued, error) {
	return f.read("get", by, key, id)
}

func (f *fake) GetByReference(_ context.Context, by issuance.Issuer, key string) (issuance.Issued, error) {
	return f.read("reference", by, key, picture)
}

func (f *fake) read(name string, by issuance.Issuer, key, known string) (issuance.Issued, error) {
	if err := f.call(name, by.ID, nil, mediator.Options{}); err != nil {
		return issuance.Issued{}, err
	}
	if key != known || by.ID != "clinic" {
		return issuance.Issued{}, errNotFound
	}
	return certificate(), nil
}

func (f *fake) Folder(_ context.Context, by issuance.Issuer, key string) ([]issuance.FolderEntry, error) {
	if err := f.call("list", by.ID, nil, mediator.Options{}); err != nil {
		return nil, err
	}
	if key != folder || by.ID != "clinic" {
		return nil, errNotFound
	}
	return []issuance.FolderEntry{{ID: id, IssuedAt: time.Unix(0, 0)}}, nil
}

func (f *fake) Card(_ context.Context, by issuance.Issuer, key, language string) ([]byte, error) {
	if err := f.call("card", by.ID, nil, mediator.Options{}); err != nil {
		return nil, err
	}
	f.mu.Lock()
	f.language = language
	f.mu.Unlock()
	if key != id || by.ID != "clinic" {
		return nil, errNotFound
	}
	return []byte("%PDF-1.7 Zoe Specimen"), nil
}

func (f *fake) Revoke(_ context.Context, by issuance.Issuer, key, reason string) error {
	f.mu.Lock()
	f.reason = reason
	f.mu.Unlock()
	if err := f.call("revoke", by.ID, nil, mediator.Options{}); err != nil {
		return err
	}
	if key != id || by.ID != "clinic" {
		return errNotFound
	}
	return nil
}

func (f *fake) Admit(by mediator.IssuerPolicy, _ int) error {
	return f.call("admit", by.ID, nil, mediator.Options{})
}

func (f *fake) RevokeByKey(_ context.Context, by issuance.Issuer, _ []byte, _ string, limit int) (issuance.KeyRevocation, error) {
	return issuance.KeyRevocation{Revoked: limit, More: f.more}, f.call("revokeByKey", by.ID, nil, mediator.Options{})
}

func (f *fake) ApplePass(_ context.Context, by issuance.Issuer, key, language string, birthDate bool) ([]byte, error) {
	if err := f.call("apple", by.ID, nil, mediator.Options{}); err != nil {
		return nil, err
	}
	if key != picture || by.ID != "clinic" {
		return nil, errNotFound
	}
	return fmt.Appendf(nil, "pass in %s, birth date %t", language, birthDate), nil
}

func (f *fake) GoogleJWT(_ context.Context, by issuance.Issuer, key, language string) (string, error) {
	if err := f.call("google", by.ID, nil, mediator.Options{}); err != nil {
		return "", err
	}
	if key != picture || by.ID != "clinic" {
		return "", errNotFound
	}
	return "e30.e30." + language, nil
}

// certificate is issued in two formats.
func certificate() issuance.Issued {
	return issuance.Issued{
		ID: id, FolderID: folder, ReferenceID: picture, Text: "HC1:NCF", Profile: "who-ddcc-vs", Document: []byte(document),
		IssuedAt: time.Unix(0, 0), ExpiresAt: time.Unix(3600, 0),
		Beside: []issuance.Certificate{{Format: issuance.FormatSHC, Profile: "shc-immunization", ReferenceID: other, Text: "shc:/5676", ExpiresAt: time.Unix(3600, 0)}},
	}
}

// edge is the routes with their log.
type edge struct {
	*fake
	engine *gin.Engine
	log    *bytes.Buffer
	chains map[string][]*x509.Certificate
	deps   httpapi.Deps
}

func newEdge(t testing.TB) *edge {
	t.Helper()
	e := &edge{fake: &fake{issued: mediator.Generated{Issued: certificate()}, folder: mediator.Folder{ID: folder}}, log: &bytes.Buffer{}, chains: map[string][]*x509.Certificate{}}
	ca, err := devpki.NewCA(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	policy := mediator.Policy{Authorities: []mediator.AuthorityPolicy{{ID: "moh", Name: "Ministry"}}}
	for _, name := range []string{"clinic", "neighbour", "nobody"} {
		cert, _, err := ca.Issue("urn:" + name)
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(cert)
		leaf, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		e.chains[name] = []*x509.Certificate{leaf}
		if name != "nobody" {
			policy.Issuers = append(policy.Issuers, mediator.IssuerPolicy{
				ID: name, Certificate: "urn:" + name, Profiles: []string{"p"}, Authorities: []string{"moh"}, Rate: 1, Burst: 1,
			})
		}
	}
	issuers, err := mediator.NewIssuers(policy)
	if err != nil {
		t.Fatal(err)
	}
	e.engine, err = httpx.NewEngine(httpx.EngineOptions{
		Log: slog.New(slog.NewJSONHandler(e.log, &slog.HandlerOptions{Level: slog.LevelDebug})), MaxBody: httpapi.MaxBatch, Render: httpapi.Render,
	})
	if err != nil {
		t.Fatal(err)
	}
	e.deps = httpapi.Deps{
		Mediator: e.fake, Reader: e.fake, Revoker: e.fake, Issuers: issuers, Version: "test",
		NewID: func() string { return other }, Clock: func() time.Time { return time.Unix(0, 0) },
	}
	httpapi.Register(e.engine, e.deps)
	return e
}

// send is one request as an issuer; header holds pairs of names and values.
func (e *edge) send(t testing.TB, issuer, method, path, body string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequest(method, "https://gateway.test/", strings.NewReader(body))
	target, err := req.URL.Parse(path)
	if err != nil {
		t.Fatal(err)
	}
	req.URL, req.TLS = target, &tls.ConnectionState{}
	if chain := e.chains[issuer]; chain != nil {
		req.TLS.VerifiedChains = [][]*x509.Certificate{chain}
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/fhir+json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	e.engine.ServeHTTP(w, req)
	return w
}

// refused insists on a status and an OperationOutcome that repeats nothing.
func refused(t testing.TB, w *httptest.ResponseRecorder, status int) {
	t.Helper()
	var outcome struct {
		ResourceType string
		Issue        []struct{ Severity string }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &outcome); err != nil || outcome.ResourceType != "OperationOutcome" || len(outcome.Issue) == 0 || w.Code != status {
		t.Errorf("status %d, want %d: %.300s", w.Code, status, w.Body)
	}
	if strings.Contains(w.Body.String(), "Specimen") {
		t.Error("the refusal shows a person")
	}
}
