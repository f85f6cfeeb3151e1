package index_test

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/search"
	"github.com/trustedparty/ddcc-gateway/fhir/server/index"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// TestTheWidestSearches: whatever the limits let through, SQLite carries out; what they do
// not is the caller's fault.
func TestTheWidestSearches(t *testing.T) {
	t.Parallel()
	s := populated(t)
	many := func(value string) string {
		return strings.TrimSuffix(strings.Repeat(value+",", search.MaxAlternatives), ",")
	}
	repeated := func(n int, name, value string) url.Values {
		return url.Values{name: strings.Split(strings.TrimSuffix(strings.Repeat(value+" ", n), " "), " ")}
	}
	refused, answered, slowest := 0, 0, time.Duration(0)
	for typ, searches := range map[string][]url.Values{
		"Observation": {
			{"code": {many("s|c")}}, {"code:text": {many("x")}}, {"date": {many("ap2020")}}, {"value-quantity": {many("5|s|c")}}, {"subject": {many("Patient/1/_history/2")}},
			{"component-code-value-quantity": {many("s|c$ne5|s|c")}}, {"_id": {many("x")}}, {"_lastUpdated": {many("ne2020")}},
			{"code": {many("s|c"), many("s|c"), many("s|c")}}, {"code": {many("s|c"), many("s|c"), many("s|c"), many("s|c")}},
			{"subject.name": {many("x")}}, {"subject:Patient.name": {many("x")}}, {"derived-from._id": {many("x")}}, {"focus._id": {many("x")}}, {"focus._id": {"x"}},
			repeated(search.MaxParameters, "focus._tag", "x"), repeated(search.MaxParameters, "patient.organization.name", "x"), repeated(search.MaxParameters, "component-code-value-quantity", "a$5"),
		},
		"Provenance": {{"target.subject:Patient.name": {"x"}}, {"target._id": {many("x")}}, {"target:Patient.general-practitioner.name": {many("x")}}},
		"Patient": {
			repeated(search.MaxParameters, "_has:Observation:subject:code", "s|c"), {"_has:Observation:subject:focus._id": {"x"}}, {"_has:Provenance:target:target._id": {"x,y"}},
			{"name:contains": {many("x")}, "_sort": {"name,family,birthdate,_id"}},
		},
		"": {repeated(search.MaxParameters, "_tag", "x"), {"_tag": {many("s|c")}, "_profile": {many("x")}, "_id": {many("x")}}, {"_type": {strings.Join(search.Types(), ",")}, "_tag": {"x"}}},
	} {
		for _, values := range searches {
			q, _, err := search.Parse(typ, values, search.Options{Now: now, Base: base})
			if err != nil {
				var f *fault.Error
				if !errors.As(err, &f) || f.Issues[0].Rule != search.RuleLimit {
					t.Errorf("%s?%.60v: %v", typ, values, err)
				}
				refused++
				continue
			}
			answered++
			began := time.Now()
			if _, err := index.Find(t.Context(), s.db, q); err != nil {
				t.Errorf("%s?%.60v: %v", typ, fmt.Sprint(values), err)
			}
			if took := time.Since(began); took > slowest {
				slowest = took
				t.Logf("%v: %s?%.60s", took.Round(time.Millisecond), typ, fmt.Sprint(values))
			}
		}
	}
	t.Logf("%d answered, %d refused", answered, refused)
}
