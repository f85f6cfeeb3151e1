package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
	"github.com/trustedparty/ddcc-gateway/test/harness"
)

const (
	localQuestionnaire = "https://moh.example/Questionnaire/jab"
	localMap           = "https://moh.example/StructureMap/jab"
)

// mapServer has StructureMap/$transform. It reads the local questionnaire, and invents a
// name when it is told to.
type mapServer struct {
	asked  int
	invent bool
}

// ServeHTTP implements http.Handler.
func (m *mapServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/fhir+json")
	if r.URL.Path != "/matchbox/StructureMap/$transform" || r.URL.Query().Get("source") != localMap {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"not-found"}]}`)
		return
	}
	m.asked++
	var response struct {
		Item []struct {
			LinkID string
			Answer []struct{ ValueString, ValueDate string }
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&response); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	answers := map[string]string{}
	for _, i := range response.Item {
		answers[i.LinkID] = i.Answer[0].ValueString + i.Answer[0].ValueDate
	}
	if m.invent {
		answers["who"] = "Eve Specimen"
	}
	icd := map[string]any{"system": "http://id.who.int/icd11/mms"}
	code := func(c string) map[string]any { return map[string]any{"system": icd["system"], "code": c} }
	_ = json.NewEncoder(w).Encode(map[string]any{
		"resourceType": "DDCCCoreDataSet", "name": answers["who"], "birthDate": answers["born"],
		"certificate": map[string]any{"hcid": map[string]any{"value": answers["number"]}, "issuer": map[string]any{"identifier": map[string]any{"value": answers["by"]}}, "version": "RC2"},
		"vaccination": map[string]any{
			"vaccine": code("XM0GQ8"), "brand": code("XM8NQ0"), "lot": answers["batch"], "date": answers["when"], "dose": 1, "centre": answers["where"],
			"manufacturer": map[string]any{"system": "https://spor.ema.europa.eu/v1/organisations", "code": "ORG-100030215"},
			"country":      map[string]any{"system": "urn:iso:std:iso:3166", "code": "XXA"},
		},
	})
}

// TestStructureMaps: a questionnaire that only the ministry's map can read is certified; a
// map that makes something up is not believed.
func TestStructureMaps(t *testing.T) {
	t.Parallel()
	maps := &mapServer{}
	server := httptest.NewServer(maps)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	servers, table := filepath.Join(dir, "servers.json"), filepath.Join(dir, "maps.json")
	for path, content := range map[string]string{
		servers: `{"servers":[{"name":"matchbox","base":"` + server.URL + `/matchbox","readOnly":true}]}`,
		table:   `{"questionnaires":{"` + localQuestionnaire + `":"` + localMap + `"}}`,
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := harness.New(t, "--fhir-servers="+servers, "--structure-map-table="+table, "--structure-map-server=matchbox")
	local := map[string]string{"who": "Ngozi Specimen", "number": "MAP-1", "by": devinstall.Authority.ID, "batch": "LOT-M", "where": "Clinic", "dose": "1"}
	var items []any
	for id, value := range local {
		items = append(items, map[string]any{"linkId": id, "answer": []any{map[string]any{"valueString": value}}})
	}
	for id, value := range map[string]string{"born": "1979-03-08", "when": time.Now().UTC().AddDate(0, 0, -9).Format(time.DateOnly)} {
		items = append(items, map[string]any{"linkId": id, "answer": []any{map[string]any{"valueDate": value}}})
	}
	response := harness.JSON(t, map[string]any{"resourceType": "QuestionnaireResponse", "questionnaire": localQuestionnaire + "|2", "status": "completed", "item": items})
	post := func(want int) []byte {
		t.Helper()
		a, err := s.Post("/ddcc/generateHealthCertificate", response)
		if err != nil || a.Status != want {
			t.Fatalf("%v, %d, want %d: %.400s\n%s", err, a.Status, want, a.Body, s.Logs())
		}
		return a.Body
	}
	document := post(http.StatusCreated)
	if !strings.Contains(string(document), "Ngozi Specimen") || maps.asked != 1 {
		t.Errorf("asked %d times", maps.asked)
	}
	post(http.StatusOK)
	maps.invent = true
	if answer := post(http.StatusBadGateway); strings.Contains(string(answer), "Specimen") {
		t.Errorf("%s", answer)
	}
	if strings.Contains(s.Logs(), "Specimen") {
		t.Error("a name stands in the log")
	}
	server.Close()
	post(http.StatusServiceUnavailable)
	mustIssue(t, s, "/ddcc/generateHealthCertificate", harness.VS(t, "MAP-2")) // WHO's own need no map
}
