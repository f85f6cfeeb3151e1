package keyring

import (
	"context"
	"slices"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/signing"
)

const (
	// attempts bounds how often a change is tried against others that change the register.
	attempts = 16
	// remembered bounds how many operations the register knows again. An operation is
	// repeated within minutes, and operators make a few a year.
	remembered = 256
	// maxKeys bounds the register: eight usages with two keys a year for sixty years.
	maxKeys = 1000
)

// change turns a register into the next one or refuses. It asks nobody and may run again
// on another register.
type change func(reg *register, now time.Time) error

// Check reports whether the register would take a request now. It changes nothing.
// Errors: as Apply.
func (r *Ring) Check(ctx context.Context, req signing.OperationRequest) error {
	current, err := r.load(ctx)
	if err != nil {
		return err
	}
	change, err := r.prepare(ctx, req)
	if err != nil {
		return err
	}
	_, err = r.changed(current, req, change)
	return err
}

// changed gives the register that follows current.
func (r *Ring) changed(current register, req signing.OperationRequest, change change) (register, error) {
	next, now := current.clone(), r.now()
	if err := change(&next, now); err != nil {
		return register{}, err
	}
	return next, r.statable(current, next, req.Kind, now)
}

// Apply carries a request out: register, activate, retire, revoke or crl. id names the
// operation; the same id changes the register once, however often it is repeated.
// Errors: Rule with every reason, NotFound for an unknown key, Unavailable when nothing is
// known about the outcome and the same call is to be repeated.
func (r *Ring) Apply(ctx context.Context, id string, req signing.OperationRequest) error {
	var change change
	for range attempts {
		current, err := r.load(ctx)
		if err != nil {
			return err
		}
		if slices.Contains(current.applied, id) {
			return nil
		}
		if change == nil {
			if change, err = r.prepare(ctx, req); err != nil {
				return err
			}
		}
		next, err := r.changed(current, req, change)
		if err != nil {
			return err
		}
		next.applied = remember(next.applied, id)
		if won, err := r.write(ctx, next); won || err != nil {
			return err
		}
	}
	return errBusy
}

func remember(applied []string, id string) []string {
	applied = append(applied, id)
	return applied[max(0, len(applied)-remembered):]
}

// write stores the register that follows the one with next.version. won is false when
// somebody else wrote first.
func (r *Ring) write(ctx context.Context, next register) (won bool, err error) {
	body, err := next.encode()
	if err != nil {
		return false, err
	}
	asked := r.deps.Clock()
	doc, won, err := docstore.Follow(ctx, r.deps.Records, collection, docstore.Document{ID: documentID, Version: next.version, Body: body})
	if err != nil {
		return false, errAway.Because(err)
	}
	if !won {
		return false, nil
	}
	next.version = doc.Version
	r.install(r.snapshotOf(next, asked))
	return true, nil
}

// prepare checks what does not depend on the register and asks the key store.
func (r *Ring) prepare(ctx context.Context, req signing.OperationRequest) (change, error) {
	switch req.Kind {
	case signing.OperationRegister:
		return r.register(ctx, req.Registrations)
	case signing.OperationActivate:
		return r.activate(req), nil
	case signing.OperationRetire:
		return r.retire(req), nil
	case signing.OperationRevoke:
		return revoke(req)
	case signing.OperationCRL:
		return r.publish(req.CRL)
	default:
		return nil, refuse("/kind", "kind", "The register knows no such kind of operation.", "Use register, activate, retire, revoke or crl.")
	}
}
