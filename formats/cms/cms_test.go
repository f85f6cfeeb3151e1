package cms_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"io"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/smallstep/pkcs7"
	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/formats/cms"
)

var (
	at      = time.Date(2026, 3, 1, 12, 30, 45, 999, time.FixedZone("", 3600))
	content = []byte("content of the message")
)

type pair struct {
	key  crypto.Signer
	cert *x509.Certificate
}

func newPair(t testing.TB, key crypto.Signer) pair {
	t.Helper()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{Country: []string{"XX"}, CommonName: "Upload"},
		NotBefore: at.Add(-time.Hour), NotAfter: at.AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, SubjectKeyId: serial.Bytes(),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return pair{key, cert}
}

func ecKey(t testing.TB, curve elliptic.Curve) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func rsaKey(t testing.TB, bits int) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func mustSign(t testing.TB, p pair) []byte {
	t.Helper()
	raw, err := cms.Sign(content, p.cert, p.key, at)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestSignedMessageComesBack(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]crypto.Signer{
		"P-256": ecKey(t, elliptic.P256()), "P-384": ecKey(t, elliptic.P384()), "RSA": rsaKey(t, 2048),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPair(t, key)
			message, err := cms.Verify(mustSign(t, p))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(message.Content, content) || !message.Signer.Equal(p.cert) || message.Certificates != 1 {
				t.Errorf("%+v", message)
			}
			if want := at.UTC().Truncate(time.Second); !message.SignedAt.Equal(want) {
				t.Errorf("signed at %v, want %v", message.SignedAt, want)
			}
			detached, err := cms.SignDetached(content, p.cert, p.key, at)
			if err != nil {
				t.Fatal(err)
			}
			if message, err = cms.VerifyDetached(detached, content); err != nil || !message.Signer.Equal(p.cert) {
				t.Error(err)
			}
			if _, err := cms.VerifyDetached(detached, []byte("other")); !errors.Is(err, cms.ErrAttributes) {
				t.Errorf("other content: %v", err)
			}
		})
	}
}

func TestTheTwoFormsAreNotMistaken(t *testing.T) {
	t.Parallel()
	p := newPair(t, ecKey(t, elliptic.P256()))
	if _, err := cms.VerifyDetached(mustSign(t, p), content); !errors.Is(err, cms.ErrContent) {
		t.Errorf("content inside and outside: %v", err)
	}
	detached, err := cms.SignDetached(content, p.cert, p.key, at)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cms.Verify(detached); !errors.Is(err, cms.ErrContent) {
		t.Errorf("no content: %v", err)
	}
}

// The library of the same purpose reads what is written here.
func TestAnotherImplementationReadsIt(t *testing.T) {
	t.Parallel()
	for _, key := range []crypto.Signer{ecKey(t, elliptic.P256()), rsaKey(t, 2048)} {
		p := newPair(t, key)
		other, err := pkcs7.Parse(mustSign(t, p))
		if err != nil {
			t.Fatal(err)
		}
		if err := other.Verify(); err != nil || !bytes.Equal(other.Content, content) || len(other.Signers) != 1 {
			t.Errorf("%v: %q", err, other.Content)
		}
		var signedAt time.Time
		if err := other.UnmarshalSignedAttribute(pkcs7.OIDAttributeSigningTime, &signedAt); err != nil || !signedAt.Equal(at.Truncate(time.Second)) {
			t.Errorf("%v %v", signedAt, err)
		}
	}
}

// libraryMessage is made by the other implementation.
func libraryMessage(t testing.TB, change func(*pkcs7.SignedData), signers ...pair) []byte {
	t.Helper()
	data, err := pkcs7.NewSignedData(content)
	if err != nil {
		t.Fatal(err)
	}
	data.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	if change != nil {
		change(data)
	}
	for _, p := range signers {
		if err := data.AddSigner(p.cert, p.key, pkcs7.SignerInfoConfig{}); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := data.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestReadsAnotherImplementation(t *testing.T) {
	t.Parallel()
	p := newPair(t, ecKey(t, elliptic.P256()))
	for name, digest := range map[string]asn1.ObjectIdentifier{
		"SHA-256": pkcs7.OIDDigestAlgorithmSHA256, "SHA-384": pkcs7.OIDDigestAlgorithmSHA384, "SHA-512": pkcs7.OIDDigestAlgorithmSHA512,
	} {
		raw := libraryMessage(t, func(d *pkcs7.SignedData) { d.SetDigestAlgorithm(digest) }, p)
		if message, err := cms.Verify(raw); err != nil || !bytes.Equal(message.Content, content) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	p, q := newPair(t, ecKey(t, elliptic.P256())), newPair(t, ecKey(t, elliptic.P256()))
	good := mustSign(t, p)
	without, err := pkcs7.NewSignedData(content)
	if err != nil {
		t.Fatal(err)
	}
	without.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	if err := without.SignWithoutAttr(p.cert, p.key, pkcs7.SignerInfoConfig{}); err != nil {
		t.Fatal(err)
	}
	noAttributes, err := without.Finish()
	if err != nil {
		t.Fatal(err)
	}
	replace := func(old, with []byte) []byte {
		if bytes.Count(good, old) == 0 || len(old) != len(with) {
			t.Fatal("nothing to replace")
		}
		return bytes.ReplaceAll(good, old, with)
	}
	contentTwice := libraryMessage(t, nil, p)
	for name, test := range map[string]struct {
		raw  []byte
		want error
	}{
		"nothing":            {nil, cms.ErrForm},
		"cut off":            {good[:len(good)-1], cms.ErrForm},
		"something after it": {append(slices.Clone(good), 0), cms.ErrForm},
		"too large":          {make([]byte, cms.MaxSize+1), cms.ErrTooLarge},
		"too deep":           {bytes.Repeat([]byte{0x30, 0x80}, 1000), cms.ErrForm},
		"endless":            {bytes.Repeat([]byte{0x24, 0x80}, 1000), cms.ErrForm},
		"other content":      {replace(content, []byte("CONTENT of the message")), cms.ErrAttributes},
		"other signature":    {append(slices.Clone(good[:len(good)-1]), good[len(good)-1]^1), cms.ErrSignature},
		"two signers":        {libraryMessage(t, nil, p, q), cms.ErrSigners},
		"no signer":          {libraryMessage(t, nil), cms.ErrSigners},
		"no attributes":      {noAttributes, cms.ErrForm},
		"SHA-1":              {libraryMessage(t, func(d *pkcs7.SignedData) { d.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA1) }, p), cms.ErrAlgorithm},
		"content type twice": {attributeTwice(t, p), cms.ErrAttributes},
		"small RSA key":      {libraryMessage(t, nil, newPair(t, rsaKey(t, 1024))), cms.ErrAlgorithm},
		"other type":         {bytes.Replace(contentTwice, mustMarshal(t, pkcs7.OIDData), mustMarshal(t, pkcs7.OIDEncryptedData), 1), cms.ErrContent},
		"encrypted":          {bytes.Replace(contentTwice, mustMarshal(t, pkcs7.OIDSignedData), mustMarshal(t, pkcs7.OIDEncryptedData), 1), cms.ErrForm},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if message, err := cms.Verify(test.raw); !errors.Is(err, test.want) || message.Signer != nil {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
}

func mustMarshal(t testing.TB, oid asn1.ObjectIdentifier) []byte {
	t.Helper()
	der, err := asn1.Marshal(oid)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func attributeTwice(t *testing.T, p pair) []byte {
	t.Helper()
	data, err := pkcs7.NewSignedData(content)
	if err != nil {
		t.Fatal(err)
	}
	data.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	extra := []pkcs7.Attribute{{Type: pkcs7.OIDAttributeContentType, Value: pkcs7.OIDData}}
	if err := data.AddSigner(p.cert, p.key, pkcs7.SignerInfoConfig{ExtraSignedAttributes: extra}); err != nil {
		t.Fatal(err)
	}
	raw, err := data.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// A message that carries a certificate of the attacker with the name and serial number of
// the trusted one verifies at most with that certificate, never with the trusted one.
func TestTheCertificateOfTheSignerIsReported(t *testing.T) {
	t.Parallel()
	honest := newPair(t, ecKey(t, elliptic.P256()))
	attacker := ecKey(t, elliptic.P256())
	template := *honest.cert
	template.PublicKey = attacker.Public()
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, attacker.Public(), attacker)
	if err != nil {
		t.Fatal(err)
	}
	twin, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	message, err := cms.Verify(mustSign(t, pair{attacker, twin}), honest.cert)
	if err != nil || message.Signer.Equal(honest.cert) || !message.Signer.Equal(twin) {
		t.Errorf("%v %v", err, message.Signer)
	}
}

func TestSignRefuses(t *testing.T) {
	t.Parallel()
	p, q := newPair(t, ecKey(t, elliptic.P256())), newPair(t, ecKey(t, elliptic.P256()))
	for name, test := range map[string]struct {
		content []byte
		cert    *x509.Certificate
		key     crypto.Signer
		want    error
	}{
		"key of another": {content, p.cert, q.key, cms.ErrKey},
		"no certificate": {content, nil, p.key, cms.ErrKey},
		"no key":         {content, p.cert, nil, cms.ErrKey},
		"too large":      {make([]byte, cms.MaxSize), p.cert, p.key, cms.ErrTooLarge},
		"P-224":          {content, newPair(t, ecKey(t, elliptic.P224())).cert, nil, cms.ErrKey},
		"broken key":     {content, p.cert, broken{p.key}, errBroken},
		"lying key":      {content, p.cert, lying{p.key}, cms.ErrSignature},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if raw, err := cms.Sign(test.content, test.cert, test.key, at); !errors.Is(err, test.want) || raw != nil {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
}

var errBroken = errors.New("the session is lost")

type broken struct{ crypto.Signer }

func (broken) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, errBroken }

// lying signs something else, as a key store with a fault would.
type lying struct{ crypto.Signer }

func (l lying) Sign(random io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	other := slices.Clone(digest)
	other[0] ^= 1
	return l.Signer.Sign(random, other, o)
}

func TestAnyContentComesBack(t *testing.T) {
	t.Parallel()
	p := newPair(t, ecKey(t, elliptic.P256()))
	rapid.Check(t, func(r *rapid.T) {
		want := rapid.SliceOfN(rapid.Byte(), 0, 70000).Draw(r, "content")
		raw, err := cms.Sign(want, p.cert, p.key, at)
		if err != nil {
			r.Fatal(err)
		}
		if message, err := cms.Verify(raw); err != nil || !bytes.Equal(message.Content, want) {
			r.Fatal(err)
		}
	})
}

// indefinite rewrites every element around the content into the indefinite form, as Bouncy
// Castle writes them, except inside the signed attributes and the certificate.
func indefinite(der []byte, depth int) []byte {
	var outer asn1.RawValue
	if _, err := asn1.Unmarshal(der, &outer); err != nil || !outer.IsCompound || depth == 0 {
		return der
	}
	out := []byte{der[0], 0x80}
	for rest := outer.Bytes; len(rest) > 0; {
		var child asn1.RawValue
		rest, _ = asn1.Unmarshal(rest, &child)
		out = append(out, indefinite(child.FullBytes, depth-1)...)
	}
	return append(out, 0, 0)
}

func TestReadsIndefiniteLengths(t *testing.T) {
	t.Parallel()
	p := newPair(t, ecKey(t, elliptic.P256()))
	for _, size := range []int{0, 1, 120, 200, 300, 70000} {
		want := bytes.Repeat([]byte("c"), size)
		raw, err := cms.Sign(want, p.cert, p.key, at)
		if err != nil {
			t.Fatal(err)
		}
		for depth := range 5 {
			message, err := cms.Verify(indefinite(raw, depth))
			if err != nil || !bytes.Equal(message.Content, want) || !message.Signer.Equal(p.cert) {
				t.Errorf("size %d, depth %d: %v", size, depth, err)
			}
		}
	}
}

// Not one bit of a message can change unnoticed, except where it signs nothing: then the
// content and the signer are the same.
func TestEveryBitCounts(t *testing.T) {
	t.Parallel()
	p := newPair(t, ecKey(t, elliptic.P256()))
	good := mustSign(t, p)
	for i := range good {
		bad := slices.Clone(good)
		bad[i] ^= 1 << (i % 8)
		message, err := cms.Verify(bad)
		if err != nil {
			continue
		}
		if !bytes.Equal(message.Content, content) || !publicEqual(message.Signer.PublicKey, p.key.Public()) {
			t.Fatalf("byte %d", i)
		}
	}
}

func publicEqual(a, b crypto.PublicKey) bool {
	return a.(interface{ Equal(x crypto.PublicKey) bool }).Equal(b)
}

func FuzzVerify(f *testing.F) {
	p := newPair(f, ecKey(f, elliptic.P256()))
	f.Add(mustSign(f, p))
	f.Add(libraryMessage(f, nil, newPair(f, rsaKey(f, 2048))))
	f.Add([]byte{0x30, 0x80, 0x24, 0x80, 0x04, 0x01, 'a', 0, 0, 0, 0})
	f.Add([]byte{0x1f})
	f.Fuzz(func(t *testing.T, raw []byte) {
		message, err := cms.Verify(raw, p.cert)
		if (err == nil) != (message.Signer != nil) {
			t.Error("a message without signer")
		}
		if message, err = cms.VerifyDetached(raw, raw, p.cert); err == nil && message.Signer == nil {
			t.Error("a message without signer")
		}
	})
}
