package verification_test

import (
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// Whose a key of cards is, says the certificate that names the issuer, or for an issuer that
// no certificate names the registry.
func TestWhoseCardKey(t *testing.T) {
	t.Parallel()
	ca := trusttest.CSCA(t)
	named, other := ca.DSC(t, trusttest.URI(t, cardIssuer)), ca.DSC(t, trusttest.URI(t, "https://other.example"))
	nameless, stranger := ca.DSC(t), ca.DSC(t)
	list := func(entries ...trust.Entry) *trust.List { return trusttest.List(t, entries...) }
	bare := func(issuer string, key trusttest.Pair) registry {
		return registry{{"shc", issuer, thumbprint(t, key)}: {bareKey(key)}}
	}
	const good, unknown = verification.ReasonVerified, verification.ReasonUnknownKey
	for name, test := range map[string]struct {
		key  trusttest.Pair
		list *trust.List
		keys verification.Keys
		want verification.Reason
	}{
		"certificate names the issuer":       {named, list(ca.Entry(named, trust.UsageSHC)), nil, good},
		"certificate names another":          {other, list(ca.Entry(other, trust.UsageSHC)), nil, unknown},
		"certificate names nobody":           {nameless, list(ca.Entry(nameless, trust.UsageSHC)), nil, unknown},
		"not for cards":                      {named, list(ca.Entry(named, trust.UsageVaccination)), nil, unknown},
		"bare key of the issuer":             {stranger, nil, bare(cardIssuer, stranger), good},
		"bare key of another issuer":         {stranger, nil, bare("https://other.example", stranger), unknown},
		"bare key, other certificates":       {stranger, list(ca.Entry(other, trust.UsageSHC)), bare(cardIssuer, stranger), good},
		"bare key, the issuer is listed":     {stranger, list(ca.Entry(named, trust.UsageSHC)), bare(cardIssuer, stranger), unknown},
		"no list and no registry":            {named, nil, nil, unknown},
		"a registry that mixes up its keys":  {named, nil, registry{{"shc", cardIssuer, thumbprint(t, named)}: {bareKey(stranger)}}, verification.ReasonBadSignature},
		"a registry with another kind first": {named, nil, registry{{"shc", cardIssuer, thumbprint(t, named)}: {{Public: "?"}, bareKey(named)}}, good},
		"a registry with another kind alone": {named, nil, registry{{"shc", cardIssuer, thumbprint(t, named)}: {{Public: "?"}}}, verification.ReasonUnsuitableKey},
		"a bare key that begins later":       {named, nil, registry{{"shc", cardIssuer, thumbprint(t, named)}: {{Public: named.Key.Public(), NotBefore: now}}}, verification.ReasonKeyNotYetValid},
		"a bare key that has ended":          {named, nil, registry{{"shc", cardIssuer, thumbprint(t, named)}: {{Public: named.Key.Public(), NotAfter: now.Add(-time.Second)}}}, verification.ReasonKeyExpired},
		"a bare key that had ended":          {named, nil, registry{{"shc", cardIssuer, thumbprint(t, named)}: {{Public: named.Key.Public(), NotAfter: issued.Add(-time.Second)}}}, verification.ReasonKeyExpired},
		"a bare key without limits":          {named, nil, registry{{"shc", cardIssuer, thumbprint(t, named)}: {{Public: named.Key.Public()}}}, good},
	} {
		v := verification.Verifier{List: test.list, Keys: test.keys, Clock: func() time.Time { return now }}
		result := v.VerifyText(card(t, test.key, credential()))
		if result.Reason != test.want {
			t.Errorf("%s: %s (%s), want %s", name, result.Reason, result.Detail, test.want)
		}
		if result.Valid && test.keys != nil && (result.Signer.Subject != "" || result.Signer.Country != "") {
			t.Errorf("%s: a key without certificate is %+v", name, result.Signer)
		}
	}
}

// A card that its signer should not have signed, each for its rule.
func TestCardRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	vc := func(c object) object { return c["vc"].(object) }
	subject := func(c object) object { return vc(c)["credentialSubject"].(object) }
	const claims, payload = verification.ReasonInvalidClaims, verification.ReasonInvalidPayload
	for name, test := range map[string]struct {
		change func(object)
		want   verification.Reason
		detail string
	}{
		"as written":           {func(object) {}, verification.ReasonVerified, ""},
		"no nbf":               {func(c object) { delete(c, "nbf") }, claims, "nbf"},
		"milliseconds":         {func(c object) { c["nbf"] = issued.UnixMilli() }, claims, "nbf"},
		"exp is text":          {func(c object) { c["exp"] = "1" }, claims, "exp"},
		"ends as it begins":    {func(c object) { c["exp"] = c["nbf"] }, claims, "ends before"},
		"before its key":       {func(c object) { c["nbf"] = w.shc.Cert.NotBefore.Unix() - 1 }, verification.ReasonKeyNotYetValid, "before the begin"},
		"no bundle":            {func(c object) { delete(subject(c), "fhirBundle") }, claims, "fhirBundle"},
		"no entries":           {func(c object) { subject(c)["fhirBundle"] = object{"resourceType": "Bundle", "type": "collection"} }, payload, "(bundle)"},
		"no type of cards":     {func(c object) { vc(c)["type"] = []any{"https://smarthealth.cards#immunization"} }, payload, "(type)"},
		"no version of FHIR":   {func(c object) { delete(subject(c), "fhirVersion") }, payload, "(fhir-version)"},
		"rid with other marks": {func(c object) { vc(c)["rid"] = "a b" }, payload, "(rid)"},
	} {
		result := w.verifier(t).VerifyText(changedCard(t, w.shc, test.change))
		if result.Reason != test.want || !strings.Contains(result.Detail, test.detail) {
			t.Errorf("%s: %s (%s), want %s", name, result.Reason, result.Detail, test.want)
		}
		if strings.Contains(result.Detail, "Ada") || strings.Contains(result.Detail, "1990") {
			t.Errorf("%s: the detail repeats a value", name)
		}
	}
	unusual := changedCard(t, w.shc, func(c object) { vc(c)["type"] = append(vc(c)["type"].([]any), "VerifiableCredential") })
	if result := w.verifier(t).VerifyText(unusual); !result.Valid || result.Warnings[0] != verification.WarningContent {
		t.Errorf("unusual: %+v", result)
	}
}

// A card in several codes is read from all of them and from nothing less.
func TestVerifyChunks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	chunks := cut(card(t, w.shc, credential()), 3)
	v := w.verifier(t)
	if result := v.VerifyChunks([]string{chunks[2], chunks[0], chunks[1]}); !result.Valid || result.Warnings[0] != verification.WarningContent {
		t.Errorf("%+v", result)
	}
	for name, texts := range map[string][]string{
		"one missing": chunks[:2], "one twice": {chunks[0], chunks[0], chunks[2]}, "none": nil,
	} {
		if result := v.VerifyChunks(texts); result.Reason != verification.ReasonInvalidChunks {
			t.Errorf("%s: %s (%s)", name, result.Reason, result.Detail)
		}
	}
	if result := v.VerifyText(chunks[0]); result.Reason != verification.ReasonInvalidChunks {
		t.Errorf("one of three: %s", result.Reason)
	}
	if result := v.VerifyChunks([]string{w.texts(t)["who"], chunks[0]}); result.Reason != verification.ReasonNotSHC {
		t.Errorf("another format: %s", result.Reason)
	}
}
