package verification_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/veraison/go-cose"

	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/revocation"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// Every reason is the outcome of some input, and every outcome has its sentence.
func TestEveryReasonOccurs(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	v := a.verifier()
	claims := func(iat, exp any) []byte {
		all := object64{-260: object64{3: content(t, vaccination())}}
		if iat != nil {
			all[6] = iat
		}
		if exp != nil {
			all[4] = exp
		}
		return anyClaims(t, all)
	}
	vs := encode(t, hcert.SubClaimDDCCVS, vaccination())
	verifyText := func(text string) func() verification.Result {
		return func() verification.Result { return v.VerifyText(text) }
	}
	verifyMessage := func(message []byte) func() verification.Result { return verifyText(text(t, message)) }
	verifyPayload := func(payload []byte) func() verification.Result {
		return verifyMessage(sign(t, a.vaccination, payload))
	}
	verifyDocument := func(raw []byte) func() verification.Result {
		return func() verification.Result { return v.VerifyDocument(raw) }
	}
	good := sign(t, a.vaccination, vs)
	ps256, err := hcert.Assemble(vs, trust.KID(a.vaccination.Cert), cose.AlgorithmPS256, make([]byte, 256))
	if err != nil {
		t.Fatal(err)
	}
	altered := document(immunization(), a.vaccinationText(t))
	signDocument(t, altered, a.jws())
	altered["timestamp"] = "2026-01-01T00:00:00Z"
	unsigned := document(immunization(), a.vaccinationText(t))
	other := immunization()
	other["lotNumber"] = "LOT2"

	for reason, outcome := range map[verification.Reason]func() verification.Result{
		verification.ReasonVerified:             verifyMessage(good),
		verification.ReasonUnsupportedContext:   verifyText("HC2:" + text(t, good)[4:]),
		verification.ReasonNotHCERT:             verifyText(text(t, good)[4:]),
		verification.ReasonInvalidBase45:        verifyText(text(t, good) + "="),
		verification.ReasonInvalidCompression:   verifyText("HC1:000"),
		verification.ReasonInvalidCOSE:          verifyMessage([]byte{0xd2, 0x80}),
		verification.ReasonInvalidCBOR:          verifyPayload([]byte{0xa1, 0xff}),
		verification.ReasonKIDMissing:           verifyMessage([]byte{0xd2, 0x84, 0x43, 0xa1, 0x01, 0x26, 0xa0, 0x41, 0xa0, 0x40}),
		verification.ReasonUnsupportedAlgorithm: verifyMessage(bytes.Replace(good, []byte{0xa2, 0x01, 0x26}, []byte{0xa2, 0x01, 0x27}, 1)),
		verification.ReasonUnknownKey:           verifyText(newAuthority(t).vaccinationText(t)),
		verification.ReasonBadSignature:         verifyMessage(append(bytes.Clone(good[:len(good)-1]), good[len(good)-1]^1)),
		verification.ReasonUnsuitableKey:        verifyMessage(ps256),
		verification.ReasonInvalidClaims:        verifyPayload(claims(issued.Unix(), nil)),
		verification.ReasonNotYetValid:          verifyPayload(claims(expires.Unix(), expires.Unix()+1)),
		verification.ReasonExpired:              verifyPayload(claims(issued.Unix(), now.Unix()-1)),
		verification.ReasonKeyNotYetValid:       verifyPayload(claims(a.ca.Cert.NotBefore.Unix()-1, expires.Unix())),
		verification.ReasonKeyExpired:           a.afterKey(t),
		verification.ReasonOutlivesKey:          verifyPayload(claims(issued.Unix(), a.vaccination.Cert.NotAfter.Unix()+1)),
		verification.ReasonIssuerMismatch:       verifyPayload(anyClaims(t, object64{1: "XA", 6: issued.Unix(), 4: expires.Unix(), -260: object64{3: vaccination()}})),
		verification.ReasonUsageMismatch:        verifyMessage(sign(t, a.test, vs)),
		verification.ReasonUnsupportedPayload:   verifyPayload(encode(t, 5, "vhlink:/x")),
		verification.ReasonInvalidPayload:       verifyPayload(encode(t, 3, object{"name": "x"})),

		verification.ReasonNotSHC:             verifyText("shc:/" + strings.Repeat("0", 17<<10)),
		verification.ReasonInvalidChunks:      verifyText("shc:/1/2/00"),
		verification.ReasonInvalidEncoding:    verifyText("shc:/0"),
		verification.ReasonNotVDSNC:           verifyText("{}"),
		verification.ReasonInvalidJSON:        verifyText(`{"data":{},"data":{}}`),
		verification.ReasonInvalidCertificate: verifyText(strings.Replace(sealText(t, barcodeSigner(t, a.ca), seal()), `"cer":"M`, `"cer":"N`, 1)),
		verification.ReasonNotDIVOC:           verifyText("B64:" + strings.Repeat("A", 9<<10)),
		verification.ReasonRevoked: func() verification.Result {
			v := a.verifier()
			v.Revocations = &answer{verdict: revocation.Verdict{Revoked: true, Certainty: revocation.Exact}}
			return v.VerifyText(a.vaccinationText(t))
		},

		verification.ReasonDocumentMalformed:           verifyDocument([]byte(`{"resourceType":"Bundle","resourceType":"Bundle"}`)),
		verification.ReasonDocumentUnsigned:            verifyDocument(marshal(t, unsigned)),
		verification.ReasonDocumentBadSignature:        verifyDocument(marshal(t, altered)),
		verification.ReasonDocumentCertificateMismatch: verifyDocument(signDocument(t, document(other, a.vaccinationText(t)), a.jws())),

		// Made by those who read images; here only the sentence belongs to us.
		verification.ReasonQRUnreadable: func() verification.Result {
			return verification.Result{Reason: verification.ReasonQRUnreadable, Detail: "made by the caller"}
		},
	} {
		t.Run(string(reason), func(t *testing.T) {
			t.Parallel()
			result := outcome()
			if result.Reason != reason || result.Valid != (reason == verification.ReasonVerified) {
				t.Errorf("%s (%s)", result.Reason, result.Detail)
			}
			if (result.Detail == "") != result.Valid {
				t.Errorf("detail %q", result.Detail)
			}
		})
	}
	if got := len(verification.Reasons()); got != 35 {
		t.Errorf("%d reasons; give each a case above", got)
	}
	seen := map[string]bool{}
	for _, reason := range verification.Reasons() {
		sentence := verification.Explain(reason)
		if sentence == verification.Explain("no such reason") || seen[sentence] {
			t.Errorf("%s has no sentence of its own", reason)
		}
		seen[sentence] = true
	}
}

// afterKey gives the outcome for a lifelong certificate whose DSC has ended.
func (a authority) afterKey(t *testing.T) func() verification.Result {
	t.Helper()
	dsc := a.ca.DSC(t, trusttest.Validity(trusttest.Start, now.AddDate(0, 0, -1)))
	v := verification.Verifier{List: trusttest.List(t, a.ca.Entry(dsc)), Clock: a.verifier().Clock, Profiles: map[int64]verification.Profile{
		3: {Name: "lifelong", Rules: verification.RulesOpaque, TimesOptional: true},
	}}
	payload := anyClaims(t, object64{6: trusttest.Start.Unix(), -260: object64{3: object{}}})
	message := text(t, sign(t, dsc, payload))
	return func() verification.Result { return v.VerifyText(message) }
}

// The word and the sentence survive a round trip through JSON.
func TestReasonIsPlainText(t *testing.T) {
	t.Parallel()
	raw, err := json.Marshal(verification.ReasonOutlivesKey)
	if err != nil || string(raw) != `"outlives_key"` {
		t.Errorf("%s, %v", raw, err)
	}
}

// The page for the people at the counter leaves no word out.
func TestEveryWordIsDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "docs", "verification.md"))
	if err != nil {
		t.Fatal(err)
	}
	words := []string{
		verification.WarningNoExpiry, verification.WarningNoIssueDate, verification.WarningNoCertificate, verification.WarningUnchecked,
		verification.WarningContent, verification.WarningAmbiguous, verification.WarningRevocation, verification.WarningStale, verification.WarningUnconfirmed,
	}
	for _, reason := range verification.Reasons() {
		words = append(words, string(reason))
	}
	for _, word := range words {
		if bytes.Count(page, []byte("\n| `"+word+"` |")) != 1 {
			t.Errorf("%s is not a line of a table in docs/verification.md", word)
		}
	}
}
