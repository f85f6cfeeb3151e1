package publication

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/trust"
)

// Register is what the statement is about; *keyring.Ring has it.
type Register interface {
	// Keys lists every key with its state.
	Keys(ctx context.Context) ([]signing.KeyStatus, error)
	// RevocationLists gives the CRLs in DER.
	RevocationLists() [][]byte
	// Active gives the key that signs for a usage now.
	Active(ctx context.Context, usage keystore.Usage) (keystore.Key, error)
}

// AuditLog records what the keys are used for.
type AuditLog interface {
	Append(ctx context.Context, e audit.Entry) (audit.Receipt, error)
}

// Deps is everything a publisher is made of. All fields but DID are required.
type Deps struct {
	Register Register
	Audit    AuditLog
	Country  string              // ISO 3166-1 alpha-2
	Anchors  []*x509.Certificate // CSCAs to list, also those without a key yet
	DID      trust.DID           // of the DID document; the zero value: none is made
	Validity time.Duration       // from issuedAt to nextUpdate
	Clock    func() time.Time
}

// Publisher makes statements. It is safe for concurrent use.
type Publisher struct {
	deps Deps

	mu      sync.Mutex // one signature at a time
	last    trust.Signed
	about   [sha256.Size]byte // digest of what last states, without its times
	renewAt time.Time
	uploads map[string]signing.Upload // by certificate and upload certificate
}

// minValidity leaves verifiers time to fetch the next statement.
const minValidity = time.Minute

// New checks the wiring.
func New(d Deps) (*Publisher, error) {
	switch {
	case d.Register == nil || d.Audit == nil || d.Clock == nil || d.Country == "":
		return nil, errors.New("publication: a dependency is missing")
	case len(d.Anchors) == 0:
		return nil, errors.New("publication: no pinned CSCA")
	case d.Validity < minValidity:
		return nil, fmt.Errorf("publication: statements must be valid for %v or longer", minValidity)
	}
	return &Publisher{deps: d, uploads: map[string]signing.Upload{}}, nil
}

// retryAfter is what a caller is told when register, key or audit log are away.
const retryAfter = 5 * time.Second

var errAway = fault.New(fault.Unavailable, "statement-unavailable", "The signing service cannot state its keys at the moment.").Retry(retryAfter)

// Statement gives the current signed statement. Errors: Unavailable.
func (p *Publisher) Statement(ctx context.Context) (signing.TrustStatement, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	signed, err := p.current(ctx)
	if err != nil {
		return signing.TrustStatement{}, errAway.Because(err)
	}
	return signing.TrustStatement{JWS: string(signed.JWS), DID: signed.DID}, nil
}

func (p *Publisher) current(ctx context.Context) (trust.Signed, error) {
	now := p.deps.Clock().UTC().Truncate(time.Second)
	key, err := p.deps.Register.Active(ctx, keystore.UsageTrustList)
	if err != nil {
		return trust.Signed{}, err
	}
	claims, err := p.claims(ctx, now, key)
	if err != nil {
		return trust.Signed{}, err
	}
	about, err := digestOf(claims, key)
	if err != nil {
		return trust.Signed{}, err
	}
	if len(p.last.JWS) > 0 && about == p.about && now.Before(p.renewAt) {
		return p.last, nil
	}
	signed, err := p.sign(ctx, claims, key)
	if err != nil {
		return trust.Signed{}, err
	}
	p.last, p.about, p.renewAt = signed, about, now.Add(claims.NextUpdate.Sub(now)/2)
	return signed, nil
}

// claims is the statement to make now; it does not outlive the certificates of its key.
func (p *Publisher) claims(ctx context.Context, now time.Time, key keystore.Key) (trust.Claims, error) {
	c := trust.Claims{Country: p.deps.Country, IssuedAt: now, NextUpdate: now.Add(p.deps.Validity)}
	for _, end := range []time.Time{key.Certificate.NotAfter, key.Issuer.NotAfter} {
		if end.Before(c.NextUpdate) {
			c.NextUpdate = end
		}
	}
	listed := map[string]bool{} // key identifiers
	for _, anchor := range p.deps.Anchors {
		if now.Before(anchor.NotAfter) {
			c.CSCAs, listed[string(anchor.SubjectKeyId)] = append(c.CSCAs, anchor.Raw), true
		}
	}
	// The list of a CSCA that has ended says nothing about a key that is still believed.
	for _, der := range p.deps.Register.RevocationLists() {
		if list, err := x509.ParseRevocationList(der); err == nil && listed[string(list.AuthorityKeyId)] {
			c.CRLs = append(c.CRLs, der)
		}
	}
	keys, err := p.deps.Register.Keys(ctx)
	if err != nil {
		return c, err
	}
	for _, k := range keys {
		if stated(k) {
			c.Keys = append(c.Keys, trust.PublicKey{
				KID: k.KID, Usage: trust.Usage(k.Usage), State: trust.State(k.State),
				ActiveFrom: k.ActivateAt, ListedFrom: k.PublishAt, Certificate: k.Certificate, Issuer: k.Issuer,
			})
		}
	}
	return c, nil
}

// stated reports whether verifiers are told about the key. The upload key speaks to one
// gateway, which knows it by other means.
func stated(k signing.KeyStatus) bool {
	state := keystore.State(k.State)
	return keystore.Usage(k.Usage) != keystore.UsageUpload && (state.Offered() || state == keystore.StateRevoked)
}

// digestOf identifies what is stated and by whom, without the times of the statement.
func digestOf(c trust.Claims, by keystore.Key) ([sha256.Size]byte, error) {
	c.IssuedAt, c.NextUpdate = time.Time{}, time.Time{}
	raw, err := json.Marshal(struct {
		Claims trust.Claims
		By     []byte
	}{c, by.KID})
	return sha256.Sum256(raw), err
}

// Audit actions of statements.
const (
	actionIntent = "statement.intent"
	actionSigned = "statement.signed"
)

// sign makes both forms of a statement, audited before and after.
func (p *Publisher) sign(ctx context.Context, claims trust.Claims, key keystore.Key) (trust.Signed, error) {
	list, err := trust.NewStatement(claims)
	if err != nil {
		return trust.Signed{}, err
	}
	payload, err := list.Encode()
	if err != nil {
		return trust.Signed{}, err
	}
	digest := sha256.Sum256(payload)
	if err := p.record(ctx, actionIntent, key, digest[:]); err != nil {
		return trust.Signed{}, err
	}
	signed, err := trust.Sign(ctx, claims, p.deps.DID, listSigner{key})
	if err != nil {
		return trust.Signed{}, err
	}
	return signed, p.record(ctx, actionSigned, key, digest[:])
}

func (p *Publisher) record(ctx context.Context, action string, key keystore.Key, digest []byte) error {
	_, err := p.deps.Audit.Append(ctx, audit.Entry{
		Action: action, Actor: "signer", Subject: hex.EncodeToString(key.KID), Outcome: "success", Digest: hex.EncodeToString(digest),
	})
	return err
}

// listSigner is a key of the register as package trust wants it.
type listSigner struct{ key keystore.Key }

func (s listSigner) Certificate() *x509.Certificate { return s.key.Certificate }
func (s listSigner) Issuer() *x509.Certificate      { return s.key.Issuer }

func (s listSigner) Sign(ctx context.Context, digest [sha256.Size]byte) ([64]byte, error) {
	signature, err := s.key.Sign(ctx, digest)
	return signature, err
}
