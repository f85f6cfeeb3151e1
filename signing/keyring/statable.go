package keyring

import (
	"time"

	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// statable refuses a change after which the keys could not be stated, although they can be
// before it: verifiers would hear of no revocation any more. A revocation itself is never
// refused, because a key that signs on is worse.
func (r *Ring) statable(current, next register, kind string, now time.Time) error {
	if r.deps.Statable == nil || kind == signing.OperationRevoke {
		return nil
	}
	after := r.unstated(next, now)
	if after == "" || r.unstated(current, now) != "" {
		return nil
	}
	return refuse("/kind", "statement", "Verifiers could not be told of the keys any more: "+after+".", "Propose the change without the key or list that this is about.")
}

// unstated says why the keys cannot be stated; empty when they can.
func (r *Ring) unstated(reg register, now time.Time) string {
	if err := r.deps.Statable(reg.toState(now), reg.lists(), now); err != nil {
		return err.Error()
	}
	return ""
}

// toState lists the keys as a statement will have to state them; those that are not
// published yet will be.
func (r register) toState(now time.Time) []signing.KeyStatus {
	out := make([]signing.KeyStatus, len(r.entries))
	for i, l := range lives(r.entries) {
		out[i] = status(r.entries[i], l, now)
		if out[i].State == string(keystore.StatePlanned) {
			out[i].State = string(keystore.StatePublished)
		}
	}
	return out
}

// lists gives the published list of each CSCA that has one, in DER.
func (r register) lists() [][]byte {
	var out [][]byte
	for _, l := range r.crls {
		out = append(out, l.parsed.Raw)
	}
	return out
}
