package lint

import (
	"bytes"
	"strings"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

var vdsncRules = Lint{
	ID:     "vdsnc-rules",
	For:    seals,
	Source: "ICAO TR VDS-NC §2 and its JSON schemas",
	Blame:  fault.Rule,
	Check:  checkSeal,
}

func checkSeal(in Input) []Finding {
	var found []Finding
	for _, p := range in.VDSNC.Check() {
		if p.Warning {
			continue
		}
		path := "claims.vdsnc" + strings.TrimPrefix(strings.TrimPrefix(p.Path, "data"), ".msg")
		found = append(found, Finding{path, "The element " + p.Rule + ".", "Correct the element."})
	}
	return found
}

var vdsncSigner = Lint{
	ID:     "vdsnc-signer",
	For:    seals,
	Source: "ICAO 9303-12 §7.1.3, barcode signer; the certificate inside is the key's",
	Blame:  fault.Internal,
	Check:  checkSealSigner,
}

func checkSealSigner(in Input) []Finding {
	found := one(bytes.Equal(in.VDSNC.CertificateDER, in.DSC.Raw), "sig.cer", "The seal carries another certificate than the key's.", "")
	found = append(found, one(len(in.VDSNC.Warnings) == 0, "sig", "The reader needed tolerances for the seal.", "")...)
	for _, p := range in.VDSNC.CheckSigner() {
		if !p.Warning {
			found = append(found, Finding{Path: p.Path, Detail: "The certificate " + p.Rule + "."})
		}
	}
	return found
}
