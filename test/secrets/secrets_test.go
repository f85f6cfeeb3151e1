package secrets_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/test/harness"
	"github.com/trustedparty/ddcc-gateway/test/secrets"
)

// system is a running system and the test it runs for.
type system struct {
	*harness.System
	t *testing.T
}

// TestNothingShowsASecret runs a signer and a gateway through success, refusals and a
// crash, and reads everything they let out.
func TestNothingShowsASecret(t *testing.T) {
	t.Parallel()
	s := system{harness.New(t), t}
	needles := secretsOf(t, s.Install)
	out := secrets.NewOutlets(t)

	answer, err := s.Post("/ddcc/generateHealthCertificate", harness.VS(t, "HCID-SECRETS-1"))
	if err != nil || answer.Status >= 300 {
		t.Fatalf("no certificate: %v, %d\n%s", err, answer.Status, answer.Body)
	}
	out.Add("the certificate", answer.Body)
	s.provoke(out)
	out.Inspect(s.System, http.StatusOK)
	out.Crash(s.System, syscall.SIGQUIT)
	for _, dir := range []string{"signer", "gateway"} {
		out.Files(s.Install, dir)
	}
	out.Search(needles)
	if out.Len() < 12 {
		t.Errorf("only %d places were searched", out.Len())
	}
}

// provoke makes the signer refuse for every reason a client can give it.
func (s system) provoke(out *secrets.Outlets) {
	s.t.Helper()
	gateway := s.Client("gateway")
	for name, tc := range map[string]struct {
		client *http.Client
		method string
		path   string
		body   string
		want   int // 0: no answer, the connection is refused
	}{
		"no JSON":             {gateway, http.MethodPost, "/v1/certificates", `{"id": `, http.StatusBadRequest},
		"unknown member":      {gateway, http.MethodPost, "/v1/certificates", `{"bytes": "c2lnbiBtZQ=="}`, http.StatusBadRequest},
		"too large":           {gateway, http.MethodPost, "/v1/certificates", strings.Repeat(" ", 1<<20), http.StatusRequestEntityTooLarge},
		"unknown profile":     {gateway, http.MethodPost, "/v1/certificates", intent("no-such-profile", "demo-clinic"), http.StatusUnprocessableEntity},
		"broken rules":        {gateway, http.MethodPost, "/v1/certificates", intent("who-ddcc-vs", "demo-clinic"), http.StatusUnprocessableEntity},
		"issuer's form":       {gateway, http.MethodPost, "/v1/certificates", intent("who-ddcc-vs", "demo clinic"), http.StatusBadRequest},
		"expired":             {s.stranger(time.Now().AddDate(-1, 0, 0)), http.MethodGet, "/v1/trust", "", 0},
		"no such certificate": {gateway, http.MethodPost, "/v1/documents", `{"id": "0b0f3c52-6a53-4b0e-a1a5-4f1f3f3f8c12", "document": {}}`, http.StatusNotFound},
		"no such id":          {gateway, http.MethodDelete, "/v1/certificates/1", "", http.StatusBadRequest},
		"no such path":        {gateway, http.MethodGet, "/v1/private-keys", "", http.StatusNotFound},
		"no certificate":      {s.Client(""), http.MethodGet, "/v1/trust", "", 0},
		"not on the list":     {s.Client("issuer"), http.MethodGet, "/v1/trust", "", 0},
		"another CA":          {s.stranger(time.Now()), http.MethodGet, "/v1/trust", "", 0},
	} {
		req, err := http.NewRequestWithContext(s.t.Context(), tc.method, "https://"+s.SignerAddress+tc.path, strings.NewReader(tc.body))
		if err != nil {
			s.t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		answer, err := harness.Do(tc.client, req)
		switch {
		case tc.want == 0 && err == nil:
			s.t.Errorf("%s: answered with %d", name, answer.Status)
		case tc.want != 0 && (err != nil || answer.Status != tc.want):
			s.t.Errorf("%s: %v, %d, want %d\n%s", name, err, answer.Status, tc.want, answer.Body)
		}
		out.Add("the answer to "+name, append(answer.Body, fmt.Sprint(answer.Header)...))
	}
	out.Add("the answer to plain HTTP", plain(s.t, s.SignerAddress))
}

func intent(profile, issuer string) string {
	return fmt.Sprintf(`{"id": "0b0f3c52-6a53-4b0e-a1a5-4f1f3f3f8c12", "profile": %q, "issuer": %q, "claims": {}}`, profile, issuer)
}

// stranger has the gateway's name from another CA, in a certificate made at that time.
func (s system) stranger(made time.Time) *http.Client {
	s.t.Helper()
	ca, err := devpki.NewCA(made)
	if err != nil {
		s.t.Fatal(err)
	}
	cert, key, err := ca.Issue(devpki.GatewayName)
	if err != nil {
		s.t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		s.t.Fatal(err)
	}
	client := s.Client("")
	client.Transport.(*http.Transport).TLSClientConfig.Certificates = []tls.Certificate{pair}
	return client
}

func plain(t *testing.T, address string) []byte {
	t.Helper()
	conn, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	_, _ = io.WriteString(conn, "GET / HTTP/1.0\r\n\r\n")
	answer, _ := io.ReadAll(conn)
	return answer
}

// TestRefusedClientsAreAudited: every client and every request that the real signer
// refuses stands in its audit log with the reason.
func TestRefusedClientsAreAudited(t *testing.T) {
	t.Parallel()
	s := system{harness.New(t), t}
	s.provoke(secrets.NewOutlets(t))
	want := []string{
		"no-certificate", "name-not-listed", "unknown-authority", "expired", // connections
		"unknown-profile", "issuer-id", "lint", // requests
	}
	var missing []string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		log := secrets.NewOutlets(t)
		log.Files(s.Install, filepath.Join("signer", "audit"))
		missing = missing[:0]
		for _, reason := range want {
			if !log.Contains(`"reason":"` + reason) {
				missing = append(missing, reason)
			}
		}
		if len(missing) == 0 {
			return
		}
	}
	t.Errorf("the audit log lacks refusals: %q", missing)
}

// TestStartWithAWrongSecretShowsNeither gives the signer, for each of its secrets in turn,
// a file with another one: what it says must show neither.
func TestStartWithAWrongSecretShowsNeither(t *testing.T) {
	t.Parallel()
	install := installation(t)
	needles := secretsOf(t, install)
	wrong := "not-the-secret-but-one-all-the-same-0123456789"
	needles.Text(t, "the wrong secret", wrong)
	file := filepath.Join(t.TempDir(), "wrong")
	if err := os.WriteFile(file, []byte(wrong+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := install.SignerArgs("127.0.0.1:0")
	tried := 0
	for i, arg := range args {
		if flag, path, ok := strings.Cut(arg, "="); ok && (strings.HasSuffix(path, ".secret") || strings.HasSuffix(path, ".key")) {
			tried++
			changed := append([]string(nil), args...)
			changed[i] = flag + "=" + file
			out := secrets.NewOutlets(t)
			text, _ := signer(t, changed, nil)
			out.Add("the signer with a wrong "+flag, text)
			out.Search(needles)
		}
	}
	if tried < 3 {
		t.Errorf("only %d flags name a secret; the signer's arguments have changed", tried)
	}
}

// TestSecretsInTheEnvironmentAreRefused: a secret in a variable, its own or one of Vault's,
// stops the signer, and the message names the variable alone.
func TestSecretsInTheEnvironmentAreRefused(t *testing.T) {
	t.Parallel()
	install := installation(t)
	const secret = "hunter-2-and-some-more-to-be-found-0123456789"
	needles := secretsOf(t, install)
	needles.Text(t, "the secret in the environment", secret)
	for _, variable := range []string{"VAULT_TOKEN", "VAULT_SECRET_ID", "HSM_PIN", "SIGNER_LEDGER_SECRET", "SIGNER_AUDIT_KEY"} {
		var args []string
		own := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(variable, "SIGNER_"), "_", "-"))
		for _, arg := range install.SignerArgs("127.0.0.1:0") {
			if !strings.HasPrefix(arg, "--"+own+"=") {
				args = append(args, arg)
			}
		}
		text, code := signer(t, args, []string{variable + "=" + secret})
		if code != config.ExitUsage || !bytes.Contains(text, []byte(variable)) {
			t.Errorf("%s: exit code %d, want %d and its name\n%s", variable, code, config.ExitUsage, text)
		}
		out := secrets.NewOutlets(t)
		out.Add("the signer with a secret in "+variable, text)
		out.Search(needles)
	}
}

func installation(t *testing.T) devinstall.Installation {
	t.Helper()
	install := devinstall.Installation(filepath.Join(t.TempDir(), "installation"))
	if err := install.Create(time.Now()); err != nil {
		t.Fatal(err)
	}
	return install
}

// signer runs the signer with its standard input closed, so that it ends in any case, and
// gives what it said and its exit code.
func signer(t *testing.T, args, environ []string) ([]byte, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, harness.Binary(t, "signer"), args...)
	command.Env = append(os.Environ(), environ...)
	text, err := command.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if ctx.Err() != nil {
		t.Fatalf("the signer did not end\n%s", text)
	}
	return text, command.ProcessState.ExitCode()
}
