package wallet_test

import (
	"crypto"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/formats/wallet"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

func google() wallet.Google {
	return wallet.Google{IssuerID: "3388000000012345678", ServiceAccount: "passes@specimen.iam.gserviceaccount.com", Key: specimenRSA()}
}

func mustJWT(t testing.TB, g wallet.Google, c wallet.Card) string {
	t.Helper()
	token, err := g.JWT(t.Context(), c, now)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// payload verifies a JWT with the two implementations, go-jose and the plain arithmetic of
// RSASSA-PKCS1-v1_5 over what was sent, and gives header and claims.
func payload(t testing.TB, token string, key crypto.PublicKey) (header, claims string) {
	t.Helper()
	parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	content, err := parsed.Verify(key)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(token, ".")
	var raw [3][]byte
	for i := range raw {
		if raw[i], err = base64.RawURLEncoding.Strict().DecodeString(parts[i]); err != nil {
			t.Fatal(err)
		}
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(key.(*rsa.PublicKey), crypto.SHA256, sum[:], raw[2]); err != nil || len(parts) != 3 || string(content) != string(raw[1]) {
		t.Fatalf("the plain check: %v", err)
	}
	return string(raw[0]), string(raw[1])
}

// The claims are those of Google's reference for a JWT that saves a pass of either kind.
func TestClaims(t *testing.T) {
	t.Parallel()
	text := func(value string) any {
		return map[string]any{"defaultValue": map[string]any{"language": "pt-BR", "value": value}}
	}
	c := specimenCard(t)
	c.Language = "pt-br"
	c.BirthDate, c.Rows = "1990-01-02", []wallet.Row{{"Dose", "2 of 2"}}
	id, code := "3388000000012345678."+c.ID, map[string]any{"type": "QR_CODE", "value": c.Text}
	for class, want := range map[string]any{
		"": map[string]any{"genericPrivatePasses": []any{map[string]any{
			"id": id, "type": "GENERIC_PRIVATE_PASS_TYPE_UNSPECIFIED",
			"header": text(c.Issuer), "titleLabel": text(c.Title), "title": text(c.Name), "barcode": code,
		}}},
		"health": map[string]any{"genericObjects": []any{map[string]any{
			"id": id, "classId": "3388000000012345678.health",
			"cardTitle": text(c.Issuer), "subheader": text(c.Title), "header": text(c.Name), "barcode": code,
			"validTimeInterval": map[string]any{"end": map[string]any{"date": "2027-03-01T12:30:44Z"}},
		}}},
	} {
		g := google()
		g.ClassID, g.Origins = class, []string{"https://health.example", "https://health.example:8443"}
		header, claims := payload(t, mustJWT(t, g, c), g.Key.Public())
		if want := `{"alg":"RS256","typ":"JWT"}`; header != want {
			t.Errorf("header %s", header)
		}
		whole := map[string]any{
			"iss": g.ServiceAccount, "aud": "google", "typ": "savetowallet", "iat": now.Unix(), "origins": g.Origins, "payload": want,
		}
		if g, w := mustJSON(t, decode(t, []byte(claims))), mustJSON(t, whole); g != w {
			t.Errorf("got  %s\nwant %s", g, w)
		}
	}
}

func TestClaimsWithoutWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	g, c := google(), specimenCard(t)
	g.ClassID, c.ExpiresAt, c.Language = "health", time.Time{}, ""
	_, claims := payload(t, mustJWT(t, g, c), g.Key.Public())
	if strings.Contains(claims, "validTimeInterval") || strings.Contains(claims, "origins") || !strings.Contains(claims, `"language":"en"`) {
		t.Error(claims)
	}
}

// Google never gets the birth date or a row, even when the card has them.
func TestGoogleGetsNoBirthDate(t *testing.T) {
	t.Parallel()
	g := google()
	rapid.Check(t, func(r *rapid.T) {
		c := anyCard(t, r)
		g.ClassID = rapid.SampledFrom([]string{"", "health"}).Draw(r, "class")
		c.BirthDate = "1990-01-02"
		c.Rows = append(c.Rows[:min(len(c.Rows), wallet.MaxRows-1)], wallet.Row{Label: "Sentinel", Value: "Sentinel"})
		token, err := g.JWT(t.Context(), c, now)
		if err != nil {
			r.Fatal(err)
		}
		_, claims := payload(t, token, g.Key.Public())
		if strings.Contains(claims, c.BirthDate) || strings.Contains(claims, "irth") || strings.Contains(claims, "Sentinel") {
			r.Fatal("more than the name, the title, the issuer, the code and the end")
		}
	})
}

func TestSameInputSameJWT(t *testing.T) {
	t.Parallel()
	if g, c := google(), specimenCard(t); mustJWT(t, g, c) != mustJWT(t, g, c) {
		t.Error("two JWTs of one card differ")
	}
}

// What is said cannot change; the last characters of the parts have bits that mean nothing.
func TestTamperedJWT(t *testing.T) {
	t.Parallel()
	g := google()
	token := mustJWT(t, g, specimenCard(t))
	_, want := payload(t, token, g.Key.Public())
	for i := range len(token) {
		bad := []byte(token)
		if bad[i] ^= 1; bad[i] == '.' || token[i] == '.' {
			continue
		}
		parsed, err := jose.ParseSignedCompact(string(bad), []jose.SignatureAlgorithm{jose.RS256})
		if err != nil {
			continue
		}
		if content, err := parsed.Verify(g.Key.Public()); err == nil && string(content) != want {
			t.Fatalf("character %d changes unnoticed", i)
		}
	}
}

// A link takes 1800 characters of JWT and not one more; the specimen DDCC is longer, and
// says so without a word of what is in it.
func TestLink(t *testing.T) {
	t.Parallel()
	g, c := google(), specimenCard(t)
	long := mustJWT(t, g, c)
	_, err := wallet.Link(long)
	f := fault.From(err)
	if f.Kind != fault.Rule || len(f.Issues) != 1 || f.Issues[0].Rule != "wallet-link-length" {
		t.Errorf("%v", err)
	}
	t.Logf("the specimen DDCC of %d characters makes a JWT of %d", len(c.Text), len(long))
	c.Format, c.Text = "dcc", "HC1:"+strings.Repeat("A", 460)
	short := mustJWT(t, g, c)
	link, err := wallet.Link(short)
	if err != nil || link != "https://pay.google.com/gp/v/save/"+short {
		t.Errorf("%d characters: %v", len(short), err)
	}
	if _, err := wallet.Link(strings.Repeat("a", wallet.MaxLinkJWT)); err != nil {
		t.Error(err)
	}
	if _, err := wallet.Link(strings.Repeat("a", wallet.MaxLinkJWT+1)); err == nil {
		t.Error("1801 characters fit")
	}
}

func TestLargestJWT(t *testing.T) {
	t.Parallel()
	g := google()
	g.Key = newRSA(4096)
	if token := mustJWT(t, g, largestCard(t)); len(token) > 16<<10 {
		t.Errorf("%d characters", len(token))
	}
}

func TestGoogleAccountIsChecked(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change  func(*wallet.Google)
		because string
	}{
		"issuer":           {func(g *wallet.Google) { g.IssuerID = "33 88" }, "issuer:"},
		"class":            {func(g *wallet.Google) { g.ClassID = "a b" }, "class:"},
		"account":          {func(g *wallet.Google) { g.ServiceAccount = "someone@example.org" }, "service account:"},
		"no key":           {func(g *wallet.Google) { g.Key = nil }, "key:"},
		"ECDSA":            {func(g *wallet.Google) { g.Key = newECDSA(elliptic.P256()) }, "key:"},
		"RSA 1024":         {func(g *wallet.Google) { g.Key = newRSA(1024) }, "key:"},
		"plain origin":     {func(g *wallet.Google) { g.Origins = []string{"http://health.example"} }, "origins:"},
		"origin and path":  {func(g *wallet.Google) { g.Origins = []string{"https://health.example/"} }, "origins:"},
		"origin of a user": {func(g *wallet.Google) { g.Origins = []string{"https://a@health.example"} }, "origins:"},
		"no host":          {func(g *wallet.Google) { g.Origins = []string{"https://"} }, "origins:"},
		"six origins":      {func(g *wallet.Google) { g.Origins = strings.Split(strings.Repeat("https://a,", 5)+"https://a", ",") }, "origins:"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := google()
			test.change(&g)
			if err := g.Check(); err == nil || !strings.Contains(err.Error(), test.because) {
				t.Errorf("%v, want %s", err, test.because)
			}
			if token, err := g.JWT(t.Context(), specimenCard(t), now); fault.KindOf(err) != fault.Unavailable || token != "" {
				t.Errorf("a JWT was made: %v", err)
			}
		})
	}
	if err := google().Check(); err != nil {
		t.Error(err)
	}
}

func BenchmarkJWT(b *testing.B) {
	g, c := google(), specimenCard(b)
	for b.Loop() {
		if _, err := g.JWT(b.Context(), c, now); err != nil {
			b.Fatal(err)
		}
	}
}
