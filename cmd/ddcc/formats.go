package main

import "github.com/trustedparty/ddcc-gateway/formats/hcert/reader"

// The formats by the names that the gateway's API has for them.
const (
	formatWHO         = "who"
	formatDCC         = "dcc"
	formatDCCRecovery = "dcc-recovery"
	formatSHC         = "shc"
	formatVDSNC       = "vdsnc"
	formatICVP        = "icvp"
)

// allFormats are those a request may name.
var allFormats = []string{formatWHO, formatDCC, formatDCCRecovery, formatSHC, formatVDSNC, formatICVP}

// reasons of a revocation, as the API has them.
var reasons = []string{"entered-in-error", "superseded", "fraud", "key-compromise", "holder-request", "cessation"}

// formatOf gives the name for a code of DDCCQRTypeCodeSystem. That has one code for all
// groups of an EU DCC, so that the content has to tell a recovery.
func formatOf(code, text string) string {
	switch code {
	case "icao":
		return formatVDSNC
	case formatDCC:
		if isRecovery(text) {
			return formatDCCRecovery
		}
	}
	return code
}

func isRecovery(text string) bool {
	const payload = 1 // sub-claim of the EU DCC
	message, err := reader.Decode(text)
	if err != nil {
		return false
	}
	content, _ := message.Claims.SubClaims[payload].(map[string]any)
	return content["r"] != nil
}
