package service

import (
	"context"
	"encoding/base64"
	"errors"
	"time"

	"github.com/veraison/go-cose"

	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/policy"
	"github.com/trustedparty/ddcc-gateway/signing/service/lint"
)

// prepared is a certificate that passed every rule and only lacks its real signature.
type prepared struct {
	key                 keystore.Key
	policy              string // digest of the policy that admitted it
	payload             []byte
	linted              *reader.Message
	issuedAt, expiresAt time.Time
}

// attributes are what the audit log may know about a certificate.
func (p prepared) attributes(in signing.Intent) map[string]string {
	return map[string]string{
		"profile": in.Profile, "issuer": in.Issuer, "policy": p.policy,
		"kid":       base64.StdEncoding.EncodeToString(p.key.KID),
		"issuedAt":  p.issuedAt.Format(time.RFC3339),
		"expiresAt": p.expiresAt.Format(time.RFC3339),
	}
}

// prepare builds the payload, signs it with the throwaway key, has the independent
// reader decode and verify the result, and runs the lints on what came out.
func (s *Service) prepare(ctx context.Context, grant policy.Grant, in signing.Intent) (prepared, error) {
	if !carries(in) {
		return prepared{}, errContent
	}
	key, err := s.active(ctx, grant.Usage)
	if err != nil {
		return prepared{}, err
	}
	now := s.now()
	p := prepared{
		key: key, policy: grant.Policy, issuedAt: now,
		expiresAt: expiry(in.ValidUntil, now.Add(grant.MaxValidity), key.Certificate.NotAfter, key.Issuer.NotAfter),
	}
	if !p.expiresAt.After(now) {
		return prepared{}, errExpired
	}
	p.payload, err = hcert.Claims{
		Issuer: s.policy.Country(), IssuedAt: p.issuedAt, ExpiresAt: p.expiresAt,
		SubClaim: grant.SubClaim, Content: in.Claims.DDCC,
	}.Encode()
	if err != nil {
		return prepared{}, unencodable(err)
	}
	text, err := s.trial(&p)
	if errors.Is(err, hcert.ErrTooLong) {
		return prepared{}, errTooLong.Because(err)
	}
	if err != nil {
		return prepared{}, fault.New(fault.Internal, "trial-signature", "").Because(err)
	}
	return p, s.lint(grant, in, p, text)
}

// unencodable: only text that is not NFC or not UTF-8 stops the encoder.
func unencodable(err error) error {
	return errLints.Because(err).With(fault.Issue{
		Path: "claims", Rule: "text-nfc", Detail: "A text is not UTF-8 in Unicode normalisation form C.", Fix: "Normalise the texts to NFC.",
	})
}

// trial signs with the throwaway key, which has the real one's algorithm and key id, so
// that the lints see bytes of the real shape.
func (s *Service) trial(p *prepared) (string, error) {
	signer, err := cose.NewSigner(cose.AlgorithmES256, s.throwaway)
	if err != nil {
		return "", err
	}
	signed, err := hcert.Sign1(p.payload, p.key.KID, signer)
	if err != nil {
		return "", err
	}
	text, err := hcert.Text(signed)
	if err != nil {
		return "", err
	}
	if p.linted, err = reader.Decode(text); err != nil {
		return "", err
	}
	return text, p.linted.Verify(&s.throwaway.PublicKey)
}

func (s *Service) lint(grant policy.Grant, in signing.Intent, p prepared, text string) error {
	oid, _ := grant.Usage.ExtendedKeyUsage()
	kind, issues := lint.Run(lint.Input{
		Claims: *in.Claims.DDCC, Message: p.linted, Text: text,
		Country: s.policy.Country(), SubClaim: grant.SubClaim, MaxValidity: grant.MaxValidity,
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
