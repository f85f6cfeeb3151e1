package keyring

import (
	"bytes"
	"slices"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// activate moves the begin of a key that does not sign yet. Without a time, or with one
// that has passed, it begins as soon as every signer knows.
func (r *Ring) activate(req signing.OperationRequest) change {
	return func(reg *register, now time.Time) error {
		i := reg.find(req.KID)
		if i < 0 {
			return errUnknown
		}
		before, e := slices.Clone(reg.entries), &reg.entries[i]
		if state := lives(reg.entries)[i].state(now); state != keystore.StatePlanned && state != keystore.StatePublished {
			return refuse("/kid", "state", "The key is "+string(state)+".", "Only a planned or published key can be activated.")
		}
		begin := r.when(req.At, now)
		if begin.After(e.ActivateAt) && !now.Add(clockStep).Before(e.ActivateAt) {
			return refuse("/kid", "about-to-begin", "The key begins at "+stamp(e.ActivateAt)+"; by the clock of another signer it may sign already.", "Let it begin; another key takes over with activate.")
		}
		if begin.Before(e.PublishAt.Add(r.deps.Lead)) && now.Before(e.PublishAt) {
			e.PublishAt = now // the sooner verifiers can fetch it, the sooner it may sign
		}
		if first := e.PublishAt.Add(r.deps.Lead); begin.Before(first) {
			return refuse("/at", "lead-time", "Verifiers could not fetch the key for the lead time before it signs.", "Activate it at "+stamp(first)+" or later.")
		}
		if first := e.beginsAt(); begin.Before(first) {
			return refuse("/at", "not-yet-valid", "The certificates or the private key usage period begin later.", "Activate it at "+stamp(first)+" or later.")
		}
		e.ActivateAt = begin
		if !begin.Before(e.endsAt()) {
			return refuse("/at", "ends-before", "The key would never sign: it ends at "+stamp(e.endsAt())+".", "Activate it earlier.")
		}
		return covered(before, reg.entries, e.Usage, now, req.Force)
	}
}

// retire moves the end of a key that has not ended.
func (r *Ring) retire(req signing.OperationRequest) change {
	return func(reg *register, now time.Time) error {
		i := reg.find(req.KID)
		if i < 0 {
			return errUnknown
		}
		before, e := slices.Clone(reg.entries), &reg.entries[i]
		state := lives(reg.entries)[i].state(now)
		if !slices.Contains([]keystore.State{keystore.StatePlanned, keystore.StatePublished, keystore.StateActive}, state) {
			return refuse("/kid", "state", "The key is "+string(state)+".", "Only a key that has not ended can be retired.")
		}
		end := r.when(req.At, now)
		if !end.After(e.ActivateAt) {
			return refuse("/at", "never-active", "The key would end before it begins.", "Move its begin with activate, or revoke it with the reason cessationOfOperation.")
		}
		e.RetireAt = &end
		return covered(before, reg.entries, e.Usage, now, req.Force)
	}
}

// when is the instant a request asks for; one that has passed means soon.
func (r *Ring) when(at *time.Time, now time.Time) time.Time {
	soon := r.soon(now)
	if at == nil {
		return soon
	}
	return latest(soon, whole(*at))
}

// covered refuses a change that leaves a usage without a key at an instant it had one.
func covered(before, after []entry, usage keystore.Usage, now time.Time, force bool) error {
	at, gap := firstGap(before, after, usage, now)
	if !gap || force {
		return nil
	}
	return errRefused.With(lastKey("/at", usage, at, "Register and activate another key first, or ask for it with force."))
}

func lastKey(path string, usage keystore.Usage, at time.Time, fix string) fault.Issue {
	return fault.Issue{Path: path, Rule: "last-key", Detail: "From " + stamp(at) + " on no key would sign for " + string(usage) + ".", Fix: fix}
}

// revokeKey withdraws a key under each of its certificates.
func (reg *register) revokeKey(public []byte, reason string, now time.Time) {
	for i := range reg.entries {
		e := &reg.entries[i]
		if e.RevokedAt == nil && bytes.Equal(e.certificate.RawSubjectPublicKeyInfo, public) {
			e.RevokedAt, e.RevokeReason = &now, reason
		}
	}
}

// revoke withdraws a key at once and for good.
func revoke(req signing.OperationRequest) (change, error) {
	if !slices.Contains(signing.RevokeReasons(), req.Reason) {
		return nil, refuse("/reason", "reason", "Not a reason code of a revocation.", "Use a reason code of RFC 5280 §5.3.1, e.g. keyCompromise.")
	}
	return func(reg *register, now time.Time) error {
		i := reg.find(req.KID)
		if i < 0 {
			return errUnknown
		}
		switch state := lives(reg.entries)[i].state(now); state {
		case keystore.StateRevoked, keystore.StateExpired:
			return refuse("/kid", "state", "The key is "+string(state)+".", "Nothing is left to revoke.")
		default:
			reg.revokeKey(reg.entries[i].certificate.RawSubjectPublicKeyInfo, req.Reason, now)
			return nil
		}
	}, nil
}
