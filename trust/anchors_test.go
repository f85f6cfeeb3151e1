package trust_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
)

func TestReadAnchors(t *testing.T) {
	t.Parallel()
	one, two := trusttest.CSCA(t), trusttest.CSCA(t)
	write := func(content []byte) string {
		t.Helper()
		name := filepath.Join(t.TempDir(), "csca.pem")
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	both := trusttest.List(t, one.Entry(one.DSC(t), trust.UsageTest), two.Entry(two.DSC(t), trust.UsageTest))
	good := write(both.AnchorsPEM())
	if anchors, err := trust.ReadAnchors([]string{good, write(trusttest.List(t, one.Entry(one.DSC(t))).AnchorsPEM())}); err != nil || len(anchors) != 3 {
		t.Errorf("%d anchors, %v", len(anchors), err)
	}
	for name, file := range map[string]string{
		"missing":       filepath.Join(t.TempDir(), "none"),
		"empty":         write(nil),
		"no PEM":        write([]byte("x")),
		"text after":    write(append(both.AnchorsPEM(), "x"...)),
		"a signer":      write(both.SignersPEM()),
		"other block":   write([]byte("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")),
		"no DER inside": write([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")),
		"too large":     write(make([]byte, 1<<20+1)),
	} {
		if anchors, err := trust.ReadAnchors([]string{good, file}); err == nil || anchors != nil {
			t.Errorf("%s: read %d", name, len(anchors))
		}
	}
}
