package verification_test

import (
	"testing"

	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// The keys of the golden files are thrown away: nothing but the seeds may verify.

func FuzzVerifyCard(f *testing.F) {
	seed := string(readGolden(f, goldenCard))
	f.Add(seed)
	for _, text := range append(cut(seed, 1), "shc:/", "shc:/1/1/", "ey..", "eyJ6aXAiOiJERUYifQ.e30.AAAA") {
		f.Add(text)
	}
	fuzzAgainst(f, golden(f, goldenFormats), seed)
}

// FuzzVerifySeal knows the CSCA of the seed alone.
func FuzzVerifySeal(f *testing.F) {
	v, seed := golden(f, goldenFormats), string(readGolden(f, goldenSeal))
	v.List, _ = trust.NewList(nil, trust.Options{Anchors: v.List.Anchors()})
	f.Add(seed)
	for _, text := range []string{"{}", `{"data":{"hdr":{},"msg":{}},"sig":{}}`, `{"data":`} {
		f.Add(text)
	}
	fuzzAgainst(f, v, seed)
}

func FuzzVerifyCredential(f *testing.F) {
	fixture := readDIVOC(f)
	for _, text := range fixture.Texts {
		f.Add(text)
	}
	f.Add("B64:")
	f.Add("PK\x03\x04")
	fuzzAgainst(f, golden(f, goldenFormats), fixture.Texts["rsa"], fixture.Texts["ends"])
}

func fuzzAgainst(f *testing.F, v *verification.Verifier, seeds ...string) {
	f.Helper()
	var originals []verification.Result
	for _, seed := range seeds {
		result := v.VerifyText(seed)
		if !result.Valid {
			f.Fatal(result.Reason, result.Detail)
		}
		originals = append(originals, result)
	}
	f.Fuzz(func(t *testing.T, text string) {
		result := v.VerifyText(text)
		checkConsistent(t, result)
		if !result.Valid {
			return
		}
		content := string(marshal(t, result.Content))
		for _, original := range originals {
			if content == string(marshal(t, original.Content)) {
				return
			}
		}
		t.Errorf("verified without a signature: %q", text)
	})
}

// BenchmarkVerify is one certificate of each format against a list of 500 keys, on one core.
func BenchmarkVerify(b *testing.B) {
	w := newWorld(b)
	entries := w.list.Entries()
	for range 500 {
		entries = append(entries, w.ca.Entry(w.ca.DSC(b)))
	}
	w.list = trusttest.List(b, entries...)
	texts := w.texts(b)
	for _, name := range []string{"who", "dcc", "icvp", "shc", "vdsnc", "divoc"} {
		b.Run(name, func(b *testing.B) {
			v := w.verifier(b)
			b.ReportAllocs()
			for b.Loop() {
				if result := v.VerifyText(texts[name]); !result.Valid {
					b.Fatal(result.Detail)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "certificates/s")
		})
	}
}
