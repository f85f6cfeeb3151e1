package verification

import (
	"crypto/x509"
	"testing"
	"time"

	"github.com/veraison/go-cose"

	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
)

// Key ids are short: a certificate that shares one must not hide the right key. Real
// collisions cannot be made, so the candidates are handed in.
func TestAllCandidatesAreTried(t *testing.T) {
	t.Parallel()
	ca := trusttest.CSCA(t)
	right, wrong := ca.DSC(t), ca.DSC(t)
	kind := trust.Entry{DSC: &x509.Certificate{PublicKey: "of another kind"}}
	signer, err := cose.NewSigner(cose.AlgorithmES256, right.Key)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := hcert.Claims{
		Issuer: "XX", IssuedAt: trusttest.Start, ExpiresAt: trusttest.Start.Add(time.Hour), SubClaim: 1, Content: map[string]any{},
	}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	signed, err := hcert.Sign1(payload, trust.KID(right.Cert), signer)
	if err != nil {
		t.Fatal(err)
	}
	message, err := reader.DecodeCOSE(signed)
	if err != nil {
		t.Fatal(err)
	}
	entry, f := firstSigner(message, []trust.Entry{kind, ca.Entry(wrong), ca.Entry(right)})
	if f != nil || entry.DSC != right.Cert {
		t.Errorf("not the right candidate: %v", f)
	}
	for name, candidates := range map[string][]trust.Entry{
		"wrong key last":  {kind, ca.Entry(wrong)},
		"wrong key first": {ca.Entry(wrong), kind},
	} {
		if _, f := firstSigner(message, candidates); f == nil || f.reason != ReasonBadSignature {
			t.Errorf("%s: %v", name, f)
		}
	}
}
