package upload

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/vectors"
	"github.com/trustedparty/ddcc-gateway/test/harness"
	"github.com/trustedparty/ddcc-gateway/trust"
)

// runTool runs ddcc and gives its exit code and what it printed.
func runTool(t *testing.T, args ...string) (int, string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), harness.Binary(t, "ddcc"), args...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if exit != nil {
		return exit.ExitCode(), string(out)
	}
	return 0, string(out)
}

func writeFile(t *testing.T, path string, content []byte) string {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// importing is a running gateway with one source of others, and the files of it.
type importing struct {
	*harness.System
	sources, document, dir string
}

// newImporting describes a document by its digest.
func newImporting(t *testing.T, document []byte) importing {
	t.Helper()
	dir := t.TempDir()
	sum := sha256.Sum256(document)
	sources, err := json.Marshal(map[string]any{"sources": []any{map[string]any{
		"name": "neighbour", "format": "did", "digests": []string{hex.EncodeToString(sum[:])},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	i := importing{
		sources: writeFile(t, filepath.Join(dir, "sources.json"), sources), document: writeFile(t, filepath.Join(dir, "did.json"), document),
	}
	i.System = harness.New(t, "--foreign-sources="+i.sources, "--foreign-refresh=1s", "--foreign-retry=1s")
	i.dir = i.Install.Path("gateway", "foreign")
	return i
}

// TestListOfTheWHO: a published list of New Zealand, put in place by the operator's tool, is
// taken up by the running gateway.
func TestListOfTheWHO(t *testing.T) {
	t.Parallel()
	document := vectors.Read(t, "trustlist", "prod-v2-any-NZL.did.json")
	i := newImporting(t, document)
	entries := func() float64 {
		return metrics(t, i.System, "ddcc_foreign")[`ddcc_foreign_list_entries{source="neighbour"}`]
	}
	if got := metrics(t, i.System, "ddcc_foreign"); got[`ddcc_foreign_list_stale{source="neighbour"}`] != 1 || entries() != 0 {
		t.Fatalf("before the import: %v", got)
	}
	altered := writeFile(t, filepath.Join(t.TempDir(), "did.json"), bytes.Replace(document, []byte("#NZL"), []byte("#AUS"), 1))
	if code, out := runTool(t, "trust", "import", i.sources, "neighbour", altered, "--dir", i.dir); code != 1 || !strings.Contains(out, "REFUSED") {
		t.Errorf("an altered list: exit %d\n%s", code, out)
	}
	if code, out := runTool(t, "trust", "import", i.sources, "neighbour", i.document, "--dir", i.dir); code != 0 || !strings.Contains(out, "IMPORTED") {
		t.Fatalf("exit %d\n%s", code, out)
	}
	eventually(t, i.System, "the import", func() bool { return entries() == 39 })
	if got := metrics(t, i.System, "ddcc_foreign"); got[`ddcc_foreign_list_stale{source="neighbour"}`] != 0 || got[`ddcc_foreign_list_age_seconds{source="neighbour"}`] > 60 || len(got) != 3 {
		t.Errorf("after the import: %v", got)
	}
	if code, out := runTool(t, "trust", "status", i.sources, "--dir", i.dir); code != 0 || !strings.Contains(out, "FRESH neighbour") {
		t.Errorf("status: exit %d\n%s", code, out)
	}
}

// TestTheOtherCountry: what one installation publishes is imported by hand into another, and
// its certificates verify with the imported list and with nothing else.
func TestTheOtherCountry(t *testing.T) {
	t.Parallel()
	const did = "did:web:trust.example:v2:trustlist:DCC:XXX"
	other := harness.Start(t, harness.Options{
		Gateway: []string{"--trust-did=" + did}, Signer: []string{"--did=" + did, "--did-domain=DCC", "--did-participant=XXX"},
	})
	other.TrustList()
	path, err := trust.DIDPath(did)
	if err != nil {
		t.Fatal(err)
	}
	document, err := other.Get(path)
	if err != nil || document.Status != 200 {
		t.Fatalf("DID document: %d %s, %v", document.Status, document.Body, err)
	}
	issued, err := other.Post("/ddcc/generateHealthCertificate", harness.VS(t, "ABROAD-1"))
	if err != nil || issued.Status != 201 {
		t.Fatalf("issue: %d, %v", issued.Status, err)
	}
	text := harness.ReadCertificate(t, issued.Body).Text

	here := newImporting(t, document.Body)
	here.TrustList()
	published, err := here.Get("/trust/trustlist.json")
	if err != nil {
		t.Fatal(err)
	}
	own := writeFile(t, filepath.Join(t.TempDir(), "trustlist.json"), published.Body)
	foreign := []string{"--foreign-sources", here.sources, "--foreign-dir", here.dir}
	if code, out := runTool(t, append([]string{"verify", text, "--trust", own}, foreign...)...); code != 1 || !strings.Contains(out, "unknown_key") || !strings.Contains(out, "stale") {
		t.Errorf("before the import: exit %d\n%s", code, out)
	}
	if code, out := runTool(t, "trust", "import", here.sources, "neighbour", here.document, "--dir", here.dir, "--json"); code != 0 || !strings.Contains(out, `"XX"`) {
		t.Fatalf("import: exit %d\n%s", code, out)
	}
	for name, args := range map[string][]string{"both lists": append([]string{"--trust", own}, foreign...), "theirs alone": foreign} {
		if code, out := runTool(t, append([]string{"verify", text}, args...)...); code != 0 || !strings.Contains(out, "VALID (verified)") {
			t.Errorf("%s: exit %d\n%s", name, code, out)
		}
	}
	if code, out := runTool(t, "verify", text, "--trust", own); code != 1 || !strings.Contains(out, "unknown_key") {
		t.Errorf("ours alone: exit %d\n%s", code, out)
	}
	if code, _ := runTool(t, "verify", text); code != 2 {
		t.Errorf("no list: exit %d", code)
	}
	signed, err := here.Get("/trust/trustlist.jws")
	if err != nil {
		t.Fatal(err)
	}
	jws := writeFile(t, filepath.Join(t.TempDir(), "trustlist.jws"), signed.Body)
	if code, out := runTool(t, "trust", "show", jws, "--anchor", here.Install.Path("csca.pem")); code != 0 || !strings.Contains(out, "GENUINE") || !strings.Contains(out, "active key") {
		t.Errorf("show: exit %d\n%s", code, out)
	}
	if code, out := runTool(t, "trust", "show", jws, "--anchor", other.Install.Path("csca.pem")); code != 1 || strings.Contains(out, "GENUINE:") {
		t.Errorf("show with another anchor: exit %d\n%s", code, out)
	}
}
