package operations

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
)

// Where operations are stored, and by which keys they are found.
const (
	collection = "key-operations"
	indexAll   = "all"
	indexOpen  = "open" // pending or executing

	pageSize = 20
)

// row is an operation as it is stored.
type row struct {
	signing.Operation
	StopVersion int64      `json:"stopVersion,omitempty"` // resume: of the stop it was proposed for
	LeaseUntil  *time.Time `json:"leaseUntil,omitempty"`  // executing: belongs to one process until then
}

func isID(id string) bool {
	parsed, err := uuid.Parse(id)
	return err == nil && parsed.String() == id
}

// load reads an operation; one that waited too long is shown as expired.
func (o *Operations) load(ctx context.Context, id string) (docstore.Document, row, error) {
	if !isID(id) {
		return docstore.Document{}, row{}, errUnknown
	}
	doc, err := o.deps.Records.Get(ctx, collection, id)
	if errors.Is(err, docstore.ErrNotFound) {
		return docstore.Document{}, row{}, errUnknown
	}
	if err != nil {
		return docstore.Document{}, row{}, errAway.Because(err)
	}
	out, err := o.decode(doc)
	return doc, out, err
}

func (o *Operations) decode(doc docstore.Document) (row, error) {
	var out row
	if err := json.Unmarshal(doc.Body, &out); err != nil {
		return row{}, fault.From(errors.New("key operations: a stored operation is not readable"))
	}
	if out.State == signing.OperationPending && !o.now().Before(out.ExpiresAt) {
		out.State = signing.OperationExpired
	}
	return out, nil
}

// insert stores a new operation.
func (o *Operations) insert(ctx context.Context, r row) error {
	doc, err := document(r)
	if err != nil {
		return err
	}
	if _, err = o.deps.Records.Insert(ctx, collection, doc); err != nil {
		return errAway.Because(err)
	}
	return nil
}

// update replaces the operation that was read as doc. won is false when somebody else did.
func (o *Operations) update(ctx context.Context, doc docstore.Document, r row) (stored docstore.Document, won bool, err error) {
	next, err := document(r)
	if err != nil {
		return doc, false, err
	}
	next.Version = doc.Version
	stored, err = o.deps.Records.Update(ctx, collection, next)
	switch {
	case errors.Is(err, docstore.ErrVersion), errors.Is(err, docstore.ErrNotFound):
		return doc, false, nil
	case err != nil:
		return doc, false, errAway.Because(err)
	}
	return stored, true, nil
}

func document(r row) (docstore.Document, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return docstore.Document{}, fault.From(err)
	}
	doc := docstore.Document{ID: r.ID, Index: []string{indexAll}, Body: body, Expires: r.ProposedAt.Add(retention)}
	if r.State == signing.OperationPending || r.State == signing.OperationExecuting {
		doc.Index = append(doc.Index, indexOpen)
	}
	return doc, nil
}
