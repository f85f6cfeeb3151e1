package trust_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"flag"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/trust"
)

// update replaces the golden files but the oldest; their keys are thrown away.
var update = flag.Bool("update", false, "write new golden files")

const (
	goldenList      = "testdata/trustlist.json" // as the first release wrote it
	goldenStatement = "testdata/statement.json"
	goldenJWS       = "testdata/statement.jws"
	goldenDID       = "testdata/did.json"
)

// goldenAnchors gives the CSCA of the golden statement; its key is thrown away.
func goldenAnchors(t testing.TB) []*x509.Certificate {
	t.Helper()
	list, err := trust.ParseList(readFile(t, goldenStatement), trust.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return list.List.Anchors()
}

func readGolden(t testing.TB) []byte { return readFile(t, goldenList) }

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// What could be read once has to be readable, and written the same, in every version.
func TestGoldenFiles(t *testing.T) {
	t.Parallel()
	if *update {
		writeGolden(t)
	}
	for _, name := range []string{goldenList, goldenStatement} {
		want := readFile(t, name)
		list, err := trust.ParseList(want, trust.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := list.Encode(); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: written differently: %v\n%s", name, err, got)
		}
	}
	// What was signed once has to verify, too.
	statement, err := trust.VerifyStatement(readFile(t, goldenJWS), goldenAnchors(t), issuedAt)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(statement.Payload, readFile(t, goldenStatement)) {
		t.Error("another statement")
	}
	if _, err := trust.VerifyDID(readFile(t, goldenDID), statement.Signer.DSC.PublicKey.(*ecdsa.PublicKey), trust.Limits{}); err != nil {
		t.Error(err)
	}
}

func writeGolden(t testing.TB) {
	t.Helper()
	a := newAuthority(t)
	signed := a.signer.Statement(t, a.claims(t))
	statement, err := trust.VerifyStatement(signed.JWS, a.anchors(), issuedAt)
	if err != nil {
		t.Fatal(err)
	}
	for name, raw := range map[string][]byte{goldenStatement: statement.Payload, goldenJWS: signed.JWS, goldenDID: signed.DID} {
		if err := os.WriteFile(name, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func FuzzVerifyStatement(f *testing.F) {
	anchors := goldenAnchors(f)
	f.Add(readFile(f, goldenJWS))
	f.Add([]byte("eyJhbGciOiJub25lIn0.e30."))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := trust.VerifyStatement(raw, anchors, issuedAt)
		if err == nil && !bytes.Equal(s.Payload, readFile(t, goldenStatement)) {
			t.Errorf("forged: %s", raw)
		}
	})
}

func FuzzVerifyDID(f *testing.F) {
	list, err := trust.VerifyStatement(readFile(f, goldenJWS), goldenAnchors(f), issuedAt)
	if err != nil {
		f.Fatal(err)
	}
	key := list.Signer.DSC.PublicKey.(*ecdsa.PublicKey)
	golden := readFile(f, goldenDID)
	want, err := trust.VerifyDID(golden, key, trust.Limits{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(golden)
	f.Add([]byte(`{"@context":["https://www.w3.org/ns/did/v1"],"id":"did:web:x","verificationMethod":["did:web:y"]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := trust.VerifyDID(raw, key, trust.Limits{Bytes: 1 << 20, Certificates: 100})
		if err != nil {
			return
		}
		byID := func(a, b trust.DIDMethod) int { return strings.Compare(a.ID, b.ID) }
		slices.SortFunc(got.Methods, byID) // the order is not signed
		slices.SortFunc(want.Methods, byID)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("forged: %s", raw)
		}
	})
}

func FuzzParseList(f *testing.F) {
	f.Add(readGolden(f))
	f.Add(readFile(f, goldenStatement))
	f.Add([]byte(`{"version":1,"country":"XX","issuedAt":"2026-01-15T09:00:00Z","certificates":[]}`))
	f.Add([]byte(`{"version":1,"certificates":[{"rawData":"AAAA"}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		list, err := trust.ParseList(raw, trust.Limits{})
		if err != nil {
			return
		}
		encoded, err := list.Encode()
		if err != nil {
			t.Fatalf("accepted but not writable: %v", err)
		}
		again, err := trust.ParseList(encoded, trust.Limits{})
		if err != nil {
			t.Fatalf("written but not readable: %v", err)
		}
		if twice, err := again.Encode(); err != nil || !bytes.Equal(twice, encoded) {
			t.Error("the second round differs")
		}
	})
}
