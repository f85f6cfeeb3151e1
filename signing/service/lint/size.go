package lint

import (
	"fmt"

	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

var size = Lint{
	ID:     "qr-size",
	Source: "QR version 25 at level Q holds 1,041 alphanumeric characters (ISO/IEC 18004); above it phones fail",
	Blame:  fault.Rule,
	Check:  checkSize,
}

// SizeMargin is how much longer the real text may come out than the throwaway one: the
// signatures differ, so zlib's output does by a few bytes.
const SizeMargin = 24

func checkSize(in Input) []Finding {
	return one(len(in.Text)+SizeMargin <= hcert.MaxTextQ, "claims",
		fmt.Sprintf("The certificate would need %d characters; a scannable QR code holds %d.", len(in.Text), hcert.MaxTextQ-SizeMargin),
		"Shorten the longest texts (name, centre, lot).")
}
