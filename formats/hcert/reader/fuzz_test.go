package reader

import (
	"errors"
	"math"
	"testing"
	"time"
	"unicode/utf8"
)

// Each fuzz target checks, besides that nothing crashes, what callers rely on.

func FuzzDecode(f *testing.F) {
	for _, text := range specimenTexts(f) {
		f.Add(text)
		f.Add("\ufeff" + text + "\r\n")
		f.Add(text[:len(text)/2])
	}
	f.Add("HC2:NCF")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Decode(text)
		checkOutcome(t, m, err)
		if err != nil {
			return
		}
		again, err := DecodeCOSE(m.COSE)
		if err != nil || string(again.ToBeSigned()) != string(m.ToBeSigned()) {
			t.Errorf("text and message read differently: %v", err)
		}
	})
}

func FuzzBase45(f *testing.F) {
	for _, text := range []string{"", "BB8", "%69 VD92EX0", "UJCLQE7W581", "QED8WEX0", "FGW", "GGW", "U5", "V5", "="} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		content, err := decodeBase45(text)
		if err == nil && base45(content) != text {
			t.Errorf("%q is not the only text of %x", text, content)
		}
	})
}

func FuzzDecodeCOSE(f *testing.F) {
	untagged := message(f, specimenProtected, "a0", specimenPayload)
	f.Add(untagged)
	f.Add(specimenMessage(f))
	f.Add(append(unhex(f, "d83dd2"), untagged...))
	f.Add(message(f, "a10126", "a104423131", "81a1616101"))
	f.Add(message(f, "a30126028101"+"04481122334455667788", "a1044100", "bf390103a1038a0020617890a0f5f6f7f93c00c06161ff"))
	key := &specimenKey(f).PublicKey
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := DecodeCOSE(raw)
		checkOutcome(t, m, err)
		if err != nil {
			return
		}
		var refused *Error
		if err := m.Verify(key); err != nil && !errors.As(err, &refused) {
			t.Errorf("another kind of error: %v", err)
		}
	})
}

func FuzzClaims(f *testing.F) {
	f.Add(unhex(f, specimenPayload))
	f.Add(unhex(f, "a2616101"+"6162f7"))
	f.Add(unhex(f, "a1390103a1038a0020"+"6178f5f6f7f93c001bffffffffffffffff3b7fffffffffffffffa1616180"))
	f.Add(unhex(f, "a304fb41dad2780400000006fa4ed2d151390103a10385c06161d903ec6162c101d8641864c1f93e00"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		claims, err := decodeClaims(payload)
		if err != nil {
			checkError(t, err)
			return
		}
		checkClaims(t, claims)
	})
}

func checkOutcome(t *testing.T, m *Message, err error) {
	t.Helper()
	if err != nil {
		checkError(t, err)
		if m != nil {
			t.Error("a message beside an error")
		}
		return
	}
	if len(m.KID) == 0 || len(m.Protected) == 0 || len(m.COSE) > maxMessage ||
		m.Algorithm != AlgorithmES256 && m.Algorithm != AlgorithmPS256 {
		t.Errorf("incomplete message: %+v", m)
	}
	checkClaims(t, m.Claims)
}

func checkError(t *testing.T, err error) {
	t.Helper()
	var refused *Error
	if !errors.As(err, &refused) || refused.Reason == "" || refused.Detail == "" {
		t.Errorf("not a proper refusal: %v", err)
	}
}

func checkClaims(t *testing.T, claims Claims) {
	t.Helper()
	if (claims.SubClaims == nil) == (claims.Flat == nil) {
		t.Errorf("content must be in exactly one place: %+v", claims)
	}
	for _, date := range []time.Time{claims.IssuedAt, claims.ExpiresAt, claims.NotBefore} {
		if !date.IsZero() && (date.Unix() <= 0 || date.Year() > 9999 || date.Nanosecond() != 0) {
			t.Errorf("date out of range: %v", date)
		}
	}
	for _, value := range claims.SubClaims {
		checkValue(t, value, 2)
	}
	for name, value := range claims.Flat {
		checkValue(t, name, 1)
		checkValue(t, value, 1)
	}
}

// checkValue knows the closed list of types that Claims promises.
func checkValue(t *testing.T, value any, depth int) {
	t.Helper()
	switch value := value.(type) {
	case nil, bool, uint64:
	case int64:
		if value >= 0 {
			t.Errorf("non-negative int64 %d", value)
		}
	case float64:
		if math.IsNaN(value) || math.IsInf(value, 0) {
			t.Error("a float that is no number")
		}
	case string:
		if !utf8.ValidString(value) {
			t.Error("text is not UTF-8")
		}
	case []any:
		for _, element := range value {
			checkValue(t, element, depth+1)
		}
	case map[string]any:
		for name, member := range value {
			checkValue(t, name, depth+1)
			checkValue(t, member, depth+1)
		}
	default:
		t.Errorf("unexpected %T", value)
	}
	if depth > maxDepth+1 {
		t.Errorf("nested %d levels", depth)
	}
}
