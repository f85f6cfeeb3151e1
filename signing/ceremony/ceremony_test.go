package ceremony

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/governance"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

func TestCSCACeremony(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	result := s.hold(cscaFile)
	certificate := result.Certificates[0]
	if found := governance.LintCSCA(certificate); len(found) != 0 {
		t.Error(found)
	}
	public, err := s.keys.Public(t.Context(), keystore.Ref{Label: "csca", Version: 1})
	if err != nil || !public.Equal(certificate.PublicKey) {
		t.Errorf("the certificate is not of the key that was made: %v", err)
	}
	if parsed, err := parseCertificatePEM(s.read("xx-csca.pem")); err != nil || !parsed.Equal(certificate) {
		t.Errorf("the output is not the certificate: %v", err)
	}
	if len(result.Outputs) != 1 || result.Outputs[0].SHA256 != digest(s.read("xx-csca.pem")) {
		t.Errorf("outputs %+v", result.Outputs)
	}
	var events []string
	for _, l := range s.events("xx-csca.transcript.jsonl") {
		events = append(events, l.Event)
		if !l.Time.Equal(now) {
			t.Errorf("%s at %s", l.Event, l.Time)
		}
	}
	if want := []string{"begin", "key-made", "certified", "output", "end"}; !slices.Equal(events, want) {
		t.Errorf("transcript %v, want %v", events, want)
	}
}

func TestSignersOfEveryUsageInOneCeremony(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	csca, issuer := s.csca()
	result := s.hold(dscFile(issuer, allKeys()...).with(content{"publishAt": now.Add(time.Hour)}))
	operation := s.operation("xx-dsc.register.json")
	if operation.Kind != signing.OperationRegister || len(operation.Registrations) != len(keystore.Usages()) {
		t.Fatalf("%s with %d registrations", operation.Kind, len(operation.Registrations))
	}
	for i, usage := range keystore.Usages() {
		r, certificate := operation.Registrations[i], result.Certificates[i]
		if found := governance.Lint(usage, certificate, csca); len(found) != 0 {
			t.Errorf("%s: %v", usage, found)
		}
		if r.Usage != string(usage) || string(r.Certificate) != string(certificate.Raw) || string(r.Issuer) != string(csca.Raw) {
			t.Errorf("%s is registered with something else", usage)
		}
		if !r.PublishAt.Equal(now.Add(time.Hour)) || !r.ActivateAt.Equal(now.Add(25*time.Hour)) {
			t.Errorf("%s is published %s and signs from %s", usage, r.PublishAt, r.ActivateAt)
		}
		if (r.RetireAt != nil) != (usage == keystore.UsageVDSNC) {
			t.Errorf("%s retires at %v", usage, r.RetireAt)
		}
		if r.RetireAt != nil && !r.RetireAt.Equal(now.Add(96*governance.Day)) {
			t.Errorf("%s retires at %s", usage, r.RetireAt)
		}
		checkRegistration(t, s.keys, r)
	}
}

// The walk of docs/ceremony.md: the CSCA never meets the store of the signers.
func TestOfflineWalkOnTwoMachines(t *testing.T) {
	t.Parallel()
	offline, online := newSite(t), newSite(t)
	csca, issuer := offline.csca()
	key := content{"usage": "vaccination", "label": "dsc-vaccination", "commonName": "Test DSC 1"}
	online.hold(content{
		"name": "xx-request", "kind": "request", "country": "XX", "organization": "Test Ministry of Health", "keys": []content{key},
	})
	carried := online.read("xx-request-vaccination.request.json")
	if err := os.WriteFile(offline.path("request.json"), carried, 0o600); err != nil {
		t.Fatal(err)
	}
	before := len(offline.keys.keys)
	certify := dscFile(issuer, key.with(content{"label": nil, "request": "request.json", "requestSha256": digest(carried)})).with(content{"kind": "certify"})
	result := offline.hold(certify)
	if found := governance.Lint(keystore.UsageVaccination, result.Certificates[0], csca); len(found) != 0 {
		t.Error(found)
	}
	if len(offline.keys.keys) != before || len(online.keys.keys) != 1 {
		t.Error("a key was made on the wrong machine")
	}
	checkRegistration(t, online.keys, offline.operation("xx-dsc.register.json").Registrations[0])

	for name, changes := range map[string]content{
		"/keys/0/requestSha256": {"request": "request.json", "requestSha256": digest(nil)},
		"/keys/0/request":       {"request": "request.json", "requestSha256": digest(carried), "usage": "test"},
	} {
		again := certify.with(content{"name": "again", "keys": []content{key.with(content{"label": nil}).with(changes)}})
		if _, err := offline.prepare(again); !complains(err, name) {
			t.Errorf("want a complaint at %s, got %v", name, err)
		}
	}
}

// Who registers when is not known at the ceremony: without times the register decides.
func TestTimesThatAreAbsentAreLeftToTheRegister(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, issuer := s.csca()
	s.hold(dscFile(issuer, allKeys()[0]))
	if r := s.operation("xx-dsc.register.json").Registrations[0]; !r.PublishAt.IsZero() || !r.ActivateAt.IsZero() {
		t.Errorf("published %s, signs from %s", r.PublishAt, r.ActivateAt)
	}
	s.hold(dscFile(issuer, allKeys()[0]).with(content{"name": "later", "activateAt": now.Add(time.Hour)}))
	if r := s.operation("later.register.json").Registrations[0]; !r.PublishAt.IsZero() || !r.ActivateAt.Equal(now.Add(time.Hour)) {
		t.Errorf("published %s, signs from %s", r.PublishAt, r.ActivateAt)
	}
}

func TestSelfSignedUploadCertificate(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	file := dscFile(nil, content{"usage": "upload", "label": "up", "commonName": "Test upload", "selfSigned": true}).with(content{"issuer": nil})
	certificate := s.hold(file).Certificates[0]
	if found := governance.Lint(keystore.UsageUpload, certificate, certificate); len(found) != 0 {
		t.Error(found)
	}
	checkRegistration(t, s.keys, s.operation("xx-dsc.register.json").Registrations[0])
}

func TestNextVersionOfALabel(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, issuer := s.csca()
	for version := 1; version <= 2; version++ {
		name := []string{"", "first", "second"}[version]
		s.hold(dscFile(issuer, allKeys()[0]).with(content{"name": name}))
		if r := s.operation(name + ".register.json").Registrations[0]; r.Version != version {
			t.Errorf("version %d, want %d", r.Version, version)
		}
	}
}

func TestDryRunTouchesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, issuer := s.csca()
	calls, keys := s.keys.calls, len(s.keys.keys)
	plan, err := s.prepare(dscFile(issuer, allKeys()...).with(content{"publishAt": now}))
	if err != nil || plan.Country() != "XX" {
		t.Fatal(describe(err))
	}
	lines := strings.Join(plan.Describe(), "\n")
	for _, want := range []string{"xx-dsc", plan.source.SHA256, issuer["sha256"].(string), "dsc-vdsnc", "2026-11-22T09:30:00Z", "xx-dsc.register.json"} {
		if !strings.Contains(lines, want) {
			t.Errorf("the description lacks %q:\n%s", want, lines)
		}
	}
	entries, err := os.ReadDir(s.path("out"))
	if err != nil || len(entries) != 2 { // of the CSCA ceremony
		t.Errorf("%d files, %v", len(entries), err)
	}
	if s.keys.calls != calls || len(s.keys.keys) != keys {
		t.Error("the dry run touched the key store")
	}
}

func TestNoOutputIsOverwritten(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, issuer := s.csca()
	file := dscFile(issuer, allKeys()...)
	plan, err := s.prepare(file)
	if err != nil {
		t.Fatal(err)
	}
	keys := len(s.keys.keys)
	for _, name := range plan.outputs() {
		path := s.path("out", name)
		if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.prepare(file); !errors.Is(err, ErrOutputExists) {
			t.Errorf("prepared over %s: %v", name, err)
		}
		if _, err := plan.Perform(t.Context(), s.tools()); !errors.Is(err, ErrOutputExists) {
			t.Errorf("performed over %s: %v", name, err)
		}
		if string(s.read(name)) != "precious" {
			t.Fatalf("%s was overwritten", name)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.keys.keys) != keys {
		t.Error("a key was made for outputs that could not be written")
	}
	if err := os.Symlink("nowhere", s.path("out", "xx-dsc.register.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.prepare(file); !errors.Is(err, ErrOutputExists) {
		t.Errorf("prepared over a dangling link: %v", err)
	}
}

func TestOfRacingCeremoniesOneIsHeld(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var won atomic.Int32
	var all sync.WaitGroup
	var plans []*Plan
	for range 8 {
		plan, err := s.prepare(cscaFile)
		if err != nil {
			t.Fatal(err)
		}
		plans = append(plans, plan)
	}
	for _, plan := range plans {
		all.Go(func() {
			switch _, err := plan.Perform(t.Context(), s.tools()); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, ErrOutputExists):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 || len(s.keys.keys) != 1 {
		t.Errorf("%d ceremonies were held, %d keys were made", won.Load(), len(s.keys.keys))
	}
}

// A store that fails at any of its calls leaves no output, and a transcript without an end.
func TestCeremonyThatStopsLeavesNoOutput(t *testing.T) {
	t.Parallel()
	for call := 1; ; call++ {
		s := newSite(t)
		_, issuer := s.csca()
		before := s.keys.calls
		s.keys.fail = func(n int, _ string) error {
			if n == before+call {
				return keystore.ErrUnavailable
			}
			return nil
		}
		plan, err := s.prepare(dscFile(issuer, allKeys()[:2]...))
		if err != nil {
			t.Fatal(err)
		}
		if _, err = plan.Perform(t.Context(), s.tools()); err == nil {
			if call < 8 {
				t.Errorf("only %d calls", call)
			}
			return
		}
		if !errors.Is(err, keystore.ErrUnavailable) {
			t.Errorf("call %d: %v", call, err)
		}
		checkStopped(t, s, plan, call > 1)
	}
}

// checkStopped: of a ceremony that stopped there is only its transcript, if it had begun.
func checkStopped(t *testing.T, s *site, plan *Plan, begun bool) {
	t.Helper()
	for _, name := range plan.outputs() {
		if _, err := os.Lstat(s.path("out", name)); err == nil && name != plan.transcriptName() {
			t.Errorf("%s was left behind", name)
		}
	}
	hidden, err := filepath.Glob(s.path("out", ".*"))
	if err != nil || len(hidden) != 0 {
		t.Errorf("left behind: %v, %v", hidden, err)
	}
	if !begun {
		if _, err := os.Lstat(s.path("out", plan.transcriptName())); err == nil {
			t.Error("a transcript of a ceremony that did not begin")
		}
		return
	}
	events := s.events(plan.transcriptName())
	if last := events[len(events)-1]; last.Event != "failed" || last.Failure == "" {
		t.Errorf("the transcript ends with %+v", last)
	}
}

// Somebody takes an output's name while the keys sign: the link fails, nothing is replaced.
func TestOutputThatAppearsDuringTheCeremony(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.keys.fail = func(_ int, what string) error {
		if what != "sign" {
			return nil
		}
		return os.WriteFile(s.path("out", "xx-csca.pem"), []byte("precious"), 0o600)
	}
	plan, err := s.prepare(cscaFile)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Perform(t.Context(), s.tools()); !errors.Is(err, ErrOutputExists) {
		t.Error(err)
	}
	if string(s.read("xx-csca.pem")) != "precious" {
		t.Error("the output was overwritten")
	}
	events := s.events("xx-csca.transcript.jsonl")
	if last := events[len(events)-1]; last.Event != "failed" {
		t.Errorf("the transcript ends with %+v", last)
	}
}

func TestOutputsNeedADirectory(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	plan, err := s.prepare(cscaFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.path("out"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Perform(t.Context(), s.tools()); err == nil || s.keys.calls != 0 {
		t.Errorf("%v after %d calls", err, s.keys.calls)
	}
}

func TestOutputsAreTheOwnersAlone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	result := s.hold(cscaFile)
	for _, path := range []string{result.Outputs[0].Path, result.Transcript} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}

// A store that lies can stop a ceremony, not spoil it.
func TestStoreThatLies(t *testing.T) {
	t.Parallel()
	other := newMemory()
	ref, _, err := other.Create(t.Context(), "other")
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{"create", "public", "sign"} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.keys.bend = bendAt(what, other.keys[ref])
			plan, err := s.prepare(cscaFile)
			if err != nil {
				t.Fatal(err)
			}
			_, err = plan.Perform(t.Context(), s.tools())
			if !errors.Is(err, errLie) && !errors.Is(err, keystore.ErrOverwritten) {
				t.Error(err)
			}
			checkStopped(t, s, plan, true)
		})
	}
}

func TestCSCAKeyMustBeTheOneOfItsCertificate(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, issuer := s.csca()
	if _, _, err := s.keys.Create(t.Context(), "csca"); err != nil {
		t.Fatal(err)
	}
	plan, err := s.prepare(dscFile(issuer.with(content{"version": 2}), allKeys()[0]))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Perform(t.Context(), s.tools()); !errors.Is(err, errNotItsKey) {
		t.Error(err)
	}
	checkStopped(t, s, plan, false)
	if _, err := plan.Perform(t.Context(), Tools{Now: clock}); !errors.Is(err, errTools) {
		t.Error(err)
	}
}

// Findings name the part of the file, and an exception is by name.
func TestGovernanceStopsACeremonyUnlessExcepted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	csca := cscaFile["csca"].(content)
	file := cscaFile.with(content{"csca": csca.with(content{"validityDays": 500})})
	if _, err := s.prepare(file); !IsGovernance(err) || !complains(err, "/csca") {
		t.Errorf("%v", err)
	}
	plan, err := s.prepare(file.with(content{"ignore": []string{"validity-length"}}))
	if err != nil {
		t.Fatal(describe(err))
	}
	if !strings.Contains(strings.Join(plan.Describe(), "\n"), "EXCEPTION: validity-length") {
		t.Error("the description hides the exception")
	}
	if _, err := plan.Perform(t.Context(), s.tools()); err != nil {
		t.Error(describe(err))
	}
	if begin := s.events("xx-csca.transcript.jsonl")[0]; !slices.Equal(begin.Ignored, []string{"validity-length"}) {
		t.Errorf("the transcript hides the exception: %+v", begin)
	}
}

func TestCSCAMayNotSignAfterItsPrivateUse(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, issuer := s.csca()
	source, err := Read(s.write(dscFile(issuer, allKeys()[0])))
	if err != nil {
		t.Fatal(err)
	}
	later := now.Add(365*governance.Day + time.Second)
	if _, err := Prepare(source, s.path("out"), later); !errors.Is(err, errLint) || !strings.Contains(describe(err), "issuer-private-use") {
		t.Errorf("%v", err)
	}
}

func TestDevelopmentKeys(t *testing.T) {
	t.Parallel()
	subject := Subject{Country: "XX", Organization: "Test Ministry of Health"}
	for name, usages := range map[string][]keystore.Usage{"default": nil, "all": keystore.Usages()} {
		keys := newMemory()
		csca, operation, err := Development(t.Context(), keys, subject, now, usages...)
		if err != nil {
			t.Fatal(describe(err))
		}
		want := usages
		if want == nil {
			want = developmentUsages
		}
		if len(operation.Registrations) != len(want) || operation.Kind != signing.OperationRegister {
			t.Fatalf("%s: %d registrations", name, len(operation.Registrations))
		}
		if found := governance.LintCSCA(csca); len(found) != 0 {
			t.Error(found)
		}
		for i, r := range operation.Registrations {
			if r.Usage != string(want[i]) || r.Label != "dsc-"+r.Usage || !r.PublishAt.Equal(now) || !r.ActivateAt.Equal(now) {
				t.Errorf("%+v", r)
			}
			checkRegistration(t, keys, r)
		}
	}
	if _, _, err := Development(t.Context(), newMemory(), Subject{Country: "XXX", Organization: "O"}, now); !errors.Is(err, errLint) {
		t.Errorf("a country of three letters: %v", err)
	}
}
