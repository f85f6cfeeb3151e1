package revocation_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/revocation"
)

func entry(change func(*revocation.Entry)) revocation.Entry {
	e := revocation.Entry{
		KID: []byte{1, 2, 3, 4, 5, 6, 7, 8}, Signature: hashOf(1), UCI: hashOf(2), CountryUCI: hashOf(3),
		Format: revocation.FormatDCC, RevokedAt: until.AddDate(-1, 0, 0), ExpiresAt: until,
	}
	if change != nil {
		change(&e)
	}
	return e
}

func card(change func(*revocation.Entry)) revocation.Entry {
	return entry(func(e *revocation.Entry) {
		*e = revocation.Entry{Format: revocation.FormatSHC, SHCKID: thumbprint, RID: "MKyCxh7p6uQ", Signature: hashOf(1), RevokedAt: until}
		if change != nil {
			change(e)
		}
	})
}

func TestEntriesAreChecked(t *testing.T) {
	t.Parallel()
	for name, e := range map[string]revocation.Entry{
		"dcc": entry(nil), "card": card(nil), "never expires": entry(func(e *revocation.Entry) { e.ExpiresAt = time.Time{} }),
		"identifier alone": entry(func(e *revocation.Entry) { e.Signature, e.CountryUCI = revocation.Hash{}, revocation.Hash{} }),
		"card with DSC":    card(func(e *revocation.Entry) { e.KID = make([]byte, 8) }),
		"card by time":     card(func(e *revocation.Entry) { e.RID += ".1654041600" }),
		"seal":             entry(func(e *revocation.Entry) { e.Format = revocation.FormatVDSNC }),
	} {
		if err := e.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, tc := range map[string]struct {
		e    revocation.Entry
		path string
	}{
		"no key":            {entry(func(e *revocation.Entry) { e.KID = nil }), "kid"},
		"long key":          {entry(func(e *revocation.Entry) { e.KID = make([]byte, 9) }), "kid"},
		"card, short key":   {card(func(e *revocation.Entry) { e.KID = make([]byte, 7) }), "kid"},
		"format":            {entry(func(e *revocation.Entry) { e.Format = "DCC" }), "format"},
		"no thumbprint":     {card(func(e *revocation.Entry) { e.SHCKID = "" }), "shcKid"},
		"thumbprint, other": {entry(func(e *revocation.Entry) { e.SHCKID = thumbprint }), "shcKid"},
		"thumbprint, form":  {card(func(e *revocation.Entry) { e.SHCKID = thumbprint[:42] }), "shcKid"},
		"thumbprint, bits":  {card(func(e *revocation.Entry) { e.SHCKID = thumbprint[:42] + "t" }), "shcKid"},
		"rid, long":         {card(func(e *revocation.Entry) { e.RID = "this-rid-is-longer-than-24" }), "rid"},
		"rid, alphabet":     {card(func(e *revocation.Entry) { e.RID = "base64==" }), "rid"},
		"rid, milliseconds": {card(func(e *revocation.Entry) { e.RID = "a.1654041600000" }), "rid"},
		"rid, two dots":     {card(func(e *revocation.Entry) { e.RID = "a.1.2" }), "rid"},
		"rid, no card":      {entry(func(e *revocation.Entry) { e.RID = "a" }), "rid"},
		"nothing": {entry(func(e *revocation.Entry) {
			e.Signature, e.UCI, e.CountryUCI = revocation.Hash{}, revocation.Hash{}, revocation.Hash{}
		}), "signature"},
		"no time": {entry(func(e *revocation.Entry) { e.RevokedAt = time.Time{} }), "revokedAt"},
		"expiry":  {entry(func(e *revocation.Entry) { e.ExpiresAt = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }), "expiresAt"},
	} {
		err := tc.e.Check()
		if !errors.Is(err, revocation.ErrEntry) || !slices.Contains(pathsOf(err), tc.path) {
			t.Errorf("%s: %v at %v, want %s", name, err, pathsOf(err), tc.path)
		}
	}
	if err := (revocation.Entry{}).Check(); len(pathsOf(err)) < 4 {
		t.Errorf("all findings at once: %v", pathsOf(err))
	}
}

// TestOneHashStandsForAnEntry: what verifiers compute from a certificate alone.
func TestOneHashStandsForAnEntry(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		e            revocation.Entry
		filter, list revocation.HashType
	}{
		"dcc":                {entry(nil), revocation.HashSignature, revocation.HashSignature},
		"identifier":         {entry(func(e *revocation.Entry) { e.Signature = revocation.Hash{} }), revocation.HashUCI, revocation.HashUCI},
		"country":            {entry(func(e *revocation.Entry) { e.Signature, e.UCI = revocation.Hash{}, revocation.Hash{} }), revocation.HashCountryUCI, revocation.HashCountryUCI},
		"card":               {card(nil), revocation.HashRID, revocation.HashSignature},
		"card, id alone":     {card(func(e *revocation.Entry) { e.Signature = revocation.Hash{} }), revocation.HashRID, ""},
		"card without an id": {card(func(e *revocation.Entry) { e.RID = "" }), revocation.HashSignature, revocation.HashSignature},
	} {
		filter, _ := tc.e.FilterHash()
		list, h := tc.e.ListHash()
		if filter != tc.filter || list != tc.list || h.IsZero() != (list == "") {
			t.Errorf("%s: %s, %s", name, filter, list)
		}
	}
	_, plain := card(nil).FilterHash()
	_, dated := card(func(e *revocation.Entry) { e.RID += ".1654041600" }).FilterHash()
	if plain != dated || plain != revocation.RIDHash(thumbprint, "MKyCxh7p6uQ") {
		t.Error("the time of a revocation must not change what verifiers look up")
	}
	kid, ok := revocation.SHCListKID(thumbprint)
	if !ok || card(nil).ListKID() != kid || entry(nil).ListKID() != (revocation.KID{1, 2, 3, 4, 5, 6, 7, 8}) {
		t.Error("cards are listed by their thumbprint, others by their DSC")
	}
}

func TestPeriods(t *testing.T) {
	t.Parallel()
	for expires, want := range map[string]string{
		"2027-01-01T00:00:00Z": "2027H1", "2027-06-30T23:59:59Z": "2027H1", "2027-07-01T00:00:00Z": "2027H2", "2027-12-31T23:59:59Z": "2027H2",
		"2027-12-31T23:30:00-02:00": "2028H1",
	} {
		at, err := time.Parse(time.RFC3339, expires)
		must(t, err)
		end := revocation.PeriodEnd(at)
		if got := revocation.PeriodName(end); got != want || end.Before(at) {
			t.Errorf("%s: %s, ends %s", expires, got, end)
		}
		if again := revocation.PeriodEnd(end); !again.Equal(end) {
			t.Errorf("%s: the end of a period is in the next", expires)
		}
	}
	if end := revocation.PeriodEnd(time.Time{}); !end.Equal(revocation.Never) || revocation.PeriodName(end) != "later" {
		t.Error("without expiry there is no end")
	}
}
