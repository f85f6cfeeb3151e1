package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// closed are parts that nobody else may import, whatever walls says. Who needs what they do
// declares a port, and cmd/gateway puts both together: there is no edge that knows them all
// (ADR 21). A part is a folder and everything below it that has no line of its own. Tests may.
var closed = map[string][]string{
	// The embedded server is one FHIR server among others: everybody goes through the client.
	"fhir/server":            {"cmd/gateway", "test"},
	"fhir/server/index":      {"fhir/server"},
	"fhir/server/rawjson":    {"fhir/server"},
	"fhir/server/schema":     {"fhir/server"},
	"fhir/server/store":      {"fhir/server"},
	"fhir/search":            {"fhir/server", "test"},
	"fhir/client":            {"fhir/client/clienttest", "issuance/delivery", "mediator/structuremap", "cmd/gateway", "test"},
	"fhir/client/clienttest": {"test"},

	// What goes out.
	"issuance/delivery":              {"cmd/gateway", "test"},
	"issuance/delivery/deliverytest": {"test"},
	"fhir/maps/registration":         {"issuance/delivery", "test"},

	// What comes in, and what is written down of it.
	"mediator/httpapi":      {"mediator/bulk/httpapi", "cmd/gateway", "test"}, // bulk issue has its edge, and authenticates as it does
	"mediator/bulk":         {"mediator/bulk/httpapi", "cmd/gateway", "test"},
	"mediator/hl7":          {"mediator/hl7/httpapi", "mediator/mllp", "cmd/gateway", "test"},
	"mediator/mllp":         {"cmd/gateway", "test"},
	"mediator/openhim":      {"cmd/gateway", "test"},
	"mediator/structuremap": {"cmd/gateway", "test"},
	"mediator/transaction":  {"mediator/transaction/httpapi", "cmd/gateway", "test"},
	"fhir/hl7v2":            {"mediator/hl7", "mediator/mllp", "test"},
	"fhir/ccda":             {"mediator", "cmd/ddcc", "test"},
	"fhir/tabular":          {"mediator/bulk", "cmd/ddcc", "test"},
}

func below(path, part string) bool { return path == part || strings.HasPrefix(path, part+"/") }

// closedPart is the longest part that has a line and that path belongs to.
func closedPart(path string) (best string, found bool) {
	for part := range closed {
		if below(path, part) && len(part) > len(best) {
			best, found = part, true
		}
	}
	return best, found
}

func TestClosedParts(t *testing.T) {
	t.Parallel()
	there := map[string]bool{}
	for _, p := range list(t, module+"...") {
		from := strings.TrimPrefix(p.ImportPath, module)
		there[from] = true
		for _, imported := range p.Imports {
			to, own := strings.CutPrefix(imported, module)
			part, ok := closedPart(to)
			if own && ok && !slices.ContainsFunc(closed[part], func(may string) bool { return below(from, may) }) {
				t.Errorf("%s must not import %s; see ADR 21", from, to)
			}
		}
	}
	for part := range closed {
		if !there[part] {
			t.Errorf("there is no %s; its line guards nothing", part)
		}
	}
}

// TestSignerLinksNoEdge: of what reads the bytes of others the process with the keys has nothing
// but the value sets that its policy names.
func TestSignerLinksNoEdge(t *testing.T) {
	t.Parallel()
	for _, p := range list(t, module+"cmd/signer") {
		for _, d := range p.Deps {
			to := strings.TrimPrefix(d, module)
			if below(to, "mediator") || below(to, "issuance") || below(to, "fhir") && to != "fhir/terminology" {
				t.Errorf("cmd/signer links %s", to)
			}
		}
	}
}

// TestCommandsLinkNoTests: peers that fail as they are told, keys and clocks of tests stay out.
func TestCommandsLinkNoTests(t *testing.T) {
	t.Parallel()
	for _, p := range list(t, module+"cmd/...") {
		for _, d := range p.Deps {
			to, own := strings.CutPrefix(d, module)
			if d == "testing" || own && (strings.HasSuffix(to, "test") || below(to, "test") || to == "internal/vectors") {
				t.Errorf("%s links %s", p.ImportPath, d)
			}
		}
	}
}

// impure is what makes the same input give another output.
var impure = []string{"context", "crypto/rand", "database/sql", "log", "log/slog", "math/rand", "math/rand/v2", "net", "net/http", "os", "os/exec", "sync"}

// impureCalls are those of packages that have a pure side.
var impureCalls = map[string][]string{
	"time": {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick", "Local"},
	"uuid": {"New", "NewString", "NewRandom", "NewUUID", "NewV6", "NewV7"},
}

// TestConvertersArePure: the same message or document gives the same bytes and ids, at any time
// and anywhere.
func TestConvertersArePure(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, p := range list(t, module+"fhir/hl7v2/...", module+"fhir/ccda/...", module+"fhir/tabular/...", module+"fhir/maps/...", module+"fhir/internal/...") {
		for _, imported := range p.Imports {
			names := imported == "net/http" && p.ImportPath == module+"fhir/maps/registration" // the methods of FHIR's requests
			if slices.Contains(impure, imported) && !names {
				t.Errorf("%s imports %s", p.ImportPath, imported)
			}
		}
		for _, name := range p.GoFiles {
			for _, call := range impureIn(t, filepath.Join(p.Dir, name)) {
				t.Errorf("%s, %s: %s", p.ImportPath, name, call)
			}
			checked++
		}
	}
	if checked < 50 {
		t.Fatalf("only %d files checked", checked)
	}
}

// impureIn lists what a file uses of impureCalls.
func impureIn(t *testing.T, path string) (found []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && slices.Contains(impureCalls[x.Name], s.Sel.Name) {
				found = append(found, x.Name+"."+s.Sel.Name)
			}
		}
		return true
	})
	return found
}
