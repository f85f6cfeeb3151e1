package keystoretest

import (
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// Bounds of what an open store may take to come back.
const (
	// MaxLost is how many calls in a row may fail after Drop, each with ErrUnavailable.
	MaxLost = 3
	// MaxAway is for how long calls may fail after Restart, each with ErrUnavailable.
	MaxAway = 30 * time.Second
)

// Engine is what holds the keys, as a test handles it. What it starts it ends with
// t.Cleanup.
type Engine struct {
	// Maker makes keys, with the credentials of a ceremony.
	Maker keystore.Maker
	// Open gives a store as the signing service has it: a connection of its own, and the
	// signing service's credentials.
	Open func(t *testing.T) keystore.Store
	// Disable takes the right to sign from one version. Its other versions keep theirs.
	Disable func(t *testing.T, ref keystore.Ref)
	// Overwrite puts another key in the place of ref, as an attacker or a mistaken restore
	// would. It is nil when the engine makes that impossible.
	Overwrite func(t *testing.T, ref keystore.Ref)
	// Drop loses the sessions, tokens or connections of every open store. It is nil when
	// the engine has none.
	Drop func(t *testing.T)
	// Restart ends the engine and starts it again with the same keys.
	Restart func(t *testing.T)
	// Secrets are what no error may repeat: PINs, tokens, passphrases.
	Secrets []string
}

// Run holds the engines that start gives against the port.
func Run(t *testing.T, start func(t *testing.T) Engine) {
	t.Helper()
	cases := []struct {
		name string
		run  func(*suite)
	}{
		{"gives the public key of each version", (*suite).publicKeys},
		{"signs", (*suite).signs},
		{"keeps the order of a batch", (*suite).batches},
		{"signs no digests at all", (*suite).emptyBatch},
		{"signs with the version named", (*suite).versionsPinned},
		{"sees versions made later", (*suite).laterVersions},
		{"knows no other key", (*suite).unknown},
		{"refuses malformed references", (*suite).malformed},
		{"does not sign with a disabled version", (*suite).disabled},
		{"never passes an overwritten key off", (*suite).overwritten},
		{"heeds the context", (*suite).contexts},
		{"outlives lost sessions", (*suite).lostSessions},
		{"outlives a restart", (*suite).restart},
		{"signs for many at once", (*suite).concurrent},
		{"makes distinct versions under a race", (*suite).racingCreates},
		{"never replaces a version", (*suite).createKeeps},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.run(&suite{T: t, engine: start(t)}) })
	}
}
