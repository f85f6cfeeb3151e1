package vault_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/vault"
	"github.com/trustedparty/ddcc-gateway/test/vault/vaulttest"
)

// signs demands that a store with these settings signs with ref, or fails to log in.
func signs(t *testing.T, site *vaulttest.Site, c vault.Config, ref keystore.Ref, want bool) {
	t.Helper()
	results, err := site.Open(t, c).Sign(t.Context(), ref, make([]keystore.Digest, 2))
	switch {
	case want && (err != nil || len(results) != 2):
		t.Errorf("%v", err)
	case !want && !errors.Is(err, keystore.ErrUnavailable):
		t.Errorf("%d results, %v", len(results), err)
	}
}

func oneKey(t *testing.T) (*vaulttest.Site, keystore.Ref) {
	t.Helper()
	site := vaulttest.Start(t).Bootstrap(t)
	ref, _, err := site.Maker(t).Create(t.Context(), "dsc-test")
	if err != nil {
		t.Fatal(err)
	}
	return site, ref
}

func TestCertLogin(t *testing.T) {
	t.Parallel()
	site, ref := oneKey(t)
	signs(t, site, site.Cert("signer"), ref, true)
	signs(t, site, site.Cert("stranger"), ref, false)
	other := vaulttest.Start(t).Bootstrap(t) // its certificates are of another CA
	c := site.Cert("signer")
	foreign := other.Cert("signer")
	c.Client = foreign.Client
	signs(t, site, c, ref, false)
	c = site.Cert("signer")
	c.CA = other.CAFile // Vault's certificate is of a CA that is not trusted
	signs(t, site, c, ref, false)
	c = site.Cert("signer")
	c.ServerName = "vault.test" // the server certificate has this name as well
	signs(t, site, c, ref, true)
	c.ServerName = "elsewhere.test"
	signs(t, site, c, ref, false)
}

func TestWrappedSecretIDWorksOnce(t *testing.T) {
	t.Parallel()
	site, ref := oneKey(t)
	c := site.AppRole(t)
	wrap := func() string {
		token := site.Wrap("auth/approle/role/ddcc-signer/secret-id", map[string]any{})
		c.SecretID, c.SecretIDWrapped = vaulttest.Secret(t, token), true
		return token
	}
	wrap()
	store := site.Open(t, c)
	for range 2 {
		if _, err := store.Sign(t.Context(), ref, make([]keystore.Digest, 1)); err != nil {
			t.Fatal(err)
		}
		site.RevokeTokens("approle") // the secret id is kept for the next login
	}
	signs(t, site, c, ref, false) // a second process with the same file
	token := wrap()
	site.As(token, http.MethodPost, "sys/wrapping/unwrap", map[string]any{}) // a thief
	_, err := site.Open(t, c).Sign(t.Context(), ref, make([]keystore.Digest, 1))
	if err == nil || !strings.Contains(err.Error(), "treat the secret id as stolen") || strings.Contains(err.Error(), token) {
		t.Errorf("a wrapping token that somebody used: %v", err)
	}
	token = site.Wrap("sys/wrapping/wrap", map[string]any{"secret_id": "forged"}) // a swap
	c.SecretID = vaulttest.Secret(t, token)
	_, err = site.Open(t, c).Sign(t.Context(), ref, make([]keystore.Digest, 1))
	if err == nil || !strings.Contains(err.Error(), "may have replaced it") {
		t.Errorf("a wrapping token of something else: %v", err)
	}
}

// TestKubernetesLogin runs Vault's own Kubernetes login against a stand-in for the token
// review of an API server.
func TestKubernetesLogin(t *testing.T) {
	t.Parallel()
	site, ref := oneKey(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	reviewer := httptest.NewTLSServer(http.HandlerFunc(review))
	t.Cleanup(reviewer.Close)
	site.Apply("kubernetes", map[string]string{
		"KUBERNETES_HOST":         reviewer.URL,
		"KUBERNETES_CA_PEM":       string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: reviewer.Certificate().Raw})),
		"KUBERNETES_REVIEWER_JWT": serviceAccount(t, key, "vault", "reviewer", "https://kubernetes"),
	})
	login := func(namespace, name, audience string) vault.Config {
		c := site.Settings()
		c.Auth, c.Role = vault.AuthKubernetes, "ddcc-signer"
		c.KubernetesToken = filepath.Join(t.TempDir(), "token")
		// The kubelet writes these files readable by all of the pod.
		if err := os.WriteFile(c.KubernetesToken, []byte(serviceAccount(t, key, namespace, name, audience)), 0o644); err != nil {
			t.Fatal(err)
		}
		return c
	}
	good := login("ddcc-signer", "signer", "vault")
	signs(t, site, good, ref, true)
	signs(t, site, login("ddcc-signer", "gateway", "vault"), ref, false)
	signs(t, site, login("default", "signer", "vault"), ref, false)
	signs(t, site, login("ddcc-signer", "signer", "https://kubernetes"), ref, false)
	store := site.Open(t, good) // the projected token is exchanged while the store is open
	if err := store.Login(t.Context()); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(good.KubernetesToken, []byte(serviceAccount(t, key, "default", "signer", "vault")), 0o600); err != nil {
		t.Fatal(err)
	}
	site.RevokeTokens("kubernetes")
	if _, err := store.Sign(t.Context(), ref, make([]keystore.Digest, 1)); !errors.Is(err, keystore.ErrUnavailable) {
		t.Errorf("with the token of another account: %v", err)
	}
}

// account is what a service account token says, as far as the login reads it.
type account struct {
	jwt.Claims

	Audiences  []string `json:"aud"` // always a list, where the library writes one as a string
	Kubernetes struct {
		Namespace      string `json:"namespace"`
		ServiceAccount struct {
			Name string `json:"name"`
			UID  string `json:"uid"`
		} `json:"serviceaccount"`
	} `json:"kubernetes.io"`
}

func serviceAccount(t *testing.T, key *ecdsa.PrivateKey, namespace, name, audience string) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var a account
	a.Subject = "system:serviceaccount:" + namespace + ":" + name
	a.Audiences, a.Issuer = []string{audience}, "https://kubernetes"
	a.IssuedAt = jwt.NewNumericDate(time.Now().Add(-time.Minute))
	a.NotBefore, a.Expiry = a.IssuedAt, jwt.NewNumericDate(time.Now().Add(10*time.Minute))
	a.Kubernetes.Namespace, a.Kubernetes.ServiceAccount.Name, a.Kubernetes.ServiceAccount.UID = namespace, name, "uid-"+name
	token, err := jwt.Signed(signer).Claims(a).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// review answers a TokenReview with what the token itself says.
func review(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Spec struct {
			Token     string   `json:"token"`
			Audiences []string `json:"audiences"`
		} `json:"spec"`
	}
	err := json.NewDecoder(r.Body).Decode(&asked)
	parsed, parseErr := jwt.ParseSigned(asked.Spec.Token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil || parseErr != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var a account
	_ = parsed.UnsafeClaimsWithoutVerification(&a)
	fits := false
	for _, audience := range asked.Spec.Audiences {
		fits = fits || slices.Contains(a.Audiences, audience)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview",
		"status": map[string]any{
			"authenticated": fits, "audiences": asked.Spec.Audiences,
			"user": map[string]any{"username": a.Subject, "uid": a.Kubernetes.ServiceAccount.UID, "groups": []string{"system:serviceaccounts"}},
		},
	})
}

// TestShippedPolicy: the file in k8s/vault permits the first version of every usual label.
func TestShippedPolicy(t *testing.T) {
	t.Parallel()
	site := vaulttest.Start(t).Bootstrap(t)
	maker := site.Maker(t)
	var made []keystore.Ref
	for _, usage := range keystore.Usages() {
		label := "dsc-" + string(usage)
		if usage == keystore.UsageUpload {
			label = string(usage)
		}
		for range 2 {
			ref, _, err := maker.Create(t.Context(), label)
			if err != nil {
				t.Fatal(err)
			}
			made = append(made, ref)
		}
	}
	text, err := os.ReadFile(vaulttest.Files("signer-policy.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	site.Root(http.MethodPut, "sys/policies/acl/ddcc-signer", map[string]any{"policy": string(text)})
	store := site.Open(t, site.AppRole(t))
	for _, ref := range made {
		_, err := store.Sign(t.Context(), ref, make([]keystore.Digest, 1))
		if permitted := ref.Version == 1; (err == nil) != permitted || (err != nil && !errors.Is(err, keystore.ErrDisabled)) {
			t.Errorf("%s: %v", ref, err)
		}
	}
}

func TestProductionRefusesStaticTokens(t *testing.T) {
	t.Parallel()
	site := vaulttest.Start(t)
	c := site.Settings()
	c.Auth, c.TokenFile = vault.AuthToken, vaulttest.Secret(t, site.RootToken)
	if _, err := vault.New(vault.Options{Config: c, Environment: config.Production}); err == nil {
		t.Error("production takes a static token")
	}
	store, err := vault.New(vault.Options{Config: c, Environment: config.Development})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Login(t.Context()); err != nil {
		t.Error(err)
	}
}
