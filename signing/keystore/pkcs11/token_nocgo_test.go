//go:build !cgo

package pkcs11

import (
	"errors"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

func TestOpenWithoutCgoSaysSo(t *testing.T) {
	t.Parallel()
	_, err := Open(t.Context(), settings(t))
	if !errors.Is(err, keystore.ErrUnavailable) || !strings.Contains(err.Error(), "CGO_ENABLED=1") {
		t.Errorf("error %v", err)
	}
}
