package verification_test

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"io"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// rewritten changes the credential inside an archive.
func rewritten(t testing.TB, text, old, replacement string) string {
	t.Helper()
	archive, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "B64:"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	member, err := r.File[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(member)
	if err != nil || !strings.Contains(string(content), old) {
		t.Fatalf("%q: %v", old, err)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	file, err := w.Create(r.File[0].Name)
	if err == nil {
		_, err = io.WriteString(file, strings.Replace(string(content), old, replacement, 1))
	}
	if err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return "B64:" + base64.StdEncoding.EncodeToString(out.Bytes())
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	texts, good := w.divoc.Texts, w.divoc.Texts["rsa"]
	archive, err := base64.StdEncoding.DecodeString(good[4:])
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		text string
		want verification.Reason
	}{
		"as signed":           {good, verification.ReasonVerified},
		"the archive itself":  {string(archive), verification.ReasonVerified},
		"with an end":         {texts["ends"], verification.ReasonVerified},
		"ended":               {texts["ended"], verification.ReasonExpired},
		"ends before it is":   {texts["backwards"], verification.ReasonInvalidClaims},
		"issued in future":    {texts["future"], verification.ReasonNotYetValid},
		"issued before key":   {texts["early"], verification.ReasonKeyNotYetValid},
		"end no longer said":  {rewritten(t, texts["ended"], `"expirationDate":"2026-02-01T00:00:00Z",`, ""), verification.ReasonBadSignature},
		"other name":          {rewritten(t, good, "Asha", "Usha"), verification.ReasonBadSignature},
		"member not covered":  {rewritten(t, good, `"nonTransferable"`, `"more":1,"nonTransferable"`), verification.ReasonBadSignature},
		"other suite":         {rewritten(t, good, "RsaSignature2018", "EcdsaSignature2019"), verification.ReasonUnsupportedAlgorithm},
		"other suite, key":    {rewritten(t, good, "RsaSignature2018", "Ed25519Signature2018"), verification.ReasonUnsupportedAlgorithm},
		"other context":       {rewritten(t, good, "cowin.gov.in", "cowin.example"), verification.ReasonUnsupportedContext},
		"other method":        {rewritten(t, good, "did:utopia", "did:other"), verification.ReasonUnknownKey},
		"no method":           {rewritten(t, good, "did:utopia", ""), verification.ReasonKIDMissing},
		"method of all kinds": {rewritten(t, good, "did:utopia", "Asha Specimen"), verification.ReasonKIDMissing},
		"long method":         {rewritten(t, good, "did:utopia", strings.Repeat("x", 257)), verification.ReasonKIDMissing},
		"no proof":            {rewritten(t, good, `"proof"`, `"prof"`), verification.ReasonNotDIVOC},
		"member twice":        {rewritten(t, good, `"issuer"`, `"issuer":"","issuer"`), verification.ReasonInvalidJSON},
		"not base64":          {"B64:?", verification.ReasonInvalidEncoding},
		"not an archive":      {"B64:AAAA", verification.ReasonInvalidCompression},
		"too long":            {"B64:" + strings.Repeat("A", 9<<10), verification.ReasonNotDIVOC},
	} {
		result := w.verifier(t).VerifyText(test.text)
		checkConsistent(t, result)
		if result.Reason != test.want || result.Format != verification.FormatDIVOC {
			t.Errorf("%s: %s (%s), want %s", name, result.Reason, result.Detail, test.want)
		}
		if result.Signer == nil && strings.Contains(string(marshal(t, result)), "Asha") {
			t.Errorf("%s: shows the person", name)
		}
	}
}

func TestCredentialKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	right, kind := w.divoc.key(t), bareKey(trusttest.CSCA(t))
	name := [3]string{"divoc", "", w.divoc.Method}
	for label, test := range map[string]struct {
		keys verification.Keys
		want verification.Reason
	}{
		"none":        {nil, verification.ReasonUnknownKey},
		"empty":       {registry{}, verification.ReasonUnknownKey},
		"other kind":  {registry{name: {kind}}, verification.ReasonUnsuitableKey},
		"after other": {registry{name: {kind, right}}, verification.ReasonVerified},
		"of cards":    {registry{{"shc", "", w.divoc.Method}: {right}}, verification.ReasonUnknownKey},
	} {
		v := w.verifier(t)
		v.Keys = test.keys
		if result := v.VerifyText(w.divoc.Texts["rsa"]); result.Reason != test.want {
			t.Errorf("%s: %s (%s), want %s", label, result.Reason, result.Detail, test.want)
		}
	}
}
