package verification_test

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/vectors"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/verification"
)

func readVector(t testing.TB, path string, into any) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(bytes.TrimPrefix(raw, []byte("\ufeff")), into); err != nil {
		t.Fatal(err)
	}
}

// directList trusts one DSC as the lists of the EU do: without its CSCA.
func directList(t testing.TB, der string) *trust.List {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(der)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	list, _ := trust.NewList([]trust.Entry{{KID: trust.KID(certificate), DSC: certificate}}, trust.Options{DirectTrust: true})
	return list
}

// Vectors made by another program, with CSCA and DSC: a real chain.
func TestGeneratedVectors(t *testing.T) {
	t.Parallel()
	var all struct {
		SCA, DSC string
		Cases    []struct{ Name, Text string }
	}
	readVector(t, vectors.Path(t, "generated", "vectors.json"), &all)
	certificate := func(der string) *x509.Certificate {
		raw, err := base64.StdEncoding.DecodeString(der)
		if err != nil {
			t.Fatal(err)
		}
		certificate, err := x509.ParseCertificate(raw)
		if err != nil {
			t.Fatal(err)
		}
		return certificate
	}
	dsc := certificate(all.DSC)
	list, refusals := trust.NewList([]trust.Entry{{KID: trust.KID(dsc), DSC: dsc, CSCA: certificate(all.SCA)}}, trust.Options{})
	if len(refusals) > 0 {
		t.Fatal(refusals)
	}
	v := verification.Verifier{List: list, Clock: func() time.Time { return time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC) }}
	want := map[string]verification.Reason{
		"20-vhl-string": verification.ReasonUnsupportedPayload, "21-shl-array": verification.ReasonUnsupportedPayload,
		"30-ddcc-vs": verification.ReasonInvalidPayload, // neither manufacturer nor holder: who-ddcc-data-1
		"93-sig-der": verification.ReasonBadSignature, "94-sig-flip": verification.ReasonBadSignature,
		"95-dup-key": verification.ReasonInvalidCBOR, "96-exp-after-dsc": verification.ReasonOutlivesKey,
		"97-trailing-cbor": verification.ReasonInvalidCOSE,
	}
	for _, name := range []string{"01-eu-v", "02-eu-t-tag0", "03-eu-r", "10-icvp-gen1", "11-icvp-gen3", "31-ddcc-tr", "90-untagged", "91-tag61", "92-kid-unprotected", "98-iat-float"} {
		want[name] = verification.ReasonVerified
	}
	if len(all.Cases) != len(want) {
		t.Errorf("%d cases, %d expectations", len(all.Cases), len(want))
	}
	for _, vector := range all.Cases {
		if result := v.VerifyText(vector.Text); result.Reason != want[vector.Name] {
			t.Errorf("%s: %s (%s), want %s", vector.Name, result.Reason, result.Detail, want[vector.Name])
		} else if strings.Contains(vector.Name, "icvp") && (result.Profile != verification.ProfileICVP || result.Content["n"] == nil) {
			t.Errorf("%s: %+v", vector.Name, result)
		}
	}
}

// Early WHO certificates are recognised but signed with keys nobody lists.
func TestWHOVectorsAreReadable(t *testing.T) {
	t.Parallel()
	v := verification.Verifier{Clock: func() time.Time { return now }}
	for _, name := range []string{"WHOQR1Contents", "WHOQR2Contents", "WHOSingaporePCRContents", "EUItalyAcceptanceQRContents", "DVCTestQR"} {
		raw, err := os.ReadFile(vectors.Path(t, "who-gdhcn", name+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		if result := v.VerifyText(string(raw)); result.Reason != verification.ReasonUnknownKey || result.KID == "" {
			t.Errorf("%s: %+v", name, result)
		}
	}
}
