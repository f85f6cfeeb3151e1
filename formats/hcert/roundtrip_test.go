package hcert_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
)

// Whatever is written, the independent reader reads back, member by member, and the
// signature verifies over the bytes ToBeSigned gave.
func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	key := specimenKey(t)
	signer := &fixedSigner{key: key}
	texts := 0
	rapid.Check(t, func(r *rapid.T) {
		claims := anyClaims(r)
		payload, err := claims.Encode()
		if err != nil {
			r.Fatal(err)
		}
		kid := rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(r, "kid")
		message, err := hcert.Sign1(payload, kid, signer)
		if err != nil {
			r.Fatal(err)
		}
		read := readBack(r, message, &texts)
		if err := read.Verify(&key.PublicKey); err != nil {
			r.Fatal(err)
		}
		tbs, err := hcert.ToBeSigned(payload, kid, signer.Algorithm())
		if err != nil || !bytes.Equal(tbs, read.ToBeSigned()) {
			r.Fatalf("writer and reader see other Sig_structures (%v)", err)
		}
		compareMessage(r, claims, kid, payload, read)
	})
	if texts == 0 {
		t.Error("no example fitted into a text")
	}
}

// readBack goes through the text where it fits into a QR code.
func readBack(r *rapid.T, message []byte, texts *int) *reader.Message {
	text, err := hcert.Text(message)
	if errors.Is(err, hcert.ErrTooLong) {
		read, err := reader.DecodeCOSE(message)
		if err != nil {
			r.Fatal(err)
		}
		return read
	}
	if err != nil {
		r.Fatal(err)
	}
	*texts++
	read, err := reader.Decode(text)
	if err != nil {
		r.Fatal(err)
	}
	if !bytes.Equal(read.COSE, message) {
		r.Fatal("the text holds other bytes")
	}
	return read
}

func compareMessage(r *rapid.T, claims hcert.Claims, kid, payload []byte, read *reader.Message) {
	if !bytes.Equal(read.KID, kid) || !read.KIDProtected || !bytes.Equal(read.Payload, payload) {
		r.Error("key id or payload differ")
	}
	if len(read.Tags) != 1 || read.Tags[0] != 18 || read.Algorithm != reader.AlgorithmES256 {
		r.Errorf("tags %v, algorithm %d", read.Tags, read.Algorithm)
	}
	got := read.Claims
	if got.Issuer != claims.Issuer || !got.IssuedAt.Equal(claims.IssuedAt) || !got.ExpiresAt.Equal(claims.ExpiresAt) {
		r.Errorf("claims differ: %v %v %v", got.Issuer, got.IssuedAt, got.ExpiresAt)
	}
	want := map[int64]any{claims.SubClaim: claims.Content}
	if diff := cmp.Diff(jsonValue(r, want), jsonValue(r, got.SubClaims)); diff != "" {
		r.Errorf("content differs (-written +read):\n%s", diff)
	}
}

// jsonValue brings typed and generic content to one form. Struct tags name members alike
// for CBOR and JSON.
func jsonValue(r *rapid.T, value any) any {
	encoded, err := json.Marshal(value)
	if err != nil {
		r.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.UseNumber()
	var out any
	if err := decoder.Decode(&out); err != nil {
		r.Fatal(err)
	}
	return out
}

func anyClaims(r *rapid.T) hcert.Claims {
	issued := rapid.Int64Range(1, 4e9).Draw(r, "iat")
	claims := hcert.Claims{
		Issuer:    rapid.StringMatching(`[A-Z]{2,3}`).Draw(r, "iss"),
		IssuedAt:  time.Unix(issued, 0),
		ExpiresAt: time.Unix(issued+rapid.Int64Range(1, 4e9).Draw(r, "validity"), 0),
		SubClaim:  rapid.SampledFrom([]int64{1, 3, 4, 5, -6}).Draw(r, "sub-claim"),
	}
	ddcc := hcert.DDCC{
		Name:      anyText(r, "name"),
		BirthDate: rapid.StringMatching(`([0-9]{4}(-[0-9]{2}){0,2})?`).Draw(r, "birthDate"),
		Certificate: hcert.DDCCCertificate{
			Issuer: anyCoding(r), HCID: anyText(r, "hcid"), DDCCID: anyText(r, "ddccid"), Version: "RC2",
		},
	}
	if rapid.Bool().Draw(r, "has period") {
		ddcc.Certificate.Period = &hcert.DDCCPeriod{Start: anyText(r, "start"), End: anyText(r, "end")}
	}
	if rapid.Bool().Draw(r, "vaccination") {
		ddcc.Vaccination = anyVaccination(r)
	} else {
		ddcc.Test = anyTest(r)
	}
	claims.Content = ddcc
	return claims
}

func anyVaccination(r *rapid.T) *hcert.DDCCVaccination {
	return &hcert.DDCCVaccination{
		Vaccine: anyCoding(r), Brand: anyCoding(r), Manufacturer: maybeCoding(r), MAHolder: maybeCoding(r),
		Lot: anyText(r, "lot"), Date: "2026-01-20", Dose: rapid.Int().Draw(r, "dose"),
		TotalDoses: rapid.IntRange(0, 300).Draw(r, "total"), Country: anyCoding(r),
		Centre: anyText(r, "centre"), Disease: maybeCoding(r),
	}
}

func anyTest(r *rapid.T) *hcert.DDCCTest {
	return &hcert.DDCCTest{
		Pathogen: anyCoding(r), Type: anyCoding(r), Brand: maybeCoding(r), Manufacturer: maybeCoding(r),
		Origin: maybeCoding(r), Date: "2026-01-14T08:00:00Z", Result: anyCoding(r),
		Centre: maybeCoding(r), Country: anyCoding(r),
	}
}

func anyCoding(r *rapid.T) hcert.Coding {
	return hcert.Coding{Code: anyText(r, "code"), System: rapid.SampledFrom([]string{"", "http://loinc.org"}).Draw(r, "system")}
}

func maybeCoding(r *rapid.T) *hcert.Coding {
	if rapid.Bool().Draw(r, "absent") {
		return nil
	}
	coding := anyCoding(r)
	return &coding
}

func anyText(r *rapid.T, label string) string {
	return norm.NFC.String(rapid.StringN(-1, 40, -1).Draw(r, label))
}
