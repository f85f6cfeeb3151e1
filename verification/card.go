package verification

import (
	"errors"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/shc/reader"
)

// ProfileSHC names the content of a SMART Health Card: the whole payload of its JWS.
const ProfileSHC = "smart-health-card"

// VerifyChunks checks a SMART Health Card that is cut into several QR codes, in any order.
func (v *Verifier) VerifyChunks(texts []string) Result {
	message, err := reader.DecodeChunks(texts)
	return v.verifyCard(message, err, v.now())
}

// verifyCard checks a decoded card, or tells why it could not be decoded.
func (v *Verifier) verifyCard(message *reader.Message, err error, now time.Time) Result {
	result := Result{Format: FormatSHC}
	if err != nil {
		return result.concluded(cardFailure(err))
	}
	result.KID, result.Algorithm = message.KID, algorithmES256
	key, f := v.cardKey(message)
	if f != nil {
		return result.concluded(f)
	}
	result.Profile, result.Content, result.Signer = ProfileSHC, message.Content, key.describe()
	result.Issuer, result.IssuedAt, result.ExpiresAt = message.Issuer, message.NotBefore, message.ExpiresAt
	if f := v.checkSpan(message.NotBefore, message.ExpiresAt, now); f != nil {
		return result.concluded(f)
	}
	if f := v.checkKey(key, message.NotBefore, now); f != nil {
		return result.concluded(f)
	}
	problems := append(message.Warnings, message.Check()...)
	for _, p := range problems {
		if p.Severity == reader.SeverityError {
			return result.concluded(breach(p.Path, p.Detail, string(p.Rule)))
		}
	}
	if message.ExpiresAt.IsZero() {
		result.warn(WarningNoExpiry)
	}
	if len(problems) > 0 {
		result.warn(WarningContent)
	}
	return v.concluded(result, cardIdentity(message), now)
}

// cardReasons are our words for the reader's where they differ.
var cardReasons = map[reader.Reason]Reason{
	reader.ReasonTrailingCharacters: ReasonNotSHC,
	reader.ReasonInvalidNumeric:     ReasonInvalidEncoding,
	reader.ReasonInvalidJWS:         ReasonInvalidEncoding,
}

func cardFailure(err error) *failure {
	var decode *reader.Error
	if !errors.As(err, &decode) {
		return fail(ReasonNotSHC, "the text cannot be read")
	}
	if ours, ok := cardReasons[decode.Reason]; ok {
		return fail(ours, decode.Detail)
	}
	return fail(Reason(decode.Reason), decode.Detail)
}

// cardKey finds the key that verifies the card. The key id is the thumbprint of the key, so
// that it belongs to no other; whose the key is, says the certificate that names the issuer's
// address. Only an issuer that no listed certificate names is looked up among bare keys: a
// registry must not bring back a key that the list has given up.
func (v *Verifier) cardKey(message *reader.Message) (signerKey, *failure) {
	entries, named := v.List.LookupCard(message.Issuer, message.KID)
	worst := fail(ReasonUnknownKey, "no list has a key of this issuer with this id")
	for _, entry := range entries {
		if v.isWithdrawn(entry.DSC) {
			continue
		}
		err := message.Verify(entry.DSC.PublicKey)
		if err == nil {
			return signerKey{entry: entry}, nil
		}
		worst = cardFailure(err)
	}
	if named || v.ownsIssuer(message.Issuer) {
		return signerKey{}, worst
	}
	for _, key := range v.find(FormatSHC, message.Issuer, message.KID) {
		err := message.Verify(key.Public)
		if err == nil {
			return signerKey{bare: key}, nil
		}
		worst = cardFailure(err)
	}
	return signerKey{}, worst
}

// checkSpan holds begin and end of a card or a credential against the clock; a zero end is
// none. Its end is the first instant at which it is not valid (RFC 7519 §4.1.4).
func (v *Verifier) checkSpan(begin, end, now time.Time) *failure {
	switch {
	case !end.IsZero() && !end.After(begin):
		return fail(ReasonInvalidClaims, "the certificate ends before it begins")
	case begin.After(now.Add(v.skew())):
		return fail(ReasonNotYetValid, "the certificate begins later than now")
	case !end.IsZero() && !now.Before(end):
		return fail(ReasonExpired, "the end of the certificate has passed")
	}
	return nil
}
