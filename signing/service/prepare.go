package service

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/base64"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/policy"
	"github.com/trustedparty/ddcc-gateway/signing/service/lint"
)

// prepared is a certificate that passed every rule and only lacks its real signature.
type prepared struct {
	key      keystore.Key
	policy   string // digest of the policy that admitted it
	subClaim int64
	validity
	envelope envelope
	linted   lint.Reading
}

// attributes are what the audit log may know about a certificate.
func (p prepared) attributes(in signing.Intent) map[string]string {
	attributes := map[string]string{
		"profile": in.Profile, "issuer": in.Issuer, "policy": p.policy,
		"kid":       base64.StdEncoding.EncodeToString(p.key.KID),
		"issuedAt":  p.issuedAt.Format(time.RFC3339),
		"expiresAt": "never",
	}
	if !p.lifelong {
		attributes["expiresAt"] = p.expiresAt.Format(time.RFC3339)
	}
	if in.Event != "" {
		attributes["event"] = in.Event
	}
	return attributes
}

// prepare builds the bytes to be signed, signs them with the throwaway key, has the
// independent reader of the format decode and verify the result, and runs the lints on
// what came out.
func (s *Service) prepare(ctx context.Context, caller string, grant policy.Grant, in signing.Intent) (prepared, error) {
	k, ok := kinds[in.Profile]
	if !ok || !k.holds(in.Claims) {
		return prepared{}, errContent
	}
	if err := s.beside(ctx, caller, k, in); err != nil {
		return prepared{}, err
	}
	key, err := s.active(ctx, grant.Usage)
	if err != nil {
		return prepared{}, err
	}
	p := prepared{key: key, policy: grant.Policy, subClaim: grant.SubClaim}
	if p.validity, err = validityOf(grant, in, key, s.now()); err != nil {
		return prepared{}, err
	}
	if p.envelope, err = k.build(s, p, in.Claims); err != nil {
		return prepared{}, unbuildable(err)
	}
	text, err := s.trial(&p)
	if isTooLong(err) {
		return prepared{}, errTooLong.Because(err)
	}
	if err != nil {
		return prepared{}, fault.New(fault.Internal, "trial-signature", "").Because(err)
	}
	return p, s.lint(grant, in, p, text)
}

// trial signs with the throwaway key, which has the real one's algorithm, so that the lints
// see bytes of the real shape.
func (s *Service) trial(p *prepared) (string, error) {
	sum := digest(p.envelope)
	der, err := ecdsa.SignASN1(rand.Reader, s.throwaway, sum[:])
	if err != nil {
		return "", err
	}
	signature, err := keystore.SignatureFromASN1(der)
	if err != nil {
		return "", err
	}
	text, err := p.envelope.text(signature)
	if err != nil {
		return "", err
	}
	if p.linted, err = p.envelope.read(text); err != nil {
		return "", err
	}
	return text, p.linted.Verify(&s.throwaway.PublicKey)
}

func (s *Service) lint(grant policy.Grant, in signing.Intent, p prepared, text string) error {
	oid, _ := grant.Usage.ExtendedKeyUsage()
	kind, issues := lint.Run(lint.Input{
		Claims: in.Claims, Reading: p.linted, Text: text, ExpiresAt: p.expiresAt, Lifelong: p.lifelong,
		Country: s.policy.Country(), State: s.policy.ICAOState(), SubClaim: grant.SubClaim, MaxValidity: grant.MaxValidity,
		KID: p.key.KID, DSC: p.key.Certificate, CSCA: p.key.Issuer, Usage: oid, Now: p.issuedAt,
	}, grant.Ignored)
	switch {
	case len(issues) == 0:
		return nil
	case kind == fault.Internal:
		return fault.New(fault.Internal, "lint-self", "").Because(errLints.With(issues...))
	default:
		return errLints.With(issues...)
	}
}
