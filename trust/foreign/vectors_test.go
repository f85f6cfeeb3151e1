package foreign_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/foreign"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
)

// readList finds a published list, which is kept beside the repository, never in it.
func readList(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "vectors", "trustlist", name))
	if err != nil {
		t.Skipf("public trust lists are absent: ../shared/vectors/trustlist/%s", name)
	}
	return raw
}

// pinnedSource accepts exactly this document.
func pinnedSource(raw []byte, format foreign.Format) foreign.Source {
	return foreign.Source{
		Name: "test", Format: format,
		Authenticity: foreign.Authenticity{Digests: [][sha256.Size]byte{sha256.Sum256(raw)}},
	}
}

// Lists of the WHO of August 2026: every certificate is either used or skipped for a
// reason that is known.
func TestListsOfTheWHO(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		country          string
		entries, anchors int
		skipped          map[string]int
	}{
		"prod-v2-DCC-XXH.did.json": {"XH", 5, 3, map[string]int{"kind": 2}}, // two DECA
		// The RSA key of one CSCA lacks its NULL parameters, so it cannot be read, nor can
		// its six DSCs be checked.
		"prod-v2-any-EST.did.json": {"EE", 6, 1, map[string]int{"certificate": 1, "issuer": 6}},
		// Four DSCs have no key usage.
		"prod-v2-any-ISL.did.json": {"IS", 2, 1, map[string]int{"certificate": 4}},
		"prod-v2-any-NZL.did.json": {"NZ", 39, 1, nil}, // the CSCA is on P-384
		// The key identifier in both DSCs is not the one of the CSCA that signed them.
		"prod-v2-any-TGO.did.json": {"TG", 0, 2, map[string]int{"chain": 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw := readList(t, name)
			snapshot, err := foreign.Parse(raw, pinnedSource(raw, foreign.FormatDID))
			if (err != nil) != (want.entries == 0) {
				t.Fatal(err)
			}
			if len(snapshot.Entries) != want.entries || len(snapshot.Anchors) != want.anchors || !maps.Equal(snapshot.Reasons(), want.skipped) {
				t.Errorf("%d entries, %d anchors, %v", len(snapshot.Entries), len(snapshot.Anchors), snapshot.Skipped)
			}
			for _, entry := range snapshot.Entries {
				if entry.Country != want.country || entry.CSCA == nil || entry.Domain != "DCC" || !entry.Allows(trust.UsageVaccination) {
					t.Errorf("%+v", entry)
				}
			}
		})
	}
}

func TestProofsOfTheWHO(t *testing.T) {
	t.Parallel()
	raw := readList(t, "prod-v2-any-NZL.did.json")
	source := foreign.Source{Name: "who", Format: foreign.FormatDID, Authenticity: foreign.Authenticity{ProofKeys: []*ecdsa.PublicKey{trusttest.WHOKey(t)}}}
	snapshot, err := foreign.Parse(raw, source)
	if err != nil || len(snapshot.Entries) != 39 || snapshot.Created.Year() != 2026 {
		t.Errorf("%v: %d entries of %v", err, len(snapshot.Entries), snapshot.Created)
	}
	for _, change := range [][2]string{{`"#NZL"`, `"#AUS"`}, {`"#DSC"`, `"#DECA"`}, {`"#DCC"`, `"#DCD"`}, {"2026-", "2027-"}} {
		bad := bytes.Replace(raw, []byte(change[0]), []byte(change[1]), 1)
		if _, err := foreign.Parse(bad, source); fault.KindOf(err) != fault.Rule {
			t.Errorf("%v: %v", change, err)
		}
	}
}

func TestListsThatReferAreRefused(t *testing.T) {
	t.Parallel()
	raw := readList(t, "prod-v2ref-DCC-XXH.did.json")
	if _, err := foreign.Parse(raw, pinnedSource(raw, foreign.FormatDID)); err == nil {
		t.Error("accepted")
	}
}
