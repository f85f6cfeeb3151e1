package vault_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/test/vault/vaulttest"
)

// auditLine is what these tests read of Vault's audit log.
type auditLine struct {
	Type    string `json:"type"`
	Error   string `json:"error"`
	Request struct {
		Path string `json:"path"`
	} `json:"request"`
}

// readAudit reads the answers that Vault recorded.
func readAudit(t *testing.T, path string) []auditLine {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var lines []auditLine
	for s := bufio.NewScanner(f); s.Scan(); {
		var line auditLine
		if json.Unmarshal(s.Bytes(), &line) == nil && line.Type == "response" {
			lines = append(lines, line)
		}
	}
	return lines
}

func countAudit(t *testing.T, path, of string) (n int) {
	t.Helper()
	for _, line := range readAudit(t, path) {
		if line.Request.Path == of {
			n++
		}
	}
	return n
}

// TestTokenIsRenewedWithoutAFailedRequest: tokens of two seconds, renewed over and over and
// exchanged when they reach their maximal life, and no caller notices.
func TestTokenIsRenewedWithoutAFailedRequest(t *testing.T) {
	t.Parallel()
	site := vaulttest.Start(t).Bootstrap(t)
	ref, _, err := site.Maker(t).Create(t.Context(), "dsc-test")
	if err != nil {
		t.Fatal(err)
	}
	site.Root(http.MethodPost, "auth/approle/role/ddcc-signer", map[string]any{"token_ttl": "2s", "token_max_ttl": "9s"})
	c := site.AppRole(t)
	c.Timeout, c.Deadline = 10*time.Second, 20*time.Second // time is not the subject
	store := site.Open(t, c)
	go func() { _ = store.Run(t.Context()) }()
	deadline := time.Now().Add(29 * time.Second)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for time.Now().Before(deadline) {
				if _, err := store.Sign(t.Context(), ref, make([]keystore.Digest, 1)); err != nil {
					t.Errorf("sign: %v", err)
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
	wait.Wait()
	renewed, logins, signed, repeated := 0, 0, 0, 0
	for _, line := range readAudit(t, site.AuditFile) {
		switch line.Request.Path {
		case "auth/token/renew-self":
			renewed++
		case "auth/approle/login":
			logins++
		case "transit/sign/dsc-test/sha2-256":
			signed++
		default:
			continue
		}
		if line.Error != "" {
			repeated++
		}
	}
	if renewed+logins < 20 || renewed < 12 || logins < 4 {
		t.Errorf("%d renewals and %d logins, want 20", renewed, logins)
	}
	// A machine that stands still for longer than the last third of a token lets one end;
	// the request is sent again then, and its caller does not notice.
	if repeated > 8 {
		t.Errorf("Vault refused %d requests before they were repeated", repeated)
	}
	t.Logf("%d signatures over %d renewals and %d logins; %d repeated", signed, renewed, logins, repeated)
}
