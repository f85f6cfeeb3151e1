package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/issuance"
)

// The tool's names are the gateway's.
func TestNames(t *testing.T) {
	t.Parallel()
	var formats []string
	for _, f := range issuance.Formats() {
		formats = append(formats, string(f))
	}
	if !slices.Equal(allFormats, formats) {
		t.Errorf("the gateway has the formats %v", formats)
	}
	if !slices.Equal(reasons, issuance.Reasons()) {
		t.Errorf("the gateway has the reasons %v", issuance.Reasons())
	}
}

// scripted is a gateway that gives prepared answers and keeps what it was asked.
type scripted struct {
	t       *testing.T
	server  *httptest.Server
	dir     string
	answers map[string][]scriptedAnswer // by method and path; the last one stays
	asked   []string                    // method and address
	bodies  []string
}

type scriptedAnswer struct {
	status int
	body   string
	header []string
}

func newScripted(t *testing.T) *scripted {
	t.Helper()
	s := &scripted{t: t, dir: t.TempDir(), answers: map[string][]scriptedAnswer{}}
	if err := devpki.Write(filepath.Join(s.dir, "tls"), time.Now(), map[string]string{"gateway": devpki.GatewayName, "issuer": devpki.IssuerName}); err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(s.file("tls", "gateway.pem"), s.file("tls", "gateway.key"))
	if err != nil {
		t.Fatal(err)
	}
	s.server = httptest.NewUnstartedServer(http.HandlerFunc(s.answer))
	s.server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS13, ClientAuth: tls.RequireAnyClientCert}
	s.server.StartTLS()
	t.Cleanup(s.server.Close)
	return s
}

func (s *scripted) file(parts ...string) string {
	return filepath.Join(append([]string{s.dir}, parts...)...)
}

func (s *scripted) answer(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.asked, s.bodies = append(s.asked, r.Method+" "+r.URL.String()), append(s.bodies, string(body))
	queue := s.answers[r.Method+" "+r.URL.Path]
	if len(queue) == 0 {
		http.Error(w, "nothing is prepared", http.StatusTeapot)
		return
	}
	if len(queue) > 1 {
		s.answers[r.Method+" "+r.URL.Path] = queue[1:]
	}
	for i := 0; i+1 < len(queue[0].header); i += 2 {
		w.Header().Add(queue[0].header[i], queue[0].header[i+1])
	}
	w.WriteHeader(queue[0].status)
	_, _ = io.WriteString(w, queue[0].body)
}

func (s *scripted) gives(route string, answers ...scriptedAnswer) { s.answers[route] = answers }

// run runs the tool against it.
func (s *scripted) run(args ...string) (code int, stdout, stderr string) {
	s.t.Helper()
	var out, errs bytes.Buffer
	args = append(args, "--gateway", s.server.URL, "--ca", s.file("tls", "ca.pem"), "--cert", s.file("tls", "issuer.pem"), "--key", s.file("tls", "issuer.key"))
	code = run(streams{ctx: context.WithoutCancel(s.t.Context()), stdin: strings.NewReader(""), stdout: &out, stderr: &errs}, args)
	return code, out.String(), errs.String()
}

func (s *scripted) write(name, content string) string {
	s.t.Helper()
	if err := os.WriteFile(s.file(name), []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return s.file(name)
}

const aDocument = "01a1fda6-4a25-7165-a053-9ba7f78969a6"

// documentWith makes a document with QR codes of these types, whose texts name them.
func documentWith(t *testing.T, id string, codes ...string) string {
	t.Helper()
	var entries []any
	for _, code := range codes {
		attachment := func(kind, content string) any {
			return map[string]any{"attachment": map[string]any{"contentType": kind, "data": base64.StdEncoding.EncodeToString([]byte(content))}}
		}
		entries = append(entries, map[string]any{"resource": map[string]any{
			"resourceType": "DocumentReference", "id": "ref-" + code, "type": map[string]any{"coding": []any{map[string]any{"code": code}}},
			"content": []any{attachment("image/png", "picture of "+code), attachment("text/plain", "text of "+code)},
		}})
	}
	raw, err := json.Marshal(map[string]any{"resourceType": "Bundle", "type": "document", "id": id, "entry": entries})
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

const leftOut = `{"resourceType":"OperationOutcome","issue":[{"severity":"warning","details":{"text":"The country has no alpha-2 code."},"diagnostics":"Send the country."}]}`

func TestIssueFormats(t *testing.T) {
	t.Parallel()
	s := newScripted(t)
	event := s.write("event.json", `{"resourceType":"QuestionnaireResponse"}`)
	s.gives("POST /ddcc/generateHealthCertificate", scriptedAnswer{status: 201, body: `{"resourceType":"Parameters","parameter":[{"name":"return","resource":` +
		documentWith(t, aDocument, "who", "shc", "icao") + `},{"name":"outcome","resource":` + leftOut + `}]}`})
	s.gives("GET /ddcc/Bundle/"+aDocument, scriptedAnswer{status: 200, header: []string{"Link", `</ddcc/List/folder-1>; rel="collection"`}})
	s.gives("GET /ddcc/Bundle/"+aDocument+"/$card", scriptedAnswer{status: 200, body: "%PDF-1.7"})
	code, out, errs := s.run("issue", event, "--format", "shc", "--format=vdsnc", "--card", "--language", "fr", "--out", s.file("out"))
	if code != exitOK || !strings.Contains(out, "The country has no alpha-2 code.") {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	for name, want := range map[string]string{
		aDocument + ".who.txt": "text of who", aDocument + ".vdsnc.txt": "text of icao", aDocument + ".shc.png": "picture of shc", "folder-1.card.pdf": "%PDF-1.7",
	} {
		if got, err := os.ReadFile(s.file("out", name)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	want := []string{
		"POST /ddcc/generateHealthCertificate?format=shc&format=vdsnc", "GET /ddcc/Bundle/" + aDocument, "GET /ddcc/Bundle/" + aDocument + "/$card?language=fr",
	}
	if !slices.Equal(s.asked, want) {
		t.Errorf("asked %v", s.asked)
	}
	for want, args := range map[int][]string{exitUsage: {"issue", event, "--format", "paper"}, exitNegative: {"issue", "--dry", event}} {
		if code, out, errs := s.run(args...); code != want {
			t.Errorf("%v: exit %d: %s%s", args, code, out, errs)
		}
	}
}

// A batch has one card a folder, and a refused entry keeps the others.
func TestIssueBatchWithCards(t *testing.T) {
	t.Parallel()
	s := newScripted(t)
	batch := s.write("batch.json", `{"resourceType":"Bundle","type":"batch"}`)
	s.gives("POST /ddcc/submitHealthEvent", scriptedAnswer{status: 200, body: `{"entry":[
		{"resource":` + documentWith(t, "one", "who") + `,"response":{"status":"201 Created"}},
		{"response":{"status":"422 Unprocessable Entity","outcome":{}}},
		{"resource":` + documentWith(t, "two", "who") + `,"response":{"status":"201 Created"}}]}`})
	for _, id := range []string{"one", "two"} {
		s.gives("GET /ddcc/Bundle/"+id, scriptedAnswer{status: 200, header: []string{"Link", `</ddcc/List/folder-1>; rel="collection"`}})
		s.gives("GET /ddcc/Bundle/"+id+"/$card", scriptedAnswer{status: 200, body: "%PDF-" + id})
	}
	code, out, errs := s.run("issue", batch, "--card", "--out", s.file("out"))
	if code != exitNegative || strings.Count(out, ".document.json") != 2 {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if got, err := os.ReadFile(s.file("out", "folder-1.card.pdf")); err != nil || string(got) != "%PDF-one" {
		t.Errorf("%q, %v", got, err)
	}
}

// Neither ids nor formats of an answer lead out of the folder.
func TestKeptFilesStayInTheFolder(t *testing.T) {
	t.Parallel()
	s := newScripted(t)
	event := s.write("event.json", `{"resourceType":"QuestionnaireResponse"}`)
	s.gives("POST /ddcc/generateHealthCertificate", scriptedAnswer{status: 201, body: documentWith(t, "../../id", "../../shc")})
	if code, out, errs := s.run("issue", event, "--out", s.file("a", "b")); code != exitOK {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	files, err := filepath.Glob(s.file("a", "b", "id*"))
	if err != nil || len(files) != 3 {
		t.Errorf("%v, %v", files, err)
	}
}

func TestFormatOf(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{"who": "who", "icao": "vdsnc", "dcc": "dcc", "shc": "shc", "icvp": "icvp"} {
		if got := formatOf(code, "HC1:"); got != want {
			t.Errorf("%s: %s", code, got)
		}
	}
}
