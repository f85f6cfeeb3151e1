package upload

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/test/harness"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/dgcgateway/gatewaytest"
	"github.com/trustedparty/ddcc-gateway/trust/foreign/pinned"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
)

// usages are those of the demo and the key that signs uploads.
var usages = []keystore.Usage{
	keystore.UsageVaccination, keystore.UsageTest, keystore.UsageDocument, keystore.UsageTrustList, keystore.UsageUpload,
}

// abroad is a stand-in for a national gateway, and the files of a client of it.
type abroad struct {
	*gatewaytest.Server
	dir string
	tls gatewayCertificate
}

// gatewayCertificate is what the stand-in registers as client.
type gatewayCertificate = gatewaytest.Country

func newAbroad(t *testing.T) abroad {
	t.Helper()
	a := abroad{Server: gatewaytest.NewAt(t, time.Now()), dir: t.TempDir()}
	a.tls = gatewaytest.Country{Code: devinstall.Country, TLS: a.ClientCertificate(t, devinstall.Country, time.Now().AddDate(1, 0, 0))}
	key, err := x509.MarshalPKCS8PrivateKey(a.tls.TLS.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, a.path("client.pem"), "CERTIFICATE", a.tls.TLS.Certificate[0])
	writePEM(t, a.path("client.key"), "PRIVATE KEY", key)
	writePEM(t, a.path("ca.pem"), "CERTIFICATE", a.CA().Raw)
	return a
}

func (a abroad) path(name string) string { return filepath.Join(a.dir, name) }

// flags are those of a gateway that uploads; pin is the key it expects.
func (a abroad) flags(pin pinned.Pin) []string {
	return []string{
		"--upload-url=" + a.URL, "--upload-pin=" + pin.String(), "--upload-every=1s",
		"--upload-tls-cert=" + a.path("client.pem"), "--upload-tls-key=" + a.path("client.key"), "--upload-tls-ca=" + a.path("ca.pem"),
	}
}

// register onboards the authority of an installation, with its real CSCA and upload key.
func (a abroad) register(t *testing.T) func(devinstall.Installation) {
	t.Helper()
	return func(install devinstall.Installation) {
		anchors, err := trust.ReadAnchors([]string{install.Path("csca.pem")})
		if err != nil {
			t.Fatal(err)
		}
		key, err := install.Key(keystore.UsageUpload)
		if err != nil {
			t.Fatal(err)
		}
		country := a.tls
		country.CSCA = trusttest.Pair{Cert: anchors[0]}
		country.Upload = trusttest.Pair{Cert: key.Certificate, Key: key.Signer(context.WithoutCancel(t.Context()))}
		a.Register(t, country)
	}
}

func writePEM(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// metrics gives the samples of the gateway whose names begin with prefix. The listener for
// them comes last when a gateway starts.
func metrics(t *testing.T, s *harness.System, prefix string) map[string]float64 {
	t.Helper()
	var answer harness.Answer
	eventually(t, s, "an answer of the admin listener", func() bool {
		var err error
		answer, err = s.Admin("gateway", "/metrics")
		return err == nil && answer.Status == http.StatusOK
	})
	found := map[string]float64{}
	for line := range strings.Lines(string(answer.Body)) {
		name, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(line)
		}
		found[name] = value
	}
	return found
}

// eventually waits for a state of the system.
func eventually(t *testing.T, s *harness.System, what string, is func() bool) {
	t.Helper()
	for range 300 {
		if is() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("%s does not happen\n%s", what, s.Logs())
}

// TestCertificatesReachTheNationalGateway: what the signer publishes is on the gateway soon
// after the start, once, and nothing else is.
func TestCertificatesReachTheNationalGateway(t *testing.T) {
	t.Parallel()
	a := newAbroad(t)
	s := harness.Start(t, harness.Options{
		Usages: usages, Prepare: a.register(t), Gateway: a.flags(a.TLS(a.tls).Pins[0]),
	})
	eventually(t, s, "the upload", func() bool {
		return metrics(t, s, "ddcc_upload")[`ddcc_upload_certificates{state="listed"}`] == 2
	})
	uploaded := 0
	for _, entry := range s.TrustList().Entries() {
		if entry.Allows(trust.UsageTrustList) || entry.Allows(trust.UsageDocument) {
			if a.Has(entry.DSC) {
				t.Errorf("uploaded, although it is not for HCERT: %v", entry.Usages)
			}
			continue
		}
		uploaded++
		if !a.Has(entry.DSC) {
			t.Errorf("not on the gateway: %s", entry.DSC.Subject)
		}
	}
	if uploaded != 2 || a.Created() != 2 {
		t.Errorf("%d keys are published and %d uploads were stored, want 2", uploaded, a.Created())
	}
	before := a.Requests()
	eventually(t, s, "the next look", func() bool { return a.Requests() > before })
	got := metrics(t, s, "ddcc_upload")
	if a.Created() != 2 || got["ddcc_upload_failed"] != 0 || got["ddcc_upload_age_seconds"] > 60 || len(got) != 5 {
		t.Errorf("%d stored, %v", a.Created(), got)
	}
	// Restarted, the gateway finds everything there and sends nothing again.
	s.Gateway.Stop()
	s.StartGateway()
	eventually(t, s, "the look after a restart", func() bool {
		return metrics(t, s, "ddcc_upload")[`ddcc_upload_certificates{state="listed"}`] == 2
	})
	if a.Created() != 2 {
		t.Errorf("%d uploads were stored, want 2", a.Created())
	}
}

// TestWrongPin: a server with the right CA and another key gets nothing at all.
func TestWrongPin(t *testing.T) {
	t.Parallel()
	a := newAbroad(t)
	s := harness.Start(t, harness.Options{
		Usages: usages, Prepare: a.register(t), Gateway: a.flags(pinned.PinOf(a.tls.TLS.Leaf)),
	})
	checkFailure(t, s, a)
	if !strings.Contains(s.Logs(), pinned.ErrPin.Error()) {
		t.Error("the log does not say why")
	}
}

// TestNoUploadKey: who configured the upload is told that the signer cannot do its part.
func TestNoUploadKey(t *testing.T) {
	t.Parallel()
	a := newAbroad(t)
	s := harness.New(t, a.flags(a.TLS(a.tls).Pins[0])...)
	checkFailure(t, s, a)
	if !strings.Contains(s.Logs(), "upload-nothing") {
		t.Error("the log does not say why")
	}
}

func checkFailure(t *testing.T, s *harness.System, a abroad) {
	t.Helper()
	eventually(t, s, "the failure", func() bool { return metrics(t, s, "ddcc_upload")["ddcc_upload_failed"] == 1 })
	got := metrics(t, s, "ddcc_upload")
	if !math.IsInf(got["ddcc_upload_age_seconds"], 1) || got[`ddcc_upload_certificates{state="listed"}`] != 0 {
		t.Errorf("%v", got)
	}
	if a.Requests() != 0 {
		t.Errorf("%d requests reached the gateway", a.Requests())
	}
}

// TestOffByDefault: without settings nothing is uploaded or imported, nor counted.
func TestOffByDefault(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.Options{Usages: usages})
	s.TrustList()
	if got := metrics(t, s, "ddcc_"); len(got) == 0 || slices.ContainsFunc(names(got), func(name string) bool {
		return strings.HasPrefix(name, "ddcc_upload") || strings.HasPrefix(name, "ddcc_foreign")
	}) {
		t.Errorf("%v", names(got))
	}
	if _, err := os.Stat(s.Install.Path("gateway", "foreign")); !os.IsNotExist(err) {
		t.Errorf("a folder for the lists of others: %v", err)
	}
}

func names(samples map[string]float64) []string {
	all := make([]string, 0, len(samples))
	for name := range samples {
		all = append(all, name)
	}
	return all
}
