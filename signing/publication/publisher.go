package publication

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
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

// Deps is everything a publisher is made of. DID, UploadUsages and Stopped may be missing.
type Deps struct {
	Register Register
	Audit    AuditLog
	Country  string              // ISO 3166-1 alpha-2
	Anchors  []*x509.Certificate // CSCAs to list, also those without a key yet
	DID      trust.DID           // of the DID document; the zero value: none is made
	Validity time.Duration       // from issuedAt to nextUpdate
	Clock    func() time.Time
	// UploadUsages are the usages whose certificates Uploads gives; none: those of HCERT.
	// SHC and VDS-NC may be named, nothing else.
	UploadUsages []keystore.Usage
	Stopped      func() bool // an emergency stop stands: no uploads; nil: never
}

// Publisher makes statements and uploads. It is safe for concurrent use.
type Publisher struct {
	deps Deps

	stating turn // one statement at a time
	mu      sync.Mutex
	last    statement
	pause   pause // after a statement that could not be signed

	uploading    turn                      // one caller at a time; it guards what follows
	uploads      map[string]signing.Upload // by certificate and upload certificate
	uploadsPause pause
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
	if len(d.UploadUsages) == 0 {
		d.UploadUsages = hcertUsages
	}
	for _, usage := range d.UploadUsages {
		if !slices.Contains(uploadable, usage) {
			return nil, fmt.Errorf("publication: certificates of the usage %q are never uploaded", usage)
		}
	}
	if d.Stopped == nil {
		d.Stopped = func() bool { return false }
	}
	return &Publisher{deps: d, stating: newTurn(), uploading: newTurn(), uploads: map[string]signing.Upload{}}, nil
}

// claims is the statement to make now; it does not outlive the certificates of its key.
func (p *Publisher) claims(ctx context.Context, now time.Time, key keystore.Key) (trust.Claims, error) {
	keys, err := p.deps.Register.Keys(ctx)
	if err != nil {
		return trust.Claims{}, err
	}
	c := claimsOf(p.deps.Country, p.deps.Anchors, keys, p.deps.Register.RevocationLists(), now)
	c.NextUpdate = now.Add(p.deps.Validity)
	for _, end := range []time.Time{key.Certificate.NotAfter, key.Issuer.NotAfter} {
		if end.Before(c.NextUpdate) {
			c.NextUpdate = end
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
	actionFailed = "statement.failed"
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
		p.failed(ctx, actionFailed, key, digest[:], err)
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

// failed records that an intent got no signature, also when its caller has left. If the
// log is away, too, the intent stays open there, and nothing was released.
func (p *Publisher) failed(ctx context.Context, action string, key keystore.Key, digest []byte, cause error) {
	_, _ = p.deps.Audit.Append(context.WithoutCancel(ctx), audit.Entry{
		Action: action, Actor: "signer", Subject: hex.EncodeToString(key.KID), Outcome: "failure",
		Reason: fault.From(cause).Code, Digest: hex.EncodeToString(digest),
	})
}

// listSigner is a key of the register as package trust wants it.
type listSigner struct{ key keystore.Key }

func (s listSigner) Certificate() *x509.Certificate { return s.key.Certificate }
func (s listSigner) Issuer() *x509.Certificate      { return s.key.Issuer }

func (s listSigner) Sign(ctx context.Context, digest [sha256.Size]byte) ([64]byte, error) {
	signature, err := s.key.Sign(ctx, digest)
	return signature, err
}
