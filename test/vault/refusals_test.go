package vault_test

import (
	"encoding/base64"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/test/vault/vaulttest"
)

// signerToken logs in as the signing service does and gives the token itself.
func signerToken(t *testing.T, site *vaulttest.Site) string {
	t.Helper()
	c := site.AppRole(t)
	id, err := c.SecretID.Read()
	if err != nil {
		t.Fatal(err)
	}
	status, answer := site.As("", http.MethodPost, "auth/approle/login", map[string]any{"role_id": c.RoleID, "secret_id": id})
	auth, _ := answer["auth"].(map[string]any)
	token, _ := auth["client_token"].(string)
	if status != http.StatusOK || token == "" {
		t.Fatalf("login: %d", status)
	}
	return token
}

const own = "dsc-vaccination"

// withKeys sets a server up with one key of the signer in two versions, the first of them
// permitted, and one key of somebody else.
func withKeys(t *testing.T) (*vaulttest.Site, string) {
	t.Helper()
	site := vaulttest.Start(t).Bootstrap(t, own)
	for _, path := range []string{own, own + "/rotate", "dsc-other"} {
		site.Root(http.MethodPost, "transit/keys/"+path, map[string]any{"type": "ecdsa-p256"})
	}
	return site, signerToken(t, site)
}

func batch() map[string]any {
	input := base64.StdEncoding.EncodeToString(make([]byte, 32))
	return map[string]any{
		"batch_input": []any{map[string]any{"input": input}},
		"prehashed":   true, "marshaling_algorithm": "jws", "key_version": "1",
	}
}

// with changes one member of the permitted request; a nil value removes it.
func with(name string, value any) map[string]any {
	b := batch()
	b[name] = value
	if value == nil {
		delete(b, name)
	}
	return b
}

// TestSignerMaySignInOneForm tries every way around the parameters of the one path that
// the signer may sign with.
func TestSignerMaySignInOneForm(t *testing.T) {
	t.Parallel()
	site, token := withKeys(t)
	const path = "transit/sign/" + own + "/sha2-256"
	for _, body := range []map[string]any{batch(), nested()} {
		status, answer := site.As(token, http.MethodPost, path, body)
		if status != http.StatusOK {
			t.Fatalf("the permitted request: %d %v", status, answer["errors"])
		}
		results, _ := answer.Data()["batch_results"].([]any)
		for _, r := range results {
			signature, _ := r.(map[string]any)["signature"].(string)
			if !strings.HasPrefix(signature, "vault:v1:") {
				t.Errorf("signed with another version: %.12s", signature)
			}
		}
	}
	single := with("batch_input", nil)
	single["input"] = base64.StdEncoding.EncodeToString(make([]byte, 32))
	refused := map[string]struct {
		path string
		body map[string]any
	}{
		"without prehashed":           {path, with("prehashed", nil)},
		"not prehashed":               {path, with("prehashed", false)},
		"prehashed as a string":       {path, with("prehashed", "true")},
		"without a form":              {path, with("marshaling_algorithm", nil)},
		"ASN.1":                       {path, with("marshaling_algorithm", "asn1")},
		"without a version":           {path, with("key_version", nil)},
		"the latest version":          {path, with("key_version", "0")},
		"another version":             {path, with("key_version", "2")},
		"the version as a number":     {path, with("key_version", 1)},
		"another version as a number": {path, with("key_version", 2)},
		"the version padded":          {path, with("key_version", "01")},
		"the version as a glob":       {path, with("key_version", "*")},
		"without a batch":             {path, single},
		"a single input beside":       {path, with("input", "AAAA")},
		"a hash in the body":          {path, with("hash_algorithm", "sha1")},
		"an algorithm in the body":    {path, with("algorithm", "sha1")},
		"a signature algorithm":       {path, with("signature_algorithm", "pkcs1v15")},
		"a salt length":               {path, with("salt_length", "0")},
		"a context":                   {path, with("context", "AAAA")},
		"no hash in the path":         {"transit/sign/" + own, batch()},
		"SHA-1":                       {"transit/sign/" + own + "/sha1", batch()},
		"SHA-512":                     {"transit/sign/" + own + "/sha2-512", batch()},
		"no hash at all":              {"transit/sign/" + own + "/none", batch()},
		"another key":                 {"transit/sign/dsc-other/sha2-256", batch()},
		"a key not there":             {"transit/sign/dsc-none/sha2-256", batch()},
		"a longer name":               {"transit/sign/" + own + "2/sha2-256", batch()},
		"dots in the path":            {"transit/sign/" + own + "/sha2-256/../sha2-512", batch()},
		"capitals in the path":        {"transit/sign/DSC-vaccination/sha2-256", batch()},
	}
	for name, tc := range refused {
		if status, _ := site.As(token, http.MethodPost, tc.path, tc.body); status != http.StatusForbidden {
			t.Errorf("%s: %d, want 403", name, status)
		}
	}
}

// nested asks for another version and another form inside the batch, where Vault heeds
// neither.
func nested() map[string]any {
	item := map[string]any{
		"input":       base64.StdEncoding.EncodeToString(make([]byte, 32)),
		"key_version": "2", "marshaling_algorithm": "asn1", "prehashed": "false",
	}
	return with("batch_input", []any{item})
}

// permitted are the operations that the signer's token has, on its own key.
var permitted = map[string]bool{
	"POST transit/sign/" + own + "/sha2-256": true, // in one form: see above
	"GET transit/keys/" + own:                true,
	"GET auth/token/lookup-self":             true,
	"POST auth/token/renew-self":             true,
}

// harmless are operations that Vault answers to everybody, or to every token, before it
// looks at policies.
var harmless = map[string]int{
	"GET sys/internal/ui/feature-flags": http.StatusOK,
	// Without high availability there is nothing to step down from; with it Vault demands sudo.
	"POST sys/step-down": http.StatusNoContent,
	// A wrapping token is its own permission; any other token is not one.
	"GET sys/wrapping/unwrap": http.StatusBadRequest, "POST sys/wrapping/unwrap": http.StatusBadRequest,
	"DELETE sys/wrapping/unwrap": http.StatusBadRequest, "PATCH sys/wrapping/unwrap": http.StatusBadRequest,
	"GET sys/wrapping/rewrap": http.StatusBadRequest, "POST sys/wrapping/rewrap": http.StatusBadRequest,
	"DELETE sys/wrapping/rewrap": http.StatusBadRequest, "PATCH sys/wrapping/rewrap": http.StatusBadRequest,
	// Not paths to write to.
	"POST sys/pprof": http.StatusBadRequest, "PATCH sys/pprof": http.StatusBadRequest,
}

// TestEveryOtherPathIsRefused walks every operation that Vault describes of itself, with the
// signer's token, on the signer's own key and on others.
func TestEveryOtherPathIsRefused(t *testing.T) {
	t.Parallel()
	site, token := withKeys(t)
	paths, _ := site.Root(http.MethodGet, "sys/internal/specs/openapi", nil)["paths"].(map[string]any)
	tried, open, works := 0, 0, map[string]bool{}
	for template, described := range paths {
		operations, _ := described.(map[string]any)
		if operations["x-vault-unauthenticated"] == true {
			open++
			if strings.HasPrefix(template, "/transit/") {
				t.Errorf("%s is open to everybody", template)
			}
			continue
		}
		for _, path := range fill(template) {
			for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete, "LIST", http.MethodPatch} {
				if strings.HasSuffix(path, "/") && (method == http.MethodPost || method == http.MethodPatch) {
					continue // no path to write to: 400 to everybody
				}
				tried++
				status, _ := site.As(token, method, path, map[string]any{})
				switch name := method + " " + path; {
				case permitted[name] && status != http.StatusForbidden:
					works[name] = true
				case permitted[name], status == http.StatusForbidden, harmless[name] == status:
				case status == http.StatusMethodNotAllowed, status == http.StatusUnauthorized:
				default:
					t.Errorf("%s: %d, want 403", name, status)
				}
			}
		}
	}
	if tried < 1000 || len(works) < 3 {
		t.Errorf("only %d operations tried, %d work", tried, len(works))
	}
	if site.Version(own) != "2" {
		t.Error("the key changed")
	}
	t.Logf("%d operations of %d paths refused, %d paths need no token", tried-len(works), len(paths)-open, open)
}

var parameter = regexp.MustCompile(`\{[a-z_]+\}`)

// fill gives the paths that a template stands for: on the own key and on another.
func fill(template string) []string {
	template = strings.TrimPrefix(template, "/")
	if !strings.Contains(template, "{") {
		return []string{template}
	}
	var paths []string
	for _, name := range []string{own, "dsc-other"} {
		for _, last := range []string{"sha2-512", "1"} {
			path := strings.NewReplacer(
				"{name}", name, "{urlalgorithm}", last, "{version}", last,
				"{type}", "signing-key", "{plaintext}", "plaintext", "{source}", "platform", "{destination}", "dsc-other",
			).Replace(template)
			paths = append(paths, parameter.ReplaceAllString(path, name))
		}
	}
	return paths
}

// TestCeremonyCannotTakeKeysOut: what makes keys cannot make them portable or delete them.
func TestCeremonyCannotTakeKeysOut(t *testing.T) {
	t.Parallel()
	site, _ := withKeys(t)
	c := site.Ceremony(t)
	id, err := c.SecretID.Read()
	if err != nil {
		t.Fatal(err)
	}
	_, answer := site.As("", http.MethodPost, "auth/approle/login", map[string]any{"role_id": c.RoleID, "secret_id": id})
	auth, _ := answer["auth"].(map[string]any)
	token, _ := auth["client_token"].(string)
	for name, tc := range map[string]struct {
		method, path string
		body         map[string]any
		want         int
	}{
		"make a key":           {http.MethodPost, "transit/keys/dsc-new", map[string]any{"type": "ecdsa-p256", "exportable": false}, 200},
		"retire a version":     {http.MethodPost, "transit/keys/" + own + "/config", map[string]any{"min_decryption_version": 1}, 200},
		"an exportable key":    {http.MethodPost, "transit/keys/dsc-x", map[string]any{"type": "ecdsa-p256", "exportable": true}, 403},
		"a key with backup":    {http.MethodPost, "transit/keys/dsc-x", map[string]any{"type": "ecdsa-p256", "allow_plaintext_backup": true}, 403},
		"a derived key":        {http.MethodPost, "transit/keys/dsc-x", map[string]any{"type": "ed25519", "derived": true}, 403},
		"an RSA key":           {http.MethodPost, "transit/keys/dsc-x", map[string]any{"type": "rsa-2048"}, 403},
		"a key that rotates":   {http.MethodPost, "transit/keys/dsc-x", map[string]any{"type": "ecdsa-p256", "auto_rotate_period": "1h"}, 403},
		"make exportable":      {http.MethodPost, "transit/keys/" + own + "/config", map[string]any{"exportable": true}, 403},
		"allow backup":         {http.MethodPost, "transit/keys/" + own + "/config", map[string]any{"allow_plaintext_backup": true}, 403},
		"allow deletion":       {http.MethodPost, "transit/keys/" + own + "/config", map[string]any{"deletion_allowed": true}, 403},
		"delete":               {http.MethodDelete, "transit/keys/" + own, nil, 403},
		"trim":                 {http.MethodPost, "transit/keys/" + own + "/trim", map[string]any{"min_available_version": 1}, 403},
		"export":               {http.MethodGet, "transit/export/signing-key/" + own, nil, 403},
		"back up":              {http.MethodGet, "transit/backup/" + own, nil, 403},
		"restore":              {http.MethodPost, "transit/restore/" + own, map[string]any{"backup": "e30=", "force": true}, 403},
		"import":               {http.MethodPost, "transit/keys/dsc-x/import", map[string]any{"ciphertext": "AA"}, 403},
		"change its policy":    {http.MethodPut, "sys/policies/acl/ddcc-ceremony", map[string]any{"policy": ""}, 403},
		"change the signer's":  {http.MethodPut, "sys/policies/acl/ddcc-signer", map[string]any{"policy": ""}, 403},
		"turn the audit off":   {http.MethodDelete, "sys/audit/file", nil, 403},
		"make tokens":          {http.MethodPost, "auth/token/create", map[string]any{}, 403},
		"get a signer's login": {http.MethodPost, "auth/approle/role/ddcc-signer/secret-id", map[string]any{}, 403},
	} {
		if status, _ := site.As(token, tc.method, tc.path, tc.body); status != tc.want {
			t.Errorf("%s: %d, want %d", name, status, tc.want)
		}
	}
}
