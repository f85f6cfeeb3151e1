package vault_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/test/harness"
	"github.com/trustedparty/ddcc-gateway/test/outage"
	"github.com/trustedparty/ddcc-gateway/test/vault/vaulttest"
)

// whole is a gateway and a signer, as processes, with every key in a Vault behind a proxy.
type whole struct {
	*vaulttest.Site
	*outage.System
	proxy *vaulttest.Proxy
}

// labels of the keys of a development installation that sign.
var labels = []string{"dsc-vaccination", "dsc-test", "dsc-recovery", "dsc-document", "dsc-shc", "dsc-vdsnc", "dsc-trustlist"}

// newWhole starts a system. Where time is not the subject, the signer is patient with
// Vault, so that a busy machine fails no call; else it has the defaults of production.
func newWhole(t *testing.T, patient bool, gateway ...string) *whole {
	t.Helper()
	site := vaulttest.Start(t).Bootstrap(t, labels...)
	w := &whole{Site: site, proxy: site.Proxy(t)}
	c := site.AppRole(t)
	c.Address = w.proxy.Address
	if patient {
		c.Timeout, c.Deadline = 8*time.Second, 9*time.Second // under the gateway's --signer-timeout
	}
	w.System = outage.Watch(t, harness.Start(t, harness.Options{
		Gateway: gateway, Maker: site.Maker(t).Maker,
		KeyStore: append([]string{"--key-store=vault"}, vaulttest.Args(c)...),
	}), len(labels))
	return w
}

// floor sets the lowest version of a key that Vault uses; versions under it are archived.
func (w *whole) floor(ref keystore.Ref) {
	w.Root(http.MethodPost, "transit/keys/"+ref.Label+"/config", map[string]any{"min_decryption_version": ref.Version})
}
