package keystore

// State is where a key stands in its life. It follows from the register and the clock.
type State string

// The states, in the order of a life without accidents.
const (
	StatePlanned    State = "planned"     // registered; nobody outside knows it
	StatePublished  State = "published"   // verifiers can fetch it; it does not sign yet
	StateActive     State = "active"      // it may sign
	StateVerifyOnly State = "verify-only" // it signs no more; what it signed still verifies
	StateExpired    State = "expired"     // its certificate has ended, and with it what it signed
	StateRevoked    State = "revoked"     // withdrawn: what it signed must not be believed
)

// Offered reports whether verifiers are given the key as one to trust.
func (s State) Offered() bool {
	return s == StatePublished || s == StateActive || s == StateVerifyOnly
}
