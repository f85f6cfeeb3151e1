package cms_test

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/cms"
)

// openssl runs the program in a folder with cert.pem, key.pem and content.bin.
type openssl struct{ dir string }

func newOpenSSL(t *testing.T, p pair) openssl {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("openssl is missing, and CI must not skip this test")
		}
		t.Skip("openssl is missing")
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		t.Fatal(err)
	}
	o := openssl{t.TempDir()}
	o.write(t, "cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.cert.Raw}))
	o.write(t, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
	o.write(t, "content.bin", content)
	return o
}

func (o openssl) write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(o.dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (o openssl) run(t *testing.T, args ...string) ([]byte, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "openssl", args...)
	command.Dir = o.dir
	var out, problem bytes.Buffer
	command.Stdout, command.Stderr = &out, &problem
	err := command.Run()
	if err != nil {
		t.Logf("openssl: %s", problem.String())
	}
	return out.Bytes(), err
}

func eachKey(t *testing.T, test func(t *testing.T, p pair)) {
	t.Helper()
	for name, key := range map[string]crypto.Signer{"ECDSA": ecKey(t, elliptic.P256()), "RSA": rsaKey(t, 3072)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newPair(t, key))
		})
	}
}

func TestOpenSSLReadsIt(t *testing.T) {
	t.Parallel()
	eachKey(t, func(t *testing.T, p pair) {
		o := newOpenSSL(t, p)
		verify := []string{"cms", "-verify", "-inform", "DER", "-in", "message.der", "-binary", "-CAfile", "cert.pem", "-purpose", "any", "-no_check_time"}
		o.write(t, "message.der", mustSign(t, p))
		if out, err := o.run(t, verify...); err != nil || !bytes.Equal(out, content) {
			t.Errorf("%v: %q", err, out)
		}
		detached, err := cms.SignDetached(content, p.cert, p.key, at)
		if err != nil {
			t.Fatal(err)
		}
		o.write(t, "message.der", detached)
		if _, err := o.run(t, append(verify, "-content", "content.bin")...); err != nil {
			t.Error(err)
		}
		o.write(t, "content.bin", []byte("other"))
		if _, err := o.run(t, append(verify, "-content", "content.bin")...); err == nil {
			t.Error("openssl accepts any content: the test proves nothing")
		}
	})
}

func TestReadsOpenSSL(t *testing.T) {
	t.Parallel()
	eachKey(t, func(t *testing.T, p pair) {
		o := newOpenSSL(t, p)
		sign := func(extra ...string) []byte {
			args := append([]string{"cms", "-sign", "-binary", "-in", "content.bin", "-signer", "cert.pem", "-inkey", "key.pem", "-outform", "DER"}, extra...)
			raw, err := o.run(t, args...)
			if err != nil {
				t.Fatal(err)
			}
			return raw
		}
		for _, extra := range [][]string{
			{"-nodetach"}, {"-nodetach", "-md", "sha384"}, {"-nodetach", "-md", "sha512"}, {"-nodetach", "-keyid"}, {"-nodetach", "-nosmimecap"},
			{"-nodetach", "-stream"}, // BER with lengths in the indefinite form
		} {
			message, err := cms.Verify(sign(extra...))
			if err != nil || !bytes.Equal(message.Content, content) || !message.Signer.Equal(p.cert) || time.Since(message.SignedAt) > time.Hour {
				t.Errorf("%v: %v", extra, err)
			}
		}
		if message, err := cms.VerifyDetached(sign(), content); err != nil || !message.Signer.Equal(p.cert) {
			t.Error(err)
		}
		bare := sign("-nodetach", "-nocerts")
		if _, err := cms.Verify(bare); err == nil {
			t.Error("the signer came from nowhere")
		}
		if message, err := cms.Verify(bare, p.cert); err != nil || message.Certificates != 0 {
			t.Errorf("certificate given: %v", err)
		}
		for _, extra := range [][]string{{"-nodetach", "-noattr"}, {"-nodetach", "-md", "sha1"}, {"-nodetach", "-econtent_type", "1.2.3"}} {
			if _, err := cms.Verify(sign(extra...)); err == nil {
				t.Errorf("%v accepted", extra)
			}
		}
	})
}
