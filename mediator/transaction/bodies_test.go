package transaction_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/mediator/transaction"
)

// body measures a text.
func (d *desk) body(text string) *transaction.Meter {
	m := d.recorder.Meter()
	_, _ = m.Write([]byte(text))
	return m
}

const private = "Ngozi Specimen, born 1979-03-08"

// TestBodies: kept sealed where that is on, told apart by digest everywhere, opened for an
// operator after an entry in the audit log, and gone before the record.
func TestBodies(t *testing.T) {
	t.Parallel()
	a := newArgs(t)
	a.bodies = 24 * time.Hour
	d := a.open(t)
	d.recorder.Record(issue(1), transaction.Bodies{
		Request: d.body(private), Response: d.body(private + "!"), RequestType: "Application/FHIR+JSON; charset=utf-8", ResponseType: "text/html; x=" + private,
	})
	d.recorder.Record(issue(2), transaction.Bodies{Request: d.body(private), Response: d.recorder.Meter(), Withheld: true})
	d.recorder.Record(issue(3), transaction.Bodies{Request: d.body(strings.Repeat("x", transaction.MaxBody)), Response: d.body(strings.Repeat("x", transaction.MaxBody+1))})
	d.written(3)
	list := d.all(transaction.Filter{}, 10)
	big, withheld, kept := list[0], list[1], list[2]
	if kept.Request.Kept != "sealed" || kept.Response.Kept != "sealed" || withheld.Request.Kept != "withheld" || withheld.Response.Kept != "" ||
		big.Request.Kept != "sealed" || big.Response.Kept != "too-large" {
		t.Errorf("%+v\n%+v\n%+v", kept, withheld, big)
	}
	if kept.Request.Digest != withheld.Request.Digest || kept.Request.Digest == kept.Response.Digest || withheld.Response.Digest != "" || len(kept.Request.Digest) != 64 {
		t.Error("digests do not tell bodies apart")
	}
	for part, want := range map[string]transaction.Content{
		transaction.PartRequest:  {Type: "application/fhir+json", Bytes: []byte(private)},
		transaction.PartResponse: {Type: "application/octet-stream", Bytes: []byte(private + "!")},
	} {
		got, err := d.service.Body(t.Context(), "urn:operator", kept.ID, part)
		if err != nil || got.Type != want.Type || !bytes.Equal(got.Bytes, want.Bytes) {
			t.Errorf("%s: %+v, %v", part, got, err)
		}
	}
	if _, err := d.service.Body(t.Context(), "urn:operator", withheld.ID, transaction.PartRequest); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a withheld body: %v", err)
	}
	if _, err := d.service.Body(t.Context(), "urn:operator", uuid.Must(uuid.NewV7()).String(), transaction.PartRequest); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a body of nothing: %v", err)
	}
	want := []string{
		"transaction.body.intent intended", "transaction.body.read done", "transaction.body.intent intended", "transaction.body.read done",
		"transaction.body.intent intended", "transaction.body.failed failed",
	}
	if got := d.trail.actions(); !slices.Equal(got, want) || d.trail.entries[0].Actor != "urn:operator" || d.trail.entries[0].Subject != kept.ID {
		t.Errorf("audit log: %q", got)
	}
	d.trail.broken = true
	if _, err := d.service.Body(t.Context(), "urn:operator", kept.ID, transaction.PartRequest); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a body without an audit entry: %v", err)
	}
	noFile(t, d.dir, private)
}

// TestBodiesBelongToTheirTransaction: one that is moved to another row does not open.
func TestBodiesBelongToTheirTransaction(t *testing.T) {
	t.Parallel()
	a := newArgs(t)
	a.bodies = time.Hour
	d := a.open(t)
	for i := range 2 {
		d.recorder.Record(issue(i), transaction.Bodies{Request: d.body(private), Response: d.recorder.Meter()})
	}
	d.written(2)
	list := d.all(transaction.Filter{}, 2)
	at := make([]docstore.Document, 2)
	for i, one := range list {
		var err error
		if at[i], err = d.store.Get(t.Context(), "bodies", complement(one.ID)+"/request"); err != nil {
			t.Fatal(err)
		}
	}
	at[0].Body = at[1].Body
	if _, err := d.store.Update(t.Context(), "bodies", at[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := d.service.Body(t.Context(), "urn:operator", list[0].ID, transaction.PartRequest); err == nil {
		t.Error("a body of another transaction was handed out")
	}
}

// complement is the id of a record's document, as another would compute it.
func complement(id string) string {
	var out []byte
	for _, c := range []byte(strings.ReplaceAll(id, "-", "")) {
		out = append(out, "fedcba9876543210"[strings.IndexByte("0123456789abcdef", c)])
	}
	return string(out)
}

// noFile fails when a text stands in a file of dir.
func noFile(t *testing.T, dir, text string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		files++
		raw, err := os.ReadFile(path)
		if bytes.Contains(raw, []byte(text)) {
			t.Errorf("%s holds %q", filepath.Base(path), text)
		}
		return err
	})
	if err != nil || files == 0 {
		t.Errorf("%d files, %v", files, err)
	}
}
