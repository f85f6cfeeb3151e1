package pkcs11

import (
	"crypto/ecdsa"
	"errors"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// token is a logged-in connection. Its calls may hang; they are safe for concurrent use.
// Their errors wrap one of the port's or one of those below.
type token interface {
	// find looks a version up. ErrNoKey only while the token is logged in: without a login
	// private keys are invisible, and errLost says so.
	find(ref keystore.Ref) (key, error)
	// create makes the next version of a label.
	create(label string) (keystore.Ref, *ecdsa.PublicKey, error)
	// close gives everything back. No other call is under way then.
	close()
}

// key is a handle of a key pair.
type key interface {
	public() *ecdsa.PublicKey
	sign(digest keystore.Digest) (keystore.Signature, error)
}

// What a token says beside the port's errors.
var (
	errLost  = errors.New("the session with the HSM was lost") // connect again
	errStale = errors.New("the key moved")                     // look it up again
	errPIN   = errors.New("the HSM refuses the PIN")           // ask the operator
)

// opens makes a connection: the seam between the store and the library.
type opens func(c Config, pin string) (token, error)
