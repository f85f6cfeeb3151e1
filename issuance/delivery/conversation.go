package delivery

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
	"github.com/trustedparty/ddcc-gateway/fhir/maps/registration"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/faultpoint"
	"github.com/trustedparty/ddcc-gateway/issuance"
)

// maxRounds bounds how often one delivery reads the folder anew because somebody changed it.
const maxRounds = 10

// conversation is one attempt at one delivery.
type conversation struct {
	server Server
	queue  Queue
	at     issuance.Delivery
	later  []string // certificates of the folder that were issued behind it
	now    func() time.Time
	pause  func(ctx context.Context, round int) error
}

func (c conversation) run(ctx context.Context) error {
	if c.at.Kind == issuance.DeliverWithdrawal {
		return c.rounds(ctx, c.withdraw)
	}
	r, err := c.registration(ctx)
	if err != nil {
		return err
	}
	return c.rounds(ctx, func(ctx context.Context) (bool, error) { return c.register(ctx, r) })
}

// rounds repeats step until it is done or fails for another reason than that somebody else
// changed something meanwhile.
func (c conversation) rounds(ctx context.Context, step func(context.Context) (done bool, err error)) error {
	for round := 1; round <= maxRounds; round++ {
		done, err := step(ctx)
		if done || err != nil && !contended(err) {
			return err
		}
		if err != nil {
			if err := c.pause(ctx, round); err != nil {
				return own(err)
			}
		}
	}
	return errContended
}

// registration reads what is to be registered.
func (c conversation) registration(ctx context.Context) (*registration.Registration, error) {
	issued, err := c.queue.Content(ctx, c.at.ID)
	if fault.KindOf(err) == fault.NotFound && err != nil {
		if err := c.stands(ctx); err != nil {
			return nil, err // it was revoked, and its content is gone
		}
		return nil, errContent
	}
	if err != nil {
		return nil, own(err)
	}
	return registration.New(registration.Input{
		Document: issued.Document, FolderID: c.at.FolderID, Recipient: c.at.To, At: c.now(),
	})
}

// stands gives errOvertaken if the delivery is not to be done any more.
func (c conversation) stands(ctx context.Context) error {
	standing, err := c.queue.Standing(ctx, c.at)
	if err != nil {
		return own(err)
	}
	if !standing {
		return errOvertaken
	}
	return nil
}

// register makes the folder, or registers the certificate in it.
func (c conversation) register(ctx context.Context, r *registration.Registration) (done bool, err error) {
	folder, err := c.folder(ctx)
	if err != nil {
		return false, err
	}
	if folder != nil && folder.Holds(c.at.ID) { // by now, or since an attempt whose answer got lost
		return c.store(ctx, r)
	}
	// Whoever passes here has read the folder before the certificate was revoked.
	if err := c.stands(ctx); err != nil {
		return false, err
	}
	if folder == nil {
		bundle, err := r.CreateFolder()
		if err != nil {
			return false, err
		}
		_, err = c.server.Transaction(ctx, bundle)
		faultpoint.Here("gateway-after-folder-created")
		return false, err
	}
	bundle, err := r.Provide(*folder, c.later)
	if err != nil {
		return false, err
	}
	written, err := c.server.Transaction(ctx, bundle)
	if err != nil {
		return false, err
	}
	faultpoint.Here("gateway-after-registered")
	id, _ := r.Document()
	for _, w := range written {
		if w.Type == "Bundle" && w.ID == id && w.VersionID != "" {
			return c.fill(ctx, r, w.VersionID)
		}
	}
	return c.store(ctx, r)
}

// store puts the document into the place that is reserved for it. What a revocation deleted
// meanwhile has no such version any more.
func (c conversation) store(ctx context.Context, r *registration.Registration) (done bool, err error) {
	id, _ := r.Document()
	place, err := c.server.Read(ctx, "Bundle", id)
	if err != nil {
		return false, c.placeless(ctx, err)
	}
	if registration.Stored(place.Raw) {
		return true, nil
	}
	if place.VersionID == "" { // without one, the update would be unconditional
		return false, errPlace
	}
	return c.fill(ctx, r, place.VersionID)
}

// fill writes the document over the version of its place.
func (c conversation) fill(ctx context.Context, r *registration.Registration, version string) (done bool, err error) {
	id, document := r.Document()
	if err := c.server.Update(ctx, "Bundle", id, document, version); err != nil {
		return false, c.placeless(ctx, err)
	}
	faultpoint.Here("gateway-after-stored")
	return true, nil
}

// placeless says what it means that there is no place for the document: a revocation, or
// somebody else deleted it.
func (c conversation) placeless(ctx context.Context, err error) error {
	if fault.KindOf(err) != fault.NotFound {
		return err
	}
	return cmp.Or(c.stands(ctx), error(errPlace))
}

// folder reads the folder, nil when the server has none. Of several, which no server that
// honours conditional creates has, all gateways take the same.
func (c conversation) folder(ctx context.Context) (*registration.Folder, error) {
	found, err := c.server.Find(ctx, "List", registration.FolderQuery(c.at.FolderID))
	if err != nil || len(found) == 0 {
		return nil, err
	}
	first := slices.MinFunc(found, func(a, b client.Resource) int {
		return cmp.Or(cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID))
	})
	folder, err := registration.ReadFolder(first.ID, first.VersionID, first.Raw)
	if err != nil {
		return nil, err
	}
	return &folder, nil
}

// withdraw takes the certificate back. The folder is read first: what is registered behind
// that changes it.
func (c conversation) withdraw(ctx context.Context) (done bool, err error) {
	folder, err := c.folder(ctx)
	if err != nil {
		return false, err
	}
	w, err := c.withdrawal(ctx)
	if err != nil {
		return false, err
	}
	if w.Done(folder) {
		return true, nil
	}
	if err := c.stands(ctx); err != nil {
		return false, err
	}
	bundle, err := w.Transaction(folder)
	if err != nil {
		return false, err
	}
	_, err = c.server.Transaction(ctx, bundle)
	faultpoint.Here("gateway-after-withdrawn")
	return err == nil, err
}

// withdrawal reads what the server has of the certificate.
func (c conversation) withdrawal(ctx context.Context) (registration.Withdrawal, error) {
	w := registration.Withdrawal{CertificateID: c.at.ID, Recipient: c.at.To, At: c.now()}
	set, err := c.server.Read(ctx, "List", registration.SubmissionSetID(c.at.ID))
	if err != nil {
		if fault.KindOf(err) == fault.NotFound {
			return w, nil
		}
		return w, err
	}
	w.Set = set.Raw
	ids, err := registration.Listed(set.Raw)
	if err != nil {
		return w, err
	}
	for _, id := range ids {
		r, err := c.server.Read(ctx, "DocumentReference", id)
		if err != nil && fault.KindOf(err) != fault.NotFound { // one that is gone has no version
			return w, err
		}
		w.References = append(w.References, registration.Registered{ID: id, Version: r.VersionID, Raw: r.Raw})
	}
	return w, nil
}
