package service

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/seal"
	"github.com/trustedparty/ddcc-gateway/signing"
)

// ledger remembers which certificate was released under which intent. One insert-if-absent
// decides: whoever inserts first has released the certificate, or cancelled the intent. A
// certificate beside an event takes its place there and its identifiers in the same insert.
type ledger struct {
	store     docstore.Store
	box       *seal.Box
	digestKey []byte
	retention time.Duration
}

const collection = "intents"

// row is the stored form; the certificate is sealed.
type row struct {
	Digest    string `json:"digest"` // keyed digest of the intent
	Cancelled bool   `json:"cancelled,omitempty"`
	Sealed    []byte `json:"sealed,omitempty"`
}

// released is a certificate with the digest of the intent it answers, and what an intent
// that names it as its event, or a document, needs to know of that intent.
type released struct {
	signing.Certificate
	Issuer string `json:"issuer"`
	Event  string `json:"event,omitempty"`
	digest string
}

// digest identifies the content of an intent. It is keyed: the content is personal and
// guessable, and the digest goes into the audit log.
func (l ledger) digest(in signing.Intent) string {
	claims, err := json.Marshal(in.Claims)
	if err != nil {
		panic(fmt.Sprintf("typed claims do not marshal: %v", err)) // plain strings and ints: impossible
	}
	until := ""
	if in.ValidUntil != nil {
		until = in.ValidUntil.UTC().Format(time.RFC3339)
	}
	return hex.EncodeToString(seal.Pseudonym(l.digestKey, in.ID, in.Event, in.Profile, in.Issuer, until, string(claims)))
}

func (l ledger) matches(r released, in signing.Intent) bool { return r.digest == l.digest(in) }

// find gives what was released under id, errUnknown, or errCancelled.
func (l ledger) find(ctx context.Context, id string) (released, error) {
	doc, err := l.store.Get(ctx, collection, id)
	if errors.Is(err, docstore.ErrNotFound) {
		return released{}, errUnknown
	}
	if err != nil {
		return released{}, unavailable(err)
	}
	return l.open(id, doc.Body)
}

func (l ledger) open(id string, body []byte) (released, error) {
	var r row
	if err := json.Unmarshal(body, &r); err != nil {
		return released{}, fault.From(err)
	}
	if r.Cancelled {
		return released{}, errCancelled
	}
	plain, err := l.box.Open(id, r.Sealed)
	if err != nil {
		return released{}, fault.From(err)
	}
	out := released{digest: r.Digest}
	err = json.Unmarshal(plain, &out)
	return out, err
}

// release records a certificate, or gives the one that was recorded first. Errors:
// errEvent when another intent has its place beside the event or an identifier of it.
func (l ledger) release(ctx context.Context, in signing.Intent, cert signing.Certificate) (released, error) {
	out := released{Certificate: cert, Issuer: in.Issuer, Event: in.Event, digest: l.digest(in)}
	plain, err := json.Marshal(out)
	if err != nil {
		return released{}, err
	}
	places := l.places(in)
	err = l.insert(ctx, in.ID, row{Digest: out.digest, Sealed: l.box.Seal(in.ID, plain)}, cert.IssuedAt, keysOf(places)...)
	var exists *docstore.ExistsError
	switch {
	case err == nil:
		return out, nil
	case errors.As(err, &exists) && exists.Key == "":
		return l.find(ctx, in.ID)
	case errors.As(err, &exists):
		return released{}, taken(places, exists.Key)
	default:
		return released{}, unavailable(err)
	}
}

func (l ledger) insert(ctx context.Context, id string, r row, now time.Time, unique ...string) error {
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = l.store.Insert(ctx, collection, docstore.Document{ID: id, Unique: unique, Body: body, Expires: now.Add(l.retention)})
	return err
}

// cancel makes sure that nothing is ever released under id, and says whether something
// had been signed.
func (l ledger) cancel(ctx context.Context, id string, now time.Time) (signed bool, err error) {
	for {
		err := l.insert(ctx, id, row{Cancelled: true}, now)
		var exists *docstore.ExistsError
		if err == nil {
			return false, nil
		}
		if !errors.As(err, &exists) {
			return false, unavailable(err)
		}
		done, signed, err := l.overwrite(ctx, id, now)
		if err != nil || done {
			return signed, err
		}
	}
}

// overwrite turns an existing row into a cancelled one by compare-and-swap.
func (l ledger) overwrite(ctx context.Context, id string, now time.Time) (done, signed bool, err error) {
	doc, err := l.store.Get(ctx, collection, id)
	if errors.Is(err, docstore.ErrNotFound) {
		return false, false, nil // expired between two calls: insert again
	}
	if err != nil {
		return false, false, unavailable(err)
	}
	var r row
	if err := json.Unmarshal(doc.Body, &r); err != nil {
		return false, false, fault.From(err)
	}
	if r.Cancelled {
		return true, r.Digest != "", nil
	}
	body, err := json.Marshal(row{Cancelled: true, Digest: r.Digest})
	if err != nil {
		return false, false, err
	}
	doc.Body, doc.Expires = body, now.Add(l.retention)
	_, err = l.store.Update(ctx, collection, doc)
	if errors.Is(err, docstore.ErrVersion) || errors.Is(err, docstore.ErrNotFound) {
		return false, false, nil
	}
	if err != nil {
		return false, false, unavailable(err)
	}
	return true, true, nil
}
