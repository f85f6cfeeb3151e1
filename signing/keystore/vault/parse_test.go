package vault

import (
	"bytes"
	"crypto/elliptic"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

func encoded(r, s *big.Int) string {
	raw := make([]byte, 64)
	r.FillBytes(raw[:32])
	s.FillBytes(raw[32:])
	return base64.RawURLEncoding.EncodeToString(raw)
}

func TestParseSignature(t *testing.T) {
	t.Parallel()
	n, one, zero := elliptic.P256().Params().N, big.NewInt(1), new(big.Int)
	last := new(big.Int).Sub(n, one)
	good := encoded(one, last)
	for _, text := range []string{good, encoded(last, one)} {
		if s, err := parseSignature("vault:v3:"+text, 3); err != nil || base64.RawURLEncoding.EncodeToString(s[:]) != text {
			t.Errorf("%s: %v", text, err)
		}
	}
	loose := good[:85] + string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", good[85])|1])
	for name, text := range map[string]string{
		"empty": "", "no prefix": good, "another version": "vault:v4:" + good, "a longer version": "vault:v33:" + good,
		"a padded version": "vault:v03:" + good, "another prefix": "Vault:v3:" + good, "a fourth part": "vault:v3:" + good + ":x",
		"r is zero": "vault:v3:" + encoded(zero, one), "s is zero": "vault:v3:" + encoded(one, zero),
		"r is the order": "vault:v3:" + encoded(n, one), "s is the order": "vault:v3:" + encoded(one, n),
		"short": "vault:v3:" + good[:84], "long": "vault:v3:" + good + "AA", "padded": "vault:v3:" + good + "==",
		"standard alphabet": "vault:v3:" + "+/" + good[2:], "loose bits": "vault:v3:" + loose,
		"a newline": "vault:v3:" + good[:40] + "\n" + good[41:], "a newline behind": "vault:v3:" + good + "\n",
		"ASN.1": "vault:v3:MEUCIQDx", "not Base64": "vault:v3:" + strings.Repeat("!", 86),
	} {
		if _, err := parseSignature(text, 3); !errors.Is(err, keystore.ErrUnavailable) {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestParseSignatureProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOfN(rapid.Byte(), 64, 64).Draw(t, "raw")
		version := rapid.IntRange(1, 1<<30).Draw(t, "version")
		n := elliptic.P256().Params().N
		r, s := new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:])
		want := r.Sign() > 0 && s.Sign() > 0 && r.Cmp(n) < 0 && s.Cmp(n) < 0
		got, err := parseSignature(fmt.Sprintf("vault:v%d:%s", version, base64.RawURLEncoding.EncodeToString(raw)), version)
		if (err == nil) != want || (want && !bytes.Equal(got[:], raw)) {
			t.Fatalf("in range %t, %v", want, err)
		}
	})
}

func FuzzAnswers(f *testing.F) {
	one := big.NewInt(1)
	f.Add([]byte(`{"data":{"batch_results":[{"signature":"vault:v3:` + encoded(one, one) + `","key_version":3},{"error":"no such key version"}]}}`))
	f.Add([]byte(`{"data":{"batch_results":[{"error":"x"},{"error":"requested version for signing is higher than the latest key version"}]}}`))
	f.Add([]byte(`{"data":{"type":"ecdsa-p256","latest_version":3,"keys":{"3":{"public_key":"-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n"}}}}`))
	f.Add([]byte(`{"data":{"type":"managed_key","latest_version":1}}`))
	f.Add([]byte(`{"auth":{"client_token":"hvs.x","lease_duration":9223372036854775807,"renewable":true,"policies":["root"]}}`))
	f.Add([]byte(`{"auth":{"client_token":"hvs.x","lease_duration":-1}}`))
	f.Add([]byte(`{"data":null}`))
	f.Add([]byte(`[[[[`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		results, err := readSignatures(raw, 3, 2)
		if (err == nil) != (len(results) == 2) {
			t.Errorf("%d results, %v", len(results), err)
		}
		for _, r := range results {
			if r.Err == nil && (r.Signature == keystore.Signature{}) {
				t.Error("an empty signature")
			}
		}
		if key, err := readKey(raw); err == nil {
			public, err := key.public(Config{}, keystore.Ref{Label: "a", Version: 3})
			if (err == nil) != (public != nil) {
				t.Error("a public key beside an error")
			}
		}
		if g, err := granted(raw, startOfTime); err == nil && (g.token.reveal() == "" || g.ttl < 0 || g.ttl > maxTTL) {
			t.Errorf("a token that lives %s", g.ttl)
		}
	})
}
