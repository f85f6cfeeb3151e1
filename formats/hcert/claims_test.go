package hcert_test

import (
	"encoding/hex"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/trustedparty/ddcc-gateway/formats/hcert"
)

// The bytes are written by hand from RFC 8949 and RFC 8392.
func TestClaimsAreDeterministicCBOR(t *testing.T) {
	t.Parallel()
	claims := specimenClaims(-6, map[string]any{
		"bb": []any{uint8(23), 24, int64(-25), 65536, true, false}, "a": "é", "c": map[string]string{},
	})
	claims.IssuedAt = time.Unix(0x69000000, 0)
	claims.ExpiresAt = time.Unix(0x6a000000, 0)
	want := "a4" + "01" + "625858" + "04" + "1a6a000000" + "06" + "1a69000000" + "390103" +
		"a1" + "25" + "a3" + "6161" + "62c3a9" + "6163" + "a0" + "626262" + "86" + "17" + "1818" + "3818" + "1a00010000" + "f5" + "f4"
	for range 20 { // Go iterates maps in random order
		payload, err := claims.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(payload); got != want {
			t.Fatalf("\n got %s\nwant %s", got, want)
		}
	}
}

func TestClaimsOmitAbsentMembers(t *testing.T) {
	t.Parallel()
	payload, err := specimenTest().Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, member := range []string{"vaccination", "brand", "manufacturer", "origin"} {
		if strings.Contains(string(payload), member) {
			t.Errorf("payload holds the absent member %q", member)
		}
	}
}

// A lifelong certificate is one that says so, not one whose end was forgotten.
func TestClaimsWithoutEnd(t *testing.T) {
	t.Parallel()
	claims := specimenClaims(-6, map[string]int{})
	claims.IssuedAt, claims.ExpiresAt, claims.Lifelong = time.Unix(0x69000000, 0), time.Time{}, true
	payload, err := claims.Encode()
	if err != nil {
		t.Fatal(err)
	}
	want := "a3" + "01" + "625858" + "06" + "1a69000000" + "390103" + "a1" + "25" + "a0"
	if got := hex.EncodeToString(payload); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestClaimsRefuse(t *testing.T) {
	t.Parallel()
	const decomposed = "e\u0301"
	nested := any("leaf")
	for range 15 {
		nested = []any{nested}
	}
	content := func(value any) func(*hcert.Claims) {
		return func(c *hcert.Claims) { c.Content = value }
	}
	ddcc := func(change func(*hcert.DDCC)) func(*hcert.Claims) {
		return func(c *hcert.Claims) {
			d := c.Content.(hcert.DDCC)
			change(&d)
			c.Content = d
		}
	}
	for name, test := range map[string]struct {
		change func(*hcert.Claims)
		path   string
	}{
		"no issuer":          {func(c *hcert.Claims) { c.Issuer = "" }, "iss"},
		"lower case issuer":  {func(c *hcert.Claims) { c.Issuer = "xx" }, "iss"},
		"long issuer":        {func(c *hcert.Claims) { c.Issuer = "XXXX" }, "iss"},
		"no iat":             {func(c *hcert.Claims) { c.IssuedAt = time.Time{} }, "iat"},
		"fractional iat":     {func(c *hcert.Claims) { c.IssuedAt = c.IssuedAt.Add(time.Millisecond) }, "iat"},
		"no exp":             {func(c *hcert.Claims) { c.ExpiresAt = time.Time{} }, "exp"},
		"fractional exp":     {func(c *hcert.Claims) { c.ExpiresAt = c.ExpiresAt.Add(1) }, "exp"},
		"exp is iat":         {func(c *hcert.Claims) { c.ExpiresAt = c.IssuedAt }, "exp"},
		"lifelong with exp":  {func(c *hcert.Claims) { c.Lifelong = true }, "exp"},
		"lifelong, no place": {func(c *hcert.Claims) { c.Lifelong, c.ExpiresAt, c.SubClaim = true, time.Time{}, 0 }, "-260"},
		"no sub-claim":       {func(c *hcert.Claims) { c.SubClaim = 0 }, "-260"},
		"no content":         {content(nil), "-260.3"},
		"NFD name":           {ddcc(func(d *hcert.DDCC) { d.Name = "Ad" + decomposed }), "-260.3.name"},
		"NFD deep":           {ddcc(func(d *hcert.DDCC) { d.Vaccination.Disease.Code = decomposed }), "-260.3.vaccination.disease.code"},
		"invalid UTF-8":      {ddcc(func(d *hcert.DDCC) { d.Certificate.HCID = "A\xff" }), "-260.3.certificate.hcid"},
		"NFD member name":    {content(map[string]int{decomposed: 1}), "-260.3.(member name)"},
		"NFD in a list":      {content([]string{"a", decomposed}), "-260.3.1"},
		"float":              {content(map[string]any{"dose": 1.0}), "-260.3.dose"},
		"NaN":                {content(map[string]any{"dose": math.NaN()}), "-260.3.dose"},
		"null":               {content(map[string]any{"t": nil}), "-260.3.t"},
		"bytes":              {content(map[string]any{"b": []byte{1}}), "-260.3.b"},
		"big number":         {content(new(big.Int).Lsh(big.NewInt(1), 80)), "-260.3"},
		"tag":                {content(cbor.Tag{Number: 0, Content: "2026-01-01T00:00:00Z"}), "-260.3"},
		"raw long integer":   {content(cbor.RawMessage{0x18, 0x01}), "-260.3"},
		"raw long integer 2": {content(cbor.RawMessage{0x19, 0x00, 0xff}), "-260.3"},
		"raw long integer 4": {content(cbor.RawMessage{0x1a, 0x00, 0x00, 0xff, 0xff}), "-260.3"},
		"raw unsorted":       {content(cbor.RawMessage{0xa2, 0x61, 'b', 0x01, 0x61, 'a', 0x02}), "-260.3.a"},
		"raw duplicate":      {content(cbor.RawMessage{0xa2, 0x61, 'a', 0x01, 0x61, 'a', 0x02}), "-260.3.a"},
		"raw list key":       {content(cbor.RawMessage{0xa1, 0x80, 0x01}), "-260.3.(member name)"},
		"raw simple value":   {content(cbor.RawMessage{0xe0}), "-260.3"},
		"too deep":           {content(nested), "-260.3" + strings.Repeat(".0", 14)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			claims := specimenVaccination()
			claims.Content = cloneDDCC(claims.Content.(hcert.DDCC))
			test.change(&claims)
			_, err := claims.Encode()
			var claimError *hcert.ClaimError
			if !errors.As(err, &claimError) {
				t.Fatalf("got %v, want a ClaimError", err)
			}
			if claimError.Path != test.path {
				t.Errorf("got path %q, want %q", claimError.Path, test.path)
			}
			if strings.Contains(err.Error(), decomposed) || strings.Contains(err.Error(), "Ad") {
				t.Errorf("the error repeats a value: %v", err)
			}
		})
	}
}

func TestClaimsRefuseWhatCannotBeEncoded(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]any{
		"channel":             make(chan int),
		"raw indefinite list": cbor.RawMessage{0x9f, 0x01, 0xff},
		"raw half an item":    cbor.RawMessage{0x62, 'a'},
		"raw two items":       cbor.RawMessage{0x01, 0x02},
	} {
		if _, err := specimenClaims(3, content).Encode(); err == nil {
			t.Errorf("%s was encoded", name)
		}
	}
}

// The largest accepted depth is the one readers accept.
func TestClaimsDepthLimit(t *testing.T) {
	t.Parallel()
	nested := any("leaf")
	for range 14 {
		nested = []any{nested}
	}
	if _, err := specimenClaims(3, nested).Encode(); err != nil {
		t.Errorf("16 levels: %v", err)
	}
}

func cloneDDCC(d hcert.DDCC) hcert.DDCC {
	vaccination, disease := *d.Vaccination, *d.Vaccination.Disease
	vaccination.Disease = &disease
	d.Vaccination = &vaccination
	return d
}
