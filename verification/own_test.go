package verification_test

import (
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// What an authority has withdrawn comes back neither by the list of another, nor by a
// registry of bare keys, nor by its CSCA.
func TestWithdrawnKeysStayWithdrawn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	others := w.list // still has everything
	anchor := anchored(t, w.ca)
	texts := w.texts(t)
	documentText := w.signedDocument(t)
	registered := registry{
		{"shc", cardIssuer, thumbprint(t, w.shc)}:      {bareKey(w.shc)},
		{verification.FormatDIVOC, "", w.divoc.Method}: {w.divoc.key(t)},
	}
	successor := w.ca.DSC(t, trusttest.URI(t, cardIssuer))
	revoked := &trust.TrustList{Country: "XX", List: trusttest.List(t, w.ca.Entry(successor, trust.UsageSHC))}
	for _, key := range []trusttest.Pair{w.vaccination, w.document, w.shc, w.bsc} {
		revoked.Revoked = append(revoked.Revoked, trust.RevokedKey{KID: trust.KID(key.Cert), Thumbprint: sha256.Sum256(key.Cert.Raw)})
	}
	left := &trust.TrustList{Country: "XX", List: revoked.List}       // they are simply not there any more
	gone := &trust.TrustList{Country: "XX", Revoked: revoked.Revoked} // and there is nothing else
	stranger := trusttest.CSCA(t, subject("XA"))
	abroad := &trust.TrustList{Country: "XA", List: trusttest.List(t, stranger.Entry(stranger.DSC(t, subject("XA"))))}
	for name, test := range map[string]struct {
		own  *trust.TrustList
		want verification.Reason
	}{
		"nothing stated":    {nil, verification.ReasonVerified},
		"another authority": {abroad, verification.ReasonVerified},
		"revoked":           {revoked, verification.ReasonUnknownKey},
		"not there":         {left, verification.ReasonUnknownKey},
		"all are revoked":   {gone, verification.ReasonUnknownKey},
		"all are there":     {&trust.TrustList{Country: "XX", List: others}, verification.ReasonVerified},
	} {
		v := verification.Verifier{List: others, Keys: registered, Own: test.own, Clock: func() time.Time { return now }}
		for format, text := range texts {
			want := test.want
			if format == "divoc" { // its keys are no authority's
				want = verification.ReasonVerified
			}
			if result := v.VerifyText(text); result.Reason != want {
				t.Errorf("%s, %s: %s (%s), want %s", name, format, result.Reason, result.Detail, want)
			}
		}
		if result := v.VerifyDocument(documentText); result.Reason != test.want {
			t.Errorf("%s, document: %s (%s)", name, result.Reason, result.Detail)
		}
		v.List = anchor
		if result := v.VerifyText(texts["vdsnc"]); result.Reason != test.want {
			t.Errorf("%s, seal by its CSCA: %s (%s)", name, result.Reason, result.Detail)
		}
	}
	v := verification.Verifier{Keys: registered, Own: revoked, Clock: func() time.Time { return now }}
	if result := v.VerifyText(texts["shc"]); result.Reason != verification.ReasonUnknownKey {
		t.Errorf("a registry brings back a key: %s", result.Reason)
	}
}

// Anybody can make another certificate of a signer's, with the same key and a signature of
// the CSCA that verifies: (r, n-s) signs what (r, s) does. It is no other signer.
func TestWithdrawnSignerWithAnotherDER(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var outer struct {
		TBS, Algorithm asn1.RawValue
		Signature      asn1.BitString
	}
	var signature struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(w.bsc.Cert.Raw, &outer); err != nil {
		t.Fatal(err)
	}
	if _, err := asn1.Unmarshal(outer.Signature.Bytes, &signature); err != nil {
		t.Fatal(err)
	}
	signature.S.Sub(elliptic.P256().Params().N, signature.S)
	raw, err := asn1.Marshal(signature)
	if err != nil {
		t.Fatal(err)
	}
	outer.Signature = asn1.BitString{Bytes: raw, BitLength: 8 * len(raw)}
	der, err := asn1.Marshal(outer)
	if err != nil {
		t.Fatal(err)
	}
	other, err := x509.ParseCertificate(der)
	if err != nil || other.CheckSignatureFrom(w.ca.Cert) != nil {
		t.Fatal("not another certificate", err)
	}
	text := sealText(t, trusttest.Pair{Key: w.bsc.Key, Cert: other}, seal())
	left := &trust.TrustList{Country: "XX", List: trusttest.List(t, w.ca.Entry(w.document, trust.UsageDocument))}
	for name, v := range map[string]verification.Verifier{
		"by the list":             {List: w.list},
		"by its CSCA":             {List: anchored(t, w.ca), Own: left},
		"by its CSCA, still ours": {List: anchored(t, w.ca), Own: &trust.TrustList{Country: "XX", List: w.list}},
	} {
		v.Clock = func() time.Time { return now }
		if result := v.VerifyText(text); result.Reason != verification.ReasonUnknownKey {
			t.Errorf("%s: %s", name, result.Reason)
		}
	}
}
