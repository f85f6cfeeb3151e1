package vault_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"testing"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/keystoretest"
	"github.com/trustedparty/ddcc-gateway/test/vault/vaulttest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	server := vaulttest.Start(t)
	site := server.Bootstrap(t)
	maker := site.Maker(t)
	login := site.AppRole(t)
	secretID, err := login.SecretID.Read()
	if err != nil {
		t.Fatal(err)
	}
	engine := keystoretest.Engine{
		Maker:     maker,
		Open:      func(t *testing.T) keystore.Store { return server.Open(t, login) },
		Disable:   func(_ *testing.T, ref keystore.Ref) { site.Forbid(ref) },
		Overwrite: func(t *testing.T, ref keystore.Ref) { overwrite(t, server, ref) },
		Drop:      func(*testing.T) { server.RevokeTokens("approle") },
		Restart:   func(*testing.T) { server.Restart() },
		Secrets:   []string{secretID, server.RootToken},
	}
	keystoretest.Run(t, func(*testing.T) keystoretest.Engine { return engine })
}

// overwrite puts another key in the place of one version, the way a mistaken or malicious
// restore of a backup does. Only root can: it makes the key exportable first.
func overwrite(t *testing.T, server *vaulttest.Server, ref keystore.Ref) {
	t.Helper()
	open := map[string]any{"exportable": true, "allow_plaintext_backup": true}
	other := "other-" + ref.Label[:20]
	server.Root(http.MethodPost, "transit/keys/"+other, map[string]any{
		"type": "ecdsa-p256", "exportable": true, "allow_plaintext_backup": true,
	})
	server.Root(http.MethodPost, "transit/keys/"+ref.Label+"/config", open)
	mine, theirs := backup(t, server, ref.Label), backup(t, server, other)
	version := strconv.Itoa(ref.Version)
	put(t, mine.Policy, "exportable", false)
	put(t, mine.Policy, "allow_plaintext_backup", false)
	keys, foreign := versions(t, mine.Policy), versions(t, theirs.Policy)
	keys[version] = foreign["1"]
	put(t, mine.Policy, "keys", keys)
	mine.Archive.Keys[ref.Version] = theirs.Archive.Keys[1]
	raw, err := json.Marshal(mine)
	if err != nil {
		t.Fatal(err)
	}
	server.Root(http.MethodPost, "transit/restore/"+ref.Label, map[string]any{
		"backup": base64.StdEncoding.EncodeToString(raw), "force": true,
	})
}

// keyBackup is transit's backup of a key.
type keyBackup struct {
	Policy  map[string]json.RawMessage `json:"policy"`
	Archive struct {
		Keys []json.RawMessage `json:"keys"`
	} `json:"archived_keys"`
}

func backup(t *testing.T, server *vaulttest.Server, label string) keyBackup {
	t.Helper()
	text := server.Root(http.MethodGet, "transit/backup/"+label, nil).Data().Text("backup")
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	var b keyBackup
	if err := json.Unmarshal(raw, &b); err != nil {
		t.Fatal(err)
	}
	return b
}

func versions(t *testing.T, policy map[string]json.RawMessage) map[string]json.RawMessage {
	t.Helper()
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(policy["keys"], &keys); err != nil {
		t.Fatal(err)
	}
	return keys
}

func put(t *testing.T, into map[string]json.RawMessage, name string, value any) {
	t.Helper()
	raw, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	into[name] = raw
}
