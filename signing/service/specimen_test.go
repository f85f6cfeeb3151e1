package service

import (
	"context"
	"encoding/base64"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/formats/dcc"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/signingtest"
)

// besides are the profiles that stand beside a DDCC.
func besides() []string {
	return slices.DeleteFunc(signingtest.Profiles(), func(p string) bool { return signingtest.EventOf(p) == "" })
}

// intentFor is an intent of a profile for the specimen, with the event it stands beside
// issued before.
func intentFor(t testing.TB, b *testBench, profile string, change ...func(*signing.Intent)) signing.Intent {
	t.Helper()
	in := signing.Intent{ID: uuid.NewString(), Profile: profile, Issuer: "clinic", Claims: specimen(t, profile)}
	if event := signingtest.EventOf(profile); event != "" {
		in.Event = intentIssued(t, b, event, func(i *signing.Intent) { i.Claims = signingtest.Event(profile) })
	}
	for _, c := range change {
		c(&in)
	}
	return in
}

// specimen is what a profile certifies of the specimen, with identifiers of its own.
func specimen(t testing.TB, profile string) signing.Claims {
	t.Helper()
	c := signingtest.Claims(profile, "XX")
	identify(t, &c)
	return c
}

// identify gives claims identifiers that no other certificate has.
func identify(t interface{ Fatal(...any) }, c *signing.Claims) {
	opaque := [16]byte(uuid.New())
	id, err := dcc.NewUVCI("XX", opaque)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case c.DCC != nil:
		for i := range c.DCC.Vaccinations {
			c.DCC.Vaccinations[i].UVCI = id
		}
		for i := range c.DCC.Tests {
			c.DCC.Tests[i].UVCI = id
		}
		for i := range c.DCC.Recoveries {
			c.DCC.Recoveries[i].UVCI = id
		}
	case c.SHC != nil:
		c.SHC.RevocationID = base64.RawURLEncoding.EncodeToString(opaque[:12])
	case c.VDSNC != nil && c.VDSNC.Times == nil:
		c.VDSNC.UVCI = id
	case c.VDSNC != nil:
		c.VDSNC.UTCI = id
	}
}

// intentIssued issues a certificate of a profile and gives the id of its intent.
func intentIssued(t testing.TB, b *testBench, profile string, change ...func(*signing.Intent)) string {
	t.Helper()
	in := intentFor(t, b, profile, change...)
	if _, err := b.Issue(context.Background(), caller, in); err != nil {
		t.Fatal(profile, err, fault.From(err).Issues)
	}
	return in.ID
}
