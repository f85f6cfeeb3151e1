package reader

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const oneSubClaim = "390103a10301" // -260: {3: 1}

func TestDecodeClaims(t *testing.T) {
	t.Parallel()
	at := func(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }
	three := func(value any) map[int64]any { return map[int64]any{3: value} }
	for name, test := range map[string]struct {
		payload string
		want    Claims
	}{
		"minimal":            {"a1" + oneSubClaim, Claims{SubClaims: three(uint64(1))}},
		"any order":          {"a4" + oneSubClaim + "0618640162585804" + "18c8", Claims{Issuer: "XX", IssuedAt: at(100), ExpiresAt: at(200), SubClaims: three(uint64(1))}},
		"nbf":                {"a2051864" + oneSubClaim, Claims{NotBefore: at(100), SubClaims: three(uint64(1))}},
		"float dates":        {"a304fb41dad2780400000006fa4ed2d151" + oneSubClaim, Claims{ExpiresAt: at(1800003600), IssuedAt: at(1768466560), SubClaims: three(uint64(1))}},
		"half-float date":    {"a204f97bff" + oneSubClaim, Claims{ExpiresAt: at(65504), SubClaims: three(uint64(1))}},
		"fraction dropped":   {"a206fb41d828a01f31eb85" + oneSubClaim, Claims{IssuedAt: at(1621262460), SubClaims: three(uint64(1))}},
		"year 9999":          {"a2041b0000003afff4417f" + oneSubClaim, Claims{ExpiresAt: at(253402300799), SubClaims: three(uint64(1))}},
		"unknown claims":     {"a402617807410020f6" + oneSubClaim, Claims{SubClaims: three(uint64(1))}},
		"text claim":         {"a2617801" + oneSubClaim, Claims{SubClaims: three(uint64(1))}},
		"indefinite map":     {"bf" + oneSubClaim + "ff", Claims{SubClaims: three(uint64(1))}},
		"indefinite content": {"a1390103a103bf61619f01ff61627f616161" + "62ffff", Claims{SubClaims: three(map[string]any{"a": []any{uint64(1)}, "b": "ab"})}},
		"two sub-claims":     {"a1390103a201f42500", Claims{SubClaims: map[int64]any{1: false, -6: uint64(0)}}},
		"all values": {
			"a1390103a1038a" + "00" + "20" + "6178" + "f5" + "f6" + "f7" + "f93c00" + "1bffffffffffffffff" + "3b7fffffffffffffff" + "a1616180",
			Claims{SubClaims: three([]any{uint64(0), int64(-1), "x", true, nil, nil, 1.0, uint64(1<<64 - 1), int64(-1 << 63), map[string]any{"a": []any{}}})},
		},
		"date tags": {
			"a1390103a10385" + "c06161" + "d903ec6162" + "c101" + "d8641864" + "c1f93e00",
			Claims{SubClaims: three([]any{"a", "b", uint64(1), uint64(100), 1.5})},
		},
		"flat":           {"a2616101" + "6162f7", Claims{Flat: map[string]any{"a": uint64(1), "b": nil}}},
		"flat in a list": {"81a1616101", Claims{Flat: map[string]any{"a": uint64(1)}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := decodeClaims(unhex(t, test.payload))
			if err != nil {
				t.Fatalf("%v (%v)", err, errors.Unwrap(err))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeClaimsRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		payload string
		want    Reason
	}{
		"empty":                     {"", ReasonInvalidCBOR},
		"cut short":                 {"a1", ReasonInvalidCBOR},
		"two items":                 {"a1" + oneSubClaim + "00", ReasonInvalidCBOR},
		"reserved head":             {"fc", ReasonInvalidCBOR},
		"stray break":               {"ff", ReasonInvalidCBOR},
		"number":                    {"01", ReasonInvalidClaims},
		"null":                      {"f6", ReasonInvalidClaims},
		"tagged map":                {"d83da1" + oneSubClaim, ReasonInvalidClaims},
		"empty map":                 {"a0", ReasonInvalidClaims},
		"empty list":                {"80", ReasonInvalidClaims},
		"list of two":               {"82a1616101a1616101", ReasonInvalidClaims},
		"list of a list":            {"8181a1616101", ReasonInvalidClaims},
		"claims without content":    {"a1016158", ReasonInvalidClaims},
		"flat beside claims":        {"a2016158616101", ReasonInvalidClaims},
		"repeated claim":            {"a301615801615" + "9" + oneSubClaim, ReasonInvalidCBOR},
		"repeated claim, long form": {"a30161581801615" + "9" + oneSubClaim, ReasonInvalidCBOR},
		"repeated -260":             {"a2" + oneSubClaim + oneSubClaim, ReasonInvalidCBOR},
		"repeated sub-claim":        {"a1390103a203010301", ReasonInvalidClaims},
		"repeated member":           {"a1390103a103a2616101616101", ReasonInvalidCBOR},
		"repeated flat member":      {"a2616101616101", ReasonInvalidCBOR},
		"repeated, indefinite text": {"a1390103a103a26161017f6161ff02", ReasonInvalidCBOR},
		"bytes as claim key":        {"a24101f6" + oneSubClaim, ReasonInvalidClaims},
		"list as claim key":         {"a280f6" + oneSubClaim, ReasonInvalidCBOR},
		"float as claim key":        {"a2f93c00f6" + oneSubClaim, ReasonInvalidClaims},
		"null as claim key":         {"a2f6f6" + oneSubClaim, ReasonInvalidClaims},
		"iss is a number":           {"a20101" + oneSubClaim, ReasonInvalidClaims},
		"iss is null":               {"a201f6" + oneSubClaim, ReasonInvalidClaims},
		"exp is NaN":                {"a204f97e00" + oneSubClaim, ReasonInvalidClaims},
		"exp is infinite":           {"a204f97c00" + oneSubClaim, ReasonInvalidClaims},
		"exp is negative infinite":  {"a204f9fc00" + oneSubClaim, ReasonInvalidClaims},
		"exp is negative":           {"a20420" + oneSubClaim, ReasonInvalidClaims},
		"exp is a negative float":   {"a204f9bc00" + oneSubClaim, ReasonInvalidClaims},
		"exp is zero":               {"a20400" + oneSubClaim, ReasonInvalidClaims},
		"exp is null":               {"a204f6" + oneSubClaim, ReasonInvalidClaims},
		"exp is true":               {"a204f5" + oneSubClaim, ReasonInvalidClaims},
		"exp is text":               {"a2046131" + oneSubClaim, ReasonInvalidClaims},
		"exp is tagged":             {"a204c11864" + oneSubClaim, ReasonInvalidClaims},
		"exp in year 10000":         {"a2041b0000003afff44180" + oneSubClaim, ReasonInvalidClaims},
		"exp beyond int64":          {"a2041bffffffffffffffff" + oneSubClaim, ReasonInvalidClaims},
		"exp float beyond int64":    {"a204fb7e37e43c8800759c" + oneSubClaim, ReasonInvalidClaims},
		"-260 is a list":            {"a139010380", ReasonInvalidClaims},
		"-260 is empty":             {"a1390103a0", ReasonInvalidClaims},
		"-260 with a text key":      {"a1390103a1616101", ReasonInvalidClaims},
		"-260 with a huge key":      {"a1390103a11bffffffffffffffff01", ReasonInvalidClaims},
		"number as member name":     {"a1390103a103a10101", ReasonInvalidClaims},
		"bytes":                     {"a1390103a10341ff", ReasonInvalidClaims},
		"indefinite bytes":          {"a1390103a1035f41ffff", ReasonInvalidClaims},
		"bignum":                    {"a1390103a103c24101", ReasonInvalidCBOR},
		"unknown tag":               {"a1390103a103d82a01", ReasonInvalidClaims},
		"date tag on a list":        {"a1390103a103c080", ReasonInvalidClaims},
		"date tag on a boolean":     {"a1390103a103c1f5", ReasonInvalidClaims},
		"date text, number tag":     {"a1390103a103c16161", ReasonInvalidClaims},
		"tag on a tag":              {"a1390103a103c0c06161", ReasonInvalidClaims},
		"simple value":              {"a1390103a103e0", ReasonInvalidClaims},
		"NaN in the content":        {"a1390103a103f97e00", ReasonInvalidClaims},
		"infinity in the content":   {"a1390103a103f97c00", ReasonInvalidClaims},
		"below int64":               {"a1390103a1033bffffffffffffffff", ReasonInvalidClaims},
		"text is not UTF-8":         {"a1390103a10361ff", ReasonInvalidCBOR},
		"name is not UTF-8":         {"a1390103a103a161ff01", ReasonInvalidCBOR},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := decodeClaims(unhex(t, test.payload))
			wantReason(t, err, test.want)
			if diff := cmp.Diff(Claims{}, got); diff != "" {
				t.Errorf("claims beside an error:\n%s", diff)
			}
		})
	}
}

// A refusal may be logged: it must not repeat the certificate.
func TestErrorsHoldNoValues(t *testing.T) {
	t.Parallel()
	name := encode(t, "Ada Specimen")
	repeated := append(append(append([]byte{0xa2}, name...), 1), name...)
	payload := append(append(unhex(t, "a1390103a103"), repeated...), 2)
	_, err := decodeClaims(payload)
	if err == nil || strings.Contains(err.Error(), "Ada") {
		t.Errorf("got %v", err)
	}
	if errors.Unwrap(err) == nil {
		t.Error("the cause is lost")
	}
}
