package trust_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"testing"

	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
)

func TestListLooksUpByKeyID(t *testing.T) {
	t.Parallel()
	ca := trusttest.CSCA(t)
	one, two := ca.DSC(t, trusttest.EKU(trusttest.VaccinationOID)), ca.DSC(t)
	list := trusttest.List(t, ca.Entry(one), ca.Entry(two, trust.UsageDocument))
	found := list.Lookup(trust.KID(one.Cert))
	if len(found) != 1 || !found[0].DSC.Equal(one.Cert) || !found[0].Allows(trust.UsageVaccination) || found[0].Allows(trust.UsageTest) {
		t.Errorf("found %v", found)
	}
	if found := list.Lookup(trust.KID(two.Cert)); len(found) != 1 || !slices.Equal(found[0].Usages, []trust.Usage{trust.UsageDocument}) {
		t.Errorf("found %v", found)
	}
	for _, kid := range [][]byte{nil, {}, []byte("unknown!"), trust.KID(one.Cert)[:7]} {
		if found := list.Lookup(kid); found != nil {
			t.Errorf("%x: found %v", kid, found)
		}
	}
	if anchors := list.Anchors(); len(anchors) != 1 || !anchors[0].Equal(ca.Cert) {
		t.Errorf("anchors %v", anchors)
	}
	var none *trust.List
	if none.Lookup(trust.KID(one.Cert)) != nil || none.Entries() != nil || none.Anchors() != nil {
		t.Error("a nil list trusts somebody")
	}
}

// What a caller does with an answer must not reach the list.
func TestListIsImmutable(t *testing.T) {
	t.Parallel()
	ca := trusttest.CSCA(t)
	dsc := ca.DSC(t)
	given := []trust.Entry{ca.Entry(dsc, trust.UsageTest)}
	list := trusttest.List(t, given...)
	given[0].KID[0] ^= 1
	given[0].Usages[0] = trust.UsageDocument
	list.Lookup(trust.KID(dsc.Cert))[0] = trust.Entry{}
	list.Entries()[0] = trust.Entry{}
	list.Anchors()[0] = nil
	found := list.Lookup(trust.KID(dsc.Cert))
	if len(found) != 1 || found[0].DSC == nil || !found[0].Allows(trust.UsageTest) || list.Anchors()[0] == nil || list.Entries()[0].DSC == nil {
		t.Errorf("the list changed: %v", found)
	}
}

func TestUsagesComeFromBothArcs(t *testing.T) {
	t.Parallel()
	ca := trusttest.CSCA(t)
	historic := func(n int) asn1.ObjectIdentifier {
		return asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 0, 1847, 2021, 1, n}
	}
	for name, test := range map[string]struct {
		eku  []asn1.ObjectIdentifier
		want []trust.Usage
	}{
		"none":           {nil, []trust.Usage{trust.UsageVaccination, trust.UsageTest, trust.UsageRecovery}},
		"test":           {[]asn1.ObjectIdentifier{trusttest.TestOID}, []trust.Usage{trust.UsageTest}},
		"all, backwards": {[]asn1.ObjectIdentifier{trusttest.RecoveryOID, trusttest.VaccinationOID, trusttest.TestOID}, []trust.Usage{trust.UsageVaccination, trust.UsageTest, trust.UsageRecovery}},
		"historic":       {[]asn1.ObjectIdentifier{historic(1), historic(3)}, []trust.Usage{trust.UsageTest, trust.UsageRecovery}},
		"both arcs":      {[]asn1.ObjectIdentifier{historic(2), trusttest.VaccinationOID}, []trust.Usage{trust.UsageVaccination}},
		"foreign":        {[]asn1.ObjectIdentifier{{1, 2, 3}}, []trust.Usage{trust.UsageVaccination, trust.UsageTest, trust.UsageRecovery}},
		"and foreign":    {[]asn1.ObjectIdentifier{{1, 2, 3}, trusttest.TestOID}, []trust.Usage{trust.UsageTest}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list := trusttest.List(t, ca.Entry(ca.DSC(t, trusttest.EKU(test.eku...))))
			if got := list.Entries()[0].Usages; !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestListRefuses(t *testing.T) {
	t.Parallel()
	ca, other := trusttest.CSCA(t), trusttest.CSCA(t)
	good := ca.DSC(t)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	weakRSA, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Skip("this Go refuses to make weak keys")
	}
	notCA := trusttest.CSCA(t, func(c *x509.Certificate) { c.IsCA, c.MaxPathLenZero = false, false; c.SubjectKeyId = []byte{1} })
	noSign := trusttest.CSCA(t, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign })
	twoC := func(c *x509.Certificate) { c.Subject.Country = []string{"XX", "XY"} }
	noC := func(c *x509.Certificate) { c.Subject.Country = nil }
	wrongAKI := func(c *x509.Certificate) { c.AuthorityKeyId = []byte{1} }
	for name, test := range map[string]struct {
		entry trust.Entry
		rule  string
	}{
		"no DSC":               {trust.Entry{KID: []byte("12345678"), CSCA: ca.Cert}, "certificate"},
		"empty DSC":            {trust.Entry{DSC: &x509.Certificate{}, CSCA: ca.Cert}, "certificate"},
		"kid of another":       {trust.Entry{KID: []byte("12345678"), DSC: good.Cert, CSCA: ca.Cert}, "kid"},
		"no kid":               {trust.Entry{DSC: good.Cert, CSCA: ca.Cert}, "kid"},
		"P-384":                {ca.Entry(ca.DSCFor(t, p384)), "key"},
		"RSA 1024":             {ca.Entry(ca.DSCFor(t, weakRSA)), "key"},
		"no issuer":            {trust.Entry{KID: trust.KID(good.Cert), DSC: good.Cert}, "issuer"},
		"issuer is no CA":      {notCA.Entry(good), "issuer"},
		"issuer may not sign":  {noSign.Entry(good), "issuer"},
		"another CSCA":         {other.Entry(good), "chain"},
		"same key, other AKI":  {ca.Entry(reissue(t, ca, wrongAKI)), "chain"},
		"DSC is CA":            {ca.Entry(ca.DSC(t, func(c *x509.Certificate) { c.IsCA = true })), "certificate"},
		"DSC may not sign":     {ca.Entry(ca.DSC(t, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyAgreement })), "certificate"},
		"two countries":        {ca.Entry(ca.DSC(t, twoC)), "country"},
		"no country":           {ca.Entry(ca.DSC(t, noC)), "country"},
		"EKU of another use":   {ca.Entry(ca.DSC(t, trusttest.EKU(trusttest.TestOID)), trust.UsageVaccination), "usage"},
		"EKU and document":     {ca.Entry(ca.DSC(t, trusttest.EKU(trusttest.TestOID)), trust.UsageDocument), "usage"},
		"EKU for other things": {ca.Entry(ca.DSC(t, criticalUsage)), "usage"},
		"unknown usage":        {ca.Entry(good, "payment"), "usage"},
		"usage stated twice":   {ca.Entry(good, trust.UsageTest, trust.UsageTest), "usage"},
		"self-signed as CSCA":  {trust.Entry{KID: trust.KID(ca.Cert), DSC: ca.Cert, CSCA: ca.Cert}, "certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list, refusals := trust.NewList([]trust.Entry{ca.Entry(good), test.entry}, trust.Options{})
			if len(refusals) != 1 || refusals[0].Rule != test.rule || refusals[0].Index != 1 || refusals[0].Error() == "" {
				t.Errorf("refusals %v, want one of %q", refusals, test.rule)
			}
			if entries := list.Entries(); len(entries) != 1 || !entries[0].DSC.Equal(good.Cert) {
				t.Errorf("kept %v", entries)
			}
		})
	}
	_, refusals := trust.NewList([]trust.Entry{ca.Entry(good), ca.Entry(good)}, trust.Options{})
	if len(refusals) != 1 || refusals[0].Rule != "duplicate" {
		t.Errorf("twice: %v", refusals)
	}
	_, refusals = trust.NewList(nil, trust.Options{Anchors: []*x509.Certificate{ca.Cert, good.Cert, nil}})
	if len(refusals) != 2 || !refusals[0].Anchor || refusals[0].Index != 1 || refusals[1].Rule != "certificate" {
		t.Errorf("anchors: %v", refusals)
	}
}

// criticalUsage makes a certificate for visible digital seals, and for nothing else.
func criticalUsage(c *x509.Certificate) {
	c.ExtraExtensions = []pkix.Extension{{
		Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true,
		Value: []byte{0x30, 0x08, 0x06, 0x06, 0x67, 0x81, 0x08, 0x01, 0x01, 0x0e},
	}}
}

// reissue gives a DSC whose issuer's name is right but whose key identifier is not.
func reissue(t *testing.T, ca trusttest.Pair, change trusttest.Change) trusttest.Pair {
	t.Helper()
	impostor := *ca.Cert
	impostor.SubjectKeyId = nil
	return trusttest.Pair{Key: ca.Key, Cert: &impostor}.DSC(t, change)
}

func TestRSAKeysAndDirectTrust(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ca := trusttest.CSCA(t)
	dsc := ca.DSCFor(t, key)
	trusttest.List(t, ca.Entry(dsc))
	alone := trust.Entry{KID: trust.KID(dsc.Cert), DSC: dsc.Cert}
	if _, refusals := trust.NewList([]trust.Entry{alone}, trust.Options{}); len(refusals) != 1 {
		t.Error("a DSC without issuer is trusted")
	}
	list, refusals := trust.NewList([]trust.Entry{alone}, trust.Options{DirectTrust: true})
	if len(refusals) != 0 || len(list.Lookup(alone.KID)) != 1 || len(list.Anchors()) != 0 {
		t.Errorf("direct trust: %v", refusals)
	}
	stranger := trusttest.CSCA(t).Entry(dsc)
	if _, refusals := trust.NewList([]trust.Entry{stranger}, trust.Options{DirectTrust: true}); len(refusals) != 1 {
		t.Error("direct trust believes a wrong chain")
	}
}
