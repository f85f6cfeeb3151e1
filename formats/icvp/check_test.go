package icvp

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// parts of a card of generation 1, as JSON, that break one rule each.
var foreign = map[string]string{
	`{}`:                              ruleShape,
	`{"v":"0.3.0"}`:                   ruleShape,
	`{"v":[]}`:                        ruleShape,
	`{"v":[{},{}]}`:                   ruleShape,
	`{"v":["x"]}`:                     ruleShape,
	`{"v":1,"vx":"x"}`:                ruleShape,
	`{"v":[{}]}`:                      ruleRequired,
	`{"n":null,"v":[{}]}`:             ruleRequired,
	`{"n":1,"v":[{}]}`:                ruleType,
	`{"v":[{"bo":1}]}`:                ruleType,
	`{"v":{"bo":1}}`:                  ruleType,
	`{"dob":"1990","v":[{}]}`:         ruleDate,
	`{"v":[{"dt":"2025-11-31"}]}`:     ruleDate,
	`{"s":"x","v":[{}]}`:              ruleCode,
	`{"ntl":"CL","v":[{}]}`:           ruleCode,
	`{"nt":"CL","v":"0.3.0","vx":{}}`: ruleCode,
	`{"n":" ","v":[{}]}`:              ruleText,
	`{"v":[{"is":" "}]}`:              ruleInvariant,
	`{"v":"0.3.0","vx":{"cn":1}}`:     ruleInvariant,
	`{"v":[{"vls":"2025-02-01","vle":"2025-01-01"}]}`:       ruleOrder,
	`{"dob":"2025-02-01","v":[{"dt":"2025-01-01"}]}`:        ruleOrder,
	`{"dob":"2025-02-01","v":"1","vx":{"dv":"2025-01-01"}}`: ruleOrder,
}

func TestForeignCards(t *testing.T) {
	t.Parallel()
	for text, rule := range foreign {
		object := decode(t, []byte(text))
		if !slices.ContainsFunc(Check(object), func(p Problem) bool {
			return p.Rule == rule && p.Detail != "" && (!p.Warning || rule == ruleInvariant)
		}) {
			t.Errorf("%s: %+v", text, Check(object))
		}
		_, _, err := Parse(object)
		if shapeless := rule == ruleShape || rule == ruleType; (err != nil) != (shapeless || strings.Contains(text, `"cn":1`)) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	const dose = `"vp":"P","bo":"B","cn":"C"`
	for text, rule := range map[string]string{
		`{"n":"A","dob":"1990-01-01","s":"M","v":[{` + dose + `,"dt":"2025-01-01"}]}`:                                      ruleCode,
		`{"n":"A","dob":"1990-01-01","v":[{` + dose + `,"dt":"2025-01-01","vls":"2024-01-01"}]}`:                           ruleOrder,
		`{"n":"A","dob":"1990-01-01","v":[{` + dose + `,"dt":"2025-01-01","tg":"1D47"}]}`:                                  ruleMember,
		`{"n":"A` + "\u0308" + `","dob":"1990-01-01","v":[{` + dose + `,"dt":"2025-01-01"}]}`:                              ruleText,
		`{"n":"A","dob":"1990-01-01","s":"male","nt":"XXA","v":"9","vx":{` + dose + `,"dv":"2025-01-01"}}`:                 ruleVersion,
		`{"n":"A","dob":"1990-01-01","s":"male","nt":"XXA","ntl":"XXA","v":"0.3.0","vx":{` + dose + `,"dv":"2025-01-01"}}`: ruleMember,
	} {
		problems := Check(decode(t, []byte(text)))
		if len(problems) != 1 || !problems[0].Warning || problems[0].Rule != rule {
			t.Errorf("%s: %+v", text, problems)
		}
	}
}

func TestParseErrorsAreFaults(t *testing.T) {
	t.Parallel()
	_, _, err := Parse(decode(t, []byte(`{"n":7,"v":[{"bo":true,"dt":null}]}`)))
	var f *fault.Error
	if !errors.As(err, &f) || len(f.Issues) != 2 || f.Issues[0].Path != "n" || f.Issues[1].Path != "v[0].bo" {
		t.Errorf("%+v", f)
	}
	card, generation, err := Parse(decode(t, []byte(`{"v":"0.2.9","vx":{"dt":"2025-01-01"}}`)))
	if err != nil || generation != Gen2 || card.Vaccination.Date != "2025-01-01" {
		t.Errorf("the earlier draft: %+v (%v)", card, err)
	}
}
