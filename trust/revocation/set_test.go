package revocation_test

import (
	"errors"
	"maps"
	"testing"
	"time"

	format "github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/revocation"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
)

// falsePositive finds a certificate of a key with revocations that only the filter takes for
// revoked.
func falsePositive(t *testing.T, rough *revocation.Set, exact *revocation.Set, kid []byte) revocation.Identity {
	t.Helper()
	for n := range 2_000_000 {
		id := revocation.Identity{KID: kid, Signature: hashOf(1<<42 + n)}
		if rough.Check(id).Revoked {
			if exact.Check(id).Revoked {
				t.Fatal("an exact list knows what was never revoked")
			}
			return id
		}
	}
	t.Fatal("no false positive in two million")
	return revocation.Identity{}
}

func TestCertainty(t *testing.T) {
	t.Parallel()
	s := newSite(t, entriesOf(5000)...)
	p := published(t, s.publisher(t))
	whole := mirror(t, p, allKinds...)
	rough, err := revocation.Load(mirror(t, p, format.KindFilter).fs(), s.list, s.clock())
	must(t, err)
	exact, err := revocation.Load(whole.fs(), s.list, s.clock())
	must(t, err)
	revoked, unlucky := identityOf(dcc(7)), falsePositive(t, rough, exact, dcc(7).KID)
	slicesOf := func(f files) revocation.Slices {
		return func(kid format.KID, prefix []byte) ([]byte, error) {
			raw, ok := f[revocation.SlicePath(kid, prefix)]
			if !ok {
				return nil, errors.New("offline")
			}
			return raw, nil
		}
	}
	forged := maps.Clone(whole)
	for name, raw := range whole {
		if len(name) > 7 && name[:7] == "slices/" { // an empty slice for each prefix, with the true paths
			slice, err := format.ParseSlice(raw)
			must(t, err)
			slice.Hashes = [3][]format.Hash{}
			forged[name] = slice.AppendBody(nil)
			for _, node := range slice.Path {
				forged[name] = append(forged[name], node[:]...)
			}
		}
	}
	otherSlice := func(format.KID, []byte) ([]byte, error) {
		return whole[revocation.SlicePath(format.KID(dcc(7).KID), []byte{unlucky.Signature[0] + 1})], nil
	}
	stranger := unlucky
	stranger.KID = []byte{9, 9, 9, 9, 9, 9, 9, 9}
	anonymous := unlucky
	anonymous.KID = nil
	for name, c := range map[string]struct {
		set  *revocation.Set
		id   revocation.Identity
		want revocation.Verdict
	}{
		"revoked, filter":            {rough, revoked, revocation.Verdict{Revoked: true, Certainty: revocation.FromFilter}},
		"revoked, slices":            {exact, revoked, revocation.Verdict{Revoked: true, Certainty: revocation.Exact}},
		"revoked, slices over a net": {rough.WithSlices(slicesOf(whole)), revoked, revocation.Verdict{Revoked: true, Certainty: revocation.Exact}},
		"revoked, forged slices":     {rough.WithSlices(slicesOf(forged)), revoked, revocation.Verdict{Revoked: true, Certainty: revocation.FromFilter}},
		"revoked, no way to slices":  {exact.WithSlices(nil), revoked, revocation.Verdict{Revoked: true, Certainty: revocation.FromFilter}},
		"unlucky, filter":            {rough, unlucky, revocation.Verdict{Revoked: true, Certainty: revocation.FromFilter}},
		"unlucky, slices":            {exact, unlucky, revocation.Verdict{Certainty: revocation.Exact}},
		"unlucky, slice of another":  {rough.WithSlices(otherSlice), unlucky, revocation.Verdict{Revoked: true, Certainty: revocation.FromFilter}},
		"unlucky, key without list":  {rough, stranger, revocation.Verdict{Certainty: revocation.Exact}},
		"unlucky, key is not known":  {exact, anonymous, revocation.Verdict{Revoked: true, Certainty: revocation.FromFilter}},
		"good":                       {rough, identityOf(dcc(1 << 41)), revocation.Verdict{Certainty: revocation.Exact}},
		"nothing to look up":         {exact, revocation.Identity{}, revocation.Verdict{Certainty: revocation.Exact}},
	} {
		if got := c.set.Check(c.id); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
	if rough.FalsePositiveRate() != p.Manifest.FalsePositiveRate || rough.Country() != "XX" || rough.Sequence() != p.Manifest.Sequence || !rough.IssuedAt().Equal(begin) || !rough.NextUpdate().After(begin) {
		t.Error("a set does not say what it is")
	}
}

// TestCardsByTime: an id with a timestamp revokes the cards before it, and no others.
func TestCardsByTime(t *testing.T) {
	t.Parallel()
	always, dated := card(1), card(2)
	dated.RID += ".1664492124"
	dated.Signature = format.Hash{}
	s := newSite(t, always, dated, dcc(1))
	p := published(t, s.publisher(t))
	exact, err := revocation.Load(mirror(t, p, allKinds...).fs(), s.list, s.clock())
	must(t, err)
	rough, err := revocation.Load(mirror(t, p, format.KindFilter).fs(), s.list, s.clock())
	must(t, err)
	at := func(rid string, seconds int64) revocation.Identity {
		return revocation.Identity{SHCKID: thumbprint, RID: rid, NotBefore: time.Unix(seconds, 0)}
	}
	exactly := func(revoked bool) revocation.Verdict {
		return revocation.Verdict{Revoked: revoked, Certainty: revocation.Exact}
	}
	maybe := revocation.Verdict{Revoked: true, Certainty: revocation.FromFilter}
	for name, c := range map[string]struct {
		set  *revocation.Set
		id   revocation.Identity
		want revocation.Verdict
	}{
		"always":         {exact, at("rid1", 1<<33), exactly(true)},
		"before":         {exact, at("rid2", 1664492123), exactly(true)},
		"at":             {exact, at("rid2", 1664492124), exactly(false)},
		"after":          {exact, at("rid2", 1664492125), exactly(false)},
		"other card":     {exact, at("rid3", 0), exactly(false)},
		"filter, before": {rough, at("rid2", 1664492123), maybe},
		"filter, after":  {rough, at("rid2", 1664492125), maybe}, // the list would say no
		"filter, other":  {rough, at("rid3", 0), exactly(false)},
		"other key":      {rough, revocation.Identity{SHCKID: "hrvC0uzB16UXK83BnPo7Glg685b1D6iYOyJd5hpRaAA", RID: "rid1"}, exactly(false)},
	} {
		if got := c.set.Check(c.id); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestLoadBelievesTheManifestAlone(t *testing.T) {
	t.Parallel()
	s := newSite(t, append(entriesOf(100), card(1))...)
	p := s.publisher(t)
	old := mirror(t, published(t, p), allKinds...)
	s.set(func() { s.entries = append(s.entries, dcc(200), card(2)) })
	whole := mirror(t, published(t, p), allKinds...)
	crl := "crl/" + thumbprint + ".json"
	for name, c := range map[string]struct {
		change func(files)
		want   error
	}{
		"no manifest":   {func(f files) { delete(f, "manifest.jws") }, nil},
		"no filter":     {func(f files) { delete(f, "filter/2027H1") }, revocation.ErrMissing},
		"old filter":    {func(f files) { f["filter/2028H1"] = old["filter/2028H1"] }, nil},
		"changed":       {func(f files) { f["filter/2027H1"] = append([]byte("x"), f["filter/2027H1"][1:]...) }, revocation.ErrDigest},
		"cut":           {func(f files) { f["filter/2027H1"] = f["filter/2027H1"][:40] }, revocation.ErrDigest},
		"longer":        {func(f files) { f["filter/2027H1"] = append(f["filter/2027H1"], 0) }, nil},
		"old card list": {func(f files) { f[crl] = old[crl] }, revocation.ErrDigest},
	} {
		f := maps.Clone(whole)
		c.change(f)
		_, err := revocation.Load(f.fs(), s.list, s.clock())
		if name == "old filter" {
			if _, ok := old["filter/2028H1"]; ok && string(old["filter/2028H1"]) == string(whole["filter/2028H1"]) {
				continue // nothing new in that half year
			}
		}
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	f := maps.Clone(whole)
	delete(f, crl) // as a verifier that reads no cards
	delete(f, "who.json")
	delete(f, "batches.json")
	if _, err := revocation.Load(f.fs(), s.list, s.clock()); err != nil {
		t.Error(err)
	}
}

func TestVerifyManifest(t *testing.T) {
	t.Parallel()
	s := newSite(t, dcc(1))
	p := published(t, s.publisher(t))
	jws := read(t, p.SignedManifest())
	payload, err := p.Manifest.Encode()
	must(t, err)
	ca := trusttest.CSCA(t)
	key := trusttest.Signer{Pair: s.signer.key.Pair, CA: s.signer.key.CA}
	listed := func(usage trust.Usage, state trust.State) *trust.List {
		entry := key.CA.Entry(key.Pair, usage)
		entry.State = state
		return trusttest.List(t, entry)
	}
	for _, state := range []trust.State{"", trust.StatePublished, trust.StateActive, trust.StateVerifyOnly} {
		if _, err := revocation.VerifyManifest(jws, listed(trust.UsageTrustList, state), begin); err != nil {
			t.Errorf("state %q: %v", state, err)
		}
	}
	longPast := trusttest.Signer{Pair: ca.DSC(t, trusttest.Validity(begin.AddDate(-2, 0, 0), begin.AddDate(-1, 0, 0))), CA: ca}
	past := &signer{key: longPast}
	expired, err := past.sign(t.Context(), payload)
	must(t, err)
	for name, c := range map[string]struct {
		jws  []byte
		keys revocation.Keys
		now  time.Time
		want error
	}{
		"no key":           {jws, trusttest.List(t), begin, revocation.ErrSignature},
		"other usage":      {jws, listed(trust.UsageTest, trust.StateActive), begin, revocation.ErrSignature},
		"expired key":      {expired, trusttest.List(t, ca.Entry(longPast.Pair, trust.UsageTrustList)), begin, revocation.ErrSignature},
		"from the future":  {jws, s.list, begin.Add(-6 * time.Minute), revocation.ErrEarly},
		"changed":          {append(jws[:len(jws)-4:len(jws)-4], "AAAA"...), s.list, begin, revocation.ErrSignature},
		"empty":            {nil, s.list, begin, revocation.ErrForm},
		"two parts":        {jws[:len(jws)/2], s.list, begin, revocation.ErrForm},
		"padding":          {append(jws[:len(jws):len(jws)], '='), s.list, begin, revocation.ErrForm},
		"line feed":        {append(jws[:len(jws):len(jws)], '\n'), s.list, begin, revocation.ErrForm},
		"trust list's typ": {[]byte("eyJhbGciOiJFUzI1NiIsInR5cCI6InRydXN0bGlzdCtqd3MiLCJraWQiOiJBUUlEQkFVR0J3Zz0ifQ.e30.AAAA"), s.list, begin, revocation.ErrForm},
		"alg none":         {[]byte("eyJhbGciOiJub25lIiwidHlwIjoicmV2b2NhdGlvbitqd3MiLCJraWQiOiJBUUlEQkFVR0J3Zz0ifQ.e30."), s.list, begin, revocation.ErrForm},
	} {
		if _, err := revocation.VerifyManifest(c.jws, c.keys, c.now); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if m, err := revocation.VerifyManifest(jws, s.list, begin.Add(-4*time.Minute)); err != nil || revocation.Stale(m, begin) != nil || !errors.Is(revocation.Stale(m, m.NextUpdate), revocation.ErrStale) {
		t.Error(err)
	}
}

func FuzzVerifyManifest(f *testing.F) {
	s := newSite(f, dcc(1))
	jws := read(f, published(f, s.publisher(f)).SignedManifest())
	f.Add(jws)
	f.Add([]byte("eyJhbGciOiJFUzI1NiIsInR5cCI6InJldm9jYXRpb24randzIiwia2lkIjoiQVFJREJBVUdCd2c9In0.e30.AAAA"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if _, err := revocation.VerifyManifest(raw, s.list, begin); err == nil && string(raw) != string(jws) {
			t.Error("another manifest is believed")
		}
	})
}

// FuzzLoad: no list makes a verifier crash, and none is believed that the manifest does not name.
func FuzzLoad(f *testing.F) {
	s := newSite(f, dcc(1), card(1))
	whole := mirror(f, published(f, s.publisher(f)), allKinds...)
	for name, raw := range whole {
		if len(name) < 20 || name[:4] == "crl/" {
			f.Add(name, raw)
		}
	}
	f.Add(revocation.SlicePath(format.KID(dcc(1).KID), hash0(dcc(1))), []byte("TRVS"))
	f.Fuzz(func(t *testing.T, name string, raw []byte) {
		dir := maps.Clone(whole)
		if _, known := dir[name]; !known {
			return
		}
		dir[name] = raw
		set, err := revocation.Load(dir.fs(), s.list, begin)
		if err == nil && (!set.Check(identityOf(dcc(1))).Revoked || !set.Check(identityOf(card(1))).Revoked) {
			t.Error("a changed file hides a revocation")
		}
	})
}

func hash0(e format.Entry) []byte { return e.Signature[:1] }
