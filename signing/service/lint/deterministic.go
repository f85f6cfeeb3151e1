package lint

import (
	"bytes"

	"github.com/fxamacker/cbor/v2"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

var deterministic = Lint{
	ID:     "cbor-deterministic",
	For:    hcerts,
	Source: "RFC 8949 §4.2.1, core deterministic encoding",
	Blame:  fault.Internal,
	Check:  checkDeterministic,
}

// checkDeterministic decodes the payload without a schema and encodes it again.
func checkDeterministic(in Input) []Finding {
	return one(reencodes(in.HCERT.Payload), "cwt", "The payload is not in deterministic encoding.", "")
}

func reencodes(payload []byte) bool {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		return false
	}
	var tree any
	if err := cbor.Unmarshal(payload, &tree); err != nil {
		return false
	}
	again, err := mode.Marshal(tree)
	return err == nil && bytes.Equal(again, payload)
}
