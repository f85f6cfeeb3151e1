package revocation_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
	"github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/internal/vectors"
)

func ascending(n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(i)
	}
	return out
}

// The expected digests were computed with Python's hashlib.
func TestHashesAreThoseOfTheSpecification(t *testing.T) {
	t.Parallel()
	const ci = "URN:UVCI:01:NL:187/37512422923"
	es256, ps256 := revocation.SignatureHash("ES256", ascending(64)), revocation.SignatureHash("PS256", ascending(256))
	for name, tc := range map[string]struct {
		got  revocation.Hash
		want string
	}{
		"UCI":             {revocation.UCIHash(ci), "27b6c21c44ddfbb8e07239fa0a912510"},
		"COUNTRYCODEUCI":  {revocation.CountryUCIHash("NL", ci), "8c7ce0686fd35efcd0fe3fe510b886f2"},
		"SIGNATURE ES256": {es256, "630dcd2966c4336691125448bbb25b4f"},
		"SIGNATURE PS256": {ps256, "40aff2e9d2d8922e47afd4648e696749"},
		"RID":             {revocation.RIDHash(thumbprint, "MKyCxh7p6uQ"), "801db4b49d9cd210cb38889db8e8125a"},
	} {
		if hex.EncodeToString(tc.got[:]) != tc.want {
			t.Errorf("%s: %x, want %s", name, tc.got, tc.want)
		}
	}
	if got := revocation.UCIHash(ci).Base64(); got != "J7bCHETd+7jgcjn6CpElEA==" {
		t.Errorf("base64: %s", got)
	}
}

// TestMalleableSignatures: who turns s of an ES256 signature into -s has another signature
// that verifies, and the same hash.
func TestMalleableSignatures(t *testing.T) {
	t.Parallel()
	one, other := ascending(64), ascending(64)
	other[63]++
	a, b := revocation.SignatureHash("ES256", one), revocation.SignatureHash("ES256", other)
	other[31]++
	c := revocation.SignatureHash("ES256", other)
	if a != b || a == c {
		t.Error("the hash must follow r and nothing else")
	}
	other = ascending(256)
	other[255]++
	if revocation.SignatureHash("PS256", ascending(256)) == revocation.SignatureHash("PS256", other) {
		t.Error("the hash of PS256 must follow all of the signature")
	}
}

func TestHashesOfNothing(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]revocation.Hash{
		"no identifier": revocation.UCIHash(""), "no country": revocation.CountryUCIHash("", "x"), "country alone": revocation.CountryUCIHash("NL", ""),
		"no key": revocation.RIDHash("", "x"), "no id": revocation.RIDHash(thumbprint, ""),
	} {
		if !h.IsZero() {
			t.Errorf("%s gives a hash", name)
		}
	}
	for name, tc := range map[string]struct {
		alg string
		of  int
	}{
		"DER": {"ES256", 70}, "short": {"ES256", 63}, "none": {"ES256", 0}, "RSA 1024": {"PS256", 128}, "RSA 8192": {"PS256", 1024}, "algorithm": {"EdDSA", 64}, "no algorithm": {"", 64},
	} {
		if !revocation.SignatureHash(tc.alg, make([]byte, tc.of)).IsZero() {
			t.Errorf("%s is hashed", name)
		}
	}
}

// TestMemberStateSignatures takes the signatures of the EU's vectors, of both algorithms.
func TestMemberStateSignatures(t *testing.T) {
	t.Parallel()
	root, counts := vectors.Path(t, "eu-dgc-testdata"), map[string]int{}
	seen := map[revocation.Hash]bool{}
	must(t, filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".json" {
			return err
		}
		alg, signature := signatureOf(mustRead(t, path))
		if h := revocation.SignatureHash(alg, signature); !h.IsZero() {
			counts[alg]++
			seen[h] = true
		}
		return nil
	}))
	if len(counts) != 2 || len(seen) < 100 {
		t.Errorf("%v signatures, %d hashes; want both algorithms and more than 100", counts, len(seen))
	}
}

// signatureOf reads a vector; those of errors give none.
func signatureOf(raw []byte) (alg string, signature []byte) {
	var vector struct {
		Prefix string `json:"PREFIX"`
	}
	if json.Unmarshal(bytes.TrimPrefix(raw, []byte("\ufeff")), &vector) != nil {
		return "", nil
	}
	m, err := reader.Decode(vector.Prefix)
	if err != nil {
		return "", nil
	}
	return map[int64]string{reader.AlgorithmES256: "ES256", reader.AlgorithmPS256: "PS256"}[m.Algorithm], m.Signature
}
