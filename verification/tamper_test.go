package verification_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/formats/docsig"
	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// Nobody can change a byte of a message and have other content believed.
func TestTamperedMessagesAreRefused(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	v := a.verifier()
	message := sign(t, a.vaccination, encode(t, hcert.SubClaimDDCCVS, vaccination()))
	original := v.VerifyText(text(t, message))
	for i := range message {
		for _, mask := range []byte{0x01, 0x20, 0x80, 0xff} {
			tampered := bytes.Clone(message)
			tampered[i] ^= mask
			refuseOther(t, original, v.VerifyText(text(t, tampered)))
		}
		refuseOther(t, original, v.VerifyText(text(t, append(bytes.Clone(message[:i]), message[i+1:]...))))
	}
}

func TestTamperedTextsAreRefused(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	v := a.verifier()
	text := a.vaccinationText(t)
	original := v.VerifyText(text)
	rapid.Check(t, func(t *rapid.T) {
		tampered := []byte(text)
		for range rapid.IntRange(1, 3).Draw(t, "changes") {
			at := rapid.IntRange(0, len(tampered)-1).Draw(t, "at")
			switch rapid.IntRange(0, 2).Draw(t, "how") {
			case 0:
				tampered[at] = rapid.SampledFrom([]byte("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:=a\x00")).Draw(t, "character")
			case 1:
				tampered = append(tampered[:at], tampered[at+1:]...)
			default:
				tampered = append(tampered[:at], append([]byte{'A'}, tampered[at:]...)...)
			}
		}
		refuseOther(t, original, v.VerifyText(string(tampered)))
	})
}

// A document may only differ where its signature allows a server to change it.
func TestTamperedDocumentsAreRefused(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	v := a.verifier()
	raw := a.signedDocument(t)
	original := v.VerifyDocument(raw)
	covered, err := docsig.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		var bundle any
		if err := json.Unmarshal(raw, &bundle); err != nil {
			t.Fatal(err)
		}
		tampered, err := json.Marshal(tamper(t, bundle))
		if err != nil {
			t.Fatal(err)
		}
		result := v.VerifyDocument(tampered)
		refuseOther(t, original, result)
		if !result.Valid {
			return
		}
		if again, err := docsig.Parse(tampered); err != nil || !bytes.Equal(again.Canonical, covered.Canonical) {
			t.Error("another document is believed")
		}
	})
}

// tamper walks down to some place of the tree and changes it.
func tamper(t *rapid.T, value any) any {
	switch value := value.(type) {
	case map[string]any:
		names := make([]string, 0, len(value))
		for name := range value {
			names = append(names, name)
		}
		slices.Sort(names)
		if len(names) == 0 || rapid.IntRange(0, 9).Draw(t, "add") == 0 {
			value["added"] = "x"
			return value
		}
		name := rapid.SampledFrom(names).Draw(t, "name")
		if rapid.IntRange(0, 9).Draw(t, "delete") == 0 {
			delete(value, name)
			return value
		}
		value[name] = tamper(t, value[name])
		return value
	case []any:
		if len(value) == 0 || rapid.IntRange(0, 9).Draw(t, "cut") == 0 {
			return append(value, "x")
		}
		at := rapid.IntRange(0, len(value)-1).Draw(t, "element")
		value[at] = tamper(t, value[at])
		return value
	case string:
		return value + rapid.SampledFrom([]string{"x", " ", "=", "\n"}).Draw(t, "suffix")
	case float64:
		return value + 1
	default:
		return "x"
	}
}

type errorer interface {
	Helper()
	Errorf(format string, args ...any)
}

func refuseOther(t errorer, original, result verification.Result) {
	t.Helper()
	if result.Valid && (!reflect.DeepEqual(result.Content, original.Content) || !result.ExpiresAt.Equal(original.ExpiresAt) || result.KID != original.KID) {
		t.Errorf("other content is believed: %+v", result)
	}
	if !result.Valid && result.Reason == verification.ReasonVerified {
		t.Errorf("contradiction: %+v", result)
	}
}
