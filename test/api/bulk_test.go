package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/mediator"
	"github.com/trustedparty/ddcc-gateway/mediator/bulk"
	bulkapi "github.com/trustedparty/ddcc-gateway/mediator/bulk/httpapi"
	mediatorapi "github.com/trustedparty/ddcc-gateway/mediator/httpapi"
)

const pathBulk = "/ddcc/$bulk-issue"

// oneLine certifies every line but those that say "bad", and has one document.
type oneLine struct{ id string }

// Generate implements bulk.Generator.
func (o oneLine) Generate(_ context.Context, _ mediator.IssuerPolicy, raw []byte, _ mediator.Options, _ ...mediator.Kind) (mediator.Generated, error) {
	if bytes.Contains(raw, []byte("bad")) {
		return mediator.Generated{}, fault.New(fault.Rule, "invalid-content", "no").With(fault.Issue{Path: "QuestionnaireResponse.item[0]", Rule: "required", Detail: "missing", Fix: "add"})
	}
	return mediator.Generated{Issued: issuance.Issued{ID: o.id, FolderID: newID()}}, nil
}

// Get implements bulk.Documents.
func (o oneLine) Get(_ context.Context, issuer issuance.Issuer, id string) (issuance.Issued, error) {
	if issuer.ID != "demo-clinic" || id != o.id {
		return issuance.Issued{}, fault.New(fault.NotFound, "not-found", "no")
	}
	return issuance.Issued{Document: []byte(`{"resourceType":"Bundle"}`)}, nil
}

func (s spec) serveBulk(t *testing.T, p pki, store docstore.Store) (url string, jobs *bulk.Service) {
	t.Helper()
	issuers, err := mediator.NewIssuers(issuerPolicy())
	if err != nil {
		t.Fatal(err)
	}
	line := oneLine{id: newID()}
	jobs, err = bulk.New(bulk.Deps{
		Store: store, Secret: secret, Generator: line, Issuers: issuers, Documents: line, Clock: time.Now, NewID: newID, OpenJobs: 2,
		Report: func(err error) { t.Errorf("%v", err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	engine := newEngine(t, mediatorapi.MaxBatch, mediatorapi.Render)
	bulkapi.Register(engine, bulkapi.Deps{Jobs: heldJobs{jobs}, Documents: line, Authenticate: mediatorapi.Authenticator(issuers, nil), Issuer: mediatorapi.Issuer})
	s.sameRoutes(t, engine.Routes())
	return p.serve(t, engine), jobs
}

// heldJobs give the results of held jobs no end.
type heldJobs struct{ *bulk.Service }

// held is the job, if any, whose downloads are under way until the test ends.
var held sync.Map

// Each implements bulkapi.Jobs.
func (h heldJobs) Each(ctx context.Context, j bulk.Job, do func(bulk.Result) error) error {
	if began, ok := held.Load(j.ID); ok {
		began.(chan struct{}) <- struct{}{} //nolint:forcetypeassert // the only type there
		<-ctx.Done()
		return ctx.Err()
	}
	return h.Service.Each(ctx, j, do)
}

// tooManyDownloads fetches as many files at a time as an issuer may, and one more.
func (s spec) tooManyDownloads(t *testing.T, url, job string, issuer *http.Client) {
	t.Helper()
	began := make(chan struct{})
	held.Store(strings.TrimPrefix(job, pathBulk+"/"), began)
	ctx, cancel := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+job+"/lines.ndjson", nil)
			if err != nil {
				t.Error(err)
				return
			}
			if answer, err := issuer.Do(r); err == nil {
				_ = answer.Body.Close()
			}
		})
		<-began
	}
	s.do(t, url, exchange{method: http.MethodGet, path: job + "/lines.ndjson", client: issuer, want: 429})
	cancel()
	wait.Wait()
}

func asyncHeader(kind string, more ...string) map[string]string {
	h := map[string]string{"Content-Type": kind, "Prefer": "respond-async"}
	for i := 0; i+1 < len(more); i += 2 {
		h[more[i]] = more[i+1]
	}
	return h
}

const ndjson = "application/fhir+ndjson"

// TestBulkIssue: a file becomes a job, the job a manifest, the manifest files.
func TestBulkIssue(t *testing.T) {
	t.Parallel()
	p, s := newPKI(t), load(t, "bulk.yaml")
	url, jobs := s.serveBulk(t, p, newStore(t, "bulk.db"))
	issuer, other := p.client(t, devpki.IssuerName), p.client(t, otherIssuer)
	post := exchange{method: http.MethodPost, path: pathBulk, header: asyncHeader(ndjson, "Idempotency-Key", "k"), body: []byte("{}\n{\"bad\":1}\n"), client: issuer, want: 202}
	header, _ := s.do(t, url, post)
	job := header.Get("Content-Location")
	if again, _ := s.do(t, url, post); again.Get("Content-Location") != job {
		t.Error("the same key has another job")
	}
	get := exchange{method: http.MethodGet, path: job, client: issuer, want: 202}
	s.do(t, url, get)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { _ = jobs.Run(ctx) }()
	awaitJob(t, jobs, job)
	get.want = 200
	_, body := s.do(t, url, get)
	var m struct {
		Output, Error []struct {
			URL   string
			Count int
		}
	}
	if err := json.Unmarshal(body, &m); err != nil || len(m.Output) != 2 || len(m.Error) != 1 {
		t.Fatalf("%v %s", err, body)
	}
	want := map[string]string{"lines": `"status","valueString":"422"`, "documents": `{"resourceType":"Bundle"}`, "errors": `"line(2).QuestionnaireResponse.item[0]"`}
	for _, f := range append(m.Output, m.Error...) {
		_, file := s.do(t, url, exchange{method: http.MethodGet, path: f.URL, client: issuer, want: 200})
		name := strings.TrimSuffix(f.URL[strings.LastIndexByte(f.URL, '/')+1:], ".ndjson")
		if bytes.Count(file, []byte("\n")) != f.Count || !bytes.Contains(file, []byte(want[name])) {
			t.Errorf("%s: %s", name, file)
		}
	}
	for _, path := range []string{job, job + "/lines.ndjson"} {
		s.do(t, url, exchange{method: http.MethodGet, path: path, client: other, want: 404})
	}
	s.do(t, url, exchange{method: http.MethodGet, path: job + "/other", client: issuer, want: 404})
	s.tooManyDownloads(t, url, job, issuer)
	s.do(t, url, exchange{method: http.MethodDelete, path: job, client: other, want: 404})
	s.do(t, url, exchange{method: http.MethodDelete, path: job, client: issuer, want: 202})
}

func awaitJob(t *testing.T, jobs *bulk.Service, job string) {
	t.Helper()
	for range 200 {
		j, err := jobs.Get(t.Context(), "demo-clinic", strings.TrimPrefix(job, pathBulk+"/"))
		if err != nil {
			t.Fatal(err)
		}
		if j.State == bulk.StateDone {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the job does not end")
}

func TestBulkRefusals(t *testing.T) {
	t.Parallel()
	p, s := newPKI(t), load(t, "bulk.yaml")
	store := newStore(t, "bulk.db")
	url, _ := s.serveBulk(t, p, store)
	issuer, nobody, stranger := p.client(t, devpki.IssuerName), p.client(t, ""), p.client(t, "urn:nobody")
	send := func(method, path string, client *http.Client, header map[string]string, body string, want int) http.Header {
		t.Helper()
		got, _ := s.do(t, url, exchange{method: method, path: path, client: client, header: header, body: []byte(body), want: want, lenient: true})
		return got
	}
	send(http.MethodPost, pathBulk, issuer, map[string]string{"Content-Type": ndjson}, "{}", 400)
	send(http.MethodPost, pathBulk, issuer, asyncHeader(ndjson, "Idempotency-Key", "a b"), "{}", 400)
	send(http.MethodPost, pathBulk+"?format=xyz", issuer, asyncHeader(ndjson), "{}", 400)
	send(http.MethodPost, pathBulk, issuer, asyncHeader("text/csv"), "Ada,1\n", 400)
	send(http.MethodPost, pathBulk, issuer, asyncHeader("application/json"), "{}", 415)
	send(http.MethodPost, pathBulk, issuer, asyncHeader(ndjson), strings.Repeat("x", 8<<20+1), 413) // this engine's own limit
	job := send(http.MethodPost, pathBulk, issuer, asyncHeader(ndjson), "{}", 202).Get("Content-Location")
	send(http.MethodPost, pathBulk, issuer, asyncHeader("text/csv"), "name\nAda\n", 202)
	send(http.MethodPost, pathBulk, issuer, asyncHeader(ndjson), "{}", 429)
	for client, want := range map[*http.Client]int{nobody: 401, stranger: 403} {
		send(http.MethodPost, pathBulk, client, asyncHeader(ndjson), "{}", want)
		send(http.MethodGet, job, client, nil, "", want)
		send(http.MethodDelete, job, client, nil, "", want)
		send(http.MethodGet, job+"/lines.ndjson", client, nil, "", want)
	}
	send(http.MethodDelete, job, issuer, nil, "", 202)
	s.receivingTwice(t, p, url, issuer)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	send(http.MethodPost, pathBulk, issuer, asyncHeader(ndjson), "{}", 503)
	send(http.MethodGet, job, issuer, nil, "", 503)
	send(http.MethodDelete, job, issuer, nil, "", 503)
	send(http.MethodGet, job+"/lines.ndjson", issuer, nil, "", 503)
}

// receivingTwice: while a file is being read, its key is taken.
func (s spec) receivingTwice(t *testing.T, _ pki, url string, issuer *http.Client) {
	t.Helper()
	half, done := make(chan struct{}), make(chan struct{})
	body := &slowBody{half: half, done: done}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+pathBulk, body)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range asyncHeader(ndjson, "Idempotency-Key", "slow") {
		req.Header.Set(name, value)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if resp, err := issuer.Do(req); err == nil {
			_ = resp.Body.Close()
		}
	}()
	<-half
	time.Sleep(100 * time.Millisecond) // the handler has the first line
	s.do(t, url, exchange{
		method: http.MethodPost, path: pathBulk, client: issuer, header: asyncHeader(ndjson, "Idempotency-Key", "slow"), body: []byte("{}"), want: 409, lenient: true,
	})
	close(done)
	<-ended
}

// slowBody gives a line, and the end when it is told.
type slowBody struct {
	half, done chan struct{}
	sent       bool
}

// Read implements io.Reader.
func (b *slowBody) Read(p []byte) (int, error) {
	if !b.sent {
		b.sent = true
		close(b.half)
		return copy(p, "{}\n"), nil
	}
	<-b.done
	return 0, http.ErrBodyReadAfterClose
}
