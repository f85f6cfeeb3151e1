package reader

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trustedparty/ddcc-gateway/internal/vectors"
)

const euFolder = "eu-dgc-testdata"

// euPolicy lists where this package is stricter than the plain pipeline whose result the
// index gives. All but CO20 are refused by the publisher's own expectation too.
var euPolicy = map[string]Reason{
	"common/2DCode/raw/CO20.json": ReasonUnsupportedAlgorithm, // the algorithm is not protected
	"common/2DCode/raw/CO22.json": ReasonUnsupportedAlgorithm, // the same
	"common/2DCode/raw/CO23.json": ReasonUnsupportedAlgorithm, // the same
	"common/2DCode/raw/CBO1.json": ReasonInvalidClaims,        // the certificate is a byte string
	"ES/2DCode/raw/401.json":      ReasonUnsuitableKey,        // alg -7 with P-384
	"ES/2DCode/raw/402.json":      ReasonUnsuitableKey,
	"ES/2DCode/raw/403.json":      ReasonUnsuitableKey,
}

// euOtherJSON lists files whose JSON member is not what their own QR text says: other
// persons, or times in another zone or form.
var euOtherJSON = []string{
	"FR/2DCode/raw/test_pcr_ok.json", "PT/1.3.0/2DCode/raw/4.json",
	"PL/1.3.0/2DCode/raw/1.json", "PL/1.3.0/2DCode/raw/5.json",
}

// euReason translates the index for files the pipeline refuses.
func euReason(file, ref string) Reason {
	if reason, ok := euPolicy[file]; ok {
		return reason
	}
	switch {
	case strings.Contains(ref, "sig: INVALID"):
		return ReasonBadSignature
	case strings.HasPrefix(ref, "reject:base45"):
		return ReasonInvalidBase45
	case strings.HasPrefix(ref, "reject:zlib"):
		return ReasonInvalidCompression
	case strings.HasPrefix(ref, "reject:cose"):
		return ReasonInvalidCOSE
	case ref == "reject:prefix" && path.Base(file) == "H2.json": // HC2:
		return ReasonUnsupportedContext
	case ref == "reject:prefix":
		return ReasonNotHCERT
	}
	return ""
}

type euFile struct {
	JSON    json.RawMessage
	PREFIX  string
	TESTCTX struct{ CERTIFICATE string }
}

func TestEUVectors(t *testing.T) {
	t.Parallel()
	rows := strings.Split(strings.TrimSpace(string(vectors.Read(t, euFolder, "INDEX.tsv"))), "\n")
	column := map[string]int{}
	for i, name := range strings.Split(rows[0], "\t") {
		column[name] = i
	}
	if len(rows) != 1+178 {
		t.Errorf("%d files in the index, want 178", len(rows)-1)
	}
	for _, row := range rows[1:] {
		cells := strings.Split(row, "\t")
		file, ref := cells[column["Path"]], cells[column["Ref"]]
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			var content euFile
			raw := bytes.TrimPrefix(vectors.Read(t, euFolder, file), []byte("\ufeff"))
			if err := json.Unmarshal(raw, &content); err != nil {
				t.Fatal(err)
			}
			m, err := Decode(content.PREFIX)
			if err == nil {
				certificate := euCertificate(t, content.TESTCTX.CERTIFICATE)
				err = m.Verify(certificate.PublicKey)
				digest := sha256.Sum256(certificate.Raw)
				if matches := bytes.Equal(digest[:8], m.KID); matches == strings.Contains(ref, "kid!=") {
					t.Errorf("key id matches the certificate: %v, index says %q", matches, ref)
				}
				compareEU(t, cells, column, m)
			}
			wantReason(t, err, euReason(file, ref))
		})
	}
}

func euCertificate(t *testing.T, encoded string) *x509.Certificate {
	t.Helper()
	der, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

// compareEU checks the envelope against the index.
func compareEU(t *testing.T, cells []string, column map[string]int, m *Message) {
	t.Helper()
	tags := map[int]string{0: "none", 1: "18", 2: "61 18"}[len(m.Tags)]
	if want := cells[column["Tag"]]; tags != want {
		t.Errorf("tags %v, index says %q", m.Tags, want)
	}
	if want := cells[column["Kid"]]; m.KIDProtected != strings.Contains(want, "P") {
		t.Errorf("kid protected: %v, index says %q", m.KIDProtected, want)
	}
	alg := map[int64]string{AlgorithmES256: "-7", AlgorithmPS256: "-37"}[m.Algorithm]
	if want := cells[column["Alg"]]; alg != want {
		t.Errorf("algorithm %s, index says %q", alg, want)
	}
	if want := cells[column["Exp"]]; m.Claims.ExpiresAt.IsZero() != (want == "") {
		t.Errorf("exp %v, index says %q", m.Claims.ExpiresAt, want)
	}
}

// The health data inside must come out as the issuing states printed them.
func TestEUVectorsContent(t *testing.T) {
	t.Parallel()
	index := string(vectors.Read(t, euFolder, "INDEX.tsv"))
	compared := 0
	for row := range strings.Lines(index) {
		file, _, _ := strings.Cut(row, "\t")
		var content euFile
		if file == "Path" || json.Unmarshal(bytes.TrimPrefix(vectors.Read(t, euFolder, file), []byte("\ufeff")), &content) != nil {
			continue
		}
		m, err := Decode(content.PREFIX)
		if err != nil || len(content.JSON) == 0 {
			continue
		}
		compared++
		diff := cmp.Diff(generic(t, content.JSON), generic(t, m.Claims.SubClaims[1]))
		if (diff != "") != slices.Contains(euOtherJSON, file) {
			t.Errorf("%s (-file +read):\n%s", file, diff)
		}
	}
	if compared < 149 {
		t.Errorf("only %d files were compared", compared)
	}
}

// generic brings decoded values to the form JSON gives them.
func generic(t *testing.T, value any) any {
	t.Helper()
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(encoded, &out); err != nil {
		t.Fatal(err)
	}
	return out
}
