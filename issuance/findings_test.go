package issuance

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// commonKID signed everything that the fake signer makes as HCERT.
var commonKID = []byte("12345678")

// A certificate that cannot be revoked (issued before records had identities, its document
// gone) keeps no other that its key signed from being revoked.
func TestOneBadRecordKeepsNoOtherFromRevocation(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	all := clinic
	all.RevokeAll = true
	var ids []string
	for range 3 {
		hcid := "HCID-" + uuid.NewString()
		ids = append(ids, b.issue(t, request(func(c *fhir.CoreDataSet) { c.Certificate.HCID = hcid })).ID)
	}
	first, _, err := b.registry.page(context.Background(), keyIndex(commonKID), "", 1)
	if err != nil {
		t.Fatal(err)
	}
	bad := first[0]
	bad.Identities = nil // as before identities were kept
	if _, err := b.registry.swap(context.Background(), bad); err != nil {
		t.Fatal(err)
	}
	if err := b.documents.Discard(context.Background(), bad.ID); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		_, _ = b.RevokeByKey(context.Background(), all, commonKID, ReasonKeyCompromise, 200)
	}
	for _, id := range ids {
		rec, err := b.registry.get(context.Background(), id)
		if err != nil {
			t.Fatal(err)
		}
		if id != bad.ID && rec.State != StateRevoked {
			t.Error("a certificate of a compromised key stands because another cannot be revoked")
		}
	}
}

// A row that cannot be read keeps no other revocation from being published.
func TestOneBadRowKeepsNoOtherOffTheLists(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	id := b.issue(t, request()).ID
	if err := b.Revoke(context.Background(), clinic, id, ReasonError); err != nil {
		t.Fatal(err)
	}
	_, err := b.store.Insert(context.Background(), records, docstore.Document{
		ID: uuid.NewString(), Body: json.RawMessage(`{"id":1}`), Index: []string{revokedIndex}, Unique: []string{"request:x"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if entries, _, err := b.Revoked(context.Background(), "", 100); len(entries) == 0 {
		t.Errorf("no revocation is published: %v", err)
	}
}

// A wrong id in the parameter supersedes must not revoke a certificate that has nothing to do
// with the new one.
func TestNobodySupersedesAnotherPerson(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	old := b.issue(t, request())
	in := request(func(c *fhir.CoreDataSet) {
		c.Name, c.BirthDate, c.Certificate.HCID = "Bo Other Specimen", "1999-01-01", "HCID-9"
	})
	in.Supersedes = old.ID
	if _, err := b.Issue(context.Background(), in); err == nil {
		t.Error("a certificate took the place of another person's")
	}
}

// The audit entry of a revocation that failed names the certificate.
func TestFailedRevocationNamesItsCertificate(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	id := b.issue(t, request()).ID
	b.store.arm("update-before:" + records)
	if err := b.Revoke(context.Background(), clinic, id, ReasonError); fault.KindOf(err) != fault.Unavailable {
		t.Fatal(err)
	}
	if last := b.trail[len(b.trail)-1]; last.Action != actionRevokeFailed || last.Subject != id {
		t.Errorf("audited: %s about %q", last.Action, last.Subject)
	}
}

// A crash between the decision and its second audit entry does not lose the entry.
func TestRevocationIsAuditedAfterAll(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	id := b.issue(t, request()).ID
	rec, err := b.registry.get(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.markRevoked(context.Background(), rec, revocationOf{by: "clinic", reason: ReasonError}); err != nil { // and here it crashed
		t.Fatal(err)
	}
	if err := b.Revoke(context.Background(), clinic, id, ReasonError); err != nil {
		t.Fatal(err)
	}
	for _, e := range b.trail {
		if e.Action == actionRevoked {
			return
		}
	}
	t.Errorf("no entry says that the certificate was revoked: %+v", b.trail)
}

// Whoever asks for the status of made-up ids does not fill the registry.
func TestStatusOfMadeUpIDsWritesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ids := make([]string, 20)
	for i := range ids {
		ids[i] = uuid.NewString()
		_, _ = b.Status(context.Background(), ids[i], "1987-04-12")
	}
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = b.registry.digest("status", id)
	}
	if n := b.count(t, keys, attempts); n > 0 {
		t.Errorf("%d questions about nothing wrote %d documents", len(ids), n)
	}
}

// The counter of a card revocation list needs every revocation ever, expired ones included.
func TestExpiredCardsStayCounted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	out := b.issue(t, inFormats(FormatSHC))
	if err := b.Revoke(context.Background(), manyFormats, out.ID, ReasonError); err != nil {
		t.Fatal(err)
	}
	b.pass(10 * 366 * 24 * time.Hour)
	entries, _, err := b.Revoked(context.Background(), "", 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.RID != "" {
			return
		}
	}
	t.Error("an expired card is not listed any more, so that the counter of its list falls")
}

// A certificate of yellow fever is valid for life, whatever the WHO DDCC beside it says.
func TestLifelongIsNotExpired(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	rec := record{State: StateIssued, ExpiresAt: b.now.Add(-time.Hour), Beside: []reference{{Format: FormatICVP}}, Identities: []identity{
		{Format: FormatWHO, ExpiresAt: b.now.Add(-time.Hour)}, {Format: FormatICVP},
	}}
	if got := b.holderStatus(rec); got.Status == HolderExpired {
		t.Error("a certificate for life has expired")
	}
}
