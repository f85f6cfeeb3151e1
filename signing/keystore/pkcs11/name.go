package pkcs11

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// id is the CKA_ID of a version.
func id(ref keystore.Ref) []byte { return []byte(ref.String()) }

// versionOf reads a CKA_ID. A key of the label that we did not name is an error: to number
// on beside it could name one key twice.
func versionOf(label string, id []byte) (int, error) {
	text, ok := strings.CutPrefix(string(id), label+":")
	version, err := strconv.Atoi(text)
	if !ok || err != nil || version < 1 || text != strconv.Itoa(version) {
		return 0, fmt.Errorf("%w: the token holds a key labelled %s whose CKA_ID is not LABEL:VERSION", keystore.ErrExists, label)
	}
	return version, nil
}
