package shlink_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/formats/shlink"
)

func encrypt(t testing.TB, key [32]byte, content []byte, compress bool) string {
	t.Helper()
	jwe, err := shlink.Encrypt(key, shlink.FHIR, content, compress)
	if err != nil {
		t.Fatal(err)
	}
	return jwe
}

func part(t testing.TB, s string) []byte {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestEncryptIsPlainAESGCM opens a file with the standard library alone.
func TestEncryptIsPlainAESGCM(t *testing.T) {
	t.Parallel()
	key, content := specimen().Key, []byte(`{"resourceType":"Bundle"}`)
	parts := strings.Split(encrypt(t, key, content, false), ".")
	if len(parts) != 5 || parts[1] != "" {
		t.Fatalf("%d parts", len(parts))
	}
	header := decode[map[string]string](t, part(t, parts[0]))
	if len(header) != 3 || header["alg"] != "dir" || header["enc"] != "A256GCM" || header["cty"] != "application/fhir+json" {
		t.Errorf("header %v", header)
	}
	block, err := aes.NewCipher(key[:])
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	got, err := aead.Open(nil, part(t, parts[2]), append(part(t, parts[3]), part(t, parts[4])...), []byte(parts[0]))
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("opened as %q, %v", got, err)
	}
}

func TestEncryptNeverRepeatsANonce(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 500 {
		nonce := strings.Split(encrypt(t, specimen().Key, []byte("x"), false), ".")[2]
		if seen[nonce] {
			t.Fatal("a nonce repeats")
		}
		seen[nonce] = true
	}
}

func TestEncryptDecrypt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		key := [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(r, "key"))
		content := rapid.SliceOfN(rapid.Byte(), 0, 4096).Draw(r, "content")
		jwe := encrypt(t, key, content, rapid.Bool().Draw(r, "compress"))
		contentType, got, err := shlink.Decrypt(key, jwe)
		if err != nil || contentType != shlink.FHIR || !bytes.Equal(got, content) {
			r.Fatalf("%s, %d bytes, %v", contentType, len(got), err)
		}
	})
}

func TestSizes(t *testing.T) {
	t.Parallel()
	key := specimen().Key
	for _, size := range []int{0, 1, 249_999, 250_000, 250_001, shlink.MaxContent} {
		for _, compress := range []bool{false, true} {
			content := bytes.Repeat([]byte("a"), size) // the easiest to compress
			jwe := encrypt(t, key, content, compress)
			zipped := strings.Contains(string(part(t, strings.Split(jwe, ".")[0])), `"zip":"DEF"`)
			if zipped != (compress && size <= 250_000) {
				t.Errorf("%d bytes: zip is %v", size, zipped)
			}
			if _, got, err := shlink.Decrypt(key, jwe); err != nil || !bytes.Equal(got, content) {
				t.Errorf("%d bytes: %d come back, %v", size, len(got), err)
			}
		}
	}
	if _, err := shlink.Encrypt(key, shlink.FHIR, make([]byte, shlink.MaxContent+1), false); !errors.Is(err, shlink.ErrTooLarge) {
		t.Errorf("too much content: %v", err)
	}
	if _, err := shlink.Encrypt(key, "text/plain", nil, false); err == nil {
		t.Error("another media type is encrypted")
	}
}

// seal makes a file with any options of the library.
func seal(t testing.TB, enc jose.ContentEncryption, r jose.Recipient, content []byte, o *jose.EncrypterOptions) string {
	t.Helper()
	e, err := jose.NewEncrypter(enc, r, o)
	if err != nil {
		t.Fatal(err)
	}
	object, err := e.Encrypt(content)
	if err != nil {
		t.Fatal(err)
	}
	jwe, err := object.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return jwe
}

func TestDecryptRefuses(t *testing.T) {
	t.Parallel()
	key := specimen().Key
	jwe := encrypt(t, key, []byte("content"), false)
	parts := strings.Split(jwe, ".")
	other := key
	other[31] ^= 1
	direct := jose.Recipient{Algorithm: jose.DIRECT, Key: key[:]}
	bomb := seal(t, jose.A256GCM, direct, bytes.Repeat([]byte{0}, 8<<20), &jose.EncrypterOptions{Compression: jose.DEFLATE})
	critical := seal(t, jose.A256GCM, direct, nil, (&jose.EncrypterOptions{}).WithHeader("crit", []string{"x"}))
	wrapped := seal(t, jose.A256GCM, jose.Recipient{Algorithm: jose.A256KW, Key: key[:]}, []byte("content"), nil)
	short := seal(t, jose.A128GCM, jose.Recipient{Algorithm: jose.DIRECT, Key: key[:16]}, []byte("content"), nil)
	for name, test := range map[string]struct {
		key  [32]byte
		jwe  string
		want error
	}{
		"other key":         {other, jwe, shlink.ErrDecrypt},
		"empty":             {key, "", shlink.ErrForm},
		"four parts":        {key, strings.Join(parts[:4], "."), shlink.ErrForm},
		"six parts":         {key, jwe + ".AAAA", shlink.ErrForm},
		"JSON":              {key, `{"protected":"e30"}`, shlink.ErrForm},
		"line break":        {key, jwe + "\n", shlink.ErrForm},
		"encrypted key":     {key, parts[0] + ".AAAA." + strings.Join(parts[2:], "."), shlink.ErrForm},
		"alg A256KW":        {key, wrapped, shlink.ErrForm},
		"enc A128GCM":       {key, short, shlink.ErrForm},
		"crit":              {key, critical, shlink.ErrForm},
		"bomb":              {key, bomb, shlink.ErrForm},
		"long header":       {key, strings.Repeat("A", 2000) + "." + strings.Join(parts[1:], "."), shlink.ErrForm},
		"too long":          {key, jwe + strings.Repeat("A", 6<<20), shlink.ErrTooLarge},
		"no tag":            {key, strings.Join(parts[:4], ".") + ".", shlink.ErrDecrypt},
		"no nonce":          {key, parts[0] + "..." + strings.Join(parts[3:], "."), shlink.ErrDecrypt},
		"header of another": {key, strings.Split(encrypt(t, key, nil, true), ".")[0] + "." + strings.Join(parts[1:], "."), shlink.ErrDecrypt},
	} {
		contentType, content, err := shlink.Decrypt(test.key, test.jwe)
		if !errors.Is(err, test.want) || content != nil || contentType != "" {
			t.Errorf("%s: %d bytes, %v", name, len(content), err)
		}
	}
}

// TestDecryptNoticesEveryBit flips each bit of each part.
func TestDecryptNoticesEveryBit(t *testing.T) {
	t.Parallel()
	key := specimen().Key
	parts := strings.Split(encrypt(t, key, []byte("content"), true), ".")
	for i := range parts {
		raw := part(t, parts[i])
		for bit := range len(raw) * 8 {
			flipped := bytes.Clone(raw)
			flipped[bit/8] ^= 1 << (bit % 8)
			changed := append(append(append([]string{}, parts[:i]...), base64.RawURLEncoding.EncodeToString(flipped)), parts[i+1:]...)
			if _, content, err := shlink.Decrypt(key, strings.Join(changed, ".")); err == nil || content != nil {
				t.Fatalf("bit %d of part %d is not noticed", bit, i)
			}
		}
	}
}

func TestManifestRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ path, body string }{
		"no JSON":        {"manifest", `x`},
		"array":          {"manifest", `[]`},
		"no files":       {"files", `{}`},
		"empty":          {"files", `{"files":[]}`},
		"sixty-five":     {"files", `{"files":[` + strings.Repeat(`{},`, 64) + `{}]}`},
		"no type":        {"files[0].contentType", `{"files":[{"location":"https://a.example"}]}`},
		"nowhere":        {"files[0].location", `{"files":[{"contentType":"application/fhir+json"}]}`},
		"plain location": {"files[0].location", `{"files":[{"contentType":"application/fhir+json","location":"http://a.example"}]}`},
		"long embedded":  {"files[0].embedded", `{"files":[{"contentType":"a","embedded":"` + strings.Repeat("A", 6<<20) + `"}]}`},
	} {
		_, err := shlink.ParseManifest([]byte(test.body))
		var e *shlink.Error
		if !errors.As(err, &e) || e.Path != test.path {
			t.Errorf("%s: %v", name, err)
		}
	}
	m, err := shlink.ParseManifest([]byte(`{"list":{"resourceType":"List"},"files":[{"contentType":"application/fhir+json","embedded":"a.b","lastUpdated":"2026-11-21","new":1}]}`))
	if err != nil || len(m.Files) != 1 {
		t.Errorf("members to come: %v", err)
	}
}

func BenchmarkEncrypt(b *testing.B) {
	content := bytes.Repeat([]byte(`{"resourceType":"Bundle"}`), 800)
	for b.Loop() {
		encrypt(b, specimen().Key, content, true)
	}
}
