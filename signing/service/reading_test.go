package service

import (
	"testing"

	hcertreader "github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
	shcreader "github.com/trustedparty/ddcc-gateway/formats/shc/reader"
	vdsncreader "github.com/trustedparty/ddcc-gateway/formats/vdsnc/reader"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/service/lint"
)

// reading reads a text as a verifier does.
func reading(t testing.TB, profile, text string) lint.Reading {
	t.Helper()
	var (
		out lint.Reading
		err error
	)
	switch kinds[profile].usage {
	case keystore.UsageSHC:
		out.SHC, err = shcreader.Decode(text)
	case keystore.UsageVDSNC:
		out.VDSNC, err = vdsncreader.Decode(text)
	default:
		out.HCERT, err = hcertreader.Decode(text)
	}
	if err != nil {
		t.Fatal(profile, err)
	}
	return out
}
