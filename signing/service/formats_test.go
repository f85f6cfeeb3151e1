package service

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/formats/shc"
	"github.com/trustedparty/ddcc-gateway/formats/vdsnc"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/signingtest"
)

func TestEveryProfileIsIssued(t *testing.T) {
	t.Parallel()
	for _, profile := range signingtest.Profiles() {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			in := intentFor(t, b, profile)
			cert, err := b.Issue(context.Background(), caller, in)
			if err != nil {
				t.Fatal(err, fault.From(err).Issues)
			}
			key, err := b.keys.Active(context.Background(), kinds[profile].usage)
			if err != nil {
				t.Fatal(err)
			}
			read := reading(t, profile, cert.Text)
			if err := read.Verify(key.Certificate.PublicKey); err != nil {
				t.Error(err)
			}
			if cert.ID != in.ID || cert.Profile != profile || !cert.IssuedAt.Equal(fixed) || string(cert.KID) != string(key.KID) {
				t.Errorf("answer %+v", cert)
			}
			want := fixed.Add(365 * 24 * time.Hour)
			switch profile {
			case signing.ProfileDCCRecovery:
				want = time.Date(2027, 5, 1, 23, 59, 59, 0, time.UTC)
			case signing.ProfileVDSVaccination, signing.ProfileVDSTest:
				want = key.Certificate.NotAfter
				if key.Issuer.NotAfter.Before(want) {
					want = key.Issuer.NotAfter
				}
			}
			if !cert.ExpiresAt.Equal(want) {
				t.Errorf("expires %v, want %v", cert.ExpiresAt, want)
			}
			if again, err := b.Issue(context.Background(), caller, in); err != nil || again.Text != cert.Text {
				t.Errorf("asked again: %v", err)
			}
			theAuditShowsNobody(t, b, cert.Text)
		})
	}
}

func theAuditShowsNobody(t *testing.T, b *testBench, text string) {
	t.Helper()
	for _, e := range b.audit.entries {
		all := e.Reason + e.Digest + e.Subject
		for _, v := range e.Attributes {
			all += " " + v
		}
		for _, secret := range []string{"Adaeze", "ADAEZE", "1987-04", "LOT-9", "U0000000", "UVCI", text[:40]} {
			if strings.Contains(all, secret) {
				t.Errorf("the audit log shows %q", secret)
			}
		}
	}
	last := b.audit.entries[len(b.audit.entries)-1]
	for _, name := range []string{"profile", "issuer", "policy", "kid", "issuedAt", "expiresAt"} {
		if last.Attributes[name] == "" {
			t.Errorf("the audit log does not tell %s", name)
		}
	}
}

// TestOneKindForEachProfile: claims of any other profile, or of two, use no key.
func TestOneKindForEachProfile(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	events := map[string]string{
		signing.ProfileDDCCVS: intentIssued(t, b, signing.ProfileDDCCVS), signing.ProfileDDCCTR: intentIssued(t, b, signing.ProfileDDCCTR),
	}
	before := b.signatures()
	for _, profile := range signingtest.Profiles() {
		for _, other := range signingtest.Profiles() {
			in := signing.Intent{ID: uuid.NewString(), Profile: profile, Issuer: "clinic", Event: events[signingtest.EventOf(profile)], Claims: signingtest.Claims(other, "XX")}
			if profile == other {
				in.Claims.DDCC = signingtest.Claims(signing.ProfileDDCCVS, "XX").DDCC
				in.Claims.ICVP = signingtest.Claims(signing.ProfileICVP, "XX").ICVP
			}
			if _, err := b.Issue(context.Background(), caller, in); fault.KindOf(err) != fault.Rule {
				t.Errorf("%s as %s: %v", other, profile, err)
			}
		}
	}
	if n := b.signatures() - before; n != 0 {
		t.Errorf("a key was used %d times", n)
	}
}

// TestRevocationAndStopHoldForEveryProfile: what happens while the key store works counts.
func TestRevocationAndStopHoldForEveryProfile(t *testing.T) {
	t.Parallel()
	for _, profile := range besides() {
		for name, meanwhile := range map[string]func(*testBench, signing.Intent, []byte){
			"revoked": func(b *testBench, _ signing.Intent, kid []byte) { b.keys.Revoke(kid) },
			"stopped": func(b *testBench, _ signing.Intent, _ []byte) { b.stopped.Store(true) },
			"event cancelled": func(b *testBench, in signing.Intent, _ []byte) {
				_, _ = b.Cancel(context.Background(), caller, in.Event)
			},
		} {
			b := newBench(t)
			in := intentFor(t, b, profile)
			key, err := b.keys.Active(t.Context(), kinds[profile].usage)
			if err != nil {
				t.Fatal(err)
			}
			b.store.Wrap(func(_ keystore.Ref, _ keystore.Digest, sign func() (keystore.Signature, error)) (keystore.Signature, error) {
				meanwhile(b, in, key.KID)
				return sign()
			})
			if cert, err := b.Issue(t.Context(), caller, in); err == nil || cert.Text != "" {
				t.Errorf("%s, %s: released", profile, name)
			}
			if actions := b.audit.actions(); actions[len(actions)-1] != actionFailed && !slices.Contains(actions, actionCancelled) {
				t.Errorf("%s, %s: audit %v", profile, name, actions)
			}
		}
	}
}

func TestRacesOnOneIDOfEveryProfile(t *testing.T) {
	t.Parallel()
	for _, profile := range besides() {
		b := newBench(t)
		in := intentFor(t, b, profile)
		before := b.signatures()
		texts := make([]string, 16)
		var wg sync.WaitGroup
		for i := range texts {
			wg.Go(func() {
				cert, err := b.Issue(context.Background(), caller, in)
				if err != nil {
					t.Error(profile, err)
				}
				texts[i] = cert.Text
			})
		}
		wg.Wait()
		if n := b.signatures() - before; n != 1 || len(slices.Compact(texts)) != 1 {
			t.Errorf("%s: %d signatures, %d texts", profile, n, len(slices.Compact(texts)))
		}
		other := in
		other.Event = intentIssued(t, b, signingtest.EventOf(profile))
		if _, err := b.Issue(context.Background(), caller, other); !errors.Is(err, errReused) {
			t.Errorf("%s: another event under the same id: %v", profile, err)
		}
	}
}

func TestSignatureOfAnotherKeyInEveryProfile(t *testing.T) {
	t.Parallel()
	for _, profile := range besides() {
		b := newBench(t)
		stranger, _, err := b.store.Create(context.Background(), "stranger")
		if err != nil {
			t.Fatal(err)
		}
		in := intentFor(t, b, profile)
		b.store.Wrap(func(ref keystore.Ref, digest keystore.Digest, sign func() (keystore.Signature, error)) (keystore.Signature, error) {
			if ref == stranger {
				return sign()
			}
			return keystore.Key{Ref: stranger}.Held(b.store).Sign(context.Background(), digest)
		})
		if cert, err := b.Issue(context.Background(), caller, in); fault.KindOf(err) != fault.Internal || cert.Text != "" {
			t.Errorf("%s: %v", profile, err)
		}
	}
}

// TestTooLongForItsCode: what no QR code of the format can hold uses no key.
func TestTooLongForItsCode(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for profile, lengthen := range map[string]func(c, event *signing.Claims){
		signing.ProfileSHCImmunization: func(c, event *signing.Claims) {
			// The event repeats a name and stays short; in other capitals it does not compress.
			name := longText(240)
			c.SHC.Patient.Family, c.SHC.Patient.Given = name, []string{strings.ToLower(name), name[:120] + strings.ToLower(name[120:])}
			c.SHC.Immunizations[0].Performer = longText(255)
			event.DDCC.Name = name + " " + name + " " + name
		},
		signing.ProfileVDSVaccination: func(c, _ *signing.Claims) { c.VDSNC.Vaccinations[0].Brand = longText(2500) },
		signing.ProfileVDSTest:        func(c, _ *signing.Claims) { c.VDSNC.Optional = longText(2500) },
	} {
		in, event := intentFor(t, b, profile), signingtest.Event(profile)
		lengthen(&in.Claims, &event)
		in.Event = intentIssued(t, b, signingtest.EventOf(profile), func(i *signing.Intent) { i.Claims = event })
		before := b.signatures()
		_, err := b.Issue(context.Background(), caller, in)
		if f := fault.From(err); f.Kind != fault.Rule || len(f.Issues) == 0 || f.Issues[0].Rule != "qr-size" {
			t.Errorf("%s: %v", profile, err)
		}
		if n := b.signatures() - before; n != 0 {
			t.Errorf("%s: the key was used", profile)
		}
	}
}

// TestWhatNoFormatCanSay: the writer's word about the content reaches the caller with its
// place; about the frame it is ours.
func TestWhatNoFormatCanSay(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, tc := range []struct {
		profile, path, rule string
		change              func(*signing.Claims)
		event               string // name of the person, else the specimen's
	}{
		{signing.ProfileDCCVaccination, "claims", "text-nfc", func(c *signing.Claims) { c.DCC.Name.Given, c.DCC.Name.GivenStandard = "Jose\u0301", "JOSE" }, "Jos\u00e9 Specimen"},
		{signing.ProfileICVP, "claims", "text-nfc", func(c *signing.Claims) { c.ICVP.Name = "Jose\u0301" }, "Jos\u00e9"},
		{signing.ProfileICVP, "claims.icvp.sex", "icvp-rules", func(c *signing.Claims) { c.ICVP.Sex = "f" }, ""},
		{signing.ProfileSHCImmunization, "claims.shc.immunizations[0].performer", "shc-rules", func(c *signing.Claims) { c.SHC.Immunizations[0].Performer = "Jose\u0301" }, ""},
		{signing.ProfileSHCImmunization, "claims.shc.patient.family", "shc-rules", func(c *signing.Claims) { c.SHC.Patient.Family = "Jose\u0301" }, "Adaeze Jos\u00e9"},
		{signing.ProfileVDSTest, "claims.vdsnc.pid.dt", "vdsnc-rules", func(c *signing.Claims) { c.VDSNC.Person.DocumentType = "Q" }, ""},
		{signing.ProfileVDSVaccination, "claims.vdsnc.ve[0].nam", "vdsnc-rules", func(c *signing.Claims) { c.VDSNC.Vaccinations[0].Brand = "Jose\u0301" }, ""},
	} {
		in := intentFor(t, b, tc.profile, func(i *signing.Intent) {
			tc.change(&i.Claims)
			if tc.event != "" {
				i.Event = intentIssued(t, b, signingtest.EventOf(tc.profile), func(e *signing.Intent) {
					e.Claims = signingtest.Event(tc.profile)
					e.Claims.DDCC.Name = tc.event
				})
			}
		})
		before := b.signatures()
		_, err := b.Issue(context.Background(), caller, in)
		f := fault.From(err)
		if !errors.Is(err, errLints) || len(f.Issues) != 1 || f.Issues[0].Path != tc.path || f.Issues[0].Rule != tc.rule || f.Issues[0].Fix == "" {
			t.Errorf("%s %s: %v %+v", tc.profile, tc.path, err, f.Issues)
		}
		if b.signatures() != before {
			t.Errorf("%s %s: a key was used", tc.profile, tc.path)
		}
	}
	for _, own := range []error{&hcert.ClaimError{Path: "exp"}, &shc.Error{Path: "issuer"}, &vdsnc.Error{Path: "data.hdr.is"}, shc.ErrKey} {
		if got := unbuildable(own); fault.KindOf(got) != fault.Internal {
			t.Errorf("%v is said to be the caller's: %v", own, got)
		}
	}
}

// TestSignerWithoutIssuerURL: a card must say where its key is found.
func TestSignerWithoutIssuerURL(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	key, err := b.keys.Active(t.Context(), keystore.UsageSHC)
	if err != nil {
		t.Fatal(err)
	}
	nameless := *key.Certificate
	nameless.URIs = nil
	key.Certificate = &nameless
	if err := usable(key, fixed); !errors.Is(err, errNotUsable) {
		t.Errorf("got %v", err)
	}
}
