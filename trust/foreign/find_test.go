package foreign_test

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/trust/foreign"
)

// row is one line of the registry with any kind of key.
func row(t *testing.T, framework, kid string, key crypto.PublicKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join([]string{framework, kid, "current", "", "", "2021-01-01T00:00:00Z", "2031-01-01T00:00:00Z", base64.StdEncoding.EncodeToString(der)}, ",")
}

// A key of DIVOC certificates is named by their verification method.
func TestFindBareKeys(t *testing.T) {
	t.Parallel()
	cards := newKey(t)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	edwards, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	const issuer = "https://issuer.example"
	thumbprint := shcThumbprint(t, cards)
	raw := []byte(strings.Join([]string{
		row(t, "DIVOC", "did:utopia", &rsaKey.PublicKey),
		row(t, "DIVOC", "did:utopia", edwards), // two keys of one name
		row(t, "SHC", issuer+"#"+thumbprint, &cards.PublicKey),
		row(t, "DIVOC", "did:curve", &cards.PublicKey),
		row(t, "DIVOC", "did: space", edwards),
		row(t, "DIVOC", "", edwards),
		row(t, "DIVOC", strings.Repeat("x", 257), edwards),
		row(t, "DCC", "pgM4dDtABSg=", edwards),
	}, "\n"))
	c := newClock()
	store := mustStore(t, config(t.TempDir(), c, pinnedSource(raw, foreign.FormatPathCheck)))
	report, err := store.Import("test", raw, foreign.ImportOptions{})
	if err != nil || len(report.Skipped) != 5 || report.Keys != 3 {
		t.Fatalf("%+v, %v", report, err)
	}
	for name, test := range map[string]struct {
		framework, issuer, kid string
		want                   int
	}{
		"DIVOC":                {"DIVOC", "", "did:utopia", 2},
		"as the verifier asks": {"divoc", "", "did:utopia", 2},
		"of cards":             {"shc", issuer, thumbprint, 1},
		"of another issuer":    {"shc", issuer + "/", thumbprint, 0},
		"without issuer":       {"shc", "", thumbprint, 0},
		"of another framework": {"shc", "", "did:utopia", 0},
		"nobody's":             {"divoc", "", "did:curve", 0},
	} {
		if found := store.Find(test.framework, test.issuer, test.kid); len(found) != test.want {
			t.Errorf("%s: %d keys", name, len(found))
		}
	}
	if found := store.Find("divoc", "", "did:utopia"); !rsaKey.PublicKey.Equal(found[0].Public) || found[0].NotBefore.Year() != 2021 || found[0].NotAfter.Year() != 2031 {
		t.Errorf("%+v", found[0])
	}
	c.advance(foreign.DefaultMaxAge)
	if found := store.Find("divoc", "", "did:utopia"); len(found) != 0 {
		t.Error("a stale source is not silent")
	}
}
