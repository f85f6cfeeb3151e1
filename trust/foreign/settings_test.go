package foreign_test

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/trust/foreign"
	"github.com/trustedparty/ddcc-gateway/trust/foreign/pinned"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
)

// settingsFiles is a folder with everything that sources may name.
type settingsFiles struct {
	dir  string
	csca trusttest.Pair
	key  *ecdsa.PrivateKey
}

func newSettingsFiles(t *testing.T) settingsFiles {
	t.Helper()
	f := settingsFiles{t.TempDir(), trusttest.CSCA(t), newKey(t)}
	spki, err := x509.MarshalPKIXPublicKey(&f.key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	point, err := f.key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	client := trusttest.CSCA(t)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(client.Key)
	if err != nil {
		t.Fatal(err)
	}
	u := base64.RawURLEncoding.EncodeToString
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	for name, content := range map[string][]byte{
		"ca.pem":     block("CERTIFICATE", f.csca.Cert.Raw),
		"key.pem":    block("PUBLIC KEY", spki),
		"key.jwk":    encode(t, object{"kty": "EC", "crv": "P-256", "x": u(point[1:33]), "y": u(point[33:])}),
		"client.pem": block("CERTIFICATE", client.Cert.Raw),
		"client.key": block("PRIVATE KEY", pkcs8),
		"empty.pem":  {},
		"large.pem":  make([]byte, 1<<20+1),
	} {
		write(t, filepath.Join(f.dir, name), content)
	}
	return f
}

func (f settingsFiles) read(t *testing.T, sources ...object) ([]foreign.Source, error) {
	t.Helper()
	path := filepath.Join(f.dir, "sources.json")
	write(t, path, encode(t, object{"sources": sources}))
	return foreign.ReadSources(path, time.Second, time.Now)
}

func TestReadSources(t *testing.T) {
	t.Parallel()
	f := newSettingsFiles(t)
	pin := pinned.Pin{1}.String()
	sources, err := f.read(t,
		object{"name": "who", "format": "did", "url": "https://example.org/did.json", "serverCA": "ca.pem", "pins": []string{pin}, "proofKeys": []string{"key.pem", "key.jwk", "ca.pem"}, "maxAge": "72h", "maxProofAge": "240h", "domains": []string{"DCC"}, "participants": object{"WHO": "CH"}},
		object{"name": "eu", "format": "gateway", "url": "https://example.org/trustList", "serverCA": "ca.pem", "pins": []string{pin}, "clientCert": "client.pem", "clientKey": "client.key", "anchors": []string{filepath.Join(f.dir, "ca.pem")}, "countries": []string{"EE"}},
		object{"name": "by-hand", "format": "pathcheck", "digests": []string{hex.EncodeToString(make([]byte, 32))}},
	)
	if err != nil || len(sources) != 3 {
		t.Fatal(err)
	}
	who, eu, byHand := sources[0], sources[1], sources[2]
	if who.Fetch == nil || !who.Fetch.Pinned() || who.MaxAge != 72*time.Hour || who.MaxProofAge != 240*time.Hour || who.Domains[0] != "DCC" || who.Participants["WHO"] != "CH" {
		t.Errorf("%+v", who)
	}
	keys := who.Authenticity.ProofKeys
	if len(keys) != 3 || !keys[0].Equal(&f.key.PublicKey) || !keys[1].Equal(&f.key.PublicKey) || !keys[2].Equal(f.csca.Cert.PublicKey) {
		t.Error("keys")
	}
	if eu.Fetch == nil || !eu.Fetch.Pinned() || eu.MaxProofAge != 0 || len(eu.Authenticity.Anchors) != 1 || eu.Countries[0] != "EE" {
		t.Errorf("%+v", eu)
	}
	if byHand.Fetch != nil || byHand.Authenticity.Digests[0] != [sha256.Size]byte{} {
		t.Errorf("%+v", byHand)
	}
}

func TestReadSourcesNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	f := newSettingsFiles(t)
	good := object{"name": "who", "format": "did", "url": "https://example.org/did.json", "serverCA": "ca.pem", "proofKeys": []string{"key.pem"}}
	for name, test := range map[string]struct {
		member string
		value  any
		want   string
	}{
		"unknown member":  {"proofkeys", []string{"key.pem"}, "unknown"},
		"wrong type":      {"pins", "x", "another type"},
		"plain HTTP":      {"url", "http://example.org", "https"},
		"no address":      {"url", "", "url: settings of a connection"},
		"no CA":           {"serverCA", "", "serverCA: give the PEM"},
		"CA missing":      {"serverCA", "gone.pem", "serverCA: open"},
		"CA empty":        {"serverCA", "empty.pem", "serverCA: the file holds no PEM"},
		"pin":             {"pins", []string{"x"}, "pins: "},
		"client alone":    {"clientCert", "client.pem", "key: not set"},
		"key missing":     {"proofKeys", []string{"gone.pem"}, "proofKeys: open"},
		"key empty":       {"proofKeys", []string{"empty.pem"}, "proofKeys: empty.pem"},
		"key large":       {"proofKeys", []string{"large.pem"}, "larger than 1 MiB"},
		"private key":     {"proofKeys", []string{"client.key"}, "proofKeys: client.key"},
		"anchors no PEM":  {"anchors", []string{"key.jwk"}, "anchors: key.jwk"},
		"anchors no cert": {"anchors", []string{"key.pem"}, "anchors: key.pem"},
		"digest":          {"digests", []string{"00"}, "digests: "},
		"age":             {"maxAge", "two days", "maxAge: "},
		"age of proofs":   {"maxProofAge", "a month", "maxProofAge: "},
		"negative age":    {"maxProofAge", "-1h", "an age limit is negative"},
		"format":          {"format", "xml", "format is unknown"},
		"name":            {"name", "../up", "name of a source"},
		"no reason":       {"proofKeys", nil, "nothing makes the document authentic"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			own := newSettingsFiles(t)
			changed := object{test.member: test.value}
			for member, value := range good {
				if member != test.member {
					changed[member] = value
				}
			}
			if _, err := own.read(t, changed); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v", err)
			}
		})
	}
	_, err := f.read(t, object{"name": "a", "format": "did", "maxAge": "x"}, object{"name": "b", "format": "did", "digests": []string{"x"}})
	if err == nil || !strings.Contains(err.Error(), `"a": maxAge`) || !strings.Contains(err.Error(), `"b": digests`) {
		t.Errorf("not all at once: %v", err)
	}
	for name, content := range map[string]string{"no JSON": "x", "twice": `{"sources":[],"sources":[]}`, "nested": strings.Repeat("[", 100)} {
		path := filepath.Join(t.TempDir(), "sources.json")
		write(t, path, []byte(content))
		if _, err := foreign.ReadSources(path, time.Second, time.Now); err == nil {
			t.Errorf("%s accepted", name)
		}
	}
	if _, err := foreign.ReadSources(filepath.Join(f.dir, "gone.json"), time.Second, time.Now); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// The example of the documentation is one that can be read.
func TestDocumentedExample(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "foreign-trust.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, example, found := strings.Cut(string(page), "```json\n")
	example, _, ended := strings.Cut(example, "```")
	if !found || !ended || !json.Valid([]byte(example)) {
		t.Fatal("no example")
	}
	f := newSettingsFiles(t)
	for _, name := range []string{"who-signing.jwk", "eu-anchor.pem", "public-ca.pem", "gateway-ca.pem", "tls.pem", "tls.key"} {
		from := map[string]string{"who-signing.jwk": "key.jwk", "tls.pem": "client.pem", "tls.key": "client.key"}[name]
		if from == "" {
			from = "ca.pem"
		}
		raw, err := os.ReadFile(filepath.Join(f.dir, from))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(f.dir, name), raw)
	}
	path := filepath.Join(f.dir, "sources.json")
	write(t, path, []byte(example))
	if sources, err := foreign.ReadSources(path, time.Second, time.Now); err != nil || len(sources) != 3 {
		t.Error(err)
	}
}
