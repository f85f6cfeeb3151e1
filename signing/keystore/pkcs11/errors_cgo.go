//go:build cgo

package pkcs11

import (
	"errors"
	"fmt"

	"github.com/miekg/pkcs11"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// kinds says what return codes mean for the store (PKCS #11 v2.40 §5.1). Codes that are
// not here are ErrUnavailable.
var kinds = map[pkcs11.Error]error{
	pkcs11.CKR_SESSION_HANDLE_INVALID:    errLost,
	pkcs11.CKR_SESSION_CLOSED:            errLost,
	pkcs11.CKR_DEVICE_ERROR:              errLost,
	pkcs11.CKR_DEVICE_MEMORY:             errLost,
	pkcs11.CKR_DEVICE_REMOVED:            errLost,
	pkcs11.CKR_SLOT_ID_INVALID:           errLost,
	pkcs11.CKR_TOKEN_NOT_PRESENT:         errLost,
	pkcs11.CKR_TOKEN_NOT_RECOGNIZED:      errLost,
	pkcs11.CKR_USER_NOT_LOGGED_IN:        errLost,
	pkcs11.CKR_CRYPTOKI_NOT_INITIALIZED:  errLost,
	pkcs11.CKR_GENERAL_ERROR:             errLost,
	pkcs11.CKR_FUNCTION_FAILED:           errLost,
	pkcs11.CKR_OPERATION_ACTIVE:          errLost, // what a call broken off left in a session
	pkcs11.CKR_OPERATION_NOT_INITIALIZED: errLost,

	pkcs11.CKR_OBJECT_HANDLE_INVALID: errStale,
	pkcs11.CKR_KEY_HANDLE_INVALID:    errStale,

	pkcs11.CKR_KEY_FUNCTION_NOT_PERMITTED: keystore.ErrDisabled,
	pkcs11.CKR_SESSION_READ_ONLY:          keystore.ErrDisabled,
	pkcs11.CKR_TOKEN_WRITE_PROTECTED:      keystore.ErrDisabled,

	pkcs11.CKR_PIN_INCORRECT:            errPIN,
	pkcs11.CKR_PIN_INVALID:              errPIN,
	pkcs11.CKR_PIN_LEN_RANGE:            errPIN,
	pkcs11.CKR_PIN_EXPIRED:              errPIN,
	pkcs11.CKR_PIN_LOCKED:               errPIN,
	pkcs11.CKR_USER_PIN_NOT_INITIALIZED: errPIN,
}

// code gives the return code inside err, or CKR_OK.
func code(err error) pkcs11.Error {
	var e pkcs11.Error
	if errors.As(err, &e) {
		return e
	}
	return pkcs11.CKR_OK
}

// failed is an error of a call: its kind and its return code, without the words around
// it, which are not ours.
func failed(err error) error {
	c := code(err)
	if kind, ok := kinds[c]; ok {
		return fmt.Errorf("%w: %w", kind, c)
	}
	if c != pkcs11.CKR_OK {
		return fmt.Errorf("%w: %w", keystore.ErrUnavailable, c)
	}
	return fmt.Errorf("%w: the PKCS #11 library gave no session or no sense", keystore.ErrUnavailable)
}

// opening is an error of Open. Beside the code it keeps the words, which tell a wrong path
// from a wrong token; they never hold the PIN.
func opening(err error) error {
	if kinds[code(err)] == errPIN { //nolint:errorlint // the table's own value
		return fmt.Errorf("%w: %w", errPIN, code(err))
	}
	return err
}
