package e2e

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	formats "github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/test/harness"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// TestSignerAwayWhilePublishing: revoking needs no signer, publishing does. The last lists are
// served meanwhile, the operator is told, and the new ones come by themselves.
func TestSignerAwayWhilePublishing(t *testing.T) {
	t.Parallel()
	s := harness.New(t, swiftly...)
	e := issueFormats(t, s, generate, beside, harness.VS(t, "AWAY-LISTS-1", swiss))
	before := waitManifest(t, s, 0)
	harness.Kill(s.Signer)
	revokeEvent(t, s, e.id)
	waitLog(t, s, "revocation lists not refreshed")
	waitReady(t, s, http.StatusServiceUnavailable)
	stillServed(t, s, before)
	if got := metric(t, s, "ddcc_revocations"); got != 0 {
		t.Errorf("%v revocations are said to be published", got)
	}
	s.StartSigner()
	wantVerdicts(t, s, copyOfLists(t, s, ofEvent, "--slices"), e, verification.ReasonRevoked, true)
	waitReady(t, s, http.StatusOK)
	if got, age := metric(t, s, "ddcc_revocations"), metric(t, s, "ddcc_revocation_list_age_seconds"); got != ofEvent || age > 60 {
		t.Errorf("%v revocations published, %v seconds old", got, age)
	}
}

// stillServed checks that the lists of a manifest are served, whole.
func stillServed(t *testing.T, s *harness.System, want formats.Manifest) {
	t.Helper()
	p := listsOf(t, s, want.Revocations)
	if p.manifest.Sequence != want.Sequence {
		t.Errorf("sequence %d is served, want %d", p.manifest.Sequence, want.Sequence)
	}
}

func waitLog(t *testing.T, s *harness.System, words string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(s.Logs(), words); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("nobody says: %s\n%s", words, warnings(s))
		}
	}
}

// metric reads a figure of the gateway.
func metric(t *testing.T, s *harness.System, name string) float64 {
	t.Helper()
	a, err := s.Admin("gateway", "/metrics")
	if err != nil || a.Status != http.StatusOK {
		t.Fatalf("%v, status %d", err, a.Status)
	}
	found := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindSubmatch(a.Body)
	if found == nil {
		t.Fatalf("no %s", name)
	}
	value, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// TestDiskOfListsFull: with a full disk the last lists are served on, nothing half is, and
// the new ones come when there is room.
func TestDiskOfListsFull(t *testing.T) {
	t.Parallel()
	disk := filepath.Join(t.TempDir(), "disk")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk).CombinedOutput(); err != nil {
		t.Skipf("no file system of a limited size can be mounted here: %s", out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", disk).CombinedOutput(); err != nil {
			t.Errorf("%v %s", err, out)
		}
	})
	s := harness.Start(t, harness.Options{Gateway: swiftly, Prepare: func(install devinstall.Installation) {
		if err := os.MkdirAll(install.Path("gateway"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(disk, install.Path("gateway", "revocation")); err != nil {
			t.Fatal(err)
		}
	}})
	e := issueFormats(t, s, generate, beside, harness.VS(t, "DISK-1", swiss))
	before := waitManifest(t, s, 0)
	ballast := filepath.Join(disk, "ballast")
	fill(t, ballast)
	revokeEvent(t, s, e.id)
	waitLog(t, s, "no space left on device")
	stillServed(t, s, before)
	s.Gateway.Stop()
	s.StartGateway() // and a restart needs no room either
	stillServed(t, s, before)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	wantVerdicts(t, s, copyOfLists(t, s, ofEvent, "--slices"), e, verification.ReasonRevoked, true)
	s.Stop()
	if left := generations(t, s); len(left) != 2 {
		t.Errorf("the directory has %v", left)
	}
}

// fill leaves no room on a disk.
func fill(t *testing.T, path string) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{64 << 10, 4 << 10, 1} {
		for err == nil {
			_, err = file.Write(bytes.Repeat([]byte{1}, size))
		}
		err = nil
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestListKeyRotation: the key that signs the lists changes while they are published; every
// manifest that is served verifies with the trust list of its moment.
func TestListKeyRotation(t *testing.T) {
	t.Parallel()
	s := harness.New(t, swiftly...)
	var events []issuedEvent
	for _, hcid := range []string{"ROTATE-1", "ROTATE-2", "ROTATE-3"} {
		events = append(events, issueFormats(t, s, generate, beside, harness.VS(t, hcid, swiss)))
	}
	revokeEvent(t, s, events[0].id)
	waitManifest(t, s, ofEvent)
	before := kidOfUsage(t, s, "trustlist")
	agree(t, s, nextKeyFor(t, s, keystore.UsageTrustList))
	revokeEvent(t, s, events[1].id)
	waitManifest(t, s, 2*ofEvent) // it verifies each one it sees
	if bytes.Equal(before, kidOfUsage(t, s, "trustlist")) {
		t.Fatal("the key has not changed")
	}
	harness.Kill(s.Gateway) // a stored generation is believed again, whoever signed it
	s.StartGateway()
	waitManifest(t, s, 2*ofEvent)
	revokeEvent(t, s, events[2].id)
	lists := copyOfLists(t, s, 3*ofEvent, "--slices")
	for _, e := range events {
		wantVerdicts(t, s, lists, e, verification.ReasonRevoked, true)
	}
}

// TestEmergencyStopAndLists: during a stop nothing is stated about revocations; what was
// stated is served, and afterwards what was revoked meanwhile is published.
func TestEmergencyStopAndLists(t *testing.T) {
	t.Parallel()
	s := harness.New(t, swiftly...)
	e := issueFormats(t, s, generate, beside, harness.VS(t, "STOP-LISTS-1", swiss))
	before := waitManifest(t, s, 0)
	if _, err := operator(t, s, 1).Stop(t.Context(), signing.StopDrill); err != nil {
		t.Fatal(err)
	}
	revokeEvent(t, s, e.id)
	waitLog(t, s, "emergency-stop") // is why they are not refreshed
	stillServed(t, s, before)
	agree(t, s, signing.OperationRequest{Kind: signing.OperationResume})
	wantVerdicts(t, s, copyOfLists(t, s, ofEvent, "--slices"), e, verification.ReasonRevoked, true)
	s.Stop()
	for _, entry := range auditLog(t, s) {
		if entry.Action == "revocations.failed" && entry.Outcome != "failure" {
			t.Errorf("%+v", entry)
		}
	}
}

// TestRegistryFromABackup: a registry from before a revocation does not know it. The gateway's
// audit log does. With signing stopped while it is repeated, verifiers are never told anything
// else; without, the lists are wrong in between.
func TestRegistryFromABackup(t *testing.T) {
	t.Parallel()
	for name, stopped := range map[string]bool{"as documented": true, "without a stop": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := harness.New(t, swiftly...)
			revokeEvent(t, s, issueFormats(t, s, generate, beside, harness.VS(t, "BACKUP-0", swiss)).id)
			e := issueFormats(t, s, generate, beside, harness.VS(t, "BACKUP-1", swiss))
			waitManifest(t, s, ofEvent)
			s.Gateway.Stop()
			backup := read(t, s.Install.Path("gateway", "registry.db"))
			s.StartGateway()
			revokeEvent(t, s, e.id)
			before := listsOf(t, s, 2*ofEvent)
			if stopped {
				if _, err := operator(t, s, 1).Stop(t.Context(), signing.StopDrill); err != nil {
					t.Fatal(err)
				}
			}
			restoreRegistry(t, s, backup)
			if stopped {
				waitLog(t, s, "revocation lists not refreshed")
				stillServed(t, s, before.manifest)
			} else if lost := waitManifest(t, s, ofEvent); lost.Sequence <= before.manifest.Sequence {
				t.Errorf("sequence %d after %d", lost.Sequence, before.manifest.Sequence)
			}
			for id, actions := range revocationActions(t, s) {
				if actions[len(actions)-1] == "certificate.revoked" {
					revokeEvent(t, s, id)
				}
			}
			if stopped {
				agree(t, s, signing.OperationRequest{Kind: signing.OperationResume})
			}
			after := listsOf(t, s, 2*ofEvent)
			wantVerdicts(t, s, copyOfLists(t, s, 2*ofEvent, "--slices"), e, verification.ReasonRevoked, true)
			for name, content := range before.lists {
				counted := !stopped && strings.HasPrefix(name, "crl/") // what was published in between counts
				if bytes.Equal(after.lists[name], content) == counted {
					t.Errorf("%s is not what it was", name)
				}
			}
		})
	}
}

// restoreRegistry puts a copy of the registry back and starts the gateway with it.
func restoreRegistry(t *testing.T, s *harness.System, backup []byte) {
	t.Helper()
	s.Gateway.Stop()
	registry := s.Install.Path("gateway", "registry.db")
	for _, file := range []string{registry + "-wal", registry + "-shm"} {
		if err := os.RemoveAll(file); err != nil {
			t.Fatal(err)
		}
	}
	write(t, registry, backup)
	s.StartGateway()
}
