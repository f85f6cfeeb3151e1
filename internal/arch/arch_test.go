// Package arch keeps the import walls of the house: who may import whom is a table here,
// and a test reads the real imports. A new arrow is a decision (docs/adr), not an accident.
package arch

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/trustedparty/ddcc-gateway/"

// walls: for each part of the tree, the parts of this module it may import. A part is a
// folder and everything below it that has no line of its own; the longest match counts.
var walls = map[string][]string{
	"internal/platform": {"internal/platform"},
	"formats":           {"formats", "internal/platform/fault", "internal/platform/uuid8"},
	// The reader and what stands on it must not share code with the writer.
	"formats/hcert/reader": {},
	"formats/shc/reader":   {"formats/strictjson"},
	"formats/vdsnc/reader": {"formats/strictjson"},
	"formats/divoc":        {"formats/strictjson"},
	"fhir":                 {"fhir", "formats", "internal/platform/fault", "internal/platform/uuid8"},
	"fhir/client":          {"fhir", "fhir/client", "internal/platform"},
	"fhir/server":          {"fhir", "fhir/server", "formats/strictjson", "internal/platform"},
	"signing":              {"signing", "formats", "internal/platform"},
	"signing/client":       {"signing", "formats", "internal/platform"},
	"signing/keystore":     {"signing/keystore", "formats", "internal/platform"},
	"signing/service":      {"signing", "signing/keystore", "signing/policy", "signing/service", "formats", "fhir/terminology", "verification", "internal/platform"},
	"signing/policy":       {"signing/keystore", "internal/platform"},
	"signing/refusals":     {"internal/platform"},
	"signing/keyring":      {"signing", "signing/keyring", "signing/keystore", "internal/platform"},
	"signing/operations":   {"signing", "signing/operations", "internal/platform"},
	"signing/publication":  {"signing", "signing/keystore", "formats/cms", "trust", "internal/platform"},
	"signing/revocations":  {"signing", "signing/revocations", "signing/keystore", "formats/revocation", "internal/platform"},
	"signing/governance":   {"signing/keystore"},
	"signing/ceremony":     {"signing", "signing/ceremony", "signing/governance", "signing/keystore", "internal/platform"},
	"signing/signingtest":  {"signing", "signing/keystore", "signing/policy", "formats"},
	// Whoever tests a register needs certificates that pass its lints.
	"signing/keyring/keyringtest":    {"signing", "signing/governance", "signing/keyring", "signing/keystore", "signing/signingtest", "internal/platform"},
	"trust":                          {"trust", "formats", "internal/platform"},
	"verification":                   {"verification", "formats", "trust"},
	"issuance":                       {"issuance", "fhir", "formats", "signing", "signing/client", "internal/platform"},
	"issuance/delivery/deliverytest": {"issuance", "fhir", "formats", "signing", "trust", "verification", "internal/platform"},
	"mediator":                       {"mediator", "fhir", "issuance", "internal/platform"},
	"mediator/transaction":           {"mediator/transaction", "internal/platform"}, // it must not know what a request means
	"cmd/gateway":                    {"mediator", "issuance", "signing", "signing/client", "trust", "verification", "fhir", "formats/revocation", "formats/shlink", "formats/wallet", "internal/platform"},
	"cmd/signer": {
		"signing", "signing/service", "signing/keystore", "signing/keyring", "signing/governance", "signing/operations",
		"signing/policy", "signing/publication", "signing/refusals", "signing/revocations", "trust", "internal/platform",
	},
	"cmd/ddcc":            {"cmd/ddcc", "fhir", "formats", "mediator", "signing", "signing/client", "signing/ceremony", "signing/keystore", "trust", "verification", "internal/platform", "internal/devinstall"},
	"internal/devinstall": {"signing", "signing/client", "signing/ceremony", "signing/keystore", "signing/policy", "formats", "mediator", "internal/platform"},
	"test":                {""},
	"internal/arch":       {},
	"internal/vectors":    {}, // for tests alone: no part may import it
}

// exact lists targets that mean only themselves, not what is below: who may use the
// signing contract must not reach the service.
var exact = map[string]bool{"signing": true}

// pkg is what go list says of a package.
type pkg struct {
	ImportPath, Dir        string
	GoFiles, Imports, Deps []string
}

func list(t *testing.T, args ...string) []pkg {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", append([]string{"list", "-json=ImportPath,Dir,GoFiles,Imports,Deps"}, args...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []pkg
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p pkg
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestImportWalls(t *testing.T) {
	t.Parallel()
	for _, p := range list(t, module+"...") {
		from := strings.TrimPrefix(p.ImportPath, module)
		part, ok := partOf(from)
		if !ok {
			t.Errorf("%s belongs to no part; give it a line in walls", from)
			continue
		}
		for _, imported := range p.Imports {
			to, own := strings.CutPrefix(imported, module)
			if own && !allowed(part, to) {
				t.Errorf("%s must not import %s", from, to)
			}
		}
	}
}

func partOf(path string) (string, bool) {
	best, found := "", false
	for part := range walls {
		if (path == part || strings.HasPrefix(path, part+"/")) && len(part) >= len(best) {
			best, found = part, true
		}
	}
	return best, found
}

func allowed(part, to string) bool {
	for _, target := range walls[part] {
		switch {
		case target == "" || to == target:
			return true
		case strings.HasPrefix(to, target+"/") && !exact[target]:
			return true
		}
	}
	return false
}

// keyCode is everything that can reach a private key, make one, or say which is to be used.
var keyCode = []string{
	"signing/service", "signing/keystore", "signing/keyring", "signing/operations", "signing/publication", "signing/revocations",
	"signing/ceremony", "signing/policy",
}

// TestKeyCodeIsLinkedBySignerAndCeremonyAlone is the wall that matters most.
func TestKeyCodeIsLinkedBySignerAndCeremonyAlone(t *testing.T) {
	t.Parallel()
	mayLink := map[string]bool{"cmd/signer": true, "cmd/ddcc": true, "internal/devinstall": true}
	checked := 0
	for _, p := range list(t, module+"...") {
		from := strings.TrimPrefix(p.ImportPath, module)
		if mayLink[from] || strings.HasPrefix(from, "signing/") || strings.HasPrefix(from, "test/") {
			continue
		}
		checked++
		for _, d := range p.Deps {
			to := strings.TrimPrefix(d, module)
			if slices.ContainsFunc(keyCode, func(part string) bool { return strings.HasPrefix(to, part) }) {
				t.Errorf("%s links %s", from, to)
			}
		}
	}
	if checked < 10 {
		t.Fatalf("only %d packages checked", checked)
	}
}

// TestReaderSharesNothingWithTheWriter: what checks a certificate must not be made of what
// wrote it.
func TestReaderSharesNothingWithTheWriter(t *testing.T) {
	t.Parallel()
	writers := []string{
		module + "formats/hcert", module + "formats/shc", module + "formats/vdsnc",
		"github.com/veraison/go-cose", "github.com/go-jose/go-jose/v4",
	}
	for _, p := range list(t, module+"formats/hcert/reader", module+"formats/shc/reader", module+"formats/vdsnc/reader", module+"verification") {
		for _, forbidden := range writers {
			if slices.Contains(p.Deps, forbidden) {
				t.Errorf("%s links %s", p.ImportPath, forbidden)
			}
		}
	}
}
