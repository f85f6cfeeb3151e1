package interop

import (
	"crypto/ecdsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	hcertreader "github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
	"github.com/trustedparty/ddcc-gateway/formats/shc"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// foreignIssuer is the issuer of health cards that a peer is.
const foreignIssuer = "https://foreign.example/shc"

// accepts has a peer issue certificates with the content of ours, under a key of an
// authority of its own, and has our verifier check them. One without that authority on its
// list must refuse, and each must refuse a forged copy.
func accepts(script string, profiles []string) func(*testing.T, *system) string {
	return func(t *testing.T, s *system) string {
		authority := trusttest.CSCA(t, trusttest.Validity(lately()))
		signer := authority.DSC(t, trusttest.Validity(lately()), trusttest.URI(t, foreignIssuer), purpose(profiles))
		r := foreignKey(t, signer)
		for _, profile := range profiles {
			r.Items = append(r.Items, s.toIssue(t, profile))
		}
		list := trusttest.List(t, authority.Entry(signer, usagesOf(profiles)...))
		for i, a := range s.ask(t, script, r) {
			if !a.Accepted {
				t.Errorf("%s: not issued: %s", profiles[i], a.Why)
				continue
			}
			stranger, partner := verification.Verifier{List: s.list}, verification.Verifier{List: list}
			if got := stranger.VerifyText(a.Text); got.Valid || got.Content != nil {
				t.Errorf("%s: accepted although its authority is not listed", profiles[i])
			}
			if got := partner.VerifyText(forge(t, a.Text)); got.Valid || got.Reason != verification.ReasonBadSignature {
				t.Errorf("%s: a forged copy: %s", profiles[i], got.Reason)
			}
			same(t, profiles[i], partner.VerifyText(a.Text), r.Items[i].Content)
		}
		return fmt.Sprintf("%d accepted, %d bad copies refused", len(profiles), len(profiles))
	}
}

// same requires a valid certificate with the content that was ordered.
func same(t *testing.T, profile string, got verification.Result, want any) {
	t.Helper()
	if !got.Valid {
		t.Errorf("%s: our verifier: %s %s", profile, got.Reason, got.Detail)
		return
	}
	content := plain(t, got.Content)
	if got.Format == verification.FormatSHC { // times and issuer are the peer's own
		want, content = at(want, "vc/credentialSubject"), at(content, "vc/credentialSubject")
	}
	if diff := cmp.Diff(want, content); diff != "" {
		t.Errorf("%s: the content differs (-asked +issued):\n%s", profile, diff)
	}
}

// toIssue is the content of our certificate as an order to a peer.
func (s *system) toIssue(t *testing.T, profile string) item {
	t.Helper()
	own := s.certificates[profile]
	it := item{Content: plain(t, own.own.Content), Issuer: "XX", IssuedAt: own.own.IssuedAt.Unix(), ExpiresAt: seconds(own.own)}
	if it.ExpiresAt == 0 {
		it.ExpiresAt = time.Now().AddDate(0, 6, 0).Unix()
	}
	if message, err := hcertreader.Decode(own.text); err == nil {
		for it.SubClaim = range message.Claims.SubClaims {
			break
		}
	}
	if content, ok := it.Content.(map[string]any); ok && content["vc"] != nil {
		content["iss"] = foreignIssuer
	}
	return it
}

// foreignKey hands the peer its key, which is made for this one test.
func foreignKey(t *testing.T, signer trusttest.Pair) request {
	t.Helper()
	key, ok := signer.Key.(*ecdsa.PrivateKey)
	if !ok {
		t.Fatal("not an ECDSA key")
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	d, err := key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	kid, err := shc.Thumbprint(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	text := base64.RawURLEncoding.EncodeToString
	return request{
		Task: "issue", Issuer: foreignIssuer,
		DSC: []string{string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signer.Cert.Raw}))},
		Key: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		JWK: map[string]string{
			"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": kid,
			"x": text(point[1:33]), "y": text(point[33:]), "d": text(d),
		},
	}
}

// lately is from an hour ago until in a year.
func lately() (from, until time.Time) {
	now := time.Now().UTC().Truncate(time.Second)
	return now.Add(-time.Hour), now.AddDate(1, 0, 0)
}

// usagesOf are the usages of a key for all profiles of one format.
func usagesOf(profiles []string) []trust.Usage {
	switch profiles[0] {
	case shcProfiles[0]:
		return []trust.Usage{trust.UsageSHC}
	case vdsProfiles[0]:
		return []trust.Usage{trust.UsageVDSNC}
	default:
		return []trust.Usage{trust.UsageVaccination, trust.UsageTest, trust.UsageRecovery}
	}
}

// purpose makes a barcode signer of the certificate where seals are issued (ICAO 9303-12 §7.1.3).
func purpose(profiles []string) trusttest.Change {
	if profiles[0] != vdsProfiles[0] {
		return func(*x509.Certificate) {}
	}
	types := []byte{0x30, 13, 2, 1, 0, 0x31, 8, 0x13, 2, 'N', 'T', 0x13, 2, 'N', 'V'} // version 0, both kinds of seal
	return func(c *x509.Certificate) {
		c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{2, 23, 136, 1, 1, 14, 2}}
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 23, 136, 1, 1, 6, 2}, Value: types}}
	}
}
