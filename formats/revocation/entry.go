package revocation

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// KIDSize is the length of the key id of a DSC, in bytes (HCERT specification §3.3.2).
const KIDSize = 8

// KID is the key id of a DSC, or what stands for one: see Entry.ListKID.
type KID [KIDSize]byte

// Base64 is the key id as batches and lists write it.
func (k KID) Base64() string { return base64.StdEncoding.EncodeToString(k[:]) }

// Entry is one revoked certificate, without personal data. At least one of Signature, UCI,
// CountryUCI and RID is there; whoever can compute more states more.
type Entry struct {
	KID                        []byte    // of the DSC that signed, 8 bytes; may be missing for a SMART Health Card
	Signature, UCI, CountryUCI Hash      // zero: none
	RID                        string    // of a SMART Health Card as on a revocation list: "id", or "id.seconds" for cards with an earlier nbf
	SHCKID                     string    // thumbprint of the key of a SMART Health Card; else empty
	Format                     string    // who, dcc, dcc-recovery, shc, vdsnc or icvp
	RevokedAt                  time.Time // when
	ExpiresAt                  time.Time // end of the certificate; zero: it has none
}

// Formats of certificates, as issuance names them.
const (
	FormatWHO         = "who"
	FormatDCC         = "dcc"
	FormatDCCRecovery = "dcc-recovery"
	FormatSHC         = "shc"
	FormatVDSNC       = "vdsnc"
	FormatICVP        = "icvp"
)

// IsHCERT reports whether certificates of the format are HCERTs, which the EU's batch lists
// are for.
func IsHCERT(format string) bool {
	return slices.Contains([]string{FormatWHO, FormatDCC, FormatDCCRecovery, FormatICVP}, format)
}

var (
	ridPattern        = regexp.MustCompile(`^[A-Za-z0-9_-]{1,24}$`)
	ridTimePattern    = regexp.MustCompile(`^[1-9][0-9]{0,9}$`)
	thumbprintPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)
)

// SplitRID takes a revocation id of a list apart. seconds is 0 without a timestamp; ok is
// false if it is none (SMART Health Cards Framework, "Revocation": base64url, at most 24
// characters; the timestamp in whole seconds since 1970).
func SplitRID(text string) (rid string, seconds int64, ok bool) {
	rid, suffix, dated := strings.Cut(text, ".")
	if !ridPattern.MatchString(rid) {
		return "", 0, false
	}
	if !dated {
		return rid, 0, true
	}
	if !ridTimePattern.MatchString(suffix) {
		return "", 0, false
	}
	seconds, err := strconv.ParseInt(suffix, 10, 64)
	return rid, seconds, err == nil
}

// ErrEntry is the kind of error of Entry.Check: fault.Rule with an issue for each member.
var ErrEntry = fault.New(fault.Rule, "revocation-entry", "The revocation cannot be published.")

// Check reports what keeps the entry from being published, all findings at once. Errors:
// ErrEntry.
func (e Entry) Check() error {
	var issues []fault.Issue
	add := func(bad bool, path, detail, fix string) {
		if bad {
			issues = append(issues, fault.Issue{Path: path, Rule: "revocation-entry", Detail: detail, Fix: fix})
		}
	}
	rid, _, ridOK := SplitRID(e.RID)
	shc := e.Format == FormatSHC
	add(len(e.KID) != KIDSize && (!shc || len(e.KID) != 0), "kid", "The key id is not 8 bytes long.", "State the key id of the DSC that signed the certificate.")
	add(!shc && !IsHCERT(e.Format) && e.Format != FormatVDSNC, "format", "The format is not one that is issued.", "State who, dcc, dcc-recovery, shc, vdsnc or icvp.")
	add(shc != (e.SHCKID != ""), "shcKid", "A SMART Health Card, and only it, has the thumbprint of its key.", "State the thumbprint with the format shc alone.")
	add(e.SHCKID != "" && !isThumbprint(e.SHCKID), "shcKid", "The thumbprint is not the base64url of 32 bytes.", "State the thumbprint of the key (RFC 7638), 43 characters.")
	add(e.RID != "" && !ridOK, "rid", "The revocation id is not in base64url with at most 24 characters, or its timestamp is not in seconds.", "State the id as the card has it.")
	add(rid != "" && !shc, "rid", "Only a SMART Health Card has a revocation id.", "Leave it out.")
	add(e.RID == "" && e.Signature.IsZero() && e.UCI.IsZero() && e.CountryUCI.IsZero(), "signature", "Nothing identifies the certificate.", "State the hash of its signature.")
	add(e.RevokedAt.IsZero(), "revokedAt", "The time of the revocation is missing.", "State it.")
	add(!e.ExpiresAt.IsZero() && (e.ExpiresAt.Unix() <= 0 || e.ExpiresAt.Year() > 9999), "expiresAt", "The end of the certificate is not between 1970 and 9999.", "State the expiry of the certificate, or none.")
	if len(issues) > 0 {
		return ErrEntry.With(issues...)
	}
	return nil
}

// isThumbprint reports whether text is the one base64url form of 32 bytes.
func isThumbprint(text string) bool {
	if !thumbprintPattern.MatchString(text) {
		return false
	}
	_, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return err == nil
}

// ListKID is the key id under which slices list the entry: that of the DSC; for SMART Health
// Cards the first 8 bytes of the thumbprint, since their verifiers know no DSC. Entries come
// from Check.
func (e Entry) ListKID() KID {
	if e.SHCKID != "" {
		kid, _ := SHCListKID(e.SHCKID)
		return kid
	}
	var kid KID
	copy(kid[:], e.KID)
	return kid
}

// SHCListKID is the key id of slices for cards of the key with that thumbprint; false if it
// is none.
func SHCListKID(thumbprint string) (KID, bool) {
	if !isThumbprint(thumbprint) {
		return KID{}, false
	}
	raw, _ := base64.RawURLEncoding.DecodeString(thumbprint)
	return KID(raw[:KIDSize]), true
}

// FilterHash gives the one hash that stands for the entry in a filter: of the revocation id
// where there is one, since it covers every card that carries it; else the first that is
// there of signature, identifier and country with identifier.
func (e Entry) FilterHash() (HashType, Hash) {
	if rid, _, ok := SplitRID(e.RID); ok && e.RID != "" {
		return HashRID, RIDHash(e.SHCKID, rid)
	}
	return e.ListHash()
}

// ListHash gives the one hash that stands for the entry in slices: the first that is there of
// signature, identifier and country with identifier. None: the entry is on the card
// revocation list alone.
func (e Entry) ListHash() (HashType, Hash) {
	switch {
	case !e.Signature.IsZero():
		return HashSignature, e.Signature
	case !e.UCI.IsZero():
		return HashUCI, e.UCI
	case !e.CountryUCI.IsZero():
		return HashCountryUCI, e.CountryUCI
	}
	return "", Hash{}
}
