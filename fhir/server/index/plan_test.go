package index_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/server/index"
)

// TestNoSearchReadsAWholeTable: each condition is answered from an index, also with nothing
// known about how values are distributed.
func TestNoSearchReadsAWholeTable(t *testing.T) {
	t.Parallel()
	s := populated(t)
	for _, query := range []string{
		"Patient?identifier=urn:mrn|1", "Patient?identifier=1", "Patient?identifier=urn:mrn|1,urn:mrn|2", "Patient?name=a,b", "Patient?birthdate=gt1980&birthdate=lt1990",
		"Patient?_id=a", "Observation?subject=Patient/1", "Observation?subject=1", "Observation?subject=https://elsewhere.example/Patient/1",
		"Observation?value-quantity=5", "ValueSet?url=http://v", "Observation?patient.identifier=urn:mrn|1", "Observation?subject:Patient.name=a",
		"Patient?_has:Observation:patient:code=http://loinc.org|1", "Observation?component-code-value-quantity=8480-6$gt100", "?_id=a", "Patient?gender:not=male&name=x",
	} {
		for _, detail := range s.plan(t, query) {
			if strings.HasPrefix(detail, "SCAN ") && query != "?_id=a" {
				t.Errorf("%s: %s", query, detail)
			}
		}
	}
}

// plan is how SQLite goes about a search.
func (s *store) plan(t *testing.T, query string) []string {
	t.Helper()
	text, args := index.Matching(parse(t, query))
	rows, err := s.db.Query("EXPLAIN QUERY PLAN "+text, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var details []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		details = append(details, detail)
	}
	if err := rows.Err(); err != nil || len(details) == 0 {
		t.Fatal(len(details), err)
	}
	return details
}

// BenchmarkFind measures one search among 20,000 observations of 2,000 patients.
func BenchmarkFind(b *testing.B) {
	s := open(b)
	for i := range 2_000 {
		s.put(b, fmt.Sprintf(`{"resourceType":"Patient","id":"p%d","name":[{"family":"Specimen%d"}],"identifier":[{"system":"urn:mrn","value":"%d"}]}`, i, i, i))
	}
	for i := range 20_000 {
		s.put(b, fmt.Sprintf(`{"resourceType":"Observation","id":"o%d","status":"final","subject":{"reference":"Patient/p%d"},"code":{"coding":[{"system":"http://loinc.org","code":"c%d"}]},
			"effectiveDateTime":"20%02d-01-01","valueQuantity":{"value":%d}}`, i, i%2_000, i%50, i%30, i))
	}
	b.ResetTimer()
	for _, query := range []string{
		"Patient?identifier=urn:mrn|77", "Patient?name=specimen77", "Observation?patient=p77", "Observation?patient.identifier=urn:mrn|77",
		"Observation?code=http://loinc.org|c7&date=ge2010", "Observation?code=c7&_sort=-date", "Patient?_has:Observation:patient:value-quantity=lt9", "Patient?_id=p77&_revinclude=Observation:subject",
		"Observation?status=final",
	} {
		q := parse(b, query)
		b.Run(strings.NewReplacer("?", " ", "|", " ").Replace(query), func(b *testing.B) {
			for b.Loop() {
				s.find(b, q)
			}
		})
	}
}
