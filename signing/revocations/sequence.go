package revocations

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"

	"github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/signing"
)

// Where the last sequence is kept: one document for the authority.
const (
	collection = "revocation-manifests"
	lastID     = "last"
)

// sequenceTries bounds how often a write is tried that another caller came before.
const sequenceTries = 16

// last is the last sequence that was taken, and for what.
type last struct {
	Sequence uint64 `json:"sequence"`
	Digest   string `json:"digest"` // of the claims, SHA-256 in hex

	// Cards are the counters of the card revocation lists by key. A verifier that has seen
	// one fetches nothing until it is passed, so that a lower one would hide revocations.
	Cards map[string]uint64 `json:"cards,omitempty"`
}

// cardCounters are those that the claims state.
func cardCounters(claims signing.RevocationStatement) map[string]uint64 {
	counters := map[string]uint64{}
	for _, a := range claims.Artefacts {
		if a.Kind == revocation.KindCRL {
			counters[a.KID] = a.CTR
		}
	}
	return counters
}

// falls reports whether a card list of before is missing from now, or counts less.
func falls(before, now map[string]uint64) bool {
	for kid, counter := range before {
		if now[kid] < counter {
			return true
		}
	}
	return false
}

// take makes the sequence of the claims the last one, in one conditional write. It must be
// later than the last, or the last with the same claims, and no further ahead than the clock:
// a single wrong one would otherwise shut out all that follow.
func (s *Signer) take(ctx context.Context, claims signing.RevocationStatement) error {
	raw, err := json.Marshal(claims)
	if err != nil {
		return errAway.Because(err)
	}
	sum := sha256.Sum256(raw)
	wanted := last{claims.Sequence, hex.EncodeToString(sum[:]), cardCounters(claims)}
	for range sequenceTries {
		err = s.tryTake(ctx, wanted)
		var exists *docstore.ExistsError
		if !errors.Is(err, docstore.ErrVersion) && !errors.As(err, &exists) {
			return err
		}
	}
	return errAway.Because(err)
}

func (s *Signer) tryTake(ctx context.Context, wanted last) error {
	doc, err := s.deps.Records.Get(ctx, collection, lastID)
	found := !errors.Is(err, docstore.ErrNotFound)
	if found && err != nil {
		return errAway.Because(err)
	}
	var before last
	if found {
		if err := json.Unmarshal(doc.Body, &before); err != nil {
			return errAway.Because(err)
		}
	}
	switch {
	case wanted.Sequence == before.Sequence && wanted.Digest == before.Digest:
		return nil
	case wanted.Sequence <= before.Sequence:
		return revocation.ErrSequence
	case wanted.Sequence > max(before.Sequence, uint64(max(0, s.deps.Clock().Unix()+maxAhead)))+1:
		return ErrAhead
	case falls(before.Cards, wanted.Cards):
		return revocation.ErrCounter
	}
	body, err := json.Marshal(wanted)
	if err != nil {
		return errAway.Because(err)
	}
	next := docstore.Document{ID: lastID, Version: doc.Version, Body: body}
	if found {
		_, err = s.deps.Records.Update(ctx, collection, next)
	} else {
		_, err = s.deps.Records.Insert(ctx, collection, next)
	}
	return outcome(err)
}

// outcome keeps what says that another caller was faster apart from a store that is away.
func outcome(err error) error {
	var exists *docstore.ExistsError
	if err == nil || errors.Is(err, docstore.ErrVersion) || errors.As(err, &exists) {
		return err
	}
	return errAway.Because(err)
}
