package wallet_test

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/smallstep/pkcs7"
	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/formats/cms"
	"github.com/trustedparty/ddcc-gateway/formats/wallet"
)

var keys = map[string]func() crypto.Signer{
	"RSA":   specimenRSA,
	"P-256": func() crypto.Signer { return newECDSA(elliptic.P256()) },
	"P-384": func() crypto.Signer { return newECDSA(elliptic.P384()) },
}

// The manifest lists each file with its digest and nothing else.
func TestManifestListsEveryFile(t *testing.T) {
	t.Parallel()
	files := unpack(t, mustPass(t, apple(specimenRSA(), nil), specimenCard(t)))
	var sums map[string]string
	if err := json.Unmarshal(files["manifest.json"], &sums); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"pass.json", "icon.png", "icon@2x.png", "icon@3x.png", "logo.png", "logo@2x.png", "en.lproj/pass.strings", "fr.lproj/pass.strings",
		"es.lproj/pass.strings", "ar.lproj/pass.strings", "zh-Hans.lproj/pass.strings", "ru.lproj/pass.strings",
	} {
		sum := sha1.Sum(files[name])
		if len(files[name]) == 0 || sums[name] != hex.EncodeToString(sum[:]) {
			t.Errorf("%s: %d bytes, or the digest is wrong", name, len(files[name]))
		}
		delete(sums, name)
		delete(files, name)
	}
	if len(sums) > 0 || len(files) != 2 || len(files["signature"]) == 0 {
		t.Errorf("%d digests and %d files too many", len(sums), len(files)-2)
	}
}

// pass.json has the members Apple's documentation of the Pass object asks for.
func TestPassContent(t *testing.T) {
	t.Parallel()
	c := specimenCard(t)
	c.BirthDate = "1990-01-02"
	c.Rows = []wallet.Row{{"Dose", "2 of 2"}, {"Country", "XX"}}
	got := decode(t, unpack(t, mustPass(t, apple(specimenRSA(), nil), c))["pass.json"])
	date := func(key, label, value string) any {
		return map[string]any{"key": key, "label": label, "value": value, "dateStyle": "PKDateStyleMedium", "timeStyle": "PKDateStyleNone", "ignoresTimeZone": true}
	}
	line := func(key, label, value string) map[string]any {
		return map[string]any{"key": key, "label": label, "value": value}
	}
	back := func(key, label, value string) any {
		l := line(key, label, value)
		l["dataDetectorTypes"] = []any{}
		return l
	}
	want := map[string]any{
		"formatVersion": 1.0, "passTypeIdentifier": passType, "teamIdentifier": team, "serialNumber": c.ID,
		"organizationName": "Health Passes of Specimenland", "logoText": "Health Passes of Specimenland", "description": "Health certificate",
		"expirationDate": "2027-03-01T12:30:44Z", "sharingProhibited": true,
		"backgroundColor": "rgb(16,62,92)", "foregroundColor": "rgb(255,255,255)", "labelColor": "rgb(200,220,232)",
		"barcodes": []any{map[string]any{"format": "PKBarcodeFormatQR", "message": c.Text, "messageEncoding": "iso-8859-1"}},
		"generic": map[string]any{
			"primaryFields":   []any{line("name", "Name", c.Name)},
			"secondaryFields": []any{line("title", "Certificate", c.Title)},
			"auxiliaryFields": []any{date("issued", "Issued", "2026-03-01T11:30:44Z"), date("expires", "Valid until", "2027-03-01T12:30:44Z")},
			"backFields": []any{
				back("issuer", "Issued by", c.Issuer), back("id", "Certificate number", c.ID), back("birthDate", "Date of birth", c.BirthDate),
				back("row0", "Dose", "2 of 2"), back("row1", "Country", "XX"),
				back("note", "Note", "The code holds a signed certificate. To check it, scan the code; the text of this pass alone proves nothing."),
			},
		},
	}
	if g, w := mustJSON(t, got), mustJSON(t, want); g != w {
		t.Errorf("got  %s\nwant %s", g, w)
	}
}

func decode(t testing.TB, raw []byte) any {
	t.Helper()
	var out any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func mustJSON(t testing.TB, of any) string {
	t.Helper()
	raw, err := json.Marshal(of) // members in the order of their names
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestWhatIsNotKnownIsNotShown(t *testing.T) {
	t.Parallel()
	c := specimenCard(t)
	c.IssuedAt, c.ExpiresAt = time.Time{}, time.Time{}
	raw := unpack(t, mustPass(t, apple(specimenRSA(), nil), c))["pass.json"]
	for _, member := range []string{"expirationDate", "auxiliaryFields", "birthDate", "webServiceURL", "authenticationToken", "locations", "beacons", "userInfo", "nfc"} {
		if bytes.Contains(raw, []byte(member)) {
			t.Errorf("%s is there", member)
		}
	}
}

// Two implementations besides openssl verify the signature with each kind of key; it
// carries the intermediate certificate and the time.
func TestSignatureVerifies(t *testing.T) {
	t.Parallel()
	for name, newKey := range keys {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := apple(newKey(), nil)
			files := unpack(t, mustPass(t, a, specimenCard(t)))
			message, err := cms.VerifyDetached(files["signature"], files["manifest.json"])
			if err != nil || !message.Signer.Equal(a.Certificate) || message.Certificates != 2 || !message.SignedAt.Equal(now) {
				t.Errorf("%v: %+v", err, message.SignedAt)
			}
			other, err := pkcs7.Parse(files["signature"])
			if err != nil {
				t.Fatal(err)
			}
			other.Content = files["manifest.json"]
			if err := other.Verify(); err != nil || !slices.ContainsFunc(other.Certificates, a.Issuer.Equal) {
				t.Errorf("the other implementation: %v", err)
			}
			for i := range files["manifest.json"] {
				bad := slices.Clone(files["manifest.json"])
				bad[i] ^= 1
				if _, err := cms.VerifyDetached(files["signature"], bad); err == nil {
					t.Fatalf("byte %d of the manifest changes unnoticed", i)
				}
			}
		})
	}
}

func TestSameInputSameBytes(t *testing.T) {
	t.Parallel()
	a, c := apple(specimenRSA(), nil), specimenCard(t)
	if !bytes.Equal(mustPass(t, a, c), mustPass(t, a, c)) {
		t.Error("two passes of one card differ")
	}
	raw, err := a.Pass(t.Context(), c, now.Add(999*time.Millisecond).In(time.FixedZone("", 3600)))
	if err != nil || !bytes.Equal(raw, mustPass(t, a, c)) {
		t.Errorf("another zone, or parts of a second: %v", err)
	}
	a = apple(newECDSA(elliptic.P256()), nil)
	one, two := unpack(t, mustPass(t, a, c)), unpack(t, mustPass(t, a, c))
	for name := range one {
		if same := bytes.Equal(one[name], two[name]); same == (name == "signature") {
			t.Errorf("%s: same bytes %v", name, same)
		}
	}
}

// Whatever else the card says, the birth date is on the pass only if the card has it.
func TestBirthDateOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	a := apple(specimenRSA(), nil)
	rapid.Check(t, func(r *rapid.T) {
		c := anyCard(t, r)
		birth := rapid.StringMatching(`19[0-9]{2}-0[1-9]-[12][0-9]`).Draw(r, "birth date")
		for _, asked := range []string{"", birth} {
			c.BirthDate = asked
			raw, err := a.Pass(t.Context(), c, now)
			if err != nil {
				r.Fatal(err)
			}
			shown := bytes.Contains(unpack(t, raw)["pass.json"], []byte(birth))
			member := bytes.Contains(unpack(t, raw)["pass.json"], []byte("birth"))
			if shown != (asked != "") || member != (asked != "") {
				r.Fatalf("asked %v, value %v, member %v", asked != "", shown, member)
			}
		}
	})
}

// anyCard draws a card that is right; texts have no digits, so that no date is in them.
func anyCard(t testing.TB, r *rapid.T) wallet.Card {
	t.Helper()
	line := rapid.StringMatching(`[\p{Latin}\p{Arabic}\p{Han}<>&"'\\ ]{1,40}`)
	c := specimenCard(t)
	c.Name, c.Title, c.Issuer = line.Draw(r, "name"), line.Draw(r, "title"), line.Draw(r, "issuer")
	for range rapid.IntRange(0, wallet.MaxRows).Draw(r, "rows") {
		c.Rows = append(c.Rows, wallet.Row{Label: line.Draw(r, "label"), Value: line.Draw(r, "value")})
	}
	if rapid.Bool().Draw(r, "shc") {
		c.Format, c.Text = "shc", "shc:/"+strings.Repeat("56", rapid.IntRange(1, 1195).Draw(r, "pairs"))
	}
	return c
}

func TestLargestPass(t *testing.T) {
	t.Parallel()
	c := largestCard(t)
	raw, err := apple(newRSA(4096), nil).Pass(t.Context(), c, now)
	if err != nil || len(raw) > wallet.MaxPass {
		t.Fatalf("%d bytes: %v", len(raw), err)
	}
	t.Logf("largest pass: %d bytes; specimen: %d bytes", len(raw), len(mustPass(t, apple(specimenRSA(), nil), specimenCard(t))))
}

func largestCard(t testing.TB) wallet.Card {
	t.Helper()
	c := specimenCard(t)
	widest := strings.Repeat("𠜎", wallet.MaxLine)
	c.Format, c.Text = "shc", "shc:/"+strings.Repeat("56", 1195)
	c.ID, c.Name, c.Title, c.Issuer = strings.Repeat("f", 64), widest, widest, widest
	c.Rows = slices.Repeat([]wallet.Row{{widest, widest}}, wallet.MaxRows)
	return c
}

func BenchmarkPass(b *testing.B) {
	a, c := apple(specimenRSA(), nil), specimenCard(b)
	for b.Loop() {
		if _, err := a.Pass(b.Context(), c, now); err != nil {
			b.Fatal(err)
		}
	}
}
