package transaction

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/seal"
)

// AuditLog records privileged reads and replays. Append returns once the entry is durable.
type AuditLog interface {
	Append(ctx context.Context, e audit.Entry) (audit.Receipt, error)
}

// Replayer delivers a certificate again. A repeat must be harmless.
type Replayer interface {
	Replay(ctx context.Context, certificateID string) error
}

// Deps is everything the operators' side is made of. Replayer may be nil: then nothing can
// be replayed.
type Deps struct {
	Store    docstore.Store // that of the Recorder
	Secret   []byte         // that of the Recorder
	Audit    AuditLog
	Replayer Replayer
	Clock    func() time.Time
}

// Service is what operators do with the record. It is safe for concurrent use.
type Service struct {
	Deps
	box box
}

// New checks the wiring.
func New(d Deps) (*Service, error) {
	if d.Store == nil || d.Audit == nil || d.Clock == nil || len(d.Secret) < seal.KeySize {
		return nil, errors.New("transaction: a dependency is missing, or the secret is shorter than 32 bytes")
	}
	sealed, err := newBox(d.Secret)
	if err != nil {
		return nil, err
	}
	return &Service{Deps: d, box: sealed}, nil
}

// The errors of the use cases.
var (
	ErrUnknown = fault.New(fault.NotFound, "transaction-unknown", "There is no transaction with this id; it may have expired, or not been written yet.")
	ErrNoBody  = fault.New(fault.NotFound, "transaction-body", "This body is not kept: bodies were switched off, it was empty, too large or withheld, or it has expired.")
	ErrNoLeg   = fault.New(fault.NotFound, "transaction-leg", "The transaction has no such call.")
	errStore   = fault.New(fault.Unavailable, "transactions-unavailable", "The record of transactions cannot be read at the moment.").Retry(2 * time.Second)
	errAudit   = fault.New(fault.Unavailable, "audit-unavailable", "The audit log cannot be written at the moment; nothing was done.").Retry(5 * time.Second)
)

// Found is a transaction with the one before it.
type Found struct {
	Transaction

	// Parent is the transaction before this one about the same certificate: that which issued
	// it, of a replay, a delivery or a revocation. Empty: none is on the record.
	Parent string
}

// Get gives a whole transaction. Errors: ErrUnknown, Unavailable.
func (s *Service) Get(ctx context.Context, id string) (Found, error) {
	key, doc, err := s.document(ctx, id)
	if err != nil {
		return Found{}, err
	}
	t, legs, apart, err := decode(key, doc.Body)
	if err == nil && apart {
		legs, err = s.calls(ctx, doc.ID)
	}
	if err == nil {
		t.Legs, err = decodeLegs(legs)
	}
	if err != nil {
		return Found{}, err
	}
	parent, err := s.parent(ctx, t, doc.ID)
	return Found{Transaction: t, Parent: parent}, err
}

func (s *Service) document(ctx context.Context, id string) (uuid.UUID, docstore.Document, error) {
	key, ok := parseID(id)
	if !ok {
		return key, docstore.Document{}, ErrUnknown
	}
	doc, err := s.Store.Get(ctx, records, place(key))
	switch {
	case errors.Is(err, docstore.ErrNotFound):
		err = ErrUnknown
	case err != nil:
		err = errStore.Because(err)
	}
	return key, doc, err
}

// calls reads those that stand apart.
func (s *Service) calls(ctx context.Context, at string) ([]byte, error) {
	doc, err := s.Store.Get(ctx, calls, at)
	switch {
	case errors.Is(err, docstore.ErrNotFound): // it expired a moment ago, with its record
		return nil, ErrUnknown
	case err != nil:
		return nil, errStore.Because(err)
	}
	return doc.Body, nil
}

func (s *Service) parent(ctx context.Context, t Transaction, at string) (string, error) {
	if len(t.Certificates) != 1 {
		return "", nil // of a batch or a folder each certificate has its own
	}
	// Behind the document's own place in the order of the newest first is what was before.
	before, _, err := s.Store.Range(ctx, records, certificateKey(t.Certificates[0]), at, 1)
	if err != nil {
		return "", errStore.Because(err)
	}
	for _, d := range before {
		if id, ok := idAt(d.ID); ok {
			return id.String(), nil
		}
	}
	return "", nil
}

// The actions in the audit log.
const (
	actionBodyIntent   = "transaction.body.intent"
	actionBodyRead     = "transaction.body.read"
	actionBodyFailed   = "transaction.body.failed"
	actionReplayIntent = "transaction.replay.intent"
	actionReplayed     = "transaction.replayed"
	actionReplayFailed = "transaction.replay.failed"
)

// Content is a body that was kept.
type Content struct {
	Type  string // media type, one of a closed list
	Bytes []byte
}

// Body opens a kept body for an operator: PartRequest or PartResponse. The audit log has the
// intent before anything is read. Errors: ErrUnknown, ErrNoBody, Unavailable.
func (s *Service) Body(ctx context.Context, operator, id, part string) (Content, error) {
	key, _, err := s.document(ctx, id)
	if err != nil {
		return Content{}, err
	}
	entry := audit.Entry{Action: actionBodyIntent, Actor: operator, Subject: id, Outcome: "intended", Attributes: map[string]string{"part": part}}
	if _, err := s.Audit.Append(ctx, entry); err != nil {
		return Content{}, errAudit.Because(err)
	}
	out, err := s.content(ctx, key, part)
	entry.Action, entry.Outcome = actionBodyRead, "done"
	if err != nil {
		entry.Action, entry.Outcome, entry.Reason = actionBodyFailed, "failed", fault.From(err).Code
	}
	if _, auditErr := s.Audit.Append(context.WithoutCancel(ctx), entry); auditErr != nil {
		return Content{}, errAudit.Because(auditErr)
	}
	return out, err
}

func (s *Service) content(ctx context.Context, id uuid.UUID, part string) (Content, error) {
	doc, err := s.Store.Get(ctx, bodies, bodyID(id, part))
	switch {
	case errors.Is(err, docstore.ErrNotFound):
		return Content{}, ErrNoBody
	case err != nil:
		return Content{}, errStore.Because(err)
	}
	kind, body, err := s.box.open(doc)
	return Content{kind, body}, err
}
