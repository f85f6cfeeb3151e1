package verification

import (
	"errors"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/divoc"
)

// ProfileDIVOC names the content of a DIVOC certificate: the credential without its proof.
const ProfileDIVOC = "divoc"

// maxMethod bounds the name of a key that is shown before anything is verified.
const maxMethod = 256

// verifyCredential checks a DIVOC certificate. Its keys have no certificates: a registry
// lists them under the verification method that the proof names.
func (v *Verifier) verifyCredential(text string, now time.Time) Result {
	result := Result{Format: FormatDIVOC}
	message, err := divoc.Decode([]byte(text))
	if err != nil {
		return result.concluded(credentialFailure(err))
	}
	method := message.VerificationMethod
	if method == "" || len(method) > maxMethod || strings.ContainsFunc(method, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return result.concluded(fail(ReasonKIDMissing, "proof.verificationMethod must be 1 to 256 visible ASCII characters"))
	}
	result.KID, result.Algorithm = method, suite(message.ProofType)
	key, f := v.credentialKey(message)
	if f != nil {
		return result.concluded(f)
	}
	result.Profile, result.Content, result.Signer = ProfileDIVOC, message.Content, signerKey{bare: key}.describe()
	result.Issuer, result.IssuedAt = message.Issuer, message.IssuedAt
	if result.ExpiresAt, f = credentialEnd(message); f != nil {
		return result.concluded(f)
	}
	if f := v.checkSpan(result.IssuedAt, result.ExpiresAt, now); f != nil {
		return result.concluded(f)
	}
	if f := v.checkKey(signerKey{bare: key}, message.IssuedAt, now); f != nil {
		return result.concluded(f)
	}
	if result.ExpiresAt.IsZero() {
		result.warn(WarningNoExpiry)
	}
	result.warn(WarningUnchecked)
	if len(message.Interchangeable()) > 0 {
		result.warn(WarningAmbiguous)
	}
	return v.concluded(result, noIdentity, now)
}

// suite gives the name of a signature suite that is known; another is only the text's.
func suite(name string) string {
	switch name {
	case "RsaSignature2018", "Ed25519Signature2018":
		return name
	}
	return ""
}

// credentialEnd reads expirationDate (W3C VC data model 1.1 §4.6).
func credentialEnd(message *divoc.Message) (time.Time, *failure) {
	value, present := message.Content["expirationDate"]
	if !present {
		return time.Time{}, nil
	}
	text, _ := value.(string)
	var end time.Time
	if end.UnmarshalText([]byte(text)) != nil {
		return time.Time{}, fail(ReasonInvalidClaims, "expirationDate must be a time with its zone, RFC 3339")
	}
	return end.UTC().Truncate(time.Second), nil
}

// credentialKey finds the key that verifies the credential.
func (v *Verifier) credentialKey(message *divoc.Message) (Key, *failure) {
	worst := fail(ReasonUnknownKey, "no registry has the key of the verification method")
	for _, key := range v.find(FormatDIVOC, "", message.VerificationMethod) {
		err := message.Verify(key.Public)
		if err == nil {
			return key, nil
		}
		if f := credentialFailure(err); worst.reason != ReasonBadSignature {
			worst = f
		}
	}
	return Key{}, worst
}

// credentialReasons are our words for the reader's where they differ. None of them says that
// the signature is genuine: these failures come before it is checked.
var credentialReasons = map[divoc.Reason]Reason{
	divoc.ReasonInvalidArchive:   ReasonInvalidCompression,
	divoc.ReasonInvalidStructure: ReasonNotDIVOC,
	divoc.ReasonUnsupportedProof: ReasonUnsupportedAlgorithm,
	divoc.ReasonInvalidProof:     ReasonBadSignature,
	divoc.ReasonNotCovered:       ReasonBadSignature,
}

func credentialFailure(err error) *failure {
	var decode *divoc.Error
	if !errors.As(err, &decode) {
		return fail(ReasonNotDIVOC, "the text cannot be read")
	}
	if ours, ok := credentialReasons[decode.Reason]; ok {
		return fail(ours, decode.Detail)
	}
	return fail(Reason(decode.Reason), decode.Detail)
}
