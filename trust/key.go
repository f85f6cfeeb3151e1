package trust

import (
	"crypto"
	"time"
)

// Key is a key without certificate: only the registry that lists it says whose it is. It is
// in no List.
type Key struct {
	Public    crypto.PublicKey
	NotBefore time.Time
	NotAfter  time.Time // zero: no end
}
