package trust_test

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"testing"

	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
)

// thumbprintOf is RFC 7638 §3.1, written for this test.
func thumbprintOf(t *testing.T, pair trusttest.Pair) string {
	t.Helper()
	point, err := pair.Key.Public().(*ecdsa.PublicKey).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	sum := sha256.Sum256([]byte(`{"crv":"P-256","kty":"EC","x":"` + encode(point[1:33]) + `","y":"` + encode(point[33:]) + `"}`))
	return encode(sum[:])
}

// A key of cards belongs to the issuer that its certificate names, and to no other.
func TestLookupCard(t *testing.T) {
	t.Parallel()
	const issuer, other = "https://issuer.example/shc", "https://other.example/shc"
	ca := trusttest.CSCA(t)
	named, second := ca.DSC(t, trusttest.URI(t, issuer)), ca.DSC(t, trusttest.URI(t, issuer))
	nameless, health := ca.DSC(t), ca.DSC(t, trusttest.URI(t, other))
	list := trusttest.List(t, ca.Entry(named, trust.UsageSHC), ca.Entry(second, trust.UsageSHC),
		ca.Entry(nameless, trust.UsageSHC), ca.Entry(health, trust.UsageVaccination))
	for name, test := range map[string]struct {
		issuer string
		key    trusttest.Pair
		found  int
		named  bool
	}{
		"its own key":                  {issuer, named, 1, true},
		"its second key":               {issuer, second, 1, true},
		"with a slash":                 {issuer + "/", named, 0, false},
		"the key of another":           {other, named, 0, false},
		"a key that names nobody":      {issuer, nameless, 0, true},
		"nobody":                       {"", nameless, 0, false},
		"a key that is not for cards":  {other, health, 0, false},
		"an issuer nobody has":         {"https://nobody.example", named, 0, false},
		"its own key, not by key ids ": {issuer, trusttest.Pair{Key: ca.Key}, 0, true},
	} {
		found, isNamed := list.LookupCard(test.issuer, thumbprintOf(t, test.key))
		if len(found) != test.found || isNamed != test.named {
			t.Errorf("%s: %d found, named %v", name, len(found), isNamed)
		}
		if test.found == 1 && !found[0].DSC.Equal(test.key.Cert) {
			t.Errorf("%s: another certificate", name)
		}
	}
	var none *trust.List
	if found, isNamed := none.LookupCard(issuer, "x"); found != nil || isNamed {
		t.Error("a missing list finds keys")
	}
}
