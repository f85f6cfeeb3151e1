package hcert_test

import (
	"testing"

	"github.com/veraison/go-cose"

	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
)

// BenchmarkIssue is one certificate on one core: claims, signature, text. The project's
// goal is 6,000 a second.
func BenchmarkIssue(b *testing.B) {
	signer, err := cose.NewSigner(cose.AlgorithmES256, specimenKey(b))
	if err != nil {
		b.Fatal(err)
	}
	claims := specimenVaccination()
	b.ReportAllocs()
	for b.Loop() {
		payload, err := claims.Encode()
		if err != nil {
			b.Fatal(err)
		}
		message, err := hcert.Sign1(payload, specimenKID, signer)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := hcert.Text(message); err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b)
}

func BenchmarkEncode(b *testing.B) {
	claims := specimenVaccination()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := claims.Encode(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSign1(b *testing.B) {
	signer, err := cose.NewSigner(cose.AlgorithmES256, specimenKey(b))
	if err != nil {
		b.Fatal(err)
	}
	payload, err := specimenVaccination().Encode()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := hcert.Sign1(payload, specimenKID, signer); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkText(b *testing.B) {
	message := specimenMessage(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := hcert.Text(message); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	text := specimenText(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := reader.Decode(text); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerify is one text decoded and verified on one core; the goal is 6,000 a
// second.
func BenchmarkVerify(b *testing.B) {
	key := &specimenKey(b).PublicKey
	text := specimenText(b)
	b.ReportAllocs()
	for b.Loop() {
		message, err := reader.Decode(text)
		if err != nil {
			b.Fatal(err)
		}
		if err := message.Verify(key); err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b)
}

func perSecond(b *testing.B) {
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "certificates/s")
}

func specimenMessage(b *testing.B) []byte {
	b.Helper()
	payload, err := specimenVaccination().Encode()
	if err != nil {
		b.Fatal(err)
	}
	message, err := hcert.Sign1(payload, specimenKID, &fixedSigner{key: specimenKey(b)})
	if err != nil {
		b.Fatal(err)
	}
	return message
}

func specimenText(b *testing.B) string {
	b.Helper()
	text, err := hcert.Text(specimenMessage(b))
	if err != nil {
		b.Fatal(err)
	}
	return text
}
