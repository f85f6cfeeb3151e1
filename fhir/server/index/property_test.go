package index_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/fhir/search"
	"github.com/trustedparty/ddcc-gateway/fhir/server/index"
)

// Few words, so that what is asked for is often there.
var (
	systems  = rapid.SampledFrom([]string{"", "urn:a", "urn:b"})
	codes    = rapid.SampledFrom([]string{"x", "y", "X", "x|y", "a,b"})
	texts    = rapid.SampledFrom([]string{"Ana", "ana lu", "Änne", "Lu", "lu$x", `b\s`, "Straße", "STRASSE"})
	times    = rapid.SampledFrom([]string{"2020", "2020-02", "2020-02-28", "2020-02-29", "2020-03", "2020-02-29T12:00:00Z", "2020-02-29T23:59:59.5-01:00", "2021"})
	decimals = rapid.SampledFrom([]string{"1", "1.0", "1.04", "1.05", "0.95", "-1", "10", "1e1", "9.5", "1.1"})
	ids      = rapid.SampledFrom([]string{"p0", "p1", "p2"})
	prefixes = rapid.SampledFrom([]string{"", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"})
)

func coding(t *rapid.T) string {
	return fmt.Sprintf(`{"system":%q,"code":%q,"display":%q}`, systems.Draw(t, "system"), codes.Draw(t, "code"), texts.Draw(t, "display"))
}

func period(t *rapid.T) string {
	switch rapid.IntRange(0, 2).Draw(t, "ends") {
	case 0:
		return fmt.Sprintf(`{"start":%q}`, times.Draw(t, "start"))
	case 1:
		return fmt.Sprintf(`{"end":%q}`, times.Draw(t, "end"))
	default:
		return fmt.Sprintf(`{"start":%q,"end":%q}`, times.Draw(t, "start"), times.Draw(t, "end"))
	}
}

// patients and observations that refer to them, some to nobody and some elsewhere.
func population(t *rapid.T) []string {
	var raws []string
	for i := range 3 {
		raws = append(raws, fmt.Sprintf(`{"resourceType":"Patient","id":"p%d","gender":%q,"birthDate":%q,"name":[{"family":%q},{"given":[%q]}],"identifier":[{"system":%q,"value":%q}]}`,
			i, rapid.SampledFrom([]string{"male", "female"}).Draw(t, "gender"), strings.SplitN(times.Draw(t, "birth"), "T", 2)[0],
			texts.Draw(t, "family"), texts.Draw(t, "given"), systems.Draw(t, "idSystem"), codes.Draw(t, "id")))
	}
	for i := range rapid.IntRange(1, 8).Draw(t, "observations") {
		effective := fmt.Sprintf(`"effectiveDateTime":%q`, times.Draw(t, "effective"))
		if rapid.Bool().Draw(t, "period") {
			effective = `"effectivePeriod":` + period(t)
		}
		where := rapid.SampledFrom([]string{"", base + "/", "https://elsewhere.example/"}).Draw(t, "server")
		measured := fmt.Sprintf(`{"value":%s,"system":%q,"code":%q,"unit":%q}`, decimals.Draw(t, "value"), systems.Draw(t, "unitSystem"), codes.Draw(t, "unitCode"), codes.Draw(t, "unit"))
		raws = append(raws, fmt.Sprintf(`{"resourceType":"Observation","id":"o%d","code":{"coding":[%s],"text":%q},"subject":{"reference":"%sPatient/%s"},%s,"valueQuantity":%s,
			"component":[{"code":{"coding":[%s]},"valueQuantity":{"value":%s}},{"code":{"coding":[%s]},"valueQuantity":{"value":%s}}]}`,
			i, coding(t), texts.Draw(t, "text"), where, ids.Draw(t, "subject"), effective, measured,
			coding(t), decimals.Draw(t, "c0"), coding(t), decimals.Draw(t, "c1")))
	}
	return raws
}

func tokenText(t *rapid.T) string {
	code := search.Escape(codes.Draw(t, "askedCode"))
	switch rapid.IntRange(0, 3).Draw(t, "tokenForm") {
	case 0:
		return code
	case 1:
		return "|" + code
	case 2:
		return "urn:a|"
	default:
		return systems.Draw(t, "askedSystem") + "|" + code
	}
}

func quantityText(t *rapid.T) string {
	number := prefixes.Draw(t, "prefix") + decimals.Draw(t, "asked")
	switch rapid.IntRange(0, 2).Draw(t, "quantityForm") {
	case 0:
		return number
	case 1:
		return number + "||" + search.Escape(codes.Draw(t, "askedUnit"))
	default:
		return number + "|urn:a|" + search.Escape(codes.Draw(t, "askedUnit"))
	}
}

func dateText(t *rapid.T) string { return prefixes.Draw(t, "prefix") + times.Draw(t, "time") }

// condition draws one parameter of Observation, or of Patient.
func condition(t *rapid.T, typ string) (string, string) {
	type pair struct {
		name  string
		value func(*rapid.T) string
	}
	text := func(t *rapid.T) string { return search.Escape(texts.Draw(t, "text")) }
	truth := func(t *rapid.T) string { return rapid.SampledFrom([]string{"true", "false"}).Draw(t, "truth") }
	patient := []pair{
		{"name", text}, {"name:exact", text}, {"family:contains", text}, {"given", text}, {"identifier", tokenText}, {"identifier:not", tokenText},
		{"birthdate", dateText}, {"_id", func(t *rapid.T) string { return ids.Draw(t, "id") }}, {"deceased:missing", truth},
		{"_has:Observation:subject:code", tokenText}, {"_has:Observation:patient:date", dateText},
	}
	observation := []pair{
		{"code", tokenText}, {"code:not", tokenText}, {"code:text", text}, {"code:missing", truth}, {"date", dateText}, {"date:missing", truth},
		{"value-quantity", quantityText}, {"combo-value-quantity", quantityText},
		{"subject", func(t *rapid.T) string { return "Patient/" + ids.Draw(t, "id") }},
		{"subject:Patient", func(t *rapid.T) string { return ids.Draw(t, "id") }},
		{"subject", func(t *rapid.T) string { return "https://elsewhere.example/Patient/" + ids.Draw(t, "id") }},
		{"patient.name", text}, {"subject:Patient.identifier", tokenText}, {"subject.birthdate", dateText},
		{"component-code-value-quantity", func(t *rapid.T) string { return tokenText(t) + "$" + quantityText(t) }},
		{"combo-code-value-quantity", func(t *rapid.T) string { return tokenText(t) + "$" + quantityText(t) }},
	}
	all := observation
	if typ == "Patient" {
		all = patient
	}
	p := all[rapid.IntRange(0, len(all)-1).Draw(t, "parameter")]
	value := p.value(t)
	if !strings.HasSuffix(p.name, ":missing") && rapid.Bool().Draw(t, "or") {
		value += "," + p.value(t)
	}
	return p.name, value
}

// TestSQLAnswersAsLookingAtEveryResourceDoes: two evaluations of the same query agree.
func TestSQLAnswersAsLookingAtEveryResourceDoes(t *testing.T) {
	t.Parallel()
	s := open(t)
	matched, asked := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		raws := population(rt)
		if _, err := s.db.Exec(`DELETE FROM resources`); err != nil {
			rt.Fatal(err)
		}
		for _, raw := range raws {
			s.put(rt, raw)
		}
		n := newNaive(rt, raws)
		for range 8 {
			typ := rapid.SampledFrom([]string{"Patient", "Observation"}).Draw(rt, "type")
			values := map[string][]string{}
			for range rapid.IntRange(1, 2).Draw(rt, "conditions") {
				name, value := condition(rt, typ)
				values[name] = append(values[name], value)
			}
			q, issues, err := search.Parse(typ, values, search.Options{Now: now, Base: base})
			if err != nil || len(issues) > 0 {
				rt.Fatalf("%v: %v %+v", values, err, issues)
			}
			var got []string
			for _, name := range s.names(rt, s.find(rt, q), index.ModeMatch) {
				got = append(got, name[strings.Index(name, "/")+1:])
			}
			slices.Sort(got)
			if want := n.ids(q); strings.Join(got, " ") != strings.Join(want, " ") {
				rt.Fatalf("%s %v: SQL finds %v, looking finds %v", typ, values, got, want)
			}
			asked++
			matched += min(len(got), 1)
		}
	})
	t.Logf("%d of %d searches found something", matched, asked)
}
