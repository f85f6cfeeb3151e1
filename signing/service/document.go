package service

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/formats/docsig"
	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/policy"
)

// MaxDocument bounds a document to sign, in bytes. A DDCC document with its QR image
// needs about 20 KiB.
const MaxDocument = 512 << 10

// SignDocument signs the DDCC document of a released certificate. The document is read,
// held against the certificate and canonicalised here; what is signed is never a
// caller's bytes. Errors: Forbidden, Malformed, NotFound (no certificate under the id),
// Conflict (cancelled), Rule (the document differs), Unavailable.
func (s *Service) SignDocument(ctx context.Context, caller string, in signing.DocumentIntent) (signing.DocumentSignature, error) {
	out, err := s.admitDocument(ctx, caller, in)
	var after failure
	if errors.As(err, &after) {
		return signing.DocumentSignature{}, after.error
	}
	if err != nil {
		s.refusedDocument(caller, in.ID, err)
	}
	return out, err
}

func (s *Service) admitDocument(ctx context.Context, caller string, in signing.DocumentIntent) (signing.DocumentSignature, error) {
	if !s.policy.Caller(caller) {
		return signing.DocumentSignature{}, policy.ErrCaller
	}
	if id, err := uuid.Parse(in.ID); err != nil || id.String() != in.ID {
		return signing.DocumentSignature{}, errIntentID
	}
	found, err := s.ledger.find(ctx, in.ID)
	if err != nil {
		return signing.DocumentSignature{}, err
	}
	if kinds[found.Profile].event != "" {
		return signing.DocumentSignature{}, errDocument.With(fault.Issue{
			Path: "id", Rule: "document-certificates", Detail: "The certificate stands beside an event and has no document of its own.", Fix: "Name the intent of the event's WHO DDCC.",
		})
	}
	codes, err := s.pictures(ctx, caller, found.Certificate, in)
	if err != nil {
		return signing.DocumentSignature{}, err
	}
	canonical, err := s.examine(caller, found.Certificate, codes, in.Document)
	if err != nil {
		return signing.DocumentSignature{}, err
	}
	end, err := s.begin()
	if err != nil {
		return signing.DocumentSignature{}, err
	}
	defer end()
	key, err := s.active(ctx, keystore.UsageDocument)
	if err != nil {
		return signing.DocumentSignature{}, err
	}
	if err := s.recordDocument(ctx, caller, in.ID, actionDocumentIntent, key, canonical); err != nil {
		return signing.DocumentSignature{}, err
	}
	out, err := s.signDocument(ctx, in.ID, key, canonical)
	if err == nil {
		err = s.releasable(key)
	}
	if err != nil {
		s.failedDocument(ctx, caller, in.ID, err)
		return signing.DocumentSignature{}, failure{err}
	}
	if err := s.recordDocument(ctx, caller, in.ID, actionDocument, key, canonical); err != nil {
		return signing.DocumentSignature{}, err
	}
	return out, nil
}

// failedDocument audits that an audited intent got no signature.
func (s *Service) failedDocument(ctx context.Context, caller, id string, cause error) {
	_, _ = s.audit.Append(context.WithoutCancel(ctx), audit.Entry{
		Time: s.now(), Action: actionDocumentFailed, Actor: caller, Subject: id, Outcome: "failure", Reason: fault.From(cause).Code,
	})
}

// refusedDocument audits a refusal with the rules that were broken. Documents have no rate
// of their own, so that all of them go where a flood does not fill the log.
func (s *Service) refusedDocument(caller, id string, cause error) {
	f := fault.From(cause)
	if isOutage(f) {
		return
	}
	s.refusals.Report(audit.Entry{
		Time: s.now(), Action: actionDocumentRefused, Actor: caller, Subject: knownID(id), Outcome: "failure",
		Reason: strings.Join(slices.Compact(reasonsOf(f)), " "),
	})
}

// examine lints the document against its certificate and gives its canonical form.
func (s *Service) examine(caller string, cert signing.Certificate, codes []picture, document []byte) ([]byte, error) {
	if len(document) > MaxDocument {
		return nil, fault.New(fault.TooLarge, "document-size", "The document is larger than a DDCC document can be.")
	}
	doc, err := docsig.Parse(document)
	if err != nil {
		return nil, fault.New(fault.Malformed, "document-json", "The document is not strict JSON.").Because(err)
	}
	if doc.Signature != nil {
		return nil, errDocument.With(fault.Issue{Path: "Bundle.signature", Rule: "document-unsigned", Detail: "The document carries a signature already.", Fix: "Send the document without it."})
	}
	grant, err := s.policy.AdmitDocument(caller, cert.Profile)
	if err != nil {
		return nil, err
	}
	issues, err := compareDocument(cert, grant.SubClaim, codes, doc.Canonical)
	if err != nil {
		return nil, fault.New(fault.Internal, "document-compare", "").Because(err)
	}
	if len(issues) > 0 {
		return nil, errDocument.With(issues...)
	}
	return doc.Canonical, nil
}

func (s *Service) recordDocument(ctx context.Context, caller, id, action string, key keystore.Key, canonical []byte) error {
	// The document holds the random signature inside the QR text: its digest is unguessable.
	sum := sha256.Sum256(canonical)
	_, err := s.audit.Append(ctx, audit.Entry{
		Time: s.now(), Action: action, Actor: caller, Subject: id, Outcome: "success",
		Digest:     hex.EncodeToString(sum[:]),
		Attributes: map[string]string{"kid": base64.StdEncoding.EncodeToString(key.KID)},
	})
	if err != nil {
		return unavailable(err)
	}
	return nil
}

// signDocument makes the detached JWS and verifies it before it leaves.
func (s *Service) signDocument(ctx context.Context, id string, key keystore.Key, canonical []byte) (signing.DocumentSignature, error) {
	now := s.now()
	thumbprint := sha256.Sum256(key.Certificate.Raw)
	opts := (&jose.SignerOptions{}).
		WithHeader(docsig.HeaderCanonicalization, docsig.Canonicalization).
		WithHeader(docsig.HeaderSigningTime, now.Format(time.RFC3339)).
		WithHeader(docsig.HeaderThumbprint, base64.RawURLEncoding.EncodeToString(thumbprint[:]))
	signer, err := jose.NewSigner(jose.SigningKey{
		Algorithm: jose.ES256,
		Key:       jose.JSONWebKey{Key: payloadSigner{ctx, key}, KeyID: base64.StdEncoding.EncodeToString(key.KID)},
	}, opts)
	if err != nil {
		return signing.DocumentSignature{}, fault.From(err)
	}
	signed, err := signer.Sign(canonical)
	if err != nil {
		return signing.DocumentSignature{}, unavailable(err)
	}
	jws, err := signed.DetachedCompactSerialize()
	if err != nil {
		return signing.DocumentSignature{}, fault.From(err)
	}
	if err := verifyDetached(jws, canonical, key); err != nil {
		return signing.DocumentSignature{}, fault.New(fault.Internal, "signature-mismatch", "").Because(err)
	}
	return signing.DocumentSignature{ID: id, JWS: jws, KID: key.KID, SignedAt: now}, nil
}

// payloadSigner signs for jose. Its signatures are not verified here: signDocument verifies
// the whole JWS. It carries a context because jose has no place for one; it lives as long as
// one signature.
type payloadSigner struct {
	ctx context.Context
	key keystore.Key
}

// Public implements jose.OpaqueSigner.
func (p payloadSigner) Public() *jose.JSONWebKey {
	return &jose.JSONWebKey{Key: p.key.Certificate.PublicKey}
}

// Algs implements jose.OpaqueSigner.
func (payloadSigner) Algs() []jose.SignatureAlgorithm { return []jose.SignatureAlgorithm{jose.ES256} }

// SignPayload implements jose.OpaqueSigner.
func (p payloadSigner) SignPayload(payload []byte, _ jose.SignatureAlgorithm) ([]byte, error) {
	signature, err := p.key.Sign(p.ctx, sha256.Sum256(payload))
	if err != nil {
		return nil, err
	}
	return signature[:], nil
}

func verifyDetached(jws string, canonical []byte, key keystore.Key) error {
	parsed, err := jose.ParseDetached(jws, canonical, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return err
	}
	if len(parsed.Signatures) != 1 {
		return errors.New("not exactly one signature")
	}
	_, err = parsed.Verify(key.Certificate.PublicKey)
	return err
}
