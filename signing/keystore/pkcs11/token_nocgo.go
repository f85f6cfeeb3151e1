//go:build !cgo

package pkcs11

import "errors"

// openToken says why there is no HSM: a PKCS #11 library is loaded through cgo.
func openToken(Config, string) (token, error) {
	return nil, errors.New("this program was built without cgo, and a PKCS #11 library cannot be loaded without it; build it with CGO_ENABLED=1 and a C compiler")
}
