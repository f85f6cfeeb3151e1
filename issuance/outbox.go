package issuance

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Outbox says where certificates are delivered to, and hears of each delivery that the
// registry has taken down. Both methods are called on the way of an issue: they must not
// block. issuance/delivery has the implementation.
type Outbox interface {
	// Target is the name of the FHIR server for what is issued now; empty: for none.
	Target() string
	// Due says that something of a folder waits.
	Due(folderID string)
}

// DeliveryKind is what a FHIR server is to be told about a certificate.
type DeliveryKind string

// The kinds. A certificate has one delivery at a time: its revocation takes the place of a
// registration that is not done yet.
const (
	DeliverRegistration DeliveryKind = "register"
	DeliverWithdrawal   DeliveryKind = "withdraw"
)

// DeliveryState is how far a delivery is.
type DeliveryState string

// The states.
const (
	DeliveryOpen   DeliveryState = "open"
	DeliveryDone   DeliveryState = "done"
	DeliveryFailed DeliveryState = "failed" // refused for good; an operator may have it repeated
)

// Index keys of the outbox.
const (
	outboxIndex      = "outbox"
	undeliveredIndex = "undelivered"
)

// outbox is the delivery of a certificate as its row keeps it. It has no content.
type outbox struct {
	Kind    DeliveryKind  `json:"kind"`
	State   DeliveryState `json:"state"`
	To      string        `json:"to"`             // name of the FHIR server
	Since   time.Time     `json:"since"`          // when it became due
	Ended   time.Time     `json:"ended,omitzero"` // when it was done or failed
	Failure string        `json:"failure,omitempty"`
}

// index finds rows with a delivery to be done or to be looked at.
func (o *outbox) index() []string {
	switch {
	case o == nil || o.State == DeliveryDone:
		return nil
	case o.State == DeliveryFailed:
		return []string{undeliveredIndex}
	default:
		return []string{outboxIndex}
	}
}

// registration is what is to be delivered of a certificate issued now, nil for nothing.
func (s *Service) registration() *outbox {
	if s.outbox == nil || s.outbox.Target() == "" {
		return nil
	}
	return &outbox{Kind: DeliverRegistration, State: DeliveryOpen, To: s.outbox.Target(), Since: s.now()}
}

// withdrawal is what is to be delivered once the certificate of was is revoked: to the
// server it was meant for, whatever is the target by now. What was meant for none is on none.
func (s *Service) withdrawal(was *outbox) *outbox {
	if was == nil {
		return nil
	}
	return &outbox{Kind: DeliverWithdrawal, State: DeliveryOpen, To: was.To, Since: s.now()}
}

// due rings for what rec has to be delivered.
func (s *Service) due(rec record) {
	if s.outbox != nil && rec.Outbox != nil {
		s.outbox.Due(rec.FolderID)
	}
}

// Delivery is one certificate's delivery as it stood when it was read.
type Delivery struct {
	ID       string // of the certificate
	Issuer   string // id of who had it issued
	FolderID string
	Kind     DeliveryKind // empty: there is nothing to deliver, nor was there
	State    DeliveryState
	To       string // name of the FHIR server
	Since    time.Time
	IssuedAt time.Time
	Failure  string // code of the refusal

	row record
}

func (rec record) delivery() Delivery {
	d := Delivery{ID: rec.ID, Issuer: rec.Issuer, FolderID: rec.FolderID, IssuedAt: rec.IssuedAt, row: rec}
	if o := rec.Outbox; o != nil {
		d.Kind, d.State, d.To, d.Since, d.Failure = o.Kind, o.State, o.To, o.Since, o.Failure
	}
	return d
}

// Deliveries is the outbox of the registry for whoever empties it. Every write is one
// conditional write on the row of a certificate.
type Deliveries struct{ service *Service }

// Deliveries gives the outbox.
func (s *Service) Deliveries() Deliveries { return Deliveries{s} }

// Open lists open deliveries of all folders from behind after, in the order in which their
// certificates were asked for. Rows that cannot be read are left out and reported in err.
func (d Deliveries) Open(ctx context.Context, after string, limit int) ([]Delivery, string, error) {
	return d.list(ctx, outboxIndex, after, limit)
}

// Undelivered lists what was refused for good.
func (d Deliveries) Undelivered(ctx context.Context, after string, limit int) ([]Delivery, string, error) {
	return d.list(ctx, undeliveredIndex, after, limit)
}

func (d Deliveries) list(ctx context.Context, index, after string, limit int) ([]Delivery, string, error) {
	page, next, err := d.service.registry.page(ctx, index, after, limit)
	all := make([]Delivery, len(page))
	for i, rec := range page {
		all[i] = rec.delivery()
	}
	return all, next, err
}

// InFolder lists all certificates of a folder in order of issue, delivered or not.
func (d Deliveries) InFolder(ctx context.Context, folderID string) ([]Delivery, error) {
	var all []Delivery
	for after := ""; ; {
		page, next, err := d.list(ctx, "folder:"+folderID, after, reconcilePage)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if after = next; after == "" {
			break
		}
	}
	slices.SortFunc(all, func(a, b Delivery) int {
		return cmp.Or(a.IssuedAt.Compare(b.IssuedAt), cmp.Compare(a.ID, b.ID))
	})
	return all, nil
}

// Standing reports whether at is still to be done: nobody did it, and the certificate was
// not revoked since.
func (d Deliveries) Standing(ctx context.Context, at Delivery) (bool, error) {
	rec, err := d.service.registry.get(ctx, at.ID)
	return err == nil && rec.Outbox.stands(at), err
}

// stands reports whether o is open and the delivery that at was.
func (o *outbox) stands(at Delivery) bool {
	return o != nil && o.State == DeliveryOpen && o.Kind == at.Kind && o.To == at.To
}

// Content gives the certificate with its document. Errors: NotFound, once it was revoked.
func (d Deliveries) Content(ctx context.Context, id string) (Issued, error) {
	return d.service.documents.Get(ctx, id)
}

// Done takes at out of the outbox. It changes nothing if at no longer stands.
func (d Deliveries) Done(ctx context.Context, at Delivery) error {
	_, err := d.end(ctx, at, DeliveryDone, "")
	return err
}

// Fail takes at out of the outbox for an operator to look at, with the code of the refusal.
// It reports false, and changes nothing, if at no longer stands.
func (d Deliveries) Fail(ctx context.Context, at Delivery, code string) (bool, error) {
	return d.end(ctx, at, DeliveryFailed, code)
}

func (d Deliveries) end(ctx context.Context, at Delivery, state DeliveryState, code string) (changed bool, err error) {
	err = d.amend(ctx, at, func(o outbox) (outbox, bool) {
		changed = o.stands(at)
		o.State, o.Failure, o.Ended = state, code, d.service.now()
		return o, changed
	})
	return changed, err
}

// Move addresses at to another server. It changes nothing if at no longer stands.
func (d Deliveries) Move(ctx context.Context, at Delivery, to string) error {
	return d.amend(ctx, at, func(o outbox) (outbox, bool) {
		moves := o.stands(at)
		o.To = to
		return o, moves
	})
}

// Replay puts a delivery that was refused for good back into the outbox. Of several callers
// one does. Errors: NotFound, Conflict (it has not failed).
func (d Deliveries) Replay(ctx context.Context, id string) error {
	rec, err := d.service.registry.get(ctx, id)
	if err != nil {
		return err
	}
	replayed := false
	err = d.amend(ctx, rec.delivery(), func(o outbox) (outbox, bool) {
		replayed = o.State == DeliveryFailed
		o.State, o.Failure, o.Ended, o.Since = DeliveryOpen, "", time.Time{}, d.service.now()
		return o, replayed
	})
	if err != nil {
		return err
	}
	if !replayed {
		return errNotFailed
	}
	d.service.due(rec)
	return nil
}

// amend changes the delivery in the row of at, as the row stands by now.
func (d Deliveries) amend(ctx context.Context, at Delivery, change func(outbox) (outbox, bool)) error {
	return d.service.registry.amend(ctx, at.row, func(rec *record) bool {
		if rec.Outbox == nil {
			return false
		}
		next, changed := change(*rec.Outbox)
		rec.Outbox = &next
		return changed
	})
}

var errNotFailed = fault.New(fault.Conflict, "delivery-not-failed", "The delivery of this certificate has not failed: it is done, or it is being tried.")
