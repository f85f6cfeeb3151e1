package revocation

import (
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/revocation"
)

// Identity is everything about a certificate that may be on a list; a verifier computes it
// from the certificate alone. Members that the certificate does not have are zero.
type Identity struct {
	KID                        []byte // of the DSC, 8 bytes; not needed for a SMART Health Card
	Signature, UCI, CountryUCI revocation.Hash
	RID                        string    // of a SMART Health Card, as the card has it
	SHCKID                     string    // thumbprint of the key of a SMART Health Card
	NotBefore                  time.Time // nbf of a SMART Health Card
}

// Certainty says what an answer rests on.
type Certainty string

// The certainties. A filter that says no is exact; one that says yes may be wrong at the rate
// of Set.FalsePositiveRate.
const (
	Exact      Certainty = "exact"
	FromFilter Certainty = "filter"
)

// Verdict is the answer about one certificate.
type Verdict struct {
	Revoked   bool
	Certainty Certainty
}

// Set is a verifier's copy of a publication. It is immutable and safe for concurrent use.
type Set struct {
	manifest revocation.Manifest
	filters  []*revocation.Filter
	lists    map[revocation.KID]revocation.Artefact // the slices there are
	crls     map[string]crl                         // by thumbprint
	slices   Slices
}

// crl is a card revocation list: by id the seconds before which cards are revoked; 0: all.
type crl map[string]int64

// Slices gives one slice of a key's exact list as it was published, from a directory, a cache
// or the network. An error makes answers rest on the filter.
type Slices func(kid revocation.KID, prefix []byte) ([]byte, error)

// Sequence grows with every publication: a verifier that has seen a later one takes no earlier.
func (s *Set) Sequence() uint64 { return s.manifest.Sequence }

// IssuedAt is when the lists were signed.
func (s *Set) IssuedAt() time.Time { return s.manifest.IssuedAt }

// NextUpdate is when newer lists are there at the latest.
func (s *Set) NextUpdate() time.Time { return s.manifest.NextUpdate }

// FalsePositiveRate is how often the filters say yes to a certificate that is not revoked, at
// most: if it has an identity of each type they hold.
func (s *Set) FalsePositiveRate() float64 { return s.manifest.FalsePositiveRate }

// Country is whose certificates the lists are about. An answer about those of other
// authorities says nothing.
func (s *Set) Country() string { return s.manifest.Country }

// Check answers whether a certificate is revoked. It asks the card revocation list first, then
// the filters, and confirms what they say with a slice where it can have one.
func (s *Set) Check(id Identity) Verdict {
	onCRL := s.onCRL(id)
	if onCRL == listRevoked {
		return Verdict{true, Exact}
	}
	open := false // a hit that nothing confirms or refutes
	for _, look := range id.lookups() {
		if look.hash.IsZero() || !s.hit(look) {
			continue
		}
		switch s.confirm(id, look, onCRL) {
		case listRevoked:
			return Verdict{true, Exact}
		case listUnknown:
			open = true
		case listGood:
		}
	}
	if open {
		return Verdict{true, FromFilter}
	}
	return Verdict{false, Exact}
}

// listAnswer is what an exact list says.
type listAnswer uint8

const (
	listUnknown listAnswer = iota // it is not at hand
	listGood
	listRevoked
)

type lookup struct {
	kind revocation.HashType
	hash revocation.Hash
}

func (id Identity) lookups() [4]lookup {
	return [4]lookup{
		{revocation.HashSignature, id.Signature}, {revocation.HashUCI, id.UCI}, {revocation.HashCountryUCI, id.CountryUCI},
		{revocation.HashRID, revocation.RIDHash(id.SHCKID, id.RID)},
	}
}

// hit reports whether a filter says yes. Every filter is asked: which expiry the publisher
// knew of a certificate is not for the verifier to guess.
func (s *Set) hit(l lookup) bool {
	for _, f := range s.filters {
		if f.Holds(l.kind) && f.Contains(l.hash) {
			return true
		}
	}
	return false
}

// onCRL asks the list of the card's key. No list in the manifest: nothing is on it.
func (s *Set) onCRL(id Identity) listAnswer {
	if id.SHCKID == "" || id.RID == "" {
		return listGood
	}
	list, ok := s.crls[id.SHCKID]
	if !ok {
		return s.missing(revocation.CRLName(id.SHCKID))
	}
	before, listed := list[id.RID]
	if listed && (before == 0 || id.NotBefore.Before(time.Unix(before, 0))) {
		return listRevoked
	}
	return listGood
}

// missing is what a list that is not at hand says: nothing is on one that there is not.
func (s *Set) missing(name string) listAnswer {
	for _, a := range s.manifest.Artefacts {
		if a.Name == name {
			return listUnknown
		}
	}
	return listGood
}

// confirm asks the exact list about a hit.
func (s *Set) confirm(id Identity, l lookup, onCRL listAnswer) listAnswer {
	if l.kind == revocation.HashRID {
		return onCRL
	}
	kid, ok := id.listKID()
	if !ok {
		return listUnknown
	}
	list, ok := s.lists[kid]
	if !ok {
		return listGood // this key has nothing revoked
	}
	if s.slices == nil {
		return listUnknown
	}
	raw, err := s.slices(kid, l.hash[:list.Depth])
	if err != nil {
		return listUnknown
	}
	return s.ask(list, kid, raw, l)
}

// ask believes a slice only if it is the one of the signed manifest for this hash.
func (s *Set) ask(list revocation.Artefact, kid revocation.KID, raw []byte, l lookup) listAnswer {
	slice, err := revocation.ParseSlice(raw)
	if err != nil || slice.KID != kid || string(slice.Prefix) != string(l.hash[:list.Depth]) {
		return listUnknown
	}
	root, want := slice.Root(), [32]byte{}
	digest, ok := list.Digest()
	if copy(want[:], digest); !ok || root != want {
		return listUnknown
	}
	if slice.Contains(l.kind, l.hash) {
		return listRevoked
	}
	return listGood
}

// listKID is the key id of the exact list; see revocation.Entry.ListKID.
func (id Identity) listKID() (revocation.KID, bool) {
	if id.SHCKID != "" {
		return revocation.SHCListKID(id.SHCKID)
	}
	if len(id.KID) != revocation.KIDSize {
		return revocation.KID{}, false
	}
	return revocation.KID(id.KID), true
}
