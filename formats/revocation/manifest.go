package revocation

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// ManifestType is the typ in the header of a signed manifest: no other kind of JWS can pass
// for one (RFC 8725 §3.11).
const ManifestType = "revocation+jws"

// manifestVersion is the version of the manifest and of what it names.
const manifestVersion = 1

// Bounds of a manifest.
const (
	MaxArtefacts     = 4096
	maxManifestBytes = 2 << 20
	maxCount         = 1 << 40
)

// Kinds of artefacts.
const (
	KindBatches = "batches" // the list of the EU's batches
	KindCRL     = "shc-crl" // a card revocation list
	KindFilter  = "filter"
	KindSlices  = "slices" // the exact list of one key; sha256 is the root of its hash tree
	KindWHO     = "who"
)

// Artefact is one list that a manifest vouches for. Which members are there follows from the
// kind: kid with slices and card revocation lists, depth with slices, hashTypes with filters
// and slices, falsePositiveRate and expires with filters, ctr with card revocation lists.
type Artefact struct {
	Name              string     `json:"name"` // its path below the address of the manifest
	Kind              string     `json:"kind"`
	SHA256            string     `json:"sha256"` // lower-case hex
	Size              int64      `json:"size"`   // bytes; of slices: of all of them without paths
	Count             int64      `json:"count"`  // hashes, ids or batches in it
	KID               string     `json:"kid,omitempty"`
	Depth             int        `json:"depth,omitempty"`
	HashTypes         []HashType `json:"hashTypes,omitempty"`
	FalsePositiveRate float64    `json:"falsePositiveRate,omitempty"` // of one look-up
	Expires           *time.Time `json:"expires,omitempty"`
	CTR               uint64     `json:"ctr,omitempty"`
}

// Claims is what a publisher states about its lists. Times, key and signature are the signing
// service's.
type Claims struct {
	Country     string `json:"country"`     // ISO 3166-1 alpha-2 of the authority
	Sequence    uint64 `json:"sequence"`    // grows with every publication
	Revocations int64  `json:"revocations"` // certificates on the lists
	// FalsePositiveRate is how often the filters together say yes to a certificate that is
	// not revoked, if a verifier asks each of them for each type it holds.
	FalsePositiveRate float64    `json:"falsePositiveRate"`
	Artefacts         []Artefact `json:"artefacts"` // by name
}

// Manifest is Claims with their times: the payload that is signed.
type Manifest struct {
	Claims
	IssuedAt   time.Time // UTC, whole seconds
	NextUpdate time.Time // when the next one is there at the latest
}

// ErrManifest is the kind of error of Claims.Check, Manifest.Encode and ParseManifest.
var ErrManifest = fault.New(fault.Rule, "revocation-manifest", "The manifest of the revocation lists is not as documented.")

func manifestIssue(path, detail, fix string) fault.Issue {
	return fault.Issue{Path: path, Rule: "revocation-manifest", Detail: detail, Fix: fix}
}

// Check reports what keeps the claims from being signed. Errors: ErrManifest.
func (c Claims) Check() error {
	var issues []fault.Issue
	add := func(bad bool, path, detail, fix string) {
		if bad && len(issues) < 32 {
			issues = append(issues, manifestIssue(path, detail, fix))
		}
	}
	add(!countryPattern.MatchString(c.Country), "country", "The country is not two capital letters.", "Use ISO 3166-1 alpha-2.")
	add(c.Sequence == 0 || c.Sequence > maxCounter, "sequence", "The sequence is not from 1 to 2^53-1.", "Count publications from 1.")
	add(c.Revocations < 0 || c.Revocations > maxCount, "revocations", "The number of revocations is out of range.", "Count the revoked certificates.")
	add(len(c.Artefacts) == 0 || len(c.Artefacts) > MaxArtefacts, "artefacts", "There are no artefacts, or more than 4096.", "List each artefact once.")
	listed, lookups := int64(0), 0
	for i, a := range c.Artefacts[:min(len(c.Artefacts), MaxArtefacts)] {
		path := fmt.Sprintf("artefacts[%d]", i)
		if err := a.check(); err != nil {
			add(true, path, "The artefact "+err.Error()+".", "State it as documented.")
		}
		add(i > 0 && c.Artefacts[i-1].Name >= a.Name, path+".name", "The artefacts are not sorted by name, or one is there twice.", "Sort them.")
		if a.Kind == KindFilter {
			listed, lookups = listed+a.Count, lookups+len(a.HashTypes)
		}
		single := a.Kind == KindFilter || a.Kind == KindSlices || a.Kind == KindWHO // one hash a certificate
		add(single && a.Count > c.Revocations, path+".count", "The list holds more than there are revocations.", "Count the revoked certificates.")
	}
	add(listed > c.Revocations, "revocations", "The filters hold more than there are revocations.", "Count the revoked certificates.")
	add(c.FalsePositiveRate != CombinedFPR(lookups), "falsePositiveRate", "The false positive rate is not the one of the filters.", "Compute it from the filters.")
	if len(issues) > 0 {
		return ErrManifest.With(issues...)
	}
	return nil
}

// CombinedFPR is the rate at which some look-ups in filters say yes at least once to what is
// in none of them.
func CombinedFPR(lookups int) float64 {
	no := 1.0
	for range lookups {
		no *= 1 - FilterFPR
	}
	return 1 - no
}

var (
	sha256Pattern = regexp.MustCompile(`^[0-9a-f]{64}$`)
	namePatterns  = map[string]*regexp.Regexp{
		KindBatches: regexp.MustCompile(`^batches\.json$`),
		KindCRL:     regexp.MustCompile(`^crl/[A-Za-z0-9_-]{43}\.json$`),
		KindFilter:  regexp.MustCompile(`^filter/([0-9]{4}H[12]|later)$`),
		KindSlices:  regexp.MustCompile(`^slices/[A-Za-z0-9_-]{11}$`),
		KindWHO:     regexp.MustCompile(`^who\.json$`),
	}
)

func (a Artefact) check() error {
	pattern, known := namePatterns[a.Kind]
	switch {
	case !known:
		return errors.New("is of no known kind")
	case !pattern.MatchString(a.Name):
		return errors.New("has a name that does not fit its kind")
	case !sha256Pattern.MatchString(a.SHA256):
		return errors.New("has no SHA-256 in lower-case hex")
	case a.Size <= 0 || a.Size > maxCount || a.Count < 0 || a.Count > maxCount:
		return errors.New("has a size or a count out of range")
	}
	isFilter, isSlices, isCRL := a.Kind == KindFilter, a.Kind == KindSlices, a.Kind == KindCRL
	switch {
	case isFilter != (a.FalsePositiveRate == FilterFPR) || !isFilter && a.FalsePositiveRate != 0:
		return errors.New("has a false positive rate that does not fit its kind")
	case isFilter != (a.Expires != nil) || isFilter && !isWholeSecond(*a.Expires):
		return errors.New("has an expiry that does not fit its kind")
	case isSlices != (a.Depth >= 1 && a.Depth <= MaxDepth) || !isSlices && a.Depth != 0:
		return errors.New("has a depth that does not fit its kind")
	case isCRL != (a.CTR != 0) || a.CTR > maxCounter:
		return errors.New("has a counter that does not fit its kind")
	}
	return errors.Join(a.checkKID(), a.checkTypes())
}

func (a Artefact) checkKID() error {
	switch a.Kind {
	case KindCRL:
		if !isThumbprint(a.KID) || a.Name != CRLName(a.KID) {
			return errors.New("has a key id that does not fit its name")
		}
	case KindSlices:
		raw, err := base64.StdEncoding.Strict().DecodeString(a.KID)
		if err != nil || len(raw) != KIDSize || a.Name != SlicesName(KID(raw)) || KID(raw).Base64() != a.KID {
			return errors.New("has a key id that does not fit its name")
		}
	default:
		if a.KID != "" {
			return errors.New("has a key id that does not fit its kind")
		}
	}
	return nil
}

func (a Artefact) checkTypes() error {
	var allowed []HashType
	switch a.Kind {
	case KindFilter:
		allowed = filterTypes
	case KindSlices:
		allowed = sliceTypes[:]
	}
	if (len(allowed) > 0) != (len(a.HashTypes) > 0) {
		return errors.New("has hash types that do not fit its kind")
	}
	last := -1
	for _, t := range a.HashTypes {
		at := slices.Index(allowed, t)
		if at <= last {
			return errors.New("has hash types that do not fit its kind or are not in order")
		}
		last = at
	}
	return nil
}

func isWholeSecond(t time.Time) bool {
	return t.Location() == time.UTC && t.Nanosecond() == 0 && t.Unix() > 0 && t.Year() <= 9999
}

// FilterName names the filter of a period: "filter/" and PeriodName.
func FilterName(until time.Time) string { return "filter/" + PeriodName(until) }

// SlicesName names the exact list of a key: "slices/" and the key id in base64url.
func SlicesName(kid KID) string { return "slices/" + base64.RawURLEncoding.EncodeToString(kid[:]) }

// CRLName names the card revocation list of a key.
func CRLName(thumbprint string) string { return "crl/" + thumbprint + ".json" }

// manifestJSON fixes the order of the members.
type manifestJSON struct {
	Version    int       `json:"version"`
	IssuedAt   time.Time `json:"issuedAt"`
	NextUpdate time.Time `json:"nextUpdate"`
	Claims
}

// Encode writes the manifest; one manifest has one encoding. Errors: ErrManifest.
func (m Manifest) Encode() ([]byte, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	return json.Marshal(manifestJSON{manifestVersion, m.IssuedAt, m.NextUpdate, m.Claims})
}

func (m Manifest) check() error {
	if err := m.Check(); err != nil {
		return err
	}
	if !isWholeSecond(m.IssuedAt) || !isWholeSecond(m.NextUpdate) || !m.IssuedAt.Before(m.NextUpdate) {
		return ErrManifest.With(manifestIssue("nextUpdate", "The times are not in order, or not in UTC and whole seconds.", "State issuedAt before nextUpdate."))
	}
	return nil
}

// ParseManifest reads what Encode writes, and nothing else. Errors: ErrManifest.
func ParseManifest(raw []byte) (Manifest, error) {
	if len(raw) > maxManifestBytes {
		return Manifest{}, ErrManifest.With(manifestIssue("", "The manifest is larger than 2 MiB.", "List fewer artefacts."))
	}
	var in manifestJSON
	if err := unmarshalStrict(raw, 4, &in); err != nil {
		return Manifest{}, ErrManifest.Because(err)
	}
	m := Manifest{Claims: in.Claims, IssuedAt: in.IssuedAt.UTC(), NextUpdate: in.NextUpdate.UTC()}
	for i, a := range m.Artefacts {
		if a.Expires != nil {
			expires := a.Expires.UTC()
			m.Artefacts[i].Expires = &expires
		}
	}
	if in.Version != manifestVersion {
		return Manifest{}, ErrManifest.With(manifestIssue("version", "The version is not 1.", "Use a verifier that knows it."))
	}
	encoded, err := m.Encode()
	if err != nil {
		return Manifest{}, err
	}
	if !bytes.Equal(encoded, raw) {
		return Manifest{}, ErrManifest.With(manifestIssue("", "The bytes are not the one encoding of the manifest.", "Take them as they were published."))
	}
	return m, nil
}

// Digest is the SHA-256 of an artefact in bytes; false unless the claims were checked.
func (a Artefact) Digest() ([]byte, bool) {
	raw, err := hex.DecodeString(a.SHA256)
	return raw, err == nil && len(raw) == 32
}

// SigningInput is what is signed of a manifest (RFC 7515 §5.1): the header, which has the key
// id of the DSC and nothing that can vary, and the payload. A compact JWS is the input, a dot
// and the signature in base64url.
func SigningInput(kid, payload []byte) []byte {
	header := fmt.Sprintf(`{"alg":"ES256","typ":%q,"kid":%q}`, ManifestType, base64.StdEncoding.EncodeToString(kid))
	out := base64.RawURLEncoding.AppendEncode(nil, []byte(header))
	return base64.RawURLEncoding.AppendEncode(append(out, '.'), payload)
}

// ErrSequence refuses a manifest whose sequence has been used or passed: another publisher was
// faster, or it is an old request again.
var ErrSequence = fault.New(fault.Conflict, "revocation-sequence", "A manifest with this sequence or a later one has been signed; publish with a later sequence.")

// ErrCounter refuses a manifest in which the counter of a card revocation list is lower than
// in one that was signed before, or the list is missing: readers fetch nothing below the
// counter they know.
var ErrCounter = fault.New(fault.Rule, "revocation-counter", "The counter of a card revocation list falls.").With(
	fault.Issue{Path: "artefacts", Rule: "revocation-counter", Detail: "A list is missing that was published, or counts less than it did.", Fix: "Count on; a list stays for as long as its key is listed."})
