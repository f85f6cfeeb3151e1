package verification

import (
	"errors"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
	shc "github.com/trustedparty/ddcc-gateway/formats/shc/reader"
	"github.com/trustedparty/ddcc-gateway/trust"
)

// DefaultSkew is how far a signer's clock may be ahead of ours.
const DefaultSkew = 5 * time.Minute

// Verifier checks certificates. It is safe for concurrent use while its fields do not
// change.
type Verifier struct {
	List        *trust.List       // nil trusts nobody
	Keys        Keys              // listed without certificate; nil: there are none
	Revocations Revocations       // nil: nothing is known to be revoked, and a Result says so
	Clock       func() time.Time  // nil means time.Now
	Skew        time.Duration     // zero means DefaultSkew, negative none
	Profiles    map[int64]Profile // HCERT content by sub-claim; nil means DefaultProfiles

	// Own is what one authority states about all of its keys, as its trustlist.json does;
	// nil: nothing is complete. A key of this authority that Own revokes, or does not have,
	// is trusted on nobody's word, whatever List and Keys say.
	Own *trust.TrustList
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

// VerifyText checks a text as it comes out of a QR code, in whichever format it is: HCERT
// (EU DCC, WHO DDCC and ICVP), SMART Health Card, VDS-NC or DIVOC.
func (v *Verifier) VerifyText(text string) Result { return v.verify(text, v.now()) }

func (v *Verifier) verify(text string, now time.Time) Result {
	switch FormatOf(text) {
	case FormatSHC:
		message, err := shc.Decode(text)
		return v.verifyCard(message, err, now)
	case FormatVDSNC:
		return v.verifySeal(text, now)
	case FormatDIVOC:
		return v.verifyCredential(text, now)
	default:
		return v.verifyText(text, now)
	}
}

// FormatOf tells formats apart by how a text begins. What begins like none is read as an
// HCERT, which says what is wrong with it.
func FormatOf(text string) string {
	text = strings.TrimLeft(text, "\ufeff \t\r\n")
	begin := text[:min(len(text), len("shc:/"))]
	switch {
	case strings.EqualFold(begin, "shc:/"), strings.HasPrefix(begin, "ey"), strings.HasPrefix(begin, "ew"): // {" and { in base64
		return FormatSHC
	case strings.HasPrefix(begin, "{"):
		return FormatVDSNC
	case strings.HasPrefix(begin, "B64:"), strings.HasPrefix(begin, "PK\x03\x04"):
		return FormatDIVOC
	default:
		return FormatHCERT
	}
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
	warnings, f := found.check()
	if f != nil {
		return result.concluded(f)
	}
	result.Warnings = append(found.warnings(message.Claims), warnings...)
	return v.concluded(result, hcertIdentity(message, found.profile, found.content), now)
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
	candidates := v.lookup(message.KID)
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
