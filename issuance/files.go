package issuance

import (
	"context"

	"github.com/trustedparty/ddcc-gateway/formats/shc"
	"github.com/trustedparty/ddcc-gateway/formats/shc/reader"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// HealthCardFile gives the SMART Health Card of a certificate as a file, or false when it has
// none (SMART Health Cards Framework, "via File Download").
func (i Issued) HealthCardFile() (file []byte, ok bool, err error) {
	for _, c := range i.Beside {
		if c.Format != FormatSHC {
			continue
		}
		jws, err := reader.Join([]string{c.Text})
		if err != nil {
			return nil, false, fault.From(err)
		}
		file, err := shc.File(jws)
		if err != nil {
			return nil, false, fault.From(err)
		}
		return file, true, nil
	}
	return nil, false, nil
}

// Withdrawer takes back what points at a certificate, when the certificate is revoked. It
// may be called again.
type Withdrawer interface {
	WithdrawFor(ctx context.Context, certificateID string) error
}
