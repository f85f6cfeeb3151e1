package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/cmd/ddcc/examples"
)

// What the example says and every event of the bench says differently.
const (
	exampleName       = "Adaeze Specimen-Öztürk"
	exampleBirthDate  = "1987-04-12"
	exampleIdentifier = "SPECIMEN-0001"
	exampleHCID       = "{{bench}}"
)

// benchEvents makes vaccinations of specimen persons out of the example. The n-th is
// always the same, and no two have the same HCID.
type benchEvents struct{ template string }

func newBenchEvents(now time.Time) (benchEvents, error) {
	var batch struct {
		Entry []struct {
			Resource struct {
				Parameter []struct{ Resource json.RawMessage }
			}
		}
	}
	if err := json.Unmarshal(examples.TwoDoseBatch(now, exampleHCID), &batch); err != nil {
		return benchEvents{}, fmt.Errorf("the example: %w", err)
	}
	var response bytes.Buffer
	for _, entry := range batch.Entry[:min(1, len(batch.Entry))] {
		for _, parameter := range entry.Resource.Parameter {
			if err := json.Compact(&response, parameter.Resource); err != nil {
				return benchEvents{}, fmt.Errorf("the example: %w", err)
			}
		}
	}
	e := benchEvents{template: response.String()}
	for _, part := range []string{exampleName, exampleBirthDate, exampleIdentifier, exampleHCID} {
		if strings.Count(e.template, part) != 1 {
			return benchEvents{}, fmt.Errorf("the first event of the example does not hold %q once", part)
		}
	}
	return e, nil
}

var (
	benchGivenNames  = []string{"Adaeze", "Björn", "Chiara", "Dmitri", "Elif", "Farid", "Grace", "Håkon", "Inés", "Jaya", "Kofi", "Ling"}
	benchFamilyNames = []string{"Specimen-Öztürk", "Specimen-Adeyemi", "Specimen-Castro", "Specimen-Nguyễn", "Specimen-Åberg"}
)

// event gives the n-th QuestionnaireResponse and its HCID.
func (e benchEvents) event(n int64) (response []byte, hcid string) {
	hcid = fmt.Sprintf("BENCH%010d", n)
	name := benchGivenNames[n%int64(len(benchGivenNames))] + " " + benchFamilyNames[n%int64(len(benchFamilyNames))]
	born := time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(n%20000))
	return []byte(strings.NewReplacer(
		exampleName, name, exampleBirthDate, born.Format(time.DateOnly),
		exampleIdentifier, fmt.Sprintf("SPECIMEN-%010d", n), exampleHCID, hcid,
	).Replace(e.template)), hcid
}
