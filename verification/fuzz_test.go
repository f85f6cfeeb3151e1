package verification_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/docsig"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// FuzzVerifyText knows no private key, so nothing but the golden contents may verify.
func FuzzVerifyText(f *testing.F) {
	v := golden(f, goldenList)
	for _, seed := range []string{goldenVaccination, goldenTest} {
		f.Add(string(readGolden(f, seed)))
	}
	for _, seed := range []string{"HC1:", "HC2:X", "HC1:NCF", "", "shc:/1234"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		result := v.VerifyText(text)
		checkConsistent(t, result)
		if result.Valid && result.Content["name"] != "Ada Spécimen" {
			t.Errorf("verified without a signature: %q", text)
		}
	})
}

func FuzzVerifyDocument(f *testing.F) {
	v := golden(f, goldenList)
	f.Add(readGolden(f, goldenDocument))
	f.Add(marshal(f, document(immunization(), string(readGolden(f, goldenVaccination)))))
	f.Add([]byte(`{"resourceType":"Bundle","type":"document","signature":{"when":"2026-01-31T00:00:00Z","data":"ZTMwLi4="}}`))
	f.Add([]byte(`[]`))
	covered, err := docsig.Parse(readGolden(f, goldenDocument))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		result := v.VerifyDocument(raw)
		checkConsistent(t, result)
		if !result.Valid {
			return
		}
		if parsed, err := docsig.Parse(raw); err != nil || !bytes.Equal(parsed.Canonical, covered.Canonical) {
			t.Errorf("verified without a signature: %q", raw)
		}
	})
}

func checkConsistent(t *testing.T, result verification.Result) {
	t.Helper()
	if result.Valid != (result.Reason == verification.ReasonVerified) || result.Valid == (result.Detail != "") || result.Format == "" {
		t.Errorf("contradiction: %+v", result)
	}
	if result.Valid && (result.Signer == nil || result.Content == nil || result.KID == "") {
		t.Errorf("incomplete: %+v", result)
	}
	if !result.Valid && result.Signer == nil && result.Content != nil {
		t.Errorf("content without a signature: %+v", result)
	}
	if verification.Explain(result.Reason) == verification.Explain("") {
		t.Errorf("no sentence for %q", result.Reason)
	}
	marshal(t, result)
}

// BenchmarkVerifyText is one certificate against a list of 500 keys on one core; the
// goal is 6,000 a second.
func BenchmarkVerifyText(b *testing.B) {
	a := newAuthority(b)
	entries := a.list.Entries()
	for range 500 {
		entries = append(entries, a.ca.Entry(a.ca.DSC(b)))
	}
	v := verification.Verifier{List: trusttest.List(b, entries...), Clock: func() time.Time { return now }}
	text := a.vaccinationText(b)
	b.ReportAllocs()
	for b.Loop() {
		if result := v.VerifyText(text); !result.Valid {
			b.Fatal(result.Detail)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "certificates/s")
}

func BenchmarkVerifyDocument(b *testing.B) {
	a := newAuthority(b)
	v := a.verifier()
	raw := a.signedDocument(b)
	b.ReportAllocs()
	for b.Loop() {
		if result := v.VerifyDocument(raw); !result.Valid {
			b.Fatal(result.Detail)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "documents/s")
}
