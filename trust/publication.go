package trust

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"
)

// PublicKey is one key as its owner lists it.
type PublicKey struct {
	KID         []byte
	Usage       Usage
	Certificate []byte // DER of the DSC
	Issuer      []byte // DER of the CSCA
}

// Representation is a document as it is served.
type Representation struct {
	Body []byte
	ETag string // strong, with its quotes (RFC 9110 §8.8.3)
}

func newRepresentation(body []byte) Representation {
	digest := sha256.Sum256(body)
	return Representation{Body: body, ETag: `"` + base64.RawURLEncoding.EncodeToString(digest[:]) + `"`}
}

// Publication is everything that is served between two changes of the keys. It is
// immutable.
type Publication struct {
	Trust     TrustList
	JWKS      Representation // application/jwk-set+json
	TrustList Representation // application/json
	CSCA      Representation // application/pem-certificate-chain

	certificates map[string]Representation // DER by key id
	source       [sha256.Size]byte         // digest of the keys
}

// ModifiedAt is when these representations came into being, UTC in whole seconds.
func (p *Publication) ModifiedAt() time.Time { return p.Trust.IssuedAt }

// Certificate gives the DER of the DSC with the key id.
func (p *Publication) Certificate(kid []byte) (Representation, bool) {
	found, ok := p.certificates[string(kid)]
	return found, ok
}

var (
	errNoKeys    = errors.New("trust: there is no key to publish")
	errCollision = errors.New("trust: two certificates to publish have the same key id")
)

// newPublication checks the keys and makes all representations, or nothing.
func newPublication(keys []PublicKey, country string, now time.Time) (*Publication, error) {
	if len(keys) == 0 {
		return nil, errNoKeys
	}
	entries := make([]Entry, len(keys))
	for i, key := range keys {
		var err error
		if entries[i], err = key.entry(); err != nil {
			return nil, fmt.Errorf("trust: key %d: %w", i, err)
		}
	}
	list, refusals := NewList(entries, Options{})
	if len(refusals) > 0 {
		failures := make([]error, len(refusals))
		for i, refusal := range refusals {
			failures[i] = refusal
		}
		return nil, errors.Join(failures...)
	}
	p := &Publication{
		Trust:  TrustList{Country: country, IssuedAt: now.UTC().Truncate(time.Second), List: list},
		source: digestKeys(keys),
	}
	return p, p.render()
}

func (k PublicKey) entry() (Entry, error) {
	dsc, err := x509.ParseCertificate(k.Certificate)
	if err != nil {
		return Entry{}, fmt.Errorf("document signer certificate: %w", err)
	}
	csca, err := x509.ParseCertificate(k.Issuer)
	if err != nil {
		return Entry{}, fmt.Errorf("issuer certificate: %w", err)
	}
	return Entry{KID: k.KID, Usages: []Usage{k.Usage}, DSC: dsc, CSCA: csca}, nil
}

func (p *Publication) render() error {
	jwks, err := p.Trust.List.JWKS()
	if err != nil {
		return err
	}
	trustList, err := p.Trust.Encode()
	if err != nil {
		return err
	}
	p.JWKS, p.TrustList = newRepresentation(jwks), newRepresentation(trustList)
	p.CSCA = newRepresentation(p.Trust.List.AnchorsPEM())
	p.certificates = map[string]Representation{}
	for _, entry := range p.Trust.List.Entries() {
		if _, taken := p.certificates[string(entry.KID)]; taken {
			return errCollision
		}
		p.certificates[string(entry.KID)] = newRepresentation(entry.DSC.Raw)
	}
	return nil
}

// digestKeys is independent of the order in which keys are listed.
func digestKeys(keys []PublicKey) [sha256.Size]byte {
	sums := make([]string, len(keys))
	for i, key := range keys {
		sum := sha256.New()
		for _, part := range [][]byte{key.KID, []byte(key.Usage), key.Certificate, key.Issuer} {
			partSum := sha256.Sum256(part)
			sum.Write(partSum[:])
		}
		sums[i] = string(sum.Sum(nil))
	}
	slices.Sort(sums)
	all := sha256.New()
	for _, sum := range sums {
		all.Write([]byte(sum))
	}
	return [sha256.Size]byte(all.Sum(nil))
}
