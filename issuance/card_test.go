package issuance

import (
	"bytes"
	"context"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

func TestCardShowsTheWholeFolder(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := newBench(t)
	first := b.issue(t, inFormats(FormatDCC, FormatSHC, FormatVDSNC))
	one, err := b.Card(ctx, manyFormats, first.ID, "en")
	if err != nil || !bytes.HasPrefix(one, []byte("%PDF-1.")) {
		t.Fatalf("%d bytes, %v", len(one), err)
	}
	for range 3 {
		b.issue(t, request(func(c *fhir.CoreDataSet) { c.Vaccination.Dose++; c.Vaccination.Lot = "LOT-" + c.Vaccination.Lot }))
	}
	all, err := b.Card(ctx, manyFormats, first.ID, "ar")
	if err != nil || len(all) <= len(one) {
		t.Errorf("%d bytes after %d, %v", len(all), len(one), err)
	}
	if _, err := b.Card(ctx, Issuer{ID: "stranger"}, first.ID, "en"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a stranger: %v", err)
	}
	for _, c := range first.Certificates() {
		page, err := c.PDF("fr")
		if err != nil || !bytes.HasPrefix(page, []byte("%PDF-1.")) {
			t.Errorf("%s: %v", c.Format, err)
		}
	}
	if err := b.Revoke(ctx, clinic, first.ID, ReasonError); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Card(ctx, manyFormats, first.ID, "en"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("the card of a revoked certificate: %v", err)
	}
}
