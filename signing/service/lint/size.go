package lint

import (
	"fmt"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

var size = Lint{
	ID:     "qr-size",
	For:    every,
	Source: "ISO/IEC 18004: version 25 at level Q holds 1,041 alphanumeric characters, above it phones fail; SMART Health Cards: version 22; VDS-NC: version 40",
	Blame:  fault.Rule,
	Check:  checkSize,
}

// SizeMargin is how much longer the real text of an HCERT may come out than the throwaway
// one: the signatures differ, so zlib's output does by a few bytes. Other formats do not
// compress the signature.
const SizeMargin = 24

func checkSize(in Input) []Finding {
	longest := in.Longest()
	if in.HCERT != nil {
		longest -= SizeMargin
	}
	return one(len(in.Text) <= longest, "claims",
		fmt.Sprintf("The certificate would need %d characters; a scannable QR code holds %d.", len(in.Text), longest),
		"Shorten the longest texts (name, centre, lot).")
}
