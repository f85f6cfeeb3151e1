package vault_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/vault"
)

func TestSignSaysEverythingItMeans(t *testing.T) {
	t.Parallel()
	s := newStub(t, sign)
	c := settings(t, s.URL)
	c.Namespace, c.Mount, c.KeyPrefix = "health/xx/", "keys/transit", "ddcc-"
	results, err := open(t, c).Sign(t.Context(), ref, digests(1))
	if err != nil || len(results) != 1 || results[0].Err != nil {
		t.Fatalf("%v %v", results, err)
	}
	r := s.last("keys/transit/sign/ddcc-dsc-test/sha2-256")
	digest := digests(1)[0]
	want := `{"batch_input":[{"input":"` + base64.StdEncoding.EncodeToString(digest[:]) +
		`"}],"prehashed":true,"marshaling_algorithm":"jws","key_version":"3"}`
	if r.body != want {
		t.Errorf("sent %s\nwant %s", r.body, want)
	}
	for name, value := range map[string]string{
		"X-Vault-Token": firstToken, "X-Vault-Namespace": "health/xx", "X-Vault-Request": "true",
	} {
		if r.header.Get(name) != value {
			t.Errorf("%s: %q", name, r.header.Get(name))
		}
	}
	if login := s.last("auth/approle/login"); login.header.Get("X-Vault-Token") != "" || login.header.Get("X-Vault-Namespace") != "health/xx" {
		t.Error("the login carries a token, or no namespace")
	}
}

func TestLargeBatchesGoInParts(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	s := newStub(t, func(w http.ResponseWriter, r seen) {
		if calls.Add(1) == 2 {
			refuse(w, http.StatusBadRequest, "no")
			return
		}
		sign(w, r)
	})
	results, err := open(t, settings(t, s.URL)).Sign(t.Context(), ref, digests(600))
	if err != nil || len(results) != 600 || s.count(signPath) != 3 {
		t.Fatalf("%d results, %d requests, %v", len(results), s.count(signPath), err)
	}
	for i, r := range results {
		if lost := i >= 256 && i < 512; lost != (r.Err != nil) {
			t.Fatalf("digest %d: %v", i, r.Err)
		}
	}
}

// TestAnswersAreNotBelieved: whatever Vault answers to two digests, a signature comes out
// only where it is one of the version asked for.
func TestAnswersAreNotBelieved(t *testing.T) {
	t.Parallel()
	good := fmt.Sprintf(`{"signature":%q,"key_version":3}`, signature(3))
	tests := map[string]struct {
		results string
		call    error
		items   [2]error
	}{
		"one item fails":            {good + `,{"error":"odd ` + bodySecret + `"}`, nil, [2]error{nil, keystore.ErrUnavailable}},
		"one item is archived":      {good + `,{"error":"no such key version"}`, nil, [2]error{nil, keystore.ErrDisabled}},
		"all are archived":          {`{"error":"no such key version"},{"error":"no such key version"}`, keystore.ErrDisabled, [2]error{}},
		"all are below the floor":   {`{"error":"requested version for signing is less than the minimum encryption key version"},{"error":"requested version for signing is less than the minimum encryption key version"}`, keystore.ErrDisabled, [2]error{}},
		"no such version":           {`{"error":"requested version for signing is higher than the latest key version"},{"error":"requested version for signing is higher than the latest key version"}`, keystore.ErrNoKey, [2]error{}},
		"all fail for other causes": {`{"error":"odd"},{"error":"odd"}`, nil, [2]error{keystore.ErrUnavailable, keystore.ErrUnavailable}},
		"too few":                   {good, keystore.ErrUnavailable, [2]error{}},
		"too many":                  {good + "," + good + "," + good, keystore.ErrUnavailable, [2]error{}},
		"another version":           {good + fmt.Sprintf(`,{"signature":%q,"key_version":4}`, signature(4)), nil, [2]error{nil, keystore.ErrOverwritten}},
		"versions that disagree":    {good + fmt.Sprintf(`,{"signature":%q,"key_version":3}`, signature(4)), nil, [2]error{nil, keystore.ErrUnavailable}},
		"empty":                     {good + `,{}`, nil, [2]error{nil, keystore.ErrOverwritten}},
		"no signature":              {good + `,{"key_version":3}`, nil, [2]error{nil, keystore.ErrUnavailable}},
		"not JSON":                  {`}`, keystore.ErrUnavailable, [2]error{}},
		"a version as text":         {good + `,{"signature":"","key_version":"3"}`, keystore.ErrUnavailable, [2]error{}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStub(t, func(w http.ResponseWriter, _ seen) {
				_, _ = fmt.Fprintf(w, `{"data":{"batch_results":[%s]}}`, tc.results)
			})
			results, err := open(t, settings(t, s.URL)).Sign(t.Context(), ref, digests(2))
			quiet(t, err)
			if tc.call != nil {
				if !errors.Is(err, tc.call) || len(results) != 0 {
					t.Fatalf("%d results, %v", len(results), err)
				}
				return
			}
			if err != nil || len(results) != 2 {
				t.Fatalf("%d results, %v", len(results), err)
			}
			for i, want := range tc.items {
				quiet(t, results[i].Err)
				if !errors.Is(results[i].Err, want) || (want != nil && results[i].Signature != keystore.Signature{}) {
					t.Errorf("item %d: %v", i, results[i].Err)
				}
			}
		})
	}
}

// quiet demands that an error holds nothing it must not.
func quiet(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	digest := digests(1)[0]
	for _, form := range []string{err.Error(), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err)} {
		for _, secret := range []string{secretID, tokenPrefix, bodySecret, base64.StdEncoding.EncodeToString(digest[:])[:8], "d19e57"} {
			if strings.Contains(form, secret) {
				t.Errorf("an error repeats %q: %s", secret, form)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status   int
		text     string
		want     error
		requests int // how often it was sent
	}{
		"sealed":             {503, "Vault is sealed", keystore.ErrUnavailable, 1},
		"standby":            {503, "", keystore.ErrUnavailable, 3},
		"an internal error":  {500, "", keystore.ErrUnavailable, 3},
		"a bad gateway":      {502, "", keystore.ErrUnavailable, 3},
		"a gateway timeout":  {504, "", keystore.ErrUnavailable, 1},
		"a quota":            {429, "", keystore.ErrUnavailable, 3},
		"a secondary":        {472, "", keystore.ErrDisabled, 1},
		"an invalid request": {400, "unsupported", keystore.ErrDisabled, 1},
		"no key":             {400, "signing key not found", keystore.ErrNoKey, 1},
		"no mount":           {404, `no handler for route "transit/sign/dsc-test/sha2-256"`, keystore.ErrUnavailable, 1},
		"no content":         {204, "", keystore.ErrUnavailable, 1},
		"a redirect":         {307, "", keystore.ErrUnavailable, 1},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStub(t, func(w http.ResponseWriter, _ seen) {
				w.Header().Set("Location", "http://127.0.0.1:1/v1/"+signPath)
				refuse(w, tc.status, tc.text)
			})
			results, err := open(t, settings(t, s.URL)).Sign(t.Context(), ref, digests(2))
			quiet(t, err)
			if !errors.Is(err, tc.want) || len(results) != 0 {
				t.Errorf("%d results, %v", len(results), err)
			}
			if n := s.count(signPath); n != tc.requests {
				t.Errorf("sent %d times, want %d", n, tc.requests)
			}
		})
	}
}

func TestPassingFaultsAreRetried(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	s := newStub(t, func(w http.ResponseWriter, r seen) {
		switch calls.Add(1) {
		case 1:
			refuse(w, http.StatusServiceUnavailable, "standby")
		case 2:
			panic(http.ErrAbortHandler) // the connection breaks
		default:
			sign(w, r)
		}
	})
	s.Config.ErrorLog = nil
	if _, err := open(t, settings(t, s.URL)).Sign(t.Context(), ref, digests(1)); err != nil {
		t.Error(err)
	}
}

// TestTokenGoesNowhereElse: a redirect to another host gets neither request nor token.
func TestTokenGoesNowhereElse(t *testing.T) {
	t.Parallel()
	var reached atomic.Bool
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Store(true) }))
	t.Cleanup(other.Close)
	s := newStub(t, func(w http.ResponseWriter, _ seen) {
		w.Header().Set("Location", other.URL+"/v1/"+signPath)
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	store := open(t, settings(t, s.URL))
	if _, err := store.Sign(t.Context(), ref, digests(1)); !errors.Is(err, keystore.ErrUnavailable) {
		t.Error(err)
	}
	if _, err := store.Public(t.Context(), ref); !errors.Is(err, keystore.ErrUnavailable) {
		t.Error(err)
	}
	if reached.Load() {
		t.Error("the redirect was followed")
	}
}

func TestHugeAnswersAreCut(t *testing.T) {
	t.Parallel()
	s := newStub(t, func(w http.ResponseWriter, _ seen) {
		chunk := []byte(strings.Repeat(" ", 1<<20))
		for range 8 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	_, err := open(t, settings(t, s.URL)).Sign(t.Context(), ref, digests(1))
	if !errors.Is(err, keystore.ErrUnavailable) || !strings.Contains(err.Error(), "larger than") {
		t.Error(err)
	}
}

// TestSlowVaultCostsABoundedTime: callers of a Vault that does not answer fail after one
// timeout, callers beyond the queue and behind the open breaker at once.
func TestSlowVaultCostsABoundedTime(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	s := newStub(t, func(http.ResponseWriter, seen) { <-release })
	t.Cleanup(func() { close(release) })
	c := settings(t, s.URL)
	c.Timeout, c.Deadline, c.MaxInFlight = 150*time.Millisecond, 600*time.Millisecond, 4
	store := open(t, c)
	start := time.Now()
	var wait sync.WaitGroup
	var full, paused atomic.Int64
	for range 60 {
		wait.Go(func() {
			_, err := store.Sign(t.Context(), ref, digests(1))
			switch {
			case !errors.Is(err, keystore.ErrUnavailable):
				t.Error(err)
			case strings.Contains(err.Error(), "too many callers"):
				full.Add(1)
			case strings.Contains(err.Error(), "asked again in a moment"):
				paused.Add(1)
			}
		})
	}
	wait.Wait()
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %s", took)
	}
	if full.Load() == 0 || paused.Load() == 0 || s.count(signPath) > 12 {
		t.Errorf("%d found the queue full, %d the breaker open, %d were sent", full.Load(), paused.Load(), s.count(signPath))
	}
}

func TestCallersThatLeaveDoNotOpenTheBreaker(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan struct{}, 100), make(chan struct{})
	var slow atomic.Bool
	slow.Store(true)
	s := newStub(t, func(w http.ResponseWriter, r seen) {
		if slow.Load() {
			arrived <- struct{}{}
			<-release
		}
		sign(w, r)
	})
	store := open(t, settings(t, s.URL))
	for range 10 {
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-arrived; cancel() }()
		if _, err := store.Sign(ctx, ref, digests(1)); !errors.Is(err, keystore.ErrUnavailable) {
			t.Error(err)
		}
	}
	slow.Store(false)
	close(release)
	if _, err := store.Sign(t.Context(), ref, digests(1)); err != nil {
		t.Error(err)
	}
}

// TestRevokedTokenCostsNobodyARequest: all callers that meet the dead token share one login.
func TestRevokedTokenCostsNobodyARequest(t *testing.T) {
	t.Parallel()
	s := newStub(t, sign)
	store := open(t, settings(t, s.URL))
	for round := range 3 {
		var wait sync.WaitGroup
		for range 64 {
			wait.Go(func() {
				if _, err := store.Sign(t.Context(), ref, digests(1)); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if s.count("auth/approle/login") != round+1 {
			t.Fatalf("%d logins after %d revocations", s.count("auth/approle/login"), round)
		}
		s.revoke()
	}
}

func TestDenialIsNoReasonToLogIn(t *testing.T) {
	t.Parallel()
	s := newStub(t, func(w http.ResponseWriter, r seen) {
		if strings.HasPrefix(r.path, "transit/keys/") {
			answer(w, map[string]any{"type": "ecdsa-p256", "latest_version": 3})
			return
		}
		refuse(w, http.StatusForbidden, "permission denied")
	})
	store := open(t, settings(t, s.URL))
	for range 20 {
		_, err := store.Sign(t.Context(), ref, digests(1))
		quiet(t, err)
		if !errors.Is(err, keystore.ErrDisabled) {
			t.Fatal(err)
		}
	}
	if n := s.count("auth/approle/login"); n != 1 {
		t.Errorf("%d logins", n)
	}
}

// TestLoginThatFailsIsNotHammered: requests share one failed login for a while.
func TestLoginThatFailsIsNotHammered(t *testing.T) {
	t.Parallel()
	s := newStub(t, sign)
	s.policies = []string{"root"}
	store := open(t, settings(t, s.URL))
	for range 50 {
		_, err := store.Sign(t.Context(), ref, digests(1))
		quiet(t, err)
		if !errors.Is(err, keystore.ErrUnavailable) || !strings.Contains(err.Error(), "root policy") {
			t.Fatal(err)
		}
	}
	if n := s.count("auth/approle/login"); n > 2 || s.count(signPath) > 0 {
		t.Errorf("%d logins, %d requests to sign", n, s.count(signPath))
	}
}

func TestUnfitKeysAreRefused(t *testing.T) {
	t.Parallel()
	fit := func() map[string]any {
		return map[string]any{"type": "ecdsa-p256", "latest_version": 3, "keys": map[string]any{"3": map[string]any{"public_key": publicPEM}}}
	}
	tests := map[string]struct {
		member string
		value  any
		want   error
	}{
		"fit":                       {"", nil, nil},
		"another curve":             {"type", "ecdsa-p384", keystore.ErrDisabled},
		"RSA":                       {"type", "rsa-2048", keystore.ErrDisabled},
		"exportable":                {"exportable", true, keystore.ErrDisabled},
		"with backup":               {"allow_plaintext_backup", true, keystore.ErrDisabled},
		"deletable":                 {"deletion_allowed", true, keystore.ErrDisabled},
		"rotating":                  {"auto_rotate_period", 3600, keystore.ErrDisabled},
		"of an older version":       {"latest_version", 2, keystore.ErrNoKey},
		"archived":                  {"keys", map[string]any{}, keystore.ErrDisabled},
		"not PEM":                   {"keys", map[string]any{"3": map[string]any{"public_key": "x"}}, keystore.ErrUnavailable},
		"an answer of another kind": {"keys", 1, keystore.ErrUnavailable},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStub(t, func(w http.ResponseWriter, _ seen) {
				key := fit()
				if tc.member != "" {
					key[tc.member] = tc.value
				}
				answer(w, key)
			})
			public, err := open(t, settings(t, s.URL)).Public(t.Context(), ref)
			if !errors.Is(err, tc.want) || (err == nil) != (public != nil) {
				t.Errorf("%v, %v", public, err)
			}
		})
	}
}

// TestManagedKeys covers the shape of the requests alone: managed keys need Vault
// Enterprise, which no test here can run.
func TestManagedKeys(t *testing.T) {
	t.Parallel()
	var latest atomic.Int64
	s := newStub(t, func(w http.ResponseWriter, r seen) {
		switch {
		case r.method == http.MethodGet && latest.Load() == 0:
			refuse(w, http.StatusNotFound)
			return
		case r.method != http.MethodGet:
			latest.Add(1)
		}
		answer(w, map[string]any{"type": "managed_key", "latest_version": latest.Load()})
	})
	c := settings(t, s.URL)
	c.PublicKeys = t.TempDir()
	maker, err := vault.NewMaker(vault.Options{Config: c}, vault.Kind{ManagedKeyName: "hsm-key-1"})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := maker.Create(t.Context(), "dsc-test"); !errors.Is(err, keystore.ErrUnavailable) || !strings.Contains(err.Error(), "dsc-test-1.pem") {
		t.Errorf("without the file: %v", err)
	}
	want := `{"allow_plaintext_backup":false,"auto_rotate_period":"0","exportable":false,"managed_key_name":"hsm-key-1","type":"managed_key"}`
	if got := s.last("transit/keys/dsc-test"); got.body != want {
		t.Errorf("create sends %s, want %s", got.body, want)
	}
	if err := os.WriteFile(filepath.Join(c.PublicKeys, "dsc-test-2.pem"), []byte(publicPEM), 0o600); err != nil {
		t.Fatal(err)
	}
	made, public, err := maker.Create(t.Context(), "dsc-test")
	if err != nil || made.Version != 2 || public == nil {
		t.Fatalf("%s, %v", made, err)
	}
	if got := s.last("transit/keys/dsc-test/rotate"); got.body != `{"managed_key_name":"hsm-key-1"}` {
		t.Errorf("rotate sends %s", got.body)
	}
	software, err := vault.NewMaker(vault.Options{Config: c}, vault.Kind{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := software.Create(t.Context(), "dsc-test"); !errors.Is(err, keystore.ErrExists) {
		t.Errorf("a software version of a managed key: %v", err)
	}
}

// TestUnreadableKeyIsNotMade: creating a key that exists answers with the one that is there.
func TestUnreadableKeyIsNotMade(t *testing.T) {
	t.Parallel()
	s := newStub(t, func(w http.ResponseWriter, r seen) {
		if r.method == http.MethodGet {
			refuse(w, http.StatusForbidden, "permission denied")
			return
		}
		answer(w, map[string]any{"type": "ecdsa-p256", "latest_version": 1, "keys": map[string]any{"1": map[string]any{"public_key": publicPEM}}})
	})
	maker, err := vault.NewMaker(vault.Options{Config: settings(t, s.URL)}, vault.Kind{})
	if err != nil {
		t.Fatal(err)
	}
	if made, _, err := maker.Create(t.Context(), "dsc-test"); !errors.Is(err, keystore.ErrDisabled) {
		t.Errorf("%s, %v", made, err)
	}
}

// TestMakingIsNotRepeated: a creation whose answer is lost may have happened.
func TestMakingIsNotRepeated(t *testing.T) {
	t.Parallel()
	s := newStub(t, func(w http.ResponseWriter, r seen) {
		if r.method == http.MethodGet {
			refuse(w, http.StatusNotFound)
			return
		}
		refuse(w, http.StatusInternalServerError)
	})
	maker, err := vault.NewMaker(vault.Options{Config: settings(t, s.URL)}, vault.Kind{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := maker.Create(t.Context(), "dsc-test"); !errors.Is(err, keystore.ErrUnavailable) {
		t.Error(err)
	}
	if n := s.count("transit/keys/dsc-test"); n != 2 { // one read, one creation
		t.Errorf("%d requests", n)
	}
}

func TestWrappedSecretID(t *testing.T) {
	t.Parallel()
	const path = "auth/approle/role/ddcc-signer/secret-id"
	tests := map[string]struct {
		lookup int
		path   string
		want   string
	}{
		"for the role":     {200, path, ""},
		"for another role": {200, "auth/approle/role/other/secret-id", "may have replaced it"},
		"for anything":     {200, "sys/wrapping/wrap", "may have replaced it"},
		"used before":      {403, "", "treat the secret id as stolen"},
		"ended":            {400, "", "treat the secret id as stolen"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStub(t, func(w http.ResponseWriter, r seen) {
				switch {
				case r.path == "sys/wrapping/lookup" && tc.lookup != 200:
					refuse(w, tc.lookup)
				case r.path == "sys/wrapping/lookup":
					answer(w, map[string]any{"creation_path": tc.path})
				case r.path == "sys/wrapping/unwrap" && r.header.Get("X-Vault-Token") == "hvs.wrapping":
					answer(w, map[string]any{"secret_id": secretID})
				default:
					sign(w, r)
				}
			})
			c := settings(t, s.URL)
			c.SecretID, c.SecretIDWrapped, c.Role = file(t, "hvs.wrapping"), true, "ddcc-signer"
			store := open(t, c)
			_, err := store.Sign(t.Context(), ref, digests(1))
			quiet(t, err)
			if tc.want != "" {
				if !errors.Is(err, keystore.ErrUnavailable) || !strings.Contains(err.Error(), tc.want) {
					t.Error(err)
				}
				if s.count("sys/wrapping/unwrap") > 0 {
					t.Error("unwrapped all the same")
				}
				return
			}
			s.revoke() // a second login must not need the wrapping token again
			if _, err := store.Sign(t.Context(), ref, digests(1)); err != nil {
				t.Error(err)
			}
			if n := s.count("sys/wrapping/unwrap"); n != 1 {
				t.Errorf("unwrapped %d times", n)
			}
			if !strings.Contains(s.last("auth/approle/login").body, secretID) {
				t.Error("the login does not carry the secret id")
			}
		})
	}
}

func TestTokenFile(t *testing.T) {
	t.Parallel()
	s := newStub(t, sign)
	c := settings(t, s.URL)
	c.Auth, c.TokenFile = vault.AuthToken, file(t, "hvs.static")
	if _, err := vault.New(vault.Options{Config: c, Environment: config.Production}); err == nil {
		t.Error("production takes a static token")
	}
	store, err := vault.New(vault.Options{Config: c, Environment: config.Development})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Sign(t.Context(), ref, digests(1)); err != nil {
		t.Error(err)
	}
	if got := s.last(signPath).header.Get("X-Vault-Token"); got != "hvs.static" {
		t.Errorf("token %q", got)
	}
}
