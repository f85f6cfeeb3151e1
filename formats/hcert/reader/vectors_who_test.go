package reader

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trustedparty/ddcc-gateway/internal/vectors"
)

func TestWHOVectorsDecode(t *testing.T) {
	t.Parallel()
	who, validator, extracted, run := "who-gdhcn", filepath.Join("ddcc", "validator"), filepath.Join("ddcc", "mediator-extracted"), filepath.Join("ddcc", "mediator-run")
	for _, test := range []struct {
		folder, file string
		subClaim     int64 // 0 means flat
		want         Reason
	}{
		{who, "DVCTestQR.txt", -6, ""},
		{who, "DVCTest2QR.txt", -6, ""},
		{who, "EUItalyAcceptanceQRContents.txt", 1, ""},
		{who, "WHOQR1Contents.txt", 0, ""},
		{who, "WHOQR2Contents.txt", 0, ""}, // a list of one data set, with undefined members
		{who, "WHOSingaporePCRContents.txt", 0, ""},
		{validator, "WHOQR1Contents.txt", 0, ""},
		{validator, "WHOQR2Contents.txt", 0, ""},
		{validator, "WHOSingaporePCRContents.txt", 0, ""},
		{validator, "EUItalyAcceptanceQRContents.txt", 1, ""},
		{validator, "EUUruguayContents.txt", 1, ReasonInvalidClaims}, // exp is NaN
		{extracted, "existingDDCCDoc.who.qr.txt", 1, ""},
		{extracted, "existingDDCCDoc.dcc.qr.txt", 1, ""},
		{run, "demo1.who.qr.txt", 1, ""},
		{run, "demo1.dcc.qr.txt", 1, ""},
	} {
		t.Run(filepath.ToSlash(filepath.Join(test.folder, test.file)), func(t *testing.T) {
			t.Parallel()
			m, err := Decode(string(vectors.Read(t, test.folder, test.file)))
			wantReason(t, err, test.want)
			if err != nil {
				return
			}
			if test.subClaim != 0 {
				if len(m.Claims.SubClaims) != 1 || m.Claims.SubClaims[test.subClaim] == nil || m.Claims.Flat != nil {
					t.Errorf("content: %+v", m.Claims)
				}
				return
			}
			if m.Claims.SubClaims != nil || m.Claims.Flat["name"] == nil || m.KIDProtected {
				t.Errorf("content: %+v", m.Claims)
			}
		})
	}
}

func TestMediatorRunVerifies(t *testing.T) {
	t.Parallel()
	block, _ := pem.Decode(vectors.Read(t, "ddcc", "mediator-run", "TEST-ONLY-ec-p256-pub.pem"))
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"demo1.who.qr.txt", "demo1.dcc.qr.txt"} {
		m, err := Decode(string(vectors.Read(t, "ddcc", "mediator-run", file)))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if err := m.Verify(key); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		wantReason(t, m.Verify(&specimenKey(t).PublicKey), ReasonBadSignature)
	}
}

// The flat payloads, member by member, against the publisher's own decoding.
func TestWHOFlatContent(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"WHOQR1", "WHOSingaporePCR"} {
		m, err := Decode(string(vectors.Read(t, "who-gdhcn", name+"Contents.txt")))
		if err != nil {
			t.Fatal(err)
		}
		var want any
		if err := json.Unmarshal(vectors.Read(t, "who-gdhcn", name+"Unpacked.json"), &want); err != nil {
			t.Fatal(err)
		}
		if wrapped, ok := want.(map[string]any)["contents"]; ok {
			want = wrapped
		}
		if diff := cmp.Diff(want, generic(t, m.Claims.Flat)); diff != "" {
			t.Errorf("%s (-publisher +read):\n%s", name, diff)
		}
	}
}
