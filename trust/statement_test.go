package trust_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
)

// authority is a CSCA with a key for trust lists and one of each state.
type authority struct {
	ca                                            trusttest.Pair
	signer                                        trusttest.Signer
	published, active, verifyOnly, shc, withdrawn trusttest.Pair
}

func newAuthority(t testing.TB) authority {
	t.Helper()
	ca := trusttest.CSCA(t)
	return authority{
		ca: ca, signer: ca.ListSigner(t), published: ca.DSC(t), active: ca.DSC(t, trusttest.EKU(trusttest.VaccinationOID)),
		verifyOnly: ca.DSC(t), shc: ca.DSC(t), withdrawn: ca.DSC(t),
	}
}

func (a authority) claims(t testing.TB) trust.Claims {
	t.Helper()
	claims := a.signer.Claims(issuedAt.Add(300*time.Millisecond),
		a.ca.PublicKey(a.published, trust.UsageTest, trust.StatePublished),
		a.ca.PublicKey(a.active, trust.UsageVaccination, trust.StateActive),
		a.ca.PublicKey(a.verifyOnly, trust.UsageRecovery, trust.StateVerifyOnly),
		a.ca.PublicKey(a.shc, trust.UsageSHC, trust.StateActive),
		a.ca.PublicKey(a.withdrawn, trust.UsageTest, trust.StateRevoked))
	claims.Keys[1].ActiveFrom = issuedAt.AddDate(0, 1, 0)
	claims.Keys[2].ListedFrom = time.Time{}
	claims.CRLs = [][]byte{a.ca.CRL(t, issuedAt, a.withdrawn)}
	return claims
}

func (a authority) anchors() []*x509.Certificate { return []*x509.Certificate{a.ca.Cert} }

func TestStatementRoundTrip(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	signed := a.signer.Statement(t, a.claims(t))
	got, err := trust.VerifyStatement(signed.JWS, a.anchors(), issuedAt)
	if err != nil {
		t.Fatal(err)
	}
	if got.Country != "XX" || !got.IssuedAt.Equal(issuedAt) || !got.NextUpdate.Equal(issuedAt.Add(24*time.Hour)) || !got.Signer.DSC.Equal(a.signer.Cert) {
		t.Errorf("got %+v", got.TrustList)
	}
	for _, want := range []struct {
		dsc        trusttest.Pair
		state      trust.State
		activeFrom time.Time
	}{
		{a.published, trust.StatePublished, issuedAt.AddDate(0, 1, 0)},
		{a.active, trust.StateActive, trusttest.Start},
		{a.verifyOnly, trust.StateVerifyOnly, trusttest.Start},
		{a.shc, trust.StateActive, trusttest.Start},
		{a.signer.Pair, trust.StateActive, trusttest.Start},
	} {
		found := got.List.Lookup(trust.KID(want.dsc.Cert))
		if len(found) != 1 || found[0].State != want.state || !found[0].ActiveFrom.Equal(want.activeFrom) || !found[0].ListedFrom.Equal(trusttest.Start) {
			t.Errorf("found %+v, want %s", found, want.state)
		}
	}
	if got.List.Lookup(trust.KID(a.withdrawn.Cert)) != nil {
		t.Error("the revoked key is trusted")
	}
	if len(got.Revoked) != 1 || !bytes.Equal(got.Revoked[0].KID, trust.KID(a.withdrawn.Cert)) || got.Revoked[0].Thumbprint != sha256.Sum256(a.withdrawn.Cert.Raw) {
		t.Errorf("revoked %+v", got.Revoked)
	}
	if len(got.CRLs) != 1 || len(got.CRLs[0].RevokedCertificateEntries) != 1 {
		t.Errorf("CRLs %v", got.CRLs)
	}
	if again, err := got.Encode(); err != nil || !bytes.Equal(again, got.Payload) {
		t.Errorf("encoded differently: %v", err)
	}
	if list, err := trust.ParseList(got.Payload, trust.Limits{}); err != nil || len(list.List.Entries()) != 5 {
		t.Errorf("the reader of trustlist.json: %v", err)
	}
}

// Another implementation of JOSE verifies the statement.
func TestStatementAgainstAnotherReader(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	signed := a.signer.Statement(t, a.claims(t))
	jws, err := jose.ParseSigned(string(signed.JWS), []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	payload, err := jws.Verify(a.signer.Cert.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	header := jws.Signatures[0].Protected
	if header.ExtraHeaders[jose.HeaderType] != "trustlist+jws" || header.KeyID != base64.StdEncoding.EncodeToString(trust.KID(a.signer.Cert)) {
		t.Errorf("header %+v", header)
	}
	if got, err := trust.VerifyStatement(signed.JWS, a.anchors(), issuedAt); err != nil || !bytes.Equal(got.Payload, payload) {
		t.Errorf("payload differs: %v", err)
	}
}

// What is signed depends on what is claimed, not on the order of the claims.
func TestStatementIsCanonical(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	claims := a.claims(t)
	claims.Keys = append(claims.Keys, a.ca.PublicKey(a.ca.DSC(t), trust.UsageTest, trust.StateRevoked))
	first, err := trust.NewStatement(claims)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(claims.Keys)
	second, err := trust.NewStatement(claims)
	if err != nil {
		t.Fatal(err)
	}
	one, _ := first.Encode()
	two, _ := second.Encode()
	if !bytes.Equal(one, two) {
		t.Errorf("\n%s\n%s", one, two)
	}
}

func TestNewStatementRefuses(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	other := trusttest.CSCA(t)
	for name, change := range map[string]func(c *trust.Claims){
		"country":              func(c *trust.Claims) { c.Country = "xx" },
		"no time":              func(c *trust.Claims) { c.IssuedAt = time.Time{} },
		"no next update":       func(c *trust.Claims) { c.NextUpdate = time.Time{} },
		"next update at once":  func(c *trust.Claims) { c.NextUpdate = c.IssuedAt.Add(time.Millisecond) },
		"no key":               func(c *trust.Claims) { c.Keys = nil },
		"only the list's key":  func(c *trust.Claims) { c.Keys, c.CRLs = c.Keys[:1], nil },
		"planned":              func(c *trust.Claims) { c.Keys[1].State = "planned" },
		"expired":              func(c *trust.Claims) { c.Keys[1].State = "expired" },
		"no state":             func(c *trust.Claims) { c.Keys[1].State = "" },
		"usage":                func(c *trust.Claims) { c.Keys[1].Usage = "payment" },
		"usage of certificate": func(c *trust.Claims) { c.Keys[2].Usage = trust.UsageTrustList },
		"kid":                  func(c *trust.Claims) { c.Keys[1].KID = []byte("12345678") },
		"certificate":          func(c *trust.Claims) { c.Keys[1].Certificate = nil },
		"issuer":               func(c *trust.Claims) { c.Keys[1].Issuer = []byte("x") },
		"other issuer":         func(c *trust.Claims) { c.Keys[1].Issuer = other.Cert.Raw },
		"revoked of another":   func(c *trust.Claims) { c.Keys[5].Issuer = other.Cert.Raw },
		"twice":                func(c *trust.Claims) { c.Keys = append(c.Keys, c.Keys[1]) },
		"trusted and revoked": func(c *trust.Claims) {
			again := c.Keys[1]
			again.State = trust.StateRevoked
			c.Keys = append(c.Keys, again)
		},
		"revoked with a new certificate": func(c *trust.Claims) {
			c.Keys = append(c.Keys, a.ca.PublicKey(a.ca.DSCFor(t, a.withdrawn.Key), trust.UsageTest, trust.StateActive))
		},
		"CSCA":             func(c *trust.Claims) { c.CSCAs = [][]byte{a.active.Cert.Raw} },
		"CSCA not read":    func(c *trust.Claims) { c.CSCAs = [][]byte{{0}} },
		"CRL not read":     func(c *trust.Claims) { c.CRLs = [][]byte{{0}} },
		"CRL of another":   func(c *trust.Claims) { c.CRLs = [][]byte{other.CRL(t, issuedAt)} },
		"two CRLs":         func(c *trust.Claims) { c.CRLs = append(c.CRLs, a.ca.CRL(t, issuedAt)) },
		"trusted on a CRL": func(c *trust.Claims) { c.CRLs = [][]byte{a.ca.CRL(t, issuedAt, a.active)} },
	} {
		claims := a.claims(t)
		change(&claims)
		if list, err := trust.NewStatement(claims); err == nil {
			t.Errorf("%s: stated %+v", name, list)
		}
	}
}

// A key that has ended but is not yet marked as expired holds nothing up and is not stated.
func TestNewStatementLeavesOutWhatHasEnded(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	oldCA := trusttest.CSCA(t, trusttest.Validity(trusttest.Start, issuedAt.Add(-time.Second)))
	claims := a.claims(t)
	for _, ended := range []trust.PublicKey{
		a.ca.PublicKey(a.ca.DSC(t, trusttest.Validity(trusttest.Start, issuedAt.Add(-time.Second))), trust.UsageTest, trust.StateVerifyOnly),
		oldCA.PublicKey(oldCA.DSC(t), trust.UsageTest, trust.StateVerifyOnly),
	} {
		claims.Keys = append(claims.Keys, ended)
	}
	list, err := trust.NewStatement(claims)
	if err != nil {
		t.Fatal(err)
	}
	if len(list.List.Entries()) != 5 || len(list.List.Anchors()) != 1 {
		t.Errorf("%d keys, %d CSCAs", len(list.List.Entries()), len(list.List.Anchors()))
	}
	last := a.claims(t)
	last.Keys = append(last.Keys, a.ca.PublicKey(a.ca.DSC(t, trusttest.Validity(trusttest.Start, issuedAt)), trust.UsageTest, trust.StateVerifyOnly))
	if list, err := trust.NewStatement(last); err != nil || len(list.List.Entries()) != 6 {
		t.Errorf("in its last second: %v", err)
	}
}

// brokenSigner fails in one way.
type brokenSigner struct {
	trusttest.Signer
	certificate, issuer *x509.Certificate
	sign                func(digest [32]byte) ([64]byte, error)
}

func (s brokenSigner) Certificate() *x509.Certificate { return s.certificate }
func (s brokenSigner) Issuer() *x509.Certificate      { return s.issuer }
func (s brokenSigner) Sign(ctx context.Context, digest [32]byte) ([64]byte, error) {
	if s.sign != nil {
		return s.sign(digest)
	}
	return s.Signer.Sign(ctx, digest)
}

// Only the one key that the list names for lists can sign it, and what comes back from the
// key store is checked.
func TestSigningRefuses(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	down := errors.New("sealed")
	retired := a.ca.ListSigner(t)
	short := a.ca.ListSigner(t, trusttest.Validity(trusttest.Start, issuedAt.Add(time.Hour)))
	wrong := trusttest.Signer{Pair: a.active, CA: a.ca}
	for name, test := range map[string]struct {
		signer brokenSigner
		state  trust.State // of the signer's key when it is stated in addition
	}{
		"no certificate":   {signer: brokenSigner{a.signer, nil, a.ca.Cert, nil}},
		"no issuer":        {signer: brokenSigner{a.signer, a.signer.Cert, nil, nil}},
		"other issuer":     {signer: brokenSigner{a.signer, a.signer.Cert, trusttest.CSCA(t).Cert, nil}},
		"not on the list":  {signer: brokenSigner{retired, retired.Cert, a.ca.Cert, nil}},
		"key of content":   {signer: brokenSigner{wrong, a.active.Cert, a.ca.Cert, nil}},
		"not active yet":   {brokenSigner{retired, retired.Cert, a.ca.Cert, nil}, trust.StatePublished},
		"not active now":   {brokenSigner{retired, retired.Cert, a.ca.Cert, nil}, trust.StateVerifyOnly},
		"revoked":          {brokenSigner{retired, retired.Cert, a.ca.Cert, nil}, trust.StateRevoked},
		"ends before list": {brokenSigner{short, short.Cert, a.ca.Cert, nil}, trust.StateActive},
		"other key":        {signer: brokenSigner{wrong, a.signer.Cert, a.ca.Cert, nil}},
		"no signature":     {signer: brokenSigner{a.signer, a.signer.Cert, a.ca.Cert, func([32]byte) ([64]byte, error) { return [64]byte{}, nil }}},
		"down":             {signer: brokenSigner{a.signer, a.signer.Cert, a.ca.Cert, func([32]byte) ([64]byte, error) { return [64]byte{}, down }}},
	} {
		claims := a.claims(t)
		if test.state != "" {
			claims.Keys = append(claims.Keys, a.ca.PublicKey(test.signer.Pair, trust.UsageTrustList, test.state))
		}
		signed, err := trust.Sign(t.Context(), claims, trusttest.DID, test.signer)
		if err == nil || signed.JWS != nil {
			t.Errorf("%s: signed", name)
		}
		if name == "down" && !errors.Is(err, down) {
			t.Errorf("the cause is lost: %v", err)
		}
		list, err := trust.NewStatement(claims)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := trust.SignDID(t.Context(), list, trusttest.DID, test.signer); err == nil {
			t.Errorf("%s: DID document signed", name)
		}
	}
}

func TestVerifyStatementHoldsTheClock(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	jws := a.signer.Statement(t, a.claims(t)).JWS
	for name, test := range map[string]struct {
		at   time.Duration // after issuedAt
		want error
	}{
		"fresh":       {0, nil},
		"our clock":   {-5 * time.Minute, nil},
		"early":       {-5*time.Minute - time.Second, trust.ErrStatementEarly},
		"last second": {24*time.Hour - time.Second, nil},
		"expired":     {24 * time.Hour, trust.ErrStatementExpired},
	} {
		if _, err := trust.VerifyStatement(jws, a.anchors(), issuedAt.Add(test.at)); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVerifyStatementRefuses(t *testing.T) {
	t.Parallel()
	a, stranger := newAuthority(t), newAuthority(t)
	jws := a.signer.Statement(t, a.claims(t)).JWS
	foreign := stranger.signer.Statement(t, stranger.claims(t)).JWS
	parts := bytes.Split(jws, []byte("."))
	unsigned, err := trust.VerifyStatement(jws, a.anchors(), issuedAt)
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	// signed makes a JWS of our own with another header or payload.
	signed := func(signer trusttest.Signer, header map[string]any, payload []byte) []byte {
		full := map[string]any{
			"alg": "ES256", "typ": "trustlist+jws", "kid": base64.StdEncoding.EncodeToString(trust.KID(signer.Cert)),
			"x5c": []string{base64.StdEncoding.EncodeToString(signer.Cert.Raw), base64.StdEncoding.EncodeToString(signer.CA.Cert.Raw)},
		}
		for name, value := range header {
			full[name] = value
		}
		raw, err := json.Marshal(full)
		if err != nil {
			t.Fatal(err)
		}
		input := encode(raw) + "." + encode(payload)
		signature, err := signer.Sign(t.Context(), sha256.Sum256([]byte(input)))
		if err != nil {
			t.Fatal(err)
		}
		return []byte(input + "." + encode(signature[:]))
	}
	if _, err := trust.VerifyStatement(signed(a.signer, nil, unsigned.Payload), a.anchors(), issuedAt); err != nil {
		t.Fatalf("the control: %v", err)
	}
	leaf := a.ca.DSC(t, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment })
	twin := trusttest.CSCA(t)
	claimsOfTwo := a.claims(t)
	claimsOfTwo.CSCAs = [][]byte{twin.Cert.Raw}
	for name, test := range map[string]struct {
		jws  []byte
		want error
	}{
		"nothing":            {nil, trust.ErrStatementForm},
		"one part":           {parts[0], trust.ErrStatementForm},
		"four parts":         {append(slices.Clone(jws), ".AAAA"...), trust.ErrStatementForm},
		"no base64url":       {bytes.Replace(jws, []byte("."), []byte("=."), 1), trust.ErrStatementForm},
		"line feed":          {append(slices.Clone(jws), '\n'), trust.ErrStatementForm},
		"long header":        {[]byte(strings.Repeat("A", 20<<10) + ".AAAA.AAAA"), trust.ErrStatementForm},
		"header no JSON":     {[]byte("AAAA.AAAA.AAAA"), trust.ErrStatementForm},
		"no signature":       {bytes.Join([][]byte{parts[0], parts[1], nil}, []byte(".")), trust.ErrStatementSignature},
		"of another":         {foreign, trust.ErrStatementAnchor},
		"other payload":      {bytes.Join([][]byte{parts[0], bytes.Split(foreign, []byte("."))[1], parts[2]}, []byte(".")), trust.ErrStatementSignature},
		"algorithm none":     {signed(a.signer, map[string]any{"alg": "none"}, unsigned.Payload), trust.ErrStatementForm},
		"other algorithm":    {signed(a.signer, map[string]any{"alg": "ES384"}, unsigned.Payload), trust.ErrStatementForm},
		"other type":         {signed(a.signer, map[string]any{"typ": "JWT"}, unsigned.Payload), trust.ErrStatementForm},
		"other kid":          {signed(a.signer, map[string]any{"kid": "AAAAAAAAAAA="}, unsigned.Payload), trust.ErrStatementForm},
		"crit":               {signed(a.signer, map[string]any{"crit": []string{"b64"}}, unsigned.Payload), trust.ErrStatementForm},
		"key in the header":  {signed(a.signer, map[string]any{"jwk": map[string]any{}}, unsigned.Payload), trust.ErrStatementForm},
		"no chain":           {signed(a.signer, map[string]any{"x5c": []string{}}, unsigned.Payload), trust.ErrStatementForm},
		"chain no base64":    {signed(a.signer, map[string]any{"x5c": []string{"?", "?"}}, unsigned.Payload), trust.ErrStatementForm},
		"chain of nothing":   {signed(a.signer, map[string]any{"x5c": []string{"AAAA", "AAAA"}}, unsigned.Payload), trust.ErrStatementForm},
		"key of content":     {signed(trusttest.Signer{Pair: a.active, CA: a.ca}, nil, unsigned.Payload), trust.ErrStatementSignature},
		"key not listed":     {signed(a.ca.ListSigner(t), nil, unsigned.Payload), trust.ErrStatementSignature},
		"key may not sign":   {signed(trusttest.Signer{Pair: leaf, CA: a.ca}, nil, unsigned.Payload), trust.ErrStatementSignature},
		"stolen chain":       {signed(trusttest.Signer{Pair: trusttest.Pair{Key: stranger.signer.Key, Cert: a.signer.Cert}, CA: a.ca}, nil, unsigned.Payload), trust.ErrStatementSignature},
		"CSCA not pinned":    {a.signer.Statement(t, claimsOfTwo).JWS, trust.ErrStatementAnchor},
		"list, no statement": {signed(a.signer, nil, readGolden(t)), trust.ErrStatementForm},
		"not canonical":      {signed(a.signer, nil, append(slices.Clone(unsigned.Payload), ' ')), trust.ErrStatementForm},
		"no list":            {signed(a.signer, nil, []byte(`{}`)), fault.New(fault.Rule, "trust-list-content", "")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if s, err := trust.VerifyStatement(test.jws, a.anchors(), issuedAt); !errors.Is(err, test.want) || s.List != nil {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
	if _, err := trust.VerifyStatement(jws, nil, issuedAt); !errors.Is(err, trust.ErrStatementAnchor) {
		t.Errorf("no anchors: %v", err)
	}
	huge := bytes.Repeat([]byte("A"), 2*trust.DefaultMaxBytes)
	if _, err := trust.VerifyStatement(huge, a.anchors(), issuedAt); fault.KindOf(err) != fault.TooLarge {
		t.Errorf("huge: %v", err)
	}
}

// The members of a statement are held as strictly as those of a plain list.
func TestParseListRefusesBadStatements(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	statement, err := trust.VerifyStatement(a.signer.Statement(t, a.claims(t)).JWS, a.anchors(), issuedAt)
	if err != nil {
		t.Fatal(err)
	}
	type object = map[string]any
	at := 1 + slices.IndexFunc(statement.List.Entries(), func(e trust.Entry) bool { return e.DSC.Equal(a.active.Cert) })
	for name, test := range map[string]struct {
		change func(list, dsc, revoked, crl object)
		path   string
	}{
		"next update":         {func(l, _, _, _ object) { l["nextUpdate"] = "tomorrow" }, "nextUpdate"},
		"year one":            {func(l, _, _, _ object) { l["nextUpdate"] = "0001-01-01T00:00:00Z" }, "nextUpdate"},
		"no next update":      {func(l, _, _, _ object) { delete(l, "nextUpdate") }, "nextUpdate"},
		"next update before":  {func(l, _, _, _ object) { l["nextUpdate"] = "2026-01-15T09:00:00Z" }, ""},
		"no state":            {func(_, d, _, _ object) { delete(d, "state") }, ".state"},
		"revoked state":       {func(_, d, _, _ object) { d["state"] = "revoked" }, ".state"},
		"unknown state":       {func(_, d, _, _ object) { d["state"] = "Active" }, ".state"},
		"active from":         {func(_, d, _, _ object) { d["activeFrom"] = "2026-01-01" }, ".activeFrom"},
		"no listed from":      {func(_, d, _, _ object) { delete(d, "listedFrom") }, ".listedFrom"},
		"state of a CSCA":     {func(l, _, _, _ object) { l["certificates"].([]any)[0].(object)["state"] = "active" }, "certificates[0].state"},
		"thumbprint":          {func(_, _, r, _ object) { r["thumbprint"] = "AB" }, "revoked[0].thumbprint"},
		"kid of revoked":      {func(_, _, r, _ object) { r["kid"] = "AAAAAAAAAAA=" }, "revoked[0].kid"},
		"usage of revoked":    {func(_, _, r, _ object) { r["usage"] = []string{} }, "revoked[0].usage"},
		"unknown of revoked":  {func(_, _, r, _ object) { r["usage"] = []string{"payment"} }, "revoked[0].usage"},
		"revoked twice":       {func(l, _, r, _ object) { l["revoked"] = []any{r, r} }, ""},
		"trusted and revoked": {func(_, d, r, _ object) { r["kid"], r["thumbprint"] = d["kid"], d["thumbprint"] }, ""},
		"CRL":                 {func(_, _, _, c object) { c["rawData"] = "AAAA" }, "crls[0].rawData"},
		"CRL no base64":       {func(_, _, _, c object) { c["rawData"] = "?" }, "crls[0].rawData"},
		"CRL of another": {func(_, _, _, c object) {
			c["rawData"] = base64.StdEncoding.EncodeToString(trusttest.CSCA(t).CRL(t, issuedAt))
		}, "crls[0].rawData"},
		"name of CRL":        {func(_, _, _, c object) { c["issuer"] = "00" }, "crls[0].issuer"},
		"list key does more": {func(_, d, _, _ object) { d["usage"] = []string{"vaccination", "trustlist"} }, "certificates"},
		"trusted and on a CRL": {func(_, _, _, c object) {
			c["rawData"] = base64.StdEncoding.EncodeToString(a.ca.CRL(t, issuedAt, a.active))
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var tree object
			if err := json.Unmarshal(statement.Payload, &tree); err != nil {
				t.Fatal(err)
			}
			test.change(tree, tree["certificates"].([]any)[at].(object), tree["revoked"].([]any)[0].(object), tree["crls"].([]any)[0].(object))
			raw, err := json.Marshal(tree)
			if err != nil {
				t.Fatal(err)
			}
			list, err := trust.ParseList(raw, trust.Limits{})
			var f *fault.Error
			if !errors.As(err, &f) || list.List != nil {
				t.Fatalf("accepted: %v", err)
			}
			if !slices.ContainsFunc(f.Issues, func(i fault.Issue) bool {
				return strings.HasPrefix(i.Path, test.path) || strings.HasSuffix(i.Path, test.path)
			}) {
				t.Errorf("issues %v, want one at %q", f.Issues, test.path)
			}
		})
	}
}

// A CRL for the whole life of an authority is still read; a larger one is refused.
func TestCRLsAreBounded(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	var many []trusttest.Pair
	for i := range 40_000 {
		many = append(many, trusttest.Pair{Cert: &x509.Certificate{SerialNumber: new(big.Int).Add(big.NewInt(int64(i)), new(big.Int).Lsh(big.NewInt(1), 120))}})
	}
	claims := a.claims(t)
	claims.CRLs = [][]byte{a.ca.CRL(t, issuedAt, many[:10_000]...)}
	if _, err := trust.NewStatement(claims); err != nil {
		t.Error(err)
	}
	claims.CRLs = [][]byte{a.ca.CRL(t, issuedAt, many...)}
	if _, err := trust.NewStatement(claims); err == nil {
		t.Error("stated")
	}
}
