package revocation_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/revocation"
)

const digest = "630dcd2966c4336691125448bbb25b4f630dcd2966c4336691125448bbb25b4f"

func manifest(change func(*revocation.Manifest)) revocation.Manifest {
	expires := until
	m := revocation.Manifest{
		IssuedAt: until.AddDate(-1, 0, 0), NextUpdate: until.AddDate(-1, 0, 1),
		Claims: revocation.Claims{
			Country: "XX", Sequence: 7, Revocations: 3, FalsePositiveRate: revocation.CombinedFPR(2),
			Artefacts: []revocation.Artefact{
				{Name: "batches.json", Kind: revocation.KindBatches, SHA256: digest, Size: 10, Count: 1},
				{Name: revocation.CRLName(thumbprint), Kind: revocation.KindCRL, SHA256: digest, Size: 10, Count: 1, KID: thumbprint, CTR: 2},
				{Name: "filter/2027H1", Kind: revocation.KindFilter, SHA256: digest, Size: 10, Count: 3, HashTypes: []revocation.HashType{revocation.HashSignature, revocation.HashRID}, FalsePositiveRate: revocation.FilterFPR, Expires: &expires},
				{Name: "slices/AQIDBAUGBwg", Kind: revocation.KindSlices, SHA256: digest, Size: 10, Count: 3, KID: "AQIDBAUGBwg=", Depth: 1, HashTypes: []revocation.HashType{revocation.HashSignature}},
				{Name: "who.json", Kind: revocation.KindWHO, SHA256: digest, Size: 10, Count: 3},
			},
		},
	}
	if change != nil {
		change(&m)
	}
	return m
}

func TestManifest(t *testing.T) {
	t.Parallel()
	m := manifest(nil)
	raw, err := m.Encode()
	must(t, err)
	again, err := revocation.ParseManifest(raw)
	must(t, err)
	if second, err := again.Encode(); err != nil || !bytes.Equal(second, raw) {
		t.Errorf("%s, %v", second, err)
	}
	if again.Sequence != 7 || !again.IssuedAt.Equal(m.IssuedAt) || len(again.Artefacts) != 5 || !again.Artefacts[2].Expires.Equal(until) {
		t.Errorf("%+v", again)
	}
	sum, ok := again.Artefacts[0].Digest()
	if !ok || len(sum) != 32 {
		t.Error("no digest")
	}
	if _, ok := (revocation.Artefact{SHA256: "00"}).Digest(); ok {
		t.Error("a digest of one byte")
	}
	input := revocation.SigningInput([]byte{1, 2, 3, 4, 5, 6, 7, 8}, raw)
	if !strings.HasPrefix(string(input), "eyJhbGciOiJFUzI1NiIsInR5cCI6InJldm9jYXRpb24randzIiwia2lkIjoiQVFJREJBVUdCd2c9In0.") {
		t.Errorf("%s", input[:90])
	}
}

func TestBadManifestsAreRefused(t *testing.T) {
	t.Parallel()
	at := func(i int, change func(*revocation.Artefact)) func(*revocation.Manifest) {
		return func(m *revocation.Manifest) { change(&m.Artefacts[i]) }
	}
	const batches, crl, filter, slice, who = 0, 1, 2, 3, 4
	other := until.Add(1)
	for name, change := range map[string]func(*revocation.Manifest){
		"country": func(m *revocation.Manifest) { m.Country = "XXX" }, "sequence": func(m *revocation.Manifest) { m.Sequence = 0 }, "large sequence": func(m *revocation.Manifest) { m.Sequence = 1 << 53 },
		"count": func(m *revocation.Manifest) { m.Revocations = 2 }, "negative": func(m *revocation.Manifest) { m.Revocations = -1 }, "rate": func(m *revocation.Manifest) { m.FalsePositiveRate = 0 },
		"none": func(m *revocation.Manifest) { m.Artefacts = nil }, "twice": func(m *revocation.Manifest) { m.Artefacts = append(m.Artefacts, m.Artefacts[who]) }, "order": func(m *revocation.Manifest) { slices.Reverse(m.Artefacts) },
		"times": func(m *revocation.Manifest) { m.NextUpdate = m.IssuedAt }, "fraction": func(m *revocation.Manifest) { m.IssuedAt = m.IssuedAt.Add(1) }, "zone": func(m *revocation.Manifest) { m.IssuedAt = m.IssuedAt.In(time.FixedZone("", 3600)) },
		"kind": at(batches, func(a *revocation.Artefact) { a.Kind = "x" }), "name": at(batches, func(a *revocation.Artefact) { a.Name = "../x" }), "digest": at(batches, func(a *revocation.Artefact) { a.SHA256 = strings.ToUpper(digest) }),
		"size": at(batches, func(a *revocation.Artefact) { a.Size = 0 }), "list, count": at(who, func(a *revocation.Artefact) { a.Count = 4 }), "artefact count": at(batches, func(a *revocation.Artefact) { a.Count = -1 }), "kid of a list": at(who, func(a *revocation.Artefact) { a.KID = "x" }),
		"no rate": at(filter, func(a *revocation.Artefact) { a.FalsePositiveRate = 0 }), "other rate": at(filter, func(a *revocation.Artefact) { a.FalsePositiveRate = .01 }), "rate of a list": at(who, func(a *revocation.Artefact) { a.FalsePositiveRate = revocation.FilterFPR }),
		"no expiry": at(filter, func(a *revocation.Artefact) { a.Expires = nil }), "expiry, fraction": at(filter, func(a *revocation.Artefact) { a.Expires = &other }), "no depth": at(slice, func(a *revocation.Artefact) { a.Depth = 0 }), "depth": at(slice, func(a *revocation.Artefact) { a.Depth = 3 }),
		"depth of a list": at(who, func(a *revocation.Artefact) { a.Depth = 1 }), "no counter": at(crl, func(a *revocation.Artefact) { a.CTR = 0 }), "counter": at(who, func(a *revocation.Artefact) { a.CTR = 1 }), "other kid": at(crl, func(a *revocation.Artefact) { a.KID = "x" }),
		"slices, kid": at(slice, func(a *revocation.Artefact) { a.KID = "AQIDBAUGBwk=" }), "no types": at(filter, func(a *revocation.Artefact) { a.HashTypes = nil }), "types of a list": at(who, func(a *revocation.Artefact) { a.HashTypes = []revocation.HashType{revocation.HashUCI} }),
		"type twice": at(slice, func(a *revocation.Artefact) { a.HashTypes = append(a.HashTypes, a.HashTypes[0]) }), "RID in slices": at(slice, func(a *revocation.Artefact) { a.HashTypes = []revocation.HashType{revocation.HashRID} }),
	} {
		if _, err := manifest(change).Encode(); !errors.Is(err, revocation.ErrManifest) || len(pathsOf(err)) == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	raw, err := manifest(nil).Encode()
	must(t, err)
	for name, text := range map[string]string{
		"empty": "", "white space": string(raw) + "\n", "version": strings.Replace(string(raw), `"version":1`, `"version":2`, 1), "unknown": strings.Replace(string(raw), `"country"`, `"x":1,"country"`, 1),
		"offset": strings.Replace(string(raw), `"issuedAt":"2026-06-30T23:59:59Z"`, `"issuedAt":"2026-07-01T00:59:59+01:00"`, 1), "rate written otherwise": strings.Replace(string(raw), "0.0000152587890625", "1.52587890625e-05", 1),
		"large": strings.Repeat(" ", 3<<20), "null": strings.Replace(string(raw), `"artefacts":[`, `"artefacts":[null,`, 1),
	} {
		if _, err := revocation.ParseManifest([]byte(text)); !errors.Is(err, revocation.ErrManifest) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseManifest(f *testing.F) {
	raw, err := manifest(nil).Encode()
	must(f, err)
	f.Add(raw)
	f.Add(bytes.Replace(raw, []byte(`"count":1`), []byte(`"count":1099511627777`), 1))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := revocation.ParseManifest(raw)
		if err != nil {
			return
		}
		if again, err := m.Encode(); err != nil || !bytes.Equal(again, raw) {
			t.Errorf("a manifest has two encodings: %v", err)
		}
	})
}
