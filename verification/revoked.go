package verification

import (
	"strings"
	"time"

	formats "github.com/trustedparty/ddcc-gateway/formats/revocation"

	"github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
	shc "github.com/trustedparty/ddcc-gateway/formats/shc/reader"
	vdsnc "github.com/trustedparty/ddcc-gateway/formats/vdsnc/reader"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/revocation"
)

// Revocations answers whether a certificate was revoked; *revocation.Set does.
type Revocations interface {
	Check(id revocation.Identity) revocation.Verdict

	// Country is whose certificates they are about, ISO 3166-1 alpha-2. That they do not
	// have the certificate of another says nothing.
	Country() string

	// NextUpdate is when newer ones are there at the latest; zero: they are always new.
	NextUpdate() time.Time
}

// identity is what may be on a revocation list; the zero value is nothing.
type identity = revocation.Identity

// noIdentity is that of a format without lists.
var noIdentity identity

// concluded ends a verification in which everything else was right: with the question
// whether the certificate was revoked.
func (v *Verifier) concluded(result Result, id identity, now time.Time) Result {
	if v.Revocations == nil || !isIdentifiable(id) {
		result.warn(WarningRevocation)
		return result.concluded(nil)
	}
	verdict := v.Revocations.Check(id)
	next := v.Revocations.NextUpdate()
	switch {
	case verdict.Revoked && verdict.Certainty == revocation.Exact:
		return result.concluded(fail(ReasonRevoked, "the certificate is on a revocation list"))
	case verdict.Revoked:
		result.warn(WarningUnconfirmed)
		return result.concluded(fail(ReasonRevoked, "the filter of the revocation lists has the certificate"))
	case result.Signer == nil || !strings.EqualFold(result.Signer.Country, v.Revocations.Country()):
		result.warn(WarningRevocation)
	case !next.IsZero() && !now.Before(next):
		result.warn(WarningStale)
	}
	return result.concluded(nil)
}

func isIdentifiable(id identity) bool {
	return !id.Signature.IsZero() || !id.UCI.IsZero() || !id.CountryUCI.IsZero() || id.RID != ""
}

// hcertIdentity is what revokes an HCERT: its signature, and the UVCI of an EU DCC exactly
// as it stands there.
func hcertIdentity(m *reader.Message, profile Profile, content map[string]any) identity {
	id := identity{KID: m.KID, Signature: formats.SignatureHash(textAlgorithm(m.Algorithm), m.Signature)}
	if profile.Rules != RulesEUDCC {
		return id
	}
	for _, group := range []string{"v", "t", "r"} { // the rules leave one of them, with one entry
		if uvci, ok := dig(content, group, 0, "ci").(string); ok {
			id.UCI, id.CountryUCI = formats.UCIHash(uvci), formats.CountryUCIHash(m.Claims.Issuer, uvci)
		}
	}
	return id
}

func cardIdentity(m *shc.Message) identity {
	return identity{Signature: formats.SignatureHash(algorithmES256, m.Signature), RID: m.RID, SHCKID: m.KID, NotBefore: m.NotBefore}
}

func sealIdentity(m *vdsnc.Message) identity {
	id := identity{KID: trust.KID(m.Certificate), Signature: formats.SignatureHash(m.Algorithm, plainSignature(m))}
	for _, member := range []string{"uvci", "utci"} {
		if text, ok := dig(m.Data, "msg", member).(string); ok {
			id.UCI = formats.UCIHash(text)
		}
	}
	return id
}

// plainSignature gives the signature of a seal as r and s of fixed length. The reader takes
// other forms of the same signature, and a revoked seal must not become another by being
// written in one of them.
func plainSignature(m *vdsnc.Message) []byte {
	const half = 32 // of ES256: the lists have no other
	var ways [][]byte
	switch s := m.Signature; len(s) {
	case 2*half + 1:
		ways = [][]byte{s[1:], append(s[:half:half], s[half+1:]...)}
	case 2*half + 2:
		ways = [][]byte{append(s[1:half+1:half+1], s[half+2:]...)}
	}
	for _, way := range ways {
		plain := *m
		if plain.Signature = way; plain.Verify(m.Certificate.PublicKey) == nil {
			return way
		}
	}
	return m.Signature
}
