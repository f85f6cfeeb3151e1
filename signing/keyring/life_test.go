package keyring

import (
	"crypto/x509"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// day is n days after the epoch.
func day(n int) time.Time { return epoch.AddDate(0, 0, n) }

// made is an entry with dates in days; retire and revoke of 0 mean none.
func made(usage keystore.Usage, publish, activate, retire, private, expires, revoke int) entry {
	e := entry{
		record:       record{Usage: usage, PublishAt: day(publish), ActivateAt: day(activate)},
		kid:          []byte{byte(publish), byte(activate), byte(retire), byte(private), byte(expires), byte(revoke), byte(expires >> 8), 0},
		certificate:  &x509.Certificate{NotBefore: day(0), NotAfter: day(expires)},
		issuer:       &x509.Certificate{NotBefore: day(0), NotAfter: day(4000)},
		privateUntil: day(private),
	}
	if retire > 0 {
		at := day(retire)
		e.RetireAt = &at
	}
	if revoke > 0 {
		at := day(revoke)
		e.RevokedAt = &at
	}
	return e
}

func TestStateFollowsFromDatesSuccessorAndClock(t *testing.T) {
	t.Parallel()
	const v, o = keystore.UsageVaccination, keystore.UsageTest
	alone := []entry{made(v, 2, 5, 0, 180, 700, 0)}
	for name, c := range map[string]struct {
		entries []entry
		want    map[int]keystore.State // of the first entry, by day
	}{
		"alone":                             {alone, map[int]keystore.State{0: "planned", 1: "planned", 2: "published", 4: "published", 5: "active", 179: "active", 180: "verify-only", 699: "verify-only", 700: "expired"}},
		"retired early":                     {[]entry{made(v, 2, 5, 90, 180, 700, 0)}, map[int]keystore.State{89: "active", 90: "verify-only"}},
		"retired too late":                  {[]entry{made(v, 2, 5, 300, 180, 700, 0)}, map[int]keystore.State{179: "active", 180: "verify-only"}},
		"superseded":                        {append(slices.Clone(alone), made(v, 30, 40, 0, 220, 740, 0)), map[int]keystore.State{39: "active", 40: "verify-only", 700: "expired"}},
		"two successors":                    {append(slices.Clone(alone), made(v, 30, 60, 0, 220, 740, 0), made(v, 30, 40, 0, 220, 740, 0)), map[int]keystore.State{39: "active", 40: "verify-only"}},
		"other usage":                       {append(slices.Clone(alone), made(o, 30, 40, 0, 220, 740, 0)), map[int]keystore.State{40: "active"}},
		"older neighbour":                   {append(slices.Clone(alone), made(v, 1, 4, 0, 220, 740, 0)), map[int]keystore.State{5: "active", 179: "active"}},
		"successor ends":                    {append(slices.Clone(alone), made(v, 30, 40, 50, 220, 740, 0)), map[int]keystore.State{39: "active", 40: "verify-only", 51: "verify-only"}},
		"successor revoked before it began": {append(slices.Clone(alone), made(v, 30, 40, 0, 220, 740, 39)), map[int]keystore.State{39: "active", 40: "active"}},
		"successor revoked as it began":     {append(slices.Clone(alone), made(v, 30, 40, 0, 220, 740, 40)), map[int]keystore.State{39: "active", 40: "verify-only"}},
		"successor revoked later":           {append(slices.Clone(alone), made(v, 30, 40, 0, 220, 740, 45)), map[int]keystore.State{39: "active", 46: "verify-only"}},
		"same begin: later entry wins":      {append(slices.Clone(alone), made(v, 2, 5, 0, 180, 700, 0)), map[int]keystore.State{4: "published", 5: "verify-only"}},
		"revoked":                           {[]entry{made(v, 2, 5, 0, 180, 700, 9)}, map[int]keystore.State{0: "revoked", 8: "revoked", 9: "revoked", 800: "revoked"}},
	} {
		for on, want := range c.want {
			if got := lives(c.entries)[0].state(day(on)); got != want {
				t.Errorf("%s, day %d: %s, want %s", name, on, got, want)
			}
		}
	}
	short := made(v, 2, 5, 0, 180, 700, 0)
	short.issuer = &x509.Certificate{NotAfter: day(100)}
	for on, want := range map[int]keystore.State{99: "active", 100: "expired"} {
		if got := lives([]entry{short})[0].state(day(on)); got != want {
			t.Errorf("short CSCA, day %d: %s, want %s", on, got, want)
		}
	}
}

// rank orders states; a key never goes to a lower one.
var rank = map[keystore.State]int{"planned": 0, "published": 1, "active": 2, "verify-only": 3, "expired": 4, "revoked": 5}

func anyEntries(t *rapid.T, lead int) []entry {
	var out []entry
	for range rapid.IntRange(1, 6).Draw(t, "keys") {
		publish := rapid.IntRange(1, 60).Draw(t, "publish")
		activate := publish + lead + rapid.IntRange(0, 40).Draw(t, "wait")
		private := activate + rapid.IntRange(1, 60).Draw(t, "use")
		retire := 0
		if rapid.Bool().Draw(t, "retires") {
			retire = activate + rapid.IntRange(1, 70).Draw(t, "retire")
		}
		usage := rapid.SampledFrom([]keystore.Usage{keystore.UsageVaccination, keystore.UsageTest}).Draw(t, "usage")
		out = append(out, made(usage, publish, activate, retire, private, private+rapid.IntRange(0, 60).Draw(t, "rest"), 0))
	}
	return out
}

func TestAtMostOneKeySignsForAUsageAndStatesMoveForward(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const lead = 3
		entries := anyEntries(t, lead)
		last := make([]keystore.State, len(entries))
		for i := range last {
			last[i] = keystore.StatePlanned
		}
		for on := range 300 {
			if rapid.IntRange(0, 40).Draw(t, "accident") == 0 {
				i := rapid.IntRange(0, len(entries)-1).Draw(t, "revoked")
				if entries[i].RevokedAt == nil {
					at := day(on)
					entries[i].RevokedAt = &at
				}
			}
			signing := map[keystore.Usage]int{}
			for i, l := range lives(entries) {
				state := l.state(day(on))
				if rank[state] < rank[last[i]] {
					t.Fatalf("day %d: key %d went from %s to %s", on, i, last[i], state)
				}
				last[i] = state
				if l.signs(day(on)) != (state == keystore.StateActive) {
					t.Fatalf("day %d: key %d is %s and signs: %v", on, i, state, l.signs(day(on)))
				}
				if state == keystore.StateActive {
					signing[entries[i].Usage]++
					if day(on).Before(entries[i].PublishAt.AddDate(0, 0, lead)) {
						t.Fatalf("day %d: key %d signs less than the lead time after its publication", on, i)
					}
				}
			}
			for usage, n := range signing {
				if n > 1 {
					t.Fatalf("day %d: %d keys sign for %s", on, n, usage)
				}
			}
		}
	})
}

// TestChangesKeepTheRules drives the rules of activate, retire and revoke with random
// requests and looks at the register at every step.
func TestChangesKeepTheRules(t *testing.T) {
	t.Parallel()
	const lead = 3
	ring := &Ring{deps: Deps{Lead: lead * 24 * time.Hour, Refresh: time.Second}}
	rapid.Check(t, func(t *rapid.T) {
		reg := register{entries: anyEntries(t, lead)}
		seen := map[int]keystore.State{}
		for on := range 120 {
			now := day(on)
			i := rapid.IntRange(0, len(reg.entries)-1).Draw(t, "key")
			next := reg.clone()
			before := anySigns(ofUsage(reg.entries, reg.entries[i].Usage), now)
			req := signing.OperationRequest{KID: reg.entries[i].kid}
			if rapid.Bool().Draw(t, "at") {
				at := day(on + rapid.IntRange(-5, 50).Draw(t, "days"))
				req.At = &at
			}
			kind := rapid.IntRange(0, 20).Draw(t, "kind")
			var err error
			switch {
			case kind < 5:
				err = ring.activate(req)(&next, now)
			case kind < 10:
				err = ring.retire(req)(&next, now)
			case kind == 10:
				revoke, _ := revoke(signing.OperationRequest{KID: req.KID, Reason: "keyCompromise"})
				err = revoke(&next, now)
			default:
				continue
			}
			if err != nil {
				continue
			}
			if kind < 10 && before && !anySigns(ofUsage(next.entries, reg.entries[i].Usage), now) {
				t.Fatalf("day %d: a change left the usage without key", on)
			}
			reg = next
			for j, l := range lives(reg.entries) {
				if l.activateAt.Before(l.publishAt.AddDate(0, 0, lead)) || !l.activateAt.Before(reg.entries[j].endsAt()) {
					t.Fatalf("day %d: key %d: published %s, activated %s, ends %s", on, j, l.publishAt, l.activateAt, reg.entries[j].endsAt())
				}
				state := l.state(now)
				if was, ok := seen[j]; ok && rank[state] < rank[was] {
					t.Fatalf("day %d: key %d went from %s to %s", on, j, was, state)
				}
				seen[j] = state
			}
		}
	})
}

func TestFirstGap(t *testing.T) {
	t.Parallel()
	const v = keystore.UsageVaccination
	old := made(v, 1, 5, 0, 100, 700, 0)
	retired := made(v, 1, 5, 50, 100, 700, 0)
	follower := made(v, 1, 60, 0, 200, 700, 0)
	seamless := made(v, 1, 50, 0, 200, 700, 0)
	for name, c := range map[string]struct {
		before, after []entry
		want          int // day; -1: no gap
	}{
		"nothing changes":        {[]entry{old}, []entry{old}, -1},
		"last key retires":       {[]entry{old}, []entry{retired}, 50},
		"gap until a follower":   {[]entry{old, follower}, []entry{retired, follower}, 50},
		"a follower in time":     {[]entry{old, seamless}, []entry{retired, seamless}, -1},
		"follower moved later":   {[]entry{retired, seamless}, []entry{retired, follower}, 50},
		"a gap that was there":   {[]entry{retired, follower}, []entry{retired, follower}, -1},
		"other usage's key":      {[]entry{old}, []entry{retired, made(keystore.UsageTest, 1, 5, 0, 200, 700, 0)}, 50},
		"a gap in the past only": {[]entry{made(v, 1, 2, 0, 9, 700, 0)}, []entry{made(v, 1, 2, 8, 9, 700, 0)}, -1},
	} {
		at, gap := firstGap(c.before, c.after, v, day(10))
		if gap != (c.want >= 0) || gap && !at.Equal(day(c.want)) {
			t.Errorf("%s: %v, %v; want day %d", name, at, gap, c.want)
		}
	}
}
