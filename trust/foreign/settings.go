package foreign

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/trustedparty/ddcc-gateway/formats/strictjson"
	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/internal/platform/tlsconf"
	"github.com/trustedparty/ddcc-gateway/trust/foreign/pinned"
)

// maxSettings bounds the file of sources and each file it names, in bytes.
const maxSettings = 1 << 20

// settings is the file of sources. docs/foreign-trust.md describes it.
type settings struct {
	Sources []sourceSettings `json:"sources"`
}

type sourceSettings struct {
	Name   string `json:"name"`
	Format Format `json:"format"`

	URL        string   `json:"url"`
	ServerCA   string   `json:"serverCA"`
	ServerName string   `json:"serverName"`
	Pins       []string `json:"pins"`
	ClientCert string   `json:"clientCert"`
	ClientKey  string   `json:"clientKey"`

	ProofKeys       []string `json:"proofKeys"`
	Anchors         []string `json:"anchors"`
	ListKeys        []string `json:"listKeys"`
	Digests         []string `json:"digests"`
	PinnedTransport bool     `json:"pinnedTransport"`

	Countries    []string          `json:"countries"`
	Participants map[string]string `json:"participants"`
	Domains      []string          `json:"domains"`
	MaxAge       string            `json:"maxAge"`
	MaxProofAge  string            `json:"maxProofAge"`
}

// ReadSources reads the file that describes the sources. Files named in it are looked for
// beside it. The error names every source and setting that is wrong.
func ReadSources(path string, timeout time.Duration, now func() time.Time) ([]Source, error) {
	raw, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("foreign: file of sources: %w", err)
	}
	if err := strictjson.Check(raw, 5); err != nil {
		return nil, fmt.Errorf("foreign: file of sources: %w", err)
	}
	var file settings
	if err := json.Unmarshal(raw, &file, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("foreign: file of sources: a setting is unknown or of another type: %w", err)
	}
	r := settingsReader{dir: filepath.Dir(path), timeout: timeout, now: now}
	sources := make([]Source, 0, len(file.Sources))
	for _, one := range file.Sources {
		r.source = one.Name
		source := r.read(one)
		if err := source.check(); err != nil && len(r.problems) == 0 {
			r.problems = append(r.problems, err)
		}
		sources = append(sources, source)
	}
	if len(r.problems) > 0 {
		return nil, errors.Join(r.problems...)
	}
	return sources, nil
}

// settingsReader collects what is wrong.
type settingsReader struct {
	dir      string
	timeout  time.Duration
	now      func() time.Time
	source   string // under way
	problems []error
}

func (r *settingsReader) add(setting string, err error) {
	if err != nil {
		r.problems = append(r.problems, fmt.Errorf("foreign: source %q: %s: %w", r.source, setting, err))
	}
}

func (r *settingsReader) path(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(r.dir, name)
}

func (r *settingsReader) read(s sourceSettings) Source {
	source := Source{
		Name: s.Name, Format: s.Format, Countries: s.Countries, Participants: s.Participants, Domains: s.Domains,
		Authenticity: Authenticity{
			Digests: r.digests(s.Digests), Anchors: r.certificates("anchors", s.Anchors), PinnedTransport: s.PinnedTransport,
			ProofKeys: r.keys("proofKeys", s.ProofKeys), ListKeys: r.keys("listKeys", s.ListKeys),
		},
	}
	source.MaxAge = r.age("maxAge", s.MaxAge)
	source.MaxProofAge = r.age("maxProofAge", s.MaxProofAge)
	if fetcher := r.fetcher(s); fetcher != nil { // an interface must not hold a nil pointer
		source.Fetch = fetcher
	}
	return source
}

// age reads a limit; left out, it is the default's zero.
func (r *settingsReader) age(setting, text string) time.Duration {
	if text == "" {
		return 0
	}
	age, err := time.ParseDuration(text)
	r.add(setting, err)
	return age
}

var (
	errNoURL  = errors.New("settings of a connection are given without url")
	errNoCA   = errors.New("give the PEM file with the CAs that sign the server's certificate")
	errPEM    = errors.New("the file holds no PEM certificate")
	errNoKey  = errors.New("the file must hold one P-256 key: PEM PUBLIC KEY, PEM CERTIFICATE or a JWK")
	errDigest = errors.New("a digest is a SHA-256 in hexadecimal")
)

func (r *settingsReader) fetcher(s sourceSettings) *HTTPFetcher {
	if s.URL == "" {
		if s.ServerCA != "" || s.ServerName != "" || len(s.Pins) > 0 || s.ClientCert != "" || s.ClientKey != "" {
			r.add("url", errNoURL)
		}
		return nil
	}
	before := len(r.problems)
	options := pinned.Options{ServerName: s.ServerName, Now: r.now}
	for _, text := range s.Pins {
		pin, err := pinned.ParsePin(text)
		r.add("pins", err)
		options.Pins = append(options.Pins, pin)
	}
	r.tls(s, &options)
	if len(r.problems) > before {
		return nil
	}
	fetcher, err := NewHTTPFetcher(HTTPOptions{URL: s.URL, Timeout: r.timeout, TLS: options})
	r.add("url", err)
	return fetcher
}

// tls reads the CAs of the server and the own certificate, if one is configured.
func (r *settingsReader) tls(s sourceSettings, options *pinned.Options) {
	if s.ClientCert == "" && s.ClientKey == "" {
		raw, err := readFile(r.path(s.ServerCA))
		options.Roots = x509.NewCertPool()
		if s.ServerCA == "" {
			err = errNoCA
		} else if err == nil && !options.Roots.AppendCertsFromPEM(raw) {
			err = errPEM
		}
		r.add("serverCA", err)
		return
	}
	files := tlsconf.ClientFiles{
		Identity: tlsconf.Identity{Cert: r.path(s.ClientCert), Key: config.SecretFile(r.path(s.ClientKey))}, CA: r.path(s.ServerCA),
	}
	client, err := tlsconf.NewClient(tlsconf.ClientOptions{Files: files, Now: r.now})
	if err != nil {
		r.add("clientCert, clientKey, serverCA", err)
		return
	}
	options.Roots = client.RootCAs
	options.ClientCertificate = func() (*tls.Certificate, error) {
		return client.GetClientCertificate(&tls.CertificateRequestInfo{})
	}
}

func (r *settingsReader) digests(texts []string) [][sha256.Size]byte {
	var out [][sha256.Size]byte
	for _, text := range texts {
		raw, err := hex.DecodeString(text)
		if err != nil || len(raw) != sha256.Size {
			r.add("digests", errDigest)
			continue
		}
		out = append(out, [sha256.Size]byte(raw))
	}
	return out
}

// certificates reads all certificates of PEM files.
func (r *settingsReader) certificates(setting string, names []string) []*x509.Certificate {
	var out []*x509.Certificate
	for _, name := range names {
		raw, err := readFile(r.path(name))
		r.add(setting, err)
		before := len(out)
		for block, rest := pem.Decode(raw); block != nil; block, rest = pem.Decode(rest) {
			certificate, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				r.add(setting, fmt.Errorf("%s: %w", name, err))
				continue
			}
			out = append(out, certificate)
		}
		if err == nil && len(out) == before {
			r.add(setting, fmt.Errorf("%s: %w", name, errPEM))
		}
	}
	return out
}

// keys reads one P-256 key of each file.
func (r *settingsReader) keys(setting string, names []string) []*ecdsa.PublicKey {
	var out []*ecdsa.PublicKey
	for _, name := range names {
		raw, err := readFile(r.path(name))
		if err != nil {
			r.add(setting, err)
			continue
		}
		key, ok := publicKey(raw)
		if !ok {
			r.add(setting, fmt.Errorf("%s: %w", name, errNoKey))
			continue
		}
		out = append(out, key)
	}
	return out
}

func publicKey(raw []byte) (*ecdsa.PublicKey, bool) {
	block, _ := pem.Decode(raw)
	if block == nil {
		return jwkKey(raw)
	}
	var public any
	switch block.Type {
	case "PUBLIC KEY":
		public, _ = x509.ParsePKIXPublicKey(block.Bytes)
	case "CERTIFICATE":
		if certificate, err := x509.ParseCertificate(block.Bytes); err == nil {
			public = certificate.PublicKey
		}
	}
	key, ok := public.(*ecdsa.PublicKey)
	return key, ok && key.Curve == elliptic.P256()
}

// jwkKey reads a JWK (RFC 7517), as DID documents have them.
func jwkKey(raw []byte) (*ecdsa.PublicKey, bool) {
	var jwk struct {
		CRV string `json:"crv"`
		X   string `json:"x"`
		Y   string `json:"y"`
	}
	if json.Unmarshal(raw, &jwk) != nil || jwk.CRV != "P-256" {
		return nil, false
	}
	x, errX := base64.RawURLEncoding.DecodeString(jwk.X)
	y, errY := base64.RawURLEncoding.DecodeString(jwk.Y)
	if errX != nil || errY != nil || len(x) != 32 || len(y) != 32 {
		return nil, false
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...))
	return key, err == nil
}

func readFile(path string) ([]byte, error) {
	raw, err := config.ReadFile(path, maxSettings)
	var size *config.SizeError
	if errors.As(err, &size) {
		err = fmt.Errorf("%s is larger than 1 MiB", filepath.Base(path))
	}
	return raw, err
}
