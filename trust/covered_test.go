package trust_test

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
)

// candidate is a key that may be stated.
type candidate struct {
	dsc   trusttest.Pair
	usage trust.Usage
}

// keySet is a set of keys by their SubjectPublicKeyInfo in base64.
type keySet map[string]bool

func (s keySet) add(spki []byte) { s[base64.StdEncoding.EncodeToString(spki)] = true }

func (s keySet) addX5C(t testing.TB, text string) {
	t.Helper()
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	s.add(certificate.RawSubjectPublicKeyInfo)
}

// Whatever keys there are, in whatever state, now and later: every form offers exactly the
// trusted keys of its usages in the signed statement, and nothing planned, revoked or
// expired.
func TestEveryFormIsCoveredByTheSignedList(t *testing.T) {
	t.Parallel()
	ca := trusttest.CSCA(t)
	signer := ca.ListSigner(t)
	var pool []candidate
	for _, usage := range trust.Usages() {
		for _, until := range []time.Time{issuedAt.AddDate(1, 0, 0), issuedAt.Add(30 * time.Hour)} {
			pool = append(pool, candidate{ca.DSC(t, trusttest.Validity(trusttest.Start, until)), usage})
		}
	}
	states := []trust.State{"planned", "expired", trust.StatePublished, trust.StateActive, trust.StateVerifyOnly, trust.StateRevoked}
	rapid.Check(t, func(r *rapid.T) {
		claims := signer.Claims(issuedAt, ca.PublicKey(ca.DSC(t), trust.UsageTest, trust.StateRevoked))
		stated := map[trust.Form]keySet{}
		later := issuedAt.Add(time.Duration(rapid.IntRange(0, 60).Draw(r, "hours later")) * time.Hour)
		trusted := map[trust.Usage][]trusttest.Pair{}
		for i, c := range pool {
			state := rapid.SampledFrom(states).Draw(r, fmt.Sprint("state ", i))
			if state == "planned" || state == "expired" { // whoever lists keys leaves them out
				continue
			}
			claims.Keys = append(claims.Keys, ca.PublicKey(c.dsc, c.usage, state))
			if state != trust.StateRevoked {
				trusted[c.usage] = append(trusted[c.usage], c.dsc)
			}
		}
		trusted[trust.UsageTrustList] = append(trusted[trust.UsageTrustList], signer.Pair)

		now := issuedAt
		source := &trusttest.Source{}
		config := publisherConfig(source, ca.Cert)
		did := trusttest.DID
		if rapid.IntRange(0, 3).Draw(r, "with DID") > 0 { // its proof is the slowest part
			did, config.DID = trust.DID{}, ""
		}
		signed, err := trust.Sign(t.Context(), claims, did, signer)
		if err != nil {
			t.Fatal(err)
		}
		source.Answer(signed, nil)
		config.Now = func() time.Time { return now }
		p := newPublisher(t, config)
		if err := p.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		now = later
		publication := current(t, p)

		hcert := []trust.Usage{trust.UsageVaccination, trust.UsageTest, trust.UsageRecovery}
		expected := func(at time.Time, usages ...trust.Usage) keySet {
			out := keySet{}
			for _, usage := range usages {
				for _, dsc := range trusted[usage] {
					if !at.After(dsc.Cert.NotAfter) {
						out.add(dsc.Cert.RawSubjectPublicKeyInfo)
					}
				}
			}
			return out
		}
		// The signed bytes are as they were; the forms made of them follow the clock.
		for name, want := range map[trust.Form]keySet{
			trust.FormTrustList:     expected(issuedAt, trust.Usages()...),
			trust.FormStatement:     expected(issuedAt, trust.Usages()...),
			trust.FormDID:           expected(issuedAt, hcert...),
			trust.FormJWKS:          expected(later, hcert...),
			trust.FormSHC:           expected(later, trust.UsageSHC),
			trust.FormDSC:           expected(later, hcert...),
			trust.FormRegistryDCC:   expected(later, hcert...),
			trust.FormRegistrySHC:   expected(later, trust.UsageSHC),
			trust.FormRegistryICAO:  expected(later, trust.UsageVDSNC),
			trust.FormRegistryCred:  {},
			trust.FormUpdatesStatus: expected(later, hcert...),
		} {
			if name == trust.FormDID && config.DID == "" {
				continue
			}
			stated[name] = offered(t, publication, name, signer, ca.Cert)
			if !maps.Equal(stated[name], want) {
				t.Errorf("%s offers %d keys, want %d", name, len(stated[name]), len(want))
			}
		}
		all, walked := expected(later, trust.Usages()...), keySet{}
		for _, c := range pool {
			_, ok := publication.Certificate(trust.KID(c.dsc.Cert))
			if ok != all[base64.StdEncoding.EncodeToString(c.dsc.Cert.RawSubjectPublicKeyInfo)] {
				t.Errorf("certificate of %s: %t", c.usage, ok)
			}
		}
		for update, ok := publication.Next(0); ok; update, ok = publication.Next(update.Token) {
			walked.addX5C(t, string(update.DSC.Body))
		}
		if !maps.Equal(walked, stated[trust.FormJWKS]) {
			t.Errorf("one by one there are %d keys, want %d", len(walked), len(stated[trust.FormJWKS]))
		}
	})
}

// offered reads a form as its verifiers do and gives the keys they would trust.
func offered(t testing.TB, p *trust.Publication, name trust.Form, signer trusttest.Signer, anchor *x509.Certificate) keySet {
	t.Helper()
	body, out := form(t, p, name).Body, keySet{}
	decode := func(into any) {
		t.Helper()
		if err := json.Unmarshal(body, into); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	switch name {
	case trust.FormTrustList, trust.FormStatement:
		if name == trust.FormStatement {
			statement, err := trust.VerifyStatement(body, []*x509.Certificate{anchor}, issuedAt)
			if err != nil {
				t.Fatal(err)
			}
			body = statement.Payload
		}
		list, err := trust.ParseList(body, trust.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range list.List.Entries() {
			out.add(entry.DSC.RawSubjectPublicKeyInfo)
		}
	case trust.FormDID:
		document, err := trust.VerifyDID(body, signer.Cert.PublicKey.(*ecdsa.PublicKey), trust.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for _, method := range document.Methods {
			out.addX5C(t, method.X5C[0])
		}
	case trust.FormJWKS, trust.FormSHC:
		var set jose.JSONWebKeySet
		decode(&set)
		for _, key := range set.Keys {
			spki, err := x509.MarshalPKIXPublicKey(key.Key)
			if err != nil {
				t.Fatal(err)
			}
			out.add(spki)
		}
	case trust.FormDSC:
		for block, rest := pem.Decode(body); block != nil; block, rest = pem.Decode(rest) {
			out.addX5C(t, base64.StdEncoding.EncodeToString(block.Bytes))
		}
	case trust.FormUpdatesStatus:
		var kids []string
		decode(&kids)
		for _, text := range kids {
			kid, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				t.Fatal(err)
			}
			der, ok := p.Certificate(kid)
			if !ok {
				t.Fatalf("no certificate of %s", text)
			}
			out.addX5C(t, base64.StdEncoding.EncodeToString(der.Body))
		}
	default: // registries
		var registry map[string]struct{ DIDDocument, Status string }
		decode(&registry)
		for _, key := range registry {
			if key.Status == "current" {
				out[key.DIDDocument] = true
			}
		}
	}
	return out
}

func TestRegistry(t *testing.T) {
	t.Parallel()
	ca := trusttest.CSCA(t)
	signer := ca.ListSigner(t)
	hcert := ca.DSC(t, trusttest.EKU(trusttest.VaccinationOID), trusttest.Validity(trusttest.Start, issuedAt.Add(time.Hour)))
	shc, icao := ca.DSC(t), ca.DSC(t)
	claims := signer.Claims(issuedAt, ca.PublicKey(hcert, trust.UsageVaccination, trust.StateActive),
		ca.PublicKey(shc, trust.UsageSHC, trust.StateActive), ca.PublicKey(icao, trust.UsageVDSNC, trust.StateActive))
	source := &trusttest.Source{}
	source.Answer(signer.Statement(t, claims), nil)
	now := issuedAt
	config := publisherConfig(source, ca.Cert)
	config.Now = func() time.Time { return now }
	p := newPublisher(t, config)
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	thumbprint, err := (&jose.JSONWebKey{Key: shc.Cert.PublicKey}).Thumbprint(5) // crypto.SHA256
	if err != nil {
		t.Fatal(err)
	}
	spki := base64.StdEncoding.EncodeToString
	entry := func(dsc trusttest.Pair, types, until, status string) string {
		return fmt.Sprintf(`{"didDocument":%q,"validFromDT":"2026-01-01T00:00:00.000Z","validUntilDT":%q,"credentialType":%s,"status":%q}`,
			spki(dsc.Cert.RawSubjectPublicKeyInfo), until, types, status)
	}
	for _, test := range []struct {
		form trust.Form
		at   time.Time
		want string
	}{
		{trust.FormRegistryDCC, issuedAt, fmt.Sprintf(`{%q:%s}`, spki(trust.KID(hcert.Cert)), entry(hcert, `["v"]`, "2026-01-15T10:00:00.000Z", "current"))},
		{trust.FormRegistrySHC, issuedAt, fmt.Sprintf(`{%q:%s}`, base64.RawURLEncoding.EncodeToString(thumbprint), entry(shc, `[]`, "2028-01-01T00:00:00.000Z", "current"))},
		{trust.FormRegistryICAO, issuedAt, fmt.Sprintf(`{%q:%s}`, spki(trust.KID(icao.Cert)), entry(icao, `[]`, "2028-01-01T00:00:00.000Z", "current"))},
		{trust.FormRegistryCred, issuedAt, `{}`},
		{trust.FormRegistryDCC, issuedAt.Add(2 * time.Hour), fmt.Sprintf(`{%q:%s}`, spki(trust.KID(hcert.Cert)), entry(hcert, `["v"]`, "2026-01-15T10:00:00.000Z", "expired"))},
	} {
		now = test.at
		if got := string(form(t, current(t, p), test.form).Body); got != test.want+"\n" {
			t.Errorf("%s:\n%s\nwant\n%s", test.form, got, test.want)
		}
	}
}

// A verifier that has reached a position gets every key that is listed later, and none
// again, whatever else happens: restarts, other gateways, keys that come, go or change.
func TestResumeTokensAreMonotone(t *testing.T) {
	t.Parallel()
	ca := trusttest.CSCA(t)
	signer := ca.ListSigner(t)
	var pool []trust.PublicKey
	for i := range 12 {
		key := ca.PublicKey(ca.DSC(t), trust.UsageTest, trust.StateActive)
		key.ListedFrom = trusttest.Start.Add(time.Duration(i/2) * time.Hour) // two at a time
		key.ActiveFrom = issuedAt.Add(-time.Duration(i) * time.Hour)         // the other way round
		pool = append(pool, key)
	}
	publication := func(keys []trust.PublicKey) *trust.Publication {
		source := &trusttest.Source{}
		signed, err := trust.Sign(t.Context(), signer.Claims(issuedAt, keys...), trust.DID{}, signer)
		if err != nil {
			t.Fatal(err)
		}
		source.Answer(signed, nil)
		config := publisherConfig(source, ca.Cert)
		config.DID = ""
		p := newPublisher(t, config)
		if err := p.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		return current(t, p)
	}
	walk := func(p *trust.Publication, token uint64, seen map[string]int) uint64 {
		for update, ok := p.Next(token); ok; update, ok = p.Next(token) {
			if update.Token <= token || update.Token >= 1<<63 {
				t.Fatalf("token %d after %d", update.Token, token)
			}
			token = update.Token
			seen[update.KID]++
		}
		return token
	}
	rapid.Check(t, func(r *rapid.T) {
		known := rapid.IntRange(0, 6).Draw(r, "known") * 2
		first := slices.Clone(pool[:known])
		if known == 0 {
			first = []trust.PublicKey{ca.PublicKey(ca.DSC(t), trust.UsageSHC, trust.StateActive)}
		}
		seen := map[string]int{}
		token := walk(publication(first), 0, seen)
		second := rapid.Permutation(pool).Draw(r, "order")
		gone := rapid.IntRange(0, len(pool)-1).Draw(r, "gone")
		second[gone].State = trust.StateRevoked
		walk(publication(second), token, seen)
		for i, key := range second {
			if n := seen[base64.StdEncoding.EncodeToString(key.KID)]; n > 1 || n == 0 && i != gone {
				t.Errorf("a key was given %d times", n)
			}
		}
	})
}
