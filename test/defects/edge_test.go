package defects

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/mediator"
	"github.com/trustedparty/ddcc-gateway/test/harness"
)

func edgeIsGuarded(t *testing.T, s *harness.System) {
	t.Run("who", func(t *testing.T) { onlyIssuersIssue(t, s) })
	t.Run("foreign CA", func(t *testing.T) { foreignCertificatesAreRefused(t, s) })
	t.Run("plain HTTP", func(t *testing.T) {
		resp, err := http.Get(strings.Replace(s.URL, "https", "http", 1) + "/ddcc/metadata")
		if err == nil {
			defer func() { _ = resp.Body.Close() }()
			if resp.StatusCode == http.StatusOK {
				t.Error("plain HTTP is served")
			}
		}
	})
	t.Run("signer", func(t *testing.T) {
		for _, path := range []string{"/v1/trust", "/v1/register", "/readyz"} {
			req, err := http.NewRequest(http.MethodGet, "https://"+s.SignerAddress+path, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			for _, certificate := range []string{"issuer", "signer", ""} {
				if a, err := harness.Do(s.Client(certificate), req); err == nil {
					t.Errorf("the signer talks to %q about %s: status %d", certificate, path, a.Status)
				}
			}
		}
	})
	t.Run("health", func(t *testing.T) {
		for _, process := range []string{"gateway", "signer"} {
			for _, path := range []string{"/livez", "/readyz", "/metrics"} {
				if a, err := s.Admin(process, path); err != nil || a.Status != http.StatusOK {
					t.Errorf("%s%s: %v, status %d", process, path, err, a.Status)
				}
			}
		}
	})
	t.Run("rate", rateIsLimited)
	t.Run("shutdown", shutdownIsGraceful)
}

func onlyIssuersIssue(t *testing.T, s *harness.System) {
	body := harness.VS(t, hcid(t))
	for certificate, status := range map[string]int{"": 401, "gateway": 403, "signer": 403} {
		client := s.Anonymous
		if certificate != "" {
			client = s.Client(certificate)
		}
		for _, path := range []string{generate, submit, generate + "/$validate"} {
			req, err := http.NewRequest(http.MethodPost, s.URL+path, strings.NewReader(string(body)))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/fhir+json")
			req.Header.Set("X-Client-Cert", devpki.IssuerName) // a header proves nothing
			a, err := harness.Do(client, req)
			if err != nil {
				t.Fatal(err)
			}
			refused(t, a, status)
		}
	}
}

func foreignCertificatesAreRefused(t *testing.T, s *harness.System) {
	ca, err := devpki.NewCA(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	expired, err := devpki.NewCA(time.Now().AddDate(-1, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	trusted, err := os.ReadFile(s.Install.Path("tls", "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(trusted)
	for name, issuing := range map[string]*devpki.CA{"another CA": ca, "expired": expired} {
		certPEM, keyPEM, err := issuing.Issue(devpki.IssuerName)
		if err != nil {
			t.Fatal(err)
		}
		pair, err := tls.X509KeyPair(certPEM, keyPEM)
		if err != nil {
			t.Fatal(err)
		}
		client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{
			RootCAs: pool, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS13,
		}}}
		if resp, err := client.Get(s.URL + "/ddcc/metadata"); err == nil {
			_ = resp.Body.Close()
			t.Errorf("a certificate of %s got status %d", name, resp.StatusCode)
		}
	}
}

// rateIsLimited runs a system of its own with a tiny rate.
func rateIsLimited(t *testing.T) {
	s := harness.New(t)
	s.Gateway.Stop()
	var policy mediator.Policy
	raw, err := os.ReadFile(s.Install.Path("issuers.json"))
	if err == nil {
		err = json.Unmarshal(raw, &policy)
	}
	if err != nil {
		t.Fatal(err)
	}
	policy.Issuers[0].Rate, policy.Issuers[0].Burst = 0.1, 3
	if err := os.WriteFile(s.Install.Path("issuers.json"), harness.JSON(t, policy), 0o600); err != nil {
		t.Fatal(err)
	}
	s.StartGateway()
	limited := 0
	for range 6 {
		a := post(t, s, generate, harness.VS(t, hcid(t)))
		if a.Status == http.StatusTooManyRequests {
			limited++
			refused(t, a, http.StatusTooManyRequests)
			if a.Header.Get("Retry-After") == "" {
				t.Error("429 without Retry-After")
			}
		}
	}
	if limited != 3 {
		t.Errorf("%d of 6 requests limited, want 3", limited)
	}
}

// shutdownIsGraceful: requests that run when the process is told to stop are answered.
func shutdownIsGraceful(t *testing.T) {
	s := harness.New(t)
	answers := make(chan int, 20)
	for n := range cap(answers) {
		go func() {
			a, err := s.Post(generate, harness.VS(t, hcid(t)+"-"+itoa(n)))
			if err != nil {
				a.Status = 0
			}
			answers <- a.Status
		}()
	}
	first := <-answers
	s.Gateway.Stop()
	if s.Gateway.Err != nil && !strings.Contains(s.Gateway.Err.Error(), "exit status 1") {
		t.Errorf("the gateway ended with %v", s.Gateway.Err)
	}
	s.StartGateway()
	for n := range cap(answers) {
		// Whatever became of the answer, the certificate is there to be had.
		if a := post(t, s, generate, harness.VS(t, hcid(t)+"-"+itoa(n))); a.Status != http.StatusCreated && a.Status != http.StatusOK {
			t.Errorf("request %d after the restart: %d", n, a.Status)
		}
	}
	for range cap(answers) - 1 {
		if status := <-answers; status != http.StatusCreated && status != 0 {
			t.Errorf("a running request was answered with %d", status)
		}
	}
	if first != http.StatusCreated {
		t.Errorf("the first request got %d", first)
	}
}

func productionIsStrict(t *testing.T, s *harness.System) {
	run := func(name string, args ...string) (string, int) {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		cmd := exec.CommandContext(ctx, harness.Binary(t, name), args...)
		out, _ := cmd.CombinedOutput()
		return string(out), cmd.ProcessState.ExitCode()
	}
	production := func(args []string) []string {
		return append([]string{"check-config"}, append(args[1:], "--environment=production")...)
	}
	for name, args := range map[string][]string{
		"signer":  s.Install.SignerArgs("127.0.0.1:0"),
		"gateway": s.Install.GatewayArgs("127.0.0.1:0", "127.0.0.1:1"),
	} {
		if out, code := run(name, append([]string{"check-config"}, args[1:]...)...); code != 0 {
			t.Errorf("%s: the development configuration is refused (%d):\n%s", name, code, out)
		}
		if out, code := run(name, production(args)...); code != 2 || !strings.Contains(out, "production") {
			t.Errorf("%s: production with embedded engines: exit %d\n%s", name, code, out)
		}
		if out, code := run(name, "run"); code != 2 || !strings.Contains(out, "environment") {
			t.Errorf("%s without settings: exit %d\n%s", name, code, out)
		}
	}
	signer, gateway := s.Install.SignerArgs("127.0.0.1:0"), s.Install.GatewayArgs("127.0.0.1:0", "127.0.0.1:1")
	for flag, name := range map[string]string{
		"--ledger-secret": "signer", "--policy": "signer", "--csca": "signer", "--audit-key": "signer", "--software-passphrase": "signer",
		"--tls-cert": "gateway", "--trust-csca": "gateway",
	} {
		args := signer
		if name == "gateway" {
			args = gateway
		}
		args = append([]string{"check-config"}, without(args[1:], flag)...)
		if out, code := run(name, append(args, flag+"=/nonexistent")...); code == 0 {
			t.Errorf("%s: check-config passes although the file of %s is missing:\n%s", name, flag, out)
		}
	}
	exposed := s.Install.Path("registry.secret")
	if err := os.Chmod(exposed, 0o644); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.Chmod(exposed, 0o600) }()
	if out, code := run("gateway", s.Install.GatewayArgs("127.0.0.1:0", "127.0.0.1:1")...); code == 0 {
		t.Errorf("a secret readable by everybody is used:\n%s", out)
	}
}

// without leaves a flag out; one that is repeated would be added to.
func without(args []string, flag string) []string {
	return slices.DeleteFunc(slices.Clone(args), func(a string) bool { return strings.HasPrefix(a, flag+"=") })
}
