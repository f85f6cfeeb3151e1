package trust

// State is where a key stands in its life. Keys that are planned or have expired are in no
// list at all.
type State string

// The states of listed keys. Only the first three are trusted.
const (
	StatePublished  State = "published"   // known to verifiers, does not sign yet
	StateActive     State = "active"      // signs
	StateVerifyOnly State = "verify-only" // does not sign any more; what it signed stays good
	StateRevoked    State = "revoked"     // nothing it signed may be trusted
)

func (s State) isTrusted() bool {
	return s == StatePublished || s == StateActive || s == StateVerifyOnly
}
