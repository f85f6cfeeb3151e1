package keyring

import (
	"slices"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// life is everything the state of a key follows from, but the clock.
type life struct {
	publishAt    time.Time
	activateAt   time.Time
	endsAt       time.Time // retirement, end of private key use, of DSC or of CSCA
	supersededAt time.Time // activation of the next younger key; zero: there is none
	expiresAt    time.Time // end of DSC or CSCA
	revoked      bool
}

func (l life) state(now time.Time) keystore.State {
	switch {
	case l.revoked:
		return keystore.StateRevoked
	case !now.Before(l.expiresAt):
		return keystore.StateExpired
	case !now.Before(l.until()):
		return keystore.StateVerifyOnly
	case !now.Before(l.activateAt):
		return keystore.StateActive
	case !now.Before(l.publishAt):
		return keystore.StatePublished
	default:
		return keystore.StatePlanned
	}
}

// until is the first instant at which the key signs no more.
func (l life) until() time.Time {
	if !l.supersededAt.IsZero() && l.supersededAt.Before(l.endsAt) {
		return l.supersededAt
	}
	return l.endsAt
}

// signs reports whether the key signs at that instant.
func (l life) signs(at time.Time) bool {
	return !l.revoked && !at.Before(l.activateAt) && at.Before(l.until())
}

// lives gives the life of every entry, in their order.
func lives(entries []entry) []life {
	out := make([]life, len(entries))
	for i, e := range entries {
		out[i] = life{
			publishAt: e.PublishAt, activateAt: e.ActivateAt, endsAt: e.endsAt(), expiresAt: e.expiresAt(),
			supersededAt: supersededAt(entries, i), revoked: e.RevokedAt != nil,
		}
	}
	return out
}

// supersededAt is when the first younger key of the usage takes over from entry i.
func supersededAt(entries []entry, i int) time.Time {
	var first time.Time
	for j, other := range entries {
		if other.Usage != entries[i].Usage || !younger(entries, j, i) || !other.tookOver() {
			continue
		}
		if first.IsZero() || other.ActivateAt.Before(first) {
			first = other.ActivateAt
		}
	}
	return first
}

// younger reports whether entry j begins to sign after entry i; of two that begin
// together, the one registered later is the younger.
func younger(entries []entry, j, i int) bool {
	a, b := entries[j].ActivateAt, entries[i].ActivateAt
	return a.After(b) || a.Equal(b) && j > i
}

// clockStep is how far the clocks of signers may be apart, and one may be set back. A key
// that was revoked so shortly before it began, by the clock of one signer, may have begun
// by that of another.
const clockStep = time.Minute

// tookOver reports whether the activation of e counts: a key that was revoked before it
// began to sign never takes over. Within clockStep nobody knows, and it does: the key
// before it must not come back.
func (e entry) tookOver() bool {
	return e.RevokedAt == nil || e.RevokedAt.Add(clockStep).After(e.ActivateAt)
}

// firstGap finds the first instant from now on at which a key of usage signs before a
// change and none does after it.
func firstGap(before, after []entry, usage keystore.Usage, now time.Time) (time.Time, bool) {
	then, from := ofUsage(before, usage), ofUsage(after, usage)
	instants := []time.Time{now}
	for _, l := range append(slices.Clone(then), from...) {
		instants = append(instants, l.activateAt, l.until())
	}
	slices.SortFunc(instants, time.Time.Compare)
	for _, at := range instants {
		if !at.Before(now) && anySigns(then, at) && !anySigns(from, at) {
			return at, true
		}
	}
	return time.Time{}, false
}

func ofUsage(entries []entry, usage keystore.Usage) []life {
	var out []life
	for i, l := range lives(entries) {
		if entries[i].Usage == usage {
			out = append(out, l)
		}
	}
	return out
}

func anySigns(all []life, at time.Time) bool {
	return slices.ContainsFunc(all, func(l life) bool { return l.signs(at) })
}
