//go:build cgo

package hsm

import (
	"testing"
	"time"

	"github.com/miekg/pkcs11"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/test/harness"
	"github.com/trustedparty/ddcc-gateway/test/hsm/hsmtest"
	"github.com/trustedparty/ddcc-gateway/test/outage"
)

// published is how many keys of a development installation verifiers see.
const published = 4

// newSystem starts a gateway and a signer, as processes, with every key in the token.
func newSystem(t *testing.T, token *hsmtest.Token) *harness.System {
	t.Helper()
	return harness.Start(t, harness.Options{
		Maker:    open(t, token.Config()),
		KeyStore: append([]string{"--key-store=pkcs11"}, token.Flags("hsm-")...),
	})
}

// TestSystemKeyDisabled: certificates of the other keys go on.
func TestSystemKeyDisabled(t *testing.T) {
	token := needToken(t)
	w := outage.Watch(t, newSystem(t, token), published)
	key := registered(t, w.System, keystore.UsageVaccination)
	l := load(t, token)
	c := w.Happens(outage.Outage{
		Name: "HSM: a key disabled, enabled again", Only: harness.QuestionnaireVS, Holds: 3 * time.Second,
		Strike: func() { l.allow(key, false) },
		Repair: func() { l.allow(key, true) },
	})
	w.StopAndCheck(c)
}

// TestSystemSignerKilled: a signer that dies with sessions open leaves a token that the
// next one can use.
func TestSystemSignerKilled(t *testing.T) {
	token := needToken(t)
	w := outage.Watch(t, newSystem(t, token), published)
	c := w.Happens(outage.Outage{
		Name: "HSM: signer killed, started again", Holds: 3 * time.Second, Dead: true,
		Strike: func() { harness.Kill(w.Signer) },
		Repair: func() { w.StartSigner() },
	})
	w.StopAndCheck(c)
}

// registered is the key of a usage in the register of an installation.
func registered(t *testing.T, s *harness.System, usage keystore.Usage) keystore.Ref {
	t.Helper()
	operator, err := s.Install.Operator(1, s.SignerAddress)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := operator.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if k.Usage == string(usage) {
			return keystore.Ref{Label: k.Label, Version: k.Version}
		}
	}
	t.Fatalf("no key for %s", usage)
	return keystore.Ref{}
}

// allow says whether a private key may sign.
func (l *library) allow(ref keystore.Ref, sign bool) {
	l.t.Helper()
	l.session(func(session pkcs11.SessionHandle) {
		l.must(l.SetAttributeValue(session, l.private(session, ref), []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_SIGN, sign)}))
	})
}
