package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
	formats "github.com/trustedparty/ddcc-gateway/formats/revocation"
	shc "github.com/trustedparty/ddcc-gateway/formats/shc/reader"
	"github.com/trustedparty/ddcc-gateway/test/harness"
)

// TestEveryPublishedList fetches what is published as a stranger does: every list is the one
// of the signed manifest, and each form names what was revoked and nothing else.
func TestEveryPublishedList(t *testing.T) {
	t.Parallel()
	s := harness.New(t, swiftly...)
	first := issueFormats(t, s, generate, beside, harness.VS(t, "LISTS-1", swiss))
	second := issueFormats(t, s, generate, beside, harness.VS(t, "LISTS-2", swiss))
	if got := changesSince(t, s, beginning); len(got.Batches) != 0 {
		t.Errorf("batches before anything was revoked: %+v", got)
	}
	revokeEvent(t, s, first.id)
	before := listsOf(t, s, ofEvent)
	wantHashes(t, before, []issuedEvent{first}, []issuedEvent{second})
	wantBatches(t, s, before)
	wantCRL(t, s, before, 1)
	began := changesSince(t, s, beginning)
	if len(began.Batches) != 3 { // one key, one half year: three types of hash
		t.Errorf("%d batches", len(began.Batches))
	}
	latest := began.Batches[len(began.Batches)-1].Date
	if got := changesSince(t, s, latest); len(got.Batches) != 0 || got.More {
		t.Errorf("changes after the last: %+v", got)
	}

	revokeEvent(t, s, second.id)
	after := listsOf(t, s, 2*ofEvent)
	wantHashes(t, after, []issuedEvent{first, second}, nil)
	wantBatches(t, s, after)
	wantCRL(t, s, after, 2)
	deleted := 0
	for _, change := range changesSince(t, s, latest).Batches {
		a := anonymous(t, s, "/revocation-list/"+change.BatchID)
		if want := map[bool]int{true: http.StatusGone, false: http.StatusOK}[change.Deleted]; a.Status != want {
			t.Errorf("a batch that is deleted: %v answers %d", change.Deleted, a.Status)
		}
		if change.Deleted {
			deleted++
		}
	}
	if deleted != len(began.Batches) {
		t.Errorf("%d batches are listed as deleted, want %d", deleted, len(began.Batches))
	}
	if a := anonymous(t, s, "/revocation-list/00000000-0000-8000-8000-000000000000"); a.Status != http.StatusNotFound {
		t.Errorf("a batch that never was: %d", a.Status)
	}
}

// publishedLists are everything a manifest names, but for slices.
type publishedLists struct {
	manifest formats.Manifest
	lists    map[string][]byte
}

// listsOf fetches the lists of a manifest and holds them against its digests.
func listsOf(t *testing.T, s *harness.System, revocations int64) publishedLists {
	t.Helper()
	p := publishedLists{manifest: waitManifest(t, s, revocations), lists: map[string][]byte{}}
	for _, a := range p.manifest.Artefacts {
		if a.Kind == formats.KindSlices {
			continue
		}
		answer := anonymous(t, s, "/trust/revocation/"+a.Name)
		if sum := sha256.Sum256(answer.Body); hex.EncodeToString(sum[:]) != a.SHA256 || int64(len(answer.Body)) != a.Size {
			t.Errorf("%s is not the list of the manifest", a.Name)
		}
		p.lists[a.Name] = answer.Body
		again := anonymous(t, s, "/trust/revocation/"+a.Name, "If-None-Match", answer.Header.Get("ETag"))
		if again.Status != http.StatusNotModified {
			t.Errorf("%s again: %d", a.Name, again.Status)
		}
	}
	return p
}

// anonymous fetches a path without a certificate of any kind.
func anonymous(t *testing.T, s *harness.System, path string, header ...string) harness.Answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	a, err := harness.Do(s.Anonymous, req)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// wantHashes looks for certificates on the WHO list and in the filters.
func wantHashes(t *testing.T, p publishedLists, revoked, valid []issuedEvent) {
	t.Helper()
	who, err := formats.ParseWHO(p.lists["who.json"])
	if err != nil {
		t.Fatal(err)
	}
	listed := func(kid []byte, h formats.Hash) bool {
		for _, key := range who.Keys {
			if bytes.Equal(key.KID[:], kid) {
				_, found := slices.BinarySearchFunc(key.Hashes, h, formats.CompareHashes)
				return found
			}
		}
		return false
	}
	for _, want := range []bool{true, false} {
		for _, e := range map[bool][]issuedEvent{true: revoked, false: valid}[want] {
			for _, format := range []string{"who", "dcc"} {
				m, err := reader.Decode(e.text(t, format))
				if err != nil {
					t.Fatal(err)
				}
				h := formats.SignatureHash("ES256", m.Signature)
				if got := listed(m.KID, h); got != want {
					t.Errorf("%s on the WHO list: %v, want %v", format, got, want)
				}
				if got := inFilter(t, p, h); got != want {
					t.Errorf("%s in the filter: %v, want %v", format, got, want)
				}
			}
		}
	}
}

func inFilter(t *testing.T, p publishedLists, h formats.Hash) bool {
	t.Helper()
	found := false
	for _, a := range p.manifest.Artefacts {
		if a.Kind != formats.KindFilter {
			continue
		}
		filter, err := formats.ParseFilter(p.lists[a.Name])
		if err != nil {
			t.Fatal(err)
		}
		found = found || filter.Contains(h)
	}
	return found
}

// beginning is the date the EU's gateway asks new readers to begin with.
var beginning = time.Date(2021, time.June, 1, 0, 0, 0, 0, time.UTC)

type batchChanges struct {
	More    bool
	Batches []struct {
		BatchID string `json:"batchId"`
		Country string
		Date    time.Time
		Deleted bool
	}
}

// changesSince asks as a backend of the EU does.
func changesSince(t *testing.T, s *harness.System, since time.Time) batchChanges {
	t.Helper()
	var list batchChanges
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		a := anonymous(t, s, "/revocation-list", "If-Modified-Since", since.Format(time.RFC3339))
		switch {
		case a.Status == http.StatusNoContent && len(a.Body) == 0:
			return list
		case a.Status == http.StatusServiceUnavailable && time.Now().Before(deadline): // not published yet
			continue
		case a.Status != http.StatusOK || json.Unmarshal(a.Body, &list) != nil:
			t.Fatalf("status %d: %s", a.Status, a.Body)
		}
		return list
	}
}

// wantBatches fetches every batch that the signed list of batches names.
func wantBatches(t *testing.T, s *harness.System, p publishedLists) {
	t.Helper()
	country, refs, err := formats.ParseBatchList(p.lists["batches.json"])
	if err != nil || country != p.manifest.Country {
		t.Fatalf("%v, of %q", err, country)
	}
	standing := 0
	for _, change := range changesSince(t, s, beginning).Batches {
		if !change.Deleted {
			standing++
		}
	}
	if standing != len(refs) {
		t.Errorf("%d batches stand, the signed list has %d", standing, len(refs))
	}
	for _, ref := range refs {
		a := anonymous(t, s, "/revocation-list/"+ref.ID)
		batch, err := formats.ParseBatch(a.Body)
		if sum := sha256.Sum256(a.Body); err != nil || hex.EncodeToString(sum[:]) != ref.SHA256 || len(batch.Entries) != ref.Count || batch.HashType != ref.HashType {
			t.Errorf("%v: a batch is not the one of the list: %s", err, a.Body)
		}
	}
}

// wantCRL checks the card revocation list where cards' verifiers look, with the key that
// announces it.
func wantCRL(t *testing.T, s *harness.System, p publishedLists, counter int64) {
	t.Helper()
	keys, problems := shc.CheckKeys(anonymous(t, s, "/shc_issuer/.well-known/jwks.json").Body)
	if len(problems) > 0 || len(keys) != 1 {
		t.Fatalf("%d keys, %v", len(keys), problems)
	}
	a := anonymous(t, s, "/shc_issuer/.well-known/crl/"+keys[0].KID+".json")
	if !bytes.Equal(a.Body, p.lists[formats.CRLName(keys[0].KID)]) {
		t.Error("the card revocation list is another at its second address")
	}
	list, err := shc.ParseCRL(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := list.CheckKey(keys[0]); err != nil || list.Counter != counter || list.Len() != int(counter) {
		t.Errorf("%v: counter %d of %d ids, want %d", err, list.Counter, list.Len(), counter)
	}
}
