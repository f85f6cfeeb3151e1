package service

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/seal"
	"github.com/trustedparty/ddcc-gateway/signing"
)

// place is something of which there is one: that of a profile beside an event, and each
// identifier by which a certificate is revoked. A cancelled certificate keeps its places:
// it may be on its way to a revocation list.
type place struct{ path, key string }

// places are what a certificate beside an event takes. The keys name nobody: a person
// may be found by an identifier, so it is stored as a keyed digest. A DDCC takes none.
func (l ledger) places(in signing.Intent) []place {
	if in.Event == "" {
		return nil
	}
	out := []place{{"event", "beside:" + in.Event + ":" + in.Profile}}
	for _, id := range identifiers(in.Claims) {
		if id.key != "" {
			digest := hex.EncodeToString(seal.Pseudonym(l.digestKey, "identifier", id.key))
			out = append(out, place{id.path, "identifier:" + digest})
		}
	}
	return out
}

// identifiers are those by which revocation lists name a certificate, with their places.
func identifiers(c signing.Claims) (out []place) {
	switch {
	case c.DCC != nil:
		for _, v := range c.DCC.Vaccinations {
			out = append(out, place{"claims.dcc.v[0].ci", v.UVCI})
		}
		for _, t := range c.DCC.Tests {
			out = append(out, place{"claims.dcc.t[0].ci", t.UVCI})
		}
		for _, r := range c.DCC.Recoveries {
			out = append(out, place{"claims.dcc.r[0].ci", r.UVCI})
		}
	case c.SHC != nil:
		out = append(out, place{"claims.shc.revocationId", c.SHC.RevocationID})
	case c.VDSNC != nil:
		out = append(out, place{"claims.vdsnc.uvci", c.VDSNC.UVCI}, place{"claims.vdsnc.utci", c.VDSNC.UTCI})
	}
	return out
}

func keysOf(places []place) []string {
	var keys []string
	for _, p := range places {
		keys = append(keys, p.key)
	}
	return keys
}

// free looks whether the places of an intent are free, or its own. It decides nothing:
// release does.
func (l ledger) free(ctx context.Context, in signing.Intent) error {
	places := l.places(in)
	for _, p := range places {
		doc, err := l.store.GetUnique(ctx, collection, p.key)
		switch {
		case errors.Is(err, docstore.ErrNotFound):
		case err != nil:
			return unavailable(err)
		case doc.ID != in.ID:
			return taken(places, p.key)
		}
	}
	return nil
}

// taken is the refusal of a certificate whose place is another's.
func taken(places []place, key string) error {
	i := slices.IndexFunc(places, func(p place) bool { return p.key == key })
	if i <= 0 {
		return errEvent.With(eventIssue("event", "Another intent has a certificate of this profile beside the event.", "Ask again under the id of that intent."))
	}
	return errEvent.With(eventIssue(places[i].path, "Another certificate has this identifier.", "Make an identifier for each certificate."))
}
