package defects

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/test/harness"
)

func everyDocumentHasItsQR(t *testing.T, s *harness.System) {
	for name, body := range map[string][]byte{"VS": harness.VS(t, hcid(t)), "TR": harness.TR(t, hcid(t)+"-T")} {
		c := issue(t, s, body)
		if got := harness.DecodeQR(t, c.Image); got != c.Text {
			t.Errorf("%s: the picture in the document does not show its text", name)
		}
	}
}

func qrCodeIsAPictureForItsIssuer(t *testing.T, s *harness.System) {
	c := issue(t, s, harness.VS(t, hcid(t)))
	path := "/ddcc/DocumentReference/" + c.ReferenceID + "/$getQRCode"
	a, err := s.Get(path)
	if err != nil || a.Status != http.StatusOK || a.Header.Get("Content-Type") != "image/png" {
		t.Fatalf("%v, status %d, %s", err, a.Status, a.Header.Get("Content-Type"))
	}
	if harness.DecodeQR(t, a.Body) != c.Text {
		t.Error("the picture is not the certificate's")
	}
	for client, status := range map[string]int{"": 401, "gateway": 403} {
		for _, p := range []string{path, "/ddcc/Bundle/" + c.ID} {
			if got := as(t, s, client, p); got.Status != status {
				t.Errorf("client %q gets %d for %s, want %d", client, got.Status, p, status)
			}
		}
	}
}

// as fetches a path with one of the installation's certificates.
func as(t *testing.T, s *harness.System, certificate, path string) harness.Answer {
	t.Helper()
	client := s.Anonymous
	if certificate != "" {
		client = s.Client(certificate)
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, s.URL+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	a, err := harness.Do(client, req)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func idsAreOnlyIDs(t *testing.T, s *harness.System) {
	for _, id := range []string{"..%2FPatient%2F1", "%2e%2e%2fBundle", "1", "x?y=z", "a%00b", strings.Repeat("a", 4000), "urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6BA7B810-9DAD-11D1-80B4-00C04FD430C8"} {
		a, err := s.Get("/ddcc/DocumentReference/" + id + "/$getQRCode")
		if err == nil && a.Status != http.StatusNotFound && a.Status != http.StatusBadRequest {
			t.Errorf("id %.40q: status %d", id, a.Status)
		}
		if len(id) > 5 && strings.Contains(s.Logs(), id) {
			t.Errorf("id %.40q is in the log", id)
		}
	}
}

func noKeyNoStart(t *testing.T, s *harness.System) {
	run := func(args []string, change func(string) string) (string, error) {
		changed := make([]string, len(args))
		for i, a := range args {
			changed[i] = change(a)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		out, err := exec.CommandContext(ctx, harness.Binary(t, "signer"), changed...).CombinedOutput()
		return string(out), err
	}
	empty := t.TempDir()
	args := s.Install.SignerArgs("127.0.0.1:0")
	for name, prefix := range map[string]string{"no key file": "--software-keys=", "other passphrase": "--software-passphrase="} {
		out, err := run(args, func(a string) string {
			switch {
			case strings.HasPrefix(a, "--data-dir="):
				return "--data-dir=" + t.TempDir()
			case strings.HasPrefix(a, prefix) && name == "no key file":
				return prefix + empty
			case strings.HasPrefix(a, prefix):
				return prefix + s.Install.Path("registry.secret")
			}
			return a
		})
		if err == nil {
			t.Errorf("%s: the signer started:\n%s", name, out)
		}
	}
	if files, _ := filepath.Glob(filepath.Join(empty, "*")); len(files) != 0 {
		t.Errorf("the signer made files of its own: %v", files)
	}
}

func logsShowNobody(t *testing.T, s *harness.System) {
	secret := harness.Items{
		"name": {"valueString": "Zebulon Qwertzuiop"}, "birthDate": {"valueDate": "1944-02-29"},
		"identifier": {"valueString": "NID-31337-QQ"}, "lot": {"valueString": "LOT-QQ-999"},
	}
	id := "HCID-QQ-4242"
	issue(t, s, harness.VS(t, id, secret))
	post(t, s, generate, harness.VS(t, id, secret, harness.Items{"dose": {"valueInteger": -3}}))
	post(t, s, generate, harness.VS(t, id, secret, harness.Items{"name": {"valueString": "Zebulon Otherone"}}))
	post(t, s, generate, append(harness.VS(t, id, secret), "garbage"...))
	checkTraces(t, s, "Zebulon", "Qwertzuiop", "1944-02-29", "NID-31337-QQ", "LOT-QQ-999", id, "HC1:")
}

// wholeRunShowsNobody looks through everything that all proofs together left behind: the
// seeded names, birth dates, ids and HCIDs must be in none of it.
func wholeRunShowsNobody(t *testing.T, s *harness.System) {
	checkTraces(t, s, "Ngozi", "Holder Specimen", "1979-03-08", "NID-SPECIMEN", "SPECLOT7", "HW-SPECIMEN", "D-B1", "D-B2", "D-B3", "D-B4", "D-B7", "Somebody", "HC1:", "shc:/", "محمد", "سارة", "CARDLOT", "FOLDERLOT", "$getQRCode?", "$card?",
		poison, serverToken, "identifier=")
}

// checkTraces greps logs (which hold every URL that is logged), metrics, what is published
// and every file of the installation that is no database of documents: audit log, register
// of keys, policy, the statement the gateway keeps.
func checkTraces(t *testing.T, s *harness.System, words ...string) {
	t.Helper()
	traces := map[string]string{"the logs": s.Logs()}
	for _, process := range []string{"signer", "gateway"} {
		a, err := s.Admin(process, "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		traces["the metrics of "+process] = string(a.Body)
	}
	for _, path := range []string{"/trust/trustlist.json", "/trust/jwks.json", "/signercertificateStatus"} {
		traces[path] = string(as(t, s, "", path).Body)
	}
	readFiles(t, s, traces)
	for _, trace := range [][2]string{
		{"audit.jsonl", "certificate.signed"}, {"audit.jsonl", "operation.executed"}, {"the logs", "/ddcc/generateHealthCertificate"},
		{"trust-statement.json", "jws"}, {"register.json", "registrations"}, {"policy.json", "operators"}, {"ledger.db", "key-register"},
	} {
		if !strings.Contains(find(traces, trace[0]), trace[1]) {
			t.Fatalf("%s shows no %s: these are not the traces of a run", trace[0], trace[1])
		}
	}
	for name, trace := range traces {
		for _, word := range words {
			if strings.Contains(trace, word) {
				t.Errorf("%s shows %q", name, word)
			}
		}
	}
}

// find joins the traces whose name ends so.
func find(traces map[string]string, ending string) string {
	var all strings.Builder
	for name, trace := range traces {
		if strings.HasSuffix(name, ending) {
			all.WriteString(trace)
		}
	}
	return all.String()
}

// readFiles reads the installation. Documents and what belongs to them are sealed in
// databases, which must not show anything either.
func readFiles(t *testing.T, s *harness.System, traces map[string]string) {
	t.Helper()
	err := filepath.WalkDir(string(s.Install), func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(path)
		traces[path] = string(raw)
		if ending := strings.TrimSuffix(path, "-wal"); ending != path {
			traces[path+" as "+ending] = string(raw)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func errorsRevealNothing(t *testing.T, s *harness.System) {
	for name, a := range map[string]harness.Answer{
		"broken JSON": post(t, s, generate, []byte(`{"resourceType": "QuestionnaireResponse", "x": Secret}`)),
		"wrong rule":  post(t, s, generate, harness.VS(t, hcid(t), harness.Items{"name": {"valueString": "Secret\u0007Name"}})),
		"not found":   post(t, s, "/nothing/here", []byte(`{}`)),
	} {
		if a.Status < 400 || a.Status > 499 {
			t.Errorf("%s: status %d", name, a.Status)
		}
		for _, word := range []string{"Secret", "goroutine", ".go:", "127.0.0.1", "<html", "panic", "sqlite"} {
			if bytes.Contains(a.Body, []byte(word)) {
				t.Errorf("%s: the answer shows %q: %s", name, word, a.Body)
			}
		}
		for _, header := range []string{"X-Powered-By", "Server"} {
			if a.Header.Get(header) != "" {
				t.Errorf("%s: header %s", name, header)
			}
		}
	}
}

func contentTypesAreRight(t *testing.T, s *harness.System) {
	a := post(t, s, generate, harness.VS(t, hcid(t)))
	if !strings.HasPrefix(a.Header.Get("Content-Type"), "application/fhir+json") {
		t.Errorf("document as %s", a.Header.Get("Content-Type"))
	}
	if a := post(t, s, generate, []byte(`{}`)); !strings.HasPrefix(a.Header.Get("Content-Type"), "application/fhir+json") {
		t.Errorf("OperationOutcome as %s", a.Header.Get("Content-Type"))
	}
	c := harness.ReadCertificate(t, a.Body)
	if got, err := s.Get("/ddcc/DocumentReference/" + c.ReferenceID + "/$getQRCode"); err != nil || !bytes.HasPrefix(got.Body, []byte("\x89PNG")) {
		t.Error("the QR code is not a PNG")
	}
	for _, path := range []string{"/trust/jwks.json", "/trust/trustlist.json"} {
		got := as(t, s, "", path)
		if got.Status != 200 || !json.Valid(got.Body) || !strings.Contains(got.Header.Get("Content-Type"), "json") {
			t.Errorf("%s: %d %s", path, got.Status, got.Header.Get("Content-Type"))
		}
	}
}

// outbound are the packages of the gateway that call others: the signing service, and
// what operators may switch on. Nothing that makes a certificate links the latter: who is
// wired in hands events to them, or reads what is theirs, by an interface.
var outbound = map[string]bool{
	"signing/client": true, "trust/foreign": false, "trust/dgcgateway": false, // true: for issuing
	"fhir/client": false, "mediator/openhim": false,
}

// noOutboundMapping: maps are native; the only outbound client on the way of an event to
// its certificate is the one for the signing service. Where an operator has a mapping engine
// asked, nothing but a good answer of it is taken.
func noOutboundMapping(t *testing.T, _ *harness.System) {
	const module = "github.com/trustedparty/ddcc-gateway/"
	for name, dir := range linked(t, module, "cmd/gateway") {
		if _, known := outbound[name]; !known && callsOut(t, dir) {
			t.Errorf("%s makes outbound calls", name)
		}
	}
	for name, dir := range linked(t, module, "mediator/httpapi", "issuance", "fhir", "fhir/maps/...", "fhir/terminology", "formats/...") {
		if !outbound[name] && callsOut(t, dir) {
			t.Errorf("%s makes outbound calls and issuing links it", name)
		}
	}
	mappingEngineFails(t)
}

// mappingEngineFails asks for certificates while the mapping engine answers all kinds of
// things.
func mappingEngineFails(t *testing.T) {
	t.Helper()
	outcome := `{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"exception","diagnostics":"boom"}]}`
	answers := []struct {
		status int
		body   string
	}{
		{500, outcome}, {500, `{"resourceType":"DDCCCoreDataSet"}`}, {404, "not found"}, {200, outcome}, {200, "<html></html>"}, {200, ""},
		{200, `{"resourceType":"Bundle","type":"collection"}`}, {302, ""}, {201, `{"resourceType":"DDCCCoreDataSet","name":"Somebody Else"}`},
	}
	var now atomic.Int64
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		a := answers[now.Load()]
		w.Header().Set("Content-Type", "application/fhir+json")
		w.Header().Set("Location", "https://elsewhere.example")
		w.WriteHeader(a.status)
		_, _ = io.WriteString(w, a.body)
	}))
	defer engine.Close()
	dir := t.TempDir()
	servers, table := filepath.Join(dir, "servers.json"), filepath.Join(dir, "maps.json")
	for path, content := range map[string]string{
		servers: `{"servers":[{"name":"engine","base":"` + engine.URL + `","readOnly":true}]}`,
		table:   `{"questionnaires":{"http://smart.who.int/ddcc/DDCCVSCoreDataSetQuestionnaire":"http://smart.who.int/ddcc/StructureMap/QRespToVSCoreDataSet"}}`,
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := harness.New(t, "--fhir-servers="+servers, "--structure-map-table="+table, "--structure-map-server=engine")
	for i, a := range answers {
		now.Store(int64(i))
		got := post(t, s, generate, harness.VS(t, hcid(t)))
		if got.Status < 500 || bytes.Contains(got.Body, []byte("boom")) {
			t.Errorf("the engine answers %d %.40q: %d %.200s", a.status, a.body, got.Status, got.Body)
		}
	}
}

// linked gives the packages of the module that some of its packages link, with their
// folders.
func linked(t *testing.T, module string, names ...string) map[string]string {
	t.Helper()
	args := []string{"list", "-f", "{{.ImportPath}} {{.Dir}}", "-deps"}
	for _, name := range names {
		args = append(args, module+name)
	}
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name, own := strings.CutPrefix(path, module); own {
			found[name] = dir
		}
	}
	if len(found) < 10 {
		t.Fatalf("only %d packages looked at", len(found))
	}
	return found
}

// callsOut looks for clients and connections in the sources of a package.
func callsOut(t *testing.T, dir string) bool {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, "*.go"))
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, call := range []string{"http.Client{", "http.Get(", "http.Post(", "http.DefaultClient", "net.Dial"} {
			if bytes.Contains(raw, []byte(call)) {
				return true
			}
		}
	}
	return false
}
