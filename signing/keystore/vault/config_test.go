package vault_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/vault"
)

const publicPEM = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEJ+uGBJYtG1bXQ5d25W95YbOKnqgR
umej8D0ojSh/0VtBu4Ws/9SA8WmMovZKjjigJ9jokVQkg1mcNSoo2AoHBQ==
-----END PUBLIC KEY-----
`

// flags embeds the settings as the signer does.
type flags struct {
	Environment config.Environment
	Vault       vault.Config `embed:"" prefix:"vault-"`
}

func (f *flags) Validate() error { return config.Under("vault-", f.Vault.Check(f.Environment)) }

func parse(args ...string) (flags, error) {
	r, err := config.Parse[flags](config.Program{Name: "signer", Prefix: "SIGNER_", Args: args, Stdout: io.Discard})
	return r.Config, err
}

func TestSettings(t *testing.T) {
	t.Parallel()
	ok := []string{"--vault-address=https://vault:8200", "--vault-ca=ca.pem", "--vault-role-id=r", "--vault-secret-id=f"}
	f, err := parse(ok...)
	if err != nil {
		t.Fatal(err)
	}
	if c := f.Vault; c.Mount != "transit" || c.Timeout != 2*time.Second || c.Deadline != 5*time.Second || c.MaxInFlight != 64 || !c.Enabled() {
		t.Errorf("defaults: %+v", c)
	}
	const cert = "--vault-client-cert=c"
	tests := map[string]struct {
		args []string
		want []string // flags that are named
	}{
		"nothing":                  {nil, []string{"address", "role-id", "secret-id"}},
		"plain http":               {[]string{"--vault-address=http://vault:8200"}, []string{"address"}},
		"http on loopback":         {[]string{"--vault-address=http://127.0.0.1:8200", "--vault-ca="}, nil},
		"http on localhost":        {[]string{"--vault-address=http://localhost:8200"}, nil},
		"http on a lookalike":      {[]string{"--vault-address=http://127.0.0.1.evil.example"}, []string{"address"}},
		"another scheme":           {[]string{"--vault-address=unix:///run/vault"}, []string{"address"}},
		"a password":               {[]string{"--vault-address=https://a:b@vault"}, []string{"address"}},
		"a path":                   {[]string{"--vault-address=https://vault/v1"}, []string{"address"}},
		"no CA":                    {[]string{"--vault-ca="}, []string{"ca"}},
		"mounts":                   {[]string{"--vault-mount=/transit/", "--vault-auth-mount=../sys", "--vault-namespace=a b", "--vault-key-prefix=A/", "--vault-role=a?b"}, []string{"mount", "auth-mount", "namespace", "key-prefix", "role"}},
		"a namespace with slashes": {[]string{"--vault-namespace=health/xx/"}, nil},
		"wrapped without role":     {[]string{"--vault-secret-id-wrapped"}, []string{"role"}},
		"kubernetes":               {[]string{"--vault-auth=kubernetes", "--vault-role=signer"}, nil},
		"kubernetes without role":  {[]string{"--vault-auth=kubernetes", "--vault-kubernetes-token="}, []string{"role", "kubernetes-token"}},
		"cert":                     {[]string{"--vault-auth=cert", cert, "--vault-client-key=k"}, nil},
		"cert without files":       {[]string{"--vault-auth=cert"}, []string{"client-cert", "client-key"}},
		"cert over http":           {[]string{"--vault-auth=cert", cert, "--vault-client-key=k", "--vault-address=http://127.0.0.1:1"}, []string{"address"}},
		"token in production":      {[]string{"--vault-auth=token", "--vault-token-file=f"}, []string{"auth"}},
		"token in development":     {[]string{"--vault-auth=token", "--vault-token-file=f", "--environment=development"}, nil},
		"limits":                   {[]string{"--vault-timeout=1ms", "--vault-deadline=2m", "--vault-max-in-flight=0"}, []string{"timeout", "deadline", "max-in-flight"}},
		"a deadline under timeout": {[]string{"--vault-deadline=1s"}, []string{"deadline"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{}, ok...)
			if name == "nothing" {
				args = nil
			}
			_, err := parse(append(args, tc.args...)...)
			if (err == nil) != (len(tc.want) == 0) {
				t.Fatalf("got %v, want %v named", err, tc.want)
			}
			for _, flag := range tc.want {
				if !strings.Contains(err.Error(), "--vault-"+flag+" (SIGNER_VAULT_") {
					t.Errorf("%s is not named: %v", flag, err)
				}
			}
			if err != nil && strings.Count(err.Error(), "\n") != len(tc.want) {
				t.Errorf("not %d problems: %v", len(tc.want), err)
			}
		})
	}
}

// TestEnvironmentOfTheVaultToolChangesNothing: the client library reads these variables.
func TestEnvironmentOfTheVaultToolChangesNothing(t *testing.T) {
	for name, value := range map[string]string{
		"VAULT_ADDR": "http://127.0.0.1:1", "VAULT_AGENT_ADDR": "http://127.0.0.1:1", "VAULT_TOKEN": "hvs.poison",
		"VAULT_SKIP_VERIFY": "true", "VAULT_NAMESPACE": "poison", "VAULT_WRAP_TTL": "60s", "VAULT_MAX_RETRIES": "9",
		"VAULT_HEADERS": `{"X-Poison":"1"}`, "VAULT_HTTP_PROXY": "http://127.0.0.1:1", "VAULT_PROXY_ADDR": "http://127.0.0.1:1",
		"VAULT_CLIENT_TIMEOUT": "1", "VAULT_RATE_LIMIT": "0.0001:1", "VAULT_TLS_SERVER_NAME": "poison", "VAULT_SRV_LOOKUP": "true",
		"HTTP_PROXY": "http://127.0.0.1:1", "HTTPS_PROXY": "http://127.0.0.1:1",
	} {
		t.Setenv(name, value)
	}
	s := newStub(t, sign)
	store := open(t, settings(t, s.URL))
	for range 5 {
		if _, err := store.Sign(t.Context(), ref, digests(1)); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range s.requests {
		for name := range r.header {
			if name == "X-Poison" || name == "X-Vault-Namespace" || name == "X-Vault-Wrap-Ttl" {
				t.Errorf("%s carries %s", r.path, name)
			}
		}
		if strings.Contains(r.header.Get("X-Vault-Token"), "poison") {
			t.Errorf("%s carries the token of the environment", r.path)
		}
	}
	t.Setenv("VAULT_SKIP_VERIFY", "hvs.poison")
	_, err := vault.New(vault.Options{Config: settings(t, s.URL)})
	if err == nil || !strings.Contains(err.Error(), "VAULT_SKIP_VERIFY") || strings.Contains(err.Error(), "hvs.poison") {
		t.Errorf("a variable that the library cannot read: %v", err)
	}
}

// TestNothingPrintsSecrets prints everything that holds one, every way there is.
func TestNothingPrintsSecrets(t *testing.T) {
	t.Parallel()
	s := newStub(t, sign)
	c := settings(t, s.URL)
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	options := vault.Options{Config: c, Log: logger}
	maker, err := vault.NewMaker(options, vault.Kind{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := maker.Sign(t.Context(), ref, digests(1)); err != nil {
		t.Fatal(err)
	}
	holder := struct{ S *vault.Store }{maker.Store}
	for _, v := range []any{maker, maker.Store, holder, &holder, c, &c, options, &options} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			check(t, fmt.Sprintf(verb, v))
		}
		text, err := json.Marshal(v)
		if err == nil {
			check(t, string(text))
		}
		logger.Info("value", slog.Any("value", v))
		slog.New(slog.NewTextHandler(&log, nil)).Info("value", slog.Any("value", v))
	}
	check(t, log.String())
	if text := fmt.Sprintf("%+v %#v", maker, maker.Store); text != "Vault key store Vault key store" {
		t.Errorf("prints %s", text)
	}
}

func check(t *testing.T, text string) {
	t.Helper()
	for _, secret := range []string{tokenPrefix, secretID, fmt.Sprintf("%x", tokenPrefix), fmt.Sprintf("%x", secretID)} {
		if strings.Contains(text, secret) {
			t.Errorf("prints %q: %s", secret, text)
		}
	}
}
