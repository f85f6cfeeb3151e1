package trust_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/trustedparty/ddcc-gateway/trust"
)

// update replaces the golden file; its keys are thrown away.
var update = flag.Bool("update", false, "write a new golden file")

const goldenList = "testdata/trustlist.json"

func readGolden(t testing.TB) []byte {
	t.Helper()
	raw, err := os.ReadFile(goldenList)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// What could be read once has to be readable, and written the same, in every version.
func TestGoldenTrustList(t *testing.T) {
	t.Parallel()
	if *update {
		raw, err := specimenList(t).Encode()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(goldenList, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := readGolden(t)
	list, err := trust.ParseList(want, trust.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := list.Encode(); err != nil || !bytes.Equal(got, want) {
		t.Errorf("written differently: %v\n%s", err, got)
	}
}

func FuzzParseList(f *testing.F) {
	f.Add(readGolden(f))
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
