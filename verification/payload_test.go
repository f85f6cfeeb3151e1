package verification_test

import (
	"encoding/json"
	"testing"

	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// content gives claims as a tree that a test can change.
func content(t testing.TB, claims hcert.DDCC) object {
	t.Helper()
	var tree object
	if err := json.Unmarshal(marshal(t, claims), &tree); err != nil {
		t.Fatal(err)
	}
	if shot, ok := tree["vaccination"].(object); ok {
		shot["dose"], shot["totalDoses"] = 1, 2
	}
	return tree
}

func (a authority) verifyContent(t testing.TB, key trusttest.Pair, subClaim int64, tree any) verification.Result {
	t.Helper()
	payload := anyClaims(t, object64{1: "XX", 6: issued.Unix(), 4: expires.Unix(), -260: object64{subClaim: tree}})
	return a.verifier().VerifyText(text(t, sign(t, key, payload)))
}

func TestPayloadRules(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	type edit func(root, certificate, event object)
	for name, test := range map[string]struct {
		change edit
		detail string // empty: valid
	}{
		"as written":            {func(_, _, _ object) {}, ""},
		"no birth date":         {func(r, _, _ object) { delete(r, "birthDate") }, ""},
		"partial birth date":    {func(r, _, _ object) { r["birthDate"] = "1990" }, ""},
		"nulls are absent":      {func(r, _, v object) { r["birthDate"], v["totalDoses"], v["centre"] = nil, nil, nil }, ""},
		"maholder instead":      {func(_, _, v object) { v["maholder"] = v["manufacturer"]; delete(v, "manufacturer") }, ""},
		"whole float dose":      {func(_, _, v object) { v["dose"] = 1.0 }, ""},
		"no period":             {func(_, c, _ object) { delete(c, "period") }, ""},
		"additional members":    {func(r, _, v object) { r["sex"] = "female"; v["x"] = []any{1} }, ""},
		"no name":               {func(r, _, _ object) { delete(r, "name") }, "name: must be text and not empty"},
		"empty name":            {func(r, _, _ object) { r["name"] = "" }, "name: must be text and not empty"},
		"name is a number":      {func(r, _, _ object) { r["name"] = 7 }, "name: must be text and not empty"},
		"birth date words":      {func(r, _, _ object) { r["birthDate"] = "yesterday" }, "birthDate: must be a FHIR date or dateTime"},
		"birth date 30 Feb":     {func(r, _, _ object) { r["birthDate"] = "1990-02-30" }, "birthDate: must be a FHIR date or dateTime"},
		"certificate text":      {func(r, _, _ object) { r["certificate"] = "x" }, "certificate: must be a map"},
		"no hcid":               {func(_, c, _ object) { delete(c, "hcid") }, "certificate.hcid: must be text and not empty"},
		"no issuer":             {func(_, c, _ object) { delete(c, "issuer") }, "certificate.issuer: must be a map"},
		"issuer without code":   {func(_, c, _ object) { c["issuer"] = object{} }, "certificate.issuer.code: must be text and not empty"},
		"no version":            {func(_, c, _ object) { delete(c, "version") }, "certificate.version: must be text and not empty"},
		"period end":            {func(_, c, _ object) { c["period"] = object{"end": 1} }, "certificate.period.end: must be a FHIR date or dateTime"},
		"period text":           {func(_, c, _ object) { c["period"] = "x" }, "certificate.period: must be a map"},
		"both events":           {func(r, _, _ object) { r["test"] = object{} }, "test: does not belong into content of this kind"},
		"no event":              {func(r, _, _ object) { delete(r, "vaccination") }, "vaccination: must be a map"},
		"no vaccine":            {func(_, _, v object) { delete(v, "vaccine") }, "vaccination.vaccine: must be a map"},
		"vaccine system number": {func(_, _, v object) { v["vaccine"] = object{"code": "x", "system": 1} }, "vaccination.vaccine.system: must be text and not empty"},
		"no brand":              {func(_, _, v object) { delete(v, "brand") }, "vaccination.brand: must be a map"},
		"who-ddcc-data-1":       {func(_, _, v object) { delete(v, "manufacturer") }, "vaccination.manufacturer: a manufacturer or a maholder must be there (who-ddcc-data-1)"},
		"no lot":                {func(_, _, v object) { delete(v, "lot") }, "vaccination.lot: must be text and not empty"},
		"no date":               {func(_, _, v object) { delete(v, "date") }, "vaccination.date: must be a FHIR date or dateTime"},
		"date without zone":     {func(_, _, v object) { v["date"] = "2026-01-20T10:00:00" }, "vaccination.date: must be a FHIR date or dateTime"},
		"no dose":               {func(_, _, v object) { delete(v, "dose") }, "vaccination.dose: must be a whole number above zero"},
		"dose zero":             {func(_, _, v object) { v["dose"] = 0 }, "vaccination.dose: must be a whole number above zero"},
		"dose negative":         {func(_, _, v object) { v["dose"] = -1 }, "vaccination.dose: must be a whole number above zero"},
		"dose and a half":       {func(_, _, v object) { v["dose"] = 1.5 }, "vaccination.dose: must be a whole number above zero"},
		"dose text":             {func(_, _, v object) { v["dose"] = "1" }, "vaccination.dose: must be a whole number above zero"},
		"total doses text":      {func(_, _, v object) { v["totalDoses"] = "2" }, "vaccination.totalDoses: must be a whole number above zero"},
		"no country":            {func(_, _, v object) { delete(v, "country") }, "vaccination.country: must be a map"},
		"centre coding":         {func(_, _, v object) { v["centre"] = object{"code": "1"} }, "vaccination.centre: must be text and not empty"},
		"valid from":            {func(_, _, v object) { v["validFrom"] = "soon" }, "vaccination.validFrom: must be a FHIR date or dateTime"},
		"disease text":          {func(_, _, v object) { v["disease"] = "RA01" }, "vaccination.disease: must be a map"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tree := content(t, vaccination())
			test.change(tree, tree["certificate"].(object), tree["vaccination"].(object))
			result := a.verifyContent(t, a.vaccination, 3, tree)
			if result.Detail != test.detail || result.Valid != (test.detail == "") {
				t.Errorf("%s: %q, want %q", result.Reason, result.Detail, test.detail)
			}
			if !result.Valid && result.Reason != verification.ReasonInvalidPayload {
				t.Errorf("reason %s", result.Reason)
			}
		})
	}
}

func TestTestPayloadRules(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	for name, test := range map[string]struct {
		change func(event object)
		valid  bool
	}{
		"as written":     {func(object) {}, true},
		"centre as text": {func(e object) { e["centre"] = "Laboratory" }, true},
		"no centre":      {func(e object) { delete(e, "centre") }, true},
		"empty centre":   {func(e object) { e["centre"] = "" }, false},
		"no pathogen":    {func(e object) { delete(e, "pathogen") }, false},
		"no type":        {func(e object) { delete(e, "type") }, false},
		"no result":      {func(e object) { delete(e, "result") }, false},
		"no date":        {func(e object) { delete(e, "date") }, false},
		"no country":     {func(e object) { delete(e, "country") }, false},
		"origin text":    {func(e object) { e["origin"] = "x" }, false},
	} {
		tree := content(t, testResult())
		test.change(tree["test"].(object))
		if result := a.verifyContent(t, a.test, 4, tree); result.Valid != test.valid {
			t.Errorf("%s: %s %s", name, result.Reason, result.Detail)
		}
	}
	tree := content(t, testResult())
	delete(tree, "certificate")
	if result := a.verifyContent(t, a.test, 4, tree); !result.Valid || result.Warnings[0] != verification.WarningNoCertificate {
		t.Errorf("%+v", result)
	}
}

func TestOtherContent(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	ca := trusttest.CSCA(t)
	open := ca.DSC(t)
	a.list = trusttest.List(t, ca.Entry(open), a.ca.Entry(a.test))
	v, test, r := euContent("v"), euContent("t"), euContent("r")
	nulls, both := euContent("v"), euContent("v")
	nulls["t"], nulls["r"], both["t"] = nil, nil, test["t"]
	for name, test := range map[string]struct {
		key      trusttest.Pair
		subClaim int64
		tree     any
		want     verification.Reason
	}{
		"EU vaccination":          {open, 1, v, verification.ReasonVerified},
		"EU with nulls":           {open, 1, nulls, verification.ReasonVerified},
		"EU recovery":             {open, 1, r, verification.ReasonVerified},
		"EU test, test key":       {a.test, 1, test, verification.ReasonVerified},
		"EU recovery, test key":   {a.test, 1, r, verification.ReasonUsageMismatch},
		"EU both, test key":       {a.test, 1, both, verification.ReasonUsageMismatch},
		"EU both":                 {open, 1, both, verification.ReasonInvalidPayload},
		"EU nothing":              {open, 1, object{"ver": "1.3.0"}, verification.ReasonInvalidPayload},
		"EU text":                 {open, 1, "x", verification.ReasonInvalidPayload},
		"EU, not by the schema":   {open, 1, object{"v": v["v"]}, verification.ReasonInvalidPayload},
		"ICVP":                    {open, -6, icvpContent(), verification.ReasonVerified},
		"ICVP, test key":          {a.test, -6, icvpContent(), verification.ReasonUsageMismatch},
		"ICVP without dose":       {open, -6, object{"n": "x"}, verification.ReasonInvalidPayload},
		"health link":             {open, 5, "vhlink:/x", verification.ReasonUnsupportedPayload},
		"unassigned":              {open, 99, object{}, verification.ReasonUnsupportedPayload},
		"vaccination as test":     {open, 4, content(t, vaccination()), verification.ReasonInvalidPayload},
		"vaccination by test key": {a.test, 3, content(t, vaccination()), verification.ReasonUsageMismatch},
	} {
		if result := a.verifyContent(t, test.key, test.subClaim, test.tree); result.Reason != test.want {
			t.Errorf("%s: %s (%s), want %s", name, result.Reason, result.Detail, test.want)
		}
	}
	two := anyClaims(t, object64{6: issued.Unix(), 4: expires.Unix(), -260: object64{3: content(t, vaccination()), 4: content(t, testResult())}})
	if result := a.verifier().VerifyText(text(t, sign(t, open, two))); result.Reason != verification.ReasonUnsupportedPayload || result.Content != nil {
		t.Errorf("two sub-claims: %+v", result)
	}
}
