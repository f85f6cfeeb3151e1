package revocation_test

import (
	"crypto/x509"
	"testing"

	format "github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/revocation"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
)

// On a list of several authorities none speaks for the certificates of another country.
func TestNoCountrySpeaksForAnother(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ofYY := func(c *x509.Certificate) { c.Subject.Country = []string{"YY"} }
	abroad := trusttest.CSCA(t, ofYY)
	key := abroad.ListSigner(t, ofYY)
	s.list = trusttest.List(t, abroad.Entry(key.Pair, trust.UsageTrustList))
	s.signer.key = key
	jws, err := s.signer.SignRevocations(t.Context(), format.Claims{Country: "XX", Sequence: 1, Artefacts: []format.Artefact{{
		Name: "who.json", Kind: format.KindWHO, SHA256: "630dcd2966c4336691125448bbb25b4f630dcd2966c4336691125448bbb25b4f", Size: 1,
	}}})
	must(t, err)
	if m, err := revocation.VerifyManifest(jws, s.list, begin); err == nil {
		t.Errorf("the key of %v vouches for the lists of %s", key.Cert.Subject.Country, m.Country)
	}
}
