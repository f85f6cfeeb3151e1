package verification

import (
	"errors"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
	"github.com/trustedparty/ddcc-gateway/trust"
)

// DefaultSkew is how far a signer's clock may be ahead of ours.
const DefaultSkew = 5 * time.Minute

// Verifier checks certificates. It is safe for concurrent use while its fields do not
// change.
type Verifier struct {
	List     *trust.List       // nil trusts nobody
	Clock    func() time.Time  // nil means time.Now
	Skew     time.Duration     // zero means DefaultSkew, negative none
	Profiles map[int64]Profile // content by sub-claim; nil means DefaultProfiles
}

func (v *Verifier) now() time.Time {
	if v.Clock == nil {
		return time.Now()
	}
	return v.Clock()
}

func (v *Verifier) skew() time.Duration {
	switch {
	case v.Skew == 0:
		return DefaultSkew
	case v.Skew < 0:
		return 0
	}
	return v.Skew
}

// VerifyText checks a text as it comes out of a QR code.
func (v *Verifier) VerifyText(text string) Result {
	return v.verifyText(text, v.now())
}

func (v *Verifier) verifyText(text string, now time.Time) Result {
	result := Result{Format: FormatHCERT}
	message, err := reader.Decode(text)
	if err != nil {
		return result.concluded(decodeFailure(err))
	}
	result.KID, result.Algorithm = textKID(message.KID), textAlgorithm(message.Algorithm)
	entry, f := v.signer(message)
	if f != nil {
		return result.concluded(f)
	}
	found := v.recognise(message.Claims)
	result.Profile, result.Content = found.profile.Name, found.content
	result.Issuer, result.IssuedAt, result.ExpiresAt = message.Claims.Issuer, message.Claims.IssuedAt, message.Claims.ExpiresAt
	result.Signer = newSigner(entry)
	if f := v.checkTimes(message.Claims, found.profile, entry, now); f != nil {
		return result.concluded(f)
	}
	if f := checkIssuer(message.Claims, entry); f != nil {
		return result.concluded(f)
	}
	if f := found.checkUsage(entry); f != nil {
		return result.concluded(f)
	}
	if f := found.check(); f != nil {
		return result.concluded(f)
	}
	result.Warnings = found.warnings(message.Claims)
	return result.concluded(nil)
}

func decodeFailure(err error) *failure {
	var decode *reader.Error
	if errors.As(err, &decode) {
		return failReader(decode)
	}
	return fail(ReasonNotHCERT, "the text cannot be read")
}

// signer finds the trusted key that verifies the message.
func (v *Verifier) signer(message *reader.Message) (trust.Entry, *failure) {
	candidates := v.List.Lookup(message.KID)
	if len(candidates) == 0 {
		return trust.Entry{}, fail(ReasonUnknownKey, "the key id is not in the trust list")
	}
	return firstSigner(message, candidates)
}

// firstSigner tries all candidates, since key ids may collide. A wrong signature says
// more than a key of the wrong kind.
func firstSigner(message *reader.Message, candidates []trust.Entry) (trust.Entry, *failure) {
	var worst *failure
	for _, entry := range candidates {
		err := message.Verify(entry.DSC.PublicKey)
		if err == nil {
			return entry, nil
		}
		if f := decodeFailure(err); worst == nil || f.reason == ReasonBadSignature {
			worst = f
		}
	}
	return trust.Entry{}, worst
}
