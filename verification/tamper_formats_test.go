package verification_test

import (
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/verification"
)

// refuseAnother refuses what says anything else than the original, in every format.
func refuseAnother(t errorer, original, result verification.Result) {
	t.Helper()
	refuseOther(t, original, result)
	if result.Valid && (result.Format != original.Format || result.Issuer != original.Issuer || !result.IssuedAt.Equal(original.IssuedAt) || !reflect.DeepEqual(result.Signer, original.Signer)) {
		t.Errorf("another certificate is believed: %+v", result)
	}
}

// Nobody can change a text of any format and have other content believed.
func TestTamperedTextsOfAllFormatsAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v, texts := w.verifier(t), w.texts(t)
	for _, name := range []string{"dcc", "icvp", "shc", "vdsnc", "divoc"} {
		original := v.VerifyText(texts[name])
		rapid.Check(t, func(t *rapid.T) {
			tampered := []byte(texts[name])
			for range rapid.IntRange(1, 3).Draw(t, "changes") {
				at := rapid.IntRange(0, len(tampered)-1).Draw(t, "at")
				switch rapid.IntRange(0, 2).Draw(t, "how") {
				case 0:
					tampered[at] = rapid.SampledFrom([]byte("09AZaz-_=.:/ {}[]\",\\\x00\xff")).Draw(t, "character")
				case 1:
					tampered = append(tampered[:at], tampered[at+1:]...)
				default:
					tampered = append(tampered[:at], append([]byte{'A'}, tampered[at:]...)...)
				}
			}
			refuseAnother(t, original, v.VerifyText(string(tampered)))
		})
	}
}

// Every byte behind the base64url of a card.
func TestTamperedCardsAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v, text := w.verifier(t), w.texts(t)["shc"]
	original := v.VerifyText(text)
	parts := strings.Split(text, ".")
	for i := range parts {
		content, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		for at := range content {
			for _, mask := range []byte{0x01, 0x20, 0x80} {
				tampered := append([]string{}, parts...)
				content[at] ^= mask
				tampered[i] = base64.RawURLEncoding.EncodeToString(content)
				content[at] ^= mask
				result := v.VerifyText(strings.Join(tampered, "."))
				if refuseAnother(t, original, result); result.Valid {
					t.Errorf("part %d, byte %d: another card is believed", i, at)
				}
			}
		}
	}
}

// Every member of a seal, and everything that could be added.
func TestTamperedSealsAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v, text := w.verifier(t), w.texts(t)["vdsnc"]
	original := v.VerifyText(text)
	rapid.Check(t, func(t *rapid.T) {
		var tree map[string]any
		if err := json.Unmarshal([]byte(text), &tree); err != nil {
			t.Fatal(err)
		}
		tampered, err := json.Marshal(tamper(t, tree))
		if err != nil {
			t.Fatal(err)
		}
		refuseAnother(t, original, v.VerifyText(string(tampered)))
	})
}
