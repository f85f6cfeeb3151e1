package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	formats "github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/test/harness"
	"github.com/trustedparty/ddcc-gateway/trust/revocation"
	"github.com/trustedparty/ddcc-gateway/verification"
)

const beside = "dcc,shc,vdsnc"

// ofEvent is how many certificates an event has with the formats of beside.
const ofEvent = 4

// swiftly are flags of a gateway that publishes as soon as something changes.
var swiftly = []string{"--revocation-refresh=100ms", "--trust-refresh=100ms"}

// TestRevokedInEveryFormat: after the next publication an offline copy refuses every format
// of a revoked event, says how certain it is, and nothing else is refused.
func TestRevokedInEveryFormat(t *testing.T) {
	t.Parallel()
	s := harness.New(t, swiftly...)
	first := issueFormats(t, s, generate, beside, harness.VS(t, "LISTED-1", swiss))
	second := issueFormats(t, s, generate, beside, harness.VS(t, "LISTED-2", swiss))
	dir := copyOfLists(t, s, 0)
	wantVerdicts(t, s, dir, first, verification.ReasonVerified, true)

	revokeEvent(t, s, first.id)
	dir = copyOfLists(t, s, ofEvent)
	wantVerdicts(t, s, dir, first, verification.ReasonRevoked, false)
	wantVerdicts(t, s, dir, second, verification.ReasonVerified, true)
	exact := copyOfLists(t, s, ofEvent, "--slices")
	wantVerdicts(t, s, exact, first, verification.ReasonRevoked, true)
	wantVerdicts(t, s, exact, second, verification.ReasonVerified, true)
	confirmed := copyOfLists(t, s, ofEvent, "--confirm", first.text(t, "who"), "--confirm", first.text(t, "dcc"), "--confirm", first.text(t, "vdsnc"))
	wantVerdicts(t, s, confirmed, first, verification.ReasonRevoked, true)
	if got, want := countFiles(t, confirmed, "slices"), 3; got != want {
		t.Errorf("%d slices confirm three certificates", got)
	}
	if r := verifierOf(t, s, exact).VerifyDocument(first.document); r.Reason != verification.ReasonRevoked {
		t.Errorf("the document: %s", r.Reason)
	}

	third := issueFormats(t, s, generate, beside, superseding(t, "LISTED-2", second.id))
	superseded := copyOfLists(t, s, 2*ofEvent, "--slices")
	wantVerdicts(t, s, superseded, second, verification.ReasonRevoked, true)
	wantVerdicts(t, s, superseded, third, verification.ReasonVerified, true)
	if got := holderStatus(t, s, second.id, "1979-03-08"); got.Status != "superseded" {
		t.Errorf("the holder is told %+v", got)
	}
	noPersonalData(t, s, "LISTED-")
}

// superseding is an event that takes the place of a certificate.
func superseding(t *testing.T, hcid, id string) []byte {
	t.Helper()
	return harness.JSON(t, map[string]any{"resourceType": "Parameters", "parameter": []any{
		map[string]any{"name": "response", "resource": json.RawMessage(harness.VS(t, hcid, swiss, harness.Items{"dose": {"valueInteger": 2}}))},
		map[string]any{"name": "supersedes", "valueId": id},
	}})
}

func revokeEvent(t *testing.T, s *harness.System, id string) {
	t.Helper()
	if out, err := runTool(t, gatewayArgs(s, "revoke", id, "--reason", "fraud")...); err != nil {
		t.Fatalf("%v %s\n%s", err, out, warnings(s))
	}
}

// waitManifest waits for a manifest of so many revocations and verifies it.
func waitManifest(t *testing.T, s *harness.System, revocations int64) formats.Manifest {
	t.Helper()
	var last string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		a, err := s.Get("/trust/revocation/manifest.jws")
		if err != nil || a.Status != http.StatusOK {
			last = string(a.Body)
			continue
		}
		m, err := revocation.VerifyManifest(a.Body, s.TrustList(), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if m.Revocations == revocations {
			return m
		}
		last = string(harness.JSON(t, m))
	}
	t.Fatalf("no manifest of %d revocations: %s\n%s", revocations, last, warnings(s))
	return formats.Manifest{}
}

// warnings are the lines of the logs that an operator looks at.
func warnings(s *harness.System) string {
	var out strings.Builder
	for line := range strings.Lines(s.Logs()) {
		if strings.Contains(line, `"level":"ERROR"`) || strings.Contains(line, `"level":"WARN"`) {
			out.WriteString(line)
		}
	}
	return out.String()
}

// copyOfLists makes an offline copy with the tool, once so many revocations are published.
func copyOfLists(t *testing.T, s *harness.System, revocations int64, more ...string) string {
	t.Helper()
	waitManifest(t, s, revocations)
	dir := t.TempDir()
	if out, err := copyTo(t, s, dir, more...); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	return filepath.Join(dir, "lists")
}

func copyTo(t *testing.T, s *harness.System, dir string, more ...string) (string, error) {
	t.Helper()
	a, err := s.Get("/trust/trustlist.json")
	if err != nil || a.Status != http.StatusOK {
		t.Fatalf("%v, status %d", err, a.Status)
	}
	write(t, filepath.Join(dir, "trustlist.json"), a.Body)
	return runTool(t, append([]string{
		"trust", "revocations", "--gateway", s.URL, "--ca", s.Install.Path("tls", "ca.pem"),
		"--trust", filepath.Join(dir, "trustlist.json"), "--out", filepath.Join(dir, "lists"), "--json",
	}, more...)...)
}

// verifierOf verifies with an offline copy.
func verifierOf(t *testing.T, s *harness.System, dir string) *verification.Verifier {
	t.Helper()
	list := s.TrustList()
	set, err := revocation.Load(os.DirFS(dir), list, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return &verification.Verifier{List: list, Revocations: set}
}

// wantVerdicts verifies every certificate of an event. What is not exact carries a warning,
// except for cards: their list is always there.
func wantVerdicts(t *testing.T, s *harness.System, dir string, e issuedEvent, reason verification.Reason, exact bool) {
	t.Helper()
	verifier := verifierOf(t, s, dir)
	if len(e.all) != ofEvent {
		t.Fatalf("issued %v; %v", e.formats(), e.rules)
	}
	for _, c := range e.all {
		r := verifier.VerifyText(c.text)
		if r.Reason != reason {
			t.Errorf("%s: %s (%s), want %s", c.format, r.Reason, r.Detail, reason)
		}
		if got := !slices.Contains(r.Warnings, verification.WarningUnconfirmed); got != (exact || c.format == "shc") {
			t.Errorf("%s: warnings %v", c.format, r.Warnings)
		}
		if slices.Contains(r.Warnings, verification.WarningRevocation) || slices.Contains(r.Warnings, verification.WarningStale) {
			t.Errorf("%s: warnings %v", c.format, r.Warnings)
		}
	}
}

func countFiles(t *testing.T, dir, below string) int {
	t.Helper()
	count := 0
	err := filepath.WalkDir(filepath.Join(dir, below), func(_ string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			count++
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return count
}

// TestCopyIsResumed: a copy that broke off goes on, a complete one fetches nothing, and one
// with the lists of another authority, an older manifest or changed bytes is refused.
func TestCopyIsResumed(t *testing.T) {
	t.Parallel()
	s := harness.New(t, swiftly...)
	e := issueFormats(t, s, generate, beside, harness.VS(t, "RESUME-1", swiss))
	revokeEvent(t, s, e.id)
	m := waitManifest(t, s, ofEvent)
	dir := t.TempDir()
	lists := filepath.Join(dir, "lists")
	filter := m.Artefacts[slices.IndexFunc(m.Artefacts, func(a formats.Artefact) bool { return a.Kind == formats.KindFilter })]
	half, err := s.Get("/trust/revocation/" + filter.Name)
	if err != nil || int64(len(half.Body)) != filter.Size {
		t.Fatalf("%v, %d bytes", err, len(half.Body))
	}
	if err := os.MkdirAll(filepath.Join(lists, ".partial"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(lists, ".partial", filter.SHA256), half.Body[:20])
	type copied struct{ Files, Bytes int64 }
	for _, whole := range []bool{true, false} {
		out, err := copyTo(t, s, dir)
		var c copied
		if json.Unmarshal([]byte(out), &c) != nil || err != nil {
			t.Fatalf("%v %s", err, out)
		}
		var want int64
		for _, a := range m.Artefacts {
			if whole && (a.Kind == formats.KindFilter || a.Kind == formats.KindCRL) {
				want += a.Size
			}
		}
		if whole {
			want -= 20
		}
		if c.Bytes != want {
			t.Errorf("fetched %d bytes, want %d", c.Bytes, want)
		}
	}
	whole := read(t, filepath.Join(lists, filter.Name))
	changed := slices.Clone(whole)
	changed[len(changed)/2] ^= 1
	write(t, filepath.Join(lists, filter.Name), changed)
	if _, err := revocation.Load(os.DirFS(lists), s.TrustList(), time.Now()); err == nil {
		t.Error("a changed filter was loaded")
	}
	if out, err := copyTo(t, s, dir); err != nil {
		t.Errorf("%v %s", err, out)
	}
	wantVerdicts(t, s, lists, e, verification.ReasonRevoked, false)

	other := harness.New(t, swiftly...)
	waitManifest(t, other, 0)
	out, err := runTool(t, "trust", "revocations", "--gateway", other.URL, "--ca", other.Install.Path("tls", "ca.pem"),
		"--trust", filepath.Join(dir, "trustlist.json"), "--out", lists)
	if exit(err) != 1 || !strings.Contains(out, "revocation-manifest-signature") {
		t.Errorf("lists of another authority: exit %d: %s", exit(err), out)
	}
	wantVerdicts(t, s, lists, e, verification.ReasonRevoked, false)
}
